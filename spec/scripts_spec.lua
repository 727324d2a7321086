-- The shipped workflows as a utility runs them: by the program, with the
-- built-in platform inside it, and against one that is served.

local C = require "spec.cli_helper"
local helper = require "spec.helper"
local core = require "xfiot.core"

local MONEY, BACKEND, COMMERCIAL = "30010000000001", "30030000000001", "30050000000001"

local TARIFF = core.encode {
  priceOne = "3.50", ladderGasOne = 300, priceTwo = "3.88", ladderGasTwo = 420, priceThree = "4.77",
  ladderGasThree = 420, priceFour = "4.77", ladderGasFour = 420, priceFive = "4.77", gasType = 1,
  priceVer = 7, pricePeriod = 12, priceTime = "20250101000000", ladderTime = "20250101000000",
}

-- script, its arguments by name (optional ones with ?), and a good set of values.
local SCRIPTS = {
  open_account = { "amount cardNo deviceNo order tariff userAddress? userName? userNo?",
    { deviceNo = "07602190100007116", order = "O-1", amount = "50.00", cardNo = "0000000001", tariff = TARIFF,
      userName = "张三" } },
  recharge = { "amount deviceNo order", { deviceNo = MONEY, amount = "100.00", order = "R-1" } },
  price_change = { "deviceNo order tariff clearMark?", { deviceNo = MONEY, order = "P-1", tariff = TARIFF,
      clearMark = "1" } },
  balance_sync = { "deviceNo balance? ladderNo? price?",
    { deviceNo = BACKEND, balance = "-5.00", price = "2.50", ladderNo = "2" } },
  meter_swap = { "deviceNo newDeviceNo order reading cardNo? newDigits? newReading? tariff?",
    { deviceNo = MONEY, newDeviceNo = "07602190100007117", reading = "0", order = "S-1", cardNo = "0000000001",
      tariff = TARIFF }, alone = false }, -- the old meter must have lived; see billing_spec.lua
  valve = { "deviceNo state", { deviceNo = MONEY, state = "close" } },
  close_account = { "deviceNo order", { deviceNo = MONEY, order = "C-1" } },
}

