--- The command line: which command, with which settings, and the exit status.
local argparse = require "argparse"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local settings = require "xfiot.settings"

local cli = {}

cli.DONE, cli.FAILED, cli.USAGE, cli.SOME_FAILED, cli.DECISION, cli.INTERRUPTED = 0, 1, 2, 3, 4, 130

local COMMANDS = {} -- name -> function(options) -> status, filled below

local function load_command(name)
  return function(options) return require("xfiot.cli." .. name)(options) end
end
for _, name in ipairs { "run", "call", "serve", "sandbox", "orders", "runs", "inbox", "sign", "verify", "doctor",
                        "ledger" } do
  COMMANDS[name] = load_command(name)
end
COMMANDS["serve-worker"] = load_command "serve_worker" -- what serve starts; no user does

local Unwritten = { __tostring = function(self) return "cannot write: " .. self.output end }
local BROKEN_PIPE = 32 -- EPIPE: who was reading has seen enough
local LISTINGS = { orders = true, runs = true, inbox = true, help = true } -- which then end as if they were done

--- Prints a line of data. A result that cannot be written is a failure.
---@param text string
function cli.out(text)
  local ok, why, number = io.stdout:write(text, "\n")
  if ok then ok, why, number = io.stdout:flush() end
  if not ok then error(setmetatable({ output = why, unread = number == BROKEN_PIPE }, Unwritten), 0) end
end

COMMANDS.version = function()
  cli.out("xfiot " .. core.version)
  return cli.DONE
end

-- ---- the parser

local function add_settings(command)
  command:option("--config", "settings file to read; every setting is a flag too, see xfiot help settings")
    :argname "FILE"
  for _, row in ipairs(settings.rows) do
    local name = "--" .. row.name:gsub("_", "-")
    local option = row.default == false and command:flag(name, row.about) or command:option(name, row.about)
    option:target(row.name):hidden(true)
  end
end

local function add_sandbox(command)
  command:flag("--sandbox", "use the built-in platform instead of a real one")
  command:option("--meters", "with --sandbox: the meters it has, money=2,gas=1,backend=1,commercial=1")
    :argname "LIST"
end

