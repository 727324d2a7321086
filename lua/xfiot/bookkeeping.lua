--- What a fact does to a ledger: the entries that bring what is booked to what has been
-- reckoned. Nothing booked is ever changed; where an earlier charge was another one than
-- it should have been, the difference is an adjustment.
local ledger_text = require "xfiot.ledger_text"
local reckoning = require "xfiot.reckoning"
local tariff = require "xfiot.tariff"

local bookkeeping = {}

local TARIFFS_MOST <const> = 20000 -- kept decoded, of all meters together

-- ---- facts from the journal

local function pages(read, key_of)
  local page, i, key = read(nil), 0, nil
  return function()
    i = i + 1
    if page[i] == nil and #page > 0 then page, i = read(key), 1 end
    local row = page[i]
    if row then key = key_of(row) end
    return row
  end
end

local function must(value, why)
  if value == nil then error(why, 0) end
  return value
end

--- All entries of a ledger, oldest first.
---@param file userdata the core's journal
---@param account integer
---@return fun(): table|nil
function bookkeeping.entries(file, account)
  return pages(function(after) return must(file:ledger_entries(account, after or 0)) end,
    function(row) return row.seq end)
end

--- All readings of a meter, by time.
---@param file userdata
---@param account integer
---@return fun(): table|nil
function bookkeeping.readings(file, account)
  return pages(function(after) return must(file:ledger_readings(account, after)) end, function(row) return row end)
end

local NOTED = {}

function NOTED.open(facts, row, detail)
  facts.opened = { time = row.time, litres = detail.litres, ladder = detail.ladder, digits = detail.digits }
  facts.tariffs[1] = { seq = row.seq, tariff = tariff.new(detail.tariff) }
end

