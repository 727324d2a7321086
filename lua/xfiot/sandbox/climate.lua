-- Temperature and pressure of the gas in a flow meter, hour by hour, and what a cubic
-- metre at standard conditions (20 °C, 101.325 kPa) takes up in them. The weather of a
-- day is the same for all; how a meter hangs in the sun and how the network feeds it is
-- drawn from its salt. So all of it follows from the time and the flow alone. Tenths of a
-- degree Celsius, tenths of a kilopascal (absolute), litres an hour.

local calendar = require "xfiot.sandbox.calendar"
local random = require "xfiot.sandbox.random"

local GAMMA <const> = random.GAMMA
local WEATHER <const>, FEED <const> = 0x57454154, 0x46454544 -- apart from other chance

-- At the first of each month, the day's mean.
local MONTHS <const> = { 60, 65, 95, 140, 190, 230, 270, 280, 250, 200, 145, 90 }
-- Per cent of a meter's own swing, by hour.
local HOURS <const> = { -60, -70, -80, -90, -100, -95, -70, -40, -5, 30, 60, 80,
                        95, 100, 100, 90, 70, 45, 20, 0, -15, -30, -40, -50 }

local FEED_MEAN <const>, FEED_WOBBLE <const> = 1051, 6
local DROP <const> = 26 -- with the largest flow
local SPELL <const> = 4 -- hours drawn at once
local SURGED <const>, SURGES <const> = 25, 1440 -- a regulator lets that much more through, one spell in so many

local climate = {}

-- The mean of the day that was asked for last: all meters live in the same one.
local last_day, last_mean

local function mean_of(day)
  if day ~= last_day then
    local month, of_month = calendar.date(day)
    local weather = (random.mix(WEATHER + day * GAMMA) >> 1) % 121 - 60
    last_mean = MONTHS[month] + (MONTHS[month % 12 + 1] - MONTHS[month]) * (of_month - 1) // 31 + weather
    last_day = day
  end
  return last_mean
end

--- At the hour that an instant lies in.
---@param salt integer
---@param at integer seconds
---@return integer
function climate.temperature(salt, at)
  local day = calendar.day(at)
  local hour = (at - calendar.midnight(day)) // 3600
  return mean_of(day) + (salt >> 8) % 41 - 20 + (30 + (salt >> 16) % 61) * HOURS[hour + 1] // 100
end

--- What the network feeds at the hour that an instant lies in: with no flow.
---@param salt integer
---@param at integer seconds
---@return integer
function climate.feed(salt, at)
  local hour = at // 3600
  local chance = random.mix((salt ~ FEED) + hour // SPELL * GAMMA) >> 1
  local wobble = (chance >> hour % SPELL * 8) % (2 * FEED_WOBBLE + 1) - FEED_WOBBLE
  return FEED_MEAN + wobble + ((chance >> 40) % SURGES == 0 and SURGED or 0)
end

--- What a flow takes of the pressure: with its square.
---@param flow integer
---@param largest integer the flow the meter is made for
---@return integer
function climate.drop(flow, largest)
  return DROP * flow * flow // (largest * largest)
end

--- Pressure at the hour that an instant lies in, with a flow.
---@param salt integer
---@param at integer seconds
---@param flow integer
---@param largest integer
---@return integer
function climate.pressure(salt, at, flow, largest)
  return climate.feed(salt, at) - climate.drop(flow, largest)
end

--- Millionths of a litre that a litre at standard conditions takes up.
---@param temperature integer
---@param pressure integer
---@return integer
function climate.expansion(temperature, pressure)
  return 10000 * 101325 * (2 * temperature + 5463) // (pressure * 5863)
end

return climate
