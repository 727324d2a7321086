local xfiot = require "xfiot"

local function recharge(flow, args)
  return flow:meter(args.deviceNo):recharge { order = args.order, amount = args.amount }
end

return xfiot.workflow {
  name = "recharge",
  doc  = "Credit a prepaid meter and wait until the meter itself has confirmed it.",
  args = { deviceNo = "string", amount = "money", order = "order" },
  check = recharge, run = recharge,
}
