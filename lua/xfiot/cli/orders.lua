--- xfiot orders: what the journal holds of orders, and a person's word on those
-- in doubt.
local acceptance = require "xfiot.cli.acceptance"
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local doubts = require "xfiot.doubts"
local evidence = require "xfiot.evidence"
local rows = require "xfiot.cli.order_list"
local shared = require "xfiot.cli.journal"

local STATES = { "intent", "sent", "accepted", "applied", "suspect", "cancelled", "rejected", "unknown", "not_applied" }

local actions = {}

function actions.list(options)
  local book, values = shared.open(false)
  local filter = shared.filter(options, STATES)
  filter.device_no = options.device
  if not book then return cli.DONE end
  if not options.json then cli.out(rows.heading()) end
  for row in rows.each(book, filter, values.company_code) do
    cli.out(options.json and rows.as_json(row) or rows.as_text(row))
  end
  return cli.DONE
end

local function find(book, id)
  local row = book and book:read("find", "id", id)
  if not row then cli.usage(("there is no order %q"):format(tostring(id))) end
  row.state = rows.state(row)
  return row
end

local function history_of(book, row)
  local list, after = {}, 0
  repeat
    local page = book:read("history", row.order, after)
    table.move(page, 1, #page, #list + 1, list)
    after = #page > 0 and page[#page].seq
  until not after
  return list
end

local EARLY = 300 -- seconds a push may seem to come before its order: clocks differ

-- The pushes about the order's meter since then, oldest first, in short.
local function pushes_since(book, row)
  local list, after = {}, 0
  repeat
    local page = book:read("push_list", { device_id = row.device_id, since = row.created_at - EARLY, after = after })
    for _, push in ipairs(page) do
      after = push.id
      list[#list + 1] = { id = push.id, kind = push.kind, state = push.state, received_at = push.received_at,
                          reason = push.reason }
    end
  until #page == 0
  return list
end

local function show_pushes(book, row)
  local list = pushes_since(book, row)
  if #list > 0 then cli.out "pushes about the meter since (xfiot inbox show ID)" end
  for _, push in ipairs(list) do
    cli.out(("  %s  %-12s %s %s%s"):format(core.timestamp(push.received_at), push.kind, push.id, push.state,
      push.reason and ("  " .. push.reason) or ""))
  end
end

-- The evidence sheet: what was asked, what was sent, and all that happened.
function actions.show(options)
  if not options.id then cli.usage "orders show needs an order id" end
  local book = shared.open(false)
  local row = find(book, options.id)
  local history = history_of(book, row)
  local known = book:read("sighting", row.device_id)
  if options.json then
    row.history, row.pushes = core.array(history), core.array(pushes_since(book, row))
    row.newest_report = known and known.report
    cli.out(core.encode(row))
    return cli.DONE
  end
  for _, name in ipairs(rows.FIELDS) do
    local value = row[name]
    if name:find "_at$" then value = core.timestamp(value) end
    if value ~= nil then cli.out(("%-12s %s"):format(name, value)) end
  end
  cli.out(("%-12s %s"):format("body", row.body))
  if row.last_report then cli.out(("%-12s %s"):format("report", row.last_report)) end
  cli.out "history"
  for _, line in ipairs(history) do
    cli.out(("  %s  %-12s %s%s"):format(core.timestamp(line.at), line.to, line.by or "",
      line.evidence and ("  " .. line.evidence) or ""))
  end
  show_pushes(book, row)
  if known and known.report then cli.out(("%-12s %s"):format("report now", known.report)) end
  return cli.DONE
end

-- A person may know better; but who pays the same once more must know this.
local function warn_if_alive(row)
  if row.state ~= "not_applied" or evidence.is_over(row, core.now()) then return end
  cli.say(("the platform may still hand this command to the meter until %s: whoever pays the same again before "
    .. "then may pay twice"):format(core.timestamp(evidence.over_at(row))))
end

-- Returns whether the order could be settled.
local function settle(book, id, state, note)
  local result, stands = book:write(function(file)
    return file:advance { order = id, to = state, at = core.now(), by = shared.person(),
                          evidence = core.encode { note = note } }
  end)
  if result ~= "done" then
    cli.say(("order %s is %s; only orders that are unknown or suspect are resolved"):format(id, stands))
    return false
  end
  local row = find(book, id)
  cli.out(rows.as_json(row))
  warn_if_alive(row)
  return true
end

local IN_DOUBT = { "unknown", "suspect" }

-- All orders that have a proposal, as it says.
local function settle_proposed(book, company_code, note)
  local list = {}
  for row in rows.each(book, { states = IN_DOUBT }, company_code) do
    if row.proposal then list[#list + 1] = row end
  end
  local count = 0
  for _, row in ipairs(list) do
    if settle(book, row.order, row.proposal, note) then count = count + 1 end
  end
  cli.say(("%d orders were settled as proposed"):format(count))
  return count == #list and cli.DONE or cli.FAILED
end

function actions.resolve(options)
  local proposed = options.as == "proposed"
  if not options.id and not proposed then cli.usage "orders resolve needs an order id" end
  if options.as ~= "applied" and options.as ~= "not_applied" and not proposed then
    cli.usage "orders resolve needs --as applied, not_applied or proposed"
  end
  if not options.note or options.note == "" then cli.usage "orders resolve needs --note, the reason in a few words" end
  local book, values = shared.open(true)
  local row = options.id and find(book, options.id)
  if not book then return cli.DONE end
  book:read("recover", core.now())
  if not row then return settle_proposed(book, values.company_code, options.note) end
  if proposed and not row.proposal then
    cli.say(("order %s has no proposal"):format(options.id))
    return cli.FAILED
  end
  return settle(book, options.id, proposed and row.proposal or options.as, options.note) and cli.DONE or cli.FAILED
end

function actions.cancel(options)
  if not options.id then cli.usage "orders cancel needs an order id" end
  find(shared.open(false), options.id)
  local book = require("xfiot").client().orders
  local row = book:find(options.id)
  if row.state ~= "accepted" then
    cli.say(("order %s is %s; only accepted orders can be taken back"):format(options.id, row.state))
    return cli.FAILED
  end
  local cancelled, err = doubts.cancel(book, row)
  cli.out(rows.as_json(book:find(options.id)))
  if not cancelled and err then cli.say(tostring(err)) end
  return cancelled and cli.DONE or cli.FAILED
end

actions.lift = acceptance.lift
actions["accept-journal"] = acceptance.accept

return function(options)
  local action = actions[options.action or "list"]
  if not action then
    cli.usage "orders takes list, show ID, resolve ID, cancel ID, lift DEVICE_NO BILL_NO or accept-journal"
  end
  return shared.guard(action, options)
end
