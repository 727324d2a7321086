--- Scripts: reading them, and running their text as far as it goes by itself. Text
-- only; a restricted one gets a world without the system, see xfiot.restricted.
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

--- Compiles a script and runs its own code; errors are told with its file.
---@param read xfiot.Script
---@param args? table what it gets in `...`
---@param options? { restricted?: boolean }
---@return any what it returned
function script.run(read, args, options)
  read.restricted = options and options.restricted or nil
  local env, fence = _G, nil
  if read.restricted then env, fence = require("xfiot.restricted").new() end
  local chunk, why = load((read.text:gsub("^#[^\n]*", "")), read.source, "t", env)
  if not chunk then error(why, 0) end
  local ok, result = xpcall(chunk, function(cause)
    -- `return xfiot.workflow {...}` is a tail call: the script's own line is lost, its file is not
    if fence then cause = fence:raised(cause) end
    if type(cause) == "string" then cause = cause:gsub("^xfiot%.workflow: ", read.name .. ": %0") end
    return trace.handler(cause)
  end, args or {})
  if not ok then error(result, 0) end
  if fence and fence:is(result, "xfiot.workflow") then result = fence:into(result) end
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
