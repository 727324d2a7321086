-- Settlements a second with their commits: each a report with a frozen record, of one
-- meter after the other, on a year's ledgers; and late ones, for which all is reckoned.
--   xfiot run spec/bench/settlements.lua journal=FILE n=20000 in_flight=64
-- Prints settlements a second as they come in order, and of late ones.
local core = require "xfiot.core"
local journal = require "xfiot.journal"
local settlement = require "xfiot.settlement"
local xfiot = require "xfiot"

local args = ...
local n, in_flight = math.tointeger(tonumber(args.n)), math.tointeger(tonumber(args.in_flight))
local METERS <const> = 200
local DAY <const> = 86400
local START <const> = core.parse_timestamp "20250101000000"
local book = settlement.new(journal.open(args.journal), "000000")

local names = {
  priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 300, ladderGasTwo = 420, gasType = 1,
  priceVer = 1, pricePeriod = 12, priceTime = "20250101000000", ladderTime = "20250101000000",
}
local function number(i) return ("300%011d"):format(i) end
for i = 1, METERS do book:open { deviceNo = number(i), tariff = names, at = "20250101000000", reading = 0 } end

-- The report of a day, 1.5 m³ after that of the day before.
local function report(day, hour)
  local frozen = { frozenType = "3", frozenDate = core.timestamp(START + day * DAY),
                   frozenValue = core.decimal_text(day * 1500) }
  local total = core.decimal_text(day * 1500 + hour * 50)
  return { callbackData = { data = {
    { serviceId = "GeneralDataInfo",
      serviceData = { deviceTime = core.timestamp(START + day * DAY + hour * 3600), totalUseValue = total } },
    { serviceId = "FrozenValueInfo", serviceData = { frozenRecords = { frozen } } },
  } } }
end

local function measure(count, day_of, hour)
  local i = 0
  local started = core.clock()
  local done = xfiot.parallel(function()
    i = i + 1
    return i <= count and i or nil
  end, function(row)
    local meter, day = (row - 1) % METERS + 1, (row - 1) // METERS + 1
    assert(book:take(number(meter), report(day_of(day), hour), "bench"))
  end, { concurrency = in_flight })
  local seconds = core.clock() - started
  for _, one in ipairs(done) do
    if not one.ok then error(one.error, 0) end
  end
  return count / seconds
end

local in_order = measure(n, function(day) return day end, 12)
local late = measure(METERS * 5, function(day) return day * 2 end, 6)
print(("%.0f %.0f"):format(in_order, late))
