--- What the commands that look into the journal share.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local journal = require "xfiot.journal"
local settings = require "xfiot.settings"

local shared = {}

--- Opens the journal, if there is one already.
---@param writes boolean
---@return xfiot.Journal|nil
---@return table values the settings
function shared.open(writes)
  local values = settings.resolve()
  local path = values.journal or core.journal_path()
  local file = path and io.open(path, "rb")
  if not file then return nil, values end -- there has been nothing to keep yet
  file:close()
  return journal.open(path, { read_only = not writes }), values
end

--- The filter of a listing, from its flags.
---@param options { state?: string, since?: string, limit?: string }
---@param states string[] those there are
---@return { states?: string[], since?: integer, limit?: integer }
function shared.filter(options, states)
  local filter = {}
  if options.state then
    local known = false
    for _, state in ipairs(states) do known = known or state == options.state end
    if not known then cli.usage("--state must be one of " .. table.concat(states, ", ")) end
    filter.states = { options.state }
  end
  if options.since then
    filter.since = core.parse_timestamp(options.since)
    if not filter.since then cli.usage "--since must be a time, yyyyMMddHHmmss" end
  end
  if options.limit then
    filter.limit = math.tointeger(tonumber(options.limit))
    if not filter.limit or filter.limit < 1 then cli.usage "--limit must be a number of 1 or more" end
  end
  return filter
end

--- Who decides: for the history.
---@return string
function shared.person()
  return "person:" .. (os.getenv "SUDO_USER" or os.getenv "USER" or os.getenv "LOGNAME" or "unknown")
end

--- Runs an action; a journal that does not work is told in a sentence.
---@param action fun(options: table): integer
---@param options table
---@return integer status
function shared.guard(action, options)
  local ok, result = pcall(action, options)
  if not ok then
    if errors.is(result) and result.operation == "journal" then
      cli.say(tostring(result))
      return cli.FAILED
    end
    error(result, 0)
  end
  return result
end

return shared
