--- A meter and its billing verbs. A verb checks everything first, sends one
-- command, waits until the meter itself has answered and returns a receipt; it
-- raises an error object on anything else.
local arguments = require "xfiot.arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local settle = require "xfiot.settle"
local verbs = require "xfiot.verbs"

---@class xfiot.Meter
---@field device_no string
local Meter = {}
Meter.__index = Meter
Meter.__name = "xfiot.meter"

local REGISTERED, DEREGISTERED = 2, 3 -- deviceState (1.3)

local meter = {}

--- A meter of a client. Nothing is asked of the platform yet.
---@param client xfiot.Client
---@param device_no string
---@return xfiot.Meter
function meter.new(client, device_no)
  local faults = core.check("query", { deviceNo = device_no }, client.company_code)
  if faults then error(errors.invalid("meter", faults), 0) end
  return setmetatable({ client = client, device_no = device_no, id = nil, charge_type = nil, known_report = nil,
                        remembered = nil }, Meter)
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
  if record.deviceNo ~= self.device_no then
    error(errors.new { kind = "platform", operation = "query", sent = true, message = "平台返回了其他设备的信息",
      message_en = ("The platform answered about device %s"):format(record.deviceNo),
      remedy = "No command is sent on such an answer; ask the platform's operator." }, 0)
  end
  if record.deviceState == DEREGISTERED then error(errors.platform("query", "500004", ""), 0) end
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
  if user ~= nil and type(user) ~= "table" then
    error("meter:register takes a table of user data, got " .. type(user), 2)
  end
  local request = { manuId = MANUFACTURER, deviceNo = self.device_no }
  for name, value in pairs(user or {}) do
    -- a name of the meter's own would make it another meter
    request[request[name] == nil and name or name .. " (the meter's own)"] = value
  end
  local faults = core.check("register", request, self.client.company_code)
  if faults then error(errors.invalid("register", faults), 0) end
  local record, err = self.client:query { deviceNo = self.device_no }
  if record and record.deviceNo == self.device_no and record.deviceState == REGISTERED then
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
  -- The reply names no device: that the id is this meter's, the platform must say itself.
  return self:device().deviceId
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
  if message.deviceId ~= self.id then return nil end -- another meter's report says nothing of this one
  return by_service(message)
end

--- The latest report (3.3), or nil when the meter has never reported.
---@return table|nil message with `services` by name, besides callbackData.data
function Meter:report()
  local message = latest(self, "0")
  if message then
    self.charge_type = message.callbackData.chargeType
    self.latest_report = message
  end
  return message
end

-- ---- what the journal knows of the meter, for orders

--- Takes over what the journal knows, so that the platform need not be asked.
function Meter:recall()
  local known = self.client.orders:journal():read("recall", self.client.company_code, self.device_no)
  if not known then return end
  self.id = self.id or known.device_id
  self.charge_type = self.charge_type or known.charge_type
  self.known_report = known.report or self.known_report -- others may have written a newer one
  self.remembered = known
end

--- Writes what was learned to the journal, if anything is new.
function Meter:remember()
  local known, report = self.remembered or {}, self.latest_report
  local text = report and core.encode { receiveTime = report.receiveTime, callbackData = report.callbackData }
  if known.device_id == self.id and known.charge_type == self.charge_type and (not text or known.report == text) then
    return
  end
  local device = {
    company_code = self.client.company_code, device_no = self.device_no, device_id = self.id,
    charge_type = self.charge_type, report = text, report_time = report and report.receiveTime,
    updated_at = core.now(),
  }
  local journal = self.client.orders:journal()
  journal:write(journal.file.remember, device)
  self.remembered = { device_id = self.id, charge_type = self.charge_type, report = text or known.report }
end

--- The last known report as JSON; asked for once if none is known.
---@return string|nil
function Meter:last_report()
  if self.known_report then return self.known_report end
  local message = self.latest_report or self:report()
  self.known_report = message and core.encode { receiveTime = message.receiveTime, callbackData = message.callbackData }
  return self.known_report
end

--- Forgets the platform's id and asks for it again.
function Meter:forget()
  self.id = nil
  local record = self.client:query { deviceNo = self.device_no }
  if record then
    self.id = record.deviceId
    self:remember()
  end
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

--- Keeps in mind what the meter was opened as, for orders before its first report.
---@param prepaid_type integer
function Meter:remember_opened(prepaid_type)
  for charge_type, counted in pairs(PREPAID_OF) do
    if counted == prepaid_type then self.charge_type = charge_type end
  end
  self:remember()
end

--- Whether the meter counts money (0) or gas (1): by its reports, by how it was
--- opened, else money.
---@return integer prepaidType
function Meter:prepaid_type()
  if not self.charge_type then self:report() end
  return PREPAID_OF[self.charge_type] or 0
end

-- A call without a table is a mistake in the script: shown where it stands.
local function check_table(name, verb, args)
  if args == nil or type(args) == "table" or (verb.positional and type(args) == "string") then return end
  error(("meter:%s takes a table of arguments, got %s"):format(name, type(args)), 3)
end

--- Checks the arguments of a verb as the verb itself would, and does nothing;
--- raises naming every bad one.
---@param name string the verb
---@param args? table
function Meter:check(name, args)
  local verb = verbs.rows[name]
  if not verb then error(("there is no verb %s"):format(tostring(name)), 2) end
  check_table(name, verb, args)
  arguments.read(self, name, verb, args)
end

-- Every verb is a row of xfiot.verbs.
for name, verb in pairs(verbs.rows) do
  Meter[name] = function(self, args)
    check_table(name, verb, args)
    return settle.perform(self, name, verb, args)
  end
end

function Meter:__tostring()
  return "xfiot.meter " .. self.device_no
end

return meter
