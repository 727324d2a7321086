--- The fence round a restricted script. What is ours reaches it as a proxy that knows
-- the documented methods alone (xfiot.fence_rows); plain tables as copies. What is the
-- script's reaches us as copies without metatables, and its functions within calls that
-- fence their arguments. Nothing of ours is ever in a table, an upvalue or an error that
-- the script can get at: proxies are empty, and which object is behind one only we know.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local rows = require "xfiot.fence_rows"
local trace = require "xfiot.cli.trace"

local ARRAY <const> = getmetatable(core.array {})
local OURS <const> = "^[^:\n]-lua/xfiot[%w_/]*%.lua:%d+: " -- a place in this program, before a message
local NOTHING <const> = { methods = {}, members = {} }

---@class xfiot.Fence
---@field real table<table, any> proxy -> object
---@field proxies table<any, table> object -> proxy
local Fence = {}
Fence.__index = Fence

-- Something that the script has raised and that is no text and no error object of ours.
local Raised = { __name = "xfiot.raised" }

function Raised:__tostring()
  local ok, text = pcall(tostring, self.value)
  return ok and text or "an error whose __tostring fails"
end

-- Results in one table: not a tail call, so that an error of level 2 has a place of ours to drop.
local function invoke(fn, ...)
  local results = table.pack(fn(...))
  return results
end

local function invoke_method(real, name, ...)
  local results = table.pack(real[name](real, ...))
  return results
end

-- ---- towards the script

local function copy_out(self, value, seen)
  local known = seen[value]
  if known then return known end
  local copy = debug.getmetatable(value) == ARRAY and core.array {} or {}
  seen[value] = copy
  for name, member in next, value do copy[self:out(name, seen)] = self:out(member, seen) end
  return copy
end

--- A value of ours as the script gets it.
---@param value any
---@param seen? table
---@return any
function Fence:out(value, seen)
  local kind = type(value)
  if kind == "function" then return self:expose(value) end
  if kind == "table" then
    local metatable = debug.getmetatable(value)
    if metatable == nil or metatable == ARRAY then return copy_out(self, value, seen or {}) end
    if metatable == Raised then return value.value end
    return self:proxy(value)
  end
  if kind == "thread" or kind == "userdata" and value ~= core.null then return self:proxy(value) end
  return value
end

local function all(self, convert, ...)
  local n, list, seen = select("#", ...), { ... }, {}
  for i = 1, n do list[i] = self[convert](self, list[i], seen) end
  return table.unpack(list, 1, n)
end

-- Hands the script what a call gave or raised; a place of ours becomes the script's. To be called last.
local function give(self, ok, results)
  if ok then return all(self, "out", table.unpack(results, 1, results.n)) end
  local cause = self:out(results)
  if type(cause) == "string" and cause:find(OURS) then error(cause:gsub(OURS, ""), 2) end
  error(cause, 0)
end

--- A function of ours as the script may call it.
---@param fn function
---@return function
function Fence:expose(fn)
  local known = self.exposed[fn]
  if not known then
    known = function(...) return give(self, pcall(invoke, fn, all(self, "into", ...))) end
    self.exposed[fn] = known
  end
  return known
end

-- ---- from the script

--- A value of the script's as we get it.
---@param value any
---@param seen? table
---@return any
function Fence:into(value, seen)
  local kind = type(value)
  if kind == "function" then return self:callback(value) end
  if kind ~= "table" then return value end
  local real = self.real[value]
  if real ~= nil then return real end
  seen = seen or {}
  if seen[value] then return seen[value] end
  local copy = debug.getmetatable(value) == ARRAY and core.array {} or {}
  seen[value] = copy
  for name, member in next, value do copy[self:into(name, seen)] = self:into(member, seen) end
  return copy
end

--- What the script has raised, as we get it.
---@param cause any
---@return any
function Fence:raised(cause)
  local kind = type(cause)
  if kind ~= "table" and kind ~= "function" then return cause end
  local real = self.real[cause]
  if real ~= nil then return real end
  return setmetatable({ value = cause }, Raised)
end

