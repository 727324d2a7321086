--- One run of a workflow under way: what it remembers, what is to be written, and
-- how it ends. The journal has a row of it that only its owner writes; see
-- core/journal_run.h. What the script sees of it is in xfiot.flow.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"
local remember = require "xfiot.remember"
local trace = require "xfiot.cli.trace"

---@class xfiot.Run
---@field id? integer nil until it is written
---@field memory table[] steps of the journal, by number
---@field seq integer the last step that the script has come to
---@field outcome? { state: string, result?: any, error?: any, text?: string } how it ended, or why it rests
local Run = {}
Run.__index = Run
Run.__name = "xfiot.run"

local Stopped = setmetatable({}, { __tostring = function() return "the run was put away" end })

-- ---- writing

local function lost(run)
  return errors.new {
    kind = "cancelled", operation = run.script.workflow.name, sent = false, run = run.id,
    message = "该运行已由其他进程接管", message_en = ("Run %d belongs to another process now"):format(run.id),
    remedy = "It goes on there; see xfiot runs show " .. run.id .. ".",
  }
end

local function taken(run)
  return errors.new {
    kind = "cancelled", operation = run.script.workflow.name, sent = false, run = run.faster,
    message = run.start.campaign and "该行已由其他进程处理" or "其他进程已开始同一运行",
    message_en = ("Another process has begun %s"):format(run.start.campaign and "row " .. run.key or "the same run"),
    remedy = "It goes on there.",
  }
end

-- Everything that waits to be written, in its order. Runs in the journal's batch.
local function write_all(file, run)
  if run.start then
    local id, why = file:run_start(run.start)
    if id == nil then error(journal.failure(why), 0) end
    if not id then
      run.faster = why -- whoever was; nothing of ours is written any more
      run.failure = taken(run)
      error(run.failure, 0)
    end
    run.id, run.token, run.start = id, 1, nil
  end
  local pending = run.pending
  run.pending = {}
  for i = 1, #pending do
    local op = pending[i]
    op.arg.run, op.arg.token = run.id, run.token
    local ok, why = file[op.method](file, op.arg)
    if ok == nil then error(journal.failure(why), 0) end
    if not ok then error(lost(run), 0) end
  end
end

