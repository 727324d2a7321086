-- What the specs of the worker share: a worker in this process on a sandbox's
-- journal, pushes laid into that, and what its handlers were given.

local V = require "spec.verbs_helper"
local helper = require "spec.helper"
local core = require "xfiot.core"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"
local worker = require "xfiot.worker"

local W = {}

local Seen = "spec.worker_seen" -- handlers reach what they report to by this name

local function copy(t, changes)
  local out = {}
  for name, value in pairs(t) do out[name] = value end
  for name, value in pairs(changes or {}) do out[name] = value end
  return out
end

-- A device's id by a short name: "a" is aaaa...
function W.id(name) return (name:rep(32):sub(1, 32)) end

function W.report(device, changes)
  return copy({
    callbackType = "0", msgDeviceType = "0", deviceId = W.id(device), receiveTime = "20260101000000",
    callbackData = { meterNo = "1", commType = "1", chargeType = "2", meterType = "0", reportType = "0",
                     data = core.array { { serviceId = "SignalInfo", serviceData = { signalCSQ = "20" } } } },
  }, changes)
end

function W.alarm(device, changes)
  local message = W.report(device, changes)
  message.callbackData.reportType = "99"
  message.callbackData.data = core.array { { serviceId = "WarnDataInfo", serviceData = { warnEvents = core.array {
    { warnDate = "20260101000000", warnType = "0006H", warnState = "1" } } } } }
  return message
end

function W.response(device, changes)
  return copy({
    callbackType = "1", msgDeviceType = "0", deviceId = W.id(device), commandId = W.id "c",
    receiveTime = "20260101000000", callbackData = { commandResult = "0" },
  }, changes)
end

local Box = {}
Box.__index = Box
Box.__close = function(self)
  self.book:close()
  self.platform.sandbox:close()
  package.loaded[Seen] = nil
end

-- options: handlers (text of the file), settings; others as V.open takes them.
function W.open(options)
  local platform = V.open(options)
  platform.client = platform:another(options.settings)
  local box = setmetatable({ platform = platform, client = platform.client, seen = {}, log = {}, count = 0 }, Box)
  box.book = journal.open(platform.journal)
  package.loaded[Seen] = box.seen
  if options.handlers then
    box.path = helper.write(helper.tmpdir() .. "/HANDLERS.lua",
      ("local seen = package.loaded[%q]\n"):format(Seen) .. options.handlers)
  end
  return box
end

-- Lays a push with these messages (or a body as text) into the journal; its id.
function Box:push(messages, arrival)
  self.count = self.count + 1
  local body = type(messages) == "string" and messages or core.encode(core.array(messages))
  local outcome, id = self.book.file:push_admit(copy({
    kind = "report", trans_id = ("2026010100000080%06d"):format(self.count), headers = "", body = body, at = core.now(),
  }, arrival))
  assert(outcome, id)
  return id
end

function Box:find(id) return self.book:read("push_find", id) end

-- Runs a worker while script(worker) runs; it is stopped at the end of that.
function Box:work(script, more)
  local w = worker.new {
    client = self.client, path = self.path, duty_every = more and more.duty_every or 0.02,
    channel = more and more.channel,
    log = function(event, fields) self.log[#self.log + 1] = { event = event, fields = fields or {} } end,
  }
  local failure
  loop.spawn(function()
    local ok, why = xpcall(script, debug.traceback, w)
    if not ok then failure = why end
    w:stop()
  end)
  local ok, err = pcall(w.run, w)
  w.journal:close()
  if failure then error(failure, 0) end
  if not ok then error(err, 0) end
  return w
end

-- Waits until a condition holds (within a script).
function Box:await(condition, what)
  local deadline = core.clock() + 20
  while not condition() do
    if core.clock() > deadline then
      local lines = {}
      for i, line in ipairs(self.log) do lines[i] = line.event .. " " .. core.encode(line.fields) end
      error("it never came to that: " .. (what or "") .. "\n" .. table.concat(lines, "\n"), 2)
    end
    loop.sleep(0.01)
  end
end

-- Runs a worker until no push waits any more.
function Box:settle(more)
  return self:work(function()
    self:await(function() return #self.book:read("push_due", 1 << 62) == 0 end, "pushes wait")
  end, more)
end

-- How often an event was logged; the fields of the last one.
function Box:logged(event)
  local count, last = 0, nil
  for _, line in ipairs(self.log) do
    if line.event == event then count, last = count + 1, line.fields end
  end
  return count, last
end

return W
