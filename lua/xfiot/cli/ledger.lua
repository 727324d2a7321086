--- xfiot ledger: the statement of each meter whose money the utility keeps, what does
-- not agree, month ends, and what a person puts into a ledger.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local explanation = require "xfiot.explanation"
local journal = require "xfiot.journal"
local reconciliation = require "xfiot.reconciliation"
local settlement = require "xfiot.settlement"
local shared = require "xfiot.cli.journal"
local statement = require "xfiot.statement"
local tariff_file = require "xfiot.tariff_file"

local STANDING = { "device_no", "balance", "price", "tier", "ladder", "left", "time", "held", "closed" }
local LIST_LAYOUT = "%-24s %12s %7s %5s %12s %12s %-14s %5s %s"
local SHOW_LAYOUT = "%5d  %-14s %12s %12s  %s"
local MONTH_LAYOUT = "%-24s %12s %12s %12s %12s %12s %12s %12s %8s"
local CHECK_LAYOUT = "%-24s %-12s %12s %12s %12s  %s"

-- ---- the journal

local function company_of(values)
  return values.company_code or cli.usage "ledger needs company_code: a setting, --company-code"
end

local function open_reading()
  local book, values = shared.open(false)
  if not book then cli.usage "there is no journal yet" end
  return settlement.new(book, company_of(values)), book, company_of(values)
end

-- A ledger may be the first thing that a journal holds.
local function open_writing()
  local book, values = shared.open(true)
  return settlement.new(book or journal.open(values.journal), company_of(values))
end

local function device_of(options)
  return options.device_no or cli.usage(("ledger %s needs the meter's deviceNo"):format(options.action))
end

-- ---- printing

local function out_csv_head(options, fields)
  if options.csv then cli.out(table.concat(fields, ",")) end
end

-- As --json, --csv or, if neither, by what text() makes of it.
local function out_line(options, line, fields, text)
  if options.json then
    cli.out(statement.json(line, fields))
  elseif options.csv then
    cli.out(statement.csv(line, fields))
  else
    cli.out(text(line))
  end
end

local actions = {}

local function standing_line(book, ledger)
  local stands = book:standing(ledger.device_no)
  return { device_no = ledger.device_no, balance = explanation.yuan(stands.balance),
           price = explanation.yuan(stands.price), tier = stands.tier, ladder = explanation.cubic(stands.ladder),
           left = explanation.cubic(stands.left), time = stands.time, held = stands.held, closed = stands.closed }
end

local function list_text(line)
  return LIST_LAYOUT:format(line.device_no, line.balance, line.price, line.tier, line.ladder, line.left, line.time,
    line.held, line.closed or "-")
end

--- Every ledger as it stands.
function actions.list(options)
  local book, file, company = open_reading()
  out_csv_head(options, STANDING)
  if not options.json and not options.csv then cli.out(LIST_LAYOUT:format(table.unpack(STANDING))) end
  for ledger in reconciliation.ledgers(file, company) do
    out_line(options, standing_line(book, ledger), STANDING, list_text)
  end
  return cli.DONE
end

local function show_text(line, why)
  local kind = statement.kinds[line.kind] or { en = line.kind, zh = "" }
  local about = ("%s %s"):format(kind.zh, kind.en)
  if line.provisional then about = about .. " (provisional 暂计)" end
  if line.reading then about = about .. (", reading %s m³"):format(line.reading) end
  if line.note then about = about .. ": " .. line.note end
  local text = SHOW_LAYOUT:format(line.seq, line.time or line.booked_at, line.amount, line.balance,
    about .. "  [" .. line.evidence .. "]")
  if not why then return text end
  return text .. "\n" .. tostring(why):gsub("^", "         "):gsub("\n", "\n         ")
end

local function tiers_of(why)
  if not why then return nil end
  local tiers = {}
  for i, row in ipairs(why.tiers) do
    tiers[i] = { tier = row.tier, gas = explanation.cubic(row.litres), price = explanation.yuan(row.price) }
  end
  return core.array(tiers)
end

local function wanted(options)
  local filter = shared.filter(options, {})
  return function(entry) return not filter.since or entry.at >= filter.since end, filter.limit or math.maxinteger
end

--- The statement of one meter.
function actions.show(options)
  local book = open_reading()
  local ledger = book:must_find(device_of(options))
  local is_wanted, left = wanted(options)
  out_csv_head(options, statement.fields)
  if not options.json and not options.csv then
    cli.out(("meter 表号 %s"):format(ledger.device_no))
    cli.out(("%5s  %-14s %12s %12s"):format("seq", "time", "amount", "balance"))
  end
  for entry in book:entries(ledger.device_no) do
    if is_wanted(entry) and left > 0 then
      left = left - 1
      local line, why = statement.line(book, ledger, entry)
      line.tiers = options.json and tiers_of(why) or nil
      out_line(options, line, statement.fields, function() return show_text(line, why) end)
    end
  end
  return cli.DONE
