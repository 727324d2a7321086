-- Prices and tier usage of a money meter (4.5 to 4.7). A scheme loaded for a
-- later time is kept beside the one in force until its time has come.

local core = require "xfiot.core"

local PRICES <const> = { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" }
local LIMITS <const> = { "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour" }

local price = { PRICES = PRICES, LIMITS = LIMITS }

local function put_in_force(m, scheme)
  if m.scheme then
    m.last = { scheme = m.scheme, position = m.position, used = m.used, spent = m.spent, balance = m.balance }
  end
  m.scheme = scheme
  if scheme.clear then m.position = 0 end
end

--- Puts a delayed scheme in force if its time has come.
---@param m table
---@param now integer seconds
---@return boolean changed
function price.settle(m, now)
  local scheme = m.delayed
  if not scheme or scheme.from > now then return false end
  m.delayed = nil
  put_in_force(m, scheme)
  return true
end

--- Loads a scheme, for now or for later.
---@param m table
---@param paras table
---@param now integer seconds
function price.load(m, paras, now)
  local scheme = {
    from = core.parse_timestamp(paras.priceTime),
    ladder_from = core.parse_timestamp(paras.ladderTime),
    period = paras.pricePeriod,
    version = paras.priceVer,
    clear = paras.clearMark == 1,
  }
  for i, name in ipairs(PRICES) do scheme[i] = paras[name] end
  for i, name in ipairs(LIMITS) do scheme[5 + i] = paras[name] end
  if scheme.from > now then
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

--- The tier that a position (litres) lies in; a limit belongs to the tier below it.
---@param scheme table
---@param position integer
---@return integer
function price.tier(scheme, position)
  for i = 1, 4 do
    if position <= scheme[5 + i] * 1000 then return i end
  end
  return 5
end

--- The price in force at the meter's position, or 0 without a scheme.
---@param m table
---@return integer thousandths of a yuan
function price.current(m)
  return m.scheme and m.scheme[price.tier(m.scheme, m.position)] or 0
end

--- How a position (litres) is spread over the five tiers.
---@param scheme table
---@param position integer
---@return integer[]
function price.spread(scheme, position)
  local out, from = {}, 0
  for i = 1, 5 do
    local to = i < 5 and math.min(position, scheme[5 + i] * 1000) or position
    out[i] = math.max(0, to - from)
    from = math.max(from, to)
  end
  return out
end

--- PRICE_CHANGE. On a commercial meter it is the second step of opening.
function price.change(m, paras, context)
  if not (m.account or m.opening) then return false end
  price.load(m, paras, context.now)
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

--- LADDER_VALUE_CHANGE.
function price.set_position(m, paras)
  if not m.account then return false end
  m.position = paras.ladderValue
  return true
end

return price
