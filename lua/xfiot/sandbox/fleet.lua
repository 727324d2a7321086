-- The meters a sandbox starts with.

local account = require "xfiot.sandbox.account"
local core = require "xfiot.core"
local meter = require "xfiot.sandbox.meter"
local registry = require "xfiot.sandbox.device"

local KINDS <const> = { "money", "gas", "backend", "flow", "commercial" } -- order of making

-- What an account is opened with here: three tiers, yearly.
local OPENING <const> = {
  priceOne = 3280, priceTwo = 3880, priceThree = 4770, priceFour = 4770, priceFive = 4770,
  ladderGasOne = 300, ladderGasTwo = 420, ladderGasThree = 420, ladderGasFour = 420,
  priceVer = 1, pricePeriod = 12, clearMark = 1, gasType = 1, billNo = 0, cardNo = "0000000001",
}

local function open_account(m, balance, now)
  local traits = meter.traits(m)
  if traits.charge == "0" then return end
  local midnight = core.timestamp(now):sub(1, 4) .. "0101000000"
  local paras = { prepaidType = traits.charge == "1" and 1 or 0, priceTime = midnight, ladderTime = midnight }
  for name, value in pairs(OPENING) do paras[name] = value end
  paras.rechargeValue = balance
  account.open(m, paras, { now = now, traits = traits })
  m.account, m.opening = true, nil
end

local function make(row, defaults, options)
  local device = options.devices:make(row.deviceNo, row.kind)
  local function given(name)
    if row[name] == nil then return defaults[name] end
    return row[name]
  end
  if given("opened") then
    local balance, why = core.decimal(row.balance or "0", 2)
    if not balance then error(("sandbox: the balance of %s %s"):format(row.deviceNo, why), 0) end
    open_account(device.meter, balance, options.clock:seconds())
  end
  if given("registered") then
    device.state = registry.REGISTERED
    options.registered(device)
  end
end

local function parse(text)
  local counts = {}
  for part in text:gmatch("[^,%s]+") do
    local kind, count = part:match("^(%a+)=(%d+)$")
    if not (kind and meter.KINDS[kind]) then
      local kinds = table.concat(KINDS, ", ")
      error(("sandbox: meters are given as money=2,gas=1 (of %s), got %s"):format(kinds, part), 0)
    end
    counts[kind] = math.tointeger(tonumber(count))
  end
  return counts
end

local fleet = {}

--- The number of the i-th meter of a kind: 30010000000001.
---@param kind string
---@param i integer
---@return string
function fleet.number(kind, i)
  return ("300%d%010d"):format(meter.KINDS[kind].digit, i)
end

--- Makes them. `meters`: "money=2,gas=1", the same as a table, or a list of
--- { deviceNo, kind, registered, opened, balance }; what a row does not say,
--- `defaults` say.
---@param meters string|table
---@param defaults { registered: boolean, opened: boolean }
---@param options { devices: table, clock: table, registered: fun(device: table) }
function fleet.make(meters, defaults, options)
  local counts = type(meters) == "string" and parse(meters) or meters
  for _, kind in ipairs(KINDS) do
    for i = 1, counts[kind] or 0 do
      make({ deviceNo = fleet.number(kind, i), kind = kind }, defaults, options)
    end
  end
  for _, row in ipairs(counts) do make(row, defaults, options) end
end

return fleet
