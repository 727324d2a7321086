local xfiot = require "xfiot"

return xfiot.workflow {
  name = "meter_swap",
  doc  = "Replace a customer's meter: settle the old one, open the new one, carry balance and ladder over.\n"
      .. "With cardNo and tariff the meters keep their money themselves (表端金额), else the ledger does (后台预付费).",
  args = { deviceNo = "string", newDeviceNo = "string", reading = "gas", order = "order", newReading = "gas?",
           cardNo = "string?", tariff = "tariff?" },
  check = function(flow, args) -- what the old meter leaves is stood in for
    local new = flow:meter(args.newDeviceNo)
    flow:meter(args.deviceNo)
    if not args.cardNo then
      return new:open_account { order = args.order, billingMethod = 1, amount = 0, price = 1, ladderNo = 1 }
    end
    new:open_account { order = args.order, amount = 0, cardNo = args.cardNo, tariff = args.tariff, clearMark = 1 }
    new:set_ladder { order = args.order .. "/ladder", ladderValue = 0 }
  end,
  run = function(flow, args)
    local client, book = flow.client, xfiot.settlement(flow.client)
    local old, new = assert(client:query { deviceNo = args.deviceNo }), flow:meter(args.newDeviceNo)
    local final = book:final(flow:meter(args.deviceNo), args) -- balance and ladder of the old one
    if old.deviceState ~= 3 then assert(client:cancel { deviceId = old.deviceId }) end
    new:register { userNo = old.userNo, userName = old.userName, userAddress = old.userAddress }
    if args.cardNo then
      local receipt = new:open_account { order = args.order, amount = final.balance, cardNo = args.cardNo,
                                         tariff = args.tariff, clearMark = 1 }
      new:set_ladder { order = args.order .. "/ladder", ladderValue = final.ladder }
      return receipt
    end
    book:succeed(args.deviceNo, new, args.newReading or "0", final)
    local show = book:display(args.newDeviceNo)
    return new:open_account { order = args.order, billingMethod = 1, amount = show.balance, price = show.price,
                              ladderNo = show.ladderNo }
  end,
}