--- Leaves an operation to the next write.
---@param method string run_step, run_step_change, run_rest
---@param arg table
function Run:later(method, arg)
  arg.at = core.now()
  self.pending[#self.pending + 1] = { method = method, arg = arg }
end

-- An earlier write that was not waited for must have come to its end.
local function check_written(run)
  local entry = run.entry
  run.entry = nil
  if entry and entry.ok == false then
    run.failure = entry.first
    error(run.failure, 0)
  end
end

--- Writes what is pending, and waits until it is on disk.
function Run:write()
  if self.failure then error(self.failure, 0) end
  if self.start or #self.pending > 0 then self.journal:write(write_all, self) end
  check_written(self)
end

--- Writes what is pending before anything else that is written from now on. For an
--- order, which is itself on disk before it is sent: one commit for both.
function Run:write_first()
  if self.failure then error(self.failure, 0) end
  if self.entry then loop.wait(self.entry) end
  check_written(self)
  self.entry = self.journal:enqueue(write_all, self)
end

-- ---- ending

-- Whether the run may stop for good right here: in its own coroutine, and not within a
-- function of C that calls back.
local function may_park(run)
  return coroutine.running() == run.task.co and coroutine.isyieldable()
end

-- Nothing more of the script runs. In the run's own coroutine that is final; in one
-- of the script's own it is an error, and so is every further step.
local function halt(run)
  if may_park(run) then loop.park() end
  error(Stopped, 0)
end

local function tell(run)
  run.over = true
  if run.on_end then run.on_end(run) end
end

--- Ends the run here, or puts it away; does not return.
---@param outcome { state: string, error?: any, waiting_for?: string, wake_at?: integer, order?: string,
--- device_id?: string }
function Run:stop(outcome)
  if not self.outcome then
    self.outcome = outcome
    if may_park(self) then
      self:rest()
      tell(self)
    end
  end
  halt(self)
end

local function is_interrupted() return not pcall(loop.check) end

--- Writes how the run stands and that nobody owns it any more. A journal that does
--- not work becomes the outcome; the row stays ours then, until we are gone.
function Run:rest()
  local o = self.outcome
  if self.dry then return end
  if is_interrupted() then
    self.outcome = { state = "interrupted" }
    return
  end
  local rest = {
    to = o.state, step = self.last, waiting_for = o.waiting_for, wake_at = o.wake_at, order = o.order,
    device_id = o.device_id, result = not o.result_step and o.json or nil, result_step = o.result_step,
    error = o.error ~= nil and remember.encode_error(o.error, o.at) or nil,
  }
  self:later("run_rest", rest)
  local ok, err = pcall(self.write, self)
  if not ok then
    self.outcome = { state = "lost", error = err, text = tostring(err) }
  end
end

-- A result that is the last step's own value is kept once.
local function succeeded(run, result)
  local outcome = { state = "succeeded", result = result }
  if result == nil then return outcome end
  local ok, json = pcall(core.encode, result)
  outcome.json = ok and json or core.encode(tostring(result))
  if outcome.json == run.last_json then outcome.result_step = run.seq end
  return outcome
end

--- Whether an error leaves an order for a person to decide about.
---@param err any
---@return boolean
local function needs_person(err)
  return errors.is(err) and err.kind == "unknown" and (err.order or err.blocking) and true or false
end

local OVER = { applied = true, not_applied = true, rejected = true, cancelled = true }

-- Whether a decision about an order would bring the run further: its last step is tried
-- once more then; an earlier one raises for ever what is remembered.
local function may_go_on(run, order)
  if run.last_failed then return true end
  local ok, row = pcall(run.client.orders.find, run.client.orders, order)
  return not ok or row ~= nil and not OVER[row.state]
end

local function raised(run, shown)
  local cause = shown.cause
  if cause == nil then cause = trace.NOTHING end
  local outcome = { state = "failed", error = cause, text = shown.text, at = shown.at }
  if needs_person(cause) and may_go_on(run, cause.order or cause.blocking) then
    outcome.state = "needs_decision"
    outcome.order = cause.order or cause.blocking
    outcome.waiting_for = "a person's decision about order " .. outcome.order
  end
  return outcome
end

-- Where a run was when its script came to another end than is remembered.
local function skipped(run, ok, shown)
  local step = run.memory[run.seq + 1]
  local found = ok and "the end of the workflow" or "an error: " .. shown.text
  return run:divergence(step, found, ok and run.returned_at or not ok and shown.at or run.script.path)
end

local function finish(run, ok, result)
  if not ok and type(result) ~= "table" then result = { cause = result, text = tostring(result) } end
  if run.outcome then -- put away within a coroutine of the script's own
    run:rest()
  elseif run.memory[run.seq + 1] then
    run.outcome = skipped(run, ok, result)
    run:rest()
  else
    run.outcome = ok and succeeded(run, result) or raised(run, result)
    run:rest()
  end
  tell(run)
end

-- ---- where the script is

--- The line of the script that is running, "script.lua:12".
---@return string|nil
function Run:line()
  local source = self.script.source
  for level = 3, 30 do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.source == source then return info.short_src .. ":" .. info.currentline end
  end
end

--- The outcome of a script that does not do what is remembered.
---@param step table what is remembered
---@param found string what the script does instead
---@param line? string where
---@return table outcome
function Run:divergence(step, found, line)
  local at = line or step.line or self.script.path
  local err = errors.new {
    kind = "cancelled", operation = self.script.workflow.name, sent = false, run = self.id, line = at,
    remembered = step.name, found = found,
    message = ("脚本与第 %d 步的记录不符（%s）：记录为 %s，现为 %s"):format(step.seq, at, step.name, found),
    message_en = ("The script does not match step %d at %s: remembered %s%s, found %s"):format(step.seq, at, step.name,
      step.line and " (" .. step.line .. ")" or "", found),
    remedy = "Nothing was done. Put the script back as it was, then: xfiot runs resume " .. tostring(self.id) .. ".",
  }
  return { state = "diverged", error = err, text = tostring(err), at = at }
end

--- The run goes on in one line: no step from another task of the loop.
function Run:check_place()
  if self.outcome then error(Stopped, 0) end
  if coroutine.running() ~= self.task.co and loop.in_task() then
    error("the steps of a run come one after the other: in xfiot.parallel use client:meter, "
      .. "or run the workflow once for each row (--from)", 3)
  end
end

-- While it goes by what is remembered: where the script's functions return, should the
-- workflow's own be among them too early. A hook that is there already stays.
local function watch_returns(run)
  if not run.memory[1] or debug.gethook() then return end
  local source = run.script.source
  run.watching = true
  debug.sethook(function()
    local info = debug.getinfo(2, "Sl")
    if info.source == source then run.returned_at = info.short_src .. ":" .. info.currentline end
  end, "r")
end

local function stop_watching(run)
  if not run.watching then return end
  run.watching = nil
  debug.sethook(run.task.co)
end

--- The next step: what is remembered of it, or nil when it is new. Stops the run
--- when something else is remembered.
---@param name string
---@return table|nil step
---@return string|nil line
function Run:enter(name)
  self:check_place()
  local line = self:line()
  self.seq = self.seq + 1
  self.last, self.last_json, self.last_failed = name, nil, false
  local step = self.memory[self.seq]
  if not step then
    stop_watching(self)
    if self.dry then self:stop { state = "matches" } end
    if self.paused and self.paused() then
      self.last = self.seq > 1 and self.memory[self.seq - 1] and self.memory[self.seq - 1].name or nil
      self:stop { state = "waiting", waiting_for = "the campaign to go on", wake_at = core.now() }
    end
    return nil, line
  end
  if step.name ~= name then self:stop(self:divergence(step, name, line)) end
  if self.dry and step.state == "begun" then self:stop { state = "matches" } end
  return step, line
end

-- ---- starting

local function handler(cause)
  if cause == Stopped then return cause end
  return trace.handler(cause)
end

local function body(run)
  run.task = run.task or { co = coroutine.running() }
  watch_returns(run)
  local ok, result = xpcall(run.script.workflow.run, handler, run.flow, run.args)
  stop_watching(run)
  finish(run, ok, result)
end

--- Starts the run in a task of its own; on_end(run) is called when it has come to
--- an end or was put away, with its outcome. It must not yield.
---@param on_end fun(run: xfiot.Run)
function Run:launch(on_end)
  self.on_end = on_end
  self.task = loop.spawn(body, self)
  function self.task.on_stray(why)
    self.task = loop.spawn(finish, self, false, { cause = why, text = why, at = why:match "^(.-:%d+): " })
  end
end

--- Runs it and waits for its end, or until it is put away.
---@return table outcome
function Run:drive()
  local event = {}
  self:launch(function() loop.notify(event) end)
  loop.wait(event)
  if not self.task.done then loop.drop(self.task) end
  return self.outcome
end

--- Makes a run.
---@param fields { client: xfiot.Client, journal: xfiot.Journal, script: table, args: table, memory?: table[],
--- id?: integer, token?: integer, start?: table, patience?: number, short?: number, dry?: boolean }
---@return xfiot.Run
local function new(fields)
  fields.memory = fields.memory or {}
  fields.seq, fields.pending = 0, {}
  local run = setmetatable(fields, Run)
  run.flow = require("xfiot.flow").new(run)
  return run
end

return { new = new }
