-- Who uses how much gas when. A day's gas is drawn from the meter's salt and the
-- day, and spread over its hours, so the gas of any span follows from the span
-- alone: it does not matter in how many steps a meter is looked at. Millilitres.

local calendar = require "xfiot.sandbox.calendar"
local random = require "xfiot.sandbox.random"

local DAY <const> = calendar.DAY
local WHOLE <const> = 10000 * 3600 -- what the hours of a day add up to, times the seconds of one

-- Shares of 24 hours, out of 10000, as sums up to each hour.
local function hours(shares)
  local out, sum = { [0] = 0 }, 0
  for i, share in ipairs(shares) do
    sum = sum + share
    out[i] = sum
  end
  assert(sum == 10000)
  return out
end

local HOME <const> = hours { 40, 30, 30, 30, 50, 150, 600, 900, 500, 250, 300, 900, 800, 300, 200, 200, 400, 1000,
                             1300, 900, 500, 350, 180, 90 }
local KITCHEN <const> = hours { 0, 0, 0, 0, 0, 100, 300, 300, 200, 400, 1000, 1500, 1300, 500, 200, 300, 900, 1300,
                                1000, 500, 200, 0, 0, 0 }
local EVEN <const> = hours { 400, 400, 400, 400, 400, 400, 400, 400, 433, 434, 433, 434, 433, 433, 434, 433, 433,
                             433, 433, 434, 400, 400, 400, 400 }

-- Per cent of the yearly mean, January to December.
local HEATED <const> = { 210, 190, 140, 90, 60, 45, 40, 40, 55, 80, 120, 170 }
local STEADY <const> = { 110, 90, 100, 100, 100, 95, 95, 95, 100, 105, 105, 105 }

-- mean: ml a day; least, most: per cent of it that a day may have; rest: weekday without
-- gas (1 Monday); every: gas on one day of so many only; drip: ml a day day and night
local ROWS <const> = {
  household = { mean = 1200000, least = 50, most = 150, hours = HOME, seasons = HEATED },
  restaurant = { mean = 24000000, least = 60, most = 140, hours = KITCHEN, seasons = STEADY, rest = 1 },
  factory = { mean = 300000000, least = 85, most = 115, hours = EVEN, seasons = STEADY, rest = 7 },
  empty = { mean = 300000, least = 50, most = 150, hours = HOME, seasons = STEADY, every = 70 },
  leak = { mean = 1200000, least = 50, most = 150, hours = HOME, seasons = HEATED, drip = 1440000 },
  none = { mean = 0, least = 0, most = 0, hours = EVEN, seasons = STEADY },
}
local NAMES <const> = { "household", "restaurant", "factory", "empty", "leak", "none" }

local profile = { rows = ROWS, names = NAMES }

-- A meter's own share of the mean: 40 to 160 per cent.
local function own(salt)
  return 40 + (salt >> 20) % 121
end

--- The gas of a whole day, without what drips.
---@param name string
---@param salt integer
---@param day integer
---@return integer ml
function profile.day(name, salt, day)
  local row = ROWS[name]
  if row.mean == 0 then return 0 end
  local chance = random.mix(salt + day * random.GAMMA) >> 1
  if row.rest and calendar.weekday(day) == row.rest then return 0 end
  if row.every and (chance >> 16) % row.every ~= 0 then return 0 end
  local month = calendar.date(day)
  local per_cent = row.least + chance % (row.most - row.least + 1)
  return row.mean * own(salt) // 100 * row.seasons[month] // 100 * per_cent // 100
end

--- The most gas a day can have.
---@param name string
---@param salt integer
---@return integer ml
function profile.most(name, salt)
  local row = ROWS[name]
  return row.mean * own(salt) // 100 * 210 // 100 * row.most // 100 + (row.drip or 0)
end

-- Of a day's gas, what has passed at a second of it, out of WHOLE.
local function share(cumulated, second)
  local hour = second // 3600
  local before = cumulated[hour]
  local rest = second - hour * 3600
  if rest == 0 then return before * 3600 end
  return before * 3600 + (cumulated[hour + 1] - before) * rest
end

--- The gas of a span within one day.
---@param name string
---@param amount integer of that day, see profile.day
---@param from integer second of the day
---@param to integer up to 86400
---@return integer ml
function profile.span(name, amount, from, to)
  local row = ROWS[name]
  local cumulated, drip = row.hours, row.drip
  local ml = amount * share(cumulated, to) // WHOLE - amount * share(cumulated, from) // WHOLE
  if drip then ml = ml + drip * to // DAY - drip * from // DAY end
  return ml
end

--- The flow at a second of a day.
---@param name string
---@param amount integer of that day
---@param second integer
---@return integer ml an hour
function profile.flow(name, amount, second)
  local row = ROWS[name]
  local hour = second // 3600
  return amount * (row.hours[hour + 1] - row.hours[hour]) // 10000 + (row.drip or 0) // 24
end

--- Whether gas never stands still: the meter sees a flow that is too small to be used.
---@param name string
---@return boolean
function profile.drips(name)
  return ROWS[name].drip ~= nil
end

return profile
