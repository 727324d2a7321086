-- The platform of the crash specs: a process of its own, so that it outlives the
-- clients that are killed. Besides the sandbox's ledger it keeps the arrivals,
-- which is every creatCmd that came in whole, whatever became of its reply.
--   lua5.4 spec/crash_platform.lua METERS SEED [FAULTS [PUSHES]]
-- PUSHES is where a receiver listens: "http://127.0.0.1:1234".
-- GET /sandbox/arrivals returns the arrivals, the clashes (commands that met
-- another one of their meter still under way) and how many commands are open.

local core = require "xfiot.core"
local loop = require "xfiot.loop"
local sandbox = require "xfiot.sandbox"
local settings = require "xfiot.settings"

local meters, seed, faults = math.tointeger(tonumber(arg[1])), math.tointeger(tonumber(arg[2])), arg[3]
local AWAKE_AFTER <const> = 0.005 -- seconds

local values = settings.resolve()
local box = sandbox.new {
  listen = "127.0.0.1:0", company_code = values.company_code, signer = settings.signer(values), seed = seed,
  meters = { money = meters }, opened = true, wake = AWAKE_AFTER, fault = faults,
  push_reports = arg[4] and arg[4] .. values.reports_path, push_responses = arg[4] and arg[4] .. values.responses_path,
}

local arrivals, clashes = {}, {}
local handle, control, add = box.http.handle, box.http.control, box.queue.add

-- device, bill number and amount of a creatCmd
local function read(request)
  local device = box.registry:find_id(request.query.deviceId or "")
  local body = core.decode(request.body or "")
  if not device or not body then return { device_no = "none", bill_no = 0, amount = request.body or "" } end
  local paras = body.command.paras
  return { device_no = device.number, bill_no = paras.billNo, amount = tostring(paras.rechargeValue) }
end

function box.http.handle(self, request)
  if request.method == "POST" and request.path:find "/creatCmd$" then arrivals[#arrivals + 1] = read(request) end
  return handle(self, request)
end

function box.queue.add(self, device, command)
  if self:waiting(device) > 0 then clashes[#clashes + 1] = device.number end
  return add(self, device, command)
end

function box.http.control(request)
  if request.path ~= "/sandbox/arrivals" then return control(request) end
  local open = 0
  for _, device in ipairs(box.registry.order) do open = open + box.queue:waiting(device) end
  return { status = 200, body = core.encode {
    sandbox = "xfiot sandbox", arrivals = core.array(arrivals), clashes = core.array(clashes), open = open,
  } }
end

print("at " .. box:url())
io.stdout:flush()
loop.run(function() return false end)
