-- The request checker on single values and on what hangs together: amounts, text,
-- times, conditions, rules.
local H = require "spec.check_helper"
local core = require "xfiot.core"

local check = core.check
local TIERS, VALID = H.TIERS, H.VALID
local copy, told, command_call = H.copy, H.told, H.command_call

describe("amounts", function()
  local sent = {
    { 100, "100" }, { 100.0, "100" }, { "100", "100" }, { "100.00", "100" }, { 1e2, "100" },
    { 100.5, "100.5" }, { "100.5", "100.5" }, { "100.50", "100.5" }, { "0.05", "0.05" }, { 0.07, "0.07" },
    { 1.1, "1.1" }, { -0.01, "-0.01" }, { 2147483.64, "2147483.64" }, { "2147483.64", "2147483.64" },
    { "-2147483.64", "-2147483.64" },
  }
  local refused = {
    "0.00", "-0.00", 0, -0.0, -- neither recharge nor deduction (A11)
    "2147483.65", 2147484, "-2147483.65", 1e300, 1e-300, math.maxinteger, math.mininteger, ("9"):rep(40),
    1.005, 0.1 + 0.2, 1 / 3, "1.005", "1.000", 0 / 0, 1 / 0, -1 / 0,
    "+1", "1e2", " 1", "1 ", "01", "1.", ".5", "", "-", "1,5", "0x10", "１", "1\0", "1\n", "--1", "nan",
    true, {}, core.null,
  }

  local function recharge(value)
    local paras = { prepaidType = 0, billNo = 1, rechargeValue = value }
    local faults, _, body = check("creatCmd", command_call("RECHARGE_REMOTE", paras))
    return told(faults), body
  end

  for _, row in ipairs(sent) do
    it(("%s %q is %s"):format(type(row[1]), row[1], row[2]), function()
      local faults, body = recharge(row[1])
      assert.equal("", faults)
      assert.equal(row[2], body:match '"rechargeValue":([^}]*)}')
    end)
  end

  for i, value in ipairs(refused) do
    it(("refused: %d, %s"):format(i, type(value)), function()
      assert.equal("command.paras.rechargeValue 500033", (recharge(value)))
    end)
  end

  it("have one decimal where the document says one", function()
    local function verdict(value)
      return told(check("creatCmd", command_call("LADDER_VALUE_CHANGE", { ladderValue = value })))
    end
    for _, good in ipairs { 0, "0.1", 0.1, "214748364.7", 214748364.7 } do assert.equal("", verdict(good)) end
    for _, bad in ipairs { "0.10", 0.25, "214748364.8", -1 } do
      assert.equal("command.paras.ladderValue 500039", verdict(bad))
    end
  end)
end)

