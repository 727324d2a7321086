-- Gaps: silent devices are found, asked about once, and what is new is handled as a push.
local V = require "spec.verbs_helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local gaps = require "xfiot.gaps"
local journal = require "xfiot.journal"

local HOUR, DAY = 3600, 86400

describe("a device owes its report", function()
  local rows = {
    { "never, if it has never reported", {}, DAY, nil },
    { "at no known time without a rhythm", { reported_at = 1 }, nil, nil },
    { "after two of its intervals and an hour", { reported_at = 1, rhythm = DAY }, nil, 1 + 2 * DAY + HOUR },
    { "by the setting if there is one", { reported_at = 1, rhythm = DAY }, HOUR, 1 + HOUR },
    { "on a whole second", { reported_at = 1 }, 90.5, 92 },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[4], gaps.owed_at(row[2], row[3])) end)
  end
end)

-- A sandbox whose first meter has reported, and a journal that saw it long ago.
local function silent_device()
  local box = V.open()
  local book = journal.open(box.journal)
  local id = box:meter():device_id()
  book:write(function(file)
    return assert(file:see { device_id = id, report = "{}", report_time = "20200101000000",
                             seen_at = core.parse_timestamp "20200101000000" })
  end)
  return box, book, id
end

local function list(book, every)
  local ids = {}
  for device in gaps.each(book, core.now(), every) do ids[#ids + 1] = device.device_id end
  return ids
end

describe("the worker", function()
  it("asks once about a silent device, and its handler gets what was missed", function()
    local box <close> = W.open { settings = { report_every = DAY },
      handlers = "return { report = function(m, c) table.insert(seen, { m.deviceId, c.push.fetched }) end }" }
    local id = box.client:meter(V.MONEY):device_id()
    assert(box.book.file:see { device_id = id, report = "{}", report_time = "20200101000000", seen_at = 1 })
    box:work(function()
      box:await(function() return #box.seen == 1 end, "the report that was missed")
      box:await(function() return #box.book:read("push_due", 1 << 62) == 0 end)
    end)
    assert.same({ { id, true } }, box.seen)
    assert.equal(1, (box:logged "gap"))
    assert.is_true(box.book:read("sighting", id).reported_at > 1)
  end)
end)

describe("a gap", function()
  it("is found by the set rhythm, and not without any", function()
    local box <close>, book, id = silent_device()
    assert.same({ id }, list(book, DAY))
    assert.same({}, list(book))
    book:close()
    box:done()
  end)

  it("lists more devices than one page holds", function()
    local path = require("spec.helper").tmpdir() .. "/journal.db"
    local book <close> = journal.open(path)
    book:write(function(file)
      for i = 1, 600 do
        assert(file:see { device_id = ("%032d"):format(i), report = "{}", report_time = "20200101000000", seen_at = 1 })
      end
    end)
    assert.equal(600, #list(book, 60))
  end)

  it("is closed by what the platform has, as a push that was fetched", function()
    local box <close>, book, id = silent_device()
    assert.equal("fetched", gaps.fetch(box.client, book, book:read("sighting", id)))
    local pushes = book:read "push_list"
    assert.equal(1, #pushes)
    local push = book:read("push_find", pushes[1].id)
    assert.same({ "report", "new", gaps.fetched }, { push.kind, push.state, push.headers })
    local entry = core.read_messages("report", push.body)[1]
    assert.is_nil(entry.faults)
    assert.equal(id, entry.message.deviceId)
    assert.is_true(book:read("sighting", id).asked_at > 0)
    book:close()
  end)

  it("is not filled with what is known", function()
    local box <close>, book, id = silent_device()
    local device = book:read("sighting", id)
    device.report_time = "20991231235959"
    assert.equal("known", gaps.fetch(box.client, book, device))
    assert.same({}, book:read "push_list")
    book:close()
  end)

  it("of a device without any report stays, and is asked about once", function()
    local box <close>, book = silent_device()
    local id = box:meter(V.MONEY_2):device_id()
    local outcome = gaps.fetch(box.client, book, { device_id = id })
    assert.is_true(outcome == "fetched" or outcome == "none")
    assert.is_true(book:read("sighting", id).asked_at > 0)
    book:close()
  end)

  it("of a device that the platform does not know says so", function()
    local box <close>, book = silent_device()
    local outcome, err = gaps.fetch(box.client, book, { device_id = ("f"):rep(32) })
    assert.is_nil(outcome)
    assert.equal("500001", err.code)
    book:close()
  end)

  it("stays when the platform does not answer", function()
    local box <close>, book, id = silent_device()
    box.client = box:another { base_url = "http://127.0.0.1:1" }
    local outcome, err = gaps.fetch(box.client, book, book:read("sighting", id))
    assert.is_nil(outcome)
    assert.equal("transport", err.kind)
    assert.is_nil(book:read("sighting", id).asked_at)
    book:close()
  end)
end)
