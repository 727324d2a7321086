-- Price schemes as they are handed over: inline, as JSON or as Lua.

local helper = require "spec.helper"
local tariff_file = require "xfiot.tariff_file"

local JSON = '{"priceOne": 3.28, "ladderGasOne": 300, "priceTime": "20250101000000", "clearMark": 1}'
local READ = { priceOne = 3.28, ladderGasOne = 300, priceTime = "20250101000000", clearMark = 1 }

local GOOD = { -- what it is, file name (nil: inline), text
  { "inline JSON", nil, JSON },
  { "inline JSON after white space", nil, " \n\t" .. JSON .. "\n" },
  { "a JSON file", "prices.json", JSON },
  { "a JSON file of another name", "prices", JSON },
  { "a Lua file that returns a table", "prices.lua",
    'return { priceOne = 3.28, ladderGasOne = 300, priceTime = "20250101000000", clearMark = 1 }' },
  { "a Lua file that sets names", "prices.lua",
    'priceOne = 3.28\nladderGasOne = 3 * 100\npriceTime = "20250101000000"\nclearMark = 1' },
}

local BAD = { -- what it is, file name (nil: inline), text, what the rule says
  { "inline text that is no JSON", nil, "{priceOne: 3}", "no JSON object" },
  { "inline JSON with more behind it", nil, JSON .. " x", "no JSON object" },
  { "a JSON file that is empty", "p.json", "", "no JSON object" },
  { "a JSON file that holds a number", "p.json", "3.28", "no JSON object" },
  { "a JSON file that holds null", "p.json", "null", "no JSON object" },
  { "a JSON file that holds a list", "p.json", "[3.28]", "no JSON object" },
  { "a JSON file with NaN", "p.json", '{"priceOne": NaN}', "no JSON object" },
  { "a JSON file in GBK", "p.json", '{"name": "\xbc\xdb\xb8\xf1"}', "no JSON object" },
  { "a file that is too large", "p.json", (" "):rep(65 * 1024) .. JSON, "larger than" },
  { "a Lua file with a mistake", "p.lua", "priceOne = = 3", "no Lua file" },
  { "a Lua file that raises", "p.lua", "error 'no prices today'", "cannot be used" },
  { "a Lua file that does not end", "p.lua", "while true do end", "cannot be used" },
  { "a Lua file that does not end in a protected call", "p.lua",
    "local function f() return f() end f()", "cannot be used" },
  { "a Lua file that would read other files", "p.lua", "return io.open('/etc/passwd')", "cannot be used" },
  { "a Lua file that would load code", "p.lua", "return load('x')", "cannot be used" },
  { "compiled Lua", "p.lua", string.dump(function() return {} end), "no Lua file" },
}

local function handed_over(name, text)
  if not name then return text end
  return helper.write(helper.tmpdir() .. "/" .. name, text)
end

describe("a price scheme", function()
  for _, row in ipairs(GOOD) do
    it("is read from " .. row[1], function()
      assert.are.same(READ, (assert(tariff_file.read(handed_over(row[2], row[3])))))
    end)
  end

  it("that is a table already stays as it is", function()
    assert.are.equal(READ, (tariff_file.read(READ)))
  end)

  for _, row in ipairs(BAD) do
    it("is refused: " .. row[1], function()
      local scheme, rule, rule_zh = tariff_file.read(handed_over(row[2], row[3]))
      assert.is_nil(scheme)
      assert.truthy(rule:find(row[4], 1, true), rule)
      assert.truthy(#rule_zh > 0)
      assert.is_nil(rule:find("\n", 1, true), rule)
    end)
  end

  it("is refused: a file that is not there, named", function()
    local scheme, rule = tariff_file.read "/nowhere/prices.json"
    assert.is_nil(scheme)
    assert.truthy(rule:find("/nowhere/prices.json", 1, true), rule)
  end)

  it("is refused: a folder", function()
    local scheme, rule = tariff_file.read(helper.tmpdir())
    assert.is_nil(scheme)
    assert.truthy(rule:find("cannot be read", 1, true), rule)
  end)

  it("is refused: what is neither text nor table", function()
    for _, value in ipairs { 5, true, print } do assert.is_nil((tariff_file.read(value))) end
  end)

  it("keeps every digit of its numbers as they were written", function()
    local scheme = assert(tariff_file.read '{"ladderGasOne": 2147483647, "priceOne": 0.1}')
    assert.are.equal(2147483647, math.tointeger(scheme.ladderGasOne))
    assert.are.equal(0.1, scheme.priceOne)
  end)

  it("in a Lua file changes nothing outside", function()
    local path = helper.write(helper.tmpdir() .. "/p.lua", "string = 5 print = 6 priceOne = 1")
    assert.are.same({ string = 5, print = 6, priceOne = 1 }, (assert(tariff_file.read(path))))
    assert.are.equal("function", type(print))
    assert.are.equal("table", type(string))
  end)
end)
