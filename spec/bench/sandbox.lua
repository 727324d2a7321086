-- A city of meters, for `make bench`: how fast its days pass, and how much memory it takes.
--   meters=N days=N
-- Prints virtual meter-days a second, the same by CPU time, and bytes per meter.
local clock = require "xfiot.core".clock

local args = ...
local meters, days = math.tointeger(tonumber(args.meters)), math.tointeger(tonumber(args.days))

-- Most memory the process had so far, in bytes.
local function peak()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmHWM:%s*(%d+) kB"
    if kib then return tonumber(kib) * 1024 end
  end
end

local before = peak()
local sandbox <close> = require("xfiot.sandbox").new {
  meters = "money=" .. meters, opened = true, balance = "2000.00", speed = 0, start = "20260101000000",
}
local started, cpu = clock(), os.clock()
sandbox:advance(days .. "d")
print(("%.0f %.0f %.0f"):format(meters * days / (clock() - started), meters * days / (os.clock() - cpu),
  (peak() - before) / meters))
