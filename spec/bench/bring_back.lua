-- What a waiting run costs to bring back: claimed, its steps read, its script replayed,
-- its last step written. Prints microseconds a run, one after the other and n at once.
--   xfiot run spec/bench/bring_back.lua n=2000 steps=5
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local runs = require "xfiot.runs"
local xfiot = require "xfiot"

local args = ...
local n, steps = math.tointeger(tonumber(args.n)), math.tointeger(tonumber(args.steps))

local text = { path = "bench", name = "bench", source = "=bench", text = "bench" }
text.workflow = xfiot.workflow { name = "bench", run = function(flow)
  for i = 1, steps do flow:step("s" .. i, function() return { number = i } end) end
  flow:sleep(1)
  return steps
end }

local client = xfiot.client()
local function all(fn)
  local list = {}
  for i = 1, n do list[i] = loop.spawn(fn, i) end
  loop.join(list)
end

local rows = {}
all(function(i)
  local run = runs.new(client, text, ('{"n":%d}'):format(i), { short = 0 })
  assert(run:drive().state == "waiting")
  rows[i] = client.orders:journal():read("run_find", run.id)
end)
loop.sleep(2)

local function bring(i)
  local outcome = runs.take(client, rows[i], text):drive()
  assert(outcome.state == "succeeded", outcome.text)
end
local half = n // 2
local started = core.clock()
loop.join { loop.spawn(function()
  for i = 1, half do bring(i) end
end) }
local alone = core.clock() - started
started = core.clock()
local list = {}
for i = half + 1, n do list[#list + 1] = loop.spawn(bring, i) end
loop.join(list)
print(("%.0f %.0f"):format(alone / half * 1e6, (core.clock() - started) / (n - half) * 1e6))
