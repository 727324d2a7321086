-- Settings: where each comes from, what a settings file may be, and that every bad
-- value is one clear sentence.
local H = require "spec.helper"
local core = require "xfiot.core"

-- The module with an environment of its own: nothing set but what is given.
local function fresh(environment)
  environment = environment or {}
  local fake_os = setmetatable({ getenv = function(name) return environment[name] end }, { __index = os })
  local env = setmetatable({ os = fake_os }, { __index = _G })
  return assert(loadfile(package.searchpath("xfiot.settings", package.path), "t", env))()
end

local function conf(text, folder)
  return H.write((folder or H.tmpdir()) .. "/xfiot.conf", text)
end

local NOTHING = "/dev/null" -- a settings file that says nothing

local function resolve(overrides, environment)
  overrides.config = overrides.config or NOTHING
  return fresh(environment).resolve(overrides)
end

-- The one line of what is raised.
local function complaint(overrides, environment)
  local ok, err = pcall(resolve, overrides, environment)
  assert.is_false(ok)
  assert.equal("table", type(err), tostring(err))
  assert.same({ "invalid", "settings", false }, { err.kind, err.operation, err.sent })
  local line = tostring(err)
  assert.is_nil(line:find "%c")
  assert.matches("%S", err.message)
  return line
end

describe("a setting comes from", function()
  -- the layers it is in, highest first; who wins
  local layers = { "given", "flag", "environment", "file", "default" }
  local values = { given = 1, flag = 2, environment = "3", file = 4, default = 30 }
  local sources = { given = "given", flag = "given", environment = "environment variable XFIOT_TIMEOUT" }

  for first, winner in ipairs(layers) do
    it("the " .. winner .. " before all that is below", function()
      local in_layer = {}
      for i = first, #layers do in_layer[layers[i]] = true end
      local settings = fresh { XFIOT_TIMEOUT = in_layer.environment and values.environment or nil }
      local file = conf(in_layer.file and "timeout = 4" or "")
      settings.set_flags { timeout = in_layer.flag and values.flag or nil, config = file }
      local got, from = settings.resolve { timeout = in_layer.given and values.given or nil }
      assert.equal(tonumber(values[winner]), got.timeout)
      assert.equal(sources[winner] or (winner == "file" and file) or winner, from.timeout)
    end)
  end

  it("nowhere, and then has no source", function()
    local got, from = resolve {}
    assert.same({
      listen = "127.0.0.1:8088", reports_path = "/deviceReportData", responses_path = "/deviceResponseData",
      connect_timeout = 10, timeout = 30, utc_offset = "+08:00", allow_http = false,
      resolve_by_evidence = false, connections = 1024, per_address = 512, request_timeout = 30,
      body_cap = 4194304, freshness = 300, handler_timeout = 30, worker_memory = 512,
    }, got)
    for name in pairs(got) do assert.equal("default", from[name]) end
    assert.is_nil(from.base_url)
  end)

  it("an environment variable only if it is not empty", function()
    assert.equal(30, resolve({}, { XFIOT_TIMEOUT = "" }).timeout)
  end)

  it("each a variable of its own name", function()
    local given = {
      base_url = "https://a", company_code = "000001", merchant_id = "m", key_file = "k", ca_file = "c",
      proxy = "p", journal = "j", listen = "[::1]:0", reports_path = "/r", responses_path = "/s",
      connect_timeout = "0.5", timeout = "7", wait = "0", utc_offset = "-03:30", allow_http = "yes",
      resolve_by_evidence = "yes", keep_pushes = "90", public_url = "https://b", tls_certificate = "t", tls_key = "u",
      connections = "9", per_address = "8", request_timeout = "7", body_cap = "4096", freshness = "60",
      handler_timeout = "5", worker_memory = "64", report_every = "3600",
    }
    local environment, expected = {}, {}
    for _, row in ipairs(fresh().rows) do
      environment["XFIOT_" .. row.name:upper()] = assert(given[row.name], row.name)
      expected[row.name] = tonumber(given[row.name]) or given[row.name]
    end
    expected.allow_http, expected.resolve_by_evidence, expected.company_code = true, true, "000001"
    assert.same(expected, (resolve({}, environment)))
  end)
end)

