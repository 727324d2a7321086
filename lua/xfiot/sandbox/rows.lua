-- What the sandbox takes from the contract's rows besides the checks of
-- requests: the text of a return code, the meters a command is for.

local codes = require "xfiot.codes"
local core = require "xfiot.core"

local charges

local rows = {}

--- The Chinese text of a return code. Success says what the examples say (C7).
---@param code string
---@return string
function rows.message(code)
  if code == "100000" then return "运行正确" end
  local row = codes.find(code)
  return row and row.message.zh or code
end

--- The chargeTypes a command variant is for: "12".
---@param variant string
---@return string
function rows.charge_types(variant)
  if not charges then
    charges = {}
    for _, row in ipairs(core.contract().commands) do charges[row.id] = row.charge_types end
  end
  return charges[variant]
end

return rows
