-- The vendor's document as data (contract.json), where it lies beside the tree: what the
-- sandbox sends is held against it too, by a reading of its own, not by the rows.
local core = require "xfiot.core"
local helper = require "spec.helper"

local Document = {}
Document.__index = Document

local function fail(where, what, value)
  error(("%s: %s, got %s"):format(where, what, tostring(value)), 0)
end

local HOLDS <const> = {
  decimal = function(s) return s:find "^-?%d+%.?%d*$" and not s:find "%.$" end,
  integer = function(s) return s:find "^-?%d+$" end,
  timestamp = function(s) return core.parse_timestamp(s) end,
  text = function() return true end,
}

local function has_value(self, enum, value)
  if enum == "alarms" then
    for _, alarm in ipairs(self.alarms) do
      if alarm.code == value or alarm.code .. "H" == value then return true end
    end
    return false
  end
  for _, row in ipairs(self.enums[enum].values) do
    if tostring(row.value):gsub("%.0$", "") == value then return true end
  end
  return false
end

local function check_text(self, field, value, where)
  if type(value) ~= "string" then fail(where, "must be text", value) end
  local size = utf8.len(value)
  if size < (field.minLength or 0) or size > (field.maxLength or size) then fail(where, "has another length", value) end
  if field.const and value ~= field.const then fail(where, "is always " .. field.const, value) end
  if field.enum and not has_value(self, field.enum, value) then fail(where, "is none of " .. field.enum, value) end
  if field.format == "yyyyMMddHHmmss" and not core.parse_timestamp(value) then fail(where, "must be a time", value) end
  if field.holds and not HOLDS[field.holds](value) then fail(where, "must hold a " .. field.holds, value) end
end

local check_object

local function check_value(self, field, value, where, parent)
  if field.type == "array" then
    for i, item in ipairs(value) do check_value(self, field.items, item, ("%s[%d]"):format(where, i), parent) end
  elseif field.type == "object" then
    local service = field.refBy and self.services[parent[field.refBy]]
    local shape = service or self.types[field.ref] or self.statuses[field.ref]
    check_object(self, shape.fields, value, where)
  else
    check_text(self, field, value, where) -- integers of answers are sent as text (C22)
  end
end

function check_object(self, fields, object, where)
  if type(object) ~= "table" then fail(where, "must be an object", object) end
  local known = {}
  for _, field in ipairs(fields) do
    known[field.name] = true
    local value = object[field.name]
    if value == nil and field.required and not field.requiredIf then fail(where .. "." .. field.name, "is missing") end
    if value ~= nil then check_value(self, field, value, where .. "." .. field.name, object) end
  end
  for name in pairs(object) do
    if not known[name] then fail(where .. "." .. name, "is unknown") end
  end
end

-- A response does not say what it answers: its fields are those of any command's result.
local function check_response(self, message)
  local data = message.callbackData
  message.callbackData = { commandResult = data.commandResult }
  check_object(self, self.types["msgDTO.command"].fields, message, "response")
  for name, value in pairs(data) do
    local field = self.results[name] or fail("response." .. name, "is unknown")
    check_value(self, field, value, "response." .. name, data)
  end
end

--- Raises unless the body of a push is as documented. name: report or response.
function Document:check(name, body)
  for _, message in ipairs(core.decode(body)) do
    if name == "response" then
      check_response(self, message)
    else
      check_object(self, self.types["msgDTO.report"].fields, message, "report")
    end
  end
end

--- The document, or nil where it does not lie beside the tree.
return function()
  local file = io.open(helper.root .. "/../shared/contract/contract.json", "rb")
  if not file then return nil end
  local self = assert(core.decode(file:read "a"))
  file:close()
  self.results = {}
  for _, command in ipairs(self.commands) do
    for _, field in ipairs(command.result) do self.results[field.name] = field end
  end
  return setmetatable(self, Document)
end
