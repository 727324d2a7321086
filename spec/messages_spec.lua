-- The messages of a push's body: what is typed, what is a fault of one message
-- alone, and what is unusual and kept.
local H = require "spec.helper"
local core = require "xfiot.core"

local function example(name)
  local file = assert(io.open(H.root .. "/spec/contract/examples/push." .. name .. ".request.json", "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- The example's one message with members changed (core.null takes one out), as a body.
local function changed(name, changes)
  local list = core.decode(example(name))
  for path, value in pairs(changes) do
    local place, last = list[1], nil
    for step in path:gmatch "[^.]+" do
      if last then place = place[last] end
      last = math.tointeger(tonumber(step)) or step
    end
    if value == core.null then value = nil end
    place[last] = value
  end
  return core.encode(core.array(list))
end

local KINDS = { reportData = "report", commandResponse = "response" }

local function read_one(name, changes)
  local list = assert(core.read_messages(KINDS[name], changed(name, changes or {})))
  assert.equal(1, #list)
  return list[1]
end

describe("a message of a push", function()
  it("is typed, and the document's own examples have nothing unusual", function()
    for name, kind in pairs(KINDS) do
      local entry = read_one(name)
      assert.same({ kind, nil, nil }, { entry.kind, entry.faults, entry.notes })
    end
    assert.equal(0, read_one("commandResponse").message.callbackData.commandResult)
  end)

  -- what is changed; the note it leaves
  local notes = {
    { "reportData", { surprise = 1 }, "surprise is not in the document" },
    { "reportData", { ["callbackData.surprise"] = "x" }, "callbackData.surprise is not in the document" },
    { "reportData", { ["callbackData.data.1.serviceData.surprise"] = "x" },
      "callbackData.data[1].serviceData.surprise is not in the document" },
    { "reportData", { ["callbackData.data.1.serviceId"] = "NewInfo" },
      "callbackData.data[1].serviceId has a value that the document does not have" },
    { "reportData", { ["callbackData.meterType"] = "9" },
      "callbackData.meterType has a value that the document does not have" },
    { "commandResponse", { msgDeviceType = "7" }, "msgDeviceType has a value that the document does not have" },
    { "commandResponse", { ["callbackData.commandResult"] = true },
      "callbackData.commandResult has a value that the document does not have" },
    { "commandResponse", { ["callbackData.commandResult"] = "ok" },
      "callbackData.commandResult has a value that the document does not have" },
    { "commandResponse", { ["\7"] = "7" }, "(key that is no plain text) is not in the document" },
  }
  for _, row in ipairs(notes) do
    it("keeps and notes: " .. row[3], function()
      local entry = read_one(row[1], row[2])
      assert.is_nil(entry.faults)
      assert.same({ row[3] }, entry.notes)
    end)
  end

  it("of a command's response may hold whatever its command answers", function()
    local entry = read_one("commandResponse", { ["callbackData.billNo"] = 12, ["callbackData.surplusValue"] = "1.00" })
    assert.is_nil(entry.notes)
    assert.equal("12", entry.message.callbackData.billNo)
  end)

  -- what is changed; the path that is at fault
  local faults = {
    { "reportData", { deviceId = core.null }, "deviceId" },
    { "reportData", { deviceId = "short" }, "deviceId" },
    { "reportData", { receiveTime = core.null }, "receiveTime" },
    { "reportData", { ["callbackData.data"] = "x" }, "callbackData.data" },
    { "commandResponse", { commandId = core.null }, "commandId" },
    { "commandResponse", { callbackData = "x" }, "callbackData" },
  }
  for _, row in ipairs(faults) do
    it("is at fault when " .. row[3] .. " is " .. tostring(row[2][row[3]]), function()
      local entry = read_one(row[1], row[2])
      assert.equal(row[3], entry.faults[1].path)
      assert.matches("%S", entry.faults[1].rule_zh)
    end)
  end

  it("says itself what it is, whatever path it came on", function()
    assert.equal("response", core.read_messages("report", example "commandResponse")[1].kind)
    assert.equal("report", core.read_messages("response", example "reportData")[1].kind)
    assert.equal("report", core.read_messages("report", changed("reportData", { callbackType = core.null }))[1].kind)
  end)

  it("takes nothing from its neighbours by being wrong", function()
    local good = example("commandResponse"):match "^%s*%[(.*)%]%s*$"
    local list = core.read_messages("response", "[5," .. good .. ",null,[],\"\"]")
    local states = {}
    for i, entry in ipairs(list) do states[i] = entry.faults == nil end
    assert.same({ false, true, false, false, false }, states)
  end)

  it("is not there in an empty list", function()
    assert.same({}, core.read_messages("report", "[]"))
  end)
end)

describe("a body", function()
  for _, body in ipairs { "{}", "5", '"x"', "", "[", "[1]]", '[{"a":1,}]', "\0" } do
    it(("is no list of messages: %q"):format(body), function()
      local list, why = core.read_messages("report", body)
      assert.is_nil(list)
      assert.matches("^%l.*%l$", why)
    end)
  end

  it("with more surprises than anybody reads is noted as far as is useful", function()
    local message = core.decode(example "commandResponse")[1]
    for i = 1, 1000 do message["surprise" .. i] = i end
    local entry = core.read_messages("response", core.encode(core.array { message }))[1]
    assert.is_nil(entry.faults)
    assert.equal(20, #entry.notes)
  end)
end)
