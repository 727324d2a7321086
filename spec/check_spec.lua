-- The request checker: what passes is what would be sent, byte for byte; what does
-- not is named by path and code, all of it at once.
local H = require "spec.check_helper"
local core = require "xfiot.core"

local check = core.check
local contract = core.contract()

local COMPANY, DEVICE, COMMAND = H.COMPANY, H.DEVICE, H.COMMAND
local VALID = H.VALID
local copy, told, command_call = H.copy, H.told, H.command_call
local DEVICES = "/iotcloud/app/devices/v1.0.0/"
local COMMANDS = "/iotcloud/app/cmd/v1.0.0/"

local function lines(list)
  list = copy(list)
  table.sort(list)
  return table.concat(list, "\n")
end

local TIERS_TEXT = '"priceOne":2.5,"ladderGasOne":100,"priceTwo":3,"ladderGasTwo":200,"priceThree":4.05,'
  .. '"ladderGasThree":200,"priceFour":4.05,"ladderGasFour":200,"priceFive":4.05,'
local SINGLE_TEXT = '"priceOne":3.2,"ladderGasOne":0,"priceTwo":3.2,"ladderGasTwo":0,"priceThree":3.2,'
  .. '"ladderGasThree":0,"priceFour":3.2,"ladderGasFour":0,"priceFive":3.2,'
local TERMS_TEXT = '"priceVer":255,"pricePeriod":12,"priceTime":"20240131235959",'
  .. '"ladderTime":"20240229000000","clearMark":0'
local BALANCE_TEXT = ',"ladderNo":%d,"accountDate":"20240131235959"}'

-- What is sent for H.VALID.
local COMMAND_TEXTS = {
  ["VALVE_CONTROL"] = '{"controlFlag":1}',
  ["ACCOUNT_OPEN.meterPrepaid"] = '{"prepaidType":0,' .. TIERS_TEXT .. TERMS_TEXT
    .. ',"gasType":1,"billNo":1,"rechargeValue":100,"cardNo":"0123456789"}',
  ["ACCOUNT_CANCEL"] = "{}",
  ["RECHARGE_REMOTE"] = '{"prepaidType":0,"billNo":65535,"rechargeValue":100}',
  ["LADDER_VALUE_CHANGE"] = '{"ladderValue":214748364.7}',
  ["PRICE_CHANGE"] = "{" .. SINGLE_TEXT .. '"gasType":255,' .. TERMS_TEXT .. "}",
  ["PRICE_READ"] = '{"priceType":1}',
  ["ACCOUNT_OPEN.backendPrepaid"] = '{"billingMethod":1,"prepaidType":0,"surplusValue":-2147483.64,"price":30'
    .. BALANCE_TEXT:format(7),
  ["BALANCE_SYNC"] = '{"prepaidType":0,"surplusValue":0,"price":3.2' .. BALANCE_TEXT:format(1),
}

