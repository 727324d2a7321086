--- xfiot serve: receives pushes until it is told to stop. Everything is checked
-- before it listens; then no Lua runs in this process any more, and handlers run
-- in a worker that it keeps alive.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local handlers = require "xfiot.handlers"
local settings = require "xfiot.settings"

-- The worker gets the flags that this process got; its environment it has anyway.
local function worker_words(options)
  local words = { "serve-worker" }
  local function add(name, value)
    local flag = "--" .. name:gsub("_", "-")
    if value == true then words[#words + 1] = flag elseif value then words[#words + 1] = flag .. "=" .. value end
  end
  add("config", options.config)
  for _, row in ipairs(settings.rows) do add(row.name, options[row.name]) end
  if options.handlers then
    words[#words + 1] = "--"
    words[#words + 1] = options.handlers
  end
  return words
end

local function read_pem(values, name)
  if not values[name] then return nil end
  local file, why = io.open(values[name], "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text or cli.usage(("%s cannot be read: %s"):format(name, why or values[name]))
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
    company_code = values.company_code, merchant_id = values.merchant_id, key_file = values.key_file,
    reports_path = values.reports_path, responses_path = values.responses_path, freshness = values.freshness // 1 | 0,
    offset = settings.offset_seconds(values.utc_offset), journal = values.journal,
    host = host, port = math.tointeger(tonumber(port)), body_cap = values.body_cap, connections = values.connections,
    per_address = values.per_address, request_timeout = math.ceil(values.request_timeout),
    certificate = read_pem(values, "tls_certificate"), private_key = read_pem(values, "tls_key"),
    worker = worker_words(options), worker_memory = values.worker_memory,
    stop = math.ceil(values.handler_timeout) + 5,
  }
  if not ok then
    cli.say(why)
    return cli.FAILED
  end
  return cli.DONE
end
