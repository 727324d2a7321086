--- One call of a handler: in a task of its own, so that others go on while it
-- waits, and for no longer than it may take.
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local trace = require "xfiot.cli.trace"

local call = {}

local LOOK_EVERY = 1000000 -- VM instructions between two looks at the clock

local function too_long(seconds)
  return ("it took longer than handler_timeout, %g s"):format(seconds)
end

-- The polite word to a handler that computes without end. One that does not listen
-- is stopped from outside, together with this process.
local function watch(deadline, seconds)
  debug.sethook(function()
    if core.clock() > deadline then error(too_long(seconds), 2) end
  end, "", LOOK_EVERY)
end

-- Its time is over, and telling why takes as long as it takes.
local function show(cause)
  debug.sethook()
  return trace.handler(cause)
end

local function run(event, deadline, seconds, fn, ...)
  watch(deadline, seconds)
  local ok, shown = xpcall(fn, show, ...)
  debug.sethook()
  event.ok = ok
  -- out of memory in the message handler too: there is no trace of it then
  if not ok then event.cause = type(shown) == "table" and shown or { cause = shown, text = tostring(shown) } end
  loop.notify(event)
end

--- Calls fn and waits for its end.
---@param seconds number how long it may take
---@param fn function
---@param ... any its arguments
---@return boolean ok
---@return any? cause what it raised
---@return string? text the cause with the handler's own lines
function call.handler(seconds, fn, ...)
  local event = {}
  local task = loop.spawn(run, event, core.clock() + seconds, seconds, fn, ...)
  if not loop.wait(event, seconds) then
    local text = too_long(seconds)
    local where = debug.traceback(task.co, text)
    coroutine.close(task.co) -- gives back what it holds
    return false, text, where
  end
  if event.ok then return true end
  if event.cause.cause == "not enough memory" then collectgarbage() end
  return false, event.cause.cause, event.cause.text
end

return call
