-- Billing by handlers, and the scripts about it, against the platform inside.

local V = require "spec.verbs_helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local tariff = require "xfiot.tariff"
local xfiot = require "xfiot"

local Y = V.tariff { priceTime = "20250101000000" }

local function report(id, time, total, received)
  return { deviceId = id, receiveTime = received or time, callbackData = { data = {
    { serviceId = "GeneralDataInfo", serviceData = { deviceTime = time, totalUseValue = total } } } } }
end

describe("billing", function()
  local box, book, id

  before_each(function()
    box = V.open()
    book = xfiot.settlement(box.client)
    id = box.sandbox:device(V.BACKEND).deviceId
  end)
  after_each(function()
    box.client.orders:journal():close()
    box.sandbox:close()
  end)

  local function open(balance, ladder)
    book:open { deviceNo = V.BACKEND, deviceId = id, tariff = Y, at = "20260101000000", reading = 0,
                ladder = ladder or 0, balance = balance }
  end
  local function hand_over(handlers, time, total, number)
    handlers.report(report(id, time, total), { client = box.client, id = number or 1, key = "1.1.report" })
  end
  local function done(method)
    local count = 0
    for _, row in ipairs(box:done(V.BACKEND)) do
      if row.method == method then count = count + 1 end
    end
    return count
  end

  it("settles each report and tells the display what has changed", function()
    open("100.00", "299")
    local handlers = xfiot.billing { every = 0 }
    hand_over(handlers, "20260102000000", "2")
    hand_over(handlers, "20260102000000", "2")
    hand_over(handlers, "20260103000000", "2")
    assert.are.equal(10000 - 328 - 388, book:standing(V.BACKEND).balance)
    assert.are.equal(1, done "BALANCE_SYNC")
    assert.are.same({ balance = 9284, price = 388, tier = 2 }, book:standing(V.BACKEND).told)
  end)

  it("tells it not too often, and then what has come meanwhile", function()
    open "100.00"
    local often, seldom = xfiot.billing { every = 0 }, xfiot.billing()
    hand_over(seldom, "20260102000000", "1")
    hand_over(seldom, "20260103000000", "2")
    assert.are.equal(1, done "BALANCE_SYNC")
    hand_over(often, "20260104000000", "2")
    assert.are.equal(2, done "BALANCE_SYNC")
  end)

  it("does nothing for meters that have no ledger, or are gone", function()
    local handlers = xfiot.billing { every = 0 }
    hand_over(handlers, "20260102000000", "1")
    open "100.00"
    book:close { deviceNo = V.BACKEND, at = "20260103000000", reading = "1", evidence = "x" }
    hand_over(handlers, "20260104000000", "5")
    assert.are.equal(0, done "BALANCE_SYNC")
  end)

  it("settles a meter that keeps its money itself, and tells nobody", function()
    open "1.00"
    local handlers = xfiot.billing { every = 0, low = 5, on_low = function() error "it was called" end }
    local message = report(id, "20260102000000", "1")
    message.callbackData.chargeType = "2"
    handlers.report(message, { client = box.client, id = 1 })
    assert.are.equal(100 - 328, book:standing(V.BACKEND).balance)
    assert.are.equal(0, done "BALANCE_SYNC")
  end)

  it("calls for low balances once each time they fall so low, and never closes a valve by itself", function()
    open "10.00"
    local told = {}
    local function note(what) return function(stands) told[#told + 1] = what .. " " .. stands.balance end end
    local handlers = xfiot.billing { low = "8.00", on_low = note "low", on_overdraft = note "overdraft" }
    hand_over(handlers, "20260102000000", "1")
    hand_over(handlers, "20260103000000", "1.1")
    book:pay { deviceNo = V.BACKEND, order = "R-1", amount = 10 }
    hand_over(handlers, "20260104000000", "1.2")
    hand_over(handlers, "20260105000000", "100")
    assert.are.same({ "low 672", "low -30800", "overdraft -30800" }, told)
    assert.are.equal(0, done "VALVE_CONTROL")
  end)

  it("calls again where a call has failed, and only that", function()
    open "1.00"
    local calls, fails = {}, true
    local handlers = xfiot.billing { low = 5, on_low = function() calls[#calls + 1] = "low" end,
      on_overdraft = function()
        calls[#calls + 1] = "overdraft"
        if fails then error "not now" end
      end }
    assert.has_error(function() hand_over(handlers, "20260102000000", "10") end)
    fails = false
    hand_over(handlers, "20260102000000", "10")
    hand_over(handlers, "20260102000000", "10")
    assert.are.same({ "low", "overdraft", "overdraft" }, calls)
    assert.are.equal(100 - 3280, book:standing(V.BACKEND).balance)
  end)

  it("closes the valve where the policy says so, once", function()
    open "10.00"
    local handlers = xfiot.billing { close_valve_below = "-20.00" }
    hand_over(handlers, "20260102000000", "5")
    assert.are.equal(0, done "VALVE_CONTROL")
    hand_over(handlers, "20260103000000", "20")
    hand_over(handlers, "20260104000000", "21")
    assert.are.equal(1, done "VALVE_CONTROL")
    assert.are.equal("closed", box.sandbox:device(V.BACKEND).valve)
  end)

  it("neither bills nor closes a valve by readings that cannot be believed", function()
    open "10.00"
    local handlers = xfiot.billing { every = 0, close_valve_below = "-20.00" }
    hand_over(handlers, "20260102000000", "100000000")
    handlers.report(report(id, "20990101000000", "50", "20260103000000"), { client = box.client, id = 2 })
    hand_over(handlers, "20260104000000", "1")
    assert.are.same({ 1000 - 328, 2 }, { book:standing(V.BACKEND).balance, book:standing(V.BACKEND).held })
    assert.are.same({ 0, 2 }, { done "VALVE_CONTROL", done "BALANCE_SYNC" })
  end)

  it("takes no policy that it does not understand, naming all of it", function()
    local err = V.failure(xfiot.billing, { every = -1, low = "x", close = true })
    assert.are.equal("close every low", V.paths(err))
  end)

  -- ---- the scripts

  local function script(name, args)
    local workflow = dofile("scripts/" .. name .. ".lua")
    return workflow:start(box.client, workflow:read_args(args))
  end

  it("by balance_sync settles the latest report and tells the display", function()
    book:open { deviceNo = V.BACKEND, deviceId = id, tariff = Y, at = "20250101000000", reading = 0, balance = 50 }
    script("balance_sync", { deviceNo = V.BACKEND })
    assert.are.equal(1, done "BALANCE_SYNC")
    local kinds = {}
    for entry in book:entries(V.BACKEND) do kinds[#kinds + 1] = entry.kind end
    assert.are.same({ "open", "charge", "sync" }, kinds)
    assert.are.equal(5000, book:standing(V.BACKEND).told.balance)
  end)

  it("by balance_sync needs a ledger for what it is not told", function()
    assert.are.equal("deviceNo", V.failure(script, "balance_sync", { deviceNo = V.BACKEND, price = "1" }).field)
    assert.are.equal(0, done "BALANCE_SYNC")
    script("balance_sync", { deviceNo = V.BACKEND, balance = "5.00", price = "3.28", ladderNo = "1" })
    assert.are.equal(1, done "BALANCE_SYNC")
  end)

  local NEW = "07602190100007116"

  it("by meter_swap carries balance and ladder of a backend meter over, also when it is run again", function()
    open("100.00", "290")
    local args = { deviceNo = V.BACKEND, newDeviceNo = NEW, reading = "20", order = "S-1" }
    script("meter_swap", args)
    script("meter_swap", args)
    local stands = book:standing(NEW)
    assert.are.same({ 10000 - 3280 - 3880, 310000, 2, 0 },
      { stands.balance, stands.ladder, stands.tier, book:standing(V.BACKEND).balance })
    assert.are.equal(3, box.client:query({ deviceNo = V.BACKEND }).deviceState)
    box.sandbox:advance(60)
    local opened = box.sandbox:ledger(NEW)
    assert.are.same({ 1, "ACCOUNT_OPEN" }, { #opened, opened[1].method })
  end)

  it("by meter_swap refuses a final reading that the meter cannot show", function()
    open("100.00")
    book:take(V.BACKEND, report(id, "20260102000000", "30"), "push 1")
    local err = V.failure(script, "meter_swap", { deviceNo = V.BACKEND, newDeviceNo = NEW, reading = "20",
                                                  order = "S-1" })
    assert.are.equal("reading", err.field)
    assert.are.equal(2, box.client:query({ deviceNo = V.BACKEND }).deviceState)
  end)

  it("by meter_swap opens a money meter with what the old one had, and its ladder", function()
    local old = box:meter(V.MONEY):report().services.MoneyMeterInfo
    script("meter_swap", { deviceNo = V.MONEY, newDeviceNo = NEW, reading = "0", order = "S-2", cardNo = "0000000001",
                           tariff = core.encode(tariff.new(Y):names()) })
    box.sandbox:advance(60)
    local rows = box.sandbox:ledger(NEW)
    assert.are.same({ "ACCOUNT_OPEN", "LADDER_VALUE_CHANGE" }, { rows[1].method, rows[2].method })
    assert.are.equal(core.decimal(old.surplusMoney, 2), core.decimal(rows[1].amount, 2))
  end)
end)

describe("the example of settlement", function()
  it("bills what serve receives, once though it is pushed twice", function()
    local text = require("spec.helper").read "deploy/SETTLEMENT.lua"
    local box <close> = W.open { handlers = text }
    local book = xfiot.settlement(box.client)
    local id = box.platform.sandbox:device(V.BACKEND).deviceId
    book:open { deviceNo = V.BACKEND, deviceId = id, tariff = Y, at = "20260101000000", reading = 0, balance = 30 }
    local function pushed(time, total)
      local message = W.report("a", { deviceId = id })
      message.receiveTime, message.callbackData.chargeType = time, "0"
      message.callbackData.data = core.array { { serviceId = "GeneralDataInfo", serviceData = {
        totalUseValue = total, deviceTime = time, valveState = "1", batteryVoltage = "3.6",
        meterStatus = { deviceLock = "0", superFlow = "0", magneticInterference = "0", pressureLack = "0",
                        leakAlarm = "0", singleCount = "0", breakLine = "0", valveDamage = "0",
                        remoteCloseValve = "0", valueLack = "0", loseTrack = "0" } } } }
      return box:push { message }
    end
    pushed("20260103000000", "9.0")
    pushed("20260102000000", "4.0")
    pushed("20260103000000", "9.0")
    box:settle()
    assert.are.equal(3000 - 328 * 9, book:standing(V.BACKEND).balance)
    local kinds = {}
    for entry in book:entries(V.BACKEND) do
      if entry.evidence:find "^push" then kinds[#kinds + 1] = entry.kind .. " by " .. entry.evidence end
    end
    assert.are.same({ "charge by push 1", "notice by push 1", "report by push 2" }, kinds)
    assert.truthy(select(2, box:logged "handler").text:find("balance is low", 1, true))
    book.journal:close()
  end)
end)
