-- The fence round a restricted script: everything it can reach is looked at for what is
-- ours, every known way out is tried, and what the documentation promises goes on working.

local R = require "spec.runs_helper"
local V = require "spec.verbs_helper"
local core = require "xfiot.core"
local fence_rows = require "xfiot.fence_rows"
local helper = require "spec.helper"
local runs = require "xfiot.runs"
local script = require "xfiot.script"
local settings = require "xfiot.settings"

local ARRAY = getmetatable(core.array {})

-- Runs a text restricted; `host` is what it gets in `...`.
local function read(text, host)
  local made = assert(script.read(helper.write(helper.tmpdir() .. "/w.lua", text)))
  script.run(made, host, { restricted = true })
  return made
end

-- Runs a body as that of a restricted workflow to its end.
local function drive(box, body, host)
  local made = read('local host = ...\nlocal xfiot = require "xfiot"\nreturn xfiot.workflow { name = "w", '
    .. 'args = { n = "integer?" }, run = function(flow, args)\n' .. body .. "\nend }\n", host)
  local run = runs.new(box.client, made, "{}", { short = 0 })
  return run:drive(), run
end

-- ---- everything that can be reached

-- All tables of ours that hang together, and every name in them.
local function insides(...)
  local seen, names = {}, {}
  local function walk(value)
    local kind = type(value)
    if kind ~= "table" and kind ~= "function" and kind ~= "userdata" then return end
    if seen[value] or value == _G or value == ARRAY then return end
    seen[value] = true
    walk(debug.getmetatable(value))
    if kind == "function" then
      for i = 1, 255 do
        local name, member = debug.getupvalue(value, i)
        if not name then break end
        walk(member)
      end
    elseif kind == "table" then
      for name, member in next, value do
        if type(name) == "string" then names[name] = true end
        walk(name)
        walk(member)
      end
    end
  end
  for _, value in ipairs { ... } do walk(value) end
  return seen, names
end

-- What a script of bad will does with all it gets hold of.
local SEARCH <const> = [[
local seen = {}
local QUIET = { sleep = true, wait_report = true, step = true, log = true }
local function look(value, depth)
  local kind = type(value)
  if kind == "nil" or kind == "boolean" or kind == "number" or kind == "string" or seen[value] then return end
  seen[value] = true
  host.found(value)
  look(getmetatable(value), depth)
  if kind ~= "table" or depth == 0 then return end
  for name, member in next, value do look(name, depth) look(member, depth) end
  local ok, step, list, first = pcall(pairs, value)
  if ok then for name, member in step, list, first do look(name, depth) look(member, depth) end end
  for i = 1, #host.names do
    local name = host.names[i]
    local got, member = pcall(function() return value[name] end)
    look(member, depth)
    if got and type(member) == "function" and rawget(value, name) == nil and not QUIET[name] then
      for _, args in ipairs { {}, { {} }, { value }, { "30010000000001" }, { { deviceNo = "30010000000001" } },
                              { look }, { setmetatable({}, { __index = function(_, k) look(k, depth - 1) end }) } } do
        local results = table.pack(pcall(member, value, table.unpack(args)))
        for n = 2, results.n do look(results[n], depth - 1) end
        look(select(2, pcall(member, table.unpack(args))), depth - 1)
      end
    end
  end
end
]]

local function is_fenced(value)
  local metatable = debug.getmetatable(value)
  return metatable == nil or metatable == ARRAY or metatable.__metatable == false
end

