-- What earlier processes left behind is picked up, with the first order of any
-- script; and orders in doubt decide the exit status, whatever a script catches.
local C = require "spec.cli_helper"
local V = require "spec.verbs_helper"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local helper = require "spec.helper"
local recovery = require "xfiot.recovery"

local METERS = { "30010000000001", "30010000000002" }

local function script(text) return helper.write(helper.tmpdir() .. "/script.lua", text) end

-- An intent of a process that is gone, for a meter that the platform knows as `id`.
local function leave_intent(journal, order, device_no, id)
  local _, _, body = core.check("creatCmd", { deviceId = id, expireTime = 86400, expireCount = 1,
    command = { method = "RECHARGE_REMOTE", paras = { prepaidType = 0, billNo = 1, rechargeValue = "5" } } })
  local result = helper.run { helper.lua, "-e", ([[
    local core = require "xfiot.core"
    local journal = assert(core.journal(%q))
    print((journal:place({ order = %q, company_code = %q, device_no = %q, device_id = %q,
      method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1, amount = "5.00",
      amount_thousandths = 5000, body = %q, expire_time = 86400, created_at = core.now() }, "x")))
  ]]):format(journal, order, C.COMPANY, device_no, id, body) }
  assert.are.equal("new\n", result.stdout, result.stderr)
end

local function states(server)
  local found = {}
  for line in C.xfiot({ "orders", "list", "--json" }, server:with()).stdout:gmatch "[^\n]+" do
    local row = core.decode(line)
    found[row.order] = row.state
  end
  return found
end

describe("a plain script", function()
  it("picks up with its first order what processes that are gone have left", function()
    local server = C.serve { "--meters", "money=2", "--speed", "0" }
    local asked = C.xfiot({ "call", "query", "deviceNo=" .. METERS[1] }, server:with())
    leave_intent(server.env.XFIOT_JOURNAL, "LEFT", METERS[1], core.decode(asked.stdout).deviceId)
    assert.are.same({ LEFT = "intent" }, states(server))
    local plain = script(([[
      local xfiot = require "xfiot"
      xfiot.client()
      print "nothing ordered yet"
      local ok, err = pcall(function()
        xfiot.client():meter %q:recharge { order = "MINE", amount = 1, prepaidType = 0, wait = 0 }
      end)
      print(ok, err.kind)
    ]]):format(METERS[2]))
    local result = C.xfiot({ "run", plain }, server:with())
    assert.are.equal("nothing ordered yet\nfalse\ttimeout\n", result.stdout, result.stderr)
    assert.are.same({ LEFT = "accepted", MINE = "accepted" }, states(server))
    server:stop()
  end)
end)

describe("an order in doubt makes the exit status 4", function()
  local RECHARGE = ('meter %q:recharge { order = "A", amount = 1, prepaidType = 0 }'):format(METERS[1])
  -- script, text, what it prints
  local rows = {
    { "that a plain script catches", 'local c = require "xfiot".client()\nprint(pcall(function() c:' .. RECHARGE
      .. " end))", "^false" },
    { "that xfiot.parallel catches", 'local xfiot = require "xfiot"\nlocal c = xfiot.client()\n'
      .. "print(xfiot.parallel({ 1 }, function() c:" .. RECHARGE .. " end)[1].ok)", "^false" },
    { "that a workflow catches", 'return require "xfiot".workflow { name = "w", args = {}, run = function(flow)\n'
      .. "return { ok = pcall(function() flow:" .. RECHARGE .. " end) } end }", "false" },
    { "that a script raises over", 'local c = require "xfiot".client()\npcall(function() c:' .. RECHARGE
      .. " end)\nerror 'something else'", nil },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local server = C.serve { "--meters", "money=1", "--fault", "creatCmd:lost:1" }
      local result = C.xfiot({ "run", script(row[2]) }, server:with())
      assert.are.equal(4, result.status, result.stdout .. result.stderr)
      if row[3] then assert.matches(row[3], result.stdout) end
      assert.matches("xfiot orders list", result.stderr)
      assert.are.same({ A = "unknown" }, states(server))
      server:stop()
    end)
  end
end)

describe("intents that were left", function()
  it("are not tried one after the other once the platform is not reached", function()
    local box <close> = V.open { speed = 0 }
    local book, said, tried = box.client.orders, {}, 0
    local journal = book:journal()
    for i = 1, 100 do
      assert.are.equal("new", (journal:write(function(file)
        return file:place({ order = "L" .. i, company_code = box.client.company_code, device_no = "M" .. i,
          device_id = ("%032d"):format(i), method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1,
          body = "{}", expire_time = 86400, created_at = core.now() }, "x")
      end)))
    end
    function book.send()
      tried = tried + 1
      require("xfiot.loop").sleep(0)
      error(errors.new { kind = "transport", sent = false, operation = "RECHARGE_REMOTE", message_en = "no way" }, 0)
    end
    recovery.start(box.client, function(text) said[#said + 1] = text end)
    assert.is_true(tried > 0 and tried < 100, tostring(tried))
    assert.are.equal(1, #said)
    assert.matches("orders that earlier runs left wait on: .*no way", said[1])
  end)
end)
