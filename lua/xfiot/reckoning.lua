--- What a meter's gas costs, from everything that is known of it: its readings, its
-- tariffs, where it began. The same facts give the same result whatever the order in
-- which they became known; that is what late reports are settled by. Pure; times are
-- 14-digit texts, gas is litres, money fen.
--
-- The meter's gas is cut into segments, at every start of a ladder period and of a
-- price. Where a cut lies is told by a reading at that very instant; else by the frozen
-- record nearest before it, if it is later than the last report; else all gas up to the
-- next report belongs to the old side, provisionally.
local core = require "xfiot.core"

local NEVER <const> = ":" -- a time later than all

local reckoning = {
  NEVER = NEVER,
  CLOCK_SLACK = 86400, -- seconds that a meter's clock may be off: a day
}

local COUNTER_UNIT <const> = 1000 -- litres
-- A counter is taken to have rolled over if that makes less gas than this part of its
-- range: 1000 m³ of five digits. Else it is a swap or a fault, for a person.
local ROLL_OVER_PART <const> = 100

---@class xfiot.Facts
---@field opened { time: string, litres: integer, ladder: integer, digits: integer }
---@field tariffs { seq: integer, tariff: xfiot.Tariff }[] as they became known
---@field readings { time: string, litres: integer, source: string }[] reports and frozen records
---@field counters? { time: string, old: integer, new: integer }[] the counter was replaced
---@field ignored? table<string, true|xfiot.Doubt> readings that do not count, by reckoning.key: set aside, or in doubt
---@field closed? string the meter was taken away; later readings are not its customer's

---@class xfiot.Doubt why a reading waits for a person, whatever the counter says
---@field why "ahead"|"unreadable" its time is later than it was received; its text is nothing that a counter shows
---@field text? string the value as it came, if it is not the reading's litres

---@class xfiot.Segment
---@field start string instant; the segment's name
---@field from integer litres since the beginning
---@field to integer
---@field ladder_from integer
---@field ladder_to integer
---@field seq integer of the tariff's entry
---@field tariff xfiot.Tariff
---@field fen integer
---@field provisional boolean whether where it ends is not really known

--- The name of a reading.
---@param reading table
---@return string
function reckoning.key(reading)
  return reading.time .. " " .. reading.litres
end

-- ---- the counter

--- Whether a counter of so many digits can show this at all.
---@param litres integer
---@param digits integer
---@return boolean
function reckoning.fits(litres, digits)
  return litres < math.tointeger(10 ^ digits) * COUNTER_UNIT
end

--- Gas between two readings of one counter, or nil when it cannot have gone that way.
---@param from integer litres shown
---@param to integer
---@param digits integer of the counter, m³
---@return integer|nil litres
function reckoning.advance(from, to, digits)
  if to >= from then return to - from end
  local range = math.tointeger(10 ^ digits) * COUNTER_UNIT
  local gas = to - from + range
  return gas >= 0 and gas <= range // ROLL_OVER_PART and gas or nil
end

