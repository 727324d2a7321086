-- Runs as a user meets them: `xfiot run` that is killed, `xfiot runs`, and what a
-- script may do when it is limited.

local C = require "spec.cli_helper"
local R = require "spec.runs_helper"
local core = require "xfiot.core"
local crash = require "spec.crash_helper"
local helper = require "spec.helper"

local function stage()
  local folder = helper.tmpdir()
  local platform = crash.platform { meters = 3 }
  return { platform = platform, folder = folder, file = folder .. "/w.lua", mark = folder .. "/mark",
           env = platform:with(folder .. "/journal.db", 5) }, platform
end

local function list(s, ...)
  local rows = {}
  for line in C.xfiot({ "runs", "--json", ... }, { env = s.env }).stdout:gmatch "[^\n]+" do
    rows[#rows + 1] = assert(core.decode(line))
  end
  return rows
end

-- What the meters have done, in its order.
local function done(platform)
  local methods = {}
  for i, row in ipairs(platform:get("ledger").ledger) do methods[i] = row.method end
  return table.concat(methods, " ")
end

-- A script that leaves a mark, pays, says so, and waits.
local function long(mark, seconds)
  return ([[
    flow:step("mark", function() local f = io.open(%q, "a") f:write "x" f:close() end)
    local receipt = flow:meter "30010000000001":recharge { order = "A", amount = 5 }
    io.stdout:write "paid\n" io.stdout:flush()
    flow:sleep(%d)
    flow:meter "30010000000001":valve "close"
    return receipt.surplus ]]):format(mark, seconds)
end

describe("xfiot run that is killed", function()
  it("goes on where it was, and repeats nothing", function()
    local s, platform <close> = stage()
    R.write(long(s.mark, 2), s.file)
    local process = helper.start({ "xfiot", "run", s.file }, { env = s.env })
    process:expect "^paid$"
    process:stop "KILL"
    local row = list(s)[1]
    assert.are.equal("waiting", row.state)
    assert.truthy(row.waiting_for:find "process")
    assert.are.equal("waiting", list(s, "--state", "waiting")[1].state)
    local result = C.xfiot({ "run", s.file }, { env = s.env })
    assert.are.equal(0, result.status, result.stderr)
    assert.are.equal('paid\n"5.00"\n', result.stdout)
    assert.are.equal("x", io.open(s.mark):read "a")
    assert.are.equal("RECHARGE_REMOTE VALVE_CONTROL", done(platform))
    assert.are.equal(1, #list(s))
  end)

  it("goes on by its number, with the script as it was", function()
    local s, platform <close> = stage() -- luacheck: ignore 211
    R.write(long(s.mark, 1), s.file)
    local process = helper.start({ "xfiot", "run", s.file }, { env = s.env })
    process:expect "^paid$"
    process:stop "KILL"
    R.write(long(s.mark, 1):gsub('"A"', '"B"'), s.file)
    local check = C.xfiot({ "runs", "check", s.file }, { env = s.env })
    assert.are.equal(1, check.status, check.stderr)
    assert.truthy(check.stdout:find("run 1 would diverge: The script does not match step 2 at [^ ]*w.lua:4"),
      check.stdout)
    local result = C.xfiot({ "runs", "resume", "1" }, { env = s.env })
    assert.are.equal(1, result.status, result.stderr)
    local row = list(s)[1]
    assert.are.equal("diverged", row.state)
    assert.truthy(row.error:find('remembered recharge 30010000000001 {"amount":5,"order":"A"}', 1, true), row.error)
    assert.are.equal("RECHARGE_REMOTE", done(platform))
    R.write(long(s.mark, 1), s.file)
    assert.are.equal(0, C.xfiot({ "runs", "check", s.file }, { env = s.env }).status)
    assert.are.equal(0, C.xfiot({ "runs", "resume", "1" }, { env = s.env }).status)
    local shown = C.xfiot({ "runs", "show", "1" }, { env = s.env }).stdout
    for _, words in ipairs { "+ 1 step mark", "+ 2 recharge 30010000000001", "+ 3 sleep", "+ 4 valve", "succeeded" } do
      assert.truthy(shown:find(words, 1, true), shown)
    end
  end)

  it("is another's as long as that lives", function()
    local s, platform <close> = stage() -- luacheck: ignore 211
    R.write(long(s.mark, 30), s.file)
    local process = helper.start({ "xfiot", "run", s.file }, { env = s.env })
    process:expect "^paid$"
    local refused = C.xfiot({ "runs", "resume", "1" }, { env = s.env })
    assert.are.equal(1, refused.status)
    assert.truthy(refused.stderr:find("A process that lives works on it", 1, true), refused.stderr)
    s.env.XFIOT_WAIT = 0.1
    local result = C.xfiot({ "run", s.file }, { env = s.env }) -- waits for the other's, for so long
    assert.are.equal(1, result.status)
    assert.truthy(result.stderr:find("run 1 is the same, and another process works on it", 1, true), result.stderr)
    assert.truthy(result.stderr:find("run 1 is not at its end yet", 1, true), result.stderr)
    assert.are.equal(1, C.xfiot({ "runs", "cancel", "1" }, { env = s.env }).status)
    process:stop "KILL"
    result = C.xfiot({ "runs", "cancel", "1", "--note", "enough" }, { env = s.env })
    assert.are.equal(0, result.status, result.stderr)
    assert.are.equal("cancelled", list(s)[1].state)
    assert.truthy(list(s)[1].error:find("enough", 1, true))
    assert.are.equal(1, C.xfiot({ "runs", "resume", "1" }, { env = s.env }).status)
  end)
end)

describe("the same command, given at once", function()
  -- Tells a meter's report, which has no effect, then leaves a mark, then waits.
  local function body(mark, seconds)
    return ([[
      flow:meter "30010000000001":report()
      io.stdout:write "told\n" io.stdout:flush()
      local word = flow:step("mark", function()
        local f = io.open(%q, "a") f:write "x" f:close()
        io.stdout:write "marked\n" io.stdout:flush()
        return "done" end)
      flow:sleep(%g)
      return word ]]):format(mark, seconds)
  end

  it("is one run, for which the others wait", function()
    local s, platform <close> = stage() -- luacheck: ignore 211
    R.write(body(s.mark, 1), s.file)
    local line = ("%s run %s & "):format(helper.xfiot, s.file)
    local text = crash.shell(line:rep(4) .. "wait", s.env, 60)
    assert.are.equal("x", io.open(s.mark):read "a")
    assert.are.equal(4, select(2, text:gsub('"done"', "")), text)
    assert.are.equal(1, #list(s))
  end)

  it("goes on here when the process that was faster dies", function()
    local s, platform <close> = stage() -- luacheck: ignore 211
    R.write(body(s.mark, 50), s.file)
    local first = helper.start({ "xfiot", "run", s.file }, { env = s.env })
    first:expect "^marked$"
    local second = helper.start({ "xfiot", "run", s.file }, { env = s.env })
    second:expect "run 1 is the same, and another process works on it"
    first:stop "KILL"
    second:expect "^told$" -- it replays
    assert.are.equal("running", list(s)[1].state)
    assert.are.equal("x", io.open(s.mark):read "a")
    second:stop "KILL"
  end)
end)

describe("a run that was begun restricted", function()
  it("stays so, whoever goes on with it", function()
    local s, platform <close> = stage() -- luacheck: ignore 211
    -- its own code leaves a mark where there is a system
    R.write("flow:sleep(3600)", s.file)
    helper.write(s.file, ("if io then io.open(%q, 'a'):write 'x' end\n"):format(s.mark) .. io.open(s.file):read "a")
    s.env.XFIOT_WAIT = 0.1
    local result = C.xfiot({ "run", s.file, "--restricted" }, { env = s.env })
    assert.truthy(result.stderr:find("waits for time", 1, true), result.stderr)
    for _, words in ipairs { { "run", s.file }, { "runs", "resume", "1" }, { "runs", "check", s.file } } do
      result = C.xfiot(words, { env = s.env })
      assert.are.equal(words[1] == "run" and 1 or 0, result.status, result.stderr)
      assert.is_nil(io.open(s.mark), table.concat(words, " "))
    end
    assert.are.equal("waiting", list(s)[1].state)
  end)
end)

describe("xfiot runs", function()
  for _, row in ipairs { { { "show" }, "needs the number" }, { { "show", "7" }, 'there is no run "7"' },
                         { { "resume", "x" }, 'there is no run "x"' }, { { "check" }, "needs a script" },
                         { { "list", "--state", "open" }, '--state knows no "open"' }, { { "sing" }, "runs takes" } } do
    it(table.concat(row[1], " ") .. " is a mistake", function()
      local result = C.xfiot({ "runs", table.unpack(row[1]) }, { env = { XFIOT_JOURNAL = helper.tmpdir() .. "/j.db" } })
      assert.are.equal(2, result.status, result.stderr)
      assert.are.equal("", result.stdout)
      assert.truthy(result.stderr:find(row[2], 1, true), result.stderr)
      C.assert_no_insides(result.stderr)
    end)
  end
end)

-- ---- limits

local function run_plain(text, ...)
  local path = helper.write(helper.tmpdir() .. "/plain.lua", text)
  return C.xfiot({ "run", path, ... }, { limit = 60 })
end

describe("a restricted script", function()
  for _, name in ipairs { "os", "io", "debug", "package", "load", "loadfile", "dofile", "collectgarbage", "xfiot" } do
    it("finds no " .. name, function()
      local result = run_plain(("print(%s == nil, string.%s == nil)"):format(name, name), "--restricted")
      assert.are.equal("true\ttrue\n", result.stdout, result.stderr)
    end)
  end

  for _, row in ipairs {
    { 'require "xfiot.loop"', 'cannot load "xfiot.loop"' }, { 'require "os"', 'cannot load "os"' },
    { 'getmetatable("").__index.format = nil', "attempt to index a nil value" },
    { 'require("xfiot").client { journal = "/tmp/x" }', "takes the client as the settings make it" },
    { "error 'mine'", "plain.lua:1: mine" } } do
    it("fails for " .. row[1], function()
      local result = run_plain(row[1], "--restricted")
      assert.are.equal(1, result.status)
      assert.truthy(result.stderr:find(row[2], 1, true), result.stderr)
    end)
  end

  it("cannot change what others of the program use", function()
    local result = run_plain("string.format = nil math.floor = nil print(('x'):rep(2))", "--restricted")
    assert.are.equal("xx\n", result.stdout, result.stderr)
  end)
end)

describe("a script's limit", function()
  it("of time ends one that computes", function()
    local result = run_plain("while true do end", "--time-limit", "0.2")
    assert.are.equal(1, result.status)
    assert.truthy(result.stderr:find("longer than --time-limit 0.2 s", 1, true), result.stderr)
  end)

  it("of time ends one that computes in a coroutine, and catches errors", function()
    local result = run_plain([[
      local function forever() while true do end end
      coroutine.wrap(function() while true do pcall(forever) end end)()]], "--time-limit", "0.2")
    assert.are.equal(1, result.status)
    assert.truthy(result.stderr:find "time.limit", result.stderr)
  end)

  it("of time ends one that waits", function()
    local result = run_plain('require("xfiot").sleep(60)', "--time-limit", "0.2")
    assert.are.equal(1, result.status)
    assert.truthy(result.stderr:find("longer than --time-limit", 1, true), result.stderr)
  end)

  it("of memory ends one that takes too much", function()
    if not helper.preload then -- a sanitizer has its own allocator
      local result = run_plain("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end", "--memory", "40")
      assert.are.equal(1, result.status)
      assert.truthy(result.stderr:find("not enough memory", 1, true), result.stderr)
    end
  end)

  for _, row in ipairs { { "--memory", "much" }, { "--time-limit", "0" }, { "--memory", "-5" } } do
    it(table.concat(row, " ") .. " is a mistake", function()
      local result = run_plain("", row[1] .. "=" .. row[2])
      assert.are.equal(2, result.status, result.stderr)
      assert.truthy(result.stderr:find("must be a number above 0", 1, true), result.stderr)
    end)
  end
end)
