--- xfiot runs: what the journal holds of runs; going on with them, ending them, and
-- whether a changed script still fits them.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local remember = require "xfiot.remember"
local runs = require "xfiot.runs"
local script = require "xfiot.script"
local shared = require "xfiot.cli.journal"

local STATES = { "running", "waiting", "succeeded", "failed", "diverged", "needs_decision", "cancelled" }
local UNFINISHED = { "running", "waiting", "failed", "diverged", "needs_decision" }
-- Fields of --json; absent ones are null.
local FIELDS = { "id", "workflow", "key", "state", "step", "waiting_for", "result", "error",
                 "created_at", "updated_at" }
local LINE = "%8s %-16s %-24s %-14s %-30s %s"

local function error_text(row)
  if not row.error then return nil end
  return tostring(remember.decode_error(row.error))
end

-- A run whose process is gone waits: for anybody who goes on with it.
local function present(row)
  if row.state == "running" and row.owner == "gone" then
    row.state, row.waiting_for = "waiting", "a process: the one that worked on it is gone"
  end
  return row
end

local function as_json(row)
  local line = {}
  for _, name in ipairs(FIELDS) do line[name] = row[name] == nil and core.null or row[name] end
  line.created_at, line.updated_at = core.timestamp(row.created_at), core.timestamp(row.updated_at)
  if row.result then line.result = core.decode(row.result) end
  if row.error then line.error = error_text(row) end
  return core.encode(line)
end

local function as_text(row)
  local what = row.waiting_for or error_text(row) or row.step or "-"
  return LINE:format(row.id, row.workflow, row.key or "-", row.state, what, core.timestamp(row.updated_at))
end

-- Whether a run has to do with a meter: its arguments name it.
local function concerns(row, device)
  if not device then return true end
  for _, value in pairs(core.decode(row.args) or {}) do
    if value == device then return true end
  end
  return false
end

-- All runs that a filter lets through, page by page.
local function each(book, filter)
  filter.after = 0
  local page, at = nil, 0
  return function()
    at = at + 1
    if not page or at > #page then
      page, at = book:read("run_list", filter), 1
      if #page == 0 then return nil end
    end
    filter.after = page[at].id
    return page[at]
  end
end

local actions = {}

function actions.list(options)
  local book, values = shared.open(false)
  local filter = shared.filter(options, STATES)
  local left, wanted = filter.limit, nil
  if filter.states then
    wanted = {}
    for _, state in ipairs(filter.states) do wanted[state] = true end
  end
  filter.limit, filter.states = nil, nil -- of what is shown, which is not always what is written
  if not book then return cli.DONE end
  if not options.json then cli.out(LINE:format("id", "workflow", "key", "state", "what", "updated_at")) end
  for row in each(book, filter) do
    present(row)
    if (not values.company_code or row.company_code == values.company_code) and (not wanted or wanted[row.state])
      and concerns(row, options.device) then
      if left == 0 then break end
      cli.out(options.json and as_json(row) or as_text(row))
      left = left and left - 1
    end
  end
  return cli.DONE
end

local function find(book, id)
  local number = math.tointeger(tonumber(id))
  local row = book and number and book:read("run_find", number)
  if not row then cli.usage(("there is no run %q"):format(tostring(id))) end
  return row
end

