-- How many orders the journal holds, by state: what is counted once and what is
-- looked at again, over orders that end in every way.
local census = require "xfiot.worker.census"
local core = require "xfiot.core"

local STRETCH = 4

describe("a census of orders", function()
  local journal, path, reads

  before_each(function()
    path = os.tmpname()
    os.remove(path)
    journal = assert(core.journal(path))
    reads = {}
  end)
  after_each(function()
    journal:close()
    for _, tail in ipairs { "", "-wal", "-shm", "-mark" } do os.remove(path .. tail) end
  end)

  local function read(name, after, many)
    reads[#reads + 1] = after
    return assert(journal[name](journal, after, many))
  end

  -- The ways to each state, from being placed on.
  local WAYS = {
    intent = {}, sent = { "sent" }, accepted = { "sent", "accepted" }, unknown = { "sent", "unknown" },
    suspect = { "sent", "accepted", "suspect" }, rejected = { "sent", "rejected" },
    applied = { "sent", "accepted", "applied" }, cancelled = { "sent", "accepted", "cancelled" },
    not_applied = { "sent", "unknown", "not_applied" },
  }

  local function go(id, to)
    assert.equal("done", (journal:advance { order = id, to = to, at = 2, deadline = 9, code = 500014,
                                                command_id = to == "accepted" and id or nil }))
  end

  local placed
  before_each(function() placed = 0 end)
  local function order(state)
    placed = placed + 1
    local id = "O" .. placed
    assert.equal("new", (journal:place({ order = id, company_code = "C", device_no = id, device_id = id,
      method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 1, body = "{}", expire_time = 1,
      created_at = 1 }, id)))
    for _, to in ipairs(WAYS[state]) do go(id, to) end
    return id
  end

  -- Of states that are not named there is none.
  local function check(counts, expected)
    for state in pairs(WAYS) do
      assert.equal(expected[state] or 0, counts[state], state)
    end
  end

  it("of an empty journal has every state", function()
    check(census.new(STRETCH):take(read), {})
    assert.same({ 0 }, reads)
  end)

  it("has every state that an order may be in", function()
    local expected = {}
    for state in pairs(WAYS) do
      order(state)
      expected[state] = 1
    end
    for _, stretch in ipairs { 1, 2, STRETCH, 9, 10, 1000 } do check(census.new(stretch):take(read), expected) end
  end)

  it("reads a full stretch without open orders once", function()
    local taken = census.new(STRETCH)
    for _ = 1, 2 * STRETCH do order "applied" end
    check(taken:take(read), { applied = 8 })
    assert.same({ 0, 4, 8 }, reads)
    order "rejected"
    reads = {}
    check(taken:take(read), { applied = 8, rejected = 1 })
    assert.same({ 8 }, reads)
  end)

  it("reads a stretch again as long as an order in it is open", function()
    local taken = census.new(STRETCH)
    local open = order "unknown"
    for _ = 1, 2 * STRETCH do order "cancelled" end
    check(taken:take(read), { unknown = 1, cancelled = 8 })
    reads = {}
    check(taken:take(read), { unknown = 1, cancelled = 8 })
    assert.same({ 0, 8 }, reads)
    go(open, "not_applied")
    check(taken:take(read), { not_applied = 1, cancelled = 8 })
    reads = {}
    check(taken:take(read), { not_applied = 1, cancelled = 8 })
    assert.same({ 8 }, reads)
  end)

  it("that cannot be read to its end counts nothing twice", function()
    local taken = census.new(STRETCH)
    local open = order "accepted"
    for _ = 1, 2 * STRETCH do order "applied" end
    check(taken:take(read), { accepted = 1, applied = 8 })
    go(open, "applied")
    for _ = 1, STRETCH do order "applied" end
    for broken_at = 1, 3 do
      local count = 0
      assert.is_false((pcall(taken.take, taken, function(...)
        count = count + 1
        if count == broken_at then error "the disk" end
        return read(...)
      end)))
    end
    check(taken:take(read), { applied = 13 })
  end)

  it("goes along with orders that move and come", function()
    local taken, seed = census.new(STRETCH), 7
    local function random(most)
      seed = (seed * 1103515245 + 12345) % (1 << 31)
      return seed // 65536 % most + 1
    end
    local ids, states = {}, {}
    for _ = 1, 60 do
      local id = order "intent"
      ids[#ids + 1], states[id] = id, "intent"
      for _ = 1, 4 do
        local one = ids[random(#ids)]
        local next_ones = { intent = { "sent" }, sent = { "accepted", "rejected", "unknown" },
                            accepted = { "applied", "suspect", "cancelled" }, suspect = { "applied", "not_applied" },
                            unknown = { "applied", "not_applied" } }
        local ways = next_ones[states[one]]
        if ways then
          states[one] = ways[random(#ways)]
          go(one, states[one])
        end
      end
      local expected = {}
      for _, state in pairs(states) do expected[state] = (expected[state] or 0) + 1 end
      check(taken:take(read), expected)
    end
  end)
end)
