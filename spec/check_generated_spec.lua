-- Generated values, judged by the checker and by a model that knows nothing but the
-- contract's rows.
local core = require "xfiot.core"
local H = require "spec.check_helper"
local model = require "spec.check_model"

local contract = core.contract()
local copy, told, command_call, VALID = H.copy, H.told, H.command_call, H.VALID
local COMPANY, DEVICE, COMMAND = H.COMPANY, H.DEVICE, H.COMMAND

local state = 20240131
local function random(n)
  state = state * 6364136223846793005 + 1442695040888963407
  return (state >> 33) % n + 1
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
    error(("%s %s\nexpected: %s\n          %s\ngot:      %s\n          %s"):format(endpoint.name, shown(args),
      expected,
      expected_body, told(faults), body), 2)
  end
  return expected == ""
end

describe("generated values are judged as the rows say:", function()
  local GOOD = {
    register = { companyCode = COMPANY, manuId = 1, deviceNo = "1", userNo = "1", userName = "a",
      userAddress = "b",
                 syncFlag = 0 },
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
  local endpoints, commands = {}, {}
  for _, endpoint in ipairs(contract.endpoints) do endpoints[endpoint.name] = endpoint end
  for _, command in ipairs(contract.commands) do commands[command.id] = command end

  local function fields_of(endpoint)
    local list = {}
    for _, row in ipairs(endpoint.query.fields) do list[#list + 1] = row end
    for _, row in ipairs(endpoint.fields and endpoint.fields.fields or { endpoint.list }) do
      if row.name ~= "command" then list[#list + 1] = row end
    end
    return list
  end

  for name, endpoint in pairs(endpoints) do
    it("each argument of " .. name, function()
      local passed, refused = 0, 0
      for _, row in ipairs(fields_of(endpoint)) do
        for _, value in ipairs(model.candidates(row)) do
          local ok = compare(endpoint, copy(GOOD[name], { [row.name] = value }), name == "creatCmd"
            and commands.ACCOUNT_CANCEL)
          passed, refused = passed + (ok and 1 or 0), refused + (ok and 0 or 1)
        end
      end
      assert.is_true(passed > 0 and refused > passed)
    end)
  end

  for id, command in pairs(commands) do
    local function send(paras) return compare(endpoints.creatCmd, command_call(command.method, paras),
      command) end

    it("each parameter of " .. id, function()
      local passed, refused = 0, 0
      for _, row in ipairs(command.params.fields) do
        for _, value in ipairs(model.candidates(row)) do
          local ok = send(copy(VALID[id], { [row.name] = value }))
          passed, refused = passed + (ok and 1 or 0), refused + (ok and 0 or 1)
        end
        if row.name ~= command.told_by then send(copy(VALID[id], { [row.name] = "nil" })) end
      end
      assert.is_true(#command.params.fields == 0 or (passed > 0 and refused > passed))
    end)

    it("several changes at once of " .. id, function()
      local fields, values = command.params.fields, {}
      for i, row in ipairs(fields) do values[i] = model.candidates(row) end
      local tiers = { 0, 1, 2, 100, 100, 200 }
      for round = 1, 500 do
        local paras = copy(VALID[id])
        for _ = 1, #fields > 0 and random(3) or 0 do
          local i = random(#fields)
          local name, dice = fields[i].name, random(10)
          if name:find "^ladderGas" and dice > 3 or name:find "^price%u%l+e?$"
            and fields[i].type == "decimal" and dice > 3 then
            paras[name] = tiers[random(#tiers)] % 31 -- good values, so that the rules are reached
          elseif dice > 1 or name == command.told_by then
            paras[name] = values[i][random(#values[i])]
          else
            paras[name] = nil
          end
        end
        if round % 10 == 0 then paras["more" .. random(3)] = 1 end
        send(paras)
      end
    end)
  end
end)
