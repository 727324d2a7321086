--- xfiot sandbox: the built-in platform as a server, and words to a running one.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local settings = require "xfiot.settings"

local FEW <const> = 100 -- devices whose every report has a line
local SAVE_EVERY <const> = 0.5 -- seconds, and longer where saving takes long

local function number(options, name, read)
  local text = options[name]
  if text == nil then return nil end
  local value = read(tonumber(text))
  if not value then cli.usage(("--%s must be a number, got %q"):format(name, text)) end
  return value
end

-- The key and merchantId of the settings if there are any, else the public
-- ones of the document, so that nothing needs to be set up.
local function find_signer(values)
  if values.merchant_id and (values.key_file or core.has_env_key()) then return settings.signer(values) end
  return nil
end

-- A line for each event where somebody watches.
local function find_log()
  local ok, host = pcall(require, "xfiot.host")
  if not (ok and host.is_terminal(2)) then return nil end
  return function(line) io.stderr:write(line, "\n") end
end

local function list(values)
  return values and #values > 0 and values or nil
end

local function count_meters(text)
  local sum = 0
  for count in (text or ""):gmatch "=(%d+)" do sum = sum + tonumber(count) end
  return sum
end

local function make(values, options)
  local start = options.start
  if start and not core.parse_timestamp(start) then cli.usage "--start must be a time, yyyyMMddHHmmss" end
  local ok, sandbox = pcall(require("xfiot.sandbox").new, {
    listen = values.listen, company_code = values.company_code, signer = find_signer(values),
    seed = number(options, "seed", math.tointeger), speed = number(options, "speed", function(x) return x end),
    start = start, meters = options.meters, push_reports = options.push_reports, opened = options.opened,
    balance = options.balance, profile = options.profile, rhythm = options.rhythm, wake = options.wake,
    cards = options.cards, mishaps = options.mishaps, state = options.state,
    repeat_bill = options.refuse_repeats and "refuse" or nil,
    contradictions = list(options.contradiction), push_responses = options.push_responses,
    fault = list(options.fault), log = find_log(), log_reports = count_meters(options.meters) <= FEW,
  })
  if not ok then cli.usage((tostring(sandbox):gsub("^sandbox: ", ""))) end
  return sandbox
end

-- Keeps the file up to date, so that even a killed sandbox loses moments only.
local function keep_saving(sandbox)
  local seen
  local function save()
    local began, at = core.clock(), sandbox:turns()
    if at ~= seen then sandbox:save() end
    seen = at
    loop.after(math.max(SAVE_EVERY, 20 * (core.clock() - began)), save)
  end
  loop.after(SAVE_EVERY, save)
end

local function serve(values, options)
  local sandbox <close> = make(values, options)
  cli.out(("xfiot sandbox, not the real platform, at %s"):format(sandbox:url()))
  cli.out(("company_code %s, key and merchant_id: %s"):format(sandbox.company_code,
    find_signer(values) and "as set" or "the public example of the document's appendix 8, merchant_id 43516709"))
  io.stdout:flush()
  if options.state then keep_saving(sandbox) end
  loop.run(function() return false end)
end

-- A running sandbox answers these without a signature.
local function ask(values, method, target)
  local transport, why = core.transport { base_url = "http://" .. values.listen, timeout = 3600 }
  if not transport then cli.usage(why) end
  local reply = loop.fetch(transport, { method = method, target = target })
  local answer = reply.status ~= 0 and core.decode(reply.body)
  if type(answer) ~= "table" or not answer.sandbox then
    cli.say(("no sandbox answers at %s%s"):format(values.listen, reply.why ~= "" and (": " .. reply.why) or ""))
    return nil
  end
  if answer.error then cli.usage((answer.error:gsub("^sandbox: ", ""))) end
  return answer
end

-- Words to a running one: what they need, and what they do.
local WORDS <const> = {
  status = { span = false, run = function(values)
    local answer = ask(values, "GET", "/sandbox/status")
    if answer then io.write(answer.status) end
    return answer
  end },
  ledger = { span = "^%w+$", optional = true, run = function(values, device)
    local answer = ask(values, "GET", "/sandbox/ledger" .. (device and "?device=" .. device or ""))
    for _, row in ipairs(answer and answer.ledger or {}) do cli.out(core.encode(row)) end
    return answer
  end },
  advance = { span = "^[%w%.]+$", run = function(values, span)
    local answer = ask(values, "POST", "/sandbox/advance?by=" .. span)
    if answer then cli.out(answer.now) end
    return answer
  end },
  press = { span = "^%w+$", run = function(values, device)
    return ask(values, "POST", "/sandbox/press?device=" .. device)
  end },
  card = { span = "^%w+$", amount = "^[%d.]+$", run = function(values, device, amount)
    local answer = ask(values, "POST", ("/sandbox/card?device=%s&amount=%s"):format(device, amount))
    if answer and not answer.done then cli.usage "the meter has no open account, or its register is full" end
    return answer
  end },
}

local function fits(shape, text)
  if not shape then return text == nil end
  return text ~= nil and text:find(shape) ~= nil
end

return function(options)
  local values = settings.resolve()
  if options.action == nil then return serve(values, options) end
  local word = WORDS[options.action]
  local spanned = word and (fits(word.span, options.span) or word.optional and not options.span)
  if spanned and fits(word.amount, options.amount) then
    return word.run(values, options.span, options.amount) and cli.DONE or cli.FAILED
  end
  cli.usage("sandbox takes nothing, status, ledger [NO], advance SPAN (30d, 12h, 45m or seconds), press NO, "
    .. "or card NO AMOUNT")
end
