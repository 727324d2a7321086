--- xfiot verify: whether a token belongs to a transId under our key.
local cli = require "xfiot.cli"
local settings = require "xfiot.settings"

return function(options)
  if not options.trans_id or not options.token then cli.usage "verify needs --trans-id and --token" end
  if settings.signer(settings.resolve()):verify(options.trans_id, options.token) then
    cli.out "valid"
    return cli.DONE
  end
  cli.out "not valid"
  return cli.FAILED
end