--- A function of the script's as we may call it.
---@param fn function
---@return function
function Fence:callback(fn)
  local known = self.callbacks[fn]
  if not known then
    known = function(...)
      local ok, results = pcall(invoke, fn, all(self, "out", ...))
      if not ok then error(self:raised(results), 0) end
      return all(self, "into", table.unpack(results, 1, results.n))
    end
    self.callbacks[fn] = known
  end
  return known
end

--- The run function of a workflow: the same, and an error knows the script's lines.
---@param fn function
---@return function
function Fence:main(fn)
  local function handler(cause)
    local real = self:raised(cause)
    if type(real) == "table" and real ~= cause and not errors.is(real) and getmetatable(real) ~= Raised then
      return real -- a run that was put away: not for people
    end
    return trace.handler(real)
  end
  return function(...)
    local results = table.pack(xpcall(fn, handler, all(self, "out", ...)))
    if not results[1] then error(results[2], 0) end
    return all(self, "into", table.unpack(results, 2, results.n))
  end
end

-- ---- objects

-- The object behind a proxy, which must be of that class: no method gets to see another's.
local function behind(self, class, proxy, name)
  local real = type(proxy) == "table" and self.real[proxy]
  if not real or debug.getmetatable(proxy) ~= class then
    error(("call it as object:%s(...), on its own object"):format(name), 3)
  end
  return real
end

local function method(self, class, name, in_text)
  return function(proxy, ...)
    local real = behind(self, class, proxy, name)
    if not in_text then return give(self, pcall(invoke_method, real, name, all(self, "into", ...))) end
    local list = table.pack(...)
    for i = 1, list.n do list[i] = tostring(list[i]) end
    return give(self, pcall(invoke_method, real, name, table.unpack(list, 1, list.n)))
  end
end

-- The metatable of the proxies of one kind of object.
local function make_class(self, name, row)
  local class, methods, members = { __name = name, __metatable = false }, {}, {}
  for _, each in ipairs(row.methods) do methods[each] = method(self, class, each, row.texts and row.texts[each]) end
  for _, each in ipairs(row.members) do members[each] = true end
  function class.__index(proxy, key)
    if methods[key] then return methods[key] end
    if members[key] then return self:out(self.real[proxy][key]) end
  end
  function class.__newindex() error(("a restricted script cannot change an %s"):format(name), 2) end
  function class.__tostring(proxy) return tostring(self.real[proxy]) end
  function class.__pairs(proxy)
    local list = {}
    for each in pairs(members) do list[each] = proxy[each] end
    return next, list, nil
  end
  return class
end

--- The proxy of an object: the same as long as the script has it.
---@param real any
---@return table
function Fence:proxy(real)
  local known = self.proxies[real]
  if known then return known end
  local metatable = debug.getmetatable(real)
  local name = type(metatable) == "table" and rawget(metatable, "__name")
  local row = type(name) == "string" and rows[name]
  if not row then name, row = "xfiot.object", NOTHING end
  self.classes[name] = self.classes[name] or make_class(self, name, row)
  local proxy = setmetatable({}, self.classes[name])
  self.real[proxy], self.proxies[real] = real, proxy
  return proxy
end

--- Whether a value of the script's is a proxy of an object of that kind.
---@param value any
---@param name string
---@return boolean
function Fence:is(value, name)
  return type(value) == "table" and self.real[value] ~= nil and debug.getmetatable(value) == self.classes[name]
end

--- A function that carries the script's own values only: nothing is copied, so that they
--- stay the same; its errors are told where the script is.
---@param fn function
---@return function
function Fence:carry(fn) -- luacheck: ignore 212
  return function(...)
    local ok, results = pcall(invoke, fn, ...)
    if ok then return table.unpack(results, 1, results.n) end
    if type(results) == "string" and results:find(OURS) then error(results:gsub(OURS, ""), 2) end
    error(results, 0)
  end
end

local function weak(mode) return setmetatable({}, { __mode = mode }) end

return {
  --- A fence for one script.
  ---@return xfiot.Fence
  new = function()
    return setmetatable({ real = weak "k", proxies = weak "kv", classes = {}, exposed = weak "k",
                          callbacks = weak "k" }, Fence)
  end,
}
