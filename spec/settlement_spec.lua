-- Settlement: worked cases, and that the order in which reports come does not matter.

local core = require "xfiot.core"
local helper = require "spec.helper"
local journals = require "xfiot.journal"
local parallel = require "xfiot.parallel"
local settlement = require "xfiot.settlement"

local METER = "07602190100007116"
local Y = {
  priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 300, ladderGasTwo = 420, gasType = 1,
  priceVer = 1, pricePeriod = 12, priceTime = "20240101000000", ladderTime = "20240101000000",
}

local function with(changes)
  local names = {}
  for name, value in pairs(Y) do names[name] = value end
  for name, value in pairs(changes or {}) do names[name] = value end
  return names
end

local Z = { priceOne = "3.38", priceTwo = "3.98", priceThree = "4.87", priceVer = 2, priceTime = "20240601000000" }
local function z(clear_mark, changes)
  local names = with(Z)
  names.clearMark = clear_mark
  for name, value in pairs(changes or {}) do names[name] = value end
  return names
end

-- A report: time, m³ as text, and frozen records {time, m³}.
local function report(time, total, frozen)
  local data = { { serviceId = "GeneralDataInfo", serviceData = { deviceTime = time, totalUseValue = total } } }
  if frozen then
    local records = {}
    for i, row in ipairs(frozen) do records[i] = { frozenType = "3", frozenDate = row[1], frozenValue = row[2] } end
    data[2] = { serviceId = "FrozenValueInfo", serviceData = { frozenRecords = records } }
  end
  return { deviceId = ("0"):rep(32), callbackData = { data = data } }
end

