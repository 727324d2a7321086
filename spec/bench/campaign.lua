-- Rows a second of a campaign on an instant platform, everything in the journal:
--   xfiot run spec/bench/campaign.lua make=FILE.csv n=100000      rows, and their meters in the journal
--   xfiot run spec/bench/campaign.lua --from FILE.csv
-- Nobody answers for the meters there: an order that is accepted is what is measured.
local core = require "xfiot.core"
local xfiot = require "xfiot"

local args = ...
local function number(i) return ("300%011d"):format(i) end

local function make(path, n)
  local client = xfiot.client()
  local journal, company = client.orders:journal(), client.company_code
  local report = core.encode { callbackData = { data = core.array {} } }
  local file = assert(io.open(path, "w"))
  file:write "order,deviceNo,amount\n"
  for first = 1, n, 1000 do
    journal:write(function(handle)
      for i = first, math.min(first + 999, n) do
        handle:remember { company_code = company, device_no = number(i), device_id = ("%032d"):format(i),
                          charge_type = "2", report = report, report_time = "20260101000000", updated_at = 1 }
        file:write("B", i, ",", number(i), ",1.00\n")
      end
    end)
  end
  assert(file:close())
end

if args and args.make then return make(args.make, math.tointeger(tonumber(args.n))) end

return xfiot.workflow {
  name = "campaign_bench",
  args = { deviceNo = "string", amount = "money", order = "order" },
  run = function(flow, given)
    local ok, err = pcall(function()
      flow:meter(given.deviceNo):recharge { order = given.order, amount = given.amount, wait = 0 }
    end)
    if not ok and err.kind ~= "timeout" then error(err, 0) end
    return "accepted"
  end,
}
