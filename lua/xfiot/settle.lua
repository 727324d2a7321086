--- One verb from its arguments to its receipt: placed as an order where money is
-- concerned, sent at most once, waited for.
local arguments = require "xfiot.arguments"
local codes = require "xfiot.codes"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"

local settle = {}

-- For money the least the document allows: expiry is the only fence there is.
local MONEY_EXPIRE_TIME, MONEY_EXPIRE_COUNT = 86400, 1
local DEFAULT_EXPIRE_TIME = 172800 -- the platform's own (2.1)

-- ---- failures

local function fail_doubtful(order, message, message_zh, cause)
  return errors.new {
    kind = "unknown", operation = order.method, code = cause and cause.code,
    sent = cause and cause.sent or true,
    message = message_zh, message_en = message, detail = cause and cause.detail,
    remedy = ("Do not repeat it under a new order id before the meter has been looked at (order %s).")
      :format(order.order), order = order.order,
  }
end

-- Whether the platform may hold the command although it did not say so (money.md's rule:
-- every answer that is not a clean yes or no).
local function is_doubtful(err)
  if err.kind == "platform" then return codes.is_doubtful(err.code) end
  return err.sent ~= false
end

local function fail_meter(name, verb, outcome)
  local said = { failed = "the platform could not deliver it", expired = "it expired before the meter took it",
                 cancelled = "it was cancelled", succeeded = "the meter answered that it failed" }
  local said_zh = { failed = "平台下发失败", expired = "指令已过期", cancelled = "指令已撤销",
                    succeeded = "表具返回失败" }
  return errors.new {
    kind = outcome.state == "cancelled" and "cancelled" or "platform", operation = name, sent = true,
    message_en = verb.method .. ": " .. said[outcome.state],
    message = verb.method .. "：" .. said_zh[outcome.state],
    remedy = "Look at the meter's latest report (meter:report()), then decide.",
  }
end

local function fail_timeout(name, order, command_id)
  return errors.new {
    kind = "timeout", operation = name, sent = true, command_id = command_id,
    message_en = "The meter has not answered yet", message = "表具尚未答复",
    remedy = order and "Repeat the same order id: it asks again and sends nothing twice."
      or "The command stays queued until it expires; queryCmd tells how it ended.",
  }
end

-- ---- waiting and ending

local function wait_seconds(meter, verb, args)
  return args.wait or meter.client.settings.wait or args.expireTime
    or (verb.order and MONEY_EXPIRE_TIME or DEFAULT_EXPIRE_TIME)
end

-- The meter's result, typed by the command's own rows.
local function read_result(id, outcome)
  local detail = outcome.result
  if outcome.state ~= "succeeded" then return nil end
  local typed = core.read_result(id, detail)
  return typed or detail
end

local function is_success(outcome)
  return outcome.state == "succeeded" and outcome.result.commandResult == 0
end

local function make_receipt(meter, order, result)
  return {
    order = order.order, device_no = meter.device_no, device_id = meter.id, method = order.method,
    bill_no = order.bill_no, amount = order.amount, state = "applied", command_id = order.command_id,
    surplus = result.surplusValue, result = result,
  }
end

-- Waits for an accepted order's end and books it.
local function finish_order(meter, name, verb, args, order)
  local book = meter.client.orders
  local outcome = meter.client.outcomes:wait(order.command_id, wait_seconds(meter, verb, args))
  if not outcome then error(fail_timeout(name, order, order.command_id), 0) end
  if outcome.error then error(outcome.error, 0) end
  local result = read_result(order.variant, outcome)
  if is_success(outcome) then
    if verb.after then verb.after(meter, order.args) end
    order.receipt = make_receipt(meter, order, result)
    book:advance(order, "applied")
    return order.receipt
  end
  if outcome.state == "cancelled" then
    order.failure = fail_meter(name, verb, outcome)
    book:advance(order, "cancelled")
  else
    local cause = fail_meter(name, verb, outcome)
    order.failure = fail_doubtful(order, cause.message_en .. "; the meter may have carried it out all the same",
      cause.message .. "；表具仍可能已执行")
    book:advance(order, "suspect")
  end
  error(order.failure, 0)
end

-- ---- sending

