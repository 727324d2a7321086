-- Days of UTC+8, in which meters count (A2): a day is a number since 1970.

local DAY <const>, OFFSET <const> = 86400, 28800

local calendar = { DAY = DAY }

--- The day that an instant (seconds) lies in.
---@param at integer
---@return integer
function calendar.day(at)
  return (at + OFFSET) // DAY
end

--- The midnight a day begins with.
---@param day integer
---@return integer seconds
function calendar.midnight(day)
  return day * DAY - OFFSET
end

--- Month and day of the month; years are counted from March, so that 29 February ends one.
---@param day integer
---@return integer month 1 to 12
---@return integer day_of_month 1 to 31
function calendar.date(day)
  local z = day + 719468
  local era = z // 146097
  local of_era = z - era * 146097
  local year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
  local of_year = of_era - (365 * year + year // 4 - year // 100)
  local march = (5 * of_year + 2) // 153
  return (march + 2) % 12 + 1, of_year - (153 * march + 2) // 5 + 1
end

--- 1 Monday to 7 Sunday.
---@param day integer
---@return integer
function calendar.weekday(day)
  return (day + 3) % 7 + 1
end

return calendar
