--- xfiot sandbox: the built-in platform as a server, and words to a running one.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local settings = require "xfiot.settings"

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

local function serve(values, options)
  local start = options.start
  if start and not core.parse_timestamp(start) then cli.usage "--start must be a time, yyyyMMddHHmmss" end
  local ok, sandbox = pcall(require("xfiot.sandbox").new, {
    listen = values.listen, company_code = values.company_code, signer = find_signer(values),
    seed = number(options, "seed", math.tointeger), speed = number(options, "speed", function(x) return x end),
    start = start, meters = options.meters, push_reports = options.push_reports,
    push_responses = options.push_responses, fault = #options.fault > 0 and options.fault or nil,
    log = function(line) io.stderr:write(line, "\n") end,
  })
  if not ok then cli.usage((tostring(sandbox):gsub("^sandbox: ", ""))) end
  local closing <close> = sandbox -- luacheck: ignore 211
  cli.out(("xfiot sandbox, not the real platform, at %s"):format(sandbox:url()))
  cli.out(("company_code %s, key and merchant_id: %s"):format(sandbox.company_code,
    find_signer(values) and "as set" or "the public example of the document's appendix 8, merchant_id 43516709"))
  io.stdout:flush()
  loop.run(function() return false end)
end

-- A running sandbox answers these without a signature.
local function ask(values, method, target)
  local transport, why = core.transport { base_url = "http://" .. values.listen, timeout = 600 }
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

return function(options)
  local values = settings.resolve()
  if options.action == nil then return serve(values, options) end
  if options.action == "status" and not options.span then
    local answer = ask(values, "GET", "/sandbox/status")
    if not answer then return cli.FAILED end
    io.write(answer.status)
    return cli.DONE
  end
  if options.action == "advance" and options.span and options.span:find "^[%w%.]+$" then
    local answer = ask(values, "POST", "/sandbox/advance?by=" .. options.span)
    if not answer then return cli.FAILED end
    cli.out(answer.now)
    return cli.DONE
  end
  cli.usage "sandbox takes nothing, status, or advance SPAN (30d, 12h, 45m or seconds)"
end
