--- Gaps: devices that should have reported and have not. How often a device
-- reports is set for all, or learned from its reports.
local gaps = {}

local SHORTEST = 60        -- seconds; reports closer together are one visit of the meter
local WEIGHT = 4           -- a new interval counts for a quarter
local LONGEST_STEP = 4     -- an interval counts as so many of the known ones at most: a gap is no rhythm
local MARGIN = 3600        -- seconds of grace: a meter's radio has to find its network
local MISSED = 2           -- learned intervals that may pass before a device is looked for

--- The rhythm of a device after one more report.
---@param rhythm? integer seconds, as known so far
---@param interval integer seconds since the report before
---@return integer|nil rhythm
function gaps.learn(rhythm, interval)
  if interval < SHORTEST then return rhythm end
  if not rhythm then return interval end
  interval = math.min(interval, rhythm * LONGEST_STEP)
  return rhythm + (interval - rhythm) // WEIGHT
end

--- When a device is to be looked for, or nil when nobody can tell.
---@param device { last_seen?: integer, rhythm?: integer }
---@param every? integer seconds, the setting report_every
---@return integer|nil at
function gaps.due_at(device, every)
  if not device.last_seen then return nil end
  if every then return device.last_seen + math.ceil(every) + math.min(MARGIN, math.ceil(every / 10)) end
  return device.rhythm and device.last_seen + MISSED * device.rhythm + MARGIN
end

--- Whether a device should have reported by now.
---@param device { last_seen?: integer, rhythm?: integer }
---@param now integer
---@param every? integer
---@return boolean
function gaps.is_open(device, now, every)
  local at = gaps.due_at(device, every)
  return at ~= nil and now > at
end

return gaps
