-- What is made of replies, pushes and command results: the document's examples,
-- its contradictions (C) and open points (A), and what a broken platform may say.
local H = require "spec.helper"
local cjson = require "cjson"
local core = require "xfiot.core"

local ID = "c397429e5b79131673ae176a7124ffba"
local DEVICE = "673ae176a7124ffbac397429e5b79131"
local TIME = "20190819175939"

local function example(name) return H.read("spec/contract/examples/" .. name .. ".json") end

local function reply(name, result, more)
  local body = { responseCode = "100000", message = "运行正确", args = "", result = result }
  for key, value in pairs(more or {}) do body[key] = value end
  return core.read_reply(name, core.encode(body))
end

-- A reply's text with one result, as JSON.
local function success(result) return ('{"responseCode":"100000","result":%s}'):format(result) end

describe("the document's example of", function()
  -- The examples' own result: null means nothing here.
  local function plain(name)
    local body = cjson.decode(example(name .. ".response"))
    return body.result ~= cjson.null and body.result or nil, body
  end

  for _, name in ipairs { "register", "update", "query", "cancel", "authDevices", "creatCmd", "cancelCmd",
                          "queryReportData" } do
    it("a reply to " .. name, function()
      local result, body = plain(name)
      local got = core.read_reply(name, example(name .. ".response"))
      assert.same({ body.responseCode, result }, { got.code, got.result })
    end)
  end

  it("a reply to queryCmd, its commandResult a number (C22)", function()
    local result = core.read_reply("queryCmd", example "queryCmd.response").result
    assert.same({
      commandId = ID, commandUpdateTime = TIME, commandState = 1, resultDetail = { commandResult = 0 },
    }, result)
    assert.equal("integer", math.type(result.commandState))
    assert.equal("integer", math.type(result.resultDetail.commandResult))
  end)

  it("a reply to batchQueryCmd, an empty resultDetail gone (C21)", function()
    local result = plain "batchQueryCmd"
    for _, item in ipairs(result) do item.resultDetail = nil end
    assert.same(result, core.read_reply("batchQueryCmd", example "batchQueryCmd.response").result)
  end)

  it("a report, a flag missing (C29)", function()
    local messages = core.read_push("push.reportData", example "push.reportData.request")
    assert.same(cjson.decode(example "push.reportData.request"), messages)
    assert.is_nil(messages[1].callbackData.data[1].serviceData.meterStatus.accountFlag)
  end)

  it("a command's response, its commandResult a number (C22)", function()
    local expected = cjson.decode(example "push.commandResponse.request")
    expected[1].callbackData.commandResult = 0
    assert.same(expected, core.read_push("push.commandResponse", example "push.commandResponse.request"))
  end)
end)

