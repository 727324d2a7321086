--- xfiot run: one workflow script, or a plain script.
local cli = require "xfiot.cli"
local arguments = require "xfiot.cli.arguments"
local core = require "xfiot.core"
local platform = require "xfiot.cli.platform"
local trace = require "xfiot.cli.trace"
local workflow = require "xfiot.workflow"

local function read_file(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, cannot = file:read "a"
  file:close()
  return text, cannot and (path .. ": " .. cannot)
end

-- A file, or else a workflow that the program carries.
local function read_script(path)
  local text, why = read_file(path)
  if text then return text, path end
  local ok, host = pcall(require, "xfiot.host")
  local shipped = ok and not path:find "/" and host.script((path:gsub("%.lua$", "")) .. ".lua")
  if shipped then return shipped, path end
  cli.usage("the script cannot be read: " .. why)
end

local function load_script(path)
  local text, name = read_script(path)
  if text:sub(1, 1) == "\27" then cli.usage(name .. " is compiled Lua; scripts are taken as text only") end
  local chunk, why = load((text:gsub("^#[^\n]*", "")), "@" .. name, "t")
  if not chunk then error(why, 0) end
  return chunk
end

-- A script's own code; a workflow that is declared wrongly is told with its file.
local function run_chunk(chunk, path, args)
  local ok, result = xpcall(chunk, function(cause)
    -- `return xfiot.workflow {...}` is a tail call: the script's own line is lost, its file is not
    if type(cause) == "string" then cause = cause:gsub("^xfiot%.workflow: ", path .. ": %0") end
    return trace.handler(cause)
  end, args)
  if not ok then error(result, 0) end
  return result
end

-- What earlier runs left in the journal is picked up before anything new is sent.
local function recover(client)
  local path = client.settings.journal or core.journal_path()
  local file = path and io.open(path, "rb")
  if not file then return end -- there has been no order yet
  file:close()
  require("xfiot.recovery").start(client, cli.say)
end

local function show_help(path, script)
  if not workflow.is(script) then
    cli.out(path .. " is a plain script: its name=value arguments reach it as a table in `...`.")
    return cli.DONE
  end
  cli.out(("Usage: xfiot run %s name=value ...\n"):format(path))
  if script.doc ~= "" then cli.out(script.doc .. "\n") end
  cli.out "Arguments:"
  for _, arg in ipairs(script:describe()) do
    cli.out(("  %-14s %s%s (%s)"):format(arg.name, arg.optional and "optional: " or "", arg.en, arg.zh))
  end
  return cli.DONE
end

return function(options)
  local args = arguments.read(options.args)
  local chunk = load_script(options.script)
  -- a workflow's file is read to know its arguments; a plain script would start to work
  if options.help then return show_help(options.script, run_chunk(chunk, options.script, {})) end
  local sandbox <close> = platform.start(options) -- luacheck: ignore 211 (closed at the end)
  local script = run_chunk(chunk, options.script, args)
  if not workflow.is(script) then return cli.DONE end
  local checked = script:read_args(args)
  local client = require("xfiot").client()
  recover(client)
  local result = script:start(client, checked)
  if result ~= nil then
    local ok, text = pcall(core.encode, result)
    cli.out(ok and text or core.encode(tostring(result)))
  end
  return cli.DONE
end
