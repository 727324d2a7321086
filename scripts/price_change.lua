local xfiot = require "xfiot"

local function change(meter, args)
  return meter:change_price { order = args.order, tariff = args.tariff, clearMark = args.clearMark }
end

return xfiot.workflow {
  name = "price_change",
  doc  = "Load a new price scheme into a money meter and read back what it holds.\n"
      .. "clearMark 1 sets the gas counted in the ladder period to zero, 0 keeps it; it may stand in the tariff.",
  args = { deviceNo = "string", order = "order", tariff = "tariff", clearMark = "integer?" },
  check = function(flow, args) change(flow:meter(args.deviceNo), args) end,
  run = function(flow, args)
    local meter = flow:meter(args.deviceNo)
    local receipt = change(meter, args)
    local delayed = args.tariff.priceTime > flow:timestamp()
    receipt.price = meter:read_price { priceType = delayed and 1 or 0 }
    return receipt
  end,
}
