-- Orders: an id is sent at most once, a meter has one at a time, and what is in
-- doubt stays in doubt. Judged by the ledger that the sandbox's meters keep.

local V = require "spec.verbs_helper"
local loop = require "xfiot.loop"
local sandbox = require "xfiot.sandbox"
local xfiot = require "xfiot"

local function recharge(box, id, amount, more)
  local args = { order = id, amount = amount or "10.00" }
  for name, value in pairs(more or {}) do args[name] = value end
  return box:meter(V.MONEY):recharge(args)
end

local function fail_recharge(...) return V.failure(recharge, ...) end

-- ---- one id

local SAME = { -- an order, and the same in other words
  { "recharge", { amount = "10.00" }, { amount = 10, wait = 9 } },
  { "recharge", { amount = "10.5" }, { amount = "10.50" } },
  { "refund", { amount = "0.50" }, { amount = 0.5 }, first = true },
  { "open_account", { amount = 10, cardNo = "0000000001", tariff = V.tariff() },
    { amount = "10.00", cardNo = "0000000001", tariff = V.tariff { priceOne = 3.28, clearMark = 1 } },
        closed = true },
  { "change_price", { tariff = V.tariff(), clearMark = 1 }, { tariff = V.tariff { clearMark = 1,
      priceFive = 4.77 } } },
  { "set_ladder", { ladderValue = "7.0" }, { ladderValue = 7 } },
  { "close_account", {}, { wait = 5 } },
}

local OTHER = { -- changes that make another order of it
  { "amount", "recharge", { amount = "10.01" } },
  { "verb", "refund", { amount = "10.00" } },
  { "command", "close_account", {} },
  { "meter", "recharge", { amount = "10.00" }, V.MONEY_2 },
  { "bill number", "recharge", { amount = "10.00", billNo = 9 } },
}

local function with_id(args, id)
  local copy = { order = id }
  for name, value in pairs(args) do copy[name] = value end
  return copy
end

