--- What a script may take: memory and time, if asked for.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local limits = {}

local LOOK_EVERY = 100000 -- VM instructions between two looks at the clock

local function number(text, flag)
  local value = tonumber(text)
  if not value or value <= 0 or value == math.huge then cli.usage(flag .. " must be a number above 0") end
  return value
end

-- Politely by an error; a script that does not listen (a pattern without end, pcall in a
-- loop) is ended by the host a little later.
local function limit_time(seconds)
  local deadline = core.clock() + seconds
  local function too_long() error(("the script took longer than --time-limit %g s"):format(seconds), 0) end
  local function look()
    if core.clock() > deadline then too_long() end
  end
  local create = coroutine.create
  debug.sethook(look, "", LOOK_EVERY)
  -- a hook belongs to one coroutine; every one that is made gets it
  function coroutine.create(fn) -- luacheck: ignore 122
    local co = create(fn)
    debug.sethook(co, look, "", LOOK_EVERY)
    return co
  end
  local wrap = coroutine.wrap
  function coroutine.wrap(fn) -- luacheck: ignore 122
    return wrap(function(...)
      debug.sethook(look, "", LOOK_EVERY)
      return fn(...)
    end)
  end
  loop.on_turn(look)
  loop.after(seconds, look)
  require("xfiot.host").stop_after(math.ceil(seconds))
end

--- Applies the limits of the command line; without any, a script may do as it likes.
---@param options { memory?: string, time_limit?: string }
function limits.apply(options)
  if options.memory then
    local mebibytes = number(options.memory, "--memory")
    require("xfiot.host").limit_memory(math.ceil(mebibytes * 1024 * 1024))
  end
  if options.time_limit then limit_time(number(options.time_limit, "--time-limit")) end
end

return limits
