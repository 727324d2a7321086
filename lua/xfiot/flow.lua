--- What the script of a run works with: every call is a step that is remembered in
-- the journal under (run, number). A step that is remembered is not done again; one
-- that had begun goes on.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local remember = require "xfiot.remember"
local trace = require "xfiot.cli.trace"
local verbs = require "xfiot.verbs"

local flow = {}

local IN_PLACE = 60                        -- seconds of sleep for which a run is not put away
local FIRST_LOOK, LAST_LOOK = 15, 3600     -- seconds between two looks of a run that is put away
local SHARE = 10                           -- a look every tenth of the time it waits already
local NAME_MOST = 160                      -- bytes of arguments in a step's name

-- What a meter tells: remembered when it is told, since the script goes by it.
local TOLD = { device = true, device_id = true, register = true, report = true, alarms = true, kind = true,
               prepaid_type = true }

-- ---- steps

-- Takes a remembered step, or begins one; that of an order is on disk before the order
-- is. Returns the step; its state is done, failed or begun.
local function begin(run, name, handle, is_order)
  local step, line = run:enter(name)
  if step then
    if step.state == "failed" and step.again then
      step.state = "begun"
      run:later("run_step_change", { seq = run.seq, state = "begun" })
    end
    return step
  end
  step = { seq = run.seq, name = name, line = line, state = "begun", handle = handle, began_at = core.now() }
  run:later("run_step", { seq = run.seq, name = name, line = line, state = "begun", handle = handle })
  if is_order then run:write_first() else run:write() end
  return step
end

local function keep(name, value)
  local ok, json = pcall(remember.encode, value)
  if ok then return json end
  error(("%s: its result cannot be remembered: %s"):format(name, tostring(json)), 0)
end

local function done(run, json)
  run.last_json = json
  run:later("run_step_change", { seq = run.seq, state = "done", value = json })
end

-- Raises what a step raised, knowing where.
local function failed(run, cause, line)
  if cause == nil then cause = trace.NOTHING end
  run.last_failed = true
  if errors.is(cause) and not cause.at then cause.at = line end
  run:later("run_step_change", { seq = run.seq, state = "failed", value = remember.encode_error(cause, line) })
  error(cause, 0)
end

-- What a step that is over gave or raised.
local function result_of(run, step)
  if step.state == "done" then
    run.last_json = step.value
    return remember.decode(step.value)
  end
  local cause = remember.decode_error(step.value)
  run.last_failed = true
  if errors.is(cause) and not cause.at then cause.at = step.line end
  error(cause, 0)
end

-- A step without effect: its value is written with the next one.
local function told(run, name, fn)
  if run.inside then return fn() end
  local step, line = run:enter(name)
  if step and step.state == "failed" and step.again then
    step.state = "begun"
    run:later("run_step_change", { seq = run.seq, state = "begun" })
  elseif step and step.state ~= "begun" then
    return result_of(run, step)
  end
  local ok, value = pcall(fn)
  local json
  if ok then ok, json = pcall(keep, name, value) end
  if not ok then
    local cause = json or value
    run.last_failed = true
    if errors.is(cause) and not cause.at then cause.at = line end
    run:later(step and "run_step_change" or "run_step", { seq = run.seq, name = name, line = line, state = "failed",
      value = remember.encode_error(cause, line) })
    error(cause, 0)
  end
  run:later(step and "run_step_change" or "run_step", { seq = run.seq, name = name, line = line, state = "done",
    value = json })
  return remember.decode(json)
end

