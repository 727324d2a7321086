-- What the crash specs and the torture share: a platform that outlives the
-- clients, clients that are killed, and the judge. The judge believes the
-- platform alone: what its meters executed and what came in.

local helper = require "spec.helper"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local M = {}

local KEY <const> = "canary5f1d0c9b7e3a2468canary13579"
local CLIENT <const> = helper.root .. "/spec/crash_client.lua"
local quote = helper.quote

M.REFUND = 900000 -- added to the turn it is the whole yuan of a refund; spec/crash_client.lua has it too

-- ---- the platform

local Platform = {}
Platform.__index = Platform
Platform.__close = function(self) self:stop() end

-- options: meters (their number), seed, faults, key, id (merchantId), pushes (where a receiver listens).
function M.platform(options)
  local key, id = options.key or KEY, options.id or "43516709"
  local env = { XFIOT_KEY = key, XFIOT_MERCHANT_ID = id, XFIOT_COMPANY_CODE = "000000" }
  local process = helper.start({ helper.lua, helper.root .. "/spec/crash_platform.lua", options.meters,
    options.seed or 1, options.faults or options.pushes and "", options.pushes }, { env = env })
  local url = process:expect "^at (http://%S+)$"
  env.XFIOT_BASE_URL = url
  return setmetatable({ process = process, url = url, env = env }, Platform)
end

function Platform:stop()
  if self.stopped then return end
  self.stopped = true
  self.process:stop "KILL"
end

function Platform:get(what)
  local transport = assert(core.transport { base_url = self.url, timeout = 30 })
  local reply = loop.fetch(transport, { method = "GET", target = "/sandbox/" .. what })
  return assert(core.decode(reply.body))
end

-- The arrivals and clashes, once nothing is under way at the platform any more.
function Platform:arrivals()
  for _ = 1, 2000 do
    local told = self:get "arrivals"
    if told.open == 0 then return told end
    loop.sleep(0.01)
  end
  error "the platform does not come to rest"
end

-- The environment of a client on a journal; timeout in seconds, default 10.
function Platform:with(journal, timeout)
  local env = { XFIOT_JOURNAL = journal, XFIOT_TIMEOUT = timeout or 10 }
  for name, value in pairs(self.env) do env[name] = value end
  return env
end

-- ---- faults

-- What may become of a creatCmd. A code that says "not queued" never comes after it was queued.
local OF_CREATE <const> = {
  "lost", "lost", "reset", "cut", "garbled", "status=500", "status=302", "code=500038", "code=999999",
  "delay=0.02", "delay=0.05", "delay=6", "lost:before", "reset:before", "status=503:before",
  "code=500014:before", "code=500033:before",
}
local OF_QUESTION <const> = { "lost", "reset", "cut", "garbled", "status=500", "delay=0.05" }
local ON_AIR <const> = { "send:lost", "send:failed", "answer:lost", "answer:lost" }

