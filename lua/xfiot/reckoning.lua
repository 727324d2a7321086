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
local counter = require "xfiot.counter"

local NEVER <const> = counter.NEVER

local reckoning = { NEVER = NEVER, key = counter.key, advance = counter.advance, fits = counter.fits }

---@class xfiot.Facts
---@field opened { time: string, litres: integer, ladder: integer, digits: integer }
---@field tariffs { seq: integer, tariff: xfiot.Tariff }[] as they became known
---@field readings { time: string, litres: integer, source: string }[] reports and frozen records
---@field counters? { time: string, old: integer, new: integer }[] the counter was replaced
---@field ignored? table<string, true|xfiot.Doubt> readings that do not count, by reckoning.key: set aside, or in doubt
---@field closed? string the meter was taken away; later readings are not its customer's

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
    local gas = counter.advance(before.litres, frozen[k].litres, digits)
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
    if reading.source == "frozen" and counter.fits(reading.litres, facts.opened.digits) then
      frozen[#frozen + 1] = reading
    end
  end
  table.sort(frozen, counter.by_time)
  return frozen
end

--- Reckons everything.
---@param facts xfiot.Facts
---@return xfiot.Segment[] segments
---@return table last { time=, litres=, gas= } the last reading that counts
---@return table[] held readings that wait for a person, see counter.follow
---@return string next_at when the next segment starts
function reckoning.reckon(facts)
  local points, held = counter.follow(facts)
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
