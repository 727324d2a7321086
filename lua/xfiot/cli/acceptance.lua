--- xfiot orders accept-journal and lift: a journal that was moved or put back is
-- taken into use again, after a person has reconciled every meter.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local journal = require "xfiot.journal"
local list = require "xfiot.cli.order_list"
local shared = require "xfiot.cli.journal"

local acceptance = {}

local OPEN = { "intent", "sent", "accepted", "suspect", "unknown" }
local METER_FIELDS = { "device_no", "company_code", "bill_no", "order", "state", "updated_at", "report_time" }
local METER_LAYOUT = "%-20s %-12s %7s %-24s %-12s %-14s %s"
local BILL_MOST = 65535
local EVIDENCE = core.encode {
  note = "the journal was accepted as a copy or a backup: whether this order was sent since, it cannot know",
}

local EXPLANATION = {
  "Orders of the time after the copy was made are not in it: their ids would be carried out once more, their bill "
    .. "numbers given again.",
  "1. See to it that no other copy of this journal is in use.",
  "2. Reconcile every meter listed on stdout, and those you have served since: what was credited, by the platform's "
    .. "records and the meter's reports (xfiot call queryReportData). Keep order ids used since out of use.",
  "3. Where a meter has had higher bill numbers: xfiot orders lift DEVICE_NO BILL_NO.",
  "4. Then: xfiot orders accept-journal --yes. Orders that had been written but not sent become unknown, for a "
    .. "person to resolve.",
}

-- Every meter with orders, in the order of its first one: its last order, and how far its bill numbers are known.
local function meters_of(book)
  local meters, by_name = {}, {}
  for row in list.each(book, {}) do
    local name = row.company_code .. " " .. row.device_no
    local meter = by_name[name]
    if not meter then
      meter = { device_no = row.device_no, company_code = row.company_code }
      by_name[name], meters[#meters + 1] = meter, meter
    end
    meter.order, meter.state, meter.updated_at = row.order, row.state, core.timestamp(row.updated_at)
    if row.bill_no then meter.bill_no = math.max(meter.bill_no or 0, row.bill_no) end
  end
  for _, meter in ipairs(meters) do
    local known = book:read("recall", meter.company_code, meter.device_no) or {}
    meter.bill_no = math.max(meter.bill_no or 0, known.bill_mark or 0)
    meter.report_time = known.report_time
  end
  return meters
end

local function show_meters(meters, as_json)
  if not as_json then cli.out(METER_LAYOUT:format(table.unpack(METER_FIELDS))) end
  for _, meter in ipairs(meters) do
    local line, cells = {}, {}
    for i, name in ipairs(METER_FIELDS) do
      line[name], cells[i] = meter[name] or core.null, tostring(meter[name] or "-")
    end
    cli.out(as_json and core.encode(line) or METER_LAYOUT:format(table.unpack(cells)))
  end
end

local function must(result, why)
  if result == nil then error(journal.failure(why), 0) end
  return result
end

-- What was only written may have been sent by the journal that this one was copied from.
local function doubt_intents(book)
  local by, now = shared.person(), core.now()
  for row in list.each(book, { states = { "intent" } }) do
    book:write(function(file)
      must(file:advance { order = row.order, to = "sent", at = now, by = by, deadline = now })
      must(file:advance { order = row.order, to = "unknown", at = now, by = by, evidence = EVIDENCE })
    end)
  end
end

--- Accepts, with --yes; without, says what that means and lists the meters.
---@param options table
---@return integer status
function acceptance.accept(options)
  local book = shared.open(true)
  if not book then cli.usage "there is nothing to accept" end
  local moved, how = book.file:moved()
  if not moved then
    cli.say(("%s is in use as it is: there is nothing to accept"):format(book.path))
    return cli.DONE
  end
  if not options.yes then
    show_meters(meters_of(book), options.json)
    cli.say(("no money moves on %s: %s"):format(book.path, how))
    for _, line in ipairs(EXPLANATION) do cli.say(line) end
    return cli.USAGE
  end
  doubt_intents(book)
  must(book:read("recover", core.now()))
  must(book.file:accept_move(shared.person(), core.now()))
  cli.say(("%s is in use again; accepted by %s. Orders that are open:"):format(book.path, shared.person()))
  if not options.json then cli.out(list.heading()) end
  for row in list.each(book, { states = OPEN }) do cli.out(options.json and list.as_json(row) or list.as_text(row)) end
  return cli.DONE
end

--- Bill numbers of a meter up to this one were used elsewhere.
---@param options table
---@return integer status
function acceptance.lift(options)
  local bill = options.bill_no and shared.number(options.bill_no, 1, BILL_MOST)
  if not options.id or not bill then
    cli.usage(("orders lift needs a meter's number and its highest bill number, 1 to %d"):format(BILL_MOST))
  end
  local book, values = shared.open(true)
  if not book then cli.usage "there is no journal to lift it in" end
  if not values.company_code then cli.usage "orders lift needs the setting company_code" end
  must(book.file:lift_bill(values.company_code, options.id, bill))
  must(book.file:begin())
  local next_bill = book.file:next_bill(values.company_code, options.id) -- nil: used up
  book.file:rollback()
  cli.out(("%s %d"):format(options.id, next_bill and next_bill - 1 or BILL_MOST))
  return cli.DONE
end

return acceptance
