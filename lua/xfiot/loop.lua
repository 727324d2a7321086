--- The scheduler: tasks, timers and calls under way, on the core's event loop.
-- Code in a task yields while it waits; code elsewhere drives the loop until
-- what it waits for is there. Both look the same to the caller.
local core = require "xfiot.core"

local step, clock = core.step, core.clock
local running, yield, coresume, yieldable = coroutine.running, coroutine.yield, coroutine.resume, coroutine.isyieldable

local loop = {}

local LONGEST_WAIT = 60 -- seconds of one turn

local tasks = {}   -- coroutine -> task
local waiting = {} -- call -> task that waits for it
local ended = {}   -- call -> true: over, and nobody has asked yet
local batch = {}   -- calls that ended in one step
local ready = {}   -- tasks that may go on, in order
local hooks = {}   -- run once a turn
local timers = {}  -- binary heap by deadline
local timer_seq = 0
local active = 0   -- tasks being resumed, within each other
local PARKED = {}  -- what a task yields that waits for the loop

-- ---- timers

local function earlier(a, b)
  if a.at ~= b.at then return a.at < b.at end
  return a.seq < b.seq
end

local function put(timer, place)
  timers[place] = timer
  timer.place = place
end

local function sift_up(timer, place)
  while place > 1 do
    local parent = place // 2
    if not earlier(timer, timers[parent]) then break end
    put(timers[parent], place)
    place = parent
  end
  put(timer, place)
end

local function sift_down(timer, place)
  local size = #timers
  while true do
    local child = 2 * place
    if child < size and earlier(timers[child + 1], timers[child]) then child = child + 1 end
    if child > size or not earlier(timers[child], timer) then break end
    put(timers[child], place)
    place = child
  end
  put(timer, place)
end

