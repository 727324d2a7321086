--- Runs of workflows: beginning them, taking them up where another process left
-- them, and what becomes of them.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local journal = require "xfiot.journal"
local parallel = require "xfiot.parallel"
local price_check = require "xfiot.price_check"
local remember = require "xfiot.remember"
local run = require "xfiot.run"
local script = require "xfiot.script"

local runs = {}

local AT_ONCE = 16 -- runs that the worker brings back together
local AGAIN = 300 -- seconds until a run whose script cannot be used is looked at again

-- ---- failures

local function fail(id, kind, message_en, message, remedy)
  return errors.new { kind = kind, operation = "run " .. id, run = id, sent = false, message_en = message_en,
                      message = message, remedy = remedy }
end

--- Another process works on a run.
---@param id integer
---@param owner string
---@return xfiot.Error
function runs.held(id, owner)
  local err = fail(id, "cancelled", "A process that " .. (owner == "unseen" and "cannot be seen from here" or "lives")
    .. " works on it", "另一进程正在处理该运行",
    owner == "unseen" and "If you know that it is gone: xfiot runs resume " .. id .. " --force."
    or "Wait for it, or stop it first.")
  err.held = true
  return err
end

-- ---- beginning

--- A script's hash, under which a run remembers it.
---@param book xfiot.Book
---@param text xfiot.Script
---@return string
function runs.hash(book, text)
  text.hash = text.hash or book:journal():read("fingerprint", text.text)
  return text.hash
end

--- A new run; it is written together with its first step.
---@param client xfiot.Client
---@param text xfiot.Script
---@param args string JSON of the checked arguments
---@param more? table campaign, key, newest (see run_start), patience, short
---@return xfiot.Run
function runs.new(client, text, args, more)
  local book = client.orders
  more = more or {}
  return run.new {
    client = client, journal = book:journal(), script = text, args = remember.decode(args),
    patience = more.patience, short = more.short, key = more.key,
    start = { workflow = text.workflow.name, company_code = client.company_code, campaign = more.campaign,
              key = more.key, newest = more.newest, script = text.path, hash = runs.hash(book, text), args = args,
              restricted = text.restricted, at = core.now() },
  }
end

-- ---- taking up

-- The script as a run may go on with it: what was begun restricted stays so.
local function fit(text, row)
  if not row.restricted or text.restricted then return text end
  text.twins = text.twins or {}
  local twin = text.twins[row.workflow]
  if not twin then
    twin = script.restrict(text)
    if not twin.workflow then error(text.path .. " returns no workflow when it is restricted", 0) end
    twin.workflow = price_check.variant(twin.workflow, row.workflow)
    text.twins[row.workflow] = twin
  end
  return twin
end

