-- Workflows: how they are declared, how arguments are read, what a flow offers,
-- and the shipped scripts as workflows in this process.

local V = require "spec.verbs_helper"
local workflow = require "xfiot.workflow"
local xfiot = require "xfiot"

local function nothing() end

local MISTAKES = { -- definition, what the message says
  { nil, "takes a table" }, { "recharge", "takes a table" }, { {}, "name must be text" },
  { { name = "", run = nothing }, "name must be text" }, { { name = 5, run = nothing }, "name must be text" },
  { { name = "w" }, "run must be a function" }, { { name = "w", run = "recharge" },
      "run must be a function" },
  { { name = "w", run = nothing, args = "deviceNo" }, "args must be a table" },
  { { name = "w", run = nothing, args = { "deviceNo" } }, "argument 1 has the unknown type deviceNo" },
  { { name = "w", run = nothing, args = { amount = "euro" } }, "argument amount has the unknown type euro" },
  { { name = "w", run = nothing, args = { amount = "?" } }, "argument amount has the unknown type" },
  { { name = "w", run = nothing, args = { amount = 5 } }, "argument amount has the unknown type 5" },
}

describe("a workflow's definition", function()
  for _, row in ipairs(MISTAKES) do
    it("is refused: " .. row[2], function()
      local ok, err = pcall(function()
        local made = xfiot.workflow(row[1])
        return made
      end)
      assert.is_false(ok)
      assert.truthy(tostring(err):find(row[2], 1, true), err)
      assert.truthy(tostring(err):find "^xfiot.workflow: "
          or tostring(err):find "workflow_spec.lua:%d+: ", err)
    end)
  end

  it("says where the mistake stands", function()
    local ok, err = pcall(function()
      local made = xfiot.workflow { name = "w" }
      return made
    end)
    assert.is_false(ok)
    assert.truthy(tostring(err):find("workflow_spec.lua:%d+: xfiot.workflow: run must be a function"), err)
  end)

  it("needs a name and a function only", function()
    local w = xfiot.workflow { name = "w", run = nothing }
    assert.is_true(workflow.is(w))
    assert.are.same({}, w:describe())
    assert.are.same({}, w:read_args {})
    assert.is_false(workflow.is { name = "w", run = nothing })
    assert.is_false(workflow.is(nil))
  end)
end)

-- ---- types

local TYPES = { -- type, given, read (nil: refused)
  { "string", "0760", "0760" }, { "string", " ", " " }, { "string", "" }, { "string", 760 },
      { "string", true },
  { "money", "100.00", "100.00" }, { "money", 100, 100 }, { "money", "-5.5", "-5.5" }, { "money", "1.234" },
  { "money", "1e2" }, { "money", "+1" }, { "money", "" }, { "money", "ten" }, { "money", {} },
  { "gas", "0", "0" }, { "gas", "12.345", "12.345" }, { "gas", "-1" }, { "gas", "1.2345" }, { "gas", "much" },
  { "gas", 5 }, { "string", "a\0b" }, { "string", "\xff" }, { "order", " A" }, { "order", "A\u{3000}" },
  { "order", "A\u{200b}B" }, { "order", ("x"):rep(64) .. "/price" },
  { "order", "R-2026-000123", "R-2026-000123" }, { "order", ("单"):rep(64), ("单"):rep(64) },
  { "order", ("单"):rep(65) }, { "order", "" }, { "order", "a\tb" }, { "order", "\xc3" }, { "order", 5 },
  { "integer", "7", 7 }, { "integer", "-7", -7 }, { "integer", "007" }, { "integer", 7, 7 },
      { "integer", 7.0, 7 },
  { "integer", "7.0" }, { "integer", "7 " }, { "integer", "0x7" }, { "integer", "1e3" }, { "integer", 7.5 },
  { "integer", "99999999999999999999" }, { "integer", true }, { "integer", {} }, { "integer", "" },
  { "boolean", "true", true }, { "boolean", "false", false }, { "boolean", false, false },
      { "boolean", "yes" },
  { "boolean", 1 },
  { "time", "20260228235959", "20260228235959" }, { "time", "20260230000000" }, { "time", "2026" },
  { "time", 20260101000000 },
  { "open|close", "open", "open" }, { "open|close", "close", "close" }, { "open|close", "shut" },
  { "open|close", "open|close" }, { "open|close", "Open" }, { "open|close", 0 },
}

