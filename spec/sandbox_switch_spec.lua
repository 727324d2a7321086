-- The contradictions of the document as switches, each by what changes on the wire.
local H = require "spec.sandbox_helper"
local core = require "xfiot.core"
local switch = require "xfiot.sandbox.switch"

local FIRST_LIMIT <const> = 2147483647

local function envelope(box, endpoint, args)
  local _, _, out = box:call(endpoint, args)
  return out
end

local function raw(box, method, target, body)
  local reply = box:send(method, "/iotcloud/app/" .. target, body)
  return reply.status, core.decode(reply.body)
end

local function detail(box)
  local _, id = box:command(H.MONEY, "VALVE_CONTROL", { controlFlag = 1 })
  local args = { deviceId = box:id(H.MONEY), commandId = id }
  local before = envelope(box, "queryCmd", args).result
  box.sandbox:advance(10)
  return before, envelope(box, "queryCmd", args).result
end

local function query(box) return envelope(box, "query", { deviceNo = H.MONEY }).result end

local function backend(changes)
  local paras = { prepaidType = 0, surplusValue = 1, price = 3.28, ladderNo = 1, accountDate = H.START }
  for name, value in pairs(changes) do paras[name] = value end
  return paras
end

local function without(paras, name)
  paras[name] = nil
  return paras
end

-- query with deviceNo in one place alone.
local function query_in(box, place)
  local no_number = "devices/v1.0.0/query?companyCode=000000"
  local _, answer
  if place == "query" then
    _, answer = raw(box, "GET", no_number .. "&deviceNo=" .. H.MONEY)
  else
    _, answer = raw(box, "POST", no_number, core.encode { deviceNo = H.MONEY })
  end
  return answer.responseCode
end

local function code(number, method, paras, extra)
  return function(box) return (box:command(number, method, paras, extra)) end
end

local VALVE <const> = { controlFlag = 1 }

