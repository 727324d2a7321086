-- Orders in doubt and orders taken back: late successes, commandIds that a push
-- brings back, cancelling, proposals. The sandbox's ledger is the judge.

local V = require "spec.verbs_helper"
local core = require "xfiot.core"
local doubts = require "xfiot.doubts"
local recovery = require "xfiot.recovery"

local function recharge(box, more)
  local args = { order = "A", amount = "10.00", prepaidType = 0 }
  for name, value in pairs(more or {}) do args[name] = value end
  return box:meter(V.MONEY):recharge(args)
end

local function row_of(box) return box.client.orders:find "A" end

-- The command response push that the platform would send for the executed order.
local function push_of(box, changes)
  local done = box:done()[1]
  local message = { deviceId = row_of(box).device_id, commandId = done.command_id, receiveTime = "20260101000100",
                    callbackData = { commandResult = 0, billNo = tostring(done.bill_no) } }
  for name, value in pairs(changes or {}) do message[name] = value end
  return message
end

describe("a commandId that a push brings back", function()
  it("makes the unknown order accepted, and it ends as applied", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    assert.are.equal("unknown", V.failure(recharge, box).kind)
    assert.are.equal("unknown", row_of(box).state)
    local adopted = doubts.adopt(box.client.orders, push_of(box))
    assert.are.equal("A", adopted.order)
    assert.are.equal("accepted", row_of(box).state)
    assert.are.equal("applied", recharge(box).state)
    assert.are.equal(1, #box:done())
  end)

  it("is taken once", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    V.failure(recharge, box)
    local push = push_of(box)
    doubts.adopt(box.client.orders, push)
    assert.is_nil(doubts.adopt(box.client.orders, push))
    assert.are.equal("accepted", row_of(box).state)
  end)

  local strangers = {
    { "another meter", { deviceId = ("f"):rep(32) } },
    { "another bill number", { callbackData = { commandResult = 0, billNo = "77" } } },
    { "no bill number", { callbackData = { commandResult = 0 } } },
  }
  for _, row in ipairs(strangers) do
    it("is left alone when it names " .. row[1], function()
      local box <close> = V.open { fault = "creatCmd:lost:1" }
      V.failure(recharge, box)
      assert.is_nil(doubts.adopt(box.client.orders, push_of(box, row[2])))
      assert.are.equal("unknown", row_of(box).state)
    end)
  end
end)

describe("taking an order back", function()
  it("works while its command waits", function()
    local box <close> = V.open { speed = 0 }
    assert.are.equal("timeout", V.failure(recharge, box, { wait = 0 }).kind)
    local row = row_of(box)
    assert.is_true((doubts.cancel(box.client.orders, row)))
    assert.are.equal("cancelled", row_of(box).state)
    assert.are.equal("cancelled", V.failure(recharge, box).kind)
    assert.are.equal(0, #box:done())
  end)

  it("comes too late for one that was executed: it is applied", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box, { wait = 0 })
    assert.are.equal(1, #box:done())
    local cancelled, err = doubts.cancel(box.client.orders, row_of(box))
    assert.is_false(cancelled)
    assert.are.equal("500046", err.code)
    assert.are.equal("applied", row_of(box).state)
  end)
end)

-- An order that an earlier process left in doubt, with the report it knew then.
local function leave_in_doubt(box, bought, count)
  V.failure(recharge, box)
  local row = row_of(box)
  local before = core.encode { callbackData = { data = { { serviceId = "MoneyMeterInfo",
    serviceData = { totalBuyMoney = bought, buyCount = count } } } } }
  local placed = core.parse_timestamp "20250101000000"
  return setmetatable({ last_report = before, created_at = placed, deadline = placed + 31 }, { __index = row })
end

describe("two reports", function()
  it("lead to a proposal, which a person confirms", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local row = leave_in_doubt(box, "0.00", "0")
    box:done()
    doubts.weigh(box.client.orders, row)
    assert.are.equal("unknown", row_of(box).state)
    assert.are.equal("applied", row_of(box).proposal)
  end)

  it("settle the order themselves if the settings say so", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    box.client = box:another { resolve_by_evidence = true }
    local row = leave_in_doubt(box, "0.00", "0")
    box:done()
    doubts.weigh(box.client.orders, row)
    assert.are.equal("applied", row_of(box).state)
  end)

  it("propose nothing when something else has moved", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local row = leave_in_doubt(box, "3.00", "0")
    box:done()
    doubts.weigh(box.client.orders, row)
    assert.is_nil(row_of(box).proposal)
  end)
end)

-- What the platform answers for commands, in place of the platform.
local function answering(box, item)
  local client = box.client
  function client.batchQueryCmd() return { item } end
  function client.queryCmd() return item end
end

describe("the end of an accepted order", function()
  -- what the platform says, seconds since the order's expiry, state
  local DONE = { commandResult = 0 }
  local rows = {
    { "is its meter's success", { commandState = 1, resultDetail = DONE }, 0, "applied" },
    { "is not the success of another bill number", { commandState = 1,
      resultDetail = { commandResult = 0, billNo = "9" } }, 0, "suspect" },
    { "is the success of its own", { commandState = 1, resultDetail = { commandResult = 0, billNo = "1" } }, 0,
      "applied" },
    { "is waited for while the platform does not know it", nil, -1, "accepted" },
    { "is in doubt when the platform still does not know it", nil, 1, "suspect" },
    { "is waited for as long as the platform says that it waits", { commandState = 0 }, 1, "accepted" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local box <close> = V.open { speed = 0 }
      V.failure(recharge, box, { wait = 0 })
      local order, said = row_of(box), row[2]
      local over = order.deadline + order.expire_time + 3600
      order = setmetatable({ deadline = core.now() - row[3] - (over - order.deadline) }, { __index = order })
      if said then said.commandId = order.command_id end
      answering(box, said)
      doubts.ask(box.client.orders, { order }, { failed = error, unasked = error })
      assert.are.equal(row[4], row_of(box).state)
    end)
  end

  it("is booked for one whatever is said of another in the same reply", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box, { wait = 0 })
    local order = row_of(box)
    local client = box.client
    function client.batchQueryCmd() return nil, { curl = 0, http_status = 200 } end -- spoilt by the other
    function client.queryCmd(_, args)
      if args.commandId ~= order.command_id then return nil, { curl = 0, http_status = 200 } end
      return { commandId = order.command_id, commandState = 1, resultDetail = DONE }
    end
    local other = { command_id = ("f"):rep(32), device_id = order.device_id, state = "accepted",
                    created_at = core.now(), expire_time = 86400 }
    doubts.ask(client.orders, { other, order }, { failed = error, unasked = error })
    assert.are.equal("applied", row_of(box).state)
  end)
end)

describe("picking up what was left", function()
  it("books the end of an accepted order and leaves nothing to repeat", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box, { wait = 0 })
    assert.are.equal("accepted", row_of(box).state)
    box:done()
    box.client = box:another()
    recovery.start(box.client, function(text) error(text) end)
    assert.are.equal("applied", row_of(box).state)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("sends an intent once", function()
    local box <close> = V.open()
    local journal = box.client.orders:journal()
    local id = box:meter(V.MONEY):device_id()
    local _, _, body = core.check("creatCmd", { deviceId = id, expireTime = 86400, expireCount = 1,
      command = { method = "RECHARGE_REMOTE", paras = { prepaidType = 0, billNo = 1, rechargeValue = "5" } } })
    journal:write(function(file)
      return file:place({ order = "A", company_code = box.client.company_code, device_no = V.MONEY,
        device_id = id, method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1, amount = "5.00",
        amount_thousandths = 5000, body = body, expire_time = 86400, created_at = core.now() }, "x")
    end)
    for _ = 1, 2 do recovery.start(box.client, function(text) error(text) end) end
    assert.are.equal(1, #box:done(V.MONEY))
    recovery.start(box.client)
    assert.are.equal("applied", row_of(box).state)
    assert.are.equal(1, box:calls "creatCmd")
  end)
end)