local function error_of(f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  return err
end

describe("settlement", function()
  local journal, book

  local function fresh()
    if journal then journal:close() end
    journal = journals.open(helper.tmpdir() .. "/journal.db")
    book = settlement.new(journal, "666666")
  end
  before_each(fresh)
  after_each(function()
    journal:close()
    journal = nil
  end)

  local function open(changes)
    local args = { deviceNo = METER, tariff = Y, at = "20240101000000", reading = "0", ladder = "0" }
    for name, value in pairs(changes or {}) do args[name] = value end
    return book:open(args)
  end

  local function take(...) return book:take(METER, report(...), "test") end
  local function balance() return book:standing(METER).balance end
  local function entries(kind)
    local list = {}
    for row in book:entries(METER) do
      if not kind or row.kind == kind then list[#list + 1] = row end
    end
    return list
  end
  local function sums()
    local out = {}
    for row in book:entries(METER) do
      if row.segment then out[row.segment] = (out[row.segment] or 0) - row.fen end
    end
    for segment, fen in pairs(out) do
      if fen == 0 then out[segment] = nil end
    end
    return out
  end

  describe("of a report", function()
    it("charges two crossings in one", function()
      open { ladder = "290", balance = "600.00" }
      assert.are.equal(-54610, take("20240201000000", "140.0").fen)
      assert.are.equal(5390, balance())
    end)

    it("charges a hundred small ones what one large one costs", function()
      open()
      for i = 1, 100 do take(("202401%02d%02d0000"):format(2 + i // 24, i % 24), ("%d.%d"):format(i // 10, i % 10)) end
      assert.are.equal(-3280, balance())
    end)

    it("takes it once, and an older one books nothing", function()
      open()
      take("20240201000000", "10")
      assert.is_nil(take("20240201000000", "10"))
      assert.are.equal(0, take("20240115000000", "4").fen)
      assert.is_nil(take("20240115000000", "4"))
      assert.are.equal(-3280, balance())
    end)

    it("splits it at the period's start where the frozen record tells", function()
      open { ladder = "410", at = "20241201000000" }
      local done = take("20250102000000", "20", { { "20250101000000", "13" } })
      assert.are.equal(-7607, done.fen)
      assert.are.same({ ["20241201000000"] = 5311, ["20250101000000"] = 2296 }, sums())
    end)

    it("leaves all to the old side where none does, until the record comes", function()
      open { ladder = "410", at = "20241201000000" }
      assert.are.equal(-8650, take("20250102000000", "20").fen)
      assert.is_true(entries("charge")[1].provisional)
      local done = take("20250103000000", "20", { { "20250101000000", "13" } })
      assert.are.equal(8650 - 7607, done.fen)
      assert.are.equal(2, #entries("adjustment"))
      assert.are.equal(-7607, balance())
      assert.are.same({ ["20241201000000"] = 5311, ["20250101000000"] = 2296 }, sums())
    end)

    it("refines a provisional split by an older report that comes late", function()
      open { ladder = "410", at = "20241201000000" }
      take("20250103000000", "20")
      take("20250102000000", "15") -- all of this is the old period's, the rest is not
      assert.are.same({ ["20241201000000"] = 3880 + 477 * 5, ["20250101000000"] = 1640 }, sums())
    end)

    it("does not look at a frozen record before the last report", function()
      open { ladder = "410", at = "20241201000000" }
      take("20241231120000", "5", { { "20241231000000", "4" } })
      take("20250102000000", "20")
      assert.are.same({ ["20241201000000"] = 8650 }, sums())
    end)

    it("keeps the instant itself on the old side", function()
      open { at = "20241201000000" }
      take("20250101000000", "10")
      take("20250101000001", "11")
      assert.are.same({ ["20241201000000"] = 3280, ["20250101000000"] = 328 }, sums())
    end)

    it("goes over several periods", function()
      open { tariff = with { pricePeriod = 1, ladderTime = "20240131000000" }, at = "20240131000000" }
      take("20240501000000", "40", { { "20240229000000", "10" }, { "20240331000000", "20" },
                                     { "20240430000000", "30" } })
      assert.are.same({ ["20240131000000"] = 3280, ["20240229000000"] = 3280, ["20240331000000"] = 3280,
                        ["20240430000000"] = 3280 }, sums())
    end)

    it("goes on where the counter rolls over", function()
      open { reading = "99998.5" }
      take("20240201000000", "1.2")
      assert.are.equal(-886, balance())
    end)

    it("holds a smaller value that is no roll-over for a person", function()
      open { reading = "500" }
      take("20240201000000", "510")
      assert.are.equal(0, take("20240301000000", "3").fen)
      assert.are.equal(1, book:standing(METER).held)
      assert.are.equal("held", entries()[3].kind)
      take("20240302000000", "520")
      assert.are.equal(-6560, balance())
    end)

    it("books nothing for a late one that contradicts what was charged, until a person decides", function()
      open()
      take("20240201000000", "10")
      take("20240301000000", "20")
      local late = take("20240115000000", "500")
      assert.are.same({ 0, -6560 }, { late.fen, balance() })
      assert.are.equal("contradicted", entries()[4].kind)
      take("20240401000000", "30")
      assert.are.equal(-9840, balance())
      book:restore { deviceNo = METER, at = "20240115000000", reading = "500", evidence = "it is right" }
      assert.are.equal(3, book:standing(METER).held)
      book:ignore { deviceNo = METER, at = "20240115000000", reading = "500", evidence = "it is not" }
      assert.are.same({ 0, -9840 }, { book:standing(METER).held, balance() })
    end)

    it("takes one held as good once what was between has come", function()
      open { reading = "98000" }
      take("20240301000000", "500")
      assert.are.equal(1, book:standing(METER).held)
      take("20240201000000", "99500")
      assert.are.equal(0, book:standing(METER).held)
      assert.are.equal(1, #entries("released"))
      local in_order = balance()
      fresh()
      open { reading = "98000" }
      take("20240201000000", "99500")
      take("20240301000000", "500")
      assert.are.equal(balance(), in_order)
    end)

    it("without a ledger, or without a total, changes nothing", function()
      assert.is_nil(take("20240201000000", "10"))
      open()
      assert.is_nil(book:take(METER, { callbackData = { data = {} } }, "test"))
      assert.is_nil(take("20240201000000", ""))
      assert.is_nil(take("20240230000000", "10"))
      assert.are.equal(1, #entries())
    end)
  end)

  describe("of a reading that cannot be believed", function()
    local function late(time, total, received)
      local message = report(time, total)
      message.receiveTime = received
      return book:take(METER, message, "test")
    end
    local function held() return book:standing(METER).held end
    local function ignore(time, total)
      book:ignore { deviceNo = METER, at = time, reading = total, evidence = "it is not" }
    end

    local CANNOT = { -- the value as it comes, the reading by which a person names it
      { "100000", "100000" }, { "100000000", "100000000" }, { "99999999999999.999", "100000000000" },
      { "9223372036854775.807", "100000000000" }, { "9223372036854775808", "100000000000" },
      { ("9"):rep(80) .. ".5", "100000000000" }, { "12.3456", "12.345" }, { "-5", "0" }, { 12.3456, "12.345" },
    }
    for _, row in ipairs(CANNOT) do
      it(("holds %s for a person, and charges nothing"):format(tostring(row[1]):sub(1, 24)), function()
        open { reading = "1" }
        assert.are.equal(0, take("20240201000000", row[1]).fen)
        assert.is_nil(take("20240201000000", row[1]))
        assert.are.same({ 1, 1, 0 }, { held(), #entries "held", #entries "charge" })
        take("20240202000000", "11")
        assert.are.equal(-3280, balance())
        ignore("20240201000000", row[2])
        assert.are.same({ 0, -3280 }, { held(), balance() })
      end)
    end

    it("keeps the text of one that is no reading, until a person says that it is one", function()
      open()
      take("20240201000000", "12.3456")
      assert.truthy(entries("doubted")[1].detail:find('"12.3456"', 1, true))
      book:restore { deviceNo = METER, at = "20240201000000", reading = "12.345", evidence = "to the litre" }
      assert.are.same({ 0, -4049 }, { held(), balance() })
      take("20240202000000", "13")
      assert.are.equal(-4264, balance())
    end)

    for _, text in ipairs { "12.5", "12.5000", "00012.5", "012.50" } do
      it("takes zeros that say nothing: " .. text, function()
        open()
        take("20240201000000", text)
        assert.are.equal(-4100, balance())
      end)
    end

    for _, text in ipairs { "", "1e3", ".5", "5.", "+14", " 13", "0x10", "NaN", "--" } do
      it("misses what is no decimal: " .. text, function()
        open()
        assert.is_nil(take("20240201000000", text))
      end)
    end

    it("holds one from more than a day after it was received", function()
      open()
      assert.are.equal(-328, late("20240110000000", "1", "20240109000000").fen)
      assert.are.equal(0, late("20240112000001", "2", "20240111000000").fen)
      late("20990101000000", "3", "20240112000000")
      assert.are.equal(2, held())
      assert.are.equal(-328 * 9, late("20240113000000", "10", "20240113000000").fen)
      assert.are.equal(0, #entries "contradicted")
      ignore("20990101000000", "3")
      ignore("20240112000001", "2")
      assert.are.same({ 0, -3280 }, { held(), balance() })
    end)

    it("takes it when it comes without the doubt, whichever comes first", function()
      for _, order in ipairs { { "20240111000000", "20240301000000" }, { "20240301000000", "20240111000000" } } do
        fresh()
        open()
        late("20240201000000", "10", order[1])
        late("20240201000000", "10", order[2])
        assert.is_nil(late("20240201000000", "10", order[1]))
        assert.are.same({ 0, -3280 }, { held(), balance() })
        late("20240302000000", "11", "20240302000000")
        assert.are.equal(-3608, balance())
      end
    end)

    it("holds one of a clock that was lost as long as it shows more than is known", function()
      open()
      take("20240201000000", "10")
      take("20231231000000", "11") -- a clock may be off by a day
      take("20000101000010", "10")
      assert.are.equal(0, held())
      assert.are.equal(0, take("20000102000010", "20").fen)
      take("20000103000010", "30")
      assert.are.same({ 2, -3280 }, { held(), balance() })
      take("20240204000000", "25")
      assert.are.same({ 1, -8200 }, { held(), balance() })
      take("20240205000000", "30")
      assert.are.same({ 0, -9840 }, { held(), balance() })
    end)

    it("is left alone once the meter is gone", function()
      open()
      book:close { deviceNo = METER, at = "20240301000000", reading = "20", evidence = "x" }
      take("20000101000010", "30")
      late("20990101000000", "31", "20240302000000")
      take("20240303000000", "12.3456")
      assert.are.same({ 0, -6560 }, { held(), balance() })
    end)
  end)

  describe("at a price change", function()
    for _, row in ipairs { { 0, 42470 }, { 1, 33800 } } do
      it("with clearMark " .. row[1], function()
        open()
        take("20240531000000", "350")
        book:price { deviceNo = METER, tariff = z(row[1]) }
        local before = balance()
        take("20240602000000", "450", { { "20240601000000", "350" } })
        assert.are.equal(row[2], before - balance())
      end)
    end

    it("that is known late, charges are adjusted to what they should have been", function()
      open()
      take("20240610000000", "100", { { "20240601000000", "40" } })
      local done = book:price { deviceNo = METER, tariff = z(0) }
      assert.are.equal(-600, done.fen)
      assert.are.same({ ["20240101000000"] = 13120, ["20240601000000"] = 20280 }, sums())
    end)

    it("that corrects an earlier one, the correction counts", function()
      open()
      book:price { deviceNo = METER, tariff = z(0) }
      take("20240610000000", "100", { { "20240601000000", "40" } })
      book:price { deviceNo = METER, tariff = z(0, { priceOne = "3.18" }) }
      assert.are.same({ ["20240101000000"] = 13120, ["20240601000000"] = 19080 }, sums())
      book:price { deviceNo = METER, tariff = with { priceOne = "1.00", clearMark = 0 } } -- from the beginning
      assert.are.same({ ["20240101000000"] = 4000, ["20240601000000"] = 19080 }, sums())
    end)

    it("on the day a period starts is cut once, and starts the ladder anew", function()
      open { at = "20241201000000", ladder = "310" }
      book:price { deviceNo = METER, tariff = z(0, { priceTime = "20250101000000" }) }
      take("20250102000000", "20", { { "20250101000000", "10" } })
      assert.are.same({ ["20241201000000"] = 3880, ["20250101000000"] = 3380 }, sums())
    end)

    it("needs clearMark", function()
      open()
      assert.are.equal("tariff.clearMark", error_of(book.price, book, { deviceNo = METER, tariff = Y }).field)
    end)
  end)

  describe("of money", function()
    it("books a payment once by its order", function()
      open()
      assert.are.equal(10000, book:pay({ deviceNo = METER, order = "R-1", amount = "100.00" }).balance)
      assert.are.equal(10000, book:pay({ deviceNo = METER, order = "R-1", amount = 100 }).balance)
      assert.are.equal("order", error_of(book.pay, book, { deviceNo = METER, order = "R-1", amount = 99 }).field)
      assert.are.equal(9500, book:pay({ deviceNo = METER, order = "R-2", amount = "-5" }).balance)
      assert.are.equal("refund", entries()[3].kind)
    end)

    it("tells how a meter stands", function()
      open { ladder = "299", balance = "10.00" }
      take("20240201000000", "2")
      local standing = book:standing(METER)
      assert.are.same({ 1000 - 328 - 388, 388, 2, 731 }, { standing.balance, standing.price, standing.tier,
                                                           standing.left })
    end)
  end)

  describe("of a swap", function()
    it("settles the old meter and carries balance and ladder over", function()
      open { ladder = "290", balance = "100.00" }
      local old = book:close { deviceNo = METER, at = "20240301000000", reading = "20", evidence = "work order 5" }
      assert.are.equal(10000 - 3280 - 3880, old.balance)
      assert.are.equal(310000, old.ladder)
      book:open { deviceNo = "2", tariff = Y, at = "20240301000000", reading = 0, ladder = old.ladder }
      assert.are.equal(2840, book:carry(METER, "2").balance)
      assert.are.equal(2840, book:carry(METER, "2").balance)
      assert.are.equal(0, balance())
      book:take("2", report("20240302000000", "1"), "test")
      assert.are.equal(2840 - 388, book:standing("2").balance)
    end)

    it("does not charge what the old meter reports afterwards, but what comes late", function()
      open()
      book:close { deviceNo = METER, at = "20240301000000", reading = "20", evidence = "x" }
      take("20240302000000", "25")
      take("20240201000000", "15")
      assert.are.equal(-6560, balance())
      assert.are.equal(0, book:standing(METER).held)
    end)

    it("replaces a counter in the same meter", function()
      open { reading = "500" }
      take("20240201000000", "510")
      take("20240301000000", "3")
      book:counter { deviceNo = METER, at = "20240215000000", old = "515", new = "0", evidence = "work order 6" }
      assert.are.equal(-328 * 18, balance())
      assert.are.equal(0, book:standing(METER).held)
    end)

    it("replaces a counter in the second of a report, whichever comes first", function()
      local acts = {
        function(no) book:take(no, report("20240110000000", "150"), "test") end,
        function(no) book:take(no, report("20240120000000", "200"), "test") end, -- the old one's last
        function(no) book:take(no, report("20240120000000", "0"), "test") end, -- the new one's first
        function(no) book:take(no, report("20240121000000", "5"), "test") end,
        function(no)
          book:counter { deviceNo = no, at = "20240120000000", old = "200", new = "0", evidence = "work order 7" }
        end,
      }
      for seed = 1, 40 do
        math.randomseed(seed)
        local no = "swap-" .. seed
        open { deviceNo = no, reading = "100" }
        for i = #acts, 2, -1 do
          local j = math.random(i)
          acts[i], acts[j] = acts[j], acts[i]
        end
        for _, act in ipairs(acts) do act(no) end
        assert.are.same({ -328 * 105, 0 }, { book:standing(no).balance, book:standing(no).held })
      end
    end)

    it("does not charge again what the old counter's last report has charged", function()
      open()
      take("20240110000000", "100")
      take("20240120000000", "200")
      book:counter { deviceNo = METER, at = "20240120000000", old = "200", new = "0", evidence = "work order 8" }
      assert.are.equal(-65600, balance())
      take("20240120000000", "201") -- beyond the final reading, and no first one of the new counter
      assert.are.same({ -65600, 1 }, { balance(), book:standing(METER).held })
    end)

    it("tells the two counters apart where the old one has rolled over", function()
      open { reading = "99990" }
      book:counter { deviceNo = METER, at = "20240120000000", old = "99995", new = "0", evidence = "work order 9" }
      take("20240120000000", "0")
      take("20240121000000", "2")
      assert.are.same({ -328 * 7, 0 }, { balance(), book:standing(METER).held })
    end)

    it("holds late reports of the old counter beyond its final reading", function()
      open()
      take("20240110000000", "100")
      book:counter { deviceNo = METER, at = "20240120000000", old = "105", new = "0", evidence = "work order 10" }
      take("20240121000000", "3")
      assert.are.equal(0, take("20240119000000", "107").fen)
      assert.are.same({ -328 * 108, 1 }, { balance(), book:standing(METER).held })
      take("20240119010000", "104")
      book:ignore { deviceNo = METER, at = "20240119000000", reading = "107", evidence = "it is not" }
      assert.are.same({ -328 * 108, 0 }, { balance(), book:standing(METER).held })
    end)

    it("believes reports where a final reading agrees with none", function()
      open { reading = "500" }
      take("20240110000000", "510")
      take("20240201000000", "511")
      book:counter { deviceNo = METER, at = "20240120000000", old = "300", new = "510", evidence = "mistyped" }
      assert.are.equal(-328 * 11, balance())
    end)

    it("never takes the old counter's final reading for the new one's", function()
      open { reading = "500" }
      take("20240201000000", "510")
      book:counter { deviceNo = METER, at = "20240120000000", old = "300", new = "0", evidence = "mistyped" }
      take("20240120000000", "300")
      assert.are.equal(1, book:standing(METER).held)
    end)

    it("sets aside a reading that was wrong", function()
      open()
      take("20240201000000", "900")
      take("20240202000000", "10")
      book:ignore { deviceNo = METER, at = "20240201000000", reading = "900", evidence = "faulty" }
      assert.are.equal(-3280, balance())
    end)

    it("refuses final readings and readings set aside that there cannot be", function()
      open()
      take("20240201000000", "900")
      for _, row in ipairs { -- the deed, its field that is wrong, its arguments
        { "close", "reading", { at = "20240301000000", reading = "5" } },
        { "close", "reading", { at = "20240301000000", reading = "100000000" } }, -- no counter shows it
        { "counter", "old", { at = "20240301000000", old = "5", new = "0" } },
        { "counter", "old", { at = "20240115000000", old = "100000000", new = "0" } },
        { "counter", "new", { at = "20240301000000", old = "900", new = "100000000" } },
        { "ignore", "reading", { at = "20240201000000", reading = "901" } },
      } do
        row[3].deviceNo, row[3].evidence = METER, "x"
        assert.are.equal(row[2], error_of(book[row[1]], book, row[3]).field)
      end
      assert.are.equal(2, #entries())
    end)

    it("carries nothing from a ledger that is open", function()
      open()
      book:open { deviceNo = "2", tariff = Y, at = "20240301000000", reading = 0 }
      assert.are.equal("from", error_of(book.carry, book, METER, "2").field)
    end)
  end)

  it("refuses a second opening, and arguments that are none", function()
    open()
    assert.are.equal("deviceNo", error_of(open).field)
    fresh()
    for field, value in pairs { at = "2024", reading = 1.5, ladder = "-1", balance = "1.005", digits = 3, tariff = 5,
                                deviceNo = "" } do
      assert.are.equal(field, error_of(open, { [field] = value }).field)
    end
    assert.are.equal("deviceNo", error_of(book.standing, book, "nobody").field)
  end)

  -- ---- laws

  -- A year of a meter: a report at some hours, each with the frozen record of its day.
  -- litres in steps of ten, so that a count by 0.01 m³ is exact.
  local function year(random)
    local start, total, reports, frozen, used = core.parse_timestamp "20240101000000", 0, {}, {}, {}
    for day = 0, 369 do
      local midnight = start + day * 86400
      frozen[day] = total
      used[day] = random(0, 500) * 10
      local hour = random(1, 23)
      local part = used[day] * random(0, 10) // 100 * 10
      reports[day + 1] = report(core.timestamp(midnight + hour * 3600), core.decimal_text(total + part),
        { { core.timestamp(midnight), core.decimal_text(total) } })
      total = total + used[day]
    end
    return reports, frozen
  end

  local function in_disorder(reports, random)
    local list = {}
    for _, message in ipairs(reports) do
      list[#list + 1] = message
      if random(4) == 1 then list[#list + 1] = message end
    end
    for i = #list, 2, -1 do
      local j = random(math.max(1, i - 60), i)
      list[i], list[j] = list[j], list[i]
    end
    return list
  end

  local QUARTERLY = with { pricePeriod = 3, ladderGasOne = 60, ladderGasTwo = 150, ladderTime = "20231231000000" }
  local CHANGE = z(0, { pricePeriod = 3, ladderGasOne = 80, ladderGasTwo = 200, ladderTime = "20231231000000",
                        priceTime = "20240515000000" })

  -- Thousandths of a fen of so many hundredths of a m³ from a position on, one by one.
  local function count(names, from, hundredths)
    local prices = { 328, 388, 477 }
    if names == CHANGE then prices = { 338, 398, 487 } end
    local sum = 0
    for at = from + 1, from + hundredths do
      local tier = at <= names.ladderGasOne * 100 and 1 or at <= names.ladderGasTwo * 100 and 2 or 3
      sum = sum + prices[tier] * 10
    end
    return sum
  end

  local function by_hand(frozen, last)
    local cuts = { { 0, QUARTERLY, true }, { 90, QUARTERLY, true }, { 135, CHANGE, false }, { 181, CHANGE, true },
                   { 273, CHANGE, true }, { 365, CHANGE, true } }
    local ladder, fen = 0, 0
    for i, cut in ipairs(cuts) do
      local from, to = frozen[cut[1]], cuts[i + 1] and frozen[cuts[i + 1][1]] or last
      if cut[3] then ladder = 0 end
      local before, gas = count(cut[2], 0, ladder), (to - from) // 10
      fen = fen + (before + count(cut[2], ladder, gas) + 500) // 1000 - (before + 500) // 1000
      ladder = ladder + gas
    end
    return fen
  end

  for seed = 1, 2 do
    it(("gives one ledger to the fen in any order, and the one counted by hand, year %d"):format(seed), function()
      math.randomseed(seed)
      local reports, frozen = year(math.random)
      local total = core.decimal(reports[#reports].callbackData.data[1].serviceData.totalUseValue, 3)
      local results = {}
      for round = 1, 3 do
        fresh()
        open { tariff = QUARTERLY }
        local list = round == 1 and reports or in_disorder(reports, math.random)
        local when = round == 1 and 1 or math.random(#list)
        local done = parallel(list, function(message, i)
          if i == when then book:price { deviceNo = METER, tariff = CHANGE } end
          book:take(METER, message, "test")
        end, { concurrency = round == 1 and 1 or 32 })
        for _, one in ipairs(done) do assert(one.ok, one.error) end
        results[round] = sums()
        assert.are.same(results[1], results[round])
        assert.are.equal(-by_hand(frozen, total), balance())
      end
    end)
  end
end)