describe("a reply is typed:", function()
  local function item(detail, state)
    return ('{"commandId":"%s","commandState":%s,"commandUpdateTime":"%s"%s}'):format(ID, state or "1", TIME,
      detail and ',"resultDetail":' .. detail or "")
  end
  local function typed(detail, state)
    local result = { commandId = ID, commandState = state or 1, commandUpdateTime = TIME,
      resultDetail = detail }
    return result
  end
  local device = '{"manuId":1,"deviceNo":"1","deviceId":"' .. DEVICE .. '","deviceState":2,"syncFlag":0%s}'
  local function record(more)
    local result = { manuId = 1, deviceNo = "1", deviceId = DEVICE, deviceState = 2, syncFlag = 0 }
    for key, value in pairs(more or {}) do result[key] = value end
    return result
  end
  local auth = { deviceNum = "1", platId = ID, productTime = "20190912101446" }

  -- what, operation, result as JSON, result as typed
  local rows = {
    { "no result yet: absent", "queryCmd", item(), typed() },
    { 'no result yet: "" (C21)', "queryCmd", item '""', typed() },
    { "no result yet: null (C21)", "queryCmd", item "null", typed() },
    { "no result yet: {} (C21)", "queryCmd", item "{}", typed() },
    { "no result yet: {} as text (C20, C21)", "queryCmd", item '"{}"', typed() },
    { "a result as text (C20)", "queryCmd", item [["{\"commandResult\":\"1\",\"billNo\":\"7\"}"]],
      typed { commandResult = 1, billNo = "7" } },
    { "a result as a number", "queryCmd", item '{"commandResult":1}', typed { commandResult = 1 } },
    { "a commandResult that is neither 0 nor 1 (C22)", "queryCmd", item '{"commandResult":"ok"}',
      typed { commandResult = "ok" } },
    { "another commandResult (C22)", "queryCmd", item '{"commandResult":"2"}', typed { commandResult = 2 } },
    { "a state that is not listed", "queryCmd", item(nil, "9"), typed(nil, 9) },
    { "members that no row knows stay", "queryCmd", item '{"commandResult":0,"x":[1,{"y":null}]}',
      typed { commandResult = 0, x = { 1, { y = core.null } } } },
    { "a time as a number", "queryCmd",
      ('{"commandId":"%s","commandState":1,"commandUpdateTime":%s}'):format(ID, TIME), typed() },
    { "a list", "batchQueryCmd", "[" .. item() .. "," .. item '{"commandResult":"0"}' .. "]",
      { typed(), typed { commandResult = 0 } } },
    { "an empty list", "batchQueryCmd", "[]", {} },
    { "user fields absent (C13)", "query", device:format "", record() },
    { "user fields null or empty (C13)", "query",
      device:format ',"userNo":null,"userName":"","userAddress":"a"',
      record { userAddress = "a" } },
    { "iccidCode of any length, or empty (C12)", "query", device:format ',"iccidCode":"89861118"',
      record { iccidCode = "89861118" } },
    { "iccidCode null (C12)", "query", device:format ',"iccidCode":null,"imeiCode":""', record() },
    { "a userNo that came as a number", "query", device:format ',"userNo":17', record { userNo = "17" } },
    { "authDevices by the example's names (C16)", "authDevices",
      ('[{"deviceNum":"1","platId":"%s","productTime":"20190912101446"}]'):format(ID), { auth } },
    { "a command id", "creatCmd", ('"%s"'):format(ID), ID },
    { "explanations are ignored (C44)", "update", '{"any":1}', nil },
    { "explanations as text are ignored (C44)", "cancelCmd", '"done"', nil },
  }
  for _, row in ipairs(rows) do
    local name, operation, result, expected = table.unpack(row, 1, 4)
    it(name, function()
      local got, why = core.read_reply(operation, success(result))
      assert.is_nil(why)
      assert.same({ "100000", expected }, { got.code, got.result })
    end)
  end

  it("authDevices by the document's other names too (C16)", function()
    local list = { { deviceNo = "1", deviceId = ID, productTime = "2019-09-12 10:14:46" } }
    local got = reply("authDevices", list).result[1]
    assert.same({ "1", ID, "2019-09-12 10:14:46" }, { got.deviceNum, got.platId, got.productTime })
  end)

  it("a message that is no text is none; extra members of the envelope are nothing", function()
    assert.same({ code = "100000", message = "", result = ID }, reply("creatCmd", ID, { message = 5,
      extra = {} }))
  end)

  it("a name that stands there twice makes it no answer: it could mean two things", function()
    for _, text in ipairs {
      '{"responseCode":"100000","result":"' .. ID .. '","responseCode":"500013"}',
      '{"responseCode":"500013","responseCode":"500013"}',
      '{"responseCode":"500013","respons\\u0065Code":"100000"}',
      '{"responseCode":"500013","x":{"a":1,"a":2}}',
    } do
      local got, why = core.read_reply("creatCmd", text)
      assert.is_nil(got)
      assert.matches("could mean two things", why)
    end
  end)

  it("a code that came as a number is its text", function()
    assert.equal("500033", core.read_reply("creatCmd", '{"responseCode":500033}').code)
  end)

  it("a failed creatCmd may have its explanation in result (C6); it is never a command id", function()
    local got = reply("creatCmd", ID, { responseCode = "500014", message = "" })
    assert.same({ code = "500014", message = "", result = ID }, got)
    assert.same({ code = "500033", message = "m" },
      reply("creatCmd", core.null, { responseCode = "500033", message = "m" }))
    assert.same({ code = "500033", message = "m" },
      reply("creatCmd", { a = 1 }, { responseCode = "500033", message = "m" }))
  end)

  it("a failure needs no result, whatever is there (C5)", function()
    for _, result in ipairs { "null", '"x"', "[]", '{"deviceId":1}' } do
      local body = ('{"responseCode":"500001","result":%s}'):format(result)
      assert.equal("500001", core.read_reply("query", body).code)
    end
  end)
end)

