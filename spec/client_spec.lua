-- The client: what it sends, what it makes of return codes, and the mistakes of its
-- caller, which raise before anything is sent.
local C = require "spec.client_helper"
local H = require "spec.helper"
local core = require "xfiot.core"
local luapeer = require "luapeer"
local xfiot = require "xfiot"

local ID, DEVICE, SUCCESS, RECORD = C.ID, C.DEVICE, C.SUCCESS, C.RECORD
local signer, new_client, write, read, check_error = C.signer, C.new_client, C.write, C.read, C.check_error

describe("a return code", function()
  local function answer(body)
    local peer <close> = luapeer.start("json", core.encode(body))
    local result, err = write(new_client(peer:url()))
    assert.is_nil(result)
    check_error(err, "creatCmd")
    assert.same({ "platform", true }, { err.kind, err.sent })
    return err
  end

  it("brings the platform's words, ours in English, and what to do", function()
    local err = answer { responseCode = "500033", message = "充值量不对", result = core.null }
    assert.same({ "500033", "充值量不对", "rechargeValue" }, { err.code, err.message, err.field })
    assert.equal("Invalid recharge amount", err.message_en)
    assert.matches("500033", tostring(err), 1, true)
  end)

  it("without words has the document's", function()
    assert.equal("充值量参数非法", answer({ responseCode = "500033", message = "" }).message)
    assert.equal("充值量参数非法", answer({ responseCode = "500033" }).message)
  end)

  it("may have its words in result (C6)", function()
    local err = answer { responseCode = "500014", message = "", result = "编码失败" }
    assert.equal("编码失败", err.message)
  end)

  it("that nobody knows is told as such", function()
    local err = answer { responseCode = "599999", message = "" }
    assert.equal("599999", err.code)
  end)

  it("is one line, whatever the platform says", function()
    answer { responseCode = "500033", message = "a\r\nb\27[31mc\0d\127" }
  end)

  it("says whether the command may have been queued all the same", function()
    local codes = require "xfiot.codes"
    local doubtful = {}
    for _, row in ipairs(core.contract().codes) do
      if codes.is_doubtful(row.code) then doubtful[#doubtful + 1] = row.code end
    end
    assert.same({ "500014", "500016", "500023", "500024", "500036", "500038", "500040", "500041",
        "500042" }, doubtful)
    assert.is_true(codes.is_doubtful "599999")
  end)
end)

describe("what is sent:", function()
  local paras = { controlFlag = 1 }
  local calls = {
    register = { { manuId = 1, deviceNo = "1" }, '{"manuId":1,"deviceNo":"1"}' },
    update = { { deviceId = DEVICE, syncFlag = 1 }, '{"syncFlag":1}' },
    query = { { deviceNo = "中 1" }, "" },
    cancel = { { deviceId = DEVICE }, "" },
    authDevices = { { deviceNos = { "1" } }, '{"deviceNos":["1"]}' },
    creatCmd = { { deviceId = DEVICE, command = { method = "VALVE_CONTROL", paras = paras } },
      '{"command":{"method":"VALVE_CONTROL","paras":{"controlFlag":1}}}' },
    queryCmd = { { deviceId = DEVICE, commandId = ID }, "" },
    batchQueryCmd = { { commandIds = { ID } }, '["' .. ID .. '"]' },
    cancelCmd = { { deviceId = DEVICE, commandId = ID }, "" },
    queryReportData = { { deviceId = DEVICE, msgType = "0" }, "" },
  }
  for _, endpoint in ipairs(core.contract().endpoints) do
    it(endpoint.name, function()
      local args, body = table.unpack(calls[endpoint.name])
      local peer <close> = luapeer.start("json", '{"responseCode":"500001"}')
      local client = new_client(peer:url())
      client[endpoint.name](client, args)
      local _, target = core.check(endpoint.name, args, "000001")
      local head, sent = peer:request(1):match "^(.-\r\n)\r\n(.*)$"
      local line, rest = head:match "^(.-)\r\n(.*)$"
      assert.equal(("%s %s HTTP/1.1"):format(endpoint.method, target), line)
      assert.equal(body, sent)
      local headers, count = {}, 0
      for name, value in rest:gmatch "([^:\r\n]+): ?([^\r\n]*)\r\n" do
        headers[name], count = value, count + 1
      end
      assert.is_true(signer:verify(headers.RandomCode, headers.Authorization))
      assert.matches("^%d+$", headers.RandomCode)
      assert.equal(22, #headers.RandomCode)
      assert.equal(("127.0.0.1:%d"):format(peer:port()), headers.Host)
      assert.equal(endpoint.content_type and "application/json" or nil, headers["Content-Type"])
      assert.equal(endpoint.method ~= "GET" and tostring(#body) or nil, headers["Content-Length"])
      assert.matches("^xfiot/", headers["User-Agent"])
      local known = { "RandomCode", "Authorization", "Host", "Content-Type", "Content-Length", "User-Agent",
                      "Accept" }
      for _, name in ipairs(known) do
        if headers[name] then count = count - 1 end
      end
      assert.equal(0, count)
    end)
  end

  it("a new transId for every call", function()
    local peer <close> = luapeer.start("json", RECORD)
    local client, seen = new_client(peer:url()), {}
    for i = 1, 5 do
      read(client)
      seen[peer:request(i):match "RandomCode: (%d+)"] = true
    end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.equal(5, count)
  end)

  it("never through a proxy of the environment", function()
    local out = H.run({ H.lua, "-e", ([[
      local core, xfiot = require "xfiot.core", require "xfiot"
      local peer = require "luapeer".start("json", %q)
      local client = xfiot.client { base_url = peer:url(), company_code = "000000",
        signer = core.signer { example = true } }
      print(client:query { deviceNo = "1" } ~= nil, peer:requests())
    ]]):format(RECORD) }, { env = { http_proxy = "http://127.0.0.1:1", ALL_PROXY = "http://127.0.0.1:1" } })
    assert.equal("true\t1\n", out.stdout, out.stderr)
  end)
end)

describe("the caller's mistakes raise before anything is sent:", function()
  local rows = {
    { "register", {}, { "manuId", "deviceNo" } },
    { "register", { manuId = 1, deviceNo = 1, usrNo = "1" }, { "deviceNo", "usrNo" } },
    { "query", nil, { "deviceNo" } },
    { "query", { deviceNo = "1", companyCode = "1" }, { "companyCode" } },
    { "creatCmd", { deviceId = "1", command = { method = "RECHARGE_REMOTE", paras = { billNo = 0 } } },
      { "deviceId", "command.paras.prepaidType", "command.paras.billNo", "command.paras.rechargeValue" } },
    { "batchQueryCmd", { commandIds = { ID, "1" } }, { "commandIds[2]" } },
  }
  for i, row in ipairs(rows) do
    it(("row %d, %s"):format(i, row[1]), function()
      local peer <close> = luapeer.start("json", SUCCESS)
      local client = new_client(peer:url())
      local ok, err = pcall(client[row[1]], client, row[2])
      assert.is_false(ok)
      check_error(err, row[1])
      assert.same({ "invalid", false }, { err.kind, err.sent })
      local paths, text = {}, tostring(err)
      for k, fault in ipairs(err.fields) do
        paths[k] = fault.path
        assert.matches(fault.path .. " " .. fault.rule, text, 1, true)
        assert.matches(fault.rule_zh, err.message, 1, true)
      end
      table.sort(paths)
      table.sort(row[3])
      assert.same(row[3], paths)
      assert.same({ err.fields[1].path, err.fields[1].code }, { err.field, err.code })
      assert.same({ 0, 0 }, { peer:requests(), peer:connections() })
    end)
  end

  it("no table, no client", function()
    local peer <close> = luapeer.start("json", SUCCESS)
    local client = new_client(peer:url())
    for _, call in ipairs {
      function() client:query "1" end, function() client:query(5) end,
          function() client.query { deviceNo = "1" } end,
      function() client.query() end, function() client:query(true) end,
    } do
      local ok, err = pcall(call)
      assert.is_false(ok)
      assert.matches("client_spec.lua:%d+: ", err) -- the caller's line
    end
    assert.equal(0, peer:connections())
  end)

  it("one of many stops nobody else", function()
    local peer <close> = luapeer.start("json", RECORD)
    local client = new_client(peer:url())
    local results = xfiot.parallel({ "1", "", "3" },
        function(number) return client:query { deviceNo = number } end)
    assert.same({ true, false, true }, { results[1].ok, results[2].ok, results[3].ok })
    assert.equal("invalid", results[2].error.kind)
    assert.equal(2, peer:requests())
  end)
end)

describe("xfiot.client", function()
  local refused = {
    "", "127.0.0.1", "ftp://127.0.0.1", "file:///etc/passwd", "http://example.com", "http://10.0.0.1",
    "http://127.0.0.1.example.com", "http://localhost.example.com", "http://user:secret@127.0.0.1",
    "https://user@example.com", "https://example.com/iotcloud/app", "https://example.com/x?y",
    "https://example.com?y", "https://example.com#y", "https://example.com\\x", "https://", "https://:80",
    "https:///x", "https://a b", "https://example.com:0", "https://example.com:65536",
        "https://example.com:x",
    "https://例子.com", "https://example.com\n", "https://example.com\0",
        ("https://%s.com"):format(("a"):rep(600)),
    "http://[::2]", "http://128.0.0.1",
  }
  for i, url in ipairs(refused) do
    it(("refuses base_url %d"):format(i), function()
      local ok, err = pcall(new_client, url)
      assert.is_false(ok)
      check_error(err, "settings")
      assert.equal("invalid", err.kind)
      assert.matches("base_url", err.message_en, 1, true)
      assert.is_nil(err.message_en:find("secret", 1, true))
    end)
  end

  local taken = {
    "https://example.com", "https://example.com/", "HTTPS://Example.com:8443", "http://127.0.0.1",
        "http://[::1]:80",
    "http://localhost:1/", "http://127.255.255.254",
  }
  for _, url in ipairs(taken) do
    it("takes base_url " .. url, function() assert.is_truthy(new_client(url)) end)
  end

  it("takes http:// to others where it is allowed", function()
    assert.is_truthy(new_client("http://example.com", { allow_http = true }))
  end)

  it("names all settings that are missing", function()
    local ok, err = pcall(xfiot.client, {})
    assert.is_false(ok)
    check_error(err, "settings")
    for _, name in ipairs { "base_url", "company_code", "merchant_id", "key_file", "XFIOT_KEY" } do
      assert.matches(name, tostring(err), 1, true)
    end
  end)

  it("refuses what is no table of settings", function()
    for _, value in ipairs { "x", 1, true } do
      local ok, err = pcall(function() xfiot.client(value) end)
      assert.is_false(ok)
      assert.matches("xfiot.client takes a table", err, 1, true)
    end
    local ok, err = pcall(new_client, "https://example.com", { ca_file = "/no/such/file" })
    assert.is_false(ok)
    assert.matches("ca_file", err.message_en, 1, true)
  end)

  it("signs, without showing its key", function()
    local client = new_client "https://example.com"
    local id, token = client:sign()
    assert.is_true(signer:verify(id, token))
    assert.same({ signer:sign "2017072514484582299619" }, { client:sign "2017072514484582299619" })
    local ok, err = pcall(client.sign, client, "a b")
    assert.is_false(ok)
    assert.same({ "invalid", "transId" }, { err.kind, err.field })
    assert.matches("company 000001", tostring(client), 1, true)
  end)
end)
