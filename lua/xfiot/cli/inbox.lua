--- xfiot inbox: the pushes that were received, what became of each, and a person's
-- word on those that went wrong; and the devices that should have reported.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local gaps = require "xfiot.gaps"
local messages = require "xfiot.worker.messages"
local retention = require "xfiot.retention"
local shared = require "xfiot.cli.journal"

local STATES = { "new", "done", "failed", "quarantined" }
-- Fields of --json; absent ones are null.
local FIELDS = { "id", "kind", "trans_id", "device_ids", "received_at", "state", "reason", "attempts" }
local LAYOUT = "%8s %-9s %-22s %-14s %-11s %8s %s"
local GAP_FIELDS = { "device_id", "device_no", "reported_at", "owed_at", "rhythm", "asked_at" }
local GAP_LAYOUT = "%-32s %-20s %-14s %-14s %9s %s"
local FAR = 1 << 62 -- a time that does not come

-- ---- one push

-- The devices of a push: as the worker has found them, else as its body says.
local function devices_of(book, row)
  if row.device_ids then return core.decode(row.device_ids) end
  local full = row.body and row or book:read("push_find", row.id)
  local list = full and messages.read(full)
  return list and messages.devices(list) or {}
end

local function as_json(book, row)
  local line = {}
  for _, name in ipairs(FIELDS) do line[name] = row[name] == nil and core.null or row[name] end
  line.received_at = core.timestamp(row.received_at)
  line.device_ids = core.array(devices_of(book, row))
  return core.encode(line)
end

local function code(c) return ("\\u%04x"):format(utf8.codepoint(c)) end

-- What a terminal would act upon is shown, not done; lines and tabs stay.
local function tame(text)
  if core.measure(text) then
    return (text:gsub("[\0-\8\11-\31\127]", function(c) return ("\\x%02x"):format(c:byte()) end)
      :gsub("\xc2[\x80-\x9f]", code)
      -- other ends of lines, and marks that turn what follows around
      :gsub("\xe2\x80[\x8e\x8f\xa8-\xae]", code):gsub("\xe2\x81[\xa6-\xa9]", code))
  end
  return (text:gsub("[^\t\n\32-\126]", function(c) return ("\\x%02x"):format(c:byte()) end))
end

-- The same in one line: whoever wrote the text cannot begin another.
local function in_line(text)
  return (tame(text):gsub("[\t\n]", { ["\t"] = "\\t", ["\n"] = "\\n" }))
end

local function as_text(row)
  return LAYOUT:format(row.id, row.kind, row.trans_id or "-", core.timestamp(row.received_at), row.state, row.attempts,
    row.reason and in_line(row.reason) or "-")
end

-- ---- which pushes

local function in_states(filter, row)
  if not filter.states then return true end
  for _, state in ipairs(filter.states) do
    if state == row.state then return true end
  end
  return false
end

