--- Settings: a table, then flags, then the environment, then xfiot.conf, then
-- defaults. Each row says what a setting is; nothing else lists them.
local core = require "xfiot.core"
local data_file = require "xfiot.data_file"
local errors = require "xfiot.errors"

local settings = {}

-- ---- rows

local function check_text(value)
  if type(value) ~= "string" or value == "" or value:find "%z" then return nil, "must be text", "应为文本" end
  return value
end

local function check_digits(count)
  return function(value)
    if type(value) == "string" and #value == count and not value:find "%D" then return value end
    return nil, ("must be %d digits, as text"):format(count), ("应为 %d 位数字的文本"):format(count)
  end
end

local function check_seconds(least, most)
  return function(value)
    local n = tonumber(value)
    if n and n >= least and n <= most then return n end
    return nil, ("must be seconds from %g to %g"):format(least, most), ("应为 %g 到 %g 秒"):format(least, most)
  end
end

local function check_count(least, most)
  return function(value)
    local n = math.tointeger(tonumber(value))
    if n and n >= least and n <= most then return n end
    return nil, ("must be an integer from %d to %d"):format(least, most), ("应为 %d 到 %d 的整数"):format(least, most)
  end
end

local FLAGS = { ["true"] = true, yes = true, on = true, ["1"] = true,
                ["false"] = false, no = false, off = false, ["0"] = false }
local function check_flag(value)
  if type(value) == "boolean" then return value end
  local flag = FLAGS[tostring(value):lower()]
  if flag ~= nil then return flag end
  return nil, "must be true or false", "应为 true 或 false"
end

local function check_path(value)
  if type(value) == "string" and value:sub(1, 1) == "/" and not value:find "[%s?#%c]" then return value end
  return nil, "must be a path that begins with /", "应为以 / 开头的路径"
end

local function check_listen(value)
  local host, port = tostring(value):match "^%[?([%x%.:%a]-)%]?:(%d+)$"
  if host and host ~= "" and tonumber(port) <= 65535 then return value end
  return nil, "must be host:port", "应为 主机:端口"
end

local function check_offset(value)
  local sign, hours, minutes = tostring(value):match "^([+-])(%d%d):?(%d%d)$"
  if sign and tonumber(hours) <= 14 and tonumber(minutes) < 60 then return value end
  return nil, "must be an offset such as +08:00", "应为 +08:00 这样的时区偏移"
end

local function check_amount(value)
  local fen = core.decimal(value, 2)
  if fen and fen > 0 then return value end
  return nil, "must be a positive amount", "应为正数金额"
end
settings.check_amount = check_amount

