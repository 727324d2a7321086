--- A price scheme as people hand it over: inline JSON, a JSON file or a Lua file
-- that returns a table or sets names.
local core = require "xfiot.core"
local data_file = require "xfiot.data_file"

local tariff_file = {}

local SIZE_MOST = 64 * 1024 -- bytes; a price scheme has fifteen numbers
local function from_json(text, where)
  local value, why = core.decode(text, SIZE_MOST)
  if type(value) ~= "table" or #value > 0 or next(value) == nil then
    return nil, ("%s is no JSON object%s"):format(where, why and (": " .. why) or ""), where .. " 不是 JSON 对象"
  end
  return value
end

--- Reads a price scheme.
---@param value string|table JSON text, a file's name, or the scheme itself
---@return table|nil scheme
---@return string? rule what is wrong
---@return string? rule_zh
function tariff_file.read(value)
  if type(value) == "table" then return value end
  if type(value) ~= "string" then return nil end
  if value:find "^%s*{" then return from_json(value, "the text") end
  local text, why = data_file.text(value, SIZE_MOST)
  if not text then return nil, "cannot be read: " .. why, "无法读取：" .. why end
  if not value:find "%.lua$" then return from_json(text, value) end
  local scheme, reason, is_syntax = data_file.values(text, value)
  if scheme then return scheme end
  if is_syntax then return nil, "is no Lua file: " .. reason, "不是有效的 Lua 文件：" .. reason end
  return nil, "cannot be used: " .. reason, "无法使用：" .. reason
end

return tariff_file