end

local function check_text(line)
  return CHECK_LAYOUT:format(line.device_no, line.what, line.expected or "-", line.found or "-", line.drift or "-",
    line.note or "")
end

--- What does not agree. A drift of money is a failure; what only waits is not.
function actions.check(options)
  local _, file, company = open_reading()
  local found, count = reconciliation.check(file, company, options.device_no)
  out_csv_head(options, reconciliation.fields)
  local status = cli.DONE
  for _, line in ipairs(found) do
    if line.drift then status = cli.FAILED end
    out_line(options, line, reconciliation.fields, check_text)
  end
  if not options.json and not options.csv then
    cli.say(("%d meter(s) looked at, %d finding(s)"):format(count, #found))
  end
  return status
end

local function month_text(line)
  local cells = {}
  for i, name in ipairs(reconciliation.month_fields) do cells[i] = tostring(line[name]) end
  return MONTH_LAYOUT:format(table.unpack(cells))
end

local function as_amounts(line)
  local out = { device_no = line.device_no, gas = explanation.cubic(line.gas), entries = line.entries }
  for _, name in ipairs(reconciliation.month_fields) do
    if out[name] == nil then out[name] = explanation.yuan(line[name]) end
  end
  return out
end

--- The month-end report.
function actions.month(options)
  local first = tostring(options.device_no or ""):match "^%d%d%d%d%d%d$"
  local from = first and core.parse_timestamp(first .. "01000000")
  if not from then cli.usage "ledger month needs a month, yyyyMM" end
  local to = core.parse_timestamp(require("xfiot.calendar").after(first .. "01000000", 1))
  local _, file, company = open_reading()
  local fields = reconciliation.month_fields
  out_csv_head(options, fields)
  if not options.json and not options.csv then cli.out(MONTH_LAYOUT:format(table.unpack(fields))) end
  local all = { device_no = "total", opening = 0, payments = 0, charges = 0, adjustments = 0, carried = 0, closing = 0,
                gas = 0, entries = 0 }
  for ledger in reconciliation.ledgers(file, company) do
    local line = reconciliation.month(file, ledger, from, to)
    for name, value in pairs(line or {}) do
      if name ~= "device_no" then all[name] = all[name] + value end
    end
    if line then out_line(options, as_amounts(line), fields, month_text) end
  end
  if not options.json and not options.csv then cli.out(month_text(as_amounts(all))) end
  return cli.DONE
end

-- ---- what a person puts in

local function read_tariff(options)
  if not options.tariff then cli.usage(("ledger %s needs --tariff"):format(options.action)) end
  local scheme, why = tariff_file.read(options.tariff)
  if not scheme then cli.usage("--tariff " .. why) end
  return scheme
end

local function needs(options, ...)
  for _, name in ipairs { ... } do
    if not options[name] then cli.usage(("ledger %s needs --%s"):format(options.action, name)) end
  end
end

-- Pushes name a meter by the platform's id alone.
local function device_id_of(book, options)
  local known = book.journal:read("recall", book.company_code, options.device_no)
  if options.device_id or known and known.device_id then return options.device_id or known.device_id end
  if not require("xfiot.settings").resolve().base_url then
    cli.usage "ledger open needs --device-id, or base_url to ask the platform for it"
  end
  return require("xfiot").client():meter(options.device_no):device_id()
end

-- Shows how the meter stands afterwards.
local function done(book, options)
  cli.out(statement.json(standing_line(book, book:must_find(options.device_no)), STANDING))
  return cli.DONE
end

local function args_of(options)
  return { deviceNo = device_of(options), at = options.at, reading = options.reading, ladder = options.ladder,
           balance = options.balance, digits = math.tointeger(tonumber(options.digits)), old = options.old,
           new = options.new, order = options.order, amount = options.amount,
           evidence = options.note and ("%s: %s"):format(shared.person(), options.note) or shared.person() }
end

-- action -> { options it needs, the settlement's method, whether it takes a tariff }
local DEEDS = {
  open = { { "at", "reading" }, "open", true }, pay = { { "order", "amount" }, "pay" }, price = { {}, "price", true },
  counter = { { "at", "old", "new" }, "counter" }, ignore = { { "at", "reading" }, "ignore" },
  close = { { "at", "reading" }, "close" },
}

for name, deed in pairs(DEEDS) do
  actions[name] = function(options)
    local args = args_of(options)
    needs(options, table.unpack(deed[1]))
    if deed[3] then args.tariff = read_tariff(options) end
    local book = open_writing()
    if name == "open" then args.deviceId = device_id_of(book, options) end
    book[deed[2]](book, args)
    return done(book, options)
  end
end

return function(options)
  options.action = options.action or "list"
  local action = actions[options.action]
  if not action then
    cli.usage "ledger takes list, show, check, month, open, pay, price, counter, ignore or close"
  end
  return shared.guard(action, options)
end
