-- xfiot orders at the command line: which orders a listing shows, what is refused, and
-- a journal that was put back being taken into use again.

local C = require "spec.cli_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"

local function settings(path)
  return { env = { XFIOT_JOURNAL = path, XFIOT_COMPANY_CODE = C.COMPANY, XFIOT_MERCHANT_ID = C.MERCHANT,
                   XFIOT_KEY = C.KEY, XFIOT_BASE_URL = "http://127.0.0.1:1",
                   XDG_STATE_HOME = path:match "^(.*)/[^/]+/[^/]+$" .. "/state" } }
end

-- A journal in a folder of its own, with orders in several states; `dead` was being sent by a
-- process that is gone.
local MAKE = [[
local core = require "xfiot.core"
local file = assert(core.journal(arg[1]))
for i, row in ipairs { { "I" }, { "A", "sent", "accepted" }, { "R", "sent", "rejected" }, { "dead", "sent" } } do
  local number = ("3001000000000%d"):format(i)
  assert(file:place({ order = row[1], company_code = "000000", device_no = number, device_id = number,
    method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = 4 + i, amount = "1.00", body = "{}",
    amount_thousandths = 1000, expire_time = 86400, created_at = 1795708800 + i * 86400 }, row[1]))
  for j = 2, #row do
    assert(file:advance { order = row[1], to = row[j], at = 1795708900 + i * 86400, deadline = 1 << 40, code = 500014,
                          command_id = row[j] == "accepted" and row[1] or nil } == "done")
  end
end
for i = 1, tonumber(arg[2] or 0) do
  assert(file:note { order = "R", at = 1795709000, evidence = "note " .. i } == "done")
end
os.exit(0, true)
]]

local script
local function made(notes)
  local at = helper.tmpdir()
  script = script or helper.write(helper.tmpdir() .. "/make.lua", MAKE)
  assert(os.execute("mkdir " .. at .. "/j"))
  local options = settings(at .. "/j/journal.db")
  local done = helper.run({ helper.lua, script, options.env.XFIOT_JOURNAL, notes }, options)
  assert.are.equal(0, done.status, done.stderr)
  return options, at
end

