--- One push to its end: counted, written down, matched to its order, handed to
-- the handlers, and settled in the journal as done, to be tried again, or failed.
local call = require "xfiot.worker.call"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local gaps = require "xfiot.gaps"
local handlers = require "xfiot.handlers"
local messages = require "xfiot.worker.messages"
local proofs = require "xfiot.proofs"
local workflow = require "xfiot.workflow"

local push = {}

local ATTEMPTS = handlers.attempts -- then a push whose handler fails is parked
local PATIENCE = 200       -- attempts, where it is the world that fails: about a day and a half
local LONGEST_PAUSE = 600  -- seconds between two attempts
local TRACE_MOST, REASON_MOST = 8000, 500 -- bytes of a traceback, and of its first line, that are kept
local WAITS = "waits: "    -- begins the reason of a push that the world holds up
local NOT_A_LIST = "not_a_list"
local SMALL = 8192         -- bytes of a body whose messages are kept from the desk to the work

-- Seconds before attempt n + 1.
local function pause_after(n) return math.min(LONGEST_PAUSE, 2 ^ (math.min(n, 11) - 1) // 1 | 0) end

-- A failure that says "not now": the platform or the meter has not answered.
local function is_world(cause)
  return errors.is(cause) and (cause.kind == "timeout" or cause.kind == "transport")
end

-- ---- what a handler is given

local Order = { "order", "state", "device_no", "device_id", "method", "bill_no", "amount", "command_id", "code" }

local function describe_order(row)
  local order = {}
  for _, name in ipairs(Order) do order[name] = row[name] end
  return order
end

local function context_of(worker, row, entry, name, order)
  local id = entry and ("%d.%d.%s"):format(row.id, entry.index, name) or ("%d.%s"):format(row.id, name)
  return workflow.flow(worker.client, {
    key = id, -- the same at every attempt
    id = row.id, -- of the push
    attempt = row.attempts + 1,
    push = { id = row.id, kind = row.kind, trans_id = row.trans_id, received_at = row.received_at,
             fetched = row.headers == gaps.fetched or nil },
    index = entry and entry.index,
    notes = entry and entry.notes,
    order = order and describe_order(order),
    log = function(_, ...)
      local parts = {}
      for i = 1, select("#", ...) do parts[i] = tostring((select(i, ...))) end
      worker.log("handler", { key = id, text = table.concat(parts, " ") })
    end,
  })
end

-- Calls one handler. What has succeeded is not called again by this process.
local function hand_over(worker, held, key, name, message, context)
  local fn = worker.handlers[name]
  if not fn or held.told[key] then return true end
  worker:begin_call(held.id)
  local ok, cause, text = call.handler(worker.client.settings.handler_timeout, fn, message, context)
  if ok then held.told[key] = true end
  return ok, cause, text
end

-- ---- how it ends

local function finish(worker, step)
  step.at = core.now()
  worker:write(function(file) return file:push_finish(step) end)
end

-- Text of a handler's as the journal and its readers take it.
local function clean(text, most)
  text = tostring(text):sub(1, most)
  -- cut inside a character
  while #text > most - 4 and not core.measure(text) do text = text:sub(1, -2) end
  if not core.measure(text) then text = text:gsub("[\x80-\xff]", "?") end
  return (text:gsub("%z", "\\0"))
end

local function first_line(text) return clean(text:match "^[^\n]*", REASON_MOST) end

-- After a failed attempt. Returns when the next one is, or nil when it is parked.
local function fail(worker, row, held, cause, text)
  local attempts, world = row.attempts + 1, is_world(cause)
  local reason = (world and WAITS or "") .. first_line(tostring(cause))
  local step = { id = row.id, reason = reason, traceback = clean(text, TRACE_MOST), device_ids = held.device_ids }
  local parked = attempts >= (world and PATIENCE or ATTEMPTS)
  if not parked then step.next_at = core.now() + pause_after(attempts) end
  if row.state == "quarantined" then
    step.to, step.reason = "quarantined", nil -- why it is there stays
  else
    step.to = parked and "failed" or "new"
  end
  finish(worker, step)
  worker.log(parked and "push_parked" or "push_failed", { id = row.id, attempt = attempts, reason = reason,
    next_at = step.next_at and core.timestamp(step.next_at) })
  return step.next_at
end

-- ---- the two kinds of work

-- Newest report and alarm of each device.
local function see(file, row, list)
  for _, entry in ipairs(list) do
    if not entry.faults and entry.kind == "report" then
      local message = entry.message
      local at = row.headers == gaps.fetched and core.parse_timestamp(message.receiveTime) or row.received_at
      local sighting = { device_id = message.deviceId, seen_at = at }
      for _, name in ipairs(entry.handlers) do
        sighting[name], sighting[name .. "_time"] = entry.kept, message.receiveTime
      end
      local ok, why = file:see(sighting)
      if not ok then error(why, 0) end
    end
  end
end

-- What of a message concerns orders; its failure is no failure of the push.
local function concern_orders(worker, entry)
  local message = entry.message
  if entry.kind == "report" then
    worker.duty:reported(message.deviceId)
    return nil
  end
  if not worker.duty:holds_orders() then return nil end
  local ok, order = pcall(proofs.response, worker.client.orders, message)
  if ok then return order end
  worker.log("order_not_asked", { device_id = message.deviceId, reason = first_line(tostring(order)) })
end

local function handle_messages(worker, row, held, list)
  for _, entry in ipairs(list) do
    local order = #entry.handlers > 0 and concern_orders(worker, entry) or nil
    for _, name in ipairs(entry.handlers) do
      local context = context_of(worker, row, entry, name, order)
      local ok, cause, text = hand_over(worker, held, context.key, name, entry.message, context)
      if not ok then return false, cause, text end
    end
  end
  return true
end

-- A push that is to be looked at: its handler is told in a pass of its own.
local function quarantine(worker, row, held, reason, list)
  finish(worker, { id = row.id, to = "quarantined", reason = reason, next_at = core.now(),
                   note = list and messages.note(list), device_ids = held.device_ids })
  worker.log("push_quarantined", { id = row.id, reason = reason })
  return core.now()
end

local function work_new(worker, row, held, list, why)
  if not list then return quarantine(worker, row, held, NOT_A_LIST .. ": " .. why) end
  local ok, cause, text = handle_messages(worker, row, held, list)
  if not ok then return fail(worker, row, held, cause, text) end
  local faults = messages.faults(list)
  if faults then return quarantine(worker, row, held, "not_as_documented: " .. faults, list) end
  finish(worker, { id = row.id, to = "done", note = messages.note(list), device_ids = held.device_ids })
  worker.log("push_done", { id = row.id, kind = row.kind, messages = #list })
end

local function work_quarantined(worker, row, held, list)
  local message = { id = row.id, kind = row.kind, trans_id = row.trans_id, reason = row.reason,
                    received_at = row.received_at, body = row.body, headers = row.headers, messages = list }
  local context = context_of(worker, row, nil, "quarantine")
  local ok, cause, text = hand_over(worker, held, context.key, "quarantine", message, context)
  if not ok then return fail(worker, row, held, cause, text) end
  finish(worker, { id = row.id, to = "quarantined", device_ids = held.device_ids })
  worker.log("push_quarantined", { id = row.id, reason = row.reason, told = worker.handlers.quarantine ~= nil })
end

-- Its attempts have ended the process so often that it is left to a person.
local function is_deadly(row)
  return row.attempts >= ATTEMPTS and not (row.reason and row.reason:sub(1, #WAITS) == WAITS)
end

local function park(worker, row, held)
  local reason = ("its handler has ended the worker %d times"):format(row.attempts)
  finish(worker, { id = row.id, to = row.state == "quarantined" and "quarantined" or "failed",
                   reason = row.state ~= "quarantined" and reason or nil, traceback = reason,
                   device_ids = held.device_ids })
  worker.log("push_parked", { id = row.id, attempt = row.attempts, reason = reason })
end

--- Lays out a push for the desk.
---@param row table of the journal, with its body
---@param now? integer its process has just ended: its pause begins now
---@return table held { id=, devices=, next_at=, alone=, fresh=, told=, device_ids=, list= }
function push.lay(row, now)
  local list = messages.read(row)
  local devices = list and messages.devices(list) or {}
  -- counted, and nothing was heard of it: the attempt took the process with it
  local alone = row.attempts > 0 and row.traceback == nil and not is_deadly(row)
  return {
    id = row.id, devices = devices, told = {}, fresh = row.attempts == 0, alone = alone,
    next_at = alone and now and math.max(row.next_at, now + pause_after(row.attempts)) or row.next_at,
    list = #row.body <= SMALL and list or nil,
    device_ids = core.encode(core.array(devices)),
  }
end

--- Works on a push that was taken from the desk. Raises when the journal fails.
---@param worker xfiot.Worker
---@param held table
---@return integer|nil next_at when it is to be taken again; nil: there is no more to do
function push.work(worker, held)
  local row = worker.journal:read("push_find", held.id)
  if not row or not row.next_at then return nil end -- a person has decided about it
  if is_deadly(row) then return park(worker, row, held) end
  local list, why = held.list, nil
  held.list = nil -- handlers may have changed the messages by the next attempt
  if not list then list, why = messages.read(row) end
  local begun = worker:write(function(file)
    local counted, cannot = file:push_begin(row.id, core.now() + pause_after(row.attempts + 1))
    if counted == nil then error(cannot, 0) end
    if counted and list and row.state == "new" then see(file, row, list) end
    return counted
  end)
  if not begun then return nil end
  local work = row.state == "new" and work_new or work_quarantined
  return work(worker, row, held, list, why)
end

return push
