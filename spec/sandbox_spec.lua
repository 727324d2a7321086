local H = require "spec.sandbox_helper"
local clock = require "xfiot.sandbox.clock"
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local random = require "xfiot.sandbox.random"
local sandbox = require "xfiot.sandbox"

describe("xfiot.sandbox", function()
  it("starts on any free port and says how to reach it", function()
    local s <close> = sandbox.new()
    assert.matches("^http://127%.0%.0%.1:%d+$", s:url())
    assert.equal(s:url(), s:settings().base_url)
    assert.equal("000000", s:settings().company_code)
    assert.is_true(s:settings().signer:verify(s:settings().signer:sign()))
    assert.equal(5, #s:devices())
    assert.is_true(math.abs(s:now() - core.now()) <= 1)
    assert.matches("sandbox at http", tostring(s))
  end)

  it("has the meters it is told to have", function()
    local s <close> = sandbox.new { meters = "gas=2,commercial=1" }
    local kinds = {}
    for i, device in ipairs(s:devices()) do
      kinds[i] = device.deviceNo .. " " .. device.kind .. " " .. device.state
    end
    assert.same({ "30020000000001 gas 2", "30020000000002 gas 2", "30050000000001 commercial 2" }, kinds)
    local t <close> = sandbox.new { meters = {
      { deviceNo = "1", kind = "money", opened = true, balance = "12.30" },
      { deviceNo = "2", registered = false },
    } }
    assert.same({ true, "12.30", "3.28", true },
      { t:device("1").account, t:device("1").balance, t:device("1").price, t:device("1").registered })
    assert.same({ 1, "unknown" }, { t:device("2").state, t:device("2").kind })
    assert.is_nil(t:device("3"))
  end)

  it("gives ids by seed and number", function()
    local a <close> = sandbox.new { seed = 1, meters = "money=2" }
    local b <close> = sandbox.new { seed = 1, meters = "gas=1,money=1" }
    local c <close> = sandbox.new { seed = 2, meters = "money=1" }
    assert.equal(a:device(H.MONEY).deviceId, b:device(H.MONEY).deviceId)
    assert.not_equal(a:device(H.MONEY).deviceId, c:device(H.MONEY).deviceId)
    assert.not_equal(a:device(H.MONEY).deviceId, a:device(H.MONEY_2).deviceId)
  end)

  it("refuses options that make no sense", function()
    for _, options in ipairs {
      { listen = "nowhere" }, { start = "2026" }, { speed = -1 }, { speed = "1" }, { wake = "x" },
      { wake = -1 }, { meters = "money" }, { meters = "cars=1" }, { fault = "x" }, { seed = 1.5 },
      { repeat_bill = "sometimes" }, { push_reports = "ftp://x" }, { freeze = "often" }, { low = "x" },
      { overdraft = "-1" }, { idle = "x" }, { profile = "castle" }, { contradictions = "C22=x" },
      { meters = { { deviceNo = "1" }, { deviceNo = "1" } } },
      { meters = { { deviceNo = "1", kind = "car" } } },
      { meters = { { deviceNo = "1", kind = "gas", opened = true, balance = "1.234" } } },
    } do
      local ok, reason = pcall(sandbox.new, options)
      assert.is_false(ok, core.encode(options))
      assert.matches("^sandbox: ", reason)
    end
  end)

  it("says that it is a sandbox in every log line and in its status", function()
    local lines = {}
    local box <close> = H.open { log = function(line) lines[#lines + 1] = line end }
    box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
    assert.is_true(#lines >= 4)
    for _, line in ipairs(lines) do assert.matches("^sandbox %d+ ", line) end
    assert.matches("^sandbox", box.sandbox:status())
    assert.matches(H.MONEY .. " +money +yes +no +closed", box.sandbox:status())
  end)

  it("keeps a ledger of what meters did", function()
    local box <close> = H.open { opened = true }
    local refund = { prepaidType = 0, billNo = 7, rechargeValue = -10 }
    local _, id = box:command(H.MONEY, "RECHARGE_REMOTE", refund)
    box:command(H.GAS, "VALVE_CONTROL", { controlFlag = 0 })
    box.sandbox:advance(10)
    assert.same({ {
      device_no = H.MONEY, command_id = id, method = "RECHARGE_REMOTE", bill_no = 7, amount = "-10.00",
      at = "20260101000001", result = "1",
    } }, box.sandbox:ledger(H.MONEY))
    assert.equal(2, #box.sandbox:ledger())
    assert.equal(1, #box.sandbox:ledger { method = "RECHARGE_REMOTE", bill_no = 7 })
    assert.equal(0, #box.sandbox:ledger { method = "VALVE_CONTROL", bill_no = 7 })
  end)

  it("answers on its own paths", function()
    local box <close> = H.open()
    local function ask(method, target)
      local reply = box:send(method, target, nil, {})
      return reply.status, core.decode(reply.body)
    end
    local status, answer = ask("POST", "/sandbox/advance?by=30d")
    assert.same({ 200, { sandbox = "xfiot sandbox", now = "20260131000000" } }, { status, answer })
    assert.equal("20260131000000", core.timestamp(box.sandbox:now()))
    assert.equal(400, (ask("POST", "/sandbox/advance?by=soon")))
    assert.equal(405, (ask("GET", "/sandbox/advance")))
    status, answer = ask("GET", "/sandbox/status")
    assert.same({ 200, box.sandbox:status() }, { status, answer.status })
    box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
    status, answer = ask("GET", "/sandbox/ledger")
    assert.same({ 200, box.sandbox:ledger() }, { status, answer.ledger })
  end)

  it("runs by itself when time runs", function()
    local box <close> = H.open { speed = 1000 }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
    loop.run(function() return #box.sandbox:ledger() == 1 end)
    assert.equal(1, (box:state(H.MONEY, id)))
  end)

  it("stops when it is closed", function()
    local box = H.open()
    box.sandbox:close()
    box.sandbox:close()
    assert.not_equal(0, box:send("GET", "/sandbox/status").curl)
    assert.matches("closed", tostring(box.sandbox))
  end)

  it("lives beside another one", function()
    local a <close> = H.open { company_code = "111111" }
    local b <close> = H.open { company_code = "222222" }
    assert.equal("500002", (a:call("query", { companyCode = "222222", deviceNo = H.MONEY })))
    assert.equal("100000", (b:call("query", { companyCode = "222222", deviceNo = H.MONEY })))
  end)
end)

describe("the sandbox's clock", function()
  it("reads spans", function()
    for _, case in ipairs {
      { "30d", 2592000000 }, { "12h", 43200000 }, { "15m", 900000 }, { "10s", 10000 }, { 0.05, 50 },
      { "1.5", 1500 }, { "0.5h", 1800000 },
    } do
      assert.equal(case[2], clock.milliseconds(case[1]))
    end
    for _, bad in ipairs { "", "d", "1w", "-1", -1, "1 d", "1e3", 0 / 0, math.huge, true, "999999999d" } do
      assert.is_nil(clock.milliseconds(bad), tostring(bad))
    end
  end)

  it("runs events in order, each at its own time", function()
    local c = clock.new { start = 1000, speed = 0 }
    local seen = {}
    local function note(name) seen[#seen + 1] = name .. "@" .. c:now() end
    for _, delay in ipairs { 50, 10, 40, 10, 30, 20, 60 } do
      c:after(delay, function(argument)
        note(argument)
        if argument == "e30" then c:after(5, note, "nested") end
      end, "e" .. delay)
    end
    c:advance(50)
    assert.same({
      "e10@1000010", "e10@1000010", "e20@1000020", "e30@1000030", "nested@1000035", "e40@1000040",
      "e50@1000050",
    }, seen)
    assert.equal(1000050, c:now())
    c:advance(9)
    assert.equal(7, #seen)
    c:advance(1)
    assert.equal(8, #seen)
  end)
end)

describe("the sandbox's chance", function()
  it("is the same for the same seed", function()
    local a, b, c = random.new(1), random.new(1), random.new(2)
    assert.equal(a:id("x"), b:id("x"))
    assert.not_equal(a:id("x"), c:id("x"))
    assert.equal(a:next_id(), b:next_id())
    assert.not_equal(a:next_id(), a:next_id())
    assert.matches("^%d%d%d%d%d$", a:digits("x", 5))
  end)

  it("stays within bounds and does not repeat ids", function()
    local r, seen = random.new(1), {}
    for i = 1, 1000 do
      local n = r:between(tostring(i), -3, 3)
      assert.is_true(n >= -3 and n <= 3)
      local id = r:id(tostring(i))
      assert.is_nil(seen[id])
      seen[id] = true
    end
  end)
end)
