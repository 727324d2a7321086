-- Locks: one holder at a time, also within a process; gone with the process.
local H = require "spec.helper"
local core = require "xfiot.core"

describe("a lock", function()
  it("has one holder, until that closes it", function()
    local path = H.tmpdir() .. "/lock"
    local first = core.lock(path)
    assert.truthy(first)
    assert.is_false((core.lock(path)))
    first:close()
    first:close()
    local second <close> = core.lock(path)
    assert.truthy(second)
    assert.is_false((core.lock(path)))
  end)

  it("is let go by a process that is killed", function()
    local path = H.tmpdir() .. "/lock"
    local script = ([[local lock = require("xfiot.core").lock(%q) print(lock and "mine") io.stdout:flush()
      require("xfiot").sleep(60)]]):format(path)
    local process = H.start { H.lua, "-e", script }
    process:expect "^mine$"
    assert.is_false((core.lock(path)))
    process:stop "KILL"
    local lock <close> = core.lock(path)
    assert.truthy(lock)
  end)

  it("cannot be where there is no folder, nor be a link", function()
    local folder = H.tmpdir()
    local lock, why = core.lock(folder .. "/none/lock")
    assert.is_nil(lock)
    assert.matches("cannot be used", why)
    assert(os.execute(("ln -s /tmp/elsewhere %s/link"):format(folder)))
    assert.is_nil((core.lock(folder .. "/link")))
  end)
end)
