--- What a command response push is worth for money: it says when to ask. The
-- token of a push covers neither its body nor its address, so an order is moved
-- on by what the platform answers over the client, never by the push alone.
local core = require "xfiot.core"
local doubts = require "xfiot.doubts"
local outcomes = require "xfiot.outcomes"

local proofs = {}

local EARLY = 300 -- seconds a response may seem to come before its order: clocks differ

local function bill_of(message) return math.tointeger(tonumber(message.callbackData.billNo)) end

-- What the platform itself says about the command of a response, or nil.
local function ask(book, message)
  local item = book.client:queryCmd { deviceId = message.deviceId, commandId = message.commandId }
  return item and item.commandId == message.commandId and item or nil
end

-- Whether the command has ended by the platform's own word, and its result names no
-- other bill. One that still waits may be anybody's: there is time.
local function agrees(item, row)
  local detail = item.resultDetail
  local bill_no = type(detail) == "table" and math.tointeger(tonumber(detail.billNo)) or row.bill_no
  return outcomes.read(item) ~= nil and bill_no == row.bill_no
end

local function settle(book, row, item)
  book.client.outcomes:nudge(item.commandId) -- whoever waits for it in this process
  local outcome = outcomes.read(item)
  if not outcome then return end
  if row.state == "accepted" then book:settle(row, outcome) else doubts.settle_late(book, row, outcome) end
end

--- Asks about the order that a response push may belong to, and writes down what
--- the platform answers. When it cannot be asked nothing changes: whoever keeps the
--- orders going asks again.
---@param book xfiot.Book
---@param message table typed message of push.commandResponse
---@return table|nil row the order, as it stands now
function proofs.response(book, message)
  local row = book:journal():read("find", "command", message.commandId)
  if row then
    if row.device_id ~= message.deviceId then return nil end
    if row.state ~= "accepted" and row.state ~= "suspect" then return row end
    local item = ask(book, message)
    if item then settle(book, row, item) end
    return book:find(row.order)
  end
  local bill_no = bill_of(message)
  row = bill_no and book:journal():read("find", "bill", message.deviceId, bill_no)
  if not row or row.state ~= "unknown" then return row end
  local item = ask(book, message)
  if not item or not agrees(item, row) then return row end
  local adopted = doubts.adopt(book, message)
  if adopted then settle(book, adopted, item) end
  return book:find(row.order)
end

-- Messages of a push that name the order's bill.
local function answers(body, row)
  local list = core.read_messages("response", body) or {}
  local i = 0
  return function()
    while true do
      i = i + 1
      local entry = list[i]
      if not entry then return nil end
      if entry.kind == "response" and not entry.faults and entry.message.deviceId == row.device_id
        and bill_of(entry.message) == row.bill_no then
        return entry.message
      end
    end
  end
end

--- Looks among the pushes received for the response to an order in doubt. It may
--- have come while nobody knew yet that the reply was lost.
---@param book xfiot.Book
---@param row table an unknown order
---@return table row as it stands now
function proofs.seek(book, row)
  local journal, after = book:journal(), 0
  if not row.bill_no then return row end
  repeat
    local page = journal:read("push_list", { device_id = row.device_id, since = row.created_at - EARLY, after = after })
    for _, push in ipairs(page) do
      after = push.id
      -- what is quarantined has no effect on money
      local full = push.state ~= "quarantined" and journal:read("push_find", push.id)
      for message in full and answers(full.body, row) or function() end do
        local now = proofs.response(book, message)
        if now and now.state ~= "unknown" then return now end
      end
    end
  until #page == 0
  return row
end

return proofs
