-- `xfiot serve` as a process: what is pushed reaches the handlers, whatever these do.
local C = require "spec.cli_helper"
local S = require "spec.serving_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"
local loop = require "xfiot.loop"

local TELL = "return { report = function(m, c) tell(c.key, c.attempt) end }"

describe("xfiot serve", function()
  it("hands what is pushed to the handlers, and says it is well", function()
    local serve <close> = S.start { handlers = [[
      local function note(name) return function(m, c) tell(name, c.push.id) end end
      return { report = note "report", alarm = note "alarm", response = note "response",
               quarantine = note "quarantine" }
    ]] }
    assert.equal(200, serve:push { S.report "a" })
    assert.equal(200, serve:push { S.alarm "b" })
    assert.equal(200, serve:push({ S.response "d" }, "/deviceResponseData"))
    assert.equal(200, serve:push("{}"))
    assert.equal(400, serve:push("{"))
    serve:await_pushes("done", 3)
    serve:await(function() return #serve:told() == 5 end, "five calls")
    local told = serve:told()
    table.sort(told)
    assert.same({ "alarm 2", "quarantine 4", "quarantine 5", "report 1", "response 3" }, told)
    assert.equal(200, (serve:get "/healthz"))
    local status, text = serve:get "/metrics"
    assert.equal(200, status)
    assert.matches("\n[%w_]+", text)
    local code, _, printed = serve:stop()
    assert.equal(0, code, printed)
  end)

  it("needs no handlers", function()
    local serve <close> = S.start {}
    assert.equal(200, serve:push { S.report "a" })
    serve:await_pushes("done", 1)
  end)

  -- words, handlers; what it says
  local refused = {
    { "a handlers file that is not there", { "/nowhere.lua" }, nil, "cannot be read" },
    { "a handlers file that is none", {}, "return { reports = print }", "there is no handler reports" },
    { "one path for both kinds", { "--reports-path", "/deviceResponseData" }, nil, "must differ" },
    { "half of TLS", { "--tls-certificate", "/x" }, nil, "go together" },
    { "a bad setting", { "--freshness", "soon" }, nil, "freshness" },
    { "no key", { "--key-file", "/nowhere" }, nil, "key file" },
  }
  for _, row in ipairs(refused) do
    it("does not begin with " .. row[1], function()
      local words = { "serve", "--listen", "127.0.0.1:0", table.unpack(row[2]) }
      if row[3] then words[#words + 1] = helper.write(helper.tmpdir() .. "/h.lua", row[3]) end
      local result = C.xfiot(words, { limit = 10, env = { XFIOT_KEY = C.KEY, XFIOT_MERCHANT_ID = C.MERCHANT,
        XFIOT_COMPANY_CODE = C.COMPANY, XFIOT_BASE_URL = "http://127.0.0.1:1",
        XFIOT_JOURNAL = helper.tmpdir() .. "/j.db" } })
      C.assert_sentence(result, 2)
      assert.matches(row[4], result.stderr, 1, true)
    end)
  end

  it("says when its port is taken", function()
    local listener <close> = assert(core.listener { port = 0 })
    local result = C.xfiot({ "serve", "--listen", "127.0.0.1:" .. listener:port() }, { limit = 10,
      env = { XFIOT_KEY = C.KEY, XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_COMPANY_CODE = C.COMPANY,
              XFIOT_BASE_URL = "http://127.0.0.1:1", XFIOT_JOURNAL = helper.tmpdir() .. "/j.db" } })
    assert.equal(1, result.status)
    assert.matches("is in use by another program", result.stderr)
  end)
end)

describe("a handler in its own process", function()
  it("that raises is called again, others go on", function()
    local serve <close> = S.start { handlers = [[
      return { report = function(m, c)
        if m.deviceId:sub(1, 1) == "a" and c.attempt == 1 then error "not now" end
        tell(m.deviceId:sub(1, 1), c.attempt)
      end }
    ]] }
    serve:push { S.report "a" }
    serve:push { S.report "b" }
    serve:await_pushes("done", 2)
    assert.same({ "b 1", "a 2" }, serve:told())
  end)

  it("that hangs beyond all words is ended with its process, counted, and nobody else notices", function()
    local serve <close> = S.start { words = { "--handler-timeout", "1" }, handlers = [[
      return { report = function(m, c)
        tell(m.deviceId:sub(1, 1), c.attempt)
        while m.deviceId:sub(1, 1) == "a" and c.attempt == 1 do pcall(function() while true do end end) end
      end }
    ]] }
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 1 end, "the handler runs")
    for _ = 1, 20 do assert.equal(200, serve:push { S.report "b" }) end
    serve:await_pushes("done", 21)
    -- who has waited for it goes first afterwards
    local told = serve:told()
    assert.same({ "a 1", "b 1", "a 2" }, { told[1], told[2], told[#told] })
    assert.equal(2, serve:pushes()[1].attempts)
  end)

  -- a sanitizer's memory cannot be capped
  local capped = (helper.preload or "") == "" and it or pending
  capped("that eats memory fails, and the worker goes on", function()
    local serve <close> = S.start { words = { "--worker-memory", "128" }, handlers = [[
      return { report = function(m, c)
        tell(m.deviceId:sub(1, 1), c.attempt)
        if m.deviceId:sub(1, 1) ~= "a" then return end
        local list = {}
        for i = 1, math.huge do list[i] = ("x"):rep(1000000) .. i end
      end }
    ]] }
    serve:push { S.report "a" }
    serve:push { S.report "b" }
    serve:await_pushes("done", 1)
    serve:await(function() return serve:pushes()[1].attempts >= 1 and serve:pushes()[1].traceback end, "a failure")
    assert.matches("not enough memory", serve:pushes()[1].reason)
    assert.equal(200, serve:push { S.report "d" })
    serve:await_pushes("done", 2)
  end)

  it("whose process is killed is called again: at least once", function()
    local serve <close> = S.start { handlers = [[
      return { report = function(m, c)
        tell(c.key, c.attempt)
        if c.key:sub(1, 1) == "1" and c.attempt == 1 then c:sleep(60) end
      end }
    ]], words = { "--handler-timeout", "100" } }
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 1 end, "the handler runs")
    os.execute(("kill -9 %d"):format(serve.worker))
    assert.equal(200, serve:push { S.report "b" })
    serve:await(function() return #serve:told() >= 3 end, "called again")
    local told = serve:told()
    table.sort(told)
    assert.same({ "1.1.report 1", "1.1.report 2", "2.1.report 1" }, told)
  end)

  it("is killed again and again, and every push is handled, a device's in their order", function()
    local COUNT, DEVICES <const> = 200, 8
    local serve <close> = S.start { handlers = [[
      return { report = function(m, c) tell(m.deviceId:sub(1, 1), m.receiveTime) end }
    ]] }
    local worker = serve.worker
    for i = 1, COUNT do
      local message = S.report(("%x"):format(i % DEVICES), { receiveTime = ("20260101%06d"):format(i) })
      assert.equal(200, serve:push { message })
      if i % 50 == 0 then
        os.execute(("kill -9 %d"):format(worker))
        worker = math.tointeger(serve.process:expect "event=worker .*state=started pid=(%d+)")
      end
    end
    serve:await(function() return #serve:pushes "new" == 0 end, "all handled")
    local last, seen, count = {}, {}, 0
    for _, line in ipairs(serve:told()) do
      local device, time = line:match "(%x) (%d+)"
      if not seen[line] then
        count = count + 1
        assert.is_true(time > (last[device] or ""), "out of order: " .. line)
        last[device], seen[line] = time, true
      end
    end
    assert.equal(COUNT, count)
    assert.equal(0, #serve:pushes "failed")
  end)

  it("goes with the receiver when that is killed", function()
    local serve <close> = S.start { handlers = TELL }
    serve:push { S.report "a" }
    serve:await_pushes("done", 1)
    os.execute(("kill -9 %d"):format(serve.pid))
    serve:await(function() return not os.execute(("kill -0 %d 2>/dev/null"):format(serve.worker)) end, "worker ends")
    serve:stop(false)
  end)
end)

describe("a signal", function()
  it("TERM lets what runs finish, and begins nothing more", function()
    local serve <close> = S.start { handlers = [[
      return { report = function(m, c) tell("begin", c.push.id) c:sleep(0.3) tell("end", c.push.id) end }
    ]] }
    serve:push { S.report "a" }
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 1 end, "the handler runs")
    local status = serve:stop "TERM"
    assert.equal(0, status)
    assert.same({ "begin 1", "end 1" }, serve:told())
  end)

  it("HUP takes new handlers; a bad file changes nothing", function()
    local serve <close> = S.start { handlers = "return { report = function() tell 'old' end }" }
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 1 end, "old")
    serve:handlers "return {"
    serve.process:signal "HUP"
    serve.process:expect "event=handlers_refused"
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 2 end, "old again")
    serve:handlers "return { report = function() tell 'new' end }"
    serve.process:signal "HUP"
    serve.process:expect "event=handlers_loaded"
    serve:push { S.report "a" }
    serve:await(function() return #serve:told() == 3 end, "new")
    assert.same({ "old", "old", "new" }, serve:told())
  end)

  it("INT at a terminal ends it, and the worker with it, in good order", function()
    local serve <close> = S.start { handlers = "return { report = function(m, c) c:sleep(0.2) tell(c.push.id) end }" }
    serve:push { S.report "a" }
    serve:await(function() return #serve:pushes() == 1 end, "stored")
    os.execute(("kill -INT %d"):format(serve.worker)) -- a terminal tells both
    assert.equal(0, (serve:stop "INT"))
  end)
end)

describe("an order whose reply was lost", function()
  it("is brought back by its response push, proved by the platform, and applied", function()
    local port = S.free_port()
    local serve <close> = S.start {
      env = { XFIOT_BASE_URL = "http://127.0.0.1:" .. port, XFIOT_TIMEOUT = "2" },
      handlers = [[
        return { response = function(m, c) tell("response", m.commandId, c.order and c.order.order or "-") end,
                 report = function(m, c) tell("report", m.deviceId) end }
      ]],
    }
    local sandbox = helper.start({ "xfiot", "sandbox", "--listen", "127.0.0.1:" .. port, "--meters", "money=1",
      "--fault", "creatCmd:lost:2", "--push-reports", serve.url .. "/deviceReportData",
      "--push-responses", serve.url .. "/deviceResponseData" }, { env = { XFIOT_KEY = C.KEY,
        XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_COMPANY_CODE = C.COMPANY } })
    sandbox:expect "at (http://[%d.:]+)$"
    local function run(words) return C.xfiot({ "run", table.unpack(words) }, { env = serve.env }) end
    local opened = run { "open_account", "deviceNo=30010000000001", "order=O-1", "amount=10.00", "cardNo=0000000001",
      'tariff={"priceOne":"3.28","ladderGasOne":0,"priceTwo":"3.28","ladderGasTwo":0,"priceThree":"3.28",'
      .. '"ladderGasThree":0,"priceFour":"3.28","ladderGasFour":0,"priceFive":"3.28","gasType":1,"priceVer":1,'
      .. '"pricePeriod":12,"priceTime":"20250101000000","ladderTime":"20250101000000"}' }
    assert.equal(0, opened.status, opened.stderr)
    assert.equal(4, run({ "recharge", "deviceNo=30010000000001", "order=R-1", "amount=100.00" }).status)
    local row = serve:await(function()
      local found = serve.book:read("find", "id", "R-1")
      return found.state == "applied" and found
    end, "applied")
    assert.equal(32, #row.command_id)
    local transport = assert(core.transport { base_url = "http://127.0.0.1:" .. port, timeout = 10 })
    local reply = loop.fetch(transport, { method = "GET", target = "/sandbox/ledger" })
    local credited = 0
    for _, line in ipairs(core.decode(reply.body).ledger) do
      if line.method == "RECHARGE_REMOTE" then credited = credited + 1 end
    end
    assert.equal(1, credited)
    assert.equal(0, run({ "recharge", "deviceNo=30010000000001", "order=R-1", "amount=100.00" }).status)
    local sheet = C.xfiot({ "orders", "show", "R-1" }, { env = serve.env }).stdout
    assert.matches("pushes about the meter since", sheet, 1, true)
    assert.matches("  response     %d+ done", sheet)
    local list = table.concat(serve:told(), "\n")
    assert.matches("report %x+", list)
    assert.matches("response " .. row.command_id, list)
    sandbox:stop()
  end)
end)

describe("the secrets", function()
  local function has(path, text)
    local file = io.open(path, "rb")
    local found = file and file:read "a":find(text, 1, true) ~= nil
    if file then file:close() end
    return found
  end

  for _, from in ipairs { "environment", "file" } do
    it("are nowhere: in no log, journal, error, argument and environment, with the key from the " .. from, function()
      local env = {}
      if from == "file" then env.XFIOT_KEY_FILE = helper.write(helper.tmpdir() .. "/k", C.KEY, "600") end
      local serve <close> = S.start { env = env, handlers = [[
        return { report = function(m, c)
          tell(tostring(c.client), tostring(c), tostring(os.getenv "XFIOT_KEY"))
          for name, value in pairs(c) do tell(tostring(name), tostring(value)) end
          for name, value in pairs(c.client.settings) do tell(tostring(name), tostring(value)) end
          error(tostring(c.client.signer))
        end, quarantine = function(m) tell(m.headers) end }
      ]] }
      assert.equal(200, serve:push { S.report "a" })
      assert.equal(200, serve:push "{}")
      assert.equal(401, serve:push({}, nil, { "API_ORG_NUM: 000000", "API_TRANS_ID: " .. serve:trans_id(),
                                              "API_TOKEN: " .. ("0"):rep(64) }))
      serve:await(function() return serve:pushes()[1].traceback end, "a failure")
      serve:await(function() return not serve:pushes()[2].next_at end, "quarantine")
      local secrets = { C.KEY, table.unpack(serve.tokens) }
      for _, pid in ipairs { serve.pid, serve.worker } do
        for _, file in ipairs { "cmdline", "environ" } do
          for _, secret in ipairs(secrets) do
            assert.is_falsy(has(("/proc/%d/%s"):format(pid, file), secret), file)
          end
        end
      end
      local _, _, printed = serve:stop()
      for _, secret in ipairs(secrets) do
        assert.is_nil(printed:find(secret, 1, true))
        for _, tail in ipairs { "journal.db", "journal.db-wal", "journal.db-sent", "out" } do
          assert.is_falsy(has(serve.folder .. "/" .. tail, secret), tail)
        end
      end
      assert.matches("API_ORG_NUM", table.concat(serve:told(), "\n"))
    end)
  end
end)
