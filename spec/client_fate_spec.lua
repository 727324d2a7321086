-- The client against peers that do all that a network and a broken platform can do:
-- what is returned, whether it was sent, and that no write is sent twice.
local C = require "spec.client_helper"
local H = require "spec.helper"
local core = require "xfiot.core"
local luapeer = require "luapeer"
local xfiot = require "xfiot"

local ID, DEVICE, SUCCESS, RECORD = C.ID, C.DEVICE, C.SUCCESS, C.RECORD
local signer, new_client, write, read, check_error = C.signer, C.new_client, C.write, C.read, C.check_error

local SUCCEEDS = [[{"responseCode":"100000"]]

describe("a call without a clean answer:", function()
  -- behaviour, argument, fate of a read, whole requests that the peer has seen
  local rows = {
    { "half_request_reset", nil, "transport", 0 },
    { "reset_before_reply", nil, "transport", 1 },
    { "close_before_reply", nil, "transport", 1 },
    { "no_reply", nil, "timeout", 1 },
    { "half_headers", nil, "transport", 1 },
    { "half_reply", nil, "transport", 1 },
    { "bad_chunk", nil, "transport", 1 },
    { "half_chunks", nil, "transport", 1 },
    { "two_content_lengths", nil, "transport", 1 },
    { "http09", nil, "transport", 1 },
    { "drip", nil, "timeout", 1 },
    { "drip_headers", nil, "timeout", 1 },
    { "endless", nil, "transport", 1 },
    { "endless_headers", nil, "transport", 1 },
    { "big", nil, "transport", 1 },
    { "html_200", nil, "transport", 1 },
    { "empty_200", nil, "transport", 1 },
    { "invalid_utf8", nil, "transport", 1 },
    { "nan", nil, "transport", 1 },
    { "deep", nil, "transport", 1 },
    { "redirect_302", nil, "transport", 1 },
    { "status_500", nil, "transport", 1 },
    { "status:201", SUCCESS, "transport", 1 },
    { "status:404", SUCCESS, "transport", 1 },
    { "status:503", SUCCESS, "transport", 1 },
    { "json", "null", "transport", 1 },
    { "json", "[]", "transport", 1 },
    { "json", "{}", "transport", 1 },
    { "json", SUCCEEDS .. "}", "transport", 1 },
    { "json", SUCCEEDS .. ',"result":null}', "transport", 1 },
    { "json", SUCCEEDS .. ',"result":"short"}', "transport", 1 },
    { "json", SUCCEEDS .. ',"result":[1]}', "transport", 1 },
    { "json", '{"responseCode":"1000000","result":"' .. ID .. '"}', "transport", 1 },
    { "json", SUCCESS .. "x", "transport", 1 },
  }
  local STATUS = { redirect_302 = 302, status_500 = 500, ["status:201"] = 201, ["status:404"] = 404,
                   ["status:503"] = 503 }
  for _, row in ipairs(rows) do
    local behaviour, argument, kind, requests = table.unpack(row, 1, 4)
    local name = behaviour .. (argument and " " .. argument:sub(1, 40) or "")
    local settings = kind == "timeout" and { timeout = 0.2 } or nil

    it("a write, " .. name, function()
      local peer <close> = luapeer.start(behaviour, argument)
      local result, err = write(new_client(peer:url(), settings))
      assert.is_nil(result)
      check_error(err, "creatCmd")
      assert.same({ "unknown", "maybe", requests }, { err.kind, err.sent, peer:requests() })
      assert.is_nil(err.code)
      assert.matches("%S", err.detail)
      assert.is_nil(err.detail:find "\n")
      if STATUS[behaviour] then assert.equal(STATUS[behaviour], err.http_status) end
    end)

    it("a read, " .. name, function()
      local peer <close> = luapeer.start(behaviour, argument)
      local result, err = read(new_client(peer:url(), settings))
      assert.is_nil(result)
      check_error(err, "query")
      assert.same({ kind, "maybe", requests }, { err.kind, err.sent, peer:requests() })
    end)
  end
end)

describe("a call that never left", function()
  it("because nobody listens", function()
    local peer <close> = luapeer.start "refuse"
    local client = new_client(peer:url())
    for operation, call in pairs { creatCmd = write, query = read } do
      local result, err = call(client)
      assert.is_nil(result)
      check_error(err, operation)
      assert.same({ "transport", false }, { err.kind, err.sent })
    end
  end)

  it("because the name does not resolve", function()
    local _, err = write(new_client "https://nobody.invalid")
    check_error(err, "creatCmd")
    assert.same({ "transport", false }, { err.kind, err.sent })
  end)

  it("because there is no TLS at the other end", function()
    local peer <close> = luapeer.start("json", SUCCESS)
    local _, err = write(new_client((peer:url():gsub("http:", "https:"))))
    check_error(err, "creatCmd")
    assert.same({ "transport", false, 0 }, { err.kind, err.sent, peer:requests() })
  end)

  it("or perhaps did, because the connection was reset at once", function()
    local peer <close> = luapeer.start "reset_on_accept"
    local _, err = write(new_client(peer:url()))
    check_error(err, "creatCmd")
    -- whether libcurl saw the reset before it wrote is the network's affair
    assert.equal(err.sent and "unknown" or "transport", err.kind)
    assert.equal(0, peer:requests())
  end)
end)

describe("an answer", function()
  for _, way in ipairs { "json", "chunked", "interim" } do
    it("comes by way of " .. way, function()
      local peer <close> = luapeer.start(way, SUCCESS)
      assert.same({ ID }, { write(new_client(peer:url())) })
      assert.equal(1, peer:requests())
    end)
  end

  it("is typed", function()
    local peer <close> = luapeer.start("json", RECORD)
    local record = read(new_client(peer:url()))
    assert.same({ manuId = 1, deviceNo = "1", deviceId = DEVICE, deviceState = 2, syncFlag = 0 }, record)
    assert.equal("integer", math.type(record.deviceState))
  end)

  it("without a result is true", function()
    local peer <close> = luapeer.start("json", '{"responseCode":"100000","result":null}')
    local client = new_client(peer:url())
    assert.is_true(client:update { deviceId = DEVICE, syncFlag = 0 })
    assert.is_true(client:cancel { deviceId = DEVICE })
    assert.is_true(client:cancelCmd { deviceId = DEVICE, commandId = ID })
  end)

  it("keeps the connection for the next read", function()
    local peer <close> = luapeer.start("json", RECORD)
    local client = new_client(peer:url())
    for _ = 1, 20 do assert.is_truthy(read(client)) end
    assert.same({ 20, 1 }, { peer:requests(), peer:connections() })
  end)

  it("serves two clients with different keys", function()
    local folder = H.tmpdir()
    local file = H.write(folder .. "/key", "other", "600")
    local peer <close> = luapeer.start("json", RECORD)
    read(new_client(peer:url()))
    read(xfiot.client { base_url = peer:url(), company_code = "000002", merchant_id = "9", key_file = file })
    local other = core.signer { merchant_id = "9", key_file = file }
    for i, one in ipairs { signer, other } do
      local text = peer:request(i)
      local id, token = text:match "RandomCode: (%d+)\r\n", text:match "Authorization: (%x+)\r\n"
      assert.is_true(one:verify(id, token))
    end
  end)
end)

describe("a write on a connection that dies", function()
  it("alone is on a fresh one each time", function()
    local peer <close> = luapeer.start("reuse_then_die", SUCCESS)
    local client = new_client(peer:url())
    for _ = 1, 3 do assert.equal(ID, (write(client))) end
    assert.same({ 3, 3 }, { peer:requests(), peer:connections() })
  end)

  it("among others is sent once, whatever becomes of it", function()
    local peer <close> = luapeer.start("reuse_then_die", SUCCESS)
    local client, rows = new_client(peer:url()), {}
    for i = 1, 60 do rows[i] = ("%032d"):format(i) end
    local results = xfiot.parallel(rows, function(device) return { write(client, device) } end,
      { concurrency = 4 })
    for _, result in ipairs(results) do
      local id, err = table.unpack(result.value, 1, 2)
      if not id then assert.same({ "unknown", "maybe" }, { err.kind, err.sent }) end
    end
    local seen = {}
    for i = 1, peer:requests() do
      local device = peer:request(i):match "deviceId=(%d+)"
      seen[device] = (seen[device] or 0) + 1
    end
    for _, device in ipairs(rows) do assert.equal(1, seen[device]) end
    assert.equal(60, peer:requests())
  end)

  it("and a read is simply made again", function()
    local peer <close> = luapeer.start("reuse_then_die", RECORD)
    local client = new_client(peer:url())
    for _ = 1, 4 do assert.is_truthy(read(client)) end
  end)
end)
