-- The ten endpoints. Arguments come in checked and typed; a return code and,
-- when it is 100000, the result go out. Knows nothing of HTTP. What the document
-- leaves to choose is in `switches` (switch.lua).

local core = require "xfiot.core"
local kinds = require "xfiot.sandbox.kind"
local registry = require "xfiot.sandbox.device"
local rows = require "xfiot.sandbox.rows"
local strict = require "xfiot.sandbox.strict"

local OK <const> = "100000"

local Api = {}
Api.__index = Api
Api.__name = "xfiot.sandbox.api"

local endpoints = {}

function endpoints.register(self, args)
  local devices = self.devices
  local device = devices:find_number(args.deviceNo) or devices:make(args.deviceNo)
  if device.state == registry.GONE then return "500004" end
  if device.state == registry.REGISTERED then return "500005" end
  if device.lacks == "500010" then return "500010" end
  registry.keep_user(device, args)
  device.state = registry.REGISTERED
  self.registered(device)
  return OK, device.id
end

-- "Nothing can be done with an unregistered device" (1.1): as if there were none.
function endpoints.update(self, args, device)
  if device.state == registry.GONE then return "500004" end
  if device.state == registry.AWAITING then return "500001" end
  args.syncFlag = args.syncFlag or 0 -- A6
  registry.keep_user(device, args)
  return OK, self.switches.C44 == "text" and { userNo = device.userNo or "" } or nil
end

function endpoints.query(self, args)
  local device = self.devices:find_number(args.deviceNo)
  if not device then return "500001" end
  return OK, self.devices:record(device, self.switches)
end

function endpoints.cancel(self, _, device)
  if device.state == registry.GONE then return "500004" end
  if device.state == registry.AWAITING then return "500008" end
  device.state = registry.GONE
  return OK, self.switches.C44 == "text" and { deviceNo = device.number } or nil
end

local function production_time(self, number)
  local at = core.timestamp(self.made - self.random:between("made " .. number, 1, 31536000))
  if self.switches.C16 == "table" then return at end
  return (at:gsub("(....)(..)(..)(..)(..)(..)", "%1-%2-%3 %4:%5:%6"))
end

-- By its wording authDevices may register (C15).
local function register_all(self, numbers)
  for _, number in ipairs(numbers) do
    local device = self.devices:find_number(number)
    if device.state == registry.AWAITING then
      device.state = registry.REGISTERED
      self.registered(device)
    end
  end
end

-- In the order of the numbers, each once: not that of the request (C16).
function endpoints.authDevices(self, args)
  if self.switches.C14 == "32" and #args.deviceNos > 32 then return "101001" end
  local found, list = {}, core.array {}
  for _, number in ipairs(args.deviceNos) do
    if self.devices:find_number(number) and not found[number] then
      found[number] = true
      found[#found + 1] = number
    end
  end
  if #found == 0 then return "500001" end
  table.sort(found)
  if self.switches.C15 == "register" then register_all(self, found) end
  for i, number in ipairs(found) do
    local names = self.switches.C16 == "table" and { "deviceNo", "deviceId" } or { "deviceNum", "platId" }
    list[i] = {
      [names[1]] = number,
      [names[2]] = self.devices:find_number(number).id,
      productTime = production_time(self, number),
    }
  end
  return OK, list
end

-- The kind of meter that only this command can mean, or nil.
local KIND_BY_CHARGE <const> = { ["0"] = "backend", ["1"] = "gas", ["2"] = "money" }

-- chargeTypes a command asks for: prepaidType says which of "12" is meant (A15).
local function wanted_charges(command)
  local charges = rows.charge_types(command.id)
  if charges == "12" and command.paras.prepaidType then
    return command.paras.prepaidType == 0 and "2" or "1"
  end
  return charges
end

-- What the platform's operator has not entered for a device (500010 to 500012, 500045).
local function find_lack(self, device)
  if device.lacks then return device.lacks end
  if not device.concentrator then return nil end
  local through = self.devices:find_number(device.concentrator)
  return not (through and through.state == registry.REGISTERED) and "500045" or nil
end

function endpoints.creatCmd(self, args, device)
  if device.state == registry.GONE then return "500004" end
  if device.state == registry.AWAITING then return "500001" end
  local bad = find_lack(self, device) or strict.ranges(self.switches, args)
  if bad then return bad end
  if kinds.traits(device.meter.kind).meter == "2" then return "500013" end
  local wanted = wanted_charges(args.command)
  if not device.meter.kind then
    device.meter.kind = KIND_BY_CHARGE[wanted]
  elseif not wanted:find(kinds.traits(device.meter.kind).charge, 1, true) then
    return "500013"
  end
  local command = self.queue:add(device, {
    method = args.command.method,
    variant = args.command.id,
    paras = args.command.paras,
    expire_time = args.expireTime,
    expire_count = args.expireCount,
  })
  return OK, command.id
end

local function no_result(way)
  if way == "empty" then return "" end
  if way == "null" then return core.null end
  if way == "object" then return {} end
  return nil
end

-- cmdResultDTO; while there is no result, resultDetail is "" (C21).
local function command_result(self, command)
  local detail = no_result(self.switches.C21)
  if command.result then detail = self.reports:result(command, command.result) end
  return {
    commandId = command.id,
    commandState = command.state,
    commandUpdateTime = core.timestamp(command.updated // 1000),
    resultDetail = detail,
  }
end

function endpoints.queryCmd(self, args, device)
  local command = self.queue:find(args.commandId, device)
  if not command then return "500043" end
  return OK, command_result(self, command)
end

function endpoints.batchQueryCmd(self, args)
  local list = core.array {}
  for _, id in ipairs(args.commandIds) do
    local command = self.queue:find(id)
    if command then list[#list + 1] = command_result(self, command) end -- A8
  end
  return OK, list
end

function endpoints.cancelCmd(self, args, device)
  local command = self.queue:find(args.commandId, device)
  if not command then return "500043" end
  if not self.queue:cancel(command) then return "500046" end
  return OK, self.switches.C44 == "text" and "撤销成功" or nil
end

function endpoints.queryReportData(self, args, device)
  if args.msgType == "1" then
    if not device.alarm then return "500050" end
    return OK, self.reports:alarm(device, device.alarm)
  end
  local message = self.last_report(device)
  if not message then return "500050" end
  return OK, message
end

--- Carries out a call. Company and device are looked up first, in this order.
---@param endpoint string the document's name
---@param args table checked and typed
---@return string code
---@return any result
function Api:call(endpoint, args)
  if args.companyCode and args.companyCode ~= self.company_code then return "500002" end
  local device
  if args.deviceId then
    device = self.devices:find_id(args.deviceId)
    if not device then return "500001" end
  end
  return endpoints[endpoint](self, args, device)
end

--- `made`: seconds, before which the devices were produced; `registered(device)` is
--- told of a registration, `last_report(device)` gives the latest one.
---@param options { company_code: string, devices: table, queue: table, random: table, made: integer, reports: table,
---  switches: table<string, string>, registered: fun(device: table), last_report: fun(device: table): table? }
local function new(options)
  local self = setmetatable({}, Api)
  for key, value in pairs(options) do self[key] = value end
  return self
end

return { new = new, OK = OK }
