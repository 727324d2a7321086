-- Tokens a second from Lua, for `make bench`: a new transId and its token each.
-- Prints one line for each way, "name figure": the best of five rounds.
local xfiot = require "xfiot"
local clock = require "xfiot.core".clock

local ROUNDS = 5
local client = xfiot.client()

local function measure(name, count, sign)
  local best = 0
  for _ = 1, ROUNDS do
    local started = clock()
    for _ = 1, count do sign() end
    best = math.max(best, count / (clock() - started))
  end
  local id, token = sign()
  assert(#id == 22 and #token == 64)
  print(("%s %.0f"):format(name, best))
end

local signer = client.signer
measure("tokens.signer", 200000, function() return signer:sign() end)
measure("tokens.client", 200000, function() return client:sign() end)
measure("tokens.settings", 2000, xfiot.sign)
