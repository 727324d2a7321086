-- Money in a meter: the worked cases of ladder tariffs through a meter instead of through
-- the library, and what becomes of credit.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"

-- Lets a meter use gas until its ladder stands at a value; returns what it was charged, as text.
local function use(box, number, ladder)
  local before = box.sandbox:device(number).spent
  for _ = 1, 24 * 1000 do
    if box.sandbox:device(number).ladder == ladder then break end
    box.sandbox:advance("10s")
  end
  assert.equal(ladder, box.sandbox:device(number).ladder)
  return core.decimal_text(core.decimal(box.sandbox:device(number).spent, 2) - core.decimal(before, 2), 2)
end

local function y(changes)
  local paras = { rechargeValue = 100000, ladderTime = "20250101000000" }
  for name, value in pairs(changes or {}) do paras[name] = value end
  return H.opening(paras)
end

local function set_ladder(box, value)
  assert.equal("0", box:run(H.MONEY, "LADDER_VALUE_CHANGE", { ladderValue = value }).commandResult)
end

local function opened(options, paras)
  options.meters = { { deviceNo = H.MONEY, kind = "money", profile = options.profile or "restaurant" } }
  options.rhythm = options.rhythm or 0
  local box = H.open(options)
  box.sandbox:advance("9h")
  assert.equal("0", box:run(H.MONEY, "ACCOUNT_OPEN", paras or y()).commandResult)
  return box
end

describe("a meter's money", function()
  it("crosses two limits as one report does", function()
    local box <close> = opened { start = "20260106000000", profile = "factory" }
    set_ladder(box, 290)
    assert.equal("546.10", use(box, H.MONEY, "430"))
  end)

  it("has inclusive limits", function()
    local box <close> = opened { start = "20260106000000", profile = "household" }
    set_ladder(box, "299.9")
    assert.equal("0.33", use(box, H.MONEY, "300"))
    assert.equal("0.39", use(box, H.MONEY, "300.1"))
  end)

  it("is rounded once, not at each step", function()
    local box <close> = opened { start = "20260106000000" }
    assert.equal("32.80", use(box, H.MONEY, "10"))
  end)

  it("begins a period anew at its start", function()
    local box <close> = opened({ start = "20251231000000", profile = "factory" }, y())
    set_ladder(box, 400)
    local before = core.decimal(box.sandbox:device(H.MONEY).used, 3)
    box.sandbox:advance("14h") -- 23:00 and more
    local late = box.sandbox:device(H.MONEY)
    assert.is_true(core.decimal(late.ladder, 3) == 400000 + core.decimal(late.used, 3) - before)
    box.sandbox:advance("2h")
    local new = box.sandbox:device(H.MONEY)
    assert.is_true(core.decimal(new.ladder, 3) < 100000)
  end)

  it("keeps or clears the ladder at a change of price", function()
    local dearer = {
      priceOne = 3.38, priceTwo = 3.98, priceThree = 4.87, priceFour = 4.87, priceFive = 4.87, priceVer = 2,
    }
    for _, case in ipairs { { 0, "450", "424.70" }, { 1, "100", "338.00" } } do
      local box <close> = opened { start = "20260106000000", profile = "factory", air = 0.001, wake = 0.001 }
      set_ladder(box, 350)
      dearer.clearMark = case[1]
      box:run(H.MONEY, "PRICE_CHANGE", H.tariff(dearer))
      local at = box.sandbox:device(H.MONEY)
      local start = case[1] == 0 and 350000 or 0
      -- What ran through between the commands belongs to the new price too.
      local charged = use(box, H.MONEY, case[2])
      assert.is_true(core.decimal(at.ladder, 3) - start <= 200)
      local missing = 10 * require("xfiot.tariff").new(H.tariff(dearer)):cost(start, core.decimal(at.ladder, 3))
      assert.equal(case[3], core.decimal_text(core.decimal(charged, 2) + missing, 2))
    end
  end)

  it("with a single price and limits 0 is exact", function()
    local single = { ladderGasOne = 0, ladderGasTwo = 0, ladderGasThree = 0, ladderGasFour = 0 }
    for _, name in ipairs { "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive" } do single[name] = 3.28 end
    local box <close> = opened({ start = "20260106000000", profile = "factory" }, y(single))
    assert.equal("404.75", use(box, H.MONEY, "123.4"))
  end)

  it("is not spent before the first price holds, and is from then on", function()
    local box <close> = opened({ start = "20260106000000" }, y { priceTime = "20260108000000", clearMark = 0 })
    box.sandbox:advance("1d")
    local device = box.sandbox:device(H.MONEY)
    assert.same({ "0.00", "0" }, { device.spent, device.ladder })
    assert.is_true(core.decimal(device.used, 3) > 0)
    box.sandbox:advance("2d")
    local later = box.sandbox:device(H.MONEY)
    local since = core.decimal(later.ladder, 3)
    assert.is_true(since > 0)
    local tariff = require("xfiot.tariff").new(H.tariff())
    assert.equal(10 * tariff:cost(0, since), core.decimal(later.spent, 2))
  end)

  it("adds up: bought is spent and left, and the ladder what was used", function()
    local box <close> = H.open { meters = "money=5,gas=1,commercial=1,flow=1", opened = true, balance = "700.00",
                                 cards = true, start = "20260301000000" }
    box.sandbox:advance("200d")
    for _, device in ipairs(box.sandbox:devices()) do
      local bought, spent = core.decimal(device.bought, 3), core.decimal(device.spent, 3)
      assert.equal(bought - spent, core.decimal(device.balance, 3), device.deviceNo)
      if device.kind ~= "gas" then assert.equal(device.used, device.ladder, device.deviceNo) end
    end
  end)
end)

