-- The program at its command line: what goes where, how it ends, what it never says.

local C = require "spec.cli_helper"
local helper = require "spec.helper"
local core = require "xfiot.core"

local SETTINGS = { "base_url", "company_code", "merchant_id", "key_file", "ca_file", "journal", "listen",
                   "reports_path", "responses_path", "connect_timeout", "timeout", "wait", "utc_offset",
                   "resolve_by_evidence", "allow_http" }
local MONEY = "30010000000001"

-- The document's own example (appendix 8).
local VECTOR = {
  env = { XFIOT_KEY = "0a155959379dc684bfa11f199734b01d", XFIOT_MERCHANT_ID = "43516709" },
  id = "2017072514484582299619", token = "70235129e6240134c5c15f2c7420eead971372e67a7f99f5e4c19203361411a1",
}

local folder
local function script(name, text)
  folder = folder or helper.tmpdir()
  return helper.write(folder .. "/" .. name, text)
end

-- What it printed, for a run that ended well and said nothing beside it.
local function output(words, options)
  local done = C.xfiot(words, options)
  assert.are.equal(0, done.status, done.stderr)
  assert.are.equal("", done.stderr)
  return done.stdout
end

local function assert_holds(text, ...)
  for _, words in ipairs { ... } do assert.truthy(text:find(words, 1, true), words .. " in\n" .. text) end
end

-- ---- version and help

describe("xfiot version", function()
  it("prints the version and nothing else", function()
    assert.are.equal("xfiot " .. core.version .. "\n", output { "version" })
  end)

  it("runs from / with an empty environment", function()
    local done = C.run({ "env", "-i", helper.xfiot, "version" }, { cwd = "/" })
    assert.are.equal(0, done.status)
    assert.are.equal("xfiot " .. core.version .. "\n", done.stdout)
  end)
end)

local TOPICS = { -- topic, what its help holds
  { "run", "name=value", "--sandbox", "--sandbox" }, { "call", "nested values as JSON" },
  { "sandbox", "--fault", "--push-reports", "advance" }, { "sign", "--trans-id" }, { "verify", "--token" },
  { "doctor", "xfiot help settings" }, { "serve", "report =" }, { "inbox", "replay ID", "gaps", "--fetch" },
  { "handlers", "quarantine", "context", "order", "8 attempts" },
  { "push.reportData", "API_TOKEN", "msgDTO.report" }, { "push.commandResponse", "指令响应推送", "API_ORG_NUM" },
  { "register", "注册设备信息", "POST /iotcloud/app/devices/v1.0.0/register", "manuId", "500005" },
  { "creatCmd", "指令发送", "expireCount", "86400" }, { "batchQueryCmd", "commandIds" },
  { "RECHARGE_REMOTE", "充值", "rechargeValue", "500033", "surplusValue" },
  { "ACCOUNT_OPEN", "cardNo", "billingMethod" }, { "ACCOUNT_OPEN.backendPrepaid", "surplusValue" },
  { "500033", "充值量参数非法", "Invalid recharge amount" },
  { "0012H", "0012H" }, { "0012", "0012H" }, { "0x0012", "0012H" },
  { "MoneyMeterInfo", "surplusMoney" }, { "MeterStatus", "accountFlag" },
}