-- A third of the first `count` orders and some of everything else go wrong,
-- always the same for one seed.
function M.faults(seed, count)
  math.randomseed(seed)
  local rules = {}
  local function spoil(target, kinds, chance)
    for i = 1, count do
      if math.random() < chance then
        local kind, before = kinds[math.random(#kinds)]:match "^([^:]+)(.*)$"
        rules[#rules + 1] = ("%s:%s:%d%s"):format(target, kind, i, before)
      end
    end
  end
  spoil("creatCmd", OF_CREATE, 0.33)
  for _, target in ipairs { "query", "queryReportData", "batchQueryCmd", "queryCmd" } do
    spoil(target, OF_QUESTION, 0.05)
  end
  for i = 1, count do
    local target, kind = ON_AIR[math.random(#ON_AIR)]:match "^(%a+):(%a+)$"
    if math.random() < 0.05 then rules[#rules + 1] = ("%s:%s:%d"):format(target, kind, i) end
  end
  return table.concat(rules, ",")
end

-- Every one of these in turn, for the first `count` orders. Returns the rules, and how
-- many of the orders the platform takes all the same.
function M.every_fault(count)
  local rules, taken = {}, 0
  for i = 1, count do
    local kind, before = OF_CREATE[(i - 1) % #OF_CREATE + 1]:match "^([^:]+)(.*)$"
    rules[i] = ("creatCmd:%s:%d%s"):format(kind, i, before)
    if before == "" then taken = taken + 1 end
  end
  return table.concat(rules, ","), taken
end

-- ---- clients

-- The shell's words for a client with these arguments.
function M.client(args)
  local words = { quote(helper.xfiot), "run", quote(CLIENT) }
  local names = {}
  for name in pairs(args) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do words[#words + 1] = quote(name .. "=" .. tostring(args[name])) end
  return table.concat(words, " ")
end

-- Runs lines of shell with a client's environment; returns what they printed. A
-- client that turns in circles, as a planted fault can make it, is ended.
local PROCESSOR_LIMIT <const>, LIMIT <const> = 4, 900 -- seconds
function M.shell(lines, env, processor_limit)
  local text = ("ulimit -t %d\n"):format(processor_limit or PROCESSOR_LIMIT) .. lines
  local result = helper.run({ "sh" }, { stdin = text, env = env, limit = LIMIT })
  return result.stdout .. result.stderr, result
end

-- Kills `kills` clients, `lanes` at a time on one journal, over the same orders; the
-- meters move on a little with each round. options: kills, seed, lanes, args (more of
-- the client's). Returns how many were killed, what they printed, the last meter.
local WINDOW <const>, STRIDE <const>, TURNS <const>, LANES <const> = 24, 5, 2, 2
local HASTE <const> = 0.3 -- seconds for one call

function M.spree(platform, journal, options)
  local lanes = options.lanes or LANES
  local chance = options.seed
  -- of its own, so that nothing else that draws numbers moves the kills
  local function draw()
    chance = (chance * 1103515245 + 12345) % 2147483648
    return chance / 2147483648
  end
  local lines, first = {}, 1
  local function args(more)
    for name, value in pairs(options.args or {}) do more[name] = value end
    return more
  end
  for _ = 1, options.kills // lanes do
    for _ = 1, lanes do
      lines[#lines + 1] = ("{ timeout --foreground -s KILL %.4f %s; [ $? -ne 137 ] || echo killed; } &"):format(
        0.012 + draw() * 0.09, M.client(args { first = first, last = first + WINDOW - 1, each = TURNS, wait = 0.05 }))
    end
    lines[#lines + 1] = "wait"
    first = first + STRIDE
  end
  local meters = first - STRIDE + WINDOW - 1
  local env = platform:with(journal, HASTE)
  local text = M.shell(table.concat(lines, "\n") .. "\n", env)
  -- and once more, without killing
  local rest = M.client(args { first = 1, last = meters, each = TURNS, wait = 8, again = 2, at_once = 64 })
  text = text .. M.shell(rest .. "\n", env, 240)
  return { kills = select(2, text:gsub("killed\n", "")), text = text, meters = meters }
end

-- How many meters a spree of so many kills needs.
function M.meters_for(kills, lanes) return kills // (lanes or LANES) * STRIDE + WINDOW end

-- ---- cases: one fault at one system call, each with a journal of its own

-- Why system calls cannot be tampered with here; nil if they can.
function M.untraceable()
  local result = helper.run({ "strace", "-f", "-o", "/dev/null", "-e", "trace=exit_group", "-e",
    "inject=exit_group:signal=KILL:when=1", helper.xfiot, "version" })
  if result.signal == 9 or result.status == 137 then return nil end
  return "strace cannot trace xfiot here: " .. result.stderr:gsub("\n.*", "")
end

-- Leak checks do not work under a tracer.
local function traced(env)
  local options = os.getenv "ASAN_OPTIONS"
  env.ASAN_OPTIONS = options and options .. ":detect_leaks=0"
  return env
end

-- The system calls of one recharge on a new journal, as a list { name =, nth =, text = },
-- from the first one that has to do with the journal.
function M.calls(platform, meter, args)
  local folder = helper.tmpdir()
  local log = folder .. "/log"
  args = args or {}
  args.first, args.last, args.wait = meter, args.last or meter, 5
  local printed = M.shell(("strace -f -y -s 40 -o %s %s\n"):format(quote(log), M.client(args)),
    traced(platform:with(folder .. "/journal.db")))
  assert(printed:find("^applied"), printed)
  local list, counts, begun = {}, {}, false
  for line in io.lines(log) do
    local name, rest = line:match "^%d+%s+([%w_]+)(%(.*)$"
    if name then
      counts[name] = (counts[name] or 0) + 1
      begun = begun or rest:find("journal.db", 1, true) ~= nil
      if begun and name ~= "exit_group" then list[#list + 1] = { name = name, nth = counts[name], text = rest } end
    end
  end
  return list
end

-- Each row { call, action, nth, env }: a client is run whose nth such call is tampered with,
-- then the same again untouched. Meters are given out from `first` on, `width` to each case.
-- Returns for every row what the first and second client printed, and the orders after
-- the second; `between` is what the journal held after the first, as text.
local CASE <const> = [[
mkdir "$1"
XFIOT_JOURNAL=$PWD/$1/journal.db; export XFIOT_JOURNAL
strace -f -o /dev/null -e "trace=$4" -e "inject=$4:$5:when=$6" %s first="$2" last="$3" wait=1 >"$1/first" 2>&1
echo $? >"$1/status"
%s orders list --json >"$1/between" 2>&1
%s first="$2" last="$3" wait=4 >"$1/second" 2>&1
%s orders list --json >"$1/list" 2>&1
]]

function M.cases(platform, rows, first, width)
  local folder = helper.tmpdir()
  local client = M.client { at_once = 1 }
  helper.write(folder .. "/case", CASE:format(client, quote(helper.xfiot), client, quote(helper.xfiot)))
  local lines = {}
  for i, row in ipairs(rows) do
    local meter = first + (i - 1) * width
    lines[i] = ("%d %d %d %s %s %s"):format(i, meter, meter + width - 1, row[1], row[2], row[3])
  end
  helper.write(folder .. "/rows", table.concat(lines, "\n") .. "\n")
  M.shell(("cd %s && xargs -P 2 -L 1 sh case <rows\n"):format(quote(folder)), traced(platform:with "none"))
  local results = { width = width }
  for i, row in ipairs(rows) do
    local at = ("%s/%d/"):format(folder, i)
    local orders = {}
    for line in io.lines(at .. "list") do
      local order = assert(core.decode(line), line)
      orders[order.order] = order
    end
    results[i] = {
      row = row, meter = first + (i - 1) * width, orders = orders, first = helper.read(at .. "first"),
      status = tonumber(helper.read(at .. "status")), second = helper.read(at .. "second"),
      between = helper.read(at .. "between"),
    }
  end
  return results
end

-- What all cases hold together, for the judge: states and what was printed.
function M.gather(results)
  local states, text = {}, {}
  for _, result in ipairs(results) do
    for order, row in pairs(result.orders) do states[order] = row end
    text[#text + 1] = result.first .. result.second
  end
  return states, table.concat(text)
end

-- An order that the first client of a case said was not sent, and had been; `came` has
-- those that came in.
function M.find_lie(result, came)
  for order in result.first:gmatch "%l+ (A%S+) false " do
    local state = result.between:match('"order":"' .. order:gsub("%-", "%%-") .. '".-"state":"(%l+)"')
    if came[order] and state and state ~= "intent" then return order end
  end
  return nil
end

-- The state of every order of a journal, as `xfiot orders list --json` has it.
function M.list(env, states)
  states = states or {}
  for line in M.shell(quote(helper.xfiot) .. " orders list --json\n", env):gmatch "[^\n]+" do
    local row = assert(core.decode(line), line)
    states[row.order] = row
  end
  return states
end

-- ---- the judge

-- An order is told by its meter and its amount in fen.
local function name_of(row)
  local amount = tonumber(row.amount)
  local whole = math.floor(math.abs(amount) * 100 + 0.5) // 100
  return ("A-%d-%d"):format(tonumber(row.device_no:sub(5)), amount < 0 and whole - M.REFUND or whole)
end

local function meter_of(order) return tonumber(order:match "^A%-(%d+)") end

local MAY_BE_EXECUTED <const> = { applied = true, accepted = true, unknown = true, suspect = true }
local UNFINISHED <const> = { intent = true, sent = true }

-- Holds the states of orders and what clients printed against the platform; of all
-- meters, or of those that mine(number) lets through. Returns figures, a list of
-- everything that is wrong, and the orders that came in.
function M.judge(platform, states, text, mine)
  local told, ledger = platform:arrivals(), platform:get("ledger").ledger
  local sum = { orders = 0, executed = 0, applied = 0, rejected = 0, suspect = 0, unknown = 0, accepted = 0,
                double = 0, lost = 0, wrong = 0, repeated = 0, clashes = 0, bills = 0 }
  local faults, came, executed, refused, bills = {}, {}, {}, {}, {}
  local function concerns(order) return not mine or mine(meter_of(order)) end
  local function fault(kind, format, ...)
    sum[kind] = sum[kind] + 1
    faults[#faults + 1] = kind .. ": " .. format:format(...)
  end
  for _, number in ipairs(told.clashes) do fault("clashes", "two orders at once for %s", number) end
  for _, row in ipairs(told.arrivals) do
    local order, bill = name_of(row), row.device_no .. " " .. tostring(row.bill_no)
    local other = bills[bill]
    if came[order] then fault("repeated", "%s was sent more than once", order) end
    if other and other ~= order then fault("bills", "%s and %s share bill number %s", order, other, bill) end
    bills[bill], came[order] = order, concerns(order) or nil
  end
  for _, row in ipairs(ledger) do
    local order = name_of(row)
    if row.result ~= "0" then
      refused[order] = true
    elseif executed[order] then
      fault("double", "%s was executed more than once", order)
    elseif concerns(order) then
      executed[order] = true
      sum.executed = sum.executed + 1
    end
  end
  for order in pairs(came) do
    local state = states[order] and states[order].state or "absent"
    if executed[order] and not MAY_BE_EXECUTED[state] then
      fault("lost", "%s was executed and is %s", order, state)
    elseif state == "absent" or UNFINISHED[state] then
      fault("lost", "%s came in and is %s", order, state)
    end
  end
  for order, row in pairs(states) do
    local concerned = concerns(order)
    sum.orders = sum.orders + (concerned and 1 or 0)
    sum[row.state] = (sum[row.state] or 0) + (concerned and 1 or 0)
    if concerned and row.state == "applied" and (not executed[order] or refused[order]) then
      fault("wrong", "%s is applied, and no meter did it", order)
    end
  end
  for order in (text or ""):gmatch "applied (%S+)\n" do
    local row = states[order]
    if concerns(order) and (not row or row.state ~= "applied") then
      fault("wrong", "%s was told to be applied and is %s", order, row and row.state or "absent")
    end
  end
  for line in (text or ""):gmatch "[^\n]+ A%-%d+%-%d+ %? [^\n]*" do -- no error object, see spec/crash_client.lua
    fault("wrong", "a mistake inside: %s", line)
  end
  table.sort(faults)
  return sum, faults, came
end

return M
