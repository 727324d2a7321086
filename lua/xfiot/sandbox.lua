-- The built-in platform: a stand-in for the real one to try scripts on, in this
-- process, on this loop. Nothing it says moves real money or real gas, and it
-- says so wherever it speaks.
--
--   local sandbox = require("xfiot.sandbox").new { meters = "money=2" }
--   local client = xfiot.client(sandbox:settings())

local assembly = require "xfiot.sandbox.assembly"
local clock = require "xfiot.sandbox.clock"
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local registry = require "xfiot.sandbox.device"
local states = require "xfiot.sandbox.state"
local status = require "xfiot.sandbox.status"

local MANY <const>, FEW <const> = 2000, 500 -- pushes that wait: time stands still from many to few

---@class xfiot.sandbox
local Sandbox = {}
Sandbox.__index = Sandbox
Sandbox.__name = "xfiot.sandbox"

--- Where it listens: "http://127.0.0.1:40123".
---@return string
function Sandbox:url()
  local host = self.host == "0.0.0.0" and "127.0.0.1" or self.host
  return ("http://%s:%d"):format(host:find(":", 1, true) and "[" .. host .. "]" or host, self:port())
end

---@return integer
function Sandbox:port()
  return self.bound
end

--- Settings for a client of this sandbox; its orders go to a journal that ends
--- with the sandbox.
---@return { base_url: string, company_code: string, signer: userdata, journal: string }
function Sandbox:settings()
  self.journal = self.journal or os.tmpname()
  return { base_url = self:url(), company_code = self.company_code, signer = self.signer, journal = self.journal }
end

--- The virtual time, seconds since 1970 UTC.
---@return integer
function Sandbox:now()
  return self.clock:seconds()
end

--- Moves the virtual time on; everything due on the way happens, in order.
---@param span string|number "30d", "12h", "15m", "10s" or seconds
function Sandbox:advance(span)
  local milliseconds = clock.milliseconds(span)
  if not milliseconds then error("sandbox: time is advanced by 30d, 12h, 15m, 10s or seconds", 2) end
  self.clock:advance(milliseconds, function()
    if self.push:waiting() < MANY then return end
    while not self.closed and self.push:waiting() > FEW do loop.sleep(0.001) end
  end)
end

local function find(self, device_no)
  return self.registry:find_number(device_no) or error("sandbox: there is no device " .. tostring(device_no), 3)
end

--- Presses the button of a meter: it reports (reportType 1), and opens its valve if it had
--- shut it after many days without gas.
---@param device_no string
---@return boolean
function Sandbox:press(device_no)
  local device = find(self, device_no)
  if device.state ~= registry.REGISTERED then error("sandbox: not registered: " .. device_no, 2) end
  self.meters:press(device)
  return true
end

--- A purchase with the customer's card at the meter.
---@param device_no string
---@param amount string "50.00"
---@return boolean done
function Sandbox:card(device_no, amount)
  local device = find(self, device_no)
  local value, why = core.decimal(amount, 2)
  if not value then error("sandbox: the amount " .. why, 2) end
  return self.meters:purchase(device, value)
end

--- All devices as snapshots, in the order they became known.
---@return table[]
function Sandbox:devices()
  local list = {}
  for i, device in ipairs(self.registry.order) do
    list[i] = status.snapshot(device, self:now(), self.queue)
  end
  return list
end

--- One device's snapshot, or nil.
---@param device_no string
---@return table?
function Sandbox:device(device_no)
  local device = self.registry:find_number(device_no)
  return device and status.snapshot(device, self:now(), self.queue)
end

--- What the meters executed, oldest first: all of it, that of one meter, or the rows with
--- all fields of a table.
---@param wanted string|table|nil deviceNo, or { method = "RECHARGE_REMOTE", bill_no = 7 }
---@return table[]
function Sandbox:ledger(wanted)
  return self.book:read(wanted)
end

--- Pushes that were not answered with 200, the last hundred: { url, body, why }.
---@return table[]
function Sandbox:failed_pushes()
  return self.push.failed
end

--- A table of what is there, for people.
---@return string
function Sandbox:status()
  return status.text(self)
end

--- Writes everything to the file of the option `state`; close does too. Raises if it cannot.
function Sandbox:save()
  local ok, why = states.save(self, self.state)
  if not ok then error("sandbox: cannot save: " .. tostring(why), 2) end
end

--- Something that differs whenever anything may have happened since.
---@return string
function Sandbox:turns()
  return ("%d %d %d"):format(self.clock:now(), self.http.handled, self.push.sent + self.push.failures)
end

--- Ends it; what waits for an answer is dropped.
function Sandbox:close()
  if self.closed then return end
  if self.state then self:save() end
  self.closed = true
  if self.turn then loop.off_turn(self.turn) end
  self.clock:close()
  self.push:close()
  self.http:close()
  for _, suffix in ipairs { "", "-wal", "-shm", "-mark", "-sent", "-worker" } do
    if self.journal then os.remove(self.journal .. suffix) end
  end
end
Sandbox.__close = Sandbox.close
Sandbox.__gc = Sandbox.close

function Sandbox:__tostring()
  return self.closed and "xfiot.sandbox (closed)" or "xfiot.sandbox at " .. self:url()
end

--- Starts a sandbox. Wrong options raise.
---@param options xfiot.sandbox.options?
---@return xfiot.sandbox
local function new(options)
  local self = setmetatable({ closed = true }, Sandbox)
  local ok, reason = pcall(assembly.make, self, options or {})
  if not ok then
    if self.clock then self.clock:close() end
    error(reason, 0)
  end
  self.closed = false
  self.turn = loop.on_turn(function() self.http:pump() end)
  return self
end

return { new = new }
