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
-- A pipe that bursts after noon, and is mended before the evening.
local POURING <const> = hours { 10, 10, 10, 10, 10, 30, 80, 100, 60, 40, 40, 100, 100, 2250, 2500, 2500, 1500, 150,
                                200, 100, 80, 60, 40, 20 }

-- Per cent of the yearly mean, January to December.
local HEATED <const> = { 210, 190, 140, 90, 60, 45, 40, 40, 55, 80, 120, 170 }
local STEADY <const> = { 110, 90, 100, 100, 100, 95, 95, 95, 100, 105, 105, 105 }

-- mean: ml a day; least, most: per cent of it that a day may have; largest: litres an hour
-- that the meter hung there is made for; rest: weekday without gas (1 Monday); every: gas on
-- one day of so many only; drip: ml a day day and night; rush: so much, per cent, on one day
-- of so many; burst: a pipe that bursts, so much on one day of so many; peaks: the flow may
-- be more than the largest
local ROWS <const> = {
  household = { mean = 1200000, least = 50, most = 150, hours = HOME, seasons = HEATED, largest = 4000 },
  restaurant = {
    mean = 24000000, least = 60, most = 140, hours = KITCHEN, seasons = STEADY, rest = 1, largest = 10000,
    rush = { every = 30, per_cent = 200 }, peaks = true,
  },
  factory = {
    mean = 300000000, least = 85, most = 115, hours = EVEN, seasons = STEADY, rest = 7, largest = 25000, peaks = true,
  },
  empty = { mean = 300000, least = 50, most = 150, hours = HOME, seasons = STEADY, every = 70, largest = 4000 },
  leak = { mean = 1200000, least = 50, most = 150, hours = HOME, seasons = HEATED, drip = 1440000, largest = 4000 },
  burst = {
    mean = 1200000, least = 50, most = 150, hours = HOME, seasons = HEATED, largest = 4000,
    burst = { every = 90, least = 24000000, most = 36000000, hours = POURING }, peaks = true,
  },
  none = { mean = 0, least = 0, most = 0, hours = EVEN, seasons = STEADY, largest = 4000 },
}
local NAMES <const> = { "household", "restaurant", "factory", "empty", "leak", "burst", "none" }

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
  local burst, rush = row.burst, row.rush
  if burst and (chance >> 24) % burst.every == 0 then
    return burst.least + chance % (burst.most - burst.least + 1)
  end
  local month = calendar.date(day)
  local per_cent = row.least + chance % (row.most - row.least + 1)
  if rush and (chance >> 24) % rush.every == 0 then per_cent = per_cent * rush.per_cent // 100 end
  return row.mean * own(salt) // 100 * row.seasons[month] // 100 * per_cent // 100
end

--- The most gas a day can have.
---@param name string
---@param salt integer
---@return integer ml
function profile.most(name, salt)
  local row = ROWS[name]
  local per_cent = row.most * (row.rush and row.rush.per_cent or 100) // 100
  local most = row.mean * own(salt) // 100 * 210 // 100 * per_cent // 100 + (row.drip or 0)
  return row.burst and math.max(most, row.burst.most) or most
end

-- The hours of a day with so much gas: that a pipe burst can be told from the amount.
local function hours_of(row, amount)
  local burst = row.burst
  return burst and amount >= burst.least and burst.hours or row.hours
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
  local cumulated, drip = hours_of(row, amount), row.drip
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
  local hour, cumulated = second // 3600, hours_of(row, amount)
  return amount * (cumulated[hour + 1] - cumulated[hour]) // 10000 + (row.drip or 0) // 24
end

--- The largest flow that the meter there is made for.
---@param name string
---@return integer litres an hour
function profile.largest(name)
  return ROWS[name].largest
end

--- Whether the flow may ever be more than that.
---@param name string
---@return boolean
function profile.peaks(name)
  return ROWS[name].peaks ~= nil
end

--- Whether gas never stands still: the meter sees a flow that is too small to be used.
---@param name string
---@return boolean
function profile.drips(name)
  return ROWS[name].drip ~= nil
end

return profile
