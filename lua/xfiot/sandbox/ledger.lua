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

local function has(row, wanted)
  for name, value in pairs(wanted) do
    if row[name] ~= value then return false end
  end
  return true
end

--- The executions, oldest first: all, of one device, or those with all fields of a table.
--- The rows are copies.
---@param wanted string|table|nil deviceNo, or { method = "RECHARGE_REMOTE", bill_no = 7 }
---@return table[]
function Ledger:read(wanted)
  local out = {}
  if type(wanted) ~= "table" then wanted = { device_no = wanted } end
  for _, row in ipairs(self.rows) do
    if has(row, wanted) then
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
