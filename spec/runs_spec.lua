-- Runs: what is remembered and not repeated, scripts that were changed meanwhile,
-- what runs wait for, and whose they are.

local R = require "spec.runs_helper"
local V = require "spec.verbs_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"
local runs = require "xfiot.runs"
local script = require "xfiot.script"

-- A step that leaves a line in a file each time it is really done.
local function leave(path, word)
  return ('flow:step(%q, function() local f = io.open(%q, "a") f:write(%q, "\\n") f:close() return %q end)')
    :format(word, path, word, word)
end

local function lines_of(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = line end
  return list
end

local RECHARGE = ('local receipt = flow:meter(%q):recharge { order = "A", amount = 5 }\n'):format(R.MONEY)

describe("a run", function()
  local function put_away_and_back(box, body, path)
    local outcome, run = R.begin(box, R.write(body, path))
    assert.are.equal("waiting", outcome.state, tostring(outcome.error))
    return run.id, outcome
  end

  it("that is brought back remembers values, and repeats no effect", function()
    local box <close> = V.open()
    local path = helper.tmpdir() .. "/done"
    local id = put_away_and_back(box, ([[
      local at, chance = flow:now(), flow:random(1000000)
      %s
      %s flow:sleep(1)
      %s
      return { at = at, chance = chance, bill = receipt.bill_no }
    ]]):format(leave(path, "one"), RECHARGE, leave(path, "two")))
    local before = box.client.orders:journal():read("run_steps", id)
    local outcome = R.resume(box, id, {})
    assert.are.equal("succeeded", outcome.state, outcome.text)
    assert.are.same({ "one", "two" }, lines_of(path))
    assert.are.equal(1, box:calls "creatCmd")
    assert.are.equal(tonumber(before[1].value), outcome.result.at)
    assert.are.equal(tonumber(before[2].value), outcome.result.chance)
    assert.are.equal(1, outcome.result.bill)
    assert.are.same(outcome.result, core.decode(R.row(box, id).result))
  end)

  it("gives a step's value the first time as it gives it later", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write [[
      local value = flow:step("s", function() return { one = 1, two = 2.5, three = 3.0 } end)
      return { math.type(value.one), math.type(value.two), math.type(value.three) } ]])
    assert.are.same({ "integer", "float", "integer" }, outcome.result)
  end)

  it("keeps the error of a step, and raises it again", function()
    local box <close> = V.open { fault = "creatCmd:code=500033:1:before" }
    local body = ([[
      local ok, err = pcall(function() return flow:meter(%q):recharge { order = "A", amount = 1 } end)
      flow:sleep(1)
      return { ok, err.code, err.kind, require("xfiot").is_error(err) } ]]):format(R.MONEY)
    local id = put_away_and_back(box, body)
    assert.are.same({ false, "500033", "platform", true }, R.resume(box, id, {}).result)
  end)

  it("that failed is taken up at the step that failed", function()
    local box <close> = V.open()
    local path = helper.tmpdir() .. "/done"
    local file = R.write(leave(path, "one") .. '\nflow:step("may fail", function() error "not today" end)')
    local outcome, run = R.begin(box, file)
    assert.are.equal("failed", outcome.state)
    assert.truthy(outcome.text:find("w.lua:%d+: not today"), outcome.text)
    R.write(leave(path, "one") .. '\nreturn flow:step("may fail", function() return "today" end)', file)
    assert.are.equal("today", R.resume(box, run.id).result)
    assert.are.same({ "one" }, lines_of(path))
  end)

  it("waits for a meter without a coroutine, and is woken by its order", function()
    local box <close> = V.open { wake = 5, speed = 0 }
    box.sandbox:advance(1)
    local outcome, run = R.begin(box, R.write(RECHARGE .. "return receipt.surplus"), { patience = 0.05 })
    assert.are.equal("waiting", outcome.state)
    assert.are.equal("order A", R.row(box, run.id).waiting_for)
    assert.is_nil(runs.due(box.client)())
    box.sandbox:advance(60)
    require("xfiot.recovery").start(box:another())
    assert.are.equal(run.id, runs.due(box.client)().id)
    assert.are.equal("5.00", R.resume(box, run.id).result)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("asks again for a plain command that it has sent, and sends it once", function()
    local box <close> = V.open { wake = 5, speed = 0 }
    box.sandbox:advance(1)
    local outcome, run = R.begin(box, R.write(('return flow:meter(%q):valve("close").commandResult')
      :format(R.MONEY)), { patience = 0.05 })
    assert.are.equal("waiting", outcome.state)
    assert.truthy(R.row(box, run.id).waiting_for:find "^command %x+$")
    box.sandbox:advance(60)
    assert.are.equal(0, R.resume(box, run.id).result)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("needs a person for an order in doubt, and goes on with the decision", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local outcome, run = R.begin(box, R.write(RECHARGE .. "return receipt.state"))
    assert.are.equal("needs_decision", outcome.state)
    local book = box.client.orders
    assert.is_nil(runs.due(box.client)())
    book:advance(book:find "A", { to = "applied", by = "person:wang" })
    assert.are.equal(run.id, runs.due(box.client)().id)
    assert.are.equal("applied", R.resume(box, run.id).result)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("that raises a doubt it remembers fails with it, once nobody need decide", function()
    local box <close> = V.open { fault = "creatCmd:lost:1" }
    local outcome, run = R.begin(box, R.write(([[
      local ok, err = pcall(function() return flow:meter(%q):recharge { order = "A", amount = 5 } end)
      flow:step("tell somebody", function() return 1 end)
      if not ok then error(err, 0) end ]]):format(R.MONEY)))
    assert.are.equal("needs_decision", outcome.state)
    assert.are.equal("needs_decision", (R.resume(box, run.id)).state) -- it is in doubt still
    local book = box.client.orders
    book:advance(book:find "A", { to = "applied", by = "person:wang" })
    assert.are.equal(run.id, runs.due(box.client)().id)
    outcome = R.resume(box, run.id)
    assert.are.equal("failed", outcome.state)
    assert.are.equal("A", outcome.error.order)
    assert.is_nil(runs.due(box.client)())
    assert.truthy(R.row(box, run.id).error:find('"order":"A"', 1, true))
  end)

  for _, row in ipairs {
    { "an error of nothing", "error(nil)", "an error without a word: error(nil)" },
    { "an error of nothing in a step", 'flow:step("a", function() error(nil) end)', "an error without a word" },
    { "a yield to nobody", "coroutine.yield()", "w.lua:3: coroutine.yield() outside a coroutine of the script's own" },
    { "a yield of something to nobody", "coroutine.yield(true)", "w.lua:3: coroutine.yield() outside" },
    { "a yield in a step", 'flow:step("a", function() coroutine.yield(5) end)', "w.lua:3: coroutine.yield() outside" },
    { "a yield in parallel", "xfiot.parallel({ 1, 2 }, coroutine.yield)", "coroutine.yield() outside" } } do
    it("fails in words for " .. row[1], function()
      local box <close> = V.open()
      local outcome, run = R.begin(box, R.write(row[2]))
      assert.are.equal("failed", outcome.state)
      assert.truthy(outcome.text:find(row[3], 1, true), outcome.text)
      assert.truthy(R.row(box, run.id).error:find(row[3], 1, true))
    end)
  end

  it("waits for a report that is newer than the last", function()
    local box <close> = V.open { speed = 0 }
    box.sandbox:advance(1)
    local body = ('local m = flow:wait_report(%q)\nreturn m.deviceId ~= nil'):format(R.MONEY)
    local id = put_away_and_back(box, body)
    assert.are.equal("report of " .. R.MONEY, R.row(box, id).waiting_for)
    local journal = box.client.orders:journal()
    journal:write(function(file)
      return file:see { device_id = box:meter():device_id(), seen_at = 5, report = "{}", report_time = "2" }
    end)
    assert.are.equal(id, runs.due(box.client)().id)
    assert.are.equal("waiting", (R.resume(box, id)).state)
    local query = box.client.queryReportData
    function box.client:queryReportData(args)
      local message = query(self, args)
      message.callbackData.data[1].serviceData.deviceTime = "20260103000000"
      return message
    end
    local outcome = R.resume(box, id)
    assert.is_true(outcome.result, outcome.text or outcome.waiting_for)
  end)

  it("waits for a report no longer than it was told", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write(('return tostring(flow:wait_report(%q, { timeout = 0 }))'):format(R.MONEY)))
    assert.are.equal("nil", outcome.result)
  end)

  it("within a step remembers the step, and which orders it gave", function()
    local box <close> = V.open { wake = 5, speed = 0 }
    box.sandbox:advance(1)
    local function body(order)
      return ('return flow:step("pay", function() return flow:meter(%q):recharge { order = %q, amount = 5 }.order end)')
        :format(R.MONEY, order)
    end
    local file = R.write(body "A")
    local outcome, run = R.begin(box, file, { patience = 0.05 })
    assert.are.equal("waiting", outcome.state)
    R.write(body "B", file)
    assert.are.equal("diverged", (R.resume(box, run.id)).state)
    assert.are.equal(1, box:calls "creatCmd")
    R.write(body "A", file)
    box.sandbox:advance(60)
    assert.are.equal("A", R.resume(box, run.id).result)
    assert.are.equal(1, box:calls "creatCmd")
  end)

  it("knows of its meter what it was told before, as a swap of meters needs", function()
    local box <close> = V.open()
    local text = R.read(helper.root .. "/scripts/meter_swap.lua")
    local args = text.workflow:read_args { deviceNo = R.MONEY, newDeviceNo = "07602190100007117", reading = "0",
                                           order = "S-1", cardNo = "0000000001", tariff = R.tariff() }
    local outcome = runs.begin(box.client, text, args):drive()
    assert.are.equal("succeeded", outcome.state, outcome.text)
    assert.are.equal("07602190100007117", outcome.result.device_no)
  end)

  it("tells the script's own line, also across coroutines", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write [[
      local next_one = coroutine.wrap(function()
        coroutine.yield(flow:step("a", function() return 1 end))
        flow:meter "30010000000001":recharge { order = "A", amount = "1.234" }
      end)
      next_one()
      next_one()]])
    assert.are.equal("failed", outcome.state)
    assert.truthy(outcome.text:find "at [^ ]*w.lua:5%)", outcome.text)
  end)

  it("has its steps one after the other", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write [[
      local list = xfiot.parallel({ 1 }, function() flow:step("a", function() end) end)
      error(list[1].error, 0)]])
    assert.truthy(outcome.text:find("one after the other", 1, true), outcome.text)
  end)

  it("waits also where a function of C has called the script", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write(([[
      local texts = { ("ab"):gsub(".", function(c) return (flow:meter(%q):device_id():gsub(".*", c)) end) }
      return { texts[1], (("x"):gsub("x", function()
        return flow:meter(%q):recharge { order = "A", amount = 5 }.surplus end)) } ]]):format(R.MONEY, R.MONEY)))
    assert.are.same({ "ab", "5.00" }, outcome.result, outcome.text)
  end)

  it("is put away also there", function()
    local box <close> = V.open()
    local outcome, run = R.begin(box, R.write 'pcall(string.gsub, "x", "x", function() flow:sleep(1) end) return 1')
    assert.are.equal("waiting", outcome.state, outcome.text)
    assert.are.equal(1, R.resume(box, run.id, {}).result)
  end)

  it("does not take what cannot be remembered", function()
    local box <close> = V.open()
    local outcome = R.begin(box, R.write 'return flow:step("f", function() return print end)')
    assert.are.equal("failed", outcome.state)
    assert.truthy(outcome.text:find("step f: its result cannot be remembered", 1, true), outcome.text)
  end)
