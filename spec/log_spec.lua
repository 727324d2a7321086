-- Lines of the worker's log: one event a line, whatever the values hold.
local log = require "xfiot.worker.log"

describe("a line of the log", function()
  local rows = {
    { "push_done", { id = 5, kind = "report" }, "level=info from=worker id=5 kind=report" },
    { "stopped", nil, "level=info from=worker" },
    { "push_failed", { reason = 'no "base"' }, 'level=warning from=worker reason="no \\"base\\""' },
    { "handler", { text = "a\nevent=b" }, 'level=info from=worker text="a\\nevent=b"' },
    { "handler", { text = "" }, 'level=info from=worker text=""' },
    { "handler", { text = "\27[2J\0" }, 'level=info from=worker text=" [2J "' },
    { "handler", { text = "表具" }, "level=info from=worker text=表具" },
    { "handler", { text = "\xff x" }, 'level=info from=worker text="? x"' },
    { "handler", { text = "a=b" }, 'level=info from=worker text="a=b"' },
  }
  for _, row in ipairs(rows) do
    it(("of %s %s"):format(row[1], row[3]), function()
      assert.equal("time=2025-12-31T16:00:00Z event=" .. row[1] .. " " .. row[3], log.line(1767196800, row[1], row[2]))
    end)
  end

  it("is cut where nobody reads on", function()
    assert.is_true(#log.line(0, "handler", { text = ("x"):rep(1000000) }) < 700)
    assert.is_true(#log.line(0, "handler", { text = ("表"):rep(100000) }) < 700)
  end)
end)
