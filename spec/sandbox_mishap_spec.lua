-- What goes wrong by rule with meters and with pushes.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local fault = require "xfiot.sandbox.fault"
local random = require "xfiot.sandbox.random"

local CLOSE <const> = { controlFlag = 1 }

local function opened(options)
  options.meters = options.meters or "money=2"
  options.opened, options.balance = true, "500.00"
  return H.open(options)
end

describe("a meter", function()
  it("that is asleep reports nothing and takes nothing, and says so later", function()
    local made, _, by_number = H.living { meters = "money=2", opened = true, balance = "500.00",
                                          fault = "meter:asleep=5d:1@1d" }
    local box <close> = made
    box.sandbox:advance("2d")
    local before = #by_number[H.MONEY]
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE, { expireTime = 2678400 })
    box.sandbox:advance("3d")
    assert.equal(before, #by_number[H.MONEY])
    assert.is_true(#by_number[H.MONEY_2] > before + 2)
    assert.same({ 0, 0 }, { (box:state(H.MONEY, id)), #box.sandbox:ledger() })
    assert.is_true(box.sandbox:device(H.MONEY).asleep)
    box.sandbox:advance("2d")
    assert.equal(1, (box:state(H.MONEY, id)))
    assert.equal("1", box:services(H.MONEY).GeneralDataInfo.meterStatus.loseTrack)
  end)

  it("that answers late has done it although the command is void", function()
    local seen = {}
    local box <close> = opened { fault = "meter:late=3d:1", tap = function(name, body)
      if name == "response" then seen[#seen + 1] = core.decode(body)[1].commandId end
    end }
    box.sandbox:advance(0)
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", CLOSE, { expireTime = 86400, expireCount = 1 })
    box.sandbox:advance("2d")
    assert.same({ 3, 1 }, { (box:state(H.MONEY, id)), #box.sandbox:ledger() })
    assert.same({}, seen)
    box.sandbox:advance("2d")
    assert.equal(3, (box:state(H.MONEY, id)))
    assert.same({ id }, seen)
  end)

  it("that is mute does what it is told, once, and never says so", function()
    local box <close> = opened { fault = "meter:mute:2" }
    box.sandbox:advance(0)
    local paras = { prepaidType = 0, billNo = 1, rechargeValue = 10 }
    local _, id = box:command(H.MONEY_2, "RECHARGE_REMOTE", paras)
    box.sandbox:advance("1h")
    assert.same({ 3, 1 }, { (box:state(H.MONEY_2, id)), #box.sandbox:ledger() })
    assert.equal("510.00", box.sandbox:device(H.MONEY_2).bought)
  end)

  it("that was swapped is another one: no account, nothing counted, its own number", function()
    local box <close> = opened { fault = "meter:swapped:" .. H.MONEY .. "@5d" }
    box.sandbox:advance("5d")
    box.sandbox:advance("1d")
    local services, message = box:services(H.MONEY)
    assert.not_equal(H.MONEY, message.callbackData.meterNo)
    assert.same({ "0", "0.00", "0" }, { services.GeneralDataInfo.totalUseValue, services.MoneyMeterInfo.surplusMoney,
                                        services.GeneralDataInfo.meterStatus.accountFlag })
    assert.equal(H.MONEY_2, select(2, box:services(H.MONEY_2)).callbackData.meterNo)
  end)

  it("whose counter is full begins anew, and counts on in its money", function()
    local box <close> = opened { fault = "meter:rolled:1" }
    box.sandbox:advance(1)
    assert.equal("99999", box:services(H.MONEY).GeneralDataInfo.totalUseValue)
    box.sandbox:advance("10d")
    local value = tonumber(box:services(H.MONEY).GeneralDataInfo.totalUseValue)
    assert.is_true(value > 0 and value < 100)
    local device = box.sandbox:device(H.MONEY)
    assert.equal(device.balance, core.decimal_text(core.decimal(device.bought, 2) - core.decimal(device.spent, 2), 2))
  end)

  it("whose clock is wrong says the wrong time", function()
    local box <close> = opened { fault = "meter:clock=-2h:1,meter:clock=1d:2" }
    box.sandbox:advance(1)
    assert.equal("20251231220001", box:services(H.MONEY).GeneralDataInfo.deviceTime)
    assert.equal("20260102000001", box:services(H.MONEY_2).GeneralDataInfo.deviceTime)
  end)

  it("whose valve is stuck refuses to turn it", function()
    local box <close> = opened { fault = "meter:stuck" }
    box.sandbox:advance(0)
    assert.equal("1", box:run(H.MONEY, "VALVE_CONTROL", CLOSE).commandResult)
    local general = box:services(H.MONEY).GeneralDataInfo
    assert.same({ "4", "1" }, { general.valveState, general.meterStatus.valveDamage })
  end)

  it("without credit cannot be opened from afar", function()
    local box <close> = H.open { meters = "money=1", opened = true, overdraft = "0" }
    box.sandbox:advance("2d")
    assert.equal("closed", box.sandbox:device(H.MONEY).valve)
    assert.equal("1", box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 0 }).commandResult)
    assert.equal("000BH", box.sandbox:device(H.MONEY).alarm)
  end)
end)

describe("a rule by chance", function()
  it("hits as often as it says, the same ones each time", function()
    local function hits(seed)
      local faults, list = fault.new("push:lost:5%", random.new(seed)), {}
      for i = 1, 2000 do
        if faults:next("report", "push") then list[#list + 1] = i end
      end
      return list
    end
    local first = hits(1)
    assert.is_true(#first > 60 and #first < 140)
    assert.same(first, hits(1))
    assert.not_same(first, hits(2))
  end)
end)

describe("a push", function()
  -- Days 1 to 4 of one meter's reports, with a rule: the receive times as they arrived, and the requests.
  local function arrived(rule, count)
    local receiver <close> = H.receiver()
    local box <close> = H.open {
      meters = "postpaid=1", push_reports = receiver.url "/r", fault = rule, profile = "none",
    }
    box.sandbox:advance("3d")
    receiver.wait(count)
    local times = {}
    for i, request in ipairs(receiver.got) do times[i] = core.decode(request.body)[1].receiveTime:sub(5, 8) end
    return table.concat(times, " "), receiver.got
  end

  for _, case in ipairs {
    { "report:twice:2", "0101 0101 0101 0102 0103", 5 },
    { "report:lost:2", "0101 0102 0103", 3 },
    { "report:late=25h:2", "0101 0102 0101 0103", 4 },
    { "push:overtaken:2", "0101 0102 0101 0103", 4 },
    { "response:lost", "0101 0101 0102 0103", 4 },
  } do
    it("with the rule " .. case[1] .. " arrives so", function()
      assert.equal(case[2], (arrived(case[1], case[3])))
    end)
  end

  local signer = core.signer { example = true }

  it("that is forged bears a token that is not ours", function()
    local _, got = arrived("report:forged:2", 4)
    for i, request in ipairs(got) do
      assert.equal(i ~= 2, signer:verify(request.headers.api_trans_id, request.headers.api_token))
    end
  end)

  it("that is stale bears an old transId, properly signed", function()
    local _, got = arrived("report:stale:2", 4)
    local h = got[2].headers
    assert.is_true(signer:verify(h.api_trans_id, h.api_token))
    local age = core.now() - core.parse_timestamp(h.api_trans_id:sub(1, 14))
    assert.is_true(age > 86400)
  end)

  it("can have the header names of 3.2's notes", function()
    local _, got = arrived("report:notes:2", 4)
    local h = got[2].headers
    assert.is_nil(h.api_trans_id)
    assert.is_true(signer:verify(h.randomcode, h.authorization))
  end)
end)

describe("time", function()
  it("waits for pushes when many have not gone out", function()
    local receiver <close> = H.receiver()
    local box <close> = H.open { meters = "postpaid=300", push_reports = receiver.url "/r" }
    box.sandbox:advance("10d")
    assert.is_true(#receiver.got > 0)
    assert.is_true(box.sandbox.push:waiting() <= 2000 + 256)
  end)
end)