describe("text", function()
  local RARE = "𠮷" -- beyond the BMP: two UTF-16 units
  local rows = {
    { ("a"):rep(64), true }, { ("a"):rep(65), false }, { ("中"):rep(64), true }, { ("中"):rep(65), false },
    { RARE:rep(32), true }, { RARE:rep(32) .. "a", false }, { RARE:rep(31) .. "aa", true },
    { RARE:rep(33), false }, { ("a"):rep(63) .. RARE, false },
    { "\1\31\127", true }, { "\u{2028}", true }, { "a\0b", false },
    { "\xff", false }, { "\xc0\x80", false }, { "\xed\xa0\x80", false }, { "\xf4\x90\x80\x80", false },
    { "\xe4\xb8", false },
  }
  for i, row in ipairs(rows) do
    local value, good = row[1], row[2]
    it(("of row %d (%d bytes) is %s"):format(i, #value, good and "taken" or "refused"), function()
      local faults, _, body = check("register", { manuId = 1, deviceNo = "1", userName = value }, H.COMPANY)
      assert.equal(good and "" or "userName 101001", told(faults))
      if good then assert.equal(value, core.decode(body).userName) end
    end)
  end
end)

describe("times", function()
  local rows = {
    ["20240229235959"] = true, ["20230229000000"] = false, ["20000229000000"] = true,
      ["19000229000000"] = false,
    ["20240431000000"] = false, ["20241301000000"] = false, ["20240001000000"] = false,
      ["20240100000000"] = false,
    ["20240101240000"] = false, ["20240101006000"] = false, ["20240101000060"] = false,
      ["2024010100000"] = false,
    ["202401010000000"] = false, ["2024-01-01 00:"] = false, ["99991231235959"] = true,
      ["2024010100000a"] = false,
  }
  for value, good in pairs(rows) do
    it(value .. (good and " exists" or " does not"), function()
      assert.equal(good and "" or "command.paras.accountDate 500022",
        told(check("creatCmd", command_call("BALANCE_SYNC", copy(VALID.BALANCE_SYNC,
          { accountDate = value })))))
    end)
  end
end)

describe("conditions and rules:", function()
  local gas = { prepaidType = 1, gasType = 1, billNo = 1, rechargeValue = "10", cardNo = "0123456789" }
  local open, change = VALID["ACCOUNT_OPEN.meterPrepaid"], VALID.PRICE_CHANGE
  local tiers, backend = copy(change, TIERS), VALID["ACCOUNT_OPEN.backendPrepaid"]
  -- what is said, method, parameters, changes to them, the faults
  local rows = {
    { "gas needs no prices", "ACCOUNT_OPEN", gas, {}, "" },
    { "gas may have prices", "ACCOUNT_OPEN", open, { prepaidType = 1 }, "" },
    { "gas with one bad price", "ACCOUNT_OPEN", gas, { priceOne = 31 }, "priceOne 500020" },
    { "money needs all", "ACCOUNT_OPEN", gas, { prepaidType = 0 },
      "priceOne 500020, priceTwo 500020, priceThree 500020, priceFour 500020, priceFive 500020, "
      .. "ladderGasOne 500025, ladderGasTwo 500025, ladderGasThree 500025, ladderGasFour 500025, "
      .. "priceVer 500028, pricePeriod 500029, priceTime 500027, ladderTime 500030, clearMark 500031" },
    { "post-paid needs nothing more", "ACCOUNT_OPEN", { billingMethod = 0 }, {}, "" },
    { "post-paid may say more", "ACCOUNT_OPEN", backend, { billingMethod = 0 }, "" },
    { "backend-prepaid needs all", "ACCOUNT_OPEN", { billingMethod = 1 }, {},
      "prepaidType 500018, surplusValue 500019, price 500020, ladderNo 500021, accountDate 500022" },
    { "a bad billingMethod is still the backend's", "ACCOUNT_OPEN", backend,
      { billingMethod = "1", cardNo = "1" }, "billingMethod 500017, cardNo 101001" },
    { "backend-prepaid is money only (C35)", "ACCOUNT_OPEN", backend, { prepaidType = 1 },
      "prepaidType 500018" },
    { "balances are money only (C35)", "BALANCE_SYNC", VALID.BALANCE_SYNC, { prepaidType = 1 },
      "prepaidType 500018" },
    { "a balance names its tier (C36)", "BALANCE_SYNC", VALID.BALANCE_SYNC, { ladderNo = "nil" },
      "ladderNo 500021" },
    { "a price change says what becomes of usage (C31)", "PRICE_CHANGE", change, { clearMark = "nil" },
      "clearMark 500031" },
    { "bill number 0 (C32)", "ACCOUNT_OPEN", open, { billNo = 0 }, "billNo 500032" },
    { "card number of 10 digits", "ACCOUNT_OPEN", open, { cardNo = "012345678x" }, "cardNo 500034" },
    { "limits may be equal", "PRICE_CHANGE", change,
      { ladderGasOne = 7, ladderGasTwo = 7, ladderGasThree = 7, ladderGasFour = 7 }, "" },
    { "limits must not fall", "PRICE_CHANGE", tiers, { ladderGasOne = 300 }, "ladderGasTwo 500026" },
    { "every limit that falls is named", "PRICE_CHANGE", tiers,
      { priceFour = 5, priceFive = 6,
        ladderGasOne = 4, ladderGasTwo = 3, ladderGasThree = 2, ladderGasFour = 1 },
      "ladderGasTwo 500026, ladderGasThree 500026, ladderGasFour 500026" },
    { "a single price has one limit", "PRICE_CHANGE", change, { ladderGasFour = 1 }, "ladderGasFour 500025" },
    { "two prices have one limit", "PRICE_CHANGE", tiers, { priceTwo = 4.05 }, "ladderGasTwo 500025" },
    { "three prices have two limits", "PRICE_CHANGE", tiers, { ladderGasFour = 201 },
      "ladderGasFour 500025" },
    { "five prices have four limits", "PRICE_CHANGE", tiers,
      { priceFour = 5, priceFive = 6, ladderGasThree = 300, ladderGasFour = 400 }, "" },
    { "prices are compared as amounts, not as text", "PRICE_CHANGE", change,
      { priceTwo = 3.2, priceThree = "3.2" }, "" },
    { "the rules of money do not bind gas", "ACCOUNT_OPEN", open,
      { prepaidType = 1, ladderGasOne = 300 }, "" },
    { "rules do not wait for other fields", "PRICE_CHANGE", change, { ladderGasFour = 1, gasType = 0 },
      "gasType 500035, ladderGasFour 500025" },
    { "a rule waits until its own fields are right", "PRICE_CHANGE", change, { ladderGasFour = 1, priceOne = 31 },
      "priceOne 500020" },
  }
  for _, row in ipairs(rows) do
    local name, method, paras, changes, expected = table.unpack(row)
    it(name, function()
      local list = {}
      for fault in expected:gmatch "[^,%s]+ %d+" do list[#list + 1] = "command.paras." .. fault end
      table.sort(list)
      local faults = check("creatCmd", command_call(method, copy(paras, changes)))
      assert.equal(table.concat(list, "\n"), told(faults))
    end)
  end
end)
