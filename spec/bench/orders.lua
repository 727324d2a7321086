-- Orders a second on an instant platform: intent and sent on disk, accepted too.
--   xfiot run spec/bench/orders.lua url=http://127.0.0.1:P journal=FILE n=10000 in_flight=64
local core = require "xfiot.core"
local xfiot = require "xfiot"

local args = ...
local n, in_flight = math.tointeger(tonumber(args.n)), math.tointeger(tonumber(args.in_flight))
local client = xfiot.client {
  base_url = args.url, company_code = "000000", signer = core.signer { example = true }, journal = args.journal,
}

-- The meters are known already, so that nothing but orders is measured.
local report = core.encode { callbackData = { data = core.array {} } }
local journal = client.orders:journal()
local function number(i) return ("300%011d"):format(i) end
for first = 1, n, 1000 do
  journal:write(function(file)
    for i = first, math.min(first + 999, n) do
      file:remember { company_code = "000000", device_no = number(i), device_id = ("%032d"):format(i),
                      charge_type = "2", report = report, report_time = "20260101000000", updated_at = 1 }
    end
  end)
end

local i, failed = 0, nil
local function rows()
  i = i + 1
  return i <= n and i or nil
end
local started = core.clock()
xfiot.parallel(rows, function(row)
  local ok, err = pcall(function()
    client:meter(number(row)):recharge { order = "B" .. row, amount = "1.00", wait = 0 }
  end)
  -- nobody answers for the meters here: accepted and not waited for is what is measured
  if not ok and err.kind ~= "timeout" then failed = failed or tostring(err) end
end, { concurrency = in_flight })
local seconds = core.clock() - started
if failed then error(failed, 0) end
print(("%.0f"):format(n / seconds))
