--- The billing verbs as rows: which arguments a verb takes, which command it
-- sends, and how the one becomes the other. Names of parameters are the
-- document's; amount, balance, tariff and order are ours.
local core = require "xfiot.core"

local verbs = {}

-- Parameters of a price scheme, from the rows of PRICE_CHANGE.
local function tariff_names()
  local names = {}
  for _, command in ipairs(core.contract "commands") do
    if command.id == "PRICE_CHANGE" then
      for _, field in ipairs(command.params.fields) do names[#names + 1] = field.name end
    end
  end
  return names
end

local price_names

-- Copies a tariff's members into paras.
local function spread_tariff(paras, tariff)
  if type(tariff) ~= "table" then return end
  price_names = price_names or tariff_names()
  for _, name in ipairs(price_names) do
    if paras[name] == nil then paras[name] = tariff[name] end
  end
end

--- Whether PRICE_CHANGE has a parameter of that name.
---@param name any
---@return boolean
function verbs.is_price(name)
  price_names = price_names or tariff_names()
  for _, known in ipairs(price_names) do
    if known == name then return true end
  end
  return false
end

local rows = {}
verbs.rows = rows

-- takes: arguments besides order, wait, expireTime and expireCount; known: the same as a set; order: it
-- is one; bill: it carries a bill number; amount: how the amount is meant; renamed: parameter -> argument,
-- for the paths of faults; positional: the argument that may stand alone; words: what an argument may say;
-- paras: the command's parameters of arguments, xfiot.Values and the time.

rows.recharge = {
  method = "RECHARGE_REMOTE", order = true, bill = true, amount = "positive",
  takes = { "amount", "prepaidType", "billNo" }, renamed = { rechargeValue = "amount" },
  paras = function(_, values)
    return { prepaidType = values.prepaidType, billNo = values.bill_no, rechargeValue = values.amount }
  end,
}

rows.refund = {
  method = "RECHARGE_REMOTE", order = true, bill = true, amount = "negated",
  takes = { "amount", "prepaidType", "billNo" }, renamed = { rechargeValue = "amount" },
  paras = rows.recharge.paras,
}

rows.open_account = {
  method = "ACCOUNT_OPEN", order = true,
  takes = { "amount", "cardNo", "tariff", "gasType", "clearMark", "prepaidType", "billNo", -- 4.2
            "billingMethod", "price", "ladderNo", "accountDate" },                         -- 4.8
  renamed = { rechargeValue = "amount", surplusValue = "amount" },
  -- 4.8 has no bill number; neither does a tariff belong to gas meters
  bill = function(args) return args.billingMethod == nil end,
  paras = function(args, values, now)
    if args.billingMethod ~= nil then
      local paras = {
        billingMethod = args.billingMethod, surplusValue = values.amount, price = args.price,
        prepaidType = args.prepaidType, ladderNo = args.ladderNo, accountDate = args.accountDate,
        cardNo = args.cardNo, gasType = args.gasType, clearMark = args.clearMark, billNo = args.billNo,
      }
      if args.billingMethod == 1 then
        paras.prepaidType, paras.ladderNo = paras.prepaidType or 0, paras.ladderNo or 1
        paras.accountDate = paras.accountDate or now
      end
      return paras
    end
    local paras = { prepaidType = values.prepaidType, gasType = args.gasType, billNo = values.bill_no,
                    rechargeValue = values.amount, cardNo = args.cardNo,
                    price = args.price, ladderNo = args.ladderNo, accountDate = args.accountDate }
    if values.prepaidType == 1 then
      if paras.gasType == nil and type(args.tariff) == "table" then paras.gasType = args.tariff.gasType end
      return paras
    end
    paras.clearMark = args.clearMark
    spread_tariff(paras, args.tariff)
    if paras.clearMark == nil then paras.clearMark = 1 end
    return paras
  end,
  -- told by how it was opened, from then on
  after = function(meter, paras)
    if paras.billingMethod == nil then meter:remember_opened(math.tointeger(paras.prepaidType)) end
  end,
}

rows.close_account = {
  method = "ACCOUNT_CANCEL", order = true, takes = {}, renamed = {},
  paras = function() return {} end,
}

rows.change_price = {
  method = "PRICE_CHANGE", order = true, tariff = true,
  takes = { "tariff", "clearMark", "gasType" }, renamed = {},
  paras = function(args)
    local paras = { clearMark = args.clearMark, gasType = args.gasType }
    spread_tariff(paras, args.tariff)
    return paras
  end,
}

rows.set_ladder = {
  method = "LADDER_VALUE_CHANGE", order = true, takes = { "ladderValue" }, renamed = {},
  paras = function(args) return { ladderValue = args.ladderValue } end,
}

rows.sync_balance = {
  method = "BALANCE_SYNC", takes = { "balance", "price", "ladderNo", "accountDate" },
  renamed = { surplusValue = "balance" },
  paras = function(args, _, now)
    return { prepaidType = 0, surplusValue = args.balance, price = args.price, ladderNo = args.ladderNo or 1,
             accountDate = args.accountDate or now }
  end,
}

rows.read_price = {
  method = "PRICE_READ", takes = { "priceType" }, renamed = {},
  paras = function(args) return { priceType = args.priceType or 0 } end,
}

rows.valve = {
  method = "VALVE_CONTROL", takes = { "state" }, renamed = { controlFlag = "state" }, positional = "state",
  words = { state = { open = 0, close = 1 } },
  paras = function(args) return { controlFlag = rows.valve.words.state[args.state] } end,
}

for _, verb in pairs(rows) do
  verb.known = {}
  for _, name in ipairs(verb.takes) do verb.known[name] = true end
end

return verbs