local function arm(timer, seconds, fn, arg)
  timer_seq = timer_seq + 1
  timer.at, timer.seq, timer.fn, timer.arg = clock() + seconds, timer_seq, fn, arg
  sift_up(timer, #timers + 1)
end

--- Calls fn once, later. It must not yield.
---@param seconds number
---@param fn fun(arg: any)
---@param arg? any
---@return table timer for cancel; its `place` is gone once it has fired
function loop.after(seconds, fn, arg)
  local timer = { at = 0, seq = 0, fn = fn, arg = arg, place = 0 }
  arm(timer, seconds, fn, arg)
  return timer
end

--- Forgets a timer; one that has fired already is fine.
---@param timer table
function loop.cancel(timer)
  local place = timer.place
  if not place then return end
  timer.place = nil
  local last = table.remove(timers)
  if last == timer then return end
  sift_up(last, place)
  sift_down(last, last.place)
end

-- ---- hooks

--- Calls fn once every turn of the loop. It must not yield.
---@param fn fun()
---@return table handle for off_turn
function loop.on_turn(fn)
  local hook = { fn = fn }
  hooks[#hooks + 1] = hook
  return hook
end

---@param hook table
function loop.off_turn(hook)
  for i = #hooks, 1, -1 do
    if hooks[i] == hook then table.remove(hooks, i) end
  end
end

-- ---- tasks

local function end_task(task, ok, err)
  tasks[task.co] = nil
  task.done = true
  if not ok then task.failure = err end
  for _, watcher in ipairs(task.watchers or {}) do ready[#ready + 1] = watcher end
end

-- The innermost line of a coroutine that is Lua.
local function line_of(co)
  for level = 0, 30 do
    local info = debug.getinfo(co, level, "Sl")
    if not info then break end
    if info.currentline > 0 then return ("%s:%d: "):format(info.short_src, info.currentline) end
  end
  return ""
end

-- Code in a task has yielded to nobody: nothing would ever resume it.
local function end_stray(task)
  local why = line_of(task.co) .. "coroutine.yield() outside a coroutine of the script's own: nobody would go on there"
  coroutine.close(task.co)
  end_task(task, false, why)
  if task.on_stray then task.on_stray(why) end
end

local function resume(task)
  active = active + 1
  local ok, over = coresume(task.co)
  active = active - 1
  if over == PARKED then return end
  if coroutine.status(task.co) == "dead" then end_task(task, ok, over) else end_stray(task) end
end

--- Yields from a task for good: whoever has it drops it, see loop.drop.
function loop.park() yield(PARKED) end

--- Starts fn in a task of its own; it runs when the loop turns next.
---@param fn function
---@param ... any its arguments
---@return table task with `done` and, if it raised, `failure`
function loop.spawn(fn, ...)
  local args, n = { ... }, select("#", ...)
  local co = coroutine.create(function()
    fn(table.unpack(args, 1, n))
    return true
  end)
  local task = { co = co, at = 0, seq = 0, fn = nil, arg = nil, place = nil } -- its own timer while it waits
  tasks[co] = task
  ready[#ready + 1] = task
  return task
end

--- Starts fn in a task that goes on even while another task waits in a coroutine
--- of its own. For the few that others wait for; each costs C stack then.
---@param fn function
---@param ... any its arguments
---@return table task
function loop.serve(fn, ...)
  local task = loop.spawn(fn, ...)
  task.service = true
  return task
end

local function run_ready()
  local list = ready
  ready = {}
  for i = 1, #list do resume(list[i]) end
end

-- Services alone go on while a task waits in a coroutine of its own.
local function run_services()
  local list = ready
  ready = {}
  for i = 1, #list do
    if list[i].service then resume(list[i]) else ready[#ready + 1] = list[i] end
  end
end

local function is_anyone_ready(with_tasks)
  if with_tasks then return #ready > 0 end
  for i = 1, #ready do
    if ready[i].service then return true end
  end
  return false
end

local function wait_time(with_tasks)
  if is_anyone_ready(with_tasks) then return 0 end
  if not timers[1] then return LONGEST_WAIT end
  return math.max(0, math.min(LONGEST_WAIT, timers[1].at - clock()))
end

local function sort_ended(n)
  for i = 1, n do
    local call = batch[i]
    batch[i] = nil
    local task = waiting[call]
    if task then
      waiting[call] = nil
      ready[#ready + 1] = task
    else
      ended[call] = true
    end
  end
end

local function fire_timers()
  if not timers[1] then return end
  local now = clock()
  while timers[1] and timers[1].at <= now do
    local timer = timers[1]
    loop.cancel(timer)
    timer.fn(timer.arg)
  end
end

local interrupted -- says whether the user wants everything to stop

--- Lets the host program say when the user has pressed Ctrl-C.
---@param fn fun(): boolean
function loop.set_interrupt(fn)
  interrupted = fn
end

--- Raises once the user has pressed Ctrl-C: nothing new is started, however
--- many errors a script catches.
function loop.check()
  if interrupted and interrupted() then error("interrupted", 0) end
end

-- One turn: input and output, timers, hooks, and tasks if asked.
local function turn(with_tasks)
  loop.check()
  sort_ended(step(wait_time(with_tasks), batch))
  fire_timers()
  for i = 1, #hooks do
    if hooks[i] then hooks[i].fn() end
  end
  if with_tasks then run_ready() else run_services() end
end

--- Drives the loop until done() is true.
-- Called from within a task (in a coroutine of the caller's own) it lets other
-- tasks stand still, since each level of tasks within tasks costs C stack.
---@param done fun(): boolean
---@param with_tasks? boolean let tasks go on in any case
function loop.run(done, with_tasks)
  with_tasks = with_tasks or active == 0
  while not done() do turn(with_tasks) end
end

-- The task that may yield here: not within a function of C that calls back (string.gsub,
-- table.sort, __tostring), where the loop is driven as outside of tasks.
local function waiter() return yieldable() and tasks[running()] or nil end

--- Waits until a call of the core has ended.
---@param call userdata
function loop.await(call)
  if ended[call] then
    ended[call] = nil
    return
  end
  local task = waiter()
  if task then
    waiting[call] = task
    yield(PARKED)
  else
    loop.run(function() return ended[call] end)
    ended[call] = nil
  end
end

-- The time of a task that waits is up.
local function go_on(task)
  ready[#ready + 1] = task
end

-- The time of a task that waits for an event is up.
local function give_up(event)
  local task = event.task
  if not task then return end -- notified in this very turn
  event.task = nil
  go_on(task)
end

local function nothing() end

--- Waits. In a task others go on meanwhile.
---@param seconds number
function loop.sleep(seconds)
  local task = waiter()
  if task then
    arm(task, seconds, go_on, task)
    yield(PARKED)
  else
    local timer = loop.after(seconds, nothing)
    loop.run(function() return not timer.place end)
  end
end

--- Waits until notify(event) or until the time is up. An event is any table;
--- one task at most waits for it at a time.
---@param event table
---@param seconds? number nil: whoever notifies has a deadline of its own
---@return boolean notified
function loop.wait(event, seconds)
  if event.notified then return true end
  local task = waiter()
  if task then
    if seconds then arm(task, seconds, give_up, event) end
    event.task = task
    yield(PARKED)
    loop.cancel(task)
  else
    local timer = seconds and loop.after(seconds, nothing)
    loop.run(function() return event.notified or timer and not timer.place end)
    if timer then loop.cancel(timer) end
  end
  return event.notified or false
end

--- Wakes whoever waits for the event, now and ever after.
---@param event table
function loop.notify(event)
  event.notified = true
  local task = event.task
  if task then
    event.task = nil
    ready[#ready + 1] = task
  end
end

--- Ends a task that has yielded and will not be resumed: nobody holds its coroutine
--- any more, and what it wants closed is closed.
---@param task table
function loop.drop(task)
  tasks[task.co] = nil
  task.done = true
  coroutine.close(task.co)
end

--- Waits for tasks of spawn to end.
---@param list table[]
function loop.join(list)
  local me = waiter()
  local function all_done()
    for i = 1, #list do
      if not list[i].done then return false end
    end
    return true
  end
  if not me then return loop.run(all_done, true) end
  for _, task in ipairs(list) do
    if not task.done then
      task.watchers = task.watchers or {}
      table.insert(task.watchers, me)
      yield(PARKED)
    end
  end
end

--- Whether the running code is a task of the loop.
---@return boolean
function loop.in_task()
  return tasks[running()] ~= nil
end

--- One plain HTTP request, waited for.
---@param transport userdata
---@param request table see core.fetch
---@return table reply
function loop.fetch(transport, request)
  local call, why = core.fetch(transport, request)
  if not call then error(why, 2) end
  loop.await(call)
  return core.fetched(call)
end

return loop
