-- What the crash specs kill: `xfiot run spec/crash_client.lua first=1 last=20
-- each=2`. Every meter from first to last is given its orders, many at once; the
-- ids and contents are the same whenever it is run. Prints a line for each order
-- that came to something: "applied ID", or "KIND ID" with its sent.
--   wait=SECONDS  how long for a meter's answer
--   again=N       goes over all orders N times
--   two=URL       every second meter belongs to another client, with key=FILE and id=MERCHANT

local xfiot = require "xfiot"

local REFUND <const> = 900000 -- more than any meter has

local args = ...
local first, last, each = tonumber(args.first), tonumber(args.last), tonumber(args.each or 1)
local client = xfiot.client()
local other = args.two and xfiot.client { base_url = args.two, key_file = args.key, merchant_id = args.id }

-- The amount tells an order from all others of its meter; every tenth meter's
-- last is a refund that the meter refuses.
local function give(row)
  local number = ("3001%010d"):format(row.meter)
  local meter = (other and row.meter % 2 == 0 and other or client):meter(number)
  local order = ("A-%d-%d"):format(row.meter, row.turn)
  local verb, whole = "recharge", row.turn
  if each > 1 and row.turn == each and row.meter % 10 == 0 then verb, whole = "refund", REFUND + each end
  local ok, result = pcall(meter[verb], meter, {
    order = order, amount = ("%d.%02d"):format(whole, row.meter % 100), prepaidType = 0, wait = tonumber(args.wait),
  })
  if ok then
    io.write("applied ", order, "\n")
  else
    local err = xfiot.is_error(result) and result or { kind = tostring(result), sent = "?" }
    io.write(("%s %s %s %s\n"):format(err.kind, order, tostring(err.sent), (tostring(result):gsub("\n", " "))))
  end
  io.stdout:flush()
end

local rows = {}
for turn = 1, each do
  for number = first, last do rows[#rows + 1] = { meter = number, turn = turn } end
end
for _ = 1, tonumber(args.again or 1) do
  xfiot.parallel(rows, give, { concurrency = tonumber(args.at_once or 32) })
end
