-- What the specs of the sandbox share: a sandbox whose time stands still, and a
-- caller that signs like a client but sends whatever it is told to.

require "spec.helper"
local core = require "xfiot.core"
local document = require "spec.sandbox_document"
local loop = require "xfiot.loop"
local sandbox = require "xfiot.sandbox"

local H = {}

H.START = "20260101000000"
H.MONEY, H.MONEY_2 = "30010000000001", "30010000000002"
H.GAS, H.BACKEND, H.COMMERCIAL = "30020000000001", "30030000000001", "30050000000001"

-- Each endpoint: method, path, what of the arguments goes into the query.
H.ENDPOINTS = {
  register = { "POST", "devices/v1.0.0/register", "companyCode" },
  update = { "PUT", "devices/v1.0.0/update", "deviceId" },
  query = { "GET", "devices/v1.0.0/query", "companyCode deviceNo", no_body = true },
  cancel = { "PUT", "devices/v1.0.0/cancel", "deviceId", no_body = true },
  authDevices = { "POST", "devices/v1.0.0/authDevices", "companyCode" },
  creatCmd = { "POST", "cmd/v1.0.0/creatCmd", "deviceId" },
  queryCmd = { "GET", "cmd/v1.0.0/queryCmd", "deviceId commandId", no_body = true },
  batchQueryCmd = { "POST", "cmd/v1.0.0/batchQueryCmd", "companyCode", list = "commandIds" },
  cancelCmd = { "PUT", "cmd/v1.0.0/cancelCmd", "deviceId commandId", no_body = true },
  queryReportData = { "GET", "msg/v1.0.0/queryReportData", "deviceId msgType", no_body = true },
}

-- PRICE_CHANGE's parameters: three tiers, in force since the start of 2025.
function H.tariff(changes)
  local paras = {
    priceOne = 3.28, ladderGasOne = 300, priceTwo = 3.88, ladderGasTwo = 420, priceThree = 4.77,
    ladderGasThree = 420, priceFour = 4.77, ladderGasFour = 420, priceFive = 4.77,
    gasType = 1, priceVer = 1, pricePeriod = 12, priceTime = "20250101000000",
    ladderTime = "20250101000000", clearMark = 1,
  }
  for name, value in pairs(changes or {}) do paras[name] = value end
  return paras
end

-- ACCOUNT_OPEN's parameters for money.
function H.opening(changes)
  local paras = H.tariff { prepaidType = 0, billNo = 1, rechargeValue = 100.5, cardNo = "0000000001" }
  for name, value in pairs(changes or {}) do paras[name] = value end
  return paras
end

local function copy(t)
  local out = {}
  for k, v in pairs(t) do out[k] = v end
  return out
end

local Box = {}
Box.__index = Box
Box.__close = function(self) self.sandbox:close() end

-- A sandbox with a caller. Close it with <close>.
function H.open(options)
  local all = { start = H.START, speed = 0 }
  for name, value in pairs(options or {}) do all[name] = value end
  local box = setmetatable({ sandbox = sandbox.new(all), signer = core.signer { example = true } }, Box)
  box.transport = assert(core.transport { base_url = box.sandbox:url(), allow_http = true, timeout = 10 })
  return box
end

