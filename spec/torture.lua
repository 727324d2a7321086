-- make torture: what spec/crash_spec.lua does, for longer. Thousands of clients are
-- killed at random points, one at every system call of a recharge, and every place
-- where the disk can fail does. Ends with figures; all but kills, orders and unknown
-- must be 0.
--   lua5.4 spec/torture.lua [KILLS [SEED]]   default 3000 1

local at_exit = {}
-- spec/helper.lua clears up when busted ends; there is none here
package.loaded.busted = { subscribe = function(_, fn) at_exit[#at_exit + 1] = fn end }
package.path = "./?.lua;./lua/?.lua;" .. package.path
local helper = require "spec.helper"
local crash = require "spec.crash_helper"
local core = require "xfiot.core"

local KILLS, SEED = tonumber(arg[1]) or 3000, tonumber(arg[2]) or 1
local ROUND <const> = 300 -- kills with one platform and journal
local WRONG <const> = { "double", "lost", "wrong", "repeated", "clashes", "bills" }
local FIGURES <const> = { "kills", "orders", "executed", "applied", "unknown", "suspect", "rejected" }

local total, right = {}, true

local function show(what, sum, faults, unlisted)
  local cells = {}
  for _, names in ipairs { FIGURES, WRONG } do
    for _, name in ipairs(names) do
      total[name] = (total[name] or 0) + (sum[name] or 0)
      cells[#cells + 1] = ("%8d"):format(sum[name] or 0)
    end
  end
  print(("%-26s"):format(what) .. table.concat(cells))
  for i = 1, math.min(#faults, 20) do print("    " .. faults[i]) end
  if unlisted then print("    " .. unlisted) end
  io.stdout:flush()
  right = right and #faults == 0 and not unlisted
end

local function round(seed, kills)
  local lanes = 1 + seed % 3
  local meters = crash.meters_for(kills, lanes)
  local platform <close> = crash.platform { meters = meters, seed = seed, faults = crash.faults(seed, 2 * meters) }
  local journal = helper.tmpdir() .. "/journal.db"
  local spree = crash.spree(platform, journal, { kills = kills, seed = seed, lanes = lanes })
  local sum, faults = crash.judge(platform, crash.list(platform:with(journal)), spree.text)
  sum.kills = spree.kills
  show(("seed %d, %d at a time"):format(seed, lanes), sum, faults)
end

local function count(results, status)
  local n = 0
  for _, result in ipairs(results) do n = n + (result.status == status and 1 or 0) end
  return n
end

-- One case at each of the calls that `keep` lets through.
local function every_call(what, action, keep)
  local seed = 1000 + #what
  local platform <close> = crash.platform { meters = 2600, seed = seed }
  local rows = {}
  for _, call in ipairs(crash.calls(platform, 1)) do
    if keep(call) then rows[#rows + 1] = { call.name, action, call.nth } end
  end
  local results = crash.cases(platform, rows, 10, 2)
  local states, text = crash.gather(results)
  local sum, faults, came = crash.judge(platform, states, text, function(meter) return meter >= 10 end)
  sum.kills = count(results, 137)
  local lies, example = 0, nil
  for _, result in ipairs(results) do
    if crash.find_lie(result, came) then lies, example = lies + 1, result.first end
  end
  show(("%s (%d)"):format(what, #rows), sum, faults,
    lies > 0 and ("%d clients said of what was sent that it was not:\n    %s"):format(lies, example) or nil)
end

local function show_head()
  local cells = {}
  for _, names in ipairs { FIGURES, WRONG } do
    for _, name in ipairs(names) do cells[#cells + 1] = ("%8s"):format(name:sub(1, 8)) end
  end
  print((" "):rep(26) .. table.concat(cells))
end

show_head()
local began = core.clock()
local done, seed = 0, SEED
while done < KILLS do
  round(seed, ROUND)
  done = total.kills
  seed = seed + 1
end
local untraceable = crash.untraceable()
if untraceable then
  print(untraceable)
else
  every_call("killed at every call", "signal=KILL", function() return true end)
  for _, row in ipairs { { "fdatasync", "EIO" }, { "fsync", "EIO" }, { "pwrite64", "EIO" }, { "pwrite64", "ENOSPC" },
                         { "pread64", "EIO" }, { "ftruncate", "EIO" } } do
    every_call(("%s of %s"):format(row[2], row[1]), "error=" .. row[2],
      function(call) return call.name == row[1] end)
  end
end
for _, fn in ipairs(at_exit) do fn() end
print(("%d kills in %.0f s: %d orders, %d executed; %d double, %d lost, %d wrongly final; %d unknown, all listed")
  :format(total.kills, core.clock() - began, total.orders, total.executed, total.double + total.repeated, total.lost,
    total.wrong, total.unknown))
os.exit(right, true)
