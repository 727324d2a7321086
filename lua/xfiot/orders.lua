--- Orders: commands that move money or change an account. An order has an id of
-- the caller's, is written to the journal before it is sent, is sent at most
-- once, and only one is open per meter.
local core = require "xfiot.core"
local doubts = require "xfiot.doubts"
local errors = require "xfiot.errors"
local failures = require "xfiot.failures"
local fate = require "xfiot.fate"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"

local orders = {}

local RETRY_PAUSES = { 0.5, 2 } -- seconds; only a request that was never let go is sent again
local LOCK_WAIT = 60            -- seconds for a meter's turn when orders are picked up again
local LOOK_PAUSE = 0.5          -- seconds between looks at an order that another process works on

local CREATE = core.operations().creatCmd.operation

local witness = function() end -- learns which orders are in doubt

--- Lets the host program learn which orders need a person's decision.
---@param fn fun(order: string, in_doubt: boolean)
function orders.set_witness(fn)
  witness = fn
end

---@class xfiot.Book
---@field client xfiot.Client
local Book = {}
Book.__index = Book

---@param client xfiot.Client
---@return xfiot.Book
function orders.new(client)
  -- receipts: as long as somebody keeps one, the same order gives the same
  return setmetatable({ client = client, locks = {}, receipts = setmetatable({}, { __mode = "v" }) }, Book)
end

--- The journal, opened when it is needed first.
---@return xfiot.Journal
function Book:journal()
  if not self.open_journal then
    self.open_journal = journal.open(self.client.settings.journal)
    if self.open_journal.file:moved() then
      local err = journal.failure(select(2, self.open_journal.file:moved()))
      err.remedy = "No money moves on it before every meter is reconciled; then: xfiot orders accept-journal."
      self.open_journal = nil
      error(err, 0)
    end
    self.open_journal:read("recover", core.now())
  end
  return self.open_journal
end

-- ---- one task at a time works on a meter

-- A task's turn with a meter: what it waits for, if others are before it.
local Turn = {}