-- In the order of the help; each adds one command.
local PARSERS = {
  { "run", function(parser)
    local run = parser:command("run", "Run a workflow script."):add_help(false)
    run:flag("-h --help", "after a script: that script's own arguments")
    run:argument("script", "Lua file, or the name of a workflow that is shipped (recharge)"):args "?"
    run:argument("args", "name=value of the script; with --from: the same for all rows"):args "*"
    run:option("--from", "run the workflow once for each row of a CSV file (a campaign); no pipe: it is read "
      .. "several times"):argname "FILE"
    run:option("--key", "column that tells rows apart; default: order, else the first"):argname "COLUMN"
    run:option("--encoding", "of the file: utf-8 (default) or gbk"):argname "NAME"
    run:option("--concurrency", "rows at once, 256 by default; one that waits for its meter does not count")
      :argname "N"
    run:option("--rate", "rows begun a second at most, 50/s"):argname "R/s"
    run:option("--canary", "the first N rows must succeed before the rest starts"):argname "N"
    run:option("--max-failures", "stop when more rows have failed: a number, or a share of the finished ones, "
      .. "judged from the 20th on; default: more than 20, and more than 5%")
      :target("max_failures"):argname "N"
    run:option("--results", "CSV file with a row for each row, brought up to date; not the rows' own file")
      :argname "FILE"
    run:flag("--verify", "read each meter's prices back and compare (price changes)")
    run:flag("--resume", "go on with this file; the same as giving the command again")
    run:flag("--restricted", "the script gets the documented methods of xfiot and nothing of the system")
    run:option("--memory", "MiB that the program may use"):argname "N"
    run:option("--time-limit", "seconds that all of it may take"):target("time_limit"):argname "N"
    add_sandbox(run)
    add_settings(run)
  end },
  { "call", function(parser)
    local call = parser:command("call", "Call one operation of the document by its name."):add_help(false)
    call:flag("-h --help", "after an operation: its own parameters")
    call:argument("operation", "register, query, creatCmd ..."):args "?"
    call:argument("args", "name=value; nested values as JSON"):args "*"
    add_sandbox(call)
    add_settings(call)
  end },
  { "sandbox", function(parser)
    local sandbox = parser:command("sandbox", "Run the built-in platform as a server.")
    sandbox:argument("action", "nothing: serve; advance SPAN, status, ledger, press NO, card NO AMOUNT: "
      .. "talk to a running one"):args "?"
    sandbox:argument("span", "30d, 12h, 45m or seconds; ledger, press, card: the deviceNo"):args "?"
    sandbox:argument("amount", "card: what is bought, 50.00"):args "?"
    sandbox:option("--seed", "what chance does, repeatable"):argname "N"
    sandbox:option("--start", "virtual time at the start, yyyyMMddHHmmss"):argname "TIME"
    sandbox:option("--speed", "virtual seconds a second; 0 stands still"):argname "X"
    sandbox:option("--meters", "money=100,gas=10,backend=50,postpaid=5,flow=5,commercial=5,concentrator=1")
      :argname "LIST"
    sandbox:flag("--opened", "the meters' accounts are open from the start")
    sandbox:option("--balance", "with --opened: what is on them"):argname "YUAN"
    sandbox:option("--profile", "who lives behind all meters: household, restaurant, factory, empty, leak, burst, none")
      :argname "NAME"
    sandbox:option("--rhythm", "how often a meter reports by itself, 1d; 0 never"):argname "SPAN"
    sandbox:option("--wake", "how long a meter sleeps on when a command has come, 1s; report: until it reports next")
      :argname "SPAN"
    sandbox:option("--mishaps", "time between two mishaps (tampering, wear) of a meter on average, 3650d; 0 none")
      :argname "SPAN"
    sandbox:flag("--cards", "customers buy with their cards when credit is low")
    sandbox:flag("--refuse-repeats", "a meter refuses a billNo it has seen"):target "refuse_repeats"
    sandbox:option("--contradiction", "what to do where the document contradicts itself, C22=int; see xfiot help "
      .. "contradictions"):count("*"):argname "SWITCH"
    sandbox:option("--state", "file the sandbox is kept in; read at the start if it is there"):argname "FILE"
    sandbox:option("--push-reports", "URL for report pushes")
      :target("push_reports"):argname "URL"
    sandbox:option("--push-responses", "URL for command response pushes")
      :target("push_responses"):argname "URL"
    sandbox:option("--fault", "a fault to rehearse, creatCmd:lost:2; xfiot help faults lists them and the codes and "
      .. "alarms they provoke"):count("*"):argname "RULE"
    add_settings(sandbox)
  end },
  { "serve", function(parser)
    local serve = parser:command("serve", "Receive pushes, call handlers for them, keep orders going.")
    serve:argument("handlers", "Lua file that returns { report =, alarm =, response =, quarantine = }"):args "?"
    add_settings(serve)
  end },
  { "serve-worker", function(parser)
    local worker = parser:command "serve-worker":hidden(true)
    worker:argument("handlers"):args "?"
    worker:option("--channel")
    worker:option("--key")
    add_settings(worker)
  end },
  { "orders", function(parser)
    local orders = parser:command("orders", "List orders and settle those in doubt.")
    local actions = "list (default), show ID, resolve ID, cancel ID, lift DEVICE_NO BILL_NO, accept-journal"
    orders:argument("action", actions):args "?"
    orders:argument("id", "the order's id; with lift: the meter's number"):args "?"
    orders:argument("bill_no", "with lift: the highest bill number that the meter has had"):args "?"
    orders:flag("--json", "one JSON object a line")
    orders:option("--state", "only orders in this state; several with commas: unknown,suspect"):argname "STATE"
    orders:option("--device", "only orders of this meter"):argname "DEVICE_NO"
    orders:option("--since", "only orders placed then or later, yyyyMMdd or yyyyMMddHHmmss"):argname "TIME"
    orders:option("--limit", "at most so many"):argname "N"
    orders:option("--as", "with resolve: applied, not_applied, or proposed (as the reports say; without ID all)")
      :argname "STATE"
    orders:option("--note", "with resolve: why"):argname "TEXT"
    orders:flag("--yes", "with accept-journal: every meter has been reconciled")
    add_settings(orders)
  end },
  { "runs", function(parser)
    local runs = parser:command("runs", "List runs of workflows, go on with them, or end them.")
    runs:argument("action", "list (default), show ID, resume ID, cancel ID, check SCRIPT"):args "?"
    runs:argument("id", "the run's number, or a script"):args "?"
    runs:flag("--json", "one JSON object a line")
    runs:option("--state", "only runs in this state"):argname "STATE"
    runs:option("--device", "only runs with this meter"):argname "DEVICE_NO"
    runs:option("--since", "only runs begun then or later, yyyyMMddHHmmss"):argname "TIME"
    runs:option("--limit", "at most so many"):argname "N"
    runs:option("--note", "with cancel: why"):argname "TEXT"
    runs:flag("--force", "with resume: the process that worked on it is gone, though it cannot be seen")
    runs:flag("--restricted", "the script is restricted from now on; one that was begun so is anyway")
    add_settings(runs)
  end },
  { "inbox", function(parser)
    local inbox = parser:command("inbox", "List received pushes and decide about those that went wrong.")
    inbox:argument("action", "list (default), show ID, replay ID, discard ID, gaps, prune"):args "?"
    inbox:argument("ids", "numbers of pushes"):args "*"
    inbox:flag("--json", "one JSON object a line")
    inbox:option("--state", "only pushes in this state or these; replay, discard: all of them"):argname "STATE"
    inbox:option("--device", "only pushes about this device, by deviceId or number"):argname "DEVICE"
    inbox:option("--since", "only pushes received then or later, yyyyMMdd or yyyyMMddHHmmss"):argname "TIME"
    inbox:option("--limit", "at most so many"):argname "N"
    inbox:option("--older-than", "with prune: those received and done so long ago, such as 90d; default keep_pushes")
      :argname "SPAN"
    inbox:flag("--fetch", "with gaps: ask the platform for the reports that are missing")
    add_settings(inbox)
  end },
  { "ledger", function(parser)
    local ledger = parser:command("ledger", "Statements, checks and month ends of meters whose money is kept here.")
    ledger:argument("action",
      "list (default), show, check, month yyyyMM, open, pay, price, counter, ignore, restore, close")
      :args "?"
    ledger:argument("device_no", "the meter's deviceNo; with month: yyyyMM"):args "?"
    ledger:flag("--json", "one JSON object a line")
    ledger:flag("--csv", "comma-separated, with a head line")
    ledger:option("--since", "show: only what was booked then or later, yyyyMMddHHmmss"):argname "TIME"
    ledger:option("--limit", "show: at most so many"):argname "N"
    ledger:option("--tariff", "open, price: JSON with PRICE_CHANGE's names, or a file of it"):argname "TARIFF"
    ledger:option("--at", "open, counter, ignore, restore, close: when, by the meter's clock"):argname "TIME"
    ledger:option("--reading", "open, ignore, restore, close: what the counter shows, m³"):argname "M3"
    ledger:option("--ladder", "open: gas counted in the ladder period before, m³"):argname "M3"
    ledger:option("--balance", "open: yuan"):argname "AMOUNT"
    ledger:option("--device-id", "open: the platform's id of the meter; asked for unless given")
      :target("device_id"):argname "ID"
    ledger:option("--digits", "open: of the counter, m³; default 5"):argname "N"
    ledger:option("--old", "counter: what the old one ended with, m³"):argname "M3"
    ledger:option("--new", "counter: what the new one began with, m³"):argname "M3"
    ledger:option("--order", "pay: your id of the payment, booked once"):argname "ID"
    ledger:option("--amount", "pay: yuan; a refund is --amount=-5.00"):argname "AMOUNT"
    ledger:option("--note", "why, in a few words"):argname "TEXT"
    add_settings(ledger)
  end },
  { "sign", function(parser)
    local sign = parser:command("sign", "Print the two headers that sign a call.")
    sign:option("--trans-id", "sign this transId instead of a new one"):target("trans_id"):argname "ID"
    add_settings(sign)
  end },
  { "verify", function(parser)
    local verify = parser:command("verify", "Check a token.")
    verify:option("--trans-id", "the transId that was signed"):target("trans_id"):argname "ID"
    verify:option("--token", "the token to check"):argname "TOKEN"
    add_settings(verify)
  end },
  { "doctor", function(parser)
    add_settings(parser:command("doctor", "Say what is wrong with the set-up."))
  end },
  { "version", function(parser)
    parser:command("version", "Print the version.")
  end },
  { "help", function(parser)
    local about = "Explain a command, an operation, a command of the meter, a return code."
    parser:command("help", about)
      :argument("topic", "call, creatCmd, RECHARGE_REMOTE, 500033, 0012H, settings, faults ..."):args "?"
  end },
}

