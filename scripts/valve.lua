local xfiot = require "xfiot"

local function move(flow, args)
  return flow:meter(args.deviceNo):valve(args.state)
end

return xfiot.workflow {
  name = "valve",
  doc  = "Open or close a meter's valve. A valve closed this way cannot be opened by hand.",
  args = { deviceNo = "string", state = "open|close" },
  check = move, run = move,
}
