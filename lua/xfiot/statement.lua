--- A ledger as a statement: each entry as a line that a customer understands, with how
-- its amount came about.
local explanation = require "xfiot.explanation"
local core = require "xfiot.core"
local ledger_text = require "xfiot.ledger_text"

local statement = {}

--- What the kinds of entries are called.
statement.kinds = {
  open = { en = "ledger opened", zh = "建账" },
  charge = { en = "gas used", zh = "用气扣费" },
  report = { en = "report, nothing to charge", zh = "上报，无需扣费" },
  adjustment = { en = "correction of a charge", zh = "扣费更正" },
  payment = { en = "payment", zh = "缴费" },
  refund = { en = "refund", zh = "退款" },
  tariff = { en = "price change", zh = "调价" },
  counter = { en = "counter replaced", zh = "更换计数器" },
  held = { en = "reading held for a person", zh = "读数异常，待人工处理" },
  doubted = { en = "reading in doubt", zh = "读数存疑" },
  contradicted = { en = "late reading contradicts later ones, held for a person", zh = "迟到读数与后续读数矛盾，待人工处理" },
  restored = { en = "reading taken after all", zh = "读数恢复采用" },
  released = { en = "held reading taken after all", zh = "异常读数已采用" },
  ignored = { en = "reading set aside", zh = "读数作废" },
  close = { en = "meter taken away, final reading", zh = "拆表，最终读数" },
  carry = { en = "balance carried over", zh = "余额结转" },
  notice = { en = "told of the balance", zh = "余额提醒" },
  sync = { en = "balance shown on the meter", zh = "余额已同步至表具" },
}

--- Names of a line, as --json and --csv have them.
statement.fields = { "device_no", "seq", "booked_at", "kind", "time", "segment", "reading", "ladder_from", "ladder_to",
                     "amount", "balance", "provisional", "evidence", "note" }

--- Why a reading is held for a person.
statement.reasons = {
  swap = "a swap or a fault",
  final = "more than its counter's final reading",
  range = "more than its counter can show",
  early = "from before the ledger, but more gas than known: its clock is wrong",
  ahead = "its clock is ahead of the platform's",
  unreadable = "nothing that its counter can show",
}

--- The same in a sentence.
---@param reading { why: string, text: string|nil }
---@return string
function statement.reason(reading)
  local reason = statement.reasons[reading.why]
  return reading.text and ("%s, it came as %q"):format(reason, reading.text) or reason
end

local function yuan(fen) return explanation.yuan(fen) end
local function cubic(litres) return litres and explanation.cubic(litres) end

local NOTES = { doubted = statement.reason }

function NOTES.open(detail)
  return ("reading %s m³, ladder %s m³, tariff version %d"):format(cubic(detail.litres), cubic(detail.ladder),
    math.tointeger(detail.tariff.priceVer))
end
function NOTES.adjustment(detail) return ("was %s, is %s"):format(yuan(detail.was), yuan(detail.is)) end
function NOTES.tariff(detail)
  return ("version %d from %s, first tier %s"):format(math.tointeger(detail.tariff.priceVer), detail.tariff.priceTime,
    detail.tariff.priceOne)
end
function NOTES.counter(detail) return ("old one ended with %s, new one began with %s"):format(cubic(detail.old),
  cubic(detail.new)) end
function NOTES.sync(detail)
  return ("balance %s, price %s, tier %d"):format(yuan(detail.balance), yuan(detail.price), detail.tier)
end

--- One entry as a line.
---@param book xfiot.Settlement
---@param ledger table as book:find gives it
---@param entry table
---@return table line by statement.fields, texts and integers; what there is not is nil
---@return xfiot.Explanation|nil how a charge came about
function statement.line(book, ledger, entry)
  local detail = entry.detail and ledger_text.read_detail(entry.detail) or {}
  local note = NOTES[entry.kind]
  local line = {
    device_no = ledger.device_no, seq = entry.seq, booked_at = core.timestamp(entry.at), kind = entry.kind,
    time = entry.time, segment = entry.segment, reading = cubic(detail.reading or detail.litres),
    ladder_from = cubic(detail.from), ladder_to = cubic(detail.to), amount = yuan(entry.fen),
    balance = yuan(entry.balance), provisional = entry.provisional, evidence = entry.evidence,
    note = note and note(detail) or nil,
  }
  if entry.kind ~= "charge" or detail.from == detail.to then return line end
  local with = book.tariffs:find(book.journal.file, ledger.account, detail.tariff)
  return line, with:explain(detail.from, detail.to, entry.balance - entry.fen)
end

local function quoted(value)
  local text = value == nil and "" or tostring(value)
  if text:find '[",\r\n]' then return '"' .. text:gsub('"', '""') .. '"' end
  return text
end

--- A line of CSV.
---@param line table
---@param fields string[]
---@return string
function statement.csv(line, fields)
  local cells = {}
  for i, name in ipairs(fields) do cells[i] = quoted(line[name]) end
  return table.concat(cells, ",")
end

--- A line of JSON; what there is not is null.
---@param line table
---@param fields string[]
---@return string
function statement.json(line, fields)
  local out = {}
  for _, name in ipairs(fields) do out[name] = line[name] == nil and core.null or line[name] end
  out.tiers = line.tiers
  return core.encode(out)
end

return statement
