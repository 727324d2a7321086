-- Money with `xfiot serve` beside it: replies are lost, the worker is killed again
-- and again, and in the end every order that a meter executed is applied, once.
-- The judge is the platform's ledger.
local C = require "spec.cli_helper"
local M = require "spec.crash_helper"
local S = require "spec.serving_helper"
local helper = require "spec.helper"

local METERS <const> = 12
-- all of these after the platform has taken the command
local FAULTS <const> = "creatCmd:lost:2,creatCmd:reset:4,creatCmd:cut:5,creatCmd:garbled:7,creatCmd:status=500:9"

local SCRIPT <const> = [[
  local xfiot = require "xfiot"
  local client, numbers = xfiot.client(), {}
  for i = 1, %d do numbers[i] = ("3001%%010d"):format(i) end
  xfiot.parallel(numbers, function(number, i)
    return client:meter(number):recharge { order = "K-" .. i, amount = i .. ".00" }
  end, { concurrency = 4 })
]]

describe("orders whose replies are lost while the worker is killed", function()
  it("are all applied in the end, and each meter was credited once", function()
    local port = S.free_port()
    local platform <close> = M.platform { meters = METERS, faults = FAULTS, pushes = "http://127.0.0.1:" .. port }
    local serve <close> = S.start {
      listen = "127.0.0.1:" .. port, env = { XFIOT_BASE_URL = platform.url, XFIOT_TIMEOUT = "1" },
      handlers = "return { response = function(m, c) tell(c.key) end }",
    }
    local script = helper.write(helper.tmpdir() .. "/script.lua", SCRIPT:format(METERS))
    local client = helper.start({ "xfiot", "run", script }, { env = serve.env })
    local worker = serve.worker
    for _ = 1, 4 do
      os.execute(("kill -9 %d"):format(worker))
      worker = math.tointeger(serve.process:expect "event=worker .*state=started pid=(%d+)")
    end
    client:stop(false)
    serve:await(function()
      for i = 1, METERS do
        local row = serve.book:read("find", "id", "K-" .. i)
        if not row or row.state ~= "applied" then return false end
      end
      return true
    end, "all applied")
    local credited = {}
    for _, line in ipairs(platform:get "ledger".ledger) do
      if line.method == "RECHARGE_REMOTE" then
        assert.is_nil(credited[line.device_no], line.device_no)
        credited[line.device_no] = line.amount
      end
    end
    for i = 1, METERS do assert.equal(i .. ".00", credited[("3001%010d"):format(i)]) end
    serve:await(function() return #serve:pushes "new" == 0 end, "all pushes handled")
    local keys = {}
    for _, key in ipairs(serve:told()) do keys[key] = true end
    local count = 0
    for _ in pairs(keys) do count = count + 1 end
    assert.is_true(count >= METERS, count)
    assert.equal(0, C.xfiot({ "orders", "list", "--state", "unknown" }, { env = serve.env }).status)
  end)
end)
