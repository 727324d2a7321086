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

-- ---- the platform

local Platform = {}
Platform.__index = Platform
Platform.__close = function(self) self:stop() end

-- options: meters (their number), seed, faults, key, id (merchantId).
function M.platform(options)
  local key, id = options.key or KEY, options.id or "43516709"
  local env = { XFIOT_KEY = key, XFIOT_MERCHANT_ID = id, XFIOT_COMPANY_CODE = "000000" }
  local process = helper.start({ helper.lua, helper.root .. "/spec/crash_platform.lua", options.meters,
    options.seed or 1, options.faults }, { env = env })
  local url = process:expect "^at (http://%S+)$"
  env.XFIOT_BASE_URL, env.XFIOT_TIMEOUT = url, "0.3"
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

-- The environment of a client on a journal.
function Platform:with(journal)
  local env = { XFIOT_JOURNAL = journal }
  for name, value in pairs(self.env) do env[name] = value end
  return env
end

-- ---- faults

-- What may become of a creatCmd. A code that says "not queued" never comes after it was queued.
local OF_CREATE <const> = {
  "lost", "lost", "reset", "cut", "garbled", "status=500", "status=302", "code=500038", "code=999999",
  "delay=0.02", "delay=0.05", "delay=0.5", "lost:before", "reset:before", "status=503:before",
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

-- Runs lines of shell with a client's environment; returns what they printed.
function M.shell(lines, env, limit)
  local result = helper.run({ "sh" }, { stdin = lines, env = env, limit = limit or 600 })
  return result.stdout .. result.stderr, result
end

-- Kills `kills` clients, `lanes` at a time on one journal, over the same orders;
-- the meters move on a little with each. Returns how many were killed, what
-- they printed and the number of the last meter.
function M.spree(platform, journal, options)
  local window, stride, each, lanes = 24, 4, 2, options.lanes or 2
  math.randomseed(options.seed)
  local lines, first = {}, 1
  for _ = 1, options.kills // lanes do
    for _ = 1, lanes do
      lines[#lines + 1] = ("{ timeout --foreground -s KILL %.4f %s; [ $? -ne 137 ] || echo killed; } &"):format(
        0.012 + math.random() * 0.15,
        M.client { first = first, last = first + window - 1, each = each, wait = 0.05 })
    end
    lines[#lines + 1] = "wait"
    first = first + stride
  end
  local text = M.shell(table.concat(lines, "\n") .. "\n", platform:with(journal))
  return { kills = select(2, text:gsub("killed\n", "")), text = text, meters = first - stride + window - 1, each = each }
end

-- How many meters a spree of so many kills needs.
function M.meters_for(kills, lanes) return (kills // (lanes or 2)) * 4 + 24 end

-- Gives all orders once more, without killing, as often as it is asked for.
function M.finish(platform, journal, spree, again)
  spree.text = spree.text .. M.shell(M.client { first = 1, last = spree.meters, each = spree.each, wait = 8,
    again = again or 2, at_once = 64 } .. "\n", platform:with(journal))
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
local function name_of(row, lot)
  local fen = math.floor(math.abs(tonumber(row.amount)) * 100 + 0.5)
  local turn = tonumber(row.amount) < 0 and 2 or fen // 100
  return ("%s-%d-%d"):format(lot or "A", tonumber(row.device_no:sub(5)), turn)
end

local MAY_BE_EXECUTED <const> = { applied = true, accepted = true, unknown = true, suspect = true }
local UNFINISHED <const> = { intent = true, sent = true }

-- Holds the states of orders and what clients printed against the platform.
-- Returns figures, and a list of everything that is wrong.
function M.judge(platform, states, text, lot)
  local told, ledger = platform:arrivals(), platform:get("ledger").ledger
  local sum = { orders = 0, executed = 0, applied = 0, rejected = 0, suspect = 0, unknown = 0,
                double = 0, lost = 0, wrong = 0, repeated = 0, clashes = #told.clashes, bills = 0 }
  local faults, came, executed, refused, bills = {}, {}, {}, {}, {}
  local function fault(kind, format, ...)
    sum[kind] = sum[kind] + 1
    faults[#faults + 1] = kind .. ": " .. format:format(...)
  end
  for _, number in ipairs(told.clashes) do faults[#faults + 1] = "clashes: two orders at once for " .. number end
  for _, row in ipairs(told.arrivals) do
    local order, bill = name_of(row, lot), row.device_no .. " " .. tostring(row.bill_no)
    if came[order] then fault("repeated", "%s was sent more than once", order) end
    if bills[bill] and bills[bill] ~= order then fault("bills", "%s and %s share bill %s", order, bills[bill], bill) end
    came[order], bills[bill] = true, order
  end
  for _, row in ipairs(ledger) do
    local order = name_of(row, lot)
    if row.result ~= "0" then
      refused[order] = true
    elseif executed[order] then
      fault("double", "%s was executed more than once", order)
    else
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
    sum.orders = sum.orders + 1
    sum[row.state] = (sum[row.state] or 0) + 1
    if row.state == "applied" and (not executed[order] or refused[order]) then
      fault("wrong", "%s is applied, and no meter did it", order)
    end
  end
  for order in (text or ""):gmatch "applied (%S+)\n" do
    local row = states[order]
    if not row or row.state ~= "applied" then
      fault("wrong", "%s was told to be applied and is %s", order, row and row.state or "absent")
    end
  end
  table.sort(faults)
  return sum, faults
end

return M
