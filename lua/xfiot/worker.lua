--- The worker: the process beside the receiver that handles what was received.
-- The journal is the queue between the two; a line (core.channel) carries short
-- words: wake, reload, stop one way; ready, busy, orders the other.
local core = require "xfiot.core"
local desk = require "xfiot.worker.desk"
local duty = require "xfiot.worker.duty"
local gaps = require "xfiot.gaps"
local handlers = require "xfiot.handlers"
local journal = require "xfiot.journal"
local log = require "xfiot.worker.log"
local loop = require "xfiot.loop"
local push = require "xfiot.worker.push"
local retention = require "xfiot.retention"

local AT_ONCE = 8      -- pushes worked on side by side
local FRESH = 512      -- pushes laid on the desk that nobody has tried yet, at most
local HELD = 20000     -- pushes on the desk in all: most wait for their next attempt
local LOOK_EVERY = 2   -- seconds between looks at the journal without being woken: a person may replay a push
local GRACE = 5        -- seconds that the receiver waits longer than we do ourselves
local PULSE = 2        -- seconds between words that the loop turns
local FAR = 1 << 62    -- a time that does not come

local worker = {}

---@class xfiot.Worker
---@field client xfiot.Client
---@field journal xfiot.Journal
---@field handlers table<string, function>
---@field log fun(event: string, fields?: table)
local Worker = {}
Worker.__index = Worker

-- ---- the journal

--- Writes in the next commit; raises when the journal does not work.
---@param write fun(file: userdata): ...
function Worker:write(write)
  return self.journal:write(function(file)
    local results = table.pack(write(file))
    if results[1] == nil and results[2] then error(journal.failure(results[2]), 0) end
    return table.unpack(results, 1, results.n)
  end)
end

-- Lays a push on the desk, unless it is there, or has gone: one that was never
-- acknowledged may have made way for others. Returns what lies there now, if it is new.
local function lay(self, id, now)
  local full = not self.desk:holds(id) and self.journal:read("push_find", id)
  if not (full and full.next_at) then return nil end
  local held = push.lay(full, now)
  self.desk:add(held)
  return held
end

-- Lays out pushes that are due by `now`, the earliest first; returns once there are enough.
local function lay_out(self, now)
  local at, id = 0, 0
  repeat
    local page = self.journal:read("push_due", now, 256, at, id)
    for _, row in ipairs(page) do
      at, id = row.next_at, row.id
      local held = lay(self, row.id)
      if held and held.fresh then self.fresh = self.fresh + 1 end
      if self.fresh >= FRESH or self.desk.count >= HELD then return end
    end
  until #page == 0
end

-- Lays out what a process before this one has tried, due or not: it comes before the
-- later pushes of its devices, however many others wait.
local function lay_out_tried(self)
  local now = core.now()
  local at, id = 0, 0
  repeat
    local page = self.journal:read("push_due", FAR, 256, at, id, 1)
    for _, row in ipairs(page) do
      at, id = row.next_at, row.id
      local held = lay(self, row.id, now)
      -- as long for the others as such an attempt may have taken from them
      if held and held.alone then self.desk:defer_alone(now + self.client.settings.handler_timeout + GRACE) end
      if self.desk.count >= HELD then return end
    end
  until #page == 0
end

-- ---- one push

local function tried(self, held)
  if held.fresh then
    held.fresh = false
    self.fresh = self.fresh - 1
  end
end

local function work(self, held)
  local ok, next_at = pcall(push.work, self, held)
  tried(self, held)
  if not ok then
    self.failure = self.failure or next_at
    self.desk:put_back(held, FAR)
  elseif next_at then
    self.desk:put_back(held, next_at)
  else
    self.desk:drop(held)
  end
  self:look()
end

local function hand_out(self)
  while not self.stopping and not self.failure do
    local held = self.desk:take(core.now())
    if not held then return end
    loop.spawn(work, self, held)
  end
end

-- ---- what the receiver is told, so that a handler that hangs is stopped

-- We are never idle: code that a handler has left behind may hang too.
local function tell_busy(self, id)
  self.tell(("busy %d %d"):format(id, math.ceil(self.client.settings.handler_timeout) + GRACE))
end

--- A handler begins for a push.
---@param id integer
function Worker:begin_call(id) tell_busy(self, id) end

-- While the loop turns nothing hangs: call.lua sees to the time of handlers that wait.
local function pulse(self)
  tell_busy(self, 0)
  if not self.over then loop.after(PULSE, function() pulse(self) end) end
end

-- ---- handlers

