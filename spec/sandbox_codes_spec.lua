-- Every return code and every alarm of the document, provoked over the wire: by the
-- rule that `xfiot help faults` names, and by what does without a rule.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local provoke = require "xfiot.sandbox.provoke"

local function args_of(box, operation)
  local id = box:id(H.MONEY)
  return ({
    register = { manuId = 1, deviceNo = "9" },
    update = { deviceId = id, syncFlag = 0 },
    query = { deviceNo = H.MONEY },
    cancel = { deviceId = id },
    authDevices = { deviceNos = { H.MONEY } },
    creatCmd = { deviceId = id, command = { method = "VALVE_CONTROL", paras = { controlFlag = 0 } } },
    queryCmd = { deviceId = id, commandId = ("0"):rep(32) },
    batchQueryCmd = { commandIds = { ("0"):rep(32) } },
    cancelCmd = { deviceId = id, commandId = ("0"):rep(32) },
    queryReportData = { deviceId = id, msgType = "0" },
  })[operation]
end

local function command(method, paras, number)
  return function(box) return (box:command(number or H.MONEY, method, paras)) end
end

local function with(maker, changes)
  return function(box) return (box:command(H.MONEY, "ACCOUNT_OPEN", H[maker](changes))) end
end

local function backend(changes)
  local paras = {
    billingMethod = 1, prepaidType = 0, surplusValue = 1, price = 3.28, ladderNo = 1, accountDate = H.START,
  }
  for name, value in pairs(changes) do paras[name] = value end
  return command("ACCOUNT_OPEN", paras, H.BACKEND)
end

local function lacks(code)
  return { fault = "meter:lacks=" .. code .. ":1", call = function(box)
    box.sandbox:advance(1)
    return (box:command(H.MONEY, "VALVE_CONTROL", { controlFlag = 0 }))
  end }
end

local VALVE <const> = "/iotcloud/app/cmd/v1.0.0/creatCmd?deviceId="

