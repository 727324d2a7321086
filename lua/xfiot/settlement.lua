--- Settlement: the ledger of each meter whose money the utility keeps. Every report
-- becomes a charge, once, in one transaction with the reading it rests on; what comes
-- late, twice or out of order leaves the same ledger to the fen as what comes in order.
local arguments = require "xfiot.ledger_arguments"
local bookkeeping = require "xfiot.bookkeeping"
local core = require "xfiot.core"
local ledger_text = require "xfiot.ledger_text"
local meter_report = require "xfiot.meter_report"
local reckoning = require "xfiot.reckoning"

---@class xfiot.Settlement
---@field journal xfiot.Journal
local Settlement = {}
Settlement.__index = Settlement
Settlement.__name = "xfiot.settlement"

local settlement = {}

local DIGITS <const> = 5 -- of a household meter's counter

--- Settlement on a journal.
---@param journal xfiot.Journal
---@param company_code string
---@return xfiot.Settlement
function settlement.new(journal, company_code)
  return setmetatable({ journal = journal, company_code = company_code, tariffs = bookkeeping.tariffs() }, Settlement)
end

-- ---- the ledger as it stands

--- A meter's ledger, or nil.
---@param which string its number, or the platform's id of it
---@return table|nil { account=, device_no=, device_id=, company_code=, opened_at= }
function Settlement:find(which)
  return self.journal:read("ledger_find", self.company_code, which) or self.journal:read("ledger_of", which)
end

--- The same; raises if there is none.
---@param which string
---@return table
function Settlement:must_find(which)
  return self:find(which) or arguments.bad("deviceNo", ("%s has no ledger: xfiot ledger open"):format(tostring(which)),
    "该表没有账本")
end

local function last_of(file, account)
  local row, why = file:ledger_entry(account)
  if not row then error(why or "the ledger is empty", 0) end
  return row, ledger_text.read_state(row.state)
end

--- How a meter stands: what a customer and the meter's display are told.
---@param which string deviceNo or deviceId
---@return table { balance=, price=, tier=, time=, ladder=, period=, left=, held=, closed=, device_no=, account= }
function Settlement:standing(which)
  local ledger = self:must_find(which)
  local row, state = last_of(self.journal.file, ledger.account)
  local with = self.tariffs:find(self.journal.file, ledger.account, state.seq)
  local tier, price = with:tier(state.ladder)
  return { account = ledger.account, device_no = ledger.device_no, device_id = ledger.device_id, balance = row.balance,
           price = price, tier = tier, time = state.time, ladder = state.ladder, litres = state.litres,
           period = state.segment, left = with:forecast(row.balance, state.ladder), held = #state.held,
           closed = state.closed ~= reckoning.NEVER and state.closed or nil }
end

-- ---- writing

local function finish(entries, state, evidence, time)
  local text, now = ledger_text.state(state), core.now()
  for _, entry in ipairs(entries) do
    entry.evidence, entry.state, entry.at = entry.evidence or evidence, text, now
    entry.time = entry.time or time
    entry.detail = entry.detail and ledger_text.detail(entry.detail)
  end
  return entries
end

local function write(file, account, after, readings, entries)
  local done, why = file:ledger_settle { account = account, after = after, readings = readings, entries = entries }
  if not done then error(why or "the ledger has grown meanwhile", 0) end
end

local function sum_of(entries)
  local fen = 0
  for _, entry in ipairs(entries) do fen = fen + entry.fen end
  return fen
end

