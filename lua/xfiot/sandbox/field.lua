-- Where platform and meters meet: a meter carries out a command and reports,
-- and what it says is kept, written down and pushed.

local meter = require "xfiot.sandbox.meter"
local registry = require "xfiot.sandbox.device"
local report = require "xfiot.sandbox.report"

local Field = {}
Field.__index = Field
Field.__name = "xfiot.sandbox.field"

--- The device reports now.
---@param device table
function Field:report(device)
  device.reported = self.clock:seconds()
  if self.push.reports then
    self.push:report(report.business(device, device.reported, self.random))
  end
end

local function raise_alarm(self, device, code)
  device.alarm = { code = code, at = self.clock:seconds() }
  if self.push.reports then self.push:report(report.alarm(device, device.alarm)) end
end

-- A delayed price has come into force: the meter says so.
local function price_due(job)
  local self, device, scheme = job[1], job[2], job[3]
  local m = device.meter
  if m.delayed == scheme or m.scheme == scheme then self:report(device) end
end

-- The amount a command moves, as text, or nil.
local function amount_of(paras)
  return paras.rechargeValue and meter.amount_text(paras.rechargeValue)
end

--- The device's meter carries out a command. The platform may send one twice when
--- an answer was lost; the meter does it once and answers again.
---@param device table
---@param command table
---@return table result
function Field:execute(device, command)
  local m = device.meter
  if m.done == command.id then return m.answer end
  local alarms = {}
  local result = meter.execute(m, command.variant, command.paras, {
    now = self.clock:seconds(),
    refuse_repeats = self.refuse_repeats,
    alarm = function(code) alarms[#alarms + 1] = code end,
  })
  m.done, m.answer = command.id, result
  self.ledger:write {
    device_no = device.number,
    command_id = command.id,
    method = command.method,
    bill_no = command.paras.billNo,
    amount = amount_of(command.paras),
    at = self.clock:text(),
    result = result.commandResult,
  }
  local outcome = result.commandResult == "0" and "done" or "refused"
  self.log(("%s %s %s"):format(device.number, command.method, outcome))
  if m.delayed and not m.delayed.awaited then
    m.delayed.awaited = true
    self.clock:at(m.delayed.from * 1000, price_due, { self, device, m.delayed })
  end
  -- After the platform has pushed the response, if it got it.
  self.clock:after(0, function()
    for _, code in ipairs(alarms) do raise_alarm(self, device, code) end
    self:report(device)
  end)
  return result
end

--- The platform has a command's result.
---@param device table
---@param command table
function Field:answered(device, command)
  if self.push.responses then self.push:response(report.response(device, command, self.clock:seconds())) end
end

--- A device was registered: it reports for the first time when it wakes.
---@param device table
function Field:registered(device)
  self.clock:after(self.wake, function()
    if device.state == registry.REGISTERED and not device.reported then self:report(device) end
  end)
end

---@param options { clock: table, random: table, push: table, ledger: table, wake: integer,
---  refuse_repeats: boolean, log: fun(line: string) }
local function new(options)
  local self = setmetatable({}, Field)
  for key, value in pairs(options) do self[key] = value end
  return self
end

return { new = new }