-- A file that cannot be used changes nothing while there are other handlers;
-- without any, pushes wait for it.
local function load_handlers(self)
  tell_busy(self, 0) -- the file's own code may hang too
  local ok, list = pcall(handlers.load, self.path)
  tell_busy(self, 0)
  if ok then
    self.handlers = list
    self.log("handlers_loaded", { file = self.path })
  else
    self.log("handlers_refused", { reason = tostring(list) })
  end
  self.dirty = true
end

-- ---- the line

local words = {}

function words.wake(self) self:wake() end

function words.reload(self) self:reload() end

function words.stop(self) self:stop() end

local function listen(self)
  while self.channel do
    local word = self.channel:receive()
    if word == nil then return end
    if not word then -- nobody is there to be told any more
      self.channel = nil
      return self:stop()
    end
    local act = words[word]
    if act then act(self) end
  end
end

-- ---- the loop

-- Once a turn: what the receiver says, new pushes, free hands.
local function turn(self)
  listen(self)
  if not self.handlers or self.stopping or self.failure then return end
  local now = core.now()
  if self.woken or self.look_at <= now then
    self.woken, self.dirty = false, true
    self.look_at = now + LOOK_EVERY
    self.seen_new = true
  end
  if self.seen_new and self.fresh < FRESH // 2 then
    lay_out(self, now)
    self.seen_new = self.fresh >= FRESH // 2 -- there may be more
  end
  if self.dirty or (self.desk:next_at() or FAR) <= now then
    self.dirty = false
    hand_out(self)
  end
end

local function guarded_turn(self)
  local ok, err = pcall(turn, self)
  if not ok then self.failure = self.failure or err end
end

-- Nothing else may make the loop turn when a time has come.
local function tick(self)
  if not self.over then loop.after(1, function() tick(self) end) end
end

-- One worker of a journal is at work; others, of another `xfiot serve`, stand by.
local function take_turn(self)
  local path = self.journal.path .. "-worker"
  while not self.stopping do
    local lock, why = core.lock(path)
    if lock == nil then error(journal.failure(why), 0) end
    if lock then
      self.lock = lock
      return
    end
    if not self.told_standby then self.log("standing_by", { reason = "another worker has the journal" }) end
    self.told_standby = true
    loop.sleep(1)
  end
end

local function begin(self)
  take_turn(self)
  if self.stopping then return end
  lay_out_tried(self)
  load_handlers(self)
  loop.spawn(self.duty.run, self.duty)
  loop.spawn(gaps.watch, self)
  loop.spawn(retention.watch, self)
  self:wake()
end

local function start(self)
  tick(self)
  pulse(self)
  loop.spawn(function()
    local ok, err = pcall(begin, self)
    if not ok then self.failure = self.failure or err end
  end)
  self.tell "ready"
end

--- Makes the loop turn at once: hands are free, or there is something to do.
function Worker:look()
  self.dirty = true
  loop.after(0, function() end)
end

--- There are new pushes.
function Worker:wake()
  self.woken = true
  self:look()
end

--- Loads the handlers file anew.
function Worker:reload()
  if self.lock then load_handlers(self) end -- else it is loaded when its turn comes
end

--- What runs is finished, nothing more is begun; then run() returns.
function Worker:stop()
  self.stopping = true
  self.duty:stop()
end

--- Works until the receiver says stop, or is gone. Raises when the journal does
--- not work: a new process opens it anew.
function Worker:run()
  local hook = loop.on_turn(function() guarded_turn(self) end)
  local ok, err = pcall(function()
    start(self)
    -- an order that is being sent is not left half-way
    loop.run(function() return self.failure or self.stopping and self.desk.running == 0 and not self.duty.busy end)
  end)
  self.over = true
  loop.off_turn(hook)
  if self.lock then self.lock:close() end
  if not ok then error(err, 0) end
  if self.failure then error(self.failure, 0) end
  self.log "stopped"
end

--- Makes a worker.
---@param options { client: xfiot.Client, channel?: userdata, path?: string the handlers file,
--- log?: fun(event: string, fields?: table), duty_every?: number }
---@return xfiot.Worker
function worker.new(options)
  local self = setmetatable({
    client = options.client, channel = options.channel, path = options.path, log = options.log or log.write,
    journal = journal.open(options.client.settings.journal), desk = desk.new(AT_ONCE),
    fresh = 0, look_at = 0, woken = true,
  }, Worker)
  function self.tell(text)
    if self.channel then self.channel:send(text) end
  end
  self.duty = duty.new { client = options.client, log = self.log, tell = self.tell, every = options.duty_every }
  return self
end

return worker
