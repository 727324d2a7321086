--- Return codes and alarms by code, with their texts; read from the contract's
-- rows when first asked for.
local core = require "xfiot.core"

local codes = {}

local by_code

local function load_rows()
  by_code = {}
  for _, row in ipairs(core.contract "codes") do
    row.field = row.fields and row.fields:match "^%S+"
    by_code[row.code] = row
  end
end

--- The row of a return code.
---@param code string "500033"
---@return table|nil { code: string, message: { zh: string, en: string }, remedy: { zh: string, en: string },
---   class_id: string, field?: string }
function codes.find(code)
  if not by_code then load_rows() end
  return by_code[code]
end

--- Whether the platform, by this code, may have queued the command all the same.
---@param code string
---@return boolean
function codes.is_doubtful(code)
  local row = codes.find(code)
  return row == nil or row.class_id == "platform_unknown"
end

return codes
