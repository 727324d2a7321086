--- xfiot call: one operation of the document, its arguments typed by the contract.
local cli = require "xfiot.cli"
local arguments = require "xfiot.cli.arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local platform = require "xfiot.cli.platform"

local function find_operation(name)
  local names = {}
  for _, row in ipairs(core.contract "endpoints") do
    if row.name == name then return row end
    names[#names + 1] = row.name
  end
  cli.usage(("there is no operation %q; there are %s"):format(name, table.concat(names, ", ")))
end

-- All parameters of an operation: of the query, of the body, or the bare list.
local function parameters(row)
  local list = {}
  for _, field in ipairs(row.query.fields) do list[field.name] = field end
  if row.list then list[row.list.name] = row.list end
  for _, field in ipairs(row.fields and row.fields.fields or {}) do list[field.name] = field end
  return list
end

-- Text to the value that the row asks for; what does not fit is left to the check.
local function read_value(name, field, text)
  if field.type == "integer" and text:find "^-?%d+$" and not text:find "^-?0%d" then
    return math.tointeger(tonumber(text)) or text
  end
  if field.type == "object" or field.type == "list" then
    local value, why = core.decode(text)
    if value == nil then cli.usage(("%s is no JSON: %s"):format(name, why)) end
    return value
  end
  return text
end

return function(options)
  local row = find_operation(options.operation)
  if options.help then return require "xfiot.cli.help"(options.operation) end
  local known, args = parameters(row), arguments.read(options.args)
  for name, text in pairs(args) do
    if known[name] then args[name] = read_value(name, known[name], text) end
  end
  local sandbox <close> = platform.start(options) -- luacheck: ignore 211 (closed at the end)
  local client = require("xfiot").client()
  local result, err = client[options.operation](client, args)
  if err then
    cli.say(tostring(err))
    return err.kind == "invalid" and cli.USAGE or cli.FAILED
  end
  if result == true then result = core.null end -- the document's own answer to these calls
  cli.out(core.encode(result))
  return errors.is(err) and cli.FAILED or cli.DONE
end
