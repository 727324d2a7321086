-- A workflow's check: what the shipped ones find before anything is sent, and what a
-- script may do in its own.

local V = require "spec.verbs_helper"
local workflow = require "xfiot.workflow"
local xfiot = require "xfiot"

local LONG <const> = ("1"):rep(33)

local function given(more)
  local args = { deviceNo = "30010000000001", order = "A" }
  for name, value in pairs(more) do args[name] = value ~= "" and value or nil end
  return args
end

local SHIPPED = { -- script, arguments that are good, and bad ones with what is named
  { "recharge", { amount = "1.00" }, {
    { { amount = "-5" }, "amount" }, { { amount = "0" }, "amount" }, { { amount = "99999999" }, "amount" },
    { { deviceNo = LONG, amount = "0", order = "A\u{3000}" }, "order" }, -- types come first
    { { deviceNo = LONG, amount = "0" }, "amount deviceNo" },
  } },
  { "close_account", {}, { { { deviceNo = LONG }, "deviceNo" } } },
  { "valve", { order = "", state = "open" }, { { { deviceNo = LONG }, "deviceNo" } } },
  { "price_change", { tariff = V.tariff(), clearMark = 0 }, {
    { { tariff = V.tariff { priceOne = "-1" } }, "tariff.priceOne" }, { { clearMark = 2 }, "clearMark" },
  } },
  { "open_account", { tariff = V.tariff(), amount = "1", cardNo = "0000000001" }, {
    { { tariff = V.tariff { priceOne = 31 } }, "tariff.priceOne" }, { { userName = ("x"):rep(65) }, "userName" },
    { { amount = "99999999", userNo = ("x"):rep(65) }, "amount userNo" },
  } },
  { "balance_sync", { order = "" }, {
    { { balance = "99999999" }, "balance" }, { { ladderNo = 9 }, "ladderNo" }, { { price = "-1" }, "price" },
  } },
  { "meter_swap", { newDeviceNo = "0760", reading = "5.2" }, {
    { { newDeviceNo = LONG }, "newDeviceNo" }, { { deviceNo = LONG }, "deviceNo" },
    { { reading = "a lot" }, "reading" }, { { newReading = "-1" }, "newReading" },
    { { cardNo = "0000000001" }, "gasType" },
  } },
}

describe("the check of", function()
  for _, case in ipairs(SHIPPED) do
    local name, good, bad = case[1], case[2], case[3]
    local made = assert(loadfile("scripts/" .. name .. ".lua", "t"))()

    it(name .. " lets good arguments pass", function() made:read_args(given(good)) end)

    for i, row in ipairs(bad) do
      it(("%s names what is bad: %d, %s"):format(name, i, row[2]), function()
        local args = given(good)
        for what, value in pairs(row[1]) do args[what] = value end
        local err = V.failure(made.read_args, made, args)
        assert.are.equal("invalid", err.kind)
        assert.are.equal(row[2], V.paths(err))
        assert.is_false(err.sent)
      end)
    end
  end
end)

local function checked(check, args)
  return workflow.new { name = "w", args = { deviceNo = "string", n = "integer?" }, check = check,
                        run = function() end }, args or { deviceNo = "0760" }
end

local OWN = { -- what, check, path, words
  { "an error of its own", function(_, args) assert(args.n, "n or nothing") end, "the arguments:", "n or nothing" },
  { "an error object of its own", function()
    error(require("xfiot.errors").bad_argument("w", "n", "must be odd", "应为奇数"))
  end, "n", "must be odd" },
  { "a fault once, however often", function(flow, args)
    for _ = 1, 3 do flow:meter(args.deviceNo):recharge { order = "A", amount = 0 } end
  end, "amount", "w: invalid 500033: amount must be a positive amount" },
  { "a call of check", function(flow, args) flow:meter(args.deviceNo):check("valve", "ajar") end, "state",
    "close or open" },
  { "no verb", function(flow, args) flow:meter(args.deviceNo):check("fly", {}) end, "the arguments:", "no verb fly" },
  { "a look at the world", function(flow) flow:sleep(1) end, "the arguments:", "there is no flow:sleep" },
  { "a look at a meter", function(flow, args) flow:meter(args.deviceNo):report() end, "the arguments:",
    "there is no report" },
}

describe("a script's own check", function()
  for _, row in ipairs(OWN) do
    it("tells " .. row[1], function()
      local made, args = checked(row[2])
      local err = V.failure(made.read_args, made, args)
      assert.are.equal(row[3], V.paths(err))
      assert.truthy(tostring(err):find(row[4], 1, true), tostring(err))
    end)
  end

  it("sees what was read, and only when the types are right", function()
    local seen
    local made = checked(function(_, args) seen = args.n end)
    made:read_args { deviceNo = "0760", n = "7" }
    assert.are.equal(7, seen)
    seen = nil
    V.failure(made.read_args, made, { n = "7" })
    made:read_args({ n = "7" }, true)
    made:read_args({ deviceNo = "0760", n = "7" }, false, true)
    assert.is_nil(seen)
  end)

  it("must be a function", function()
    local ok, err = pcall(function()
      local made = xfiot.workflow { name = "w", check = true, run = function() end }
      return made
    end)
    assert.is_false(ok)
    assert.truthy(tostring(err):find("check must be a function", 1, true), err)
  end)
end)
