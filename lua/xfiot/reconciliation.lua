--- Whether the books agree: what is booked with what all facts say, and what meters with
-- their own money report with the orders and with the ledger.
local bookkeeping = require "xfiot.bookkeeping"
local core = require "xfiot.core"
local explanation = require "xfiot.explanation"
local ledger_text = require "xfiot.ledger_text"
local reckoning = require "xfiot.reckoning"
local statement = require "xfiot.statement"

local reconciliation = {}

--- Names of a finding.
reconciliation.fields = { "device_no", "what", "expected", "found", "drift", "note" }
--- Names of a meter's month.
reconciliation.month_fields = { "device_no", "opening", "payments", "charges", "adjustments", "carried", "closing",
                                "gas", "entries" }

local function finding(device_no, what, expected, found, note)
  return { device_no = device_no, what = what, expected = expected and core.decimal_text(expected, 2),
           found = found and core.decimal_text(found, 2),
           drift = expected and found and core.decimal_text(found - expected, 2), note = note }
end

-- ---- ledgers with themselves

local function check_segments(found, device_no, segments, booked)
  for _, segment in ipairs(segments) do
    local was = booked[segment.start] or 0
    booked[segment.start] = nil
    if was ~= segment.fen then
      found[#found + 1] = finding(device_no, "booked", segment.fen * 10, was * 10, "segment from " .. segment.start)
    end
  end
  for start, was in pairs(booked) do
    if was ~= 0 then found[#found + 1] = finding(device_no, "booked", 0, was * 10, "segment from " .. start) end
  end
end

-- Late readings on which nobody has decided yet.
local function check_contradictions(found, file, ledger)
  local open, order = {}, {}
  for row in bookkeeping.entries(file, ledger.account) do
    if row.kind == "contradicted" or row.kind == "ignored" or row.kind == "restored" then
      local key = row.time .. row.detail
      open[key] = row.kind == "contradicted" and row or nil
      if open[key] then order[#order + 1] = key end
    end
  end
  for _, key in ipairs(order) do
    local row = open[key]
    local litres = row and ledger_text.read_detail(row.detail).litres
    if row then
      found[#found + 1] = finding(ledger.device_no, "held", nil, nil,
        ("late reading %s m³ at %s contradicts later ones"):format(explanation.cubic(litres), row.time))
    end
  end
end

-- A ledger as all its facts say it should be.
local function check_ledger(found, file, ledger)
  local facts, booked = bookkeeping.facts(file, ledger.account)
  if not facts.opened then return end
  check_contradictions(found, file, ledger)
  local segments, _, held = reckoning.reckon(facts)
  check_segments(found, ledger.device_no, segments, booked)
  for _, reading in ipairs(held) do
    found[#found + 1] = finding(ledger.device_no, "held", nil, nil,
      ("reading %s m³ at %s: %s"):format(explanation.cubic(reading.litres), reading.time, statement.reason(reading)))
  end
  for _, segment in ipairs(segments) do
    if segment.provisional then
      found[#found + 1] = finding(ledger.device_no, "provisional", nil, nil,
        "no frozen record says where the segment from " .. segment.start .. " ends")
    end
  end
  local last = file:ledger_entry(ledger.account)
  if facts.closed and last.balance ~= 0 then
    found[#found + 1] = finding(ledger.device_no, "closed", 0, last.balance * 10, "balance of a meter that is gone")
  end
end

-- ---- meters with money of their own

local PAID = { RECHARGE_REMOTE = true, ACCOUNT_OPEN = true }
local UNSURE = { sent = true, accepted = true, unknown = true, suspect = true }

-- What orders have put on each meter, in thousandths, and which are not certain.
local function collect_orders(book, company_code)
  local meters, filter = {}, {}
  repeat
    local page = book:read("list", filter)
    for _, row in ipairs(page) do
      if row.company_code == company_code then
        local meter = meters[row.device_no] or { device_id = row.device_id, paid = {}, unsure = 0, cleared = false }
        meters[row.device_no] = meter
        meter.device_id = row.device_id
        if row.method == "ACCOUNT_CANCEL" and row.state == "applied" then meter.cleared = true end
        if PAID[row.method] and row.amount then
          if row.state == "applied" then
            meter.paid[#meter.paid + 1] = { at = row.updated_at, amount = core.decimal(row.amount, 3) }
          end
          if UNSURE[row.state] then meter.unsure = meter.unsure + 1 end
        end
      end
      filter.after = row.row
    end
  until #page == 0
  return meters
end

-- The newest report of a meter: its kind, its services by name, when it came.
local function newest_report(book, company_code, device_no, device_id)
  local known = book:read("recall", company_code, device_no)
  local seen = device_id and book:read("sighting", device_id)
  local report = known and known.report and core.decode(known.report)
  if seen and seen.report and not (report and report.receiveTime > seen.report_time) then
    report = core.decode(seen.report)
  end
  if not report then return nil end
  local data, services = report.callbackData, {}
  for _, item in ipairs(data.data) do services[item.serviceId] = item.serviceData end
  return data.chargeType, services, core.parse_timestamp(report.receiveTime)
end

-- What was paid by orders that the report can know of.
local function paid_until(orders, at)
  local sum = 0
  for _, paid in ipairs(orders.paid) do
    if paid.at <= at then sum = sum + paid.amount end
  end
  return sum
end

local function amount(data, name)
  local value = data and data[name]
  return value ~= nil and value ~= core.null and core.decimal(value, 3) or nil
end

-- The earliest report that says what the meter had charged by then.
local function first_used(file, account, facts)
  local aside, first = {}, nil
  for key in pairs(facts.ignored) do aside[key:match "^%d+"] = true end
  for row in bookkeeping.entries(file, account) do
    if row.detail and row.detail:find('"used"', 1, true) and not aside[row.time]
      and not (first and first.time <= row.time) then
      first = { time = row.time, used = core.decimal(ledger_text.read_detail(row.detail).used, 3) }
    end
  end
  return first
end

local function until_time(rows, time)
  local list = {}
  for _, row in ipairs(rows) do
    if row.time <= time then list[#list + 1] = row end
  end
  return list
end

-- What the ledger has charged since a time, thousandths of a yuan.
local function charged_since(facts, booked, time)
  local fen = 0
  for _, was in pairs(booked) do fen = fen + was end
  local segments = reckoning.reckon { opened = facts.opened, tariffs = facts.tariffs, ignored = facts.ignored,
    closed = facts.closed, readings = until_time(facts.readings, time), counters = until_time(facts.counters, time) }
  for _, segment in ipairs(segments) do fen = fen - segment.fen end
  return fen * 10
end

-- A meter counts from its first day, a ledger from when it was opened: what both have
-- charged since the first report that has both.
local function check_used(found, file, ledger, used)
  local facts, booked = bookkeeping.facts(file, ledger.account)
  local first = facts.opened and first_used(file, ledger.account, facts)
  if not first then return end
  local charged = charged_since(facts, booked, first.time)
  if charged ~= used - first.used then
    found[#found + 1] = finding(ledger.device_no, "used", charged, used - first.used,
      ("since %s the meter charges otherwise than the ledger"):format(first.time))
  end
end

-- Bought, used and left as a meter reports them, against orders and ledger.
local function check_meter(found, book, company_code, device_no, orders)
  local charge_type, services, at = newest_report(book, company_code, device_no, orders.device_id)
  if charge_type ~= "1" and charge_type ~= "2" then return end
  local money = charge_type == "2"
  local data = services[money and "MoneyMeterInfo" or "GasMeterInfo"]
  local bought = amount(data, money and "totalBuyMoney" or "totalBuyGas")
  local used
  if money then used = amount(data, "totalUseMoney") else used = amount(services.GeneralDataInfo, "totalUseValue") end
  local left = amount(data, money and "surplusMoney" or "surplusGas")
  if bought and used and left and bought - used ~= left then
    found[#found + 1] = finding(device_no, "left", bought - used, left, "bought less used is not what is left")
  end
  local paid = paid_until(orders, at)
  if bought and bought ~= paid and not orders.cleared then
    local note = orders.unsure > 0 and ("%d order(s) are not certain"):format(orders.unsure)
      or "bought by card, or before these orders"
    found[#found + 1] = finding(device_no, "bought", paid, bought, note)
  end
  local ledger = book:read("ledger_find", company_code, device_no)
  if money and used and ledger then check_used(found, book.file, ledger, used) end
end

--- All ledgers of a company.
---@param book xfiot.Journal
---@param company_code? string nil: of all
---@return fun(): table|nil
function reconciliation.ledgers(book, company_code)
  return coroutine.wrap(function()
    local after = 0
    repeat
      local page = book:read("ledgers", after)
      for _, ledger in ipairs(page) do
        if not company_code or ledger.company_code == company_code then coroutine.yield(ledger) end
        after = ledger.account
      end
    until #page == 0
  end)
end

--- Everything that does not agree.
---@param book xfiot.Journal
---@param company_code string
---@param device_no? string only this meter
---@return table[] findings by reconciliation.fields
---@return integer count of meters that were looked at
function reconciliation.check(book, company_code, device_no)
  local found, count, meters = {}, 0, collect_orders(book, company_code)
  local numbers = {}
  for number in pairs(meters) do numbers[#numbers + 1] = number end
  for ledger in reconciliation.ledgers(book, company_code) do
    if not device_no or ledger.device_no == device_no then
      check_ledger(found, book.file, ledger)
      if not meters[ledger.device_no] then
        numbers[#numbers + 1] = ledger.device_no
        meters[ledger.device_no] = { device_id = ledger.device_id, paid = {}, unsure = 0 }
      end
    end
  end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    if not device_no or number == device_no then
      count = count + 1
      check_meter(found, book, company_code, number, meters[number])
    end
  end
  return found, count
end

-- ---- months

local COLUMN = { payment = "payments", refund = "payments", charge = "charges", adjustment = "adjustments",
                 open = "carried", carry = "carried" }

--- What a month has done to a ledger, by when it was booked.
---@param book xfiot.Journal
---@param ledger table
---@param from integer seconds, the month's start
---@param to integer seconds, the next one's
---@return table|nil line amounts in fen, gas in litres; nil: it was not open yet
function reconciliation.month(book, ledger, from, to)
  local line = { device_no = ledger.device_no, opening = 0, payments = 0, charges = 0, adjustments = 0, carried = 0,
                 closing = 0, gas = 0, entries = 0 }
  for row in bookkeeping.entries(book.file, ledger.account) do
    if row.at >= to then break end
    line.closing = row.balance
    if row.at < from then
      line.opening = row.balance
    else
      local column = COLUMN[row.kind]
      if column then line[column] = line[column] + row.fen end
      line.entries = line.entries + 1
    end
  end
  if ledger.opened_at >= to then return nil end
  line.gas = bookkeeping.gas(book.file, ledger.account, to) - bookkeeping.gas(book.file, ledger.account, from)
  return line
end

return reconciliation
