-- Every transId that a client makes is noted beside its journal (spec/c/test_own_ids.c has the rest).
local core = require "xfiot.core"
local xfiot = require "xfiot"

describe("transIds of our own", function()
  local path

  before_each(function()
    path = os.tmpname()
    os.remove(path)
  end)
  after_each(function()
    for _, tail in ipairs { "", "-wal", "-shm", "-mark", "-sent" } do os.remove(path .. tail) end
  end)

  local function client()
    return xfiot.client { base_url = "http://127.0.0.1:1", company_code = "000001", journal = path,
                          signer = assert(core.signer { example = true }) }
  end

  local function noted()
    local file = io.open(path .. "-sent", "rb")
    if not file then return nil end
    local text = file:read "a"
    file:close()
    return (text:gsub("%z+", ""))
  end

  it("are noted beside the journal", function()
    assert(core.journal(path)):close()
    local one = client()
    assert.equal("", noted())
    one:sign()
    local first = noted()
    assert.not_equal("", first)
    client():sign() -- the same maker, the same list
    assert.not_equal(first, noted())
  end)

  it("are not noted where there is no journal", function()
    client():sign()
    assert.is_nil(noted())
    assert.is_false(core.note_trans_ids(path))
  end)

  it("are made all the same where they cannot be noted", function()
    assert(core.journal(path)):close()
    assert(os.execute(("mkdir '%s-sent'"):format(path)))
    assert.equal(22, #client():sign())
    assert(os.execute(("rmdir '%s-sent'"):format(path)))
  end)
end)
