--- The desk: pushes that wait for the worker, in memory. It says which one may be
-- taken next, so that what a device sent stays in order while devices that have
-- nothing to do with each other go on side by side. It knows no journal.
--
-- Every device of a push has a lane, sorted by id; a push is taken when it is the
-- first of all its lanes and its time has come. One that waits for its next
-- attempt holds up its own devices alone.
local desk = {}

---@class xfiot.Desk
---@field running integer how many are taken
local Desk = {}
Desk.__index = Desk

-- ---- a heap, the least key first

local function push(heap, key, entry)
  local i = #heap + 1
  heap[i] = { key = key, entry = entry }
  while i > 1 and heap[i].key < heap[i // 2].key do
    heap[i], heap[i // 2] = heap[i // 2], heap[i]
    i = i // 2
  end
end

local function pop(heap)
  local first, last = heap[1], table.remove(heap)
  if first == last then return first.entry end
  local i, size = 1, #heap
  heap[1] = last
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if child <= size and heap[child].key < heap[least].key then least = child end
    end
    if least == i then return first.entry end
    heap[i], heap[least] = heap[least], heap[i]
    i = least
  end
end

-- ---- lanes

local function is_first(self, entry)
  for _, device in ipairs(entry.devices) do
    if self.lanes[device][1] ~= entry then return false end
  end
  return true
end

local function enter_lanes(self, entry)
  for _, device in ipairs(entry.devices) do
    local lane = self.lanes[device] or {}
    self.lanes[device] = lane
    local i = #lane
    while i > 0 and lane[i].id > entry.id do i = i - 1 end
    table.insert(lane, i + 1, entry)
  end
end

local function leave_lanes(self, entry)
  for _, device in ipairs(entry.devices) do
    local lane = self.lanes[device]
    for i, other in ipairs(lane) do
      if other == entry then
        table.remove(lane, i)
        break
      end
    end
    if #lane == 0 then self.lanes[device] = nil end
  end
end

local function make_ready(self, entry)
  entry.state = "ready"
  push(entry.alone and self.alone or self.ready, entry.id, entry)
end

-- Those that stood behind an entry that has gone.
local function wake_next(self, gone)
  for _, device in ipairs(gone.devices) do
    local first = self.lanes[device] and self.lanes[device][1]
    if first and first.state == "blocked" and is_first(self, first) then make_ready(self, first) end
  end
end

-- ---- what the worker does

--- Lays a push on the desk; one that lies there stays as it is.
---@param entry { id: integer, devices: string[], next_at: integer, alone?: boolean } alone: nothing else
--- runs beside it, because an attempt has ended the process before
---@return boolean added
function Desk:add(entry)
  if self.held[entry.id] then return false end
  self.held[entry.id] = entry
  self.count = self.count + 1
  enter_lanes(self, entry)
  entry.state = "later"
  push(self.later, entry.next_at, entry)
  return true
end

--- Whether a push lies on the desk, taken or not.
---@param id integer
---@return boolean
function Desk:holds(id) return self.held[id] ~= nil end

-- The first of a heap that may be taken; those in front that may not are set aside
-- until what blocks them goes.
local function take_first(self, heap)
  while heap[1] do
    local entry = heap[1].entry
    if entry.state == "ready" and is_first(self, entry) then return pop(heap) end
    if entry.state == "ready" then entry.state = "blocked" end
    pop(heap)
  end
end

local function start(self, entry)
  entry.state = "running"
  self.running = self.running + 1
  self.exclusive = entry.alone or false
  return entry
end

--- Until then, pushes that must be alone are taken only when there is nothing else: each may
--- end the process once more, and the others have waited meanwhile.
---@param time number
function Desk:defer_alone(time) self.alone_from = time end

--- Takes the next push whose turn it is, or nil.
---@param now number
---@return table|nil entry
function Desk:take(now)
  while self.later[1] and self.later[1].key <= now do
    local entry = pop(self.later)
    if entry.state == "later" then make_ready(self, entry) end
  end
  if self.running > 0 and self.exclusive or self.running >= self.at_once then return nil end
  local deferred = now < self.alone_from
  local entry
  if self.alone[1] and not deferred then
    if self.running > 0 then return nil end -- it will be alone once those have ended
    entry = take_first(self, self.alone)
  end
  entry = entry or take_first(self, self.ready)
  if not entry and deferred and self.running == 0 then entry = take_first(self, self.alone) end
  return entry and start(self, entry)
end

--- Puts a push back that has been taken: it keeps its place before the later ones
--- of its devices.
---@param entry table
---@param next_at number
function Desk:put_back(entry, next_at)
  self.running = self.running - 1
  entry.state, entry.next_at = "later", next_at
  push(self.later, next_at, entry)
end

--- Takes a push off the desk that has been taken: there is no more to do for it.
---@param entry table
function Desk:drop(entry)
  self.running = self.running - 1
  self.held[entry.id] = nil
  self.count = self.count - 1
  leave_lanes(self, entry)
  wake_next(self, entry)
end

--- When a push that waits for its time has it, or nil.
---@return number|nil
function Desk:next_at() return self.later[1] and self.later[1].key end

---@param at_once integer how many may be taken at a time
---@return xfiot.Desk
function desk.new(at_once)
  return setmetatable({ at_once = at_once, held = {}, lanes = {}, ready = {}, alone = {}, later = {},
                        running = 0, count = 0, exclusive = false, alone_from = 0 }, Desk)
end

return desk
