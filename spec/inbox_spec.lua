-- xfiot inbox: what it lists, shows and decides; run as a program on a journal
-- that was filled here.
local C = require "spec.cli_helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"
local journal = require "xfiot.journal"

local AT = core.parse_timestamp "20260101120000"
local FIELDS = { "attempts", "device_ids", "id", "kind", "reason", "received_at", "state", "trans_id" }

local path

-- A journal with one push of every state; their ids are 1 to 5.
local function fill()
  path = helper.tmpdir() .. "/journal.db"
  local book = journal.open(path)
  local file = book.file
  local function admit(n, messages, reason)
    local body = type(messages) == "string" and messages or core.encode(core.array(messages))
    assert(file:push_admit { kind = n == 4 and "response" or "report", trans_id = ("202601011200008000000%d"):format(n),
      headers = "API_ORG_NUM: 000000\nX: \27[31m", body = body, reason = reason, at = AT + n })
  end
  admit(1, { W.report "a" })
  admit(2, { W.report "b", W.report "a", W.report "b" })
  admit(3, { W.alarm "b" }, "stale")
  admit(4, { W.response "d" })
  admit(5, "[\"\27[2J\xc2\x9b\x01\"]")
  local function finish(id, step)
    step.id, step.at = id, AT + 60
    if id ~= 3 then file:push_begin(id, AT + 60) end
    assert(file:push_finish(step))
  end
  finish(2, { to = "done", device_ids = core.encode { W.id "b", W.id "a" } })
  finish(3, { to = "quarantined", device_ids = core.encode { W.id "b" } })
  finish(4, { to = "failed", reason = "HANDLERS.lua:3: no database", traceback = "no database\n\tHANDLERS.lua:3: in f",
              device_ids = core.encode { W.id "d" } })
  book:close()
end

local function run(words, more)
  local env = { XFIOT_JOURNAL = path, XFIOT_COMPANY_CODE = "000000", USER = "wang" }
  for name, value in pairs(more or {}) do env[name] = value end
  return C.xfiot({ "inbox", table.unpack(words) }, { env = env })
end