describe("xfiot help", function()
  it("names every command", function()
    for _, words in ipairs { { "help" }, { "--help" }, { "-h" }, {} } do
      assert_holds(output(words), "run", "call", "sandbox", "sign", "verify", "doctor", "version", "help")
    end
  end)

  for _, row in ipairs(TOPICS) do
    it("explains " .. row[1], function() assert_holds(output { "help", row[1] }, table.unpack(row, 2)) end)
  end

  it("lists every setting", function()
    assert_holds(output { "help", "settings" }, "XFIOT_KEY", "xfiot.conf", table.unpack(SETTINGS))
  end)

  for _, command in ipairs { "run", "call", "sandbox", "sign", "verify", "doctor", "orders" } do
    it("points to the settings as flags of " .. command, function()
      assert_holds(output { command, "--help" }, "--config", "xfiot help settings")
    end)
  end

  for _, name in ipairs(SETTINGS) do
    it("takes --" .. name:gsub("_", "-") .. " as a flag", function()
      local flag = "--" .. name:gsub("_", "-")
      local done = C.xfiot { "doctor", flag, name ~= "allow_http" and name ~= "resolve_by_evidence" and "\1" or nil }
      assert.is_nil(done.stderr:find("unknown option", 1, true), done.stderr)
    end)
  end

  it("explains an operation behind it too", function()
    assert.are.equal(output { "help", "creatCmd" }, output { "call", "creatCmd", "--help" })
  end)
end)

-- ---- what is typed wrongly: one sentence, status 2

local MISTAKES = {
  { "frobnicate" }, { "--frobnicate" }, { "version", "more" }, { "help", "nothing" }, { "help", "999999" },
  { "run" }, { "run", "/nowhere/script.lua" }, { "run", "/tmp" }, { "run", "nosuchscript" },
  { "run", "valve", "--frobnicate" }, { "run", "valve", "--sandbox", "deviceNo" },
  { "run", "valve", "--sandbox", "=5" }, { "run", "valve", "--sandbox", "5=5" },
  { "run", "valve", "--sandbox", "state=open", "state=open" },
      { "run", "valve", "--meters", "money=1", "state=open" },
  { "run", "valve", "--sandbox", "--meters", "gold=1", "deviceNo=1", "state=open" },
  { "run", "valve", "--sandbox" }, { "run", "valve", "deviceNo=1", "state=open" },
  { "call" }, { "call", "nothing" }, { "call", "QUERY" }, { "call", "query", "deviceNo" },
  { "call", "query", "--sandbox" }, { "call", "query", "--sandbox", "deviceNo=1", "colour=red" },
  { "call", "query", "--sandbox", "deviceNo=" }, { "call", "query", "deviceNo=1" },
  { "call", "register", "--sandbox", "deviceNo=1", "manuId=one" },
  { "call", "register", "--sandbox", "deviceNo=1", "manuId=1.5" },
  { "call", "register", "--sandbox", "deviceNo=1", "manuId=99999999999999999999" },
  { "call", "creatCmd", "--sandbox", "deviceId=1", "command={" },
  { "call", "creatCmd", "--sandbox", "deviceId=1", "command=5" },
  { "call", "creatCmd", "--sandbox", "deviceId=1", 'command={"method":"BOOM","paras":{}}' },
  { "call", "authDevices", "--sandbox", 'deviceNos=["1"] x' },
  { "call", "batchQueryCmd", "--sandbox", "commandIds=[]" },
  { "verify" }, { "verify", "--token", "x" }, { "verify", "--trans-id", "x" },
  { "sign", "more" }, { "sign", "--trans-id", "a b" }, { "sign" },
  { "sandbox", "dance" }, { "sandbox", "advance" }, { "sandbox", "advance", "x y" },
      { "sandbox", "status", "30d" },
  { "sandbox", "--speed", "fast" }, { "sandbox", "--seed", "1.5" }, { "sandbox", "--start", "2026" },
  { "sandbox", "--fault", "creatCmd:gone" }, { "sandbox", "--meters", "gold=1" },
  { "sandbox", "--push-reports", "ftp://x" }, { "sandbox", "--listen", "127.0.0.1:0", "--speed", "-1" },
}

describe("xfiot refuses", function()
  for _, words in ipairs(MISTAKES) do
    it("xfiot " .. table.concat(words, " "), function()
      local done = C.xfiot(words)
      done.stderr = done.stderr:gsub("^xfiot: this is the sandbox[^\n]*\n", "")
      C.assert_sentence(done, 2)
    end)
  end
end)

-- ---- settings