local function as_text(value) return type(value) == "string" and ("%q"):format(value) or tostring(value) end

describe("an argument of type", function()
  for _, row in ipairs(TYPES) do
    local kind, given, read = row[1], row[2], row[3]
    it(("%s %s %s"):format(kind, read == nil and "refuses" or "reads", as_text(given):sub(1, 40)), function()
      for _, spec in ipairs { kind, kind .. "?" } do
        local w = xfiot.workflow { name = "w", args = { value = spec }, run = nothing }
        if read ~= nil then
          assert.are.equal(read, w:read_args({ value = given }).value)
          assert.are.equal(math.type(read), math.type(w:read_args({ value = given }).value))
        elseif given == "" and spec:find "?$" then
          assert.is_nil(w:read_args({ value = given }).value)
        else
          local err = V.failure(w.read_args, w, { value = given })
          assert.are.equal("invalid", err.kind)
          assert.are.equal("w", err.operation)
          assert.are.equal("value", err.field)
          assert.is_false(err.sent)
        end
      end
    end)
  end

  it("that is optional may be left out", function()
    local w = xfiot.workflow { name = "w", args = { a = "integer?", b = "open|close?" }, run = nothing }
    assert.are.same({}, w:read_args {})
    assert.are.same({ a = 1, b = "open" }, w:read_args { a = "1", b = "open" })
  end)
end)

