-- What a response push is worth for money: it leads to a question, and only the
-- platform's answer moves an order. The sandbox's ledger is the judge.
local V = require "spec.verbs_helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local proofs = require "xfiot.proofs"

local function recharge(client, more)
  local args = { order = "A", amount = "10.00", prepaidType = 0 }
  for name, value in pairs(more or {}) do args[name] = value end
  return client:meter(V.MONEY):recharge(args)
end

local function row_of(box) return box.client.orders:find "A" end

-- The response that the platform would push for the executed command.
local function response_of(box, changes)
  local done = box:done()[1]
  local message = W.response("a", { deviceId = row_of(box).device_id, commandId = done.command_id,
                                    callbackData = { commandResult = 0, billNo = tostring(done.bill_no) } })
  for name, value in pairs(changes or {}) do message[name] = value end
  return message
end

-- An order whose reply was lost.
local function doubtful(more)
  local options = { fault = "creatCmd:lost:1" }
  for name, value in pairs(more or {}) do options[name] = value end
  local box = V.open(options)
  assert(V.failure(recharge, box.client).kind == "unknown")
  return box
end

describe("a response to an order in doubt", function()
  it("brings its commandId back, and the platform's answer settles it", function()
    local box <close> = doubtful()
    local row = proofs.response(box.client.orders, response_of(box))
    assert.same({ "A", "applied" }, { row.order, row.state })
    assert.equal("applied", recharge(box.client).state)
    assert.equal(1, #box:done())
  end)

  -- what is changed in the push; the order must stay as it was
  local lies = {
    { "names another command", { commandId = ("f"):rep(32) } },
    { "names another meter", { deviceId = ("f"):rep(32) } },
    { "names another bill", { callbackData = { commandResult = 0, billNo = "77" } } },
    { "names no bill", { callbackData = { commandResult = 0 } } },
    { "has a bill that is no number", { callbackData = { commandResult = 0, billNo = "x" } } },
  }
  for _, lie in ipairs(lies) do
    it("changes nothing when it " .. lie[1], function()
      local box <close> = doubtful()
      proofs.response(box.client.orders, response_of(box, lie[2]))
      assert.same({ "unknown", nil }, { row_of(box).state, row_of(box).command_id })
    end)
  end

  it("changes nothing when the platform's own result is about another bill", function()
    local box <close> = doubtful()
    local row = row_of(box)
    -- a recharge with another bill, sent past all orders
    local other = assert(box.client:creatCmd { deviceId = row.device_id, command = { method = "RECHARGE_REMOTE",
      paras = { prepaidType = 0, billNo = 9, rechargeValue = "10.00" } } })
    box:done()
    proofs.response(box.client.orders, W.response("a", { deviceId = row.device_id, commandId = other,
      callbackData = { commandResult = 0, billNo = tostring(row.bill_no) } }))
    assert.same({ "unknown", nil }, { row_of(box).state, row_of(box).command_id })
  end)

  it("changes nothing while its command still waits by the platform's word", function()
    local box <close> = doubtful { wake = 3600 }
    local row = row_of(box)
    local other = assert(box.client:creatCmd { deviceId = row.device_id, command = { method = "RECHARGE_REMOTE",
      paras = { prepaidType = 0, billNo = 9, rechargeValue = "10.00" } } })
    proofs.response(box.client.orders, W.response("a", { deviceId = row.device_id, commandId = other,
      callbackData = { commandResult = 0, billNo = tostring(row.bill_no) } }))
    assert.same({ "unknown", nil }, { row_of(box).state, row_of(box).command_id })
  end)

  it("changes nothing when it says success and the platform does not know it", function()
    local box <close> = V.open { fault = "creatCmd:lost:1:before" }
    V.failure(recharge, box.client)
    local message = W.response("a", { deviceId = row_of(box).device_id, commandId = ("e"):rep(32),
                                      callbackData = { commandResult = 0, billNo = tostring(row_of(box).bill_no) } })
    proofs.response(box.client.orders, message)
    assert.equal("unknown", row_of(box).state)
    assert.equal(0, #box:done())
  end)

  it("changes nothing while the platform cannot be asked", function()
    local box <close> = doubtful { fault = "creatCmd:lost:1,queryCmd:lost:*" }
    local message = response_of(box)
    local client = box:another { timeout = 0.2 }
    proofs.response(client.orders, message)
    assert.equal("unknown", row_of(box).state)
  end)

  it("of the meter's own refusal makes it suspect, by the platform's word", function()
    local box <close> = doubtful { repeat_bill = "refuse" }
    local row = proofs.response(box.client.orders, response_of(box))
    assert.is_true(row.state == "applied" or row.state == "suspect")
    assert.equal(box:done()[1].result == "0" and "applied" or "suspect", row.state)
  end)
end)

describe("a response to an accepted order", function()
  it("leads to its end at once", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    assert.equal("accepted", row_of(box).state)
    assert.equal("applied", proofs.response(box.client.orders, response_of(box)).state)
  end)

  it("that lies about success settles nothing: the platform says the command still waits", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    local row = row_of(box)
    proofs.response(box.client.orders, W.response("a", { deviceId = row.device_id, commandId = row.command_id,
      callbackData = { commandResult = 0, billNo = tostring(row.bill_no), surplusValue = "999.00" } }))
    assert.equal("accepted", row_of(box).state)
  end)

  it("that lies about the device is left alone", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    assert.is_nil(proofs.response(box.client.orders, response_of(box, { deviceId = ("f"):rep(32) })))
    assert.equal("accepted", row_of(box).state)
  end)

  it("changes nothing once the order has ended", function()
    local box <close> = V.open()
    recharge(box.client)
    local calls = box:calls "queryCmd"
    assert.equal("applied", proofs.response(box.client.orders, response_of(box)).state)
    assert.equal(calls, box:calls "queryCmd")
  end)
end)

-- The worker, with a push laid into the journal beside the order.
describe("with the worker, an order in doubt", function()
  local function open(options)
    local all = { handlers = [[
      return { response = function(message, context) table.insert(seen, context.order or false) end }
    ]] }
    for name, value in pairs(options) do all[name] = value end
    return W.open(all)
  end

  it("becomes applied by its response push, and the handler is told", function()
    local box <close> = open { fault = "creatCmd:lost:1" }
    V.failure(recharge, box.client)
    local message = response_of(box.platform)
    message.callbackData.commandResult = "0"
    local id = box:push({ message }, { kind = "response" })
    box:settle()
    assert.equal("applied", row_of(box).state)
    assert.same({ "A", "applied", "10.00" }, { box.seen[1].order, box.seen[1].state, box.seen[1].amount })
    assert.equal("done", box:find(id).state)
    assert.equal(1, #box.platform:done())
  end)

  it("becomes applied by a response that came before anybody was in doubt", function()
    local box <close> = open { fault = "creatCmd:lost:1" }
    V.failure(recharge, box.client)
    local message = response_of(box.platform)
    message.callbackData.commandResult = "0"
    -- handled by an earlier worker already: done, and only its device is remembered
    local id = box:push({ message }, { kind = "response" })
    assert(box.book.file:push_finish { id = id, to = "done", at = core.now(),
                                       device_ids = core.encode(core.array { message.deviceId }) })
    box:work(function() box:await(function() return row_of(box).state == "applied" end) end)
    assert.same({}, box.seen)
    assert.equal(1, (box:logged "order_found"))
  end)

  it("stays unknown when the only response is in quarantine", function()
    local box <close> = open { fault = "creatCmd:lost:1" }
    V.failure(recharge, box.client)
    local message = response_of(box.platform)
    message.callbackData.commandResult = "0"
    local id = box:push({ message }, { kind = "response", reason = "stale" })
    assert(box.book.file:push_finish { id = id, to = "quarantined", at = core.now(),
                                       device_ids = core.encode(core.array { message.deviceId }) })
    box:work(function(w)
      box:await(function() return next(w.duty.asked) ~= nil end)
    end)
    assert.equal("unknown", row_of(box).state)
  end)

  it("is not left half-way when the worker is to stop", function()
    local box <close> = open { fault = "batchQueryCmd:delay=0.3", speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    box.platform:done()
    local w = box:work(function(w) box:await(function() return w.duty.busy end) end)
    assert.is_false(w.duty.busy)
    assert.equal("applied", row_of(box).state)
  end)

  it("that is accepted is asked for without any push", function()
    local box <close> = open { speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    box.platform:done()
    box:work(function() box:await(function() return row_of(box).state == "applied" end) end)
  end)

  it("stops nothing when its journal is a copy: pushes are handled, orders are held", function()
    local box <close> = open { speed = 0 }
    V.failure(recharge, box.client, { wait = 0 })
    box.platform:done()
    local copy = box.platform.journal .. "-copy"
    assert(os.execute(("cp %s %s"):format(box.platform.journal, copy)))
    for _, tail in ipairs { "-wal" } do
      os.execute(("cp %s%s %s%s 2>/dev/null"):format(box.platform.journal, tail, copy, tail))
    end
    box.client = box.platform:another { journal = copy }
    box.book:close()
    box.book = require("xfiot.journal").open(copy)
    local id = box:push { W.report "a" }
    box:settle()
    assert.equal("done", box:find(id).state)
    assert.equal(1, (box:logged "orders_held"))
    assert.equal("accepted", box.book:read("find", "id", "A").state)
  end)
end)
