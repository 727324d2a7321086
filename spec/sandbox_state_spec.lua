-- A sandbox kept in a file goes on where it was.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"

local FLEET <const> = "money=3,gas=1,backend=1,postpaid=1,flow=1,commercial=1,concentrator=1"
local RULES <const> = "meter:alarm=0009H/4d:1@1d,meter:late=1h:2,meter:asleep=3d:3@1d,report:lost:3"

local function options(state, bodies)
  return {
    meters = FLEET, opened = true, balance = "60.00", cards = true, state = state, fault = RULES, seed = 3,
    tap = function(_, body) bodies[#bodies + 1] = body end,
  }
end

local function recharge(box, bill)
  return select(2, box:command(H.MONEY_2, "RECHARGE_REMOTE", { prepaidType = 0, billNo = bill, rechargeValue = 5 }))
end

local function look(box)
  local all = {}
  for i, device in ipairs(box.sandbox:devices()) do all[i] = core.encode(device) end
  return table.concat(all, "\n")
end

describe("a sandbox in a file", function()
  it("is after a restart what it was, and goes on as if it had not been away", function()
    local path = helper.tmpdir() .. "/state"
    local whole, parts = {}, {}
    local one <close> = H.open(options(nil, whole))
    one.sandbox:advance("2d")
    local id = recharge(one, 1)
    one.sandbox:advance("1d")
    do
      local box <close> = H.open(options(path, parts))
      box.sandbox:advance("2d")
      assert.equal(id, recharge(box, 1))
      box.sandbox:advance("1d")
      assert.equal(look(one), look(box))
    end
    local again <close> = H.open(options(path, parts))
    assert.equal(one.sandbox:now(), again.sandbox:now())
    assert.equal(look(one), look(again))
    assert.same(one.sandbox:ledger(), again.sandbox:ledger())
    assert.same({ one:state(H.MONEY_2, id) }, { again:state(H.MONEY_2, id) })
    assert.same(one:services(H.COMMERCIAL), again:services(H.COMMERCIAL))
    one.sandbox:advance("10d")
    again.sandbox:advance("10d")
    assert.equal(recharge(one, 2), recharge(again, 2))
    one.sandbox:advance("5d")
    again.sandbox:advance("5d")
    for i = 1, math.max(#whole, #parts) do assert.equal(whole[i], parts[i], i) end
    assert.equal(look(one), look(again))
  end)

  it("keeps commands that wait", function()
    local path = helper.tmpdir() .. "/state"
    local id
    do
      local box <close> = H.open { meters = "money=2", opened = true, state = path, wake = 3600 }
      id = recharge(box, 1)
    end
    local box <close> = H.open { meters = "money=2", opened = true, state = path, wake = 3600 }
    assert.equal(0, (box:state(H.MONEY_2, id)))
    box.sandbox:advance("2h")
    assert.equal(1, (box:state(H.MONEY_2, id)))
    assert.equal(1, #box.sandbox:ledger())
  end)

  it("that is damaged, or of another seed, is refused", function()
    local path = helper.tmpdir() .. "/state"
    do
      local _ <close> = H.open { meters = "money=1", state = path, seed = 5 }
    end
    assert.has_error(function() H.open { state = path, seed = 6 } end)
    local text = helper.read(path)
    for _, bad in ipairs { "", "X", "H {", text:gsub("\nD ", "\nD {", 1), text .. "Q 1\n", 'H os.exit()' } do
      local file <close> = assert(io.open(path, "wb"))
      file:write(bad)
      file:flush()
      assert.has_error(function() H.open { state = path } end)
    end
  end)

  it("that cannot be written says so", function()
    local box <close> = H.open { meters = "money=1" }
    box.sandbox.state = helper.tmpdir() .. "/none/state"
    assert.has_error(function() box.sandbox:save() end)
    box.sandbox.state = nil
  end)
end)
