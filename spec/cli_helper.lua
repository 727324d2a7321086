-- What the specs of the program share: running it, a sandbox served by it, and
-- a record of everything it printed, in which the key must not stand.

local helper = require "spec.helper"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local C = {}

C.KEY = "canary5f1d0c9b7e3a2468canary13579" -- never to be seen again
C.MERCHANT, C.COMPANY = "43516709", "000000"

local printed = {}

-- helper.run, with what was printed kept.
function C.run(argv, options)
  local result = helper.run(argv, options)
  printed[#printed + 1] = table.concat(argv, " ") .. "\n" .. result.stdout .. result.stderr
  return result
end

-- Runs the program under test: C.xfiot({ "call", "query" }, { env = ... }).
function C.xfiot(words, options)
  return C.run({ "xfiot", table.unpack(words) }, options)
end

-- The first output that holds a text, or nil.
function C.find_printed(text)
  for _, output in ipairs(printed) do
    if output:find(text, 1, true) then return output end
  end
  return nil, #printed
end

local Server = {}
Server.__index = Server

-- Starts `xfiot sandbox` with more words, on a free port, with our key. Stop it.
function C.serve(words)
  local process = helper.start({ "xfiot", "sandbox", "--listen", "127.0.0.1:0", table.unpack(words or {}) },
    { env = { XFIOT_KEY = C.KEY, XFIOT_MERCHANT_ID = C.MERCHANT, XFIOT_COMPANY_CODE = C.COMPANY } })
  local server = setmetatable({ process = process }, Server)
  server.url = process:expect "at (http://[%d.:]+)$"
  server.listen = server.url:match "//(.*)$"
  server.env = { XFIOT_BASE_URL = server.url, XFIOT_KEY = C.KEY, XFIOT_MERCHANT_ID = C.MERCHANT,
                 XFIOT_COMPANY_CODE = C.COMPANY, XFIOT_JOURNAL = helper.tmpdir() .. "/journal.db" }
  return server
end

-- The settings of this server's clients, with more or other ones.
function Server:with(more)
  local env = {}
  for name, value in pairs(self.env) do env[name] = value end
  for name, value in pairs(more or {}) do env[name] = value end
  return { env = env }
end

-- What its meters have done, oldest first: all of them, or one.
function Server:ledger(number)
  local transport = assert(core.transport { base_url = self.url, timeout = 30 })
  local reply = loop.fetch(transport, { method = "GET", target = "/sandbox/ledger" })
  local rows = {}
  for _, row in ipairs(assert(core.decode(reply.body)).ledger) do
    if not number or row.device_no == number then rows[#rows + 1] = row end
  end
  return rows
end

function Server:stop()
  local status, signal, text = self.process:stop "INT"
  printed[#printed + 1] = text
  return status, signal, text
end

-- One sentence on stderr, nothing on stdout, nothing of our insides.
function C.assert_sentence(result, status)
  local busted = require "luassert"
  busted.are.equal(status, result.status, result.stdout .. result.stderr)
  busted.are.equal("", result.stdout)
  busted.truthy(result.stderr:find "^xfiot: [^\n]+\n$", result.stderr)
  C.assert_no_insides(result.stderr)
end

function C.assert_no_insides(text)
  local busted = require "luassert"
  for _, inside in ipairs { "stack traceback", "lua/xfiot", "argparse", "[C]", "attempt to", "bad argument #",
                            "table: 0x", "nil:" } do
    busted.is_nil(text:find(inside, 1, true), text)
  end
end

return C
