--- HANDLERS.lua: the utility's own code for what has been pushed. It is loaded as
-- text and returns a table of functions; what is wrong with it is told at once.
local errors = require "xfiot.errors"
local data_file = require "xfiot.data_file"

local handlers = {}

--- What a handlers file may define, in the order of help.
handlers.names = { "report", "alarm", "response", "quarantine" }

local KNOWN = {}
for _, name in ipairs(handlers.names) do KNOWN[name] = true end

local function fail(path, text, text_zh)
  error(errors.new { kind = "invalid", operation = "handlers", message_en = ("%s: %s"):format(path, text),
    message = ("%s：%s"):format(path, text_zh),
    remedy = "It returns a table of functions, any of " .. table.concat(handlers.names, ", ") .. "." }, 0)
end

local function check(path, list)
  if type(list) ~= "table" then
    fail(path, "it returns no table but " .. type(list), "返回的不是表，而是 " .. type(list))
  end
  local faults, faults_zh = {}, {}
  for name, fn in pairs(list) do
    if not KNOWN[name] then
      faults[#faults + 1] = ("there is no handler %s"):format(tostring(name))
      faults_zh[#faults_zh + 1] = ("没有名为 %s 的处理函数"):format(tostring(name))
    elseif type(fn) ~= "function" then
      faults[#faults + 1] = ("%s is no function but %s"):format(name, type(fn))
      faults_zh[#faults_zh + 1] = ("%s 不是函数，而是 %s"):format(name, type(fn))
    end
  end
  if #faults > 0 then
    table.sort(faults)
    table.sort(faults_zh)
    fail(path, table.concat(faults, "; "), table.concat(faults_zh, "；"))
  end
end

--- Loads a handlers file. Raises, in one sentence, when it cannot be used.
---@param path? string nil: none; pushes are kept and matched to orders, nobody is called
---@return table<string, function>
function handlers.load(path)
  if not path then return {} end
  local text, why = data_file.text(path)
  if not text then fail(path, "it cannot be read: " .. why, "无法读取：" .. why) end
  if text:sub(1, 1) == "\27" then fail(path, "it is compiled Lua; only text is taken", "是编译过的 Lua，只接受文本") end
  local chunk
  chunk, why = load((text:gsub("^#[^\n]*", "")), "@" .. path, "t")
  if not chunk then fail(path, why, why) end
  local ok, list = pcall(chunk)
  if not ok then fail(path, tostring(list), tostring(list)) end
  check(path, list)
  return list
end

return handlers
