--- The arguments of a verb: read and checked as a whole before anything is sent,
-- and turned into the parameters of the verb's command.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local verbs = require "xfiot.verbs"

local arguments = {}

local ORDER_ID_MOST = 64 -- characters
-- What a script adds for the second command of one procedure; not counted.
local FOLLOW_UPS = { "/price", "/ladder" }

-- What stands in for the meter's id, and for times that are "now" unless given.
local SOME_DEVICE, SOME_TIME = ("0"):rep(32), "20000101000000"

local CREATE = core.operations().creatCmd.operation

local COMMON = { wait = true, expireTime = true, expireCount = true }

---@class xfiot.Values what reading, the platform or the book made of arguments
---@field amount any for recharge and refund text, signed as it is sent; else as given
---@field prepaidType integer
---@field bill_no integer
---@field request string the request's body as far as it is known

local function add_fault(faults, path, rule, rule_zh, code)
  faults[#faults + 1] = { path = path, rule = rule, rule_zh = rule_zh, code = code }
end

-- ---- single arguments

local function check_names(verb, args, faults)
  for name in pairs(args) do
    if not verb.known[name] and not COMMON[name] and not (name == "order" and verb.order) then
      add_fault(faults, tostring(name), "is not an argument of this verb", "不是该操作的参数", "101001")
    end
  end
end

-- Characters that show as nothing or as a blank: with them two ids would look alike.
local INVISIBLE = { -- first and last of each range
  0x80, 0xA0, 0xAD, 0xAD, 0x34F, 0x34F, 0x61C, 0x61C, 0x115F, 0x1160, 0x1680, 0x1680, 0x17B4, 0x17B5, 0x180B, 0x180F,
  0x2000, 0x200F, 0x2028, 0x202F, 0x205F, 0x206F, 0x2800, 0x2800, 0x3000, 0x3000, 0x3164, 0x3164, 0xFE00, 0xFE0F,
  0xFEFF, 0xFEFF, 0xFFA0, 0xFFA0, 0xFFF0, 0xFFFB, 0xE0000, 0xE0FFF,
}

local function has_invisible(id)
  if not id:find "[\x80-\xff]" then return false end
  for _, point in utf8.codes(id) do
    for i = 1, #INVISIBLE, 2 do
      if point >= INVISIBLE[i] and point <= INVISIBLE[i + 1] then return true end
    end
  end
  return false
end

--- What is wrong with an order's id.
---@param id any
---@return string|nil rule nil: nothing
---@return string? rule_zh
function arguments.order_fault(id)
  local length = type(id) == "string" and core.measure(id)
  if not length or length < 1 or length > ORDER_ID_MOST then
    return ("must be text of 1 to %d characters, an id of yours that is never used again"):format(ORDER_ID_MOST),
      ("应为 1 到 %d 个字符的文本，永不重复的订单号"):format(ORDER_ID_MOST)
  elseif id:find "%c" or id:find "^ " or id:find " $" or has_invisible(id) then
    return "must not begin or end with a blank, nor hold control or invisible characters: ids would look alike",
      "首尾不得有空格，且不得含控制字符或不可见字符，以免订单号看似相同"
  end
end

local function check_order_id(verb, args, faults)
  if not verb.order then return end
  local id = args.order
  if type(id) == "string" then
    for _, suffix in ipairs(FOLLOW_UPS) do
      if #id > #suffix and id:sub(-#suffix) == suffix then
        id = id:sub(1, -#suffix - 1)
        break
      end
    end
  end
  local rule, rule_zh = arguments.order_fault(id)
  if rule then add_fault(faults, "order", rule, rule_zh) end
end

-- An amount as the verb means it: positive, and turned round for a refund.
local function read_amount(verb, args, faults)
  local amount = args.amount
  if not verb.amount then return amount end
  local thousandths = core.decimal(amount, 2)
  if not thousandths or thousandths <= 0 then
    add_fault(faults, "amount",
      "must be a positive amount with at most 2 digits after the point (text, integer or exact float)",
      "应为正数金额，最多 2 位小数", "500033")
    faults.amount = true
    return amount
  end
  return core.decimal_text(verb.amount == "negated" and -thousandths or thousandths)
end

local function check_tariff(verb, args, faults)
  if args.tariff == nil then
    if verb.tariff then add_fault(faults, "tariff", "is missing; must be a table with PRICE_CHANGE's names",
      "缺少；应为采用 PRICE_CHANGE 参数名的表") end
  elseif type(args.tariff) ~= "table" then
    add_fault(faults, "tariff", "must be a table with PRICE_CHANGE's names", "应为采用 PRICE_CHANGE 参数名的表")
  else
    for name in pairs(args.tariff) do
      if not verbs.is_price(name) then
        add_fault(faults, "tariff." .. tostring(name), "is not a parameter of PRICE_CHANGE",
          "不是 PRICE_CHANGE 的参数", "101001")
      end
    end
  end
end

-- An argument that is one of a few words: valve "open".
local function check_words(verb, args, faults)
  if not verb.words then return end
  for name, words in pairs(verb.words) do
    local value = args[name]
    if value == nil or words[value] == nil then
      local list = {}
      for word in pairs(words) do list[#list + 1] = word end
      table.sort(list)
      add_fault(faults, name, "must be " .. table.concat(list, " or "), "应为 " .. table.concat(list, " 或 "), "500015")
      faults[name] = true
    end
  end
end

local function check_wait(args, faults)
  local wait = args.wait
  if wait ~= nil and not (type(wait) == "number" and wait >= 0 and wait < math.huge) then
    add_fault(faults, "wait", "must be seconds, a number of 0 or more", "应为秒数，不小于 0")
  end
end

-- ---- the command's parameters

--- Whether the command of these arguments carries a bill number.
---@param verb table
---@param args table
---@return boolean
function arguments.carries_bill(verb, args)
  if type(verb.bill) == "function" then return verb.bill(args) end
  return verb.bill or false
end

--- The parameters of the command. Values not known yet are stood in for, so that
--- all the rest can be checked before anything is sent.
---@param verb table
---@param args table
---@param values xfiot.Values
---@param now? string the time for what is "now", 14 digits
---@return table paras
function arguments.draft(verb, args, values, now)
  return verb.paras(args, values, now or core.timestamp())
end

-- Faults of the parameters, their paths in the verb's own words.
local function check_paras(verb, args, values, faults)
  local found, _, body = core.check(CREATE, {
    deviceId = SOME_DEVICE,
    command = { method = verb.method, paras = arguments.draft(verb, args, values, SOME_TIME) },
    expireTime = args.expireTime, expireCount = args.expireCount,
  })
  values.request = body
  if not found then return end
  for _, fault in ipairs(found) do
    local name = fault.path:gsub("^command%.paras%.", "")
    local own = verb.renamed[name]
    if own == nil and type(args.tariff) == "table" and args[name] == nil and verbs.is_price(name)
      and (args.tariff[name] ~= nil or not verb.known[name]) then
      own = "tariff." .. name
    end
    if not faults[own or name] then
      add_fault(faults, own or name, fault.rule, fault.rule_zh, fault.code)
    end
  end
end

local function provisional_type(verb, args)
  if args.prepaidType ~= nil then return args.prepaidType end
  -- without prices it can only be a gas meter; what it is, its reports tell
  local has_prices = type(args.tariff) ~= "table" or args.tariff.priceOne ~= nil
  if verb.method == "ACCOUNT_OPEN" and args.billingMethod == nil and not (args.tariff and has_prices) then return 1 end
  return 0
end

-- ---- all of them

--- Reads and checks all arguments; raises naming every bad one.
---@param meter xfiot.Meter
---@param name string the verb
---@param verb table its row
---@param args? table|string
---@return table args
---@return xfiot.Values values prepaidType and bill_no are stand-ins unless given
function arguments.read(meter, name, verb, args)
  if verb.positional and type(args) == "string" then args = { [verb.positional] = args } end
  if args == nil then args = {} end
  local faults = {}
  check_names(verb, args, faults)
  check_order_id(verb, args, faults)
  check_wait(args, faults)
  check_words(verb, args, faults)
  if verb.takes[1] == "tariff" or args.tariff ~= nil then check_tariff(verb, args, faults) end
  local values = { amount = read_amount(verb, args, faults), prepaidType = provisional_type(verb, args),
                   bill_no = args.billNo or 1, request = nil }
  if #faults == 0 or type(args.tariff) ~= "string" then check_paras(verb, args, values, faults) end
  if #faults > 0 then
    local err = errors.invalid(name, faults)
    err.device_no = meter.device_no
    error(err, 0)
  end
  return args, values
end

--- Checks the parameters once more, with values that are no stand-ins; raises
--- naming every bad one.
---@param name string the verb
---@param verb table
---@param args table
---@param values xfiot.Values
function arguments.check(name, verb, args, values)
  local faults = {}
  check_paras(verb, args, values, faults)
  if #faults > 0 then error(errors.invalid(name, faults), 0) end
end

--- What the caller asked for, in a form that is equal for equal wishes however
--- they were written: the request itself, with the stand-ins of read.
---@param meter xfiot.Meter
---@param name string the verb
---@param args table
---@param values xfiot.Values as read gave them
---@return string
function arguments.content(meter, name, args, values)
  return core.encode { company_code = meter.client.company_code, device_no = meter.device_no, verb = name,
                       bill_no = args.billNo, prepaid_type = args.prepaidType, request = values.request }
end

return arguments
