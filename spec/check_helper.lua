-- What the specs of the request checker share.

local H = {}

local COMPANY = "000001"
local DEVICE = "673ae176a7124ffbac397429e5b79131"
local COMMAND = "c397429e5b79131673ae176a7124ffba"
local TIME = "20240131235959"

-- A table with changes; the text "nil" takes a key out.
local function copy(table, changes)
  local result = {}
  for key, value in pairs(table) do result[key] = value end
  for key, value in pairs(changes or {}) do
    if value == "nil" then value = nil end
    result[key] = value
  end
  return result
end

-- "path code" of every fault, sorted; one text
local function told(faults)
  local list = {}
  for i, fault in ipairs(faults or {}) do list[i] = fault.path .. " " .. (fault.code or "-") end
  table.sort(list)
  return table.concat(list, "\n")
end

local function command_call(method, paras, more)
  return copy({ deviceId = DEVICE, command = { method = method, paras = paras } }, more)
end

local TIERS = { -- three prices, two limits
  priceOne = "2.5", priceTwo = "3", priceThree = "4.05", priceFour = "4.05", priceFive = "4.05",
  ladderGasOne = 100, ladderGasTwo = 200, ladderGasThree = 200, ladderGasFour = 200,
}
local SINGLE = {
  priceOne = "3.20", priceTwo = "3.20", priceThree = "3.20", priceFour = "3.20", priceFive = "3.20",
  ladderGasOne = 0, ladderGasTwo = 0, ladderGasThree = 0, ladderGasFour = 0,
}
local TERMS = {
  priceVer = 255, pricePeriod = 12, priceTime = TIME, ladderTime = "20240229000000", clearMark = 0,
}

-- A command of every variant that passes.
local VALID = {
  ["VALVE_CONTROL"] = { controlFlag = 1 },
  ["ACCOUNT_OPEN.meterPrepaid"] = copy(copy(TIERS, TERMS), {
    prepaidType = 0, gasType = 1, billNo = 1, rechargeValue = "100.00", cardNo = "0123456789",
  }),
  ["ACCOUNT_CANCEL"] = {},
  ["RECHARGE_REMOTE"] = { prepaidType = 0, billNo = 65535, rechargeValue = "100.00" },
  ["LADDER_VALUE_CHANGE"] = { ladderValue = "214748364.7" },
  ["PRICE_CHANGE"] = copy(copy(SINGLE, TERMS), { gasType = 255 }),
  ["PRICE_READ"] = { priceType = 1 },
  ["ACCOUNT_OPEN.backendPrepaid"] = {
    billingMethod = 1, prepaidType = 0, surplusValue = "-2147483.64", price = "30.00", ladderNo = 7,
    accountDate = TIME,
  },
  ["BALANCE_SYNC"] = { prepaidType = 0, surplusValue = 0, price = 3.2, ladderNo = 1, accountDate = TIME },
}

H.COMPANY, H.DEVICE, H.COMMAND, H.TIME, H.TIERS, H.VALID = COMPANY, DEVICE, COMMAND, TIME, TIERS, VALID
H.copy, H.told, H.command_call = copy, told, command_call

return H
