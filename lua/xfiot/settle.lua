--- One verb from its arguments to its receipt: an order where money is
-- concerned, a plain command otherwise.
local arguments = require "xfiot.arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local failures = require "xfiot.failures"
local fate = require "xfiot.fate"

local settle = {}

-- For money the least the document allows: expiry is the only fence there is.
local MONEY_EXPIRE_TIME, MONEY_EXPIRE_COUNT = 86400, 1
local DEFAULT_EXPIRE_TIME = 172800 -- the platform's own (2.1)

local CREATE = core.operations().creatCmd.operation

local function wait_seconds(meter, verb, args)
  return args.wait or meter.client.settings.wait or args.expireTime
    or (verb.order and MONEY_EXPIRE_TIME or DEFAULT_EXPIRE_TIME)
end

-- ---- orders

-- Whether the verb's command tells money from gas.
local function has_type(verb, args)
  return args.prepaidType == nil and args.billingMethod == nil
    and (verb.amount ~= nil or verb.method == "ACCOUNT_OPEN")
end

-- What the platform alone can tell: asked for before the order is written, so
-- that the order is frozen with it.
local function complete(request)
  local meter, verb, args, values = request.meter, request.verb_row, request.args, request.values
  meter:recall()
  request.device_id = meter:device_id()
  local assumed = values.prepaidType
  if has_type(verb, args) then values.prepaidType = meter:prepaid_type() end
  request.last_report = meter:last_report()
  meter:remember()
  if values.prepaidType ~= assumed then arguments.check(request.verb, verb, args, values) end
end

-- The body as it is sent, with its bill number, and the command's variant.
local function freeze(request, bill_no)
  local verb, args, values = request.verb_row, request.args, request.values
  values.bill_no = bill_no
  local paras = arguments.draft(verb, args, values)
  local _, _, body = core.check(CREATE, {
    deviceId = request.device_id, command = { method = verb.method, paras = paras },
    expireTime = request.expire_time, expireCount = args.expireCount or MONEY_EXPIRE_COUNT,
  })
  return body, core.variant(verb.method, paras)
end

local function amount_of(args, values)
  local amount = values.amount
  if amount == nil then amount = args.amount end
  return amount ~= nil and core.decimal(amount, 2) or nil
end

-- After these codes the id that is remembered for the meter may be an old one.
local OLD_ID = { ["500001"] = true, ["500004"] = true, ["500008"] = true }

local function perform_order(meter, name, verb, args, values)
  local request = {
    verb = name, verb_row = verb, args = args, values = values, meter = meter, order = args.order,
    device_no = meter.device_no, content = arguments.content(meter, name, args, values),
    takes_bill = arguments.carries_bill(verb, args), bill_no = args.billNo, freeze = freeze,
    amount_thousandths = amount_of(args, values), expire_time = args.expireTime or MONEY_EXPIRE_TIME,
    device_id = nil, last_report = nil, row = nil,
  }
  local book = meter.client.orders
  local ok, result, row = pcall(book.perform, book, request, complete, wait_seconds(meter, verb, args))
  if not ok then
    if errors.is(result) then
      result.operation = name
      if OLD_ID[result.code] then meter:forget() end
    end
    error(result, 0)
  end
  if verb.after then verb.after(meter, core.decode(row.body).command.paras) end
  return result
end

-- ---- plain commands

local function perform_plain(meter, name, verb, args, values)
  local paras = arguments.draft(verb, args, values)
  local command_id, err = meter.client:creatCmd {
    deviceId = meter:device_id(), command = { method = verb.method, paras = paras },
    expireTime = args.expireTime, expireCount = args.expireCount,
  }
  if not command_id then error(err, 0) end
  local outcome, cause = meter.client.outcomes:wait(command_id, wait_seconds(meter, verb, args), meter.id)
  if not outcome then error(failures.timeout(name, nil, command_id, cause), 0) end
  if outcome.error then error(outcome.error, 0) end
  if fate.of_command(outcome) ~= "applied" then error(failures.of_meter(name, verb.method, outcome.state), 0) end
  local result = core.read_result(core.variant(verb.method, paras), outcome.result) or outcome.result
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