-- All options of all commands are a tenth of the work to start; so, where the
-- first word names a command, there is that one only.
local function build_parser(first)
  local parser = argparse("xfiot", "Billing workflows for the Xianfeng IoT platform (先锋物联网云平台).")
    :epilog("xfiot COMMAND --help tells more; xfiot help TOPIC explains settings, an operation (creatCmd),\n"
      .. "a meter's command (RECHARGE_REMOTE), a return code (500033), an alarm (0012H), a script (recharge).")
    :command_target "command"
    :require_command(false)
  local all = not COMMANDS[first]
  for _, row in ipairs(PARSERS) do
    if all or row[1] == first then row[2](parser) end
  end
  if all then parser:add_complete_command "completion" end
  return parser
end

-- ---- errors on their way out

--- Prints a sentence on stderr.
---@param text string
function cli.say(text)
  io.stderr:write("xfiot: ", text, "\n")
end

--- Raises a usage error: one sentence, status 2.
---@param text string
function cli.usage(text)
  error(setmetatable({ usage = text }, { __tostring = function(self) return self.usage end }), 0)
end

--- The exit status of what was raised.
---@param err any
---@return integer
function cli.status_of(err)
  if type(err) == "table" and err.usage then return cli.USAGE end
  if not errors.is(err) then return cli.FAILED end
  if err.kind == "invalid" then return cli.USAGE end
  if err.kind == "unknown" and err.order then return cli.DECISION end
  if err.kind == "unknown" and err.blocking then return cli.DECISION end
  return cli.FAILED
