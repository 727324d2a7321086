--- xfiot: billing systems and the Xianfeng IoT platform (先锋物联网云平台).
-- See the README for the whole picture.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local parallel = require "xfiot.parallel"

local xfiot = {
  version = core.version,
  parallel = parallel,
  null = core.null,
}

--- A client, from the settings. See xfiot.client.
---@param overrides? table
---@return xfiot.Client
function xfiot.client(overrides)
  return require("xfiot.client").new(overrides)
end

--- Waits; in xfiot.parallel and in workflows the others go on meanwhile.
---@param seconds number
function xfiot.sleep(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 or seconds == math.huge then
    error("xfiot.sleep: seconds must be a number of 0 or more", 2)
  end
  loop.sleep(seconds)
end

--- A transId (a new one unless given) and its token, by the settings' key,
--- which itself never enters Lua.
---@param trans_id? string
---@return string trans_id, string token
function xfiot.sign(trans_id)
  local settings = require "xfiot.settings"
  local id, token = settings.signer(settings.resolve()):sign(trans_id)
  if not id then error(errors.bad_argument("sign", "transId", token, token), 0) end
  return id, token
end

--- Declares a workflow. See xfiot.workflow.
---@param definition table { name=, doc=, args=, run= }
---@return xfiot.Workflow
function xfiot.workflow(definition)
  return require("xfiot.workflow").new(definition)
end

--- The ledgers of the meters whose money the utility keeps. See xfiot.settlement.
---@param client xfiot.Client
---@return xfiot.Settlement
function xfiot.settlement(client)
  return require("xfiot.settlement").of(client)
end

--- Handlers for xfiot serve that settle reports. See xfiot.billing.
---@param policy? table { every=, low=, on_low=, on_overdraft=, close_valve_below= }
---@return table<string, function>
function xfiot.billing(policy)
  return require("xfiot.billing").handlers(policy)
end

--- Whether a value is an error object of xfiot.
---@param value any
---@return boolean
function xfiot.is_error(value)
  return errors.is(value)
end

return xfiot