describe("a request that passes", function()
  local rows = {
    { "register, all fields", "register",
      { manuId = 1, deviceNo = "07602190100007116", userNo = "0000000001", userName = "张三",
        userAddress = 'a"\\/\n\t', syncFlag = 1 },
      DEVICES .. "register?companyCode=000001",
      '{"manuId":1,"deviceNo":"07602190100007116","userNo":"0000000001","userName":"张三",'
        .. '"userAddress":"a\\"\\\\/\\n\\t","syncFlag":1}' },
    { "register, the least", "register", { manuId = 1, deviceNo = "0" },
      DEVICES .. "register?companyCode=000001", '{"manuId":1,"deviceNo":"0"}' },
    { "register, companyCode of the call", "register",
      { companyCode = "999999", manuId = 1.0, deviceNo = "0" },
      DEVICES .. "register?companyCode=999999", '{"manuId":1,"deviceNo":"0"}' },
    { "register, empty optional texts left out", "register",
      { manuId = 1, deviceNo = "0", userNo = "", userName = "", userAddress = "x" },
      DEVICES .. "register?companyCode=000001", '{"manuId":1,"deviceNo":"0","userAddress":"x"}' },
    { "update", "update", { deviceId = DEVICE, userNo = "1", syncFlag = 0 },
      DEVICES .. "update?deviceId=" .. DEVICE, '{"userNo":"1","syncFlag":0}' },
    { "update, empty texts", "update", { deviceId = DEVICE, userName = "", syncFlag = 1 },
      DEVICES .. "update?deviceId=" .. DEVICE, '{"syncFlag":1}' },
    { "query", "query", { deviceNo = "07602190100007116" },
      DEVICES .. "query?companyCode=000001&deviceNo=07602190100007116", "" },
    { "query, text that needs escaping", "query", { deviceNo = "A b/中&=+%#?~-._" },
      DEVICES .. "query?companyCode=000001&deviceNo=A%20b%2F%E4%B8%AD%26%3D%2B%25%23%3F~-._", "" },
    { "cancel", "cancel", { deviceId = DEVICE }, DEVICES .. "cancel?deviceId=" .. DEVICE, "" },
    { "authDevices", "authDevices", { deviceNos = { "3333000001", "02" } },
      DEVICES .. "authDevices?companyCode=000001", '{"deviceNos":["3333000001","02"]}' },
    { "creatCmd, paras left out", "creatCmd", { deviceId = DEVICE, command = { method = "ACCOUNT_CANCEL" } },
      COMMANDS .. "creatCmd?deviceId=" .. DEVICE, '{"command":{"method":"ACCOUNT_CANCEL","paras":{}}}' },
    { "creatCmd, expiry", "creatCmd",
      command_call("VALVE_CONTROL", { controlFlag = 0.0 }, { expireTime = 86400, expireCount = 3 }),
      COMMANDS .. "creatCmd?deviceId=" .. DEVICE,
      '{"command":{"method":"VALVE_CONTROL","paras":{"controlFlag":0}},"expireTime":86400,"expireCount":3}' },
    { "queryCmd", "queryCmd", { deviceId = DEVICE, commandId = COMMAND },
      COMMANDS .. "queryCmd?deviceId=" .. DEVICE .. "&commandId=" .. COMMAND, "" },
    { "batchQueryCmd", "batchQueryCmd", { commandIds = { COMMAND, DEVICE } },
      COMMANDS .. "batchQueryCmd?companyCode=000001", ('["%s","%s"]'):format(COMMAND, DEVICE) },
    { "cancelCmd", "cancelCmd", { deviceId = DEVICE, commandId = COMMAND },
      COMMANDS .. "cancelCmd?deviceId=" .. DEVICE .. "&commandId=" .. COMMAND, "" },
    { "queryReportData", "queryReportData", { deviceId = DEVICE, msgType = "1" },
      "/iotcloud/app/msg/v1.0.0/queryReportData?deviceId=" .. DEVICE .. "&msgType=1", "" },
  }
  for _, row in ipairs(rows) do
    local name, operation, args, target, body = table.unpack(row)
    it(name, function()
      local faults, got_target, got_body = check(operation, args, COMPANY)
      assert.equal("", told(faults))
      assert.equal(target, got_target)
      assert.equal(body, got_body)
    end)
  end

  for _, command in ipairs(contract.commands) do
    it("creatCmd " .. command.id, function()
      local faults, target, body = check("creatCmd", command_call(command.method, VALID[command.id]))
      assert.equal("", told(faults))
      assert.equal(COMMANDS .. "creatCmd?deviceId=" .. DEVICE, target)
      assert.equal(('{"command":{"method":"%s","paras":%s}}'):format(command.method,
        COMMAND_TEXTS[command.id]), body)
      assert.same({ nil, command.id }, { core.check_command(command.method, VALID[command.id]) })
    end)
  end

  it("is the same by handle as by name", function()
    local handle = core.operations().cancel.operation
    assert.same({ check("cancel", { deviceId = DEVICE }) }, { check(handle, { deviceId = DEVICE }) })
  end)

  it("leaves the arguments as they were", function()
    local args = command_call("RECHARGE_REMOTE", { prepaidType = 1.0, billNo = 1, rechargeValue = "1.50" })
    check("creatCmd", args)
    assert.same(command_call("RECHARGE_REMOTE", { prepaidType = 1.0, billNo = 1, rechargeValue = "1.50" }),
      args)
    assert.equal("float", math.type(args.command.paras.prepaidType))
  end)

  it("may be as large as the contract lets it be", function()
    local ids = {}
    for i = 1, 10 do ids[i] = COMMAND end
    assert.is_nil((check("batchQueryCmd", { commandIds = ids }, COMPANY)))
    local numbers = {}
    for i = 1, 32 do numbers[i] = ("x"):rep(32) end
    assert.is_nil((check("authDevices", { deviceNos = numbers }, COMPANY)))
  end)

  it("is never built from what a metatable would say", function()
    local args = setmetatable({}, { __index = { deviceId = DEVICE } })
    assert.equal("deviceId 500001", told(check("cancel", args)))
  end)
end)

-- ---------------------------------------------------------------- what does not pass

local LONG = ("x"):rep(33)

