-- Ladder tariffs: worked cases, and laws against an independent count.

local core = require "xfiot.core"
local tariff = require "xfiot.tariff"

local NAMES = {
  priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 300, ladderGasTwo = 420,
  gasType = 1, priceVer = 1, pricePeriod = 12, priceTime = "20240101000000", ladderTime = "20240101000000",
}
local PRICES = { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" }
local LIMITS = { "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour" }

local NONE = {} -- takes a name out

local function with(changes)
  local names = {}
  for name, value in pairs(NAMES) do names[name] = value end
  for name, value in pairs(changes or {}) do names[name] = value ~= NONE and value or nil end
  return names
end

local function make(changes) return tariff.new(with(changes)) end

local Y = make()
local Z = make { priceOne = "3.38", priceTwo = "3.98", priceThree = "4.87" }
local SINGLE = make { priceTwo = NONE, priceThree = NONE, ladderGasOne = NONE, ladderGasTwo = NONE }
local FREE_TOP = make { priceThree = 0 }
local DEAR = make { priceOne = 30, priceTwo = NONE, priceThree = NONE, ladderGasOne = NONE, ladderGasTwo = NONE }

local COSTS = { -- what it is, tariff, from, to, fen
  { "two crossings in one report", Y, "290", "430", 54610 },
  { "the last 0.1 m³ up to a limit", Y, "299.9", "300.0", 33 },
  { "the first 0.1 m³ behind a limit", Y, "300.0", "300.1", 39 },
  { "a litre that the rounding has charged already", Y, 299999, 300000, 0 },
  { "a frozen record's part before the period", Y, "410", "423", 5311 },
  { "a frozen record's part after the period", Y, "0", "7", 2296 },
  { "all in the old period", Y, "410", "430", 8650 },
  { "all in the new period", Y, "0", "20", 6560 },
  { "a price change that keeps the ladder", Z, "350", "450", 42470 },
  { "a price change that clears the ladder", Z, "0", "100", 33800 },
  { "tiers of no width", SINGLE, "0", "123.4", 40475 },
  { "a half fen is rounded up", make { priceOne = "0.01" }, 0, 500, 1 },
  { "less than half a fen is not", make { priceOne = "0.01" }, 0, 499, 0 },
  { "no gas", Y, "300", "300", 0 },
  { "gas that costs nothing", FREE_TOP, "500", "9000", 0 },
  { "as much gas as can be counted", DEAR, 0, 100000000000000, 300000000000000 },
}

local function error_of(f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  return err
end

local function bad_fields(names)
  local err = error_of(tariff.new, names)
  assert.are.equal("invalid", err.kind)
  local paths = {}
  for i, fault in ipairs(err.fields) do paths[i] = fault.path end
  table.sort(paths)
  return table.concat(paths, " "), err
end

describe("a tariff", function()
  for _, row in ipairs(COSTS) do
    it("costs: " .. row[1], function() assert.are.equal(row[5], row[2]:cost(row[3], row[4])) end)
  end

  it("costs the same in a hundred reports as in one", function()
    local sum = 0
    for i = 0, 99 do sum = sum + Y:cost(i * 100, (i + 1) * 100) end
    assert.are.equal(3280, sum)
  end)

  it("takes text in m³ and litres alike", function()
    assert.are.equal(Y:cost(290100, 430005), Y:cost("290.1", "430.005"))
  end)

  for _, bad in ipairs { 1.5, 3.0, "1,5", "0.0001", "-1", -1, "+1", " 1", "1e3", "", 100000000000001, true } do
    it("refuses a position " .. tostring(bad) .. " of type " .. type(bad), function()
      local err = error_of(Y.cost, Y, bad, 500000)
      assert.are.equal("from", err.field)
    end)
  end

  it("refuses a report that goes back", function()
    assert.are.equal("to", error_of(Y.cost, Y, 2, 1).field)
  end)

  it("knows the tier and price of a position, the limit belonging to the tier below", function()
    for _, row in ipairs { { "0", 1, 328 }, { "300", 1, 328 }, { "300.001", 2, 388 }, { "420", 2, 388 },
                           { "420.001", 3, 477 }, { "99999", 3, 477 } } do
      assert.are.same({ row[2], row[3] }, { Y:tier(row[1]) })
    end
    assert.are.same({ 1, 328 }, { SINGLE:tier "500" })
  end)
end)

describe("a tariff is made", function()
  it("with fewer tiers filled up as the document's note says", function()
    local paras = Y:price_change(0)
    assert.are.same({ "3.28", "3.88", "4.77", "4.77", "4.77" },
      { paras.priceOne, paras.priceTwo, paras.priceThree, paras.priceFour, paras.priceFive })
    assert.are.same({ 300, 420, 420, 420 },
      { paras.ladderGasOne, paras.ladderGasTwo, paras.ladderGasThree, paras.ladderGasFour })
    assert.are.equal(0, SINGLE:price_change(1).ladderGasFour)
    assert.are.equal("3.28", SINGLE:price_change(1).priceFive)
  end)

  it("from all names as well, and from its own names again", function()
    local again = tariff.new(Y:names())
    assert.are.same(Y, again)
  end)

  it("from floats that are exactly such numbers", function()
    assert.are.equal(328, make { priceOne = 3.28 }.prices[1])
    assert.are.equal(300000, make { ladderGasOne = 300.0 }.limits[1])
  end)

  local BAD = { -- changes, bad fields
    { { priceOne = "30.01" }, "priceOne" },
    { { priceOne = "3.281" }, "priceOne" },
    { { ladderGasOne = 421 }, "ladderGasTwo" },
    { { priceTwo = NONE }, "priceTwo" },
    { { ladderGasTwo = NONE }, "ladderGasFour ladderGasThree ladderGasTwo" },
    { { pricePeriod = 0, gasType = 256, priceVer = 1.5 }, "gasType pricePeriod priceVer" },
    { { priceTime = "20240230000000", ladderTime = "2024" }, "ladderTime priceTime" },
    { { clearMark = 2 }, "clearMark" },
    { { ladderGasFive = 1 }, "ladderGasFive" },
    { { priceFour = "4.77", priceFive = "4.77", ladderGasThree = 500, ladderGasFour = 500 }, "ladderGasThree" },
  }
  for _, row in ipairs(BAD) do
    it("not with a bad " .. row[2], function() assert.are.equal(row[2], (bad_fields(with(row[1])))) end)
  end

  it("not without a table", function() assert.has_error(function() tariff.new "x" end) end)

  it("not from nothing, and all that is missing is named with its code", function()
    local _, err = bad_fields {}
    assert.are.equal(14, #err.fields)
    assert.are.equal("500020", err.code)
  end)
end)

describe("a tariff as parameters", function()
  it("wants somebody to choose clearMark for a price change, an argument winning", function()
    assert.are.equal("clearMark", error_of(Y.price_change, Y).field)
    assert.are.equal(0, make { clearMark = 0 }:price_change().clearMark)
    assert.are.equal(1, make { clearMark = 0 }:price_change(1).clearMark)
  end)

  it("opens an account, clearing unless told otherwise", function()
    local more = { billNo = 1, rechargeValue = "100.00", cardNo = "0000000001" }
    local paras = Y:account_open(more)
    assert.are.same({ 0, 1, "100.00", 1, "4.77" },
      { paras.prepaidType, paras.clearMark, paras.rechargeValue, paras.gasType, paras.priceFive })
    assert.are.equal(0, make { clearMark = 0 }:account_open(more).clearMark)
    assert.are.equal("cardNo", error_of(Y.account_open, Y, { billNo = 1, rechargeValue = 1 }).field)
  end)
end)

describe("a ladder period", function()
  local MONTHLY = make { ladderTime = "20240131000000", pricePeriod = 1 }
  local QUARTERLY = make { ladderTime = "20231130120000", pricePeriod = 3 }
  local LONG = make { ladderTime = "20240229000000", pricePeriod = 255 }
  local ROWS = { -- tariff, at, first, last
    { MONTHLY, "20240131000000", "20240131000000", "20240228235959" },
    { MONTHLY, "20240229000000", "20240229000000", "20240330235959" },
    { MONTHLY, "20240331000000", "20240331000000", "20240429235959" },
    { MONTHLY, "20240430235959", "20240430000000", "20240530235959" },
    { MONTHLY, "20240228235959", "20240131000000", "20240228235959" },
    { MONTHLY, "20250301000000", "20250228000000", "20250330235959" },
    { MONTHLY, "20240130235959", "20231231000000", "20240130235959" },
    { QUARTERLY, "20240229115959", "20231130120000", "20240229115959" },
    { QUARTERLY, "20240229120000", "20240229120000", "20240530115959" },
    { Y, "20241231235959", "20240101000000", "20241231235959" },
    { Y, "20250101000000", "20250101000000", "20251231235959" },
    { LONG, "20450528235959", "20240229000000", "20450528235959" },
    { LONG, "99991231235959", "99921129000000", "99991231235959" },
    { make { ladderTime = "00010601000000" }, "00010101000000", "00010101000000", "00010531235959" },
  }
  for _, row in ipairs(ROWS) do
    it(("of %d months from %s holds %s"):format(row[1].months, row[1].ladder_time, row[2]), function()
      assert.are.same({ row[3], row[4] }, { row[1]:period(row[2]) })
    end)
  end

  it("is told for seconds too", function()
    assert.are.equal("20240131000000", (MONTHLY:period(1706630400)))
  end)

  it("is not told for what is no time", function()
    for _, bad in ipairs { "2024", "20240230000000", 1.5, 20240131000000, false } do
      assert.are.equal("at", error_of(Y.period, Y, bad).field)
    end
  end)
end)

describe("a forecast", function()
  local ROWS = { -- what it is, tariff, fen, position, litres
    { "in one tier, floored", Y, 100, 0, 304 },
    { "nothing for nothing", Y, 0, 0, 0 },
    { "nothing for a debt", Y, -100, 0, 0 },
    { "exactly to a limit", Y, 3280, "290", 10000 },
    { "over two limits", Y, 54610, "290", 140000 },
    { "with tiers of no width", SINGLE, 40475, 0, 123399 },
    { "without end where gas costs nothing", FREE_TOP, 0, "420", 100000000000000 - 420000 },
    { "of more than a year's money", DEAR, 1000000000000000, 0, 100000000000000 },
  }
  for _, row in ipairs(ROWS) do
    it(row[1], function() assert.are.equal(row[5], row[2]:forecast(row[3], row[4])) end)
  end

  it("refuses what is no whole fen", function()
    for _, bad in ipairs { 1.5, "100", 1000000000000001 } do
      assert.are.equal("fen", error_of(Y.forecast, Y, bad, 0).field)
    end
  end)
end)

describe("an explanation", function()
  it("tells tiers, exact cost, rounding and the balance", function()
    local why = Y:explain("299.95", "300.1", 1000)
    assert.are.equal(16400 + 38800, why.exact)
    assert.are.same({ { tier = 1, litres = 50, price = 328, exact = 16400 },
                      { tier = 2, litres = 100, price = 388, exact = 38800 } }, why.tiers)
    assert.are.equal(Y:cost("299.95", "300.1"), why.fen)
    assert.are.equal(why.fen * 1000 - why.exact, why.rounding)
    assert.are.equal(1000 - why.fen, why.after)
  end)

  it("prints as lines that a customer can check", function()
    assert.are.equal("290.0 m³ -> 430.0 m³\n  tier 1: 10.0 m³ x 3.28 = 32.80\n  tier 2: 120.0 m³ x 3.88 = 465.60\n"
      .. "  tier 3: 10.0 m³ x 4.77 = 47.70\n  exact 546.10, rounding 0.00, charged 546.10\n  balance 500.00 -> -46.10",
      tostring(Y:explain("290", "430", 50000)))
    assert.truthy(tostring(Y:explain(0, 100)):find("exact 0.328, rounding 0.002, charged 0.33", 1, true))
  end)
end)

-- ---- laws, against a count that knows nothing of tiers as spans

local function random_tariff(random)
  local tiers, names = random(5), {}
  for i = 1, tiers do names[PRICES[i]] = ("%d.%02d"):format(random(0, 29), random(0, 99)) end
  local limit = 0
  for i = 1, tiers - 1 do
    limit = limit + random(0, 12)
    names[LIMITS[i]] = limit
  end
  return names
end

local function fill(names)
  local prices, limits, tiers = {}, {}, 0
  for i = 1, 5 do
    local text = names[PRICES[i]]
    if text then tiers = i end
    prices[i] = text and tonumber((text:gsub("%.", ""))) or prices[i - 1]
  end
  for i = 1, 4 do limits[i] = (i < tiers and names[LIMITS[i]] or limits[math.max(1, tiers) - 1] or 0) end
  return prices, limits
end

-- Thousandths of a fen, 0.01 m³ at a time.
local function count(prices, limits, hundredths)
  local sum = 0
  for at = 1, hundredths do
    local tier = 5
    for i = 4, 1, -1 do
      if at <= limits[i] * 100 then tier = i end
    end
    sum = sum + prices[tier] * 10
  end
  return sum
end

describe("any tariff", function()
  math.randomseed(20240131)
  local random = math.random

  for case = 1, 60 do
    local names = random_tariff(random)
    local prices, limits = fill(names)
    for i = 1, 3 do
      if names[PRICES[i]] == nil then names[PRICES[i]] = NONE end
      if i < 3 and names[LIMITS[i]] == nil then names[LIMITS[i]] = NONE end
    end
    local ok, t = pcall(make, names)
    -- prices that are equal by chance behind limits that are not: the document forbids it
    if ok then
      it(("number %d costs what is counted by 0.01 m³, in any number of reports"):format(case), function()
        local at, sum = 0, 0
        for _ = 1, 25 do
          local to = at + random(0, 400)
          local from_count, to_count = count(prices, limits, at), count(prices, limits, to)
          local fen = t:cost(at * 10, to * 10)
          assert.are.equal((to_count + 500) // 1000 - (from_count + 500) // 1000, fen)
          assert.are.equal(to_count, t:exact(to * 10))
          sum, at = sum + fen, to
        end
        assert.are.equal(t:cost(0, at * 10), sum)
      end)

      it(("number %d forecasts the most gas that the money pays for"):format(case), function()
        for _ = 1, 25 do
          local from, fen = random(0, 60000), random(0, 30000)
          local litres = t:forecast(fen, from)
          assert.is_true(t:exact(from + litres) - t:exact(from) <= fen * 1000)
          if litres < tariff.POSITION_MOST - from then
            assert.is_true(t:exact(from + litres + 1) - t:exact(from) > fen * 1000)
          end
        end
      end)

      it(("number %d explains every charge to the last thousandth"):format(case), function()
        local from = random(0, 60000)
        local to = from + random(0, 60000)
        local why, exact, litres = t:explain(from, to), 0, 0
        for _, row in ipairs(why.tiers) do exact, litres = exact + row.exact, litres + row.litres end
        assert.are.same({ why.exact, to - from }, { exact, litres })
        assert.are.equal(t:exact(to) - t:exact(from), exact)
      end)
    end
  end

  it("has periods that follow each other without a gap", function()
    for _ = 1, 200 do
      local start = ("%04d%02d%02d%02d0000"):format(random(1990, 2030), random(12), random(28),
        random(0, 23))
      local t = make { ladderTime = start, pricePeriod = random(255) }
      local _, last = t:period(start)
      local next_first = t:period(core.parse_timestamp(last) + 1)
      assert.are.equal(core.parse_timestamp(last) + 1, core.parse_timestamp(next_first))
      assert.are.equal(start, (t:period(last)))
    end
  end)
end)
