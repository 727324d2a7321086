-- A virtual meter: what is inside it, how gas runs through it, and how it carries
-- out a command. Knows nothing of the platform. Amounts are integer thousandths: of
-- a yuan, of a cubic metre (litres), of a yuan per cubic metre.
--
-- A command's handler gets (meter, paras, context) and returns whether it was
-- done, and the fields it answers with besides commandResult.

local core = require "xfiot.core"
local account = require "xfiot.sandbox.account"
local backend = require "xfiot.sandbox.backend"
local calendar = require "xfiot.sandbox.calendar"
local climate = require "xfiot.sandbox.climate"
local frozen = require "xfiot.sandbox.frozen"
local kind = require "xfiot.sandbox.kind"
local price = require "xfiot.sandbox.price"
local profile = require "xfiot.sandbox.profile"
local valve = require "xfiot.sandbox.valve"

local DAY <const> = calendar.DAY
local PULSE <const> = 100 -- litres that the counter moves at a time
local PULSE_ML <const> = PULSE * 1000
local HOUR <const> = 3600
local WORK <const> = 964320 -- millionths of a litre at working conditions in one at standard ones, of what was before

local HANDLERS <const> = {
  VALVE_CONTROL = valve.control,
  ["ACCOUNT_OPEN.meterPrepaid"] = account.open,
  ACCOUNT_CANCEL = account.cancel,
  RECHARGE_REMOTE = account.recharge,
  LADDER_VALUE_CHANGE = price.set_position,
  PRICE_CHANGE = price.change,
  PRICE_READ = price.read,
  ["ACCOUNT_OPEN.backendPrepaid"] = backend.open,
  BALANCE_SYNC = backend.sync,
}

local meter = {}

--- A new meter, valve open, no account. `salt` is where its chance comes from.
---@param of { kind: string?, at: integer, salt: integer, profile: string?, used: integer?, freeze: string? }
---@return table
function meter.new(of)
  if of.kind ~= nil and not kind.rows[of.kind] then
    error("sandbox: no such kind of meter: " .. tostring(of.kind), 0)
  end
  if of.profile ~= nil and not profile.rows[of.profile] then
    error("sandbox: no such profile: " .. tostring(of.profile), 0)
  end
  local m = {
    kind = of.kind, valve = valve.OPEN, used = of.used or 0, balance = 0, bought = 0, spent = 0, buys = 0, position = 0,
    at = of.at, born = of.at, salt = of.salt, rest = 0, profile = of.profile, freeze = of.freeze,
    gas_at = of.at, volts = 5100 + (of.salt >> 30) % 1300, -- mV when it was new here
  }
  if kind.traits(m.kind).meter == "1" then m.work = m.used * WORK end
  frozen.begin(m)
  return m
end

--- The traits of its kind.
---@param m table
---@return table see kind.lua
function meter.traits(m)
  return kind.traits(m.kind)
end

--- Who lives behind it.
---@param m table
---@return string
function meter.profile(m)
  return m.profile or kind.traits(m.kind).profile
end

--- Whether gas may pass.
---@param m table
---@return boolean
function meter.is_open(m)
  return m.valve == valve.OPEN and (m.account or not kind.is_prepaid(m.kind)) or false
end

--- The gas of a day, remembered for the day the meter is in.
---@param m table
---@param day integer
---@return integer ml
function meter.day_gas(m, day)
  if m.day ~= day then
    m.day, m.day_ml = day, profile.day(meter.profile(m), m.salt, day)
  end
  return m.day_ml
end

--- The largest flow it is made for.
---@param m table
---@return integer litres an hour
function meter.largest(m)
  return profile.largest(meter.profile(m))
end

--- The flow at an instant, which does not change within an hour unless the valve turns.
---@param m table
---@param at integer
---@return integer litres an hour
function meter.flow(m, at)
  if not meter.is_open(m) then return 0 end
  local day = calendar.day(at)
  return profile.flow(meter.profile(m), meter.day_gas(m, day), at - calendar.midnight(day)) // 1000
end

-- What a flow meter counts at working conditions, in millionths of a litre: within one hour.
local function work(m, litres)
  local pressure = climate.pressure(m.salt, m.at, meter.flow(m, m.at), meter.largest(m))
  return litres * climate.expansion(climate.temperature(m.salt, m.at), pressure)
end

