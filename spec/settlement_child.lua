-- lua5.4 spec/settlement_child.lua JOURNAL: settles the reports of 200 days, each twice,
-- every third one late, and says so after each. May be killed and started again.
local core = require "xfiot.core"
local journals = require "xfiot.journal"
local settlement = require "xfiot.settlement"

local METER = "07602190100007116"
local book = settlement.new(journals.open(arg[1]), "666666")
if not book:find(METER) then
  book:open {
    deviceNo = METER, at = "20240101000000", reading = 0,
    tariff = {
      priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 10, ladderGasTwo = 25, gasType = 1,
      priceVer = 1, pricePeriod = 1, priceTime = "20240101000000", ladderTime = "20240101000000",
    },
  }
end

local function take(day)
  local midnight = core.parse_timestamp "20240101000000" + day * 86400
  local total = core.decimal_text(day * 1130 + 450)
  book:take(METER, { callbackData = { data = {
    { serviceId = "GeneralDataInfo",
      serviceData = { deviceTime = core.timestamp(midnight + 43200), totalUseValue = total } },
    { serviceId = "FrozenValueInfo",
      serviceData = { frozenRecords = { { frozenDate = core.timestamp(midnight),
                                          frozenValue = core.decimal_text(day * 1130) } } } },
  } } }, "test")
end

for day = 1, 200 do
  if day % 3 > 0 then take(day) end
  if day % 3 == 1 then take(day - 1) end
  take(day)
  io.stdout:write("day ", day, "\n")
  io.stdout:flush()
end
for segment in book:entries(METER) do -- what it has come to
  if segment.segment then io.stdout:write("entry ", segment.segment, " ", segment.fen, "\n") end
end
print("balance " .. book:standing(METER).balance)
