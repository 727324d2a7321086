-- The sending of orders itself: when `sent` is put on disk, for whom, and what is
-- sent again.
local C = require "spec.client_helper"
local H = require "spec.helper"
local core = require "xfiot.core"
local luapeer = require "luapeer"

local CREATE = core.operations().creatCmd.operation

-- A reply whose result is the number of the request.
local NUMBERED = C.SUCCESS:gsub(C.ID, ("#"):rep(#C.ID))

local function open(path) return assert(core.journal(path or H.tmpdir() .. "/journal.db")) end

local function transport(url) return assert(core.transport { base_url = url, connect_timeout = 2, timeout = 5 }) end

local function place(journal, order)
  local placed = journal:place({
    order = order, company_code = "000001", device_no = order, device_id = C.DEVICE, method = "RECHARGE_REMOTE",
    variant = "RECHARGE_REMOTE", bill_no = 1, body = "{}", created_at = 1, expire_time = 86400,
  }, order)
  assert.equal("new", placed)
end

local function send(journal, to, order, again)
  local call, sending = core.send_order(to, C.signer, journal, order, C.DEVICE, "{}", 5, again)
  assert(call, sending)
  return { call = call, sending = sending, to = to }
end

-- Steps until all of these calls have ended; returns their fates in order.
local function finish(...)
  local waiting, fates, batch = 0, {}, {}
  local by_call = {}
  for i, one in ipairs { ... } do by_call[one.call], waiting = i, waiting + 1 end
  while waiting > 0 do
    for i = 1, core.step(10, batch) do
      if by_call[batch[i]] then waiting = waiting - 1 end
    end
  end
  for i, one in ipairs { ... } do
    one.sending:disarm()
    fates[i], one.code, one.result = core.finish(one.call, CREATE)
  end
  return table.unpack(fates)
end

local function state(journal, order) return journal:find("id", order).state end

local function lines(journal, order)
  local list = {}
  for i, line in ipairs(journal:history(order)) do list[i] = line.to end
  return table.concat(list, " ")
end

describe("an order that is sent", function()
  it("is marked before its request leaves", function()
    local peer <close> = luapeer.start("json", C.SUCCESS)
    local journal <close> = open()
    place(journal, "A")
    local one = send(journal, transport(peer:url()), "A")
    assert.equal("intent", state(journal, "A"))
    assert.equal("answered", finish(one))
    assert.is_true(one.sending:is_marked())
    assert.equal("sent", state(journal, "A"))
    assert.equal(1, peer:requests())
  end)

  it("is marked by itself alone while another still waits for its connection", function()
    local good <close> = luapeer.start("json", C.SUCCESS)
    local refusing <close> = luapeer.start("refuse")
    local journal <close> = open()
    place(journal, "A")
    place(journal, "B")
    -- in one turn of the loop: A's connection comes up, B's is refused
    local a = send(journal, transport(good:url()), "A")
    local b = send(journal, transport(refusing:url()), "B")
    local of_a, of_b = finish(b, a)
    assert.same({ "not sent", "answered" }, { of_a, of_b })
    assert.same({ "sent", "intent" }, { state(journal, "A"), state(journal, "B") })
    assert.is_false(b.sending:is_marked())
  end)

  -- how many commits the journal has had, from the mark beside it
  local function commits(path) return math.tointeger(tonumber(H.read(path .. "-mark"):match " (%d+)\n")) end

  it("shares one commit with those that go out over kept connections in the same turn", function()
    local peer <close> = luapeer.start("numbered", NUMBERED)
    local path = H.tmpdir() .. "/journal.db"
    local journal <close> = open(path)
    local to = transport(peer:url())
    local function round(names)
      local list = {}
      for _, name in ipairs(names) do place(journal, name) end
      local before = commits(path)
      for i, name in ipairs(names) do list[i] = send(journal, to, name) end
      finish(table.unpack(list))
      for i, name in ipairs(names) do
        assert.is_true(list[i].sending:is_marked())
        assert.equal("intent sent", lines(journal, name))
      end
      return commits(path) - before
    end
    round { "A", "B", "C" }
    -- a connection is kept for a second: a machine that stands still so long takes another turn
    for turn = 1, 100 do
      local connections = peer:connections()
      local count = round { "A" .. turn, "B" .. turn, "C" .. turn }
      if peer:connections() == connections then
        assert.equal(1, count)
        return
      end
    end
    error "no connection was ever kept"
  end)
end)

-- A reply that comes twice on a connection makes every later call there take the answer
-- of the one before.
describe("a connection", function()
  local function results(peer, to, journal, names)
    local list, out = {}, {}
    for _, name in ipairs(names) do place(journal, name) end
    for i, name in ipairs(names) do list[i] = send(journal, to, name) end
    finish(table.unpack(list))
    for i, one in ipairs(list) do
      out[i] = math.tointeger(tonumber(one.result))
      assert(out[i], one.result)
    end
    return out, peer:connections()
  end

  it("that gave an order the answer of another is not used again", function()
    local peer <close> = luapeer.start("one_behind", NUMBERED)
    local journal <close> = open()
    local to = transport(peer:url())
    local requests, reused, seen = 0, 0, {}
    -- a connection is kept for a second: a machine that stands still so long takes more turns
    for turn = 1, 100 do
      local before = peer:connections()
      for part = 1, 3 do
        local names = { "A" .. turn .. part, "B" .. turn .. part, "C" .. turn .. part }
        for _, number in ipairs((results(peer, to, journal, names))) do
          if seen[number] then
            reused = reused + 1 -- by one call that is told apart, and by none after it
          else
            assert.is_true(number > requests, ("request %d was answered in place of a later one"):format(number))
          end
          seen[number] = true
        end
        requests = requests + #names
      end
      if reused > 0 and peer:connections() > before + 3 then return end
    end
    error "no connection was ever kept"
  end)
end)

describe("an order that was marked and surely not let go", function()
  it("goes out again with a line in its history", function()
    local peer <close> = luapeer.start("json", C.SUCCESS)
    local journal <close> = open()
    place(journal, "A")
    assert.equal("done", journal:advance { order = "A", to = "sent", at = 2, deadline = 3 })
    local one = send(journal, transport(peer:url()), "A", true)
    assert.equal("answered", finish(one))
    assert.is_true(one.sending:is_marked())
    assert.equal("intent sent sent", lines(journal, "A"))
    assert.is_true(journal:find("id", "A").deadline > 3)
    assert.equal(1, peer:requests())
  end)

  -- what others may have done meanwhile
  local rows = {
    { "was given up by another handle", function(journal, path)
      local other <close> = open(path)
      assert.equal(1, other:recover(1000))
      assert.equal("unknown", state(journal, "A"))
    end },
    { "was settled by a person", function(_, path)
      local other <close> = open(path)
      assert.equal(1, other:recover(1000))
      assert.equal("done", other:advance { order = "A", to = "not_applied", at = 1001, by = "person" })
    end },
    { "was accepted by a push", function(journal)
      assert.equal("done", journal:advance { order = "A", to = "accepted", at = 1001, command_id = C.ID })
    end },
  }
  for _, row in ipairs(rows) do
    it("stays here when it " .. row[1], function()
      local peer <close> = luapeer.start("json", C.SUCCESS)
      local path = H.tmpdir() .. "/journal.db"
      local journal <close> = open(path)
      place(journal, "A")
      assert.equal("done", journal:advance { order = "A", to = "sent", at = 2, deadline = 3 })
      row[2](journal, path)
      local before = state(journal, "A")
      local one = send(journal, transport(peer:url()), "A", true)
      assert.equal("not sent", finish(one))
      assert.is_false(one.sending:is_marked())
      assert.matches("it is not sent again", one.sending:why())
      assert.equal(before, state(journal, "A"))
      assert.equal(0, peer:requests())
    end)
  end
end)
