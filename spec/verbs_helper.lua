-- What the specs of verbs, orders and workflows share: a sandbox in this process
-- whose meters wake at once, with a client and a record of every call it got.

local helper = require "spec.helper"
local loop = require "xfiot.loop"
local sandbox = require "xfiot.sandbox"
local xfiot = require "xfiot"

local V = {}

V.MONEY, V.MONEY_2 = "30010000000001", "30010000000002"
V.GAS, V.BACKEND, V.COMMERCIAL = "30020000000001", "30030000000001", "30050000000001"

-- PRICE_CHANGE's parameters: three tiers, in force since the start of 2025.
function V.tariff(changes)
  local tariff = {
    priceOne = "3.28", ladderGasOne = 300, priceTwo = "3.88", ladderGasTwo = 420, priceThree = "4.77",
    ladderGasThree = 420, priceFour = "4.77", ladderGasFour = 420, priceFive = "4.77",
    gasType = 1, priceVer = 7, pricePeriod = 12, priceTime = "20250101000000", ladderTime = "20250101000000",
  }
  for name, value in pairs(changes or {}) do tariff[name] = value end
  return tariff
end

local Box = {}
Box.__index = Box
Box.__close = function(self) self.sandbox:close() end

-- options: as sandbox.new takes them. Time runs, accounts are open and every meter
-- has reported unless said otherwise.
function V.open(options)
  local lines = {}
  local all = {
    start = "20260101000000", wake = 0.01, opened = true,
    log = function(line) lines[#lines + 1] = line end,
  }
  for name, value in pairs(options or {}) do all[name] = value end
  local box = setmetatable({ lines = lines, sandbox = sandbox.new(all) }, Box)
  box.journal = helper.tmpdir() .. "/journal.db"
  box.client = box:another()
  if all.speed ~= 0 then box.sandbox:advance(1) end
  return box
end

-- One more client of the same sandbox and journal; settings may be added.
function Box:another(more)
  local values = self.sandbox:settings()
  values.journal = self.journal
  for name, value in pairs(more or {}) do values[name] = value end
  return xfiot.client(values)
end

function Box:meter(number) return self.client:meter(number or V.MONEY) end

-- How many calls the platform got: of one endpoint, or of all.
function Box:calls(endpoint)
  local count = 0
  for _, line in ipairs(self.lines) do
    local name = line:match("^sandbox %d+ (%a+) %d%d%d%d%d%d") or line:match("^sandbox %d+ (%a+) not done")
    if name and (not endpoint or name == endpoint) then count = count + 1 end
  end
  return count
end

-- What the meters have done once all that is under way is over.
function Box:done(number)
  self.sandbox:advance(60)
  return self.sandbox:ledger(number)
end

-- Lets the loop turn until the condition holds; raises when it has turned often enough.
function V.wait_until(condition, turns)
  for _ = 1, turns or 2000 do
    if condition() then return end
    loop.sleep(0.005)
  end
  error("it never came to that", 2)
end

-- The error that fn raises, as an object.
function V.failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok, "it was expected to raise")
  assert(xfiot.is_error(err), "not an error object: " .. tostring(err))
  return err
end

-- Paths of all bad fields of an error, sorted, as one text.
function V.paths(err)
  local list = {}
  for i, fault in ipairs(err.fields or {}) do list[i] = fault.path end
  table.sort(list)
  return table.concat(list, " ")
end

return V
