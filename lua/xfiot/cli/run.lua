--- xfiot run: one workflow script, a plain script, or a workflow for each row of a file.
local cli = require "xfiot.cli"
local arguments = require "xfiot.cli.arguments"
local core = require "xfiot.core"
local limits = require "xfiot.cli.limits"
local loop = require "xfiot.loop"
local platform = require "xfiot.cli.platform"
local runs = require "xfiot.runs"
local script = require "xfiot.script"
local shared = require "xfiot.cli.journal"
local workflow = require "xfiot.workflow"

local LOOK_EVERY = 0.5 -- seconds between looks at a run that was put away

-- What earlier runs left in the journal is picked up before anything new is sent.
local function recover(client)
  local path = client.settings.journal or core.journal_path()
  if not (path and core.journal_probe(path)) then return end -- there has been no order yet
  require("xfiot.recovery").start(client, cli.say)
end

local function show_help(path, made)
  if not workflow.is(made) then
    cli.out(path .. " is a plain script: its name=value arguments reach it as a table in `...`.")
    return cli.DONE
  end
  cli.out(("Usage: xfiot run %s name=value ...\n"):format(path))
  if made.doc ~= "" then cli.out(made.doc .. "\n") end
  cli.out "Arguments:"
  for _, arg in ipairs(made:describe()) do
    cli.out(("  %-14s %s%s (%s)"):format(arg.name, arg.optional and "optional: " or "", arg.en, arg.zh))
  end
  return cli.DONE
end

-- A run that was put away is waited for: it goes on here when its time has come,
-- unless another process is faster.
local function wait_for(client, read, id, limit)
  local book = client.orders:journal()
  while true do
    local row = book:read("run_find", id)
    if row.state ~= "waiting" and row.state ~= "running" then return runs.outcome(row) end
    if row.state == "running" or row.wake_at and row.wake_at <= core.now() then
      local taken = runs.try(client, row, read)
      if taken then return nil, taken end
    end
    if limit and core.clock() > limit then return runs.outcome(row) end
    loop.sleep(LOOK_EVERY)
  end
end

local function same(id) return ("run %d is the same, and another process works on it"):format(id) end

-- Whether a run that was driven is to be waited for, and what a person is told of it.
local function rests(run, outcome)
  if outcome.state == "lost" and run.faster then
    return run.faster, same(run.faster)
  elseif outcome.state == "waiting" and not outcome.error then -- a verb's own time has run out otherwise
    return run.id, ("run %d waits for %s"):format(run.id, outcome.waiting_for)
  end
end

--- Drives a run to its end, in this process or another.
---@param client xfiot.Client
---@param read xfiot.Script
---@param run xfiot.Run|nil nil: another process works on it
---@param id integer|nil its number then
local function see_through(client, read, run, id)
  local limit = client.settings.wait and core.clock() + client.settings.wait
  local why = id and same(id)
  while true do
    local outcome
    if run then
      outcome = run:drive()
      id, why = rests(run, outcome)
      if not id then return outcome, run.id end
    end
    cli.say(("%s; Ctrl-C leaves it to xfiot serve, or to the same command again"):format(why))
    outcome, run = wait_for(client, read, id, limit)
    if outcome then return outcome, id end
  end
end

-- A run that has not come to an end.
local function tell_rest(outcome, id)
  if outcome.state == "waiting" then
    cli.say(("run %d waits for %s; xfiot serve or the same command again goes on with it")
      :format(id, tostring(outcome.waiting_for)))
  elseif outcome.state == "running" then
    cli.say(("run %d is not at its end yet: another process works on it"):format(id))
  elseif outcome.state ~= "interrupted" then
    cli.say(("run %d is %s"):format(id, outcome.state))
  end
end

--- Prints a run's result; raises what it came to otherwise.
---@param outcome table
---@param id? integer
---@return integer status
local function tell(outcome, id)
  if outcome.state == "succeeded" then
    local result = outcome.result
    if result ~= nil then
      local ok, text = pcall(core.encode, result)
      cli.out(ok and text or core.encode(tostring(result)))
    end
    return cli.DONE
  end
  local err = outcome.error
  local text = outcome.text or tostring(err)
  if err == nil then
    tell_rest(outcome, id)
    return cli.FAILED
  elseif outcome.state == "failed" and cli.status_of(err) == cli.DECISION then
    cli.say(text) -- about an order that nobody need decide about any more
    return cli.FAILED
  end
  error(setmetatable({ cause = err, text = text }, require("xfiot.cli.trace").Shown), 0)
end

local function run_once(client, read, args)
  local checked = read.workflow:read_args(args)
  recover(client)
  return tell(see_through(client, read, runs.begin(client, read, checked)))
end

local command = {}

--- Takes up a run of the journal and sees it through, or until it is put away again:
--- that is what was asked for as well.
---@param client xfiot.Client
---@param row table
---@param read xfiot.Script
---@param options { force?: boolean }
---@return integer status
function command.resume(client, row, read, options)
  recover(client)
  local run = runs.take(client, row, read, { force = options.force, short = 1 })
  local outcome = run:drive()
  if outcome.state == "waiting" then
    tell_rest(outcome, run.id)
    return cli.DONE
  end
  return tell(outcome, run.id)
end

-- A script that has restricted runs under way is run restricted, whatever is said now.
local function restrict(read, options)
  if not options.restricted and shared.is_restricted(read.path) then
    cli.say "a run of this script was begun with --restricted and has not ended: it is restricted still"
    options.restricted = true
  end
end

function command.main(options)
  local args = arguments.read(options.args)
  local read, why = script.read(options.script)
  if not read then cli.usage(why) end
  limits.apply(options)
  -- a workflow's file is read to know its arguments; a plain script would start to work
  if options.help then
    restrict(read, options)
    return show_help(options.script, script.run(read, {}, options))
  end
  local sandbox <close> = platform.start(options) -- luacheck: ignore 211 (closed at the end)
  restrict(read, options)
  local made = script.run(read, args, options)
  if options.from then
    if not workflow.is(made) then cli.usage("--from needs a workflow; " .. options.script .. " returns none") end
    return require("xfiot.cli.campaign")(read, args, options, recover)
  end
  if not workflow.is(made) then return cli.DONE end
  made:read_args(args) -- before there is a client: what is wrong with them is told first
  return run_once(require("xfiot").client(), read, args)
end

return setmetatable(command, { __call = function(_, options) return command.main(options) end })
