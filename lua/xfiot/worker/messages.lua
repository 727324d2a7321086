--- What a push's body holds: its messages with the handlers that each is for, the
-- devices it concerns, and what of it was unusual.
local core = require "xfiot.core"

local messages = {}

local NOTE_MOST = 2000 -- characters
local ALARM_REPORT = "99" -- reportType (3.1)
local ALARMS = { WarnDataInfo = true, ConcentratorWarnDataInfo = true }

-- Handlers of a report: one that holds alarms and readings is for both.
local function kinds_of_report(message)
  local data = message.callbackData
  local alarm, report = data.reportType == ALARM_REPORT, false
  for _, item in ipairs(data.data) do
    if ALARMS[item.serviceId] then alarm = true else report = true end
  end
  local kinds = {}
  if alarm then kinds[#kinds + 1] = "alarm" end
  if report or not alarm then kinds[#kinds + 1] = "report" end
  return kinds
end

-- The services by their names, beside the document's own list; of two with one
-- name the last counts.
local function name_services(message)
  message.services = {}
  for _, item in ipairs(message.callbackData.data) do message.services[item.serviceId] = item.serviceData end
end

local function fault_text(entry)
  local list = {}
  for i, fault in ipairs(entry.faults) do list[i] = fault.path .. " " .. fault.rule end
  return table.concat(list, "; ")
end

local function finish_entry(entry, index)
  entry.index = index
  if entry.notes then table.sort(entry.notes) end
  if entry.faults then
    entry.why, entry.handlers = fault_text(entry), {}
    return
  end
  -- as it came: what is kept of it has no members of ours
  entry.kept = core.encode { receiveTime = entry.message.receiveTime, callbackData = entry.message.callbackData }
  if entry.kind == "report" then
    entry.handlers = kinds_of_report(entry.message)
    name_services(entry.message)
  else
    entry.handlers = { "response" }
  end
end

--- Reads a push's messages.
---@param push table row of the journal with its body
---@return table[]|nil entries {index=, kind=, message=, handlers=, kept=, faults=, why=, notes=}
---@return string? why it has none
function messages.read(push)
  local list, why = core.read_messages(push.kind == "response" and "response" or "report", push.body)
  if not list then return nil, why end
  for i, entry in ipairs(list) do finish_entry(entry, i) end
  return list
end

--- The devices that a list of entries names, each once, in order.
---@param entries table[]
---@return string[]
function messages.devices(entries)
  local list, seen = {}, {}
  for _, entry in ipairs(entries) do
    local id = type(entry.message) == "table" and entry.message.deviceId
    if type(id) == "string" and core.measure(id) and not seen[id] then
      seen[id] = true
      list[#list + 1] = id
    end
  end
  return list
end

-- One line about all entries that have something to say.
local function join(entries, text_of)
  local parts = {}
  for _, entry in ipairs(entries) do
    local text = text_of(entry)
    if text then parts[#parts + 1] = (#entries > 1 and ("message %d: "):format(entry.index) or "") .. text end
  end
  if #parts == 0 then return nil end
  local text = table.concat(parts, "; ")
  if #text <= NOTE_MOST then return text end
  local cut = utf8.offset(text, 0, NOTE_MOST + 1)
  return text:sub(1, cut - 1) .. "..."
end

--- What was unusual and was kept, or nil.
---@param entries table[]
---@return string|nil
function messages.note(entries)
  return join(entries, function(entry) return entry.notes and table.concat(entry.notes, "; ") end)
end

--- What is wrong with those that are not as documented, or nil.
---@param entries table[]
---@return string|nil
function messages.faults(entries)
  return join(entries, function(entry) return entry.why end)
end

return messages
