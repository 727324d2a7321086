local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local fault = require "xfiot.sandbox.fault"

local function status_of(box)
  return box:send("GET", "/iotcloud/app/devices/v1.0.0/query?companyCode=000000&deviceNo=" .. H.MONEY)
end

local function recharge(box)
  local body = core.encode { command = {
    method = "RECHARGE_REMOTE", paras = { prepaidType = 0, billNo = 1, rechargeValue = 10 },
  } }
  return box:send("POST", "/iotcloud/app/cmd/v1.0.0/creatCmd?deviceId=" .. box:id(H.MONEY), body)
end

describe("a fault rule", function()
  it("says which ones it means", function()
    local faults = fault.new "query:lost:2,creatCmd:code=500014:2-3, *:status=503:5+"
    local got = {}
    for i = 1, 6 do got[i] = (faults:next("query") or { kind = "-" }).kind end
    assert.same({ "-", "lost", "-", "-", "status", "status" }, got)
    for i = 1, 5 do got[i] = (faults:next("creatCmd") or { kind = "-" }).kind end
    assert.same({ "-", "code", "code", "-", "status" }, { table.unpack(got, 1, 5) })
    assert.is_nil(faults:next("send"))
    assert.equal("lost", fault.new { "send:lost", "query:cut" }:next("send").kind)
  end)

  it("is refused when it makes no sense", function()
    for _, rule in ipairs {
      "", "query", "query:", "query:vanish", "query:status", "query:status=9999", "query:lost=1",
      "query:lost:x", "query:lost:1:after", "query:cut:1:before", "send:reset", "answer:failed",
      "send:lost:1:before",
      "query:delay=x", "query:lost:1-", "query:code=12",
    } do
      assert.has_error(function() fault.new { rule == "" and " " or rule } end, nil, rule)
    end
  end)
end)

describe("a fault", function()
  -- kind, HTTP status, is the command queued
  for _, case in ipairs {
    { "lost", 0, true }, { "reset", 0, true }, { "cut", nil, true }, { "garbled", 200, true },
    { "status=500", 500, true }, { "code=500038", 200, true }, { "delay=0.01", 200, true },
    { "lost:1:before", 0, false }, { "reset:1:before", 0, false }, { "status=502:1:before", 502, false },
    { "code=500014:1:before", 200, false },
  } do
    it("of the kind " .. case[1], function()
      local box <close> = H.open { opened = true, fault = "creatCmd:" .. case[1] }
      local reply = recharge(box)
      if case[2] then assert.equal(case[2], reply.status) end
      if case[2] == 0 or case[1] == "cut" then assert.not_equal(0, reply.curl) end
      if case[1] == "garbled" then assert.is_nil(core.decode(reply.body)) end
      local code = case[1]:match("code=(%d+)")
      if code then assert.equal(code, core.read_reply("creatCmd", reply.body).code) end
      if case[1]:find("^delay") then assert.equal("100000", core.read_reply("creatCmd", reply.body).code) end
      box.sandbox:advance(10)
      assert.equal(case[3] and "10.00" or "0.00", box.sandbox:device(H.MONEY).balance)
      assert.equal(200, status_of(box).status)
    end)
  end

  it("hits only the one it means", function()
    local box <close> = H.open { fault = "query:status=500:2" }
    local got = {}
    for i = 1, 3 do got[i] = status_of(box).status end
    assert.same({ 200, 500, 200 }, got)
  end)
end)
