--- How many orders the journal holds, by state. Nobody counts a million of them each
-- time: they are counted by the stretch, and a stretch that is full and has no open
-- order stays as it is for ever. So a census reads the stretches with open orders and
-- the newest one; all of them once, when the process begins.
local loop = require "xfiot.loop"

local census = {}

local STRETCH = 1024 -- orders
local BREATH = 16    -- stretches read before others have a turn

---@class xfiot.Census
local Census = {}
Census.__index = Census

local function add(sums, counts)
  for state, n in pairs(counts) do sums[state] = (sums[state] or 0) + n end
end

--- Counts, as the journal stands now. Raises, with nothing counted, when it cannot be read.
---@param read fun(name: string, ...): any as xfiot.Journal's read
---@return table<string, integer> counts all states
function Census:take(read)
  local settled, sums, open, last, reads = {}, {}, {}, self.last, 0
  local function count(after)
    reads = reads + 1
    if reads % BREATH == 0 then loop.sleep(0) end
    local part = read("count_orders", after, self.stretch)
    local full = part.rows == self.stretch
    add(full and part.open == 0 and settled or sums, part.in_state)
    if full and part.open > 0 then open[#open + 1] = after end
    return full and part.last or nil
  end
  for _, after in ipairs(self.open) do count(after) end
  local next_one = count(last)
  while next_one do
    last = next_one
    next_one = count(last)
  end
  add(self.settled, settled)
  add(sums, self.settled)
  self.open, self.last = open, last
  return sums
end

--- A census that has counted nothing yet.
---@param stretch? integer orders read at once
---@return xfiot.Census
function census.new(stretch)
  return setmetatable({ stretch = stretch or STRETCH, settled = {}, open = {}, last = 0 }, Census)
end

return census
