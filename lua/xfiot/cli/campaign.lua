--- xfiot run SCRIPT --from FILE: checks every row, runs the workflow for each, tells
-- how far it is, and writes the results.
local campaign = require "xfiot.campaign"
local campaign_rows = require "xfiot.campaign_rows"
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local price_check = require "xfiot.price_check"
local progress = require "xfiot.cli.progress"
local results = require "xfiot.results"

local CONCURRENCY, CONCURRENCY_MOST = 256, 2048
local LEFT_MOST = 5000 -- orders that earlier processes left and that are picked up at the start
local PER = { s = 1, sec = 1, min = 60, m = 60, h = 3600 }

-- ---- options

local function positive(text, flag, most)
  if not text then return nil end
  local number = math.tointeger(tonumber(text))
  if not number or number < 1 or number > (most or math.maxinteger) then
    cli.usage(("%s must be a number from 1%s"):format(flag, most and " to " .. most or ""))
  end
  return number
end

-- Rows a second from "50", "50/s", "3000/min".
local function read_rate(text)
  if text == nil then return nil end
  local number, per = text:match "^(%d+%.?%d*)/?(%a*)$"
  local seconds = per == "" and 1 or PER[per]
  if not number or not seconds or tonumber(number) <= 0 then cli.usage "--rate must be like 50/s or 3000/min" end
  return tonumber(number) / seconds
end

local function host()
  local ok, found = pcall(require, "xfiot.host")
  return ok and found or nil
end

-- ---- the check

local function say_fault(line, err)
  local said = {}
  for i, fault in ipairs(err.fields) do said[i] = ("%s %s (%s)"):format(fault.path, fault.rule, fault.rule_zh) end
  cli.say(("line %d: %s"):format(line, table.concat(said, "; ")))
end

-- Every row once, before anything is sent. Returns how many, how many are bad, and the faults by line.
local function check(rows, keep)
  local faults = {}
  local count, bad, is_whole = rows:check(function(line, _, err)
    say_fault(line, err)
    if keep then faults[line] = err end
  end)
  if not is_whole then cli.say "the rows after it were not looked at" end
  return count, bad, faults
end

local function real_path(options)
  return core.real_path(options.from) or cli.usage(options.from .. " cannot be found")
end

-- Whatever has come of the rows: results that cannot be written do not hide it.
local function write_results(path, rows, given)
  local ok, fault = pcall(results.write, path, rows, given)
  if not ok then
    cli.say(("the results cannot be written to %s: %s"):format(path, tostring(fault)))
  elseif fault then
    cli.say(("the results end where the file can no longer be read: %s"):format(tostring(fault)))
  end
  return ok
end

-- The results of a file that is refused tell what earlier times came to, besides what is bad.
local function refuse(read, rows, options, count, bad, faults)
  if options.results then
    local shared = require "xfiot.cli.journal"
    local book = shared.open(false, true)
    local id = book and campaign.find(book, { script = read, file = real_path(options), constants = rows.constants })
    write_results(options.results, rows, { book = book, id = id, faults = faults })
  end
  cli.usage(("%d of %d rows of %s are bad: nothing was sent. Mend them and give the command again")
    :format(bad, count, rows.path))
end

-- Where the results go is looked at before anything is sent.
local function check_results(read, options)
  if not options.results then return end
  local journal = require("xfiot.settings").resolve().journal or core.journal_path()
  local others = { [options.from] = "the file of the rows", [read.path] = "the script" }
  if journal then others[journal] = "the journal" end
  results.check(options.results, others)
end

-- ---- one campaign

-- Ctrl-C stops the sending, and what is in flight comes to its end.
local function watch(made)
  local program = host()
  if not program then return nil end
  program.stop_politely()
  loop.set_interrupt(function() return false end)
  return loop.on_turn(function()
    if program.was_interrupted() then made:stop "interrupted" end
  end)
end

-- A row leaves hundreds of small objects behind and keeps none: fewer, longer rounds of
-- the collector cost a tenth of the time less.
local GC_PAUSE, GC_STEP = 300, 400

local function in_task(fn, ...)
  local ok, err
  local args = table.pack(...)
  collectgarbage("incremental", GC_PAUSE, GC_STEP)
  loop.join { loop.spawn(function() ok, err = pcall(fn, table.unpack(args, 1, args.n)) end) }
  if not ok then error(err, 0) end
end

local function run_one(made, rows, total)
  local hook = watch(made)
  local shown <close> = progress.show(made, total) -- luacheck: ignore 211
  local ok, err = pcall(in_task, made.run, made, rows)
  if hook then loop.off_turn(hook) end
  return ok, err
end

