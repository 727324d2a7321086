local xfiot = require "xfiot"

local function close(flow, args)
  return flow:meter(args.deviceNo):close_account { order = args.order }
end

return xfiot.workflow {
  name = "close_account",
  doc  = "Close the account of a prepaid meter. Its running data are cleared: settle and refund first.",
  args = { deviceNo = "string", order = "order" },
  check = close, run = close,
}
