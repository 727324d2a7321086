-- Faults to rehearse, told as rules: TARGET:KIND[=VALUE][:WHICH[:before]][@SPAN]
--
--   creatCmd:lost:2           the second creatCmd is accepted, its reply never comes
--   query:status=500:1-3      the first three are answered with HTTP status 500
--   push:late=1h:5%           five pushes in a hundred come an hour late
--   meter:asleep=5d:3@10d     on the tenth day the third meter falls asleep for five
--
-- WHICH: 3, 2-4, 2+, 5% (by chance, from the seed) or * (every one, the default);
-- counted per target from 1. Of `meter` it says which meters, in the order they became
-- known; a number of five digits or more is a deviceNo. @SPAN: so long after the start
-- a meter's fault begins. Several rules: a list, or one text with commas.

local clock = require "xfiot.sandbox.clock"
local rows = require "xfiot.sandbox.rows"

local Faults = {}
Faults.__index = Faults
Faults.__name = "xfiot.sandbox.faults"

local function is_span(text)
  return clock.milliseconds((text:gsub("^[+-]", ""))) ~= nil
end

local function is_alarm(text)
  local code, span = text:match "^(%x%x%x%xH)(.*)$"
  return code ~= nil and rows.alarm(code) ~= nil and (span == "" or span:sub(1, 1) == "/" and is_span(span:sub(2)))
end

-- Codes for what the platform's operator has not entered for a device.
local LACKS <const> = { ["500010"] = true, ["500011"] = true, ["500012"] = true, ["500045"] = true }

local function is_lack(text)
  return LACKS[text] == true
end

-- What a value looks like: a pattern, or a function; "" where there is none.
local REPLY <const> = {
  lost = "", reset = "", cut = "", garbled = "",
  status = "^[1-5]%d%d$", code = "^%d%d%d%d%d%d$", delay = "^%d+%.?%d*$",
}
local PUSH <const> = {
  lost = "", late = is_span, twice = "", overtaken = "", forged = "", stale = "", notes = "",
}
local METER <const> = {
  asleep = is_span, late = is_span, mute = "", swapped = "", rolled = "", clock = is_span, stuck = "",
  alarm = is_alarm, volts = "^%d%.%d+$", lacks = is_lack,
}
local SHAPES <const> = {
  send = { lost = "", failed = "" }, answer = { lost = "" },
  push = PUSH, report = PUSH, response = PUSH, meter = METER,
}
local BEFORE_TOO <const> = { lost = true, reset = true, status = true, code = true }

local function parse_which(text)
  if text == nil or text == "" or text == "*" then return { from = 1, to = math.maxinteger } end
  local per_cent = text:match "^(%d+%.?%d*)%%$"
  if per_cent then return { from = 1, to = math.maxinteger, per_million = math.floor(tonumber(per_cent) * 10000) } end
  if text:find "^%d%d%d%d%d+$" then return { from = 1, to = 0, number = text } end
  local from, to = text:match("^(%d+)%-(%d+)$")
  if not from then
    from = text:match("^(%d+)%+?$")
    to = text:sub(-1) == "+" and math.maxinteger or from
  end
  return { from = math.tointeger(tonumber(from)), to = math.tointeger(tonumber(to)) }
end

local function fits(shape, value)
  if shape == nil then return false end
  if type(shape) == "function" then return shape(value) end
  if shape == "" then return value == "" end
  return value:find(shape) ~= nil
end

local function parse(rule)
  local text, at = rule:match "^%s*(.-)@([%w.]+)%s*$"
  local target, what, which, before =
    (text or rule):match("^%s*([%w*]+):([%w_=.+/-]+):?([%d*+%-.%%]*):?(%a*)%s*$")
  local kind, value = (what or ""):match("^(%a+)=?(.*)$")
  local out = parse_which(which)
  local is_call = not SHAPES[target]
  local good = fits((SHAPES[target] or REPLY)[kind], value or "") and out.from and out.to
    and (before == "" or before == "before" and BEFORE_TOO[kind] and is_call)
    and (not at or target == "meter" and is_span(at)) and (not out.number or target == "meter")
  if not good then error("sandbox: no such fault rule: " .. rule .. " (xfiot help faults)", 0) end
  out.target, out.kind, out.value, out.before = target, kind, value, before == "before"
  out.at = at and clock.milliseconds(at) or 0
  out.text = rule
  return out
end

local function is_meant(self, rule, count)
  if count < rule.from or count > rule.to then return false end
  if not rule.per_million then return true end
  return self.random:between(("fault %s %d"):format(rule.text, count), 1, 1000000) <= rule.per_million
end

--- Counts one more event of a target and returns the fault meant for it, or nil. `wider`:
--- another target that means it too ("push" for "report").
---@param target string
---@param wider string?
---@return { kind: string, value: string, before: boolean }?
function Faults:next(target, wider)
  if not self.rules[1] then return nil end
  local count = (self.counts[target] or 0) + 1
  self.counts[target] = count
  for _, rule in ipairs(self.rules) do
    local meant = rule.target == target or rule.target == wider or (rule.target == "*" and not SHAPES[target])
    if meant and is_meant(self, rule, count) then return rule end
  end
  return nil
end

--- The rules for a meter: by its place among all, or by its number.
---@param place integer
---@param number string deviceNo
---@return table[]
function Faults:of_meter(place, number)
  local out = {}
  for _, rule in ipairs(self.rules) do
    if rule.target == "meter" and (rule.number == number or is_meant(self, rule, place)) then out[#out + 1] = rule end
  end
  return out
end

---@param rules string|string[]|nil
---@param random table for those by chance
local function new(rules, random)
  local self = setmetatable({ rules = {}, counts = {}, random = random }, Faults)
  for _, text in ipairs(type(rules) == "table" and rules or { rules }) do
    for rule in text:gmatch("[^,]+") do
      self.rules[#self.rules + 1] = parse(rule)
    end
  end
  return self
end

return { new = new }
