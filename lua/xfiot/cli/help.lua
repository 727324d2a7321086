--- xfiot help TOPIC: a command line command, an operation, a command of the
-- meter, a structure, a return code or an alarm; all from the contract's rows.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local handlers = require "xfiot.handlers"
local settings = require "xfiot.settings"

local function fields_of(shape_name, fields)
  for _, field in ipairs(fields) do
    local need = "optional"
    if field.required or field.client and field.client.required then
      need = "required"
    elseif field.when_field then
      need = ("required if %s = %d"):format(field.when_field, field.when_equals)
    end
    cli.out(("  %-16s %s, %s"):format(field.name, need, core.describe(shape_name, field.name) or field.type))
    cli.out(("  %-16s %s: %s%s"):format("", field.label.zh, field.about and field.about.en or "",
      field.code and (" [" .. field.code .. "]") or ""))
  end
end

local function find_row(list, key, value)
  for _, row in ipairs(list) do
    if row[key] == value then return row end
  end
end

local function show_operation(row)
  cli.out(("%s (%s) %s\n"):format(row.name, row.section, row.label.zh))
  cli.out(row.about.en)
  cli.out(("\n%s %s\n\nArguments, one flat table:"):format(row.method, row.path))
  fields_of(row.name, row.query.fields)
  if row.list then fields_of(row.name, { row.list }) end
  if row.fields then fields_of(row.name, row.fields.fields) end
  if row.name == "creatCmd" then
    local methods = {}
    for _, value in ipairs(find_row(core.contract "enums", "name", "method").values) do
      methods[#methods + 1] = value.text
    end
    cli.out("\nMethods of command, see xfiot help METHOD: " .. table.concat(methods, " "))
  end
  cli.out("\nReturn codes: " .. table.concat(row.codes or {}, " "))
end

local function show_command(row)
  cli.out(("%s (%s) %s\n"):format(row.id, row.section, row.label.zh))
  cli.out(row.about.en)
  cli.out "\nparas:"
  fields_of(row.id, row.params.fields)
  for _, rule in ipairs(row.params.rules or {}) do
    cli.out(("  rule: %s [%s]"):format(rule.about.en, rule.code))
  end
  cli.out "\nResult:"
  fields_of(row.result.name, row.result.fields)
end

local function show_shape(row)
  cli.out(("%s (%s) %s\n"):format(row.name, row.section or "", row.label.zh))
  fields_of(row.name, row.fields)
end

local function show_push(row)
  cli.out(("%s (%s) %s\n"):format(row.name, row.section, row.label.zh))
  cli.out(row.about.en)
  cli.out "\nHeaders:"
  fields_of(row.name, row.headers)
  cli.out(("\nBody: a list of %s, see xfiot help %s"):format(row.message, row.message))
end

local function show_handlers()
  cli.out "HANDLERS.lua of xfiot serve returns a table of functions, any of these:\n"
  for _, row in ipairs(handlers.rows) do cli.out(("  %-12s %s"):format(row.name, row.about)) end
  cli.out "\nEach gets a message and a context:"
  for _, row in ipairs(handlers.context) do cli.out(("  %-12s %s"):format(row.name, row.about)) end
  cli.out(("\nRaising means: not now. The push is tried again after 1, 2, 4 ... s; after %d attempts it is failed,"
    .. "\nsee xfiot inbox. Messages: xfiot help push.reportData, push.commandResponse."):format(handlers.attempts))
end

local function show_faults()
  for _, line in ipairs(require "xfiot.sandbox.provoke".lines()) do cli.out(line) end
end

local function show_contradictions()
  cli.out "Where the document contradicts itself, the sandbox can be told what to do: --contradiction C22=int\n"
  for _, row in ipairs(require "xfiot.sandbox.switch".rows) do
    cli.out(("  %-4s %-26s %s"):format(row.id, table.concat(row.values, " | "), row.about))
  end
  cli.out "\nNo switch, since nothing on the wire could differ:\n"
  for _, row in ipairs(require "xfiot.sandbox.switch".others) do cli.out(("  %-4s %s"):format(row[1], row[2])) end
  cli.out "\nThe first value is the default. The contradictions are those of the contract; A3: the document is silent."
end

local TOPICS <const> = { faults = show_faults, contradictions = show_contradictions }

local function show_code(row)
  cli.out(("%s %s (%s)"):format(row.code, row.message.zh, row.message.en))
  cli.out(row.remedy.zh)
  cli.out(row.remedy.en)
end

local function show_alarm(row)
  cli.out(("%s %s (%s)"):format(row.code, row.label.zh, row.label.en))
  cli.out(row.about.zh)
  cli.out(row.about.en)
end

local function show_settings()
  cli.out('Settings: flags (--base-url), then the environment (XFIOT_BASE_URL), '
    .. 'then xfiot.conf (base_url = "...").')
  cli.out "XFIOT_KEY may hold the key itself; it never enters Lua, logs, errors or the journal."
  cli.out "XDG_STATE_HOME, else ~/.local/state, has the folder xfiot for what tells an old copy of the journal from"
  cli.out "the journal: keep it away from the journal's folder and out of its backups.\n"
  for _, row in ipairs(settings.rows) do
    local default = row.default and "; default " .. tostring(row.default) or ""
    cli.out(("  %-16s %s%s"):format(row.name, row.about, default))
  end
end

-- Rows of one list that the topic names.
local function show_rows(list, key, topic, show)
  local found = false
  for _, row in ipairs(list) do
    if row[key] == topic then
      if found then cli.out "" end
      show(row)
      found = true
    end
  end
  return found
end

local function find_parser(parser, name)
  for _, command in ipairs(parser and parser._commands or {}) do
    if command._name == name then return command end
  end
end

---@param topic string
---@param parser? table the command line's, for its own commands
---@return integer status
return function(topic, parser)
  if topic == "settings" then
    show_settings()
    return cli.DONE
  end
  if topic == "handlers" then
    show_handlers()
    return cli.DONE
  end
  if TOPICS[topic] then
    TOPICS[topic]()
    return cli.DONE
  end
  local command = find_parser(parser, topic)
  if command then
    cli.out(command:get_help())
    return cli.DONE
  end
  local contract = core.contract()
  local alarm = topic:upper():gsub("^0X", ""):gsub("H$", "") .. "H"
  if show_rows(contract.endpoints, "name", topic, show_operation)
    or show_rows(contract.commands, "method", topic, show_command)
    or show_rows(contract.commands, "id", topic, show_command)
    or show_rows(contract.pushes, "name", topic, show_push)
    or show_rows(contract.shapes, "name", topic, show_shape)
    or show_rows(contract.services, "name", topic, show_shape)
    or show_rows(contract.statuses, "name", topic, show_shape)
    or show_rows(contract.codes, "code", topic, show_code)
    or show_rows(contract.alarms, "code", alarm, show_alarm) then
    return cli.DONE
  end
  local ok, host = pcall(require, "xfiot.host")
  if ok and host.script(topic .. ".lua") then
    return require "xfiot.cli.run" { script = topic, args = {}, help = true }
  end
  cli.usage(("there is no help on %q; try a command, an operation, a command of the meter, a return code")
    :format(topic))
end
