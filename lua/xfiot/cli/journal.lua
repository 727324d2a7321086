--- What the commands that look into the journal share.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local journal = require "xfiot.journal"
local settings = require "xfiot.settings"

local shared = {}

--- Opens the journal; says where there is none yet.
---@param writes boolean
---@param quiet? boolean nobody has asked for it: one that is missing is nothing to tell
---@return xfiot.Journal|nil
---@return table values the settings
function shared.open(writes, quiet)
  local values = settings.resolve()
  local path, why, there = values.journal, nil, nil
  if not path then path, why = core.journal_path() end
  if path then there, why = core.journal_probe(path) end
  if there == nil then error(journal.failure(why), 0) end
  if not there then
    if not quiet then cli.say(("there is no journal yet at %s"):format(path)) end
    return nil, values
  end
  local book = journal.open(path, { read_only = not writes })
  if not book and not quiet then cli.say(("nothing was ever written to the journal at %s"):format(path)) end
  return book, values
end

--- Whether a restricted run of a script has not ended. A journal that does not work is
--- told by whoever needs it.
---@param path string
---@return boolean
function shared.is_restricted(path)
  local ok, found = pcall(function()
    local book <close> = shared.open(false, true) -- luacheck: ignore 211
    return book and book:read("run_is_restricted", path)
  end)
  return ok and found or false
end

-- The states of "unknown,suspect".
local function read_states(text, states)
  local known, list = {}, {}
  for _, state in ipairs(states) do known[state] = true end
  for word in (text .. ","):gmatch "([^,]*)," do
    if not known[word] then
      cli.usage(("--state knows no %q; it takes one or several, with commas between: %s"):format(word,
        table.concat(states, ", ")))
    end
    list[#list + 1] = word
  end
  return list
end

local function read_time(text)
  local seconds = core.parse_timestamp(#text == #"yyyyMMdd" and text .. "000000" or text)
  if not seconds then cli.usage "--since must be a day or a time, yyyyMMdd or yyyyMMddHHmmss" end
  return seconds
end

--- A number of the command line, in decimal digits.
---@param text string
---@param least integer
---@param most integer
---@return integer|nil
function shared.number(text, least, most)
  local number = text:find "^%d+$" and math.tointeger(tonumber(text))
  return number and number >= least and number <= most and number or nil
end

--- The filter of a listing, from its flags.
---@param options { state?: string, since?: string, limit?: string }
---@param states string[] those there are
---@return { states?: string[], since?: integer, limit?: integer }
function shared.filter(options, states)
  local filter = {}
  if options.state then filter.states = read_states(options.state, states) end
  if options.since then filter.since = read_time(options.since) end
  if options.limit then
    filter.limit = shared.number(options.limit, 1, math.maxinteger)
    if not filter.limit then cli.usage "--limit must be a whole number of 1 or more, in decimal digits" end
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