-- Any request, signed unless headers say otherwise. Returns the raw reply.
function Box:send(method, target, body, headers)
  local trans_id, token = self.signer:sign()
  headers = headers or { "RandomCode: " .. trans_id, "Authorization: " .. token }
  if body then headers[#headers + 1] = "Content-Type: application/json" end
  return loop.fetch(self.transport, { method = method, target = target, body = body, headers = headers })
end

local function escape(text)
  return (tostring(text):gsub("[^%w%-_.]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- A call with flat arguments. Returns the code, the result as the client reads
-- it (checked against the rows), and the envelope as it is on the wire.
function Box:call(endpoint, args)
  local e, body, query = H.ENDPOINTS[endpoint], copy(args), {}
  if e[3]:find("companyCode", 1, true) and body.companyCode == nil then body.companyCode = "000000" end
  for name in e[3]:gmatch("%a+") do
    if body[name] then query[#query + 1] = name .. "=" .. escape(body[name]) end
    body[name] = nil
  end
  if e.list then body = core.array(body[e.list]) end
  local target = "/iotcloud/app/" .. e[2] .. "?" .. table.concat(query, "&")
  local reply = self:send(e[1], target, not e.no_body and core.encode(body) or nil)
  assert(reply.status == 200, "status " .. tostring(reply.status) .. " " .. tostring(reply.body))
  local typed = assert(core.read_reply(endpoint, reply.body))
  return typed.code, typed.result, core.decode(reply.body)
end

function Box:id(device_no)
  return self.sandbox:device(device_no).deviceId
end

-- Sends a command to a device. Returns code and command id.
function Box:command(device_no, method, paras, extra)
  local args = { deviceId = self:id(device_no), command = { method = method, paras = paras } }
  for name, value in pairs(extra or {}) do args[name] = value end
  return self:call("creatCmd", args)
end

function Box:state(device_no, command_id)
  local code, result = self:call("queryCmd", { deviceId = self:id(device_no), commandId = command_id })
  assert(code == "100000", code)
  return result.commandState, result
end

-- Sends a command, lets the meter do it. Returns resultDetail as on the wire.
function Box:run(device_no, method, paras)
  local code, id = self:command(device_no, method, paras)
  assert(code == "100000", code)
  self.sandbox:advance(10)
  local _, _, envelope = self:call("queryCmd", { deviceId = self:id(device_no), commandId = id })
  assert(envelope.result.commandState == 1, "state " .. envelope.result.commandState)
  return envelope.result.resultDetail
end

-- The services of the latest report, by name.
function Box:services(device_no)
  local code, _, envelope = self:call("queryReportData", { deviceId = self:id(device_no), msgType = "0" })
  assert(code == "100000", code)
  local services = {}
  for _, item in ipairs(envelope.result.callbackData.data) do services[item.serviceId] = item.serviceData end
  return services, envelope.result
end

-- A sandbox whose pushes are kept: bodies in order, and messages by device number. Each
-- is checked against the contract's rows, and against the document where that is there.
function H.living(options)
  local bodies, by_number = {}, {}
  local paper = document()
  options.tap = function(name, body)
    bodies[#bodies + 1] = body
    if paper then paper:check(name, body) end
    if name ~= "report" then return end
    for _, entry in ipairs(assert(core.read_messages("report", body))) do
      assert(entry.faults == nil and entry.notes == nil, body)
      local number = entry.message.callbackData.meterNo
      by_number[number] = by_number[number] or {}
      table.insert(by_number[number], entry.message)
    end
  end
  return H.open(options), bodies, by_number
end

-- The services of a message: their names in one text, and each by its name.
function H.services_of(message)
  local names, by_name = {}, {}
  for i, item in ipairs(message.callbackData.data) do
    names[i], by_name[item.serviceId] = item.serviceId, item.serviceData
  end
  return table.concat(names, " "), by_name
end

-- A receiver of pushes: requests as they came, answered with `status`.
function H.receiver(status)
  local listener = assert(core.listener { port = 0 })
  local receiver = { got = {}, status = status or 200 }
  local turn = loop.on_turn(function()
    for request in function() return listener:take() end do
      receiver.got[#receiver.got + 1] = request
      listener:answer(request.id, { status = receiver.status, body = "" })
    end
  end)
  function receiver.url(path) return ("http://127.0.0.1:%d%s"):format(listener:port(), path) end
  function receiver.wait(count) loop.run(function() return #receiver.got >= count end) end
  return setmetatable(receiver, { __close = function()
    loop.off_turn(turn)
    listener:close()
  end })
end

return H
