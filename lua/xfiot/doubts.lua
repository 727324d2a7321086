--- Orders in doubt, and those that are taken back: what the platform, a push or
-- two reports of the meter can still say about them.
local core = require "xfiot.core"
local evidence = require "xfiot.evidence"
local fate = require "xfiot.fate"
local outcomes = require "xfiot.outcomes"

local doubts = {}

-- ---- a success that comes late

--- A suspect order whose command has succeeded after all is applied: a success
--- that arrives after "expired" is still one, and is booked once.
---@param book xfiot.Book
---@param row table
---@param outcome { state: string, result?: table }
function doubts.settle_late(book, row, outcome)
  if row.state ~= "suspect" or fate.of_command(outcome, row.bill_no) ~= "applied" then return end
  local result = core.read_result(row.variant, outcome.result) or outcome.result
  book:advance(row, { to = "applied", evidence = { outcome = outcome.state, late = true, result = result } })
end

--- Asks once more for a suspect order.
---@param book xfiot.Book
---@param row table
---@return table row
function doubts.look_again(book, row)
  if row.state ~= "suspect" then return row end
  local item = book.client:queryCmd { deviceId = row.device_id, commandId = row.command_id }
  local outcome = item and item.commandId == row.command_id and outcomes.read(item)
  if outcome then doubts.settle_late(book, row, outcome) end
  return book:find(row.order)
end

-- ---- asking for the ends of orders

-- An accepted order whose command should be over, and of which the platform cannot
-- say how it ended, is no longer just under way.
local function take(book, row, answer)
  if answer.outcome then
    if row.state == "accepted" then book:settle(row, answer.outcome)
    else doubts.settle_late(book, row, answer.outcome) end
  elseif answer.lost and row.state == "accepted" and evidence.is_over(row, core.now()) then
    book:advance(row, { to = "suspect", evidence = { outcome = "lost", detail = answer.lost } })
  end
end

--- Asks for accepted and suspect orders, ten to a call, and books how they ended.
---@param book xfiot.Book
---@param rows table[]
---@param told { answered?: fun(row: table), failed: fun(row: table, err: any), unasked: fun(count: integer, err: any),
--- stopped?: fun(): boolean }
function doubts.ask(book, rows, told)
  for first = 1, #rows, outcomes.BATCH do
    if told.stopped and told.stopped() then return end
    local some = table.move(rows, first, math.min(first + outcomes.BATCH - 1, #rows), 1, {})
    local answers, err = outcomes.query(book.client, some)
    if not answers then
      told.unasked(#some, err)
      if type(err) ~= "table" or err.sent == false then return end -- nobody is there: the next ones fare no better
    end
    for _, row in ipairs(some) do
      local answer = answers and answers[row.command_id]
      local ok, why = true, nil
      if answer then ok, why = pcall(take, book, row, answer) end
      if not ok then told.failed(row, why) elseif answer and told.answered then told.answered(row) end
    end
  end
end

-- ---- a commandId that a push brings back

--- Takes the commandId of a command response push for the order that was sent
--- under its device and bill number and got no clean answer. The push is a hint:
--- the order is only accepted by it, and asked for like any other.
---@param book xfiot.Book
---@param message table typed message of push.commandResponse
---@return table|nil row the order that took it
function doubts.adopt(book, message)
  local bill_no = math.tointeger(tonumber(message.callbackData.billNo))
  if not bill_no then return nil end
  local row = book:journal():read("find", "bill", message.deviceId, bill_no)
  if not row or row.state ~= "unknown" then return nil end
  local adopted = book:advance(row, { to = "accepted", command_id = message.commandId,
    evidence = { push = { receiveTime = message.receiveTime, billNo = bill_no, commandId = message.commandId } } })
  return adopted and row or nil
end

-- ---- taking back

--- Cancels an accepted order if its command still waits. When it was sent down
--- already (500046), or nobody can tell, it stays accepted and is asked for.
---@param book xfiot.Book
---@param row table
---@return boolean cancelled
---@return xfiot.Error? err why not
function doubts.cancel(book, row)
  local done, err = book.client:cancelCmd { deviceId = row.device_id, commandId = row.command_id }
  -- whatever the answer, the command's own state decides
  local item = book.client:queryCmd { deviceId = row.device_id, commandId = row.command_id }
  local outcome = item and item.commandId == row.command_id and outcomes.read(item)
  if outcome then book:settle(row, outcome) end
  return row.state == "cancelled", not done and err or nil
end

-- ---- proposals

local function propose(book, row, proposal, reason)
  if book.client.settings.resolve_by_evidence then
    book:advance(row, { to = proposal, by = "evidence", evidence = reason })
  elseif row.proposal ~= proposal then
    book:journal():write(function(file)
      return file:note { order = row.order, at = core.now(), proposal = proposal, evidence = core.encode(reason) }
    end)
  end
end

--- Compares reports for an order in doubt whose command has expired, and notes
--- what they say; resolves it only if the settings allow that.
---@param book xfiot.Book
---@param row table
function doubts.weigh(book, row)
  if not evidence.is_ripe(row, core.now()) then return end
  local message = book.client:queryReportData { deviceId = row.device_id, msgType = "0" }
  if not message or message.deviceId ~= row.device_id then return end
  local over = evidence.expiry(row, book:evidence(row, "sent"), book.client:clock_ahead())
  if not over then return end
  local rivals = book:journal():read("list", { device_no = row.device_no, since = row.created_at })
  local proposal, reason = evidence.judge(row, message, rivals, over)
  if proposal then propose(book, row, proposal, reason) end
end

return doubts
