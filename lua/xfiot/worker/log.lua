--- Lines of the worker's log: key=value, one event a line, on stderr.
local core = require "xfiot.core"

local log = {}

local LONGEST = 500 -- bytes of one value

-- What a person may have to look into; everything else is info.
local LEVELS = {
  worker_failed = "error", handlers_refused = "error", orders_held = "error", push_parked = "error",
  push_failed = "warning", push_quarantined = "warning", order_waits = "warning", order_not_asked = "warning",
  orders_not_asked = "warning", orders_not_kept_going = "warning", gaps_not_looked_for = "warning",
}

local function quote(value)
  local text = tostring(value)
  if #text > LONGEST then text = text:sub(1, LONGEST) .. "..." end
  if not core.measure(text) then text = text:gsub("[\x80-\xff]", "?") end
  if text ~= "" and not text:find "[%s%c\"=]" then return text end
  return '"' .. text:gsub('[%c"\\]', { ["\n"] = "\\n", ['"'] = '\\"', ["\\"] = "\\\\" }):gsub("%c", " ") .. '"'
end

--- The line of an event; fields in the order of their names.
---@param at integer seconds since 1970 UTC
---@param event string
---@param fields? table<string, any>
---@return string
function log.line(at, event, fields)
  local names, parts = {}, { os.date("!time=%Y-%m-%dT%H:%M:%SZ", at), "event=" .. event,
    "level=" .. (LEVELS[event] or "info"), "from=worker" }
  for name in pairs(fields or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = name .. "=" .. quote(fields[name]) end
  return table.concat(parts, " ")
end

--- Writes an event's line to stderr.
---@param event string
---@param fields? table<string, any>
function log.write(event, fields)
  io.stderr:write(log.line(core.now(), event, fields), "\n")
end

return log
