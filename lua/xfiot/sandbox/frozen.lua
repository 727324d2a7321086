-- Frozen records (5.6): what the counters showed at the full minute, hour, day and
-- month. Every meter keeps the last day's and the last month's; those that freeze
-- more finely keep those too, as far back as the last report or the newest of them.
--
-- A record: at, used; with GPRS bought, spent, balance, day_use; of a flow meter work
-- (millionths of a litre at working conditions) and flow (litres an hour).

local calendar = require "xfiot.sandbox.calendar"
local kind = require "xfiot.sandbox.kind"

local STEPS <const> = { minute = 60, hour = 3600 }
local TYPES <const> = { minute = "1", hour = "2", day = "3", month = "4" }
local KEPT <const> = 24 -- fine records

local frozen = { TYPES = TYPES, STEPS = STEPS }

--- Seconds between fine records, or nil.
---@param m table
---@return integer?
function frozen.step(m)
  return STEPS[m.freeze or kind.traits(m.kind).freeze]
end

local function record(m, flow)
  if not kind.traits(m.kind).gprs then return { at = m.at, used = m.used } end
  return {
    at = m.at, used = m.used, bought = m.bought, spent = m.spent, balance = m.balance,
    day_use = m.used - m.frozen_used, work = m.work, flow = m.work and (flow or 0),
  }
end

-- The day's record of a meter that keeps no more than counter and time of it, or that
-- has not yet seen a midnight.
local function first_day(m)
  local row = { at = m.frozen_at, used = m.frozen_used }
  if kind.traits(m.kind).gprs then
    row.bought, row.spent, row.balance, row.day_use = m.bought, m.spent, m.balance, 0
    row.work, row.flow = m.work, m.work and 0
  end
  return row
end

--- A new meter: what it shows is the record of the day it begins in.
---@param m table
function frozen.begin(m)
  m.frozen_at, m.frozen_used = calendar.midnight(calendar.day(m.at)), m.used
  if kind.traits(m.kind).gprs then m.day_record = first_day(m) end
end

--- No later than `to`: the next instant at which a fine record is due. Records that would
--- be pushed out again before `to` are passed over.
---@param m table
---@param to integer
---@param step integer
---@return integer
function frozen.edge(m, to, step)
  local next_one = m.at - m.at % step + step
  if to - next_one > KEPT * step then next_one = to - to % step - KEPT * step end
  return next_one < to and next_one or to
end

--- Freezes what is due now besides the day.
---@param m table
---@param step integer
---@param flow integer? of a flow meter, at a full hour
function frozen.pass(m, step, flow)
  if m.at % step ~= 0 then return end
  local list = m.fine
  if not list then
    list = {}
    m.fine = list
  end
  list[#list + 1] = record(m, flow)
  if #list > KEPT then table.remove(list, 1) end
end

--- A day begins, and perhaps a month.
---@param m table
---@param day integer the one that begins
---@param flow integer? of a flow meter
function frozen.day(m, day, flow)
  if m.day_record and not m.dry then m.day_record = record(m, flow) end
  m.frozen_at, m.frozen_used = m.at, m.used
  local _, of_month = calendar.date(day)
  if of_month ~= 1 then return end
  m.month_at, m.month_used = m.at, m.used
  if m.day_record and not m.dry then m.month_record = m.day_record end
end

--- The counter stands so much further, and has always done.
---@param m table
---@param litres integer
---@param work integer the same at working conditions, millionths of a litre
function frozen.shift(m, litres, work)
  local function shift(row)
    row.used = row.used + litres
    if row.work then row.work = row.work + work end
  end
  m.used, m.frozen_used = m.used + litres, m.frozen_used + litres
  if m.month_used then m.month_used = m.month_used + litres end
  for _, row in ipairs(m.fine or {}) do shift(row) end
  if m.day_record then shift(m.day_record) end
  if m.month_record and m.month_record ~= m.day_record then shift(m.month_record) end
end

--- The records that a report carries: fine ones since the report before, the last day's,
--- and the last month's on the day it was frozen.
---@param m table
---@return table[] records
---@return string[] types of each
function frozen.list(m)
  local list, types, told = {}, {}, m.told_at or 0
  local function add(row, type) list[#list + 1], types[#types + 1] = row, type end
  local fine = frozen.step(m) == STEPS.minute and TYPES.minute or TYPES.hour
  for _, row in ipairs(m.fine or {}) do
    if row.at > told then add(row, fine) end
  end
  add(m.day_record or first_day(m), TYPES.day)
  if m.month_at and m.month_at == m.frozen_at then
    add(m.month_record or { at = m.month_at, used = m.month_used }, TYPES.month)
  end
  return list, types
end

return frozen
