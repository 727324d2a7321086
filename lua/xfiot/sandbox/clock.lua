-- Virtual time: starts where it is told to, runs at a multiple of real time or
-- stands still, and can be advanced. In milliseconds since 1970 UTC, integers.
-- What happens at a time happens at exactly that time: while an event runs,
-- now() is its own time, however late the loop came round to it.
-- Which item of the agenda is due when is kept in C: a city of meters has one each.

local core = require "xfiot.core"
local loop = require "xfiot.loop"

local Clock = {}
Clock.__index = Clock
Clock.__name = "xfiot.sandbox.clock"

--- The virtual time now, in milliseconds.
---@return integer
function Clock:now()
  if self.event_time then return self.event_time end
  if self.speed == 0 then return self.base end
  return self.base + math.floor((core.clock() - self.real) * self.speed * 1000)
end

--- The virtual time now, in whole seconds.
---@return integer
function Clock:seconds()
  return self:now() // 1000
end

--- The virtual time now as 14 digits.
---@return string
function Clock:text()
  return core.timestamp(self:seconds())
end

-- Wakes the loop when the next event is due.
local function arm(self)
  if self.closed or self.speed == 0 then return end
  local time = self.agenda:first()
  if not time or self.armed == time then return end
  if self.timer then loop.cancel(self.timer) end
  self.armed = time
  self.timer = loop.after(math.max(0, time - self:now()) / 1000 / self.speed, function()
    self.timer, self.armed = nil, nil
    self:run()
  end)
end

local function disarm(self)
  if self.timer then loop.cancel(self.timer) end
  self.timer, self.armed = nil, nil
end

local function happen(self, time, item)
  local fn, argument = self.fns[item], self.arguments[item]
  if self.passing[item] then
    self.passing[item] = nil
    self.fns[item], self.arguments[item] = false, false
    self.free[#self.free + 1] = item
  end
  self.event_time = time
  local ok, reason = pcall(fn, argument)
  self.event_time = nil
  if not ok then error(reason, 0) end
end

--- Runs what is due. Does nothing inside an event, or while time is advanced.
function Clock:run()
  if self.event_time or self.closed then return end
  local agenda, limit = self.agenda, self:now()
  while not self.closed do
    local time, item = agenda:take(limit)
    if not time then break end
    happen(self, time, item)
  end
  arm(self)
end

--- A place on the agenda for something that happens again and again; see set.
---@param fn fun(argument: any)
---@param argument any
---@return integer item
function Clock:item(fn, argument)
  local item = table.remove(self.free) or #self.fns + 1
  self.fns[item], self.arguments[item] = fn, argument == nil and false or argument
  return item
end

--- The item's fn(argument) is called at a time (milliseconds), or as soon as possible
--- after it, and at no other; nil: at none.
---@param item integer
---@param time integer?
function Clock:set(item, time)
  self.agenda:set(item, time and math.max(time, self:now()))
  if not self.event_time then arm(self) end
end

--- Calls fn(argument) at a time (milliseconds), or as soon as possible after it.
---@param time integer
---@param fn fun(argument: any)
---@param argument any
function Clock:at(time, fn, argument)
  local item = self:item(fn, argument)
  self.passing[item] = true
  self:set(item, time)
end

--- Calls fn(argument) after so many milliseconds.
---@param delay integer
---@param fn fun(argument: any)
---@param argument any
function Clock:after(delay, fn, argument)
  self:at(self:now() + delay, fn, argument)
end

local BREATH <const> = 256 -- events between two looks at the brake

--- Moves time on; everything due on the way happens, in order. `brake()` is called
--- now and then between events, with the time standing still, and may wait.
---@param milliseconds integer
---@param brake fun()?
function Clock:advance(milliseconds, brake)
  assert(not self.event_time, "time cannot be advanced from inside an event")
  local target, agenda, count = self:now() + milliseconds, self.agenda, 0
  while not self.closed do
    local time, item = agenda:take(target)
    if not time then break end
    happen(self, time, item)
    count = count + 1
    if brake and count % BREATH == 0 then
      self.event_time = time
      local ok, reason = pcall(brake)
      self.event_time = nil
      if not ok then error(reason, 0) end
    end
  end
  self.base, self.real = target, core.clock()
  disarm(self)
  arm(self)
end

--- Nothing happens any more.
function Clock:close()
  self.closed, self.agenda = true, core.agenda()
  self.fns, self.arguments, self.free = {}, {}, {}
  disarm(self)
end

local LONGEST <const> = 1e10 -- seconds of one span, some 300 years
local UNITS <const> = { d = 86400, h = 3600, m = 60, s = 1 }

--- Milliseconds of "30d", "12h", "15m", "10s" or a number of seconds; nil if it is none of these.
---@param span string|number
---@return integer?
local function milliseconds(span)
  local number, unit = span, "s"
  if type(span) == "string" then
    number, unit = span:match("^(%d+%.?%d*)([dhms]?)$")
    number = tonumber(number)
  end
  if type(number) ~= "number" then return nil end
  local seconds = number * (UNITS[unit] or 1)
  if not (seconds >= 0 and seconds <= LONGEST) then return nil end
  return math.floor(seconds * 1000 + 0.5)
end

---@param options { start: number, speed: number }  start in seconds
local function new(options)
  return setmetatable({
    base = math.floor(options.start * 1000 + 0.5),
    real = core.clock(),
    speed = options.speed,
    agenda = core.agenda(),
    fns = {}, -- by item
    arguments = {}, -- by item
    passing = {}, -- items that happen once
    free = {}, -- items to be used again
  }, Clock)
end

return { new = new, milliseconds = milliseconds }
