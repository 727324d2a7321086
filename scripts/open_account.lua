local xfiot = require "xfiot"

local function request(args)
  return { order = args.order, amount = args.amount, cardNo = args.cardNo, tariff = args.tariff }
end

local function user(args)
  return { userNo = args.userNo, userName = args.userName, userAddress = args.userAddress }
end

return xfiot.workflow {
  name = "open_account",
  doc  = "Register a meter if need be, open its account with a first amount, and make it really open:\n"
      .. "a GPRS commercial meter (a money meter that reports by GPRS) needs its prices set once more.",
  args = { deviceNo = "string", order = "order", amount = "money", cardNo = "string", tariff = "tariff",
           userNo = "string?", userName = "string?", userAddress = "string?" },
  check = function(flow, args) -- nobody is registered for a request that cannot be sent
    local meter = flow:meter(args.deviceNo)
    meter:register(user(args))
    meter:open_account(request(args))
  end,
  run = function(flow, args)
    local meter = flow:meter(args.deviceNo)
    meter:register(user(args))

    if meter:kind().backend then -- money is kept by the utility; the meter shows it
      return meter:open_account { order = args.order, billingMethod = 1, amount = args.amount,
                                  price = args.tariff.priceOne }
    end
    local receipt = meter:open_account(request(args))
    if meter:kind().gprs_money then -- asked again: a new meter may have reported only now
      meter:change_price { order = args.order .. "/price", tariff = args.tariff, clearMark = 1 }
    end
    return receipt
  end,
}
