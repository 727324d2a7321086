--- xfiot sign: the two headers that sign a call.
local cli = require "xfiot.cli"
local core = require "xfiot.core"

return function(options)
  local given = options.trans_id
  local is_formed = given and given:find "^%d+$" and #given == 22 and given:sub(15, 15) == "8"
  if given and not (is_formed and core.parse_timestamp(given:sub(1, 14))) then
    cli.usage "--trans-id must be 22 digits: yyyyMMddHHmmss and a number from 80000000 to 89999999"
  end
  local id, token = require("xfiot").sign(options.trans_id)
  cli.out("RandomCode: " .. id)
  cli.out("Authorization: " .. token)
  return cli.DONE
end
