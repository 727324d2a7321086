-- What the sandbox takes from the contract's rows besides the checks of
-- requests: the text of a return code, the meters a command is for, the routes.

local codes = require "xfiot.codes"
local core = require "xfiot.core"

local loaded

local function add_route(routes, path, version, method, endpoint)
  local at = path:gsub("/" .. version:gsub("%W", "%%%0") .. "/", "//", 1)
  routes[at] = routes[at] or {}
  routes[at][method] = endpoint
end

local function load()
  if loaded then return loaded end
  local contract = core.contract()
  local charges, routes, alarms, types = {}, {}, {}, {}
  for _, row in ipairs(contract.alarms) do alarms[row.code] = row end
  for _, row in ipairs(contract.commands) do charges[row.id] = row.charge_types end
  for _, row in ipairs(contract.endpoints) do
    types[row.name] = row.content_type
    add_route(routes, row.path, contract.api_version, row.method, row.name)
    if row.also_method then add_route(routes, row.path, contract.api_version, row.also_method, row.name) end
    if row.also_path then add_route(routes, row.also_path, contract.api_version, row.method, row.name) end
  end
  loaded = { charges = charges, alarms = alarms, routes = routes, types = types, version = contract.api_version }
  return loaded
end

local rows = {}

--- The Chinese text of a return code. Success says what the examples say (C7).
---@param code string
---@param switches table<string, string>
---@return string
function rows.message(code, switches)
  if code == "100000" then return switches.C7 == "appendix" and "成功" or "运行正确" end
  local row = codes.find(code)
  return row and row.message.zh or code
end

--- An alarm's row: code, device, shuts, status_flag; nil if there is none.
---@param code string "0009H"
---@return table?
function rows.alarm(code)
  return load().alarms[code]
end

--- The chargeTypes a command variant is for: "12".
---@param variant string
---@return string
function rows.charge_types(variant)
  return load().charges[variant]
end

--- Whether the document lists Content-Type for an endpoint (C4).
---@param endpoint string
---@return boolean
function rows.has_type(endpoint)
  return load().types[endpoint] or false
end

--- Endpoints by HTTP method at a path whose version is left out
--- ("/iotcloud/app/cmd//queryCmd"), or nil.
---@param path string
---@return table<string, string>?
function rows.routes(path)
  return load().routes[path]
end

--- The version that is served: "v1.0.0".
---@return string
function rows.version()
  return load().version
end

return rows
