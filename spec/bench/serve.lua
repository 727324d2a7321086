-- The receiver for .ci/bench: xfiot run serve.lua journal=PATH port=N, until a signal ends it.
-- Key and merchant are those of the environment.
local core = require "xfiot.core"

local args = ...
local signer = assert(core.signer { merchant_id = os.getenv "XFIOT_MERCHANT_ID" })
assert(core.serve {
  signer = signer, company_code = os.getenv "XFIOT_COMPANY_CODE",
  journal = args.journal, port = math.tointeger(args.port),
})