-- A fact of the ledger's own: its entry, and what follows from it for what was charged.
local function note(file, account, fact)
  local last, state = last_of(file, account)
  if fact.check then fact.check(state, last) end
  local entries = { { kind = fact.kind, time = fact.time, fen = fact.fen or 0, mark = fact.mark,
                      detail = fact.detail } }
  if fact.facts then
    local facts, booked = bookkeeping.facts(file, account)
    fact.facts(facts, last.seq + 1)
    local more
    more, state = bookkeeping.settle(facts, booked, state)
    table.move(more, 1, #more, 2, entries)
  end
  write(file, account, last.seq, {}, finish(entries, state, fact.evidence))
  return { fen = sum_of(entries), balance = last.balance + sum_of(entries), entries = #entries }
end

function Settlement:note(ledger, fact)
  return self.journal:write(function(file) return note(file, ledger.account, fact) end)
end

-- ---- opening and closing

--- Opens a meter's ledger: from this reading on its gas is charged.
---@param args { deviceNo: string, deviceId: string|nil, tariff: table, at: string, reading: integer|string,
---  ladder: integer|string|nil, balance: any, digits: integer|nil, evidence: string|nil }
---@return table { balance= }
function Settlement:open(args)
  local device_no = arguments.text("deviceNo", args.deviceNo)
  local with = arguments.tariff(args.tariff)
  local time = arguments.time("at", args.at)
  local litres, ladder = arguments.litres("reading", args.reading), arguments.litres("ladder", args.ladder or 0)
  local fen = arguments.fen("balance", args.balance or 0)
  local digits = math.tointeger(args.digits or DIGITS)
  if not digits or digits < 4 or digits > 9 or litres >= 10 ^ digits * 1000 then
    arguments.bad("digits", "must be 4 to 9, and the reading must fit", "应为 4 到 9，且读数不得超出")
  end
  local _, last = with:period(time)
  local state = { time = time, litres = litres, segment = time, ladder = ladder, seq = 1,
                  next = reckoning.next_second(last), digits = digits, closed = reckoning.NEVER, held = {} }
  local entry = { kind = "open", time = time, fen = fen,
                  detail = { litres = litres, ladder = ladder, digits = digits, tariff = with:names() } }
  return self.journal:write(function(file)
    local account, made = file:ledger_open(self.company_code, device_no, args.deviceId, core.now())
    if not account then error(made, 0) end
    local before, why = file:ledger_entry(account)
    if why then error(why, 0) end
    if before then
      arguments.bad("deviceNo", ("has a ledger since %s"):format(core.timestamp(before.at)), "该表已有账本")
    end
    write(file, account, 0, {}, finish({ entry }, state, args.evidence or "opened by hand"))
    return { balance = fen }
  end)
end

-- ---- reports

local function new_frozen(file, account, frozen)
  local list, seen = {}, {}
  for _, record in ipairs(frozen) do
    local key = record.time .. " " .. record.litres
    local has, why = file:ledger_has(account, record)
    if has == nil then error(why, 0) end
    if not has and not seen[key] then list[#list + 1] = record end
    seen[key] = true
  end
  return list
end

-- The whole is reckoned with what the report says.
local function take_long(file, account, state, report, frozen)
  local facts, booked = bookkeeping.facts(file, account)
  for _, record in ipairs(frozen) do facts.readings[#facts.readings + 1] = record end
  return bookkeeping.settle(facts, booked, state, report)
end

local function readings_to_write(report, frozen, evidence)
  local list, now = {}, core.now()
  for _, record in ipairs(frozen) do list[#list + 1] = record end
  list[#list + 1] = report
  for _, reading in ipairs(list) do reading.evidence, reading.at = evidence, now end
  return list
end

local function charged(entries)
  for _, entry in ipairs(entries) do
    if entry.kind == "charge" or entry.kind == "held" then return true end
  end
  return false
end

-- Inside the transaction: everything is worked out before anything is written.
local function take(self, file, account, message, evidence)
  local report, frozen = meter_report.readings(message)
  if report then
    local has, why = file:ledger_has(account, report)
    if has == nil then error(why, 0) end
    if has then report = nil end
  end
  frozen = new_frozen(file, account, frozen)
  if not report and #frozen == 0 then return nil end -- taken before
  local last, state = last_of(file, account)
  local entries
  local litres = report and bookkeeping.goes_on(state, report, frozen)
  if litres then
    local entry
    entry, state = bookkeeping.go_on(state, report, litres, self.tariffs:find(file, account, state.seq))
    entries = { entry }
  else
    entries, state = take_long(file, account, state, report, frozen)
    if report and not charged(entries) then
      table.insert(entries, 1, { kind = "report", fen = 0, detail = { reading = report.litres } })
    end
  end
  if #entries > 0 then finish(entries, state, evidence, report and report.time) end
  write(file, account, last.seq, readings_to_write(report, frozen, evidence), entries)
  return { fen = sum_of(entries), balance = last.balance + sum_of(entries), entries = #entries }
end

--- Takes a report: once, whatever order it comes in.
---@param which string deviceNo or deviceId
---@param message table as pushes and queryReportData give it
---@param evidence string where it came from, "push 17"
---@return table|nil { fen=, balance=, entries= } what it has changed; nil: no ledger, or taken before
function Settlement:take(which, message, evidence)
  local ledger = self:find(which)
  if not ledger then return nil end
  return self.journal:write(function(file) return take(self, file, ledger.account, message, evidence) end)
end

-- ---- money and decisions

-- The entry that an order has been booked as; raises if it was another amount.
local function repeated(file, account, mark, fen)
  local row, why = file:ledger_entry(account, mark)
  if why then error(why, 0) end
  if row and row.fen ~= fen then
    arguments.bad("order", ("was booked with another amount, %s"):format(core.decimal_text(row.fen * 10, 2)),
      "该订单已按另一金额入账")
  end
  return row
end

--- Books a payment, or a refund if it is below zero. The same order again changes nothing.
---@param args { deviceNo: string, order: string, amount: any, evidence: string|nil }
---@return table { balance= }
function Settlement:pay(args)
  local ledger, order = self:must_find(args.deviceNo), arguments.text("order", args.order)
  local fen = arguments.fen("amount", args.amount)
  if fen == 0 then arguments.bad("amount", "must not be 0", "不应为 0") end
  local mark = "order " .. order
  local evidence = args.evidence and mark .. ", " .. args.evidence or mark
  return self.journal:write(function(file)
    local before = repeated(file, ledger.account, mark, fen)
    if before then return { fen = 0, balance = last_of(file, ledger.account).balance, entries = 0 } end
    return note(file, ledger.account, { kind = fen > 0 and "payment" or "refund", fen = fen, mark = mark,
                                        time = core.timestamp(), evidence = evidence })
  end)
end

--- Another tariff, from its priceTime on; one with the priceTime of an earlier one
--- corrects it. What was charged otherwise is adjusted.
---@param args { deviceNo: string, tariff: table, evidence: string|nil }
---@return table { fen=, balance= }
function Settlement:price(args)
  local ledger, with = self:must_find(args.deviceNo), arguments.tariff(args.tariff)
  if with.clear_mark == nil then
    arguments.bad("tariff.clearMark", "is missing: 0 keeps the gas counted in the ladder period, 1 sets it to zero",
      "缺少：0 保留阶梯累计用量，1 清零")
  end
  return self:note(ledger, {
    kind = "tariff", time = with.price_time, detail = { tariff = with:names() },
    evidence = args.evidence or "set by hand",
    facts = function(facts, seq) facts.tariffs[#facts.tariffs + 1] = { seq = seq, tariff = with } end,
  })
end

--- The counter was replaced in the same meter: it ended with `old`, and starts with `new`.
---@param args { deviceNo: string, at: string, old: integer|string, new: integer|string, evidence: string }
---@return table { fen=, balance= }
function Settlement:counter(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local old, new = arguments.litres("old", args.old), arguments.litres("new", args.new)
  return self:note(ledger, {
    kind = "counter", time = time, detail = { old = old, new = new },
    evidence = arguments.text("evidence", args.evidence),
    facts = function(facts)
      facts.counters[#facts.counters + 1] = { time = time, old = old, new = new }
      table.sort(facts.counters, function(a, b) return a.time < b.time end)
    end,
  })
end

--- Sets a reading aside that the counter cannot have shown.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { fen=, balance= }
function Settlement:ignore(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local litres = arguments.litres("reading", args.reading)
  return self:note(ledger, {
    kind = "ignored", time = time, detail = { litres = litres }, evidence = arguments.text("evidence", args.evidence),
    facts = function(facts) facts.ignored[time .. " " .. litres] = true end,
  })
end

--- Takes a meter away from its customer after its final reading; what it reports later
--- is not charged.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { balance=, ladder= }
function Settlement:close(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local litres, evidence = arguments.litres("reading", args.reading), arguments.text("evidence", args.evidence)
  local _, state = last_of(self.journal.file, ledger.account)
  if state.closed == reckoning.NEVER then
    self:take(ledger.device_no, meter_report.final(time, litres), evidence)
    self:note(ledger, { kind = "close", time = time, evidence = evidence, detail = { litres = litres },
                        facts = function(facts) facts.closed = time end })
  end
  return self:standing(ledger.device_no)
end

--- Carries the balance of a closed ledger over to another meter's, both in one transaction.
---@param from string deviceNo
---@param to string deviceNo
---@return table { balance= } of the other meter
function Settlement:carry(from, to)
  local old, new = self:must_find(from), self:must_find(to)
  return self.journal:write(function(file)
    local last, state = last_of(file, old.account)
    if state.closed == reckoning.NEVER then arguments.bad("from", "its ledger is not closed", "原表账本尚未关闭") end
    if last.balance ~= 0 then
      note(file, old.account, { kind = "carry", fen = -last.balance, time = state.closed,
                                evidence = "to " .. new.device_no })
      note(file, new.account, { kind = "carry", fen = last.balance, time = state.closed,
                                evidence = "from " .. old.device_no })
    end
    return { balance = last_of(file, new.account).balance }
  end)
end

--- Notes what was told to the meter's display.
---@param which string
---@param shown { balance: integer, price: integer, tier: integer }
---@param evidence string
function Settlement:told(which, shown, evidence)
  return self:note(self:must_find(which), { kind = "sync", detail = shown, evidence = evidence,
                                            time = core.timestamp() })
end

--- A ledger's entries, oldest first.
---@param which string
---@return fun(): table|nil
function Settlement:entries(which)
  return bookkeeping.entries(self.journal.file, self:must_find(which).account)
end

return settlement