describe("the settings file", function()
  local function child(cwd, env, config)
    local script = ([[
      local values, sources = require "xfiot.settings".resolve { config = %s }
      print(values.merchant_id, sources.merchant_id)
    ]]):format(config and ("%q"):format(config) or "nil")
    local out = H.run({ H.lua, "-e", script }, { cwd = cwd, env = env })
    return out.stdout, out.stderr
  end
  local function folder_with(path, name)
    local folder = H.tmpdir()
    assert(os.execute("mkdir -p " .. H.quote(folder .. "/" .. path)))
    conf(("merchant_id = %q"):format(name), folder .. "/" .. path)
    return folder
  end

  it("is looked for where it is said, then here, then in the user's folder", function()
    local here, home = folder_with("", "here"), folder_with(".config/xfiot", "home")
    local xdg, named, given = folder_with("xfiot", "xdg"), folder_with("", "named"), folder_with("", "given")
    local nowhere = H.tmpdir()
    local all = { HOME = home, XDG_CONFIG_HOME = xdg, XFIOT_CONFIG = named .. "/xfiot.conf" }
    assert.matches("^given\t", child(here, all, given .. "/xfiot.conf"))
    assert.equal(("named\t%s/xfiot.conf\n"):format(named), child(here, all))
    assert.equal("here\txfiot.conf\n", child(here, { HOME = home, XDG_CONFIG_HOME = xdg }))
    assert.matches("^xdg\t", child(nowhere, { HOME = home, XDG_CONFIG_HOME = xdg }))
    assert.matches("^home\t", child(nowhere, { HOME = home, XDG_CONFIG_HOME = "" }))
    assert.matches("^home\t", child(nowhere, { HOME = home, XDG_CONFIG_HOME = false, XFIOT_CONFIG = "" }))
    assert.matches("^nil\t", child(nowhere, { HOME = nowhere }))
  end)

  it("that is named must be there", function()
    for _, how in ipairs { "given", "environment" } do
      local path = H.tmpdir() .. "/none.conf"
      local settings = fresh { XFIOT_CONFIG = how == "environment" and path or nil }
      local ok, err = pcall(settings.resolve, { config = how == "given" and path or nil })
      assert.is_false(ok)
      assert.matches(path, tostring(err), 1, true)
      assert.matches("--config or XFIOT_CONFIG", tostring(err), 1, true)
    end
  end)

  it("is Lua that sets names, with its own earlier values at hand", function()
    local file = conf('local host = "example.com"\nbase_url = "https://" .. host -- a comment\n'
      .. "timeout = 5 * 60\nwait = timeout + 1\nallow_http = true")
    local got = resolve { config = file }
    assert.same({ "https://example.com", 300, 301, true },
      { got.base_url, got.timeout, got.wait, got.allow_http })
  end)

  local refused = {
    ["a syntax error"] = { "timeout = = 1", "xfiot.conf:1:" },
    ["bytecode"] = { string.dump(load "timeout = 1"), "binary" },
    ["an unknown name"] = { "timeouts = 1", "there is no setting timeouts" },
    ["a function"] = { "function timeout() end", "timeout" },
    ["a table"] = { "timeout = {}", "timeout" },
    ["the key itself"] = { 'key = "0a155959"', "key_file" },
    ["a call of the library"] = { "timeout = os.time()", "os" },
    ["require"] = { 'require "os"', "require" },
    ["reading a file"] = { 'base_url = io.open("/etc/passwd"):read "l"', "io" },
    ["an endless loop"] = { "while true do end", "does not end" },
    ["an endless loop of its own functions"] = { "local function f() return f() end f()", "does not end" },
    ["endless recursion"] = { "local function f() return 1 + f() end f()", "cannot be used" },
    ["an error"] = { "timeout = nil + 1", "xfiot.conf:1:" },
    ["a yield"] = { "coroutine.yield()", "coroutine" },
    ["a bad value"] = { 'timeout = "soon"', "timeout" },
    ["a name that is no text"] = { "_ENV[1] = 2", "there is no setting 1" },
  }
  for name, row in pairs(refused) do
    it("is refused for " .. name, function()
      local file = conf(row[1])
      local line = complaint { config = file }
      assert.matches(row[2], line, 1, true)
      assert.matches(file, line, 1, true)
      assert.is_nil(line:find("0a155959", 1, true))
    end)
  end

  it("cannot reach the globals", function()
    local file = conf "timeout = _G and 1 or string and 2 or print and 3 or 4"
    assert.equal(4, resolve({ config = file }).timeout)
  end)

  it("means files beside itself", function()
    local folder = H.tmpdir()
    local file = conf('key_file = "k"\nca_file = "/abs"\njournal = "sub/j.db"\nbase_url = "x"', folder)
    local got = resolve { config = file }
    assert.same({ folder .. "/k", "/abs", folder .. "/sub/j.db", "x" },
      { got.key_file, got.ca_file, got.journal, got.base_url })
    -- and those of flags and environment are meant from here
    got = resolve({ config = file, journal = "j" }, { XFIOT_KEY_FILE = "k2" })
    assert.same({ "j", "k2" }, { got.journal, got.key_file })
  end)
end)

