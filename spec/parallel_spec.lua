-- Many at once: every row is called once, results stand in the order of the rows,
-- one that raises stops nobody.
local core = require "xfiot.core"
local loop = require "xfiot.loop"
local parallel = require "xfiot".parallel

local function numbers(count)
  local list = {}
  for i = 1, count do list[i] = i end
  return list
end

-- An iterator over a list.
local function iterator(list)
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end
end

local function values(results)
  local list = {}
  for i, result in ipairs(results) do
    assert.is_true(result.ok, result.error)
    list[i] = result.value
  end
  return list
end

-- Ends first what was started last.
local function slower_first(row, total)
  for _ = 1, total - row do loop.sleep(0) end
end

describe("results", function()
  for _, concurrency in ipairs { 1, 2, 7, 64, 4096 } do
    it(("stand in the order of the rows, %d at once"):format(concurrency), function()
      local results = parallel(numbers(40), function(row, index)
        slower_first(row, 40)
        return row * 10 + index
      end, { concurrency = concurrency })
      local expected = {}
      for i = 1, 40 do expected[i] = 11 * i end
      assert.same(expected, values(results))
    end)
  end

  it("of an iterator too", function()
    local results = parallel(iterator { "a", "b", "c" }, function(row, index)
      slower_first(index, 3)
      return row .. index
    end)
    assert.same({ "a1", "b2", "c3" }, values(results))
  end)

  it("of nothing are nothing", function()
    assert.same({}, parallel({}, error))
    assert.same({}, parallel(iterator {}, error))
  end)

  it("hold whatever is returned: nothing, false, the first of several", function()
    local results = parallel({ 1, 2, 3, 4 }, function(row)
      if row == 1 then return end
      if row == 2 then return nil end
      if row == 3 then return false end
      return "a", "b"
    end)
    assert.same({ { ok = true }, { ok = true }, { ok = true, value = false }, { ok = true, value = "a" } },
      results)
  end)

  it("take rows of any kind", function()
    local rows = { "x", false, {}, print, 0 }
    assert.same(rows, values(parallel(rows, function(row) return row end)))
  end)

  it("keep errors apart", function()
    local mine = setmetatable({}, { __tostring = function() return "mine" end })
    local results = parallel(numbers(50), function(row)
      if row % 5 == 0 then error(mine) end
      loop.sleep(0)
      if row % 5 == 1 then error("row " .. row, 0) end
      if row % 5 == 2 then error() end
      return row
    end, { concurrency = 8 })
    assert.equal(50, #results)
    for row, result in ipairs(results) do
      local kind = row % 5
      local expected = { [0] = mine, [1] = "row " .. row }
      assert.same({ kind > 2, kind > 2 and row or nil, expected[kind] }, { result.ok, result.value,
        result.error })
    end
  end)
end)

describe("rows", function()
  it("are each called once, and no more at a time than asked", function()
    for _, concurrency in ipairs { 1, 3, 64 } do
      local calls, now, most = {}, 0, 0
      parallel(numbers(200), function(row, index)
        assert(row == index)
        now = now + 1
        most = math.max(most, now)
        calls[#calls + 1] = row
        for _ = 1, row % 3 do loop.sleep(0) end
        now = now - 1
      end, { concurrency = concurrency })
      table.sort(calls)
      assert.same(numbers(200), calls)
      assert.equal(concurrency, most)
    end
  end)

  it("are 64 at a time unless asked", function()
    local now, most = 0, 0
    parallel(numbers(100), function()
      now = now + 1
      most = math.max(most, now)
      loop.sleep(0)
      now = now - 1
    end)
    assert.equal(64, most)
  end)

  it("of an iterator are asked for as there is room", function()
    local given, ended, furthest = 0, 0, 0
    parallel(function()
      if given == 30 then return nil end
      given = given + 1
      furthest = math.max(furthest, given - ended)
      return given
    end, function()
      loop.sleep(0)
      ended = ended + 1
    end, { concurrency = 4 })
    assert.equal(30, ended)
    assert.equal(4, furthest)
  end)

  it("of an iterator that waits keep their index", function()
    local given = 0
    local seen = {}
    local results = parallel(function()
      loop.sleep(0)
      if given == 20 then return nil end
      given = given + 1
      return given
    end, function(row, index)
      seen[#seen + 1] = row
      return index
    end, { concurrency = 4 })
    table.sort(seen)
    assert.same(numbers(20), seen)
    assert.same(numbers(20), values(results))
  end)

  it("are not asked for again behind the end", function()
    local asked = 0
    parallel(function()
      asked = asked + 1
      if asked < 3 then return asked end
    end, function() loop.sleep(0) end, { concurrency = 1 })
    assert.equal(3, asked)
  end)

  it("of an iterator that raises: what runs ends, nothing more starts, and it is raised", function()
    local ended, given = 0, 0
    local err = {}
    local ok, got = pcall(parallel, function()
      given = given + 1
      if given == 5 then error(err) end
      return given
    end, function()
      loop.sleep(0)
      loop.sleep(0)
      ended = ended + 1
    end, { concurrency = 10 })
    assert.is_false(ok)
    assert.equal(err, got)
    assert.equal(4, ended)
    assert.equal(5, given)
  end)
end)

describe("within one another", function()
  it("they all end, level by level", function()
    local results = parallel(numbers(5), function(a)
      return values(parallel(numbers(4), function(b)
        loop.sleep(0)
        return values(parallel({ 1, 2 }, function(c)
          loop.sleep(0)
          return a * 100 + b * 10 + c
        end))
      end, { concurrency = 2 }))
    end, { concurrency = 3 })
    assert.same({ 511, 512 }, values(results)[5][1])
    assert.same({ 541, 542 }, values(results)[5][4])
  end)

  it("and in a coroutine of the caller's own", function()
    local results = parallel(numbers(6), function(a)
      return coroutine.wrap(function()
        return values(parallel(numbers(3), function(b)
          loop.sleep(0)
          return a * 10 + b
        end))
      end)()
    end)
    assert.same({ 61, 62, 63 }, values(results)[6])
  end)

  it("and beside other tasks", function()
    local other = 0
    local task = loop.spawn(function()
      for _ = 1, 10 do
        loop.sleep(0)
        other = other + 1
      end
    end)
    parallel(numbers(10), function() loop.sleep(0) end, { concurrency = 1 })
    loop.join { task }
    assert.equal(10, other)
  end)
end)

describe("bad arguments are refused before anything is called:", function()
  local function never() error "called" end
  local rows = {
    { nil, never }, { "rows", never }, { 5, never }, { {} }, { {}, {} }, { {}, "fn" },
    { { 1 }, never, { concurrency = 0 } }, { { 1 }, never, { concurrency = -1 } },
    { { 1 }, never, { concurrency = 4097 } }, { { 1 }, never, { concurrency = 1.5 } },
    { { 1 }, never, { concurrency = "8" } }, { { 1 }, never, { concurrency = 0 / 0 } },
  }
  for i, row in ipairs(rows) do
    it("row " .. i, function()
      local ok, err = pcall(function() parallel(row[1], row[2], row[3]) end)
      assert.is_false(ok)
      assert.matches("xfiot.parallel: ", err, 1, true)
      assert.matches("parallel_spec.lua", err, 1, true) -- the caller's line
    end)
  end
end)

describe("a thousand calls", function()
  it("each get their own answer over a few connections", function()
    local peer <close> = require "luapeer".start("json", '{"responseCode":"500001","result":null}')
    local transport = core.transport { base_url = peer:url() }
    local results = parallel(numbers(1000), function(row)
      local reply = loop.fetch(transport, { target = "/" .. row })
      assert(reply.status == 200, reply.why)
      return row
    end)
    assert.same(numbers(1000), values(results))
    assert.equal(1000, peer:requests())
    assert.is_true(peer:connections() <= 64)
    local seen = {}
    for i = 1, 1000 do seen[tonumber(peer:request(i):match "^GET /(%d+) ")] = true end
    assert.equal(1000, #seen)
    assert.equal(0, core.open_calls())
  end)
end)
