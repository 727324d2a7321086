-- Campaigns as they are run: the program over a file of rows, against the built-in
-- platform in a process of its own.

local C = require "spec.cli_helper"
local M = require "spec.campaign_helper"
local core = require "xfiot.core"
local crash = require "spec.crash_helper"
local helper = require "spec.helper"

local HEAD, row, rows, stage = M.HEAD, M.row, M.rows, M.stage

-- ---- before anything is sent

local BAD = { -- what, text, words of stderr, more arguments
  { "bad cells, all of them", HEAD .. row(1) .. "B,,1.00\nC,3001,1.234\n", { "line 3: deviceNo is missing",
    "line 4: amount must be an amount", "2 of 3 rows" } },
  { "a key twice", HEAD .. row(1) .. row(2) .. row(1), { 'line 4: order "A-1-1" stands on line 2 already' } },
  { "an empty key", HEAD .. ",30010000000001,1.00\n", { "line 2: order is empty, and it is the key" } },
  { "a number that a spreadsheet rounded", HEAD .. "A,3.00100E+13,1.00\n", { "line 2: deviceNo was made a rounded" } },
  { "a number that a spreadsheet rounded more", HEAD .. "A,3E+13,1.00\n", { "line 2: deviceNo was made a rounded" } },
  { "the apostrophe of spreadsheets", HEAD .. "A,'30010000000001,1.00\n", { "line 2: deviceNo begins with the apos" } },
  { "a rounded key", "card,order,deviceNo,amount\n7.1E+18,A,1,1\n", { "line 2: card was made a rounded" },
    { "--key", "card" } },
  { "what the verb refuses", HEAD .. "A,30010000000001,-5\nB,30010000000002,0\nC,30010000000003,99999999\n"
    .. "D,300100000000013001000000000130012,1\nE\u{3000},30010000000001,1\nF\u{200b}G,30010000000001,1\n",
    { "line 2: amount must be a positive", "line 3: amount must be a positive", "line 4: amount must be a decimal from",
      "line 5: deviceNo must be text of 1 to 32", "line 6: order must not begin or end", "line 7: order must not begin",
      "6 of 6 rows" } },
  { "NUL", HEAD .. "A,3001\0,1.00\n", { "line 2: deviceNo must be text in UTF-8 without NUL" } },
  { "an order twice, under another key", "deviceNo,order,amount\n30010000000001,A,1\n30010000000002,B,1\n"
    .. "30010000000003,A,1\n", { 'line 4: order "A" stands on line 2 already', "1 of 3 rows" },
    { "--key", "deviceNo" } },
  { "one order for all rows", "deviceNo,amount\n30010000000001,1\n30010000000002,1\n",
    { 'line 3: order "A" stands on line 2 already' }, { "order=A" } },
  { "a quote that is not closed, and rows before it", HEAD .. "A,30010000000001,0\n\"B,30010000000001,1\n",
    { "line 2: amount must be a positive", "line 3: the row: a quote is not closed (引号没有闭合)", "2 of 2 rows" } },
  { "what is no UTF-8", HEAD .. row(1) .. "\xff,30010000000001,1\n", { "line 3: the row: not in UTF-8" } },
  { "a row without an end", HEAD .. row(1) .. '"' .. ("1,2\n"):rep(40000),
    { "line 3: the row: the row does not end" } },
  { "a folder", rows(1, 1), { "/ is a folder" }, { "--from", "/" } },
  { "a device", rows(1, 1), { "/dev/null is a pipe or a device, but the rows are read several times" },
    { "--from", "/dev/null" } },
  { "a share above all", rows(1, 1), { "--max-failures must be" }, { "--max-failures", "101%" } },
  { "results that are no file", rows(1, 1), { "--results / is no file" }, { "--results", "/" } },
  { "results that cannot be written", rows(1, 1), { "--results /nowhere/results.csv cannot be written" },
    { "--results", "/nowhere/results.csv" } },
  { "too many cells", HEAD .. "A,30010000000001,1.00,more\n", { "line 2: the row has more cells" } },
  { "a missing column", "order,deviceNo\nA,1\n", { "there is no column amount" } },
  { "a missing key column", rows(1, 1), { "there is no column 户号" }, { "--key", "户号" } },
  { "a value twice", rows(1, 1), { "amount is a column, and given for all rows as well" }, { "amount=5" } },
  { "no file", nil, { "rows.csv" } },
  { "no rows' encoding", rows(1, 1), { "--encoding must be" }, { "--encoding", "latin1" } },
  { "a rate that is none", rows(1, 1), { "--rate must be" }, { "--rate", "fast" } },
  { "a limit that is none", rows(1, 1), { "--max-failures must be" }, { "--max-failures", "many" } },
  { "no prices to verify", rows(1, 1), { "--verify goes with" }, { "--verify" } },
}

