-- What a backend-billed meter shows (4.8, 4.9): it holds no money, only the
-- balance, price and tier that the backend last told it.

local core = require "xfiot.core"

local backend = {}

local function show(m, paras)
  m.shown = {
    balance = paras.surplusValue,
    price = paras.price,
    tier = paras.ladderNo or 1,
    settled = core.parse_timestamp(paras.accountDate),
    gas = paras.prepaidType == 1,
  }
end

--- ACCOUNT_OPEN: 0 shows the counter (post-paid), 1 the balance kept in the backend.
function backend.open(m, paras)
  m.account = true
  m.prepaid = paras.billingMethod == 1
  if m.prepaid then
    show(m, paras)
  else
    m.shown = nil
  end
  return true
end

--- BALANCE_SYNC.
function backend.sync(m, paras)
  show(m, paras)
  return true
end

return backend
