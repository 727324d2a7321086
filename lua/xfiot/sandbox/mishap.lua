-- What goes wrong with meters by rule (meter:KIND, see fault.lua), each at its time.

local clock = require "xfiot.sandbox.clock"
local core = require "xfiot.core"
local gauge = require "xfiot.sandbox.gauge"
local kind = require "xfiot.sandbox.kind"
local lasting = require "xfiot.sandbox.lasting"
local meter = require "xfiot.sandbox.meter"
local rows = require "xfiot.sandbox.rows"
local valve = require "xfiot.sandbox.valve"

local Mishaps = {}
Mishaps.__index = Mishaps
Mishaps.__name = "xfiot.sandbox.mishaps"

-- ---- warnings that last: "0009H", or "0009H/2h" and then over

local function begin_alarm(m, told, row)
  local is_new = not (lasting.is_given(m, row.code) or lasting.is_own(m, row.code))
  m.active = m.active or {}
  m.active[row.code] = row
  gauge.force(m, row.code, m.at, true)
  if is_new then told(row.code, "1") end
  if row.shuts then
    m.locked = row.code == "0001H" or m.locked
    valve.turn(m, valve.CLOSED, told)
  end
end

local function end_alarm(m, told, row)
  if m.ends then m.ends[row.code] = nil end
  if not (m.active and m.active[row.code]) then return end
  m.active[row.code] = nil
  if next(m.active) == nil then m.active = nil end
  if row.code == "1001H" then m.dark = nil end
  gauge.force(m, row.code, m.at, false)
  if row.code == "0001H" and m.locked then return valve.press(m, told) end
  if not lasting.is_own(m, row.code) then told(row.code, "0") end
end

local function expect_end(self, device, row, time)
  self.clock:at(time, function()
    local m = device.meter
    if not (m.ends and m.ends[row.code] == time) then return end -- another end was set since
    self.field:alter(device, function(_, told) end_alarm(m, told, row) end)
  end)
end

-- Whether a device can have that alarm: a concentrator has no valve to be stuck.
local function can_have(device, row)
  local own = kind.traits(device.meter.kind).meter == "2" and "concentrator" or "meter"
  return row.device == own or row.device == "any"
end

local function begin(self, device, row, span)
  if not can_have(device, row) then
    return self.log(("%s cannot have %s, which is an alarm of a %s"):format(device.number, row.code, row.device))
  end
  self.field:alter(device, function(m, told) begin_alarm(m, told, row) end)
  local m, time = device.meter, span and self.clock:now() + span
  if m.ends then m.ends[row.code] = nil end
  if not time then return end
  m.ends = m.ends or {}
  m.ends[row.code] = time
  expect_end(self, device, row, time)
end

local function alarm(self, device, value)
  local code, span = value:match "^(%x+H)/?(.*)$"
  begin(self, device, rows.alarm(code), span ~= "" and clock.milliseconds(span) or nil)
end

-- ---- the others

-- Another meter hangs there, with its own number and nothing of the old one's.
local function swap(m)
  local kept = { kind = m.kind, profile = m.profile, freeze = m.freeze, at = m.at, salt = m.salt + 1 }
  for name in pairs(m) do m[name] = nil end
  for name, value in pairs(meter.new(kept)) do m[name] = value end
end

local KINDS <const> = {
  asleep = function(self, device, value)
    device.asleep = self.clock:seconds() + clock.milliseconds(value) // 1000
    self.field:keep(device)
  end,
  late = function(_, device, value) device.late = clock.milliseconds(value) end,
  mute = function(_, device) device.mute = true end,
  lacks = function(_, device, value) device.lacks = value end,
  swapped = function(self, device)
    self.field:alter(device, swap)
    device.meter_no = self.random:digits("swapped " .. device.number, 14)
  end,
  -- A cubic metre before the counter begins anew.
  rolled = function(self, device)
    self.field:alter(device, function(m) meter.shift(m, meter.traits(m).counter - 1000 - m.used) end)
  end,
  clock = function(self, device, value)
    local sign = value:sub(1, 1) == "-" and -1 or 1
    local off = sign * clock.milliseconds((value:gsub("^[+-]", ""))) // 1000
    self.field:alter(device, function(m) m.clock_off = off end)
  end,
  stuck = function(self, device)
    if kind.traits(device.meter.kind).meter == "2" then return end
    self.field:alter(device, function(m, told)
      lasting.tell(m, told, "0018H", "1")
      m.stuck = true
    end)
  end,
  volts = function(self, device, value)
    local millivolts = core.decimal(value, 3)
    self.field:alter(device, function(m) m.volts = millivolts + (m.at - m.born) // 176000 end)
  end,
  alarm = alarm,
}

--- A warning that no rule asks for begins, for a time (seconds); not if it lasts already.
---@param device table
---@param row table of the alarm
---@param span integer
---@return boolean
function Mishaps:befall(device, row, span)
  if device.meter.active and device.meter.active[row.code] then return false end
  begin(self, device, row, span * 1000)
  return true
end

--- A device has become known: what is to go wrong with it is put on the agenda.
---@param device table
---@param place integer among all
function Mishaps:expect(device, place)
  for _, rule in ipairs(self.faults:of_meter(place, device.number)) do
    local time = self.start + rule.at
    if not self.after or time > self.after then
      self.clock:at(time, function()
        self.log(("%s fault %s"):format(device.number, rule.kind))
        KINDS[rule.kind](self, device, rule.value)
      end)
    end
  end
end

--- Goes on with a device that was read back from a file.
---@param device table
function Mishaps:resume(device)
  local codes, ends = {}, device.meter.ends or {}
  for code in pairs(ends) do codes[#codes + 1] = code end
  table.sort(codes)
  for _, code in ipairs(codes) do expect_end(self, device, rows.alarm(code), ends[code]) end
end

--- `start`: in ms; `after`: what was due by then has happened in a life before, in ms, or nil.
---@param options { clock: table, random: table, faults: table, field: table, start: integer, after: integer?,
---  log: fun(line: string) }
local function new(options)
  local self = setmetatable({}, Mishaps)
  for key, value in pairs(options) do self[key] = value end
  return self
end

return { new = new }
