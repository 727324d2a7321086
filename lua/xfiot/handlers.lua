--- HANDLERS.lua: the utility's own code for what has been pushed. It is loaded as
-- text and returns a table of functions; what is wrong with it is told at once.
local errors = require "xfiot.errors"
local data_file = require "xfiot.data_file"

local handlers = {}

--- What a handlers file may define, in the order of help.
handlers.rows = {
  { name = "report", about = "a report (3.1); message.services holds its services by name" },
  { name = "alarm", about = "an alarm report (3.1); message.services.WarnDataInfo" },
  { name = "response", about = "a command's response (3.2); context.order is the order, as the platform has it" },
  { name = "quarantine", about = "a push to be looked at: id, kind, trans_id, reason, body, headers, messages" },
}

--- What a handler's context has, in the order of help.
handlers.context = {
  { name = "key", about = "the same at every attempt: what was done under it is not done again" },
  { name = "attempt", about = "which one it is, from 1" },
  { name = "id, push", about = "the push's number; push: id, kind, trans_id, received_at, fetched" },
  { name = "index", about = "which message of the push it is" },
  { name = "notes", about = "what the message has and the document has not" },
  { name = "order", about = "response: order, state, device_no, method, bill_no, amount, command_id" },
  { name = "client", about = "for calls; and as in workflows context:meter(number), sleep, now, timestamp, log" },
}

--- After so many attempts a push whose handler fails is parked.
handlers.attempts = 8

local KNOWN, names = {}, {}
for i, row in ipairs(handlers.rows) do KNOWN[row.name], names[i] = true, row.name end

local function fail(path, text, text_zh)
  error(errors.new { kind = "invalid", operation = "handlers", message_en = ("%s: %s"):format(path, text),
    message = ("%s：%s"):format(path, text_zh),
    remedy = "It returns a table of functions, any of " .. table.concat(names, ", ") .. "." }, 0)
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
