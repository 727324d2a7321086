local H = require "spec.sandbox_helper"

local CLOSE <const> = { controlFlag = 1 }

describe("a command", function()
  it("goes from waiting to being sent to succeeded", function()
    local box <close> = H.open { wake = 10, air = 2 }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    local function look()
      local code, _, envelope = box:call("queryCmd", { deviceId = box:id(H.MONEY), commandId = id })
      assert.equal("100000", code)
      assert.equal(id, envelope.result.commandId)
      return { envelope.result.commandState, envelope.result.commandUpdateTime, envelope.result.resultDetail }
    end
    assert.same({ 0, "20260101000000", "" }, look())
    box.sandbox:advance(9)
    assert.same({ 0, "20260101000000", "" }, look())
    box.sandbox:advance(1)
    assert.same({ 4, "20260101000010", "" }, look())
    box.sandbox:advance(2)
    assert.same({ 1, "20260101000012", { commandResult = "0" } }, look())
  end)

  it("waits for the meter's next report where meters wake for nothing else", function()
    local box <close> = H.open { wake = "report", profile = "none" }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance("90m")
    assert.equal(0, (box:state(H.MONEY, id)))
    box.sandbox:advance("6h")
    local state, result = box:state(H.MONEY, id)
    assert.equal(1, state)
    assert.matches("^2026010103", result.commandUpdateTime)
  end)

  it("has an id of its own and belongs to its device", function()
    local box <close> = H.open()
    local _, a = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    local _, b = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    assert.not_equal(a, b)
    assert.matches("^[0-9a-f]+$", a)
    assert.equal("500043", (box:call("queryCmd", { deviceId = box:id(H.GAS), commandId = a })))
    assert.equal("500043", (box:call("cancelCmd", { deviceId = box:id(H.GAS), commandId = a })))
  end)

  it("waits for the ones before it", function()
    local box <close> = H.open { wake = 10, air = 2, opened = true }
    local ids = {}
    for bill = 1, 3 do
      local paras = { prepaidType = 0, billNo = bill, rechargeValue = 1 }
      ids[bill] = select(2, box:command(H.MONEY, "RECHARGE_REMOTE", paras))
    end
    assert.equal(3, box.sandbox:device(H.MONEY).waiting)
    box.sandbox:advance(12)
    local states = {}
    for i, id in ipairs(ids) do states[i] = (box:state(H.MONEY, id)) end
    assert.same({ 1, 4, 0 }, states)
    box.sandbox:advance(10)
    local bills = {}
    for i, row in ipairs(box.sandbox:ledger(H.MONEY)) do bills[i] = row.bill_no end
    assert.same({ 1, 2, 3 }, bills)
    assert.equal(0, box.sandbox:device(H.MONEY).waiting)
  end)

  it("expires by time, unsent", function()
    local box <close> = H.open { wake = 100000 }
    local _, short = box:command(H.MONEY, "VALVE_CONTROL", CLOSE, { expireTime = 60 })
    local _, long = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance(59)
    assert.equal(0, (box:state(H.MONEY, short)))
    box.sandbox:advance(2)
    local state, result = box:state(H.MONEY, short)
    assert.same({ 3, "20260101000100" }, { state, result.commandUpdateTime })
    assert.equal("500046", (box:call("cancelCmd", { deviceId = box:id(H.MONEY), commandId = short })))
    box.sandbox:advance("2d")
    assert.equal(1, (box:state(H.MONEY, long)))
    assert.equal(1, #box.sandbox:ledger())
  end)

  it("has two days unless told otherwise", function()
    local box <close> = H.open { wake = 172801 }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance(172799)
    assert.equal(0, (box:state(H.MONEY, id)))
    box.sandbox:advance(1)
    assert.equal(3, (box:state(H.MONEY, id)))
  end)

  it("expires when it was sent as often as it may be", function()
    local box <close> = H.open { wake = 10, air = 1, fault = "send:lost" }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE, { expireCount = 2 })
    box.sandbox:advance(11)
    assert.equal(4, (box:state(H.MONEY, id)))
    assert.equal("500046", (box:call("cancelCmd", { deviceId = box:id(H.MONEY), commandId = id })))
    box.sandbox:advance(11)
    assert.equal(3, (box:state(H.MONEY, id)))
    assert.same({}, box.sandbox:ledger())
  end)

  it("is executed once though sent twice", function()
    local box <close> = H.open { opened = true, fault = "answer:lost:1" }
    local _, id = box:command(H.MONEY, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = 10 })
    box.sandbox:advance(10)
    local state, result = box:state(H.MONEY, id)
    assert.equal(1, state)
    assert.equal("10.00", result.resultDetail.surplusValue)
    assert.equal("10.00", box.sandbox:device(H.MONEY).balance)
    assert.equal(1, #box.sandbox:ledger())
  end)

  it("may have been executed though it expired", function()
    local box <close> = H.open { opened = true, fault = "answer:lost" }
    local _, id = box:command(H.MONEY, "RECHARGE_REMOTE",
      { prepaidType = 0, billNo = 1, rechargeValue = 10 }, { expireCount = 1 })
    box.sandbox:advance(10)
    assert.equal(3, (box:state(H.MONEY, id)))
    assert.equal("10.00", box.sandbox:device(H.MONEY).balance)
  end)

  it("can fail on its way", function()
    local box <close> = H.open { fault = "send:failed:1" }
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    local _, after = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance(10)
    assert.equal(2, (box:state(H.MONEY, id)))
    assert.equal(1, (box:state(H.MONEY, after)))
    assert.equal(1, #box.sandbox:ledger())
  end)

  it("can be cancelled while it waits", function()
    local box <close> = H.open()
    local function cancel(id)
      return (box:call("cancelCmd", { deviceId = box:id(H.MONEY), commandId = id }))
    end
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    assert.equal("100000", cancel(id))
    assert.equal("500046", cancel(id))
    box.sandbox:advance(10)
    assert.equal(5, (box:state(H.MONEY, id)))
    local _, done = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance(10)
    assert.equal("500046", cancel(done))
    assert.equal(1, #box.sandbox:ledger())
  end)

  it("never reaches a deregistered device", function()
    local box <close> = H.open()
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box:call("cancel", { deviceId = box:id(H.MONEY) })
    box.sandbox:advance("3d")
    assert.equal(3, (box:state(H.MONEY, id)))
    assert.same({}, box.sandbox:ledger())
  end)
end)

describe("batchQueryCmd", function()
  it("answers for the ids it knows", function()
    local box <close> = H.open()
    local _, a = box:command(H.MONEY, "VALVE_CONTROL", CLOSE)
    box.sandbox:advance(10)
    local _, b = box:command(H.GAS, "VALVE_CONTROL", CLOSE)
    local code, _, envelope = box:call("batchQueryCmd", { commandIds = { a, ("0"):rep(32), b } })
    assert.equal("100000", code)
    assert.same({
      {
        commandId = a, commandState = 1, commandUpdateTime = "20260101000001",
        resultDetail = { commandResult = "0" },
      },
      { commandId = b, commandState = 0, commandUpdateTime = "20260101000010", resultDetail = "" },
    }, envelope.result)
    local _, _, none = box:call("batchQueryCmd", { commandIds = { ("0"):rep(32) } })
    assert.same({}, none.result)
  end)
end)
