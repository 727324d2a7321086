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
---@field held string[] readings that are held, by reckoning.key

---@param state xfiot.State
---@return string
function ledger_text.state(state)
  local text = ("%s %d %s %d %d %s %d %s"):format(state.time, state.litres, state.segment, state.ladder, state.seq,
    state.next, state.digits, state.closed)
  if #state.held > 0 then text = text .. " " .. table.concat(state.held, ",") end
  return text
end

---@param text string
---@return xfiot.State
function ledger_text.read_state(text)
  local time, litres, segment, ladder, seq, next_at, digits, closed, rest =
    text:match "^(%S+) (%d+) (%S+) (%d+) (%d+) (%S+) (%d+) (%S+)(.*)$"
  local held = {}
  for key in rest:gmatch "%d+ %d+" do held[#held + 1] = key end
  return { time = time, litres = tonumber(litres), segment = segment, ladder = tonumber(ladder), seq = tonumber(seq),
           next = next_at, digits = tonumber(digits), closed = closed, held = held }
end

return ledger_text
