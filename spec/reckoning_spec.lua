-- Settlement of any facts in any order, against a count of every 0.01 m³ that knows
-- nothing of how reckoning is done.

local core = require "xfiot.core"
local helper = require "spec.helper"
local journals = require "xfiot.journal"
local parallel = require "xfiot.parallel"
local reckoning = require "xfiot.reckoning"
local settlement = require "xfiot.settlement"

local PRICES = { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" }
local LIMITS = { "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour" }
local START = core.parse_timestamp "20240101000000"
local HOUR, RANGE = 3600, 100000 * 100 -- s; hundredths of a m³ of five digits

local random = math.random

-- ---- what happens, at random

local function random_tariff(version, price_time)
  local tiers, limit = random(5), 0
  local names = { gasType = 1, priceVer = version, pricePeriod = random(5), priceTime = price_time,
                  ladderTime = ("2023%02d%02d%02d0000"):format(random(12), random(28), random(0, 1) * random(0, 23)),
                  clearMark = random(0, 1) }
  for i = 1, tiers do
    names[PRICES[i]] = ("%d.%02d"):format(i, random(0, 99)) -- rising: no two tiers alike
    if i < tiers then
      limit = limit + random(0, 30)
      names[LIMITS[i]] = limit
    end
  end
  return names
end

-- Reports and frozen records of about a year; `used` in hundredths of a m³.
local function random_life()
  local life = { reports = {}, frozen = {}, first = random(2) == 1 and RANGE - random(20000) or random(50000) }
  local at, used = START, 0
  for _ = 1, random(20, 70) do
    local message = { frozen = {} }
    for _ = 1, random(0, 3) do
      at, used = at + random(1, 72) * HOUR, used + random(0, 400)
      if random(3) > 1 then
        local record = { time = core.timestamp(at), used = used }
        message.frozen[#message.frozen + 1] = record
        life.frozen[#life.frozen + 1] = record
      end
    end
    at, used = at + random(1, 200) * HOUR, used + random(0, 1500)
    message.time, message.used = core.timestamp(at), used
    life.reports[#life.reports + 1] = message
  end
  life.tariffs = { random_tariff(1, "20230101000000") }
  local change = START
  for i = 2, random(1, 3) do
    change = change + random(20, 160) * 24 * HOUR
    life.tariffs[i] = random_tariff(i, core.timestamp(change))
  end
  return life
end

-- ---- the count

local function fill(names)
  local prices, limits, tiers = {}, {}, 0
  for i = 1, 5 do
    if names[PRICES[i]] then tiers = i end
    prices[i] = names[PRICES[i]] and tonumber((names[PRICES[i]]:gsub("%.", ""))) or prices[i - 1]
  end
  for i = 1, 4 do limits[i] = (i < tiers and names[LIMITS[i]] or limits[tiers - 1] or 0) * 100 end
  return prices, limits
end

-- Thousandths of a fen of the first so many hundredths of a m³.
local function count(names, hundredths)
  local prices, limits = fill(names)
  local sum = 0
  for unit = 1, hundredths do
    local tier = 1
    while tier < 5 and unit > limits[tier] do tier = tier + 1 end
    sum = sum + prices[tier] * 10
  end
  return sum
end

local function month_later(time, months)
  local year, month, day = tonumber(time:sub(1, 4)), tonumber(time:sub(5, 6)) + months, tonumber(time:sub(7, 8))
  while month > 12 do year, month = year + 1, month - 12 end
  while not core.parse_timestamp(("%04d%02d%02d000000"):format(year, month, day)) do day = day - 1 end
  return ("%04d%02d%02d"):format(year, month, day) .. time:sub(9)
end

local function is_start(names, at)
  for k = 0, 60 do
    if month_later(names.ladderTime, k * names.pricePeriod) == at then return true end
  end
  return false
end

-- Every instant at which something starts: { at=, names=, anew= }.
local function instants(life)
  local by_time = {}
  for i, names in ipairs(life.tariffs) do
    local ends = life.tariffs[i + 1] and life.tariffs[i + 1].priceTime or "9"
    if i > 1 then
      by_time[names.priceTime] = { names = names, anew = names.clearMark == 1 or is_start(names, names.priceTime) }
    end
    local begins = i == 1 and core.timestamp(START) or names.priceTime
    for k = 0, 60 do
      local at = month_later(names.ladderTime, k * names.pricePeriod)
      if at > begins and at < ends then by_time[at] = { names = names, anew = true } end
    end
  end
  local list = {}
  for at, row in pairs(by_time) do
    row.at = at
    list[#list + 1] = row
  end
  table.sort(list, function(a, b) return a.at < b.at end)
  return list
end

-- How much gas was used by an instant, as far as can be known.
local function used_by(life, at)
  local before, behind = { time = core.timestamp(START), used = 0 }, nil
  for _, report in ipairs(life.reports) do
    if report.time <= at then before = report elseif not behind then behind = report end
  end
  if before.time == at then return before.used end
  local best
  for _, record in ipairs(life.frozen) do
    if record.time > before.time and record.time <= at then best = record end
  end
  return best and best.used or nil, behind.used
end

local function by_hand(life)
  local last = life.reports[#life.reports]
  local cuts = {}
  for _, cut in ipairs(instants(life)) do
    if cut.at < last.time then cuts[#cuts + 1] = cut end
  end
  local most = last.used
  for i = #cuts, 1, -1 do
    local known, behind = used_by(life, cuts[i].at)
    cuts[i].used = known or math.min(behind, most)
    most = cuts[i].used
  end
  local sums, names, ladder, used, start = {}, life.tariffs[1], 0, 0, core.timestamp(START)
  for i = 1, #cuts + 1 do
    local cut = cuts[i]
    local to = ladder + (cut and cut.used or last.used) - used
    local fen = (count(names, to) + 500) // 1000 - (count(names, ladder) + 500) // 1000
    if fen ~= 0 then sums[start] = fen end
    if cut then
      used, start, names, ladder = cut.used, cut.at, cut.names, cut.anew and 0 or to
    end
  end
  return sums
end

-- ---- the same by the ledger

local function shown(life, used) return core.decimal_text((life.first + used) % RANGE * 10) end

local function message_of(life, report)
  local records = {}
  for i, record in ipairs(report.frozen) do
    records[i] = { frozenType = "2", frozenDate = record.time, frozenValue = shown(life, record.used) }
  end
  return { callbackData = { data = {
    { serviceId = "GeneralDataInfo",
      serviceData = { deviceTime = report.time, totalUseValue = shown(life, report.used) } },
    { serviceId = "FrozenValueInfo", serviceData = { frozenRecords = records } },
  } } }
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
end

-- What happens, as functions of a book and a meter.
local function events(life, device_no)
  local list = {}
  for i = 2, #life.tariffs do
    list[#list + 1] = function(book) book:price { deviceNo = device_no, tariff = life.tariffs[i] } end
  end
  for _, report in ipairs(life.reports) do
    list[#list + 1] = function(book) book:take(device_no, message_of(life, report), "test") end
  end
  return list
end

-- Readings that nobody can believe, one of each kind: events that must change nothing.
local function noise(life, device_no)
  local function at_random() return life.reports[random(#life.reports)].time end
  local list = {}
  for i, row in ipairs {
    { at_random(), "100000" }, { at_random(), "9223372036854775808" }, { at_random(), "1.2345" },
    { "20990101000000", "1", at_random() },
  } do
    local message = message_of(life, { time = row[1], used = 0, frozen = {} })
    message.receiveTime, message.callbackData.data[1].serviceData.totalUseValue = row[3], row[2]
    list[i] = function(book) book:take(device_no, message, "test") end
  end
  return list
end

local function sums_of(book, device_no)
  local sums, total = {}, 0
  for row in book:entries(device_no) do
    total = total + row.fen
    assert.are.equal(total, row.balance)
    if row.segment then sums[row.segment] = (sums[row.segment] or 0) - row.fen end
  end
  for segment, fen in pairs(sums) do
    if fen == 0 then sums[segment] = nil end
  end
  return sums
end

describe("any meter's life", function()
  local journal, book
  setup(function()
    journal = journals.open(helper.tmpdir() .. "/journal.db")
    book = settlement.new(journal, "666666")
  end)
  teardown(function() journal:close() end)

  for seed = 1, 40 do
    it(("gives the ledger counted by hand, in order and in disorder, life %d"):format(seed), function()
      math.randomseed(seed)
      local life = random_life()
      local expected = by_hand(life)
      for round = 1, 3 do
        local device_no = ("%d-%d"):format(seed, round)
        book:open { deviceNo = device_no, tariff = life.tariffs[1], at = core.timestamp(START),
                    reading = shown(life, 0) }
        local list = events(life, device_no)
        local strange = round == 3 and noise(life, device_no) or {}
        table.move(strange, 1, #strange, #list + 1, list)
        if round > 1 then
          for i = 1, #list, 5 do list[#list + 1] = list[i] end -- prices twice, reports twice
          shuffle(list)
        end
        for _, done in ipairs(parallel(list, function(event) event(book) end, { concurrency = 32 })) do
          assert(done.ok, done.error)
        end
        assert.are.same(expected, sums_of(book, device_no))
        assert.are.equal(#strange, book:standing(device_no).held)
      end
    end)
  end
end)

describe("a counter", function()
  for _, row in ipairs {
    { "1.0", "1.0", 0 }, { "1.0", "2.5", 1500 }, { "99998.5", "1.2", 2700 }, { "99999.999", "0", 1 },
    { "99000.0", "0", 1000000 }, { "98999.999", "0" }, { "2.0", "1.0" }, { "500.0", "0" },
  } do
    it(("goes from %s to %s: %s"):format(row[1], row[2], row[3] or "no"), function()
      assert.are.equal(row[3], reckoning.advance(core.decimal(row[1], 3), core.decimal(row[2], 3), 5))
    end)
  end
end)