-- There is a short way for the commonest reply; a member that is no scalar bars it.
describe("a plain reply is read as one with more in it:", function()
  local id = ('"result":"%s"'):format(ID)
  local rows = {
    '"responseCode":"100000",' .. id, id .. ',"responseCode":"100000"', '"responseCode":100000,' .. id,
    ' "args" : "" , "responseCode" :\t"100000",\n"message":"\\u4e2d\\"\\\\",' .. id
      .. ' ,"n":-1.5e+3,"t":true,"z":null',
    '"responseCode":"500033",' .. id, '"responseCode":"500014",' .. id .. ',"message":"m"',
    '"responseCode":"100000","result":"c397429e5b79131673ae176a7124ff\\u0062a"',
    '"responseCode":"100000","result":"' .. ID:sub(1, 26) .. '\\u0062"',
    '"responseCod\\u0065":"100000",' .. id, '"responseCode":"10000\\u0030",' .. id,
    '"responseCode":"100000","result":"' .. ID .. '0"', '"responseCode":"100000","result":"' .. ID:sub(2)
      .. '"',
    '"responseCode":"100000","result":null', '"responseCode":"100000","result":1',
      '"responseCode":"1000000",' .. id,
    '"responseCode":"",' .. id, '"responseCode":null,' .. id, '"responseCode":"100000","Result":"' .. ID
      .. '"',
    '"responseCode":"100000","responseCode":"500014",' .. id,
      '"responseCode":"500014","responseCode":"100000",' .. id,
    '"responseCode":"100000","result":"' .. DEVICE .. '",' .. id, id
      .. ',"result":null,"responseCode":"100000"',
    '"responseCode":"100000","result\\u0000":"' .. ID .. '"', '"message":"\\"result\\":",' .. id
      .. ',"responseCode":"100000"',
    '"message":"}","responseCode":"100000",' .. id, '"responseCode":"100000",' .. id .. ',"":""',
  }
  for i, members in ipairs(rows) do
    it(("row %d"):format(i), function()
      local short, why_short = core.read_reply("creatCmd", "{" .. members .. "}")
      local long, why_long = core.read_reply("creatCmd", "{" .. members .. ',"more":[]}')
      assert.equal(why_long, why_short)
      assert.same(long and { long.code, long.result }, short and { short.code, short.result })
    end)
  end
end)

