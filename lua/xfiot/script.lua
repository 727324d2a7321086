--- Scripts: reading them, and running their text as far as it goes by itself. Text
-- only; a restricted one gets a world without the system.
local trace = require "xfiot.cli.trace"
local core = require "xfiot.core"
local workflow = require "xfiot.workflow"

local script = {}

---@class xfiot.Script
---@field path string
---@field text string
---@field source string the name Lua knows it by
---@field workflow? xfiot.Workflow what it returned, if it is one
---@field restricted? boolean it was run so, and so is its workflow

local function read_file(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, cannot = file:read "a"
  file:close()
  return text, cannot and (path .. ": " .. cannot)
end

--- A file, or else a workflow that the program carries.
---@param path string
---@return xfiot.Script|nil
---@return string? why
function script.read(path)
  local text, why = read_file(path)
  if text then
    if text:sub(1, 1) == "\27" then return nil, path .. " is compiled Lua; scripts are taken as text only" end
    return { path = core.real_path(path) or path, name = path, text = text, source = "@" .. path }
  end
  local ok, host = pcall(require, "xfiot.host")
  local shipped = ok and not path:find "/" and host.script((path:gsub("%.lua$", "")) .. ".lua")
  if shipped then return { path = path, name = path, text = shipped, source = "@" .. path } end
  return nil, "the script cannot be read: " .. why
end

-- ---- restricted scripts

local OPEN = { "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget",
               "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall", "_VERSION" }
local LIBRARIES = { "coroutine", "math", "string", "table", "utf8" }

local function copy(library)
  local list = {}
  for name, member in pairs(library) do list[name] = member end
  return list
end

--- What a restricted script finds: no files, no system, no loading, no debug.
---@return table
function script.restricted()
  local env = {}
  for _, name in ipairs(OPEN) do env[name] = _G[name] end
  for _, name in ipairs(LIBRARIES) do env[name] = copy(_G[name]) end
  local xfiot = copy(require "xfiot")
  env._G = env
  function env.getmetatable(value)
    if type(value) ~= "string" then return getmetatable(value) end -- all strings of the program have one
  end
  function xfiot.client(overrides)
    if overrides ~= nil then error("a restricted script takes the client as the settings make it", 2) end
    return require("xfiot").client()
  end
  function env.require(name)
    if name == "xfiot" then return xfiot end
    if name == "xfiot.tariff" then return copy(require "xfiot.tariff") end
    error(("a restricted script cannot load %q, only xfiot and xfiot.tariff"):format(tostring(name)), 2)
  end
  return env
end

--- Compiles a script and runs its own code; errors are told with its file.
---@param read xfiot.Script
---@param args? table what it gets in `...`
---@param options? { restricted?: boolean }
---@return any what it returned
function script.run(read, args, options)
  read.restricted = options and options.restricted or nil
  local env = read.restricted and script.restricted() or _G
  local chunk, why = load((read.text:gsub("^#[^\n]*", "")), read.source, "t", env)
  if not chunk then error(why, 0) end
  local ok, result = xpcall(chunk, function(cause)
    -- `return xfiot.workflow {...}` is a tail call: the script's own line is lost, its file is not
    if type(cause) == "string" then cause = cause:gsub("^xfiot%.workflow: ", read.name .. ": %0") end
    return trace.handler(cause)
  end, args or {})
  if not ok then error(result, 0) end
  if workflow.is(result) then read.workflow = result end
  return result
end

--- The same text run once more, restricted.
---@param read xfiot.Script
---@return xfiot.Script
function script.restrict(read)
  local twin = { path = read.path, name = read.name, text = read.text, source = read.source }
  script.run(twin, {}, { restricted = true })
  return twin
end

return script
