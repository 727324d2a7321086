-- How a sandbox is put together from its parts, and with what options.

local api = require "xfiot.sandbox.api"
local clock = require "xfiot.sandbox.clock"
local control = require "xfiot.sandbox.control"
local core = require "xfiot.core"
local failing = require "xfiot.sandbox.mishap"
local fault = require "xfiot.sandbox.fault"
local field = require "xfiot.sandbox.field"
local fleet = require "xfiot.sandbox.fleet"
local frozen = require "xfiot.sandbox.frozen"
local http = require "xfiot.sandbox.http"
local ledger = require "xfiot.sandbox.ledger"
local nature = require "xfiot.sandbox.nature"
local push = require "xfiot.sandbox.push"
local queue = require "xfiot.sandbox.queue"
local random = require "xfiot.sandbox.random"
local registry = require "xfiot.sandbox.device"
local reporting = require "xfiot.sandbox.report"
local states = require "xfiot.sandbox.state"
local switch = require "xfiot.sandbox.switch"

local METERS <const> = "money=2,gas=1,backend=1,flow=0,commercial=1"

---@class xfiot.sandbox.options
---@field listen string? "127.0.0.1:0"
---@field company_code string? "000000"
---@field signer userdata? core.signer{...}; the document's example key
---@field seed integer? 1
---@field start string? yyyyMMddHHmmss; now
---@field speed number? 1; 0 stands still until advance
---@field meters string|table? "money=2,gas=1,backend=1,flow=0,commercial=1", see fleet.lua
---@field opened boolean? accounts of these meters are open from the start; false
---@field balance string? of the accounts that are; "0.00"
---@field profile string? who lives behind all meters: household, restaurant, factory, empty, leak, none; by kind
---@field rhythm string|number? how often a meter reports by itself; "1d"; 0 never
---@field freeze string? finest frozen records of all meters: minute, hour, day; by kind
---@field low string? credit below which a meter warns; "10.00"
---@field overdraft string? what it lets be used beyond its credit before it shuts; "5.00"
---@field idle string|number? time without gas after which a meter shuts; "30d"
---@field mishaps string|number? time between two mishaps of a meter on average; "3650d"; 0 none, and no mains fail
---@field cards boolean? customers buy with their cards when credit is low; false
---@field contradictions string|string[]? "C22=int", see switch.lua
---@field tap fun(name: string, body: string)? told of every push, "report" or "response"
---@field state string? file that the sandbox is kept in; read at the start if it is there
---@field log_reports boolean? a line for every report too; false
---@field wake number|string? seconds from a command's arrival to the meter's waking; 1; "report": its next report
---@field air number? seconds a command takes down and back up; a fifth of wake
---@field repeat_bill string? a billNo used before: "execute" (default) or "refuse"
---@field push_reports string? URL
---@field push_responses string? URL
---@field fault string|string[]? see fault.lua
---@field log fun(line: string)?

local assembly = {}

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

local function amount(value, default, what)
  local thousandths, why = core.decimal(value or default, 2)
  if not thousandths or thousandths < 0 then error(("sandbox: %s %s"):format(what, why or "is below 0"), 0) end
  return thousandths
end

-- What the meters live by.
local function life(options, wake)
  return {
    wake = wake, rhythm = milliseconds(options.rhythm or "1d", "rhythm") // 1000,
    idle = milliseconds(options.idle or "30d", "idle") // 1000, cards = options.cards or false,
    limits = {
      low = amount(options.low, "10.00", "low"), overdraft = amount(options.overdraft, "5.00", "overdraft"),
    },
    log_reports = options.log_reports or false,
  }
end

local function add_all(to, from)
  for name, value in pairs(from) do to[name] = value end
  return to
end

