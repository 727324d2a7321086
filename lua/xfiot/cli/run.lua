--- xfiot run: one workflow script, a plain script, or a workflow for each row of a file.
local cli = require "xfiot.cli"
local arguments = require "xfiot.cli.arguments"
local core = require "xfiot.core"
local limits = require "xfiot.cli.limits"
local loop = require "xfiot.loop"
local platform = require "xfiot.cli.platform"
local runs = require "xfiot.runs"
local script = require "xfiot.script"
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
local function wait_for(client, run)
  local book, id = client.orders:journal(), run.id
  local limit = client.settings.wait and core.clock() + client.settings.wait
  cli.say(("run %d waits for %s; Ctrl-C leaves it to xfiot serve, or to the same command again")
    :format(id, run.outcome.waiting_for))
  while true do
    local row = book:read("run_find", id)
    if row.state ~= "waiting" and (row.state ~= "running" or row.owner == "gone") then return runs.outcome(row) end
    if row.owner == "gone" and (row.state == "running" or row.wake_at and row.wake_at <= core.now()) then
      return nil, runs.take(client, row, run.script)
    end
    if limit and core.clock() > limit then return runs.outcome(row) end
    loop.sleep(LOOK_EVERY)
  end
end

--- Drives a run to its end, in this process or another.
local function see_through(client, run)
  local outcome = run:drive()
  while outcome.state == "waiting" and not outcome.error do -- a verb's own time has run out otherwise
    local next_run
    outcome, next_run = wait_for(client, run)
    if next_run then
      run = next_run
      outcome = run:drive()
    end
  end
  return outcome, run
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
  if outcome.state == "waiting" and not outcome.error then
    cli.say(("run %d waits for %s; xfiot serve or the same command again goes on with it")
      :format(id, tostring(outcome.waiting_for)))
  end
  local err = outcome.error
  if err == nil then return cli.FAILED end
  error(setmetatable({ cause = err, text = outcome.text or tostring(err) }, require("xfiot.cli.trace").Shown), 0)
end

local function run_once(client, read, args)
  local checked = read.workflow:read_args(args)
  recover(client)
  local run = runs.begin(client, read, checked)
  local outcome
  outcome, run = see_through(client, run)
  return tell(outcome, run.id)
end

local command = {}

--- Takes up a run of the journal and sees it through, or until it is put away again.
---@param client xfiot.Client
---@param row table
---@param read xfiot.Script
---@param options { force?: boolean }
---@return integer status
function command.resume(client, row, read, options)
  recover(client)
  local run = runs.take(client, row, read, { force = options.force, short = 1 })
  local outcome = run:drive()
  return tell(outcome, run.id)
end

function command.main(options)
  local args = arguments.read(options.args)
  local read, why = script.read(options.script)
  if not read then cli.usage(why) end
  limits.apply(options)
  -- a workflow's file is read to know its arguments; a plain script would start to work
  if options.help then return show_help(options.script, script.run(read, {}, options)) end
  local sandbox <close> = platform.start(options) -- luacheck: ignore 211 (closed at the end)
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
