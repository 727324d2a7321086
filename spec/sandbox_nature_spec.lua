-- What befalls devices by itself: limits of flow, temperature and pressure, mains, mishaps.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"

local FLOW <const>, CONCENTRATOR <const>, POSTPAID <const> = "30040000000001", "30070000000001", "30060000000001"

-- The alarms of messages, oldest first: { code, state, date }.
local function alarms(messages, wanted)
  local list = {}
  for _, message in ipairs(messages) do
    local _, services = H.services_of(message)
    local service = services.WarnDataInfo or services.ConcentratorWarnDataInfo
    for _, event in ipairs(service and service.warnEvents or {}) do
      if not wanted or event.warnType == wanted then
        list[#list + 1] = { code = event.warnType, state = event.warnState, date = message.receiveTime }
      end
    end
  end
  return list
end

-- That each begins and is over in turns, and how often it began.
local function in_turns(list)
  local on, count = {}, 0
  for _, alarm in ipairs(list) do
    local begins = alarm.state == "1"
    assert.equal(not begins, on[alarm.code] or false, alarm.code .. " " .. alarm.date)
    on[alarm.code] = begins
    if begins then count = count + 1 end
  end
  return count
end

-- Goes through messages in order: look(services, lasting) at each report, with what lasts by then.
local function follow(messages, look)
  local lasting = {}
  for _, message in ipairs(messages) do
    local _, services = H.services_of(message)
    local service = services.WarnDataInfo or services.ConcentratorWarnDataInfo
    for _, event in ipairs(service and service.warnEvents or {}) do
      lasting[event.warnType] = event.warnState == "1" or nil
    end
    if not service then look(services, lasting, message) end
  end
end

local function number(text) return core.decimal(text, 3) end

local function flag(value) return value and "1" or "0" end

describe("a flow meter", function()
  it("warns of temperature and pressure when a limit is crossed, and shows what it warns of", function()
    local made, _, by_number = H.living { meters = "flow=3", opened = true, balance = "900000.00", rhythm = "7h",
                                          mishaps = 0 }
    local box <close> = made
    box.sandbox:advance("365d")
    local crossed = { ["0014H"] = 0, ["0015H"] = 0 }
    for i = 1, 3 do
      local messages = by_number["3004000000000" .. i]
      for code in pairs(crossed) do
        local list = alarms(messages, code)
        crossed[code] = crossed[code] + in_turns(list)
        for _, alarm in ipairs(list) do assert.equal("0000", alarm.date:sub(11)) end
      end
      follow(messages, function(services, lasting)
        local info = services.FlowMeterInfo
        local status, t, p = info.flowMeterStatus, number(info.temperatureValue), number(info.pressureValue)
        assert.equal(flag(lasting["0014H"]), status.temperatureWarn)
        assert.equal(flag(lasting["0015H"]), status.pressureWarn)
        assert.equal(flag(lasting["0006H"]), services.GeneralDataInfo.meterStatus.superFlow)
        if lasting["0014H"] then assert.is_true(t > 40000 or t < -5000, info.temperatureValue) end
        if not lasting["0014H"] then assert.is_true(t <= 42000 and t >= -7000, info.temperatureValue) end
        if lasting["0015H"] then assert.is_true(p > 106000 or p < 102700, info.pressureValue) end
        if not lasting["0015H"] then assert.is_true(p <= 107000 and p >= 102000, info.pressureValue) end
      end)
    end
    assert.is_true(crossed["0014H"] > 0 and crossed["0014H"] < 200, crossed["0014H"])
    assert.is_true(crossed["0015H"] > 0 and crossed["0015H"] < 200, crossed["0015H"])
  end)

  it("is warm in summer and at noon, and counts at working conditions what they make of the gas", function()
    local made, _, by_number = H.living { meters = "flow=1", opened = true, balance = "900000.00", mishaps = 0 }
    local box <close> = made
    box.sandbox:advance("190d")
    local sums, counts, last = { ["01"] = 0, ["07"] = 0 }, { ["01"] = 0, ["07"] = 0 }, nil
    follow(by_number[FLOW], function(services)
      for _, record in ipairs(services.FrozenValueInfo.frozenRecords) do
        local month = record.frozenDate:sub(5, 6)
        if record.frozenType == "2" then
          if sums[month] then
            sums[month], counts[month] = sums[month] + number(record.temperatureValue), counts[month] + 1
          end
          if last and number(record.standardTotalValue) > number(last.standardTotalValue) then
            local standard = number(record.standardTotalValue) - number(last.standardTotalValue)
            local work = number(record.workTotalValue) - number(last.workTotalValue)
            -- What the gas laws make of it, and a litre for rounding down.
            local factor = 101.325 / tonumber(last.pressureValue) * (tonumber(last.temperatureValue) + 273.15) / 293.15
            assert.is_true(math.abs(work - standard * factor) <= 2, record.frozenDate)
          end
          last = record
        end
      end
    end)
    assert.is_true(sums["07"] / counts["07"] > sums["01"] / counts["01"] + 15000)
  end)

  it("whose temperature a rule spoils shows it while the rule lasts", function()
    local made, _, by_number = H.living { meters = "flow=1", opened = true, balance = "90000.00", rhythm = "1h",
                                          mishaps = 0, fault = "meter:alarm=0014H/5h:1@12h,meter:alarm=0015H/5h:1@12h" }
    local box <close> = made
    box.sandbox:advance("2d")
    local seen = 0
    follow(by_number[FLOW], function(services, lasting)
      local info = services.FlowMeterInfo
      assert.equal(lasting["0014H"] ~= nil, info.temperatureValue == "95.0")
      assert.equal(lasting["0015H"] ~= nil, info.pressureValue == "160.2")
      if lasting["0014H"] then seen = seen + 1 end
      for _, record in ipairs(services.FrozenValueInfo.frozenRecords) do
        local inside = record.frozenDate >= "20260101120000" and record.frozenDate < "20260101170000"
        assert.equal(inside, record.temperatureValue == "95.0", record.frozenDate)
        assert.equal(inside, record.pressureValue == "160.2", record.frozenDate)
      end
    end)
    assert.equal(5, seen)
  end)
end)

describe("a flow over the largest", function()
  for _, case in ipairs {
    { "a pipe that bursts", "postpaid=1", "burst", POSTPAID, 4 },
    { "a restaurant in a rush", "commercial=2", nil, "30050000000002", 10 },
  } do
    it("is warned of: " .. case[1], function()
      local made, _, by_number = H.living { meters = case[2], profile = case[3], opened = true, rhythm = "1h",
                                            balance = "900000.00", mishaps = 0 }
      local box <close> = made
      box.sandbox:advance("120d")
      local count = in_turns(alarms(by_number[case[4]], "0006H"))
      assert.is_true(count > 0 and count < 40, count)
      local before, at, warned = nil, nil, 0
      follow(by_number[case[4]], function(services, lasting, message)
        assert.equal(flag(lasting["0006H"]), services.GeneralDataInfo.meterStatus.superFlow)
        local records = services.FrozenValueInfo.frozenRecords
        local hour = records[#records - 1]
        local text = services.GeneralDataInfo.totalUseValue or hour and hour.frozenValue
        local used, now = text and number(text), core.parse_timestamp(message.receiveTime)
        if before and used and now - at == 3600 and used - before > case[5] * 1000 + 200 then
          warned = warned + 1
        end
        before, at = used, now
      end)
      assert.is_true(warned >= count)
    end)
  end

  it("is over when the valve shuts", function()
    local made, _, by_number = H.living { meters = "postpaid=1", profile = "burst", opened = true, mishaps = 0 }
    local box <close> = made
    box.sandbox:advance(1)
    while #alarms(by_number[POSTPAID], "0006H") == 0 do box.sandbox:advance("1h") end
    box:run(POSTPAID, "VALVE_CONTROL", { controlFlag = 1 })
    local list = alarms(by_number[POSTPAID])
    assert.same({ "0002H", "0006H", "0" }, { list[#list - 1].code, list[#list].code, list[#list].state })
    assert.equal("0", box:services(POSTPAID).GeneralDataInfo.meterStatus.superFlow)
  end)
end)

describe("a concentrator", function()
  it("loses its mains now and then, and its supply when that lasts", function()
    local made, _, by_number = H.living { meters = "concentrator=4", rhythm = "2h" }
    local box <close> = made
    box.sandbox:advance("365d")
    local lost, low = 0, 0
    for i = 1, 4 do
      local messages = by_number["3007000000000" .. i]
      lost, low = lost + in_turns(alarms(messages, "1001H")), low + in_turns(alarms(messages, "1000H"))
      local before
      follow(messages, function(services, lasting)
        local info = services.ConcentratorDataInfo
        local status, volts = info.concentratorStatus, number(info.batteryVoltage)
        local dark = lasting["1001H"]
        assert.same({ flag(not dark), flag(not dark), flag(lasting["1000H"]) },
          { status.powerType, status.electricState, status.pressureLack })
        assert.is_true(lasting["1000H"] and volts <= 10800 or not lasting["1000H"] and volts >= 10800)
        assert.equal(dark == nil, volts == 12100)
        if dark and before and before < 12100 then assert.is_true(volts < before or volts == 9000) end
        before = volts
      end)
    end
    assert.is_true(lost >= 8 and lost <= 50, lost)
    assert.is_true(low > 0 and low < lost, low)
  end)

  it("that a rule takes the mains from has them again when the rule says", function()
    local made, _, by_number = H.living { meters = "concentrator=1", fault = "meter:alarm=1001H/2h:1@1h", mishaps = 0 }
    local box <close> = made
    box.sandbox:advance("1d")
    local list = alarms(by_number[CONCENTRATOR])
    assert.same({ "1001H", "1", "20260101010000" }, { list[1].code, list[1].state, list[1].date })
    assert.same({ "1001H", "0", "20260101030000" }, { list[2].code, list[2].state, list[2].date })
  end)
end)

describe("a mishap", function()
  local FLEET <const> = "money=20,gas=10,flow=2,commercial=2"

  local function year(mishaps, start)
    local made, bodies, by_number = H.living { meters = FLEET, opened = true, balance = "90000.00", mishaps = mishaps,
                                               profile = "household", start = start }
    local box <close> = made
    box.sandbox:advance("100d")
    local list = {}
    for _, messages in pairs(by_number) do
      in_turns(alarms(messages, "0009H"))
      for _, alarm in ipairs(alarms(messages)) do list[#list + 1] = alarm end
    end
    return list, bodies, by_number
  end

  it("comes as often as told, shuts the valve where the document says so, and is over one day", function()
    local list, _, by_number = year "10d"
    local counts, shuts = {}, { ["0009H"] = true, ["000AH"] = true, ["0003H"] = true, ["0008H"] = true }
    for _, alarm in ipairs(list) do
      if alarm.state == "1" then counts[alarm.code] = (counts[alarm.code] or 0) + 1 end
    end
    for _, code in ipairs { "0003H", "0008H", "0009H", "000AH", "000DH", "000EH", "0010H", "0016H" } do
      assert.is_true((counts[code] or 0) > 0, code)
    end
    local closed = 0
    for _, messages in pairs(by_number) do
      local all = alarms(messages)
      for i, alarm in ipairs(all) do
        if shuts[alarm.code] and alarm.state == "1" and all[i + 1] and all[i + 1].code == "0002H" then
          assert.equal(alarm.date, all[i + 1].date)
          closed = closed + 1
        end
      end
    end
    assert.is_true(closed > 5)
  end)

  it("is none if told so", function()
    local by_gauge = { ["0007H"] = true, ["0014H"] = true, ["0015H"] = true } -- and an old battery
    for _, alarm in ipairs(year(0)) do assert.is_true(by_gauge[alarm.code], alarm.code) end
  end)

  it("comes at the same time after the start, whatever the date", function()
    local function spans(start)
      local out = {}
      for _, alarm in ipairs((year("20d", start))) do
        if alarm.code == "0010H" or alarm.code == "000EH" then
          out[#out + 1] = alarm.code .. (core.parse_timestamp(alarm.date) - core.parse_timestamp(start))
        end
      end
      table.sort(out)
      return table.concat(out, " ")
    end
    local first = spans "20260101000000"
    assert.is_true(#first > 100)
    assert.equal(first, spans "20260817153012")
  end)
end)

describe("a warning by rule", function()
  -- Alarms of a meter with a rule, as "CODE STATE".
  local function told(options, days)
    local made, _, by_number = H.living(options)
    local box <close> = made
    box.sandbox:advance(days .. "d")
    local all = {}
    for _, messages in pairs(by_number) do
      local list = alarms(messages)
      in_turns(alarms(messages, options.code))
      for _, alarm in ipairs(list) do all[#all + 1] = alarm.code .. " " .. alarm.state end
    end
    return table.concat(all, ", "), by_number
  end

  for _, case in ipairs {
    { "000FH", "money=1", "12.00" }, { "0012H", "money=1", "5.00" }, { "0011H", "money=1", "1.00" },
    { "0007H", "money=1", "500.00", "meter:volts=4.9:*@3d" }, { "0004H", "money=1", "500.00", "meter:volts=4.4:*@3d" },
    { "0013H", "money=1", "500.00", nil, "leak" }, { "0001H", "postpaid=1", nil, nil, "none" },
    { "0018H", "money=1", "500.00", "meter:stuck:*@3d" },
  } do
    it("and one of the meter's own life are one: " .. case[1], function()
      for _, span in ipairs { "", "/2h", "/20d" } do
        local text = told({
          meters = case[2], balance = case[3], opened = true, profile = case[5], mishaps = 0, rhythm = "6h",
          fault = { "meter:alarm=" .. case[1] .. span .. ":*@2h", case[4] }, code = case[1],
        }, 60)
        assert.is_truthy(text:find(case[1] .. " 1", 1, true), text)
      end
    end)
  end

  it("that begins while a mishap of the kind lasts goes on as long as the rule says", function()
    local text = told({ meters = "postpaid=1", mishaps = 0, code = "0010H",
                        fault = { "meter:alarm=0010H/2h:1@1h", "meter:alarm=0010H/2d:1@2h" } }, 5)
    assert.equal("0010H 1, 0010H 0", text)
  end)

  it("is of no device that cannot have it", function()
    assert.equal("", (told({ meters = "concentrator=1", mishaps = 0,
                             fault = "meter:alarm=0009H/2h,meter:stuck" }, 1)))
    assert.equal("", (told({ meters = "postpaid=1", mishaps = 0, fault = "meter:alarm=1001H/2h" }, 1)))
    assert.equal("FFFFH 1, FFFFH 0", (told({ meters = "concentrator=1", mishaps = 0,
                                             fault = "meter:alarm=FFFFH/2h" }, 1)))
  end)

  it("of a meter long without gas opens it when it is over", function()
    local box <close> = H.open { meters = "postpaid=1", profile = "none", fault = "meter:alarm=0001H/2h" }
    box.sandbox:advance("1h")
    box.sandbox:press(POSTPAID)
    assert.equal("open", box.sandbox:device(POSTPAID).valve)
    local again <close> = H.open { meters = "postpaid=1", profile = "none", fault = "meter:alarm=0001H/2h" }
    again.sandbox:advance("1d")
    assert.equal("open", again.sandbox:device(POSTPAID).valve)
    assert.equal("0", again:services(POSTPAID).GeneralDataInfo.meterStatus.deviceLock)
  end)
end)

describe("what befalls", function()
  it("goes on after a restart as if there had been none", function()
    local function life(cuts)
      local path, bodies = os.tmpname(), {}
      os.remove(path)
      for i, span in ipairs(cuts) do
        local box <close> = H.open { meters = i == 1 and "money=5,flow=3,commercial=3,concentrator=4" or nil,
                                     opened = true, balance = "90000.00", mishaps = "10d", state = path, wake = 10,
                                     tap = function(_, body) bodies[#bodies + 1] = body end }
        box.sandbox:advance(span)
      end
      os.remove(path)
      return table.concat(bodies, "\n"), #bodies
    end
    local whole, count = life { "80d" }
    assert.is_true(count > 1200)
    local parts = life { "7h", "10h", "9d", "13h", "2700m", "10d", "4h", "58d" }
    assert.is_true(#parts >= #whole) -- it lived some hours longer
    assert.equal(whole, parts:sub(1, #whole))
  end)
end)