local function by_time(a, b)
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
  local lost = core.timestamp(core.parse_timestamp(opened.time) - reckoning.CLOCK_SLACK) or ""
  local reports, early = {}, {}
  for _, reading in ipairs(facts.readings) do
    local word = reading.source == "report" and reading.time <= closed and (ignored[reckoning.key(reading)] or "none")
    if type(word) == "table" then
      hold(held, reading, word.why, word.text)
    elseif word == "none" and reading.time >= opened.time then
      if reckoning.fits(reading.litres, opened.digits) then
        reports[#reports + 1] = reading
      else
        hold(held, reading, "range")
      end
    elseif word == "none" and reading.time < lost and not facts.closed then
      early[#early + 1] = reading
    end
  end
  table.sort(reports, by_time)
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

-- Reports that the counter can have shown one after the other, with the gas up to each;
-- and those that it cannot.
local function follow_counter(facts)
  local opened, counters = facts.opened, facts.counters or {}
  local last = { time = opened.time, litres = opened.litres, gas = 0, began = true }
  local points, held, next_counter = { last }, {}, 1
  local reports, early = sort_reports(facts, held)
  local function replace_until(time)
    while counters[next_counter] and counters[next_counter].time <= time do
      local counter = counters[next_counter]
      local gas = reckoning.advance(last.litres, counter.old, opened.digits) or 0
      last = { time = counter.time, litres = counter.new, gas = last.gas + gas, began = true }
      points[#points + 1] = last
      next_counter = next_counter + 1
    end
  end
  for _, reading in ipairs(reports) do
    replace_until(reading.time)
    local gas = reckoning.advance(last.litres, reading.litres, opened.digits)
    if gas then
      last = { time = reading.time, litres = reading.litres, gas = last.gas + gas }
      points[#points + 1] = last
    else
      hold(held, reading, "swap")
    end
  end
  replace_until(NEVER)
  hold_early(held, early, points)
  table.sort(held, by_time)
  return points, held
end

-- ---- tariffs

-- Tariffs by their starts; of two with one start the one that became known last. What
-- started before the beginning counts from there.
local function order_tariffs(facts)
  local sorted = {}
  for i, row in ipairs(facts.tariffs) do
    local start = row.tariff.price_time
    if i == 1 or start < facts.opened.time then start = facts.opened.time end
    sorted[i] = { seq = row.seq, tariff = row.tariff, start = start, price_time = row.tariff.price_time }
    -- the first one is what there was at the beginning, whatever it says
    if i == 1 and sorted[i].price_time > start then sorted[i].price_time = start end
  end
  table.sort(sorted, function(a, b)
    if a.start ~= b.start then return a.start < b.start end
    if a.price_time ~= b.price_time then return a.price_time < b.price_time end
    return a.seq < b.seq
  end)
  local list = {}
  for _, row in ipairs(sorted) do
    if list[#list] and list[#list].start == row.start then list[#list] = nil end
    list[#list + 1] = row
  end
  return list
end

-- ---- cuts

--- One second later; after the last of all times there is none.
---@param time string
---@return string
function reckoning.next_second(time)
  return core.timestamp(core.parse_timestamp(time) + 1) or NEVER
end

-- The next instant after `time` at which something starts, with the tariff from then on
-- and whether the ladder starts anew.
local function next_cut(tariffs, index, time)
  local current, coming = tariffs[index], tariffs[index + 1]
  local _, last = current.tariff:period(time)
  local period_start = reckoning.next_second(last)
  if not coming or coming.start > period_start then return period_start, index, true end
  local anew = coming.tariff.clear_mark == 1 or coming.tariff:period(coming.start) == coming.start
  return coming.start, index + 1, anew
end

local function collect_cuts(tariffs, opened, last_time)
  local cuts, index, time = {}, 1, opened
  while true do
    local at, new_index, anew = next_cut(tariffs, index, time)
    if at >= last_time then return cuts, at end
    cuts[#cuts + 1] = { at = at, index = new_index, anew = anew }
    index, time = new_index, at
  end
end

-- The last point at or before an instant.
local function point_before(points, at)
  local low, high = 1, #points
  while low < high do
    local middle = (low + high + 1) // 2
    if points[middle].time <= at then low = middle else high = middle - 1 end
  end
  return low
end

-- The last frozen record after `from` and not after `to` that lies between what the
-- counter showed before and after; as gas since the beginning.
local function frozen_gas(frozen, points, i, to, digits)
  local low, high = 1, #frozen
  while low <= high do -- the first one behind `to`
    local middle = (low + high) // 2
    if frozen[middle].time <= to then low = middle + 1 else high = middle - 1 end
  end
  local before, behind = points[i], points[i + 1]
  for k = high, 1, -1 do
    if frozen[k].time <= before.time then return nil end
    local gas = reckoning.advance(before.litres, frozen[k].litres, digits)
    if gas and before.gas + gas <= behind.gas then return before.gas + gas end
  end
end

-- Where each cut lies, the last first: a cut that is not known lies no later than the next.
local function place_cuts(cuts, points, frozen, digits)
  local most = points[#points].gas
  for n = #cuts, 1, -1 do
    local cut = cuts[n]
    local i = point_before(points, cut.at)
    if points[i].time == cut.at then
      cut.gas, cut.provisional = points[i].gas, false
    else
      cut.gas = frozen_gas(frozen, points, i, cut.at, digits)
      cut.provisional = cut.gas == nil
      if cut.provisional then cut.gas = math.min(points[i + 1].gas, most) end
    end
    most = cut.gas
  end
end

-- ---- the whole

local function sorted_frozen(facts)
  local frozen = {}
  for _, reading in ipairs(facts.readings) do
    if reading.source == "frozen" and reckoning.fits(reading.litres, facts.opened.digits) then
      frozen[#frozen + 1] = reading
    end
  end
  table.sort(frozen, by_time)
  return frozen
end

--- Reckons everything.
---@param facts xfiot.Facts
---@return xfiot.Segment[] segments
---@return table last { time=, litres=, gas= } the last reading that counts
---@return table[] held { time=, litres=, why=, text= } readings that wait for a person: why is that of a doubt, or
--- "swap" (less than before), "range" (more than the counter has digits for), "early" (a lost clock)
---@return string next_at when the next segment starts
function reckoning.reckon(facts)
  local points, held = follow_counter(facts)
  local tariffs = order_tariffs(facts)
  local last = points[#points]
  local cuts, next_at = collect_cuts(tariffs, facts.opened.time, last.time)
  place_cuts(cuts, points, sorted_frozen(facts), facts.opened.digits)
  local segments, ladder, gas = {}, facts.opened.ladder, 0
  local start, index = facts.opened.time, 1
  for n = 1, #cuts + 1 do
    local cut = cuts[n]
    local to = cut and cut.gas or last.gas
    local row = tariffs[index]
    segments[n] = { start = start, from = gas, to = to, ladder_from = ladder, ladder_to = ladder + to - gas,
                    seq = row.seq, tariff = row.tariff, fen = row.tariff:cost(ladder, ladder + to - gas),
                    provisional = cut ~= nil and cut.provisional }
    ladder, gas = ladder + to - gas, to
    if cut then
      start, index = cut.at, cut.index
      if cut.anew then ladder = 0 end
    end
  end
  return segments, last, held, next_at
end

return reckoning
