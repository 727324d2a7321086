-- Asking for the outcome of commands: together, ten to a call, ever more slowly, and
-- no longer than anybody waits.
local V = require "spec.loop_helper"

local errors = require "xfiot.errors"

local function id_of(i) return ("%032d"):format(i) end

-- A watcher on a client that answers from a table of items by command id. The list
-- `asked` has the time and the ids of every call.
local function open(items)
  local time = V.new()
  local box = { time = time, loop = time.loop, items = items or {}, asked = {} }
  local client = {}
  function client.batchQueryCmd(_, args)
    box.asked[#box.asked + 1] = { at = time.now, ids = args.commandIds }
    if box.answer then return box.answer(args.commandIds) end
    local list = {}
    for _, id in ipairs(args.commandIds) do list[#list + 1] = box.items[id] end
    return list
  end
  box.watcher = time.load "xfiot.outcomes".new(client)
  return box
end

local function item(i, state, detail)
  return { commandId = id_of(i), commandState = state, commandUpdateTime = "20240131235959",
      resultDetail = detail }
end

-- Waits for all at once; outcomes by number.
local function wait_all(box, numbers, seconds)
  local outcomes, tasks = {}, {}
  for _, i in ipairs(numbers) do
    tasks[#tasks + 1] = box.loop.spawn(function() outcomes[i] = box.watcher:wait(id_of(i), seconds)
        or "none" end)
  end
  box.loop.join(tasks)
  for _, task in ipairs(tasks) do assert.is_nil(task.failure) end
  return outcomes
end

local function range(first, last)
  local list = {}
  for i = first, last do list[#list + 1] = i end
  return list
end

local DONE = { commandResult = 0 }

describe("the outcome of a command", function()
  local rows = {
    { 1, DONE, "succeeded" }, { 1, { commandResult = 1 }, "succeeded" }, { 2, nil, "failed" },
        { 2, DONE, "failed" },
    { 3, nil, "expired" }, { 5, nil, "cancelled" },
  }
  for _, row in ipairs(rows) do
    it(("with state %d is %s"):format(row[1], row[3]), function()
      local box = open { [id_of(7)] = item(7, row[1], row[2]) }
      assert.same({ state = row[3], result = row[2] }, box.watcher:wait(id_of(7), 60))
      assert.equal(1, #box.asked)
      assert.same({ id_of(7) }, box.asked[1].ids)
    end)
  end

  local open_states = {
    { "waiting to be sent", item(7, 0) }, { "being sent", item(7, 4) }, { "an unknown state", item(7, 9) },
    { "success without its result (C21)", item(7, 1) }, { "a result that is no table", item(7, 1, "x") },
    { "not in the list (A8)", nil }, { "another command", item(8, 1, DONE) },
  }
  for _, row in ipairs(open_states) do
    it(row[1] .. " is none: it is asked for again", function()
      local box = open()
      box.answer = function() return { row[2] } end
      box.loop.after(30, function()
        box.answer = nil
        box.items[id_of(7)] = item(7, 1, DONE)
      end)
      assert.same({ state = "succeeded", result = DONE }, box.watcher:wait(id_of(7), 600))
      assert.is_true(#box.asked > 1)
      assert.is_true(box.time.now >= 30 and box.time.now < 600)
    end)
  end

  it("is nil when the time is up, and then nobody asks any more", function()
    local box = open()
    assert.is_nil(box.watcher:wait(id_of(1), 100))
    local asked = #box.asked
    assert.is_true(asked > 0)
    assert.equal(100, box.time.now)
    box.loop.sleep(10000)
    assert.equal(asked, #box.asked)
  end)

  it("of a command that was given up can be waited for again", function()
    local box = open()
    assert.is_nil(box.watcher:wait(id_of(1), 5))
    box.items[id_of(1)] = item(1, 3)
    assert.equal("expired", box.watcher:wait(id_of(1), 100).state)
  end)

  it("is the same for two who wait for it", function()
    local box = open()
    box.loop.after(50, function() box.items[id_of(1)] = item(1, 1, DONE) end)
    local outcomes, tasks = {}, {}
    for i = 1, 2 do
      tasks[i] = box.loop.spawn(function() outcomes[i] = box.watcher:wait(id_of(1), 600) or "none" end)
    end
    box.loop.join(tasks)
    local expected = { state = "succeeded", result = DONE }
    assert.same({ expected, expected }, outcomes)
  end)

  it("comes to one whose fellow has given up", function()
    local box = open()
    box.loop.after(50, function() box.items[id_of(1)] = item(1, 1, DONE) end)
    local patient
    local task = box.loop.spawn(function() patient = box.watcher:wait(id_of(1), 600) end)
    box.loop.sleep(1)
    assert.is_nil(box.watcher:wait(id_of(1), 5))
    box.loop.join { task }
    assert.same({ state = "succeeded", result = DONE }, patient)
  end)

  it("comes to a coroutine of the caller's own, in a task too", function()
    local box = open { [id_of(1)] = item(1, 1, DONE) }
    local got
    local task = box.loop.spawn(function()
      got = coroutine.wrap(function() return box.watcher:wait(id_of(1), 60) end)()
    end)
    box.loop.join { task }
    assert.same({ state = "succeeded", result = DONE }, got)
  end)
end)

describe("asking", function()
  it("begins soon and grows slower up to once a minute", function()
    local box = open()
    box.watcher:wait(id_of(1), 3600)
    local pause, last = 0, 0
    assert.is_true(box.asked[1].at <= 1)
    for i, call in ipairs(box.asked) do
      local gap = call.at - last
      assert.is_true(gap + 1e-6 >= pause, ("call %d came after %g s, the one before after %g s"):format(i,
          gap, pause))
      assert.is_true(gap <= 60 + 1e-6)
      pause, last = gap, call.at
    end
    assert.is_true(math.abs(pause - 60) < 1e-6)
  end)

  it("is for ten at most, for all of them, each once a round", function()
    for _, count in ipairs { 1, 9, 10, 11, 25, 100 } do
      local box = open()
      for i = 1, count do box.items[id_of(i)] = item(i, 3) end
      local outcomes = wait_all(box, range(1, count), 60)
      local seen, total = {}, 0
      for _, call in ipairs(box.asked) do
        assert.is_true(#call.ids >= 1 and #call.ids <= 10)
        for _, id in ipairs(call.ids) do
          assert.is_nil(seen[id])
          seen[id] = true
          total = total + 1
        end
      end
      assert.equal(count, total)
      assert.equal(math.ceil(count / 10), #box.asked)
      for i = 1, count do assert.equal("expired", outcomes[i].state) end
    end
  end)

  it("starves nobody", function()
    local box = open()
    for i = 21, 40 do box.items[id_of(i)] = item(i, 2) end
    local outcomes = wait_all(box, range(1, 40), 300)
    for i = 1, 40 do assert.same(i > 20 and { state = "failed" } or "none", outcomes[i]) end
  end)

  it("begins anew for a command that comes later", function()
    local box = open { [id_of(2)] = item(2, 3) }
    local first
    local task = box.loop.spawn(function() first = box.watcher:wait(id_of(1), 3600) end)
    box.loop.sleep(2000)
    local before = box.time.now
    assert.equal("expired", box.watcher:wait(id_of(2), 3600).state)
    assert.is_true(box.time.now - before <= 60) -- no later than the longest pause
    box.loop.join { task }
    assert.is_nil(first)
  end)

  it("stops when nothing is waited for, and starts again", function()
    local box = open { [id_of(1)] = item(1, 3), [id_of(2)] = item(2, 3) }
    assert.equal("expired", box.watcher:wait(id_of(1), 60).state)
    box.loop.sleep(1000)
    assert.equal(1, #box.asked)
    assert.equal("expired", box.watcher:wait(id_of(2), 60).state)
    assert.equal(2, #box.asked)
  end)
end)

describe("a question without an answer", function()
  local function fails(kind, code)
    return errors.new { kind = kind, code = code, operation = "batchQueryCmd", message = "x" }
  end

  for _, err in ipairs { fails "transport", fails "timeout", fails("platform", "500047"),
                         fails("platform", "599999") } do
    it(("is asked again (%s %s)"):format(err.kind, err.code), function()
      local box = open { [id_of(1)] = item(1, 1, DONE) }
      box.answer = function() return nil, err end
      box.loop.after(100, function() box.answer = nil end)
      assert.equal("succeeded", box.watcher:wait(id_of(1), 600).state)
      assert.is_true(#box.asked > 1)
    end)
  end

  for _, code in ipairs { "500002", "500003", "101001", "500048" } do
    it("ends the waiting where asking again is of no use (" .. code .. ")", function()
      local box, err = open(), fails("platform", code)
      box.answer = function() return nil, err end
      local outcomes = wait_all(box, { 1, 2 }, 600)
      assert.same({ err, err }, { outcomes[1].error, outcomes[2].error })
      assert.is_true(box.time.now < 600)
    end)
  end

  it("that raises ends nobody else's waiting", function()
    local box = open { [id_of(2)] = item(2, 1, DONE) }
    box.answer = function() error(fails "invalid") end
    box.watcher:wait(id_of(1), 100)
    box.answer = nil
    local outcome = box.watcher:wait(id_of(2), 600)
    assert.equal("succeeded", outcome and outcome.state)
  end)
end)
