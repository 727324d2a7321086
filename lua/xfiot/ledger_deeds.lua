--- What persons put into a ledger, and other programs for them: payments, prices, other
-- counters, meters taken away. A swap is in xfiot.ledger_swap. Methods of xfiot.Settlement.
local arguments = require "xfiot.ledger_arguments"
local core = require "xfiot.core"
local explanation = require "xfiot.explanation"
local ledger_writer = require "xfiot.ledger_writer"
local meter_report = require "xfiot.meter_report"
local reckoning = require "xfiot.reckoning"

local deeds = {}

-- A fact that has a mark is noted once.
local function note(self, ledger, fact)
  return self.journal:write(function(file)
    local row = fact.mark and ledger_writer.marked(file, ledger.account, fact.mark)
    if row then return { fen = 0, balance = ledger_writer.last(file, ledger.account).balance, entries = 0 } end
    return ledger_writer.note(file, ledger.account, fact)
  end)
end

-- ---- money

-- The entry that an order has been booked as; raises if it was another amount.
local function repeated(file, account, mark, fen)
  local row = ledger_writer.marked(file, account, mark)
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
---@param args { deviceNo: string, tariff: table, evidence: string|nil, mark: string|nil } a mark is noted once
---@return table { fen=, balance= }
function deeds:price(args)
  local ledger, with = self:must_find(args.deviceNo), arguments.tariff(args.tariff)
  if with.clear_mark == nil then
    arguments.bad("tariff.clearMark", "is missing: 0 keeps the gas counted in the ladder period, 1 sets it to zero",
      "缺少：0 保留阶梯累计用量，1 清零")
  end
  return note(self, ledger, {
    kind = "tariff", time = with.price_time, detail = { tariff = with:names() }, mark = args.mark,
    evidence = args.evidence or "set by hand",
    facts = function(facts, seq) facts.tariffs[#facts.tariffs + 1] = { seq = seq, tariff = with } end,
  })
end

-- What a counter of so many digits can show.
local function check_range(path, state, litres)
  if reckoning.fits(litres, state.digits) then return end
  arguments.bad(path, ("is more than a counter of %d digits shows"):format(state.digits),
    ("超出 %d 位计数器的量程"):format(state.digits))
end

-- A final reading must follow what the meter has reported.
local function check_advance(path, state, litres)
  check_range(path, state, litres)
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
      check_range("old", state, old)
      check_range("new", state, new)
    end,
    facts = function(facts)
      facts.counters[#facts.counters + 1] = { time = time, old = old, new = new }
      table.sort(facts.counters, function(a, b) return a.time < b.time end)
    end,
  })
end

-- A person's word on a reading that was taken.
local function judge(self, args, kind, ignored)
  local ledger, time = self:must_find(args.deviceNo), arguments.time("at", args.at)
  local litres = arguments.litres("reading", args.reading)
  local reading = { time = time, source = "report", litres = litres }
  if not self.journal:read("ledger_has", ledger.account, reading) then
    arguments.bad("reading", "is none that was taken at that time", "该时刻没有这个读数")
  end
  return note(self, ledger, {
    kind = kind, time = time, detail = { litres = litres }, evidence = arguments.text("evidence", args.evidence),
    facts = function(facts) facts.ignored[reckoning.key(reading)] = ignored end,
  })
end

--- Sets a reading aside that the counter cannot have shown.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { fen=, balance= }
function deeds:ignore(args) return judge(self, args, "ignored", true) end

--- Takes a reading after all that was set aside.
---@param args { deviceNo: string, at: string, reading: integer|string, evidence: string }
---@return table { fen=, balance= }
function deeds:restore(args) return judge(self, args, "restored", nil) end

local function later(a, b) return a > b and a or b end

-- What was settled until a later time would not be charged any more.
local function check_close(state, time, litres)
  if time < state.time then
    arguments.bad("at", ("must not be earlier than the last reading that was settled, %s m³ at %s; if that is another "
      .. "customer's, set it aside first (ignore)"):format(explanation.cubic(state.litres), state.time),
      "不得早于最近一次已结算的读数；若该读数属于其他用户，请先作废")
  end
  check_advance("reading", state, litres)
end

--- Takes a meter away from its customer after its final reading; what it reports later
--- is not charged.
---@param args { deviceNo: string, at: string|nil, reading: integer|string, evidence: string } at: now unless it is
---  given, or when the last report was settled if the meter's clock is ahead
---@return table { balance=, ladder= }
function deeds:close(args)
  local ledger, at = self:must_find(args.deviceNo), args.at and arguments.time("at", args.at)
  local litres, evidence = arguments.litres("reading", args.reading), arguments.text("evidence", args.evidence)
  self.journal:write(function(file)
    local _, state = ledger_writer.last(file, ledger.account)
    if state.closed ~= reckoning.NEVER then return end
    local time = at or later(core.timestamp(), state.time)
    check_close(state, time, litres)
    self:take_within(file, ledger.account, meter_report.final(time, litres), evidence)
    ledger_writer.note(file, ledger.account, { kind = "close", time = time, evidence = evidence,
      detail = { litres = litres }, facts = function(facts) facts.closed = time end })
  end)
  return self:standing(ledger.device_no)
end

--- Notes what was told to the meter's display.
---@param which string deviceNo or deviceId
---@param shown { balance: integer, price: integer, tier: integer }
---@param evidence string
---@param mark? string what is noted once
function deeds:told(which, shown, evidence, mark)
  local now = core.now()
  return note(self, self:must_find(which), {
    kind = "sync", evidence = evidence, time = core.timestamp(now), mark = mark,
    detail = { balance = shown.balance, price = shown.price, tier = shown.tier },
    state = function(state)
      state.told_at, state.told_balance, state.told_price, state.told_tier = now, shown.balance, shown.price, shown.tier
    end,
  })
end

--- The same of what was sent to it, as `display` has it; once for each evidence. Without a
--- ledger there is nothing to note.
---@param which string deviceNo or deviceId
---@param sent { balance: any, price: any, ladderNo: integer } yuan
---@param evidence string the command, or the order
function deeds:sent(which, sent, evidence)
  if not self:find(which) then return nil end
  local shown = { balance = arguments.fen("balance", sent.balance), price = arguments.fen("price", sent.price),
                  tier = sent.ladderNo }
  return self:told(which, shown, evidence, "sent by " .. evidence)
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

return deeds
