-- Pushes in the journal as Lua sees them. What they mean is tested in spec/c/test_journal_push.c.
local core = require "xfiot.core"

local ID = "2026010112000080000001"

describe("pushes in the journal", function()
  local journal, path

  before_each(function()
    path = os.tmpname()
    os.remove(path)
    journal = assert(core.journal(path))
  end)
  after_each(function()
    journal:close()
    for _, tail in ipairs { "", "-wal", "-shm", "-mark" } do os.remove(path .. tail) end
  end)

  local function admit(members)
    local arrival = { kind = "report", trans_id = ID, body = "[]", headers = "", at = 1000 }
    for name, value in pairs(members or {}) do arrival[name] = value end
    return journal:push_admit(arrival)
  end

  it("admits them, with what became of them", function()
    local outcome, id = admit()
    assert.same({ "new", 1 }, { outcome, id })
    assert.same({ "repeated", 1 }, { admit() })
    assert.same({ "quarantined", 2 }, { admit { body = "[1]" } })
    local push = assert(journal:push_find(2))
    assert.same({ id = 2, kind = "report", state = "quarantined", reason = "conflict", trans_id = ID, size = 3,
                  body = "[1]", headers = "", received_at = 1000, next_at = 1000, attempts = 0 }, push)
  end)

  it("keeps a body's bytes", function()
    local body = "[\0\xff]"
    local _, id = admit { body = body }
    assert.equal(body, journal:push_find(id).body)
  end)

  it("tells what there is to do, and takes how it ended", function()
    local _, id = admit()
    assert.same({ waiting = 1, oldest = 1000, next = 1000 }, journal:push_counts())
    assert.same({}, journal:push_due(999))
    assert.equal(id, journal:push_due(1000)[1].id)
    assert.is_true(journal:push_begin(id, 1030))
    assert.is_true(journal:push_finish { id = id, to = "new", at = 1001, next_at = 1002, traceback = "why" })
    assert.is_true(journal:push_finish { id = id, to = "done", at = 1003, device_ids = '["d"]' })
    assert.is_false(journal:push_begin(id, 1))
    local rows = journal:push_list { device_id = "d", states = { "done" } }
    assert.same({ { id = id, kind = "report", state = "done", trans_id = ID, size = 2, device_ids = '["d"]',
                    received_at = 1000, attempts = 1, done_at = 1003 } }, rows)
    assert.same({ waiting = 0 }, journal:push_counts())
  end)

  it("tells what there is to do page by page", function()
    for i = 1, 5 do admit { trans_id = ID .. i, at = 1000 + i // 3 } end
    local ids, last = {}, { next_at = 0, id = 0 }
    repeat
      local page = journal:push_due(2000, 2, last.next_at, last.id)
      for _, push in ipairs(page) do ids[#ids + 1] = push.id end
      last = page[#page] or last
    until #page == 0
    assert.same({ 1, 2, 3, 4, 5 }, ids)
  end)

  it("remembers who replayed and discarded", function()
    local _, id = admit { reason = "stale" }
    assert.is_true(journal:push_replay(id, "wang", 2000))
    assert.is_true(journal:push_discard(id, nil, 2001))
    assert.is_false(journal:push_discard(id, nil, 2002))
    assert.is_false(journal:push_replay(99, nil, 2002))
    assert.same({ { what = "replayed", by = "wang", from = "quarantined", reason = "stale", at = 2000 },
                  { what = "discarded", by = "xfiot", from = "new", at = 2001 } }, journal:push_history(id))
  end)

  it("raises for a caller's mistake", function()
    for _, call in ipairs {
      function() journal:push_admit { kind = "other", trans_id = ID, body = "" } end,
      function() journal:push_admit { kind = "report", body = "" } end,
      function() journal:push_list { states = { "lost" } } end,
      function() journal:push_finish { id = 1, to = "lost" } end,
      function() journal:push_find() end,
    } do
      assert.has_error(call)
    end
  end)
end)
