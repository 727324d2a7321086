--- The error objects of verbs and orders.
local errors = require "xfiot.errors"

local failures = {}

local SAID = {
  failed = { "the platform could not deliver it", "平台下发失败" },
  expired = { "it expired", "指令已过期" },
  cancelled = { "it was cancelled", "指令已撤销" },
  succeeded = { "the meter answered that it failed", "表具返回失败" },
  other_bill = { "the answer names another bill number", "表具答复的账单号不符" },
  lost = { "it should be over, and the platform cannot say how it ended", "指令应已结束，但平台无法给出结果" },
}

--- A command that did not succeed in the meter.
---@param operation string
---@param method string
---@param outcome "failed"|"expired"|"cancelled"|"succeeded"|"other_bill"|"lost"
---@return xfiot.Error
function failures.of_meter(operation, method, outcome)
  local said = SAID[outcome] or SAID.failed
  return errors.new {
    kind = outcome == "cancelled" and "cancelled" or "platform", operation = operation, sent = true,
    message_en = method .. ": " .. said[1], message = method .. "：" .. said[2],
    remedy = "Look at the meter's latest report (meter:report()), then decide.",
  }
end

--- The meter has not answered in the time the caller gave it.
---@param operation string
---@param order? string
---@param command_id? string
---@param cause? xfiot.Error why the last question was not answered
---@return xfiot.Error
function failures.timeout(operation, order, command_id, cause)
  return errors.new {
    detail = cause and tostring(cause),
    kind = "timeout", operation = operation, sent = true, command_id = command_id, order = order,
    message_en = "The meter has not answered yet", message = "表具尚未答复",
    remedy = order and "Repeat the same order id: it asks again and sends nothing twice."
      or "The command stays queued until it expires; queryCmd tells how it ended.",
  }
end

--- An accepted order whose end the platform does not tell.
---@param row table
---@param cause xfiot.Error what the platform said to the question
---@return xfiot.Error
function failures.unasked(row, cause)
  return errors.new {
    kind = "timeout", operation = row.method, sent = true, order = row.order, command_id = row.command_id,
    code = cause.code, detail = tostring(cause),
    message_en = "The order was accepted, but its end cannot be asked for", message = "订单已被接收，但无法查询结果",
    remedy = "Mend that, then repeat the same order id: it asks again and sends nothing twice.",
  }
end

--- Another order of the meter is still under way when the time is up.
---@param device_no string
---@return xfiot.Error
function failures.no_turn(device_no)
  return errors.new {
    kind = "timeout", operation = "order", sent = false, message = "该表具的上一订单尚未完成",
    message_en = ("Meter %s is busy with another order"):format(device_no),
    remedy = "Nothing was stored or sent; give the order again later.",
  }
end

--- An order that was never let go; it stays an intent.
---@param row table
---@param evidence table
---@return xfiot.Error
function failures.unsent(row, evidence)
  return errors.new {
    kind = evidence.timed_out and "timeout" or "transport", operation = row.method, order = row.order, sent = false,
    detail = evidence.detail, message_en = "The platform was not reached", message = "请求未能发出",
    remedy = "Nothing was sent yet, but the order stands and goes out when it is repeated or the meter is next used: "
      .. "do not pay it again under another id.",
  }
end

--- An order whose `sent` the journal would not take; it stays an intent.
---@param row table
---@param why string what the journal said
---@return xfiot.Error
function failures.unmarked(row, why)
  return errors.new {
    kind = "transport", operation = "journal", order = row.order, sent = false, detail = why,
    message_en = "The journal could not take note of the sending", message = "订单日志无法记录发送，请求未发出",
    remedy = "Nothing was sent yet, but the order stands and goes out once the journal works again: "
      .. "do not pay it again under another id.",
  }
end

--- What only the platform knows could not be learned: the order was not written.
---@param request table
---@param cause any
---@return any
function failures.unplaced(request, cause)
  if errors.is(cause) then
    cause.sent, cause.order = false, request.order
    if cause.kind ~= "invalid" then
      cause.remedy = "The order was not written, and nothing of it was sent. " .. (cause.remedy or "")
    end
  end
  return cause
