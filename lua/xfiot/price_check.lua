--- Whether a meter has the prices that a campaign has given it: a workflow of its own
-- for each row, which reads them back and compares.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local verbs = require "xfiot.verbs"
local workflow = require "xfiot.workflow"

local price_check = {}

local SUFFIX <const> = ":verify"
local NOT_READ = { clearMark = true } -- an order to the meter, not a price

-- 3.28, "3.28" and "3.280" are one price.
local function same(wanted, found)
  local a, b = core.decimal(wanted, 3), core.decimal(found, 3)
  if a and b then return a == b end
  return tostring(wanted) == tostring(found)
end

local function differences(tariff, found)
  local list = {}
  for name, wanted in pairs(tariff) do
    if verbs.is_price(name) and not NOT_READ[name] and found[name] ~= nil and not same(wanted, found[name]) then
      list[#list + 1] = ("%s is %s, not %s"):format(name, tostring(found[name]), tostring(wanted))
    end
  end
  table.sort(list)
  return list
end

local function verify(flow, args)
  local delayed = args.tariff.priceTime and args.tariff.priceTime > flow:timestamp()
  local found = flow:meter(args.deviceNo):read_price { priceType = delayed and 1 or 0 }
  local list = differences(args.tariff, found)
  if #list == 0 then return found end
  error(errors.new {
    kind = "platform", operation = "verify", device_no = args.deviceNo, sent = true,
    message_en = "The meter has other prices: " .. table.concat(list, "; "),
    message = "表具中的价格不一致：" .. table.concat(list, "；"),
    remedy = "Look at the meter's latest price change, then give it a new order.",
  }, 0)
end

--- The workflow that checks the rows of another one; nil when it gives no prices.
---@param made xfiot.Workflow
---@return xfiot.Workflow|nil
function price_check.of(made)
  if made.args.tariff ~= "tariff" or not made.args.deviceNo then return nil end
  return workflow.new { name = made.name .. SUFFIX, doc = "", args = made.args, run = verify }
end

--- The workflow of a script that a run belongs to, by the run's name for it.
---@param made xfiot.Workflow
---@param name string
---@return xfiot.Workflow
function price_check.variant(made, name)
  if name == made.name .. SUFFIX then return price_check.of(made) or made end
  return made
end

return price_check