--- Sets the counter forward, as if it had always stood there.
---@param m table
---@param litres integer
function meter.shift(m, litres)
  if m.work then m.work = m.work + litres * WORK end
  frozen.shift(m, litres, litres * WORK)
end

-- Gas runs from m.at to an instant of the same day; the counter moves by whole pulses.
local function run(m, day, to)
  local start = calendar.midnight(day)
  local ml = profile.span(meter.profile(m), meter.day_gas(m, day), m.at - start, to - start)
  local sum = m.rest + ml
  if sum < PULSE_ML then
    m.rest = sum
    return
  end
  local litres = sum // PULSE_ML * PULSE
  m.rest = sum % PULSE_ML
  m.used, m.gas_at = m.used + litres, to
  if m.work and not m.dry then m.work = m.work + work(m, litres) end
  if m.account and kind.is_prepaid(m.kind) then account.pay(m, litres) end
end

--- Brings the meter up to a time (seconds): gas, frozen records, ladder periods, delayed
--- prices, each at its own instant.
---@param m table
---@param now integer
function meter.settle(m, now)
  local keeps = not m.dry
  local step, hourly = keeps and frozen.step(m), keeps and m.work
  while m.at < now do
    local day = calendar.day(m.at)
    local midnight = calendar.midnight(day) + DAY
    local to = midnight < now and midnight or now
    local edge = price.edge(m)
    if edge and edge < to then to = edge end
    if step then to = frozen.edge(m, to, step) end
    if hourly then to = math.min(to, m.at - m.at % HOUR + HOUR) end
    if meter.is_open(m) then run(m, day, to) end
    m.at = to
    local flow = hourly and to % HOUR == 0 and meter.flow(m, to) or nil
    if to == midnight then frozen.day(m, day + 1, flow) end
    if step then frozen.pass(m, step, flow) end
    if to == edge then price.pass(m) end
  end
end

local function copy_into(scratch, m)
  for key in pairs(scratch) do scratch[key] = nil end
  for key, value in pairs(m) do scratch[key] = value end
  scratch.dry = true -- it keeps no records
  return scratch
end

--- What the meter will be at a later time if nothing else happens, in a scratch table.
---@param m table
---@param at integer
---@param scratch table
---@return table
function meter.probe(m, at, scratch)
  local copy = copy_into(scratch, m)
  meter.settle(copy, at)
  return copy
end

--- The most money or gas it can use up until a time: a bound, cheaply.
---@param m table
---@param at integer
---@return integer thousandths
function meter.most(m, at)
  local days = (at - m.at) // DAY + 2
  local litres = profile.most(meter.profile(m), m.salt) * days // 1000 + PULSE
  if not (m.scheme or m.delayed) then return litres end
  local dearest = math.max(m.scheme and m.scheme.dearest or 0, m.delayed and m.delayed.dearest or 0)
  return litres * dearest // 1000 + 1000
end

--- Battery voltage at a time: some ten years from full to empty.
---@param m table
---@param at integer
---@return integer mV
function meter.voltage(m, at)
  return math.max(0, m.volts - (at - m.born) // 176000)
end

--- The meter's own clock at a time: it drifts, and may be wrong.
---@param m table
---@param at integer
---@return integer seconds
function meter.clock(m, at)
  local ppm = (m.salt >> 40) % 41
  local drift = (at - m.born) * (ppm % 21) // 1000000
  return at + (ppm > 20 and -drift or drift) + (m.clock_off or 0)
end

--- Carries out a command; the meter has been brought up to now.
---@param m table
---@param variant string
---@param paras table
---@param context { now: integer, refuse_repeats: boolean?, deducts: boolean?, schemes: table,
---  told: fun(code: string, state: string), overdrawn: fun(m: table): boolean }
---@return table result with commandResult as the text it is sent as (C22)
function meter.execute(m, variant, paras, context)
  context.traits = meter.traits(m)
  local done, answer = HANDLERS[variant](m, paras, context)
  if not done then return { commandResult = "1" } end
  answer = answer or {}
  answer.commandResult = "0"
  return answer
end

--- An amount as the meter shows it: two decimals, a third only where there is one.
---@param thousandths integer
---@return string
function meter.amount_text(thousandths)
  return core.decimal_text(thousandths, thousandths % 10 == 0 and 2 or 3)
end

return meter
