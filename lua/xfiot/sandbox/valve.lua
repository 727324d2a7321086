-- The valve of a meter: who may turn it, and what the meter reports of it.
--
-- In a meter: valve (valveState), closed_remotely, lacking (shut for want of credit),
-- locked (shut after many days without gas), stuck, active (warnings that last).

local lasting = require "xfiot.sandbox.lasting"

local OPEN <const>, CLOSED <const>, DAMAGED <const> = "1", "2", "4"

local valve = { OPEN = OPEN, CLOSED = CLOSED }

--- Turns it, unless it stands that way already; told(code, state).
---@param m table
---@param wanted string OPEN or CLOSED
---@param told fun(code: string, state: string)
function valve.turn(m, wanted, told)
  if m.valve == wanted then return end
  m.valve = wanted
  told(wanted == CLOSED and "0002H" or "0005H", "1")
end

-- What keeps it shut however often it is told to open: a fault that shuts (all but
-- 0001H, which a button opens), or no credit.
local function is_held(m, context)
  for code, row in pairs(m.active or {}) do
    if row.shuts and code ~= "0001H" then return true end
  end
  return m.account and context.overdrawn(m) or false
end

local function unlock(m, told)
  if not m.locked then return end
  m.locked = nil
  if m.active and m.active["0001H"] then
    m.active["0001H"] = nil
    if next(m.active) == nil then m.active = nil end
  end
  told("0001H", "0")
end

--- VALVE_CONTROL.
function valve.control(m, paras, context)
  local wanted = paras.controlFlag == 1 and CLOSED or OPEN
  if m.stuck then
    m.valve = DAMAGED
    context.told(wanted == CLOSED and "000CH" or "000BH", "1")
    return false
  end
  if wanted == OPEN and is_held(m, context) then
    context.told("000BH", "1")
    return false
  end
  valve.turn(m, wanted, context.told)
  m.closed_remotely = wanted == CLOSED or nil
  if wanted == OPEN then
    unlock(m, context.told)
    m.lacking = nil
  end
  return true
end

--- Shuts for want of credit.
---@param m table
---@param told fun(code: string, state: string)
function valve.lack(m, told)
  if m.valve ~= OPEN or m.stuck then return end
  m.lacking = true
  valve.turn(m, CLOSED, told)
end

--- Credit has come: opens what want of it had shut, and nothing else.
---@param m table
---@param told fun(code: string, state: string)
function valve.refill(m, told)
  if not m.lacking or m.balance <= 0 then return end
  m.lacking = nil
  if not m.closed_remotely and not m.locked then valve.turn(m, OPEN, told) end
end

--- Shuts after many days without gas.
---@param m table
---@param told fun(code: string, state: string)
function valve.lock(m, told)
  m.locked = true
  lasting.tell(m, told, "0001H", "1")
  valve.turn(m, CLOSED, told)
end

--- Somebody presses the button: a locked meter opens.
---@param m table
---@param told fun(code: string, state: string)
function valve.press(m, told)
  if not m.locked then return end
  unlock(m, told)
  valve.turn(m, OPEN, told)
end

return valve
