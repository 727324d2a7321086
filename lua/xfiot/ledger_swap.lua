--- A meter takes another one's place: what the old one leaves, and where the ledger of the
-- new one begins. Each can be done again, and changes nothing then. Methods of xfiot.Settlement.
local arguments = require "xfiot.ledger_arguments"
local bookkeeping = require "xfiot.bookkeeping"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local explanation = require "xfiot.explanation"
local ledger_text = require "xfiot.ledger_text"
local ledger_writer = require "xfiot.ledger_writer"
local reckoning = require "xfiot.reckoning"
local tariff = require "xfiot.tariff"

local swap = {}

-- ---- the old meter

-- What a money meter said last; one that was deregistered by an earlier attempt is not
-- asked again.
local function last_money(meter)
  local ok, err = pcall(function() return meter:report() and meter:remember() end)
  if not ok and not (errors.is(err) and err.code == "500004") then error(err, 0) end
  meter:recall()
  local report = meter.remembered and meter.remembered.report
  for _, item in ipairs(report and core.decode(report).callbackData.data or {}) do
    if item.serviceId == "MoneyMeterInfo" then return item.serviceData end
  end
  arguments.bad("deviceNo", "is no money meter that has reported", "不是已上报过的表端金额表")
end

-- What the successor's ledger could not be opened with is refused before the old one is closed.
local function check_counter(self, device_no, args)
  local _, state = ledger_writer.last(self.journal.file, self:must_find(device_no).account)
  arguments.counter("newDigits", args.newDigits or state.digits, arguments.litres("newReading", args.newReading or "0"))
end

--- What an old meter leaves to its successor. With cardNo it keeps its money itself and
-- has reported it; else its ledger is closed with the final reading.
---@param meter xfiot.Meter
---@param args { order: string, reading: any, cardNo: string|nil, newReading: any, newDigits: integer|nil }
---@return { balance: string, ladder: string|integer } yuan; m³ as text, or litres
function swap:final(meter, args)
  if not args.cardNo then
    check_counter(self, meter.device_no, args)
    local stands = self:close { deviceNo = meter.device_no, reading = args.reading, evidence = "order " .. args.order }
    return { balance = explanation.yuan(stands.balance), ladder = stands.ladder }
  end
  local money = last_money(meter)
  local left, ladder = core.decimal(money.surplusMoney or "", 3), core.decimal(money.totalLadderValue or "0", 3)
  if not left or left < 0 then
    arguments.bad("deviceNo", ("has %s yuan left: it is for a person to settle"):format(tostring(money.surplusMoney)),
      "剩余金额不可结转，请人工处理")
  end
  return { balance = core.decimal_text(left // 10 * 10, 2), ladder = core.decimal_text((ladder or 0) // 100 * 100, 1) }
end

-- ---- its successor

local function carried_from(device_no) return "carry from " .. device_no end

--- Carries the balance of a closed ledger over to another meter's, both in one transaction.
---@param from string deviceNo
---@param to string deviceNo
---@return table { balance= } of the other meter
function swap:carry(from, to)
  local old, new = self:must_find(from), self:must_find(to)
  return self.journal:write(function(file)
    local last, state = ledger_writer.last(file, old.account)
    if state.closed == reckoning.NEVER then arguments.bad("from", "its ledger is not closed", "原表账本尚未关闭") end
    local mark = carried_from(old.device_no)
    if ledger_writer.marked(file, new.account, mark) then mark = nil end -- this is what came later
    if last.balance ~= 0 then
      ledger_writer.note(file, old.account, {
        kind = "carry", fen = -last.balance, time = state.closed, evidence = "to " .. new.device_no })
    end
    if last.balance ~= 0 or mark then
      ledger_writer.note(file, new.account, { kind = "carry", fen = last.balance, time = state.closed, mark = mark,
                                              evidence = "from " .. old.device_no })
    end
    return { balance = ledger_writer.last(file, new.account).balance }
  end)
end

-- What a closed ledger leaves to its successor: how it stands the moment after its end, a
-- price or a ladder period that starts just then included; and the prices to come.
local function legacy(file, account)
  local facts, _, state = bookkeeping.facts(file, account), nil, select(2, ledger_writer.last(file, account))
  if state.closed == reckoning.NEVER then arguments.bad("deviceNo", "its ledger is not closed", "原表账本尚未关闭") end
  local after, readings, coming = reckoning.next_second(state.closed), {}, {}
  for _, reading in ipairs(facts.readings) do
    if reading.time <= state.closed then readings[#readings + 1] = reading end
  end
  readings[#readings + 1] = { time = after, litres = state.litres, source = "report" } -- no gas since
  facts.readings, facts.closed = readings, after
  for i = 2, #facts.tariffs do -- the first one holds from the beginning
    local row = facts.tariffs[i]
    if row.tariff.price_time > state.closed then coming[#coming + 1] = row end
  end
  local segments = reckoning.reckon(facts)
  local segment = segments[#segments]
  return { closed = state.closed, tariff = segment.tariff, ladder = segment.ladder_to, digits = state.digits,
           coming = coming }
end

-- What a successor's meter is opened with: always the same, whatever has come since.
local function opening(file, account, mark)
  local row = bookkeeping.entries(file, account)()
  local detail = ledger_text.read_detail(row.detail)
  local tier, price = tariff.new(detail.tariff):tier(detail.ladder)
  local carried = ledger_writer.marked(file, account, mark).fen
  return { balance = explanation.yuan(row.fen + carried), price = explanation.yuan(price), ladderNo = tier }
end

--- Opens the successor's ledger where the old one has ended, with the prices to come, and
--- carries the balance over. What was done before is not done again.
---@param device_no string the old meter's
---@param meter xfiot.Meter the new one, registered
---@param args { newReading: any, newDigits: integer|nil } what its counter shows: 0, of as many digits as the old one's
---@return { balance: string, price: string, ladderNo: integer } what the new meter is to be opened with
function swap:succeed(device_no, meter, args)
  local file = self.journal.file
  local left = legacy(file, self:must_find(device_no).account)
  if not self:find(meter.device_no) then
    self:open { deviceNo = meter.device_no, deviceId = meter:device_id(), tariff = left.tariff, at = left.closed,
                reading = args.newReading or "0", ladder = left.ladder, digits = args.newDigits or left.digits,
                evidence = "successor of " .. device_no }
  end
  for _, row in ipairs(left.coming) do
    self:price { deviceNo = meter.device_no, tariff = row.tariff, evidence = "successor of " .. device_no,
                 mark = ("price %d of %s"):format(row.seq, device_no) }
  end
  self:carry(device_no, meter.device_no)
  return opening(file, self:must_find(meter.device_no).account, carried_from(device_no))
end

--- Notes what the successor was opened with, and carries over what was booked on the old
--- ledger since.
---@param device_no string the old meter's
---@param meter xfiot.Meter the new one
---@param show table of succeed
---@param order string
function swap:opened(device_no, meter, show, order)
  self:sent(meter.device_no, show, "order " .. order)
  return self:carry(device_no, meter.device_no)
end

return swap