--- Waits for a meter's turn; the result gives it back when it is closed.
---@param device_no string
---@param seconds number
function Book:lock(device_no, seconds)
  local turn = setmetatable({ book = self, device_no = device_no }, Turn)
  local queue = self.locks[device_no]
  if not queue then
    self.locks[device_no] = {}
    return turn
  end
  queue[#queue + 1] = turn
  if not loop.wait(turn, seconds) then
    turn.given_up = true
    error(failures.no_turn(device_no), 0)
  end
  return turn
end

function Turn:__close()
  local locks = self.book.locks
  local queue = locks[self.device_no]
  local following
  repeat following = table.remove(queue, 1) until not following or not following.given_up
  if following then loop.notify(following) else locks[self.device_no] = nil end
end

-- ---- the journal's side

--- Moves an order on; the row is brought up to date.
---@param row table of the journal
---@param step table see the core's journal:advance; evidence may be a table
---@return boolean done false when the order was elsewhere already
function Book:advance(row, step)
  step.order, step.at = row.order, core.now()
  if type(step.evidence) == "table" then step.evidence = core.encode(step.evidence) end
  local book = self:journal()
  local result, state = book:write(book.file.advance, step)
  if not result then error(journal.failure(state), 0) end
  row.state = state
  if result == "done" then
    row.command_id, row.code = step.command_id or row.command_id, step.code and tostring(step.code) or row.code
  end
  return result == "done"
end

--- Whether an order is for the account of our client at the platform: with another's
--- key it would be sent to the wrong one.
---@param row table
---@return boolean
function Book:is_ours(row)
  local mine = self.client.settings.merchant_id
  return row.company_code == self.client.company_code
    and (row.merchant_id == nil or mine == nil or row.merchant_id == mine)
end

--- An order as the journal has it now, or nil.
---@param id string
---@return table|nil row
function Book:find(id)
  return self:journal():read("find", "id", id)
end

--- The evidence of the last line of an order's history that led to a state, or
--- stayed in it.
---@param row table
---@param state string
---@return table evidence
function Book:evidence(row, state)
  local evidence
  local after = 0
  repeat
    local page = self:journal():read("history", row.order, after)
    for _, line in ipairs(page) do
      after = line.seq
      if line.to == state and line.evidence then
        evidence = core.decode(line.evidence) or { detail = line.evidence }
      end
    end
  until #page == 0
  return evidence or {}
end

-- ---- sending

local function describe_call(call_fate, code, result, message)
  if call_fate == "answered" then
    if message == "" and code ~= "100000" and type(result) == "string" then message = result end -- C6
    return { fate = call_fate, code = code, message = message }
  end
  local evidence = code
  return { fate = call_fate, detail = evidence.why, curl = evidence.curl, http_status = evidence.status,
           released = evidence.released, timed_out = evidence.timed_out, phases = evidence.phases,
           excerpt = core.measure(evidence.excerpt) and evidence.excerpt or nil, address = evidence.address }
end

-- What the line of `sent` says of the clocks, for whoever must know later when the
-- command expires: the computer's may be wrong, the platform's decides.
local function describe_clock(client)
  local ahead = client:clock_ahead()
  return ahead and ('{"platform_ahead":%d}'):format(ahead)
end

-- Sends a frozen order once. Returns whether it was let go; what came of it is in
-- the journal, and in the row.
local function send_once(self, row)
  local client = self.client
  loop.check()
  local call, sending = core.send_order(client.transport, client.signer, self:journal().file, row.order,
    row.device_id, row.body, client.settings.timeout, row.state == "sent", describe_clock(client))
  if not call then error(journal.failure(sending), 0) end
  loop.await(call)
  sending:disarm()
  if sending:is_marked() then row.state = "sent" end
  local call_fate, code, result, message, date = core.finish(call, CREATE)
  if date then client:see_date(date) end
  local state = fate.of_order(call_fate, call_fate == "answered" and code or nil)
  local evidence = describe_call(call_fate, code, result, message)
  if state == "intent" then
    return false, evidence, sending:why()
  end
  local step = {
    to = state, evidence = evidence, command_id = state == "accepted" and result or nil,
    code = call_fate == "answered" and state ~= "accepted" and math.tointeger(tonumber(code)) or nil,
  }
  if not self:advance(row, step) and state == "accepted" then
    -- a commandId that is another order's says nothing about this one
    evidence.command_id = result
    self:advance(row, { to = "unknown", evidence = evidence })
  end
  return true, evidence
end

-- Sends, and again only if the request was surely never let go.
local function send(self, row)
  local evidence, refused
  for attempt = 1, #RETRY_PAUSES + 1 do
    local released
    released, evidence, refused = send_once(self, row)
    if released then return end
    if refused then
      if self:find(row.order).state == "intent" then error(failures.unmarked(row, refused), 0) end
      row.state = nil
      return -- another process was faster
    end
    if evidence.curl == 60 or attempt > #RETRY_PAUSES then break end -- a certificate does not mend itself
    loop.sleep(RETRY_PAUSES[attempt])
  end
  if row.state == "sent" then
    -- marked together with others that did go out, and then never let go: nobody
    -- after us could tell, so it is for a person, with this as the evidence
    self:advance(row, { to = "unknown", evidence = evidence })
    return
  end
  error(failures.unsent(row, evidence), 0)
end

-- ---- an order to its end

local function make_receipt(row, result)
  return {
    order = row.order, device_no = row.device_no, device_id = row.device_id, method = row.method,
    bill_no = row.bill_no, amount = row.amount, state = "applied", command_id = row.command_id,
    surplus = result and result.surplusValue, result = result,
  }
end

-- Asks for an accepted order's end and books it.
local function ask(self, row, deadline)
  if core.clock() >= deadline then error(failures.timeout(row.method, row.order, row.command_id), 0) end
  local seconds = math.max(0, deadline - core.clock())
  local outcome, cause = self.client.outcomes:wait(row.command_id, seconds, row.device_id)
  if not outcome then error(failures.timeout(row.method, row.order, row.command_id, cause), 0) end
  if outcome.error then error(failures.unasked(row, outcome.error), 0) end
  self:settle(row, outcome)
end

-- Books the end of an accepted order.
---@param row table
---@param outcome { state: string, result?: table } see xfiot.outcomes
function Book:settle(row, outcome)
  local result = outcome.result
  if type(result) == "table" then result = core.read_result(row.variant, result) or result end
  local state, said = fate.of_command(outcome, row.bill_no)
  self:advance(row, { to = state, evidence = { outcome = said, result = result } })
  if row.state == "applied" then row.result = result end
end

local steps = {}

function steps.intent(self, row) send(self, row) end

-- Another process works on it, or its process is gone: then nobody knows.
function steps.sent(self, row, deadline)
  self:journal():read("recover", core.now())
  row.state = nil -- whatever it is now
  if self:find(row.order).state ~= "sent" then return end
  if core.clock() >= deadline then error(failures.timeout(row.method, row.order), 0) end
  loop.sleep(LOOK_PAUSE)
end

function steps.accepted(self, row, deadline) ask(self, row, deadline) end

local ENDS = { applied = true, rejected = true, cancelled = true, unknown = true, suspect = true, not_applied = true }

--- Brings an order as far as it goes by itself; the meter's turn must be ours.
---@param row table of the journal
---@param deadline number on core.clock()
---@return table row at one of the ends
function Book:drive(row, deadline)
  if not ENDS[row.state] and not self:is_ours(row) then error(failures.elsewhere(row), 0) end
  while not ENDS[row.state] do
    steps[row.state](self, row, deadline)
    if not row.state then row = self:find(row.order) end
  end
  return row
end

--- Sends an intent that its process left behind, once, and writes down what came of it.
---@param row table
function Book:send(row)
  local turn <close> = self:lock(row.device_no, LOCK_WAIT) -- luacheck: ignore 211
  row = self:find(row.order)
  if row.state == "intent" then send(self, row) end
end

-- The receipt of an order at its end; raises what the end is, unless it is applied.
local function close(self, row)
  local receipt = self.receipts[row.order]
  if receipt then return receipt end
  local evidence = row.result and { result = row.result } or self:evidence(row, row.state)
  witness(row.order, row.state == "unknown" or row.state == "suspect")
  if row.state ~= "applied" then error(failures.of_order(row, evidence), 0) end
  receipt = make_receipt(row, evidence.result)
  self.receipts[row.order] = receipt
  return receipt
end

-- ---- placing

local function refuse_other_content(request)
  error(errors.bad_argument(request.verb, "order",
    ("%q was used for something else; an order id is unique for ever"):format(request.order),
    ("订单号 %s 已用于其他内容，订单号永不重复使用"):format(request.order)), 0)
end

-- Writes the intent: bill number, frozen body and all in one commit.
local function write_intent(file, request)
  local bill, company_code, thousandths = request.bill_no, request.meter.client.company_code, request.amount_thousandths
  if request.takes_bill and not bill then
    local why
    bill, why = file:next_bill(company_code, request.device_no)
    if not bill then return "bills_used_up", why end
  end
  local body, variant = request:freeze(bill)
  local row = {
    order = request.order, company_code = company_code, merchant_id = request.meter.client.settings.merchant_id,
    device_no = request.device_no, device_id = request.device_id, method = request.verb_row.method, variant = variant,
    bill_no = bill, amount = thousandths and core.decimal_text(thousandths, 2), amount_thousandths = thousandths,
    body = body, expire_time = request.expire_time, last_report = request.last_report, created_at = core.now(),
    state = "intent", command_id = nil, code = nil,
  }
  request.row = row
  return file:place(row, request.content)
end

local function place_once(self, request)
  local placed, why, blocking = self:journal():write(write_intent, request)
  if not placed then error(journal.failure(why), 0) end
  if placed == "conflict" then refuse_other_content(request) end
  if placed == "bill_repeated" or placed == "bills_used_up" then
    error(failures.bill(request.verb, placed == "bill_repeated"), 0)
  end
  if placed == "same" then request.row = self:find(request.order) end -- another process was faster
  return placed == "blocked" and blocking or nil
end

-- An order in the way is brought to its end first: the next one waits its turn.
local function place(self, request, deadline)
  while true do
    local blocking = place_once(self, request)
    if not blocking then return request.row end
    local ok, row = pcall(self.drive, self, self:find(blocking), deadline)
    if not ok then error(failures.behind(request, blocking, row), 0) end
    row = doubts.look_again(self, row)
    if row.state == "unknown" or row.state == "suspect" then
      witness(row.order, true)
      error(failures.blocked(request, row), 0)
    end
  end
end

local function bring_home(self, row, deadline)
  return doubts.look_again(self, self:drive(row, deadline))
end

-- A journal that fails once the order may have gone out leaves it in doubt.
local function tell_sent(err, row)
  if errors.is(err) and err.operation == "journal" and row.state ~= "intent" then
    err.kind, err.sent, err.order = "unknown", row.state == "sent" and "maybe" or true, row.order
    err.remedy = "The order has gone out. Mend the journal's disk, then repeat the same order id: "
      .. "it sends nothing twice."
  end
  return err
end

--- Finds the order of a request, or places it; brings it to its end.
---@param request table { order, content, device_no, freeze, ... }, see xfiot.settle
---@param complete fun(request: table) fills in what only the platform knows; called for a new order only
---@param seconds number how long to wait for the meter
---@return table receipt
---@return table row of the journal
function Book:perform(request, complete, seconds)
  local deadline = core.clock() + seconds
  -- with the first order: what processes that are gone have left; not within the meter's turn
  if not self.recovered then require("xfiot.recovery").start(self.client, nil, true) end
  local turn <close> = self:lock(request.device_no, seconds) -- luacheck: ignore 211
  local row = self:find(request.order)
  if row and row.fingerprint ~= self:journal():read("fingerprint", request.content) then
    refuse_other_content(request)
  end
  if not row then
    local known, why = pcall(complete, request)
    if not known then error(failures.unplaced(request, why), 0) end
    row = place(self, request, deadline)
  end
  local ok, result = pcall(bring_home, self, row, deadline)
  if not ok then error(tell_sent(result, row), 0) end
  return close(self, result), result
end

return orders
