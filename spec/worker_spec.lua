-- The worker: which handler gets what, in which order, and what becomes of a push
-- whose handler fails, hangs or asks for too much.
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"

local RECORD = [[
  local function note(name)
    return function(message, context)
      table.insert(seen, { name = name, message = message, context = context, key = context.key })
    end
  end
  return { report = note "report", alarm = note "alarm", response = note "response", quarantine = note "quarantine" }
]]

local function names(box)
  local list = {}
  for i, call in ipairs(box.seen) do list[i] = call.name end
  return list
end

local function mixed(device)
  local message = W.alarm(device)
  message.callbackData.data[2] = { serviceId = "SignalInfo", serviceData = { signalCSQ = "20" } }
  return message
end

describe("a push is handed to", function()
  -- messages, kind, handlers called, state, reason
  local rows = {
    { "report", { W.report "a" }, "report", { "report" }, "done" },
    { "alarm", { W.alarm "a" }, "report", { "alarm" }, "done" },
    { "both for a message that holds both", { mixed "a" }, "report", { "alarm", "report" }, "done" },
    { "response", { W.response "a" }, "response", { "response" }, "done" },
    { "response, whatever path it came on", { W.response "a" }, "report", { "response" }, "done" },
    { "each for its own message", { W.report "a", W.alarm "b", W.response "a" }, "report",
      { "report", "alarm", "response" }, "done" },
    { "nobody when it is empty", {}, "report", {}, "done" },
    { "quarantine when it is no list", "{}", "report", { "quarantine" }, "quarantined", "not_a_list: " },
    { "quarantine when a message is not as documented", { { deviceId = 5 } }, "report", { "quarantine" },
      "quarantined", "not_as_documented: " },
    { "its handlers first, then quarantine, when one of its messages is bad", { W.report "a", {} }, "report",
      { "report", "quarantine" }, "quarantined", "not_as_documented: message 2: " },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local box <close> = W.open { handlers = RECORD }
      local id = box:push(row[2], { kind = row[3] })
      box:settle()
      assert.same(row[4], names(box))
      local push = box:find(id)
      assert.same({ row[5], nil }, { push.state, push.next_at })
      assert.equal(row[6], push.reason and push.reason:sub(1, #row[6]))
    end)
  end

  it("quarantine, once, when the receiver has put it there", function()
    local box <close> = W.open { handlers = RECORD }
    local id = box:push({ W.report "a" }, { reason = "stale" })
    box:settle()
    box:settle()
    assert.same({ "quarantine" }, names(box))
    local message = box.seen[1].message
    assert.same({ "stale", id, 1 }, { message.reason, message.id, #message.messages })
    assert.same({ "quarantined", "stale" }, { box:find(id).state, box:find(id).reason })
  end)

  it("nobody where there is no handler, and is done", function()
    local box <close> = W.open { handlers = "return {}" }
    local ids = { box:push { W.report "a" }, box:push({ W.response "a" }, { kind = "response" }) }
    box:settle()
    for _, id in ipairs(ids) do assert.equal("done", box:find(id).state) end
  end)
end)

describe("a handler", function()
  it("gets the typed message, services by name, and a context", function()
    local box <close> = W.open { handlers = RECORD }
    local id = box:push({ W.report("a", { surprise = 1 }) }, { trans_id = "2026010100000081234567" })
    box:settle()
    local call = box.seen[1]
    assert.equal("20", call.message.services.SignalInfo.signalCSQ)
    assert.same({ id = id, kind = "report", trans_id = "2026010100000081234567",
                  received_at = box:find(id).received_at }, call.context.push)
    assert.same({ ("%d.1.report"):format(id), 1, 1 }, { call.key, call.context.attempt, call.context.index })
    assert.same({ "surprise is not in the document" }, call.context.notes)
    assert.equal(box.client, call.context.client)
    assert.equal("30010000000001", call.context:meter("30010000000001").device_no)
    assert.equal("surprise is not in the document", box:find(id).note)
  end)

  it("may wait, and others go on meanwhile", function()
    local box <close> = W.open { handlers = [[
      return { report = function(message, context)
        table.insert(seen, "begin")
        context:sleep(0.05)
        table.insert(seen, "end")
      end }
    ]] }
    for _, device in ipairs { "a", "b", "c" } do box:push { W.report(device) } end
    box:settle()
    assert.same({ "begin", "begin", "begin", "end", "end", "end" }, box.seen)
  end)

  it("that raises is called again with the same key, and its device waits while others go on", function()
    local box <close> = W.open { handlers = [[
      local failed = false
      return { report = function(message, context)
        table.insert(seen, message.deviceId:sub(1, 1) .. context.attempt .. " " .. context.key)
        if message.deviceId:sub(1, 1) == "a" and not failed then failed = true error "not now" end
      end }
    ]] }
    local first, second, third = box:push { W.report "a" }, box:push { W.report "a" }, box:push { W.report "b" }
    box:settle()
    assert.same({ ("a1 %d.1.report"):format(first), ("b1 %d.1.report"):format(third),
                  ("a2 %d.1.report"):format(first), ("a1 %d.1.report"):format(second) }, box.seen)
    assert.same({ "done", 2 }, { box:find(first).state, box:find(first).attempts })
  end)

  it("that was called for one message is not called again for it when the next one fails", function()
    local box <close> = W.open { handlers = [[
      local failed = false
      return { report = function(_, context)
        table.insert(seen, context.index)
        if context.index == 2 and not failed then failed = true error "not now" end
      end }
    ]] }
    box:push { W.report "a", W.report "b" }
    box:settle()
    assert.same({ 1, 2, 2 }, box.seen)
  end)

  it("that fails leaves its traceback, with its own lines", function()
    local box <close> = W.open { handlers = "return { report = function(message)\n  error 'no database'\nend }" }
    local id = box:push { W.report "a" }
    box:work(function() box:await(function() return box:find(id).traceback ~= nil end) end)
    local push = box:find(id)
    assert.matches("HANDLERS.lua:3: no database$", push.reason)
    assert.matches("HANDLERS.lua:3: in ", push.traceback)
    assert.same({ "new", 1, '["' .. W.id "a" .. '"]' }, { push.state, push.attempts, push.device_ids })
    assert.is_true(push.next_at >= push.received_at + 1)
  end)

  -- A push that was tried so often already, with the trace of its last failure.
  local function tried(box, id, times, reason)
    for _ = 1, times do box.book.file:push_begin(id, core.now()) end
    box.book.file:push_finish { id = id, to = "new", at = core.now(), next_at = core.now(), reason = reason or "x",
                                traceback = "x" }
  end

  it("that fails for the eighth time parks its push as failed", function()
    local box <close> = W.open { handlers = "return { report = function() error 'never' end }" }
    local id, other = box:push { W.report "a" }, box:push { W.alarm "a" }
    tried(box, id, 7)
    box:settle()
    local push = box:find(id)
    assert.same({ "failed", 8, nil }, { push.state, push.attempts, push.next_at })
    assert.matches("never", push.traceback)
    assert.equal("done", box:find(other).state)
  end)

  it("that waits for the world is tried for longer", function()
    local box <close> = W.open { handlers = [[
      local errors = require "xfiot.errors"
      return { report = function()
        error(errors.new { kind = "transport", operation = "query", message_en = "no answer" }, 0)
      end }
    ]] }
    local id = box:push { W.report "a" }
    tried(box, id, 20, "waits: x")
    box:work(function()
      box:await(function() return box:find(id).attempts == 21 and box:find(id).traceback ~= "x" end)
    end)
    assert.same({ "new", "waits: query: transport: no answer" }, { box:find(id).state, box:find(id).reason })
  end)

  it("that has ended the process eight times is not called again", function()
    local box <close> = W.open { handlers = RECORD }
    local id = box:push { W.report "a" }
    for _ = 1, 8 do box.book.file:push_begin(id, core.now()) end
    box:settle()
    assert.same({}, box.seen)
    assert.same({ "failed", "its handler has ended the worker 8 times" }, { box:find(id).state, box:find(id).reason })
  end)

  it("that has ended the process is alone with its push the next time, and others come first", function()
    local box <close> = W.open { handlers = [[
      local running = 0
      return { report = function(message, context)
        running = running + 1
        table.insert(seen, message.deviceId:sub(1, 1) .. running)
        context:sleep(0.02)
        running = running - 1
      end }
    ]] }
    local ids = {}
    for i, device in ipairs { "a", "b", "d", "e" } do ids[i] = box:push { W.report(device) } end
    box.book.file:push_begin(ids[2], core.now())
    box:settle()
    assert.equal(#ids, #box.seen)
    assert.equal("b1", box.seen[#ids])
  end)

  it("that has ended the process comes before the later ones of its device, however many wait", function()
    local box <close> = W.open { handlers = RECORD }
    local ids = {}
    for i = 1, 600 do ids[i] = box:push({ W.report(i > 20 and "a" or "b") }, { at = core.now() - 100 }) end
    box.book.file:push_begin(ids[21], core.now() - 10)
    box:settle()
    local last, count = 0, 0
    for _, call in ipairs(box.seen) do
      if call.message.deviceId == W.id "a" then
        assert.is_true(call.context.push.id > last)
        last, count = call.context.push.id, count + 1
      end
    end
    assert.equal(580, count)
  end)

  -- what it does; the reason; its time
  local excesses = {
    { "computes without end", "while true do end", "longer than handler_timeout", 1 },
    { "waits without end", "context:sleep(3600)", "longer than handler_timeout", 1 },
    { "raises nothing", "error(nil)", "^an error without a word" },
    { "raises a table", "error {}", "^table: " },
    { "runs out of stack", "local function f() return 1 + f() end f()", "stack overflow" },
    { "raises what is no text for a journal", "error('a\\0\\xff\\nb', 0)", "^a\\0%?$" },
    { "raises what cannot be told", "error(setmetatable({}, { __tostring = function() error('x', 0) end }))", "." },
    { "raises half a character", "error(('表'):rep(100000), 0)", "^[表]+$" },
    { "yields to nobody", "coroutine.yield(1)", "longer than handler_timeout", 1 },
  }
  for _, row in ipairs(excesses) do
    it("that " .. row[1] .. " is a failed attempt, and the worker goes on", function()
      local box <close> = W.open { settings = { handler_timeout = row[4] or 60 },
        handlers = ("return { report = function(message, context) %s end, alarm = function() seen[1] = 1 end }")
          :format(row[2]) }
      local id, other = box:push { W.report "a" }, box:push { W.alarm "b" }
      box:work(function()
        box:await(function() return box:find(id).traceback ~= nil and box:find(other).state == "done" end, row[1])
      end)
      local push = box:find(id)
      assert.matches(row[3], push.reason)
      assert.equal("new", push.state)
      assert.truthy(core.measure(push.reason) and core.measure(push.traceback) and core.encode(push))
    end)
  end
end)

describe("the example of handlers", function()
  it("takes whatever is pushed", function()
    local box <close> = W.open {}
    box.path = helper.root .. "/deploy/HANDLERS.lua"
    box:push { W.report "a", W.alarm "a", W.response "a", {} }
    box:push "{}"
    box:settle()
    assert.equal(0, (box:logged "push_failed"))
    local count, last = box:logged "handler"
    assert.equal(3, count)
    assert.matches("look at push %d not_", last.text)
  end)
end)

describe("the worker", function()
  it("works on what earlier processes left, in a device's order, also what waits for its time", function()
    local box <close> = W.open { handlers = RECORD }
    local first = box:push { W.report "a" }
    box.book.file:push_begin(first, core.now() + 1)
    local second = box:push { W.report "a" }
    box:settle()
    assert.same({ ("%d.1.report"):format(first), ("%d.1.report"):format(second) },
      { box.seen[1].key, box.seen[2].key })
  end)

  it("gets through more pushes than lie on its desk", function()
    local box <close> = W.open { handlers = "return { report = function(_, c) seen[#seen + 1] = c.push.id end }" }
    box.book.file:begin()
    for i = 1, 1500 do box:push { W.report(("%x"):format(i % 16)) } end
    box.book.file:commit()
    box:settle()
    assert.equal(1500, #box.seen)
  end)

  it("notices a replayed push by itself", function()
    local box <close> = W.open { handlers = RECORD }
    local id = box:push { W.report "a" }
    box:work(function()
      box:await(function() return box:find(id).state == "done" end)
      assert(box.book.file:push_replay(id, "somebody", core.now()))
      box:await(function() return #box.seen == 2 end)
    end)
    assert.equal(box.seen[1].key, box.seen[2].key)
  end)

  it("does nothing for a push that was discarded meanwhile", function()
    local box <close> = W.open { handlers = "return { report = function() error 'x' end }" }
    local id = box:push { W.report "a" }
    box:work(function()
      box:await(function() return box:find(id).attempts == 1 end)
      assert(box.book.file:push_discard(id, "somebody", core.now()))
      box:await(function() return box:find(id).state == "done" end)
    end)
    assert.same({ "done", 1 }, { box:find(id).state, box:find(id).attempts })
  end)

  it("finishes what runs when it is to stop, and begins nothing more", function()
    local box <close> = W.open { handlers = [[
      return { report = function(_, context) table.insert(seen, context.push.id) context:sleep(0.05) end }
    ]] }
    local first, second = box:push { W.report "a" }, box:push { W.report "a" }
    box:work(function() box:await(function() return #box.seen == 1 end) end)
    assert.same({ "done", "new" }, { box:find(first).state, box:find(second).state })
  end)

  it("takes a new handlers file, and keeps the old one when that is bad", function()
    local box <close> = W.open { handlers = "return { report = function() table.insert(seen, 1) end }" }
    box:work(function(w)
      box:push { W.report "a" }
      box:await(function() return #box.seen == 1 end)
      helper.write(box.path, "return 5")
      w:reload()
      assert.equal(1, (box:logged "handlers_refused"))
      box:push { W.report "a" }
      w:wake()
      box:await(function() return #box.seen == 2 end)
      helper.write(box.path, "return { report = function() table.insert(package.loaded['spec.worker_seen'], 3) end }")
      w:reload()
      box:push { W.report "a" }
      w:wake()
      box:await(function() return #box.seen == 3 end)
    end)
    assert.same({ 1, 1, 3 }, box.seen)
  end)

  it("lets pushes wait while it has no handlers at all", function()
    local box <close> = W.open { handlers = "return 5" }
    local id = box:push { W.report "a" }
    box:work(function(w)
      box:await(function() return (box:logged "handlers_refused") == 1 end)
      require("xfiot.loop").sleep(0.05)
      assert.same({ "new", 0 }, { box:find(id).state, box:find(id).attempts })
      helper.write(box.path, RECORD:gsub("^", "local seen = package.loaded['spec.worker_seen'] "))
      w:reload()
      box:await(function() return box:find(id).state == "done" end)
    end)
    assert.equal(1, #box.seen)
  end)

  it("stands by while another has the journal, and goes on when that is gone", function()
    local box <close> = W.open { handlers = RECORD }
    local lock = assert(core.lock(box.platform.journal .. "-worker"))
    local id = box:push { W.report "a" }
    box:work(function()
      box:await(function() return (box:logged "standing_by") == 1 end)
      require("xfiot.loop").sleep(0.05)
      assert.same({ "new", 0 }, { box:find(id).state, box:find(id).attempts })
      lock:close()
      box:await(function() return box:find(id).state == "done" end)
    end)
    assert.equal(1, #box.seen)
    local again = core.lock(box.platform.journal .. "-worker")
    assert.truthy(again, "the lock is given back")
    again:close()
  end)

  it("stops while it stands by", function()
    local box <close> = W.open { handlers = RECORD }
    local lock <close> = assert(core.lock(box.platform.journal .. "-worker")) -- luacheck: ignore 211
    box:push { W.report "a" }
    box:work(function() box:await(function() return (box:logged "standing_by") == 1 end) end)
    assert.same({}, box.seen)
  end)

  it("remembers the newest report and alarm of a device", function()
    local box <close> = W.open { handlers = "return {}" }
    box:push { W.report("a", { receiveTime = "20260101000001" }), W.report("a", { receiveTime = "20260101000003" }) }
    box:push { W.report("a", { receiveTime = "20260101000002" }), W.alarm "a" }
    box:settle()
    local known = box.book:read("sighting", W.id "a")
    assert.same({ "20260101000003", "20260101000000" }, { known.report_time, known.alarm_time })
    assert.equal("20", core.decode(known.report).callbackData.data[1].serviceData.signalCSQ)
    assert.is_nil(core.decode(known.report).services)
  end)
end)
