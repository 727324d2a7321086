-- What one may ask the sandbox itself over HTTP, without a signature:
--   GET /sandbox/status, GET /sandbox/ledger?device=NO, POST /sandbox/advance?by=30d,
--   POST /sandbox/press?device=NO, POST /sandbox/card?device=NO&amount=50.00
-- A long way through time is gone in a task of its own, so that calls are answered
-- and pushes go out meanwhile.

local core = require "xfiot.core"
local loop = require "xfiot.loop"

local function say(status, content)
  content.sandbox = "xfiot sandbox"
  return { status = status, body = core.encode(content) }
end

local function status(sandbox)
  return say(200, { status = sandbox:status() })
end

local function ledger(sandbox, request)
  return say(200, { ledger = core.array(sandbox:ledger(request.query.device)) })
end

local function advance(sandbox, request, later)
  loop.spawn(function()
    local ok, reason = pcall(sandbox.advance, sandbox, request.query.by or "")
    if ok and sandbox.state then ok, reason = pcall(sandbox.save, sandbox) end
    later(ok and say(200, { now = core.timestamp(sandbox:now()) }) or say(400, { error = tostring(reason) }))
  end)
  return true
end

local function act(sandbox, request, name)
  local ok, reason = pcall(sandbox[name], sandbox, request.query.device or "", request.query.amount)
  if not ok then return say(400, { error = tostring(reason) }) end
  return say(200, { done = reason })
end

local function press(sandbox, request) return act(sandbox, request, "press") end

local function card(sandbox, request) return act(sandbox, request, "card") end

local ROUTES <const> = {
  ["/sandbox/status"] = { GET = status },
  ["/sandbox/ledger"] = { GET = ledger },
  ["/sandbox/advance"] = { POST = advance },
  ["/sandbox/press"] = { POST = press },
  ["/sandbox/card"] = { POST = card },
}

--- Answers a request that is for the sandbox itself, or returns true if later(answer)
--- will be called; nil for any other.
---@param sandbox table
---@param request table
---@param later fun(answer: table)
---@return { status: integer, body: string, headers: table? }|true|nil
local function answer(sandbox, request, later)
  local methods = ROUTES[request.path]
  if not methods then return nil end
  local handler = methods[request.method]
  if handler then return handler(sandbox, request, later) end
  local allow = next(methods)
  local out = say(405, { error = request.path .. " takes " .. allow })
  out.headers = { Allow = allow }
  return out
end

return { answer = answer }
