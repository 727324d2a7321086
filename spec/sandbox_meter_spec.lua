local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local price = require "xfiot.sandbox.price"

local REFUSED <const>, DONE <const> = { commandResult = "1" }, { commandResult = "0" }

local function recharge(bill, value, prepaid)
  return { prepaidType = prepaid or 0, billNo = bill, rechargeValue = value }
end

describe("a money meter", function()
  it("is opened, recharged, refunded and closed", function()
    local box <close> = H.open()
    assert.same(REFUSED, box:run(H.MONEY, "RECHARGE_REMOTE", recharge(1, 10)))
    assert.same(REFUSED, box:run(H.MONEY, "LADDER_VALUE_CHANGE", { ladderValue = 1 }))
    assert.same(REFUSED, box:run(H.MONEY, "PRICE_CHANGE", H.tariff()))
    assert.same(REFUSED, box:run(H.MONEY, "PRICE_READ", { priceType = 0 }))
    assert.same(REFUSED, box:run(H.MONEY, "ACCOUNT_CANCEL"))
    assert.same(DONE, box:run(H.MONEY, "ACCOUNT_OPEN", H.opening()))
    assert.same(REFUSED, box:run(H.MONEY, "ACCOUNT_OPEN", H.opening()))
    assert.same({ commandResult = "0", billNo = "2", surplusValue = "300.50" },
      box:run(H.MONEY, "RECHARGE_REMOTE", recharge(2, 200)))
    assert.same({ commandResult = "0", billNo = "3", surplusValue = "0.00" },
      box:run(H.MONEY, "RECHARGE_REMOTE", recharge(3, -300.5)))
    assert.same(REFUSED, box:run(H.MONEY, "RECHARGE_REMOTE", recharge(4, -0.01)))
    assert.equal("1", box:services(H.MONEY).GeneralDataInfo.meterStatus.valueLack)
    assert.same({ commandResult = "0", billNo = "5", surplusValue = "20.10" },
      box:run(H.MONEY, "RECHARGE_REMOTE", recharge(5, "20.10")))
    local services = box:services(H.MONEY)
    assert.same({
      totalBuyMoney = "20.10", totalUseMoney = "0.00", surplusMoney = "20.10", currentPrice = "3.28",
      totalLadderValue = "0", buyCount = "4",
    }, services.MoneyMeterInfo)
    assert.equal("1", services.GeneralDataInfo.meterStatus.accountFlag)
    assert.same({ 1, 2, 3, 5 }, box.sandbox:device(H.MONEY).bill_numbers)
    assert.same(DONE, box:run(H.MONEY, "ACCOUNT_CANCEL"))
    services = box:services(H.MONEY)
    assert.same({ "0.00", "0", "0.00", "0" }, {
      services.MoneyMeterInfo.surplusMoney, services.MoneyMeterInfo.buyCount,
      services.MoneyMeterInfo.currentPrice, services.GeneralDataInfo.meterStatus.accountFlag,
    })
    assert.same({}, box.sandbox:device(H.MONEY).bill_numbers)
  end)

  it("holds no more than its register", function()
    local box <close> = H.open { opened = true }
    assert.equal("0", box:run(H.MONEY, "RECHARGE_REMOTE", recharge(1, 2147483.64)).commandResult)
    assert.same(REFUSED, box:run(H.MONEY, "RECHARGE_REMOTE", recharge(2, 0.01)))
    assert.equal("2147483.64", box.sandbox:device(H.MONEY).balance)
  end)

  it("executes a repeated bill number, unless told to refuse it", function()
    for _, case in ipairs { { "execute", "20.00" }, { "refuse", "10.00" } } do
      local box <close> = H.open { opened = true, repeat_bill = case[1] }
      box:run(H.MONEY, "RECHARGE_REMOTE", recharge(7, 10))
      box:run(H.MONEY, "RECHARGE_REMOTE", recharge(7, 10))
      assert.equal(case[2], box.sandbox:device(H.MONEY).balance)
      assert.equal(2, #box.sandbox:ledger(H.MONEY))
    end
  end)

  it("changes its price at once, keeping or clearing the ladder", function()
    local box <close> = H.open { opened = true }
    box:run(H.MONEY, "LADDER_VALUE_CHANGE", { ladderValue = 350.5 })
    assert.equal("3.88", box:services(H.MONEY).MoneyMeterInfo.currentPrice)
    box:run(H.MONEY, "PRICE_CHANGE", H.tariff { priceTwo = 3.98, clearMark = 0, priceVer = 2 })
    local snapshot = box.sandbox:device(H.MONEY)
    assert.same({ "3.98", "350.5" }, { snapshot.price, snapshot.ladder })
    box:run(H.MONEY, "PRICE_CHANGE", H.tariff { priceOne = 3.38, clearMark = 1, priceVer = 3 })
    snapshot = box.sandbox:device(H.MONEY)
    assert.same({ "3.38", "0" }, { snapshot.price, snapshot.ladder })
  end)

  it("keeps a delayed price until its time", function()
    local box <close> = H.open { opened = true }
    box:run(H.MONEY, "LADDER_VALUE_CHANGE", { ladderValue = 100 })
    assert.same(REFUSED, box:run(H.MONEY, "PRICE_READ", { priceType = 1 }))
    local later = H.tariff { priceOne = 3.5, priceVer = 9, priceTime = "20260103000000" }
    box:run(H.MONEY, "PRICE_CHANGE", later)
    local expected = {
      commandResult = "0", priceTime = "20260103000000", priceVer = "9", ladderTime = "20250101000000",
      pricePeriod = "12", priceOne = "3.50", ladderGasOne = "300", priceTwo = "3.88", ladderGasTwo = "420",
      priceThree = "4.77", ladderGasThree = "420", priceFour = "4.77", ladderGasFour = "420",
      priceFive = "4.77",
    }
    assert.same(expected, box:run(H.MONEY, "PRICE_READ", { priceType = 1 }))
    assert.equal("1", box:run(H.MONEY, "PRICE_READ", { priceType = 0 }).priceVer)
    box.sandbox:advance("2d")
    assert.same({ "3.50", "0" }, { box.sandbox:device(H.MONEY).price, box.sandbox:device(H.MONEY).ladder })
    local services, message = box:services(H.MONEY)
    assert.equal("20260103000000", message.receiveTime)
    assert.equal("3.50", services.MoneyMeterInfo.currentPrice)
    assert.same(expected, box:run(H.MONEY, "PRICE_READ", { priceType = 0 }))
    assert.same(REFUSED, box:run(H.MONEY, "PRICE_READ", { priceType = 1 }))
  end)
end)

describe("the ladder", function()
  local function scheme(changes)
    local paras = H.tariff(changes)
    for _, name in ipairs(price.PRICES) do paras[name] = math.tointeger(paras[name] * 1000 + 0.5 // 1) end
    return price.scheme({}, paras)
  end

  it("has inclusive limits", function()
    for _, case in ipairs { { 0, 1 }, { 300000, 1 }, { 300001, 2 }, { 420000, 2 }, { 420001, 3 } } do
      assert.equal(case[2], (price.current { scheme = scheme(), position = case[1] }))
    end
  end)

  it("spreads usage over the tiers", function()
    assert.same({ 300000, 120000, 10500, 0, 0 }, price.spread(scheme(), 430500))
    assert.same({ 1, 0, 0, 0, 0 }, price.spread(scheme(), 1))
    local single = { priceTwo = 3.28, priceThree = 3.28, priceFour = 3.28, priceFive = 3.28 }
    assert.same({ 123400, 0, 0, 0, 0 }, price.spread(scheme(single), 123400))
  end)

  it("costs the same however the limits of tiers that do not differ are told", function()
    local odd = scheme { ladderGasThree = 500, ladderGasFour = 900 }
    assert.equal(scheme().tariff:cost(290000, 950000), odd.tariff:cost(290000, 950000))
  end)
end)

describe("any meter", function()
  it("turns its valve and says so", function()
    local box <close> = H.open()
    for _, kind in ipairs { H.MONEY, H.GAS, H.BACKEND, H.COMMERCIAL } do
      assert.same(DONE, box:run(kind, "VALVE_CONTROL", { controlFlag = 1 }))
      local general = box:services(kind).GeneralDataInfo
      assert.same({ "2", "1" }, { general.valveState, general.meterStatus.remoteCloseValve })
      local _, alarm = box:call("queryReportData", { deviceId = box:id(kind), msgType = "1" })
      assert.equal("99", alarm.callbackData.reportType)
      assert.equal("0002H", alarm.callbackData.data[1].serviceData.warnEvents[1].warnType)
      assert.same(DONE, box:run(kind, "VALVE_CONTROL", { controlFlag = 0 }))
      _, alarm = box:call("queryReportData", { deviceId = box:id(kind), msgType = "1" })
      assert.equal("0005H", alarm.callbackData.data[1].serviceData.warnEvents[1].warnType)
      assert.equal("1", box:services(kind).GeneralDataInfo.valveState)
    end
  end)

  it("makes its first report when it wakes after registration", function()
    local box <close> = H.open { wake = 5 }
    box:call("register", { manuId = 1, deviceNo = "9" })
    local args = { deviceId = box:id("9"), msgType = "0" }
    box.sandbox:advance(4)
    assert.equal("500050", (box:call("queryReportData", args)))
    box.sandbox:advance(1)
    local code, message = box:call("queryReportData", args)
    assert.equal("100000", code)
    assert.equal("20260101000005", message.receiveTime)
    assert.equal("9", message.callbackData.meterNo)
  end)

  it("has its kind told by the first command that can", function()
    local sync = { prepaidType = 0, surplusValue = 1, price = 1, accountDate = H.START }
    local gas = { prepaidType = 1, gasType = 1, billNo = 1, rechargeValue = 5, cardNo = "0000000001" }
    for _, case in ipairs {
      { "VALVE_CONTROL", { controlFlag = 0 }, "unknown" }, { "ACCOUNT_CANCEL", {}, "unknown" },
      { "ACCOUNT_OPEN", H.opening(), "money" }, { "ACCOUNT_OPEN", gas, "gas" },
      { "ACCOUNT_OPEN", { billingMethod = 0 }, "backend" }, { "BALANCE_SYNC", sync, "backend" },
      { "RECHARGE_REMOTE", recharge(1, 1, 1), "gas" }, { "RECHARGE_REMOTE", recharge(1, 1), "money" },
      { "LADDER_VALUE_CHANGE", { ladderValue = 1 }, "money" }, { "PRICE_CHANGE", H.tariff(), "money" },
      { "PRICE_READ", { priceType = 0 }, "money" },
    } do
      local box <close> = H.open { meters = {} }
      box:call("register", { manuId = 1, deviceNo = "9" })
      assert.equal("100000", (box:command("9", case[1], case[2])))
      assert.equal(case[3], box.sandbox:device("9").kind, case[1])
    end
  end)

  it("tells its kind in its reports", function()
    local box <close> = H.open { meters = "money=1,gas=1,backend=1,flow=1,commercial=1" }
    box.sandbox:advance(1)
    for _, case in ipairs {
      { H.MONEY, "2", "0", "1", "MoneyMeterInfo" }, { H.GAS, "1", "0", "1", "GasMeterInfo" },
      { H.BACKEND, "0", "0", "1", "SignalInfo" }, { "30040000000001", "2", "1", "0", "FlowMeterInfo" },
      { H.COMMERCIAL, "2", "0", "0", "MoneyMeterInfo" },
    } do
      local services, message = box:services(case[1])
      local data = message.callbackData
      assert.same({ case[2], case[3], case[4] }, { data.chargeType, data.meterType, data.commType })
      assert.is_table(services[case[5]], case[1])
      local flags = 0
      for _ in pairs(services.GeneralDataInfo.meterStatus) do flags = flags + 1 end
      assert.equal(12, flags)
    end
  end)
end)

-- Fields of an object against the rows of its shape: none unknown, none missing.
local function check_shape(shapes, fields, object, where)
  local known = {}
  for _, row in ipairs(fields) do
    known[row.name] = true
    local value = object[row.name]
    assert.is_true(value ~= nil or not row.required, where .. "." .. row.name .. " is missing")
    if value ~= nil and row.shape then
      for _, each in ipairs(row.type == "list" and value or { value }) do
        if shapes[row.shape] then check_shape(shapes, shapes[row.shape], each, where .. "." .. row.name) end
      end
    elseif value ~= nil and row.type ~= "object" then
      assert.equal("string", type(value), where .. "." .. row.name)
    end
  end
  for name in pairs(object) do assert.is_true(known[name], where .. "." .. name .. " is unknown") end
end

describe("a report", function()
  it("has the fields of the document and no others", function()
    local contract, shapes = core.contract(), {}
    for _, list in ipairs { contract.shapes, contract.services, contract.statuses } do
      for _, shape in ipairs(list) do shapes[shape.name] = shape.fields end
    end
    local box <close> = H.open { meters = "money=1,gas=1,backend=1,flow=1,commercial=1", opened = true }
    box:run(H.COMMERCIAL, "PRICE_CHANGE", H.tariff { priceVer = 2 })
    box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
    local seen = {}
    local function check(args)
      local code, _, envelope = box:call("queryReportData", args)
      assert.equal("100000", code)
      check_shape(shapes, shapes["msgDTO.report"], envelope.result, "report")
      for _, item in ipairs(envelope.result.callbackData.data) do
        seen[item.serviceId] = true
        check_shape(shapes, shapes[item.serviceId], item.serviceData, item.serviceId)
      end
    end
    for _, device in ipairs(box.sandbox:devices()) do check { deviceId = device.deviceId, msgType = "0" } end
    check { deviceId = box:id(H.MONEY), msgType = "1" }
    for name in pairs(shapes) do
      if name:find("Info$") and not name:find("^Concentrator") then assert.is_true(seen[name], name) end
    end
  end)
end)

describe("a gas meter", function()
  it("is paid in cubic metres", function()
    local box <close> = H.open()
    local opening = { prepaidType = 1, gasType = 1, billNo = 1, rechargeValue = 5, cardNo = "0000000001" }
    assert.same(DONE, box:run(H.GAS, "ACCOUNT_OPEN", opening))
    assert.same({ commandResult = "0", billNo = "2", surplusValue = "7.25" },
      box:run(H.GAS, "RECHARGE_REMOTE", recharge(2, 2.25, 1)))
    local credit = { totalBuyGas = "7.25", surplusGas = "7.25", buyCount = "2" }
    assert.same(credit, box:services(H.GAS).GasMeterInfo)
    assert.equal("m³", box.sandbox:device(H.GAS).unit)
  end)
end)

describe("a backend meter", function()
  it("shows what it is told", function()
    local box <close> = H.open()
    local paras = { prepaidType = 0, surplusValue = -3.5, price = 3.28, accountDate = "20251231000000" }
    assert.is_nil(box.sandbox:device(H.BACKEND).balance)
    assert.same(DONE, box:run(H.BACKEND, "BALANCE_SYNC", paras))
    local snapshot = box.sandbox:device(H.BACKEND)
    assert.same({ "-3.50", "3.28", 1, "20251231000000" },
      { snapshot.balance, snapshot.price, snapshot.tier, snapshot.settled })
    paras.billingMethod, paras.ladderNo = 1, 3
    assert.same(DONE, box:run(H.BACKEND, "ACCOUNT_OPEN", paras))
    assert.equal(3, box.sandbox:device(H.BACKEND).tier)
    assert.equal("1", box:services(H.BACKEND).GeneralDataInfo.meterStatus.valueLack)
    assert.same(DONE, box:run(H.BACKEND, "ACCOUNT_OPEN", { billingMethod = 0 }))
    assert.is_nil(box.sandbox:device(H.BACKEND).balance)
  end)
end)

describe("a commercial meter", function()
  it("is open only after the price came too", function()
    local box <close> = H.open()
    assert.same(DONE, box:run(H.COMMERCIAL, "ACCOUNT_OPEN", H.opening()))
    assert.equal("0", box:services(H.COMMERCIAL).GeneralDataInfo.meterStatus.accountFlag)
    assert.same(REFUSED, box:run(H.COMMERCIAL, "RECHARGE_REMOTE", recharge(2, 10)))
    assert.same(REFUSED, box:run(H.COMMERCIAL, "ACCOUNT_OPEN", H.opening()))
    assert.same(DONE, box:run(H.COMMERCIAL, "PRICE_CHANGE", H.tariff()))
    local services = box:services(H.COMMERCIAL)
    assert.equal("1", services.GeneralDataInfo.meterStatus.accountFlag)
    assert.is_nil(services.GeneralDataInfo.totalUseValue)
    assert.equal("110.50", box:run(H.COMMERCIAL, "RECHARGE_REMOTE", recharge(2, 10)).surplusValue)
  end)

  it("reports frozen money of the day's start, and its last price for a day", function()
    local box <close> = H.open { opened = true, profile = "none" }
    local function day_record(services)
      for _, record in ipairs(services.FrozenValueInfo.frozenRecords) do
        if record.frozenType == "3" then return record end
      end
    end
    box:run(H.COMMERCIAL, "RECHARGE_REMOTE", recharge(2, 10))
    local record = day_record(box:services(H.COMMERCIAL))
    assert.same({ "20260101000000", "0.00" }, { record.frozenDate, record.surplusValue })
    box.sandbox:advance("1d")
    box:run(H.COMMERCIAL, "PRICE_CHANGE", H.tariff { priceVer = 2, priceOne = 4 })
    local services = box:services(H.COMMERCIAL)
    record = day_record(services)
    assert.same({ "20260102000000", "10.00" }, { record.frozenDate, record.surplusValue })
    assert.same({ "1", "3.28", "10.00" }, {
      services.PriceChangeInfo.lastPriceVer, services.PriceChangeInfo.lastPriceOne,
      services.PriceChangeInfo.surplusMoney,
    })
    box.sandbox:advance("2d")
    assert.is_nil(box:services(H.COMMERCIAL).PriceChangeInfo)
  end)
end)
