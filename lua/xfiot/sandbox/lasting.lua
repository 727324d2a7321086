-- Warnings that last, and come from two sides: the meter's own life, and rules or mishaps
-- (m.active). While one side has begun a warning, the other neither begins nor ends it.

-- The bits of m.warned and of m.beyond.
local WARNED <const> = { ["000FH"] = 1, ["0012H"] = 2, ["0011H"] = 4 }
local BEYOND <const> = { ["0006H"] = 1, ["0014H"] = 2, ["0015H"] = 4 }
local MEMBERS <const> = {
  ["0001H"] = "locked", ["0004H"] = "flat", ["0007H"] = "tired", ["0013H"] = "dripping", ["0018H"] = "stuck",
}

local lasting = { WARNED = WARNED, BEYOND = BEYOND }

--- Whether the meter's own life has begun it.
---@param m table
---@param code string
---@return boolean
function lasting.is_own(m, code)
  if MEMBERS[code] then return m[MEMBERS[code]] ~= nil end
  if BEYOND[code] then return (m.beyond or 0) & BEYOND[code] ~= 0 end
  return WARNED[code] ~= nil and (m.warned or 0) & WARNED[code] ~= 0
end

--- Whether a rule or a mishap has begun it.
---@param m table
---@param code string
---@return boolean
function lasting.is_given(m, code)
  return m.active ~= nil and m.active[code] ~= nil
end

--- Tells of what the meter's own life begins or ends.
---@param m table
---@param told fun(code: string, state: string)
---@param code string
---@param state string "1" begins, "0" is over
function lasting.tell(m, told, code, state)
  if not lasting.is_given(m, code) then told(code, state) end
end

return lasting
