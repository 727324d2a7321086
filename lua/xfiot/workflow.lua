--- Workflows: a script returns one, the host runs it with checked arguments.
local arguments = require "xfiot.arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local rehearsal = require "xfiot.rehearsal"
local tariff = require "xfiot.tariff"
local tariff_file = require "xfiot.tariff_file"

local workflow = {}

---@class xfiot.Workflow
---@field name string
---@field doc string
---@field args table<string, string>
---@field check? fun(flow: table, args: table) see xfiot.rehearsal
---@field run fun(flow: xfiot.Flow, args: table): any
local Workflow = {}
Workflow.__index = Workflow
Workflow.__name = "xfiot.workflow"

-- ---- types of arguments: text (or a value) in, value out; or nil and the rule

local types = {}

types.string = {
  en = "text", zh = "文本",
  read = function(value)
    if type(value) ~= "string" or value == "" then return nil end
    if value:find("\0", 1, true) or not core.measure(value) then
      return nil, "must be text in UTF-8 without NUL", "应为不含 NUL 的 UTF-8 文本"
    end
    return value
  end,
}

types.money = {
  en = "an amount with at most 2 digits after the point", zh = "最多 2 位小数的金额",
  read = function(value) return core.decimal(value, 2) and value or nil end,
}

types.gas = {
  en = "gas in m³, 0 or more, with at most 3 digits after the point", zh = "不小于 0、最多 3 位小数的气量（立方米）",
  read = function(value) return type(value) == "string" and tariff.litres(value) and value or nil end,
}

types.order = {
  en = "your id for this order, 1 to 64 characters, never used again", zh = "订单号，1 到 64 个字符，永不重复",
  read = function(value)
    local rule, rule_zh = arguments.order_fault(value)
    if rule then return nil, rule, rule_zh end
    return value
  end,
}

types.integer = {
  en = "an integer", zh = "整数",
  read = function(value)
    if type(value) == "string" and (not value:find "^-?%d+$" or value:find "^-?0%d") then return nil end
    return math.tointeger(tonumber(value))
  end,
}

types.boolean = {
  en = "true or false", zh = "true 或 false",
  read = function(value)
    if value == "true" or value == true then return true end
    if value == "false" or value == false then return false end
    return nil
  end,
}

types.time = {
  en = "a time, yyyyMMddHHmmss", zh = "时间，格式 yyyyMMddHHmmss",
  read = function(value) return type(value) == "string" and core.parse_timestamp(value) and value or nil end,
}

types.tariff = {
  en = "a price scheme: JSON with PRICE_CHANGE's names, or the name of a JSON or Lua file",
  zh = "价格方案：采用 PRICE_CHANGE 参数名的 JSON，或 JSON、Lua 文件名",
  read = tariff_file.read,
}

-- "open|close": one of these words.
local function words_type(spec)
  local words = {}
  for word in spec:gmatch "[^|]+" do words[word] = true end
  local text = spec:gsub("|", " or ")
  return {
    en = text, zh = (spec:gsub("|", " 或 ")),
    read = function(value) return words[value] and value or nil end,
  }
end

-- "string?" is optional.
local function find_type(spec)
  local name, optional = spec:match "^(.-)(%??)$"
  local found = types[name] or (name:find "^[^|]+|" and words_type(name)) or nil
  return found, optional == "?"
end

-- ---- definition

local function bad_definition(message)
  error("xfiot.workflow: " .. message, 3)
end

--- Declares a workflow.
---@param definition { name: string, doc?: string, args?: table<string, string>, check?: function, run: function }
---@return xfiot.Workflow
function workflow.new(definition)
  if type(definition) ~= "table" then bad_definition "takes a table { name =, doc =, args =, check =, run = }" end
  if type(definition.name) ~= "string" or definition.name == "" then bad_definition "name must be text" end
  if type(definition.run) ~= "function" then bad_definition "run must be a function" end
  if definition.check ~= nil and type(definition.check) ~= "function" then bad_definition "check must be a function" end
  local args = definition.args or {}
  if type(args) ~= "table" then bad_definition "args must be a table, name = type" end
  for name, spec in pairs(args) do
    if type(name) ~= "string" or type(spec) ~= "string" or not find_type(spec) then
      bad_definition(("argument %s has the unknown type %s"):format(tostring(name), tostring(spec)))
    end
  end
  return setmetatable({ name = definition.name, doc = definition.doc or "", args = args, check = definition.check,
                        run = definition.run }, Workflow)
end

--- Whether a value is a workflow.
---@param value any
---@return boolean
function workflow.is(value)
  return getmetatable(value) == Workflow
end

