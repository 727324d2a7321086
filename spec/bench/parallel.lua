-- Calls a second of a client, for `make bench`: RECHARGE_REMOTE by creatCmd, as
-- spec/c/baseline.c sends it. Prints how many calls a second there were.
--   calls=N        how many
--   in_flight=N    how many at once, in xfiot.parallel; 0: one after the other, without it
local xfiot = require "xfiot"
local clock = require "xfiot.core".clock

local args = ...
local calls, in_flight = math.tointeger(args.calls), math.tointeger(args.in_flight)
local client = xfiot.client()

local function recharge(bill)
  local id, err = client:creatCmd {
    deviceId = "673ae176a7124ffbac397429e5b79131",
    command = { method = "RECHARGE_REMOTE", paras = { prepaidType = 0, billNo = bill, rechargeValue = 100 } },
    expireTime = 86400, expireCount = 1,
  }
  if not id then error(err) end
  if #id ~= 32 then error("no commandId: " .. id) end
end

-- The numbers of the bills, each an int from 1 to 65535.
local function bills()
  local count = 0
  return function()
    count = count + 1
    if count <= calls then return (count - 1) % 65535 + 1 end
  end
end

local started = clock()
if in_flight == 0 then
  for bill in bills() do recharge(bill) end
else
  local results = xfiot.parallel(bills(), recharge, { concurrency = in_flight })
  assert(#results == calls)
  for _, result in ipairs(results) do
    if not result.ok then error(result.error) end
  end
end
print(("%.0f"):format(calls / (clock() - started)))
