--- Settlement: the ledger of each meter whose money the utility keeps. Every report
-- becomes a charge, once, in one transaction with the reading it rests on; what comes
-- late, twice or out of order leaves the same ledger to the fen as what comes in order.
local arguments = require "xfiot.ledger_arguments"
local bookkeeping = require "xfiot.bookkeeping"
local core = require "xfiot.core"
local explanation = require "xfiot.explanation"
local ledger_writer = require "xfiot.ledger_writer"
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

--- Settlement on a client's journal; one for each client.
---@param client xfiot.Client
---@return xfiot.Settlement
function settlement.of(client)
  if not client.settlement then
    client.settlement = settlement.new(client.orders:journal(), client.company_code)
  end
  return client.settlement
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

--- How a meter stands: what a customer and the meter's display are told.
---@param which string deviceNo or deviceId
---@return table { balance=, price=, tier=, time=, ladder=, period=, left=, held=, closed=, device_no=, account= }
function Settlement:standing(which)
  local ledger = self:must_find(which)
  local row, state = ledger_writer.last(self.journal.file, ledger.account)
  local with = self.tariffs:find(self.journal.file, ledger.account, state.seq)
  local tier, price = with:tier(state.ladder)
  return { account = ledger.account, device_no = ledger.device_no, device_id = ledger.device_id, balance = row.balance,
           price = price, tier = tier, time = state.time, ladder = state.ladder, litres = state.litres,
           period = state.segment, left = with:forecast(row.balance, state.ladder), held = #state.held,
           closed = state.closed ~= reckoning.NEVER and state.closed or nil, level = state.level,
           told_at = state.told_at ~= 0 and state.told_at or nil,
           told = state.told_at ~= 0 and { balance = state.told_balance, price = state.told_price,
                                           tier = state.told_tier } or nil }
end

--- What a meter's display is to show, as BALANCE_SYNC takes it.
---@param which string deviceNo or deviceId
---@return { balance: string, price: string, ladderNo: integer }
---@return table standing
function Settlement:display(which)
  local stands = self:standing(which)
  return { balance = explanation.yuan(stands.balance), price = explanation.yuan(stands.price),
           ladderNo = stands.tier }, stands
end

--- The tariff that is in force for a meter's last reading.
---@param which string deviceNo or deviceId
---@return xfiot.Tariff
function Settlement:tariff(which)
  local ledger = self:must_find(which)
  local _, state = ledger_writer.last(self.journal.file, ledger.account)
  return self.tariffs:find(self.journal.file, ledger.account, state.seq)
end

-- ---- opening

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
  local digits = arguments.counter("digits", args.digits or DIGITS, litres)
  local _, last = with:period(time)
  local state = { time = time, litres = litres, segment = time, ladder = ladder, seq = 1,
                  next = reckoning.next_second(last), digits = digits, closed = reckoning.NEVER, level = 0,
                  told_at = 0, told_balance = 0, told_price = 0, told_tier = 0, held = {} }
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
    ledger_writer.write(file, account, 0, {}, ledger_writer.finish({ entry }, state, args.evidence or "opened by hand"))
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

-- The report if there is something new in it: it has not come before, or only in doubt.
local function new_report(file, account, report)
  local has, why = file:ledger_has(account, report)
  if has == nil then error(why, 0) end
  if not has then return report end
  local _, state = ledger_writer.last(file, account)
  for _, key in ipairs(state.held) do
    if key == reckoning.key(report) then
      return bookkeeping.clear_doubt(bookkeeping.facts(file, account), report) and report or nil
    end
  end
end

-- The whole is reckoned with what the report says.
local function take_long(file, account, state, report, frozen)
  local facts, booked = bookkeeping.facts(file, account)
  if report then bookkeeping.clear_doubt(facts, report) end
  for _, record in ipairs(frozen) do facts.readings[#facts.readings + 1] = record end
  return bookkeeping.settle(facts, booked, state, report)
end

-- Known from the very second of the entries on: a month ends between two seconds.
local function readings_to_write(report, frozen, evidence, now)
  local list = {}
  for _, record in ipairs(frozen) do list[#list + 1] = record end
  list[#list + 1] = report
  for _, reading in ipairs(list) do reading.evidence, reading.at = evidence, now end
  return list
end

-- Entries that say by themselves that a report was taken.
local TELLING <const> = { charge = true, held = true, contradicted = true, doubted = true }

local function charged(entries)
  for _, entry in ipairs(entries) do
    if TELLING[entry.kind] then return true end
  end
  return false
end

-- What the meter itself has charged by then stands with the report's entry: from the
-- first one on the two are compared.
local function add_used(entries, used)
  for _, entry in ipairs(entries) do
    if entry.kind == "charge" or entry.kind == "report" then
      entry.detail.used = used
      return
    end
  end
end

-- Inside the transaction: everything is worked out before anything is written.
local function take(self, file, account, message, evidence)
  local report, frozen = meter_report.readings(message)
  report = report and new_report(file, account, report)
  frozen = new_frozen(file, account, frozen)
  if not report and #frozen == 0 then return nil end -- taken before
  local last, state = ledger_writer.last(file, account)
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
  if report then add_used(entries, meter_report.used(message)) end
  if #entries > 0 then ledger_writer.finish(entries, state, evidence, report and report.time) end
  local at = entries[1] and entries[1].at or core.now()
  ledger_writer.write(file, account, last.seq, readings_to_write(report, frozen, evidence, at), entries)
  return { fen = ledger_writer.sum(entries), balance = last.balance + ledger_writer.sum(entries), entries = #entries }
end

--- Takes a report inside a transaction of the caller's, see take.
---@param file userdata
---@param account integer
---@param message table
---@param evidence string
---@return table|nil
function Settlement:take_within(file, account, message, evidence)
  return take(self, file, account, message, evidence)
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

--- A ledger's entries, oldest first.
---@param which string
---@return fun(): table|nil
function Settlement:entries(which)
  return bookkeeping.entries(self.journal.file, self:must_find(which).account)
end

-- What persons decide, and what follows from it, is in a file of its own.
for name, deed in pairs(require "xfiot.ledger_deeds") do Settlement[name] = deed end
for name, deed in pairs(require "xfiot.ledger_swap") do Settlement[name] = deed end

return settlement
