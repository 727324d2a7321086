-- Meters that live: what a year of all kinds sends, and whether it repeats.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local kind = require "xfiot.sandbox.kind"
local profile = require "xfiot.sandbox.profile"

local FLEET <const> = "money=3,gas=1,backend=1,postpaid=1,flow=1,commercial=1,concentrator=1"
local FLOW <const>, POSTPAID <const>, CONCENTRATOR <const> = "30040000000001", "30060000000001", "30070000000001"

local function year(seed)
  local box, bodies = H.living { seed = seed, meters = FLEET, opened = true, balance = "400.00", cards = true,
                               fault = "meter:alarm=0009H/1d:2@20d,meter:asleep=5d:1@40d,meter:clock=-2h:4@50d" }
  local _ <close> = box
  box.sandbox:advance("100d")
  box:run(H.MONEY, "PRICE_CHANGE", H.tariff { priceVer = 2, priceOne = 3.5, priceTime = "20260601000000" })
  box:run(FLOW, "PRICE_CHANGE", H.tariff { priceVer = 2, priceOne = 3.5 })
  box:run(H.COMMERCIAL, "RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = 20000 })
  box.sandbox:advance("265d")
  return bodies, box.sandbox:ledger()
end

describe("a year", function()
  it("is the same byte for byte with the same seed and start, and another with another", function()
    local first, ledger = year(7)
    local second, again = year(7)
    assert.is_true(#first > 3000)
    assert.is_true(table.concat(first) == table.concat(second))
    assert.same(ledger, again)
    local other = year(8)
    assert.is_false(table.concat(first) == table.concat(other))
  end)

  it("does not depend on the steps in which it passes", function()
    local a, whole = H.living { meters = FLEET, opened = true, balance = "400.00" }
    local b, parts = H.living { meters = FLEET, opened = true, balance = "400.00" }
    local _ <close> = a
    local _ <close> = b
    a.sandbox:advance("40d")
    for _ = 1, 40 * 8 do
      b.sandbox:advance("3h")
      b.sandbox:device(H.MONEY) -- looking at a meter changes nothing
    end
    assert.is_true(table.concat(whole) == table.concat(parts))
  end)
end)

describe("a kind of device", function()
  local signal_frozen <const> = "SignalInfo FrozenValueInfo"
  for _, case in ipairs {
    { H.MONEY, "GeneralDataInfo MoneyMeterInfo " .. signal_frozen },
    { H.GAS, "GeneralDataInfo GasMeterInfo " .. signal_frozen },
    { H.BACKEND, "GeneralDataInfo " .. signal_frozen },
    { POSTPAID, "GeneralDataInfo " .. signal_frozen },
    { FLOW, "GeneralDataInfo MoneyMeterInfo FlowMeterInfo " .. signal_frozen },
    { H.COMMERCIAL, "GeneralDataInfo MoneyMeterInfo " .. signal_frozen },
    { CONCENTRATOR, "ConcentratorDataInfo" },
  } do
    it(case[1] .. " carries its services and no others, day by day", function()
      local made, _, by_number = H.living { meters = FLEET, opened = true, balance = "90000.00" }
      local box <close> = made
      box.sandbox:advance("35d")
      local count, records, last = 0, {}, 0
      for _, message in ipairs(by_number[case[1]]) do
        if message.callbackData.reportType == "0" then
          count = count + 1
          local names, services = H.services_of(message)
          assert.equal(case[2], names)
          assert.equal(case[1] == CONCENTRATOR and "1" or "0", message.msgDeviceType)
          for _, record in ipairs(services.FrozenValueInfo and services.FrozenValueInfo.frozenRecords or {}) do
            records[record.frozenType] = (records[record.frozenType] or 0) + 1
            if record.frozenType == "3" then
              assert.is_true(tonumber(record.frozenValue) >= last)
              last = tonumber(record.frozenValue)
              assert.equal("000000", record.frozenDate:sub(9))
            end
          end
        end
      end
      assert.equal(36, count) -- the first one and one a day
      if case[1] == CONCENTRATOR then return end
      assert.is_true(last > 0, "gas was used")
      assert.same({ 36, 1 }, { records["3"], records["4"] }) -- 1 February
      local finer = case[1] == FLOW or case[1] == H.COMMERCIAL
      assert.equal(finer, (records["2"] or 0) > 34 * 24)
    end)
  end

  it("with GPRS tells what is used by frozen records alone", function()
    local made, _, by_number = H.living { meters = FLEET, opened = true, balance = "90000.00" }
    local box <close> = made
    box.sandbox:advance("3d")
    for _, number in ipairs { FLOW, H.COMMERCIAL } do
      local _, services = H.services_of(by_number[number][4])
      assert.is_nil(services.GeneralDataInfo.totalUseValue)
      local records = services.FrozenValueInfo.frozenRecords
      local day = records[#records]
      assert.equal("3", day.frozenType)
      assert.is_truthy(day.dayUseValue and day.totalBuyValue and day.totalUseValue and day.surplusValue)
    end
    local _, services = H.services_of(by_number[H.MONEY][4])
    assert.is_string(services.GeneralDataInfo.totalUseValue)
  end)

  it("freezes by the minute if told to", function()
    local made, _, by_number = H.living { meters = "money=1", opened = true, balance = "90.00", freeze = "minute" }
    local box <close> = made
    box.sandbox:advance("1d")
    local _, services = H.services_of(by_number[H.MONEY][2])
    local records = services.FrozenValueInfo.frozenRecords
    assert.same({ "1", "1", "3" }, { records[1].frozenType, records[2].frozenType, records[#records].frozenType })
    assert.equal(60, core.parse_timestamp(records[2].frozenDate) - core.parse_timestamp(records[1].frozenDate))
  end)
end)

describe("who lives behind a meter", function()
  it("is of every kind", function()
    for _, name in ipairs(kind.names) do assert.is_table(profile.rows[kind.rows[name].profile], name) end
    for _, name in ipairs(profile.names) do
      local box <close> = H.open { meters = "postpaid=1", profile = name }
      box.sandbox:advance("30d")
      local used = core.decimal(box.sandbox:device(POSTPAID).used, 3)
      assert.equal(name ~= "none" and name ~= "empty", used > 0, name)
    end
  end)

  it("heats in winter and cooks at noon", function()
    local function used(start, span)
      local box <close> = H.open { meters = "postpaid=1", start = start }
      box.sandbox:advance(span)
      return core.decimal(box.sandbox:device(POSTPAID).used, 3)
    end
    assert.is_true(used("20260101000000", "30d") > 2 * used("20260701000000", "30d"))
    assert.is_true(used("20260101100000", "4h") > 2 * used("20260101000000", "4h"))
  end)

  it("comes to an empty flat one day, and presses the button", function()
    local made, _, by_number = H.living { meters = "postpaid=1", profile = "empty" }
    local box <close> = made
    box.sandbox:advance("300d")
    local seen = {}
    for _, message in ipairs(by_number[POSTPAID]) do
      local _, services = H.services_of(message)
      for _, event in ipairs(services.WarnDataInfo and services.WarnDataInfo.warnEvents or {}) do
        seen[#seen + 1] = event.warnType .. event.warnState
      end
    end
    assert.equal("0001H1 0002H1 0001H0 0005H1", table.concat(seen, " ", 1, 4))
  end)
end)

describe("a key", function()
  it("makes the meter report, and opens it", function()
    local made, _, by_number = H.living { meters = "money=1", opened = true, profile = "none" }
    local box <close> = made
    box.sandbox:advance("31d")
    assert.equal("closed", box.sandbox:device(H.MONEY).valve)
    box.sandbox:press(H.MONEY)
    assert.equal("open", box.sandbox:device(H.MONEY).valve)
    local list = by_number[H.MONEY]
    assert.equal("1", list[#list].callbackData.reportType)
  end)
end)