end

--- The order waits for another one of its meter that cannot be brought to its end.
---@param request table
---@param blocking string the order in the way
---@param cause any what stands in the way of that one
---@return any
function failures.behind(request, blocking, cause)
  if not errors.is(cause) then return cause end
  return errors.new {
    kind = cause.kind, code = cause.code, operation = request.verb, order = request.order, blocking = blocking,
    sent = false, detail = tostring(cause),
    message_en = ("Order %s of meter %s must end first"):format(blocking, request.device_no),
    message = ("表具 %s 的上一订单 %s 尚未结束"):format(request.device_no, blocking),
    remedy = "Nothing of this order was stored or sent; give it again later, under the same id.",
  }
end

--- An order under way that was placed for another account at the platform.
---@param row table
---@return xfiot.Error
function failures.elsewhere(row)
  return errors.new {
    kind = "unknown", operation = row.method, order = row.order, blocking = row.order, sent = false,
    message_en = ("Order %s is %s under company %s, merchant %s, which are not these settings'"):format(
      row.order, row.state, row.company_code, row.merchant_id or "-"),
    message = ("订单 %s 属于公司 %s、商户 %s，与当前设置不符，状态为 %s"):format(
      row.order, row.company_code, row.merchant_id or "-", row.state),
    remedy = "Nothing was sent. Use the settings it was placed with, or a journal of its own for each account.",
  }
end

local function in_doubt(row, message, message_zh, evidence)
  return errors.new {
    kind = "unknown", operation = row.method, order = row.order, sent = row.state == "suspect" or "maybe",
    code = row.code, message_en = message, message = message_zh, detail = evidence.detail,
    remedy = ("Do not repeat it under a new order id. xfiot orders show %s has the evidence."):format(row.order),
  }
end

--- What an order's end means to its caller.
---@param row table of the journal
---@param evidence table of its last transition
---@return xfiot.Error
function failures.of_order(row, evidence)
  if row.state == "rejected" then
    local err = errors.platform(row.method, row.code, evidence.message or "")
    err.order = row.order
    return err
  elseif row.state == "cancelled" then
    return failures.of_meter(row.method, row.method, "cancelled")
  elseif row.state == "not_applied" then
    local err = failures.of_meter(row.method, row.method, "failed")
    err.message_en, err.message = "The meter has not carried it out", "表具未执行"
    err.remedy = "It was settled so; pay it out or use a new order id."
    return err
  elseif row.state == "suspect" then
    local cause = failures.of_meter(row.method, row.method, evidence.outcome)
    return in_doubt(row, cause.message_en .. "; the meter may have carried it out all the same",
      cause.message .. "；表具仍可能已执行", evidence)
  end
  return in_doubt(row, "Nobody knows whether the platform took the command", "无法确定平台是否已接收指令", evidence)
end

--- A meter that has an order in doubt takes no other.
---@param request table
---@param row table the order in the way
---@return xfiot.Error
function failures.blocked(request, row)
  return errors.new {
    kind = "unknown", operation = request.verb, sent = false, blocking = row.order,
    message = ("表具 %s 的订单 %s 状态为 %s，尚待核实"):format(request.device_no, row.order, row.state),
    message_en = ("Order %s of meter %s is %s and must be settled first"):format(
      row.order, request.device_no, row.state),
    remedy = ("Nothing was stored or sent. Look at it with: xfiot orders show %s"):format(row.order),
  }
end

--- A bill number that cannot be had.
---@param verb string
---@param repeated boolean else they are used up
---@return xfiot.Error
function failures.bill(verb, repeated)
  return errors.bad_argument(verb, "billNo",
    repeated and "was used for this meter before" or "has reached 65535; this meter needs a person's decision",
    repeated and "该表已使用过此账单号" or "账单号已用到 65535，需人工处理", "500032")
end

return failures
