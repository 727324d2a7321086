-- What the specs of the client share.
local assert = require "luassert"
local core = require "xfiot.core"
local xfiot = require "xfiot"

local ID = "c397429e5b79131673ae176a7124ffba"
local DEVICE = "673ae176a7124ffbac397429e5b79131"
local SUCCESS = ('{"responseCode":"100000","message":"运行正确","result":"%s","args":""}'):format(ID)
local RECORD = '{"responseCode":"100000","result":{"manuId":1,"deviceNo":"1","deviceId":"' .. DEVICE
  .. '","deviceState":2,"syncFlag":0}}'

local signer = core.signer { example = true }

local function new_client(url, more)
  local settings = { base_url = url, company_code = "000001", signer = signer }
  for name, value in pairs(more or {}) do settings[name] = value end
  return xfiot.client(settings)
end

local function write(client, device)
  return client:creatCmd {
    deviceId = device or DEVICE, command = { method = "VALVE_CONTROL", paras = { controlFlag = 1 } },
  }
end

local function read(client) return client:query { deviceNo = "1" } end

-- What every error object owes its reader.
local function check_error(err, operation)
  assert.is_true(xfiot.is_error(err), tostring(err))
  assert.equal(operation, err.operation)
  for _, name in ipairs { "message", "message_en" } do assert.matches("%S", err[name]) end
  if operation ~= "settings" then assert.matches("%S", err.remedy) end -- those say it in their sentence
  local line = tostring(err)
  assert.equal(operation .. ": " .. err.kind, line:sub(1, #operation + 2 + #err.kind))
  assert.matches(err.message_en, line, 1, true)
  assert.is_nil(line:find "%c")
end

return {
  ID = ID, DEVICE = DEVICE, SUCCESS = SUCCESS, RECORD = RECORD, signer = signer,
  new_client = new_client, write = write, read = read, check_error = check_error,
}
