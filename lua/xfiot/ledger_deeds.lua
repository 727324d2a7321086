--- What persons put into a ledger, and other programs for them: payments, prices, other
-- counters, meters taken away. Methods of xfiot.Settlement.
local arguments = require "xfiot.ledger_arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local explanation = require "xfiot.explanation"
local ledger_writer = require "xfiot.ledger_writer"
local meter_report = require "xfiot.meter_report"
local reckoning = require "xfiot.reckoning"

local deeds = {}

local function note(self, ledger, fact)
  return self.journal:write(function(file) return ledger_writer.note(file, ledger.account, fact) end)
end

-- ---- money

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
function deeds:pay(args)
  local ledger, order = self:must_find(args.deviceNo), arguments.text("order", args.order)
  local fen = arguments.fen("amount", args.amount)
  if fen == 0 then arguments.bad("amount", "must not be 0", "不应为 0") end
  local mark = "order " .. order
  local evidence = args.evidence and mark .. ", " .. args.evidence or mark
  return self.journal:write(function(file)
    local before = repeated(file, ledger.account, mark, fen)
    if before then return { fen = 0, balance = ledger_writer.last(file, ledger.account).balance, entries = 0 } end
    return ledger_writer.note(file, ledger.account, { kind = fen > 0 and "payment" or "refund", fen = fen, mark = mark,
                                        time = core.timestamp(), evidence = evidence })
  end)
end

--- Another tariff, from its priceTime on; one with the priceTime of an earlier one
--- corrects it. What was charged otherwise is adjusted.
---@param args { deviceNo: string, tariff: table, evidence: string|nil }
---@return table { fen=, balance= }
function deeds:price(args)
  local ledger, with = self:must_find(args.deviceNo), arguments.tariff(args.tariff)
  if with.clear_mark == nil then
    arguments.bad("tariff.clearMark", "is missing: 0 keeps the gas counted in the ladder period, 1 sets it to zero",
      "缺少：0 保留阶梯累计用量，1 清零")
  end
  return note(self, ledger, {
    kind = "tariff", time = with.price_time, detail = { tariff = with:names() },
    evidence = args.evidence or "set by hand",
    facts = function(facts, seq) facts.tariffs[#facts.tariffs + 1] = { seq = seq, tariff = with } end,
  })
end

-- A final reading must follow what the meter has reported.
local function check_advance(path, state, litres)
  if reckoning.advance(state.litres, litres, state.digits) then return end
  arguments.bad(path, ("is less than the %s m³ that the meter has reported"):format(explanation.cubic(state.litres)),
    "小于表具已上报的读数")
end

--- The counter was replaced in the same meter: it ended with `old`, and starts with `new`.
---@param args { deviceNo: string, at: string, old: integer|string, new: integer|string, evidence: string }
---@return table { fen=, balance= }
function deeds:counter(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local old, new = arguments.litres("old", args.old), arguments.litres("new", args.new)
  return note(self, ledger, {
    kind = "counter", time = time, detail = { old = old, new = new },
    evidence = arguments.text("evidence", args.evidence),
    state = function(state)
      if time >= state.time then check_advance("old", state, old) end
    end,
    facts = function(facts)
      facts.counters[#facts.counters + 1] = { time = time, old = old, new = new }
      table.sort(facts.counters, function(a, b) return a.time < b.time end)
    end,
  })
end

--- Sets a reading aside that the counter cannot have shown.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { fen=, balance= }
function deeds:ignore(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local litres = arguments.litres("reading", args.reading)
  local has = self.journal:read("ledger_has", ledger.account, { time = time, source = "report", litres = litres })
  if not has then arguments.bad("reading", "is none that was taken at that time", "该时刻没有这个读数") end
  return note(self, ledger, {
    kind = "ignored", time = time, detail = { litres = litres }, evidence = arguments.text("evidence", args.evidence),
    facts = function(facts) facts.ignored[time .. " " .. litres] = true end,
  })
end

--- Takes a meter away from its customer after its final reading; what it reports later
--- is not charged.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { balance=, ladder= }
function deeds:close(args)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local litres, evidence = arguments.litres("reading", args.reading), arguments.text("evidence", args.evidence)
  local _, state = ledger_writer.last(self.journal.file, ledger.account)
  if state.closed == reckoning.NEVER then
    if time >= state.time then check_advance("reading", state, litres) end
    self:take(ledger.device_no, meter_report.final(time, litres), evidence)
    note(self, ledger, { kind = "close", time = time, evidence = evidence, detail = { litres = litres },
                         facts = function(facts) facts.closed = time end })
  end
  return self:standing(ledger.device_no)
end

--- Carries the balance of a closed ledger over to another meter's, both in one transaction.
---@param from string deviceNo
---@param to string deviceNo
---@return table { balance= } of the other meter
function deeds:carry(from, to)
  local old, new = self:must_find(from), self:must_find(to)
  return self.journal:write(function(file)
    local last, state = ledger_writer.last(file, old.account)
    if state.closed == reckoning.NEVER then arguments.bad("from", "its ledger is not closed", "原表账本尚未关闭") end
    if last.balance ~= 0 then
      ledger_writer.note(file, old.account, {
        kind = "carry", fen = -last.balance, time = state.closed, evidence = "to " .. new.device_no })
      ledger_writer.note(file, new.account, {
        kind = "carry", fen = last.balance, time = state.closed, evidence = "from " .. old.device_no })
    end
    return { balance = ledger_writer.last(file, new.account).balance }
  end)
end

--- Notes what was told to the meter's display.
---@param which string deviceNo or deviceId
---@param shown { balance: integer, price: integer, tier: integer }
---@param evidence string
function deeds:told(which, shown, evidence)
  local now = core.now()
  return note(self, self:must_find(which), {
    kind = "sync", evidence = evidence, time = core.timestamp(now),
    detail = { balance = shown.balance, price = shown.price, tier = shown.tier },
    state = function(state)
      state.told_at, state.told_balance, state.told_price, state.told_tier = now, shown.balance, shown.price, shown.tier
    end,
  })
end

--- Notes how low a balance somebody was told of.
---@param which string deviceNo or deviceId
---@param level integer
---@param evidence string
function deeds:warned(which, level, evidence)
  return note(self, self:must_find(which), {
    kind = "notice", evidence = evidence, time = core.timestamp(), detail = { level = level },
    state = function(state) state.level = level end,
  })
end

-- ---- a swap

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

--- What an old meter leaves to its successor. With cardNo it keeps its money itself and
-- has reported it; else its ledger is closed with the final reading.
---@param meter xfiot.Meter
---@param args { order: string, reading: any, cardNo: string|nil }
---@return { balance: string, ladder: string|integer } yuan; m³ as text, or litres
function deeds:final(meter, args)
  if not args.cardNo then
    local stands = self:close { deviceNo = meter.device_no, at = core.timestamp(), reading = args.reading,
                                evidence = "order " .. args.order }
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

--- Opens the successor's ledger where the old one has ended, and carries the balance over.
---@param device_no string the old meter's
---@param meter xfiot.Meter the new one, registered
---@param reading any what its counter shows
---@param final table of deeds:final
function deeds:succeed(device_no, meter, reading, final)
  if not self:find(meter.device_no) then
    self:open { deviceNo = meter.device_no, deviceId = meter:device_id(), tariff = self:tariff(device_no),
                at = self:standing(device_no).closed, reading = reading, ladder = final.ladder,
                evidence = "successor of " .. device_no }
  end
  return self:carry(device_no, meter.device_no)
end

return deeds