local function load_memory(book, row)
  local memory = {}
  repeat
    local page = book:journal():read("run_steps", row.id, #memory)
    for _, step in ipairs(page) do memory[#memory + 1] = step end
  until #page == 0
  local last = memory[#memory]
  -- what it came to an end by is tried once more
  if last and last.state == "failed" and row.state ~= "waiting" and row.state ~= "running" then last.again = true end
  return memory
end

--- A run of the journal with what it remembers; nothing is written.
---@param client xfiot.Client
---@param row table of the journal
---@param text xfiot.Script
---@param more? { patience?: number, short?: number, dry?: boolean, token?: integer }
---@return xfiot.Run
function runs.load(client, row, text, more)
  more = more or {}
  text = fit(text, row)
  return run.new {
    client = client, journal = client.orders:journal(), script = text, args = remember.decode(row.args), id = row.id,
    token = more.token, memory = load_memory(client.orders, row), patience = more.patience, short = more.short,
    dry = more.dry, key = row.key,
  }
end

--- Takes up a run; raises when it is another's, or has ended.
---@param client xfiot.Client
---@param row table of the journal
---@param text xfiot.Script the script it goes on with
---@param more? { patience?: number, short?: number, force?: boolean }
---@return xfiot.Run
function runs.take(client, row, text, more)
  local book = client.orders:journal()
  more = more or {}
  if row.company_code ~= client.company_code then
    error(fail(row.id, "cancelled", "It is of company " .. row.company_code .. ", not " .. client.company_code,
      "该运行属于其他公司", "Give it the settings of its company."), 0)
  end
  text = fit(text, row)
  local claim = { run = row.id, script = text.path, hash = runs.hash(client.orders, text), at = core.now(),
                  restricted = text.restricted, by_force = more.force }
  local claimed, token = book:write(book.file.run_claim, claim)
  if not claimed then error(journal.failure(token), 0) end
  if claimed == "held" then error(runs.held(row.id, row.owner), 0) end
  if claimed ~= "claimed" then
    error(fail(row.id, "cancelled", "It has ended", "该运行已结束", "See xfiot runs show " .. row.id .. "."), 0)
  end
  return runs.load(client, row, text, { token = token, patience = more.patience, short = more.short })
end

--- The script of a run as it is now, run as far as it goes by itself; restricted if the
--- run is.
---@param row table of the journal
---@param options? { restricted?: boolean }
---@return xfiot.Script|nil
---@return string? why
function runs.script_of(row, options)
  local text, why = script.read(row.script)
  if not text then return nil, why end
  local restricted = row.restricted or options and options.restricted
  local ok, shown = pcall(script.run, text, {}, { restricted = restricted })
  if not ok then return nil, type(shown) == "table" and shown.text or tostring(shown) end
  if not text.workflow then return nil, row.script .. " returns no workflow any more" end
  text.workflow = price_check.variant(text.workflow, row.workflow)
  if text.workflow.name ~= row.workflow then
    return nil, ("%s is the workflow %s now, not %s"):format(row.script, text.workflow.name, row.workflow)
  end
  return text
end

--- The run of the same script and arguments that has not ended, taken up; or a new one.
---@param client xfiot.Client
---@param text xfiot.Script
---@param checked table the checked arguments
---@return xfiot.Run|nil nil: another process works on it
---@return integer? id its number then
function runs.begin(client, text, checked)
  local args = core.encode(checked)
  local row = client.orders:journal():read("run_find_same", text.workflow.name, client.company_code, args)
  if not row then
    local key = checked.order
    return runs.new(client, text, args, { key = type(key) == "string" and key or nil })
  end
  return runs.try(client, row, text), row.id
end

--- Takes up a run unless a process that lives works on it; raises for one that cannot be
--- seen from here, and as runs.take does.
---@param client xfiot.Client
---@param row table of the journal
---@param text xfiot.Script
---@return xfiot.Run|nil
function runs.try(client, row, text)
  if row.owner == "unseen" then error(runs.held(row.id, row.owner), 0) end
  if row.owner ~= "gone" then return nil end
  local ok, taken = pcall(runs.take, client, row, text)
  if ok then return taken end
  if errors.is(taken) and taken.held then return nil end -- another was faster just now
  error(taken, 0)
end

-- ---- bringing back

-- A run that cannot go on now is looked at again later, or stays as it is.
local function postpone(client, row, why)
  local book = client.orders:journal()
  local claimed, token = book:write(book.file.run_claim, { run = row.id, at = core.now() })
  if claimed ~= "claimed" then return end
  book:write(book.file.run_rest, {
    run = row.id, token = token, to = "waiting", step = row.step, waiting_for = "script: " .. why, order = row.order,
    wake_at = core.now() + AGAIN, at = core.now(),
  })
end

--- Every run whose time has come, and that nobody works on, one page after the other.
---@param client xfiot.Client
---@param campaign? integer
---@return fun(): table|nil row
function runs.due(client, campaign)
  local book, after = client.orders:journal(), 0
  local page, at = {}, 0
  local now = core.now()
  return function()
    while true do
      at = at + 1
      if at > #page then
        page, at = book:read("run_due", now, campaign or 0, after), 1
        if #page == 0 then return nil end
      end
      local row = page[at]
      after = row.id
      if row.company_code == client.company_code and row.owner == "gone" then return row end
    end
  end
end

local UNDER_WAY = { sent = true, accepted = true }

local function bring_back(client, row, scripts, log)
  local order = row.state == "waiting" and row.order and client.orders:find(row.order)
  if order and UNDER_WAY[order.state] then return end -- whoever asks for the order wakes the run again
  local known = table.concat({ row.workflow, row.restricted and "restricted" or "", row.script }, "\n")
  local text, why = scripts[known], nil
  if not text then
    text, why = runs.script_of(row)
    scripts[known] = text
  end
  if not text then
    log("run_waits", { run = row.id, reason = why })
    return postpone(client, row, why)
  end
  local outcome = runs.take(client, row, text, { patience = 1, short = 1 }):drive()
  log("run_resumed", { run = row.id, state = outcome.state, waiting_for = outcome.waiting_for })
end

--- For the worker: brings back every run that is due. A run that then waits for
--- longer is put away again. Raises nothing.
---@param client xfiot.Client
---@param log fun(event: string, fields?: table)
---@param stopped? fun(): boolean
function runs.bring_back(client, log, stopped)
  local scripts = {}
  local ok, err = pcall(function()
    parallel(runs.due(client), function(row)
      if stopped and stopped() then return end
      local done, why = pcall(bring_back, client, row, scripts, log)
      if not done then log("run_waits", { run = row.id, reason = tostring(why) }) end
    end, { concurrency = AT_ONCE })
  end)
  if not ok then log("runs_not_kept_going", { reason = tostring(err) }) end
end

--- How a run of the journal ended, as its own process would have told it.
---@param row table of the journal
---@return table outcome
function runs.outcome(row)
  return { state = row.state, result = remember.decode(row.result), waiting_for = row.waiting_for,
           error = row.error and remember.decode_error(row.error), order = row.order }
end

return runs