local function steps_of(book, row)
  local list = {}
  repeat
    local page = book:read("run_steps", row.id, #list)
    for _, step in ipairs(page) do list[#list + 1] = step end
  until #page == 0
  return list
end

local MARKS = { done = "+", failed = "!", begun = ">" }

local function span(step)
  if not step.ended_at then return "" end
  local seconds = step.ended_at - step.began_at
  if seconds < 120 then return seconds .. " s" end
  if seconds < 7200 then return ("%d min"):format(seconds // 60) end
  return ("%.1f h"):format(seconds / 3600)
end

-- The run step by step: when each began, how long it took, what it came to.
local function draw(row, steps)
  cli.out(("%s  begun: %s %s"):format(core.timestamp(row.created_at), row.workflow, row.args))
  for i, step in ipairs(steps) do
    cli.out(("%s  %s %d %s%s%s"):format(core.timestamp(step.began_at), MARKS[step.state], i, step.name,
      step.line and "  at " .. step.line or "", step.ended_at and "  " .. span(step) or ""))
    if step.state == "failed" then
      cli.out("                    " .. tostring(remember.decode_error(step.value)))
    elseif step.value then
      cli.out("                    = " .. step.value)
    end
  end
  cli.out(("%s  %s%s"):format(core.timestamp(row.updated_at), row.state,
    row.waiting_for and ": " .. row.waiting_for or ""))
  if row.wake_at then cli.out(("                    looked at again %s"):format(core.timestamp(row.wake_at))) end
  if row.error then cli.out("                    " .. error_text(row)) end
  if row.result then cli.out("                    = " .. row.result) end
end

function actions.show(options)
  if not options.id then cli.usage "runs show needs the number of a run" end
  local book = shared.open(false)
  local row = present(find(book, options.id))
  local steps = steps_of(book, row)
  if options.json then
    local line = core.decode(as_json(row))
    line.args, line.script, line.hash, line.id = core.decode(row.args), row.script, row.hash, row.id
    line.steps = core.array(steps)
    cli.out(core.encode(line))
    return cli.DONE
  end
  cli.out(("run %d of %s, script %s (%s)"):format(row.id, row.workflow, row.script, row.hash:sub(1, 12)))
  draw(row, steps)
  return cli.DONE
end

function actions.resume(options)
  if not options.id then cli.usage "runs resume needs the number of a run" end
  local row = find(shared.open(false), options.id)
  local text, why = runs.script_of(row, options)
  if not text then
    cli.say(("run %d cannot go on: %s"):format(row.id, why))
    return cli.FAILED
  end
  return require("xfiot.cli.run").resume(require("xfiot").client(), row, text, options)
end

function actions.cancel(options)
  if not options.id then cli.usage "runs cancel needs the number of a run" end
  local book = shared.open(true)
  local row = find(book, options.id)
  local by = core.encode { raised = ("cancelled by %s%s"):format(shared.person(),
    options.note and ": " .. options.note or "") }
  local done = book:write(function(file) return file:run_cancel(row.id, by, core.now()) end)
  row = present(find(book, row.id))
  if not done then
    cli.say(("run %d is %s%s; it stays so"):format(row.id, row.state,
      row.state == "running" and ", a process works on it" or ""))
    return cli.FAILED
  end
  cli.out(as_json(row))
  return cli.DONE
end

-- Replays every unfinished run against a script: no step is done, what lies between them is.
function actions.check(options)
  if not options.id then cli.usage "runs check needs a script: xfiot runs check SCRIPT.lua" end
  local text, why = script.read(options.id)
  if not text then cli.usage(why) end
  script.run(text, {}, { restricted = options.restricted or shared.is_restricted(text.path) })
  if not text.workflow then cli.usage(options.id .. " returns no workflow") end
  if not shared.open(false) then
    cli.out "no runs"
    return cli.DONE
  end
  local client = require("xfiot").client()
  local book = client.orders:journal()
  local matching, diverging = 0, 0
  for row in each(book, { states = UNFINISHED, workflow = text.workflow.name }) do
    if row.company_code == client.company_code then
      local outcome = runs.load(client, row, text, { dry = true }):drive()
      if outcome.state == "diverged" then
        diverging = diverging + 1
        cli.out(("run %d%s would diverge: %s"):format(row.id, row.key and " (" .. row.key .. ")" or "",
          outcome.error.message_en))
      else
        matching = matching + 1
      end
    end
  end
  cli.out(("%d unfinished runs of %s: %d go on, %d would diverge"):format(matching + diverging, text.workflow.name,
    matching, diverging))
  return diverging > 0 and cli.FAILED or cli.DONE
end

return function(options)
  local action = actions[options.action or "list"]
  if not action then cli.usage "runs takes list, show ID, resume ID, cancel ID or check SCRIPT" end
  return shared.guard(action, options)
end
