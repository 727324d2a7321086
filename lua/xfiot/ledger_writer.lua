--- Writes into ledgers: entries with the state after them, what they rest on, and what
-- follows for what was charged. Inside a transaction: everything is worked out before
-- anything is written.
local bookkeeping = require "xfiot.bookkeeping"
local core = require "xfiot.core"
local ledger_text = require "xfiot.ledger_text"

local ledger_writer = {}

--- Where a ledger ends.
---@param file userdata the core's journal
---@param account integer
---@return table entry the last one
---@return xfiot.State
function ledger_writer.last(file, account)
  local row, why = file:ledger_entry(account)
  if not row then error(why or "the ledger is empty", 0) end
  return row, ledger_text.read_state(row.state)
end

--- The entry that has a mark, or nil.
---@param file userdata
---@param account integer
---@param mark string
---@return table|nil
function ledger_writer.marked(file, account, mark)
  local row, why = file:ledger_entry(account, mark)
  if why then error(why, 0) end
  return row
end

--- Completes entries: state, evidence, times; details become text.
---@param entries table[]
---@param state xfiot.State after all of them
---@param evidence string
---@param time? string the meter's
---@return table[] entries
function ledger_writer.finish(entries, state, evidence, time)
  local text, now = ledger_text.state(state), core.now()
  for _, entry in ipairs(entries) do
    entry.evidence, entry.state, entry.at = entry.evidence or evidence, text, now
    entry.time = entry.time or time
    entry.detail = entry.detail and ledger_text.detail(entry.detail)
  end
  return entries
end

--- Writes them all, or raises.
---@param file userdata
---@param account integer
---@param after integer the last seq
---@param readings table[]
---@param entries table[]
function ledger_writer.write(file, account, after, readings, entries)
  local done, why = file:ledger_settle { account = account, after = after, readings = readings, entries = entries }
  if not done then error(why or "the ledger has grown meanwhile", 0) end
end

--- What entries add to the balance.
---@param entries table[]
---@return integer fen
function ledger_writer.sum(entries)
  local fen = 0
  for _, entry in ipairs(entries) do fen = fen + entry.fen end
  return fen
end

--- A fact of the ledger's own: its entry, and what follows from it for what was charged.
---@param file userdata
---@param account integer
---@param fact { kind: string, time: string|nil, fen: integer|nil, mark: string|nil, detail: table|nil,
---  evidence: string, state: function|nil, facts: function|nil } state changes the state, facts adds to all facts
---@return { fen: integer, balance: integer, entries: integer }
function ledger_writer.note(file, account, fact)
  local last, state = ledger_writer.last(file, account)
  if fact.state then fact.state(state) end
  local entries = { { kind = fact.kind, time = fact.time, fen = fact.fen or 0, mark = fact.mark,
                      detail = fact.detail } }
  if fact.facts then
    local facts, booked = bookkeeping.facts(file, account)
    fact.facts(facts, last.seq + 1)
    local more
    more, state = bookkeeping.settle(facts, booked, state)
    table.move(more, 1, #more, 2, entries)
  end
  ledger_writer.write(file, account, last.seq, {}, ledger_writer.finish(entries, state, fact.evidence))
  return { fen = ledger_writer.sum(entries), balance = last.balance + ledger_writer.sum(entries), entries = #entries }
end

return ledger_writer