describe("a workflow's arguments", function()
  local w = xfiot.workflow {
    name = "w", run = nothing,
    args = { deviceNo = "string", amount = "money", order = "order", note = "string?", state = "open|close" },
  }

  it("are all named when they are bad", function()
    local err = V.failure(w.read_args, w, { amount = "1.234", order = "", state = "ajar", colour = "red" })
    assert.are.equal("amount colour deviceNo order state", V.paths(err))
    local text = tostring(err)
    for _, words in ipairs { "w: invalid", "deviceNo is missing; must be text",
        "colour is not an argument of w",
                             "state must be open or close", "Nothing was sent." } do
      assert.truthy(text:find(words, 1, true), words)
    end
    assert.truthy(err.message:find("deviceNo 缺少；应为文本", 1, true))
  end)

  it("are described, the required ones first", function()
    local names = {}
    for i, arg in ipairs(w:describe()) do
      names[i] = arg.name
      assert.are.equal(arg.name == "note", arg.optional)
      assert.truthy(#arg.en > 0 and #arg.zh > 0)
    end
    assert.are.same({ "amount", "deviceNo", "order", "state", "note" }, names)
    assert.are.equal("open or close", w:describe()[4].en)
  end)
end)

-- ---- running

describe("a flow", function()
  it("offers meters, steps, time and chance", function()
    local box <close> = V.open()
    local order = {}
    local w = xfiot.workflow {
      name = "w", args = { amount = "money" },
      run = function(flow, args)
        assert.are.equal(box.client, flow.client)
        local receipt = flow:meter(V.MONEY):recharge { order = "A", amount = args.amount }
        order[#order + 1] = flow:step("look", function() return "looked" end)
        order[#order + 1] = flow:step("nothing", nothing) == nil
        flow:sleep(0)
        local number = flow:random(6)
        assert.is_true(math.type(number) == "integer" and number >= 1 and number <= 6)
        assert.are.equal(1, flow:random(1))
        assert.are.equal("integer", math.type(flow:now()))
        assert.truthy(flow:timestamp():find("^20%d%d%d%d%d%d%d%d%d%d%d%d$"))
        return receipt.surplus
      end,
    }
    assert.are.equal("7.50", w:start(box.client, w:read_args { amount = "7.5" }))
    assert.are.same({ "looked", true }, order)
  end)

  it("lets a step's and a verb's errors through as they are", function()
    local box <close> = V.open { fault = "creatCmd:code=500033:1:before" }
    local w = xfiot.workflow {
      name = "w",
      run = function(flow, args)
        if args.step then flow:step("bad", function() error({ mine = true }) end) end
        flow:meter(V.MONEY):recharge { order = "A", amount = 1 }
      end,
    }
    assert.are.equal("500033", V.failure(w.start, w, box.client, {}).code)
    local ok, err = pcall(w.start, w, box.client, { step = true })
    assert.is_false(ok)
    assert.is_true(err.mine)
  end)

  it("runs many at once", function()
    local box <close> = V.open()
    local w = xfiot.workflow {
      name = "w", args = { deviceNo = "string" },
      run = function(flow, args)
        flow:sleep(0.001)
        return flow:meter(args.deviceNo):recharge({ order = "A" .. args.deviceNo, amount = 1 }).surplus
      end,
    }
    local results = xfiot.parallel({ V.MONEY, V.MONEY_2, V.COMMERCIAL }, function(number)
      return w:start(box.client, w:read_args { deviceNo = number })
    end)
    for _, result in ipairs(results) do assert.are.equal("1.00", result.value, tostring(result.error)) end
  end)
end)

-- ---- the shipped scripts, where only this process can look on

local function shipped(name, box, given)
  local script = assert(loadfile("scripts/" .. name .. ".lua", "t"))()
  return script:start(box.client, script:read_args(given))
end

describe("opening an account", function()
  local function arguments(number, order)
    return { deviceNo = number, order = order or "O", amount = "50.00", cardNo = "0000000001",
        tariff = V.tariff() }
  end

  for _, number in ipairs { V.MONEY, V.GAS, V.BACKEND, V.COMMERCIAL } do
    it("leaves meter " .. number .. " open", function()
      local box <close> = V.open { opened = false }
      local receipt = shipped("open_account", box, arguments(number))
      assert.are.equal("O", receipt.order)
      local device = box.sandbox:device(number)
      assert.is_true(device.account)
      assert.are.equal("50.00", device.balance)
      assert.are.equal(number == V.COMMERCIAL and 2 or 1, #box:done())
    end)
  end

  it("given again sends nothing more", function()
    local box <close> = V.open { opened = false }
    shipped("open_account", box, arguments(V.COMMERCIAL))
    local sent = box:calls "creatCmd"
    shipped("open_account", box, arguments(V.COMMERCIAL))
    assert.are.equal(sent, box:calls "creatCmd")
  end)

  it("takes the longest order id that a workflow takes", function()
    local box <close> = V.open { opened = false }
    shipped("open_account", box, arguments(V.COMMERCIAL, ("x"):rep(64)))
    assert.is_true(box.sandbox:device(V.COMMERCIAL).account)
  end)

  for _, kind in ipairs { "money", "commercial" } do
    it(("registers a %s meter that is new and leaves it open"):format(kind), function()
      local box <close> = V.open { meters = { { deviceNo = "0760", kind = kind, registered = false } },
                                   opened = false, wake = 0.05 }
      shipped("open_account", box, arguments("0760"))
      local device = box.sandbox:device "0760"
      assert.is_true(device.registered)
      assert.is_true(device.account)
    end)
  end

  it("with bad arguments leaves a new meter alone", function()
    local box <close> = V.open { meters = { { deviceNo = "0760", kind = "money", registered = false } } }
    local given = arguments "0760"
    given.tariff = V.tariff { priceOne = 31 }
    assert.are.equal("invalid", V.failure(shipped, "open_account", box, given).kind)
    assert.is_false(box.sandbox:device("0760").registered)
  end)
end)

describe("a price change", function()
  it("reads back what is in force, or what is to come", function()
    local box <close> = V.open()
    for _, row in ipairs { { "20250101000000", "3.28" }, { "20990101000000", "4.77" } } do
      local receipt = shipped("price_change", box, {
        deviceNo = V.MONEY, order = row[1], clearMark = 0,
        tariff = V.tariff { priceTime = row[1], priceOne = row[2] },
      })
      assert.are.equal(row[2], receipt.price.priceOne)
      assert.are.equal(row[1], receipt.price.priceTime)
    end
  end)
end)