-- What earlier processes left is picked up first, unless it is more than fits into
-- memory: most of it is then this campaign's own, which asks for it page by page.
local function pick_up(client, recover)
  local path = client.settings.journal or core.journal_path()
  if not (path and core.journal_probe(path)) then return end
  local count, after = 0, 0
  repeat
    local page = client.orders:journal():read("list", { states = { "intent", "accepted", "suspect" }, after = after })
    count = count + #page
    if #page > 0 then after = page[#page].row end
  until #page == 0 or count > LEFT_MOST
  if count <= LEFT_MOST then return recover(client) end
  client.orders.recovered = true
  cli.say(("more than %d orders are open: those that are not of this file are left to xfiot serve"):format(LEFT_MOST))
end

-- What the flags say of the campaign.
local function read_flags(options)
  local limit = campaign.limit(options.max_failures)
  if not limit then cli.usage "--max-failures must be a number, or a share like 5% of at most 100%" end
  return {
    limit = limit, concurrency = positive(options.concurrency, "--concurrency", CONCURRENCY_MOST) or CONCURRENCY,
    rate = read_rate(options.rate), canary = positive(options.canary, "--canary"),
  }
end

local function make(client, read, rows, options, flags)
  local failures = {}
  return campaign.new {
    client = client, script = read, file = real_path(options), constants = rows.constants, limit = flags.limit,
    concurrency = flags.concurrency, rate = flags.rate, canary = flags.canary, wait = client.settings.wait,
    line_failures = failures,
    on_fault = function(line, key, err)
      cli.say(("%s: %s"):format(line and "line " .. line or "row " .. key, tostring(err)))
      if line and options.results then failures[line] = err end
    end,
  }
end

-- ---- the end

local function sum_of(counts)
  local failed = counts.failed + counts.diverged
  return ("succeeded %d, failed %d, in doubt %d, waiting %d, cancelled %d"):format(counts.succeeded, failed,
    counts.needs_decision, counts.waiting + counts.running, counts.cancelled), failed
end

-- What the journal says at the end: this time's rows, and those of the times before.
local function conclude(made, total)
  local book = made.book
  local counts = book:read("run_counts", made.id)
  local text, failed = sum_of(counts)
  local begun = 0
  for _, count in pairs(counts) do begun = begun + count end
  cli.say(("%d rows: %s%s"):format(total, text, begun < total and (", not begun %d"):format(total - begun) or ""))
  if made.stopping and made.stopping ~= "interrupted" then
    cli.say(("stopped: %s. The same command goes on with what is missing"):format(made.stopping))
  end
  if made.fresh == false and made.begun == (made.counts.done_before or 0) and made.begun > 0 then
    cli.say "every row was done before; to do them once more, give the file another name"
  end
  if counts.needs_decision > 0 then return cli.DECISION end
  if failed + counts.waiting + counts.running > 0 or made.begun < total or made.failures > 0 then
    return cli.SOME_FAILED
  end
  return cli.DONE
end

local function verify(client, read, rows, options, flags, total)
  local checked = price_check.of(read.workflow)
  local script = setmetatable({ workflow = checked }, { __index = read })
  flags = setmetatable({ canary = false, limit = campaign.limit "100%" }, { __index = flags })
  local made = make(client, script, rows, options, flags)
  cli.say "reading the prices back"
  local ok, err = run_one(made, rows, total)
  if not ok then error(err, 0) end
  return made, conclude(made, total)
end

local function warn_of(rows)
  if #rows.ignored > 0 then cli.say("columns that are not used: " .. table.concat(rows.ignored, ", ")) end
end

return function(read, args, options, recover)
  if options.verify and not price_check.of(read.workflow) then
    cli.usage "--verify goes with a workflow that takes deviceNo and tariff"
  end
  local flags = read_flags(options)
  local program = host()
  if program then program.heed_termination() end
  local rows = campaign_rows.new(options.from, read.workflow,
    { constants = args, key = options.key, encoding = options.encoding })
  check_results(read, options)
  warn_of(rows)
  local total, bad, faults = check(rows, options.results ~= nil)
  if bad > 0 then refuse(read, rows, options, total, bad, faults) end
  local client = require("xfiot").client()
  pick_up(client, recover)
  local made = make(client, read, rows, options, flags)
  cli.say(("%d rows of %s, key %s"):format(total, options.from, rows.key_column))
  local ok, err = run_one(made, rows, total)
  local status, check_made = ok and conclude(made, total) or cli.FAILED, nil
  if ok and options.verify and not made.stopping then
    local verified
    check_made, verified = verify(client, read, rows, options, flags, total)
    status = math.max(status, verified)
  end
  if options.results and not write_results(options.results, rows, { book = made.book, id = made.id,
      check_id = check_made and check_made.id, failures = made.line_failures }) then
    status = math.max(status, cli.FAILED)
  end
  if not ok then error(err, 0) end
  return status
end
