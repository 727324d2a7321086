--- What a restricted script finds: the parts of Lua that reach nothing outside it, and
-- xfiot behind a fence.
local errors = require "xfiot.errors"
local fence = require "xfiot.fence"

local restricted = {}

local OPEN = { "assert", "error", "ipairs", "next", "pairs", "pcall", "print", "rawequal", "rawget", "rawlen", "rawset",
               "select", "tonumber", "tostring", "type", "xpcall", "_VERSION" }
local LIBRARIES = { "math", "string", "table", "utf8" }
local TARIFF = { "new", "is", "litres", "round" }

local function copy(library)
  local list = {}
  for name, member in pairs(library) do list[name] = member end
  return list
end

local function weak() return setmetatable({}, { __mode = "k" }) end

-- Metatables are the script's own: it sees no other, and puts none on what is not its own. A finalizer
-- would run in the midst of whatever we are doing.
local function add_metatables(env, real)
  local own = weak()
  function env.getmetatable(value)
    if type(value) == "table" and own[value] then return getmetatable(value) end
  end
  function env.setmetatable(value, metatable)
    if type(value) ~= "table" then error("bad argument #1 to 'setmetatable' (table expected)", 2) end
    if metatable ~= nil and type(metatable) ~= "table" then
      error("bad argument #2 to 'setmetatable' (nil or table expected)", 2)
    end
    local there = debug.getmetatable(value)
    if real[value] ~= nil or there and (not own[value] or rawget(there, "__metatable") ~= nil) then
      error("cannot change a protected metatable", 2)
    end
    if metatable and rawget(metatable, "__gc") ~= nil then error("a restricted script has no __gc", 2) end
    own[value] = metatable and true or nil
    return setmetatable(value, metatable)
  end
end

-- Coroutines are the script's own: those that the program goes on with are not.
local function add_coroutines(env)
  local own, library = weak(), copy(coroutine)
  function library.create(fn)
    local co = coroutine.create(fn)
    own[co] = true
    return co
  end
  for _, name in ipairs { "resume", "close" } do
    library[name] = function(co, ...)
      if not own[co] then error("a restricted script has its own coroutines only", 2) end
      return coroutine[name](co, ...)
    end
  end
  env.coroutine = library
end

-- A workflow whose functions get a fenced flow.
local function workflow_of(made, definition)
  if made.real[definition] then error("xfiot.workflow: takes a table { name =, doc =, args =, check =, run = }", 2) end
  local inner = made:into(definition)
  if type(definition) == "table" and type(inner.run) == "function" then
    inner.run = made:main(rawget(definition, "run"))
  end
  local result = require("xfiot.workflow").new(inner)
  return made:out(result)
end

-- xfiot without what makes clients of anybody's settings, and without signatures.
local function module(made)
  local xfiot = require "xfiot"
  local list = {
    version = xfiot.version, null = xfiot.null,
    parallel = made:carry(xfiot.parallel), sleep = made:expose(xfiot.sleep), is_error = made:expose(errors.is),
    workflow = made:carry(function(definition) return workflow_of(made, definition) end),
  }
  local client = made:expose(xfiot.client)
  function list.client(overrides)
    if overrides ~= nil then error("a restricted script takes the client as the settings make it", 2) end
    return client()
  end
  local settlement = made:expose(xfiot.settlement)
  function list.settlement(which)
    if not made:is(which, "xfiot.client") then error("xfiot.settlement takes a client", 2) end
    return settlement(which)
  end
  return list
end

local function tariff(made)
  local list = {}
  for _, name in ipairs(TARIFF) do list[name] = made:expose(require("xfiot.tariff")[name]) end
  return list
end

--- The world of one restricted script.
---@return table env
---@return xfiot.Fence
function restricted.new()
  local made, env = fence.new(), {}
  for _, name in ipairs(OPEN) do env[name] = _G[name] end
  for _, name in ipairs(LIBRARIES) do env[name] = copy(_G[name]) end
  env._G = env
  add_metatables(env, made.real)
  add_coroutines(env)
  local modules = { xfiot = module(made), ["xfiot.tariff"] = tariff(made) }
  function env.require(name)
    if modules[name] then return modules[name] end
    error(("a restricted script cannot load %q, only xfiot and xfiot.tariff"):format(tostring(name)), 2)
  end
  return env, made
end

return restricted