local BAD_SETTINGS = { -- environment, what the sentence names
  { { XFIOT_BASE_URL = "ftp://127.0.0.1" }, "base_url" }, { { XFIOT_BASE_URL = "127.0.0.1:80" }, "base_url" },
  { { XFIOT_BASE_URL = "http://192.0.2.1" }, "allow_http" }, { { XFIOT_COMPANY_CODE = "12" },
      "company_code" },
  { { XFIOT_TIMEOUT = "soon" }, "timeout" }, { { XFIOT_CONNECT_TIMEOUT = "0" }, "connect_timeout" },
  { { XFIOT_WAIT = "-1" }, "wait" }, { { XFIOT_WAIT = "nan" }, "wait" },
      { { XFIOT_LISTEN = "8088" }, "listen" },
  { { XFIOT_REPORTS_PATH = "x" }, "reports_path" }, { { XFIOT_UTC_OFFSET = "8" }, "utc_offset" },
  { { XFIOT_ALLOW_HTTP = "perhaps" }, "allow_http" }, { { XFIOT_CA_FILE = "/nowhere.pem" }, "/nowhere.pem" },
  { { XFIOT_KEY = false, XFIOT_KEY_FILE = "/nowhere.key" }, "/nowhere.key" },
  { { XFIOT_KEY = " \n" }, "XFIOT_KEY" }, { { XFIOT_KEY = C.KEY .. " " .. C.KEY }, "XFIOT_KEY" },
  { { XFIOT_KEY = C.KEY .. "\1" }, "XFIOT_KEY" }, { { XFIOT_KEY = (C.KEY):rep(200) }, "XFIOT_KEY" },
  { { XFIOT_KEY = false }, "key_file" }, { { XFIOT_BASE_URL = false, XFIOT_MERCHANT_ID = false },
      "base_url" },
  { { XFIOT_CONFIG = "/nowhere.conf" }, "/nowhere.conf" },
}

local BAD_FILES = { -- xfiot.conf, what the sentence names
  { "base_url = = 1", "xfiot.conf:1" }, { "colour = 'red'", "colour" }, { "error 'no'", "xfiot.conf" },
  { "while true do end", "xfiot.conf" }, { "key = '" .. C.KEY .. "'", "key" }, { "timeout = {}", "timeout" },
  { "base_url = os.getenv 'HOME'", "xfiot.conf:1" }, { "timeout = 'x'", "timeout" },
  { string.dump(load "x = 1"), "xfiot.conf" },
}

describe("a bad setting", function()
  local function call(changes, options)
    local env = { XFIOT_BASE_URL = "http://127.0.0.1:1", XFIOT_COMPANY_CODE = C.COMPANY,
                  XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_KEY = C.KEY }
    for name, value in pairs(changes) do env[name] = value end
    options = options or {}
    options.env = env
    return C.xfiot({ "call", "query", "deviceNo=1" }, options)
  end

  for i, row in ipairs(BAD_SETTINGS) do
    it(("in the environment is named (%d: %s)"):format(i, row[2]), function()
      local done = call(row[1])
      C.assert_sentence(done, 2)
      assert_holds(done.stderr, row[2])
    end)
  end

  for i, row in ipairs(BAD_FILES) do
    it(("in xfiot.conf is named (%d: %s)"):format(i, row[2]), function()
      local at = helper.tmpdir()
      helper.write(at .. "/xfiot.conf", row[1])
      local done = call({}, { cwd = at })
      assert.are.equal(2, done.status, done.stderr)
      assert.truthy(done.stderr:find "^xfiot: settings: [^\n]+\n$", done.stderr)
      assert_holds(done.stderr, row[2])
    end)
  end

  it("a key file that others can read is refused", function()
    for _, mode in ipairs { "644", "640", "604" } do
      local path = helper.write(helper.tmpdir() .. "/key", C.KEY, mode)
      local done = call { XFIOT_KEY = false, XFIOT_KEY_FILE = path }
      C.assert_sentence(done, 2)
      assert_holds(done.stderr, path, "chmod 600")
    end
  end)

  it("nothing that answers ends with 1, and says that nothing was sent", function()
    local done = call {}
    C.assert_sentence(done, 1)
    assert_holds(done.stderr, "Nothing was sent", "base_url")
  end)
end)

