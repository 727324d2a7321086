--- Arguments of what is done to a ledger: read, or raised as the caller's mistake.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local tariff = require "xfiot.tariff"

local arguments = {}

--- Raises for one bad argument.
---@param path string
---@param rule string
---@param rule_zh string
function arguments.bad(path, rule, rule_zh)
  error(errors.bad_argument("ledger", path, rule, rule_zh), 0)
end

---@param path string
---@param value any litres, or m³ as text
---@return integer litres
function arguments.litres(path, value)
  local litres, why = tariff.litres(value)
  return litres or arguments.bad(path, why .. ": must be gas of 0 or more, an integer of litres or text in m³",
    "应为不小于 0 的气量：整数升，或以立方米计的文本")
end

--- The digits of a counter that shows this reading.
---@param path string
---@param value any
---@param litres integer
---@return integer
function arguments.counter(path, value, litres)
  local digits = math.tointeger(value)
  if digits and digits >= 4 and digits <= 9 and litres < 10 ^ digits * 1000 then return digits end
  arguments.bad(path, "must be 4 to 9, and the reading must fit", "应为 4 到 9，且读数不得超出")
end

---@param path string
---@param value any
---@return string 14 digits
function arguments.time(path, value)
  if type(value) == "string" and core.parse_timestamp(value) then return value end
  arguments.bad(path, "must be a time, yyyyMMddHHmmss", "应为有效时间，格式 yyyyMMddHHmmss")
end

--- An amount of yuan as fen: text with at most two decimals, integer yuan, or an exact float.
---@param path string
---@param value any
---@return integer
function arguments.fen(path, value)
  local thousandths = core.decimal(value, 2)
  if thousandths and math.abs(thousandths) <= 10 * tariff.MONEY_MOST then return thousandths // 10 end
  arguments.bad(path, "must be an amount with at most 2 digits after the point", "应为金额，最多 2 位小数")
end

---@param path string
---@param value any
---@return string
function arguments.text(path, value)
  if type(value) == "string" and value ~= "" and core.measure(value) then return value end
  arguments.bad(path, "must be text", "应为文本")
end

---@param value any PRICE_CHANGE's names, or a tariff
---@return xfiot.Tariff
function arguments.tariff(value)
  if type(value) ~= "table" then
    arguments.bad("tariff", "must be a table with PRICE_CHANGE's names", "应为采用 PRICE_CHANGE 参数名的表")
  end
  return tariff.new(tariff.is(value) and value:names() or value)
end

return arguments
