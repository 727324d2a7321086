-- The billing verbs, one by one, against the sandbox: its meters say what was done.

local V = require "spec.verbs_helper"
local xfiot = require "xfiot"

-- verb, meter, arguments; what the meter wrote into the ledger; what it holds then.
local EFFECTS = {
  { "recharge", V.MONEY, { order = "R1", amount = "100.50" },
    ledger = { method = "RECHARGE_REMOTE", amount = "100.50", bill_no = 1 },
    receipt = { amount = "100.50", bill_no = 1, surplus = "100.50" },
    device = { balance = "100.50", buys = 1 } },
  { "recharge", V.GAS, { order = "R2", amount = 30 },
    ledger = { method = "RECHARGE_REMOTE", amount = "30.00", bill_no = 1 },
    receipt = { amount = "30.00", bill_no = 1, surplus = "30.00" },
    device = { balance = "30.00", unit = "m³" } },
  { "refund", V.MONEY, { order = "B1", amount = "20.25" }, first = { "recharge",
      { order = "B0", amount = 100 } },
    ledger = { method = "RECHARGE_REMOTE", amount = "-20.25", bill_no = 2 },
    receipt = { amount = "-20.25", bill_no = 2, surplus = "79.75" },
    device = { balance = "79.75" } },
  { "open_account", V.MONEY, { order = "O1", amount = 50, cardNo = "0000000001", tariff = V.tariff() },
    closed = true,
    ledger = { method = "ACCOUNT_OPEN", amount = "50.00", bill_no = 1 },
    receipt = { amount = "50.00", bill_no = 1 },
    device = { account = true, balance = "50.00", price = "3.28", price_version = 7 } },
  { "open_account", V.GAS, { order = "O2", amount = "12.5", cardNo = "0000000001", gasType = 3 },
      closed = true,
    ledger = { method = "ACCOUNT_OPEN", amount = "12.50", bill_no = 1 },
    receipt = { amount = "12.50", bill_no = 1 },
    device = { account = true, balance = "12.50", unit = "m³" } },
  { "open_account", V.BACKEND, { order = "O3", billingMethod = 1, amount = "-7.00", price = "2.50" },
    ledger = { method = "ACCOUNT_OPEN" }, receipt = { amount = "-7.00" },
    device = { account = true, balance = "-7.00", price = "2.50", tier = 1 } },
  { "open_account", V.BACKEND, { order = "O4", billingMethod = 0 },
    ledger = { method = "ACCOUNT_OPEN" }, receipt = {}, device = { account = true } },
  { "close_account", V.MONEY, { order = "C1" },
    ledger = { method = "ACCOUNT_CANCEL" }, receipt = {}, device = { account = false, balance = "0.00" } },
  { "change_price", V.MONEY, { order = "P1", tariff = V.tariff { priceOne = 3.5 }, clearMark = 1 },
    ledger = { method = "PRICE_CHANGE" }, receipt = {}, device = { price = "3.50", price_version = 7 } },
  { "change_price", V.MONEY, { order = "P2", tariff = V.tariff { clearMark = 0 } },
    ledger = { method = "PRICE_CHANGE" }, receipt = {}, device = { price_version = 7 } },
  { "set_ladder", V.MONEY, { order = "L1", ladderValue = "310.5" },
    ledger = { method = "LADDER_VALUE_CHANGE" }, receipt = {}, device = { ladder = "310.5", tier = 2 } },
  { "sync_balance", V.BACKEND, { balance = "-5.00", price = 2, ladderNo = 3 },
    ledger = { method = "BALANCE_SYNC" }, device = { balance = "-5.00", price = "2.00", tier = 3 } },
  { "valve", V.MONEY, "close", ledger = { method = "VALVE_CONTROL" }, device = { valve = "closed" } },
  { "valve", V.MONEY, { state = "open" }, first = { "valve", "close" },
    ledger = { method = "VALVE_CONTROL" }, device = { valve = "open" } },
  { "read_price", V.MONEY, nil, ledger = { method = "PRICE_READ" }, device = {} },
}

local function assert_members(expected, actual)
  for name, value in pairs(expected) do assert.are.equal(value, actual[name], name) end
end

