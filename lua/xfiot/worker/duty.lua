--- What the worker does for orders besides pushes: it picks up what was left
-- behind, asks for accepted orders, ever more slowly, looks for responses that came
-- early, and weighs what is in doubt.
local census = require "xfiot.worker.census"
local core = require "xfiot.core"
local doubts = require "xfiot.doubts"
local loop = require "xfiot.loop"
local proofs = require "xfiot.proofs"
local runs = require "xfiot.runs"

local duty = {}

local EVERY = 15            -- seconds between two rounds
local SOON = 2              -- the same while an order is on its way: its response may come before its reply
local FIRST_PAUSE, LAST_PAUSE = 15, 3600 -- seconds between two questions for one order
local SHARE = 10            -- a question every tenth of its age
local NOBODY = { gone = true, unseen = true } -- owners that will not send their intents themselves
local OPEN = { "intent", "sent", "accepted", "suspect", "unknown" }

---@class xfiot.Duty
local Duty = {}
Duty.__index = Duty

-- ---- what there is

-- For the receiver's figures: all orders of the journal, by state.
local function tell_counts(self, journal, now)
  if self.hurry and now < self.told_at + EVERY then return end
  self.told_at = now
  local parts = {}
  for state, n in pairs(self.census:take(function(...) return journal:read(...) end)) do
    parts[#parts + 1] = ("%s=%d"):format(state, n)
  end
  table.sort(parts)
  self.tell("orders " .. table.concat(parts, " "))
end

-- All open orders of our company.
local function survey(self)
  local book, rows, after = self.client.orders, {}, 0
  local sent = false
  book:journal():read("recover", core.now())
  repeat
    local page = book:journal():read("list", { states = OPEN, after = after })
    for _, row in ipairs(page) do
      after = row.row
      if book:is_ours(row) then
        rows[#rows + 1] = row
        sent = sent or row.state == "sent"
      end
    end
  until #page == 0
  self.hurry = sent
  tell_counts(self, book:journal(), core.now())
  return rows
end

local function is_due(self, row, now)
  local at = self.asked[row.order]
  if not at then return true end
  return now >= at + math.max(FIRST_PAUSE, math.min(LAST_PAUSE, (now - row.created_at) / SHARE))
end

-- ---- what is done

local function attempt(self, row, fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok then self.log("order_waits", { order = row.order, state = row.state, reason = tostring(err) }) end
  return ok and err or nil
end

local function ask(self, rows)
  doubts.ask(self.client.orders, rows, {
    stopped = function() return self.stopped end,
    answered = function(row) self.log("order_asked", { order = row.order, state = row.state }) end,
    failed = function(row, err)
      self.log("order_waits", { order = row.order, state = row.state, reason = tostring(err) })
    end,
    unasked = function(count, err) self.log("orders_not_asked", { count = count, reason = tostring(err) }) end,
  })
end

-- The response may have come before anybody knew that the reply was lost; later
-- the meter's reports may tell.
local function doubt(self, row)
  local book = self.client.orders
  local state = row.state
  local now = state == "unknown" and attempt(self, row, proofs.seek, book, row) or row
  if now.state ~= state then self.log("order_found", { order = row.order, state = now.state }) end
  if (now.state == "unknown" or now.state == "suspect") and not now.proposal then
    attempt(self, now, doubts.weigh, book, now)
  end
end

local function round(self)
  local now, asked, in_doubt, to_send, to_ask, to_weigh = core.now(), {}, {}, {}, {}, {}
  local reports = self.reports
  self.reports = {}
  for _, row in ipairs(survey(self)) do
    local doubtful = row.state == "unknown" or row.state == "suspect"
    if doubtful then in_doubt[row.device_id] = true end
    asked[row.order] = self.asked[row.order]
    if row.state == "intent" and NOBODY[row.owner] then
      to_send[#to_send + 1] = row
    elseif row.state ~= "intent" and row.state ~= "sent" and (reports[row.device_id] or is_due(self, row, now)) then
      asked[row.order] = now
      if row.command_id then to_ask[#to_ask + 1] = row end
      if doubtful then to_weigh[#to_weigh + 1] = row end
    end
  end
  self.asked, self.in_doubt = asked, in_doubt
  for _, row in ipairs(to_send) do
    if self.stopped then return end
    attempt(self, row, self.client.orders.send, self.client.orders, row)
  end
  ask(self, to_ask)
  for _, row in ipairs(to_weigh) do
    if self.stopped then return end
    doubt(self, row)
  end
end

-- ---- outside

--- A device has reported: an order of its own that is in doubt is weighed soon.
---@param device_id string
function Duty:reported(device_id)
  if not self.in_doubt[device_id] then return end
  self.reports[device_id] = true
  if self.bell then loop.notify(self.bell) end
end

--- Whether orders may be moved on: not on a journal that is a copy.
---@return boolean
function Duty:holds_orders()
  if self.usable then return true end
  local ok, err = pcall(self.client.orders.journal, self.client.orders)
  self.usable = ok
  if not ok and not self.told then
    self.told = true
    self.log("orders_held", { reason = tostring(err) })
  end
  return ok
end

--- Goes on until stop(); a task of its own. `busy` tells whether it is at an order.
function Duty:run()
  while not self.stopped do
    if self:holds_orders() then
      self.busy = true
      local ok, err = pcall(round, self)
      self.busy = false
      if not ok then self.log("orders_not_kept_going", { reason = tostring(err) }) end
      runs.bring_back(self.client, self.log, function() return self.stopped end)
    end
    self.bell = {}
    if not self.stopped then loop.wait(self.bell, self.hurry and math.min(SOON, self.every) or self.every) end
    if not self.stopped then loop.sleep(math.min(self.every, 1)) end -- many reports are one reason to look
  end
end

function Duty:stop()
  self.stopped = true
  if self.bell then loop.notify(self.bell) end
end

---@param options { client: xfiot.Client, log: fun(event: string, fields?: table), tell: fun(text: string),
--- every?: number seconds between two rounds }
---@return xfiot.Duty
function duty.new(options)
  return setmetatable({ client = options.client, log = options.log, tell = options.tell, asked = {}, in_doubt = {},
                        reports = {}, census = census.new(), told_at = 0, every = options.every or EVERY }, Duty)
end

return duty
