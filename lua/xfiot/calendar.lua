--- Months of the calendar, on 14-digit times (yyyyMMddHHmmss), which compare as text.
local core = require "xfiot.core"

local calendar = {}

local DAYS <const> = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local FIRST <const>, LAST <const> = "00010101000000", "99991231235959"
-- Less and more than any time.
local TOO_EARLY <const>, TOO_LATE <const> = "", ":"

local function days_of(year, month)
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then return 29 end
  return DAYS[month]
end

local function count_months(time)
  return tonumber(time:sub(1, 4)) * 12 + tonumber(time:sub(5, 6)) - 1
end

--- How many months the month of `to` is after the month of `from`.
---@param from string
---@param to string
---@return integer
function calendar.months(from, to)
  return count_months(to) - count_months(from)
end

--- The time so many months later, on the month's last day where it has no such day.
---@param time string
---@param months integer
---@return string time compares less or more than any other where there is no such year
function calendar.after(time, months)
  local count = count_months(time) + months
  local year, month = count // 12, count % 12 + 1
  if year < 1 then return TOO_EARLY end
  if year > 9999 then return TOO_LATE end
  local day = math.min(tonumber(time:sub(7, 8)), days_of(year, month))
  return ("%04d%02d%02d%s"):format(year, month, day, time:sub(9))
end

--- A time that exists, the first or last one for what calendar.after could not tell.
---@param time string
---@return string
function calendar.clamp(time)
  if time == TOO_EARLY then return FIRST end
  return time == TOO_LATE and LAST or time
end

--- One second before a time.
---@param time string
---@return string
function calendar.before(time)
  if time == TOO_LATE then return LAST end
  return core.timestamp(core.parse_timestamp(time) - 1) or FIRST
end

return calendar