local names = {}
for name in pairs(SCRIPTS) do names[#names + 1] = name end
table.sort(names)

local function path_of(name) return helper.root .. "/scripts/" .. name .. ".lua" end

-- xfiot run SCRIPT name=value ...
local function run(name, values, options, ...)
  local words = { "run", path_of(name), ... }
  for key, value in pairs(values) do words[#words + 1] = key .. "=" .. value end
  return C.xfiot(words, options)
end

local function result_of(done)
  assert.are.equal(0, done.status, done.stderr)
  assert.truthy(done.stdout:find "^[^\n]+\n$", done.stdout)
  return (assert(core.decode(done.stdout)))
end

describe("the script", function()
  for _, name in ipairs(names) do
    local row = SCRIPTS[name]

    it(name .. " is short and needs the module only", function()
      local text = helper.read(path_of(name))
      assert.truthy(select(2, text:gsub("\n", "")) < 40)
      for module in text:gmatch "require%W+([%w._]+)" do assert.are.equal("xfiot", module) end
    end)

    it(name .. " tells its arguments", function()
      for _, script in ipairs { path_of(name), name, name .. ".lua" } do
        local done = C.xfiot({ "run", script, "--help" }, { cwd = "/" })
        assert.are.equal(0, done.status, done.stderr)
        assert.are.equal("", done.stderr)
        local told = {}
        local list = done.stdout:match "Arguments:\n(.*)$"
        for argument, optional in list:gmatch "  (%w+) +(o?p?t?i?o?n?a?l?:?)" do
          told[#told + 1] = argument .. (optional == "optional:" and "?" or "")
        end
        assert.are.equal(row[1], table.concat(told, " "))
      end
    end)

    it(name .. " names everything that is missing", function()
      local done = run(name, {}, nil, "--sandbox")
      assert.are.equal(2, done.status)
      assert.are.equal("", done.stdout)
      for argument, optional in row[1]:gmatch "(%w+)(%??)" do
        if optional == "" then assert.truthy(done.stderr:find(argument .. " is missing", 1, true),
            argument) end
      end
      C.assert_no_insides(done.stderr)
    end)

    if row.alone ~= false then it(name .. " runs on the built-in platform", function()
      local done = run(name, row[2], { cwd = "/" }, "--sandbox")
      assert.are.equal(0, result_of(done).result and result_of(done).result.commandResult
        or result_of(done).commandResult)
      assert.are.equal("xfiot: this is the sandbox, no real meter is touched\n", done.stderr)
    end) end
  end
end)

describe("against a served platform", function()
  local server, folder
  setup(function()
    server = C.serve { "--speed", "200", "--seed", "5" }
    folder = helper.tmpdir()
    helper.write(folder .. "/prices.json", TARIFF)
    helper.write(folder .. "/prices.lua", "return " .. TARIFF:gsub('"(%w+)":', "%1 = "))
  end)
  teardown(function() server:stop() end)

  local function done(name, values) return result_of(run(name, values, server:with())) end
  local function last(number)
    local rows = server:ledger(number)
    return rows[#rows], #rows
  end

  it("a meter lives from its opening to its end", function()
    local number = "07602190100007116"
    local receipt = done("open_account", SCRIPTS.open_account[2])
    assert.are.equal("applied", receipt.state)
    assert.are.equal(number, receipt.device_no)
    assert.are.equal("ACCOUNT_OPEN", last(number).method)

    receipt = done("recharge", { deviceNo = number, amount = "100.00", order = "R-9" })
    assert.are.equal("150.00", receipt.surplus)
    assert.are.equal("100.00", receipt.amount)
    assert.are.equal("100.00", last(number).amount)

    receipt = done("price_change", { deviceNo = number, order = "P-9", clearMark = "0",
                                     tariff = folder .. "/prices.lua" })
    assert.are.equal("3.50", receipt.price.priceOne)

    assert.are.equal(0, done("valve", { deviceNo = number, state = "close" }).commandResult)
    assert.are.equal("VALVE_CONTROL", last(number).method)

    assert.are.equal("applied", done("close_account", { deviceNo = number, order = "C-9" }).state)
    local row, count = last(number)
    assert.are.equal("ACCOUNT_CANCEL", row.method)
    assert.are.equal(6, count) -- the price was read too
  end)

  it("a commercial meter is opened in two steps", function()
    local values = { deviceNo = COMMERCIAL, order = "O-2", amount = "10.00", cardNo = "0000000002",
                     tariff = folder .. "/prices.json" }
    done("open_account", values)
    local methods = {}
    for i, row in ipairs(server:ledger(COMMERCIAL)) do methods[i] = row.method .. row.result end
    assert.are.same({ "ACCOUNT_OPEN0", "PRICE_CHANGE0" }, methods)
  end)

  it("a balance is told to a meter of the backend", function()
    done("balance_sync", SCRIPTS.balance_sync[2])
    assert.are.equal("BALANCE_SYNC", last(BACKEND).method)
  end)

  it("what the platform refuses ends with 1 and its code", function()
    local refused = run("recharge", { deviceNo = "999", amount = "1.00", order = "R-8" }, server:with())
    C.assert_sentence(refused, 1)
    assert.truthy(refused.stderr:find("500001", 1, true))
    assert.truthy(refused.stderr:find("设备信息不存在", 1, true))
  end)

  it("what the meter refuses ends with 4 and names the order", function()
    local refused = run("recharge", { deviceNo = "30010000000002", amount = "1.00", order = "R-7" },
        server:with())
    C.assert_sentence(refused, 4)
    assert.truthy(refused.stderr:find("R-7", 1, true))
    assert.are.equal("1", last("30010000000002").result)
  end)

  it("a meter that does not answer ends with 1 when time is up", function()
    local quiet = C.serve { "--speed", "0" }
    local waited = run("recharge", { deviceNo = MONEY, amount = "1.00", order = "R-6" }, quiet:with(),
        "--wait", "0.2")
    quiet:stop()
    C.assert_sentence(waited, 1)
    assert.truthy(waited.stderr:find("timeout", 1, true))
    assert.truthy(waited.stderr:find("Repeat the same order id", 1, true))
  end)

  it("a lost reply ends with 4, and the meter was credited at most once", function()
    local lossy = C.serve { "--speed", "200", "--fault", "creatCmd:lost" }
    local lost = run("recharge", { deviceNo = MONEY, amount = "1.00", order = "R-5" }, lossy:with())
    local rows = lossy:ledger(MONEY)
    lossy:stop()
    C.assert_sentence(lost, 4)
    assert.truthy(lost.stderr:find("R-5", 1, true))
    assert.truthy(#rows <= 1)
  end)

  for _, bad in ipairs {
    { "recharge", { deviceNo = MONEY, amount = "1.001", order = "X" }, "amount" },
    { "recharge", { deviceNo = MONEY, amount = "0", order = "X" }, "amount" },
    { "recharge", { deviceNo = MONEY, amount = "99999999.00", order = "X" }, "amount" },
    { "recharge", { deviceNo = MONEY, amount = "1.00", order = ("x"):rep(65) }, "order" },
    { "recharge", { deviceNo = ("1"):rep(33), amount = "1.00", order = "X" }, "deviceNo" },
    { "valve", { deviceNo = MONEY, state = "ajar" }, "state must be open or close" },
    { "balance_sync", { deviceNo = BACKEND, balance = "1.00", price = "31", ladderNo = "8" }, "ladderNo" },
    { "price_change", { deviceNo = MONEY, order = "X", clearMark = "1", tariff = "/nowhere.json" },
        "/nowhere.json" },
    { "price_change", { deviceNo = MONEY, order = "X", clearMark = "1", tariff = '{"priceOne":1}' },
        "priceTwo" },
    { "price_change", { deviceNo = MONEY, order = "X", tariff = TARIFF }, "clearMark" },
  } do
    it(("%s refuses %s with 2, and nothing is sent"):format(bad[1], bad[3]), function()
      local _, before = last()
      local refused = run(bad[1], bad[2], server:with())
      C.assert_sentence(refused, 2)
      assert.truthy(refused.stderr:find(bad[3], 1, true), refused.stderr)
      assert.truthy(refused.stderr:find("Nothing was sent.", 1, true), refused.stderr)
      assert.are.equal(before, select(2, last()))
    end)
  end
end)

describe("the key", function()
  it("stands in nothing that was printed", function()
    local found, count = C.find_printed(C.KEY)
    assert.is_nil(found)
    assert.truthy(count > 20)
  end)
end)
