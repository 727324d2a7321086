--- Error objects. One kind of table for everything that can go wrong with a
-- call: what happened, in Chinese and English, what to do, and whether the
-- request may have reached the platform.
local codes = require "xfiot.codes"
local core = require "xfiot.core"

local errors = {}

---@class xfiot.Error
---@field kind "invalid"|"transport"|"platform"|"unknown"|"timeout"|"cancelled"
---@field code? string the platform's return code, "500033"
---@field message string Chinese
---@field message_en string
---@field remedy string what to do
---@field remedy_zh? string
---@field field? string path of the first bad field
---@field fields? { path: string, rule: string, rule_zh: string, code: string }[] all bad fields (kind "invalid")
---@field operation? string
---@field sent boolean|"maybe" whether the request reached the platform
---@field detail? string what curl or the reply's reader said
---@field http_status? integer
local Error = {}
Error.__index = Error
Error.__name = "xfiot.error"

local function add(list, text)
  if text and text ~= "" then list[#list + 1] = text end
end

-- What a terminal would act upon (C0, DEL, C1) and what is no UTF-8 is not for lines
-- that people read; the platform's words are not ours.
local function tame(text)
  if not core.measure(text) then text = text:gsub("[\x80-\xff]", "?") end
  return (text:gsub("%c+", " "):gsub("\xc2[\x80-\x9f]", " "))
end

--- One readable line.
function Error:__tostring()
  local line = {}
  add(line, self.operation and (self.operation .. ": " .. self.kind) or self.kind)
  add(line, self.code)
  local text = table.concat(line, " ") .. ": " .. self.message_en
  if self.message ~= "" and self.message ~= self.message_en then text = text .. " (" .. self.message .. ")" end
  if self.detail then text = text .. " [" .. self.detail .. "]" end
  if self.remedy and self.remedy ~= "" then text = text .. " " .. self.remedy end
  return tame(text)
end

--- Makes an error object.
---@param fields table members of xfiot.Error
---@return xfiot.Error
function errors.new(fields)
  fields.message_en = fields.message_en or fields.message or ""
  fields.message = fields.message or fields.message_en
  fields.remedy = fields.remedy or ""
  if fields.sent == nil then fields.sent = false end
  return setmetatable(fields, Error)
end

--- Whether a value is an error object.
---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

--- Arguments that failed their check. `prefix` is put before every path.
---@param operation string
---@param faults table[] as the core's check gives them
---@return xfiot.Error
function errors.invalid(operation, faults)
  local en, zh = {}, {}
  for i, fault in ipairs(faults) do
    local code = fault.code and (" [" .. fault.code .. "]") or ""
    en[i] = fault.path .. " " .. fault.rule .. code
    zh[i] = fault.path .. " " .. fault.rule_zh .. code
  end
  return errors.new {
    kind = "invalid", operation = operation, fields = faults, field = faults[1].path, code = faults[1].code,
    message_en = table.concat(en, "; "), message = table.concat(zh, "；"),
    remedy = "Nothing was sent.", sent = false,
  }
end

--- One bad argument of a verb or a script.
---@param operation string
---@param path string
---@param rule string English, "must be ..."
---@param rule_zh string
---@param code? string
---@return xfiot.Error
function errors.bad_argument(operation, path, rule, rule_zh, code)
  return errors.invalid(operation, { { path = path, rule = rule, rule_zh = rule_zh, code = code } })
end

--- A return code other than 100000.
---@param operation string
---@param code string
---@param message string the platform's own words
---@return xfiot.Error
function errors.platform(operation, code, message)
  local row = codes.find(code)
  return errors.new {
    kind = "platform", operation = operation, code = code, sent = true,
    message = message ~= "" and message or (row and row.message.zh or "未知返回码"),
    message_en = row and row.message.en or "A return code that the document does not list",
    remedy = row and row.remedy.en or "Ask the platform's operator what it means.",
    remedy_zh = row and row.remedy.zh,
    field = row and row.field,
  }
end

local UNSENT_REMEDY = "Nothing was sent; check base_url and the network (xfiot doctor), then try again."
local READ_REMEDY = "The call changes nothing; it can be made again."
local WRITE_REMEDY = "It may have been carried out: look before you repeat it."

--- A call that was not answered, by its fate.
---@param operation string
---@param writes boolean whether the operation changes something
---@param fate "not sent"|"unknown"
---@param evidence table
---@return xfiot.Error
function errors.unanswered(operation, writes, fate, evidence)
  local fields = {
    operation = operation, detail = evidence.why, http_status = evidence.status ~= 0 and evidence.status or nil,
    evidence = evidence, curl = evidence.curl,
  }
  if fate == "not sent" then
    fields.kind = evidence.timed_out and "timeout" or "transport"
    fields.sent = false
    fields.message, fields.message_en = "请求未能发出", "The platform was not reached"
    fields.remedy = UNSENT_REMEDY
    return errors.new(fields)
  end
  fields.sent = "maybe"
  fields.remedy = writes and WRITE_REMEDY or READ_REMEDY
  if writes then
    fields.kind = "unknown"
  else
    fields.kind = evidence.timed_out and "timeout" or "transport"
  end
  if evidence.timed_out then
    fields.message, fields.message_en = "等待答复超时", "No answer in time"
  else
    fields.message, fields.message_en = "没有得到有效答复", "There was no valid answer"
  end
  return errors.new(fields)
end

return errors