describe("a verb", function()
  for _, row in ipairs(EFFECTS) do
    local verb, number, args = row[1], row[2], row[3]
    it(("%s is done once by meter %s (%s)"):format(verb, number, type(args) == "table" and args.order
        or "-"), function()
      local box <close> = V.open { opened = not row.closed }
      local meter = box:meter(number)
      local before = 0
      if row.first then
        meter[row.first[1]](meter, row.first[2])
        before = 1
      end
      local receipt = meter[verb](meter, args)
      local ledger = box:done(number)
      assert.are.equal(before + 1, #ledger)
      local last = ledger[#ledger]
      assert_members(row.ledger, last)
      assert.are.equal("0", last.result)
      assert.are.equal(last.command_id, receipt.command_id)
      assert_members(row.device, box.sandbox:device(number))
      if row.receipt then
        assert_members({ order = args.order, device_no = number, method = row.ledger.method,
            state = "applied",
                         bill_no = row.ledger.bill_no, device_id = box.sandbox:device(number).deviceId },
                             receipt)
        assert_members(row.receipt, receipt)
        assert.are.equal(0, receipt.result.commandResult)
      else
        assert.are.equal(0, receipt.commandResult)
      end
    end)
  end

  it("read_price brings what the meter holds, in force and delayed", function()
    local box <close> = V.open()
    local meter = box:meter()
    local price = meter:read_price()
    assert_members({ priceOne = "3.28", priceFive = "4.77", ladderGasTwo = "420", priceVer = "1" }, price)
    meter:change_price { order = "P", clearMark = 1,
                         tariff = V.tariff { priceTime = "20990101000000", priceOne = "5.00",
                             priceTwo = "5.00" } }
    assert.are.equal("3.28", meter:read_price { priceType = 0 }.priceOne)
    assert_members({ priceOne = "5.00", priceTime = "20990101000000", priceVer = "7" },
      meter:read_price { priceType = 1 })
  end)

  it("that the meter refuses, and that moves no money, raises kind platform", function()
    local box <close> = V.open { opened = false }
    local err = V.failure(function() box:meter():read_price() end)
    assert_members({ kind = "platform", operation = "read_price", sent = true }, err)
    assert.are.equal("1", box:done()[1].result)
  end)

  it("without an order id is sent anew every time", function()
    local box <close> = V.open()
    box:meter():valve "close"
    box:meter():valve "close"
    assert.are.equal(2, #box:done())
  end)
end)

-- ---- what is wrong with arguments; nothing may reach the platform

local BAD = { -- verb, arguments, paths of the bad fields, code of the first if it has one
  { "recharge", {}, "amount order" },
  { "recharge", { order = "X" }, "amount", "500033" },
  { "recharge", { order = "X", amount = "1.00", amout = 1, cardNo = "1" }, "amout cardNo" },
  { "recharge", { order = "", amount = "1.00" }, "order" },
  { "recharge", { order = ("x"):rep(65), amount = "1.00" }, "order" },
  { "recharge", { order = "a\nb", amount = "1.00" }, "order" },
  { "recharge", { order = "\xff", amount = "1.00" }, "order" },
  { "recharge", { order = " ", amount = "1.00" }, "order" },
  { "recharge", { order = "R-1 ", amount = "1.00" }, "order" },
  { "recharge", { order = " R-1", amount = "1.00" }, "order" },
  { "recharge", { order = "R-1\u{200B}", amount = "1.00" }, "order" },
  { "recharge", { order = "R\u{A0}1", amount = "1.00" }, "order" },
  { "recharge", { order = "R\u{202E}1", amount = "1.00" }, "order" },
  { "recharge", { order = "R\u{9B}1", amount = "1.00" }, "order" },
  { "recharge", { order = "R\u{3000}1", amount = "1.00" }, "order" },
  { "recharge", { order = 5, amount = "1.00" }, "order" },
  { "recharge", { order = "X", amount = "1.00", wait = -1 }, "wait" },
  { "recharge", { order = "X", amount = "1.00", wait = "5" }, "wait" },
  { "recharge", { order = "X", amount = "1.00", wait = 0 / 0 }, "wait" },
  { "recharge", { order = "X", amount = "1.00", wait = math.huge }, "wait" },
  { "recharge", { order = "X", amount = "1.00", prepaidType = 2 }, "prepaidType", "500018" },
  { "recharge", { order = "X", amount = "1.00", billNo = 0 }, "billNo", "500032" },
  { "recharge", { order = "X", amount = "1.00", billNo = 65536 }, "billNo", "500032" },
  { "recharge", { order = "X", amount = "1.00", billNo = "7" }, "billNo", "500032" },
  { "recharge", { order = "X", amount = "1.00", expireTime = 86399 }, "expireTime", "101001" },
  { "recharge", { order = "X", amount = "1.00", expireCount = 4 }, "expireCount", "101001" },
  { "recharge", { order = "", amount = 0, wait = -1, billNo = -1, prepaidType = "0", more = true },
    "amount billNo more order prepaidType wait" },
  { "refund", { order = "X", amount = "-5.00" }, "amount", "500033" },
  { "open_account", { order = "X" }, "amount cardNo gasType" },
  { "open_account", { order = "X", amount = "1.00", cardNo = "12", tariff = V.tariff() }, "cardNo",
      "500034" },
  { "open_account", { order = "X", amount = "-1.00", cardNo = "0000000001", tariff = V.tariff() },
      "amount", "500033" },
  { "open_account", { order = "X", amount = "2147483.65", cardNo = "0000000001", gasType = 1 }, "amount",
      "500033" },
  { "open_account", { order = "X", billingMethod = 2 }, "billingMethod", "500017" },
  { "open_account", { order = "X", billingMethod = 1 }, "amount price" },
  { "open_account", { order = "X", billingMethod = 1, amount = "1.001", price = "31.00", ladderNo = 8,
                      accountDate = "20260230000000" }, "accountDate amount ladderNo price" },
  { "open_account", { order = "X", amount = 1, cardNo = "0000000001",
      tariff = V.tariff { priceOne = "30.01" } },
    "tariff.priceOne", "500020" },
  { "change_price", { order = "X", clearMark = 1, tariff = V.tariff { priceOne = "3.281" } },
      "tariff.priceOne" },
  { "change_price", { order = "X", clearMark = 1, tariff = V.tariff { priceOne = 31, ladderGasOne = -1,
                      priceTime = "2025" } }, "tariff.ladderGasOne tariff.priceOne tariff.priceTime" },
  { "change_price", { order = "X", clearMark = 1, tariff = V.tariff { ladderGasTwo = 299 } },
    "tariff.ladderGasThree tariff.ladderGasTwo" },
  { "change_price", { order = "X", tariff = V.tariff() }, "clearMark", "500031" },
  { "change_price", { order = "X", clearMark = 2, tariff = V.tariff { clearMark = 1 } }, "clearMark",
      "500031" },
  { "change_price", { order = "X", clearMark = 1, tariff = "prices.json" }, "tariff" },
  { "change_price", { order = "X", clearMark = 1, tariff = V.tariff { pricOne = 1, colour = "red" } },
    "tariff.colour tariff.pricOne" },
  { "set_ladder", { order = "X", ladderValue = "1.25" }, "ladderValue", "500039" },
  { "sync_balance", {}, "balance price" },
  { "sync_balance", { balance = "2147483.65", price = "1.00" }, "balance", "500019" },
  { "sync_balance", { balance = "1.00", price = "1.00", order = "X" }, "order" },
  { "valve", nil, "state", "500015" },
  { "valve", "shut", "state", "500015" },
  { "valve", { state = "open", order = "X" }, "order" },
  { "read_price", { priceType = 2 }, "priceType", "101001" },
}

local AMOUNTS = { -- given, as it is sent (nil: refused)
  { "100.00", "100.00" }, { "100", "100.00" }, { "0.01", "0.01" }, { 100, "100.00" }, { 100.5, "100.50" },
  { 0.1, "0.10" }, { "2147483.64", "2147483.64" },
  { 0 }, { "0" }, { "0.00" }, { "-0.00" }, { "-1.00" }, { -1 }, { 0.001 }, { "1.234" }, { "1e2" },
      { "+1" }, { " 1" },
  { "1 " }, { "" }, { "01.00" }, { ".50" }, { "1." }, { "1,00" }, { "0x10" }, { true }, { {} }, { 0 / 0 },
      { math.huge },
  { "nan" }, { "2147483.65" }, { 2147483.65 }, { "99999999999999999999" }, { 0.1 + 0.2 }, { "１００" },
}

local function as_text(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

describe("a verb's bad arguments", function()
  local box
  setup(function() box = V.open() end)
  teardown(function() box.sandbox:close() end)

  for i, row in ipairs(BAD) do
    it(("%s %d are named before anything is sent: %s"):format(row[1], i, row[3]), function()
      local meter = box:meter()
      local err = V.failure(meter[row[1]], meter, row[2])
      assert_members({ kind = "invalid", operation = row[1], sent = false }, err)
      assert.are.equal(row[3], V.paths(err))
      if row[4] then assert.are.equal(row[4], err.code) end
      local text = tostring(err)
      for path in row[3]:gmatch "%S+" do assert.truthy(text:find(path, 1, true), path) end
      assert.truthy(text:find "^[^\n]+$")
      assert.are.equal(0, box:calls())
    end)
  end

  it("a price that is missing is told under the tariff's name", function()
    local tariff = V.tariff()
    tariff.priceOne, tariff.priceVer = nil, nil
    local err = V.failure(function() box:meter():change_price { order = "X", tariff = tariff,
        clearMark = 1 } end)
    assert.are.equal("tariff.priceOne tariff.priceVer", V.paths(err))
    assert.are.equal(0, box:calls())
  end)

  for _, row in ipairs(AMOUNTS) do
    if not row[2] then
      it("the amount " .. as_text(row[1]) .. " is refused", function()
        for _, verb in ipairs { "recharge", "refund" } do
          local meter = box:meter()
          local err = V.failure(meter[verb], meter, { order = "X", amount = row[1] })
          assert_members({ kind = "invalid", field = "amount", code = "500033", operation = verb }, err)
          assert.are.equal(0, box:calls())
        end
      end)
    end
  end

  it("that are no table are shown where the call stands", function()
    local meter = box:meter()
    local ok, err = pcall(function()
      local receipt = meter:recharge(5)
      return receipt
    end)
    assert.is_false(ok)
    local words = "verbs_spec.lua:%d+: meter:recharge takes a table of arguments, got number"
    assert.truthy(tostring(err):find(words), err)
  end)

  it("leave the meter free for a good order", function()
    local receipt = box:meter():recharge { order = "X", amount = "1.00" }
    assert.are.equal("applied", receipt.state)
    assert.are.equal(1, receipt.bill_no)
  end)
end)

describe("an amount", function()
  it("reaches the meter exactly as it was meant", function()
    local box <close> = V.open { meters = "money=7" }
    local good = {}
    for _, row in ipairs(AMOUNTS) do
      if row[2] then good[#good + 1] = row end
    end
    local results = xfiot.parallel(good, function(row, i)
      local meter = box:meter(("3001%010d"):format(i))
      local receipt = meter:recharge { order = "A" .. i, amount = row[1] }
      local back = row[2] ~= "2147483.64" and receipt or meter:refund { order = "B" .. i, amount = row[1] }
      return receipt.amount .. " " .. back.amount
    end)
    for i, row in ipairs(good) do
      assert.is_true(results[i].ok, tostring(results[i].error))
      local back = row[2] ~= "2147483.64" and row[2] or "-" .. row[2]
      assert.are.equal(row[2] .. " " .. back, results[i].value)
    end
    local moved = {}
    for _, done in ipairs(box:done()) do moved[done.amount] = (moved[done.amount] or 0) + 1 end
    assert.are.same({ ["100.00"] = 3, ["0.01"] = 1, ["100.50"] = 1, ["0.10"] = 1, ["2147483.64"] = 1,
                      ["-2147483.64"] = 1 }, moved)
  end)
end)

describe("what a meter counts", function()
  it("is taken from its reports", function()
    local box <close> = V.open()
    assert.are.equal("30.00", box:meter(V.GAS):recharge({ order = "G", amount = "30.00" }).amount)
    assert.are.equal("30.00", box:meter(V.MONEY):recharge({ order = "M", amount = "30.00" }).amount)
  end)

  it("is taken from how it was opened when it has not reported", function()
    local box <close> = V.open { opened = false, fault = "queryReportData:code=500050" }
    local meter = box:meter(V.GAS)
    meter:open_account { order = "O", amount = "1.00", cardNo = "0000000001", gasType = 1, prepaidType = 1 }
    assert.are.equal("applied", meter:recharge({ order = "R", amount = "1.00" }).state)
    local later = box:another():meter(V.GAS) -- another process, say
    assert.are.equal("applied", later:recharge({ order = "R2", amount = "1.00" }).state)
  end)

  it("stays what it was when an opening is given again", function()
    local box <close> = V.open { opened = false }
    local opening = { order = "O", amount = "1.00", cardNo = "0000000001", tariff = V.tariff() }
    for i, client in ipairs { box.client, box.client, box:another() } do
      local meter = client:meter(V.GAS)
      assert.are.equal("applied", meter:open_account(opening).state)
      assert.are.equal("applied", meter:recharge({ order = ("R"):rep(i), amount = 1 }).state)
    end
  end)

  it("is money when nothing is known, which a gas meter's platform refuses", function()
    local box <close> = V.open { fault = "queryReportData:code=500050" }
    local err = V.failure(function() box:meter(V.GAS):recharge { order = "R", amount = "1.00" } end)
    assert_members({ kind = "platform", code = "500013" }, err)
    assert.are.equal(0, #box:done())
  end)

  it("may be said by the caller", function()
    local box <close> = V.open { fault = "queryReportData:code=500050" }
    local receipt = box:meter(V.GAS):recharge { order = "R", amount = "1.00", prepaidType = 1 }
    assert.are.equal("applied", receipt.state)
    local err = V.failure(function() box:meter(V.MONEY):recharge { order = "S", amount = "1.00",
        prepaidType = 1 } end)
    assert.are.equal("500013", err.code)
  end)

  it("leaves an order untouched when it cannot be asked for", function()
    local box <close> = V.open { fault = "queryReportData:status=502:1" }
    local meter = box:meter()
    local err = V.failure(function() meter:recharge { order = "R", amount = "1.00" } end)
    assert.are.equal("transport", err.kind)
    assert.are.equal(0, box:calls "creatCmd")
    assert.are.equal("applied", meter:recharge({ order = "R", amount = "1.00" }).state)
    assert.are.equal(1, #box:done())
  end)
end)

describe("a meter", function()
  it("has its number checked", function()
    local box <close> = V.open()
    for _, number in ipairs { "", ("1"):rep(33), 5, true } do
      local err = V.failure(function() box.client:meter(number) end)
      assert_members({ kind = "invalid", field = "deviceNo" }, err)
    end
    assert.are.equal(0, box:calls())
  end)

  it("that the platform does not know raises its code, and nothing is sent to it", function()
    local box <close> = V.open()
    local err = V.failure(function() box:meter("999"):recharge { order = "R", amount = "1.00" } end)
    assert_members({ kind = "platform", code = "500001" }, err)
    assert.are.equal(0, box:calls "creatCmd")
  end)

  it("reports with its services by name", function()
    local box <close> = V.open()
    box:meter():recharge { order = "R", amount = "12.30" }
    local report = box:meter():report()
    assert.are.equal("12.30", report.services.MoneyMeterInfo.surplusMoney)
    assert.are.equal("2", report.callbackData.chargeType)
  end)

  it("has no report and no alarm before the first", function()
    local box <close> = V.open { speed = 0 }
    assert.is_nil(box:meter():report())
    assert.is_nil(box:meter():alarms())
    assert.are.same({ backend = false, gas = false, money = false, gprs_money = false }, box:meter():kind())
  end)

  it("tells its kind and its alarms", function()
    local box <close> = V.open()
    box.sandbox:advance(1)
    local kinds = { [V.MONEY] = "money", [V.GAS] = "gas", [V.BACKEND] = "backend", [V.COMMERCIAL] = "money" }
    for number, name in pairs(kinds) do
      local kind = box:meter(number):kind()
      assert.is_true(kind[name], number)
      assert.are.equal(number == V.COMMERCIAL, kind.gprs_money)
    end
    box:meter():valve "close"
    box.sandbox:advance(1)
    assert.are.equal("0002H", box:meter():alarms().services.WarnDataInfo.warnEvents[1].warnType)
  end)

  it("is registered once", function()
    local box <close> = V.open()
    local id = box:meter("77"):register { userNo = "5", userName = "张三" }
    assert.are.equal(id, box:meter("77"):register())
    assert.are.equal(id, box.sandbox:device("77").deviceId)
    assert.are.equal(1, box:calls "register")
    assert.are.equal("张三", box.client:query({ deviceNo = "77" }).userName)
  end)

  it("whose user data are bad is not registered", function()
    local box <close> = V.open()
    local err = V.failure(function() box:meter("77"):register { userNo = ("1"):rep(25), phone = "1" } end)
    assert.are.equal("phone userNo", V.paths(err))
    assert.are.equal(0, box:calls())
  end)

  it("that was deregistered stays so", function()
    local box <close> = V.open()
    local id = box:meter():device_id()
    assert.is_true((box.client:cancel { deviceId = id }))
    assert.are.equal("500004", V.failure(function() box:meter():register() end).code)
    assert.are.equal("500004", V.failure(function() box:meter():valve "open" end).code)
  end)
end)