end)

-- ---- changed scripts

local ONE = 'flow:step("one", function() return 1 end)\n'
local TWO = 'flow:step("two", function() return 2 end)\n'
local NAP = "flow:sleep(1)\n"
local CLOSE = ('flow:meter(%q):valve "close"\n'):format(R.MONEY)
local OPEN = ('flow:meter(%q):valve "open"\n'):format(R.MONEY)
local PAY = ('flow:meter(%q):recharge { order = "A", amount = 5 }\n'):format(R.MONEY)

local CHANGES = { -- what, before, after, remembered and found (nil: it goes on)
  { "the same", ONE .. NAP .. TWO, ONE .. NAP .. TWO },
  { "more at the end", ONE .. NAP .. TWO, ONE .. NAP .. TWO .. ONE },
  { "less at the end", ONE .. NAP .. TWO, ONE .. NAP },
  { "another sleep", ONE .. NAP .. TWO, ONE .. "flow:sleep(2)\n" .. TWO },
  { "code without steps", ONE .. NAP, "local x = 5\n" .. ONE .. "x = x + 1\n" .. NAP },
  { "another name", ONE .. NAP, TWO .. NAP, "step one", "step two" },
  { "a step before", ONE .. NAP, TWO .. ONE .. NAP, "step one", "step two" },
  { "a step less", ONE .. TWO .. NAP, ONE .. NAP, "step two", "sleep" },
  { "an earlier end", ONE .. NAP, ONE, "sleep", "the end of the workflow" },
  { "an earlier error", ONE .. NAP, ONE .. 'error "no"', "sleep", "an error: " },
  { "another verb", CLOSE .. NAP, PAY .. NAP, "valve", "recharge" },
  { "other arguments", CLOSE .. NAP, OPEN .. NAP, "close", "open" },
  { "another order", PAY .. NAP, PAY:gsub('"A"', '"B"') .. NAP, '"order":"A"', '"order":"B"' },
  { "another amount", PAY .. NAP, PAY:gsub("= 5", "= 6") .. NAP, '"amount":5', '"amount":6' },
}

