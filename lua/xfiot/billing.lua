--- Handlers for xfiot serve that bill meters whose money the utility keeps: each report
-- is settled, the meter's display is told what has changed, and somebody is told of low
-- balances. A valve is closed only where the policy says so in so many words.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local settlement = require "xfiot.settlement"

local billing = {}

local EVERY <const> = 3600 -- seconds between two syncs of one meter, at least

-- How low a balance is; a handler is called when it falls to a lower one.
local FINE <const>, LOW <const>, OVERDRAFT <const>, CLOSED <const> = 0, 1, 2, 3

local POLICY <const> = {
  every = "number", low = "amount", on_low = "function", on_overdraft = "function", close_valve_below = "amount",
}

local function read_policy(given)
  local policy, faults = { every = EVERY }, {}
  for name, value in pairs(given or {}) do
    local kind, ok = POLICY[name], false
    if kind == "amount" then
      local thousandths = core.decimal(value, 2)
      ok = thousandths ~= nil
      value = ok and thousandths // 10
    elseif kind then
      ok = type(value) == kind and (kind ~= "number" or (value >= 0 and value < math.huge))
    end
    policy[name] = value
    if not ok then
      faults[#faults + 1] = { path = tostring(name),
                              rule = kind and ("must be of the kind " .. kind) or "is not part of a policy",
                              rule_zh = kind and ("应为 " .. kind) or "不是策略的一部分" }
    end
  end
  if #faults > 0 then
    table.sort(faults, function(a, b) return a.path < b.path end)
    error(errors.invalid("billing", faults), 0)
  end
  return policy
end

local function must(result, err)
  if result == nil then error(err, 0) end
  return result
end

local function command(client, device_id, method, paras)
  return must(client:creatCmd { deviceId = device_id, command = { method = method, paras = paras } })
end

-- ---- the display

local function has_changed(stands)
  local told = stands.told
  return not told or told.balance ~= stands.balance or told.price ~= stands.price or told.tier ~= stands.tier
end

--- Tells a meter's display its balance, price and tier, if a customer would see a
--- difference and it was not told a short while ago.
---@param client xfiot.Client
---@param device_id string
---@param every? number seconds; 3600 unless given
---@return string|nil command_id nil: there was no need
function billing.sync(client, device_id, every)
  local book = settlement.of(client)
  local show, stands = book:display(device_id)
  if stands.closed or not has_changed(stands) then return nil end
  if stands.told_at and core.now() - stands.told_at < (every or EVERY) then return nil end
  local id = command(client, device_id, "BALANCE_SYNC", { prepaidType = 0, surplusValue = show.balance,
    price = show.price, ladderNo = show.ladderNo, accountDate = core.timestamp() })
  book:told(device_id, stands, "command " .. id)
  return id
end

-- ---- low balances

local function level_of(policy, balance)
  if policy.close_valve_below and balance < policy.close_valve_below then return CLOSED end
  if balance < 0 then return OVERDRAFT end
  return policy.low and balance < policy.low and LOW or FINE
end

-- What is done at each level; higher ones come on top of lower ones.
local DEEDS = {
  [LOW] = function(policy, _, stands, context)
    if policy.on_low then policy.on_low(stands, context) end
  end,
  [OVERDRAFT] = function(policy, _, stands, context)
    if policy.on_overdraft then policy.on_overdraft(stands, context) end
  end,
  [CLOSED] = function(_, device_id, _, context)
    command(context.client, device_id, "VALVE_CONTROL", { controlFlag = 1 })
  end,
}

-- Each level once, in a commit of its own, so that a deed that fails is tried again alone.
local function warn(policy, book, device_id, context, evidence)
  local stands = book:standing(device_id)
  local level = level_of(policy, stands.balance)
  if stands.closed or level == stands.level then return end
  for step = stands.level + 1, level do
    DEEDS[step](policy, device_id, stands, context)
    book:warned(device_id, step, evidence)
  end
  if level < stands.level then book:warned(device_id, level, evidence) end
end

-- ---- handlers

local KEEPS_ITS_MONEY <const> = { ["1"] = true, ["2"] = true } -- chargeType (3.1)

--- The handlers of a policy, to be returned by HANDLERS.lua.
---@param given? { every?: number, low?: any, on_low?: function, on_overdraft?: function, close_valve_below?: any }
--- every: seconds between two syncs of a meter; low, close_valve_below: yuan; on_low, on_overdraft: called with how
--- the meter stands and the handler's context, once when the balance falls so low
---@return { report: function }
function billing.handlers(given)
  local policy = read_policy(given)
  return {
    report = function(message, context)
      local book, id = settlement.of(context.client), message.deviceId
      if not book:find(id) then return end
      local evidence = ("push %s"):format(context.id)
      book:take(id, message, evidence)
      if KEEPS_ITS_MONEY[message.callbackData.chargeType] then return end -- its ledger is there to compare with
      warn(policy, book, id, context, evidence)
      billing.sync(context.client, id, policy.every)
    end,
  }
end

return billing