function NOTED.tariff(facts, row, detail)
  facts.tariffs[#facts.tariffs + 1] = { seq = row.seq, tariff = tariff.new(detail.tariff) }
end

function NOTED.counter(facts, row, detail)
  facts.counters[#facts.counters + 1] = { time = row.time, old = detail.old, new = detail.new }
end

function NOTED.ignored(facts, row, detail)
  facts.ignored[reckoning.key { time = row.time, litres = detail.litres }] = true
end

NOTED.contradicted = NOTED.ignored -- until a person has decided

function NOTED.doubted(facts, row, detail)
  facts.ignored[reckoning.key { time = row.time, litres = detail.litres }] = { why = detail.why, text = detail.text }
end

-- It has come again without the doubt; one that a person has set aside stays so.
function NOTED.released(facts, row, detail)
  local key = reckoning.key { time = row.time, litres = detail.litres }
  if facts.ignored[key] ~= true then facts.ignored[key] = nil end
end

function NOTED.restored(facts, row, detail)
  facts.ignored[reckoning.key { time = row.time, litres = detail.litres }] = nil
end

function NOTED.close(facts, row) facts.closed = row.time end

--- Everything that is known of a meter's gas.
---@param file userdata
---@param account integer
---@param before? integer only what was known before this time, seconds
---@return xfiot.Facts facts
---@return table<string, integer> booked fen, by segment
function bookkeeping.facts(file, account, before)
  before = before or math.maxinteger
  local facts = { opened = nil, tariffs = {}, readings = {}, counters = {}, ignored = {}, closed = nil }
  local booked = {}
  for row in bookkeeping.entries(file, account) do
    if row.at >= before then break end
    if row.segment then booked[row.segment] = (booked[row.segment] or 0) - row.fen end
    local note = NOTED[row.kind]
    if note then note(facts, row, row.detail and ledger_text.read_detail(row.detail)) end
  end
  for row in bookkeeping.readings(file, account) do
    if row.at < before then facts.readings[#facts.readings + 1] = row end
  end
  table.sort(facts.counters, function(a, b) return a.time < b.time end)
  return facts, booked
end

--- How much gas was known of before a time, since the ledger began: what charges,
-- corrections, final readings and readings set aside come to.
---@param file userdata
---@param account integer
---@param before integer seconds
---@return integer litres
function bookkeeping.gas(file, account, before)
  local facts = bookkeeping.facts(file, account, before)
  if not facts.opened then return 0 end
  local _, last = reckoning.reckon(facts)
  return last.gas
end

-- ---- entries

-- The state after everything that was reckoned.
local function state_of(before, facts, segments, last, held, next_at)
  local segment, state, keys = segments[#segments], {}, {}
  for name, value in pairs(before) do state[name] = value end
  for i, reading in ipairs(held) do keys[i] = reckoning.key(reading) end
  state.time, state.litres, state.segment, state.ladder = last.time, last.litres, segment.start, segment.ladder_to
  state.seq, state.next, state.closed, state.held = segment.seq, next_at, facts.closed or reckoning.NEVER, keys
  return state
end

local function charge_of(segment, from, fen)
  return { kind = "charge", segment = segment.start, fen = -fen, provisional = segment.provisional,
           detail = { from = from, to = segment.ladder_to, tariff = segment.seq } }
end

local function adjustment_of(segment, was)
  return { kind = "adjustment", segment = segment.start, fen = was - segment.fen, provisional = segment.provisional,
           detail = { from = segment.ladder_from, to = segment.ladder_to, tariff = segment.seq, was = was,
                      is = segment.fen } }
end

-- Adjustments that bring what is booked to the segments; `booked` follows.
local function adjust(entries, segments, booked)
  local known = {}
  for _, segment in ipairs(segments) do
    local was = booked[segment.start] or 0
    known[segment.start] = true
    if was ~= segment.fen then
      entries[#entries + 1] = adjustment_of(segment, was)
      booked[segment.start] = segment.fen
    end
  end
  local gone = {} -- another tariff cuts the gas elsewhere
  for start, was in pairs(booked) do
    if not known[start] and was ~= 0 then gone[#gone + 1] = start end
  end
  table.sort(gone)
  for _, start in ipairs(gone) do
    entries[#entries + 1] = { kind = "adjustment", segment = start, fen = booked[start],
                              detail = { was = booked[start], is = 0 } }
    booked[start] = 0
  end
end

-- What the newest report charges: the rest of the segment that was begun, and those after it.
local function charge(entries, segments, booked, begun)
  for _, segment in ipairs(segments) do
    local from = segment.start == begun.start and begun.ladder_to or segment.ladder_from
    local fen = segment.fen - (booked[segment.start] or 0)
    if segment.start >= begun.start and fen >= 0 and segment.ladder_to > from then
      entries[#entries + 1] = charge_of(segment, from, fen)
      booked[segment.start] = segment.fen
    end
  end
end

-- Readings that are held from now on, and those that are no longer.
local function tell_held(entries, held, state)
  local before, now = {}, {}
  for _, key in ipairs(state.held) do before[key] = true end
  for _, reading in ipairs(held) do
    local key = reckoning.key(reading)
    now[key] = true
    if not before[key] then
      entries[#entries + 1] = { kind = "held", time = reading.time, fen = 0, detail = { litres = reading.litres } }
    end
  end
  for _, key in ipairs(state.held) do
    local time, litres = key:match "^(%d+) (%d+)$"
    if not now[key] then
      entries[#entries + 1] = { kind = "released", time = time, fen = 0, detail = { litres = tonumber(litres) } }
    end
  end
end

-- Whether a reading that came late makes others impossible that were charged by before.
local function contradicts(held, state, report)
  local before = { [reckoning.key(report)] = true }
  for _, key in ipairs(state.held) do before[key] = true end
  for _, reading in ipairs(held) do
    if not before[reckoning.key(reading)] then return true end
  end
  return false
end

--- Whether a report that has come before, in doubt, has now come without. Then it is
-- as if it had not come before.
---@param facts xfiot.Facts
---@param report table
---@return boolean
function bookkeeping.clear_doubt(facts, report)
  local key = reckoning.key(report)
  if report.doubt or type(facts.ignored[key]) ~= "table" then return false end
  facts.ignored[key] = nil
  for i = #facts.readings, 1, -1 do
    local reading = facts.readings[i]
    if reading.source == "report" and reckoning.key(reading) == key then table.remove(facts.readings, i) end
  end
  return true
end

--- Entries for new facts, from all that is known.
---@param facts xfiot.Facts with the new ones, but without `report`
---@param booked table<string, integer>
---@param state xfiot.State before
---@param report? table a reading
---@return table[] entries
---@return xfiot.State state after
function bookkeeping.settle(facts, booked, state, report)
  local entries, begun, doubt = {}, nil, report and report.doubt
  local newest = report and report.time > state.time and not doubt
  if newest then
    -- what frozen records of earlier times change is no charge of this report
    local segments = reckoning.reckon(facts)
    adjust(entries, segments, booked)
    begun = segments[#segments]
  end
  if report then facts.readings[#facts.readings + 1] = report end
  if doubt then
    facts.ignored[reckoning.key(report)] = doubt
    entries[1] = { kind = "doubted", time = report.time, fen = 0,
                   detail = { litres = report.litres, why = doubt.why, text = doubt.text } }
  end
  local segments, last, held, next_at = reckoning.reckon(facts)
  if report and not newest and contradicts(held, state, report) then
    facts.ignored[reckoning.key(report)] = true
    entries[1] = { kind = "contradicted", time = report.time, fen = 0, detail = { litres = report.litres } }
    segments, last, held, next_at = reckoning.reckon(facts)
  end
  if begun then charge(entries, segments, booked, begun) end
  adjust(entries, segments, booked)
  tell_held(entries, held, state)
  return entries, state_of(state, facts, segments, last, held, next_at)
end

-- ---- the short way

--- Tariffs of entries, decoded once: entries never change.
---@class xfiot.Tariffs
local Tariffs = {}
Tariffs.__index = Tariffs

---@return xfiot.Tariffs
function bookkeeping.tariffs()
  return setmetatable({ kept = {}, count = 0 }, Tariffs)
end

---@param file userdata
---@param account integer
---@param seq integer
---@return xfiot.Tariff
function Tariffs:find(file, account, seq)
  local key = account << 24 | seq
  local found = self.kept[key]
  if found then return found end
  local row = must(file:ledger_entries(account, seq - 1, 1))[1]
  found = tariff.new(ledger_text.read_detail(row.detail).tariff)
  if self.count >= TARIFFS_MOST then self.kept, self.count = {}, 0 end
  self.kept[key], self.count = found, self.count + 1
  return found
end

--- Whether a report only goes on where the last one ended: then nothing else need be
--- looked at. Otherwise the whole is reckoned.
---@param state xfiot.State
---@param report table
---@param frozen table[] that are new
---@return integer|nil litres since the last one
function bookkeeping.goes_on(state, report, frozen)
  if report.time <= state.time or report.time > state.next or report.time > state.closed or #state.held > 0 then
    return nil
  end
  if report.doubt or report.litres < state.litres or not reckoning.fits(report.litres, state.digits) then
    return nil
  end
  for _, record in ipairs(frozen) do
    if record.time <= state.segment then return nil end
  end
  return report.litres - state.litres
end

--- The entry of such a report.
---@param state xfiot.State
---@param report table
---@param litres integer
---@param with xfiot.Tariff
---@return table entry
---@return xfiot.State
function bookkeeping.go_on(state, report, litres, with)
  local to = state.ladder + litres
  local entry = { kind = "charge", segment = state.segment, fen = -with:cost(state.ladder, to), time = report.time,
                  detail = { from = state.ladder, to = to, tariff = state.seq, reading = report.litres } }
  state.time, state.litres, state.ladder = report.time, report.litres, to
  return entry, state
end

return bookkeeping
