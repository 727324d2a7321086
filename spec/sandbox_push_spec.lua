local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local function pushing(receiver, options)
  local all = {
    meters = "money=1", opened = true,
    push_reports = receiver.url("/reports"), push_responses = receiver.url("/responses?a=b"),
  }
  for name, value in pairs(options or {}) do all[name] = value end
  return H.open(all)
end

-- What a day with a valve and a recharge pushes, body by body.
local function bodies(options)
  local receiver <close> = H.receiver()
  local box <close> = pushing(receiver, options)
  box.sandbox:advance("1h")
  box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
  box:run(H.MONEY, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = 10 })
  receiver.wait(6)
  local lists = { ["/reports"] = {}, ["/responses"] = {} }
  for _, request in ipairs(receiver.got) do table.insert(lists[request.path], request.body) end
  return lists["/reports"], lists["/responses"], receiver.got
end

describe("the sandbox's pushes", function()
  it("are the documented messages, signed", function()
    local reports, responses, got = bodies()
    assert.same({ 4, 2 }, { #reports, #responses })
    local signer = core.signer { example = true }
    for _, request in ipairs(got) do
      local h = request.headers
      assert.equal("POST", request.method)
      assert.equal("000000", h.api_org_num)
      assert.is_true(signer:verify(h.api_trans_id, h.api_token))
      assert.equal("application/json", h["content-type"])
      assert.equal("1", h["x-xfiot-sandbox"])
    end
    local kinds = {}
    for i, body in ipairs(reports) do
      local list = assert(core.read_push("push.reportData", body))
      assert.equal(1, #list)
      kinds[i] = list[1].callbackData.reportType
    end
    assert.same({ "0", "99", "0", "0" }, kinds)
    assert.same({ callbackType = "1", msgDeviceType = "0", receiveTime = "20260101010011" }, (function()
      local message = core.decode(responses[2])[1]
      assert.same({ commandResult = "0", billNo = "1", surplusValue = "10.00" }, message.callbackData)
      message.callbackData, message.deviceId, message.commandId = nil, nil, nil
      return message
    end)())
    for _, body in ipairs(responses) do assert(core.read_push("push.commandResponse", body)) end
  end)

  it("repeat byte for byte with the same seed and start", function()
    local reports, responses = bodies()
    local again, answers = bodies()
    assert.same(reports, again)
    assert.same(responses, answers)
    assert.not_same(reports, (bodies { seed = 2 }))
  end)

  it("that fail are kept and not repeated", function()
    local receiver <close> = H.receiver(500)
    local box <close> = pushing(receiver)
    box.sandbox:advance(1)
    receiver.wait(1)
    loop.run(function() return #box.sandbox:failed_pushes() == 1 end)
    local failed = box.sandbox:failed_pushes()[1]
    assert.equal("status 500", failed.why)
    assert.equal(receiver.got[1].body, failed.body)
    assert.matches("pushes: 0 sent, 0 waiting, 1 failed", box.sandbox:status())
  end)

  it("stop when it is closed", function()
    local receiver <close> = H.receiver()
    do
      local box <close> = pushing(receiver)
      box.sandbox:advance(1)
    end
    loop.sleep(0)
    assert.equal(0, #receiver.got)
  end)
end)