describe("a reply that is not the documented envelope is refused:", function()
  local rows = {
    { "empty", "" }, { "white space", " \n" }, { "HTML", "<html></html>" }, { "cut",
      '{"responseCode":"1000' },
    { "null", "null" }, { "text", '"100000"' }, { "a number", "100000" }, { "a list",
      '[{"responseCode":"100000"}]' },
    { "no code", ('{"result":"%s"}'):format(ID) }, { "a code of null", '{"responseCode":null}' },
    { "a code that is a list", '{"responseCode":["100000"]}' }, { "a short code",
      '{"responseCode":"10000"}' },
    { "a code with a space", '{"responseCode":" 100000"}' },
    { "a code with a NUL", '{"responseCode":"100000\\u0000"}' },
    { "code in other letters", ('{"responsecode":"100000","result":"%s"}'):format(ID) },
    { "success without result", '{"responseCode":"100000"}' }, { "success with null", success "null" },
    { "success with a short id", success '"x"' }, { "success with an empty id", success '""' },
    { "success with an object for the id", success "{}" }, { "success with a long id", success('"' .. ID
      .. '0"') },
    { "success with true", success "true" },
    { "invalid UTF-8", success '"\xff"' }, { "a NaN", '{"responseCode":NaN}' },
    { "33 levels", success(("["):rep(32) .. ("]"):rep(32)) },
    { "something behind it", success(('"%s"'):format(ID)) .. "x" },
    { "a NUL behind it", success(('"%s"'):format(ID)) .. "\0" },
    { "a byte order mark", "\xef\xbb\xbf" .. success(('"%s"'):format(ID)) },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local got, why = core.read_reply("creatCmd", row[2])
      assert.is_nil(got)
      assert.matches("^the reply ", why)
    end)
  end

  local wrong = {
    { "query", "[]" }, { "query", '"x"' }, { "query", "{}" },
    { "query", '{"manuId":1,"deviceNo":"1","deviceId":"short","deviceState":2,"syncFlag":0}' },
    { "query",
      ('{"manuId":"one","deviceNo":"1","deviceId":"%s","deviceState":2,"syncFlag":0}'):format(DEVICE) },
    { "query",
      ('{"manuId":1.5,"deviceNo":"1","deviceId":"%s","deviceState":2,"syncFlag":0}'):format(DEVICE) },
    { "query", ('{"manuId":1,"deviceNo":{},"deviceId":"%s","deviceState":2,"syncFlag":0}'):format(DEVICE) },
    { "batchQueryCmd", '"x"' }, { "batchQueryCmd", "[null]" }, { "batchQueryCmd", "[[]]" },
    { "batchQueryCmd", '[{"commandState":1}]' }, { "authDevices", '[{"deviceNum":"1"}]' },
    { "queryCmd", ('{"commandId":"%s","commandUpdateTime":"","commandState":true}'):format(ID) },
    { "queryReportData", '{"callbackType":"0"}' },
  }
  for i, row in ipairs(wrong) do
    it(("%s, row %d"):format(row[1], i), function()
      local got, why = core.read_reply(row[1], success(row[2]))
      assert.is_nil(got)
      assert.matches("^the reply ", why)
    end)
  end

  it("with the path of what is wrong", function()
    local _, why = core.read_reply("batchQueryCmd",
      success(('[{"commandId":"%s","commandState":{},"commandUpdateTime":""}]'):format(ID)))
    assert.matches("result[1].commandState must be an integer", why, 1, true)
  end)

  it("and no operation of another name is read", function()
    assert.has_error(function() core.read_reply("creatCommand", success "1") end)
  end)
end)

