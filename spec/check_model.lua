-- The request checker once more, from nothing but the contract's rows, and values
-- worth trying on a row. Slow and plain; the core's checker must agree with it.
local core = require "xfiot.core"
local H = require "spec.check_helper"

local contract = core.contract()
local copy = H.copy

local function reading(row)
  local own = row.client or {}
  local function of(key)
    if own[key] ~= nil then return own[key] end
    return row[key]
  end
  return { required = of "required", min = of "min" or math.mininteger, max = of "max" or math.maxinteger,
           decimals = of "decimals", when = own.required == nil and row.when_field }
end

local enums = {}
for _, enum in ipairs(contract.enums) do
  enums[enum.name] = {}
  for _, value in ipairs(enum.values) do enums[enum.name][value.text] = true end
end

local function is_time(text)
  local y, m, d, h, min, s = text:match "^(%d%d%d%d)(%d%d)(%d%d)(%d%d)(%d%d)(%d%d)$"
  if not y then return false end
  y, m, d = tonumber(y), tonumber(m), tonumber(d)
  local days = { 31, (y % 4 == 0 and (y % 100 ~= 0 or y % 400 == 0)) and 29 or 28, 31, 30, 31, 30, 31, 31, 30,
    31, 30, 31 }
  return days[m] ~= nil and d >= 1 and d <= days[m] and h < "24" and min < "60" and s < "60"
end

