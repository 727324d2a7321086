--- What is shown when something raises: for a mistake one sentence, for an error
-- inside a script its own file and line, never our internals.
local errors = require "xfiot.errors"

local trace = {}

local Shown = {} -- metatable of what a handler has made of a cause already
trace.Shown = Shown

trace.NOTHING = "an error without a word: error(nil)"

-- Lines of a traceback that are not the script's.
local function is_inside(line)
  return line:find "^%s*[^:]-lua/xfiot[/.]" or line:find("[C]:", 1, true) or line:find "^%s*lua/argparse"
    or line:find("(...tail calls...)", 1, true)
end

local function script_lines(message)
  local lines = { message }
  for line in debug.traceback("", 3):gmatch "[^\n]+" do
    if line:find "^%s+" and not is_inside(line) then lines[#lines + 1] = line end
  end
  return lines
end

--- For xpcall: the cause, and the text to show.
---@param cause any
---@return { cause: any, text: string, at?: string } at: where in the script
function trace.handler(cause)
  if getmetatable(cause) == Shown then return cause end
  if cause == nil then cause = trace.NOTHING end
  if type(cause) == "table" and cause.usage then return setmetatable({ cause = cause, text = cause.usage }, Shown) end
  local lines = script_lines(tostring(cause))
  local at = lines[2] and lines[2]:match "^%s+(.-:%d+):"
  if errors.is(cause) then
    at = cause.at or at
    return setmetatable({ cause = cause, at = at, text = lines[1] .. (at and (" (at " .. at .. ")") or "") }, Shown)
  end
  return setmetatable({ cause = cause, at = at, text = table.concat(lines, "\n") }, Shown)
end

return trace