local function later_look(began_at)
  local now = core.now()
  return now + math.max(FIRST_LOOK, math.min(LAST_LOOK, (now - began_at) // SHARE))
end

-- ---- verbs

-- The arguments of a verb in a step's name: all, or what stands for them.
local function brief(run, args)
  if type(args) ~= "table" then return args == nil and "" or " " .. tostring(args) end
  local shown = {}
  for name, value in pairs(args) do
    if name ~= "wait" then shown[name] = value end
  end
  if next(shown) == nil then return "" end
  local ok, text = pcall(core.encode, shown)
  if not ok then return "" end -- the verb itself says what is wrong with them
  if #text <= NAME_MOST then return " " .. text end
  local order = type(args.order) == "string" and args.order .. " " or ""
  return " " .. order .. "#" .. run.journal:read("fingerprint", text):sub(1, 16)
end

-- The client that a plain verb works with: its command is sent once, and known again.
local function client_once(run, step)
  local client = run.client
  return setmetatable({
    creatCmd = function(_, args)
      if step.handle then return step.handle end
      local id, err = client:creatCmd(args)
      if id then
        step.handle = id
        run:later("run_step_change", { seq = run.seq, state = "begun", handle = id })
        run:write()
      end
      return id, err
    end,
  }, { __index = client })
end

local function patient(run, args)
  if not run.patience or type(args) ~= "table" or args.wait ~= nil then return args end
  local copy = { wait = run.patience }
  for name, value in pairs(args) do copy[name] = value end
  return copy
end

-- A meter that has not answered yet is waited for without a coroutine, unless the
-- script said how long it waits.
local function put_away(run, step, err, args)
  if not errors.is(err) or err.kind ~= "timeout" or err.sent ~= true then return end
  if type(args) == "table" and args.wait ~= nil then return end
  if not err.order and not err.command_id then return end
  run:stop {
    state = "waiting", error = err, order = err.order, wake_at = later_look(step.began_at),
    waiting_for = err.order and "order " .. err.order or "command " .. err.command_id,
  }
end

-- Within flow:step the step is what is remembered; of its orders only which they were.
local function note_order(run, name)
  local step = run.inside
  step.orders = step.orders or remember.decode(step.handle) or {}
  step.inner = (step.inner or 0) + 1
  local known = step.orders[step.inner]
  if known == nil then
    step.orders[step.inner] = name
    run:later("run_step_change", { seq = run.seq, state = "begun", handle = core.encode(core.array(step.orders)) })
    run:write()
  elseif known ~= name then
    run:stop(run:divergence({ seq = step.seq, name = known, line = step.line }, name, run:line()))
  end
end

local function perform_inside(run, device_no, verb, args)
  run:check_place()
  if verbs.rows[verb].order then note_order(run, verb .. " " .. device_no .. brief(run, args)) end
  local meter = require("xfiot.meter").new(run.client, device_no)
  local ok, result = pcall(meter[verb], meter, patient(run, args))
  if ok then return result end
  if errors.is(result) and result.order then put_away(run, run.inside, result, args) end
  error(result, 0)
end

local function perform(run, device_no, verb, args)
  if run.inside then return perform_inside(run, device_no, verb, args) end
  local row = verbs.rows[verb]
  local step = begin(run, verb .. " " .. device_no .. brief(run, args), nil, row.order)
  if step.state ~= "begun" then return result_of(run, step) end
  if not row.order and args == nil and run.patience then args = {} end
  local given = patient(run, args)
  if row.positional and type(given) == "string" and run.patience then
    given = { [row.positional] = given, wait = run.patience }
  end
  local client = row.order and run.client or client_once(run, step)
  local meter = require("xfiot.meter").new(client, device_no)
  local ok, result = pcall(meter[verb], meter, given)
  if row.order and type(args) == "table" and args.order then run.client.orders.receipts[args.order] = nil end
  if not ok then
    put_away(run, step, result, args)
    failed(run, result, step.line)
  end
  done(run, keep(verb, result))
  return result
end

---@class xfiot.FlowMeter
local FlowMeter = { __name = "xfiot.flow_meter" }

--- A meter whose verbs are steps of the run.
local function meter_of(run, device_no)
  local plain = require("xfiot.meter").new(run.client, device_no) -- raises for a number that is none
  return setmetatable({ device_no = device_no, run = run, plain = plain }, FlowMeter)
end

function FlowMeter.__index(self, name)
  local run, device_no, plain = rawget(self, "run"), rawget(self, "device_no"), rawget(self, "plain")
  if verbs.rows[name] then
    return function(me, args)
      if me ~= self then error(("call it as meter:%s(...)"):format(name), 2) end
      return perform(run, device_no, name, args)
    end
  end
  if TOLD[name] then
    return function(_, ...)
      local args = table.pack(...)
      return told(run, name .. " " .. device_no, function()
        return plain[name](plain, table.unpack(args, 1, args.n))
      end)
    end
  end
  local member = plain[name]
  if type(member) ~= "function" then return member end
  return function(_, ...) return member(plain, ...) end
end

function FlowMeter:__tostring() return "xfiot.meter " .. rawget(self, "device_no") end

-- ---- the flow

local Flow = setmetatable({}, { __index = require("xfiot.workflow").Flow })
Flow.__index = Flow
Flow.__name = "xfiot.flow"

function Flow:meter(device_no) return meter_of(self.run, device_no) end

function Flow:step(name, fn)
  local run = self.run
  if type(name) ~= "string" or name == "" then error("flow:step takes a name and a function", 2) end
  if type(fn) ~= "function" then error("flow:step takes a name and a function", 2) end
  if run.inside then return fn() end
  local step = begin(run, "step " .. name)
  if step.state ~= "begun" then return result_of(run, step) end
  run.inside = step
  local ok, value = pcall(fn)
  run.inside = nil
  if run.outcome then error(value, 0) end
  local json
  if ok then ok, json = pcall(keep, "step " .. name, value) end
  if not ok then failed(run, json or value, step.line) end
  done(run, json)
  run:write()
  return remember.decode(json)
end

function Flow:sleep(seconds)
  local run = self.run
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 or seconds == math.huge then
    error("flow:sleep: seconds must be a number of 0 or more", 2)
  end
  if run.inside then return loop.sleep(seconds) end
  local step = begin(run, "sleep", ("%d"):format(math.ceil(core.now() + seconds)))
  if step.state ~= "begun" then return end
  local wake_at = math.tointeger(step.handle)
  local left = run.memory[run.seq] and math.min(seconds, wake_at - core.now()) or seconds
  if left > (run.short or IN_PLACE) then
    run:stop { state = "waiting", waiting_for = "time " .. core.timestamp(wake_at), wake_at = wake_at }
  end
  if left > 0 then loop.sleep(left) end
  done(run, nil)
end

function Flow:now()
  return told(self.run, "now", core.now)
end

function Flow:random(most)
  return told(self.run, "random", function() return math.random(most) end)
end

function Flow:log(...)
  local n, list = select("#", ...), { ... }
  local log = Flow.plain_log
  told(self.run, "log", function() log(self, table.unpack(list, 1, n)) end)
end
Flow.plain_log = require("xfiot.workflow").Flow.log

-- ---- waiting for reports

local function time_of(message)
  if not message then return "" end
  for _, item in ipairs(message.callbackData.data) do
    local time = type(item.serviceData) == "table" and item.serviceData.deviceTime
    if time then return tostring(time) end
  end
  return message.receiveTime or ""
end

local function check_report_options(opts)
  for name in pairs(opts) do
    if name ~= "timeout" and name ~= "after" then
      error(("flow:wait_report: %s is not one of its options, timeout and after"):format(tostring(name)), 3)
    end
  end
  if opts.timeout ~= nil and not (type(opts.timeout) == "number" and opts.timeout >= 0) then
    error("flow:wait_report: timeout must be seconds, a number of 0 or more", 3)
  end
  if opts.after ~= nil and not (type(opts.after) == "string" and core.parse_timestamp(opts.after)) then
    error("flow:wait_report: after must be a time, yyyyMMddHHmmss", 3)
  end
end

--- Waits for a report that is newer than the last one now, or than opts.after.
---@param which string|table a device number, or a meter
---@param opts? { timeout?: number seconds, after?: string }
---@return table|nil message nil when the time is up
function Flow:wait_report(which, opts)
  local run = self.run
  local device_no = type(which) == "table" and which.device_no or which
  opts = opts or {}
  check_report_options(opts)
  if run.inside then error("flow:wait_report is a step of its own", 2) end
  local meter = require("xfiot.meter").new(run.client, device_no)
  local name = "wait_report " .. device_no
  local handle
  if not run.memory[run.seq + 1] and not run.dry then
    handle = core.encode { after = opts.after or time_of(meter:report()),
                           ["until"] = opts.timeout and math.ceil(core.now() + opts.timeout) }
  end
  local step = begin(run, name, handle)
  if step.state ~= "begun" then return result_of(run, step) end
  local wanted = remember.decode(step.handle)
  local message = meter:report()
  local until_at, now = wanted["until"], core.now()
  if time_of(message) <= wanted.after then
    if not until_at or now < until_at then
      local look = later_look(step.began_at)
      run:stop { state = "waiting", waiting_for = "report of " .. device_no, device_id = meter:device_id(),
                 wake_at = until_at and math.min(until_at, look) or look }
    end
    message = nil
  end
  local json = keep(name, message)
  done(run, json)
  return remember.decode(json)
end

--- The flow of a run.
---@param run xfiot.Run
---@return xfiot.Flow
function flow.new(run)
  return setmetatable({ client = run.client, run = run }, Flow)
end

return flow
