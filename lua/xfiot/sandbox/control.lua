-- What one may ask the sandbox itself over HTTP, without a signature:
--   GET /sandbox/status, GET /sandbox/ledger, POST /sandbox/advance?by=30d

local core = require "xfiot.core"

local function say(status, content)
  content.sandbox = "xfiot sandbox"
  return { status = status, body = core.encode(content) }
end

local function status(sandbox)
  return say(200, { status = sandbox:status() })
end

local function ledger(sandbox)
  return say(200, { ledger = core.array(sandbox:ledger()) })
end

local function advance(sandbox, request)
  local ok, reason = pcall(sandbox.advance, sandbox, request.query.by or "")
  if not ok then return say(400, { error = tostring(reason) }) end
  return say(200, { now = core.timestamp(sandbox:now()) })
end

local ROUTES <const> = {
  ["/sandbox/status"] = { GET = status },
  ["/sandbox/ledger"] = { GET = ledger },
  ["/sandbox/advance"] = { POST = advance },
}

--- Answers a request that is for the sandbox itself; nil for any other.
---@param sandbox table
---@param request table
---@return { status: integer, body: string, headers: table? }?
local function answer(sandbox, request)
  local methods = ROUTES[request.path]
  if not methods then return nil end
  local handler = methods[request.method]
  if handler then return handler(sandbox, request) end
  local allow = next(methods)
  local out = say(405, { error = request.path .. " takes " .. allow })
  out.headers = { Allow = allow }
  return out
end

return { answer = answer }
