-- Where platform and meters meet: meters wake, report, warn and carry out commands, and
-- what they say is kept, written down and pushed.
--
-- A meter stands still between two things that happen to it: its next report, the
-- instant at which its credit runs out, a delayed price, a command. So what a report
-- says can be read off the meter until the next thing happens (see keep).

local account = require "xfiot.sandbox.account"
local calendar = require "xfiot.sandbox.calendar"
local gauge = require "xfiot.sandbox.gauge"
local kind = require "xfiot.sandbox.kind"
local lasting = require "xfiot.sandbox.lasting"
local meter = require "xfiot.sandbox.meter"
local profile = require "xfiot.sandbox.profile"
local registry = require "xfiot.sandbox.device"
local rows = require "xfiot.sandbox.rows"
local valve = require "xfiot.sandbox.valve"
local warning = require "xfiot.sandbox.warning"

local Field = {}
Field.__index = Field
Field.__name = "xfiot.sandbox.field"

local DAY <const> = calendar.DAY

-- ---- what is said

--- The last report as it was, before the meter changes.
---@param device table
function Field:keep(device)
  if device.reported and not device.kept then device.kept = self:last_report(device) end
end

--- The latest report of a device, or nil.
---@param device table
---@return table?
function Field:last_report(device)
  if not device.reported then return nil end
  return device.kept or self.reports:business(device, device.reported, device.report_kind)
end

local function is_asleep(self, device)
  return device.asleep ~= nil and self.clock:seconds() < device.asleep
end

--- The device reports now, if it can. `by`: nil by itself, "1" by key.
---@param device table
---@param by string?
function Field:report(device, by)
  if device.state ~= registry.REGISTERED or is_asleep(self, device) then return end
  local m, now = device.meter, self.clock:seconds()
  m.told_at = device.reported
  device.reported, device.report_kind, device.kept, m.renewed = now, by, nil, nil
  if self.push:wants_reports() then self.push:report(self:last_report(device)) end
  if self.log_reports then self.log(("%s reports"):format(device.number)) end
end

-- A warning of the device goes out; of one that is not registered nobody hears.
local function warn(self, device, row)
  if device.state ~= registry.REGISTERED then return end
  local code, state, now = row[1], row[2], self.clock:seconds()
  device.alarm = { code = code, at = row[3] or now, state = state, received = row[3] and now }
  if self.push:wants_reports() then self.push:report(self.reports:alarm(device, device.alarm)) end
  local label = rows.alarm(code).label
  self.log(("%s warns %s %s (%s)%s"):format(device.number, code, label.zh, label.en, state == "0" and ", over" or ""))
end

