-- Faults to rehearse, told as rules: TARGET:KIND[:WHICH[:before]]
--
--   creatCmd:lost:2           the second creatCmd is accepted, its reply never comes
--   query:status=500:1-3      the first three are answered with HTTP status 500
--   creatCmd:reset:1:before   reset before the platform did anything
--
-- TARGET: an endpoint, * (any endpoint), `send` (a command on its way down to a
-- meter) or `answer` (the meter's answer on its way up).
-- KIND of an endpoint: lost, reset, status=N, code=N, and without `before` also
-- cut, garbled, delay=SECONDS.
-- KIND of send and answer: lost; of send also failed (commandState 2).
-- WHICH: 3, 2-4, 2+ or * (every one, the default); counted per target from 1.
-- Several rules: a list, or one text with commas.

local Faults = {}
Faults.__index = Faults
Faults.__name = "xfiot.sandbox.faults"

local REPLY <const> = {
  lost = "", reset = "", cut = "", garbled = "",
  status = "^[1-5]%d%d$", code = "^%d%d%d%d%d%d$", delay = "^%d+%.?%d*$",
}
local BEFORE_TOO <const> = { lost = true, reset = true, status = true, code = true }
local ON_AIR <const> = { send = { lost = "", failed = "" }, answer = { lost = "" } }

local function parse_which(text)
  if text == nil or text == "" or text == "*" then return 1, math.maxinteger end
  local from, to = text:match("^(%d+)%-(%d+)$")
  if not from then
    from = text:match("^(%d+)%+?$")
    to = text:sub(-1) == "+" and math.maxinteger or from
  end
  return math.tointeger(tonumber(from)), math.tointeger(tonumber(to))
end

local function parse(rule)
  local target, what, which, before = rule:match("^%s*([%w*]+):([%w_=.]+):?([%d*+-]*):?(%a*)%s*$")
  local kind, value = (what or ""):match("^(%a+)=?(.*)$")
  local shape = (ON_AIR[target] or REPLY)[kind]
  local from, to = parse_which(which)
  local value_fits = shape and (shape == "" and value == "" or shape ~= "" and value:find(shape))
  local before_fits = before == "" or before == "before" and BEFORE_TOO[kind] and not ON_AIR[target]
  if not (value_fits and from and to and before_fits) then
    error("sandbox: no such fault rule: " .. rule, 0)
  end
  return { target = target, kind = kind, value = value, from = from, to = to, before = before == "before" }
end

--- Counts one more event of a target and returns the fault meant for it, or nil.
---@param target string
---@return { kind: string, value: string, before: boolean }?
function Faults:next(target)
  local count = (self.counts[target] or 0) + 1
  self.counts[target] = count
  for _, rule in ipairs(self.rules) do
    local meant = rule.target == target or (rule.target == "*" and not ON_AIR[target])
    if meant and count >= rule.from and count <= rule.to then return rule end
  end
  return nil
end

---@param rules string|string[]|nil
local function new(rules)
  local self = setmetatable({ rules = {}, counts = {} }, Faults)
  for _, text in ipairs(type(rules) == "table" and rules or { rules }) do
    for rule in text:gmatch("[^,]+") do
      self.rules[#self.rules + 1] = parse(rule)
    end
  end
  return self
end

return { new = new }