describe("pushes:", function()
  local function message(data, more)
    local callback = { meterNo = "1", commType = "1", chargeType = "2", meterType = "0", reportType = "0",
      data = data }
    for key, value in pairs(more or {}) do
      if value == "nil" then callback[key] = nil else callback[key] = value end
    end
    return { callbackType = "0", msgDeviceType = "0", deviceId = DEVICE, receiveTime = TIME,
      callbackData = callback }
  end
  local function read(...)
    local messages, why = core.read_push("push.reportData", core.encode(core.array { message(...) }))
    return messages and messages[1].callbackData, why
  end
  local NOTHING = core.array {}

  it("an empty list is no message", function()
    assert.same({}, core.read_push("push.reportData", "[]"))
  end)

  it("a reportType of one or two characters (C23), numbers for text", function()
    for _, given in ipairs { "0", "99", 99, "7" } do
      assert.equal(tostring(given), read(NOTHING, { reportType = given }).reportType)
    end
  end)

  it("services: numbers become text, empty and null ones are missing (A19)", function()
    local got = read { { serviceId = "FlowMeterInfo", serviceData = {
      standardTotalValue = 12.5, workTotalValue = "", temperatureValue = core.null, pressureValue = "101.325",
      standardInstantValue = 7,
    } } }
    assert.same({ standardTotalValue = "12.5", pressureValue = "101.325", standardInstantValue = "7" },
      got.data[1].serviceData)
  end)

  it("an unknown service stays as it came (C27)", function()
    local data = { a = { 1, "x" }, b = core.null }
    assert.same(data, read({ { serviceId = "NewInfo", serviceData = data } }).data[1].serviceData)
  end)

  it("ConcentratorWarnDataInfo reads as WarnDataInfo (C27)", function()
    for _, service in ipairs { "WarnDataInfo", "ConcentratorWarnDataInfo" } do
      local event = { warnDate = TIME, warnType = "0001H", warnState = 1 }
      local got = read { { serviceId = service, serviceData = { warnEvents = { event } } } }
      assert.same({ warnEvents = { { warnDate = TIME, warnType = "0001H", warnState = "1" } } },
        got.data[1].serviceData)
    end
  end)

  it("one flat frozen record is a list of one (C28)", function()
    local record = { frozenType = "3", frozenDate = "20180424000000", frozenValue = "1.8" }
    assert.same({ frozenRecords = { record } },
      read({ { serviceId = "FrozenValueInfo", serviceData = record } }).data[1].serviceData)
    assert.same({ frozenRecords = { record } },
      read({ { serviceId = "FrozenValueInfo",
        serviceData = { frozenRecords = { record } } } }).data[1].serviceData)
  end)

  it("concentrators need no commType and chargeType (A26)", function()
    local got, why = read(NOTHING, { meterType = "2", commType = "nil", chargeType = "nil" })
    assert.is_nil(why)
    assert.equal("2", got.meterType)
    assert.equal("7", read(NOTHING, { meterType = "2", chargeType = "7" }).chargeType)
  end)

  it("meters do", function()
    assert.is_nil(read(NOTHING, { commType = "nil" }))
    assert.is_nil(read(NOTHING, { chargeType = "nil" }))
  end)

  it("a response's callbackData as text (C20)", function()
    local body = core.encode { { callbackType = "1", msgDeviceType = "0", deviceId = DEVICE, commandId = ID,
      receiveTime = TIME, callbackData = '{"commandResult":"0","billNo":"9"}' } }
    assert.same({ commandResult = 0, billNo = "9" },
      core.read_push("push.commandResponse", body)[1].callbackData)
  end)

  for _, body in ipairs { "", "{}", "null", '"x"', "1", "[1]", "[null]", "[[]]", "[{}]", '{"a":[]}', "[}",
    "[1",
                          '[{"callbackType":"0"}]' } do
    it(("%s is no list of messages"):format(body), function()
      local got, why = core.read_push("push.reportData", body)
      assert.is_nil(got)
      assert.equal("string", type(why))
    end)
  end

  it("no push of another name is read", function()
    assert.has_error(function() core.read_push("push.report", "[]") end)
  end)
end)

describe("a command's result", function()
  local price = {
    priceTime = TIME, priceVer = 3, ladderTime = TIME, pricePeriod = "12", priceOne = 2.5, ladderGasOne = 100,
    priceTwo = "3", ladderGasTwo = "200", priceThree = "3", ladderGasThree = "200", priceFour = "3",
    ladderGasFour = "200", priceFive = "3",
  }

  it("of a recharge", function()
    assert.same({ commandResult = 0, billNo = "5", surplusValue = "12.5" },
      core.read_result("RECHARGE_REMOTE", { commandResult = "0", billNo = 5, surplusValue = 12.5 }))
    assert.same({ commandResult = 0 }, core.read_result("RECHARGE_REMOTE", { commandResult = 0 }))
  end)

  it("of PRICE_READ has prices on success", function()
    price.commandResult = "0"
    local got = core.read_result("PRICE_READ", price)
    assert.same({ 0, "3", "2.5", "100" }, { got.commandResult, got.priceVer, got.priceOne, got.ladderGasOne })
    local _, why = core.read_result("PRICE_READ", { commandResult = "0" })
    assert.matches("^the result is not as documented: price", why)
  end)

  it("of PRICE_READ has none on failure (C38)", function()
    assert.same({ commandResult = 1 }, core.read_result("PRICE_READ", { commandResult = "1" }))
  end)

  it("is in every variant commandResult", function()
    for _, command in ipairs(core.contract().commands) do
      assert.same({ commandResult = 1 }, core.read_result(command.id, { commandResult = "1" }))
      assert.is_nil(core.read_result(command.id, {}))
    end
  end)

  it("of no known command raises", function()
    assert.has_error(function() core.read_result("ACCOUNT_OPEN", {}) end)
    assert.has_error(function() core.read_result("PRICE_READ", "{}") end)
  end)
end)
