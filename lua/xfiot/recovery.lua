--- Picking up what earlier processes left behind: done once when a run starts on
-- a journal. Every intent is sent once, every accepted or suspect order is asked
-- for, every order in doubt gets a proposal if the evidence allows one.
local doubts = require "xfiot.doubts"
local outcomes = require "xfiot.outcomes"

local recovery = {}

local BATCH = 10 -- ids of one batchQueryCmd (2.3)

-- All orders of our company in these states that no living process works on.
local function left_behind(book, states)
  local list, after = {}, 0
  repeat
    local page = book:journal():read("list", { states = states, after = after })
    for _, row in ipairs(page) do
      after = row.row
      if row.company_code == book.client.company_code and row.owner ~= "alive" then list[#list + 1] = row end
    end
  until #page == 0
  return list
end

-- Tells people what could not be done; the order keeps its state and its next chance.
local function attempt(say, row, fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok and say then say(("order %s: %s"):format(row.order, tostring(err))) end
end

local function send_intents(book, say)
  for _, row in ipairs(left_behind(book, { "intent" })) do attempt(say, row, book.send, book, row) end
end

-- Accepted orders, and suspect ones: a success may have come late.
local function ask(book, say)
  local rows = left_behind(book, { "accepted", "suspect" })
  for first = 1, #rows, BATCH do
    local ids, by_id = {}, {}
    for i = first, math.min(first + BATCH - 1, #rows) do
      ids[#ids + 1] = rows[i].command_id
      by_id[rows[i].command_id] = rows[i]
    end
    local list, err = book.client:batchQueryCmd { commandIds = ids }
    if not list then
      if say then say(("orders under way could not be asked for: %s"):format(tostring(err))) end
      return
    end
    for _, item in ipairs(list) do
      local row, outcome = by_id[item.commandId], outcomes.read(item)
      if row and outcome then
        local settle = row.state == "accepted" and book.settle or doubts.settle_late
        attempt(say, row, settle, book, row, outcome)
      end
    end
  end
end

local function weigh(book, say)
  for _, row in ipairs(left_behind(book, { "unknown", "suspect" })) do
    if not row.proposal then attempt(say, row, doubts.weigh, book, row) end
  end
end

--- Picks up what is left. Nothing here raises but a journal that does not work.
---@param client xfiot.Client
---@param say? fun(text: string) for what could not be done
function recovery.start(client, say)
  local book = client.orders
  send_intents(book, say)
  ask(book, say)
  weigh(book, say)
end

return recovery
