local xfiot = require "xfiot"

return xfiot.workflow {
  name = "balance_sync",
  doc  = "Tell a meter whose money is kept by the utility (后台预付费) its balance, price and tier.\n"
      .. "What is not given comes from the meter's ledger, after its latest report has been settled.",
  args = { deviceNo = "string", balance = "money?", price = "money?", ladderNo = "integer?" },
  check = function(flow, args) -- what the ledger will give is stood in for
    flow:meter(args.deviceNo):sync_balance {
      balance = args.balance or 0, price = args.price or 1, ladderNo = args.ladderNo or 1,
    }
  end,
  run = function(flow, args)
    local meter, book = flow:meter(args.deviceNo), xfiot.settlement(flow.client)
    local show = {}
    if not (args.balance and args.price and args.ladderNo) then
      show = flow:step("settle the latest report", function() -- remembered: the ledger goes on meanwhile
        book:must_find(args.deviceNo)
        local report = meter:report()
        if report then book:take(args.deviceNo, report, "report of " .. report.receiveTime) end
        return (book:display(args.deviceNo))
      end)
    end
    local sent = { balance = args.balance or show.balance, price = args.price or show.price,
                   ladderNo = args.ladderNo or show.ladderNo }
    local receipt = meter:sync_balance(sent)
    flow:step("note what was sent", function() book:sent(args.deviceNo, sent, "command " .. receipt.command_id) end)
    return receipt
  end,
}
