local xfiot = require "xfiot"

return xfiot.workflow {
  name = "valve",
  doc  = "Open or close a meter's valve. A valve closed this way cannot be opened by hand.",
  args = { deviceNo = "string", state = "open|close" },
  run  = function(flow, args)
    return flow:meter(args.deviceNo):valve(args.state)
  end,
}
