local xfiot = require "xfiot"

return xfiot.workflow {
  name = "balance_sync",
  doc  = "Tell a meter whose money is kept by the utility (后台预付费) its balance, price and tier.",
  args = { deviceNo = "string", balance = "money", price = "money", ladderNo = "integer" },
  run  = function(flow, args)
    return flow:meter(args.deviceNo):sync_balance {
      balance = args.balance, price = args.price, ladderNo = args.ladderNo,
    }
  end,
}
