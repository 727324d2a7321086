-- Prices and tier usage of a money meter (4.5 to 4.7). A scheme loaded for a later
-- time is kept beside the one in force until its time has come. What gas costs is
-- xfiot.tariff's to say. Meters with the same prices share one scheme.

local core = require "xfiot.core"
local tariff = require "xfiot.tariff"

local PRICES <const> = { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" }
local LIMITS <const> = { "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour" }

local price = { PRICES = PRICES, LIMITS = LIMITS }

-- The platform takes limits of tiers that do not differ as they come; a tariff wants
-- them repeated. What gas costs is the same.
local function make_tariff(scheme, gas_type)
  local names = {
    gasType = gas_type, priceVer = scheme.version, pricePeriod = scheme.period, clearMark = 0,
    priceTime = core.timestamp(scheme.from), ladderTime = core.timestamp(scheme.ladder_from),
  }
  local top = 5
  while top > 1 and scheme[top - 1] == scheme[5] do top = top - 1 end
  for i, name in ipairs(PRICES) do names[name] = core.decimal_text(scheme[i], 2) end
  for i, name in ipairs(LIMITS) do names[name] = scheme[5 + math.min(i, math.max(top - 1, 1))] end
  return tariff.new(names)
end

local function key_of(paras)
  local words = { paras.priceTime, paras.ladderTime, paras.pricePeriod, paras.priceVer, paras.clearMark, paras.gasType }
  for _, name in ipairs(PRICES) do words[#words + 1] = paras[name] end
  for _, name in ipairs(LIMITS) do words[#words + 1] = paras[name] end
  return table.concat(words, " ")
end

--- The scheme of a command's parameters; the same one for the same parameters.
---@param schemes table<string, table> those there are
---@param paras table
---@return table scheme prices in thousandths of a yuan at 1 to 5, limits in m³ at 6 to 9
function price.scheme(schemes, paras)
  local key = key_of(paras)
  local scheme = schemes[key]
  if scheme then return scheme end
  scheme = {
    key = key, paras = paras, -- as they came, to be written down
    from = core.parse_timestamp(paras.priceTime),
    ladder_from = core.parse_timestamp(paras.ladderTime),
    period = paras.pricePeriod,
    version = paras.priceVer,
    clear = paras.clearMark == 1,
  }
  for i, name in ipairs(PRICES) do scheme[i] = paras[name] end
  for i, name in ipairs(LIMITS) do scheme[5 + i] = paras[name] end
  scheme.tariff = make_tariff(scheme, paras.gasType)
  scheme.dearest = math.max(table.unpack(scheme, 1, 5)) -- thousandths of a yuan
  schemes[key] = scheme
  return scheme
end

local function put_in_force(m, scheme)
  if m.scheme then
    m.last = {
      scheme = m.scheme, position = m.position, used = m.used, spent = m.spent, bought = m.bought,
      balance = m.balance, at = m.at,
    }
  end
  m.scheme = scheme
  if scheme.clear then m.position = 0 end
end

--- The next instant (seconds) at which something of the price changes by itself: a
--- ladder period begins, or a delayed scheme comes into force. nil: none ever.
---@param m table
---@return integer?
function price.edge(m)
  local scheme = m.scheme
  local at = m.delayed and m.delayed.from
  if not scheme then return at end
  if not scheme.first or m.at < scheme.first or m.at >= scheme.next then
    local first, last = scheme.tariff:period(m.at)
    scheme.first, scheme.next = core.parse_timestamp(first), core.parse_timestamp(last) + 1
  end
  return at and at < scheme.next and at or scheme.next
end

--- Passes an edge that the meter has come to.
---@param m table
function price.pass(m)
  local scheme = m.scheme
  if scheme and scheme.next == m.at then m.position = 0 end
  if m.delayed and m.delayed.from <= m.at then
    scheme, m.delayed = m.delayed, nil
    put_in_force(m, scheme)
    m.renewed = true
  end
end

--- What gas costs from where the meter is.
---@param m table
---@param litres integer
---@return integer thousandths of a yuan
function price.cost(m, litres)
  return 10 * m.scheme.tariff:cost(m.position, m.position + litres)
end

--- Loads a scheme, for now or for later.
---@param m table
---@param paras table
---@param context { now: integer, schemes: table }
function price.load(m, paras, context)
  local scheme = paras.scheme or price.scheme(context.schemes, paras)
  if scheme.from > context.now then
    m.delayed = scheme
  else
    put_in_force(m, scheme)
  end
end

--- Forgets all prices and the tier usage.
---@param m table
function price.clear(m)
  m.scheme, m.delayed, m.last, m.position = nil, nil, nil, 0
end

--- The tier that the meter is in and its price; 1 and 0 without a scheme.
---@param m table
---@return integer tier
---@return integer thousandths of a yuan
function price.current(m)
  if not m.scheme then return 1, 0 end
  local tier, fen = m.scheme.tariff:tier(m.position)
  return tier, fen * 10
end

--- How a position (litres) is spread over the five tiers.
---@param scheme table
---@param position integer
---@return integer[]
function price.spread(scheme, position)
  local out = { 0, 0, 0, 0, 0 }
  for _, row in ipairs(scheme.tariff:explain(0, position).tiers) do out[row.tier] = row.litres end
  return out
end

--- PRICE_CHANGE. On a commercial meter it is the second step of opening.
function price.change(m, paras, context)
  if not (m.account or m.opening) then return false end
  price.load(m, paras, context)
  m.gas_type = paras.gasType
  m.account, m.opening = true, nil
  return true
end

--- PRICE_READ: 0 the scheme in force, 1 the delayed one.
function price.read(m, paras)
  local scheme = m.scheme
  if paras.priceType == 1 then scheme = m.delayed end
  if not scheme then return false end
  local answer = {
    priceTime = core.timestamp(scheme.from),
    priceVer = tostring(scheme.version),
    ladderTime = core.timestamp(scheme.ladder_from),
    pricePeriod = tostring(scheme.period),
  }
  for i, name in ipairs(PRICES) do answer[name] = core.decimal_text(scheme[i], 2) end
  for i, name in ipairs(LIMITS) do answer[name] = tostring(scheme[5 + i]) end
  return true, answer
end

--- The fields of PRICE_READ's answer, all empty: what a meter without prices might say (C38).
---@return table<string, string>
function price.nothing()
  local answer = { priceTime = "", priceVer = "", ladderTime = "", pricePeriod = "" }
  for _, name in ipairs(PRICES) do answer[name] = "" end
  for _, name in ipairs(LIMITS) do answer[name] = "" end
  return answer
end

--- LADDER_VALUE_CHANGE.
function price.set_position(m, paras)
  if not m.account then return false end
  m.position = paras.ladderValue
  return true
end

return price