-- Pages of a reading, as one sequence.
local function pages(read)
  local page, i = {}, 0
  return function()
    i = i + 1
    if not page[i] then page, i = read(page[#page]), 1 end
    return page[i]
  end
end

local function listed(book, filter)
  return pages(function(last)
    filter.after = last and last.id or filter.after
    return book:read("push_list", filter)
  end)
end

-- Pushes of a device that nobody has looked at yet: the worker has not noted whose they are.
local function unseen(book, filter, device_id)
  local list = {}
  for row in pages(function(last)
    return book:read("push_due", FAR, 256, last and last.next_at or 0, last and last.id or 0)
  end) do
    local wanted = not row.device_ids and row.received_at >= (filter.since or 0) and in_states(filter, row)
    for _, id in ipairs(wanted and devices_of(book, row) or {}) do
      if id == device_id then list[#list + 1] = row end
    end
  end
  table.sort(list, function(a, b) return a.id < b.id end)
  return list
end

-- Two sequences in the order of their ids.
local function merge(each, list)
  local i, row = 1, each()
  return function()
    local other = list[i]
    if other and (not row or other.id < row.id) then
      i = i + 1
      return other
    end
    local now = row
    row = row and each()
    return now
  end
end

local ID_LENGTH = 32

-- The platform's id of a device given by that or by its number.
local function device_id_of(book, values, device)
  if #device == ID_LENGTH and not device:find "%X" then return device end
  local known = values.company_code and book:read("recall", values.company_code, device)
  if known and known.device_id then return known.device_id end
  cli.usage(("the journal knows no device %q; give its deviceId"):format(device))
end

local function wanted(book, values, options)
  local filter = shared.filter(options, STATES)
  local limit = filter.limit or math.maxinteger
  filter.limit = nil -- of the pages
  if not book then return function() end end
  local each
  if options.device then
    filter.device_id = device_id_of(book, values, options.device)
    each = merge(listed(book, filter), unseen(book, filter, filter.device_id))
  else
    each = listed(book, filter)
  end
  return function()
    limit = limit - 1
    return limit >= 0 and each() or nil
  end
end

-- ---- actions

local actions = {}

function actions.list(options)
  local book, values = shared.open(false)
  local each = wanted(book, values, options)
  if not options.json and book then
    cli.out(LAYOUT:format("id", "kind", "trans_id", "received_at", "state", "attempts", "reason"))
  end
  for row in each do cli.out(options.json and as_json(book, row) or as_text(row)) end
  return cli.DONE
end

local function read_id(text)
  local id = math.tointeger(tonumber(text))
  if not id then cli.usage(("the id of a push is a number, got %q"):format(tostring(text))) end
  return id
end

local function find(book, text)
  local id = read_id(text)
  local row = book and book:read("push_find", id)
  if not row then
    local cleared = book and id > 0 and #book:read("push_list", { after = id, limit = 1 }) > 0
    cli.usage(cleared and ("push %d is not kept any more"):format(id) or ("there is no push %d"):format(id))
  end
  return row
end

local function as_sheet(book, row)
  row.history = core.array(book:read("push_history", row.id))
  row.device_ids = core.array(devices_of(book, row))
  if not core.measure(row.body) then row.body = tame(row.body) end
  return core.encode(row)
end

local TIMES = { received_at = true, next_at = true, done_at = true }
local SHEET = { "id", "kind", "trans_id", "received_at", "state", "reason", "attempts", "next_at", "done_at", "note" }

local function show_text(text)
  for line in text:gmatch "[^\n]+" do cli.out("  " .. tame(line)) end
end

-- What came, what is unusual about it, what the handler said, who decided what.
function actions.show(options)
  local book = shared.open(false)
  local row = find(book, options.ids[1] or cli.usage "inbox show needs the id of a push")
  if options.json then
    cli.out(as_sheet(book, row))
    return cli.DONE
  end
  for _, name in ipairs(SHEET) do
    local value = row[name]
    if value ~= nil and TIMES[name] then value = core.timestamp(value) end
    if value ~= nil then cli.out(("%-12s %s"):format(name, in_line(tostring(value)))) end
  end
  for _, id in ipairs(devices_of(book, row)) do cli.out(("%-12s %s"):format("device", in_line(id))) end
  cli.out "headers"
  show_text(row.headers)
  cli.out "body"
  show_text(row.body)
  if row.traceback then
    cli.out "traceback"
    show_text(row.traceback)
  end
  for _, line in ipairs(book:read("push_history", row.id)) do
    cli.out(("%s  %s by %s, was %s%s"):format(core.timestamp(line.at), line.what, in_line(line.by),
      line.from, line.reason and (": " .. in_line(line.reason)) or ""))
  end
  return cli.DONE
end

-- The ids given, or those of the state given.
local function chosen(book, values, options, what)
  if #options.ids > 0 then
    local ids = {}
    for i, text in ipairs(options.ids) do ids[i] = find(book, text).id end
    return ids
  end
  if not options.state then cli.usage(("inbox %s needs ids of pushes, or --state"):format(what)) end
  local ids = {}
  for row in wanted(book, values, options) do ids[#ids + 1] = row.id end
  return ids
end

-- A person's word on pushes: each in a commit of its own.
local function decide(options, what, method, refusal)
  local book, values = shared.open(true)
  local status, list = cli.DONE, chosen(book, values, options, what)
  if #list == 0 then cli.say(("nothing to %s: no push is as asked for"):format(what)) end
  for _, id in ipairs(list) do
    local done = book:write(function(file)
      local result, why = file[method](file, id, shared.person(), core.now())
      if result == nil then error(why, 0) end
      return result
    end)
    if done then
      cli.out(as_json(book, find(book, id)))
    else
      cli.say(("push %d %s"):format(id, refusal))
      status = cli.FAILED
    end
  end
  return status
end

function actions.replay(options) return decide(options, "replay", "push_replay", "is not there any more") end

function actions.discard(options) return decide(options, "discard", "push_discard", "is done already") end

local function gap_line(device, every, outcome)
  device.owed_at = gaps.owed_at(device, every)
  local line, cells = { outcome = outcome }, {}
  for i, name in ipairs(GAP_FIELDS) do
    local value = device[name]
    if value and name:find "_at$" then value = core.timestamp(value) end
    line[name], cells[i] = value or core.null, value and in_line(tostring(value)) or "-"
  end
  if outcome then cells[#GAP_FIELDS] = outcome end -- instead of when it was asked for before
  return line, cells
end

-- Devices that should have reported; with --fetch the platform is asked for what it has.
function actions.gaps(options)
  local book, values = shared.open(options.fetch == true)
  if not book then return cli.DONE end
  local client = options.fetch and require("xfiot").client()
  local status, left = cli.DONE, shared.filter(options, STATES).limit or math.maxinteger
  if not options.json then
    cli.out(GAP_LAYOUT:format("device_id", "device_no", "reported_at", "owed_at", "rhythm",
      client and "outcome" or "asked_at"))
  end
  for device in gaps.each(book, core.now(), values.report_every) do
    left = left - 1
    if left < 0 then break end
    local outcome, err
    if client then outcome, err = gaps.fetch(client, book, device) end
    if err then
      cli.say(tostring(err))
      outcome, status = "failed", cli.FAILED
    end
    local line, cells = gap_line(device, values.report_every, outcome)
    cli.out(options.json and core.encode(line) or GAP_LAYOUT:format(table.unpack(cells)))
  end
  return status
end

local DAYS_MOST = 36500

-- Takes out what is done and old, and nothing open rests on. Ctrl-C ends it between commits.
function actions.prune(options)
  local span = options.older_than
  local days = span and shared.number(span:match "^(%d+)d$" or "", 1, DAYS_MOST)
  if span and not days then cli.usage "--older-than must be days, such as 90d, one at least" end
  local book, values = shared.open(true)
  days = days or values.keep_pushes
    or cli.usage "inbox prune needs --older-than, such as 90d, where keep_pushes is not set"
  if not book then return cli.DONE end
  local count, before = retention.clear(book, days, function() return false end)
  before = core.timestamp(before)
  cli.out(options.json and core.encode { cleared = count, received_before = before }
    or ("cleared %d pushes, received and done before %s"):format(count, before))
  return cli.DONE
end

return function(options)
  local action = actions[options.action or "list"]
  if not action then cli.usage "inbox takes list, show ID, replay ID, discard ID, gaps or prune" end
  return shared.guard(action, options)
end