--- name, what it is, how it is checked, default; in the order of help.
settings.rows = {
  { name = "base_url", check = check_text, about = "the platform: scheme, host, port; without /iotcloud/app" },
  { name = "company_code", check = check_digits(6), about = "the gas company's six digits" },
  { name = "merchant_id", check = check_text, about = "merchantId, assigned by the platform together with the key" },
  { name = "key_file", check = check_text, file = true,
    about = "file that holds the key, readable by its owner alone; or put the key into XFIOT_KEY" },
  { name = "ca_file", check = check_text, file = true, about = "certificates to trust, instead of the system's" },
  { name = "proxy", check = check_text, about = "HTTP proxy; the environment's are ignored" },
  { name = "journal", check = check_text, file = true, about = "path of the journal" },
  { name = "listen", check = check_listen, default = "127.0.0.1:8088", about = "host:port to listen on" },
  { name = "reports_path", check = check_path, default = "/deviceReportData", about = "path of report pushes" },
  { name = "responses_path", check = check_path, default = "/deviceResponseData", about = "path of response pushes" },
  { name = "public_url", check = check_text,
    about = "the receiver's address as the platform is told it, behind a reverse proxy; xfiot doctor tests it" },
  { name = "tls_certificate", check = check_text, file = true,
    about = "certificate chain (PEM) of the receiver, read again on SIGHUP; without it pushes come as plain HTTP" },
  { name = "tls_key", check = check_text, file = true, about = "private key (PEM) of tls_certificate" },
  { name = "connections", check = check_count(1, 65536), default = 1024,
    about = "connections the receiver keeps at once" },
  { name = "per_address", check = check_count(1, 65536), default = 512,
    about = "connections of one address; one more is closed at once" },
  { name = "request_timeout", check = check_seconds(1, 600), default = 30,
    about = "seconds for one whole push, from its first byte to its last" },
  { name = "body_cap", check = check_count(1024, 64 * 1024 * 1024), default = 4 * 1024 * 1024,
    about = "bytes of the longest push" },
  { name = "freshness", check = check_seconds(1, 3600), default = 300,
    about = "seconds the time in a push's transId may differ from ours, either way" },
  { name = "handler_timeout", check = check_seconds(1, 3600), default = 30,
    about = "seconds for one call of a handler" },
  { name = "worker_memory", check = check_count(64, 1048576), default = 512,
    about = "MiB that the process running the handlers may take" },
  { name = "report_every", check = check_seconds(60, 366 * 86400),
    about = "seconds within which every device is to report; default: as it has done so far" },
  { name = "keep_pushes", check = check_count(1, 36500),
    about = "days that the worker keeps pushes that are done; default: for ever" },
  { name = "connect_timeout", check = check_seconds(0.001, 3600), default = 10, about = "seconds to connect" },
  { name = "timeout", check = check_seconds(0.001, 3600), default = 30, about = "seconds for one call" },
  { name = "wait", check = check_seconds(0, 31 * 86400),
    about = "seconds a verb waits for the meter; default the command's expireTime" },
  { name = "resolve_by_evidence", check = check_flag, default = false,
    about = "settle orders in doubt by what the meter's reports say, without a person" },
  { name = "utc_offset", check = check_offset, default = "+08:00", about = "time zone of the platform" },
  { name = "allow_http", check = check_flag, default = false, about = "allow http:// to other hosts than this one" },
}

local row_of = {}
for _, row in ipairs(settings.rows) do row_of[row.name] = row end

--- The name of a setting's environment variable.
---@param name string
---@return string
function settings.environment_name(name)
  return "XFIOT_" .. name:upper()
end

-- ---- xfiot.conf

local function user_folder()
  local home = os.getenv "XDG_CONFIG_HOME"
  if home and home ~= "" then return home end
  home = os.getenv "HOME"
  return home and home ~= "" and (home .. "/.config") or nil
end