describe("an order id", function()
  for i, row in ipairs(SAME) do
    it(("given again returns the same receipt (%s %d)"):format(row[1], i), function()
      local box <close> = V.open { opened = not row.closed }
      if row.first then recharge(box, "first") end
      local meter = box:meter()
      local receipt = meter[row[1]](meter, with_id(row[2], "A"))
      local sent = box:calls "creatCmd"
      assert.are.equal(receipt, meter[row[1]](meter, with_id(row[2], "A")))
      assert.are.equal(receipt, meter[row[1]](meter, with_id(row[3], "A")))
      assert.are.equal(sent, box:calls "creatCmd")
      assert.are.equal(sent, #box:done())
    end)
  end

  for _, row in ipairs(OTHER) do
    it("is refused with another " .. row[1], function()
      local box <close> = V.open()
      recharge(box, "A")
      local calls = box:calls()
      local meter = box:meter(row[4])
      local err = V.failure(meter[row[2]], meter, with_id(row[3], "A"))
      assert.are.equal("invalid", err.kind)
      assert.are.equal("order", err.field)
      assert.is_false(err.sent)
      assert.truthy(tostring(err):find('"A"', 1, true))
      assert.are.equal(calls, box:calls())
      assert.are.equal(1, #box:done())
    end)
  end

  it("used by many at once is sent once, and all get its receipt", function()
    local box <close> = V.open()
    local rows = {}
    for i = 1, 20 do rows[i] = i end
    local results = xfiot.parallel(rows, function() return recharge(box, "A") end)
    for _, result in ipairs(results) do
      assert.is_true(result.ok, tostring(result.error))
      assert.are.equal(results[1].value, result.value)
    end
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(1, #box:done())
  end)

  it("used by many at once that fails is sent once, and all get its error", function()
    local box <close> = V.open { fault = "creatCmd:lost" }
    local results = xfiot.parallel({ 1, 2, 3, 4 }, function() return recharge(box, "A") end)
    for _, result in ipairs(results) do
      assert.is_false(result.ok)
      assert.are.equal("unknown", result.error.kind)
      assert.are.equal("A", result.error.order)
    end
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(1, #box:done())
  end)
end)

describe("a later client on the same journal", function()
  it("finds the receipt", function()
    local box <close> = V.open()
    local receipt = recharge(box, "A")
    local later = box:another():meter(V.MONEY)
    assert.are.same(receipt, later:recharge { order = "A", amount = 10 })
    assert.are.equal("order", V.failure(later.recharge, later, { order = "A", amount = 11 }).field)
    assert.are.equal(2, later:recharge({ order = "B", amount = 1 }).bill_no)
    assert.are.equal(2, #box:done())
  end)

  it("finds what is in doubt", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local err = fail_recharge(box, "A")
    local later = box:another():meter(V.MONEY)
    local again = V.failure(later.recharge, later, { order = "A", amount = 10 })
    assert.are.same({ err.kind, err.order }, { again.kind, again.order })
    assert.are.equal("A", V.failure(later.recharge, later, { order = "B", amount = 10 }).blocking)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("finds what was refused", function()
    local box <close> = V.open { fault = "creatCmd:code=500033:1:before" }
    fail_recharge(box, "A")
    local later = box:another():meter(V.MONEY)
    assert.are.equal("500033", V.failure(later.recharge, later, { order = "A", amount = 10 }).code)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("asks on for what was not over", function()
    local box <close> = V.open { speed = 0 }
    fail_recharge(box, "A", "10.00", { wait = 0 })
    box.sandbox:advance(60)
    assert.are.equal("applied", box:another():meter(V.MONEY):recharge({ order = "A", amount = 10 }).state)
    assert.are.equal(1, box:calls "creatCmd")
  end)
end)

-- ---- the platform cannot be reached

describe("an order that could not be sent", function()
  local box, port
  before_each(function()
    box = V.open()
    recharge(box, "first") -- the device's id and kind are known from then on
    port = box.sandbox:port()
    box.sandbox:close()
  end)
  after_each(function() box.sandbox:close() end)

  local function come_back()
    box.sandbox = sandbox.new { start = "20260101000000", wake = 0.01, opened = true,
                                listen = "127.0.0.1:" .. port }
    box:meter(V.MONEY_2):valve "open" -- takes the command's id that the first order had
  end

  it("says so and may be given again, with the caller's own bill number", function()
    local err = fail_recharge(box, "A", "1.00", { billNo = 40 })
    assert.is_false(err.sent)
    assert.are.equal("transport", err.kind)
    come_back()
    assert.are.equal(40, recharge(box, "A", "1.00", { billNo = 40 }).bill_no)
    assert.are.equal(1, #box:done(V.MONEY))
  end)

  it("says so to all who gave it at once, and goes before the meter's next", function()
    local results = xfiot.parallel({ 1, 2 }, function() return recharge(box, "A", "1.00") end)
    for _, result in ipairs(results) do
      assert.is_false(result.ok)
      assert.is_true(xfiot.is_error(result.error), tostring(result.error))
      assert.is_false(result.error.sent)
    end
    come_back()
    assert.are.equal("applied", recharge(box, "B", "2.00").state)
    assert.are.equal("applied", recharge(box, "A", "1.00").state)
    local amounts = {}
    for i, done in ipairs(box:done(V.MONEY)) do amounts[i] = done.amount end
    assert.are.same({ "1.00", "2.00" }, amounts)
  end)
end)

-- ---- replies that say neither yes nor no

local DOUBTFUL = { -- fault of creatCmd, how often the meter does it
  { "lost", 1 }, { "reset", 1 }, { "cut", 1 }, { "garbled", 1 }, { "status=500", 1 }, { "status=302", 1 },
  { "status=503:*:before", 0 }, { "lost:*:before", 0 }, { "reset:*:before", 0 },
  { "code=500014:*:before", 0 }, { "code=500038:*:before", 0 }, { "code=500038", 1 }, { "code=999999", 1 },
  { "code=100000:*:before", 0 },
}

local REFUSED = { "101001", "500001", "500003", "500004", "500013", "500018", "500032", "500033", "500045" }

describe("an order in doubt", function()
  for _, row in ipairs(DOUBTFUL) do
    it(("after creatCmd:%s is never sent again"):format(row[1]), function()
      local box <close> = V.open { fault = "creatCmd:" .. row[1] }
      local err = fail_recharge(box, "A")
      assert.are.equal("unknown", err.kind)
      assert.are.equal("A", err.order)
      assert.truthy(err.sent)
      local again = fail_recharge(box, "A")
      assert.are.equal("unknown", again.kind)
      assert.are.equal("A", again.order)
      assert.are.equal(1, box:calls "creatCmd")
      assert.are.equal(row[2], #box:done())
    end)
  end

  it("holds up the meter's next order, which is neither stored nor sent", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    fail_recharge(box, "A")
    for _, attempt in ipairs {
      function() recharge(box, "B") end,
      function() box:meter():close_account { order = "B" } end,
      function() box:meter():recharge { order = "B", amount = "99.00" } end, -- B was not stored
    } do
      local err = V.failure(attempt)
      assert.are.equal("unknown", err.kind)
      assert.are.equal("A", err.blocking)
      assert.is_false(err.sent)
      assert.truthy(err.message_en:find("A", 1, true))
    end
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(1, #box:done())
  end)

  it("holds up nobody else, and nothing that moves no money", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    fail_recharge(box, "A")
    assert.are.equal("applied", box:meter(V.MONEY_2):recharge({ order = "B", amount = 1 }).state)
    assert.are.equal(0, box:meter():valve("close").commandResult)
  end)

  it("tells those who waited behind it", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local results = xfiot.parallel({ "A", "B", "C" }, function(id) return recharge(box, id) end)
    local kinds = {}
    for i, result in ipairs(results) do
      kinds[i] = ("%s %s"):format(result.error.kind, result.error.order or result.error.blocking)
    end
    assert.are.same({ "unknown A", "unknown A", "unknown A" }, kinds)
    assert.are.equal(1, #box:done())
  end)
end)

describe("an order that the platform refused", function()
  for _, code in ipairs(REFUSED) do
    it(("with %s stays refused, and a new one may follow"):format(code), function()
      local box <close> = V.open { fault = "creatCmd:code=" .. code .. ":1:before" }
      for _ = 1, 2 do
        local err = fail_recharge(box, "A")
        assert.are.equal("platform", err.kind)
        assert.are.equal(code, err.code)
      end
      assert.are.equal(1, box:calls "creatCmd")
      assert.are.equal("applied", recharge(box, "B").state)
      assert.are.equal(1, #box:done())
    end)
  end
end)

-- ---- the meter's answer

local SUSPECT = { -- what goes wrong, fault, how often the meter does it
  { "could not be delivered", "send:failed", 0 },
  { "never reached the meter", "send:lost", 0 },
  { "was done, and the answer never came back", "answer:lost", 1 },
}

describe("an accepted order", function()
  for _, row in ipairs(SUSPECT) do
    it("that " .. row[1] .. " is in doubt, not failed", function()
      local box <close> = V.open { fault = row[2] }
      for _ = 1, 2 do
        local err = fail_recharge(box, "A")
        assert.are.equal("unknown", err.kind)
        assert.are.equal("A", err.order)
      end
      assert.are.equal("A", fail_recharge(box, "B").blocking)
      assert.are.equal(1, box:calls "creatCmd")
      assert.are.equal(row[3], #box:done())
    end)
  end

  it("that the meter refused is in doubt", function()
    local box <close> = V.open()
    local meter = box:meter()
    local err = V.failure(function() meter:refund { order = "A", amount = "5.00" } end)
    assert.are.equal("unknown", err.kind)
    assert.are.equal("A", err.order)
    assert.are.equal("A", fail_recharge(box, "B").blocking)
    assert.are.equal("1", box:done()[1].result)
  end)

  it("that was cancelled ends as cancelled, and the next may go", function()
    local box <close> = V.open { speed = 0 }
    local id = fail_recharge(box, "A", "1.00", { wait = 0 }).command_id
    assert.is_true((box.client:cancelCmd { deviceId = box:meter():device_id(), commandId = id }))
    for _ = 1, 2 do assert.are.equal("cancelled", fail_recharge(box, "A", "1.00").kind) end
    assert.are.equal("timeout", fail_recharge(box, "B", "1.00", { wait = 0 }).kind)
    local ledger = box:done()
    assert.are.equal(1, #ledger)
    assert.are.equal(2, ledger[1].bill_no)
  end)

  it("that is answered late is found by asking again", function()
    local box <close> = V.open { speed = 0 }
    local err = fail_recharge(box, "A", "10.00", { wait = 0 })
    assert.are.equal("timeout", err.kind)
    assert.is_true(err.sent)
    assert.are.equal("timeout", fail_recharge(box, "A", "10.00", { wait = 0.2 }).kind)
    assert.are.equal(1, #box:done())
    local receipt = recharge(box, "A", "10.00", { wait = 30 })
    assert.are.equal("applied", receipt.state)
    assert.are.equal(box.sandbox:ledger()[1].command_id, receipt.command_id)
    assert.are.equal(receipt, recharge(box, "A"))
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(1, #box:done())
  end)

  it("that is not over keeps the meter's next one from being sent", function()
    local box <close> = V.open { speed = 0 }
    fail_recharge(box, "A", "10.00", { wait = 0 })
    local err = fail_recharge(box, "B", "10.00", { wait = 0.2 })
    assert.are.same({ "timeout", false, "A", "B" }, { err.kind, err.sent, err.blocking, err.order })
    assert.is_nil(err.command_id)
    assert.is_nil(box.client.orders:find "B") -- and it says so
    assert.matches("Nothing of this order was stored or sent", tostring(err))
    assert.are.equal(1, box:calls "creatCmd")
    box.sandbox:advance(60)
    assert.are.equal("applied", recharge(box, "A").state)
    assert.are.equal("timeout", fail_recharge(box, "B", "10.00", { wait = 0 }).kind)
    box.sandbox:advance(60)
    assert.are.equal("applied", recharge(box, "B").state)
    assert.are.equal(2, #box:done())
  end)

  it("waits as long as the settings say when the call does not", function()
    local box <close> = V.open { speed = 0 }
    local hasty = box:another { wait = 0.1 }
    assert.are.equal("timeout", V.failure(function()
      hasty:meter(V.MONEY):recharge { order = "A", amount = 1 }
    end).kind)
  end)

  it("that is not money is told by its command's id when time is up", function()
    local box <close> = V.open { speed = 0 }
    local err = V.failure(function() box:meter():valve { state = "close", wait = 0 } end)
    assert.are.equal("timeout", err.kind)
    box.sandbox:advance(60)
    local answer = assert(box.client:queryCmd { deviceId = box:meter():device_id(),
        commandId = err.command_id })
    assert.are.equal(1, answer.commandState)
  end)

  it("outlives questions that are not answered", function()
    local box <close> = V.open { fault = "batchQueryCmd:reset:1, batchQueryCmd:status=500:2" }
    assert.are.equal("applied", recharge(box, "A").state)
    assert.are.equal(3, box:calls "batchQueryCmd")
  end)

  it("is not given up when a question is refused", function()
    local box <close> = V.open { fault = "batchQueryCmd:code=500003:1" }
    assert.are.equal("500003", fail_recharge(box, "A").code)
    assert.are.equal("applied", recharge(box, "A").state)
    assert.are.equal(1, #box:done())
  end)
end)

-- ---- turns

describe("orders of one meter", function()
  it("are sent one after the other", function()
    local box <close> = V.open { speed = 0 }
    box.sandbox:advance(1)
    local results = xfiot.parallel({ "A", "B", "C", "" }, function(id)
      if id ~= "" then return recharge(box, id) end
      for turn = 1, 3 do
        V.wait_until(function() return box:calls "creatCmd" == turn end)
        local questions = box:calls "batchQueryCmd"
        V.wait_until(function() return box:calls "batchQueryCmd" > questions end)
        assert.are.equal(turn, box:calls "creatCmd")
        assert.are.equal(1, box.sandbox:device(V.MONEY).waiting)
        box.sandbox:advance(10)
      end
    end)
    for _, result in ipairs(results) do assert.is_true(result.ok, tostring(result.error)) end
    local bills = {}
    for i, done in ipairs(box:done()) do bills[i] = done.bill_no end
    assert.are.same({ 1, 2, 3 }, bills)
  end)

  it("wait for their turn no longer than they may wait", function()
    local box <close> = V.open { speed = 0 }
    box.sandbox:advance(1)
    local over
    local results = xfiot.parallel({ "A", "B", "" }, function(id)
      if id == "A" then return recharge(box, "A") end
      if id == "" then
        pcall(V.wait_until, function() return over end, 200)
        box.sandbox:advance(10) -- lets A end, and B if it waits all the same
        V.wait_until(function() return over end)
        return
      end
      local ok, err = pcall(recharge, box, "B", "10.00", { wait = 0.2 })
      over = true
      if not ok then error(err, 0) end
    end)
    assert.are.equal("applied", results[1].value.state)
    assert.are.equal("timeout", results[2].error and results[2].error.kind)
    assert.is_false(results[2].error.sent)
    assert.are.equal(1, #box:done())
  end)

  it("of different meters do not wait for each other", function()
    local box <close> = V.open { speed = 0 }
    local results = xfiot.parallel({ V.MONEY, V.MONEY_2, false }, function(number)
      if number then return box:meter(number):recharge { order = number, amount = 1, prepaidType = 0 } end
      V.wait_until(function() return box:calls "creatCmd" == 2 end)
      box.sandbox:advance(10)
    end)
    for _, result in ipairs(results) do assert.is_true(result.ok, tostring(result.error)) end
  end)

  it("find each their answer when many are asked for at once", function()
    local box <close> = V.open { meters = "money=35" }
    local rows = {}
    for i = 1, 35 do rows[i] = ("3001%010d"):format(i) end
    local results = xfiot.parallel(rows, function(number, i)
      return box:meter(number):recharge { order = "A" .. i, amount = i }
    end)
    for i, result in ipairs(results) do
      assert.is_true(result.ok, tostring(result.error))
      assert.are.equal(("%d.00"):format(i), result.value.surplus)
    end
    assert.are.equal(35, #box:done())
  end)
end)

-- ---- bill numbers

describe("a bill number", function()
  it("rises per meter and follows one that the caller gave", function()
    local box <close> = V.open()
    local numbers = {}
    for i, own in ipairs { false, false, 10, false } do
      numbers[i] = recharge(box, "A" .. i, "1.00", { billNo = own or nil }).bill_no
    end
    assert.are.same({ 1, 2, 10, 11 }, numbers)
    assert.are.equal(1, box:meter(V.MONEY_2):recharge({ order = "B", amount = 1 }).bill_no)
    local seen = {}
    for i, done in ipairs(box:done(V.MONEY)) do seen[i] = done.bill_no end
    assert.are.same(numbers, seen)
  end)

  it("that was used is refused", function()
    local box <close> = V.open()
    recharge(box, "A", "1.00", { billNo = 10 })
    local err = fail_recharge(box, "B", "1.00", { billNo = 10 })
    assert.are.equal("invalid", err.kind)
    assert.are.equal("billNo", err.field)
    assert.are.equal("500032", err.code)
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(11, recharge(box, "B", "1.00").bill_no)
  end)

  it("ends at 65535: the meter needs a person then", function()
    local box <close> = V.open()
    assert.are.equal(65535, recharge(box, "A", "1.00", { billNo = 65535 }).bill_no)
    local err = fail_recharge(box, "B")
    assert.are.equal("billNo", err.field)
    assert.truthy(tostring(err):find("person", 1, true))
    assert.are.equal(1, #box:done())
  end)

  it("of an order in doubt or refused is not used again", function()
    local box <close> = V.open { fault = "creatCmd:code=500033:1:before" }
    fail_recharge(box, "A")
    assert.are.equal(2, recharge(box, "B").bill_no)
  end)
end)

-- ---- a verb inside other code

describe("a verb", function()
  it("looks the same at top level, in parallel and in a task", function()
    local box <close> = V.open()
    local states = { recharge(box, "A").state }
    states[2] = xfiot.parallel({ 1 }, function() return recharge(box, "B").state end)[1].value
    local task = loop.spawn(function() states[3] = recharge(box, "C").state end)
    loop.join { task }
    assert.are.same({ "applied", "applied", "applied" }, states)
  end)
end)