local function lines(words)
  local result = run(words)
  assert.equal(0, result.status, result.stderr)
  local list = {}
  for line in result.stdout:gmatch "[^\n]+" do list[#list + 1] = assert(core.decode(line)) end
  return list
end

local function ids(words)
  local list = {}
  for i, row in ipairs(lines(words)) do list[i] = row.id // 1 | 0 end
  return list
end

describe("xfiot inbox list", function()
  setup(fill)

  it("has one line of exactly the promised fields for each push, oldest first", function()
    local list = lines { "list", "--json" }
    assert.equal(5, #list)
    for i, row in ipairs(list) do
      local names = {}
      for name in pairs(row) do names[#names + 1] = name end
      table.sort(names)
      assert.same(FIELDS, names)
      assert.equal(i, row.id)
    end
    assert.same({ "report", "20260101120001", "new", core.null, 0, "2026010112000080000001" }, { list[1].kind,
      list[1].received_at, list[1].state, list[1].reason, list[1].attempts, list[1].trans_id })
    assert.same({ "failed", "HANDLERS.lua:3: no database", 1 }, { list[4].state, list[4].reason, list[4].attempts })
  end)

  it("names the devices, also of what nobody has looked at", function()
    local list = lines { "--json" }
    assert.same({ W.id "a" }, list[1].device_ids)
    assert.same({ W.id "b", W.id "a" }, list[2].device_ids)
    assert.matches('"device_ids":%[%]', run({ "list", "--json" }).stdout)
  end)

  local filters = {
    { "--state", "new", { 1, 5 } }, { "--state", "done", { 2 } }, { "--state", "failed", { 4 } },
    { "--state", "quarantined", { 3 } }, { "--since", "20260101120003", { 3, 4, 5 } }, { "--limit", "2", { 1, 2 } },
    { "--device", W.id "a", { 1, 2 } }, { "--device", W.id "b", { 2, 3 } }, { "--device", W.id "e", {} },
  }
  for _, row in ipairs(filters) do
    it(("with %s %s"):format(row[1], row[2]), function()
      assert.same(row[3], ids { "list", "--json", row[1], row[2] })
    end)
  end

  it("with several filters at once", function()
    assert.same({ 1 }, ids { "list", "--json", "--device", W.id "a", "--state", "new" })
    assert.same({ 1 }, ids { "list", "--json", "--device", W.id "a", "--limit", "1" })
    assert.same({}, ids { "list", "--json", "--device", W.id "a", "--since", "20260101120003" })
  end)

  it("for people has a line each under a heading, and no control characters", function()
    local result = run {}
    assert.equal(0, result.status)
    assert.equal(6, select(2, result.stdout:gsub("\n", "")))
    assert.is_nil(result.stdout:find "[%z\1-\9\11-\31]")
  end)

  it("of a journal that is not there yet is empty", function()
    local result = run({ "list", "--json" }, { XFIOT_JOURNAL = path .. "-none" })
    assert.same({ 0, "", ("xfiot: there is no journal yet at %s-none\n"):format(path) },
      { result.status, result.stdout, result.stderr })
    local file = io.open(path .. "-none")
    assert.is_nil(file)
  end)

  local wrong = {
    { "--state", "sent" }, { "--since", "today" }, { "--limit", "0" }, { "--limit", "x" }, { "--device", "none" },
    { "lists" }, { "show" }, { "show", "x" }, { "show", "99" }, { "replay" }, { "discard", "99" },
    { "replay", "1", "x" },
  }
  for _, words in ipairs(wrong) do
    it("refuses " .. table.concat(words, " "), function() C.assert_sentence(run(words), 2) end)
  end
end)

describe("xfiot inbox show", function()
  setup(fill)

  it("is the evidence sheet of a push", function()
    local result = run { "show", "4" }
    assert.equal(0, result.status)
    for _, text in ipairs { "state        failed", "reason       HANDLERS.lua:3: no database", "attempts     1",
                            "device       " .. W.id "d", "  API_ORG_NUM: 000000", '"commandResult":"0"',
                            "HANDLERS.lua:3: in f", "received_at  20260101120004" } do
      assert.truthy(result.stdout:find(text, 1, true), text .. "\n" .. result.stdout)
    end
  end)

  it("does nothing to a terminal that a push asks for", function()
    local result = run { "show", "5" }
    assert.equal(0, result.status)
    assert.is_nil(result.stdout:find "[%z\1-\9\11-\31\127]")
    assert.is_nil(result.stdout:find("\xc2\x9b", 1, true))
    assert.truthy(result.stdout:find("\\x1b[2J", 1, true))
  end)

  it("shows a push's words in lines of its own only", function()
    local book = journal.open(path)
    local forged = "x\n20260101120000  discarded by person:wang\t, was\u{2028}failed\u{202e}"
    local message = W.report "a"
    message.deviceId = forged
    local _, id = assert(book.file:push_admit { kind = "report", trans_id = "2026010112000080000009", headers = "",
      body = core.encode(core.array { message }), at = AT })
    assert(book.file:push_begin(id, AT))
    assert(book.file:push_finish { id = id, at = AT, to = "quarantined", reason = forged, note = forged })
    book:close()
    local sheet = run({ "show", tostring(id) }).stdout
    local tamed = "x\\n20260101120000  discarded by person:wang\\t, was\\u2028failed\\u202e\n"
    for _, name in ipairs { "device      ", "reason      ", "note        " } do
      assert.truthy(sheet:find(name .. " " .. tamed, 1, true), name .. sheet)
    end
    assert.is_nil(sheet:find "\n2026")
    local list = run({ "list" }).stdout
    assert.truthy(list:find(tamed, 1, true), list)
  end)

  it("as JSON has everything", function()
    local row = lines({ "show", "4", "--json" })[1]
    assert.same({ "failed", {}, { W.id "d" } }, { row.state, row.history, row.device_ids })
    assert.truthy(core.read_messages("response", row.body))
  end)
end)

describe("a person", function()
  before_each(fill)

  it("replays a push: it is new, and who did it is kept", function()
    local result = run { "replay", "4", "3" }
    assert.equal(0, result.status, result.stderr)
    local first = core.decode(result.stdout:match "^[^\n]+")
    assert.same({ 4, "new", 0, core.null }, { first.id, first.state, first.attempts, first.reason })
    local sheet = run({ "show", "4" }).stdout
    assert.matches("replayed by person:wang, was failed: HANDLERS.lua:3: no database", sheet, 1, true)
  end)

  it("replays all of a state", function()
    assert.equal(0, run({ "replay", "--state", "failed" }).status)
    assert.same({ 1, 4, 5 }, ids { "--json", "--state", "new" })
  end)

  it("is told when there is nothing to do", function()
    assert.equal(0, run({ "replay", "--state", "failed" }).status)
    local result = run { "replay", "--state", "failed" }
    assert.same({ 0, "", "xfiot: nothing to replay: no push is as asked for\n" },
      { result.status, result.stdout, result.stderr })
  end)

  it("discards a push: it is done without effect", function()
    assert.equal(0, run({ "discard", "4" }).status)
    local row = lines({ "--json", "--state", "done" })[2]
    assert.same({ 4, "discarded by person:wang" }, { row.id, row.reason })
  end)

  it("cannot discard what is done", function()
    local result = run { "discard", "2" }
    C.assert_sentence(result, 1)
    assert.matches("push 2 is done already", result.stderr)
  end)
end)

describe("xfiot inbox gaps", function()
  it("lists who should have reported, and fetches on request", function()
    local server = C.serve { "--start", "20260101000000", "--speed", "0", "--meters", "money=1" }
    local env = server:with({}).env
    C.xfiot({ "sandbox", "advance", "1h", "--listen", server.listen }, server:with())
    local id = core.decode(C.xfiot({ "call", "query", "deviceNo=30010000000001" }, { env = env }).stdout).deviceId
    local book = journal.open(env.XFIOT_JOURNAL)
    assert(book.file:see { device_id = id, report = "{}", report_time = "20200101000000", seen_at = AT })
    book:close()
    local words = { "inbox", "gaps", "--json", "--report-every", "3600" }
    local gap = core.decode(C.xfiot(words, { env = env }).stdout)
    assert.same({ id, "20260101120000", "20260101130000", core.null },
      { gap.device_id, gap.reported_at, gap.owed_at, gap.asked_at })
    assert.equal("", C.xfiot({ "inbox", "gaps", "--json" }, { env = env }).stdout)
    table.insert(words, "--fetch")
    assert.equal("fetched", core.decode(C.xfiot(words, { env = env }).stdout).outcome)
    local push = core.decode(C.xfiot({ "inbox", "--json" }, { env = env }).stdout)
    assert.same({ "report", "new", id }, { push.kind, push.state, push.device_ids[1] })
    server:stop()
  end)
end)
