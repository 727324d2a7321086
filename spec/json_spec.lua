-- JSON in and out: what RFC 8259 refuses is refused, what was read can be written
-- and read again, and nothing is written that is not what was meant.
local H = require "spec.helper"
local core = require "xfiot.core"

local decode, encode, array, null = core.decode, core.encode, core.array, core.null

local function each_file(prefix, fn)
  local pipe = assert(io.popen("ls spec/json"))
  for name in pipe:lines() do
    if name:sub(1, 2) == prefix then fn(name, H.read("spec/json/" .. name)) end
  end
  pipe:close()
end

describe("decode takes", function()
  local count = 0
  each_file("y_", function(name, text)
    count = count + 1
    it(name, function()
      local value, why = decode(text)
      assert.is_nil(why)
      assert.same(value, decode(encode(value)))
      local size = #text
      assert.same(value, decode(text, size))
      assert.is_nil((decode(text, size - 1)))
    end)
  end)

  it("dozens of them", function() assert.is_true(count > 80) end)

  local rows = {
    { "null", null }, { "true", true }, { "false", false }, { '""', "" }, { " [ ] ", {} }, { "{}", {} },
    { "0", 0 }, { "-0", 0 }, { "1.5e3", 1500 }, { "-2147483.64", -2147483.64 }, { "9007199254740992",
      2 ^ 53 },
    { '"\\u4e2d\\ud842\\udfb7\\u0000\\"\\/"', '中𠮷\0"/' }, { '{"a":[null,{"":1}]}', { a = { null,
      { [""] = 1 } } } },
    { "1e308", 1e308 }, { "5e-324", 5e-324 }, { "1e-400", 0 },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.same({ row[2] }, { decode(row[1]) }) end)
  end
end)

describe("decode refuses", function()
  local count = 0
  each_file("n_", function(name, text)
    count = count + 1
    it(name, function()
      local value, why, where = decode(text)
      assert.is_nil(value)
      assert.matches("%a", why)
      assert.equal("integer", math.type(where))
      assert.is_true(where >= 0 and where <= #text)
      assert.same({ nil, why, where }, { decode(text) })
    end)
  end)

  it("hundreds of them", function() assert.is_true(count > 200) end)

  it("what is over the cap, and text is asked for", function()
    assert.equal("x", decode('"x"', 3))
    for _, cap in ipairs { 2, 0, -1, math.mininteger } do assert.is_nil((decode('"x"', cap))) end
    assert.has_error(function() decode {} end)
    assert.has_error(function() decode() end)
  end)

  it("every cut of a text, and every text with a byte too many", function()
    local text = '{"a":[1,-2.5e3,"\\u4e2d中\\n",true,null],"b":{"c":[]}}'
    for size = 0, #text - 1 do assert.is_nil((decode(text:sub(1, size)))) end
    for byte = 0, 255 do
      local more = string.char(byte)
      assert.equal(more:find "^[ \t\r\n]$" ~= nil, decode(text .. more) ~= nil)
    end
  end)
end)

describe("encode writes", function()
  local rows = {
    { null, "null" }, { nil, "null", n = 1 }, { true, "true" }, { "", '""' }, { {}, "{}" }, { array {},
      "[]" },
    { { 1, 2, 3 }, "[1,2,3]" }, { array { "a" }, '["a"]' }, { { 1, null, { null } }, "[1,null,[null]]" },
    { { b = 1, a = 2, ["10"] = 3, ["9"] = 4, B = 5, [""] = 6 }, '{"":6,"10":3,"9":4,"B":5,"a":2,"b":1}' },
    { { ["中"] = 1, z = 2, ["é"] = 3 }, '{"z":2,"é":3,"中":1}' },
    { 0, "0" }, { -1, "-1" }, { math.maxinteger, "9223372036854775807" },
    { math.mininteger, "-9223372036854775808" }, { 2 ^ 53, "9007199254740992" }, { 100.0, "100" }, { 0.1,
      "0.1" },
    { -2147483.64, "-2147483.64" }, { 0.1 + 0.2, "0.30000000000000004" }, { 1 / 3, "0.3333333333333333" },
    { 1e300, "1e+300" }, { 5e-324, "4.94065645841247e-324" },
    { '"\\\b\f\n\r\t/\127', [["\"\\\u0008\u000c\n\r\t/\u007f"]] }, { "\0\1\31", '"\\u0000\\u0001\\u001f"' },
    { "中𠮷\u{2028}", '"中𠮷\u{2028}"' }, { { a = array {}, b = {} }, '{"a":[],"b":{}}' },
  }
  for i, row in ipairs(rows) do
    it(("row %d, %s"):format(i, row[2]:gsub("%c", "?")), function() assert.equal(row[2], encode(row[1])) end)
  end

  it("every float so that it is read back as it was", function()
    local state = 1
    for _ = 1, 2000 do
      state = state * 6364136223846793005 + 1442695040888963407
      local number = string.unpack("d", string.pack("j", state))
      if number == number and math.abs(number) < 1 / 0 then
        assert(decode(encode(number)) == number, ("%a"):format(number))
      end
    end
  end)

  it("the same whatever order the keys came in", function()
    local forth, back = {}, {}
    for i = 1, 500 do forth["k" .. i] = i end
    for i = 500, 1, -1 do back["k" .. i] = i end
    assert.equal(encode(forth), encode(back))
  end)

  it("with keys in the order of their bytes", function()
    local value = { a = 1, B = 2, ab = 3, [""] = 4, ["a\0"] = 5, ["é"] = 6, ["~"] = 7 }
    assert.equal('{"":4,"B":2,"a":1,"a\\u0000":5,"ab":3,"~":7,"é":6}', encode(value))
  end)

  it("as deep as it reads", function()
    local value = {}
    for _ = 1, 31 do value = { value } end
    assert.same(value, decode(encode(value)))
  end)

  it("a mark that array returns on the table itself", function()
    local t = {}
    assert.equal(t, array(t))
    assert.equal("[]", encode(t))
    t[1] = 1
    assert.equal("[1]", encode(t))
    assert.has_error(function() array "x" end)
  end)
end)

describe("encode raises on", function()
  local loop = {}
  loop[1] = { a = loop }
  local named = { 1, 2 }
  named.name = "x"
  local rows = {
    ["a function"] = print, ["a function inside"] = { a = { print } }, ["a thread"] = coroutine.create(print),
    ["a userdata"] = io.stdout, ["another light userdata"] = core.operations().query.operation,
    ["a loop"] = loop, ["NaN"] = 0 / 0, ["infinity"] = 1 / 0, ["minus infinity"] = { -1 / 0 },
    ["invalid UTF-8"] = "\xff", ["an overlong form"] = "\xc0\x80", ["a lone surrogate"] = "\xed\xa0\x80",
    ["invalid UTF-8 in a key"] = { ["\xff"] = 1 }, ["keys that are no text"] = { [true] = 1 },
    ["a key of 0"] = { [0] = 1 }, ["a float for a key"] = { [1.5] = 1 },
    ["a list with names in it"] = named,
  }
  for name, value in pairs(rows) do
    it(name, function()
      assert.has_error(function() encode(value) end)
      assert.equal('{"a":1}', encode { a = 1 }) -- and nothing of it is left behind
    end)
  end

  it("nothing at all", function() assert.has_error(function() encode() end) end)
end)
