-- What befalls devices by itself, without a rule: tampering and wear of meters, mains that
-- fail under a concentrator, and the hours at which a meter's gauges may pass a limit.
-- Drawn for each device from its salt and the number of days since the start, so mishaps
-- do not depend on the date at which a rehearsal starts.

local calendar = require "xfiot.sandbox.calendar"
local gauge = require "xfiot.sandbox.gauge"
local kind = require "xfiot.sandbox.kind"
local profile = require "xfiot.sandbox.profile"
local random = require "xfiot.sandbox.random"
local registry = require "xfiot.sandbox.device"
local rows = require "xfiot.sandbox.rows"
local service = require "xfiot.sandbox.service"

local Nature = {}
Nature.__index = Nature
Nature.__name = "xfiot.sandbox.nature"

local DAY <const>, HOUR <const> = calendar.DAY, 3600
local mix, GAMMA <const>, CHANCE <const> = random.mix, random.GAMMA, 0x4D495348
local WINDOW <const> = 32 -- days drawn at once; no more than one mishap of a meter comes in them

-- Alarm, its share of a thousand mishaps, hours that it lasts from and to.
local ROWS <const> = {
  { "0010H", 300, 1, 240 }, -- cover opened
  { "0009H", 250, 1, 48 }, -- a magnet
  { "000AH", 150, 24, 240 }, -- broken wire
  { "0003H", 100, 1, 12 }, -- a leak or the like, outside
  { "0008H", 60, 24, 240 }, -- single tube
  { "0016H", 60, 24, 240 }, -- metering
  { "000DH", 40, 24, 240 }, -- memory
  { "000EH", 40, 24, 240 }, -- crystal
}

-- Mains fail one day in so many, for so many seconds.
local MAINS <const>, MAINS_LEAST <const>, MAINS_MOST <const> = 60, 1800, 20 * HOUR

-- Kinds of which something is looked at or happens besides mishaps.
local WATCHED <const> = {}
for _, name in ipairs(kind.names) do
  local row = kind.rows[name]
  WATCHED[name] = row.meter ~= "0" or profile.peaks(row.profile) or nil
end

-- Of a device that is not registered nobody hears; a warning that lasts does not begin again.
local function strike(self, device, code, span)
  return device.state == registry.REGISTERED and self.mishaps:befall(device, rows.alarm(code), span)
end

local function expect_mishap(self, device, from, since, chance)
  local at = since + (chance >> 10) % (self.window * DAY)
  if at <= from then return end
  local share = chance % 1000
  for _, row in ipairs(ROWS) do
    share = share - row[2]
    if share < 0 then
      local span = HOUR * (row[3] + (chance >> 40) % (row[4] - row[3] + 1))
      return self.clock:at(at * 1000, function() strike(self, device, row[1], span) end)
    end
  end
end

-- The supply is low from a certain time without mains on.
local function expect_low(self, device, dark, till)
  local low = dark + service.SUPPLY_LASTS
  if low >= till then return end
  self.clock:at(low * 1000, function() strike(self, device, "1000H", till - low) end)
end

local function expect_dark(self, device, from, since, chance)
  local at = since + (chance >> 20) % DAY
  if at <= from then return end
  local span = MAINS_LEAST + (chance >> 40) % (MAINS_MOST - MAINS_LEAST)
  self.clock:at(at * 1000, function()
    if not strike(self, device, "1001H", span) then return end
    device.meter.dark = at
    expect_low(self, device, at, at + span)
  end)
end

-- Whether a chance of one in so many days comes true in the window that begins on a day.
local function drawn(device, day, every, window)
  local chance = mix((device.meter.salt ~ CHANCE) + day * GAMMA) >> 1
  return chance % every < window and mix(chance) >> 1 or nil
end

-- What is to come of a day of one that is watched, after `from`.
local function watch(self, device, from, day)
  local m, since = device.meter, self.start + day * DAY
  if kind.traits(m.kind).meter ~= "2" then
    for _, at in ipairs(gauge.hours(m, from, since + DAY)) do
      if at > from then self.clock:at(at * 1000, self.look, device) end
    end
  elseif self.every > 0 then
    local chance = drawn(device, day, MAINS, 1)
    if chance then expect_dark(self, device, from, since, chance) end
  end
end

-- Whether it has a mishap in the days that begin with one, after `from`.
local function draw(self, device, from, day)
  local chance = drawn(device, day, self.every, self.window)
  if chance then expect_mishap(self, device, from, self.start + day * DAY, chance) end
end

local function day_of(self, at)
  return (at - self.start) // DAY
end

-- Meters are drawn for some days at a time, not all on the same day.
local function enter(self, device)
  local m, now = device.meter, self.clock:seconds()
  local day = day_of(self, now)
  if WATCHED[m.kind] or m.profile and profile.peaks(m.profile) then
    self.watched[#self.watched + 1] = device
    watch(self, device, now, day)
  end
  if self.every == 0 or kind.traits(m.kind).meter == "2" then return end
  local group = (m.salt >> 50) % self.window
  table.insert(self.groups[group], device)
  draw(self, device, now, day - (day - group) % self.window)
end

-- Another day begins.
local function dawn(self)
  local now = self.clock:seconds()
  local day = day_of(self, now)
  for _, device in ipairs(self.watched) do watch(self, device, now, day) end
  for _, device in ipairs(self.every > 0 and self.groups[day % self.window] or {}) do draw(self, device, now, day) end
  self.clock:set(self.item, (now + DAY) * 1000)
end

--- A device has become known.
---@param device table
function Nature:expect(device)
  if self.begun then enter(self, device) end
end

--- Lets it begin, for all devices there are; in a life after another, with what that had
--- not come to.
function Nature:begin()
  self.begun = true
  for _, device in ipairs(self.registry.order) do
    enter(self, device)
    local m = device.meter
    local ends = m.ends and m.ends["1001H"]
    if m.dark and ends and self.clock:seconds() < m.dark + service.SUPPLY_LASTS then
      expect_low(self, device, m.dark, ends // 1000)
    end
  end
  self.clock:set(self.item, (self.start + (day_of(self, self.clock:seconds()) + 1) * DAY) * 1000)
end

---@param options { clock: table, registry: table, field: table, mishaps: table, start: integer, every: integer }
---  every: days between two mishaps of a meter on average, 0: none, and no mains fail
local function new(options)
  local self = setmetatable({}, Nature)
  for key, value in pairs(options) do self[key] = value end
  self.window, self.watched, self.groups = math.min(WINDOW, math.max(1, self.every)), {}, {}
  for group = 0, self.window - 1 do self.groups[group] = {} end
  self.look = function(device) self.field:look(device) end
  self.item = self.clock:item(function() dawn(self) end)
  return self
end

return { new = new }
