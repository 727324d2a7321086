-- The built-in platform: a stand-in for the real one to try scripts on, in this
-- process, on this loop. Nothing it says moves real money or real gas, and it
-- says so wherever it speaks.
--
--   local sandbox = require("xfiot.sandbox").new { meters = "money=2" }
--   local client = xfiot.client(sandbox:settings())

local clock = require "xfiot.sandbox.clock"
local control = require "xfiot.sandbox.control"
local core = require "xfiot.core"
local fault = require "xfiot.sandbox.fault"
local field = require "xfiot.sandbox.field"
local fleet = require "xfiot.sandbox.fleet"
local http = require "xfiot.sandbox.http"
local ledger = require "xfiot.sandbox.ledger"
local loop = require "xfiot.loop"
local api = require "xfiot.sandbox.api"
local push = require "xfiot.sandbox.push"
local queue = require "xfiot.sandbox.queue"
local random = require "xfiot.sandbox.random"
local registry = require "xfiot.sandbox.device"
local status = require "xfiot.sandbox.status"

local METERS <const> = "money=2,gas=1,backend=1,flow=0,commercial=1"

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
  self.clock:advance(milliseconds)
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

--- What the meters executed, oldest first: all of them, or one.
---@param device_no string?
---@return table[]
function Sandbox:ledger(device_no)
  return self.book:read(device_no)
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

--- Ends it; what waits for an answer is dropped.
function Sandbox:close()
  if self.closed then return end
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

local function listen(self, where)
  local host, port = where:match("^%[?(.-)%]?:(%d+)$")
  if not host then error("sandbox: listen is HOST:PORT, got " .. where, 0) end
  local listener, reason = core.listener { host = host, port = math.tointeger(tonumber(port)) }
  if not listener then error("sandbox: " .. reason, 0) end
  self.host, self.bound = host, listener:port()
  return listener
end

local function start_time(text)
  if text == nil then return core.now() end
  return core.parse_timestamp(text) or error("sandbox: start is yyyyMMddHHmmss, got " .. tostring(text), 0)
end

local function milliseconds(value, what)
  return clock.milliseconds(value) or error("sandbox: " .. what .. " is a number of seconds", 0)
end

local function check(options)
  local speed, seed = options.speed or 1, options.seed or 1
  if type(speed) ~= "number" or not (speed >= 0 and speed <= 1e7) then
    error("sandbox: speed is a number from 0 to 10000000", 0)
  end
  if not math.tointeger(seed) then error("sandbox: seed is an integer", 0) end
  local repeats = options.repeat_bill or "execute"
  if repeats ~= "execute" and repeats ~= "refuse" then
    error("sandbox: repeat_bill is execute or refuse", 0)
  end
  return speed, math.tointeger(seed), repeats == "refuse"
end

local function assemble(self, options)
  local speed, seed, refuse_repeats = check(options)
  local start = start_time(options.start)
  local wake = milliseconds(options.wake or 1, "wake")
  local air = options.air and milliseconds(options.air, "air") or wake // 5
  local log = options.log and function(line)
    options.log(("sandbox %s %s"):format(self.clock:text(), line))
  end or function() end

  self.company_code = options.company_code or "000000"
  self.signer = options.signer or assert(core.signer { example = true })
  self.clock = clock.new { start = start, speed = speed }
  self.book = ledger.new()
  local chance, faults = random.new(seed), fault.new(options.fault)
  self.push = push.new {
    reports = options.push_reports, responses = options.push_responses,
    signer = self.signer, company_code = self.company_code, log = log,
  }
  local meters = field.new {
    clock = self.clock, random = chance, push = self.push, ledger = self.book,
    wake = wake, refuse_repeats = refuse_repeats, log = log,
  }
  self.registry = registry.new(chance)
  self.queue = queue.new {
    clock = self.clock, random = chance, faults = faults, wake = wake, air = air,
    execute = function(device, command) return meters:execute(device, command) end,
    answered = function(device, command) meters:answered(device, command) end,
  }
  local function registered(device) meters:registered(device) end
  local calls = api.new {
    company_code = self.company_code, devices = self.registry, queue = self.queue,
    random = chance, made = start, registered = registered,
  }
  fleet.make(options.meters or METERS, { registered = true, opened = options.opened or false },
    { devices = self.registry, clock = self.clock, registered = registered })
  self.http = http.new {
    listener = listen(self, options.listen or "127.0.0.1:0"), api = calls, signer = self.signer,
    faults = faults, log = log,
    control = function(request) return control.answer(self, request) end,
  }
  log("started at " .. self:url() .. ": this is a sandbox, not the platform")
end

---@class xfiot.sandbox.options
---@field listen string? "127.0.0.1:0"
---@field company_code string? "000000"
---@field signer userdata? core.signer{...}; the document's example key
---@field seed integer? 1
---@field start string? yyyyMMddHHmmss; now
---@field speed number? 1; 0 stands still until advance
---@field meters string|table? "money=2,gas=1,backend=1,flow=0,commercial=1", see fleet.lua
---@field opened boolean? accounts of these meters are open from the start; false
---@field wake number? seconds from a command's arrival to the meter's waking; 1
---@field air number? seconds a command takes down and back up; a fifth of wake
---@field repeat_bill string? a billNo used before: "execute" (default) or "refuse"
---@field push_reports string? URL
---@field push_responses string? URL
---@field fault string|string[]? see fault.lua
---@field log fun(line: string)?

--- Starts a sandbox. Wrong options raise.
---@param options xfiot.sandbox.options?
---@return xfiot.sandbox
local function new(options)
  local self = setmetatable({ closed = true }, Sandbox)
  local ok, reason = pcall(assemble, self, options or {})
  if not ok then
    if self.clock then self.clock:close() end
    error(reason, 0)
  end
  self.closed = false
  self.turn = loop.on_turn(function() self.http:pump() end)
  return self
end

return { new = new }
