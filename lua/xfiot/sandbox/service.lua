-- The services of a report (appendix 2), each from what is in the meter.

local core = require "xfiot.core"
local calendar = require "xfiot.sandbox.calendar"
local climate = require "xfiot.sandbox.climate"
local frozen_records = require "xfiot.sandbox.frozen"
local gauge = require "xfiot.sandbox.gauge"
local lasting = require "xfiot.sandbox.lasting"
local meter = require "xfiot.sandbox.meter"
local price = require "xfiot.sandbox.price"

local ORDINALS <const> = { "One", "Two", "Three", "Four", "Five" }
local NEWS <const> = 86400 -- seconds for which a change of price is told

local FLAGS <const> = {
  "deviceLock", "superFlow", "magneticInterference", "pressureLack", "leakAlarm", "singleCount", "breakLine",
  "valveDamage",
}

local amount = meter.amount_text

local function flag(value)
  return value and "1" or "0"
end

-- What the counter shows: it rolls over.
local function counter(m, litres)
  return core.decimal_text(litres % meter.traits(m).counter)
end

local function gas(litres)
  return core.decimal_text(litres)
end

local function price_text(thousandths)
  return core.decimal_text(thousandths, 2)
end

-- Volts from mV: two decimals, rounded down.
local function volts(millivolts)
  return core.decimal_text(millivolts // 10 * 10, 2)
end

-- Nothing left, of what this meter is paid with.
local function is_out_of_credit(m)
  if m.shown then return m.prepaid and m.shown.balance <= 0 end
  return m.account and m.balance <= 0 and meter.traits(m).charge ~= "0"
end

local function has_flag(m, name)
  for _, row in pairs(m.active or {}) do
    if row.status_flag == name then return true end
  end
  return false
end

local function meter_status(m, switches)
  local status = {}
  for _, name in ipairs(FLAGS) do status[name] = flag(has_flag(m, name)) end
  if m.locked then status.deviceLock = "1" end
  if m.tired then status.pressureLack = "1" end
  if m.stuck then status.valveDamage = "1" end
  if lasting.is_own(m, "0006H") then status.superFlow = "1" end
  status.remoteCloseValve = flag(m.closed_remotely)
  status.valueLack = flag(is_out_of_credit(m) or lasting.is_given(m, "0012H"))
  status.loseTrack = flag(m.lost)
  if switches.C29 == "present" then status.accountFlag = flag(m.account) end
  return status
end

-- The supply of a concentrator without mains, in mV and seconds.
local SUPPLY_FULL <const>, SUPPLY_LOW <const>, SUPPLY_EMPTY <const>, SUPPLY_FALL <const> = 12100, 10800, 9000, 24

local service = { SUPPLY_LASTS = (SUPPLY_FULL - SUPPLY_LOW) * SUPPLY_FALL }

---@param m table
---@param at integer
---@param switches table
function service.general(m, at, switches)
  return {
    totalUseValue = not meter.traits(m).gprs and counter(m, m.used) or nil,
    deviceTime = core.timestamp(meter.clock(m, at)),
    valveState = m.valve,
    batteryVoltage = volts(meter.voltage(m, at)),
    meterStatus = meter_status(m, switches),
  }
end

---@param m table
function service.money(m)
  local _, now = price.current(m)
  return {
    totalBuyMoney = amount(m.bought),
    totalUseMoney = amount(m.spent),
    surplusMoney = amount(m.balance),
    currentPrice = price_text(now),
    totalLadderValue = gas(m.position),
    buyCount = tostring(m.buys),
  }
end

---@param m table
function service.gas(m)
  return { totalBuyGas = amount(m.bought), surplusGas = amount(m.balance), buyCount = tostring(m.buys) }
end

-- row: used, work and flow of an instant.
local function flow_values(m, row, at)
  local temperature, pressure = gauge.temperature(m, at), gauge.pressure(m, at, row.flow)
  return {
    standardTotalValue = counter(m, row.used),
    workTotalValue = counter(m, row.work // 1000000),
    standardInstantValue = gas(row.flow),
    workInstantValue = gas(row.flow * climate.expansion(temperature, pressure) // 1000000),
    temperatureValue = core.decimal_text(temperature * 100, 1),
    pressureValue = core.decimal_text(pressure * 100, 1),
  }
end

---@param m table
---@param at integer
function service.flow(m, at)
  local out, active = flow_values(m, { used = m.used, work = m.work, flow = meter.flow(m, at) }, at), m.active or {}
  out.flowMeterStatus = {
    totalizerConnectState = flag(active["0016H"]),
    temperatureSensorState = "0",
    pressureSensorState = "0",
    magneticInterference = flag(active["0009H"]),
    pressureLack = flag(active["0007H"] or m.tired),
    pressureWarn = flag(active["0015H"] or lasting.is_own(m, "0015H")),
    temperatureWarn = flag(active["0014H"] or lasting.is_own(m, "0014H")),
  }
  return out
end

-- Where a meter hangs does not change, how it hears does a little from day to day.
---@param device table
---@param at integer
---@param random table
function service.signal(device, at, random)
  local day = calendar.day(at)
  local wobble = random:between(("signal %s %d"):format(device.number, day), 0, 2)
  local csq = { signalCSQ = tostring(random:between("csq " .. device.number, 12, 29) + wobble) }
  if meter.traits(device.meter).comm == "0" then return csq end
  csq.signalRSRP = core.decimal_text(-100 * random:between("rsrp " .. device.number, 550, 1100) + 1000 * wobble)
  csq.signalSNR = core.decimal_text(100 * random:between("snr " .. device.number, 10, 250))
  csq.signalECL = "0"
  csq.signalCellId = "8" .. random:digits("cell " .. device.number, 7)
  csq.signalFCN = "2506"
  return csq
end

local function frozen_record(m, row, type, switches)
  local out = { frozenType = type, frozenDate = core.timestamp(row.at), frozenValue = counter(m, row.used) }
  if row.work then
    for name, value in pairs(flow_values(m, row, row.at)) do out[name] = value end
  end
  if row.balance then
    out.dayUseValue = gas(row.day_use)
    out.totalBuyValue = amount(row.bought)
    out.totalUseValue = switches.C40 == "gas" and gas(row.used) or amount(row.spent)
    out.surplusValue = amount(row.balance)
  end
  return out
end

---@param m table
---@param switches table
function service.frozen(m, switches)
  local records = core.array {}
  local list, types = frozen_records.list(m)
  for i, row in ipairs(list) do records[i] = frozen_record(m, row, types[i], switches) end
  if switches.C28 == "flat" then return records[#records] end
  return { frozenRecords = records }
end

--- Whether the price changed within a day before.
---@param m table
---@param at integer
---@return boolean
function service.is_price_news(m, at)
  return m.last ~= nil and at - m.last.at <= NEWS
end

---@param m table
---@param switches table
function service.price_change(m, switches)
  local last = m.last
  local out = {
    lastPriceVer = tostring(last.scheme.version),
    lastCycleValue = gas(last.position),
    totalUseValue = counter(m, last.used),
    totalUseMoney = amount(switches.C39 == "bought" and last.bought or last.spent),
    surplusMoney = amount(last.balance),
  }
  for i, used in ipairs(price.spread(last.scheme, last.position)) do
    out["lastPrice" .. ORDINALS[i]] = price_text(last.scheme[i])
    out["lastLadder" .. ORDINALS[i] .. "UseValue"] = gas(used)
  end
  return out
end

-- Supply voltage: it falls for as long as the mains are gone; a rule's warning shows too.
local function supply(m, at, low)
  local millivolts = SUPPLY_FULL
  if m.dark then millivolts = math.max(SUPPLY_EMPTY, SUPPLY_FULL - (at - m.dark) // SUPPLY_FALL) end
  if low and millivolts > SUPPLY_LOW then return 9800 end
  return millivolts
end

---@param m table
---@param at integer
function service.concentrator(m, at)
  local active = m.active or {}
  local mains, low = not active["1001H"], active["1000H"] ~= nil
  return {
    deviceTime = core.timestamp(meter.clock(m, at)),
    batteryVoltage = volts(supply(m, at, low)),
    concentratorStatus = {
      powerType = mains and "1" or "0",
      electricState = flag(mains),
      storeState = flag(active["000DH"]),
      updateState = "0",
      pressureLack = flag(low),
      meterState = "0",
    },
  }
end

return service
