-- A virtual meter: what is inside it, and how it carries out a command. Knows
-- nothing of the platform. Amounts are integer thousandths: of a yuan, of a
-- cubic metre (litres), of a yuan per cubic metre.
--
-- A command's handler gets (meter, paras, context) and returns whether it was
-- done, and the fields it answers with besides commandResult.

local core = require "xfiot.core"
local account = require "xfiot.sandbox.account"
local backend = require "xfiot.sandbox.backend"
local price = require "xfiot.sandbox.price"

-- charge, meter, comm: chargeType, meterType and commType as reported.
-- two_steps: an account is open only after ACCOUNT_OPEN and PRICE_CHANGE (4.2);
-- frozen: total use and money are told by frozen records alone (5.1, 5.6).
local KINDS <const> = {
  money = { digit = 1, charge = "2", meter = "0", comm = "1" },
  gas = { digit = 2, charge = "1", meter = "0", comm = "1" },
  backend = { digit = 3, charge = "0", meter = "0", comm = "1" },
  flow = { digit = 4, charge = "2", meter = "1", comm = "1" },
  commercial = { digit = 5, charge = "2", meter = "0", comm = "0", two_steps = true, frozen = true },
}
-- Until a command tells, a meter passes for what most meters are.
local UNTOLD <const> = KINDS.money

local OPEN <const>, CLOSED <const> = "1", "2" -- valveState

local function control_valve(m, paras, context)
  local wanted = paras.controlFlag == 1 and CLOSED or OPEN
  if m.valve ~= wanted then
    m.valve = wanted
    context.alarm(wanted == CLOSED and "0002H" or "0005H")
  end
  m.closed_remotely = wanted == CLOSED
  return true
end

local HANDLERS <const> = {
  VALVE_CONTROL = control_valve,
  ["ACCOUNT_OPEN.meterPrepaid"] = account.open,
  ACCOUNT_CANCEL = account.cancel,
  RECHARGE_REMOTE = account.recharge,
  LADDER_VALUE_CHANGE = price.set_position,
  PRICE_CHANGE = price.change,
  PRICE_READ = price.read,
  ["ACCOUNT_OPEN.backendPrepaid"] = backend.open,
  BALANCE_SYNC = backend.sync,
}

local meter = { KINDS = KINDS }

--- A new meter, valve open, no account.
---@param kind string?
---@return table
function meter.new(kind)
  if kind ~= nil and not KINDS[kind] then error("sandbox: no such kind of meter: " .. tostring(kind), 0) end
  return { kind = kind, valve = OPEN, used = 0, balance = 0, bought = 0, spent = 0, buys = 0, position = 0 }
end

--- The traits of its kind.
---@param m table
---@return table see KINDS
function meter.traits(m)
  return KINDS[m.kind] or UNTOLD
end

--- Brings the meter up to a time (seconds): the day's frozen record, a delayed price.
---@param m table
---@param now integer
function meter.settle(m, now)
  local midnight = now - (now + 28800) % 86400 -- the meter's days are those of UTC+8
  if m.frozen_at ~= midnight then
    m.frozen_at = midnight
    m.frozen_used = m.used
    if meter.traits(m).frozen then
      m.frozen_bought, m.frozen_spent, m.frozen_balance = m.bought, m.spent, m.balance
    end
  end
  price.settle(m, now)
end

--- Carries out a command. `context`: now (seconds), refuse_repeats, alarm(code).
---@param m table
---@param variant string
---@param paras table
---@param context { now: integer, refuse_repeats: boolean?, alarm: fun(code: string) }
---@return table result with commandResult as the text it is sent as (C22)
function meter.execute(m, variant, paras, context)
  meter.settle(m, context.now)
  context.traits = meter.traits(m)
  local done, answer = HANDLERS[variant](m, paras, context)
  if not done then return { commandResult = "1" } end
  answer = answer or {}
  answer.commandResult = "0"
  return answer
end

--- An amount as the meter shows it: two decimals, a third only where there is one.
---@param thousandths integer
---@return string
function meter.amount_text(thousandths)
  return core.decimal_text(thousandths, thousandths % 10 == 0 and 2 or 3)
end

return meter
