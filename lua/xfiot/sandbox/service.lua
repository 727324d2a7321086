-- The services of a report (appendix 2), each from what is in the meter.

local core = require "xfiot.core"
local calendar = require "xfiot.sandbox.calendar"
local frozen_records = require "xfiot.sandbox.frozen"
local meter = require "xfiot.sandbox.meter"
local price = require "xfiot.sandbox.price"
local profile = require "xfiot.sandbox.profile"

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
  if m.stuck then status.valveDamage = "1" end
  status.remoteCloseValve = flag(m.closed_remotely)
  status.valueLack = flag(is_out_of_credit(m))
  status.loseTrack = flag(m.lost)
  if switches.C29 == "present" then status.accountFlag = flag(m.account) end
  return status
end

local service = {}

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

-- Tenths of a degree: cold in January, warm in July.
local TEMPERATURES <const> = { 60, 75, 110, 160, 210, 245, 280, 275, 235, 180, 125, 80 }

-- The flow runs a little compressed: 1037 standard litres in 1000.
local function work(litres)
  return litres * 1000 // 1037
end

local function instant(m, at)
  if not meter.is_open(m) then return 0 end
  local day = calendar.day(at)
  return profile.flow(meter.profile(m), meter.day_gas(m, day), at - calendar.midnight(day)) // 1000
end

local function temperature(m, at)
  if m.active and m.active["0014H"] then return 950 end
  return TEMPERATURES[(calendar.date(calendar.day(at)))]
end

local function flow_values(m, used, at)
  local now = instant(m, at)
  return {
    standardTotalValue = counter(m, used),
    workTotalValue = counter(m, work(used)),
    standardInstantValue = gas(now),
    workInstantValue = gas(work(now)),
    temperatureValue = core.decimal_text(temperature(m, at) * 100),
    pressureValue = m.active and m.active["0015H"] and "160.2" or "105.1",
  }
end

---@param m table
---@param at integer
function service.flow(m, at)
  local out, active = flow_values(m, m.used, at), m.active or {}
  out.flowMeterStatus = {
    totalizerConnectState = flag(active["0016H"]),
    temperatureSensorState = "0",
    pressureSensorState = "0",
    magneticInterference = flag(active["0009H"]),
    pressureLack = flag(active["0007H"]),
    pressureWarn = flag(active["0015H"]),
    temperatureWarn = flag(active["0014H"]),
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

local function frozen_record(m, row, switches)
  local out = { frozenType = row.type, frozenDate = core.timestamp(row.at), frozenValue = counter(m, row.used) }
  if meter.traits(m).meter == "1" then
    for name, value in pairs(flow_values(m, row.used, row.at)) do out[name] = value end
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
  for i, row in ipairs(frozen_records.list(m)) do records[i] = frozen_record(m, row, switches) end
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

---@param m table
---@param at integer
function service.concentrator(m, at)
  local active = m.active or {}
  local mains, low = not active["1001H"], active["1000H"] ~= nil
  return {
    deviceTime = core.timestamp(meter.clock(m, at)),
    batteryVoltage = low and "9.80" or "12.10",
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