describe("a script that was changed while its run waited:", function()
  for _, row in ipairs(CHANGES) do
    local what, before, after, remembered, found = table.unpack(row)
    it(what .. (remembered and " stops it as diverged" or " lets it go on"), function()
      local box <close> = V.open()
      local file = R.write(before)
      local outcome, run = R.begin(box, file)
      assert.are.equal("waiting", outcome.state, outcome.text)
      R.write(after, file)
      local calls, steps = box:calls(), R.steps(box, run.id)
      -- asked first, without effect
      local dry = runs.load(box.client, R.row(box, run.id), R.read(file), { dry = true }):drive()
      assert.are.equal(remembered and "diverged" or "matches", dry.state)
      assert.are.equal("waiting", R.row(box, run.id).state)
      assert.are.same(steps, R.steps(box, run.id))
      outcome = R.resume(box, run.id, {})
      assert.are.equal(remembered and "diverged" or "succeeded", outcome.state, outcome.text)
      if not remembered then return end
      local err = outcome.error
      assert.are.equal(calls, box:calls())
      assert.truthy(err.remembered:find(remembered, 1, true), err.remembered)
      assert.truthy(err.found:find(found, 1, true), err.found)
      assert.truthy(err.line:find "w.lua:%d+$", err.line)
      R.write(before, file)
      assert.are.equal("succeeded", (R.resume(box, run.id, {})).state)
    end)
  end
end)

