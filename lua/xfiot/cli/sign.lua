--- xfiot sign: the two headers that sign a call.
local cli = require "xfiot.cli"

return function(options)
  if options.trans_id and not options.trans_id:find "^[%w]+$" then
    cli.usage "--trans-id must be letters and digits"
  end
  local id, token = require("xfiot").sign(options.trans_id)
  print("RandomCode: " .. id)
  print("Authorization: " .. token)
  return cli.DONE
end
