-- Campaigns that cannot go on as they were begun: rows that raise, a file that changes
-- under them, a journal that fails; and what their results say.

local C = require "spec.cli_helper"
local M = require "spec.campaign_helper"
local R = require "spec.runs_helper"
local V = require "spec.verbs_helper"
local campaign = require "xfiot.campaign"
local crash = require "spec.crash_helper"
local helper = require "spec.helper"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"

local HEAD, row, rows, stage = M.HEAD, M.row, M.rows, M.stage

-- ---- in this process

local KEYS <const> = { "A", "B", "C", "D" }

-- Rows of a file that is none: keys and arguments as they are. before(i) is called before row i.
local function some_rows(args, before)
  return {
    path = "rows.csv",
    read = function(_, cells) return cells[1], args[cells[1]] or {} end,
    each = function()
      local i = 0
      return function()
        i = i + 1
        if before then before(i) end
        return KEYS[i] and { KEYS[i] }, i + 1
      end, setmetatable({}, { __close = function() end })
    end,
  }
end

-- A campaign of four rows; each sleeps through some turns of the loop, then it is done.
local function make(box, told)
  return campaign.new {
    client = box.client, script = R.read(R.write "flow:step('once', function() flow.client.turn() end) return args.n"),
    file = "rows.csv", constants = {}, concurrency = 256, limit = campaign.limit(),
    on_fault = function(line, key, err) told[#told + 1] = ("%d %s %s"):format(line, key, tostring(err)) end,
  }
end

local function run(made, given)
  local ok, err
  loop.join { loop.spawn(function() ok, err = pcall(made.run, made, given) end) }
  return ok, err
end

describe("a row that raises", function()
  it("fails with its line, and the rows beside it come to their end", function()
    local box <close> = V.open()
    function box.client.turn() loop.sleep(0.01) end
    local told = {}
    local made = make(box, told)
    assert.is_true(run(made, some_rows { B = { n = "\xff" } }))
    assert.are.equal(1, #told)
    assert.truthy(told[1]:find "^3 B .*UTF%-8", told[1])
    assert.are.same({ succeeded = 3, failed = 1 }, made.counts)
    assert.are.equal(0, made.active)
    assert.is_nil(made.stopping)
  end)
end)

describe("a journal that fails", function()
  it("stops the campaign once what is in flight has come to its end", function()
    local box <close> = V.open()
    local inside = 0
    function box.client.turn()
      inside = inside + 1
      loop.sleep(0.01)
    end
    local made = make(box, {})
    made.fresh = false
    local book, looked = made.book, 0
    local function let_begin(i)
      while i == 3 and inside < 2 do loop.sleep(0) end
    end
    made.book = setmetatable({
      read = function(_, name, ...)
        if name == "run_find_row" then looked = looked + 1 end
        if looked == 3 then error(journal.failure "the disk is gone", 0) end
        return book:read(name, ...)
      end,
    }, { __index = book })
    local ok, err = run(made, some_rows({}, let_begin))
    assert.is_false(ok)
    assert.truthy(tostring(err):find("the disk is gone", 1, true), tostring(err))
    assert.are.same({ succeeded = 2 }, made.counts)
    assert.are.equal(0, made.active)
  end)
end)

local LIMITS = { -- text, finished, failures that are borne
  { nil, 10, 20 }, { nil, 1000, 50 }, { "5", 3, 5 }, { "0", 100, 0 }, { "1%", 20, 0 }, { "1%", 250, 2 },
  { "50%", 21, 10 }, { "100%", 40, 40 }, { "1%", 19, 19 }, { "0%", 20, 0 },
}

describe("a limit of failures", function()
  for _, case in ipairs(LIMITS) do
    it(("%s bears %d of %d"):format(case[1] or "that nobody set", case[3], case[2]), function()
      assert.are.equal(case[3], campaign.limit(case[1])(case[2]) // 1)
    end)
  end

  for _, text in ipairs { "x", "-1", "1.5", "101%", "%", "5 %" } do
    it("is none: " .. text, function() assert.is_nil(campaign.limit(text)) end)
  end
end)

-- ---- the program

describe("a campaign whose file changes under it", function()
  it("stops, lets what is in flight come to its end, and writes the results", function()
    local s <close> = stage { meters = 30, rows = rows(1, 30) }
    local process = s:start("--rate", "20/s")
    process:expect "30 rows of"
    local file = assert(io.open(s.csv, "ab"))
    file:write('"A-31-1,30010000000001,1.00\n')
    file:close()
    local status, _, text = process:stop(false)
    assert.are.equal(3, status, text)
    assert.truthy(text:find("was changed after it had been checked: line 32: a quote is not closed", 1, true), text)
    assert.truthy(text:find("the results end where the file can no longer be read: line 32", 1, true), text)
    for key, outcome in pairs((s:outcomes())) do -- as at Ctrl-C: nothing is left in doubt
      assert.truthy(outcome == "applied" or outcome == "accepted" or outcome == "waiting", key .. " " .. outcome)
    end
    for _, order in pairs(crash.list(s.env)) do assert.are_not.equal("unknown", order.state) end
    helper.write(s.csv, rows(1, 30))
    assert.are.equal(0, s:run().status)
    assert.are.same({ applied = 30 }, select(2, s:outcomes()))
    assert.are.equal(30, s:executed())
  end)
end)

describe("results", function()
  it("never take the place of the rows, the script or the journal", function()
    local s <close> = stage { meters = 1, rows = rows(1, 1) }
    os.execute(("cd %s && ln -s rows.csv soft && ln rows.csv hard && mkdir d"):format(helper.quote(s.folder)))
    local script = helper.write(s.folder .. "/mine.lua", helper.read "scripts/recharge.lua")
    for _, path in ipairs { s.csv, s.folder .. "/d/../rows.csv", s.folder .. "/soft", s.folder .. "/hard",
                            s.folder .. "/d/../journal.db", script } do
      local result = C.xfiot({ "run", script, "--from", s.csv, "--results", path }, { env = s.env })
      assert.are.equal(2, result.status, result.stderr)
      assert.truthy(result.stderr:find "is the [fsj]", result.stderr)
    end
    assert.are.equal(rows(1, 1), helper.read(s.csv))
    assert.are.same({}, s:runs())
  end)

  it("tell what came of the row, not of another order with its id", function()
    local s <close> = stage { meters = 3, rows = rows(1, 1) }
    assert.are.equal(0, s:run().status)
    for name, text in pairs {
      meter = row(2, "A-1-1"), amount = "A-1-1,30010000000001,9.99\n", nowhere = "A-1-1,30019999999999,1.01\n",
    } do
      helper.write(s.folder .. "/" .. name, HEAD .. text)
      local result = C.xfiot({ "run", "recharge", "--from", s.folder .. "/" .. name, "--results", s.results },
        { env = s.env })
      assert.are.equal(3, result.status, result.stderr)
      assert.are.same({ failed = 1 }, select(2, s:outcomes()), name)
      local told = helper.read(s.results)
      assert.truthy(told:find("was used for something else", 1, true), told)
      assert.truthy(told:find("Nothing was sent.", 1, true), told)
    end
    assert.are.equal(1, s:executed())
    helper.write(s.folder .. "/again", rows(1, 1)) -- the same order once more is the same order
    local result = C.xfiot({ "run", "recharge", "--from", s.folder .. "/again", "--results", s.results },
      { env = s.env })
    assert.are.equal(0, result.status, result.stderr)
    assert.are.same({ applied = 1 }, select(2, s:outcomes()))
    assert.are.equal(1, s:executed())
  end)

  it("tell the state of the order of a run that failed after it, with why", function()
    local s <close> = stage { meters = 2, rows = rows(1, 2) }
    local script = helper.write(s.folder .. "/w.lua", [[return require "xfiot".workflow { name = "w",
      args = { deviceNo = "string", amount = "money", order = "order" },
      run = function(flow, args)
        local meter = flow:meter(args.deviceNo)
        local function pay() meter:recharge { order = args.order, amount = args.amount } end
        if args.deviceNo:find "1$" then pay() else flow:step("pay", pay) end
        error "billing is closed"
      end }]])
    local result = C.xfiot({ "run", script, "--from", s.csv, "--results", s.results }, { env = s.env })
    assert.are.equal(3, result.status, result.stderr)
    assert.are.same({ applied = 2 }, select(2, s:outcomes()))
    assert.are.equal(4, select(2, helper.read(s.results):gsub("w.lua:%d+: billing is closed", ""))) -- two languages
  end)

  it("say failed of a row whose run has other values and is not over", function()
    local s <close> = stage { meters = 1, rows = rows(1, 1), faults = "creatCmd:lost:1" }
    assert.are.equal(4, s:run().status)
    helper.write(s.csv, HEAD .. "A-1-1,30010000000001,5.00\n")
    local result = s:run()
    assert.are.equal(4, result.status, result.stderr)
    assert.truthy(result.stderr:find("line 2: recharge: cancelled: Run 1 of this row has other values", 1, true),
      result.stderr)
    assert.are.same({ failed = 1 }, select(2, s:outcomes()))
  end)
end)

describe("SIGTERM and Ctrl-C", function()
  for _, name in ipairs { "TERM", "INT" } do
    it("end the check with 130: " .. name, function()
      local folder = helper.tmpdir()
      helper.write(folder .. "/w.lua", [[return require "xfiot".workflow { name = "w", args = { n = "string" },
        check = function() io.stderr:write "checking\n" while true do end end, run = function() end }]])
      helper.write(folder .. "/rows.csv", "n\n1\n2\n")
      local process = helper.start({ "xfiot", "run", folder .. "/w.lua", "--from", folder .. "/rows.csv" },
        { env = { XFIOT_JOURNAL = folder .. "/journal.db" } })
      process:expect "checking"
      local status, _, text = process:stop(name)
      assert.are.equal(130, status, text)
      assert.truthy(text:find("interrupted", 1, true), text)
    end)
  end
end)
