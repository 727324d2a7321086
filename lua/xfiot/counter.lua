--- What a meter's counter has shown, one reading after the other: how much gas is between
-- them, and which of them it cannot have shown. Pure, as reckoning, which rests on it.
local core = require "xfiot.core"

local NEVER <const> = ":" -- a time later than all

local counter = {
  NEVER = NEVER,
  CLOCK_SLACK = 86400, -- seconds that a meter's clock may be off: a day
}

local COUNTER_UNIT <const> = 1000 -- litres
-- A counter is taken to have rolled over if that makes less gas than this part of its
-- range: 1000 m³ of five digits. Else it is a swap or a fault, for a person.
local ROLL_OVER_PART <const> = 100

---@class xfiot.Doubt why a reading waits for a person, whatever the counter says
---@field why "ahead"|"unreadable" its time is later than it was received; its text is nothing that a counter shows
---@field text? string the value as it came, if it is not the reading's litres

--- The name of a reading.
---@param reading table
---@return string
function counter.key(reading)
  return reading.time .. " " .. reading.litres
end

--- Whether a counter of so many digits can show this at all.
---@param litres integer
---@param digits integer
---@return boolean
function counter.fits(litres, digits)
  return litres < math.tointeger(10 ^ digits) * COUNTER_UNIT
end

--- Gas between two readings of one counter, or nil when it cannot have gone that way.
---@param from integer litres shown
---@param to integer
---@param digits integer of the counter, m³
---@return integer|nil litres
function counter.advance(from, to, digits)
  if to >= from then return to - from end
  local range = math.tointeger(10 ^ digits) * COUNTER_UNIT
  local gas = to - from + range
  return gas >= 0 and gas <= range // ROLL_OVER_PART and gas or nil
end

--- The order of readings.
---@param a table
---@param b table
---@return boolean
function counter.by_time(a, b)
  if a.time ~= b.time then return a.time < b.time end
  return a.litres < b.litres
end

local function hold(held, reading, why, text)
  held[#held + 1] = { time = reading.time, litres = reading.litres, why = why, text = text }
end

-- Reports that count at all, by time; those of a clock that was lost; and, into `held`,
-- those that no counter can have shown.
local function sort_reports(facts, held)
  local opened, closed, ignored = facts.opened, facts.closed or NEVER, facts.ignored or {}
  local lost = core.timestamp(core.parse_timestamp(opened.time) - counter.CLOCK_SLACK) or ""
  local reports, early = {}, {}
  for _, reading in ipairs(facts.readings) do
    local word = reading.source == "report" and reading.time <= closed and (ignored[counter.key(reading)] or "none")
    if type(word) == "table" then
      hold(held, reading, word.why, word.text)
    elseif word == "none" and reading.time >= opened.time then
      if counter.fits(reading.litres, opened.digits) then
        reports[#reports + 1] = reading
      else
        hold(held, reading, "range")
      end
    elseif word == "none" and reading.time < lost and not facts.closed then
      early[#early + 1] = reading
    end
  end
  table.sort(reports, counter.by_time)
  return reports, early
end

-- Times before the ledger that show more than the counter has reached since: the clock
-- was lost, and there is gas that nobody is charged for.
local function hold_early(held, early, points)
  local most = 0
  for i = #points, 1, -1 do
    most = math.max(most, points[i].litres)
    if points[i].began then break end
  end
  for _, reading in ipairs(early) do
    if reading.litres > most then hold(held, reading, "early") end
  end
end

-- What a counter has shown, one after the other, until the next one took its place.
local Course = {}
Course.__index = Course

local function new_course(opened, held)
  local first = { time = opened.time, litres = opened.litres, gas = 0, began = true }
  return setmetatable({ points = { first }, held = held, digits = opened.digits }, Course)
end

function Course:advance(from, to)
  return counter.advance(from.litres, to.litres, self.digits)
end

function Course:show(reading)
  local last = self.points[#self.points]
  local gas = self:advance(last, reading)
  if not gas then return hold(self.held, reading, "swap") end
  self.points[#self.points + 1] = { time = reading.time, litres = reading.litres, gas = last.gas + gas }
end

-- A reading of the very second in which the counter was replaced: is it the old one's,
-- "old"; the new one's, "new"; or neither's, since it goes on beyond the final reading?
function Course:belongs(reading, final, new)
  if reading.litres == final.litres then return "old" end
  local last = self.points[#self.points]
  local gas, left, all = self:advance(last, reading), self:advance(reading, final), self:advance(last, final)
  if gas and left and all and gas + left == all then return "old" end
  return (not gas or left or reading.litres == new) and "new" or "neither"
end

-- Readings of the old counter beyond its final one are none, if any agrees with that.
function Course:drop_beyond(final)
  local points, n = self.points, #self.points
  while not points[n].began and not self:advance(points[n], final) do n = n - 1 end
  if not self:advance(points[n], final) then return end
  for i = #points, n + 1, -1 do
    hold(self.held, points[i], "final")
    points[i] = nil
  end
end

function Course:replace(swap)
  local final = { litres = swap.old }
  self:drop_beyond(final)
  local last = self.points[#self.points]
  local gas = self:advance(last, final) or 0
  self.points[#self.points + 1] = { time = swap.time, litres = swap.new, gas = last.gas + gas, began = true }
end

--- Reports that the counter can have shown one after the other, with the gas up to each;
-- and those that it cannot.
---@param facts xfiot.Facts
---@return { time: string, litres: integer, gas: integer }[] points
---@return { time: string, litres: integer, why: string, text: string|nil }[] held why is that of a doubt, or "swap"
--- (less than before), "final" (more than the replaced counter ended with), "range" (more than the counter has digits
--- for), "early" (a lost clock)
function counter.follow(facts)
  local counters, held, next_counter, waiting = facts.counters or {}, {}, 1, {}
  local reports, early = sort_reports(facts, held)
  local course = new_course(facts.opened, held)
  local function replace_before(time)
    while counters[next_counter] and counters[next_counter].time < time do
      local at = counters[next_counter].time
      course:replace(counters[next_counter])
      next_counter = next_counter + 1
      if not counters[next_counter] or counters[next_counter].time > at then
        for _, reading in ipairs(waiting) do course:show(reading) end
        waiting = {}
      end
    end
  end
  for _, reading in ipairs(reports) do
    replace_before(reading.time)
    local swap, side = counters[next_counter], "old"
    if swap and swap.time == reading.time then
      side = course:belongs(reading, { litres = swap.old }, swap.new)
    end
    if side == "old" then
      course:show(reading)
    elseif side == "new" then
      waiting[#waiting + 1] = reading
    else
      hold(held, reading, "final")
    end
  end
  replace_before(NEVER)
  hold_early(held, early, course.points)
  table.sort(held, counter.by_time)
  return course.points, held
end

return counter