-- Switch, what is looked at, what it is by default and with the other value.
local CASES <const> = {
  { "C4=required", function(box)
    local trans_id, token = box.signer:sign()
    local reply = box:send("PUT", "/iotcloud/app/devices/v1.0.0/cancel?deviceId=" .. box:id(H.MONEY), nil,
      { "RandomCode: " .. trans_id, "Authorization: " .. token })
    return core.decode(reply.body).responseCode
  end, "100000", "101001" },
  { "C5=absent", function(box)
    local reply = box:send("GET", "/iotcloud/app/devices/v1.0.0/query?companyCode=1&deviceNo=1")
    return reply.body:find('"result"', 1, true) ~= nil
  end, true, false },
  { "C6=message", function(box)
    local command = { method = "VALVE_CONTROL", paras = VALVE }
    return envelope(box, "creatCmd", { deviceId = ("0"):rep(32), command = command }).result
  end, "设备信息不存在", core.null },
  { "C7=appendix", function(box)
    return envelope(box, "query", { deviceNo = H.MONEY }).message
  end, "运行正确", "成功" },
  { "C8=account", function(box) return query(box).deviceState end, 2, 1 },
  { "C9=get", function(box)
    return (raw(box, "POST", "devices/v1.0.0/query?companyCode=000000&deviceNo=" .. H.MONEY, "{}"))
  end, 200, 405 },
  { "C10=query", function(box) return query_in(box, "body") end, "100000", "101001" },
  { "C10=body", function(box) return query_in(box, "query") end, "100000", "101001" },
  { "C12=19", function(box) return #query(box).iccidCode end, 20, 19 },
  { "C13=null", function(box) return query(box).userNo end, "", core.null },
  { "C13=absent", function(box) return query(box).userNo end, "", nil },
  { "C14=32", function(box)
    local numbers = {}
    for i = 1, 33 do numbers[i] = i == 1 and H.MONEY or tostring(i) end
    return envelope(box, "authDevices", { deviceNos = numbers }).responseCode
  end, "100000", "101001" },
  { "C16=table", function(box)
    local item = envelope(box, "authDevices", { deviceNos = { H.MONEY } }).result[1]
    return (item.deviceNum or "-") .. " " .. (item.deviceNo or "-") .. " " .. #item.productTime
  end, H.MONEY .. " - 19", "- " .. H.MONEY .. " 14" },
  { "C18=days", code(H.MONEY, "VALVE_CONTROL", VALVE, { expireTime = 60 }), "100000", "101001" },
  { "C19=3", code(H.MONEY, "VALVE_CONTROL", VALVE, { expireCount = 4 }), "100000", "101001" },
  { "C20=string", function(box)
    local _, after = detail(box)
    return type(after.resultDetail)
  end, "table", "string" },
  { "C21=null", function(box) return (detail(box)).resultDetail end, "", core.null },
  { "C21=object", function(box) return type((detail(box)).resultDetail) end, "string", "table" },
  { "C21=absent", function(box) return (detail(box)).resultDetail end, "", nil },
  { "C22=int", function(box)
    local _, after = detail(box)
    return after.resultDetail.commandResult
  end, "0", 0 },
  { "C23=two", function(box)
    box.sandbox:advance(1)
    local _, message = box:services(H.MONEY)
    return message.callbackData.reportType
  end, "0", "00" },
  { "C24=path", function(box)
    local _, id = box:command(H.MONEY, "VALVE_CONTROL", VALVE)
    return (raw(box, "PUT", ("cmd/v1.0.0/creatCmd?deviceId=%s&commandId=%s"):format(box:id(H.MONEY), id)))
  end, 200, 405 },
  { "C28=flat", function(box)
    box.sandbox:advance(1)
    return box:services(H.MONEY).FrozenValueInfo.frozenType
  end, nil, "3" },
  { "C29=absent", function(box)
    box.sandbox:advance(1)
    return box:services(H.MONEY).GeneralDataInfo.meterStatus.accountFlag
  end, "0", nil },
  { "C30=5", code(H.BACKEND, "BALANCE_SYNC", backend { ladderNo = 6 }), "100000", "500021" },
  { "C31=required", code(H.MONEY, "ACCOUNT_OPEN", without(H.opening(), "clearMark")), "100000", "500031" },
  { "C32=strict", code(H.MONEY, "ACCOUNT_OPEN", H.opening { billNo = 0 }), "100000", "500032" },
  { "C33=narrow", code(H.BACKEND, "ACCOUNT_OPEN", backend { billingMethod = 1, surplusValue = FIRST_LIMIT / 1000 }),
    "100000", "500019" },
  { "C34=30", code(H.BACKEND, "ACCOUNT_OPEN", backend { billingMethod = 1, price = 31 }), "100000", "500020" },
  { "C35=money", code(H.BACKEND, "BALANCE_SYNC", backend { prepaidType = 1 }), "100000", "500018" },
  { "C36=required", code(H.BACKEND, "BALANCE_SYNC", without(backend {}, "ladderNo")), "100000", "500021" },
  { "C38=empty", function(box) return box:run(H.MONEY, "PRICE_READ", { priceType = 0 }).priceOne end, nil, "" },
  { "C43=deduction", function(box)
    box:run(H.MONEY, "ACCOUNT_OPEN", H.opening { rechargeValue = 100 })
    for bill, case in ipairs { { -30, "0" }, { -80, "1" } } do
      local paras = { prepaidType = 0, billNo = bill + 1, rechargeValue = case[1] }
      assert.equal(case[2], box:run(H.MONEY, "RECHARGE_REMOTE", paras).commandResult)
    end
    local device = box.sandbox:device(H.MONEY)
    return device.balance .. " " .. device.bought .. " " .. device.spent
  end, "70.00 70.00 0.00", "70.00 100.00 30.00" },
  { "C44=text", function(box)
    return type(envelope(box, "update", { deviceId = box:id(H.MONEY), syncFlag = 0 }).result)
  end, "userdata", "table" },
}

-- Those that show in pushes only.
local PUSHED <const> = {
  { "C1=99", function(pushes) return pushes.report.headers.api_trans_id:sub(15) == "89999999" end },
  { "C3=notes", function(pushes)
    local h = pushes.response.headers
    return h.randomcode ~= nil and h.authorization ~= nil and h.api_trans_id == nil
  end },
  { "C27=meter", function(pushes) return pushes.report.body:find('"WarnDataInfo"', 1, true) ~= nil end,
    fault = "meter:alarm=1001H:2" },
  { "C39=bought", function(pushes) return pushes.report.body:find('"totalUseMoney":"50.00","', 1, true) ~= nil
    or pushes.report.body:find('"totalUseMoney":"50.00"', 1, true) ~= nil end },
  { "C40=gas", function(pushes)
    return pushes.report.body:find('"totalBuyValue":"0.00","totalUseValue":"0"', 1, true) ~= nil
  end },
  { "A3=bare", function(pushes) return pushes.report.body:find('"0009"', 1, true) ~= nil end,
    fault = "meter:alarm=0009H:1" },
  { "A3=0x", function(pushes) return pushes.report.body:find('"0x0009"', 1, true) ~= nil end,
    fault = "meter:alarm=0009H:1" },
}

-- The last push of each kind of a day with a command.
local function pushes_with(options)
  local receiver <close> = H.receiver()
  options.push_reports, options.push_responses = receiver.url "/report", receiver.url "/response"
  options.profile, options.opened, options.balance = "none", true, "50.00"
  options.meters = { { deviceNo = H.COMMERCIAL, kind = "commercial" }, { deviceNo = "c", kind = "concentrator" } }
  local box <close> = H.open(options)
  if not options.fault then
    box:run(H.COMMERCIAL, "PRICE_CHANGE", H.tariff { priceVer = 2 })
    receiver.wait(4)
  else
    box.sandbox:advance(0)
    receiver.wait(1)
  end
  local out = {}
  for _, request in ipairs(receiver.got) do
    local name = request.path:sub(2)
    if not (name == "report" and request.body:find '"meterNo":"c"' and not options.fault) then out[name] = request end
  end
  return out
end

describe("a contradiction", function()
  local tried = {}
  for _, case in ipairs(CASES) do
    tried[case[1]:match "^%w+"] = true
    it(case[1] .. " is switched", function()
      local plain <close> = H.open()
      assert.same({ case[3] }, { (case[2](plain)) })
      local box <close> = H.open { contradictions = case[1] }
      assert.same({ case[4] }, { (case[2](box)) })
    end)
  end
  for _, case in ipairs(PUSHED) do
    tried[case[1]:match "^%w+"] = true
    it(case[1] .. " is switched in pushes", function()
      assert.is_false(case[2](pushes_with { fault = case.fault }))
      assert.is_true(case[2](pushes_with { fault = case.fault, contradictions = case[1] }))
    end)
  end

  tried.C15 = true
  it("C15=register is switched", function()
    for value, state in pairs { look = 1, register = 2 } do
      local box <close> = H.open { contradictions = "C15=" .. value,
                                   meters = { { deviceNo = H.MONEY, kind = "money", registered = false } } }
      envelope(box, "authDevices", { deviceNos = { H.MONEY } })
      assert.equal(state, query(box).deviceState, value)
      box.sandbox:advance("1d")
      assert.equal(state == 2, box.sandbox:device(H.MONEY).reported ~= nil)
    end
  end)

  it("is a switch, or is told why not", function()
    local said = {}
    for _, row in ipairs(switch.rows) do said[row.id] = true end
    for _, row in ipairs(switch.others) do
      assert.is_nil(said[row[1]])
      said[row[1]] = true
    end
    for i = 1, 44 do assert.is_true(said["C" .. i], i) end
  end)

  it("is tried, each of them", function()
    for _, row in ipairs(switch.rows) do assert.is_true(tried[row.id], row.id) end
  end)

  it("that is none is refused", function()
    for _, text in ipairs { "C99=1", "C22", "C22=x", "22=int", "C22=INT" } do
      assert.has_error(function() switch.read(text) end, nil, text)
    end
  end)
end)
