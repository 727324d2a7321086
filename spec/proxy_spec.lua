-- The examples of deploy/ with the real programs, where these are installed: what
-- they take as correct, and a signed push through each.
local C = require "spec.cli_helper"
local S = require "spec.serving_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"

local function is_there(program)
  return (os.execute(("command -v %s >/dev/null 2>&1"):format(program)))
end

local function read(name)
  local file <close> = assert(io.open(helper.root .. "/deploy/" .. name, "rb"))
  return file:read "a"
end

-- A text with some of its words replaced; each must be there.
local function with(text, changes)
  for _, change in ipairs(changes) do
    local from, to = text:find(change[1], 1, true)
    assert(from, "no " .. change[1])
    while from do
      text = text:sub(1, from - 1) .. change[2] .. text:sub(to + 1)
      from, to = text:find(change[1], from + #change[2], true)
    end
  end
  return text
end

-- A certificate for 127.0.0.1: paths of chain, key, and both in one file.
local function certificate(folder)
  assert(os.execute(([[cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out chain.pem -days 2 \
    -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 2>/dev/null && cat chain.pem key.pem > both.pem]])
    :format(helper.quote(folder))))
  return folder .. "/chain.pem", folder .. "/key.pem", folder .. "/both.pem"
end

local Proxy = {}

function Proxy.nginx(folder, port, backend, underscores)
  local chain, key = certificate(folder)
  local site = with(read "nginx/xfiot.conf", {
    { "127.0.0.1:8088", backend }, { "listen 443 ssl", ("listen 127.0.0.1:%d ssl"):format(port) },
    { "/etc/xfiot/tls/fullchain.pem", chain }, { "/etc/xfiot/tls/key.pem", key },
    { "client_max_body_size 4m", "client_max_body_size 600k" },
    { "underscores_in_headers on;", ("underscores_in_headers %s;"):format(underscores or "on") },
  })
  helper.write(folder .. "/site.conf", site)
  helper.write(folder .. "/nginx.conf", ([[
    user root; daemon off; pid %s/pid; error_log stderr; worker_processes 1;
    events {}
    http {
      access_log off; client_body_temp_path %s/a; proxy_temp_path %s/b; fastcgi_temp_path %s/c;
      uwsgi_temp_path %s/d; scgi_temp_path %s/e;
      include %s/site.conf;
    }
  ]]):gsub("%%s", folder))
  return { "nginx", "-c", folder .. "/nginx.conf", "-p", folder, "-e", "stderr" }, { "-t" }
end

function Proxy.haproxy(folder, port, backend)
  local _, _, both = certificate(folder)
  helper.write(folder .. "/haproxy.cfg", with(read "haproxy/xfiot.cfg", {
    { "127.0.0.1:8088", backend }, { "bind :443", ("bind 127.0.0.1:%d"):format(port) },
    { "/etc/xfiot/tls/both.pem", both }, { "log /dev/log local0", "log stderr format raw local0" },
    { "gt 4194304", "gt 614400" },
  }))
  return { "haproxy", "-db", "-f", folder .. "/haproxy.cfg" }, { "-c" }
end

-- Starts a proxy before `serve`; waits until it takes connections.
local function start(name, serve, ...)
  local folder, port = helper.tmpdir(), S.free_port()
  local argv, check = Proxy[name](folder, port, serve.url:match "//(.*)$", ...)
  local checking = table.move(check, 1, #check, #argv + 1, table.move(argv, 1, #argv, 1, {}))
  local result = helper.run(checking)
  assert(result.status == 0, result.stdout .. result.stderr)
  local process = helper.start(argv)
  local url = ("https://127.0.0.1:%d"):format(port)
  serve.transport = assert(core.transport { base_url = url, timeout = 10, ca_file = folder .. "/chain.pem" })
  serve:await(function() return (serve:get "/healthz") ~= 0 end, name .. " listens")
  return process, url, folder .. "/chain.pem"
end

local function doctor(serve, url, ca_file)
  local env = {}
  for name, value in pairs(serve.env) do env[name] = value end
  env.XFIOT_PUBLIC_URL, env.XFIOT_CA_FILE = url, ca_file
  local printed = C.xfiot({ "doctor" }, { env = env }).stdout
  return printed:match "(%S+) +public_url +([^\n]+)"
end

for name in pairs(Proxy) do
  local test = is_there(name) and it or pending
  describe(name .. " in front of xfiot serve", function()
    test("takes the example, and a signed push goes through over TLS", function()
      local serve <close> = S.start { handlers = "return { report = function(m) tell(m.deviceId:sub(1, 1)) end }" }
      local process, url, ca_file = start(name, serve)
      assert.equal(200, serve:push { S.report "a" })
      assert.equal(200, serve:push({ S.report "b" }, "/deviceResponseData"))
      serve:await_pushes("done", 2)
      local told = serve:told()
      table.sort(told)
      assert.same({ "a", "b" }, told)
      assert.equal(400, serve:push "{")
      assert.equal(401, serve:push({}, nil, { "API_ORG_NUM: 000000", "API_TRANS_ID: " .. serve:trans_id(),
                                              "API_TOKEN: " .. ("0"):rep(64) }))
      assert.equal(404, (serve:get "/metrics"))
      -- HAProxy closes without reading the rest: who still writes may see that alone.
      local large = serve:push('["' .. ("x"):rep(700 * 1024) .. '"]')
      assert.is_true(large == 413 or large == 0, large)
      assert.equal(2, #serve:pushes "done")
      assert.same({ "ok" }, { (doctor(serve, url, ca_file)) })
      process:stop()
    end)

    test("lets a push of many messages through", function()
      local serve <close> = S.start {}
      local process = start(name, serve)
      local messages = {}
      for i = 1, 2000 do messages[i] = S.report(("%x"):format(i % 16)) end
      assert.equal(200, serve:push(messages))
      serve:await_pushes("done", 1)
      process:stop()
    end)
  end)
end

describe("xfiot doctor", function()
  local test = is_there "nginx" and it or pending
  test("finds that nginx drops header names with an underscore", function()
    local serve <close> = S.start {}
    local process, url, ca_file = start("nginx", serve, "off")
    local verdict, text = doctor(serve, url, ca_file)
    assert.equal("FAIL", verdict)
    assert.matches("underscores_in_headers on", text, 1, true)
    process:stop()
  end)

  it("finds that nobody listens at the public address, and leaves no push behind", function()
    local serve <close> = S.start {}
    assert.equal("FAIL", (doctor(serve, "http://127.0.0.1:" .. S.free_port())))
    local verdict, text = doctor(serve, serve.url)
    assert.equal("ok", verdict, text)
    assert.same({}, serve:pushes())
  end)

  it("finds another server at the public address", function()
    local server = C.serve {}
    local serve <close> = S.start {}
    assert.equal("FAIL", (doctor(serve, server.url)))
    server:stop()
  end)
end)

describe("a socket that systemd has opened", function()
  local test = is_there "systemd-socket-activate" and it or pending
  test("is taken over, and children do not hear of it", function()
    local port = S.free_port()
    local serve <close> = S.start {
      before = { "systemd-socket-activate", "--listen", "127.0.0.1:" .. port, "--setenv=XFIOT_KEY",
                 "--setenv=XFIOT_MERCHANT_ID", "--setenv=XFIOT_COMPANY_CODE", "--setenv=XFIOT_BASE_URL",
                 "--setenv=XFIOT_JOURNAL", "--setenv=PATH" },
      knock = port, handlers = "return { report = function() tell(tostring(os.getenv 'LISTEN_FDS')) end }",
    }
    assert.equal("http://127.0.0.1:" .. port, serve.url)
    assert.equal(200, serve:push { S.report "a" })
    serve:await_pushes("done", 1)
    assert.same({ "nil" }, serve:told())
  end)
end)

describe("the unit of systemd", function()
  local test = is_there "systemd-analyze" and it or pending
  test("is taken as correct, and shuts the service in", function()
    local folder = helper.tmpdir()
    local unit = with(read "systemd/xfiot.service", { { "/usr/local/bin/xfiot", helper.xfiot } })
    helper.write(folder .. "/xfiot.service", unit)
    helper.write(folder .. "/xfiot.socket", read "systemd/xfiot.socket")
    local result = helper.run({ "systemd-analyze", "verify", "--man=no", folder .. "/xfiot.service" })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    for line in (result.stdout .. result.stderr):gmatch "[^\n]+" do
      assert.is_nil(line:find("xfiot.s", 1, true) and line, line)
    end
    local exposure = helper.run({ "systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager",
                                  folder .. "/xfiot.service" })
    assert.equal(0, exposure.status, exposure.stdout:match "Overall[^\n]*" or exposure.stderr)
  end)
end)
