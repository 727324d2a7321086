-- Signing, and that the key stays where it belongs: in C.
local H = require "spec.helper"
local core = require "xfiot.core"

local vector = core.decode(H.read "spec/contract/examples/signing.vector.json")
local KEY = "Fa0a1b2c3d4e5f60718293a4b5c6d7e8"

local function key_file(text, mode)
  return H.write(H.tmpdir() .. "/key", text or KEY, mode or "600")
end

describe("a token", function()
  it("is that of the document (appendix 8)", function()
    local signers = {
      core.signer { example = true },
      core.signer { merchant_id = vector.merchantId, key_file = key_file(vector.key .. "\n") },
    }
    for _, signer in ipairs(signers) do
      assert.same({ vector.transId, vector.token }, { signer:sign(vector.transId) })
      assert.is_true(signer:verify(vector.transId, vector.token))
    end
    assert.equal(2, #signers)
  end)

  it("is that of sha256sum, for other keys", function()
    local signer = core.signer { merchant_id = "1", key_file = key_file() }
    local id, token = signer:sign "2024013123595980000000"
    local sum = H.run({ "sha256sum" }, { stdin = KEY .. "1" .. id }).stdout
    assert.equal(sum:match "^%x+", token)
  end)

  it("is verified in letters of either case, and nothing else is", function()
    local signer = core.signer { example = true }
    local id, token = vector.transId, vector.token
    assert.is_true(signer:verify(id, token:upper()))
    local flipped = token:sub(1, -2) .. (token:sub(-1) == "1" and "2" or "1")
    local rows = {
      { id, flipped }, { id, token:sub(2) }, { id, token .. "0" }, { id, "" }, { id, token .. "\0" },
      { id:sub(1, -2) .. "8", token }, { "", token }, { id .. "\0", token }, { id .. " ", token },
      { id, ("g"):rep(64) },
    }
    for _, row in ipairs(rows) do assert.is_false(signer:verify(row[1], row[2])) end
    for i = 1, 64 do
      local digit = token:sub(i, i) == "0" and "1" or "0"
      assert.is_false(signer:verify(id, token:sub(1, i - 1) .. digit .. token:sub(i + 1)))
    end
  end)

  it("is only for plain text", function()
    local signer = core.signer { example = true }
    for _, id in ipairs { "", " ", "a b", "\0", "a\n", "中", ("1"):rep(257), "\127" } do
      local got, why = signer:sign(id)
      assert.is_nil(got)
      assert.matches("^the transId ", why)
    end
    assert.has_error(function() signer:sign {} end)
    assert.has_error(function() signer:verify(vector.transId) end)
  end)
end)

describe("transIds", function()
  it("are 22 digits: Chinese time, and 80000000 to 89999998", function()
    local signer = core.signer { example = true }
    local before = core.now()
    for _ = 1, 100 do
      local id, token = signer:sign()
      local time, tail = id:match "^(%d%d%d%d%d%d%d%d%d%d%d%d%d%d)(8%d%d%d%d%d%d%d)$"
      assert.is_truthy(time, id)
      assert.is_true(tonumber(tail) <= 89999998)
      local seconds = core.parse_timestamp(time)
      assert.is_true(seconds >= before and seconds <= core.now())
      assert.is_true(signer:verify(id, token))
    end
  end)

  it("are unique, across the signers of a process", function()
    local signers = { core.signer { example = true }, core.signer { example = true } }
    local seen, count = {}, 0
    for i = 1, 200000 do
      local id = signers[i % 2 + 1]:sign()
      if not seen[id] then count = count + 1 end
      seen[id] = true
    end
    assert.equal(200000, count)
  end)

  it("start elsewhere in every process", function()
    local tails, different = {}, 0
    for _ = 1, 3 do
      local out = H.run({ H.lua, "-e",
        'print((require "xfiot.core".signer { example = true }:sign()))' }).stdout
      local tail = out:match "^%d+":sub(15)
      if not tails[tail] then different = different + 1 end
      tails[tail] = true
    end
    assert.equal(3, different)
  end)
end)

describe("a signer", function()
  it("is refused with a sentence", function()
    local folder = H.tmpdir()
    local function file(name, text, mode) return H.write(folder .. "/" .. name, text, mode) end
    local rows = {
      { { merchant_id = "1" }, "XFIOT_KEY" },
      { { merchant_id = "1", key_file = folder .. "/none" }, "there is no key file" },
      { { merchant_id = "1", key_file = folder }, "not a regular file" },
      { { merchant_id = "1", key_file = file("read", KEY, "640") }, "chmod 600" },
      { { merchant_id = "1", key_file = file("all", KEY, "604") }, "chmod 600" },
      { { merchant_id = "1", key_file = file("write", KEY, "620") }, "chmod 600" },
      { { merchant_id = "1", key_file = file("empty", "\n", "600") }, "has no key" },
      { { merchant_id = "1", key_file = file("two", KEY .. "\n" .. KEY, "600") }, "white space" },
      { { merchant_id = "1", key_file = file("before", " " .. KEY, "600") }, "white space" },
      { { merchant_id = "1", key_file = file("nul", KEY .. "\0", "600") }, "control character" },
      { { merchant_id = "1", key_file = file("chinese", "密钥", "600") }, "beyond ASCII" },
      { { merchant_id = "1", key_file = file("long", ("k"):rep(1025), "600") }, "at most 1024" },
      { { merchant_id = "", key_file = key_file() }, "merchant_id" },
      { { merchant_id = ("1"):rep(65), key_file = key_file() }, "merchant_id" },
      { { merchant_id = "1\0", key_file = key_file() }, "merchant_id" },
    }
    for _, row in ipairs(rows) do
      local signer, why = core.signer(row[1])
      assert.is_nil(signer)
      assert.matches(row[2], why, 1, true)
      assert.is_nil(why:find(KEY, 1, true))
    end
    assert.has_error(function() core.signer {} end)
    assert.has_error(function() core.signer { merchant_id = 1 } end)
    assert.has_error(function() core.signer { merchant_id = "1", key_file = {} } end)
  end)

  it("may have its key file read by its owner alone, or even by nobody else at all", function()
    for _, mode in ipairs { "600", "400" } do
      assert.is_truthy(core.signer { merchant_id = "1", key_file = key_file(KEY .. " \r\n", mode) })
    end
  end)

  it("can be closed, more than once, and says nothing of its key", function()
    local signer = core.signer { merchant_id = "1", key_file = key_file() }
    assert.equal("xfiot.signer", tostring(signer))
    signer:close()
    signer:close()
    assert.equal("xfiot.signer (closed)", tostring(signer))
    assert.has_error(function() signer:sign() end)
    assert.has_error(function() signer:verify("1", "2") end)
    assert.has_error(function() signer.sign(io.stdout) end)
  end)
end)

-- A program for a child: walk() looks at every value that Lua can reach, from the
-- given roots, the registry and the global table, for text that holds the key. It
-- knows the key in two halves, so that it does not find itself.
local WALK = [[
local first, second = string.char(HALF1), string.char(HALF2)
local seen, queue, count = {}, {}, 0
local function add(value)
  if type(value) == "string" then
    local at = value:find(first, 1, true)
    while at do
      if value:sub(at + #first, at + #first + #second - 1) == second then print "FOUND" end
      at = value:find(first, at + 1, true)
    end
  elseif value ~= nil and type(value) ~= "number" and type(value) ~= "boolean" and not seen[value] then
    seen[value] = true
    queue[#queue + 1] = value
    count = count + 1
  end
end
local look = {}
look["table"] = function(t)
  for key, value in next, t do
    add(key)
    add(value)
  end
end
look["function"] = function(f)
  for i = 1, 255 do
    local name, value = debug.getupvalue(f, i)
    if not name then break end
    add(value)
  end
end
look["userdata"] = function(u)
  for i = 1, 16 do add((debug.getuservalue(u, i))) end
end
look["thread"] = function(co)
  for level = 0, 100 do
    local info = debug.getinfo(co, level, "f")
    if not info then break end
    add(info.func)
    for i = 1, 250 do
      local name, value = debug.getlocal(co, level, i)
      if not name then break end
      add(value)
    end
  end
end
local function walk(...)
  for i = 1, select("#", ...) do add((select(i, ...))) end
  add(debug.getregistry())
  add(_G)
  while #queue > 0 do
    local value = table.remove(queue)
    add(debug.getmetatable(value))
    if look[type(value)] then look[type(value)](value) end
  end
  print("walked", count)
end
]]

describe("the key", function()
  local function child(script, env)
    local argv = { H.lua, "-e", script }
    local result = H.run(argv, { env = env })
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    return result.stdout
  end

  local settings = 'base_url = "http://127.0.0.1:1", company_code = "000000", merchant_id = "1"'
  local use = [[
    local xfiot, core = require "xfiot", require "xfiot.core"
    local client = xfiot.client { %s }
    client:sign()
    local _, err = client:query { deviceNo = "1" }
    walk(xfiot, core, client, client.signer, client.transport, err, tostring(err), tostring(client),
      tostring(client.signer))
  ]]
  local middle = #KEY // 2
  local halves = {
    HALF1 = table.concat({ KEY:byte(1, middle) }, ","), HALF2 = table.concat({ KEY:byte(middle + 1, -1) },
      ","),
  }
  local walk = WALK:gsub("HALF%d", halves)

  it("of a file is nowhere in Lua", function()
    local more = settings .. (", key_file = %q"):format(key_file(KEY .. "\n"))
    local out = child(walk .. use:format(more))
    assert.is_nil(out:find "FOUND", out)
    assert.is_true(tonumber(out:match "walked%s+(%d+)") > 200, out)
  end)

  it("of the environment is nowhere in Lua, nor left there", function()
    local out = child(walk .. use:format(settings) .. [[
      print("getenv", os.getenv "XFIOT_KEY")
      local file = io.open("/proc/self/environ", "rb")
      print("environ", file:read("a"):find(first .. second, 1, true))
      file:close()
      local pipe = io.popen "echo child ${XFIOT_KEY-unset}"
      print(pipe:read "l")
      pipe:close()
      print("has", core.has_env_key())
    ]], { XFIOT_KEY = KEY })
    assert.is_nil(out:find "FOUND", out)
    assert.is_true(tonumber(out:match "walked%s+(%d+)") > 200, out)
    assert.matches("getenv%s+nil\n", out)
    assert.matches("environ%s+nil\n", out)
    assert.matches("child unset\n", out)
    assert.matches("has%s+true\n", out)
  end)

  it("would be found if it were somewhere", function()
    local places = {
      "walk { { [1] = 'x' .. key } }", "walk { [key] = 1 }", "walk(function() return key end)",
      "debug.getregistry().hidden = key walk()", "package.loaded.x = { y = { key } } walk()",
      "walk(setmetatable({}, { __index = { key } }))", "debug.getmetatable('').hidden = key walk()",
      "debug.setmetatable(io.stdout, { key }) walk(io.stdout)",
      "local co = coroutine.create(function() local held = key coroutine.yield() return held end) "
        .. "coroutine.resume(co) key = nil walk(co)",
    }
    for _, place in ipairs(places) do
      local out = H.run({ H.lua, "-e", walk .. "local key = first .. second " .. place }).stdout
      assert.matches("FOUND", out, nil, place)
    end
    assert.is_nil(child(walk .. "walk()"):find "FOUND")
  end)

  it("that is none is refused without being repeated", function()
    for _, key in ipairs { "a b", "密钥", ("k"):rep(2000) } do
      local out = child([[
        local core = require "xfiot.core"
        print(core.has_env_key(), os.getenv "XFIOT_KEY", core.signer { merchant_id = "1" })
      ]], { XFIOT_KEY = key })
      assert.matches("^true%s+nil%s+nil%s+the key in XFIOT_KEY", out)
      assert.is_nil(out:find(key, 1, true))
    end
  end)
end)
