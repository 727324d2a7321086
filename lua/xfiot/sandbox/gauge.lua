-- What a meter watches besides its credit: that its flow stays below the largest it is
-- made for, and in a flow meter temperature and pressure. Each warns once when a limit is
-- crossed, and once when it is well inside again (0 back to normal). Values change with
-- the hour and when the valve turns, so it is looked at then; see nature.lua.
--
-- In a meter: beyond, the bits of what has been told and lasts.

local calendar = require "xfiot.sandbox.calendar"
local climate = require "xfiot.sandbox.climate"
local lasting = require "xfiot.sandbox.lasting"
local meter = require "xfiot.sandbox.meter"
local profile = require "xfiot.sandbox.profile"

local HOUR <const> = 3600
local BITS <const> = lasting.BEYOND
local FLOW <const>, TEMPERATURE <const>, PRESSURE <const> = BITS["0006H"], BITS["0014H"], BITS["0015H"]

-- From where a warning begins, and inside of what it is over. Tenths of °C and of kPa.
local T <const> = { least = -70, most = 420, calm_least = -50, calm_most = 400 }
local P <const> = { least = 1020, most = 1070, calm_least = 1027, calm_most = 1060 }
local FLOW_CALM <const> = 90 -- per cent of the largest flow

local CODES <const> = { "0006H", "0014H", "0015H" }

-- What a rule shows (meter:alarm=0014H), by code.
local FORCED <const> = { ["0014H"] = 950, ["0015H"] = 1602 }

local gauge = {}

--- Whether there is anything to look at.
---@param m table
---@return boolean
function gauge.watches(m)
  return m.work ~= nil or profile.peaks(meter.profile(m))
end

local function forced(m, code, at)
  local spell = m.spells and m.spells[code]
  if spell and at >= spell.from and (not spell.till or at < spell.till) then return FORCED[code] end
  return nil
end

--- A rule's warning begins or ends: what the meter shows agrees with it.
---@param m table
---@param code string
---@param at integer seconds
---@param begins boolean
function gauge.force(m, code, at, begins)
  if not FORCED[code] then return end
  m.spells = m.spells or {}
  if begins then
    m.spells[code] = { from = at }
  elseif m.spells[code] then
    m.spells[code].till = at
  end
end

--- Temperature shown at an instant, tenths of a degree.
---@param m table
---@param at integer
---@return integer
function gauge.temperature(m, at)
  return forced(m, "0014H", at) or climate.temperature(m.salt, at)
end

--- Pressure shown at an instant with a flow (litres an hour), tenths of a kilopascal.
---@param m table
---@param at integer
---@param flow integer
---@return integer
function gauge.pressure(m, at, flow)
  return forced(m, "0015H", at) or climate.pressure(m.salt, at, flow, meter.largest(m))
end

local function is_out(value, limits, was)
  if was then return value < limits.calm_least or value > limits.calm_most end
  return value < limits.least or value > limits.most
end

--- What is beyond its limit, as bits.
---@param m table
---@param at integer
---@return integer
function gauge.due(m, at)
  local was, due, flow, largest = m.beyond or 0, 0, meter.flow(m, at), meter.largest(m)
  if flow * 100 > largest * (was & FLOW ~= 0 and FLOW_CALM or 100) then due = FLOW end
  if not m.work then return due end
  if is_out(climate.temperature(m.salt, at), T, was & TEMPERATURE ~= 0) then due = due | TEMPERATURE end
  if is_out(climate.pressure(m.salt, at, flow, largest), P, was & PRESSURE ~= 0) then due = due | PRESSURE end
  return due
end

--- Tells what has begun and what is over; told(code, state).
---@param m table
---@param at integer
---@param told fun(code: string, state: string)
function gauge.check(m, at, told)
  local due, was = gauge.due(m, at), m.beyond or 0
  if due == was then return end
  for _, code in ipairs(CODES) do
    local bit = BITS[code]
    if due & bit ~= was & bit then lasting.tell(m, told, code, due & bit ~= 0 and "1" or "0") end
  end
  m.beyond = due ~= 0 and due or nil
end

-- 2 beyond a limit, 1 so close that what was beyond still is, 0 neither.
local function zone(value, limits)
  if is_out(value, limits, false) then return 2 end
  return is_out(value, limits, true) and 1 or 0
end

-- All zones at a full hour, with the valve open and shut, as one number.
local function zones(m, at, flow, largest)
  local sum = flow > largest and 2 or flow * 100 > largest * FLOW_CALM and 1 or 0
  if not m.work then return sum end
  local feed = climate.feed(m.salt, at)
  sum = sum * 3 + zone(climate.temperature(m.salt, at), T)
  sum = sum * 3 + zone(feed - climate.drop(flow, largest), P)
  return sum * 3 + zone(feed, P)
end

--- The full hours in (from, to] at which something may be crossed.
---@param m table
---@param from integer seconds
---@param to integer
---@return integer[] seconds
function gauge.hours(m, from, to)
  local out, before = {}, nil
  local name, largest = meter.profile(m), meter.largest(m)
  local day, gas
  for hour = from - from % HOUR, to, HOUR do
    local of = calendar.day(hour)
    if of ~= day then day, gas = of, profile.day(name, m.salt, of) end
    local now = zones(m, hour, profile.flow(name, gas, hour - calendar.midnight(of)) // 1000, largest)
    if before and now ~= before then out[#out + 1] = hour end
    before = now
  end
  return out
end

return gauge
