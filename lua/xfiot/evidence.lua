--- What two reports of a meter say about an order in doubt: the last one known
-- when it was written, and one from after it can still have been executed.
local core = require "xfiot.core"

local evidence = {}

local MARGIN = 3600 -- seconds after expiry; clocks of meters drift
local CLOCKS_DIFFER = 600 -- seconds between the platform's clock and ours that are too many to trust ours

-- Totals that a recharge moves, by the service that carries them (5.2, 5.3).
local TOTALS = { MoneyMeterInfo = "totalBuyMoney", GasMeterInfo = "totalBuyGas" }

local function read_report(message)
  local found = {}
  for _, item in ipairs(message.callbackData.data) do
    local data = item.serviceData
    if item.serviceId == "GeneralDataInfo" then found.time = data.deviceTime end
    local total = TOTALS[item.serviceId]
    if total and data[total] and data.buyCount then
      found.bought = core.decimal(data[total], 3)
      found.count = math.tointeger(tonumber(data.buyCount))
    end
  end
  return found
end

--- When the order's command has surely expired, by our clock. It counts from when the
--- platform got it, and that was before the call's deadline.
---@param row table of the journal
---@return integer seconds since 1970 UTC
function evidence.over_at(row)
  return (row.deadline or row.created_at) + row.expire_time + MARGIN
end

--- Whether the order's command has surely expired, by our clock.
---@param row table of the journal
---@param now integer
---@return boolean
function evidence.is_over(row, now)
  return now > evidence.over_at(row)
end

--- Whether the order's command can no longer be executed, so that a report may
--- tell.
---@param row table of the journal
---@param now integer
---@return boolean
function evidence.is_ripe(row, now)
  return row.method == "RECHARGE_REMOTE" and row.last_report ~= nil and evidence.is_over(row, now)
end

--- When the order's command had surely expired, by the platform's clock. How far that
--- was from ours at the sending stands with `sent`; where it does not, the clocks
--- must agree now.
---@param row table of the journal
---@param sent table evidence of its last line of `sent`
---@param ahead? integer seconds the platform's clock is ahead of ours now, if known
---@return integer|nil seconds since 1970 UTC; nil: nobody can tell
function evidence.expiry(row, sent, ahead)
  local then_ahead = math.tointeger(sent.platform_ahead)
  if not then_ahead then
    if math.abs(ahead or 0) > CLOCKS_DIFFER then return nil end
    then_ahead = 0
  end
  return evidence.over_at(row) + then_ahead
end

-- Another order of the meter that may have moved the same totals.
local function has_rival(row, rivals)
  for _, other in ipairs(rivals) do
    local harmless = other.order == row.order or other.state == "rejected" or other.state == "cancelled"
      or other.method ~= "RECHARGE_REMOTE"
    if not harmless then return true end
  end
  return false
end

--- Compares the report known at the intent with a later one.
--- The bought total rose by exactly the amount and buyCount by one: applied.
--- Neither moved: not applied. Anything else, a card purchase among it, is for a person.
---@param row table of the journal
---@param message table the later report
---@param rivals table[] orders of the meter since
---@param over integer when the command had surely expired, by the platform's clock
---@return "applied"|"not_applied"|nil proposal
---@return table? reason what was compared
function evidence.judge(row, message, rivals, over)
  local earlier = core.decode(row.last_report)
  local amount = row.amount_thousandths
  if type(earlier) ~= "table" or has_rival(row, rivals) or not amount or amount <= 0 then return nil end
  local before, after = read_report(earlier), read_report(message)
  -- the meter's clock may be wrong, and the platform may keep an old report: both count
  local at = after.time and core.parse_timestamp(after.time)
  local received = message.receiveTime and core.parse_timestamp(message.receiveTime)
  if not at or at <= over or not received or received <= over then return nil end
  if not (before.bought and after.bought and before.count and after.count) then
    return nil
  end
  local rose, more = after.bought - before.bought, after.count - before.count
  local reason = { before = before, after = after, amount = amount }
  if rose == amount and more == 1 then return "applied", reason end
  if rose == 0 and more == 0 then return "not_applied", reason end
  return nil
end

return evidence
