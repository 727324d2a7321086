-- A swap of meters: what the new ledger begins with; and that a run of balance_sync or
-- meter_swap which is put away or killed anywhere ends as if nothing had been.

local R = require "spec.runs_helper"
local V = require "spec.verbs_helper"
local helper = require "spec.helper"
local runs = require "xfiot.runs"
local xfiot = require "xfiot"

local OLD, NEW = V.BACKEND, "07602190100007116"

local function report(time, total)
  return { callbackData = { data = { { serviceId = "GeneralDataInfo",
                                       serviceData = { deviceTime = time, totalUseValue = total } } } } }
end

-- A platform with OLD's ledger on it.
local function open(more)
  local box = V.open()
  local book = xfiot.settlement(box.client)
  local args = { deviceNo = OLD, deviceId = box.sandbox:device(OLD).deviceId, tariff = V.tariff(), reading = 0,
                 at = "20260101000000", ladder = "290", balance = "100.00" }
  for name, value in pairs(more or {}) do args[name] = value end
  book:open(args)
  return box, book
end

local function price(time, clear_mark, changes)
  local names = V.tariff { priceTime = time, clearMark = clear_mark, priceOne = "4.28", priceTwo = "4.88",
                           priceThree = "5.77", priceVer = 8 }
  for name, value in pairs(changes or {}) do names[name] = value end
  return names
end

local function counter_at(digits)
  return { device_no = NEW, device_id = function() return ("b"):rep(32) end }, { newReading = "0", newDigits = digits }
end

local function succeed(book, digits)
  local meter, args = counter_at(digits)
  return book:succeed(OLD, meter, args)
end

local function close(book, at, reading)
  return book:close { deviceNo = OLD, at = at, reading = reading, evidence = "work order 5" }
end

local function count(book, which, kind)
  local found = 0
  for entry in book:entries(which) do
    if entry.kind == kind then found = found + 1 end
  end
  return found
end

describe("the ledger of a meter's successor", function()
  local box, book
  local function fresh(more)
    box, book = open(more)
  end
  after_each(function() box:__close() end)

  local COMING = { -- a price recorded on the old ledger; what 20 m³ cost on the new one after 10 of the old one's
    { "from a later day", price("20260401000000", 0), "20260401000000", 20 * 388, 20 * 488 },
    { "from a later day that clears the ladder", price("20260401000000", 1), "20260401000000", 20 * 388, 20 * 428 },
    { "from the instant of its end", price("20260301000000", 0), "20260302000000", 20 * 488, 20 * 488 },
    { "from then on, the ladder cleared", price("20260301000000", 1), "20260302000000", 20 * 428, 20 * 428 },
  }
  for _, row in ipairs(COMING) do
    local what, names, between, before, after = table.unpack(row)
    it("has the price " .. what, function()
      fresh()
      book:price { deviceNo = OLD, tariff = names }
      close(book, "20260301000000", "10")
      local shown = succeed(book)
      book:take(NEW, report(between, "20"), "x")
      book:take(NEW, report("20260501000000", "40"), "x")
      assert.are.equal(10000 - 10 * 328 - before - after, book:standing(NEW).balance)
      assert.are.equal("67.20", shown.balance)
    end)
  end

  it("has of prices with one start the one that was known last, and none twice", function()
    fresh()
    book:price { deviceNo = OLD, tariff = price("20260401000000", 0) }
    book:price { deviceNo = OLD, tariff = price("20260401000000", 0, { priceTwo = "1.00" }) }
    close(book, "20260301000000", "10")
    assert.are.same(succeed(book), succeed(book))
    assert.are.equal(2, count(book, NEW, "tariff"))
    book:take(NEW, report("20260401000000", "0"), "x")
    book:take(NEW, report("20260501000000", "20"), "x")
    assert.are.equal(6720 - 2000, book:standing(NEW).balance)
  end)

  it("begins the ladder anew where a period starts at the end of the old one", function()
    fresh { at = "20251201000000" }
    close(book, "20260101000000", "20")
    assert.are.equal("1", tostring(succeed(book).ladderNo))
    assert.are.equal(0, book:standing(NEW).ladder)
  end)

  for given, most in pairs { [0] = "999999", [8] = "99999999" } do
    it("counts with as many digits as " .. (given == 0 and "the old one's" or "it was told"), function()
      fresh { digits = 6, reading = "999990" }
      close(book, "20260301000000", "999999")
      succeed(book, given > 0 and given or nil)
      book:counter { deviceNo = NEW, at = "20260302000000", old = "0", new = most, evidence = "x" }
      book:take(NEW, report("20260303000000", "1.2"), "x")
      assert.are.same({ 0, 299000 + 2200 }, { book:standing(NEW).held, book:standing(NEW).ladder })
    end)
  end

  it("gets what was paid to the old one meanwhile, also when nothing was left there", function()
    fresh { balance = "32.80" }
    close(book, "20260301000000", "10")
    local shown = succeed(book)
    assert.are.equal("0.00", shown.balance)
    book:pay { deviceNo = OLD, order = "R-1", amount = 50 }
    assert.are.same(shown, succeed(book))
    assert.are.equal(5000, book:standing(NEW).balance)
    assert.are.equal(0, book:standing(OLD).balance)
  end)
end)

