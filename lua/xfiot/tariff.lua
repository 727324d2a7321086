--- Ladder tariffs (阶梯气价), exactly: money in fen, gas in litres, prices in fen per
-- m³. Litres times such a price are thousandths of a fen, so nothing is divided
-- before the one rounding at the end, and nothing passes through a float.
local calendar = require "xfiot.calendar"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local explanation = require "xfiot.explanation"

local PRICES <const> = { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" }
local LIMITS <const> = { "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour" }
local TIERS <const> = #PRICES

-- Ten times all the gas a field of the document can hold (5.1, 4.5), and dearer than
-- any balance: at 30 yuan both stay far inside 64 bits in thousandths of a fen.
local POSITION_MOST <const> = 100000000000000 -- litres
local MONEY_MOST <const> = 1000000000000000 -- fen

---@class xfiot.Tariff
---@field prices integer[] five, fen per m³
---@field limits integer[] four, litres; each belongs to the tier below it
---@field top integer the tiers that differ: 1 for a single price
---@field months integer of one ladder period
---@field ladder_time string when the first period starts, 14 digits
---@field price_time string from when the prices hold
---@field version integer
---@field gas_type integer
---@field clear_mark integer|nil 1: a meter that gets this tariff counts its ladder from 0 again
local Tariff = {}
Tariff.__index = Tariff
Tariff.__name = "xfiot.tariff"

local tariff = { PRICES = PRICES, LIMITS = LIMITS, POSITION_MOST = POSITION_MOST, MONEY_MOST = MONEY_MOST }

-- ---- making one

-- Tiers behind the last one that was given are filled up as the note of 4.2 says:
-- prices with the last price, limits with the last limit; a single price has limits 0 (A23).
local function filled(names)
  local scheme, given = {}, 0
  for name, value in pairs(names) do scheme[name] = value end
  for i, name in ipairs(PRICES) do
    if scheme[name] ~= nil then given = i end
  end
  if given == 0 then return scheme end
  for i = given + 1, TIERS do scheme[PRICES[i]] = scheme[PRICES[given]] end
  local last = 0
  if given > 1 then last = scheme[LIMITS[given - 1]] end
  for i = given, TIERS - 1 do
    if scheme[LIMITS[i]] == nil then scheme[LIMITS[i]] = last end
  end
  return scheme
end

-- By the command's own rows; raises naming every bad parameter.
local function check(method, paras)
  local faults = core.check("creatCmd", { deviceId = ("0"):rep(32), command = { method = method, paras = paras } })
  if not faults then return end
  for _, fault in ipairs(faults) do fault.path = fault.path:gsub("^command%.paras%.", "") end
  error(errors.invalid("tariff", faults), 0)
end

local function fen_of(price)
  return core.decimal(price, 2) // 10
end

-- The tiers that differ: from the last one on, all prices are the same.
local function count_tiers(prices)
  local top = TIERS
  while top > 1 and prices[top - 1] == prices[TIERS] do top = top - 1 end
  return top
end

--- A tariff of members that were checked elsewhere, as a meter does with what it is
--- sent: five prices in fen, four limits in litres, months, ladder_time, and the rest.
---@param members table becomes the tariff
---@return xfiot.Tariff
function tariff.of(members)
  members.top = count_tiers(members.prices)
  return setmetatable(members, Tariff)
end

--- A tariff from PRICE_CHANGE's names (4.6). Fewer tiers are filled up; clearMark may
--- be missing. Raises naming every bad field.
---@param names table
---@return xfiot.Tariff
function tariff.new(names)
  if type(names) ~= "table" then error("tariff.new takes a table with PRICE_CHANGE's names", 2) end
  local scheme = filled(names)
  local clear_mark = scheme.clearMark
  if clear_mark == nil then scheme.clearMark = 0 end -- it is for whoever sends it
  check("PRICE_CHANGE", scheme)
  local members = {
    prices = {}, limits = {}, months = math.tointeger(scheme.pricePeriod), ladder_time = scheme.ladderTime,
    price_time = scheme.priceTime, version = math.tointeger(scheme.priceVer),
    gas_type = math.tointeger(scheme.gasType), clear_mark = clear_mark and math.tointeger(clear_mark),
  }
  for i, name in ipairs(PRICES) do members.prices[i] = fen_of(scheme[name]) end
  for i, name in ipairs(LIMITS) do members.limits[i] = math.tointeger(scheme[name]) * 1000 end
  return tariff.of(members)
end

--- Whether a value is a tariff.
---@param value any
---@return boolean
function tariff.is(value)
  return getmetatable(value) == Tariff
end

-- ---- gas and money

--- Gas as integer litres: litres, or m³ as text with at most three decimals.
---@param value integer|string
---@return integer|nil litres
---@return string? why
function tariff.litres(value)
  local litres = value
  if type(value) == "string" then
    local why
    litres, why = core.decimal(value, 3)
    if not litres then return nil, why end
  elseif math.type(value) ~= "integer" then
    return nil, "must be an integer of litres or text in m³"
  end
  if litres < 0 or litres > POSITION_MOST then return nil, "is out of range" end
  return litres
end

local function read_gas(what, value)
  local litres, why = tariff.litres(value)
  if litres then return litres end
  error(errors.bad_argument("tariff", what, ("%s: must be gas of 0 or more, an integer of litres or text in m³")
    :format(why), "应为不小于 0 的气量：整数升，或以立方米计的文本"), 0)
end

--- Thousandths of a fen as whole fen, half up.
---@param thousandths integer
---@return integer fen
function tariff.round(thousandths)
  return (thousandths + 500) // 1000
end

-- The exact cost of a position, in thousandths of a fen.
local function exact(self, position)
  local sum, from = 0, 0
  for i = 1, TIERS do
    local to = position
    if i < TIERS and self.limits[i] < position then to = self.limits[i] end
    if to > from then
      sum = sum + (to - from) * self.prices[i]
      from = to
    end
  end
  return sum
end

local function read_pair(a, b)
  local from, to = read_gas("from", a), read_gas("to", b)
  if to < from then
    error(errors.bad_argument("tariff", "to", "must not lie before the first position", "不应小于起始量"), 0)
  end
  return from, to
end

--- The exact cost from the start of the ladder period.
---@param position integer|string litres, or m³ as text
---@return integer thousandths of a fen
function Tariff:exact(position)
  return exact(self, read_gas("position", position))
end

--- What a report costs that moves the ladder value from a to b, both in one ladder
--- period: the difference of the rounded totals, so that it does not matter in how many
--- reports the gas came.
---@param a integer|string litres, or m³ as text
---@param b integer|string
---@return integer fen
function Tariff:cost(a, b)
  local from, to = read_pair(a, b)
  return tariff.round(exact(self, to)) - tariff.round(exact(self, from))
end

--- The tier that a position lies in; a limit belongs to the tier below it. Tiers that
--- only fill up the five are no tiers: 1 with a single price.
---@param position integer|string
---@return integer tier 1 to 5
---@return integer price fen per m³
function Tariff:tier(position)
  local litres = read_gas("position", position)
  local tier = 1
  while tier < self.top and litres > self.limits[tier] do tier = tier + 1 end
  return tier, self.prices[tier]
end

--- The most gas from a position on whose exact cost does not exceed an amount; all that
--- can be counted where it costs nothing.
---@param fen integer
---@param position integer|string
---@return integer litres
function Tariff:forecast(fen, position)
  local from = read_gas("position", position)
  if math.type(fen) ~= "integer" or fen > MONEY_MOST or fen < -MONEY_MOST then
    error(errors.bad_argument("tariff", "fen", "must be an integer of fen", "应为整数（分）"), 0)
  end
  local left, at = math.max(0, fen) * 1000, from
  for i = 1, TIERS do
    local to = i < TIERS and self.limits[i] or POSITION_MOST
    if to > at then
      local price = self.prices[i]
      if price > 0 and left // price < to - at then return at + left // price - from end
      left, at = left - (to - at) * price, to
    end
  end
  return at - from
end

-- ---- periods

-- The start of the period so many months after the first one, from ladderTime itself.
local function period_start(self, months)
  return calendar.after(self.ladder_time, months)
end

local function read_time(at)
  if math.type(at) == "integer" then at = core.timestamp(at) end
  if type(at) == "string" and core.parse_timestamp(at) then return at end
  error(errors.bad_argument("tariff", "at", "must be a time, yyyyMMddHHmmss", "应为有效时间，格式 yyyyMMddHHmmss"), 0)
end

--- The ladder period that holds an instant.
---@param at string|integer 14 digits, or seconds since 1970 UTC
---@return string first its first instant, 14 digits
---@return string last its last: one second before the next begins
function Tariff:period(at)
  local time = read_time(at)
  local months = calendar.months(self.ladder_time, time) // self.months * self.months
  if period_start(self, months) > time then months = months - self.months end
  return calendar.clamp(period_start(self, months)), calendar.before(period_start(self, months + self.months))
end

--- Explains a charge; prints as lines.
---@param a integer|string litres, or m³ as text
---@param b integer|string
---@param balance? integer before the charge, fen
---@return xfiot.Explanation
function Tariff:explain(a, b, balance)
  local from, to = read_pair(a, b)
  local out = { from = from, to = to, tiers = {}, exact = exact(self, to) - exact(self, from),
                fen = self:cost(from, to), before = balance, after = nil }
  local at = from
  for i = 1, self.top do
    local upto = i < self.top and math.min(to, self.limits[i]) or to
    if upto > at then
      out.tiers[#out.tiers + 1] = { tier = i, litres = upto - at, price = self.prices[i],
                                    exact = (upto - at) * self.prices[i] }
      at = upto
    end
  end
  out.rounding = out.fen * 1000 - out.exact
  if balance then out.after = balance - out.fen end
  return explanation.new(out)
end

-- ---- as parameters of commands

local function prices_of(self, paras)
  for i, name in ipairs(PRICES) do paras[name] = core.decimal_text(self.prices[i] * 10, 2) end
  for i, name in ipairs(LIMITS) do paras[name] = self.limits[i] // 1000 end
  paras.gasType, paras.priceVer, paras.pricePeriod = self.gas_type, self.version, self.months
  paras.priceTime, paras.ladderTime = self.price_time, self.ladder_time
  return paras
end

--- The parameters of PRICE_CHANGE (4.6), which are also the names of the verbs' tariff.
---@param clear_mark? integer wins over the tariff's own; one of them must be there
---@return table
function Tariff:price_change(clear_mark)
  local paras = prices_of(self, { clearMark = clear_mark or self.clear_mark })
  if paras.clearMark == nil then
    error(errors.bad_argument("tariff", "clearMark",
      "is missing: 0 keeps the gas counted in the ladder period, 1 sets it to zero", "缺少：0 保留阶梯累计用量，1 清零", "500031"), 0)
  end
  check("PRICE_CHANGE", paras)
  return paras
end

--- The parameters of ACCOUNT_OPEN for a money meter (4.2).
---@param with { billNo: integer, rechargeValue: any, cardNo: string, clearMark: integer|nil } clearMark 1 unless given
---@return table
function Tariff:account_open(with)
  local paras = prices_of(self, { prepaidType = 0, clearMark = self.clear_mark or 1 })
  for name, value in pairs(with or {}) do paras[name] = value end
  check("ACCOUNT_OPEN", paras)
  return paras
end

--- The tariff once more in PRICE_CHANGE's names, to be written down.
---@return table
function Tariff:names()
  return prices_of(self, { clearMark = self.clear_mark })
end

return tariff
