-- Account, recharge and refund of a meter that is paid in advance (4.2 to 4.4).
-- The same for money and for gas: `balance`, `bought` and `buys` count yuan in a
-- money meter and cubic metres in a gas meter, both in thousandths.

local core = require "xfiot.core"
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
  m.card, m.gas_type, m.bills = paras.cardNo, paras.gasType, { paras.billNo }
  if context.traits.two_steps then
    m.opening = true
  else
    m.account = true
  end
  if paras.prepaidType == 0 then price.load(m, paras, context.now) end
  return true
end

--- ACCOUNT_CANCEL: back to "account not open", running data cleared; the counter goes on.
function account.cancel(m)
  if not (m.account or m.opening) then return false end
  m.account, m.opening, m.card, m.gas_type, m.bills = nil, nil, nil, nil, nil
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

--- RECHARGE_REMOTE: below zero it is a refund, which cannot take more than there is.
function account.recharge(m, paras, context)
  if not m.account then return false end
  if context.refuse_repeats and has(m.bills, paras.billNo) then return false end
  local value = paras.rechargeValue
  local balance, bought = m.balance + value, m.bought + value
  if balance > MOST or bought > MOST or (value < 0 and balance < 0) then return false end
  m.balance, m.bought, m.buys = balance, bought, m.buys + 1
  m.bills[#m.bills + 1] = paras.billNo
  return true, { billNo = tostring(paras.billNo), surplusValue = core.decimal_text(balance, 2) }
end

return account
