-- Bills meters whose money the utility keeps (后台预付费): each report is settled in its
-- ledger, the meter's display is told. Copy this; xfiot serve SETTLEMENT.lua
-- A valve is closed by close_valve_below = "-50.00" and by nothing else.
local xfiot = require "xfiot"

return xfiot.billing {
  every = 3600, -- seconds between two BALANCE_SYNCs of one meter, at least
  low = "20.00",

  on_low = function(meter, context)
    context:log("tell the customer: balance is low", meter.device_no, meter.balance, "fen,", meter.left, "litres")
  end,

  on_overdraft = function(meter, context)
    context:log("overdraft, for the office", meter.device_no, meter.balance, "fen")
  end,
}