describe("a bad value is one clear sentence:", function()
  local rows = {
    base_url = { "", 5, true }, company_code = { "12345", "1234567", "12345a", 123456, " 12345", "１23456" },
    merchant_id = { "", 43516709 }, key_file = { "", {} }, ca_file = { "" }, proxy = { "" },
        journal = { "", false },
    listen = { "", "8088", "localhost", ":8088", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "a b:1",
        {} },
    reports_path = { "", "x", "/a b", "/a?b", "/a#b", "/a\n", 5 }, responses_path = { "x" },
    connect_timeout = { 0, -1, "0", "", "soon", 3601, 0 / 0, 1 / 0, true, {} },
        timeout = { 0, "10s", 3600.5 },
    wait = { -1, "x", 31 * 86400 + 1 },
    utc_offset = { "", "8", "+8:00", "08:00", "+15:00", "+08:60", "+08:0", "UTC", 8 },
    allow_http = { "", "maybe", 2, {} },
    resolve_by_evidence = { "", "maybe", 2, {} },
    public_url = { "", 5 }, tls_certificate = { "" }, tls_key = { "", true },
    connections = { 0, "", "many", 1.5, 65537 }, per_address = { 0, -1, "x" }, request_timeout = { 0, 601 },
    body_cap = { 1023, "4M", 64 * 1024 * 1024 + 1 }, freshness = { 0, "x", 3601 },
    handler_timeout = { 0, 3601, "" }, worker_memory = { 63, "all", 64.5 }, report_every = { 59, "daily" },
    keep_pushes = { 0, "90d", 1.5, 36501, "" },
  }
  for _, row in ipairs(fresh().rows) do
    it(row.name, function()
      for _, value in ipairs(rows[row.name]) do
        local line = complaint { [row.name] = value }
        assert.matches(row.name .. " (given) must be ", line, 1, true)
        if type(value) == "string" and value ~= "" then
          local variable = "XFIOT_" .. row.name:upper()
          line = complaint({}, { [variable] = value })
          assert.matches(("%s (environment variable %s) must be "):format(row.name, variable), line, 1, true)
        end
      end
    end)
  end

  it("and so is a setting that there is not", function()
    assert.matches("there is no setting timeouts", complaint { timeouts = 1 }, 1, true)
    assert.matches("there is no setting 1", complaint { "https://example.com" }, 1, true)
    local line = complaint { key = "0a155959" }
    assert.matches("key_file or XFIOT_KEY", line, 1, true)
    assert.is_nil(line:find("0a155959", 1, true))
    assert.has_error(function() fresh().set_flags { timeouts = 1 } end)
  end)

  it("in both languages", function()
    local ok, err = pcall(resolve, { timeout = "soon" })
    assert.is_false(ok)
    assert.matches("timeout（given）应为", err.message, 1, true)
  end)
end)

describe("a good value is taken:", function()
  local rows = {
    { "listen", "0.0.0.0:0" }, { "listen", "[::]:65535" }, { "listen", "localhost:80" },
    { "allow_http", "TRUE", true }, { "allow_http", "on", true }, { "allow_http", "1", true },
    { "allow_http", "off", false }, { "allow_http", "no", false }, { "allow_http", "0", false },
    { "allow_http", false, false }, { "timeout", "0.001", 0.001 }, { "timeout", 3600, 3600 },
    { "wait", 0, 0 }, { "wait", "2678400", 2678400 }, { "utc_offset", "-14:00" }, { "utc_offset", "+0530" },
    { "company_code", "000000" }, { "reports_path", "/a/b-c" },
  }
  for _, row in ipairs(rows) do
    it(("%s %s"):format(row[1], row[2]), function()
      local expected = row[3]
      if expected == nil then expected = row[2] end
      assert.equal(expected, resolve({ [row[1]] = row[2] })[row[1]])
    end)
  end

  it("an offset is seconds", function()
    local settings = fresh()
    assert.same({ 28800, -12600, 0, 19800 }, {
      settings.offset_seconds "+08:00", settings.offset_seconds "-03:30", settings.offset_seconds "+00:00",
      settings.offset_seconds "+0530",
    })
  end)
end)