describe("a close", function()
  local box, book
  before_each(function()
    box, book = open { ladder = 0 }
    book:take(OLD, report("20260101140000", "20"), "x")
  end)
  after_each(function() box:__close() end)

  it("before the last report that was settled is refused, and refunds nothing", function()
    local err = V.failure(close, book, "20260101130000", "21")
    assert.are.equal("at", err.field)
    assert.truthy(err.message_en:find("20.0 m³ at 20260101140000", 1, true), err.message_en)
    assert.are.equal(10000 - 20 * 328, book:standing(OLD).balance)
    assert.are.equal(2, count(book, OLD, "open") + count(book, OLD, "charge"))
  end)

  it("is done at that time once the report was set aside", function()
    book:ignore { deviceNo = OLD, at = "20260101140000", reading = "20", evidence = "the next customer's" }
    assert.are.equal(10000 - 10 * 328, close(book, "20260101130000", "10").balance)
  end)

  it("at its very time charges the rest", function()
    local stands = close(book, "20260101140000", "21")
    assert.are.same({ 10000 - 21 * 328, "20260101140000" }, { stands.balance, stands.closed })
  end)

  it("without a time is at the last report's, where the meter's clock is ahead", function()
    book:take(OLD, report("20990101140000", "20"), "x")
    assert.are.equal("reading", V.failure(close, book, nil, "19").field)
    local stands = close(book, nil, "21")
    assert.are.same({ 10000 - 21 * 328, "20990101140000" }, { stands.balance, stands.closed })
  end)
end)

-- ---- runs

local function script(box, name, args)
  local text = R.read(helper.root .. "/scripts/" .. name .. ".lua")
  return text, text.workflow:read_args(args), box
end

-- Runs it with a rest before every step; between(n) is done in each.
local function with_rests(box, name, args, between)
  local text, checked = script(box, name, args)
  local run, n = runs.begin(box.client, text, checked), 0
  while true do
    local seen = false
    function run.paused()
      local stop = seen
      seen = true
      return stop
    end
    local outcome = run:drive()
    if outcome.state ~= "waiting" then return outcome, n end
    n = n + 1
    assert(n < 20, "it rests for ever")
    between(n)
    run = runs.take(box.client, R.row(box, run.id), text)
  end
end

-- Runs it, killed instead of its write of that number, and then once more with what is
-- on disk. Returns nil when it does not write so often.
local function with_kill(box, name, args, number, between)
  local text, checked = script(box, name, args)
  local journal, writes = box.client.orders:journal(), 0
  local run = runs.begin(box.client, text, checked)
  function journal:enqueue(...)
    writes = writes + 1
    if writes >= number then error("killed", 0) end
    return getmetatable(self).enqueue(self, ...)
  end
  run:drive()
  journal.enqueue = nil
  if writes < number then return nil end
  local order = box.client.orders:find "S-1"
  if order and order.state == "sent" then return { state = "sent" } end -- for a person; see orders_spec
  between()
  local client = box:another()
  local row = run.id and run.id > 0 and R.row(box, run.id)
  local again = row and runs.load(client, row, text, { token = run.token }) or runs.new(client, text,
    require("xfiot.core").encode(checked))
  local outcome = again:drive()
  client.orders:journal():close()
  return outcome
end

local SWAP = { deviceNo = OLD, newDeviceNo = NEW, reading = "20", order = "S-1" }
local LEFT <const> = 10000 - 3280 - 3880

