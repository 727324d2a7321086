-- What a platform that reads the document more narrowly refuses (switch.lua): all that needs
-- to see a request as it came, and the ranges of a command's parameters.

local core = require "xfiot.core"
local rows = require "xfiot.sandbox.rows"

local DAY <const> = 86400

local strict = {}

--- C4: whether the header that the document lists for the endpoint is missing.
---@param switches table<string, string>
---@param endpoint string
---@param request table
---@return boolean
function strict.lacks_type(switches, endpoint, request)
  if switches.C4 ~= "required" or not rows.has_type(endpoint) then return false end
  return not (request.headers["content-type"] or ""):find "^application/json"
end

--- C10: the places in which query looks for deviceNo.
---@param switches table<string, string>
---@param endpoint string
---@param query table<string, string>
---@param body string
---@return table<string, string> query
---@return string body
function strict.places(switches, endpoint, query, body)
  if endpoint ~= "query" or switches.C10 == "both" then return query, body end
  if switches.C10 == "query" then return query, "" end
  local others = {}
  for name, value in pairs(query) do others[name] = name ~= "deviceNo" and value or nil end
  return others, body
end

-- The parameters of a command as they came, without defaults.
local function given(body)
  local paras = core.decode(body).command.paras
  return type(paras) == "string" and core.decode(paras) or paras
end

--- C31, C36: the code of a parameter with a default that was left out, or nil.
---@param switches table<string, string>
---@param command { id: string, paras: table } as read, with defaults
---@param body string
---@return string?
function strict.missing(switches, command, body)
  if switches.C31 == "required" and command.paras.clearMark and given(body).clearMark == nil then return "500031" end
  local is_sync = command.id == "BALANCE_SYNC"
  return switches.C36 == "required" and is_sync and given(body).ladderNo == nil and "500021" or nil
end

local function check_backend(switches, paras)
  if switches.C30 == "5" and (paras.ladderNo or 1) > 5 then return "500021" end
  if switches.C33 == "narrow" and paras.surplusValue
    and (math.abs(paras.surplusValue) > 2147483640 or paras.surplusValue % 10 ~= 0) then
    return "500019"
  end
  if switches.C34 == "30" and (paras.price or 0) > 30000 then return "500020" end
  if switches.C35 == "money" and paras.prepaidType == 1 then return "500018" end
  return nil
end

--- Where the document has two ranges, by the narrower one; a code or nil.
---@param switches table<string, string>
---@param args table of creatCmd
---@return string?
function strict.ranges(switches, args)
  local paras, id = args.command.paras, args.command.id
  if switches.C18 == "days" and (args.expireTime < DAY or args.expireTime > 31 * DAY) then return "101001" end
  if switches.C19 == "3" and args.expireCount > 3 then return "101001" end
  if switches.C32 == "strict" and id == "ACCOUNT_OPEN.meterPrepaid" and paras.billNo == 0 then return "500032" end
  if id == "ACCOUNT_OPEN.backendPrepaid" or id == "BALANCE_SYNC" then return check_backend(switches, paras) end
  return nil
end

return strict
