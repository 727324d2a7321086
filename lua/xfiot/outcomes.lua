--- Waiting for meters: open commands of a client are asked for together, ten to
-- a call, soon after sending and then ever more slowly.
local loop = require "xfiot.loop"

local outcomes = {}

local BATCH = 10          -- ids of one batchQueryCmd (2.3)
local FIRST_PAUSE = 0.1   -- seconds until the first question
local LAST_PAUSE = 60     -- longest pause between two questions
local GROWTH = 1.6

-- commandState (2.2) by what it means for us.
local FINAL = { [1] = "succeeded", [2] = "failed", [3] = "expired", [5] = "cancelled" }

-- Return codes after which asking again is of no use.
local HOPELESS = { ["500002"] = true, ["500003"] = true, ["101001"] = true, ["500048"] = true }

---@class xfiot.Watcher
local Watcher = {}
Watcher.__index = Watcher

---@param client xfiot.Client
---@return xfiot.Watcher
function outcomes.new(client)
  return setmetatable({ client = client, pending = {}, running = false }, Watcher)
end

--- How a command ended, or nil while it is under way. A success without its
--- result is still under way: state and result are both needed.
---@param item table cmdResultDTO
---@return { state: string, result?: table }|nil
function outcomes.read(item)
  local state = FINAL[item.commandState]
  if not state or state == "succeeded" and type(item.resultDetail) ~= "table" then return nil end
  return { state = state, result = item.resultDetail }
end

local function settle(watcher, entry, outcome)
  watcher.pending[entry.id] = nil
  entry.outcome = outcome
  for _, waiter in ipairs(entry.waiters) do loop.notify(waiter) end
end

-- The entries whose time to be asked for has come, ten at most, longest waiting first.
local function take_due(watcher, now)
  local due = {}
  for _, entry in pairs(watcher.pending) do
    if entry.next_at <= now then due[#due + 1] = entry end
  end
  table.sort(due, function(a, b) return a.next_at < b.next_at or (a.next_at == b.next_at and a.id < b.id) end)
  return table.move(due, 1, math.min(#due, BATCH), 1, {})
end

local function ask(watcher, due)
  local ids = {}
  for i, entry in ipairs(due) do ids[i] = entry.id end
  local ok, list, err = pcall(watcher.client.batchQueryCmd, watcher.client, { commandIds = ids })
  if not ok then list, err = nil, list end -- raised: as good as no answer
  if not list then
    for _, entry in ipairs(due) do
      entry.last_error = err
      if type(err) == "table" and HOPELESS[err.code] then settle(watcher, entry, { error = err }) end
    end
    return
  end
  for _, item in ipairs(list) do
    local entry = watcher.pending[item.commandId]
    local outcome = entry and outcomes.read(item)
    if outcome then settle(watcher, entry, outcome) end
  end
end

local function soonest(watcher)
  local at
  for _, entry in pairs(watcher.pending) do
    if not at or entry.next_at < at then at = entry.next_at end
  end
  return at
end

-- Runs as a task as long as anything is pending.
local function work(watcher)
  local clock = watcher.clock
  while next(watcher.pending) do
    local due = take_due(watcher, clock())
    if #due > 0 then
      for _, entry in ipairs(due) do
        entry.pause = math.min(entry.pause * GROWTH, LAST_PAUSE)
        entry.next_at = clock() + entry.pause
      end
      ask(watcher, due)
    else
      watcher.bell = {} -- rung when a new command is to be asked for
      loop.wait(watcher.bell, math.max(0.001, soonest(watcher) - clock()))
    end
  end
  watcher.running = false
end

Watcher.clock = require("xfiot.core").clock

--- Asks for a command at once: a push has hinted that it has ended.
---@param command_id string
function Watcher:nudge(command_id)
  local entry = self.pending[command_id]
  if not entry then return end
  entry.next_at, entry.pause = self.clock(), FIRST_PAUSE
  if self.bell then loop.notify(self.bell) end
end

--- Waits for the outcome of a command.
---@param command_id string
---@param seconds number how long at most
---@return { state?: string, result?: table, error?: xfiot.Error }|nil outcome nil when the time is up
---@return xfiot.Error? last_error what the last question came to nothing by, if the time is up
function Watcher:wait(command_id, seconds)
  local entry = self.pending[command_id]
  if not entry then
    local pause = math.min(FIRST_PAUSE, seconds / 2) -- who waits briefly wants one answer at least
    entry = { id = command_id, pause = FIRST_PAUSE, next_at = self.clock() + pause, waiters = {}, waiting = 0 }
    self.pending[command_id] = entry
    if self.bell then loop.notify(self.bell) end
  end
  if not self.running then
    self.running = true
    loop.serve(work, self)
  end
  local waiter = {}
  table.insert(entry.waiters, waiter)
  entry.waiting = entry.waiting + 1
  local answered = loop.wait(waiter, seconds)
  entry.waiting = entry.waiting - 1
  if answered then return entry.outcome end
  if entry.waiting == 0 then self.pending[command_id] = nil end -- nobody wants to know any more
  return nil, entry.last_error
end

return outcomes
