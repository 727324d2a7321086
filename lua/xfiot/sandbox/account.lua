-- Account, recharge and refund of a meter that is paid in advance (4.2 to 4.4), and
-- what becomes of its credit. The same for money and for gas: `balance`, `bought`,
-- `spent` count yuan in a money meter and cubic metres in a gas meter, both in
-- thousandths.

local core = require "xfiot.core"
local kind = require "xfiot.sandbox.kind"
local price = require "xfiot.sandbox.price"

-- The register of the meter: 2147483.647.
local MOST <const> = 2147483647

local account = {}

--- ACCOUNT_OPEN. The account of a commercial meter waits for PRICE_CHANGE.
function account.open(m, paras, context)
  if m.account or m.opening then return false end
  m.balance, m.bought = paras.rechargeValue, paras.rechargeValue
  m.spent, m.position = 0, 0
  m.buys = paras.rechargeValue > 0 and 1 or 0
  m.card, m.gas_type, m.bills, m.warned = paras.cardNo, paras.gasType, { paras.billNo }, nil
  if context.traits.two_steps then
    m.opening = true
  else
    m.account = true
  end
  if paras.prepaidType == 0 then price.load(m, paras, context) end
  return true
end

--- ACCOUNT_CANCEL: back to "account not open", running data cleared; the counter goes on.
function account.cancel(m)
  if not (m.account or m.opening) then return false end
  m.account, m.opening, m.card, m.gas_type, m.bills, m.warned = nil, nil, nil, nil, nil, nil
  m.balance, m.bought, m.spent, m.buys = 0, 0, 0, 0
  price.clear(m)
  return true
end

local function has(list, value)
  for _, each in ipairs(list) do
    if each == value then return true end
  end
  return false
end

local function add(m, value)
  local balance, bought = m.balance + value, m.bought + value
  if balance > MOST or bought > MOST or (value < 0 and balance < 0) then return false end
  m.balance, m.bought, m.buys = balance, bought, m.buys + 1
  return true
end

-- Below zero the other way (C43): what is deducted has been used, nothing was given back.
local function deduct(m, value)
  if m.balance < value then return false end
  m.balance, m.spent = m.balance - value, m.spent + value
  return true
end

--- RECHARGE_REMOTE: below zero it is a refund, which cannot take more than there is.
function account.recharge(m, paras, context)
  if not m.account then return false end
  if context.refuse_repeats and has(m.bills, paras.billNo) then return false end
  local value = paras.rechargeValue
  local done
  if value < 0 and context.deducts then done = deduct(m, -value) else done = add(m, value) end
  if not done then return false end
  m.bills[#m.bills + 1] = paras.billNo
  return true, { billNo = tostring(paras.billNo), surplusValue = core.decimal_text(m.balance, 2) }
end

--- A purchase with the customer's card, at the meter itself.
---@param m table
---@param value integer thousandths, above zero
---@return boolean done
function account.buy(m, value)
  return m.account and value > 0 and add(m, value) or false
end

--- Gas has passed: it is paid, in a gas meter with gas. While a money meter's first price
-- is still to come there is none.
---@param m table
---@param litres integer
function account.pay(m, litres)
  local due = kind.traits(m.kind).charge == "1" and litres or 0
  if m.scheme then
    due = price.cost(m, litres)
    m.position = m.position + litres
  end
  m.balance, m.spent = m.balance - due, m.spent + due
end

return account
