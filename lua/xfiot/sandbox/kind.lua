-- The kinds of devices there are, and what each carries and can.
--
-- charge, meter, comm: chargeType, meterType and commType as reported.
-- gprs: built-in GPRS and prepayment in the meter: total use and money are told by
--   frozen records alone (5.1, 5.6), changes of price by PriceChangeInfo (5.8).
-- two_steps: an account is open only after ACCOUNT_OPEN and PRICE_CHANGE (4.2).
-- freeze: the finest frozen records it keeps; day and month ones it always has.
-- counter: litres after which it begins anew (5 digits, 8 digits); profile: who lives behind it unless told.

local FIVE <const>, EIGHT <const> = 100000000, 100000000000

local KINDS <const> = {
  money = { digit = 1, charge = "2", meter = "0", comm = "1", counter = FIVE, profile = "household" },
  gas = { digit = 2, charge = "1", meter = "0", comm = "1", counter = FIVE, profile = "household" },
  backend = { digit = 3, charge = "0", meter = "0", comm = "1", counter = FIVE, profile = "household" },
  flow = {
    digit = 4, charge = "2", meter = "1", comm = "0", counter = EIGHT, gprs = true, freeze = "hour",
    profile = "factory",
  },
  commercial = {
    digit = 5, charge = "2", meter = "0", comm = "0", counter = FIVE, gprs = true, two_steps = true,
    freeze = "hour", profile = "restaurant",
  },
  postpaid = { digit = 6, charge = "0", meter = "0", comm = "1", counter = FIVE, profile = "household" },
  concentrator = { digit = 7, charge = "0", meter = "2", comm = "0", counter = FIVE, profile = "none" },
}
-- Order of making.
local NAMES <const> = { "money", "gas", "backend", "flow", "commercial", "postpaid", "concentrator" }

local kind = { rows = KINDS, names = NAMES }

--- The traits of a kind; until a command tells, a meter passes for what most meters are.
---@param name string?
---@return table see KINDS
function kind.traits(name)
  return KINDS[name] or KINDS.money
end

--- Whether the account is in the meter: credit is used up there.
---@param name string?
---@return boolean
function kind.is_prepaid(name)
  return kind.traits(name).charge ~= "0"
end

return kind
