--- The process beside the receiver: `xfiot serve` starts it. See xfiot.worker.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local log = require "xfiot.worker.log"
local settings = require "xfiot.settings"

local SHARE = 0.8 -- of its time a handler may wait for a meter, unless `wait` is set

local function number_of(options, name)
  return math.tointeger(tonumber(options[name])) or cli.usage("serve-worker is started by xfiot serve")
end

local function open_channel(options)
  local channel, why = core.channel(number_of(options, "channel"))
  return channel or cli.usage(why)
end

-- A verb that waits for longer than its handler may take would be cut off; so it
-- says "not yet" before that, and the push is tried again.
local function make_client()
  local values = settings.resolve()
  return require("xfiot").client { wait = values.wait or values.handler_timeout * SHARE }
end

return function(options)
  require("xfiot.host").leave_signals()
  local channel = open_channel(options)
  if options.key then
    local ok, why = core.take_key(number_of(options, "key"))
    if not ok then cli.usage(why) end
  end
  local ok, err = pcall(function()
    require("xfiot.worker").new({ client = make_client(), channel = channel, path = options.handlers }):run()
  end)
  if ok then return cli.DONE end
  log.write("worker_failed", { reason = tostring(err) })
  return cli.FAILED
end
