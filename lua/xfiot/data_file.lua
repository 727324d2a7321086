--- Files in Lua syntax that hold data: settings, price schemes. They are run
-- with nothing at hand, not even the methods of strings, and not for long.
local data_file = {}

local BUDGET = 1000000 -- VM instructions: data is no program
local SIZE_MOST = 1024 * 1024

-- Runs a chunk that can reach nothing; a function of C it could call would not
-- see the budget, and strings bring theirs along.
local function run(chunk)
  local strings = getmetatable("")
  local methods = strings.__index
  local co = coroutine.create(chunk)
  debug.sethook(co, function() error("it does not end", 0) end, "", BUDGET)
  strings.__index = nil
  local ok, result = coroutine.resume(co)
  strings.__index = methods
  return ok, result
end

--- Reads a file as text.
---@param path string
---@param most? integer bytes
---@return string|nil text
---@return string? why
function data_file.text(path, most)
  most = most or SIZE_MOST
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, cannot = file:read(most + 1)
  file:close()
  if not text and cannot then return nil, path .. ": " .. cannot end
  text = text or ""
  if #text > most then return nil, path .. ": larger than such a file can be" end
  return (text:gsub("^\xEF\xBB\xBF", "")) -- Windows editors put a byte order mark there
end

--- Reads the names that Lua text sets, or the table it returns.
---@param text string
---@param path string for messages
---@return table|nil values
---@return string? why
---@return boolean? is_syntax whether it is no Lua at all
function data_file.values(text, path)
  local values = {}
  local chunk, why = load(text, "@" .. path, "t", values)
  if not chunk then return nil, why, true end
  local ok, result = run(chunk)
  if not ok then return nil, tostring(result) end
  if type(result) == "table" then return result end
  return values
end

return data_file
