--- A campaign: a run of one workflow for each row of a file, many at once. What a run
-- comes to is in the journal; here are only counts, and the rows being sent. A row
-- whose meter has not answered within PATIENCE is put away and brought back later.
local core = require "xfiot.core"
local csv = require "xfiot.csv"
local doubts = require "xfiot.doubts"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local outcomes = require "xfiot.outcomes"
local runs = require "xfiot.runs"

local campaign = {}

local PATIENCE = 10          -- seconds that a run waits for its meter before it is put away
local LIVE = 2048            -- runs that wait for their meters with their coroutines, at most
local FIRST_PAUSE, LAST_PAUSE = 0.5, 60 -- seconds between two rounds of asking for rows put away
local SHARE_FROM = 20        -- rows finished before a share of failures says anything
local DRAIN = 30             -- seconds for what is in flight when the campaign stops

---@class xfiot.Campaign
---@field counts table<string, integer> rows by outcome, of this time
---@field begun integer rows looked at
---@field sending integer rows worked on, without those that wait for their meters
local Campaign = {}
Campaign.__index = Campaign

-- ---- the clients' side of waiting: a row that waits for its meter takes no place

local function ring(self)
  if self.bell then loop.notify(self.bell) end
end

local function rest(self, seconds)
  self.bell = {}
  loop.wait(self.bell, seconds)
  self.bell = nil
end

local Waiting = {}

function Waiting.__index(watcher, name)
  return rawget(watcher, "real")[name]
end

local function wait_without_place(self, real)
  return function(_, command_id, seconds, device_id)
    if not self.runs[coroutine.running()] then return real:wait(command_id, seconds, device_id) end
    if self.stopping or self.waiting >= LIVE then return nil end
    self.sending, self.waiting = self.sending - 1, self.waiting + 1
    ring(self)
    local outcome, cause = real:wait(command_id, seconds, device_id)
    self.sending, self.waiting = self.sending + 1, self.waiting - 1
    return outcome, cause
  end
end

-- ---- rows

local FAILURES = { failed = true, needs_decision = true, diverged = true }

local function count(self, state)
  self.counts[state] = (self.counts[state] or 0) + 1
  if FAILURES[state] then self.failures = self.failures + 1 end
  if state ~= "waiting" then self.finished = self.finished + 1 end
  if self.failures > self.limit(self.finished) and not self.stopping then
    self:stop(("%d rows have failed"):format(self.failures))
  end
end

local function ended(self, run)
  local co = run.task.co
  self.runs[co] = nil
  self.sending, self.active = self.sending - 1, self.active - 1
  local outcome = run.outcome
  local state = outcome.state
  if state == "lost" then
    state = "elsewhere"
    if outcome.error.kind ~= "cancelled" then -- the journal does not work: nothing can go on
      self.cause = self.cause or outcome.error
      self:stop(tostring(outcome.error))
    end
  end
  count(self, state)
  if run.was_waiting then self.counts.waiting = (self.counts.waiting or 0) - 1 end
  loop.after(0, function()
    if not run.task.done then loop.drop(run.task) end
  end)
  if next(self.client.meters) then self.client.meters = {} end
  ring(self)
end

local function launch(self, run)
  function run.paused() return self.stopping ~= nil end
  run:launch(function() ended(self, run) end)
  self.runs[run.task.co] = run
end

local function is_of_journal(err) return errors.is(err) and err.operation == "journal" end

-- A row that cannot be begun has no run that would tell why.
local function refuse(self, line, key, cause)
  if self.on_fault then self.on_fault(line, key, cause) end
  count(self, "failed")
end

-- Takes up the run of a row in a task of its own: it waits for the journal.
local function take(self, row, was_waiting, line)
  local ok, run = pcall(runs.take, self.client, row, self.script, { patience = self.patience, short = 1 })
  if ok then
    run.was_waiting = was_waiting
    return launch(self, run)
  end
  self.sending, self.active = self.sending - 1, self.active - 1
  if errors.is(run) and run.kind == "cancelled" then
    count(self, "elsewhere")
  elseif is_of_journal(run) then
    self.cause = self.cause or run
    self:stop(tostring(run))
  else
    refuse(self, line, row.key, run)
  end
  ring(self)
end

local function take_soon(self, row, was_waiting, line)
  self.sending, self.active = self.sending + 1, self.active + 1
  loop.spawn(take, self, row, was_waiting, line)
end

