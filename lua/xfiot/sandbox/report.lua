-- The messages of sections 3.1 and 3.2, exactly in the document's shape. All values of
-- services are strings. Every function takes the device as it is: a meter that has been
-- brought up to `at`.

local core = require "xfiot.core"
local meter = require "xfiot.sandbox.meter"
local price = require "xfiot.sandbox.price"
local service = require "xfiot.sandbox.service"

local Report = {}
Report.__index = Report
Report.__name = "xfiot.sandbox.report"

local TWO_DIGITS <const> = { ["0"] = "00", ["1"] = "01", ["99"] = "99" }

local function item(id, data)
  return { serviceId = id, serviceData = data }
end

local function message(self, device, at, kind, data)
  local traits = meter.traits(device.meter)
  return {
    callbackType = "0",
    msgDeviceType = traits.meter == "2" and "1" or "0",
    deviceId = device.id,
    receiveTime = core.timestamp(at),
    callbackData = {
      meterNo = device.meter_no or device.number,
      commType = traits.comm,
      chargeType = traits.charge,
      meterType = traits.meter,
      reportType = self.switches.C23 == "two" and TWO_DIGITS[kind] or kind,
      data = core.array(data),
    },
  }
end

-- What a kind carries, in the document's order.
local function services(self, device, at)
  local m, traits = device.meter, meter.traits(device.meter)
  if traits.meter == "2" then return { item("ConcentratorDataInfo", service.concentrator(m, at)) } end
  local list = { item("GeneralDataInfo", service.general(m, at, self.switches)) }
  local function add(id, data) list[#list + 1] = item(id, data) end
  if traits.charge == "2" then add("MoneyMeterInfo", service.money(m)) end
  if traits.charge == "1" then add("GasMeterInfo", service.gas(m)) end
  if traits.meter == "1" then add("FlowMeterInfo", service.flow(m, at)) end
  add("SignalInfo", service.signal(device, at, self.random))
  add("FrozenValueInfo", service.frozen(m, self.switches))
  if traits.gprs and service.is_price_news(m, at) then
    add("PriceChangeInfo", service.price_change(m, self.switches))
  end
  return list
end

--- The business report of a device as of a time (seconds). `kind`: "0" by itself, "1" by key.
---@param device table
---@param at integer
---@param kind string?
---@return table
function Report:business(device, at, kind)
  return message(self, device, at, kind or "0", services(self, device, at))
end

local FORMS <const> = { H = "%sH", bare = "%s", ["0x"] = "0x%s" }

--- The report of an alarm, which holds nothing else (3.1).
---@param device table
---@param alarm { code: string, at: integer, state: string }
---@return table
function Report:alarm(device, alarm)
  local own = meter.traits(device.meter).meter == "2" and self.switches.C27 == "own"
  local event = {
    warnDate = core.timestamp(meter.clock(device.meter, alarm.at)),
    warnType = FORMS[self.switches.A3]:format(alarm.code:sub(1, 4)),
    warnState = alarm.state,
  }
  local data = { item(own and "ConcentratorWarnDataInfo" or "WarnDataInfo", { warnEvents = core.array { event } }) }
  return message(self, device, alarm.at, "99", data)
end

--- The result of a command in the type and form it is sent in (C20, C22, C38).
---@param command table
---@param result table
---@return table|string
function Report:result(command, result)
  local is_empty = command.method == "PRICE_READ" and result.commandResult == "1" and self.switches.C38 == "empty"
  local out = is_empty and price.nothing() or {}
  for name, value in pairs(result) do out[name] = value end
  if self.switches.C22 == "int" then out.commandResult = math.tointeger(tonumber(out.commandResult)) end
  if self.switches.C20 == "string" then return core.encode(out) end
  return out
end

--- The response to a command (3.2).
---@param device table
---@param command table
---@param at integer seconds
---@return table
function Report:response(device, command, at)
  return {
    callbackType = "1",
    msgDeviceType = "0",
    deviceId = device.id,
    commandId = command.id,
    receiveTime = core.timestamp(at),
    callbackData = self:result(command, command.answer),
  }
end

---@param options { random: table, switches: table<string, string> }
local function new(options)
  return setmetatable({ random = options.random, switches = options.switches }, Report)
end

return { new = new }
