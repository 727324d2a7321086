-- The platform's record of devices: numbers, ids, registration, user fields.
-- deviceState (C8): 1 known but not registered, 2 registered, 3 deregistered.

local core = require "xfiot.core"
local meter = require "xfiot.sandbox.meter"

local Registry = {}
Registry.__index = Registry
Registry.__name = "xfiot.sandbox.registry"

local AWAITING <const>, REGISTERED <const>, GONE <const> = 1, 2, 3
local USER_FIELDS <const> = { "userNo", "userName", "userAddress", "syncFlag" }

--- Makes a device known. Its id follows from the seed and its number.
---@param number string deviceNo
---@param of { kind: string?, profile: string?, used: integer?, freeze: string? }? kind: see kind.lua; nil: the first
---  command tells; used: litres on its counter
---@return table device
function Registry:make(number, of)
  of = of or {}
  if self.by_number[number] then error("sandbox: two devices with the number " .. number, 0) end
  local device = {
    number = number,
    id = self.random:id("device " .. number),
    state = AWAITING,
    meter = meter.new {
      kind = of.kind, profile = of.profile, used = of.used, freeze = of.freeze or self.freeze,
      at = self.clock:seconds(), salt = self.random:drawn(number),
    },
  }
  self.by_number[number], self.by_id[device.id] = device, device
  self.order[#self.order + 1] = device
  self.made(device, #self.order)
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

local function state_of(device, switches)
  if switches.C8 == "account" and device.state == REGISTERED and not device.meter.account then return AWAITING end
  return device.state
end

--- The record as DeviceDTO (1.3); user fields never given are "" (C13).
---@param device table
---@param switches table
---@return table
function Registry:record(device, switches)
  local never = ""
  if switches.C13 ~= "empty" then never = switches.C13 == "null" and core.null or nil end
  return {
    manuId = 1,
    deviceNo = device.number,
    deviceId = device.id,
    userNo = device.userNo or never,
    userName = device.userName or never,
    userAddress = device.userAddress or never,
    imeiCode = "86" .. self.random:digits("imei " .. device.number, 13),
    iccidCode = "8986" .. self.random:digits("iccid " .. device.number, switches.C12 == "19" and 15 or 16),
    deviceState = state_of(device, switches),
    syncFlag = device.syncFlag or 0,
  }
end

--- `made(device, place)` is told of every device that becomes known.
---@param options { random: table, clock: table, freeze: string?, made: fun(device: table, place: integer) }
local function new(options)
  return setmetatable({
    random = options.random, clock = options.clock, freeze = options.freeze, made = options.made,
    by_number = {}, by_id = {}, order = {},
  }, Registry)
end

return { new = new, keep_user = keep_user, AWAITING = AWAITING, REGISTERED = REGISTERED, GONE = GONE }
