-- How long pushes are kept: the worker and `inbox prune` clear what is done; what
-- rests on an open order or a held reading stays until that is decided.
local C = require "spec.cli_helper"
local H = require "spec.helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local journals = require "xfiot.journal"
local retention = require "xfiot.retention"
local settlement = require "xfiot.settlement"

local DAY = 86400
local METER, COMPANY = "07602190100007116", "666666"
local TARIFF = {
  priceOne = "3.28", priceTwo = "3.88", priceThree = "4.77", ladderGasOne = 300, ladderGasTwo = 420, gasType = 1,
  priceVer = 1, pricePeriod = 12, priceTime = "20240101000000", ladderTime = "20240101000000",
}

local function never() return false end

-- Lays a push that came so many days ago into a journal, done then; its id.
local count = 0
local function lay(book, days, device_ids)
  count = count + 1
  local at = core.now() - days * DAY
  local _, id = assert(book.file:push_admit { kind = "report", trans_id = ("2026010100000080%06d"):format(count),
    headers = "", body = "[]", at = at })
  assert(book.file:push_finish { id = id, to = "done", at = at, device_ids = device_ids and core.encode(device_ids) })
  return id
end

local function ids(book)
  local list = {}
  for i, row in ipairs(book:read("push_list", {})) do list[i] = row.id end
  return list
end

describe("retention", function()
  local book, path
  before_each(function()
    path = H.tmpdir() .. "/journal.db"
    book = journals.open(path)
  end)
  after_each(function() book:close() end)

  it("clears what is done and old, page by page, and says how many", function()
    for _ = 1, 300 do lay(book, 91) end
    local young = lay(book, 89)
    local last = lay(book, 91)
    local cleared, before = retention.clear(book, 90, never)
    assert.same({ 300, { young, last } }, { cleared, ids(book) })
    assert.is_true(math.abs(core.now() - 90 * DAY - before) < 60)
    assert.equal(0, (retention.clear(book, 90, never)))
  end)

  it("ends between two commits when it is told to stop", function()
    for _ = 1, 300 do lay(book, 91) end
    local asked = 0
    local cleared = retention.clear(book, 90, function()
      asked = asked + 1
      return asked > 1
    end)
    assert.same({ 128, 172 }, { cleared, #ids(book) })
  end)

  describe("leaves the pushes of a meter whose ledger holds a reading", function()
    local id, ledgers

    local function report(time, total)
      return { deviceId = id, callbackData = { data = {
        { serviceId = "GeneralDataInfo", serviceData = { deviceTime = time, totalUseValue = total } } } } }
    end

    local function take(time, total) return ledgers:take(METER, report(time, total), "push 1") end
    local function judge(deed, time, total)
      ledgers[deed](ledgers, { deviceNo = METER, at = time, reading = total, evidence = "looked at it" })
    end

    -- known = whether the ledger itself knows the meter's id, else the journal's meters do
    for _, known in ipairs { true, false } do
      describe(known and "(opened with its id)" or "(opened by its number)", function()
        before_each(function()
          id = W.id "a"
          ledgers = settlement.new(book, COMPANY)
          ledgers:open { deviceNo = METER, deviceId = known and id or nil, tariff = TARIFF, at = "20240101000000",
                         reading = "0" }
          if not known then
            assert(book.file:remember { company_code = COMPANY, device_no = METER, device_id = id,
                                        updated_at = core.now() })
          end
          lay(book, 91, { id })
          lay(book, 91, { W.id "b", id })
          lay(book, 91, { W.id "b" })
          lay(book, 0)
        end)

        it("until a person sets it aside", function()
          take("20240201000000", "10")
          take("20240301000000", "5")
          assert.equal(1, ledgers:standing(METER).held)
          assert.same({ 1, { 1, 2, 4 } }, { (retention.clear(book, 90, never)), ids(book) })
          judge("ignore", "20240301000000", "5")
          assert.same({ 2, { 4 } }, { (retention.clear(book, 90, never)), ids(book) })
        end)

        it("until a late one that contradicts is decided", function()
          take("20240201000000", "10")
          take("20240301000000", "20")
          take("20240115000000", "500")
          assert.same({ 1, { 1, 2, 4 } }, { (retention.clear(book, 90, never)), ids(book) })
          judge("restore", "20240115000000", "500") -- now the others are held
          assert.equal(0, (retention.clear(book, 90, never)))
          judge("ignore", "20240115000000", "500")
          assert.same({ 2, { 4 } }, { (retention.clear(book, 90, never)), ids(book) })
        end)

        it("and not those of one that was only charged", function()
          take("20240201000000", "10")
          assert.same({ 3, { 4 } }, { (retention.clear(book, 90, never)), ids(book) })
          assert.equal(1, #book.file:ledger_readings(1))
        end)
      end)
    end
  end)
end)

describe("the worker", function()
  it("clears as keep_pushes says, and logs it", function()
    local box <close> = W.open { settings = { keep_pushes = 30 } }
    local old, young = lay(box.book, 31), lay(box.book, 29)
    box:work(function() box:await(function() return box:logged "pushes_cleared" == 1 end, "cleared") end)
    assert.is_nil(box:find(old))
    assert.equal("done", box:find(young).state)
    assert.equal(1, select(2, box:logged "pushes_cleared").count)
  end)

  it("keeps all without it", function()
    local box <close> = W.open {}
    local old = lay(box.book, 4000)
    local other = box:push { W.report "a" }
    box:settle()
    assert.equal("done", box:find(old).state)
    assert.equal("done", box:find(other).state)
    assert.equal(0, box:logged "pushes_cleared")
  end)
end)

describe("xfiot inbox prune", function()
  local path
  before_each(function()
    path = H.tmpdir() .. "/journal.db"
    local book = journals.open(path)
    for _, days in ipairs { 91, 40, 91, 2, 0 } do lay(book, days) end
    book:close()
  end)

  local function prune(words, env)
    env = env or {}
    env.XFIOT_JOURNAL = path
    return C.xfiot({ "inbox", "prune", table.unpack(words) }, { env = env })
  end
  local function left()
    local book <close> = journals.open(path)
    return ids(book)
  end

  it("clears what is older than it is told", function()
    local result = prune { "--older-than", "90d" }
    assert.equal(0, result.status, result.stderr)
    assert.matches("^cleared 2 pushes, received and done before %d+\n$", result.stdout)
    assert.same({ 2, 4, 5 }, left())
    result = prune { "--older-than", "30d", "--json" }
    assert.equal(1, core.decode(result.stdout).cleared)
    assert.same({ 4, 5 }, left())
    local gone = C.xfiot({ "inbox", "show", "2" }, { env = { XFIOT_JOURNAL = path } })
    C.assert_sentence(gone, 2)
    assert.matches("push 2 is not kept any more", gone.stderr, 1, true)
    assert.matches("there is no push 6", C.xfiot({ "inbox", "show", "6" }, { env = { XFIOT_JOURNAL = path } }).stderr,
      1, true)
  end)

  it("goes by keep_pushes otherwise", function()
    assert.equal(0, prune({}, { XFIOT_KEEP_PUSHES = "30" }).status)
    assert.same({ 4, 5 }, left())
  end)

  for _, words in ipairs { {}, { "--older-than", "90" }, { "--older-than", "0d" }, { "--older-than", "-1d" },
    { "--older-than", "1.5d" }, { "--older-than", "90h" }, { "--older-than", "" } } do
    it("clears nothing when told " .. core.encode(core.array(words)), function()
      C.assert_sentence(prune(words), 2)
      assert.equal(5, #left())
    end)
  end
end)
