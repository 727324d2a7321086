--- The built-in platform for one run or call.
local settings = require "xfiot.settings"

local platform = {}

local WAKE = 0.05 -- seconds until a meter takes a command: nobody wants to wait in a rehearsal

--- Starts it and points the settings at it, if asked for.
---@param options table of the command line
---@return table|nil sandbox
function platform.start(options)
  if not options.sandbox then
    if options.meters then require("xfiot.cli").usage "--meters goes with --sandbox" end
    return nil
  end
  local ok, sandbox = pcall(require("xfiot.sandbox").new, { wake = WAKE, meters = options.meters, opened = true })
  if not ok then require("xfiot.cli").usage((tostring(sandbox):gsub("^sandbox: ", ""))) end
  local values = sandbox:settings()
  values.config = options.config
  for _, row in ipairs(settings.rows) do
    if values[row.name] == nil then values[row.name] = options[row.name] end
  end
  settings.set_flags(values)
  io.stderr:write("xfiot: this is the sandbox, no real meter is touched\n")
  if options.from and not options.meters then
    io.stderr:write("xfiot: it has only a few meters of each kind; --meters money=100 gives it more\n")
  end
  return sandbox
end

return platform
