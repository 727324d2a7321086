-- The platform's record of devices: numbers, ids, registration, user fields.
-- deviceState (C8): 1 known but not registered, 2 registered, 3 deregistered.

local meter = require "xfiot.sandbox.meter"

local Registry = {}
Registry.__index = Registry
Registry.__name = "xfiot.sandbox.registry"

local AWAITING <const>, REGISTERED <const>, GONE <const> = 1, 2, 3
local USER_FIELDS <const> = { "userNo", "userName", "userAddress", "syncFlag" }

--- Makes a device known. Its id follows from the seed and its number.
---@param number string deviceNo
---@param kind string? money, gas, backend, flow, commercial; nil: the first command tells
---@return table device
function Registry:make(number, kind)
  if self.by_number[number] then error("sandbox: two devices with the number " .. number, 0) end
  local device = {
    number = number,
    id = self.random:id("device " .. number),
    state = AWAITING,
    meter = meter.new(kind),
  }
  self.by_number[number], self.by_id[device.id] = device, device
  self.order[#self.order + 1] = device
  return device
end

---@param number string
---@return table? device
function Registry:find_number(number)
  return self.by_number[number]
end

---@param id string
---@return table? device
function Registry:find_id(id)
  return self.by_id[id]
end

--- Takes over the user fields that are given and leaves the others (A6).
---@param device table
---@param fields table
local function keep_user(device, fields)
  for _, name in ipairs(USER_FIELDS) do
    if fields[name] ~= nil then device[name] = fields[name] end
  end
end

--- The record as DeviceDTO (1.3); user fields never given are "" (C13).
---@param device table
---@return table
function Registry:record(device)
  return {
    manuId = 1,
    deviceNo = device.number,
    deviceId = device.id,
    userNo = device.userNo or "",
    userName = device.userName or "",
    userAddress = device.userAddress or "",
    imeiCode = "86" .. self.random:digits("imei " .. device.number, 13),
    iccidCode = "8986" .. self.random:digits("iccid " .. device.number, 16),
    deviceState = device.state,
    syncFlag = device.syncFlag or 0,
  }
end

---@param random table
local function new(random)
  return setmetatable({ random = random, by_number = {}, by_id = {}, order = {} }, Registry)
end

return { new = new, keep_user = keep_user, AWAITING = AWAITING, REGISTERED = REGISTERED, GONE = GONE }
