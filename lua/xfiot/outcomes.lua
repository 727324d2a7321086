--- Waiting for meters: open commands of a client are asked for together, ten to
-- a call, soon after sending and then ever more slowly.
local loop = require "xfiot.loop"

local outcomes = {}

outcomes.BATCH = 10       -- ids of one batchQueryCmd (2.3)

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
  return setmetatable({ client = client, pending = {}, count = 0, due = {}, running = false }, Watcher)
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

-- The platform answered with 200 and JSON, but not as documented.
local function is_malformed(err)
  return type(err) == "table" and err.curl == 0 and err.http_status == 200
end

local function call(client, name, args)
  local ok, result, err = pcall(client[name], client, args)
  if not ok then return nil, result end -- raised: as good as no answer
  return result, err
end

local NO_COMMAND = "500043"

-- One command by itself: its answer, or nil when there was none.
local function query_one(client, command)
  local item, err = call(client, "queryCmd", { deviceId = command.device_id, commandId = command.command_id })
  if item and item.commandId == command.command_id then return { outcome = outcomes.read(item) } end
  if item or is_malformed(err) or err.code == NO_COMMAND then return { lost = tostring(err or "another command") } end
  return nil, err
end

--- What the platform says of commands, ten at most. Of each that it answered for:
--- `outcome`, nil while it is under way, or `lost`, why nothing can be said of it. A
--- batch whose reply is not as documented is asked for one by one: one meter's
--- answer may spoil it for all.
---@param client xfiot.Client
---@param commands { command_id: string, device_id?: string }[]
---@return table<string, { outcome?: table, lost?: string }>|nil answers by commandId; nil: it did not answer
---@return xfiot.Error? err why not
function outcomes.query(client, commands)
  local ids, answers = {}, {}
  for i, command in ipairs(commands) do ids[i] = command.command_id end
  local list, err = call(client, "batchQueryCmd", { commandIds = ids })
  if list then
    for _, id in ipairs(ids) do answers[id] = { lost = "the platform does not know the command" } end
    for _, item in ipairs(list) do
      if answers[item.commandId] then answers[item.commandId] = { outcome = outcomes.read(item) } end
    end
    return answers
  end
  if not is_malformed(err) then return nil, err end
  for _, command in ipairs(commands) do
    if command.device_id then answers[command.command_id] = query_one(client, command) end
  end
  return answers, err
end

local function ring(watcher)
  if watcher.bell then loop.notify(watcher.bell) end
end

local function forget(watcher, entry)
  if watcher.pending[entry.command_id] ~= entry then return end -- nobody had wanted to know any more
  watcher.pending[entry.command_id] = nil
  watcher.count = watcher.count - 1
  loop.cancel(entry.timer)
  if watcher.count == 0 then ring(watcher) end
end

local function settle(watcher, entry, outcome)
  forget(watcher, entry)
  entry.outcome = outcome
  for _, waiter in ipairs(entry.waiters) do loop.notify(waiter) end
end

-- The time to ask for an entry has come.
local function come_due(entry)
  local watcher = entry.watcher
  entry.is_due = true
  table.insert(watcher.due, entry)
  ring(watcher)
end

-- The entries to be asked for now, ten at most, longest waiting first.
local function take_due(watcher)
  local taken, due = {}, watcher.due
  local last = math.min(#due, outcomes.BATCH)
  for i = 1, last do
    due[i].is_due = false
    if watcher.pending[due[i].command_id] == due[i] then taken[#taken + 1] = due[i] end -- somebody still waits
  end
  watcher.due = table.move(due, last + 1, #due, 1, {})
  return taken
end

local function ask(watcher, due)
  local answers, err = outcomes.query(watcher.client, due)
  for _, entry in ipairs(due) do
    local answer = answers and answers[entry.command_id]
    if answer and answer.outcome then
      settle(watcher, entry, answer.outcome)
    elseif not answer then
      entry.last_error = err
      if type(err) == "table" and HOPELESS[err.code] then settle(watcher, entry, { error = err }) end
    end
  end
end

-- Runs as a task as long as anything is pending.
local function work(watcher)
  while watcher.count > 0 do
    if #watcher.due > 0 then
      local due = take_due(watcher)
      for _, entry in ipairs(due) do
        entry.pause = math.min(entry.pause * GROWTH, LAST_PAUSE)
        entry.timer = loop.after(entry.pause, come_due, entry)
      end
      if #due > 0 then ask(watcher, due) end
    else
      watcher.bell = {} -- rung when a command's timer has fired, or nothing is pending any more
      loop.wait(watcher.bell)
    end
  end
  watcher.running = false
end

--- Asks for a command at once: a push has hinted that it has ended.
---@param command_id string
function Watcher:nudge(command_id)
  local entry = self.pending[command_id]
  if not entry then return end
  entry.pause = FIRST_PAUSE
  loop.cancel(entry.timer)
  if not entry.is_due then come_due(entry) end
end

--- Ends every wait: nobody has the time any more.
function Watcher:give_up()
  for _, entry in pairs(self.pending) do
    for _, waiter in ipairs(entry.waiters) do loop.notify(waiter) end
  end
end

--- Waits for the outcome of a command.
---@param command_id string
---@param seconds number how long at most
---@param device_id? string for a question of its own, should the batch's reply be spoilt
---@return { state?: string, result?: table, error?: xfiot.Error }|nil outcome nil when the time is up
---@return xfiot.Error? last_error what the last question came to nothing by, if the time is up
function Watcher:wait(command_id, seconds, device_id)
  local entry = self.pending[command_id]
  if not entry then
    local pause = math.min(FIRST_PAUSE, seconds / 2) -- who waits briefly wants one answer at least
    entry = { command_id = command_id, device_id = device_id, watcher = self, pause = FIRST_PAUSE, waiters = {},
              waiting = 0 }
    entry.timer = loop.after(pause, come_due, entry)
    self.pending[command_id], self.count = entry, self.count + 1
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
  if entry.waiting == 0 then forget(self, entry) end -- nobody wants to know any more
  return nil, entry.last_error
end

return outcomes