end

local function flags_of(options)
  local flags = { config = options.config }
  for _, row in ipairs(settings.rows) do flags[row.name] = options[row.name] end
  return flags
end

-- In the host program Ctrl-C ends what is under way.
local function watch_interrupts()
  local ok, host = pcall(require, "xfiot.host")
  if not ok then return function() return false end end
  require("xfiot.loop").set_interrupt(host.was_interrupted)
  return host.was_interrupted
end

-- Orders in doubt, by id, as long as the command runs.
local function watch_orders()
  local in_doubt = {}
  require("xfiot.orders").set_witness(function(order, doubtful) in_doubt[order] = doubtful or nil end)
  return in_doubt
end

-- An order that needs a person's decision outweighs all but wrong usage, even if a
-- script has caught its error.
local function weigh(status, in_doubt)
  if next(in_doubt) == nil or status == cli.USAGE then return status end
  if status ~= cli.DECISION then
    cli.say "an order needs a person's decision: xfiot orders list --state unknown,suspect"
  end
  return cli.DECISION
end

-- In "--limit -1" the parser would take -1 for an option.
local function join_negatives(argv)
  local list = {}
  for _, word in ipairs(argv) do
    local option = word:find "^%-%.?%d" and list[#list] and list[#list]:match "^%-%-%a[%a-]*$"
    list[option and #list or #list + 1] = option and option .. "=" .. word or word
  end
  return list
end

local function parse(parser, argv)
  if argv[1] == "--version" then return { command = "version" } end
  local ok, options = parser:pparse(join_negatives(argv))
  if not ok then cli.usage(options:gsub("%s*\n%s*", " ") .. " (xfiot help tells what there is)") end
  return options
end

local function show_help(parser, topic)
  if topic == nil then
    cli.out(parser:get_help())
    return cli.DONE
  end
  return require "xfiot.cli.help"(topic, parser)
end

-- "xfiot run SCRIPT --help" belongs to the script, "xfiot run --help" to the command.
local function wants_own_help(options)
  return options.help and (options.script or options.operation) == nil
end

local NEEDS = {
  run = { argument = "script", sentence = "run needs a script: xfiot run SCRIPT.lua name=value" },
  call = { argument = "operation", sentence = "call needs an operation: xfiot call query deviceNo=07602190100007116" },
}

local function dispatch(argv)
  local parser = build_parser(argv[1])
  local options = parse(parser, argv)
  local name = options.command
  local needs = NEEDS[name]
  if needs and not options[needs.argument] and not options.help then cli.usage(needs.sentence) end
  if not name or name == "help" then return show_help(parser, options.topic) end
  if wants_own_help(options) then return show_help(parser, name) end
  settings.set_flags(flags_of(options))
  return COMMANDS[name](options)
end

--- Runs a command line.
---@param argv string[]
---@return integer exit status
function cli.main(argv)
  local list = table.move(argv, 1, #argv, 1, {})
  local interrupted, in_doubt = watch_interrupts(), watch_orders()
  local ok, status = xpcall(dispatch, require("xfiot.cli.trace").handler, list)
  if interrupted() then
    cli.say "interrupted"
    return cli.INTERRUPTED
  end
  if not ok then
    if type(status) ~= "table" then status = { cause = status, text = tostring(status) } end -- out of memory
    local unread = LISTINGS[argv[1]] and type(status.cause) == "table" and status.cause.unread
    if not unread then cli.say(status.text) end
    status = unread and cli.DONE or cli.status_of(status.cause)
  end
  return weigh(status, in_doubt)
end

return cli
