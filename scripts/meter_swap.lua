local xfiot = require "xfiot"

return xfiot.workflow {
  name = "meter_swap",
  doc  = "Replace a customer's meter: settle the old one, open the new one, carry balance and ladder over.\n"
      .. "With cardNo and tariff the meters keep their money themselves (表端金额), else the ledger does (后台预付费).",
  args = { deviceNo = "string", newDeviceNo = "string", reading = "gas", order = "order", newReading = "gas?",
           newDigits = "integer?", cardNo = "string?", tariff = "tariff?" },
  check = function(flow, args) -- what the old meter leaves is stood in for
    local new = flow:meter(args.newDeviceNo)
    flow:meter(args.deviceNo)
    if not args.cardNo then
      return new:open_account { order = args.order, billingMethod = 1, amount = 0, price = 1, ladderNo = 1 }
    end
    new:open_account { order = args.order, amount = 0, cardNo = args.cardNo, tariff = args.tariff, clearMark = 1 }
    new:set_ladder { order = args.order .. "/ladder", ladderValue = 0 }
  end,
  run = function(flow, args) -- what ledgers and reports say is remembered: both go on meanwhile
    local client, book, new = flow.client, xfiot.settlement(flow.client), flow:meter(args.newDeviceNo)
    local old = flow:step("settle and deregister the old meter", function()
      local it = assert(client:query { deviceNo = args.deviceNo })
      local final = book:final(flow:meter(args.deviceNo), args) -- balance and ladder
      if it.deviceState ~= 3 then assert(client:cancel { deviceId = it.deviceId }) end
      return { final = final, user = { userNo = it.userNo, userName = it.userName, userAddress = it.userAddress } }
    end)
    new:register(old.user)
    if args.cardNo then
      local receipt = new:open_account { order = args.order, amount = old.final.balance, cardNo = args.cardNo,
                                         tariff = args.tariff, clearMark = 1 }
      new:set_ladder { order = args.order .. "/ladder", ladderValue = old.final.ladder }
      return receipt
    end
    local show = flow:step("open its ledger", function() return book:succeed(args.deviceNo, new, args) end)
    local receipt = new:open_account { order = args.order, billingMethod = 1, amount = show.balance,
                                       price = show.price, ladderNo = show.ladderNo }
    flow:step("carry over what has come since", function() book:opened(args.deviceNo, new, show, args.order) end)
    return receipt
  end,
}