local function candidates(config)
  if config then return { config }, true end
  local named = os.getenv "XFIOT_CONFIG"
  if named and named ~= "" then return { named }, true end
  local list = { "xfiot.conf" }
  local folder = user_folder()
  if folder then list[#list + 1] = folder .. "/xfiot/xfiot.conf" end
  list[#list + 1] = "/etc/xfiot/xfiot.conf"
  return list, false
end

local function fail(message, message_zh, remedy)
  error(errors.new { kind = "invalid", operation = "settings", message_en = message,
                     message = message_zh, remedy = remedy or "" }, 0)
end

local function load_conf(path)
  local text, why = data_file.text(path)
  if not text then return nil, why end
  local values
  values, why = data_file.values(text, path)
  if not values then
    if not why:find(path, 1, true) then why = path .. ": " .. why end
    fail("the settings file cannot be used: " .. why, "配置文件无法使用",
      'Its lines read base_url = "https://...".')
  end
  return values
end

--- Reads the settings file that counts.
---@param config? string path given by --config
---@return table values, string? path
function settings.read_file(config)
  local list, named = candidates(config)
  for _, path in ipairs(list) do
    local values, why = load_conf(path)
    if values then return values, path end
    if named then
      fail("the settings file cannot be read: " .. why, "无法读取配置文件", "Check --config or XFIOT_CONFIG.")
    end
  end
  return {}, nil
end

-- ---- putting it together

local function from_file(values, path)
  local folder = path and path:match "^(.*)/[^/]*$"
  local result = {}
  for name, value in pairs(values) do
    local row = row_of[name]
    if not row then
      fail(("%s: there is no setting %s"):format(path, tostring(name)),
        ("%s：没有配置项 %s"):format(path, tostring(name)),
        name == "key" and "The key itself stands in a file of its own (key_file) or in XFIOT_KEY." or
        "xfiot help settings lists them.")
    end
    local checked, rule, rule_zh = row.check(value)
    if checked == nil then
      fail(("%s: %s %s"):format(path, name, rule), ("%s：%s %s"):format(path, name, rule_zh))
    end
    -- a relative file name in a settings file is meant relative to that file
    if row.file and folder and value:sub(1, 1) ~= "/" then value = folder .. "/" .. value end
    result[name] = value
  end
  return result
end

local function check_overrides(overrides)
  for name in pairs(overrides) do
    if name ~= "signer" and name ~= "config" and not row_of[name] then
      fail("there is no setting " .. tostring(name), "没有配置项 " .. tostring(name),
        name == "key" and "The key is never given in Lua: use key_file or XFIOT_KEY."
        or "xfiot help settings lists them.")
    end
  end
end

-- The command line's layer: what its flags say holds for the whole process.
local flags = {}

--- Sets the flags of the command line; the host program does this once.
---@param values table settings, may hold `config`, and `signer` for the sandbox
function settings.set_flags(values)
  check_overrides(values)
  flags = values
end

local function over_flags(overrides)
  local merged = {}
  for name, value in pairs(flags) do merged[name] = value end
  for name, value in pairs(overrides or {}) do merged[name] = value end
  return merged
end

--- Settles every setting and says where each came from.
---@param overrides? table values that win; may hold `config`, a settings file to read
---@return table values
---@return table<string, string> sources
function settings.resolve(overrides)
  check_overrides(overrides or {})
  overrides = over_flags(overrides)
  local raw, path = settings.read_file(overrides.config)
  local file = from_file(raw, path)
  local values, sources = { signer = overrides.signer }, {}
  for _, row in ipairs(settings.rows) do
    local variable = settings.environment_name(row.name)
    local env = os.getenv(variable)
    local value, source = overrides[row.name], "given"
    if value == nil and env and env ~= "" then value, source = env, "environment variable " .. variable end
    if value == nil then value, source = file[row.name], path end
    if value == nil then value, source = row.default, "default" end
    if value ~= nil then
      local checked, rule, rule_zh = row.check(value)
      if checked == nil then
        fail(("%s (%s) %s"):format(row.name, source, rule), ("%s（%s）%s"):format(row.name, source, rule_zh))
      end
      values[row.name], sources[row.name] = checked, source
    end
  end
  -- XFIOT_KEY stands between flags and the settings file, as every environment variable does
  if core.has_env_key() and sources.key_file ~= "given" then values.key_file, sources.key_file = nil, nil end
  return values, sources
end

--- Raises, naming all settings that a client needs and has not.
---@param values table as resolve gives them
function settings.require_client(values)
  local missing = {}
  for _, name in ipairs { "base_url", "company_code", "merchant_id" } do
    if not values[name] and not (name == "merchant_id" and values.signer) then missing[#missing + 1] = name end
  end
  if not values.signer and not values.key_file and not core.has_env_key() then
    missing[#missing + 1] = "key_file (or XFIOT_KEY)"
  end
  if #missing > 0 then
    local list = table.concat(missing, ", ")
    fail("settings are missing: " .. list, "缺少配置：" .. list,
      "Give them in xfiot.conf, as XFIOT_... in the environment, or as flags; or use --sandbox to try things out.")
  end
end

--- Seconds east of UTC of an utc_offset.
---@param text string "+08:00"
---@return integer
function settings.offset_seconds(text)
  local sign, hours, minutes = text:match "^([+-])(%d%d):?(%d%d)$"
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return math.tointeger(sign == "-" and -seconds or seconds)
end

--- The signer that the settings name; raises if there is none.
---@param values table
---@return userdata
function settings.signer(values)
  if values.signer then return values.signer end
  if not values.merchant_id then
    fail("settings are missing: merchant_id", "缺少配置：merchant_id", "Give it in xfiot.conf or as XFIOT_MERCHANT_ID.")
  end
  local signer, why = core.signer { merchant_id = values.merchant_id, key_file = values.key_file }
  if not signer then fail(why, "密钥无法使用") end
  return signer
end

return settings
