-- Virtual time: starts where it is told to, runs at a multiple of real time or
-- stands still, and can be advanced. In milliseconds since 1970 UTC, integers.
-- What happens at a time happens at exactly that time: while an event runs,
-- now() is its own time, however late the loop came round to it.

local core = require "xfiot.core"
local loop = require "xfiot.loop"

local Clock = {}
Clock.__index = Clock
Clock.__name = "xfiot.sandbox.clock"

-- An event of the heap is { time, order, fn, argument }.
local function before(a, b)
  return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2])
end

local function insert(heap, event)
  local i = #heap + 1
  while i > 1 do
    local parent = i // 2
    if not before(event, heap[parent]) then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = event
end

local function take_first(heap)
  local first, last = heap[1], table.remove(heap)
  local size = #heap
  if size == 0 then return first end
  local i = 1
  while true do
    local child = i * 2
    if child > size then break end
    if child < size and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], last) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = last
  return first
end

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
  local first = self.heap[1]
  if self.closed or self.speed == 0 or not first or self.armed == first then return end
  if self.timer then loop.cancel(self.timer) end
  self.armed = first
  self.timer = loop.after(math.max(0, first[1] - self:now()) / 1000 / self.speed, function()
    self.timer, self.armed = nil, nil
    self:run()
  end)
end

local function run_until(self, limit)
  while self.heap[1] and self.heap[1][1] <= limit do
    local event = take_first(self.heap)
    self.event_time = event[1]
    local ok, reason = pcall(event[3], event[4])
    self.event_time = nil
    if not ok then error(reason, 0) end
  end
end

--- Runs what is due. Does nothing inside an event.
function Clock:run()
  if self.event_time or self.closed then return end
  run_until(self, self:now())
  arm(self)
end

--- Calls fn(argument) at a time (milliseconds), or as soon as possible after it.
---@param time integer
---@param fn fun(argument: any)
---@param argument any
function Clock:at(time, fn, argument)
  self.order = self.order + 1
  insert(self.heap, { math.max(time, self:now()), self.order, fn, argument })
  if not self.event_time then arm(self) end
end

--- Calls fn(argument) after so many milliseconds.
---@param delay integer
---@param fn fun(argument: any)
---@param argument any
function Clock:after(delay, fn, argument)
  self:at(self:now() + delay, fn, argument)
end

--- Moves time on; everything due on the way happens, in order.
---@param milliseconds integer
function Clock:advance(milliseconds)
  assert(not self.event_time, "time cannot be advanced from inside an event")
  local target = self:now() + milliseconds
  run_until(self, target)
  self.base, self.real = target, core.clock()
  if self.timer then loop.cancel(self.timer) end
  self.timer, self.armed = nil, nil
  arm(self)
end

--- Nothing happens any more.
function Clock:close()
  self.closed, self.heap = true, {}
  if self.timer then loop.cancel(self.timer) end
  self.timer = nil
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

---@param options { start: integer, speed: number }  start in seconds
local function new(options)
  return setmetatable({
    base = options.start * 1000,
    real = core.clock(),
    speed = options.speed,
    heap = {},
    order = 0,
  }, Clock)
end

return { new = new, milliseconds = milliseconds }
