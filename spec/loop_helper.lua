-- A loop whose time passes only by waiting: nothing depends on how fast the machine
-- is, and whoever waits in vain is told so. No calls are made on it.
local core = require "xfiot.core"

local V = {}

local FOREVER = 10000000 -- seconds

-- A module of lua/, whose `require` finds the given modules first.
local function load_module(name, given)
  local env = { require = function(other) return given[other] or require(other) end }
  return assert(loadfile(package.searchpath(name, package.path), "t", setmetatable(env, { __index = _G })))()
end

-- Returns { now = seconds, loop = xfiot.loop, load = function(name) }; load gives a
-- module of its own that waits on this loop.
function V.new()
  local time = { now = 0 }
  local given = {}
  given["xfiot.core"] = setmetatable({
    clock = function() return time.now end,
    step = function(timeout)
      time.now = time.now + timeout
      if time.now > FOREVER then error("waits for ever", 0) end
      return 0
    end,
  }, { __index = core })
  time.loop = load_module("xfiot.loop", given)
  given["xfiot.loop"] = time.loop
  time.load = function(name) return load_module(name, given) end
  return time
end

return V