describe("the key", function()
  local function use(settings)
    return core.signer { merchant_id = "43516709", key_file = settings.key_file }
  end

  it("of a file is used", function()
    local folder = H.tmpdir()
    H.write(folder .. "/key", "0a155959379dc684bfa11f199734b01d\n", "600")
    local signer = use(resolve { config = conf('key_file = "key"', folder) })
    assert.equal("70235129e6240134c5c15f2c7420eead971372e67a7f99f5e4c19203361411a1",
      select(2, signer:sign "2017072514484582299619"))
  end)

  for _, mode in ipairs { "644", "640", "604", "660", "602", "610" } do
    it("of a file with mode " .. mode .. " is refused, and how to mend it is said", function()
      local file = H.write(H.tmpdir() .. "/key", "abc", mode)
      local ok, err = pcall(fresh().signer, { merchant_id = "1", key_file = file })
      assert.is_false(ok)
      assert.matches("chmod 600 " .. file, tostring(err), 1, true)
      assert.is_nil(tostring(err):find("abc", 1, true))
    end)
  end

  -- an access list shows as the right of the file's group, root's
  local as_root = H.run({ "id", "-u" }).stdout == "0\n" and it or pending
  as_root("of root's is used where a service manager hands it over by an access list", function()
    local path = os.tmpname() -- where others may look
    H.write(path, "0a155959379dc684bfa11f199734b01d", "440")
    local script = ([[local signer, why = require("xfiot.core").signer { merchant_id = "1", key_file = %q }
      print(signer and "used" or why)]]):format(path)
    local function read_as(user)
      local words = { "setpriv", "--reuid=" .. user, "--regid=0", "--clear-groups", "env" }
      -- a sanitizer's run-time is for Lua alone, see spec/helper.lua
      if H.preload then words[#words + 1] = "LD_PRELOAD=" .. H.preload end
      table.move({ H.lua, "-e", script }, 1, 3, #words + 1, words)
      return H.run(words).stdout
    end
    assert.equal("used\n", read_as(65534))
    assert.matches("chmod 600", read_as(0))
    assert(os.execute("chmod 444 " .. path))
    assert.matches("chmod 600", read_as(65534))
    os.remove(path)
  end)

  it("needs its merchantId", function()
    local ok, err = pcall(fresh().signer, {})
    assert.is_false(ok)
    assert.matches("merchant_id", tostring(err), 1, true)
  end)

  it("of the environment stands above the file's, below what is given", function()
    local folder = H.tmpdir()
    H.write(folder .. "/key", "file", "600")
    conf('merchant_id = "1"\nkey_file = "key"', folder)
    local script = [[
      local settings = require "xfiot.settings"
      local function token(overrides)
        local values = settings.resolve(overrides)
        settings.require_client(setmetatable({ base_url = "x", company_code = "x" }, { __index = values }))
        return (select(2, settings.signer(values):sign "1"))
      end
      print(token {}) print(token { key_file = "key" })
    ]]
    local function tokens(env)
      local result = H.run({ H.lua, "-e", script }, { cwd = folder, env = env })
      assert.equal("", result.stderr)
      return result.stdout:match "^(%x+)\n(%x+)\n$"
    end
    local function sum(text) return (H.run({ "sha256sum" }, { stdin = text }).stdout:match "^%x+") end
    local of_file, of_environment = sum "file11", sum "environment11"
    assert.same({ of_environment, of_file }, { tokens { XFIOT_KEY = "environment" } })
    assert.same({ of_file, of_file }, { tokens {} })
    assert.same({ of_environment, of_file }, { tokens { XFIOT_KEY = "environment",
        XFIOT_KEY_FILE = "none" } })
  end)
end)

describe("a client needs", function()
  local all = { base_url = "https://a", company_code = "000000", merchant_id = "1", key_file = "k" }

  it("four settings, and all that are missing are named", function()
    fresh().require_client(all)
    for name in pairs(all) do
      local some = {}
      for other, value in pairs(all) do some[other] = other ~= name and value or nil end
      local ok, err = pcall(fresh().require_client, some)
      assert.is_false(ok)
      local missing = err.message_en:match "missing: (.*)$"
      assert.equal(name == "key_file" and "key_file (or XFIOT_KEY)" or name, missing)
    end
  end)

  it("no key where a signer is given", function()
    fresh().require_client { base_url = "x", company_code = "000000", signer = true }
  end)
end)