describe("meter_swap", function()
  it("ends in the same ledger, put away before each step, while payments arrive", function()
    local box <close>, book = open()
    local outcome, rests = with_rests(box, "meter_swap", SWAP, function(n)
      book:pay { deviceNo = OLD, order = "R-" .. n, amount = 10 }
      if book:find(NEW) then book:pay { deviceNo = NEW, order = "N-" .. n, amount = 1 } end
    end)
    assert.are.equal("succeeded", outcome.state, outcome.text)
    assert.truthy(rests >= 4, rests)
    assert.are.equal(0, book:standing(OLD).balance)
    assert.are.equal(LEFT + rests * 1000 + 100 * count(book, NEW, "payment"), book:standing(NEW).balance)
    local opened = box.sandbox:ledger(NEW)
    assert.are.same({ 1, "ACCOUNT_OPEN" }, { #opened, opened[1].method })
  end)

  it("ends in the same ledger, killed at any write, while payments arrive", function()
    local number, outcome = 0
    repeat
      number = number + 1
      local box <close>, book = open()
      outcome = with_kill(box, "meter_swap", SWAP, number, function()
        book:pay { deviceNo = book:find(NEW) and NEW or OLD, order = "R-1", amount = 10 }
      end)
      if outcome and outcome.state ~= "sent" then
        assert.are.equal("succeeded", outcome.state, number .. ": " .. tostring(outcome.text))
        assert.are.same({ 0, LEFT + 1000 }, { book:standing(OLD).balance, book:standing(NEW).balance })
        assert.are.equal(3, box.client:query({ deviceNo = OLD }).deviceState)
        assert.are.equal(1, #box:done(NEW))
        assert.are.equal(1, count(book, NEW, "sync"))
      end
    until not outcome
    assert.truthy(number > 10, number)
  end)

  it("of a meter that keeps its money goes on with what it has read, though the meter reports meanwhile", function()
    local box <close> = V.open()
    local args = { deviceNo = V.MONEY, newDeviceNo = NEW, reading = "0", order = "S-2", cardNo = "0000000001",
                   tariff = V.tariff() }
    local outcome, rests = with_rests(box, "meter_swap", args, function(n)
      local meter = box:meter(V.MONEY)
      meter:recall()
      local known = require("xfiot.core").decode(meter.remembered and meter.remembered.report or "null")
      if not known then return end
      for _, item in ipairs(known.callbackData.data) do
        if item.serviceId == "MoneyMeterInfo" then item.serviceData.surplusMoney = n .. ".00" end
      end
      meter.latest_report = known -- as serve would write down a newer one
      meter.latest_report.receiveTime = ("2099%010d"):format(n)
      meter:remember()
    end)
    assert.are.equal("succeeded", outcome.state, outcome.text)
    assert.truthy(rests >= 2, rests)
  end)

  it("given again after its end sends nothing else, whatever was paid meanwhile", function()
    local box <close>, book = open()
    local text, checked = script(box, "meter_swap", SWAP)
    assert.are.equal("succeeded", runs.begin(box.client, text, checked):drive().state)
    book:pay { deviceNo = OLD, order = "R-1", amount = 10 }
    local outcome = runs.begin(box.client, text, checked):drive()
    assert.are.equal("succeeded", outcome.state, outcome.text)
    assert.are.equal(LEFT + 1000, book:standing(NEW).balance)
    assert.are.equal(1, #box:done(NEW))
  end)

  it("refuses a counter that cannot be before anything is done", function()
    local box <close>, book = open()
    for field, more in pairs { newDigits = { newDigits = 3 }, ["newDigits "] = { newReading = "100000" } } do
      local args = {}
      for name, value in pairs(SWAP) do args[name] = value end
      for name, value in pairs(more) do args[name] = value end
      local text, checked = script(box, "meter_swap", args)
      local outcome = runs.begin(box.client, text, checked):drive()
      assert.are.equal("failed", outcome.state)
      assert.are.equal(field:match "%w+", outcome.error.field)
      assert.is_nil(book:standing(OLD).closed)
    end
  end)
end)

describe("balance_sync", function()
  local ARGS = { deviceNo = OLD }

  it("goes on where it was though reports were settled meanwhile", function()
    local box <close>, book = open()
    local first
    local outcome = with_rests(box, "balance_sync", ARGS, function(n)
      first = first or book:standing(OLD)
      book:take(OLD, report(("2026%02d05000000"):format(n + 1), tostring(n * 10)), "push " .. n)
    end)
    assert.are.equal("succeeded", outcome.state, outcome.text)
    local stands = book:standing(OLD)
    assert.are.same({ balance = first.balance, price = first.price, tier = first.tier }, stands.told)
    assert.truthy(stands.balance < first.balance)
  end)

  it("goes on where it was killed, at any write", function()
    local number, outcome = 0
    repeat
      number = number + 1
      local box <close>, book = open()
      outcome = with_kill(box, "balance_sync", ARGS, number, function()
        book:take(OLD, report("20260205000000", "10"), "push 1")
      end)
      if outcome then
        assert.are.equal("succeeded", outcome.state, number .. ": " .. tostring(outcome.text))
        assert.are.equal(1, count(book, OLD, "sync"))
      end
    until not outcome
    assert.truthy(number > 4, number)
  end)

  it("notes what it was given, since that is what the display shows", function()
    local box <close>, book = open()
    local text, checked = script(box, "balance_sync", { deviceNo = OLD, balance = "5.00" })
    assert.are.equal("succeeded", runs.begin(box.client, text, checked):drive().state)
    assert.are.equal(500, book:standing(OLD).told.balance)
  end)
end)