local function ids(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = (core.decode(line)).order end
  return table.concat(list, " ")
end

local function orders(options, ...) return C.xfiot({ "orders", ... }, options) end

describe("xfiot orders resolve", function()
  for _, case in ipairs { -- a person's word, whether a warning follows: the command has not expired yet
    { "not_applied", true }, { "applied", false },
  } do
    it(("takes %s%s"):format(case[1], case[2] and ", and warns of paying again" or ""), function()
      local done = orders(made(), "resolve", "dead", "--as", case[1], "--note", "seen")
      assert.are.equal(0, done.status, done.stderr)
      assert.are.equal(case[1], core.decode(done.stdout).state)
      assert.are.equal(case[2], done.stderr:find("may pay twice", 1, true) ~= nil, done.stderr)
    end)
  end
end)

describe("xfiot orders resolve --as proposed", function()
  local function proposed()
    local options = made()
    local file <close> = assert(core.journal(options.env.XFIOT_JOURNAL))
    assert.are.equal(1, file:recover(core.now()))
    assert.are.equal("done", file:note { order = "dead", at = core.now(), proposal = "applied", evidence = "{}" })
    return options
  end

  for _, words in ipairs { { "dead" }, {} } do
    it(#words > 0 and "settles an order" or "settles all orders that have a proposal", function()
      local options = proposed()
      table.move({ "--as", "proposed", "--note", "seen" }, 1, 4, #words + 1, words)
      local done = orders(options, "resolve", table.unpack(words))
      assert.are.equal(0, done.status, done.stderr)
      assert.are.equal("applied", core.decode(done.stdout).state)
      assert.are.equal("I A R dead", ids(orders(options, "list", "--json").stdout))
      assert.are.equal("", ids(orders(options, "list", "--json", "--state", "unknown").stdout))
    end)
  end

  it("leaves an order without a proposal as it is", function()
    local done = orders(made(), "resolve", "dead", "--as", "proposed", "--note", "seen")
    assert.are.equal(1, done.status)
    assert.matches("has no proposal", done.stderr)
  end)
end)

describe("xfiot orders list", function()
  local options
  setup(function() options = made() end)

  for _, row in ipairs { -- flags, the orders that are shown
    { {}, "I A R dead" }, { { "--state", "unknown" }, "dead" }, { { "--state", "sent" }, "" },
    { { "--state", "unknown,intent" }, "I dead" }, { { "--state", "accepted,rejected" }, "A R" },
    { { "--limit", "2" }, "I A" }, { { "--limit=1", "--state", "unknown,rejected" }, "R" },
    { { "--since", "20261129" }, "A R dead" }, { { "--since", "20261129000001" }, "R dead" },
    { { "--device", "30010000000002" }, "A" },
  } do
    it("shows what the flags say: " .. table.concat(row[1], " "), function()
      local done = orders(options, "list", "--json", table.unpack(row[1]))
      assert.are.equal(0, done.status, done.stderr)
      assert.are.equal("", done.stderr)
      assert.are.equal(row[2], ids(done.stdout))
    end)
  end

  it("and show agree with the filter about a state", function()
    assert.matches('"state":"unknown"', orders(options, "list", "--json", "--state", "unknown").stdout, 1, true)
    assert.matches("state +unknown", orders(options, "show", "dead").stdout)
    assert.matches('"state":"unknown"', orders(options, "show", "dead", "--json").stdout, 1, true)
  end)

  for _, row in ipairs { -- flags, what the sentence names
    { "--state", "lost", "intent, sent, accepted" }, { "--state", "unknown,lost", '"lost"' },
    { "--state", "unknown,", "intent, sent" }, { "--limit", "-1", "whole number of 1 or more" },
    { "--limit", "0x10", "decimal digits" }, { "--limit", "0", "1 or more" }, { "--limit", "1e3", "decimal digits" },
    { "--limit", "99999999999999999999", "1 or more" }, { "--since", "2026", "yyyyMMdd" },
    { "--since", "20261340", "yyyyMMdd" },
  } do
    it(("refuses %s %s"):format(row[1], row[2]), function()
      local done = orders(options, "list", row[1], row[2])
      C.assert_sentence(done, 2)
      assert.matches(row[3], done.stderr, 1, true)
      C.assert_sentence(C.xfiot({ "inbox", "list", row[1], row[2] }, options), 2)
    end)
  end

  it("ends quietly when nobody reads on", function()
    for _, words in ipairs { "orders list", "orders show R", "inbox list", "help settings" } do
      local done = helper.run({ "sh", "-c", ("{ %s %s; echo status $? >&2; } | true"):format(helper.xfiot, words) },
        options)
      assert.are.equal("status 0\n", done.stderr)
    end
  end)

  it("says where there is no journal yet", function()
    local path = helper.tmpdir() .. "/none/journal.db"
    local done = orders(settings(path), "list")
    assert.are.same({ 0, "" }, { done.status, done.stdout })
    assert.matches(path, done.stderr, 1, true)
  end)

  it("says so of a journal that was emptied", function()
    local path = helper.write(helper.tmpdir() .. "/journal.db", "")
    local done = orders(settings("/tmp/x/y"), "list", "--journal", path)
    assert.are.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("nothing was ever written to the journal at " .. path, done.stderr, 1, true)
  end)

  for _, row in ipairs { { "/dev/null/x/journal.db", "Not a directory" }, { "/dev/null", "device" },
                         { "/tmp", "folder" } } do
    it("does not take for empty what cannot be read: " .. row[1], function()
      for _, words in ipairs { { "orders", "list" }, { "orders", "show", "A" }, { "inbox", "list" } } do
        local options_of = settings "/tmp/x/y"
        options_of.env.XFIOT_JOURNAL = row[1]
        local done = C.xfiot(words, options_of)
        C.assert_sentence(done, 1)
        assert.matches(row[2], done.stderr, 1, true)
        assert.is_nil(done.stderr:find "（")
        assert.are.equal(1, select(2, done.stderr:gsub(row[2], ""))) -- said once, not in Chinese brackets again
      end
    end)
  end
end)

describe("xfiot orders show", function()
  it("prints the whole of a long history", function()
    local options = made(600)
    local done = orders(options, "show", "R")
    assert.are.equal(603, select(2, done.stdout:gsub("\n  %d%d%d%d%d%d%d%d%d%d%d%d%d%d", "")))
    local sheet = core.decode(orders(options, "show", "R", "--json").stdout)
    assert.are.equal(603, #sheet.history)
  end)
end)

describe("xfiot orders accept-journal", function()
  local function put_back()
    local options, at = made()
    assert(os.execute(("cp -a %s/j %s/backup"):format(at, at)))
    assert.are.equal(0, orders(options, "lift", "30010000000009", "7").status) -- a commit that the backup lacks
    assert(os.execute(("for f in %s/backup/*; do cat $f > %s/j/${f##*/}; done"):format(at, at)))
    return options
  end

  it("has nothing to do for a journal that is the one it was", function()
    local done = orders(made(), "accept-journal", "--yes")
    assert.are.same({ 0, "" }, { done.status, done.stdout })
    assert.matches("nothing to accept", done.stderr, 1, true)
  end)

  it("says what is to be done first, lists every meter and changes nothing without --yes", function()
    local options = put_back()
    for _ = 1, 2 do
      local done = orders(options, "accept-journal", "--json")
      assert.are.equal(2, done.status)
      assert.matches("older than it was", done.stderr, 1, true)
      assert.matches("orders lift", done.stderr, 1, true)
      local meters = {}
      for line in done.stdout:gmatch "[^\n]+" do
        local meter = core.decode(line)
        meters[#meters + 1] = ("%s%d%s"):format(meter.device_no:sub(-1), meter.bill_no, meter.order)
      end
      assert.are.equal("15I 26A 37R 48dead", table.concat(meters, " "))
    end
    assert.matches("intent", orders(options, "show", "I").stdout, 1, true)
    assert.matches("FAIL  journal[^\n]+older than it was[^\n]+accept%-journal", C.xfiot({ "doctor" }, options).stdout)
  end)

  it("with --yes says what is open, sends no order that the other one may have sent, and writes down who", function()
    local options = put_back()
    local done = orders(options, "accept-journal", "--yes", "--json")
    assert.are.equal(0, done.status, done.stderr)
    assert.are.equal("I A dead", ids(done.stdout))
    assert.are.equal("I dead", ids(orders(options, "list", "--json", "--state", "unknown").stdout))
    assert.matches("accepted as a copy", orders(options, "show", "I").stdout, 1, true)
    assert.matches("ok    journal", C.xfiot({ "doctor" }, options).stdout, 1, true)
    assert.matches("nothing to accept", orders(options, "accept-journal").stderr, 1, true)
  end)
end)

describe("xfiot orders lift", function()
  local options
  setup(function() options = made() end)

  for _, row in ipairs { { "30010000000001", "40", "40" }, { "30010000000001", "9", "40" },
                         { "30010000000009", "3", "3" }, { "30010000000009", "65535", "65535" } } do
    it(("%s of %s leaves it at %s"):format(row[2], row[1], row[3]), function()
      local done = orders(options, "lift", row[1], row[2])
      assert.are.same({ 0, row[1] .. " " .. row[3] .. "\n" }, { done.status, done.stdout })
    end)
  end

  for _, words in ipairs { {}, { "30010000000001" }, { "30010000000001", "0" }, { "30010000000001", "65536" },
                           { "30010000000001", "-1" }, { "30010000000001", "0x10" } } do
    it("refuses " .. table.concat(words, " "), function()
      C.assert_sentence(orders(options, "lift", table.unpack(words)), 2)
    end)
  end
end)

describe("xfiot doctor", function()
  it("looks through the journal and says what it is told apart by", function()
    local options, at = made()
    local text = C.xfiot({ "doctor" }, options).stdout
    assert.matches("ok    journal        [^\n]+ MiB free\n", text)
    assert.matches("ok    witness        " .. at .. "/state/xfiot/journal%-%x+\n", text)
    options.env.XDG_STATE_HOME = "/proc/nothing"
    assert.matches("ok    witness        none outside", C.xfiot({ "doctor" }, options).stdout, 1, true)
  end)

  it("finds a damaged journal", function()
    local options = made()
    local path = options.env.XFIOT_JOURNAL
    local file = assert(io.open(path, "r+b"))
    local size = file:seek "end"
    file:seek("set", 4096 * 2)
    file:write(("!"):rep(size - 4096 * 2))
    file:close()
    assert.matches("FAIL  journal[^\n]+damaged", C.xfiot({ "doctor" }, options).stdout)
  end)
end)