-- By return code: what provokes it without a rule for replies.
local BY_ITSELF <const> = {
  ["100000"] = command("VALVE_CONTROL", { controlFlag = 0 }),
  ["101001"] = function(box) return (box:call("register", { manuId = 1 })) end,
  ["500000"] = function(box)
    local reply = box:send("GET", "/iotcloud/app/devices/v2.0.0/query?companyCode=000000&deviceNo=" .. H.MONEY)
    return core.decode(reply.body).responseCode
  end,
  ["500001"] = function(box) return (box:call("query", { deviceNo = "nobody" })) end,
  ["500002"] = function(box) return (box:call("query", { companyCode = "999999", deviceNo = H.MONEY })) end,
  ["500003"] = function(box)
    local reply = box:send("POST", VALVE .. box:id(H.MONEY), "{}", { "RandomCode: x", "Authorization: y" })
    return core.decode(reply.body).responseCode
  end,
  ["500004"] = function(box)
    box:call("cancel", { deviceId = box:id(H.MONEY) })
    return (box:call("update", { deviceId = box:id(H.MONEY), syncFlag = 0 }))
  end,
  ["500005"] = function(box) return (box:call("register", { manuId = 1, deviceNo = H.MONEY })) end,
  ["500008"] = { meters = { { deviceNo = H.MONEY, registered = false } }, call = function(box)
    return (box:call("cancel", { deviceId = box:id(H.MONEY) }))
  end },
  ["500010"] = lacks "500010",
  ["500011"] = lacks "500011",
  ["500012"] = lacks "500012",
  ["500013"] = command("RECHARGE_REMOTE", { prepaidType = 1, billNo = 1, rechargeValue = 1 }),
  ["500015"] = command("VALVE_CONTROL", { controlFlag = 2 }),
  ["500017"] = backend { billingMethod = 2 },
  ["500018"] = with("opening", { prepaidType = 2 }),
  ["500019"] = backend { surplusValue = 99999999 },
  ["500020"] = with("opening", { priceOne = 31 }),
  ["500021"] = backend { ladderNo = 8 },
  ["500022"] = backend { accountDate = "2026" },
  ["500025"] = with("opening", { ladderGasOne = -1 }),
  ["500026"] = with("opening", { ladderGasTwo = 299 }),
  ["500027"] = with("opening", { priceTime = "20260230000000" }),
  ["500028"] = with("opening", { priceVer = 0 }),
  ["500029"] = with("opening", { pricePeriod = 256 }),
  ["500030"] = with("opening", { ladderTime = "x" }),
  ["500031"] = with("opening", { clearMark = 2 }),
  ["500032"] = command("RECHARGE_REMOTE", { prepaidType = 0, billNo = 0, rechargeValue = 1 }),
  ["500033"] = command("RECHARGE_REMOTE", { prepaidType = 0, billNo = 1, rechargeValue = "1.234" }),
  ["500034"] = with("opening", { cardNo = "1" }),
  ["500035"] = with("opening", { gasType = 0 }),
  ["500039"] = command("LADDER_VALUE_CHANGE", { ladderValue = -1 }),
  ["500043"] = function(box)
    return (box:call("queryCmd", { deviceId = box:id(H.MONEY), commandId = ("0"):rep(32) }))
  end,
  ["500045"] = { meters = { { deviceNo = H.MONEY, kind = "money", concentrator = "1" } },
                 call = command("VALVE_CONTROL", { controlFlag = 0 }) },
  ["500046"] = function(box)
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
    box.sandbox:advance(1)
    return (box:call("cancelCmd", { deviceId = box:id(H.MONEY), commandId = id }))
  end,
  ["500048"] = function(box) return (box:call("batchQueryCmd", { commandIds = {} })) end,
  ["500049"] = function(box)
    return (box:call("queryReportData", { deviceId = box:id(H.MONEY), msgType = "2" }))
  end,
  ["500050"] = function(box)
    return (box:call("queryReportData", { deviceId = box:id(H.MONEY), msgType = "1" }))
  end,
}

describe("a return code", function()
  for _, row in ipairs(provoke.codes()) do
    local own = BY_ITSELF[row.code]
    it(row.code .. " is provoked by its rule", function()
      if not row.rule then return assert.equal("100000", row.code) end
      local box <close> = H.open { fault = row.rule }
      assert.equal(row.code, (box:call(row.operation, args_of(box, row.operation))))
    end)
    it(row.code .. " is provoked as the table says, or by the rule alone", function()
      assert.equal(row.by_itself:find("only by rule", 1, true) == nil, own ~= nil, row.by_itself)
      if not own then return end
      own = type(own) == "function" and { call = own } or own
      local box <close> = H.open { fault = own.fault, meters = own.meters }
      assert.equal(row.code, own.call(box))
    end)
  end

  it("is one of all 53", function()
    assert.equal(53, #provoke.codes())
  end)
end)

-- ---- alarms

-- A box that collects the alarms pushed, as "CODE STATE".
local function watched(options)
  local seen = {}
  options.tap = function(name, body)
    if name ~= "report" then return end
    for _, message in ipairs(assert(core.read_push("push.reportData", body))) do
      for _, item in ipairs(message.callbackData.data) do
        for _, event in ipairs(item.serviceData.warnEvents or {}) do
          seen[#seen + 1] = event.warnType .. " " .. event.warnState
        end
      end
    end
  end
  return H.open(options), seen
end

local function has(list, text)
  for _, each in ipairs(list) do
    if each == text then return true end
  end
  return false
end

local function one(kind, changes)
  local row = { deviceNo = H.MONEY, kind = kind or "money", opened = true, balance = "12.00" }
  for name, value in pairs(changes or {}) do row[name] = value end
  return { row }
end

local function turn(flag)
  return function(box) box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = flag }) end
end

-- A mishap comes every other day.
local UNLUCKY <const> = { one("postpaid"), mishaps = "2d", days = 250 }

