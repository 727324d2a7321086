--- name=value words of the command line.
local cli = require "xfiot.cli"

local arguments = {}

--- Reads words into a table; a word without "=" or a name given twice is a usage error.
---@param words string[]
---@return table<string, string>
function arguments.read(words)
  local args = {}
  for _, word in ipairs(words) do
    local name, value = word:match "^([%a_][%w_]*)=(.*)$"
    if not name then cli.usage(("%q is no name=value"):format(word)) end
    if args[name] ~= nil then cli.usage(("%s is given twice"):format(name)) end
    args[name] = value
  end
  return args
end

return arguments