describe("a restricted script", function()
  it("reaches nothing of ours, wherever it looks", function()
    local box <close> = V.open()
    local book = require("xfiot.settlement").of(box.client)
    local flow = require("xfiot.workflow").flow(box.client)
    local modules = {}
    for name, made in pairs(package.loaded) do
      if name:find "^xfiot" then modules[#modules + 1] = made end
    end
    local ours, names = insides(box.client, box:meter(), book, flow, { run = 1 }, modules)
    local list = { "run", "id", "token", "n", "__index", "__metatable", "__gc", "__name", 1, true }
    for name in pairs(names) do list[#list + 1] = name end
    local found = {}
    local outcome = drive(box, SEARCH .. [[
      local places = { _G, flow, flow.client, flow:meter "30010000000001", flow.client:meter "30010000000001", xfiot,
        xfiot.settlement(flow.client), require "xfiot.tariff", args, coroutine.running(),
        flow:meter "30010000000001":report(), select(2, flow.client:query { deviceNo = "30010000009999" }) }
      look(places, 2)
      look(flow:meter "30010000000001":recharge { order = "A", amount = 5 }, 2)
      look(select(2, pcall(flow.step, flow, "s", function(...) look({ ... }, 2) error(flow) end)), 2)
      xfiot.parallel({ flow }, function(...) look({ ... }, 2) end)
      look(select(2, coroutine.resume(coroutine.create(function() flow:sleep(flow) end))), 2)
      return "searched"]], { names = list, found = function(value) found[value] = true end })
    assert.are.equal("searched", outcome.result, outcome.text)
    local count = 0
    for value in pairs(found) do
      count = count + 1
      local kind = type(value)
      assert.truthy(kind == "table" or kind == "function" or kind == "thread" or value == core.null, tostring(value))
      if kind == "table" then
        assert.falsy(ours[value], "a table of ours")
        assert.truthy(is_fenced(value), "an object of ours: " .. tostring(value))
      end
    end
    assert.truthy(count > 300, count)
    for _, library in ipairs { io, os, debug, package } do
      for name, member in pairs(library) do assert.falsy(found[member], name) end
    end
    for _, name in ipairs { "load", "loadfile", "dofile", "require", "collectgarbage", "getmetatable",
                               "setmetatable" } do
      assert.falsy(found[_G[name]], name)
    end
    for _, made in pairs(modules) do
      for name, member in pairs(type(made) == "table" and made or {}) do
        if type(member) == "function" then assert.falsy(found[member], name) end
      end
    end
  end)

  it("has in its rows only what there is", function()
    local box <close> = V.open()
    local book = require("xfiot.settlement").of(box.client)
    local real = { ["xfiot.client"] = box.client, ["xfiot.meter"] = box:meter(), ["xfiot.settlement"] = book,
                   ["xfiot.flow"] = runs.new(box.client, read([[return require("xfiot").workflow {
                      name = "w", run = print }]]), "{}").flow,
                   ["xfiot.tariff"] = require("xfiot.tariff").new(V.tariff()) }
    for class, object in pairs(real) do
      for _, name in ipairs(fence_rows[class].methods) do
        assert.are.equal("function", type(object[name]), class .. " " .. name)
      end
    end
  end)
end)

-- ---- ways out, as somebody has tried them

local NO_METHOD <const>, NO_FIELD <const> = "attempt to call a nil value", "attempt to index a nil value"
local PROTECTED <const> = "cannot change a protected metatable"

-- A line of a workflow, and the words it fails with; without them it returns what is false or nil.
local ATTEMPTS <const> = {
  { 'return getmetatable(xfiot.client())' }, { "return getmetatable(flow)" }, { 'return getmetatable("")' },
  { "return getmetatable(flow.client).new { base_url = 'http://127.0.0.1:1' }", NO_FIELD },
  { "return getmetatable(coroutine.running())" }, { "return getmetatable(print)" },
  { "return getmetatable(xfiot.null)" }, { "return getmetatable(flow:meter '30010000000001')" },
  { "return getmetatable(select(2, pcall(flow.sleep, flow)))" },
  { "return getmetatable(select(2, flow.client:query { deviceNo = '30010000009999' }))" },
  { "return getmetatable(xfiot.workflow { name = 'x', run = print })" },
  { "return flow.run" }, { "return rawget(flow, 'run')" }, { "return next(flow)" }, { "return rawlen(flow) > 0" },
  { "flow.run.journal.file:cancel()", NO_FIELD }, { "return flow.plain_log" },
  { "return flow.client.orders" }, { "return flow.client.settings" }, { "return flow.client.transport" },
  { "return flow.client.signer" }, { "return flow.client.meters" }, { "return flow.client.outcomes" },
  { "return flow.client.new" }, { "return flow.client.sign" }, { "return xfiot.sign" }, { "return xfiot.billing" },
  { "flow.client.orders:journal()", NO_FIELD }, { "return xfiot.client().orders" },
  { "xfiot.client { journal = '/tmp/x' }", "takes the client as the settings make it" },
  { "return flow:meter('30010000000001').client" }, { "return flow:meter('30010000000001').run" },
  { "return flow.client:meter('30010000000001').remembered" }, { "return flow.client:meter('30010000000001').recall" },
  { "return xfiot.settlement(flow.client).journal" }, { "return xfiot.settlement(flow.client).tariffs" },
  { "xfiot.settlement { orders = { journal = print } }", "takes a client" },
  { "xfiot.settlement(flow)", "takes a client" },
  { "return xfiot.settlement(flow.client).warned" }, { "return flow.client.settlement" },
  { "xfiot.workflow { name = 'x', args = { t = 'tariff' }, run = print }:read_args { t = '/etc/passwd' }", NO_METHOD },
  { "xfiot.workflow { name = 'x', run = print }:start(flow.client, {})", NO_METHOD },
  { "return xfiot.workflow { name = 'x', run = print }.run" },
  { "xfiot.workflow(flow)", "takes a table" },
  { "xfiot.workflow(xfiot.workflow { name = 'x', run = print })", "takes a table" },
  { "flow:meter('30010000000001'):change_price { order = 'A', tariff = '/etc/passwd', clearMark = 0 }", "tariff" },
  { "require 'xfiot.core'", "cannot load" }, { "require 'xfiot.fence'", "cannot load" },
  { "require(setmetatable({}, { __eq = function() return true end }))", "cannot load" },
  { "flow.step = print", "cannot change" }, { "flow.client.query = print", "cannot change" },
  { "setmetatable(flow, {})", PROTECTED }, { "setmetatable(flow.client, nil)", PROTECTED },
  { "setmetatable(flow:meter '30010000000001':report().callbackData, { __index = print }) return nil" },
  { "setmetatable('', {})", "table expected" }, { "setmetatable({}, 5)", "nil or table expected" },
  { "setmetatable({}, { __gc = print })", "has no __gc" }, { "setmetatable({}, { __gc = false })", "has no __gc" },
  { "setmetatable(setmetatable({}, { __metatable = 1 }), {})", PROTECTED },
  { "flow.client.query(flow:meter '30010000000001', {})", "on its own object" },
  { "flow.step({ run = {} }, 'x', print)", "on its own object" }, { "flow.step(nil, 'x', print)", "on its own object" },
  { "flow:meter('30010000000001').report(flow.client)", "on its own object" },
  { "flow:meter('30010000000001').report(flow.client:meter '30010000000001')", "on its own object" },
  { "coroutine.resume(coroutine.running())", "its own coroutines only" },
  { "coroutine.close(coroutine.running())", "its own coroutines only" },
  { "return debug or io or os or package or load or loadstring or dofile or loadfile or collectgarbage or host.x" },
  { "return _G.os or _ENV.io or require('xfiot').core" },
  { "local found xfiot.parallel({ 1 }, function(...) found = select('#', ...) > 2 end) return found" },
  { "local got flow:step('s', function(...) got = ... end) return got" },
  { "local _, err = pcall(flow.client.query, flow.client, { x = 1 }) err.kind = 'unknown'", "cannot change" },
  { "local _, err = pcall(flow.client.query, flow.client, { x = 1 }) return err.evidence or err.new or err.run" },
  { "local _, err = flow.client:query { deviceNo = '30010000009999' } return err.curl or err.__index" },
  -- what we would call or write in a table of the script's: it is a copy without metatable
  { [[local seen = {}
      local trap = setmetatable({ order = "A", amount = 5 }, { __index = function(_, k) seen[1] = k end,
        __newindex = function(_, _, v) seen[2] = v end, __pairs = function() seen[3] = true return next, {} end })
      flow:meter "30010000000001":recharge(trap)
      return seen[1] or seen[2] or seen[3] ]] },
  { [[local text = setmetatable({}, { __tostring = function() return "mine" end })
      local _, err = pcall(flow.meter, flow, text)
      return tostring(err):find("mine", 1, true)]] },
  -- a table that was checked and then changed
  { [[local args = { order = "B", amount = 5 }
      local trap = setmetatable({}, { __lt = function() args.amount = 500 return true end })
      args.wait = trap
      return (pcall(function() flow:meter "30010000000001":recharge(args) end))]] },
  { [[local co = coroutine.wrap(function() return getmetatable(flow) or flow.run end) return co()]] },
  { [[local function handler(err) return getmetatable(err) or err.evidence end
      return select(2, xpcall(flow.client.query, handler, flow.client, { x = 1 }))]] },
  { [[for name in pairs(select(2, flow.client:query { deviceNo = "30010000009999" })) do
        if name == "evidence" then return name end
      end]] },
}

describe("a restricted script gets nowhere with", function()
  for _, row in ipairs(ATTEMPTS) do
    it(row[1]:gsub("%s+", " "), function()
      local box <close> = V.open()
      settings.set_flags(box.client.settings)
      local outcome = drive(box, row[1], {})
      settings.set_flags {}
      if row[2] then
        assert.are.equal("failed", outcome.state)
        assert.truthy(outcome.text:find(row[2], 1, true), outcome.text)
      else
        assert.are.equal("succeeded", outcome.state, outcome.text)
        assert.falsy(outcome.result, tostring(outcome.result))
      end
    end)
  end

  it("what a callback of its own is given", function()
    local fence = require("xfiot.fence").new()
    local box <close> = V.open()
    local inner = { client = box.client, list = { box:meter() }, fn = io.open, co = coroutine.create(print) }
    local got
    local back = fence:callback(function(value)
      got = value
      return value
    end)(inner)
    assert.truthy(is_fenced(got.client) and is_fenced(got.list[1]) and is_fenced(got.co))
    assert.are_not.equal(inner, got)
    assert.are_not.equal(io.open, got.fn)
    assert.are.equal(box.client, back.client)
    assert.are.equal(box:meter(), back.list[1])
  end)
end)

-- ---- what goes on working

local WORKS <const> = { -- a body, and what it returns
  { 'return flow:meter "30010000000001":recharge { order = "A", amount = 5 }.surplus', "5.00" },
  { 'return flow.client:meter "30010000000001":recharge { order = "A", amount = 5 }.state', "applied" },
  { 'return flow.client:query { deviceNo = "30010000000001" }.deviceNo', "30010000000001" },
  { 'local ok, err = flow.client:query { deviceNo = "30010000009999" } return { ok == nil, err.code, err.kind }',
    { true, "500001", "platform" } },
  { 'local _, err = pcall(flow.client.query, flow.client, { x = 1 })\n'
    .. 'return { err.kind, err.sent, xfiot.is_error(err) }',
    { "invalid", false, true } },
  { 'return tostring(select(2, flow.client:query { deviceNo = "30010000009999" })):match "500001"', "500001" },
  { 'local e = { code = 5 }\nlocal _, err = pcall(flow.step, flow, "s", function() error(e) end) return err == e',
    true },
  { 'local _, err = pcall(flow.step, flow, "s", function() error "no" end) return err:match "w.lua:%d+: no"',
    "w.lua:4: no" },
  { 'return { flow:step("s", function() return { 1, { x = "y" } } end)[2].x, flow:random(1), flow:now() > 0 }',
    { "y", 1, true } },
  { 'local sum = 0 xfiot.parallel({ 1, 2, 3 }, function(n, i) sum = sum + n * i end) return sum', 14 },
  { 'local rows = { {}, {} } xfiot.parallel(rows, function(row) row.seen = true end) return rows[2].seen', true },
  { 'local list = xfiot.parallel({ "30010000000001" }, function(no) return flow.client:meter(no):device_id() end)\n'
    .. 'return #list[1].value', 32 },
  { 'return flow.client == flow.client and flow.client:meter "30010000000001" == flow.client:meter "30010000000001"',
    true },
  { 'return { xfiot.is_error(5), xfiot.is_error(flow), tostring(flow:meter "30010000000001") }',
    { false, false, "xfiot.meter 30010000000001" } },
  { 'local t = setmetatable({}, { __index = { x = 7 } }) return { t.x, getmetatable(t).__index.x }', { 7, 7 } },
  { 'local co = coroutine.create(function(a) return coroutine.yield(a + 1) end)\n'
    .. 'local _, first = coroutine.resume(co, 1) return { first, select(2, coroutine.resume(co, 5)) }', { 2, 5 } },
  { 'local t = require "xfiot.tariff".new(host.tariff)\n'
    .. 'return { t:cost("290", "430"), (t:tier "430"), tostring(t:explain("290", "430")):match "tier 3" }',
    { 54610, 3, "tier 3" } },
  { 'local book = xfiot.settlement(flow.client)\n'
    .. 'book:open { deviceNo = "30030000000001", tariff = require "xfiot.tariff".new(host.tariff):names(),\n'
    .. 'at = "20260101000000", reading = 1, balance = "20.00" }\n'
    .. 'for entry in book:entries "30030000000001" do\n'
    .. 'return { entry.kind, book:standing("30030000000001").balance } end',
    { "open", 2000 } },
  { 'return flow:meter "30010000000001":report().services ~= nil', true },
}

describe("a restricted script still does", function()
  for _, row in ipairs(WORKS) do
    it(row[1]:gsub("%s+", " "), function()
      local box <close> = V.open()
      local outcome = drive(box, row[1], { tariff = V.tariff() })
      assert.are.equal("succeeded", outcome.state, outcome.text)
      assert.are.same(row[2], outcome.result)
    end)
  end

  it("wait, and goes on when it is brought back", function()
    local box <close> = V.open()
    local body = 'flow:sleep(1)\nreturn flow:meter "30010000000001":recharge { order = "A", amount = 5 }.surplus'
    local outcome, run = drive(box, body)
    assert.are.equal("waiting", outcome.state, outcome.text)
    assert.are.equal("5.00", runs.take(box.client, R.row(box, run.id), run.script):drive().result)
  end)

  for name, args in pairs { recharge = { amount = "5", order = "A" }, valve = { state = "close" },
                            close_account = { order = "A" }, price_change = { order = "A", clearMark = 0,
                                                                              tariff = V.tariff() } } do
    it("what the shipped " .. name .. " does", function()
      local box <close> = V.open()
      local made = assert(script.read(helper.root .. "/scripts/" .. name .. ".lua"))
      script.run(made, {}, { restricted = true })
      args.deviceNo = R.MONEY
      local outcome = runs.begin(box.client, made, made.workflow:read_args(args)):drive()
      assert.are.equal("succeeded", outcome.state, outcome.text)
    end)
  end

  it("check its arguments, and sees nothing of ours in it", function()
    local seen = {}
    local made = read([[
      local host = ...
      return require "xfiot".workflow { name = "w", args = { n = "integer" }, run = function() end,
        check = function(flow, args)
          host.seen(flow, flow:meter "30010000000001", args)
          flow:meter "30010000000001":recharge { order = "A", amount = "1.234" }
          if args.n == 2 then flow:step("s", print) end
          if args.n == 3 then return flow.seen, flow.args.n end
        end }]], { seen = function(...) seen = { ... } end })
    for n, words in pairs { "amount must be a positive amount", "there is no flow:step", "attempt to index" } do
      local err = V.failure(made.workflow.read_args, made.workflow, { n = n })
      assert.truthy(err.message_en:find(words, 1, true), err.message_en)
      assert.truthy(is_fenced(seen[1]) and is_fenced(seen[2]))
    end
  end)

  it("stop where it was put away, though it catches everything", function()
    local box <close> = V.open()
    local outcome = drive(box, [[
      pcall(coroutine.wrap(function() pcall(flow.sleep, flow, 5) host.after = pcall(flow.step, flow, "s", print) end))
      return 1]], {})
    assert.are.equal("waiting", outcome.state, outcome.text)
  end)

  it("tell its own lines", function()
    local box <close> = V.open()
    for body, line in pairs { ["\nerror 'no'"] = "w.lua:5: no",
                              ["\nflow:sleep()"] = "w.lua:5: flow:sleep: seconds must",
                              ["\nflow.client:query { x = 1 }"] = "(at " } do
      local outcome = drive(box, body .. "\nreturn 1")
      assert.are.equal("failed", outcome.state)
      assert.truthy(outcome.text:find(line, 1, true), outcome.text)
      assert.truthy(outcome.text:find("w.lua:5", 1, true), outcome.text)
      assert.falsy(outcome.text:match("^[^\n]*"):find("lua/xfiot/", 1, true), outcome.text)
    end
  end)
end)
