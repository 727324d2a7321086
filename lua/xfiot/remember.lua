--- Values and errors as the journal keeps them: JSON. What comes back is what the
-- script got the first time, so that a run takes the same way again.
local core = require "xfiot.core"
local errors = require "xfiot.errors"

local remember = {}

-- Members of an error object that are kept.
local KEPT = { "kind", "code", "message", "message_en", "remedy", "remedy_zh", "field", "fields", "operation", "sent",
               "detail", "http_status", "order", "blocking", "command_id", "device_no" }

-- JSON has one kind of number: what is integral is an integer here, each time.
local function settle_numbers(value)
  if math.type(value) == "float" then return math.tointeger(value) or value end
  if type(value) ~= "table" then
    if value == core.null then return nil end
    return value
  end
  for name, member in pairs(value) do
    if type(member) == "table" then
      settle_numbers(member)
    elseif math.type(member) == "float" then
      value[name] = math.tointeger(member) or member
    end
  end
  return value
end

--- A value as JSON. Raises when it cannot be kept: a function, a loop of tables.
---@param value any
---@return string|nil json nil for nil
function remember.encode(value)
  if value == nil then return nil end
  return core.encode(value)
end

---@param json? string
---@return any
function remember.decode(json)
  if json == nil then return nil end
  return settle_numbers((core.decode(json)))
end

--- What was raised, as JSON.
---@param cause any an error object, or anything else
---@param at? string where in the script
---@return string
function remember.encode_error(cause, at)
  if not errors.is(cause) then return core.encode { raised = tostring(cause), at = at } end
  local kept = { at = at }
  for _, name in ipairs(KEPT) do kept[name] = cause[name] end
  local ok, json = pcall(core.encode, kept)
  return ok and json or core.encode { raised = tostring(cause), at = at }
end

--- What can be raised again.
---@param json string
---@return any
function remember.decode_error(json)
  local kept = settle_numbers(core.decode(json) or { raised = json })
  if kept.raised then return kept.raised end
  return errors.new(kept)
end

return remember