-- Time, chance, pushes and meters.
local function make_field(self, options, refuse_repeats)
  local at_reports = options.wake == "report"
  local wake = milliseconds(not at_reports and options.wake or 1, "wake")
  local air = options.air and milliseconds(options.air, "air") or wake // 5
  local shared = {
    clock = self.clock, random = self.random, faults = self.faults, switches = self.switches, log = self.log,
  }
  self.push = push.new(add_all({
    reports = options.push_reports, responses = options.push_responses, tap = options.tap,
    signer = self.signer, company_code = self.company_code,
  }, shared))
  self.reports = reporting.new(shared)
  self.meters = field.new(add_all(add_all({
    push = self.push, ledger = self.book, reports = self.reports, schemes = self.schemes,
    refuse_repeats = refuse_repeats,
  }, shared), life(options, wake)))
  self.queue = queue.new(add_all({
    wake = wake, air = air, at_reports = at_reports,
    execute = function(device, command) return self.meters:execute(device, command) end,
    answered = function(device, command) self.meters:answered(device, command) end,
  }, shared))
  self.mishaps = failing.new(add_all({
    field = self.meters, start = self.start * 1000, after = self.restored and self.restored.now,
  }, shared))
  if options.freeze and options.freeze ~= "day" and not frozen.STEPS[options.freeze] then
    error("sandbox: freeze is minute, hour or day", 0)
  end
  self.registry = registry.new {
    random = self.random, clock = self.clock, freeze = options.freeze,
    made = function(device, place)
      self.mishaps:expect(device, place)
      self.nature:expect(device)
    end,
  }
  self.nature = nature.new {
    clock = self.clock, registry = self.registry, field = self.meters, mishaps = self.mishaps, start = self.start,
    every = math.ceil(milliseconds(options.mishaps or "3650d", "mishaps") / 86400000),
  }
end

-- A life before this one, if there is a file of it: its time, start and seed.
local function restore(options, seed)
  local head = options.state and states.head(options.state)
  if not head then return nil, start_time(options.start), seed end
  if options.seed and seed ~= head.seed then
    error(("sandbox: the state is of the seed %d, not %d"):format(head.seed, seed), 0)
  end
  return head, head.start, head.seed
end

local function fill(self, options, registered)
  if self.restored then
    self.random.count, self.faults.counts = self.restored.count, self.restored.counts
    return states.load(self, options.state)
  end
  fleet.make(options.meters or METERS, {
    registered = true, opened = options.opened or false, balance = options.balance, profile = options.profile,
  }, { devices = self.registry, clock = self.clock, schemes = self.schemes, registered = registered })
end

--- Puts a sandbox together, as told. Wrong options raise.
---@param self table
---@param options xfiot.sandbox.options
function assembly.make(self, options)
  local speed, seed, refuse_repeats = check(options)
  self.restored, self.start, seed = restore(options, seed)
  self.log = options.log and function(line)
    options.log(("sandbox %s %s"):format(self.clock:text(), line))
  end or function() end
  self.company_code = options.company_code or "000000"
  self.signer = options.signer or assert(core.signer { example = true })
  self.clock = clock.new { start = self.restored and self.restored.now / 1000 or self.start, speed = speed }
  self.book, self.random, self.schemes = ledger.new(), random.new(seed), {}
  self.faults, self.switches = fault.new(options.fault, self.random), switch.read(options.contradictions)
  make_field(self, options, refuse_repeats)
  local function registered(device) self.meters:registered(device) end
  local calls = api.new {
    company_code = self.company_code, devices = self.registry, queue = self.queue, reports = self.reports,
    random = self.random, made = self.start, switches = self.switches, registered = registered,
    last_report = function(device) return self.meters:last_report(device) end,
  }
  fill(self, options, registered)
  self.nature:begin()
  self.state = options.state
  self.http = http.new {
    listener = listen(self, options.listen or "127.0.0.1:0"), api = calls, signer = self.signer,
    faults = self.faults, switches = self.switches, log = self.log,
    control = function(request, later) return control.answer(self, request, later) end,
  }
  self.log("started at " .. self:url() .. ": this is a sandbox, not the platform")
end

return assembly