-- ---- calls

describe("xfiot call", function()
  local server
  setup(function() server = C.serve { "--start", "20260101000000", "--speed", "0" } end)
  teardown(function() server:stop() end)

  local function call(...)
    local done = C.xfiot({ "call", ... }, server:with())
    assert.are.equal(0, done.status, done.stderr)
    assert.are.equal("", done.stderr)
    assert.truthy(done.stdout:find "^[^\n]+\n$", done.stdout)
    return (core.decode(done.stdout))
  end

  it("types every operation's values by the contract and prints one line of JSON", function()
    local number = "07602190100007116"
    local id = call("register", "manuId=1", "deviceNo=" .. number, "userNo=0000000001", "userName=张三")
    assert.truthy(id:find "^%x+$" and #id == 32)
    local device = call("query", "deviceNo=" .. number)
    assert.are.same({ number, "0000000001", "张三" }, { device.deviceNo, device.userNo, device.userName })
    assert.are.equal(core.null, call("update", "deviceId=" .. id, "userName=李四", "syncFlag=1"))
    assert.are.equal(id, call("authDevices", 'deviceNos=["' .. number .. '"]')[1].platId)
    local command = call("creatCmd", "deviceId=" .. id, "expireTime=86400",
      'command={"method":"VALVE_CONTROL","paras":{"controlFlag":1}}')
    assert.are.equal(32, #command)
    assert.are.equal(0, call("queryCmd", "deviceId=" .. id, "commandId=" .. command).commandState)
    assert.are.equal(command, call("batchQueryCmd", 'commandIds=["' .. command .. '"]')[1].commandId)
    assert.are.equal(core.null, call("cancelCmd", "deviceId=" .. id, "commandId=" .. command))
    assert.are.equal(5, call("queryCmd", "deviceId=" .. id, "commandId=" .. command).commandState)
    assert.are.equal(core.null, call("cancel", "deviceId=" .. id))
    assert.are.equal(3, call("query", "deviceNo=" .. number).deviceState)
  end)

  it("prints text in quotes and nothing as null", function()
    local done = C.xfiot({ "call", "register", "manuId=1", "deviceNo=8" }, server:with())
    assert.truthy(done.stdout:find '^"%x+"\n$', done.stdout)
    local id = done.stdout:match "%x+"
    assert.are.equal("null\n", C.xfiot({ "call", "cancel", "deviceId=" .. id }, server:with()).stdout)
  end)

  for _, row in ipairs {
    { "500001", "query", "deviceNo=nobody" }, { "500002", "query", "deviceNo=" .. MONEY,
        "companyCode=999999" },
    { "500005", "register", "manuId=1", "deviceNo=" .. MONEY },
  } do
    it(("ends with 1 and the platform's %s (%s)"):format(row[1], row[2]), function()
      local done = C.xfiot({ "call", table.unpack(row, 2) }, server:with())
      C.assert_sentence(done, 1)
      assert_holds(done.stderr, row[1], row[2])
    end)
  end

  it("with a wrong key ends with 1 and 500003", function()
    local done = C.xfiot({ "call", "query", "deviceNo=" .. MONEY }, server:with { XFIOT_KEY = "another" })
    C.assert_sentence(done, 1)
    assert_holds(done.stderr, "500003", "Token校验未通过")
  end)

  it("takes flags before the environment before xfiot.conf", function()
    local at = helper.tmpdir()
    helper.write(at .. "/key", C.KEY, "600")
    helper.write(at .. "/xfiot.conf",
        ("base_url = %q company_code = '999999' merchant_id = %q key_file = 'key'")
      :format(server.url, C.MERCHANT))
    local words = { "call", "query", "deviceNo=" .. MONEY }
    local function status(env, ...)
      return C.xfiot({ words[1], words[2], words[3], ... }, { cwd = at, env = env }).status
    end
    assert.are.equal(1, status {})
    assert.are.equal(0, status { XFIOT_COMPANY_CODE = C.COMPANY })
    assert.are.equal(1, status({ XFIOT_COMPANY_CODE = C.COMPANY }, "--company-code", "999999"))
    assert.are.equal(0, status({ XFIOT_COMPANY_CODE = "999999" }, "--company-code=" .. C.COMPANY))
    assert.are.equal(0, C.xfiot({ "call", "query", "deviceNo=" .. MONEY, "--config", at .. "/xfiot.conf",
                                  "--company-code", C.COMPANY }, { cwd = "/" }).status)
  end)

  it("with --sandbox needs no settings", function()
    local done = C.xfiot({ "call", "query", "--sandbox", "deviceNo=" .. MONEY }, { cwd = "/" })
    assert.are.equal(0, done.status)
    assert.are.equal(MONEY, core.decode(done.stdout).deviceNo)
    assert.are.equal("xfiot: this is the sandbox, no real meter is touched\n", done.stderr)
  end)

  it("with --sandbox says how a file of rows gets its meters", function()
    local file = helper.write(helper.tmpdir() .. "/rows.csv", "deviceNo,amount,order\n" .. MONEY .. ",1,A1\n")
    for meters, hint in pairs { ["money=3"] = false, [false] = true } do
      local words = { "run", "recharge", "--sandbox", "--from", file, meters and "--meters" or nil, meters or nil }
      local done = C.xfiot(words, { cwd = "/" })
      assert.are.equal(0, done.status, done.stderr)
      assert.are.equal(hint, done.stderr:find("--meters money=100", 1, true) ~= nil)
    end
  end)
end)

-- ---- the served sandbox

describe("xfiot sandbox", function()
  local server
  setup(function() server = C.serve { "--start", "20260101000000", "--speed", "0", "--meters",
      "money=1,gas=2" } end)
  teardown(function() server:stop() end)

  it("tells its state", function()
    local text = output { "sandbox", "status", "--listen", server.listen }
    assert_holds(text, "20260101000000", "30010000000001", "30020000000002", "not the real platform")
  end)

  it("moves its time on", function()
    for _, row in ipairs { { "30d", "20260131000000" }, { "12h", "20260131120000" },
        { "45m", "20260131124500" },
                           { "1.5", "20260131124501" } } do
      assert.are.equal(row[2] .. "\n", output { "sandbox", "advance", row[1], "--listen", server.listen })
    end
  end)

  it("refuses a span that is none", function()
    C.assert_sentence(C.xfiot { "sandbox", "advance", "30y", "--listen", server.listen }, 2)
  end)

  it("that does not run is told", function()
    for _, words in ipairs { { "status" }, { "advance", "1d" } } do
      local done = C.xfiot { "sandbox", words[1], words[2] or "--listen", words[2] and "--listen"
          or "127.0.0.1:1",
                             words[2] and "127.0.0.1:1" or nil }
      C.assert_sentence(done, 1)
      assert_holds(done.stderr, "127.0.0.1:1")
    end
  end)

  it("on a port that is taken says so", function()
    local done = C.xfiot { "sandbox", "--listen", server.listen }
    C.assert_sentence(done, 2)
    assert_holds(done.stderr, server.listen:match ":(%d+)$")
  end)

  it("ends with 130 when it is interrupted", function()
    local other = C.serve()
    local status, _, text = other:stop()
    assert.are.equal(130, status, text)
    C.assert_no_insides(text)
  end)
end)

-- ---- signing

describe("xfiot sign", function()
  it("prints the document's example", function()
    assert.are.equal(("RandomCode: %s\nAuthorization: %s\n"):format(VECTOR.id, VECTOR.token),
      output({ "sign", "--trans-id", VECTOR.id }, { env = VECTOR.env }))
  end)

  it("makes a transId of its own, and verify takes what it signed", function()
    local text = output({ "sign" }, { env = VECTOR.env })
    local id, token = text:match "^RandomCode: (%d+)\nAuthorization: (%x+)\n$"
    assert.are.same({ 22, 64 }, { #id, #token })
    assert.are_not.equal(text, output({ "sign" }, { env = VECTOR.env }))
    assert.are.equal("valid\n", output({ "verify", "--trans-id", id, "--token", token },
        { env = VECTOR.env }))
  end)
end)

describe("xfiot verify", function()
  for _, row in ipairs {
    { VECTOR.id, VECTOR.token, true }, { VECTOR.id, VECTOR.token:upper(), true },
    { VECTOR.id, VECTOR.token:sub(1, 63), false }, { VECTOR.id, VECTOR.token .. "0", false },
    { VECTOR.id:gsub("9$", "8"), VECTOR.token, false }, { VECTOR.id, ("0"):rep(64), false },
  } do
    it(("says %s to ...%s of ...%s"):format(row[3] and "valid" or "not valid", row[2]:sub(-6),
        row[1]:sub(-4)), function()
      local done = C.xfiot({ "verify", "--trans-id", row[1], "--token", row[2] }, { env = VECTOR.env })
      assert.are.equal(row[3] and "valid\n" or "not valid\n", done.stdout)
      assert.are.equal(row[3] and 0 or 1, done.status)
      assert.are.equal("", done.stderr)
    end)
  end
end)

-- ---- doctor

describe("xfiot doctor", function()
  local server
  setup(function() server = C.serve() end)
  teardown(function() server:stop() end)

  it("finds nothing wrong with a good set-up", function()
    local text = output({ "doctor" }, server:with())
    for line in text:gmatch "[^\n]+" do assert.truthy(line:find "^ok ", line) end
    assert_holds(text, "settings", "key", "reachability", "signature")
  end)

  for _, row in ipairs {
    { "settings", { XFIOT_COMPANY_CODE = false } }, { "key", { XFIOT_KEY = false,
        XFIOT_KEY_FILE = "/nowhere" } },
    { "reachability", { XFIOT_BASE_URL = "http://127.0.0.1:1" } }, { "signature", { XFIOT_KEY = "another" } },
    { "signature", { XFIOT_COMPANY_CODE = "999999" } }, { "journal",
        { XFIOT_JOURNAL = "/dev/null/journal.db" } },
  } do
    it("finds what is wrong with " .. row[1], function()
      local done = C.xfiot({ "doctor" }, server:with(row[2]))
      assert.are.equal(1, done.status)
      assert.truthy(("\n" .. done.stdout):find("\nFAIL +" .. row[1]), done.stdout)
      C.assert_no_insides(done.stdout .. done.stderr)
    end)
  end
end)

-- ---- scripts

local BROKEN = { -- name, text, status, what is said
  { "syntax", "local x =\nlocal y", 1, "syntax.lua:2:" },
  { "runtime", "local x\nlocal y = x.z", 1, "runtime.lua:2:" },
  { "deep", "local function f() error 'too deep' end\nf()", 1, "deep.lua:1: too deep" },
  { "bare", "error('no place', 0)", 1, "no place" },
  { "table", "error {}", 1, "table.lua:1" },
  { "none", "error()", 1, "none.lua:1" },
  { "verb", [[local xfiot = require "xfiot"
xfiot.client():meter("30010000000001"):recharge { order = "A" }]], 2, "verb.lua:2" },
  { "notable", [[local xfiot = require "xfiot"
local r = xfiot.client():meter("30010000000001"):recharge(5)]], 1, "notable.lua:2:" },
  { "definition", [[local xfiot = require "xfiot"

return xfiot.workflow { name = "w" }]], 1, "definition.lua:" },
  { "workflow", [[return require "xfiot".workflow { name = "w",
  run = function(flow) error "in a run" end }]], 1, "workflow.lua:2: in a run" },
  { "parallel", [[local results = require "xfiot".parallel({ 1 }, function()
  error "in a row" end)
error(results[1].error, 0)]], 1, "parallel.lua:2: in a row" },
  { "arguments", [[return require "xfiot".workflow { name = "w", args = { a = "integer" }, run = print }]], 2,
    "a is missing" },
  { "missing", 'require "no.such.module"', 1, "no.such.module" },
}

describe("a broken script", function()
  for _, row in ipairs(BROKEN) do
    it("shows its own place and nothing of ours: " .. row[1], function()
      local done = C.xfiot({ "run", script(row[1] .. ".lua", row[2]), "--sandbox" })
      assert.are.equal(row[3], done.status, done.stderr)
      assert.are.equal("", done.stdout)
      assert_holds(done.stderr, row[4])
      for _, inside in ipairs { "stack traceback", "lua/xfiot", "[C]", "argparse" } do
        assert.is_nil(done.stderr:find(inside, 1, true), done.stderr)
      end
    end)
  end

  it("shows its place wherever it lies", function()
    local at = helper.tmpdir() .. "/xfiot"
    assert(os.execute("mkdir " .. at))
    local path = helper.write(at .. "/deep.lua", "local function f() error('no place', 0) end\nf()")
    assert_holds(C.xfiot({ "run", path }).stderr, "deep.lua:2")
  end)
end)

describe("a script", function()
  it("gets its arguments, and what it prints stands alone on stdout", function()
    local path = script("plain.lua", "#!/usr/bin/env -S xfiot run\nlocal a = ...\nprint(a.x, a.y, a.z)")
    assert.are.equal("1\tb=c\t\n", output { "run", path, "x=1", "y=b=c", "z=" })
  end)

  it("that is a workflow has its result printed as JSON", function()
    local path = script("result.lua", [[return require "xfiot".workflow { name = "w",
      args = { n = "integer", t = "string?" }, run = function(_, a) return { n = a.n + 1, t = a.t } end }]])
    local done = C.xfiot { "run", path, "--sandbox", "n=41" }
    assert.are.equal(0, done.status, done.stderr)
    assert.are.equal('{"n":42}\n', done.stdout)
  end)

  it("that is a workflow and returns nothing prints nothing", function()
    local path = script("silent.lua", 'return require "xfiot".workflow { name = "w", run = function() end }')
    assert.are.equal("", C.xfiot({ "run", path, "--sandbox" }).stdout)
  end)

  it("is told by --help without being run", function()
    local path = script("flow.lua", [[return require "xfiot".workflow { name = "w", doc = "Does it.",
      args = { a = "integer", b = "open|close?" }, run = function() print "ran" end }]])
    local text = output { "run", path, "--help" }
    assert_holds(text, "Does it.", "a ", "an integer", "b ", "open or close", "optional")
    assert.is_nil(text:find("ran", 1, true))
  end)

  it("is taken as text only", function()
    local path = script("compiled.lua", string.dump(function() print "ran" end))
    C.assert_sentence(C.xfiot { "run", path }, 2)
  end)

  it("runs from / with an empty environment", function()
    local path = script("empty.lua", "print(os.getenv 'HOME', (require 'xfiot').version)")
    local done = C.run({ "env", "-i", helper.xfiot, "run", path }, { cwd = "/" })
    assert.are.equal("nil\t" .. core.version .. "\n", done.stdout)
    done = C.run({ "env", "-i", helper.xfiot, "run", "valve", "--sandbox", "deviceNo=" .. MONEY,
        "state=open" },
      { cwd = "/" })
    assert.are.equal(0, done.status, done.stderr)
  end)

  it("may end the process itself", function()
    assert.are.equal(7, C.xfiot({ "run", script("exit.lua", "os.exit(7, true)") }).status)
  end)
end)

-- ---- Ctrl-C

-- Busy for longer than a signal takes, but not for ever.
local COMPUTE = [[print "ready" io.stdout:flush()
  local function compute() local from = os.clock() repeat until os.clock() - from > 20 end]]

describe("an interrupted script", function()
  local server
  setup(function() server = C.serve { "--speed", "0" } end)
  teardown(function() server:stop() end)

  for _, row in ipairs {
    { "that waits for a meter", [[local xfiot = require "xfiot"
      local meter = xfiot.client():meter "30010000000001"
      meter:device_id() print "ready" io.stdout:flush()
      meter:recharge { order = "A", amount = 1, prepaidType = 0 } print "went on"]] },
    { "that sleeps", 'print "ready" io.stdout:flush() require "xfiot".sleep(600) print "went on"' },
    { "that computes", COMPUTE .. ' compute() print "went on"' },
    { "that catches errors", COMPUTE .. " pcall(compute)" },
    { "that waits in parallel", [[local xfiot = require "xfiot" print "ready" io.stdout:flush()
      xfiot.parallel({ 1, 2, 3 }, function() xfiot.sleep(600) end) print "went on"]] },
    { "that computes in parallel", COMPUTE .. [[
      require "xfiot".parallel({ 1 }, function() compute() print "went on" end)]] },
  } do
    it(row[1] .. " ends with 130", function()
      local process = helper.start({ "xfiot", "run", script("interrupted.lua", row[2]) },
        { env = server.env })
      process:expect "^ready$"
      local status, signal, text = process:stop "INT"
      assert.is_nil(signal)
      assert.are.equal(130, status, text)
      assert.is_nil(text:find("went on", 1, true), text)
      assert_holds(text, "interrupted")
      C.assert_no_insides(text)
    end)
  end
end)

-- ---- the key

describe("the key", function()
  local SPY = [[
    local function read(path)
      local file = io.open(path, "rb")
      return file and file:read "a" or "closed"
    end
    print("getenv", os.getenv "XFIOT_KEY")
    print("merchant", os.getenv "XFIOT_MERCHANT_ID")
    print("environ", (read("/proc/self/environ"):gsub("%z", " ")))
    local child = io.popen "env; echo; tr '\\0' ' ' </proc/$PPID/environ 2>&1"
    print("child", child:read "a")
    local client = require "xfiot".client()
    local seen, found = {}, false
    local function look(value)
      if type(value) == "string" then found = found or value:find("canary5f1d", 1, true) == 1 end
      if type(value) ~= "table" or seen[value] then return end
      seen[value] = true
      for k, v in next, value do look(k) look(v) end
      look(debug.getmetatable(value))
    end
    look(debug.getregistry()) look(client) look(client.settings)
    print("in Lua", found)
    print("id", (client:sign()))
  ]]

  it("is in no environment that a script or its children can see, nor in Lua", function()
    local env = { XFIOT_BASE_URL = "http://127.0.0.1:1", XFIOT_COMPANY_CODE = C.COMPANY,
                  XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_KEY = C.KEY }
    local text = output({ "run", script("spy.lua", SPY) }, { env = env })
    assert_holds(text, "getenv\tnil", "merchant\t" .. C.MERCHANT, "XFIOT_MERCHANT_ID=" .. C.MERCHANT,
      "in Lua\tfalse", "id\t20")
    assert.is_nil(text:find("XFIOT_KEY=" .. C.KEY:sub(1, 6), 1, true))
    assert.is_nil(text:find(C.KEY, 1, true))
  end)

  it("is taken from a file of its owner alone, which a script's settings name only", function()
    local path = helper.write(helper.tmpdir() .. "/key", C.KEY .. "\n", "600")
    local env = { XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_KEY_FILE = path }
    local from_file = output({ "sign", "--trans-id", VECTOR.id }, { env = env })
    assert.are.equal(from_file, output({ "sign", "--trans-id", VECTOR.id },
      { env = { XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_KEY = C.KEY } }))
  end)

  it("stands in nothing that any run of this file printed, nor does a colour", function()
    local found, count = C.find_printed(C.KEY)
    assert.is_nil(found)
    assert.truthy(count > 100)
    assert.is_nil((C.find_printed "\27"))
  end)
end)
