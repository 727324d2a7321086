-- What the worker does for orders besides pushes: counts, left-behind intents,
-- questions that become rarer, and reports that are a reason to look again.
local V = require "spec.verbs_helper"
local core = require "xfiot.core"
local duty = require "xfiot.worker.duty"
local helper = require "spec.helper"
local loop = require "xfiot.loop"

local function recharge(box, order)
  return box.client:meter(V.MONEY):recharge { order = order or "A", amount = "10.00", prepaidType = 0, wait = 0 }
end

local function row_of(box) return box.client.orders:find "A" end

-- Runs a duty on a box's journal while script(duty, told) runs.
local function work(box, script)
  local told, log = {}, {}
  local d = duty.new {
    client = box:another(), every = 0.02, log = function(event, fields) log[#log + 1] = { event, fields } end,
    tell = function(text) told[#told + 1] = text end,
  }
  local task = loop.spawn(d.run, d)
  local ok, why = pcall(script, d, told, log)
  d:stop()
  loop.join { task }
  assert(ok, why)
  return told, log
end

local function rounds(told, count) V.wait_until(function() return #told >= count end) end

describe("the worker's duty for orders", function()
  it("tells how many there are, by state", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box)
    local told = work(box, function(_, told) rounds(told, 1) end)
    assert.equal("orders accepted=1 applied=0 cancelled=0 intent=0 not_applied=0 rejected=0 sent=0 suspect=0 unknown=0",
      told[1])
  end)

  it("asks for an accepted order at once, and then not at every look", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box)
    local before = box:calls "batchQueryCmd"
    work(box, function(_, told) rounds(told, 8) end)
    assert.equal(before + 1, box:calls "batchQueryCmd")
    assert.equal("accepted", row_of(box).state)
  end)

  it("books the end of one that was executed meanwhile", function()
    local box <close> = V.open { speed = 0 }
    V.failure(recharge, box)
    box:done()
    work(box, function() V.wait_until(function() return row_of(box).state == "applied" end) end)
    assert.equal(1, #box:done())
  end)

  it("sends an intent whose process is gone, once", function()
    local box <close> = V.open()
    local id = box:meter(V.MONEY):device_id()
    local _, _, body = core.check("creatCmd", { deviceId = id, expireTime = 86400, expireCount = 1,
      command = { method = "RECHARGE_REMOTE", paras = { prepaidType = 0, billNo = 1, rechargeValue = "5" } } })
    local script = ([[
      local core = require "xfiot.core"
      local journal = assert(core.journal(%q))
      print(journal:place({ order = "A", company_code = %q, device_no = %q, device_id = %q,
        method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1, amount = "5.00",
        amount_thousandths = 5000, body = %q, expire_time = 86400, created_at = core.now() }, "x"))
      io.stdout:flush()
    ]]):format(box.journal, box.client.company_code, V.MONEY, id, body)
    local result = helper.run { helper.lua, "-e", script }
    assert.equal("new", result.stdout:match "^%a+", result.stderr)
    assert.equal("intent", row_of(box).state)
    work(box, function() V.wait_until(function() return row_of(box).state == "accepted" end) end)
    work(box, function(_, told) rounds(told, 3) end)
    assert.equal(1, box:calls "creatCmd")
  end)

  it("leaves an intent of a living process alone", function()
    local box <close> = V.open()
    local id = box:meter(V.MONEY):device_id()
    local book = box.client.orders:journal()
    book:write(function(file)
      return file:place({ order = "A", company_code = box.client.company_code, device_no = V.MONEY, device_id = id,
        method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1, body = "{}", expire_time = 86400,
        created_at = core.now() }, "x")
    end)
    work(box, function(_, told) rounds(told, 5) end)
    assert.equal("intent", row_of(box).state)
    assert.equal(0, box:calls "creatCmd")
  end)

  it("looks again at an order in doubt when its meter has reported, and not for other meters", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    V.failure(recharge, box)
    local id = row_of(box).device_id
    work(box, function(d, told)
      rounds(told, 3)
      local looked = d.asked.A
      assert.truthy(looked)
      d.asked.A = looked + 1000 -- not due for long
      d:reported(("f"):rep(32))
      rounds(told, #told + 3)
      assert.equal(looked + 1000, d.asked.A)
      d:reported(id)
      V.wait_until(function() return d.asked.A ~= looked + 1000 end)
    end)
  end)

  it("says what could not be asked, and goes on", function()
    local box <close> = V.open { speed = 0, fault = "batchQueryCmd:status=500:*" }
    V.failure(recharge, box)
    local _, log = work(box, function(_, told) rounds(told, 3) end)
    assert.equal("orders_not_asked", log[1][1])
    assert.matches("500", log[1][2].reason)
  end)
end)