describe("a campaign is refused for", function()
  for _, case in ipairs(BAD) do
    it(case[1], function()
      local s <close> = stage { meters = 3, rows = case[2] }
      local result = s:run(table.unpack(case[4] or {}))
      assert.are.equal(2, result.status, result.stderr)
      for _, words in ipairs(case[3]) do assert.truthy(result.stderr:find(words, 1, true), result.stderr) end
      assert.are.equal(0, s:executed())
      assert.are.same({}, s:runs())
    end)
  end

  it("bad rows, which its results tell", function()
    local s <close> = stage { meters = 3, rows = HEAD .. row(1) .. "B,3001,1.234\n" }
    s:run()
    local by_key, count = s:outcomes()
    assert.are.equal("invalid", by_key.B)
    assert.are.same({ invalid = 1, [""] = 1 }, count)
  end)
end)

-- ---- to its end

describe("a campaign", function()
  it("does every row once, and a second time nothing", function()
    local s <close> = stage { meters = 60, rows = rows(1, 60) }
    local result = s:run()
    assert.are.equal(0, result.status, result.stderr)
    assert.are.equal(60, s:executed())
    assert.are.same({ applied = 60 }, select(2, s:outcomes()))
    result = s:run()
    assert.are.equal(0, result.status, result.stderr)
    assert.truthy(result.stderr:find("every row was done before", 1, true))
    assert.are.equal(60, s:executed())
    local line = s:runs()[1]
    local names = {}
    for name in pairs(line) do names[#names + 1] = name end
    table.sort(names)
    assert.are.equal("created_at error id key result state step updated_at waiting_for workflow",
      table.concat(names, " "))
    assert.are.equal("A-1-1", line.key)
    assert.are.equal("applied", line.result.state)
  end)

  it("does what was added to its file", function()
    local s <close> = stage { meters = 6, rows = rows(1, 4) }
    s:run()
    helper.write(s.csv, rows(1, 6))
    assert.are.equal(0, s:run().status)
    assert.are.equal(6, s:executed())
    assert.are.same({ applied = 6 }, select(2, s:outcomes()))
  end)

  it("tells what came of earlier rows when a later one is bad", function()
    local s <close> = stage { meters = 6, rows = rows(1, 4) }
    s:run()
    helper.write(s.csv, rows(1, 4) .. row(5):gsub("%d%.%d%d", "1.234"))
    assert.are.equal(2, s:run().status)
    assert.are.same({ applied = 4, invalid = 1 }, select(2, s:outcomes()))
  end)

  it("takes files in GBK, and answers in GBK", function()
    local s <close> = stage { meters = 2, faults = "creatCmd:code=500033:1:before",
      rows = "order,deviceNo,amount,\xd0\xd5\xc3\xfb\r\nA-1-1,30010000000001,1.01,\xcd\xf5\r\n" }
    local result = s:run("--encoding", "gbk")
    assert.are.equal(3, result.status, result.stderr)
    assert.truthy(result.stderr:find("columns that are not used: 姓名", 1, true))
    local text = io.open(s.results):read "a"
    assert.truthy(text:find("^order,device_no,outcome,code,message,message_en,remedy\r\n"
      .. "A%-1%-1,30010000000001,rejected,500033,"))
    assert.is_nil(core.measure(text))
  end)

  it("lets the first rows pass before the rest", function()
    local s <close> = stage { meters = 30, rows = rows(1, 30), faults = "creatCmd:code=500033:2:before" }
    local result = s:run("--canary", "3")
    assert.are.equal(3, result.status, result.stderr)
    assert.truthy(result.stderr:find("the first 3 rows have not all succeeded", 1, true), result.stderr)
    assert.are.equal(2, s:executed())
    assert.are.equal(3, #s:runs())
    result = s:run() -- the rejected order stays so; the rest is done
    assert.are.equal(3, result.status)
    assert.are.same({ applied = 29, rejected = 1 }, select(2, s:outcomes()))
  end)

  it("stops by itself when too many rows fail", function()
    local faults = {}
    for i = 1, 200 do faults[i] = ("creatCmd:code=500033:%d:before"):format(i) end
    local s <close> = stage { meters = 200, rows = rows(1, 200), faults = table.concat(faults, ",") }
    local result = s:run("--max-failures", "5", "--concurrency", "1")
    assert.are.equal(3, result.status, result.stderr)
    assert.truthy(result.stderr:find("stopped: 6 rows have failed", 1, true), result.stderr)
    assert.is_true(#s:runs() < 20)
  end)

  it("leaves an order in doubt to a person, and goes on with the decision", function()
    local s <close> = stage { meters = 3, rows = rows(1, 3), faults = "creatCmd:lost:1" }
    assert.are.equal(4, s:run("--concurrency", "1").status)
    local _, count = s:outcomes()
    assert.are.same({ applied = 2, unknown = 1 }, count)
    local doubtful = s:runs("--state", "needs_decision")[1]
    assert.are.equal("a person's decision about order " .. doubtful.key, doubtful.waiting_for)
    C.xfiot({ "orders", "resolve", doubtful.key, "--as", "applied", "--note", "seen" }, { env = s.env })
    assert.are.equal(0, s:run("--resume").status)
    assert.are.same({ applied = 3 }, select(2, s:outcomes()))
    assert.are.equal(3, #s.platform:arrivals().arrivals)
  end)

  it("puts rows away that wait for their meters, and brings them back", function()
    local s <close> = stage { meters = 40, rows = rows(1, 40) }
    local result = s:run("--wait", "0")
    assert.are.equal(3, result.status, result.stderr)
    assert.truthy(result.stderr:find "waiting %d+", result.stderr)
    assert.are.equal(40, #s.platform:arrivals().arrivals)
    local waiting = s:runs("--state", "waiting")
    assert.is_true(#waiting > 0)
    assert.are.equal("order " .. waiting[1].key, waiting[1].waiting_for)
    result = s:run()
    assert.are.equal(0, result.status, result.stderr)
    assert.are.same({ applied = 40 }, select(2, s:outcomes()))
    assert.are.equal(40, #s.platform:arrivals().arrivals)
    assert.are.equal(40, #s:runs("--state", "succeeded"))
  end)

  it("stops at Ctrl-C with what is in flight recorded, and goes on", function()
    local s <close> = stage { meters = 400, rows = rows(1, 400) }
    local process = s:start("--rate", "60/s")
    process:expect "400 rows of"
    while s:executed() < 5 do require("xfiot.loop").sleep(0.02) end
    local status, _, text = process:stop "INT"
    assert.are.equal(130, status, text)
    local done = s:executed()
    assert.is_true(done < 400)
    for _, order in pairs(crash.list(s.env)) do
      assert.truthy(order.state == "applied" or order.state == "accepted" or order.state == "intent", order.state)
    end
    assert.are.equal(0, s:run().status)
    assert.are.same({ applied = 400 }, select(2, s:outcomes()))
    assert.are.equal(400, s:executed())
  end)

  it("of prices reads them back", function()
    local s <close> = stage { meters = 3 }
    helper.write(s.csv, "deviceNo,order\n30010000000001,P1\n30010000000002,P2\n")
    local tariff = core.encode { priceOne = "3.28", ladderGasOne = 300, priceTwo = "3.88", ladderGasTwo = 420,
      priceThree = "4.77", ladderGasThree = 420, priceFour = "4.77", ladderGasFour = 420, priceFive = "4.77",
      gasType = 1, priceVer = 7, pricePeriod = 12, priceTime = "20250101000000", ladderTime = "20250101000000" }
    local result = C.xfiot({ "run", "price_change", "--from", s.csv, "--key", "deviceNo", "--results", s.results,
      "--verify", "tariff=" .. tariff, "clearMark=0" }, { env = s.env })
    assert.are.equal(0, result.status, result.stderr)
    local list = s:runs()
    assert.are.equal(4, #list)
    assert.are.equal("price_change:verify", list[4].workflow)
    assert.are.equal("3.28", list[4].result.priceOne)
    assert.truthy(io.open(s.results):read("a"):find("^deviceNo,order,outcome,code,message,message_en,remedy\n"
      .. "30010000000001,P1,applied,"))
  end)
end)

-- ---- whatever dies

describe("a campaign that is killed at random", function()
  it("does every row at most once, loses none, and tells all of them", function()
    local meters = 240
    local s <close> = stage { meters = meters, rows = rows(1, meters), seed = 5, faults = crash.faults(5, meters) }
    local more = { "--max-failures", "100000", "--wait", "8" }
    math.randomseed(11)
    for _ = 1, 5 do
      local process = s:start(table.unpack(more))
      process:expect "rows of"
      local goal = math.min(meters * 3 // 4, s:executed() + math.random(10, 50))
      for _ = 1, 100 do
        if s:executed() >= goal then break end
        require("xfiot.loop").sleep(0.02)
      end
      process:stop "KILL"
    end
    local result = s:run(table.unpack(more))
    assert.truthy(result.status == 4 or result.status == 3, result.stderr)
    local sum, faults = crash.judge(s.platform, crash.list(s.env))
    assert.are.same({}, faults)
    local by_key, count = s:outcomes()
    for i = 1, meters do assert.truthy(by_key["A-" .. i .. "-1"]) end
    assert.are.equal(sum.applied, count.applied or 0)
    assert.are.equal(sum.unknown, count.unknown or 0)
    assert.are.equal(meters, #s:runs())
  end)

  -- A process that opens the journal's file by the way and closes it has lost SQLite's locks:
  -- the next command that ends takes the log of its commits away.
  it("keeps its journal while other commands come and go", function()
    local s <close> = stage { meters = 12, rows = rows(1, 10), seed = 7 }
    local function pay(number)
      return C.xfiot({ "run", "recharge", ("deviceNo=300100000000%02d"):format(number), "amount=1.00",
                       ("order=A-%d-1"):format(number) }, { env = s.env })
    end
    assert.are.equal(0, pay(11).status)
    local campaign = s:start("--rate", "10/s")
    campaign:expect "rows of"
    assert.are.equal(0, pay(12).status)
    assert.is_truthy(io.open(s.journal .. "-wal"))
    local status, _, said = campaign:stop(false)
    assert.are.equal(0, status, said)
    assert.are.equal(0, s:run().status)
    assert.are.equal(12, s:executed())
    local _, faults = crash.judge(s.platform, crash.list(s.env))
    assert.are.same({}, faults)
  end)

  it("may be given twice at once", function()
    local meters = 150
    local s <close> = stage { meters = meters, rows = rows(1, meters), seed = 6 }
    local one, two = s:start(), s:start()
    local first, _, said_one = one:stop(false)
    local second, _, said_two = two:stop(false)
    assert.truthy(first == 0 or first == 3, said_one)
    assert.truthy(second == 0 or second == 3, said_two)
    local by_key = s:outcomes()
    for i = 1, meters do assert.truthy(by_key["A-" .. i .. "-1"]) end
    assert.is_nil(io.popen(("ls %s | grep -F .new"):format(helper.quote(s.folder))):read "l")
    assert.are.equal(0, s:run().status)
    assert.are.equal(meters, s:executed())
    assert.are.equal(meters, #s:runs())
    local _, faults = crash.judge(s.platform, crash.list(s.env))
    assert.are.same({}, faults)
  end)
end)
