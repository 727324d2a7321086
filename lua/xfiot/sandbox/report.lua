-- The messages of sections 3.1 and 3.2, exactly in the document's shape. All
-- values of services are strings.

local core = require "xfiot.core"
local meter = require "xfiot.sandbox.meter"
local price = require "xfiot.sandbox.price"

local ORDINALS <const> = { "One", "Two", "Three", "Four", "Five" }

local function flag(value)
  return value and "1" or "0"
end

local amount = meter.amount_text

local function gas(litres)
  return core.decimal_text(litres)
end

local function price_text(thousandths)
  return core.decimal_text(thousandths, 2)
end

-- Nothing left, of what this meter is paid with.
local function is_out_of_credit(m)
  if m.shown then return m.prepaid and m.shown.balance <= 0 end
  return m.account and m.balance <= 0 and meter.traits(m).charge ~= "0"
end

local function general(device, at)
  local m = device.meter
  return {
    totalUseValue = not meter.traits(m).frozen and gas(m.used) or nil,
    deviceTime = core.timestamp(at),
    valveState = m.valve,
    batteryVoltage = "6.02",
    meterStatus = {
      deviceLock = "0",
      superFlow = "0",
      magneticInterference = "0",
      pressureLack = "0",
      leakAlarm = "0",
      singleCount = "0",
      breakLine = "0",
      valveDamage = "0",
      remoteCloseValve = flag(m.closed_remotely),
      valueLack = flag(is_out_of_credit(m)),
      loseTrack = "0",
      accountFlag = flag(m.account),
    },
  }
end

local function money(m)
  return {
    totalBuyMoney = amount(m.bought),
    totalUseMoney = amount(m.spent),
    surplusMoney = amount(m.balance),
    currentPrice = price_text(price.current(m)),
    totalLadderValue = gas(m.position),
    buyCount = tostring(m.buys),
  }
end

local function gas_credit(m)
  return { totalBuyGas = amount(m.bought), surplusGas = amount(m.balance), buyCount = tostring(m.buys) }
end

local function flow(m)
  return {
    standardTotalValue = gas(m.used),
    workTotalValue = gas(m.used),
    standardInstantValue = "0",
    workInstantValue = "0",
    temperatureValue = "20",
    pressureValue = "101.3",
    flowMeterStatus = {
      totalizerConnectState = "0",
      temperatureSensorState = "0",
      pressureSensorState = "0",
      magneticInterference = "0",
      pressureLack = "0",
      pressureWarn = "0",
      temperatureWarn = "0",
    },
  }
end

-- Where a meter hangs does not change: its signal follows from seed and number.
local function signal(device, random)
  local csq = { signalCSQ = tostring(random:between("csq " .. device.number, 12, 31)) }
  if meter.traits(device.meter).comm == "0" then return csq end
  csq.signalRSRP = core.decimal_text(-100 * random:between("rsrp " .. device.number, 550, 1100))
  csq.signalSNR = core.decimal_text(100 * random:between("snr " .. device.number, 10, 250))
  csq.signalECL = "0"
  csq.signalCellId = "8" .. random:digits("cell " .. device.number, 7)
  csq.signalFCN = "2506"
  return csq
end

local function frozen(m)
  local record = {
    frozenType = "3",
    frozenDate = core.timestamp(m.frozen_at),
    frozenValue = gas(m.frozen_used),
  }
  if m.frozen_balance then
    record.dayUseValue = gas(m.used - m.frozen_used)
    record.totalBuyValue = amount(m.frozen_bought)
    record.totalUseValue = amount(m.frozen_spent)
    record.surplusValue = amount(m.frozen_balance)
  end
  return { frozenRecords = core.array { record } }
end

local function price_change(last)
  local out = {
    lastPriceVer = tostring(last.scheme.version),
    lastCycleValue = gas(last.position),
    totalUseValue = gas(last.used),
    totalUseMoney = amount(last.spent),
    surplusMoney = amount(last.balance),
  }
  for i, used in ipairs(price.spread(last.scheme, last.position)) do
    out["lastPrice" .. ORDINALS[i]] = price_text(last.scheme[i])
    out["lastLadder" .. ORDINALS[i] .. "UseValue"] = gas(used)
  end
  return out
end

local function service(id, data)
  return { serviceId = id, serviceData = data }
end

local function services(device, at, random)
  local m, traits = device.meter, meter.traits(device.meter)
  local list = { service("GeneralDataInfo", general(device, at)) }
  local function add(id, data) list[#list + 1] = service(id, data) end
  if traits.charge == "2" then add("MoneyMeterInfo", money(m)) end
  if traits.charge == "1" then add("GasMeterInfo", gas_credit(m)) end
  if traits.meter == "1" then add("FlowMeterInfo", flow(m)) end
  add("SignalInfo", signal(device, random))
  add("FrozenValueInfo", frozen(m))
  if traits.frozen and m.last then add("PriceChangeInfo", price_change(m.last)) end
  return list
end

local function message(device, at, kind, data)
  local traits = meter.traits(device.meter)
  return {
    callbackType = "0",
    msgDeviceType = "0",
    deviceId = device.id,
    receiveTime = core.timestamp(at),
    callbackData = {
      meterNo = device.number,
      commType = traits.comm,
      chargeType = traits.charge,
      meterType = traits.meter,
      reportType = kind,
      data = core.array(data),
    },
  }
end

local report = {}

--- The business report of a device as of a time (seconds); the meter is settled to it first.
---@param device table
---@param at integer
---@param random table
---@return table
function report.business(device, at, random)
  meter.settle(device.meter, at)
  return message(device, at, "0", services(device, at, random))
end

--- The report of an alarm, which holds nothing else (3.1).
---@param device table
---@param alarm { code: string, at: integer }
---@return table
function report.alarm(device, alarm)
  local event = { warnDate = core.timestamp(alarm.at), warnType = alarm.code, warnState = "1" }
  return message(device, alarm.at, "99", { service("WarnDataInfo", { warnEvents = core.array { event } }) })
end

--- The response to a command (3.2).
---@param device table
---@param command table
---@param at integer seconds
---@return table
function report.response(device, command, at)
  return {
    callbackType = "1",
    msgDeviceType = "0",
    deviceId = device.id,
    commandId = command.id,
    receiveTime = core.timestamp(at),
    callbackData = command.result,
  }
end

return report
