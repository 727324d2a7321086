-- The queues of commands, one per device, and the states of a command (A20):
-- 0 waiting, 4 being sent, then 1 succeeded, 2 failed; 3 expired, 5 cancelled.
-- A meter wakes some time after the first command came in, or when it reports next
-- (at_reports), takes the waiting ones one after the other, and sleeps again. A device may be asleep for longer
-- (device.asleep, seconds), answer late (device.late, ms) or never (device.mute).

local registry = require "xfiot.sandbox.device"

local WAITING <const>, SUCCEEDED <const>, FAILED <const> = 0, 1, 2
local EXPIRED <const>, SENDING <const>, CANCELLED <const> = 3, 4, 5

local Queue = {}
Queue.__index = Queue
Queue.__name = "xfiot.sandbox.queue"

local function is_open(command)
  return command.state == WAITING or command.state == SENDING
end

local function change(command, state, time)
  command.state, command.updated = state, time
end

-- The state as of now: a command whose time is up is void, whoever looks first.
local function settle(command, now)
  if is_open(command) and now >= command.expires then change(command, EXPIRED, command.expires) end
end

-- The first command of a device that is still to be done. What is done with is
-- dropped from the queue on the way.
local function first_open(device, now)
  local line = device.line
  while line and line[1] do
    settle(line[1], now)
    if is_open(line[1]) then return line[1] end
    table.remove(line, 1)
  end
  device.line = nil
  return nil
end

local wake

local function sleep_until_next(self, device)
  device.awake = true
  local time = self.clock:now() + self.wake
  if self.at_reports and device.next_report then time = math.max(time, device.next_report * 1000) end
  self.clock:at(time, wake, { self, device })
end

local function is_asleep(self, device)
  return device.asleep ~= nil and self.clock:seconds() < device.asleep
end

-- The platform gets the meter's answer. One that comes after the command's end changes
-- nothing any more, but is passed on like any other: the meter has done it.
local function arrive(self, device, command, answer)
  settle(command, self.clock:now())
  command.answer = answer
  if is_open(command) then
    command.result = answer
    change(command, SUCCEEDED, self.clock:now())
  end
  self.answered(device, command)
end

local function carry_out(self, device, command)
  local answer = self.execute(device, command)
  if device.late then
    self.clock:after(device.late, function() arrive(self, device, command, answer) end)
  elseif not device.mute and not self.faults:next("answer") then
    arrive(self, device, command, answer)
  end
end

-- Takes the meter's answer; what stays unanswered is sent again the next time
-- it wakes, as often as expireCount allows.
local function finish(job)
  local self, device, command = job[1], job[2], job[3]
  local now = self.clock:now()
  settle(command, now)
  if command.state == SENDING then
    if job.failed then
      change(command, FAILED, now)
    elseif not job.lost then
      carry_out(self, device, command)
    end
    if command.state == SENDING and command.tries == 0 then change(command, EXPIRED, now) end
    if command.state == SENDING then return sleep_until_next(self, device) end
  end
  return wake { self, device }
end

local function send(self, device, command)
  local fault = self.faults:next("send")
  command.tries = command.tries - 1
  change(command, SENDING, self.clock:now())
  self.clock:after(self.air, finish, {
    self, device, command,
    lost = fault and fault.kind == "lost",
    failed = fault and fault.kind == "failed",
  })
end

function wake(job)
  local self, device = job[1], job[2]
  if is_asleep(self, device) then return self.clock:at(device.asleep * 1000, wake, job) end
  -- A deregistered device is not spoken to; its commands wait for their end.
  local command = device.state ~= registry.GONE and first_open(device, self.clock:now())
  if command then return send(self, device, command) end
  device.awake = nil
end

--- Puts a command in its device's queue.
---@param device table
---@param command { method: string, variant: string, paras: table, expire_time: integer,
---  expire_count: integer }
---@return table command with its id
function Queue:add(device, command)
  local now = self.clock:now()
  command.id = self.random:next_id()
  command.device = device
  command.place = self.random.count
  command.expires = now + command.expire_time * 1000
  command.tries = command.expire_count
  change(command, WAITING, now)
  self.by_id[command.id] = command
  device.line = device.line or {}
  table.insert(device.line, command)
  if not device.awake then sleep_until_next(self, device) end
  return command
end

--- A command by its id, in the state it is in now; nil if there is none, or it is another device's.
---@param id string
---@param device table?
---@return table? command
function Queue:find(id, device)
  local command = self.by_id[id]
  if not command or (device and command.device ~= device) then return nil end
  settle(command, self.clock:now())
  return command
end

--- Cancels a command; only one that waits can be.
---@param command table
---@return boolean
function Queue:cancel(command)
  settle(command, self.clock:now())
  if command.state ~= WAITING then return false end
  change(command, CANCELLED, self.clock:now())
  return true
end

--- Takes a command that was read back from a file; in the order of their places.
---@param command table
function Queue:restore(command)
  self.by_id[command.id] = command
  if not is_open(command) then return end
  local device = command.device
  device.line = device.line or {}
  table.insert(device.line, command)
end

--- Goes on with a device that was read back from a file.
---@param device table
function Queue:resume(device)
  if device.line and not device.awake then sleep_until_next(self, device) end
end

--- How many commands of a device are still to be done.
---@param device table
---@return integer
function Queue:waiting(device)
  local count = 0
  for _, command in ipairs(device.line or {}) do
    settle(command, self.clock:now())
    if is_open(command) then count = count + 1 end
  end
  return count
end

--- `execute(device, command)` lets the meter do it and returns its result;
--- `answered(device, command)` is told when the platform has the result.
---@param options { clock: table, random: table, faults: table, wake: integer, air: integer, at_reports: boolean,
---  execute: fun(device: table, command: table): table, answered: fun(device: table, command: table) }
local function new(options)
  local self = setmetatable({ by_id = {} }, Queue)
  for key, value in pairs(options) do self[key] = value end
  return self
end

return {
  new = new,
  WAITING = WAITING,
  SENDING = SENDING,
  SUCCEEDED = SUCCEEDED,
  FAILED = FAILED,
  EXPIRED = EXPIRED,
  CANCELLED = CANCELLED,
}