local AS_IT_IS = { succeeded = "done_before", cancelled = "cancelled", waiting = "waiting" }

-- What is to be done about a row that has a run already.
local function look(row, args)
  if row.args ~= args then
    if row.state == "succeeded" or row.state == "failed" or row.state == "cancelled" then return "new" end
    return "other"
  end
  if row.state == "running" then return row.owner == "gone" and "take" or "elsewhere" end
  if row.state == "needs_decision" and not row.wake_at then return "needs_decision" end
  return AS_IT_IS[row.state] or "take"
end

local function begin_row(self, key, args, line)
  local json = core.encode(args)
  local row = not self.fresh and self.book:read("run_find_row", self.id, key) or nil
  local what = row and look(row, json) or "new"
  if what == "new" then
    local run = runs.new(self.client, self.script, json,
      { campaign = self.id, key = key, newest = row and row.id, patience = self.patience, short = 1 })
    self.sending, self.active = self.sending + 1, self.active + 1
    launch(self, run)
    return "begun"
  elseif what == "take" then
    take_soon(self, row, false, line)
    return "begun"
  end
  if what == "other" then
    error(errors.new {
      kind = "cancelled", operation = self.script.workflow.name, sent = false, run = row.id,
      message_en = ("Run %d of this row has other values and is %s"):format(row.id, row.state),
      message = ("该行的运行 %d 采用其他参数，状态为 %s"):format(row.id, row.state),
      remedy = ("Nothing was sent for these values. See xfiot runs show %d; bring it to its end first."):format(row.id),
    }, 0)
  end
  count(self, what)
  return what
end

-- One row; what it raises is its own failure, unless the journal does not work.
local function begin(self, rows, cells, line)
  local key, args, err = rows:read(cells, true) -- what the workflow's check asks the verbs ask once more
  if not args then -- the file was changed after it had been checked
    refuse(self, line, key, err)
    return nil
  end
  local ok, what = pcall(begin_row, self, key, args, line)
  if ok then return what end
  if is_of_journal(what) then error(what, 0) end
  refuse(self, line, key, what)
end

-- Waits for a place, and for the time that the rate leaves for the next row.
local function wait_for_place(self)
  while not self.stopping and self.sending >= self.concurrency do rest(self, 1) end
  if not self.rate or self.stopping then return end
  local now = core.clock()
  self.next_at = math.max(self.next_at or now, now - 1)
  while not self.stopping and core.clock() < self.next_at do
    rest(self, math.min(1, math.max(0.001, self.next_at - core.clock())))
  end
  self.next_at = self.next_at + 1 / self.rate
end

local function drain(self)
  local deadline = core.clock() + DRAIN
  while self.active > 0 and core.clock() < deadline do
    if self.stopping then self.real_outcomes:give_up() end
    rest(self, 0.2)
  end
end

-- ---- rows that were put away

local function nothing() end

