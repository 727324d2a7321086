-- Who executed what, when, how often: written by the meters themselves, for
-- tests that must not believe anybody else.

local Ledger = {}
Ledger.__index = Ledger
Ledger.__name = "xfiot.sandbox.ledger"

--- Writes down one execution. Nothing is ever changed or removed.
---@param row { device_no: string, command_id: string, method: string, bill_no: integer?,
---  amount: string?, at: string, result: string }
function Ledger:write(row)
  self.rows[#self.rows + 1] = row
end

--- The executions, oldest first: of one device, or all. The rows are copies.
---@param device_no string?
---@return table[]
function Ledger:read(device_no)
  local out = {}
  for _, row in ipairs(self.rows) do
    if device_no == nil or row.device_no == device_no then
      local copy = {}
      for k, v in pairs(row) do copy[k] = v end
      out[#out + 1] = copy
    end
  end
  return out
end

local function new()
  return setmetatable({ rows = {} }, Ledger)
end

return { new = new }
