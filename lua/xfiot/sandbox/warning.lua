-- Warnings of a meter about its credit, each told once when it begins and once when
-- it is over (0 back to normal).

local lasting = require "xfiot.sandbox.lasting"

-- Bits of m.warned. Low is below limits.low, overdrawn at -limits.overdraft or lower;
-- limits are the sandbox's settings, in thousandths.
local BITS <const> = lasting.WARNED
local LOW <const>, ZERO <const>, OVERDRAWN <const> = BITS["000FH"], BITS["0012H"], BITS["0011H"]

local warning = {}

--- What of its credit it has to warn of, as bits.
---@param m table
---@param limits { low: integer, overdraft: integer }
---@return integer
function warning.due(m, limits)
  local balance = m.balance
  if balance >= limits.low then return 0 end
  if balance > 0 then return LOW end
  return balance > -limits.overdraft and LOW | ZERO or LOW | ZERO | OVERDRAWN
end

--- The balance at or below which it will warn next; nil: of nothing more.
---@param m table
---@param limits { low: integer, overdraft: integer }
---@return integer?
function warning.next(m, limits)
  local warned = m.warned or 0
  if warned & LOW == 0 then return limits.low - 1 end
  if warned & ZERO == 0 then return 0 end
  if warned & OVERDRAWN == 0 then return -limits.overdraft end
  return nil
end

local CODES <const> = { "000FH", "0012H", "0011H" }

-- What is over by now.
local function tell_over(m, due, warned, told)
  for _, code in ipairs(CODES) do
    local bit = BITS[code]
    if due & bit == 0 and warned & bit ~= 0 then lasting.tell(m, told, code, "0") end
  end
end

--- Tells what has begun; told(code, state). What is over is told only if it was told.
---@param m table
---@param limits { low: integer, overdraft: integer }
---@param told fun(code: string, state: string)
function warning.tell(m, limits, told)
  local due, warned = warning.due(m, limits), m.warned or 0
  if due == warned then return end
  for _, code in ipairs(CODES) do
    local bit = BITS[code]
    if due & bit ~= 0 and warned & bit == 0 then lasting.tell(m, told, code, "1") end
  end
  tell_over(m, due, warned, told)
  m.warned = due ~= 0 and due or nil
end

--- What is over by now, after credit came; what has not begun is left to consumption.
---@param m table
---@param limits { low: integer, overdraft: integer }
---@param told fun(code: string, state: string)
function warning.calm(m, limits, told)
  local due, warned = warning.due(m, limits), m.warned or 0
  tell_over(m, due, warned, told)
  local left = warned & due
  m.warned = left ~= 0 and left or nil
end

--- Whether it may let no more gas through.
---@param m table
---@param limits { low: integer, overdraft: integer }
---@return boolean
function warning.is_overdrawn(m, limits)
  return m.balance <= -limits.overdraft
end

return warning