local EARLY = { -- what a changed script does before the first step that is remembered, and the line it is told at
  { "an error", '\nerror "no"\n' .. ONE .. NAP, 4 },
  { "an error of a function", 'local function f() return nil + 1 end\n\nf()\n' .. ONE .. NAP, 3 },
  { "a return", "\n\nif true then return 5 end\n" .. ONE .. NAP, 5 },
  { "an end", "local function f() return 1 end\nf()\n", 6 },
  { "a return in a run of coroutines", "\ncoroutine.wrap(function() local x = 1 return x end)()\n"
    .. "do return end\n" .. ONE .. NAP, 5 },
}

describe("a run whose changed script ends too early by", function()
  for _, row in ipairs(EARLY) do
    it(row[1] .. " is told where that was", function()
      local box <close> = V.open()
      local file = R.write(ONE .. NAP)
      local _, run = R.begin(box, file)
      R.write(row[2], file)
      local outcome = R.resume(box, run.id, {})
      assert.are.equal("diverged", outcome.state)
      assert.truthy(outcome.error.line:find("w.lua:" .. row[3] .. "$"), outcome.text)
      assert.is_nil(debug.gethook())
    end)
  end
end)

-- ---- whose it is

describe("a run's lease", function()
  it("is one worker's, however long it takes", function()
    local box <close> = V.open()
    local file = R.write 'flow:step("a", function() return 1 end)'
    local run = runs.new(box.client, R.read(file), "{}")
    run:later("run_step", { seq = 1, name = "step a", state = "begun" })
    run:write()
    local row = R.row(box, run.id)
    local err = V.failure(runs.take, box:another(), row, R.read(file))
    assert.are.equal("cancelled", err.kind)
    assert.truthy(err.message_en:find("works on it", 1, true))
  end)

  it("that was lost lets nothing more be written", function()
    local box <close> = V.open()
    local path = helper.tmpdir() .. "/done"
    local other = box:another()
    local file = R.write(leave(path, "one") .. "\n" .. leave(path, "two"))
    local run = runs.new(box.client, R.read(file), "{}")
    run:later("run_step", { seq = 1, name = "step one", state = "begun" })
    run:write()
    runs.take(other, R.row(box, run.id), R.read(file), { force = true })
    run.memory, run.seq = box.client.orders:journal():read("run_steps", run.id), 0
    local outcome = run:drive()
    assert.are.equal("lost", outcome.state)
    assert.truthy(outcome.text:find("belongs to another process now", 1, true), outcome.text)
    assert.are.same({ "one" }, lines_of(path)) -- which had begun before; the next one was not
    assert.are.equal("running", R.row(box, run.id).state)
  end)

  it("of the same script and arguments goes on, and is not begun twice", function()
    local box <close> = V.open()
    local file = R.write(NAP .. "return args.n")
    local text = R.read(file)
    local run = runs.begin(box.client, text, { n = 7 })
    run.short = 0
    assert.are.equal("waiting", run:drive().state)
    local again = runs.begin(box.client, text, { n = 7 })
    assert.are.equal(run.id, again.id)
    assert.are.equal(7, again:drive().result)
    local third = runs.begin(box.client, text, { n = 7 })
    assert.is_nil(third.id)
  end)

  it("is taken up by the worker when its time has come", function()
    local box <close> = V.open()
    local _, run = R.begin(box, R.write(NAP .. "return 5"))
    local journal, told = box.client.orders:journal(), {}
    local function log(event, fields) told[#told + 1] = event .. " " .. tostring(fields.state or fields.reason) end
    V.wait_until(function()
      runs.bring_back(box.client, log)
      return R.row(box, run.id).state == "succeeded"
    end)
    assert.are.equal("run_resumed succeeded", told[#told])
    assert.are.equal("5", journal:read("run_find", run.id).result)
  end)

  it("that was begun restricted is brought back restricted", function()
    local box <close> = V.open()
    local mark = helper.tmpdir() .. "/mark"
    local file = R.write("local system = io\n" .. NAP .. "return tostring(system)")
    helper.write(file, ("if io then io.open(%q, 'a'):close() end\n"):format(mark) .. io.open(file):read "a")
    local text = assert(script.read(file))
    script.run(text, {}, { restricted = true })
    local run = runs.new(box.client, text, "{}", { short = 0 })
    assert.are.equal("waiting", run:drive().state)
    V.wait_until(function()
      runs.bring_back(box.client, function() end)
      return R.row(box, run.id).state == "succeeded"
    end)
    assert.are.equal('"nil"', R.row(box, run.id).result)
    assert.is_nil(io.open(mark))
  end)

  it("that was begun restricted is not taken up by a script that is not", function()
    local box <close> = V.open()
    local file = R.write(NAP .. "return tostring(io)")
    local text = assert(script.read(file))
    script.run(text, {}, { restricted = true })
    local run = runs.new(box.client, text, "{}", { short = 0 })
    assert.are.equal("waiting", run:drive().state)
    assert.are.equal("nil", R.resume(box, run.id, {}).result)
  end)

  it("that another has just begun is the other's", function()
    local box <close> = V.open()
    local path = helper.tmpdir() .. "/done"
    local file = R.write(('flow:meter(%q):report()\n'):format(R.MONEY) .. leave(path, "one"))
    local first, second = runs.begin(box.client, R.read(file), {}), runs.begin(box:another(), R.read(file), {})
    assert.are.equal("succeeded", first:drive().state)
    local third = runs.new(box.client, R.read(file), "{}") -- the first has ended: this is a new one
    third:later("run_step", { seq = 1, name = "report", state = "begun" })
    third:write()
    local outcome = second:drive()
    assert.are.equal("lost", outcome.state)
    assert.are.equal(third.id, second.faster)
    assert.truthy(outcome.text:find("Another process has begun the same run", 1, true), outcome.text)
    assert.are.same({ "one" }, lines_of(path))
    local fourth, id = runs.begin(box:another(), R.read(file), {})
    assert.is_nil(fourth)
    assert.are.equal(third.id, id)
  end)

  it("whose script is gone waits for it", function()
    local box <close> = V.open()
    local file = R.write(NAP)
    local _, run = R.begin(box, file)
    os.remove(file)
    local told
    V.wait_until(function()
      runs.bring_back(box.client, function(event) told = event end)
      return told
    end)
    assert.are.equal("run_waits", told)
    local row = R.row(box, run.id)
    assert.are.equal("waiting", row.state)
    assert.truthy(row.waiting_for:find "^script: ")
  end)
end)
