-- The scheduler: who goes on when, whether called from a task, from the main
-- program or from a coroutine of the caller's own.
local core = require "xfiot.core"

local V = require "spec.loop_helper"

local loop, time
before_each(function()
  time = V.new()
  loop = time.loop
end)

-- Runs fn as a task to its end; what it raised is raised.
local function run_task(fn, ...)
  local task = loop.spawn(fn, ...)
  loop.join { task }
  if task.failure then error(task.failure, 0) end
end

-- The ways code can run: each calls fn and returns when it has ended.
local ways = {
  ["the main program"] = function(fn) fn() end,
  ["a task"] = run_task,
  ["a task's task"] = function(fn) run_task(run_task, fn) end,
  ["a coroutine of the caller's own"] = function(fn) coroutine.wrap(fn)() end,
  ["a task's own coroutine"] = function(fn) run_task(function() coroutine.wrap(fn)() end) end,
}

local function in_every_way(name, fn)
  for way, start in pairs(ways) do
    it(("%s (from %s)"):format(name, way), function()
      local ended
      start(function()
        fn()
        ended = true
      end)
      assert.is_true(ended)
    end)
  end
end

describe("timers", function()
  in_every_way("fire in the order of their times, then of their making", function()
    local order, start = {}, time.now
    local function note(name) return function() order[#order + 1] = name .. time.now - start end end
    loop.after(4, note "d")
    loop.after(0, note "a")
    loop.after(2, note "c")
    loop.after(0, note "b")
    loop.after(-1, note "z")
    loop.sleep(6)
    assert.equal("z0 a0 b0 c2 d4", table.concat(order, " "))
  end)

  it("in hundreds keep their order", function()
    local order, expected = {}, {}
    for i = 1, 500 do
      local slot = i * 7919 % 500 -- every number once
      loop.after(slot // 2, function() order[#order + 1] = slot end)
      expected[i] = { slot = slot, seq = i }
    end
    table.sort(expected, function(a, b)
      if a.slot // 2 ~= b.slot // 2 then return a.slot < b.slot end
      return a.seq < b.seq
    end)
    for i = 1, 500 do expected[i] = expected[i].slot end
    loop.sleep(1000)
    assert.same(expected, order)
  end)

  it("that are cancelled never fire, and can be cancelled again and afterwards", function()
    local fired, timers = {}, {}
    -- each beside one that fires
    for i = 1, 9 do timers[i] = loop.after(i // 2, function() fired[#fired + 1] = i end) end
    for i = 1, 9, 2 do loop.cancel(timers[i]) end
    loop.cancel(timers[1])
    loop.sleep(20)
    for i = 1, 9 do loop.cancel(timers[i]) end
    loop.sleep(20)
    assert.same({ 2, 4, 6, 8 }, fired)
  end)

  it("may make timers and cancel them", function()
    local left, over = 50, false
    local function again()
      left = left - 1
      loop.cancel(loop.after(1, error))
      if left == 0 then over = true else loop.after(1, again) end
    end
    loop.after(0, again)
    loop.run(function() return over end)
    assert.equal(0, left)
    assert.equal(49, time.now)
  end)

  it("that raise end the turn, not the loop", function()
    loop.after(1, function() error("mine", 0) end)
    assert.has_error(function() loop.sleep(2) end, "mine")
    loop.sleep(1)
  end)
end)

describe("sleep", function()
  in_every_way("ends", function() loop.sleep(0) end)

  it("lets others go on, the shortest first", function()
    local order, tasks = {}, {}
    for i, seconds in ipairs { 6, 2, 4, 0 } do
      tasks[i] = loop.spawn(function()
        order[#order + 1] = "start" .. i
        loop.sleep(seconds)
        order[#order + 1] = "end" .. i
      end)
    end
    loop.join(tasks)
    assert.same({ "start1", "start2", "start3", "start4", "end4", "end2", "end3", "end1" }, order)
  end)

  it("of hundreds takes turns", function()
    local tasks, turns = {}, {}
    for i = 1, 300 do
      tasks[i] = loop.spawn(function()
        for round = 1, 3 do
          turns[#turns + 1] = round
          loop.sleep(0)
        end
      end)
    end
    loop.join(tasks)
    local sorted = { table.unpack(turns) }
    table.sort(sorted)
    assert.same(sorted, turns)
    assert.equal(900, #turns)
  end)
end)

describe("tasks", function()
  it("run when the loop turns, with all their arguments", function()
    local got
    local task = loop.spawn(function(...) got = table.pack(...) end, nil, 1, nil)
    assert.is_nil(got)
    assert.is_falsy(task.done)
    loop.join { task }
    assert.same({ nil, 1, nil, n = 3 }, got)
    assert.is_true(task.done)
    assert.is_nil(task.failure)
  end)

  it("know that they are tasks", function()
    assert.is_false(loop.in_task())
    run_task(function()
      assert.is_true(loop.in_task())
      coroutine.wrap(function() assert.is_false(loop.in_task()) end)()
      loop.sleep(0)
      assert.is_true(loop.in_task())
    end)
    coroutine.wrap(function() assert.is_false(loop.in_task()) end)()
  end)

  it("that raise stop nobody else, and their error is kept", function()
    local err = setmetatable({}, { __tostring = function() return "mine" end })
    local tasks = {
      loop.spawn(function() error(err) end),
      loop.spawn(function() loop.sleep(0) error("late", 0) end),
      loop.spawn(function() loop.sleep(1) end),
      loop.spawn(error),
    }
    loop.join(tasks)
    for _, task in ipairs(tasks) do assert.is_true(task.done) end
    assert.equal(err, tasks[1].failure)
    assert.equal("late", tasks[2].failure)
    assert.is_nil(tasks[3].failure)
  end)

  it("may spawn tasks and join them, level by level", function()
    local count = 0
    local function grow(depth)
      count = count + 1
      if depth == 0 then return end
      loop.join { loop.spawn(grow, depth - 1), loop.spawn(grow, depth - 1) }
    end
    run_task(grow, 6)
    assert.equal(127, count)
  end)

  it("are forgotten when they have ended", function()
    local watch = setmetatable({}, { __mode = "k" })
    for _ = 1, 10 do
      local task = loop.spawn(loop.sleep, 0)
      watch[task.co] = true
      loop.join { task }
    end
    loop.sleep(0)
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(watch))
  end)
end)

describe("join", function()
  in_every_way("waits for all, whichever ends first", function()
    local ended = 0
    local function task(seconds)
      return loop.spawn(function()
        loop.sleep(seconds)
        ended = ended + 1
      end)
    end
    loop.join { task(3), task(0), task(1) }
    assert.equal(3, ended)
  end)

  in_every_way("of nothing, and of what has ended, returns", function()
    local task = loop.spawn(function() end)
    loop.join {}
    loop.join { task, task }
    loop.join { task }
  end)

  it("of one task by two wakes both", function()
    local slow, woken = loop.spawn(loop.sleep, 1), 0
    for _ = 1, 2 do
      loop.spawn(function()
        loop.join { slow }
        woken = woken + 1
      end)
    end
    loop.sleep(10)
    assert.equal(2, woken)
  end)
end)

describe("wait", function()
  in_every_way("ends when a timer notifies", function()
    local event = {}
    loop.after(1, function() loop.notify(event) end)
    assert.is_true(loop.wait(event, 60))
    assert.is_true(loop.wait(event, 60)) -- and ever after
  end)

  for way, start in pairs(ways) do
    -- in a task's own coroutine other tasks stand still, see loop.run
    if way ~= "a task's own coroutine" then
      it(("ends when another task notifies (from %s)"):format(way), function()
        local event, notified = {}, nil
        loop.spawn(function()
          loop.sleep(1)
          loop.notify(event)
        end)
        start(function() notified = loop.wait(event, 60) end)
        assert.is_true(notified)
        assert.is_true(time.now < 60)
      end)
    end
  end

  in_every_way("without a time of its own ends when it is notified", function()
    local event, start = {}, time.now
    loop.after(1000, function() loop.notify(event) end)
    assert.is_true(loop.wait(event))
    assert.equal(1000, time.now - start)
  end)

  in_every_way("that is over does not end a later one", function()
    for _ = 1, 3 do
      local event = {}
      loop.after(1, function() loop.notify(event) end)
      loop.wait(event, 50)
    end
    local start = time.now
    loop.sleep(100)
    assert.equal(100, time.now - start)
  end)

  in_every_way("ends when the time is up", function()
    local event = {}
    assert.is_false(loop.wait(event, 0))
    assert.is_false(loop.wait(event, 1))
    loop.notify(event)
    assert.is_true(loop.wait(event, 0))
  end)

  it("wakes once, though the time is up in the same turn", function()
    local event, woken = {}, {}
    local task = loop.spawn(function()
      loop.after(1, function() loop.notify(event) end)
      woken[1] = loop.wait(event, 1)
      loop.sleep(1)
      woken[2] = time.now
    end)
    loop.join { task }
    assert.same({ true, 2 }, woken)
  end)

  it("lets others go on", function()
    local event, order = {}, {}
    local waiter = loop.spawn(function()
      loop.wait(event, 60)
      order[#order + 1] = "woken"
    end)
    local other = loop.spawn(function()
      for i = 1, 3 do
        order[#order + 1] = i
        loop.sleep(0)
      end
      loop.notify(event)
    end)
    loop.join { waiter, other }
    assert.same({ 1, 2, 3, "woken" }, order)
  end)
end)

describe("hooks", function()
  it("run every turn until they are taken off, even by themselves", function()
    local runs, kept = 0, 0
    local hook
    hook = loop.on_turn(function()
      runs = runs + 1
      if runs == 2 then loop.off_turn(hook) end
    end)
    local other = loop.on_turn(function() kept = kept + 1 end)
    loop.run(function() return kept >= 4 end, true)
    loop.off_turn(other)
    local before = kept
    loop.sleep(0)
    assert.equal(2, runs)
    assert.equal(before, kept)
  end)
end)

describe("fetch", function()
  before_each(function() loop = require "xfiot.loop" end)

  local reply = '{"a":1}'

  in_every_way("waits for its reply", function()
    local peer <close> = require "luapeer".start("json", reply)
    local transport = core.transport { base_url = peer:url() }
    local got = loop.fetch(transport, { target = "/x?y=1" })
    assert.same({ 0, 200, reply, "application/json", true },
      { got.curl, got.status, got.body, got.type, got.released })
    assert.matches("^GET /x%?y=1 HTTP/1.1\r\n", peer:request(1))
  end)

  it("of many at once answers each", function()
    local peer <close> = require "luapeer".start("json", reply)
    local transport, tasks, good = core.transport { base_url = peer:url() }, {}, 0
    for i = 1, 100 do
      tasks[i] = loop.spawn(function()
        if loop.fetch(transport, { target = "/" .. i }).body == reply then good = good + 1 end
      end)
    end
    loop.join(tasks)
    assert.equal(100, good)
    assert.equal(100, peer:requests())
    assert.equal(0, core.open_calls())
  end)

  it("answers a call that ended while nobody waited for it", function()
    local peer <close> = require "luapeer".start("json", reply)
    local transport = core.transport { base_url = peer:url() }
    local call = core.fetch(transport, { target = "/" })
    loop.run(function() return core.open_calls() == 0 end)
    loop.await(call)
    assert.equal(reply, core.fetched(call).body)
  end)

  it("raises on a request that can be none", function()
    local transport = core.transport { base_url = "http://127.0.0.1:1" }
    for _, request in ipairs { { target = "x" }, { target = "/ " }, { target = "/", method = "DELETE" },
                               { target = "/", body = "x" }, { target = "/", headers = { "a\r\nb: c" } } } do
      assert.has_error(function() loop.fetch(transport, request) end)
    end
    assert.equal(0, core.open_calls())
  end)
end)
