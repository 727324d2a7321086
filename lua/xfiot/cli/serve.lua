--- xfiot serve: receives pushes until it is told to stop. Everything is checked
-- before it listens; then no Lua runs in this process any more, and handlers run
-- in a worker that it keeps alive.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local handlers = require "xfiot.handlers"
local settings = require "xfiot.settings"

local GRACE = 5 -- seconds beyond handler_timeout until a worker that does not stop is killed

-- Where pushes are to go, as far as this machine knows.
local function address(values, host, port)
  if host:find(":", 1, true) then host = "[" .. host .. "]" end
  local origin = ("%s://%s:%d"):format(values.tls_certificate and "https" or "http", host, port)
  return ("%s%s (reports) and %s%s (responses)"):format(origin, values.reports_path, origin, values.responses_path)
end

-- The worker gets the flags that this process got; its environment it has anyway.
local function worker_words(options)
  local words = { "serve-worker" }
  local function add(name, value)
    local flag = "--" .. name:gsub("_", "-")
    if value == true then words[#words + 1] = flag elseif value then words[#words + 1] = flag .. "=" .. value end
  end
  add("config", options.config)
  for _, row in ipairs(settings.rows) do add(row.name, options[row.name]) end
  local file = options.handlers
  words[#words + 1] = file and file:gsub("^%-", "./-") or nil -- more flags follow it
  return words
end

local function check(values, options)
  if (values.tls_certificate == nil) ~= (values.tls_key == nil) then
    cli.usage "tls_certificate and tls_key go together"
  end
  if values.reports_path == values.responses_path then
    cli.usage "reports_path and responses_path must differ: a push is told by its path"
  end
  require("xfiot").client() -- its settings are right, and there is a key
  handlers.load(options.handlers)
end

return function(options)
  local values = settings.resolve()
  settings.require_client(values)
  check(values, options)
  local host, port = values.listen:match "^%[?(.-)%]?:(%d+)$"
  local ok, why = core.serve {
    signer = settings.signer(values), company_code = values.company_code,
    journal = values.journal or core.journal_path(),
    reports_path = values.reports_path, responses_path = values.responses_path,
    freshness = math.ceil(values.freshness), utc_offset = settings.offset_seconds(values.utc_offset),
    host = host, port = math.tointeger(tonumber(port)), body_cap = values.body_cap, connections = values.connections,
    per_address = values.per_address, request_timeout = math.ceil(values.request_timeout),
    tls_certificate = values.tls_certificate, tls_key = values.tls_key,
    worker = worker_words(options), worker_memory = values.worker_memory,
    stop_timeout = math.ceil(values.handler_timeout) + GRACE,
    ready = function(bound) cli.say(("listening at %s"):format(address(values, host, bound))) end,
  }
  if not ok then
    cli.say(why)
    return cli.FAILED
  end
  return cli.DONE
end