describe("a request that does not pass:", function()
  local function ids(count)
    local list = {}
    for i = 1, count do list[i] = COMMAND end
    return list
  end
  local rows = {
    { "nothing given", "register", {}, { "companyCode 500002", "manuId 101001", "deviceNo 101001" },
      company = false },
    { "all bad at once", "register",
      { companyCode = "12345", manuId = "1", deviceNo = LONG, userNo = 1, userName = true, userAddress = {},
        syncFlag = 2, userno = "1" },
      { "companyCode 500002", "manuId 101001", "deviceNo 101001", "userNo 101001", "userName 101001",
        "userAddress 101001", "syncFlag 101001", "userno 101001" } },
    { "companyCode not of digits", "query", { companyCode = "00000a", deviceNo = "1" },
      { "companyCode 500002" } },
    { "companyCode of the settings not of digits", "query", { deviceNo = "1" }, { "companyCode 500002" },
      company = "0000001" },
    { "companyCode as a number", "query", { companyCode = 999999, deviceNo = "1" },
      { "companyCode 500002" } },
    { "a manufacturer that is not listed", "register", { manuId = 2, deviceNo = "1" }, { "manuId 101001" } },
    { "an empty text that is required", "query", { deviceNo = "" }, { "deviceNo 101001" } },
    { "a number for a deviceNo, which would lose its zero", "query", { deviceNo = 7602190100007116 },
      { "deviceNo 101001" } },
    { "update without syncFlag", "update", { deviceId = DEVICE }, { "syncFlag 101001" } },
    { "deviceId too short", "cancel", { deviceId = DEVICE:sub(2) }, { "deviceId 500001" } },
    { "deviceId too long", "cancel", { deviceId = DEVICE .. "0" }, { "deviceId 500001" } },
    { "deviceId missing", "cancel", {}, { "deviceId 500001" } },
    { "commandId and deviceId", "queryCmd", { deviceId = "", commandId = 1 }, { "deviceId 500001",
      "commandId 500043" } },
    { "cancelCmd's deviceId is no 6 characters", "cancelCmd", { deviceId = "123456", commandId = COMMAND },
      { "deviceId 500001" } },
    { "msgType as a number", "queryReportData", { deviceId = DEVICE, msgType = 0 }, { "msgType 500049" } },
    { "msgType not listed", "queryReportData", { deviceId = DEVICE, msgType = "2" }, { "msgType 500049" } },
    { "no list", "authDevices", { deviceNos = "1" }, { "deviceNos 101001" } },
    { "an empty list", "authDevices", { deviceNos = {} }, { "deviceNos 101001" } },
    { "33 numbers", "authDevices", { deviceNos = table.move(ids(32), 1, 32, 2, { "1" }) },
      { "deviceNos 101001" } },
    { "bad elements, each by itself", "authDevices", { deviceNos = { "1", LONG, 3, "", "5" } },
      { "deviceNos[2] 101001", "deviceNos[3] 101001", "deviceNos[4] 101001" } },
    { "a list with a hole", "authDevices", { deviceNos = { "1", nil, "3" } }, { "deviceNos 101001" },
      any_path = true },
    { "a list with a name in it", "authDevices", { deviceNos = { "1", a = "2" } }, { "deviceNos 101001" } },
    { "no ids", "batchQueryCmd", { commandIds = {} }, { "commandIds 500048" } },
    { "ids missing", "batchQueryCmd", {}, { "commandIds 500048" } },
    { "eleven ids", "batchQueryCmd", { commandIds = ids(11) }, { "commandIds 500048" } },
    { "ids given bare", "batchQueryCmd", { COMMAND }, { "(key that is no text) 101001",
      "commandIds 500048" } },
    { "malformed ids", "batchQueryCmd", { commandIds = { COMMAND, "1", 2 } },
      { "commandIds[2] 500048", "commandIds[3] 500048" } },
    { "command missing", "creatCmd", { deviceId = DEVICE }, { "command 101001" } },
    { "command as JSON text", "creatCmd", { deviceId = DEVICE, command = '{"method":"ACCOUNT_CANCEL"}' },
      { "command 101001" } },
    { "method missing", "creatCmd", { deviceId = DEVICE, command = {} }, { "command.method 500013" } },
    { "method not listed", "creatCmd", command_call("VALVE_CONTROLS", { controlFlag = 1 }),
      { "command.method 500013" } },
    { "method in other letters", "creatCmd", command_call("valve_control", { controlFlag = 1 }),
      { "command.method 500013" } },
    { "method with a NUL", "creatCmd", command_call("VALVE_CONTROL\0", { controlFlag = 1 }),
      { "command.method 500013" } },
    { "method that is no text", "creatCmd", command_call(1, {}), { "command.method 500013" } },
    { "paras as JSON text", "creatCmd", command_call("VALVE_CONTROL", '{"controlFlag":1}'),
      { "command.paras 101001" } },
    { "a stray member of command", "creatCmd",
      { deviceId = DEVICE, command = { method = "ACCOUNT_CANCEL", paras = {}, para = 1, [1] = 2 } },
      { "command.para 101001", "command.(key that is no text) 101001" } },
    { "parameters where none belong", "creatCmd", command_call("ACCOUNT_CANCEL", { reason = "moved" }),
      { "command.paras.reason 101001" } },
    { "parameters by position", "creatCmd", command_call("VALVE_CONTROL", { controlFlag = 1, 5 }),
      { "command.paras[1] 101001" } },
    { "ladderGasFive, which is none (C30)", "creatCmd",
      command_call("PRICE_CHANGE", copy(VALID.PRICE_CHANGE, { ladderGasFive = 0 })),
      { "command.paras.ladderGasFive 101001" } },
    { "everything at every level", "creatCmd",
      { deviceId = "x", expireTime = 86399, expireCount = 4, more = 1,
        command = {
          method = "RECHARGE_REMOTE",
          paras = { prepaidType = 2, billNo = 0, rechargeValue = 1.005, bill = 1 },
        } },
      { "deviceId 500001", "expireTime 101001", "expireCount 101001", "more 101001",
        "command.paras.prepaidType 500018", "command.paras.billNo 500032",
        "command.paras.rechargeValue 500033", "command.paras.bill 101001" } },
    { "expireTime of over 31 days", "creatCmd", command_call("ACCOUNT_CANCEL", {}, { expireTime = 2678401 }),
      { "expireTime 101001" } },
    { "expireTime as text", "creatCmd", command_call("ACCOUNT_CANCEL", {}, { expireTime = "86400" }),
      { "expireTime 101001" } },
    { "keys of other operations", "cancel", { deviceId = DEVICE, commandId = COMMAND, companyCode = COMPANY },
      { "commandId 101001", "companyCode 101001" } },
    { "keys that are no text", "cancel", { deviceId = DEVICE, [1] = 1, [true] = 1 },
      { "(key that is no text) 101001", "(key that is no text) 101001" } },
    { "a name that goes on behind a NUL", "register", { manuId = 1, deviceNo = "1", ["userNo\0x"] = "1" },
      { "userNo 101001" }, any_path = true },
    { "a parameter's name that goes on behind a NUL", "creatCmd",
      command_call("VALVE_CONTROL", { controlFlag = 1, ["controlFlag\0"] = 0 }),
      { "command.paras.controlFlag 101001" }, any_path = true },
  }
  for _, row in ipairs(rows) do
    local name, operation, args, expected = table.unpack(row)
    it(name, function()
      local company = row.company
      if company == nil then company = COMPANY end
      local faults, target, body = check(operation, args, company or nil)
      if row.any_path then -- what matters is that it is refused
        assert.equal(1, #(faults or {}))
      else
        assert.equal(lines(expected), told(faults))
      end
      assert.is_nil(target)
      assert.is_nil(body)
    end)
  end

  it("raises for an operation or a command that there is not, and for no table", function()
    assert.has_error(function() check("regster", {}) end)
    assert.has_error(function() check("cancel", "x") end)
    assert.has_error(function() core.check_command("NOTHING", {}) end)
    assert.has_error(function() core.check_command("VALVE_CONTROL", "{}") end)
  end)

  it("says in both languages what is asked for and what it got", function()
    local faults = check("creatCmd", command_call("RECHARGE_REMOTE", { prepaidType = 7, billNo = "5" }))
    local by_path = {}
    for _, fault in ipairs(faults) do by_path[fault.path] = fault end
    local bill = by_path["command.paras.billNo"]
    assert.equal('must be an integer from 1 to 65535, got "5"', bill.rule)
    assert.matches("1 到 65535", bill.rule_zh, 1, true)
    assert.matches("0 (Money), 1 (Gas volume), got 7", by_path["command.paras.prepaidType"].rule, 1, true)
    assert.matches("0（金额）", by_path["command.paras.prepaidType"].rule_zh, 1, true)
    assert.matches("^is missing; must be a decimal from %-2147483.64 to 2147483.64",
      by_path["command.paras.rechargeValue"].rule)
  end)

  it("tells clean text of whatever it was given", function()
    local texts = { "\xff\xfe", ("中"):rep(40), "a\27[31mb", "\0", ("x"):rep(1000), "\xe4\xb8", "\x7f" }
    for _, given in ipairs(texts) do
      for _, fault in ipairs(check("cancel", { deviceId = given, [given] = 1 })) do
        for _, text in ipairs { fault.path, fault.rule, fault.rule_zh } do
          assert.is_truthy(core.measure(text), ("no UTF-8 in %q"):format(text))
          assert.is_nil(text:find "%c", ("%q"):format(text))
        end
      end
    end
  end)

  it("takes hundreds of bad keys", function()
    local args = { deviceId = DEVICE }
    for i = 1, 1000 do args["k" .. i] = i end
    local faults = check("cancel", args)
    assert.is_true(#faults >= 100 and #faults <= 1000)
  end)
end)
