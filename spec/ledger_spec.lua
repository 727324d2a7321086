-- xfiot ledger: statements, checks and month ends, as a clerk and an auditor run them.

local C = require "spec.cli_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"
local journals = require "xfiot.journal"
local settlement = require "xfiot.settlement"

local METER, ID = "07602190100007116", ("a"):rep(32)
local TARIFF = core.encode {
  priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 300, ladderGasTwo = 420, gasType = 1,
  priceVer = 1, pricePeriod = 12, priceTime = "20240101000000", ladderTime = "20240101000000",
}

local function report(time, total)
  return { callbackData = { data = { { serviceId = "GeneralDataInfo",
                                       serviceData = { deviceTime = time, totalUseValue = total } } } } }
end

local function decode_lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(core.decode(line)) end
  return list
end

describe("xfiot ledger", function()
  local env, path

  before_each(function()
    path = helper.tmpdir() .. "/journal.db"
    env = { env = { XFIOT_JOURNAL = path, XFIOT_COMPANY_CODE = "666666" } }
  end)

  local function ledger(...) return C.xfiot({ "ledger", ... }, env) end
  local function good(...)
    local done = ledger(...)
    assert.are.equal(0, done.status, done.stderr .. done.stdout)
    return done.stdout
  end
  local function open(...)
    return good("open", METER, "--tariff", TARIFF, "--at", "20240101000000", "--reading", "0", "--ladder", "290",
      "--device-id", ID, ...)
  end
  -- What a handler of serve would do.
  local function with_book(f)
    local journal <close> = journals.open(path)
    return f(settlement.new(journal, "666666"), journal)
  end
  local function used(total)
    with_book(function(book) book:take(METER, report("20240201000000", total), "push 7") end)
  end

  it("opens, books payments once, and tells how the meter stands", function()
    open("--balance", "600")
    assert.are.equal("650.00", core.decode(good("pay", METER, "--order", "R-1", "--amount", "50")).balance)
    assert.are.equal("650.00", core.decode(good("pay", METER, "--order", "R-1", "--amount", "50.00")).balance)
    assert.are.equal("645.00", core.decode(good("pay", METER, "--order", "R-2", "--amount=-5")).balance)
    good("pay", METER, "--order", "R-3", "--amount", "5")
    used "140.0"
    local stands = decode_lines(good("list", "--json"))[1]
    assert.are.same({ device_no = METER, balance = "103.90", price = "4.77", tier = 3, ladder = "430.0",
                      left = "21.781", time = "20240201000000", held = 0, closed = core.null }, stands)
  end)

  it("knows the meter by the platform's id, which it asks for unless it is given", function()
    open()
    with_book(function(book) assert.are.equal(METER, book:find(ID).device_no) end)
    C.assert_sentence(ledger("open", "8", "--tariff", TARIFF, "--at", "20240101000000", "--reading", "0"), 2)
    local server = C.serve()
    local done = C.xfiot({ "ledger", "open", "30030000000001", "--tariff", TARIFF, "--at", "20240101000000",
                           "--reading", "0" }, server:with { XFIOT_JOURNAL = path })
    local device = C.xfiot({ "call", "query", "deviceNo=30030000000001" }, server:with())
    server:stop()
    assert.are.equal(0, done.status, done.stderr)
    with_book(function(book)
      local id = core.decode(device.stdout).deviceId
      assert.are.equal("30030000000001", book.journal:read("ledger_of", id).device_no)
    end)
  end)

  it("prints a statement that says how each amount came about", function()
    open("--balance", "600")
    used "140.0"
    local text = good("show", METER)
    for _, part in ipairs { METER, "用气扣费 gas used, reading 140.0 m³  [push 7]", "tier 2: 120.0 m³ x 3.88 = 465.60",
                            "exact 546.10, rounding 0.00, charged 546.10", "balance 600.00 -> 53.90" } do
      assert.truthy(text:find(part, 1, true), text)
    end
  end)

  it("prints it for programs", function()
    open("--balance", "600")
    used "140.0"
    local line = decode_lines(good("show", METER, "--json"))[2]
    assert.are.same({ "charge", "-546.10", "53.90", "290.0", "430.0", "push 7" },
      { line.kind, line.amount, line.balance, line.ladder_from, line.ladder_to, line.evidence })
    assert.are.same({ tier = 1, gas = "10.0", price = "3.28" }, line.tiers[1])
    local head, opened = good("show", METER, "--csv", "--limit", "1"):match "^([^\n]*)\n([^\n]*)\n$"
    assert.truthy(head:find "^device_no,seq,booked_at,kind,")
    assert.truthy(opened:find(METER .. ",1,%d+,open,20240101000000,,0.0,,,600.00,600.00,false,"), opened)
  end)

  it("takes decisions of a person, with the reason", function()
    open()
    used "900"
    good("ignore", METER, "--at", "20240201000000", "--reading", "900", "--note", "faulty counter")
    assert.truthy(good("show", METER):find("faulty counter", 1, true))
    good("counter", METER, "--at", "20240301000000", "--old", "10", "--new", "0", "--note", "new counter")
    good("price", METER, "--tariff", (TARIFF:gsub("}$", ',"clearMark":0}')))
    assert.are.equal("20240401000000",
      core.decode(good("close", METER, "--at", "20240401000000", "--reading", "5", "--note", "gone")).closed)
  end)

  it("finds nothing to say about books that agree", function()
    open()
    used "140.0"
    assert.are.equal("", good "check")
  end)

  it("lists what a person must look at", function()
    open("--balance", "10")
    with_book(function(book)
      book:take(METER, report("20240201000000", "140"), "push 7")
      book:take(METER, report("20240301000000", "3"), "push 8")
      book:take(METER, report("20250201000000", "141"), "push 9")
      book:take(METER, report("20240115000000", "800"), "push 10")
    end)
    local what = {}
    for _, line in ipairs(decode_lines(good("check", "--json"))) do what[#what + 1] = line.what end
    assert.are.same({ "held", "held", "provisional" }, what)
    good("ignore", METER, "--at", "20240115000000", "--reading", "800", "--note", "faulty")
    assert.are.equal(2, #decode_lines(good("check", "--json")))
    good("close", METER, "--at", "20250301000000", "--reading", "141", "--note", "gone")
    local done = ledger("check", "--json")
    assert.are.equal(1, done.status)
    assert.truthy(done.stdout:find('"what":"closed"', 1, true))
  end)

  it("says of held readings why they are", function()
    open("--balance", "10")
    with_book(function(book)
      local ahead = report("20990101000000", "140")
      ahead.receiveTime = "20240201000000"
      book:take(METER, ahead, "push 7")
      book:take(METER, report("20240202000000", "100000000"), "push 8")
      book:take(METER, report("20240203000000", "12.3456"), "push 9")
      book:take(METER, report("20000101000000", "5"), "push 10")
    end)
    local notes = {}
    for i, line in ipairs(decode_lines(good("check", "--json"))) do notes[i] = line.what .. " " .. line.note end
    assert.are.same({
      "held reading 5.0 m³ at 20000101000000: from before the ledger, but more gas than known: its clock is wrong",
      "held reading 100000000.0 m³ at 20240202000000: more than its counter can show",
      'held reading 12.345 m³ at 20240203000000: nothing that its counter can show, it came as "12.3456"',
      "held reading 140.0 m³ at 20990101000000: its clock is ahead of the platform's",
    }, notes)
    local text = good("show", METER)
    assert.truthy(text:find('reading in doubt, reading 12.345 m³: nothing that its counter can show', 1, true), text)
    good("ignore", METER, "--at", "20240203000000", "--reading", "12.345", "--note", "garbled")
    assert.are.equal(3, #decode_lines(good("check", "--json")))
  end)

  -- A meter with money of its own, as its newest report has it.
  local function known(journal, money)
    local message = { receiveTime = "20300101000000", callbackData = { chargeType = "2", data = {
      { serviceId = "MoneyMeterInfo", serviceData = money } } } }
    assert(journal.file:remember { company_code = "666666", device_no = METER, device_id = ID,
                                   report = core.encode(message), report_time = "20300101000000", updated_at = 1 })
  end

  local function applied(journal, order, amount, bill)
    assert(journal.file:begin())
    assert.are.equal("new", (journal.file:place({ order = order, company_code = "666666",
      device_no = METER, device_id = ID, method = "RECHARGE_REMOTE", variant = "RECHARGE_REMOTE", bill_no = bill,
      amount = amount, amount_thousandths = core.decimal(amount, 2), body = "{}", expire_time = 86400,
      created_at = 100 }, order)))
    for _, step in ipairs { { to = "sent", deadline = 200 }, { to = "accepted", command_id = ("%032d"):format(bill) },
                            { to = "applied" } } do
      step.order, step.at = order, 100
      assert.are.equal("done", (journal.file:advance(step)))
    end
    assert(journal.file:commit())
  end

  local MONEY = { -- what the meter reports, the findings
    { { totalBuyMoney = "150.00", totalUseMoney = "40.00", surplusMoney = "110.00" }, {} },
    { { totalBuyMoney = "200.00", totalUseMoney = "40.00", surplusMoney = "160.00" }, { { "bought", "50.00" } } },
    { { totalBuyMoney = "150.00", totalUseMoney = "40.00", surplusMoney = "109.00" }, { { "left", "-1.00" } } },
    { { totalBuyMoney = "150.00", surplusMoney = "1.00" }, {} },
  }
  for i, row in ipairs(MONEY) do
    it("compares what a money meter reports with its orders, case " .. i, function()
      with_book(function(_, journal)
        known(journal, row[1])
        applied(journal, "R-1", "100.00", 1)
        applied(journal, "R-2", "50.00", 2)
      end)
      local done = ledger("check", "--json")
      assert.are.equal(#row[2] > 0 and 1 or 0, done.status)
      local found = {}
      for j, line in ipairs(decode_lines(done.stdout)) do found[j] = { line.what, line.drift } end
      assert.are.same(row[2], found)
    end)
  end

  -- What a money meter of some age reports, whose ladder is at 290 m³ when its ledger opens.
  local FIRST, SECOND = { "20240201000000", "510.0", "532.80" }, { "20240202000000", "520.0", "571.60" }
  local function aged(book, row)
    local message = report(row[1], row[2])
    message.callbackData.chargeType = "2"
    message.callbackData.data[2] = { serviceId = "MoneyMeterInfo", serviceData = { totalUseMoney = row[3] } }
    book:take(METER, message, "push")
  end

  for _, reports in ipairs { { FIRST, SECOND }, { SECOND, FIRST } } do
    for used_money, drift in pairs { ["571.60"] = false, ["571.59"] = "-0.01" } do
      it(("compares what a money meter charges with its ledger: %s at last, %s first"):format(used_money,
        reports[1][1]), function()
        good("open", METER, "--tariff", TARIFF, "--at", "20240101000000", "--reading", "500", "--ladder", "290",
          "--device-id", ID)
        with_book(function(book, journal)
          for _, row in ipairs(reports) do aged(book, row) end
          known(journal, { totalBuyMoney = "0.00", totalUseMoney = used_money, surplusMoney = "-" .. used_money })
        end)
        local found = decode_lines(ledger("check", "--json").stdout)
        assert.are.equal(drift and 1 or 0, #found)
        if drift then
          assert.are.same({ "used", "38.80", "38.79", drift },
            { found[1].what, found[1].expected, found[1].found, found[1].drift })
        end
      end)
    end
  end

  it("compares nothing before a report has said what the meter had charged", function()
    open()
    used "10.0"
    with_book(function(_, journal)
      known(journal, { totalBuyMoney = "0.00", totalUseMoney = "932.79", surplusMoney = "-932.79" })
    end)
    assert.are.equal("", good "check")
  end)

  it("sums up a month", function()
    open("--balance", "600")
    used "140.0"
    good("pay", METER, "--order", "R-1", "--amount", "50")
    local now = core.timestamp()
    local line = decode_lines(good("month", now:sub(1, 6), "--json"))[1]
    assert.are.same({ device_no = METER, opening = "0.00", payments = "50.00", charges = "-546.10",
                      adjustments = "0.00", carried = "600.00", closing = "103.90", gas = "140.0", entries = 3 }, line)
    assert.are.equal("", good("month", "202001", "--json"))
    assert.truthy(good("month", now:sub(1, 6)):find "total +0.00 +50.00 +%-546.10")
    assert.truthy(good("month", now:sub(1, 6), "--csv"):find "^device_no,opening,")
  end)

  local GAS = { -- what happens to the meter, its gas in m³
    { "a reading set aside", "20.0", function(book)
      book:take(METER, report("20240110000000", "10"), "push 1")
      book:take(METER, report("20240111000000", "500"), "push 2")
      book:ignore { deviceNo = METER, at = "20240111000000", reading = "500", evidence = "faulty" }
      book:take(METER, report("20240112000000", "20"), "push 3")
    end },
    { "another counter", "20.0", function(book)
      book:take(METER, report("20240110000000", "10"), "push 1")
      book:counter { deviceNo = METER, at = "20240111000000", old = "15", new = "0", evidence = "new" }
      book:take(METER, report("20240112000000", "5"), "push 2")
    end },
    { "a split that is corrected", "21.0", function(book)
      book:take(METER, report("20250103000000", "20"), "push 1")
      book:take(METER, report("20250102000000", "15"), "push 2")
      book:take(METER, report("20250104000000", "21"), "push 3")
    end },
    { "a reading that is held", "0.0", function(book)
      book:take(METER, report("20240110000000", "100000"), "push 1")
    end },
  }
  for _, row in ipairs(GAS) do
    it("sums up the gas of a month with " .. row[1], function()
      open()
      with_book(row[3])
      assert.are.equal(row[2], decode_lines(good("month", core.timestamp():sub(1, 6), "--json"))[1].gas)
    end)
  end

  local WRONG = {
    { "show" }, { "show", "nobody" }, { "bogus" }, { "month" }, { "month", "202413" }, { "open", METER },
    { "open", METER, "--at", "20240101000000", "--reading", "0" },
    { "open", METER, "--at", "20240101000000", "--reading", "0", "--tariff", "{}" },
    { "open", METER, "--at", "2024", "--reading", "0", "--tariff", TARIFF }, { "pay", METER, "--order", "R-1" },
    { "show", METER, "--since", "yesterday" },
  }
  for _, words in ipairs(WRONG) do
    it("refuses in one sentence: " .. table.concat(words, " "):sub(1, 60), function()
      open "--json"
      C.assert_sentence(ledger(table.unpack(words)), 2)
    end)
  end

  it("needs a company", function()
    env.env.XFIOT_COMPANY_CODE = nil
    C.assert_sentence(ledger "list", 2)
  end)

  it("reads from a journal that is not there as from an empty one", function()
    C.assert_sentence(ledger "list", 0)
    C.assert_sentence(ledger "check", 0)
    C.assert_sentence(ledger("show", METER), 2)
  end)
end)
