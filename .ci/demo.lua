-- The four billing workflows against the built-in platform, told step by step.
-- Run by `make demo`; no real meter is touched.
local xfiot = require "xfiot"

local households = {
  money      = { no = "07602190100007116", what = "money meter (表端金额表)" },
  commercial = { no = "07602190100007119", what = "GPRS commercial meter (GPRS 工商业表)" },
  gas        = { no = "07602190100007117", what = "gas-volume meter (表端气量表)" },
  backend    = { no = "07602190100007118", what = "backend-prepaid meter (后台预付费表)" },
}

local scripts = (debug.getinfo(1, "S").source:match "^@(.*/)" or "./") .. "../scripts/"
local sandbox <close> = require("xfiot.sandbox").new { wake = 0.1, seed = 7, meters = {
  -- the money meter is unknown to the platform; these have been installed and have reported
  { deviceNo = households.commercial.no, kind = "commercial" },
  { deviceNo = households.gas.no, kind = "gas" },
  { deviceNo = households.backend.no, kind = "backend" },
} }
local client = xfiot.client(sandbox:settings())

local tariff = {
  gasType = 1, priceVer = 1, pricePeriod = 12, clearMark = 1,
  priceTime = "20260101000000", ladderTime = "20260101000000",
  priceOne = "3.28", ladderGasOne = 300, priceTwo = "3.88", ladderGasTwo = 420,
  priceThree = "4.77", ladderGasThree = 420, priceFour = "4.77", ladderGasFour = 420, priceFive = "4.77",
}

local function with(base, changes)
  local copy = {}
  for name, value in pairs(base) do copy[name] = value end
  for name, value in pairs(changes) do copy[name] = value end
  return copy
end

-- What the meter itself shows.
local function look(meter)
  local seen = sandbox:device(meter.no)
  if not seen then return "not registered" end
  local balance = seen.balance and (seen.balance .. " " .. seen.unit) or "-"
  return ("account %-6s balance %-12s price %-5s valve %s"):format(
    seen.account and "open" or "closed", balance, seen.price or "-", seen.valve)
end

local function step(title, meter, name, args)
  local workflow = dofile(scripts .. name .. ".lua")
  print(("\n%s: %s %s"):format(title, meter.what, meter.no))
  print("  before  " .. look(meter))
  workflow:start(client, workflow:read_args(with(args, { deviceNo = meter.no })))
  print("  after   " .. look(meter))
end

print("This is a rehearsal on the built-in platform (sandbox): no real meter, no real money.")
print("Each line is what the meter itself shows before and after the workflow.")

for name in pairs(households) do -- the first report of an installed meter
  while name ~= "money" and not client:meter(households[name].no):report() do xfiot.sleep(0.05) end
end

step("1 Open account (开户)", households.money, "open_account",
  { order = "DEMO-OPEN-1", amount = "50.00", cardNo = "0000000001", tariff = tariff, userNo = "0000000001",
    userName = "王小明", userAddress = "杭州市滨江区滨安路1186-1号" })
step("1 Open account (开户): it is open only when its prices are set too", households.commercial, "open_account",
  { order = "DEMO-OPEN-4", amount = "500.00", cardNo = "0000000004", tariff = tariff })
step("1 Open account (开户)", households.gas, "open_account",
  { order = "DEMO-OPEN-2", amount = "20", cardNo = "0000000002", tariff = tariff })
step("1 Open account (开户)", households.backend, "open_account",
  { order = "DEMO-OPEN-3", amount = "120.00", cardNo = "0000000003", tariff = tariff })

step("2 Recharge (充值) 100.00 yuan", households.money, "recharge", { order = "DEMO-PAY-1", amount = "100.00" })
step("2 Recharge (充值) 30 m³", households.gas, "recharge", { order = "DEMO-PAY-2", amount = "30" })
step("2 The same order once more: nothing is credited twice", households.money, "recharge",
  { order = "DEMO-PAY-1", amount = "100.00" })

step("3 Price change (调价) to 3.38 yuan/m³", households.money, "price_change",
  { order = "DEMO-PRICE-1", tariff = with(tariff, { priceOne = "3.38", priceVer = 2, clearMark = 0 }) })

step("4 Balance sync (余额同步) after settlement", households.backend, "balance_sync",
  { balance = "86.30", price = "3.88", ladderNo = "2" })

step("And the valve (阀门): closed ...", households.money, "valve", { state = "close" })
step("... and opened again", households.money, "valve", { state = "open" })

local executed = #sandbox:ledger()
print(("\nDone: the meters executed %d commands, each exactly once."):format(executed))
