-- The sandbox at the command line: what it is told there, what it tells, and its help.
local C = require "spec.cli_helper"
local helper = require "spec.helper"
local provoke = require "xfiot.sandbox.provoke"

local MONEY <const> = "30010000000001"
local STILL <const> = { "--start", "20260101000000", "--speed", "0", "--meters", "money=1,backend=1" }

local function words(...)
  local all = { table.unpack(STILL) }
  for _, word in ipairs { ... } do all[#all + 1] = word end
  return all
end

local function tell(server, ...)
  local list = { "sandbox", ... }
  list[#list + 1] = "--listen"
  list[#list + 1] = server.listen
  return C.xfiot(list)
end

describe("a served sandbox", function()
  it("takes its meters' life from its flags", function()
    local server = C.serve(words("--opened", "--balance", "20.00", "--profile", "restaurant", "--cards"))
    assert.equal(0, tell(server, "advance", "10d").status)
    local table_of = tell(server, "status").stdout
    assert.matches("sandbox %(not the real platform%).*20260111000000", table_of)
    assert.matches(MONEY .. "%s+money%s+yes%s+yes", table_of)
    assert.equal("CARD", server:ledger(MONEY)[1].method)
    server:stop()
  end)

  it("lets a button be pressed and a card be used", function()
    local server = C.serve(words("--opened"))
    assert.equal(0, tell(server, "press", MONEY).status)
    assert.equal(0, tell(server, "card", MONEY, "50.00").status)
    assert.same({ "CARD", "50.00" }, { server:ledger(MONEY)[1].method, server:ledger(MONEY)[1].amount })
    local line = tell(server, "ledger", MONEY).stdout
    assert.matches('^{.*"amount":"50.00".*"method":"CARD".*}\n$', line)
    assert.equal(line, tell(server, "ledger").stdout)
    assert.equal("", tell(server, "ledger", "30030000000001").stdout)
    for _, wrong in ipairs { { "press", "nobody" }, { "card", MONEY, "1.234" }, { "card", "30030000000001", "1.00" },
                             { "card", MONEY }, { "press" }, { "press", MONEY, "1" } } do
      C.assert_sentence(tell(server, table.unpack(wrong)), 2)
    end
    server:stop()
  end)

  it("goes on from its file after it was interrupted", function()
    local file = helper.tmpdir() .. "/state"
    local server = C.serve(words("--opened", "--state", file))
    tell(server, "card", MONEY, "50.00")
    tell(server, "advance", "3d")
    server:stop()
    server = C.serve(words("--state", file))
    local status = tell(server, "status").stdout
    assert.matches("20260104000000", status)
    assert.matches("CARD", server:ledger(MONEY)[1].method)
    server:stop()
  end)

  it("says nothing on stderr where nobody watches", function()
    local server = C.serve(words("--opened"))
    tell(server, "advance", "3d")
    local _, _, text = server:stop()
    assert.is_nil(text:find("reports", 1, true))
  end)

  it("refuses what makes no sense", function()
    for _, wrong in ipairs {
      { "--contradiction", "C99=1" }, { "--fault", "meter:asleep" }, { "--fault", "meter:alarm=9999H" },
      { "--fault", "meter:asleep=1d:1@soon" }, { "--fault", "query:lost@1d" }, { "--profile", "castle" },
      { "--balance", "much" }, { "--rhythm", "often" }, { "--wake", "x" }, { "--state", "/" },
    } do
      C.assert_sentence(C.xfiot { "sandbox", "--listen", "127.0.0.1:0", "--opened", wrong[1], wrong[2] }, 2)
    end
  end)
end)

describe("the README", function()
  it("has five lines for busted, and they work", function()
    for _, name in ipairs { "README.md", "lua/README.zh.md" } do
      local text = helper.read(helper.root .. "/" .. name)
      local lines = text:match '```lua\n(it%("credits a meter once".-)```'
      assert.equal(5, select(2, lines:gsub("\n", "")))
      local ran = 0
      local env = setmetatable({ assert = require "luassert", it = function(_, test)
        test()
        ran = ran + 1
      end }, { __index = _G })
      assert(load(lines, name, "t", env))()
      assert.equal(1, ran)
    end
  end)
end)

describe("xfiot help", function()
  local faults = C.xfiot({ "help", "faults" }).stdout

  it("faults names a rule for every code and every alarm", function()
    assert.equal(27, #provoke.alarms())
    for _, row in ipairs(provoke.codes()) do
      assert.is_truthy(faults:find(row.rule or row.code, 1, true), row.code)
    end
    for _, row in ipairs(provoke.alarms()) do assert.is_truthy(faults:find(row.rule, 1, true), row.code) end
  end)

  it("contradictions names the switches", function()
    local text = C.xfiot({ "help", "contradictions" }).stdout
    for _, row in ipairs(require("xfiot.sandbox.switch").rows) do
      assert.is_truthy(text:find("  " .. row.id .. " ", 1, true), row.id)
    end
  end)

  it("agrees with the README", function()
    for _, name in ipairs { "README.md", "lua/README.zh.md" } do
      local text = helper.read(helper.root .. "/" .. name)
      for _, row in ipairs(provoke.codes()) do
        assert.is_truthy(text:find("`" .. (row.rule or row.code) .. "`", 1, true), name .. " " .. row.code)
      end
      for _, row in ipairs(provoke.alarms()) do
        assert.is_truthy(text:find("`" .. row.rule .. "`", 1, true), name .. " " .. row.code)
      end
      for _, row in ipairs(require("xfiot.sandbox.switch").rows) do
        assert.is_truthy(text:find("`" .. row.id .. "`", 1, true), name .. " " .. row.id)
      end
    end
  end)
end)