-- Asks for the accepted orders of a page, ten to a call; who waits for them is woken by the journal.
local function ask(self, page)
  local list = {}
  for first = 1, #page, outcomes.BATCH do
    local some = table.move(page, first, math.min(first + outcomes.BATCH - 1, #page), 1, {})
    list[#list + 1] = loop.spawn(function()
      pcall(doubts.ask, self.client.orders, some, { failed = nothing, unasked = nothing })
    end)
  end
  loop.join(list)
end

local function ask_all(self)
  local after = 0
  repeat
    local page = self.book:read("list", { states = { "accepted" }, after = after })
    local ours = {}
    for _, row in ipairs(page) do
      after = row.row
      if row.company_code == self.client.company_code then ours[#ours + 1] = row end
    end
    ask(self, ours)
  until #page == 0 or self.stopping
end

-- How many runs have not come to an end and may still do so by themselves.
local function open_runs(self)
  local counts = self.book:read("run_counts", self.id)
  return counts.waiting + counts.running, counts
end

local function bring_back(self)
  local some = false
  for row in runs.due(self.client, self.id) do
    if self.stopping then return some end
    if row.state == "waiting" or row.state == "running" then
      wait_for_place(self)
      take_soon(self, row, row.state == "waiting")
      some = true
    end
  end
  return some
end

--- Waits for the rows that were put away, until all have come to an end or `seconds` have passed.
---@param seconds? number
local function wait_for_rows(self, seconds)
  local deadline, pause = seconds and core.clock() + seconds, FIRST_PAUSE
  while not self.stopping do
    drain(self)
    local open = open_runs(self)
    if open == 0 or deadline and core.clock() >= deadline then return end
    ask_all(self)
    if bring_back(self) then pause = FIRST_PAUSE end
    drain(self)
    if open_runs(self) > 0 and not self.stopping then
      rest(self, deadline and math.max(0, math.min(pause, deadline - core.clock())) or pause)
      pause = math.min(LAST_PAUSE, pause * 1.5)
    end
  end
end

-- ---- outside

--- Begins nothing more; what is in flight comes to its end.
---@param why string
function Campaign:stop(why)
  self.stopping = self.stopping or why
  ring(self)
end

local function pass_canary(self, started)
  wait_for_rows(self, self.wait)
  local good = self.failures == 0 and not self.stopping and open_runs(self) == 0
  if not good then self:stop(self.stopping or ("the first %d rows have not all succeeded"):format(started)) end
end

local function go(self, rows)
  local good, some = 0, false -- rows begun, and those that were done before: the canary is among them
  local next_row, reader = rows:each()
  local _ <close> = reader
  for cells, line in next_row do
    wait_for_place(self)
    if self.stopping then break end
    self.begun = self.begun + 1
    local what = begin(self, rows, cells, line)
    some = some or what == "begun"
    if what == "begun" or what == "done_before" then good = good + 1 end
    if some and good == self.canary then pass_canary(self, good) end
    if self.begun % 256 == 0 then loop.sleep(0) end -- rows that are done already would never let the loop turn
  end
  if not self.stopping then wait_for_rows(self, self.wait) end
  drain(self)
end

--- Runs the campaign; in a task of the loop. Raises only what makes it impossible, once
--- what was in flight has come to its end.
---@param rows xfiot.CampaignRows
function Campaign:run(rows)
  self.real_outcomes = self.client.outcomes
  self.client.outcomes = setmetatable(
    { real = self.real_outcomes, wait = wait_without_place(self, self.real_outcomes) }, Waiting)
  local ok, err = pcall(go, self, rows)
  if not ok then
    if csv.is_fault(err) then
      self:stop(("%s was changed after it had been checked: %s"):format(rows.path, tostring(err)))
    else
      self.cause = self.cause or err
      self:stop(tostring(err))
    end
    pcall(drain, self)
  end
  self.client.outcomes = self.real_outcomes
  if self.cause then error(self.cause, 0) end
end

local function usual_limit(finished) return math.max(20, finished / 20) end

--- A limit of failures as people write it: a number, or a share of the rows that are finished.
---@param text? string "20" or "5%"; default: more than 20, and more than 5 %
---@return fun(finished: integer): number|nil
function campaign.limit(text)
  if not text then return usual_limit end
  local share = tonumber(text:match "^(%d+%.?%d*)%%$")
  if share then
    if share > 100 then return nil end
    return function(finished) return finished < SHARE_FROM and finished or finished * share / 100 end
  end
  local most = math.tointeger(tonumber(text))
  if not most or most < 0 then return nil end
  return function() return most end
end

-- What a campaign is known by: the workflow, the file, and the values that all rows share.
local function identity(options)
  return options.script.workflow.name, options.file, core.encode(options.constants)
end

--- The id of a campaign that was begun before, or nil.
---@param book xfiot.Journal
---@param options { script: xfiot.Script, file: string, constants: table }
---@return integer?
function campaign.find(book, options)
  return book:read("run_find_campaign", identity(options))
end

--- Makes a campaign; its row in the journal is written.
---@param options { client: xfiot.Client, script: xfiot.Script, file: string, constants: table, concurrency: integer,
--- rate?: number, canary?: integer, limit: fun(finished: integer): number, wait?: number,
--- on_fault?: fun(line: integer, key: string, err: any) learns of rows that have failed without a run }
---@return xfiot.Campaign
function campaign.new(options)
  local self = setmetatable(options, Campaign)
  self.book = self.client.orders:journal()
  local file = self.book.file
  local workflow, rows, constants = identity(options)
  self.id = self.book:write(file.run_campaign,
    { workflow = workflow, file = rows, constants = constants, at = core.now() })
  local total = 0
  for _, number in pairs(self.book:read("run_counts", self.id)) do total = total + number end
  self.fresh = total == 0
  self.patience = math.min(PATIENCE, self.wait or PATIENCE)
  self.counts, self.runs = {}, {}
  self.begun, self.sending, self.waiting, self.active, self.finished, self.failures = 0, 0, 0, 0, 0, 0
  return self
end

return campaign