local function send(meter, verb, args, paras)
  local money = verb.order
  return meter.client:creatCmd {
    deviceId = meter:device_id(), command = { method = verb.method, paras = paras },
    expireTime = args.expireTime or (money and MONEY_EXPIRE_TIME or nil),
    expireCount = args.expireCount or (money and MONEY_EXPIRE_COUNT or nil),
  }
end

-- What only the platform knows: the device's id and what it counts.
local function complete(meter, name, verb, args, values)
  meter:device_id()
  local has_type = verb.amount or verb.method == "ACCOUNT_OPEN"
  if has_type and args.prepaidType == nil and args.billingMethod == nil then
    values.prepaidType = meter:prepaid_type()
  end
  arguments.check(name, verb, args, values)
end

local function number_bill(meter, name, verb, args, values)
  if not arguments.carries_bill(verb, args) then return end
  values.bill_no = meter.client.orders:take_bill(meter.device_no, args.billNo)
  if not values.bill_no then
    error(errors.bad_argument(name, "billNo",
      args.billNo and "was used for this meter before" or "has reached 65535; this meter needs a person's decision",
      args.billNo and "该表已使用过此账单号" or "账单号已用到 65535，需人工处理", "500032"), 0)
  end
end

local function send_order(meter, name, verb, args, values, order)
  local book = meter.client.orders
  local ready, why = pcall(function()
    complete(meter, name, verb, args, values)
    number_bill(meter, name, verb, args, values)
  end)
  if not ready then
    book:withdraw(order)
    error(why, 0)
  end
  local paras = arguments.draft(verb, args, values)
  order.args = setmetatable({ prepaidType = values.prepaidType }, { __index = args })
  order.amount, order.bill_no = values.amount, arguments.carries_bill(verb, args) and values.bill_no or nil
  order.variant = select(2, core.check_command(verb.method, paras))
  book:advance(order, "sent")
  local command_id, err = send(meter, verb, args, paras)
  if command_id then
    order.command_id = command_id
    book:advance(order, "accepted")
    return
  end
  if err.sent == false then
    book:withdraw(order)
  elseif is_doubtful(err) then
    order.failure = fail_doubtful(order, "Nobody knows whether the platform took the command",
      "无法确定平台是否已接收指令", err)
    book:advance(order, "unknown")
    err = order.failure
  else
    order.failure = err
    book:advance(order, "rejected")
  end
  error(err, 0)
end

local function repeat_order(order)
  while order.busy do
    local event = {}
    order.waiters[#order.waiters + 1] = event
    loop.wait(event, 31 * 86400)
  end
  if order.receipt then return order.receipt end
  if order.failure then error(order.failure, 0) end
end

local function perform_order(meter, name, verb, args, values)
  local book = meter.client.orders
  local order, is_new = book:place {
    order = args.order, device_no = meter.device_no, method = verb.method,
    content = arguments.fingerprint(name, args, values),
  }
  if not is_new then
    local receipt = repeat_order(order)
    if receipt then return receipt end
  end
  order.busy = true
  local ok, result = pcall(function()
    if is_new then send_order(meter, name, verb, args, values, order) end
    return finish_order(meter, name, verb, args, order)
  end)
  book:release(order)
  if not ok then error(result, 0) end
  return result
end

local function perform_plain(meter, name, verb, args, values)
  local paras = arguments.draft(verb, args, values)
  local command_id, err = send(meter, verb, args, paras)
  if not command_id then error(err, 0) end
  local outcome = meter.client.outcomes:wait(command_id, wait_seconds(meter, verb, args))
  if not outcome then error(fail_timeout(name, nil, command_id), 0) end
  if outcome.error then error(outcome.error, 0) end
  local variant = select(2, core.check_command(verb.method, paras))
  local result = read_result(variant, outcome)
  if not is_success(outcome) then error(fail_meter(name, verb, outcome), 0) end
  result.command_id = command_id
  return result
end

--- Carries out a verb.
---@param meter xfiot.Meter
---@param name string the verb
---@param verb table its row
---@param args? table
---@return table receipt (orders), or the meter's result
function settle.perform(meter, name, verb, args)
  local values
  args, values = arguments.read(meter, name, verb, args)
  if verb.order then return perform_order(meter, name, verb, args, values) end
  return perform_plain(meter, name, verb, args, values)
end

return settle
