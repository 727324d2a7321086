--- Picking up what earlier processes left behind: done once by a client, when a run
-- starts on a journal, or with its first order. Every intent is sent once, every accepted or suspect order is asked
-- for, every order in doubt gets a proposal if the evidence allows one.
local doubts = require "xfiot.doubts"
local errors = require "xfiot.errors"
local parallel = require "xfiot.parallel"

local recovery = {}

local AT_ONCE = 16 -- intents under way together

local GONE = { gone = true, unseen = true }
local NOT_ALIVE = { gone = true, unseen = true, self = true, near = true }

-- All orders of our company in these states whose owner is one of `owners`.
local function left_behind(book, states, owners)
  local list, after = {}, 0
  repeat
    local page = book:journal():read("list", { states = states, after = after })
    for _, row in ipairs(page) do
      after = row.row
      if book:is_ours(row) and owners[row.owner] then list[#list + 1] = row end
    end
  until #page == 0
  return list
end

-- Tells people what could not be done; the order keeps its state and its next chance.
local function attempt(say, row, fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok and say then say(("order %s: %s"):format(row.order, tostring(err))) end
end

local function is_unreached(err)
  return errors.is(err) and err.sent == false and (err.kind == "transport" or err.kind == "timeout")
end

-- Once the platform is not reached, the rest would only wait for the same.
local function send_intents(book, owners, say)
  local left, unreached = left_behind(book, { "intent" }, owners), nil
  parallel(left, function(row)
    if unreached then return end
    local ok, err = pcall(book.send, book, row)
    if ok then return end
    if is_unreached(err) then unreached = unreached or err
    elseif say then say(("order %s: %s"):format(row.order, tostring(err))) end
  end, { concurrency = AT_ONCE })
  if unreached and say then say(("orders that earlier runs left wait on: %s"):format(tostring(unreached))) end
end

-- Accepted orders, and suspect ones: a success may have come late.
local function ask(book, owners, say)
  local function tell(...) if say then say(string.format(...)) end end
  doubts.ask(book, left_behind(book, { "accepted", "suspect" }, owners), {
    failed = function(row, err) tell("order %s: %s", row.order, tostring(err)) end,
    unasked = function(count, err) tell("%d orders under way could not be asked for: %s", count, tostring(err)) end,
  })
end

local function weigh(book, owners, say)
  for _, row in ipairs(left_behind(book, { "unknown", "suspect" }, owners)) do
    if not row.proposal then attempt(say, row, doubts.weigh, book, row) end
  end
end

--- Picks up what is left. Nothing here raises but a journal that does not work.
---@param client xfiot.Client
---@param say? fun(text: string) for what could not be done
---@param gone_only? boolean leave alone what other clients of this process may be at
function recovery.start(client, say, gone_only)
  local book, owners = client.orders, gone_only and GONE or NOT_ALIVE
  book.recovered = true
  send_intents(book, owners, say)
  ask(book, owners, say)
  weigh(book, owners, say)
end

return recovery
