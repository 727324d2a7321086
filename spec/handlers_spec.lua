-- HANDLERS.lua: what it may be, and that everything else is one clear sentence.
local H = require "spec.helper"
local errors = require "xfiot.errors"
local handlers = require "xfiot.handlers"

local function file(text) return H.write(H.tmpdir() .. "/HANDLERS.lua", text) end

describe("a handlers file", function()
  local good = {
    { "nothing to call", "return {}", {} },
    { "one function", "return { alarm = function() end }", { "alarm" } },
    { "all of them", "local f = print return { report = f, alarm = f, response = f, quarantine = f }",
      { "alarm", "quarantine", "report", "response" } },
    { "a first line for the shell", "#!/usr/bin/env xfiot\nreturn { report = print }", { "report" } },
    { "a byte order mark", "\xEF\xBB\xBFreturn { report = print }", { "report" } },
  }
  for _, row in ipairs(good) do
    it("may hold " .. row[1], function()
      local names = {}
      for name, fn in pairs(handlers.load(file(row[2]))) do
        assert.equal("function", type(fn))
        names[#names + 1] = name
      end
      table.sort(names)
      assert.same(row[3], names)
    end)
  end

  it("may be left out", function() assert.same({}, handlers.load(nil)) end)

  it("is read anew each time: reloading takes what stands there then", function()
    local path = file "return { report = function() return 1 end }"
    assert.equal(1, handlers.load(path).report())
    H.write(path, "return { report = function() return 2 end }")
    assert.equal(2, handlers.load(path).report())
  end)

  local bad = {
    { "no table", "return 5", "returns no table but number" },
    { "nothing", "", "returns no table but nil" },
    { "unknown names, all named", "return { reports = print, alarms = print }",
      "no handler alarms; there is no handler reports" },
    { "a number for a name", "return { print }", "no handler 1" },
    { "what is no function", "return { report = 1, alarm = 'x' }",
      "alarm is no function but string; report is no function but number" },
    { "no Lua", "return {", "HANDLERS.lua:1:" },
    { "what raises", "error('no database', 0)", "no database" },
    { "what raises nothing", "error(nil)", "nil" },
    { "compiled Lua", string.dump(function() return {} end), "compiled" },
  }
  for _, row in ipairs(bad) do
    it("is refused with " .. row[1], function()
      local ok, err = pcall(handlers.load, file(row[2]))
      assert.is_false(ok)
      assert.is_true(errors.is(err))
      assert.same({ "invalid", "handlers" }, { err.kind, err.operation })
      assert.matches(row[3], tostring(err), 1, true)
      assert.is_nil(tostring(err):find "%c")
    end)
  end

  it("that is not there is refused", function()
    local ok, err = pcall(handlers.load, H.tmpdir() .. "/none.lua")
    assert.is_false(ok)
    assert.matches("cannot be read", tostring(err))
  end)
end)
