-- What two reports say about an order in doubt (money.md's comparison).
local core = require "xfiot.core"
local evidence = require "xfiot.evidence"

local PLACED = core.parse_timestamp "20260301080000"
local AFTER = "20260302100000" -- later than the expiry of a day and the margin of an hour

-- The platform gets it when the meter sends it, unless said otherwise.
local function report(bought, count, time, service, received)
  local totals = service == "GasMeterInfo" and { totalBuyGas = bought, buyCount = count }
    or { totalBuyMoney = bought, buyCount = count }
  return { receiveTime = received or time, callbackData = { data = {
    { serviceId = "GeneralDataInfo", serviceData = { deviceTime = time } },
    { serviceId = service or "MoneyMeterInfo", serviceData = totals },
  } } }
end

local function order(changes)
  local row = { order = "A", method = "RECHARGE_REMOTE", created_at = PLACED, expire_time = 86400,
                amount_thousandths = 100000, last_report = core.encode(report("500.00", "3", "20260301060000")) }
  for name, value in pairs(changes or {}) do row[name] = value end
  return row
end

describe("an order in doubt", function()
  local rows = { -- what, later report, changes of the order, rivals, proposal
    { "rose by the amount and one purchase", report("600.00", "4", AFTER), {}, {}, "applied" },
    { "numbers in another spelling", report("600", "4", AFTER), {}, {}, "applied" },
    { "nothing moved", report("500.00", "3", AFTER), {}, {}, "not_applied" },
    { "rose by something else", report("650.00", "4", AFTER), {}, {}, nil },
    { "rose by the amount in two purchases", report("600.00", "5", AFTER), {}, {}, nil },
    { "a card purchase and the amount", report("700.00", "5", AFTER), {}, {}, nil },
    { "a purchase of nothing", report("500.00", "4", AFTER), {}, {}, nil },
    { "a report from before the expiry", report("600.00", "4", "20260302070000"), {}, {}, nil },
    { "a report within the margin", report("600.00", "4", "20260302083000"), {}, {}, nil },
    { "a report that the platform has had since before the expiry: the meter's clock is fast",
      report("500.00", "3", AFTER, nil, "20260301070000"), {}, {}, nil },
    { "a report whose meter's clock is slow", report("500.00", "3", "20260301070000", nil, AFTER), {}, {}, nil },
    { "a report that the platform got at no known time", report("500.00", "3", AFTER, nil, "soon"), {}, {}, nil },
    { "a report without a clock", report("600.00", "4", nil), {}, {}, nil },
    { "a report without the totals", { callbackData = { data = {} } }, {}, {}, nil },
    { "a refund", report("400.00", "4", AFTER), { amount_thousandths = -100000 }, {}, nil },
    { "no amount", report("500.00", "3", AFTER), { amount_thousandths = false }, {}, nil },
    { "a rival order", report("600.00", "4", AFTER), {}, { { order = "B", method = "RECHARGE_REMOTE",
      state = "applied" } }, nil },
    { "a rejected order beside it", report("600.00", "4", AFTER), {}, { { order = "B", method = "RECHARGE_REMOTE",
      state = "rejected" } }, "applied" },
    { "itself among the meter's orders", report("600.00", "4", AFTER), {}, { { order = "A",
      method = "RECHARGE_REMOTE", state = "unknown" } }, "applied" },
    { "a gas meter", report("600.00", "4", AFTER, "GasMeterInfo"),
      { last_report = core.encode(report("500.00", "3", "20260301060000", "GasMeterInfo")) }, {}, "applied" },
    { "an earlier report that cannot be read", report("600.00", "4", AFTER), { last_report = "{" }, {}, nil },
  }
  for _, row in ipairs(rows) do
    it(row[1] .. (row[5] and ": " .. row[5] or ": a person decides"), function()
      local one = order(row[3])
      assert.are.equal(row[5], (evidence.judge(one, row[2], row[4], evidence.expiry(one, {}))))
    end)
  end

  -- when its command has surely expired, from the deadline of its sending, which may have been long after it was
  -- placed: what `sent` says of the clocks, how far they are apart now, seconds after the deadline's expiry
  local DAY, MARGIN = 86400, 3600
  local clocks = {
    { "by clocks that agreed", { platform_ahead = 0 }, 0, 0 },
    { "by the platform's clock, which was ahead", { platform_ahead = 93600 }, 0, 93600 },
    { "by the platform's clock, which was behind", { platform_ahead = -93600 }, 0, -93600 },
    { "by our clock when the platform's was not known", {}, nil, 0 },
    { "by our clock when they nearly agree now", {}, 600, 0 },
    { "at no known time when they do not agree now", {}, -601, nil },
  }
  for _, row in ipairs(clocks) do
    it("expires " .. row[1], function()
      local deadline = PLACED + 100000
      assert.are.equal(row[4] and deadline + DAY + MARGIN + row[4],
        evidence.expiry(order { deadline = deadline }, row[2], row[3]))
    end)
  end

  local ripe = {
    { "before its expiry", 86399, {}, false },
    { "within the margin", 86400 + 3600, {}, false },
    { "after it", 86400 + 3601, {}, true },
    { "without an earlier report", 200000, { last_report = false }, false },
    { "of another command", 200000, { method = "ACCOUNT_CANCEL" }, false },
  }
  for _, row in ipairs(ripe) do
    it("is judged " .. row[1] .. ": " .. tostring(row[4]), function()
      local one = order(row[3])
      one.last_report = one.last_report or nil
      assert.are.equal(row[4], evidence.is_ripe(one, PLACED + row[2]))
    end)
  end
end)