-- A function that collects warnings, and the list of them.
local function collector()
  local list = {}
  return function(code, state) list[#list + 1] = { code, state } end, list
end

-- What a meter that is asleep warns of, it says when it wakes.
local function hold(self, device, list)
  device.untold = device.untold or {}
  for _, row in ipairs(list) do table.insert(device.untold, { row[1], row[2], self.clock:seconds() }) end
end

local function say(self, device, list)
  if list[1] and is_asleep(self, device) then return hold(self, device, list) end
  for _, row in ipairs(list) do warn(self, device, row) end
end

local function say_untold(self, device)
  local list = device.untold
  device.untold = nil
  if list then say(self, device, list) end
end

-- ---- the next thing

-- A meter's hour of the night: from two to six, drawn from its salt.
local function next_report(self, m, now)
  local rhythm = self.rhythm
  if rhythm == 0 then return nil end
  local slot = (7200 + (m.salt >> 12) % 14400 - 28800) % rhythm
  return now - (now - slot) % rhythm + rhythm
end

-- The first instant in (m.at, to] at which the meter is at its next warning, or nil.
local function crossing(self, m, to)
  if not (m.account and kind.is_prepaid(m.kind)) or not meter.is_open(m) then return nil end
  local at_most = warning.next(m, self.limits)
  if not at_most or m.balance <= at_most or m.balance - meter.most(m, to) > at_most then return nil end
  local scratch = self.scratch
  if meter.probe(m, to, scratch).balance > at_most then return nil end
  local low, high = m.at, to
  while high - low > 1 do
    local middle = (low + high) // 2
    if meter.probe(m, middle, scratch).balance <= at_most then
      high = middle
    else
      low = middle
    end
  end
  return high
end

--- Decides when something happens to the device next.
---@param device table
function Field:plan(device)
  local m, now = device.meter, self.clock:seconds()
  if device.state ~= registry.REGISTERED then return end
  if not device.next_report or device.next_report <= now then device.next_report = next_report(self, m, now) end
  local at = device.next_report
  if m.delayed and (not at or m.delayed.from < at) then at = m.delayed.from end
  -- One that never reports is looked at now and then all the same.
  if not at and m.account then at = now + 30 * DAY end
  at = at and crossing(self, m, at) or at
  if not device.item then device.item = self.clock:item(self.live, device) end
  self.clock:set(device.item, at and at * 1000)
end

-- ---- living

local function check_credit(self, device, told)
  local m = device.meter
  if not (m.account and kind.is_prepaid(m.kind)) then return end
  warning.tell(m, self.limits, told)
  if warning.is_overdrawn(m, self.limits) then valve.lack(m, told) end
  if self.cards and m.warned and not device.buying then
    local hours = self.random:between(("card %s %d"):format(device.number, m.buys), 1, 72)
    device.buying = self.clock:now() + hours * 3600000
    self.clock:at(device.buying, self.buy, device)
  end
end

-- What a meter looks at once a report: battery, days without gas, a flow that never ends.
local function check_health(self, device, told)
  local m, now = device.meter, self.clock:seconds()
  if m.valve == valve.OPEN and meter.is_open(m) and not m.stuck and now - m.gas_at >= self.idle then
    valve.lock(m, told)
  elseif m.locked and meter.day_gas(m, calendar.day(now)) > 0 then
    valve.press(m, told)
    m.gas_at = now
  end
  local millivolts = meter.voltage(m, now)
  if millivolts < 5000 and not m.tired then
    m.tired = true
    lasting.tell(m, told, "0007H", "1")
  end
  if millivolts < 4500 and not m.flat then
    m.flat = true
    lasting.tell(m, told, "0004H", "1")
  end
  if profile.drips(meter.profile(m)) and not m.dripping and meter.is_open(m) and now - m.born >= DAY then
    m.dripping = true
    lasting.tell(m, told, "0013H", "1")
  end
end

local function check_gauges(m, now, told)
  if gauge.watches(m) then gauge.check(m, now, told) end
end

-- Something is due: a report, a warning, a new price.
local function live(self, device)
  if device.state ~= registry.REGISTERED then return end
  local m, now = device.meter, self.clock:seconds()
  local asleep = is_asleep(self, device)
  if asleep then
    device.next_report, m.lost = device.asleep, true
  elseif device.untold then
    say_untold(self, device)
  end
  local is_report = device.next_report and now >= device.next_report
  if not is_report then self:keep(device) end
  meter.settle(m, now)
  local told, list = self.told, self.told_list
  check_credit(self, device, told)
  if is_report and kind.traits(m.kind).meter ~= "2" then check_health(self, device, told) end
  if list[1] then
    check_gauges(m, now, told) -- the valve may have turned
    say(self, device, list)
    for i = #list, 1, -1 do list[i] = nil end
  end
  if is_report or m.renewed then self:report(device) end
  self:plan(device)
end

--- Brings a device up to now, lets `change(meter, told)` change it, and says what it warns of.
---@param device table
---@param change fun(m: table, told: fun(code: string, state: string))
function Field:alter(device, change)
  self:keep(device)
  meter.settle(device.meter, self.clock:seconds())
  local told, list = collector()
  change(device.meter, told)
  check_gauges(device.meter, self.clock:seconds(), told)
  say(self, device, list)
  self:plan(device)
end

--- An hour begins at which the device's flow, temperature or pressure may pass a limit.
---@param device table
function Field:look(device)
  local m = device.meter
  if device.state ~= registry.REGISTERED or gauge.due(m, self.clock:seconds()) == (m.beyond or 0) then return end
  self:alter(device, function() end)
end

--- The customer buys with the card, at the meter.
---@param device table
---@param value integer thousandths of a yuan or of a cubic metre
---@return boolean done
function Field:purchase(device, value)
  local done = false
  self:alter(device, function(m, told)
    done = kind.is_prepaid(m.kind) and account.buy(m, value)
    if not done then return end
    warning.calm(m, self.limits, told)
    valve.refill(m, told)
  end)
  if done then
    self.ledger:write {
      device_no = device.number, command_id = "", method = "CARD", amount = meter.amount_text(value),
      at = self.clock:text(), result = "0",
    }
  end
  return done
end

--- Somebody presses the button: the meter opens if it was locked, and reports.
---@param device table
function Field:press(device)
  self:alter(device, function(m, told) valve.press(m, told) end)
  self:report(device, "1")
end

-- ---- commands

-- The amount a command moves, as text, or nil.
local function amount_of(paras)
  return paras.rechargeValue and meter.amount_text(paras.rechargeValue)
end

local function write_down(self, device, command, result)
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
end

--- The device's meter carries out a command. The platform may send one twice when
--- an answer was lost; the meter does it once and answers again.
---@param device table
---@param command table
---@return table result
function Field:execute(device, command)
  local m = device.meter
  if m.done == command.id then return m.answer end
  self:keep(device)
  meter.settle(m, self.clock:seconds())
  local told, list = collector()
  local result = meter.execute(m, command.variant, command.paras, {
    now = self.clock:seconds(), refuse_repeats = self.refuse_repeats, schemes = self.schemes, told = told,
    deducts = self.switches.C43 == "deduction",
    overdrawn = function(each) return kind.is_prepaid(each.kind) and warning.is_overdrawn(each, self.limits) end,
  })
  if m.account and kind.is_prepaid(m.kind) then
    warning.calm(m, self.limits, told)
    valve.refill(m, told)
    if (command.paras.rechargeValue or 0) < 0 and result.commandResult == "0" then
      check_credit(self, device, told)
    end
  end
  check_gauges(m, self.clock:seconds(), told)
  m.done, m.answer = command.id, result
  write_down(self, device, command, result)
  self:plan(device)
  -- After the platform has pushed the response, if it got it.
  self.clock:after(0, function()
    say(self, device, list)
    self:report(device)
  end)
  return result
end

--- The platform has a command's result.
---@param device table
---@param command table
function Field:answered(device, command)
  if self.push:wants_responses() then
    self.push:response(self.reports:response(device, command, self.clock:seconds()))
  end
end

--- A device was registered: it reports for the first time when it wakes.
---@param device table
function Field:registered(device)
  device.meter.gas_at = self.clock:seconds()
  self:plan(device)
  self.clock:after(self.wake, self.greet, device)
end

--- Goes on with a device that was read back from a file.
---@param device table
function Field:resume(device)
  self:plan(device)
  if not device.reported then self.clock:after(self.wake, self.greet, device) end
  if device.buying then self.clock:at(device.buying, self.buy, device) end
end

---@param options { clock: table, random: table, push: table, ledger: table, reports: table, schemes: table,
---  wake: integer, rhythm: integer, limits: { low: integer, overdraft: integer }, idle: integer, cards: boolean,
---  refuse_repeats: boolean, log_reports: boolean, log: fun(line: string) }
local function new(options)
  local self = setmetatable({ scratch = {} }, Field)
  for key, value in pairs(options) do self[key] = value end
  self.told, self.told_list = collector()
  self.live = function(device) live(self, device) end
  self.greet = function(device)
    if device.state ~= registry.REGISTERED or device.reported then return end
    meter.settle(device.meter, self.clock:seconds())
    if gauge.watches(device.meter) then self:alter(device, function() end) end
    self:report(device)
  end
  self.buy = function(device)
    device.buying = nil
    if device.state == registry.REGISTERED then self:purchase(device, self.random:between("purchase " .. device.number
      .. device.meter.buys, 1, 4) * 50000) end
  end
  return self
end

return { new = new }
