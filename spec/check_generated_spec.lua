-- Generated values, judged by the checker and by a model that knows nothing but the
-- contract's rows.
local core = require "xfiot.core"
local H = require "spec.check_helper"
local model = require "spec.check_model"

local contract = core.contract()
local copy, told, command_call, VALID = H.copy, H.told, H.command_call, H.VALID
local COMPANY, DEVICE, COMMAND = H.COMPANY, H.DEVICE, H.COMMAND

-- Numbers from 1 to n, the same in every run.
local function new_random()
  local state = 20240131
  return function(n)
    state = state * 6364136223846793005 + 1442695040888963407
    return (state >> 33) % n + 1
  end
end

local function shown(value)
  if type(value) == "table" then
    local list = {}
    for key, member in pairs(value) do list[#list + 1] = tostring(key) .. "=" .. shown(member) end
    table.sort(list)
    return "{" .. table.concat(list, ", ") .. "}"
  end
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

local function compare(endpoint, args, command)
  local expected, expected_body = model.judge(endpoint, args, command)
  local faults, _, body = core.check(endpoint.name, args)
  if told(faults) ~= expected or (expected == "" and body ~= expected_body) then
    error(("%s %s\nexpected: %s\n          %s\ngot:      %s\n          %s"):format(endpoint.name,
      shown(args), expected, expected_body, told(faults), body), 2)
  end
  return expected == ""
end

describe("generated values are judged as the rows say:", function()
  local GOOD = {
    register = {
      companyCode = COMPANY, manuId = 1, deviceNo = "1", userNo = "1", userName = "a", userAddress = "b",
      syncFlag = 0,
    },
    update = { deviceId = DEVICE, userNo = "1", userName = "a", userAddress = "b", syncFlag = 0 },
    query = { companyCode = COMPANY, deviceNo = "1" },
    cancel = { deviceId = DEVICE },
    authDevices = { companyCode = COMPANY, deviceNos = { "1" } },
    creatCmd = command_call("ACCOUNT_CANCEL", {}, { expireTime = 86400, expireCount = 1 }),
    queryCmd = { deviceId = DEVICE, commandId = COMMAND },
    batchQueryCmd = { companyCode = COMPANY, commandIds = { COMMAND } },
    cancelCmd = { deviceId = DEVICE, commandId = COMMAND },
    queryReportData = { deviceId = DEVICE, msgType = "0" },
  }
  local creatCmd, cancel_account
  for _, endpoint in ipairs(contract.endpoints) do
    if endpoint.name == "creatCmd" then creatCmd = endpoint end
  end
  for _, command in ipairs(contract.commands) do
    if command.id == "ACCOUNT_CANCEL" then cancel_account = command end
  end

  local function fields_of(endpoint)
    local list = {}
    for _, row in ipairs(endpoint.query.fields) do list[#list + 1] = row end
    for _, row in ipairs(endpoint.fields and endpoint.fields.fields or { endpoint.list }) do
      if row.name ~= "command" then list[#list + 1] = row end
    end
    return list
  end

  -- Every value of every row put into good arguments; both verdicts must occur.
  local function try_all(rows, good, judge)
    local passed, refused = 0, 0
    for _, row in ipairs(rows) do
      for _, value in ipairs(model.candidates(row)) do
        if judge(copy(good, { [row.name] = value })) then passed = passed + 1 else refused = refused + 1 end
      end
    end
    assert.is_true(#rows == 0 or (passed > 0 and refused > passed))
  end

  for _, endpoint in ipairs(contract.endpoints) do
    local command = endpoint == creatCmd and cancel_account or nil

    it("each argument of " .. endpoint.name, function()
      try_all(fields_of(endpoint), GOOD[endpoint.name], function(args)
        return compare(endpoint, args, command)
      end)
    end)

    it("each argument missing of " .. endpoint.name, function()
      for _, row in ipairs(fields_of(endpoint)) do
        compare(endpoint, copy(GOOD[endpoint.name], { [row.name] = "nil" }), command)
      end
    end)
  end

  for _, command in ipairs(contract.commands) do
    local rows, good = command.params.fields, VALID[command.id]
    local function send(paras) return compare(creatCmd, command_call(command.method, paras), command) end

    it("each parameter of " .. command.id, function()
      try_all(rows, good, send)
    end)

    it("each parameter missing of " .. command.id, function()
      for _, row in ipairs(rows) do
        -- what tells the variant cannot be missing in it
        if row.name ~= command.told_by then send(copy(good, { [row.name] = "nil" })) end
      end
    end)

    it("several changes at once of " .. command.id, function()
      local random, values = new_random(), {}
      local tiers = { 0, 1, 2, 10, 10, 20 } -- good values, so that the rules are reached
      for i, row in ipairs(rows) do values[i] = model.candidates(row) end

      local function change(paras)
        local i = random(#rows)
        local name, dice = rows[i].name, random(10)
        local is_tier = name:find "^ladderGas" or (name:find "^price" and rows[i].type == "decimal")
        if is_tier and dice > 3 then
          paras[name] = tiers[random(#tiers)]
        elseif dice > 1 or name == command.told_by then
          paras[name] = values[i][random(#values[i])]
        else
          paras[name] = nil
        end
      end

      for round = 1, 500 do
        local paras = copy(good)
        for _ = 1, #rows > 0 and random(4) or 0 do change(paras) end
        if round % 10 == 0 then paras["more" .. random(3)] = 1 end
        send(paras)
      end
    end)
  end
end)
