-- The desk: who is taken next. Ids are given in the order of arrival.
local desk = require "xfiot.worker.desk"

local function entry(id, devices, more)
  local e = { id = id, devices = {}, next_at = 0 }
  for device in devices:gmatch "%S+" do table.insert(e.devices, device) end
  for name, value in pairs(more or {}) do e[name] = value end
  return e
end

-- Takes all that can be taken; their ids.
local function take_all(d, now)
  local ids, taken = {}, {}
  for e in function() return d:take(now or 0) end do
    ids[#ids + 1] = e.id
    taken[e.id] = e
  end
  return ids, taken
end

describe("the desk", function()
  -- how many at once, pushes, taken at once
  local rows = {
    { "gives the oldest first", 8, { { 1, "a" }, { 2, "b" }, { 3, "c" } }, { 1, 2, 3 } },
    { "gives no more than may run at once", 2, { { 1, "a" }, { 2, "b" }, { 3, "c" } }, { 1, 2 } },
    { "keeps a device's order", 8, { { 1, "a" }, { 2, "a" }, { 3, "b" } }, { 1, 3 } },
    { "keeps the order of all devices of a push", 8, { { 1, "a" }, { 2, "a b" }, { 3, "b" } }, { 1 } },
    { "does not hold up what names no device", 8, { { 1, "a" }, { 2, "" }, { 3, "a" } }, { 1, 2 } },
    { "sorts what came out of order", 8, { { 3, "a" }, { 1, "a" }, { 2, "b" } }, { 1, 2 } },
    { "waits for a time", 8, { { 1, "a", { next_at = 5 } }, { 2, "b" } }, { 2 } },
    { "lets what waits hold up its own device", 8, { { 1, "a", { next_at = 5 } }, { 2, "a" }, { 3, "b" } }, { 3 } },
    { "lets what has ended the process run alone", 8, { { 1, "a" }, { 2, "b", { alone = true } }, { 3, "c" } }, { 2 } },
    { "lets it wait for its device", 8, { { 1, "a" }, { 2, "a", { alone = true } }, { 3, "c" } }, { 1, 3 } },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local d = desk.new(row[2])
      for _, push in ipairs(row[3]) do d:add(entry(table.unpack(push))) end
      assert.same(row[4], (take_all(d)))
      assert.equal(#row[4], d.running)
    end)
  end

  it("goes on with the next of a device when the first has gone", function()
    local d = desk.new(8)
    for id = 1, 3 do d:add(entry(id, "a")) end
    for id = 1, 3 do
      local ids, taken = take_all(d)
      assert.same({ id }, ids)
      d:drop(taken[id])
      assert.is_false(d:holds(id))
    end
    assert.same({ 0, 0 }, { d.running, d.count })
    assert.same({}, d.lanes)
  end)

  it("keeps the place of what is put back", function()
    local d = desk.new(8)
    d:add(entry(1, "a"))
    d:add(entry(2, "a"))
    d:put_back(d:take(0), 10)
    assert.equal(10, d:next_at())
    assert.same({}, (take_all(d, 9)))
    local ids, taken = take_all(d, 10)
    assert.same({ 1 }, ids)
    d:drop(taken[1])
    assert.same({ 2 }, (take_all(d, 10)))
  end)

  it("lets a replayed push of old before the others of its device", function()
    local d = desk.new(1)
    for id = 5, 7 do d:add(entry(id, "a")) end
    local running = d:take(0)
    d:add(entry(2, "a"))
    d:drop(running)
    assert.equal(2, d:take(0).id)
  end)

  it("takes a push once", function()
    local d = desk.new(8)
    assert.is_true(d:add(entry(1, "a")))
    assert.is_false(d:add(entry(1, "a")))
    d:take(0)
    assert.is_false(d:add(entry(1, "a")))
    assert.is_nil(d:take(0))
  end)

  it("stops nothing for ever: whatever is added, dropped and put back, all are done in order", function()
    local state = 42
    local function random(n)
      state = (state * 1103515245 + 12345) % 2147483648
      return state // 65536 % n + 1
    end
    local d, done, taken, added, now = desk.new(4), {}, {}, 0, 0
    while #done < 500 do
      now = now + 1
      if added < 500 then
        added = added + 1
        d:add(entry(added, ("%d %d"):format(random(5), random(5) + 5), { next_at = now, alone = random(20) == 1 }))
      end
      for e in function() return d:take(now) end do taken[#taken + 1] = e end
      if #taken > 0 and random(2) == 1 then
        local e = table.remove(taken, random(#taken))
        if random(3) == 1 then
          d:put_back(e, now + random(10))
        else
          d:drop(e)
          done[#done + 1] = e
        end
      end
      assert.is_true(now < 100000, "it has stopped")
    end
    local last = {}
    for _, e in ipairs(done) do
      for _, device in ipairs(e.devices) do
        assert.is_true(e.id > (last[device] or 0), "out of order")
        last[device] = e.id
      end
    end
  end)
end)
