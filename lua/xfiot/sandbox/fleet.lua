-- The meters a sandbox starts with.

local account = require "xfiot.sandbox.account"
local core = require "xfiot.core"
local kinds = require "xfiot.sandbox.kind"
local price = require "xfiot.sandbox.price"
local registry = require "xfiot.sandbox.device"

local KINDS <const> = kinds.names -- order of making

local TIDY <const> = 125 -- per cent of what lives, at which garbage is collected

-- Of the household meters of a fleet, every so many are these.
local SPECIAL <const> = { { "empty", 20 }, { "restaurant", 50 }, { "leak", 90 } }

-- What an account is opened with here: three tiers, yearly.
local OPENING <const> = {
  priceOne = 3280, priceTwo = 3880, priceThree = 4770, priceFour = 4770, priceFive = 4770,
  ladderGasOne = 300, ladderGasTwo = 420, ladderGasThree = 420, ladderGasFour = 420,
  priceVer = 1, pricePeriod = 12, clearMark = 1, gasType = 1, billNo = 0, cardNo = "0000000001",
}

-- ACCOUNT_OPEN's parameters of a whole fleet: made once, but for the balance.
local function opening(options, charge)
  local made = options.openings
  if not made[charge] then
    local midnight = core.timestamp(options.clock:seconds()):sub(1, 4) .. "0101000000"
    local names = { prepaidType = charge == "1" and 1 or 0, priceTime = midnight, ladderTime = midnight }
    for name, value in pairs(OPENING) do names[name] = value end
    local paras = { scheme = charge == "2" and price.scheme(options.schemes, names) or nil }
    for name, value in pairs(names) do paras[name] = value end
    made[charge] = paras
  end
  return made[charge]
end

local function open_account(m, balance, options)
  local traits = kinds.traits(m.kind)
  if traits.charge == "0" then
    if traits.meter == "0" then m.account = true end
    return
  end
  local paras = opening(options, traits.charge)
  paras.rechargeValue = balance
  account.open(m, paras, { now = options.clock:seconds(), traits = traits, schemes = options.schemes })
  m.account, m.opening = true, nil
end

local function make(row, defaults, options)
  local used, bad = core.decimal(row.counter or "0", 3)
  if not used then error(("sandbox: the counter of %s %s"):format(row.deviceNo, bad), 0) end
  local device = options.devices:make(row.deviceNo, {
    kind = row.kind, profile = row.profile or defaults.profile, used = used, freeze = row.freeze,
  })
  device.concentrator = row.concentrator
  local function given(name)
    if row[name] == nil then return defaults[name] end
    return row[name]
  end
  if given("opened") then
    local balance, why = core.decimal(given "balance" or "0", 2)
    if not balance then error(("sandbox: the balance of %s %s"):format(row.deviceNo, why), 0) end
    open_account(device.meter, balance, options)
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
    if not (kind and kinds.rows[kind]) then
      local known = table.concat(KINDS, ", ")
      error(("sandbox: meters are given as money=2,gas=1 (of %s), got %s"):format(known, part), 0)
    end
    counts[kind] = math.tointeger(tonumber(count))
  end
  return counts
end

-- Who lives behind the i-th meter of a kind; nil: what the kind says.
local function profile_of(kind, i)
  if kinds.rows[kind].profile ~= "household" then return nil end
  for _, row in ipairs(SPECIAL) do
    if i % row[2] == 0 then return row[1] end
  end
  return nil
end

local fleet = {}

--- The number of the i-th meter of a kind: 30010000000001.
---@param kind string
---@param i integer
---@return string
function fleet.number(kind, i)
  return ("300%d%010d"):format(kinds.rows[kind].digit, i)
end

--- Makes them. `meters`: "money=2,gas=1", the same as a table, or a list of
--- { deviceNo, kind, registered, opened, balance, profile, counter, freeze, concentrator };
--- what a row does not say, `defaults` say.
---@param meters string|table
---@param defaults { registered: boolean, opened: boolean, balance: string?, profile: string? }
---@param options { devices: table, clock: table, schemes: table, registered: fun(device: table) }
function fleet.make(meters, defaults, options)
  local counts = type(meters) == "string" and parse(meters) or meters
  options.openings = {}
  -- A city stays: what is garbage of its making should not take room beside it.
  local pause = collectgarbage("setpause", TIDY)
  for _, kind in ipairs(KINDS) do
    for i = 1, counts[kind] or 0 do
      make({ deviceNo = fleet.number(kind, i), kind = kind, profile = defaults.profile or profile_of(kind, i) },
        defaults, options)
    end
  end
  for _, row in ipairs(counts) do make(row, defaults, options) end
  collectgarbage("setpause", pause)
end

return fleet
