-- The platform's face: routes, signature, envelope, and the faults to rehearse.
-- Order of the checks: version, token, parameters; the rest is the API's.

local core = require "xfiot.core"
local loop = require "xfiot.loop"
local rows = require "xfiot.sandbox.rows"
local strict = require "xfiot.sandbox.strict"

local Http = {}
Http.__index = Http
Http.__name = "xfiot.sandbox.http"

local function reply(body, status, headers)
  headers = headers or {}
  headers["X-Xfiot-Sandbox"] = "1"
  headers["Server"] = "xfiot-sandbox"
  return { status = status or 200, type = "application/json", body = body, headers = headers }
end

local function plain_error(status, why, headers)
  return reply(core.encode { sandbox = "xfiot sandbox", error = why }, status, headers)
end

-- On failure result is null, but creatCmd has the text there too (C5, C6).
local function envelope(self, endpoint, code, result)
  local message, switches = rows.message(code, self.switches), self.switches
  if code ~= "100000" then result = endpoint == "creatCmd" and switches.C6 == "both" and message or nil end
  if result == nil and (code == "100000" or switches.C5 == "null") then result = core.null end
  return reply(core.encode { responseCode = code, message = message, result = result, args = "" })
end

-- A PUT of creatCmd is a cancel, if it names a command (C24).
local function is_empty_cancel(name, endpoint, request)
  return name == "creatCmd" and endpoint == "cancelCmd" and not request.query.commandId
end

-- The ways that only one of two places of the document has (C9, C24).
local function is_switched_off(self, name, endpoint, request)
  if endpoint == "query" and request.method == "POST" then return self.switches.C9 == "get" end
  return endpoint == "cancelCmd" and name == "creatCmd" and self.switches.C24 == "path"
end

-- endpoint and version; or nil and the answer to a request that is no call.
local function route(self, request)
  local folder, version, name = request.path:match("^(.*)/([^/]+)/(%a+)$")
  local methods = folder and rows.routes(folder .. "//" .. name)
  if not methods then
    local shown = request.path:gsub("[^ -~]", "?")
    return nil, plain_error(404, "this is the xfiot sandbox; it has nothing at " .. shown)
  end
  local endpoint = not is_switched_off(self, name, methods[request.method], request) and methods[request.method]
  if endpoint and not is_empty_cancel(name, endpoint, request) then return endpoint, version end
  local allowed = {}
  for method, each in pairs(methods) do
    local off = is_switched_off(self, name, each, { method = method })
    if not off and not is_empty_cancel(name, each, request) then allowed[#allowed + 1] = method end
  end
  table.sort(allowed)
  local allow = table.concat(allowed, ", ")
  return nil, plain_error(405, "this is the xfiot sandbox; " .. name .. " takes " .. allow, { Allow = allow })
end

-- C10: a form in the body may hold query parameters too.
local function query_of(request)
  local form = (request.headers["content-type"] or ""):find("^application/x%-www%-form%-urlencoded")
  if not form or not request.body then return request.query end
  local query = {}
  for name, value in request.body:gmatch("([^&=]+)=([^&]*)") do
    value = value:gsub("%+", " ")
    query[name] = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  for name, value in pairs(request.query) do query[name] = value end
  return query
end

local function call(self, endpoint, version, request)
  if version ~= rows.version() then return "500000" end
  local trans_id, token = request.headers.randomcode, request.headers.authorization
  if not (trans_id and token and self.signer:verify(trans_id, token)) then return "500003" end
  if strict.lacks_type(self.switches, endpoint, request) then return "101001" end
  local query, body = strict.places(self.switches, endpoint, query_of(request), request.body or "")
  local args, code = core.read_request(endpoint, query, body)
  if args and args.command then code = strict.missing(self.switches, args.command, body) end
  if code then return code end
  return self.api:call(endpoint, args)
end

local function answer(self, request, out)
  self.listener:answer(request.id, out)
end

local SPOILED <const> = {
  lost = function(self, request) self.listener:drop(request.id) end,
  reset = function(self, request) self.listener:drop(request.id, true) end,
  cut = function(self, request, out)
    out.cut = #out.body // 2
    answer(self, request, out)
  end,
  garbled = function(self, request, out)
    out.body = out.body:sub(2)
    answer(self, request, out)
  end,
  status = function(self, request, _, value)
    answer(self, request, plain_error(math.tointeger(tonumber(value)), "a fault, as the sandbox was told"))
  end,
  code = function(self, request, _, value, endpoint) answer(self, request, envelope(self, endpoint, value)) end,
  delay = function(self, request, out, value)
    loop.after(tonumber(value), function()
      if not self.closed then answer(self, request, out) end
    end)
  end,
}

--- Answers what was for the sandbox itself, perhaps later.
---@param request table
---@param out { status: integer, body: string, headers: table? }
function Http:answer_control(request, out)
  if not self.closed then answer(self, request, reply(out.body, out.status, out.headers)) end
end

--- Deals with one request.
---@param request table as the listener hands it over
function Http:handle(request)
  self.handled = self.handled + 1
  local control = self.control(request, function(out) self:answer_control(request, out) end)
  if control then return control ~= true and self:answer_control(request, control) end
  local endpoint, version = route(self, request)
  if not endpoint then return answer(self, request, version) end
  local fault = self.faults:next(endpoint)
  if fault and fault.before then
    self.log(("%s not done, fault %s"):format(endpoint, fault.kind))
    return SPOILED[fault.kind](self, request, nil, fault.value, endpoint)
  end
  local code, result = call(self, endpoint, version, request)
  self.log(("%s %s%s"):format(endpoint, code, fault and ", fault " .. fault.kind or ""))
  local out = envelope(self, endpoint, code, result)
  if fault then return SPOILED[fault.kind](self, request, out, fault.value, endpoint) end
  return answer(self, request, out)
end

--- Takes what the listener has. A mistake in here costs one request, not the others.
function Http:pump()
  while not self.closed do
    local request = self.listener:take()
    if not request then return end
    local ok, reason = xpcall(self.handle, debug.traceback, self, request)
    if not ok then
      self.log("mistake of the sandbox: " .. tostring(reason))
      pcall(answer, self, request, plain_error(500, "a mistake of the xfiot sandbox itself"))
    end
  end
end

--- Closes the listener; requests without an answer are dropped.
function Http:close()
  self.closed = true
  self.listener:close()
end

--- `control(request, later)` answers what is for the sandbox itself, or returns true if
--- later(answer) will be called, or nil.
---@param options { listener: table, api: table, signer: table, faults: table, switches: table<string, string>,
---  control: (fun(request: table, later: fun(answer: table)): table|true|nil), log: fun(line: string) }
local function new(options)
  local self = setmetatable({ handled = 0 }, Http)
  for key, value in pairs(options) do self[key] = value end
  return self
end

return { new = new }