describe("credit", function()
  it("runs out at an instant: warned of once each, and the valve shuts there", function()
    local made, _, by_number = H.living { meters = "money=1", opened = true, balance = "12.00" }
    local box <close> = made
    box.sandbox:advance("20d")
    local seen = {}
    for _, message in ipairs(by_number[H.MONEY]) do
      local _, services = H.services_of(message)
      for _, event in ipairs(services.WarnDataInfo and services.WarnDataInfo.warnEvents or {}) do
        seen[#seen + 1] = event.warnType .. event.warnState
      end
    end
    assert.same({ "000FH1", "0012H1", "0011H1", "0002H1" }, seen)
    local device = box.sandbox:device(H.MONEY)
    assert.same({ "closed", true }, { device.valve, core.decimal(device.balance, 2) <= -5000 })
    assert.is_true(core.decimal(device.balance, 2) > -5000 - 400, "a pulse beyond the overdraft at most")
    box:run(H.MONEY, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 3, rechargeValue = 50 })
    assert.equal("open", box.sandbox:device(H.MONEY).valve)
  end)

  it("is warned of at the first second at which it is so low", function()
    local made, _, by_number = H.living { meters = "money=1", opened = true, balance = "12.00" }
    local box <close> = made
    box.sandbox:advance("20d")
    local checked = 0
    for _, message in ipairs(by_number[H.MONEY]) do
      local _, services = H.services_of(message)
      local event = services.WarnDataInfo and services.WarnDataInfo.warnEvents[1]
      local most = event and ({ ["000FH"] = 9999, ["0012H"] = 0, ["0011H"] = -5000 })[event.warnType]
      if most then
        local again <close> = H.open { meters = "money=1", opened = true, balance = "12.00" }
        again.sandbox:advance(core.parse_timestamp(message.receiveTime) - again.sandbox:now() - 1)
        assert.is_true(core.decimal(again.sandbox:device(H.MONEY).balance, 2) > most)
        again.sandbox:advance(1)
        assert.is_true(core.decimal(again.sandbox:device(H.MONEY).balance, 2) <= most)
        checked = checked + 1
      end
    end
    assert.equal(3, checked)
  end)

  it("runs out of a meter that never reports, too", function()
    local made, _, by_number = H.living { meters = "money=1", opened = true, balance = "200.00", rhythm = 0,
                                          mishaps = 0 }
    local box <close> = made
    box.sandbox:advance("300d")
    assert.equal("closed", box.sandbox:device(H.MONEY).valve)
    assert.equal(5, #by_number[H.MONEY]) -- the first report, and four warnings
  end)

  it("can be bought with the card", function()
    local box <close> = H.open { meters = "money=1,backend=1", opened = true }
    assert.is_true(box.sandbox:card(H.MONEY, "50.00"))
    assert.is_false(box.sandbox:card(H.BACKEND, "50.00"))
    local device = box.sandbox:device(H.MONEY)
    assert.same({ "50.00", 1 }, { device.balance, device.buys })
    assert.same({ "CARD", "50.00" }, { box.sandbox:ledger()[1].method, box.sandbox:ledger()[1].amount })
    assert.has_error(function() box.sandbox:card(H.MONEY, "1.234") end)
    assert.has_error(function() box.sandbox:card("nobody", "1.00") end)
  end)

  it("is bought by itself where customers have cards", function()
    local box <close> = H.open { meters = "money=1", opened = true, balance = "20.00", cards = true }
    box.sandbox:advance("60d")
    local device = box.sandbox:device(H.MONEY)
    assert.is_true(device.buys > 1)
    assert.equal(device.buys - 1, #box.sandbox:ledger())
  end)
end)
