--- A price scheme as people hand it over: inline JSON, a JSON file or a Lua file
-- that returns a table or sets names.
local core = require "xfiot.core"

local tariff_file = {}

local SIZE_MOST = 64 * 1024 -- bytes; a price scheme has fifteen numbers
local BUDGET = 1000000      -- VM instructions of a Lua file

local function from_json(text, where)
  local value, why = core.decode(text, SIZE_MOST)
  if type(value) ~= "table" then
    return nil, ("%s is no JSON object%s"):format(where, why and (": " .. why) or ""), where .. " 不是 JSON 对象"
  end
  return value
end

local function from_lua(text, path)
  local values = {}
  local chunk, why = load(text, "@" .. path, "t", values)
  if not chunk then return nil, "is no Lua file: " .. why, "不是有效的 Lua 文件：" .. why end
  local co = coroutine.create(chunk)
  debug.sethook(co, function() error("it does not end", 0) end, "", BUDGET)
  local ok, result = coroutine.resume(co)
  if not ok then return nil, "cannot be used: " .. tostring(result), "无法使用：" .. tostring(result) end
  return type(result) == "table" and result or values
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
  local file, why = io.open(value, "rb")
  if not file then return nil, "cannot be read: " .. why, "无法读取：" .. why end
  local text = file:read(SIZE_MOST + 1)
  file:close()
  if not text then return nil, "cannot be read: " .. value, "无法读取：" .. value end
  if #text > SIZE_MOST then return nil, "is larger than a price scheme can be", "文件过大" end
  if value:find "%.lua$" then return from_lua(text, value) end
  return from_json(text, value)
end

return tariff_file