-- ---- arguments

local function sort_names(args)
  local names = {}
  for name in pairs(args) do names[#names + 1] = name end
  table.sort(names, function(a, b)
    local _, a_optional = find_type(args[a])
    local _, b_optional = find_type(args[b])
    if a_optional ~= b_optional then return b_optional end
    return a < b
  end)
  return names
end

-- The arguments of a workflow with their types, the required ones first; sorted once.
local function rows_of(self)
  if not self.rows then
    local rows = {}
    for i, name in ipairs(sort_names(self.args)) do
      local kind, optional = find_type(self.args[name])
      rows[i] = { name = name, kind = kind, optional = optional }
    end
    self.rows = rows
  end
  return self.rows
end

--- The arguments a workflow takes, the required ones first.
---@return { name: string, optional: boolean, en: string, zh: string }[]
function Workflow:describe()
  local list = {}
  for i, row in ipairs(rows_of(self)) do
    list[i] = { name = row.name, optional = row.optional, en = row.kind.en, zh = row.kind.zh }
  end
  return list
end

-- Reads arguments by their types: the values, and what is wrong with them.
local function read_types(self, given, some)
  local faults, args = {}, {}
  for _, row in ipairs(rows_of(self)) do
    local name, kind, optional = row.name, row.kind, row.optional
    local value = given[name]
    if value == nil or (optional and value == "") then
      if not optional and not some then
        faults[#faults + 1] = { path = name, rule = "is missing; must be " .. kind.en, rule_zh = "缺少；应为" .. kind.zh }
      end
    else
      local read, why, why_zh = kind.read(value)
      if read == nil then
        faults[#faults + 1] = { path = name, rule = why or ("must be " .. kind.en),
                                rule_zh = why_zh or ("应为" .. kind.zh) }
      end
      args[name] = read
    end
  end
  for name in pairs(given) do
    if not self.args[name] then
      faults[#faults + 1] = { path = tostring(name), rule = "is not an argument of " .. self.name,
                              rule_zh = "不是 " .. self.name .. " 的参数" }
    end
  end
  return args, faults
end

--- Reads arguments given as text or values, and checks them by their types and by the
--- workflow's own check; raises naming every bad one.
---@param given table<string, any>
---@param some? boolean only those that are given: others come later
---@param unchecked? boolean by their types only: they have passed the check before
---@return table args
function Workflow:read_args(given, some, unchecked)
  local args, faults = read_types(self, given, some)
  if #faults == 0 and self.check and not some and not unchecked then
    faults = rehearsal.faults(self.check, args)
    loop.check() -- Ctrl-C within it is no fault of the arguments
  end
  if #faults > 0 then
    table.sort(faults, function(a, b) return a.path < b.path end)
    error(errors.invalid(self.name, faults), 0)
  end
  return args
end

-- ---- running

---@class xfiot.Flow
---@field client xfiot.Client
local Flow = {}
Flow.__index = Flow
Flow.__name = "xfiot.flow"
workflow.Flow = Flow -- of handlers, and of runs that nothing is remembered of; see xfiot.flow

--- The meter with a device number.
---@param device_no string
---@return xfiot.Meter
function Flow:meter(device_no) return self.client:meter(device_no) end

--- A step with a name: fn's result is the step's.
---@param name string
---@param fn fun(): any
---@return any
function Flow:step(name, fn) -- luacheck: ignore 212 (the name tells steps apart in a run's history)
  return fn()
end

--- Waits; other runs go on.
---@param seconds number
function Flow:sleep(seconds) loop.sleep(seconds) end -- luacheck: ignore 212

--- Seconds since 1970 UTC.
---@return integer
function Flow:now() return core.now() end -- luacheck: ignore 212

--- The platform's time now, yyyyMMddHHmmss.
---@return string
function Flow:timestamp() return core.timestamp(self:now()) end

--- An integer from 1 to `most`.
---@param most integer
---@return integer
function Flow:random(most) return math.random(most) end -- luacheck: ignore 212

--- One line for people, on stderr.
---@param ... any
function Flow:log(...) -- luacheck: ignore 212
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
  io.stderr:write(table.concat(parts, " "), "\n")
end

--- What run functions and handlers work with.
---@param client xfiot.Client
---@param more? table further members
---@return xfiot.Flow
function workflow.flow(client, more)
  local flow = more or {}
  flow.client = client
  return setmetatable(flow, Flow)
end

--- Runs a workflow with arguments that read_args gave.
---@param client xfiot.Client
---@param args table
---@return any what its run function returns
function Workflow:start(client, args)
  return self.run(workflow.flow(client), args)
end

return workflow