-- Thousandths of an amount's text, or nil.
local function thousandths(text, decimals)
  local sign, whole, rest = text:match "^(%-?)(%d+)(.*)$"
  local digits = rest and (rest == "" and "" or rest:match "^%.(%d+)$")
  if not digits or #digits > decimals or (#whole > 1 and whole:sub(1, 1) == "0") then return nil end
  local number = math.tointeger(tonumber(whole .. digits .. ("0"):rep(3 - #digits)))
  return number and (sign == "-" and -number or number)
end

local function read_integer(value)
  if math.type(value) == "integer" then return value end
  if math.type(value) == "float" and math.abs(value) <= 2 ^ 53 then return math.tointeger(value) end
end

local function read_decimal(value, decimals)
  if math.type(value) == "integer" then
    return value > -(1 << 50) and value < 1 << 50 and value * 1000 or nil
  elseif math.type(value) == "float" then
    for places = 0, decimals do
      local text = ("%%.%df"):format(places):format(value)
      if tonumber(text) == value then return thousandths(text, decimals) end
    end
  elseif type(value) == "string" then
    return thousandths(value, decimals)
  end
end

local function decimal_text(number)
  local text = ("%s%d.%03d"):format(number < 0 and "-" or "", math.abs(number) // 1000,
    math.abs(number) % 1000)
  return (text:gsub("%.?0+$", "", 1):gsub("^$", "0"))
end

-- The JSON that a scalar is sent as; nil if the row does not let it pass.
local function model_scalar(row, value)
  local r = reading(row)
  local function within(number) return number and number >= r.min and number <= r.max and number end
  local function listed(text) return not row.values or enums[row.values][text] end
  if row.type == "integer" then
    local number = within(read_integer(value))
    return number and listed(tostring(number)) and tostring(number)
  elseif row.type == "decimal" then
    local number = within(read_decimal(value, r.decimals))
    if not number then return nil end
    return number % 1000 == 0 and ("%d"):format(number // 1000) or decimal_text(number)
  end
  if type(value) ~= "string" or value:find("\0", 1, true) or not utf8.len(value) then return nil end
  local units = 0
  for _, point in utf8.codes(value) do units = units + (point > 0xFFFF and 2 or 1) end
  if not within(units) or not listed(value) then return nil end
  if row.format == "digits" and value:find "%D" or row.format == "timestamp"
    and not is_time(value) then return nil end
  return core.encode(value)
end

local function model_list(row, value, fault)
  local r, count, texts = reading(row), 0, {}
  if type(value) ~= "table" then return fault(row.name, row) end
  for _ in pairs(value) do count = count + 1 end
  if count ~= #value or count < r.min or count > r.max then return fault(row.name, row) end
  for i, element in ipairs(value) do
    texts[i] = model_scalar(row.item, element) or fault(("%s[%d]"):format(row.name, i), row.item) or ""
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

local function needed(row, args)
  local r = reading(row)
  if not r.when then return r.required end
  local other = args[r.when]
  if type(other) == "string" then other = thousandths(other, 0) and tonumber(other) end
  return r.required or read_integer(other) == row.when_equals
end

local function model_fields(fields, args, fault, special)
  local texts = {}
  for _, row in ipairs(fields) do
    local value, must = args[row.name], needed(row, args)
    if value == nil or (value == "" and not must and row.type == "string") then
      if must then fault(row.name, row) end
    else
      local text
      if special and special[row.name] then
        text = special[row.name](row, value)
      elseif row.type == "list" then
        text = model_list(row, value, fault)
      else
        text = model_scalar(row, value) or fault(row.name, row)
      end
      texts[#texts + 1] = core.encode(row.name) .. ":" .. (text or "")
    end
  end
  return "{" .. table.concat(texts, ",") .. "}"
end

-- A rule holds once its own fields are right, whatever the others are.
local function all_right(names, args, bad)
  for _, name in ipairs(names or {}) do
    if args[name] == nil or bad[name] then return false end
  end
  return true
end

local function model_rules(shape, args, fault, bad)
  bad = copy(bad, {}) -- without what the rules themselves add
  for _, rule in ipairs(shape.rules or {}) do
    local values, prices = {}, {}
    if rule.client and all_right(rule.fields, args, bad) and all_right(rule.prices, args, bad)
      and (not rule.when_field or read_integer(args[rule.when_field]) == rule.when_equals) then
      for i, name in ipairs(rule.fields) do values[i] = read_decimal(args[name], 2) end
      for i, name in ipairs(rule.prices or {}) do prices[i] = read_decimal(args[name], 2) end
    end
    if rule.kind == "non_zero" and values[1] == 0 then fault(rule.fields[1], rule) end
    for i = 2, #values do
      if rule.kind == "non_decreasing" and values[i] < values[i - 1] then fault(rule.fields[i], rule) end
    end
    if rule.kind == "canonical_tiers" and #values > 0 then
      local used = 1 -- the first tier from which on all prices are the same
      for i = 2, 5 do
        if prices[i] ~= prices[i - 1] then used = i end
      end
      for i = math.max(used - 1, 1) + 1, 4 do
        if values[i] ~= values[i - 1] then
          fault(rule.fields[i], rule)
          break
        end
      end
    end
  end
end

local function unknown_keys(args, known, fault)
  for key in pairs(args) do
    if not known[key] then fault(key, { code = "101001" }) end
  end
end

local function set_of(...)
  local set = {}
  for _, fields in ipairs { ... } do
    for _, row in ipairs(fields) do set[row.name] = true end
  end
  return set
end

local function model_paras(command, paras, fault)
  local bad = {}
  local function counted(path, row)
    bad[path] = true
    fault("command.paras." .. path, row)
  end
  local text = model_fields(command.params.fields, paras, counted)
  unknown_keys(paras, set_of(command.params.fields), counted)
  model_rules(command.params, paras, counted, bad)
  return text
end

-- Faults as told() shows them, and the body that would be sent.
local function model(endpoint, args, command)
  local faults = {}
  local function fault(path, row) faults[#faults + 1] = path .. " " .. (row.code or "-") end
  local body_fields = endpoint.fields and endpoint.fields.fields or { endpoint.list }
  local body
  model_fields(endpoint.query.fields, args, fault)
  if endpoint.body == "object" then
    body = model_fields(body_fields, args, fault, command and { command = function(_, value)
      return ('{"method":"%s","paras":%s}'):format(command.method, model_paras(command, value.paras, fault))
    end })
  elseif endpoint.list then
    local list = args[endpoint.list.name]
    if list == nil then fault(endpoint.list.name, endpoint.list) else body = model_list(endpoint.list, list,
      fault) end
  end
  unknown_keys(args, set_of(endpoint.query.fields, body_fields), fault)
  table.sort(faults)
  return table.concat(faults, "\n"), body or ""
end

local NUMBERS = {
  0, 1, -1, 2, 0.0, -0.0, 0.5, 1.5, 1.25, 1.005, 0.1 + 0.2, 2 ^ 53, 2 ^ 53 + 2, 2 ^ 63, 1e300, 1 / 0, 0 / 0,
  math.maxinteger, math.mininteger,
}
local TEXTS = {
  "", "0", "1", "-1", "01", "1.5", "1.50", "1.005", "+1", " 1", "1e3", "-0.00", "0.", ".5", "０", "a\0",
    "\xff",
  "中", "𠮷", "20240229000000", "20230229000000", "2024022900000", "0123456789", "000001", H.DEVICE,
}
local OTHERS = { true, false, {}, { 1 }, { a = 1 }, core.null, print }

-- What lies next to the end of a row's range, by the row's type.
local near = {}

function near.integer(_, number, add)
  for _, value in ipairs { number, number + 0.0, number + 0.5, tostring(number) } do add(value) end
end

-- number is in the last decimal that counts
function near.decimal(row, number, add)
  local power = math.tointeger(10 ^ row.decimals)
  add(("%s%d.%0" .. row.decimals .. "d"):format(number < 0 and "-" or "", math.abs(number) // power,
    math.abs(number) % power))
  add(number / power)
  add(number // power)
end

function near.string(_, length, add)
  if length < 0 or length > 1000 then return end
  for _, letter in ipairs { "x", "7", "中", "𠮷" } do add(letter:rep(length)) end
  add("𠮷" .. ("x"):rep(math.max(length - 2, 0)))
end

function near.list(row, length, add)
  if length < 0 or length > 1000 then return end
  for _, letter in ipairs { "x", "中" } do
    local elements = {}
    for i = 1, length do elements[i] = letter:rep(row.item.max) end
    add(elements)
    if length > 0 then add(copy(elements, { [length] = letter:rep(row.item.max + 1) })) end
  end
end

-- Values worth trying on a row: around its ends, of every type, of every form.
local function candidates(row)
  local r, list = reading(row), {}
  local function add(value) list[#list + 1] = value end
  for _, values in ipairs { NUMBERS, TEXTS, OTHERS } do
    for _, value in ipairs(values) do add(value) end
  end
  for _, limit in ipairs { r.min, r.max } do
    local open = limit == math.mininteger or limit == math.maxinteger
    local unit = row.type == "decimal" and math.tointeger(10 ^ (3 - r.decimals)) or 1
    for step = -1, 1 do
      if not open then near[row.type](row, limit // unit + step, add) end
    end
  end
  return list
end

return { judge = model, candidates = candidates }