-- By alarm: options of the box, what is done, days that pass.
local ALARMS_BY_ITSELF <const> = {
  ["0001H"] = { one("money", { profile = "none" }), days = 31 },
  ["0002H"] = { one(), act = turn(1) },
  ["0003H"] = UNLUCKY,
  ["0004H"] = { one(), fault = "meter:volts=4.4", days = 1 },
  ["0005H"] = { one(), act = function(box)
    turn(1)(box)
    turn(0)(box)
  end },
  ["0006H"] = { one("postpaid", { profile = "burst" }), days = 365 },
  ["0007H"] = { one(), fault = "meter:volts=4.9", days = 1 },
  ["0008H"] = UNLUCKY,
  ["0009H"] = UNLUCKY,
  ["000AH"] = UNLUCKY,
  ["000BH"] = { one(), fault = "meter:stuck", days = 1, act = turn(0) },
  ["000CH"] = { one(), fault = "meter:stuck", days = 1, act = turn(1) },
  ["000DH"] = UNLUCKY,
  ["000EH"] = UNLUCKY,
  ["000FH"] = { one(), days = 10 },
  ["0010H"] = UNLUCKY,
  ["0011H"] = { one(), days = 10 },
  ["0012H"] = { one(), days = 10 },
  ["0013H"] = { one("money", { profile = "leak", balance = "500.00" }), days = 3 },
  ["0014H"] = { "flow=8", days = 300 },
  ["0015H"] = { "flow=8", days = 300 },
  ["0016H"] = UNLUCKY,
  ["0018H"] = { one(), fault = "meter:stuck", days = 1 },
  ["1000H"] = { one("concentrator"), days = 365 },
  ["1001H"] = { one("concentrator"), days = 365 },
}

describe("an alarm", function()
  for _, row in ipairs(provoke.alarms()) do
    it(row.code .. " is provoked by its rule, and is over when told", function()
      local made, seen = watched { meters = one(row.kind), fault = row.rule .. "/2h:1@1h", profile = "none" }
      local box <close> = made
      box.sandbox:advance("1h")
      assert.is_true(has(seen, row.code .. " 1"), table.concat(seen, ", "))
      local _, message = box:call("queryReportData", { deviceId = box:id(H.MONEY), msgType = "1" })
      assert.equal("99", message.callbackData.reportType)
      box.sandbox:advance("2h")
      assert.is_true(has(seen, row.code .. " 0"), table.concat(seen, ", "))
    end)
    it(row.code .. " comes as the table says, or by the rule alone", function()
      local own = ALARMS_BY_ITSELF[row.code]
      assert.equal(row.by_itself ~= "only by rule", own ~= nil, row.by_itself)
      if not own then return end
      local made, seen = watched {
        meters = own[1], fault = own.fault, mishaps = own.mishaps, opened = true, balance = "900.00",
      }
      local box <close> = made
      if own.days then box.sandbox:advance(own.days .. "d") end
      if own.act then pcall(own.act, box) end
      assert.is_true(has(seen, row.code .. " 1"), table.concat(seen, ", "))
    end)
  end

  it("shuts the valve if the document says so, and sets its flag", function()
    for _, alarm in ipairs(core.contract().alarms) do
      if alarm.device ~= "concentrator" then
        local box <close> = H.open { meters = one(), fault = "meter:alarm=" .. alarm.code, profile = "none" }
        box.sandbox:advance("1d")
        local general = box:services(H.MONEY).GeneralDataInfo
        assert.equal(alarm.shuts and "2" or "1", general.valveState, alarm.code)
        if alarm.status_flag then assert.equal("1", general.meterStatus[alarm.status_flag], alarm.code) end
        local opened = box:run(H.MONEY, "VALVE_CONTROL", { controlFlag = 0 }).commandResult
        assert.equal(alarm.shuts and alarm.code ~= "0001H" and "1" or "0", opened, alarm.code)
      end
    end
  end)
end)
