--- What a ledger's entries hold as text: details, which people read too, as JSON with
-- amounts in yuan and gas in m³; and how far the settlement is. Numbers come back as the
-- integers they were: by their digits, never through a float.
local core = require "xfiot.core"

local ledger_text = {}

-- Members of a detail by their unit; others are small numbers and texts.
local GAS <const> = { from = true, to = true, reading = true, litres = true, ladder = true, old = true, new = true }
local MONEY <const> = { was = true, is = true, balance = true, price = true }

---@param detail table litres and fen
---@return string JSON
function ledger_text.detail(detail)
  local out = {}
  for name, value in pairs(detail) do
    if GAS[name] then
      value = core.decimal_text(value, 1)
    elseif MONEY[name] then
      value = core.decimal_text(value * 10, 2)
    end
    out[name] = value
  end
  return core.encode(out)
end

---@param text string
---@return table detail litres and fen
function ledger_text.read_detail(text)
  local detail = core.decode(text)
  for name, value in pairs(detail) do
    if GAS[name] then
      detail[name] = core.decimal(value, 3)
    elseif MONEY[name] then
      detail[name] = core.decimal(value, 2) // 10
    elseif type(value) == "number" then
      detail[name] = math.tointeger(value)
    end
  end
  return detail
end

---@class xfiot.State how far a ledger's settlement is
---@field time string of the last reading that counts
---@field litres integer its counter
---@field segment string
---@field ladder integer litres, where it is now
---@field seq integer of the tariff's entry
---@field next string when the next segment starts
---@field digits integer
---@field closed string when the meter was taken away; ":" it was not
---@field level integer how low a balance somebody was told of, see billing.lua
---@field told_at integer when the display was told last, 0: never; and what
---@field told_balance integer
---@field told_price integer
---@field told_tier integer
---@field held string[] readings that are held, by reckoning.key

-- In their order, with their patterns.
local MEMBERS <const> = {
  { "time", "%S+" }, { "litres", "%d+" }, { "segment", "%S+" }, { "ladder", "%d+" }, { "seq", "%d+" },
  { "next", "%S+" }, { "digits", "%d+" }, { "closed", "%S+" }, { "level", "%d+" }, { "told_at", "%d+" },
  { "told_balance", "%-?%d+" }, { "told_price", "%d+" }, { "told_tier", "%d+" },
}
local TEXTS <const> = { time = true, segment = true, next = true, closed = true }

local patterns = {}
for i, member in ipairs(MEMBERS) do patterns[i] = "(" .. member[2] .. ")" end
local PATTERN <const> = "^" .. table.concat(patterns, " ") .. "(.*)$"

---@param state xfiot.State
---@return string
function ledger_text.state(state)
  local parts = {}
  for i, member in ipairs(MEMBERS) do parts[i] = tostring(state[member[1]]) end
  if #state.held > 0 then parts[#parts + 1] = table.concat(state.held, ",") end
  return table.concat(parts, " ")
end

---@param text string
---@return xfiot.State
function ledger_text.read_state(text)
  local found = { text:match(PATTERN) }
  local state = { held = {} }
  for i, member in ipairs(MEMBERS) do
    local name = member[1]
    state[name] = TEXTS[name] and found[i] or tonumber(found[i])
  end
  for key in found[#MEMBERS + 1]:gmatch "%d+ %d+" do state.held[#state.held + 1] = key end
  return state
end

return ledger_text
