-- The client over TLS, against openssl s_server with certificates made on the
-- spot: whom it trusts, and that nothing is let go to one whom it does not.
local C = require "spec.client_helper"
local H = require "spec.helper"
local luapeer = require "luapeer"

local ID, SUCCESS = C.ID, C.SUCCESS
local new_client, write, check_error = C.new_client, C.write, C.check_error

-- Connection: close, for the server ends when its connections have.
local REPLY = ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
  .. "Content-Length: %d\r\n\r\n%s"):format(#SUCCESS, SUCCESS)

-- This machine's OpenSSL would allow everything: it is the client that must not.
local LAX = [[
openssl_conf = lax
[lax]
ssl_conf = lax_ssl
[lax_ssl]
system_default = lax_default
[lax_default]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
]]
local OLD = { "-tls1_1", "-cipher", "ALL:@SECLEVEL=0" }

local folder, certificates

local function openssl(...)
  local made = H.run { "openssl", ... }
  assert.equal(0, made.status, made.stderr)
end

-- A key, and the certificate that it signed itself, for these names.
local function certify(names)
  local path = ("%s/%s.pem"):format(folder, names:gsub("%W", "_"))
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=xfiot", "-addext", "subjectAltName=" .. names, "-keyout", path .. ".key", "-out", path)
  return path
end

-- The same certificate, which ran out yesterday.
local function age(certificate)
  local path = folder .. "/expired.pem"
  openssl("x509", "-in", certificate, "-key", certificate .. ".key", "-days", "-1", "-out", path)
  H.write(path .. ".key", H.read(certificate .. ".key"))
  return path
end

local Server = {}
Server.__index = Server
Server.__close = function(server) if not server.ended then server.process:stop() end end

-- Serves so many connections (1 unless given), then ends; after a minute at the
-- latest, whatever the client does. The first that comes to TLS is sent the
-- reply; what is received is printed.
local function serve(certificate, options, connections)
  local words = { "timeout", "60", "openssl", "s_server", "-accept", "127.0.0.1:0",
                  "-naccept", tostring(connections or 1), "-cert", certificate,
                  "-key", certificate .. ".key", table.unpack(options or {}) }
  for i, word in ipairs(words) do words[i] = H.quote(word) end
  local at = H.tmpdir()
  H.write(at .. "/reply", REPLY)
  -- Held open for writing too: s_server would leave at the end of its input.
  local process = H.start({ "sh", "-c", "mkfifo input && exec <>input && cat reply >input && exec "
                            .. table.concat(words, " ") }, { cwd = at })
  local server = setmetatable({ process = process }, Server)
  server.port = process:expect "^ACCEPT 127%.0%.0%.1:(%d+)$"
  return server
end

function Server:url(host) return ("https://%s:%s"):format(host or "127.0.0.1", self.port) end

-- What it has printed, once it has served all its connections.
function Server:output()
  self.ended = true
  local _, _, text = self.process:stop(false)
  return text
end

describe("TLS", function()
  lazy_setup(function()
    folder = H.tmpdir()
    certificates = { good = certify "IP:127.0.0.1,DNS:localhost", second = certify "IP:127.0.0.1",
                     other = certify "DNS:iot.example.com,IP:127.0.0.2" }
    certificates.expired = age(certificates.good)
  end)

  describe("is spoken with a server", function()
    local rows = {
      { "known by its address" },
      { "known by its name", "localhost" },
      { "of TLS 1.2", nil, { "-tls1_2" } },
      { "of TLS 1.3", nil, { "-tls1_3" } },
    }
    for _, row in ipairs(rows) do
      local name, host, options = table.unpack(row, 1, 3)
      it(name, function()
        local server <close> = serve(certificates.good, options)
        local id, err = write(new_client(server:url(host), { ca_file = certificates.good }))
        assert.equal(ID, id, tostring(err))
        local output = server:output()
        assert.matches("POST /iotcloud/app/", output, 1, true)
        assert.matches("VALVE_CONTROL", output, 1, true)
      end)
    end
  end)

  describe("lets nothing go to a server", function()
    -- its certificate, ca_file, what the detail says
    local rows = {
      { "of no authority that the system knows", "good", nil, "certificate" },
      { "of another authority than ca_file's", "good", "second", "certificate" },
      { "of another name", "other", "other", "127.0.0.1" },
      { "of another name, though this one is its address", "second", "second", "localhost", host = "localhost" },
      { "whose certificate has expired", "expired", "expired", "expired" },
    }
    for _, row in ipairs(rows) do
      local name, certificate, authority, detail = table.unpack(row, 1, 4)
      it(name, function()
        local server <close> = serve(certificates[certificate])
        local id, err = write(new_client(server:url(row.host), { ca_file = certificates[authority] }))
        assert.is_nil(id)
        check_error(err, "creatCmd")
        assert.same({ "transport", false }, { err.kind, err.sent })
        assert.matches(detail, err.detail, 1, true)
        local output = server:output()
        assert.matches("CONNECTION CLOSED", output, 1, true)
        assert.is_nil(output:find("iotcloud", 1, true), output)
      end)
    end

    it("of TLS 1.1, even where OpenSSL allows it", function()
      local server <close> = serve(certificates.good, OLD, 2)
      local env = { XFIOT_BASE_URL = server:url(), XFIOT_CA_FILE = certificates.good, XFIOT_COMPANY_CODE = "000001",
                    XFIOT_MERCHANT_ID = "1", XFIOT_KEY = "key",
                    OPENSSL_CONF = H.write(folder .. "/lax.conf", LAX) }
      local refused = H.run({ "xfiot", "call", "cancel", "deviceId=" .. C.DEVICE }, { env = env })
      assert.equal(1, refused.status, refused.stderr)
      assert.matches("transport", refused.stderr, 1, true)
      assert.matches("Nothing was sent", refused.stderr, 1, true)
      -- nor was it refused because nobody could have spoken with it
      local spoken = H.run({ "openssl", "s_client", "-connect", "127.0.0.1:" .. server.port, table.unpack(OLD) },
        { env = env })
      assert.matches("TLSv1.1", spoken.stdout, 1, true)
      local output = server:output()
      assert.matches("unsupported protocol", output, 1, true)
      assert.is_nil(output:find("iotcloud", 1, true), output)
    end)

    it("of plain HTTP", function()
      local peer <close> = luapeer.start("json", SUCCESS)
      local id, err = write(new_client(peer:url():gsub("http:", "https:"), { ca_file = certificates.good }))
      assert.is_nil(id)
      check_error(err, "creatCmd")
      assert.same({ "transport", false, 0 }, { err.kind, err.sent, peer:requests() })
    end)
  end)

  -- In TLS 1.3 the client is through before the server has looked at its certificate.
  it("leaves in doubt what a server refuses after its own part is done", function()
    local server <close> = serve(certificates.good, { "-tls1_3", "-Verify", "1" })
    local id, err = write(new_client(server:url(), { ca_file = certificates.good }))
    assert.is_nil(id)
    check_error(err, "creatCmd")
    assert.same({ "unknown", "maybe" }, { err.kind, err.sent })
  end)

  it("is not asked for with a ca_file that is not there or is empty", function()
    for _, path in ipairs { folder .. "/nowhere.pem", H.write(folder .. "/empty.pem", ""), folder } do
      local ok, err = pcall(new_client, "https://127.0.0.1:1", { ca_file = path })
      assert.is_false(ok)
      check_error(err, "settings")
      assert.same({ "invalid", false }, { err.kind, err.sent })
      assert.matches("ca_file", err.message_en, 1, true)
      assert.matches(path, err.message_en, 1, true)
    end
  end)
end)
