local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local NEW = "07602190100007116"
local NOBODY = ("0"):rep(32)

local function code_of(code) return code end

describe("the sandbox's registration", function()
  it("makes an unknown device, once", function()
    local box <close> = H.open()
    local code, id = box:call("register", { manuId = 1, deviceNo = NEW, userName = "张三" })
    assert.equal("100000", code)
    assert.matches("^[0-9a-f]+$", id)
    assert.equal(32, #id)
    assert.equal("500005", code_of(box:call("register", { manuId = 1, deviceNo = NEW })))
    local _, _, envelope = box:call("query", { deviceNo = NEW })
    assert.same({
      manuId = 1, deviceNo = NEW, deviceId = id, userNo = "", userName = "张三", userAddress = "",
      deviceState = 2, syncFlag = 0,
      imeiCode = envelope.result.imeiCode, iccidCode = envelope.result.iccidCode,
    }, envelope.result)
    assert.matches("^%d+$", envelope.result.imeiCode)
    assert.equal(15, #envelope.result.imeiCode)
    assert.equal(20, #envelope.result.iccidCode)
  end)

  it("keeps what update leaves out", function()
    local box <close> = H.open()
    local user = { manuId = 1, deviceNo = NEW, userNo = "1", userName = "a", syncFlag = 1 }
    local _, id = box:call("register", user)
    assert.equal("100000", code_of(box:call("update", { deviceId = id, userName = "b" })))
    local _, record = box:call("query", { deviceNo = NEW })
    assert.same({ "1", "b", 0 }, { record.userNo, record.userName, record.syncFlag })
  end)

  it("goes from awaiting to registered to deregistered", function()
    local box <close> = H.open { meters = { { deviceNo = NEW, kind = "money", registered = false } } }
    local _, list = box:call("authDevices", { deviceNos = { NEW } })
    local id = list[1].platId
    assert.equal("500008", code_of(box:call("cancel", { deviceId = id })))
    assert.equal("500001", code_of(box:call("update", { deviceId = id })))
    assert.equal("500001", code_of(box:command(NEW, "ACCOUNT_CANCEL")))
    local _, record = box:call("query", { deviceNo = NEW })
    assert.equal(1, record.deviceState)
    assert.equal(id, select(2, box:call("register", { manuId = 1, deviceNo = NEW })))
    assert.equal("100000", code_of(box:call("cancel", { deviceId = id })))
    for _, call in ipairs {
      { "cancel", { deviceId = id } },
      { "update", { deviceId = id } },
      { "register", { manuId = 1, deviceNo = NEW } },
      { "creatCmd", { deviceId = id, command = { method = "ACCOUNT_CANCEL" } } },
    } do
      assert.equal("500004", code_of(box:call(call[1], call[2])), call[1])
    end
    local _, gone = box:call("query", { deviceNo = NEW })
    assert.equal(3, gone.deviceState)
  end)

  it("authenticates known devices, in its own order, each once", function()
    local box <close> = H.open()
    local numbers = { H.MONEY_2, "nobody", H.MONEY, H.MONEY }
    local code, _, envelope = box:call("authDevices", { deviceNos = numbers })
    assert.equal("100000", code)
    assert.equal(2, #envelope.result)
    assert.equal(H.MONEY, envelope.result[1].deviceNum)
    assert.equal(box:id(H.MONEY), envelope.result[1].platId)
    assert.matches("^%d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d$", envelope.result[1].productTime)
    assert.equal("500001", code_of(box:call("authDevices", { deviceNos = { "nobody" } })))
  end)
end)

describe("the sandbox's envelope", function()
  it("says what the document says", function()
    local box <close> = H.open()
    local _, _, good = box:call("cancel", { deviceId = box:id(H.GAS) })
    assert.same({ responseCode = "100000", message = "运行正确", result = core.null, args = "" }, good)
    local _, _, bad = box:call("query", { deviceNo = "nobody" })
    assert.same({ responseCode = "500001", message = "设备信息不存在", result = core.null, args = "" }, bad)
  end)

  it("has creatCmd's error text twice (C6)", function()
    local box <close> = H.open()
    local _, _, bad = box:call("creatCmd", { deviceId = NOBODY, command = { method = "ACCOUNT_CANCEL" } })
    assert.same({
      responseCode = "500001", message = "设备信息不存在", result = "设备信息不存在", args = "",
    }, bad)
  end)
end)

-- Bad arguments, endpoint by endpoint; ID stands for the first money meter's id.
local BAD = {
  { "register", { deviceNo = NEW }, "101001" },
  { "register", { manuId = 2, deviceNo = NEW }, "101001" },
  { "register", { manuId = 1 }, "101001" },
  { "register", { manuId = 1, deviceNo = ("1"):rep(33) }, "101001" },
  { "register", { manuId = 1, deviceNo = NEW, userNo = ("1"):rep(25) }, "101001" },
  { "register", { manuId = 1, deviceNo = NEW, userName = ("张"):rep(65) }, "101001" },
  { "register", { manuId = 1, deviceNo = NEW, userAddress = ("张"):rep(129) }, "101001" },
  { "register", { manuId = 1, deviceNo = NEW, syncFlag = 2 }, "101001" },
  { "register", { manuId = 1, deviceNo = NEW, companyCode = "12345" }, "500002" },
  { "register", { manuId = 1, deviceNo = NEW, companyCode = "999999" }, "500002" },
  { "register", { manuId = 2, deviceNo = NEW, companyCode = "999999" }, "101001" },
  { "update", { deviceId = "short" }, "500001" },
  { "update", { deviceId = NOBODY }, "500001" },
  { "update", { deviceId = "ID", syncFlag = 7 }, "101001" },
  { "update", {}, "500001" },
  { "query", { companyCode = "999999", deviceNo = H.MONEY }, "500002" },
  { "query", { deviceNo = "nobody" }, "500001" },
  { "query", {}, "101001" },
  { "cancel", { deviceId = NOBODY }, "500001" },
  { "authDevices", { deviceNos = core.array {} }, "101001" },
  { "authDevices", {}, "101001" },
  { "authDevices", { deviceNos = { ("1"):rep(33) } }, "101001" },
  { "authDevices", { deviceNos = { NEW }, companyCode = "999999" }, "500002" },
  { "creatCmd", { deviceId = "ID" }, "101001" },
  { "creatCmd", { deviceId = "ID", command = { method = "NO_SUCH" } }, "500013" },
  { "creatCmd", { deviceId = "ID", command = { method = "ACCOUNT_CANCEL" }, expireTime = 0 }, "101001" },
  { "creatCmd", { deviceId = "ID", command = { method = "ACCOUNT_CANCEL" }, expireCount = 6 }, "101001" },
  { "queryCmd", { deviceId = "ID", commandId = NOBODY }, "500043" },
  { "queryCmd", { deviceId = "ID", commandId = "short" }, "500043" },
  { "queryCmd", { deviceId = NOBODY, commandId = NOBODY }, "500001" },
  { "batchQueryCmd", { commandIds = {} }, "500048" },
  { "batchQueryCmd", { commandIds = { "short" } }, "500048" },
  { "batchQueryCmd", { commandIds = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 } }, "500048" },
  { "batchQueryCmd", { commandIds = { NOBODY }, companyCode = "666666" }, "500002" },
  { "cancelCmd", { deviceId = "ID", commandId = NOBODY }, "500043" },
  { "queryReportData", { deviceId = "ID", msgType = "2" }, "500049" },
  { "queryReportData", { deviceId = "ID" }, "500049" },
  { "queryReportData", { deviceId = NOBODY, msgType = "0" }, "500001" },
  { "queryReportData", { deviceId = "ID", msgType = "0" }, "500050" },
  { "queryReportData", { deviceId = "ID", msgType = "1" }, "500050" },
}

describe("the sandbox refuses", function()
  for _, case in ipairs(BAD) do
    it(case[1] .. " " .. core.encode(case[2]) .. " with " .. case[3], function()
      local box <close> = H.open()
      if case[2].commandIds and #case[2].commandIds > 1 then
        for i in ipairs(case[2].commandIds) do case[2].commandIds[i] = NOBODY end
      end
      local args = {}
      for name, value in pairs(case[2]) do args[name] = value == "ID" and box:id(H.MONEY) or value end
      assert.equal(case[3], code_of(box:call(case[1], args)))
    end)
  end
end)

-- One bad parameter of each command, with the code it earns.
local COMMANDS = {
  { H.MONEY, "VALVE_CONTROL", {}, "controlFlag", { false, 2, "x" }, "500015" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "prepaidType", { false, 2 }, "500018" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "priceOne", { false, 30.01, -0.01, 3.285 }, "500020" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "priceFive", { false, 31 }, "500020" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "ladderGasOne", { false, -1, 1.5 }, "500025" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "ladderGasFour", { false, 2147483648 }, "500025" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "ladderGasTwo", { 299 }, "500026" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "priceVer", { false, 0, 256 }, "500028" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "pricePeriod", { false, 0, 256 }, "500029" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "priceTime", { false, "20250230000000", "2025" }, "500027" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "ladderTime", { false, "20251301000000" }, "500030" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "clearMark", { 2 }, "500031" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "gasType", { false, 0, 256 }, "500035" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "billNo", { false, -1, 65536 }, "500032" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "rechargeValue", { false, -1, 2147483.65, 0.001 }, "500033" },
  { H.MONEY, "ACCOUNT_OPEN", H.opening(), "cardNo", { false, "123", "12345678901", "12345678x0" }, "500034" },
  { H.MONEY, "RECHARGE_REMOTE", { billNo = 1, rechargeValue = 1 }, "prepaidType", { false, 5 }, "500018" },
  { H.MONEY, "RECHARGE_REMOTE", { prepaidType = 0, rechargeValue = 1 }, "billNo",
    { false, 0, 65536 }, "500032" },
  { H.MONEY, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1 }, "rechargeValue",
    { false, -2147483.65, 0.001, "1e2" }, "500033" },
  { H.MONEY, "LADDER_VALUE_CHANGE", {}, "ladderValue", { false, -0.1, 0.05, 214748364.8 }, "500039" },
  { H.MONEY, "PRICE_CHANGE", H.tariff(), "priceThree", { false, 30.5 }, "500020" },
  { H.MONEY, "PRICE_CHANGE", H.tariff(), "ladderGasThree", { 419 }, "500026" },
  { H.MONEY, "PRICE_CHANGE", H.tariff(), "gasType", { false }, "500035" },
  { H.MONEY, "PRICE_READ", {}, "priceType", { false, 2 }, "101001" },
  { H.BACKEND, "ACCOUNT_OPEN", {}, "billingMethod", { 2, "x" }, "500017" },
  { H.BACKEND, "ACCOUNT_OPEN",
    { billingMethod = 1, prepaidType = 0, surplusValue = 1, price = 1, ladderNo = 1 },
    "accountDate", { false, "2025" }, "500022" },
  { H.BACKEND, "ACCOUNT_OPEN",
    { billingMethod = 1, prepaidType = 0, surplusValue = 1, price = 1, accountDate = H.START },
    "ladderNo", { false, 8 }, "500021" },
  { H.BACKEND, "ACCOUNT_OPEN", { billingMethod = 1, prepaidType = 0, surplusValue = 1, ladderNo = 1,
    accountDate = H.START }, "price", { false, 100.01 }, "500020" },
  { H.BACKEND, "BALANCE_SYNC", { prepaidType = 0, price = 3.28, accountDate = H.START },
    "surplusValue", { false, 2147483.645 }, "500019" },
  { H.BACKEND, "BALANCE_SYNC", { prepaidType = 0, surplusValue = 1, accountDate = H.START },
    "price", { false, 30.01 }, "500020" },
  { H.BACKEND, "BALANCE_SYNC", { prepaidType = 0, surplusValue = 1, price = 1, accountDate = H.START },
    "ladderNo", { 0, 8 }, "500021" },
  { H.BACKEND, "BALANCE_SYNC", { prepaidType = 0, surplusValue = 1, price = 1 },
    "accountDate", { false }, "500022" },
}

describe("the sandbox refuses a command's parameter", function()
  for _, case in ipairs(COMMANDS) do
    it(case[2] .. " " .. case[4] .. " with " .. case[6], function()
      local box <close> = H.open()
      for _, value in ipairs(case[5]) do
        local paras = {}
        for name, each in pairs(case[3]) do paras[name] = each end
        paras[case[4]] = value or nil
        assert.equal(case[6], code_of(box:command(case[1], case[2], paras)), tostring(value))
      end
      assert.same({}, box.sandbox:ledger())
    end)
  end

  it("of another kind of meter with 500013", function()
    local box <close> = H.open()
    local sync = { prepaidType = 0, surplusValue = 1, price = 1, accountDate = H.START }
    for _, case in ipairs {
      { H.MONEY, "BALANCE_SYNC", sync },
      { H.MONEY, "ACCOUNT_OPEN", { billingMethod = 0 } },
      { H.MONEY, "RECHARGE_REMOTE", { prepaidType = 1, billNo = 1, rechargeValue = 1 } },
      { H.GAS, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = 1 } },
      { H.GAS, "PRICE_READ", { priceType = 0 } },
      { H.GAS, "BALANCE_SYNC", sync },
      { H.BACKEND, "ACCOUNT_CANCEL", {} },
      { H.BACKEND, "PRICE_CHANGE", H.tariff() },
      { H.BACKEND, "ACCOUNT_OPEN", H.opening() },
    } do
      assert.equal("500013", code_of(box:command(case[1], case[2], case[3])), case[1] .. " " .. case[2])
    end
  end)
end)

describe("the sandbox reads leniently", function()
  it("takes what the document leaves open", function()
    local box <close> = H.open()
    for _, case in ipairs {
      { "ACCOUNT_CANCEL", core.null }, { "ACCOUNT_CANCEL", "" }, { "ACCOUNT_CANCEL", nil },
      { "VALVE_CONTROL", '{"controlFlag":1}' }, { "VALVE_CONTROL", { controlFlag = "1" } },
      { "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = 0 } },
      { "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = "100.50" } },
      { "PRICE_CHANGE", H.tariff { ladderGasFive = 7 } },
      { "ACCOUNT_OPEN", H.opening { billNo = 0 } },
    } do
      assert.equal("100000", code_of(box:command(H.MONEY, case[1], case[2])), case[1])
    end
    local without = H.tariff()
    without.clearMark = nil
    assert.equal("100000", code_of(box:command(H.MONEY, "PRICE_CHANGE", without)))
    local shown = {
      billingMethod = 1, prepaidType = 1, surplusValue = -2147483.648, price = 100, ladderNo = 7,
      accountDate = H.START,
    }
    assert.equal("100000", code_of(box:command(H.BACKEND, "ACCOUNT_OPEN", shown)))
    local extra = { expireTime = 1, expireCount = 5 }
    assert.equal("100000", code_of(box:command(H.MONEY, "ACCOUNT_CANCEL", {}, extra)))
  end)

  it("takes query by POST, with deviceNo in the body or a form", function()
    local box <close> = H.open()
    local target = "/iotcloud/app/devices/v1.0.0/query?companyCode=000000"
    for _, case in ipairs {
      { target .. "&deviceNo=" .. H.MONEY, "" },
      { target, core.encode { deviceNo = H.MONEY } },
      { target, "deviceNo=" .. H.MONEY, "application/x-www-form-urlencoded" },
    } do
      local id, token = box.signer:sign()
      local reply = loop.fetch(box.transport, {
        method = "POST", target = case[1], body = case[2],
        headers = {
          "RandomCode: " .. id, "Authorization: " .. token, "Content-Type: " .. (case[3] or "text/plain"),
        },
      })
      assert.equal("100000", core.read_reply("query", reply.body).code)
    end
  end)

  it("takes PUT creatCmd with a commandId as a cancel (C24)", function()
    local box <close> = H.open()
    local _, id = box:command(H.MONEY, "ACCOUNT_CANCEL")
    local target = ("/iotcloud/app/cmd/v1.0.0/creatCmd?deviceId=%s"):format(box:id(H.MONEY))
    assert.equal(405, box:send("PUT", target).status)
    local reply = box:send("PUT", target .. "&commandId=" .. id)
    assert.equal("100000", core.read_reply("cancelCmd", reply.body).code)
    assert.equal(5, (box:state(H.MONEY, id)))
  end)
end)

describe("the sandbox's HTTP", function()
  it("refuses what is no call", function()
    local box <close> = H.open()
    for _, case in ipairs {
      { "GET", "/", 404 }, { "GET", "/%ff", 404 }, { "GET", "/iotcloud/app/%e6/x/y", 404 },
      { "GET", "/iotcloud/app/devices/v1.0.0/nothing", 404 },
      { "GET", "/iotcloud/app/cmd/v1.0.0/query", 404 },
      { "GET", "/iotcloud/app/devices/v1.0.0/register", 405 },
      { "PUT", "/iotcloud/app/devices/v1.0.0/query", 405 },
      { "POST", "/iotcloud/app/cmd/v1.0.0/queryCmd", 405 },
    } do
      local reply = box:send(case[1], case[2])
      assert.equal(case[3], reply.status, case[2])
      assert.matches("xfiot sandbox", reply.body)
      assert.is_table(core.decode(reply.body))
    end
  end)

  it("checks version, then token, then parameters", function()
    local box <close> = H.open()
    local bad = { "RandomCode: 2026010100000080000000", "Authorization: " .. ("0"):rep(64) }
    local function code(version, headers, body)
      local target = ("/iotcloud/app/devices/%s/register?companyCode=000000"):format(version)
      return core.read_reply("register", box:send("POST", target, body, headers).body).code
    end
    assert.equal("500000", code("v2.0.0", { table.unpack(bad) }, "{"))
    assert.equal("500003", code("v1.0.0", { table.unpack(bad) }, "{"))
    assert.equal("500003", code("v1.0.0", {}, "{"))
    assert.equal("500003", code("v1.0.0", { "RandomCode: 1" }, "{"))
    assert.equal("101001", code("v1.0.0", nil, "{"))
    assert.equal("101001", code("v1.0.0", nil, "[]"))
    assert.equal("101001", code("v1.0.0", nil, ""))
  end)

  it("takes a token in capitals and used before (C1, A13)", function()
    local box <close> = H.open()
    local id, token = box.signer:sign("x")
    for _ = 1, 2 do
      local headers = { "RandomCode: " .. id, "Authorization: " .. token:upper() }
      local target = "/iotcloud/app/devices/v1.0.0/query?companyCode=000000&deviceNo=" .. H.MONEY
      local reply = box:send("GET", target, nil, headers)
      assert.equal("100000", core.read_reply("query", reply.body).code)
    end
  end)

  it("wears its name in every reply", function()
    local http = require "xfiot.sandbox.http"
    local answers, requests = {}, {
      { id = 1, method = "GET", path = "/", query = {}, headers = {} },
      { id = 2, method = "GET", path = "/sandbox/status", query = {}, headers = {} },
      { id = 3, method = "GET", path = "/iotcloud/app/devices/v1.0.0/query", query = {}, headers = {} },
    }
    local face = http.new {
      listener = {
        take = function() return table.remove(requests, 1) end,
        answer = function(_, id, answer) answers[id] = answer end,
      },
      control = function(request) return request.id == 2 and { status = 200, body = "{}" } or nil end,
      faults = { next = function() end }, signer = core.signer { example = true }, log = function() end,
    }
    face:pump()
    assert.equal(3, #answers)
    for _, answer in ipairs(answers) do assert.equal("1", answer.headers["X-Xfiot-Sandbox"]) end
  end)
end)
