--- A meter and its billing verbs. A verb checks everything first, sends one
-- command, waits until the meter itself has answered and returns a receipt; it
-- raises an error object on anything else.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local settle = require "xfiot.settle"
local verbs = require "xfiot.verbs"

---@class xfiot.Meter
---@field device_no string
local Meter = {}
Meter.__index = Meter
Meter.__name = "xfiot.meter"

local REGISTERED = 2 -- deviceState (1.3)

local meter = {}

--- A meter of a client. Nothing is asked of the platform yet.
---@param client xfiot.Client
---@param device_no string
---@return xfiot.Meter
function meter.new(client, device_no)
  local faults = core.check("query", { deviceNo = device_no }, client.company_code)
  if faults then error(errors.invalid("meter", faults), 0) end
  return setmetatable({ client = client, device_no = device_no }, Meter)
end

-- Verbs raise what calls return.
local function must(result, err)
  if result == nil then error(err, 0) end
  return result
end

--- The platform's record of the device (1.3).
---@return table DeviceDTO
function Meter:device()
  local record = must(self.client:query { deviceNo = self.device_no })
  self.id = record.deviceId
  return record
end

--- The platform's id of the device; asked for once.
---@return string
function Meter:device_id()
  return self.id or self:device().deviceId
end

local MANUFACTURER = 1 -- Hangzhou Xianfeng, the only one (1.1)

--- Registers the meter unless it is registered already.
---@param user? { userNo?: string, userName?: string, userAddress?: string, syncFlag?: integer }
---@return string deviceId
function Meter:register(user)
  local request = { manuId = MANUFACTURER, deviceNo = self.device_no }
  for name, value in pairs(user or {}) do request[name] = value end
  local faults = core.check("register", request, self.client.company_code)
  if faults then error(errors.invalid("register", faults), 0) end
  local record, err = self.client:query { deviceNo = self.device_no }
  if record and record.deviceState == REGISTERED then
    self.id = record.deviceId
    return self.id
  end
  if not record and err.code ~= "500001" then error(err, 0) end
  local id
  id, err = self.client:register(request)
  if not id then
    if err.code ~= "500005" then error(err, 0) end -- somebody was faster
    return self:device().deviceId
  end
  self.id = id
  return id
end

-- The services of a report by their names, beside the document's own list.
local function by_service(message)
  local services = {}
  for _, item in ipairs(message.callbackData.data) do services[item.serviceId] = item.serviceData end
  message.services = services
  return message
end

local function latest(self, kind)
  local message, err = self.client:queryReportData { deviceId = self:device_id(), msgType = kind }
  if not message then
    if err.code == "500050" then return nil end
    error(err, 0)
  end
  return by_service(message)
end

--- The latest report (3.3), or nil when the meter has never reported.
---@return table|nil message with `services` by name, besides callbackData.data
function Meter:report()
  local message = latest(self, "0")
  if message then self.charge_type = message.callbackData.chargeType end
  return message
end

--- The latest alarm message (3.3), or nil when there is none.
---@return table|nil
function Meter:alarms()
  return latest(self, "1")
end

--- What kind of meter its reports say it is; nothing is known before the first.
---@return { backend: boolean, gas: boolean, money: boolean, gprs_money: boolean }
function Meter:kind()
  local message = self:report()
  local data = message and message.callbackData or {}
  return {
    backend = data.chargeType == "0", gas = data.chargeType == "1", money = data.chargeType == "2",
    gprs_money = data.chargeType == "2" and data.commType == "0",
  }
end

-- chargeType and prepaidType number money and gas the other way round (A15).
local PREPAID_OF = { ["1"] = 1, ["2"] = 0 }

--- Whether the meter counts money (0) or gas (1): by how it was opened, else by
--- its reports, else money.
---@return integer prepaidType
function Meter:prepaid_type()
  if self.opened_as then return self.opened_as end
  if not self.charge_type then self:report() end
  return PREPAID_OF[self.charge_type] or 0
end

-- Every verb is a row of xfiot.verbs.
for name, verb in pairs(verbs.rows) do
  Meter[name] = function(self, args)
    return settle.perform(self, name, verb, args)
  end
end

function Meter:__tostring()
  return "xfiot.meter " .. self.device_no
end

return meter
