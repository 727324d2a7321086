-- A settlement that is killed at any moment has happened wholly or not at all.

local helper = require "spec.helper"

local CHILD = { "lua5.4", "spec/settlement_child.lua" }

local function child(path) return helper.start({ CHILD[1], helper.root .. "/" .. CHILD[2], path }) end

-- Runs to the end: what each segment has come to, and the balance.
local function finish(path)
  local process = child(path)
  local balance = process:expect "^balance (%-?%d+)$"
  assert.are.equal(0, (process:stop(false)))
  local sums = {}
  for _, line in ipairs(process.output) do
    local segment, fen = line:match "^entry (%d+) (%-?%d+)$"
    if segment then sums[segment] = (sums[segment] or 0) - tonumber(fen) end
  end
  return { balance = balance, sums = sums }
end

describe("a settlement that is killed", function()
  it("ends, started again, in the same ledger", function()
    local expected = finish(helper.tmpdir() .. "/journal.db")
    local path = helper.tmpdir() .. "/journal.db"
    for _, day in ipairs { 1, 2, 17, 31, 32, 60, 91, 120, 199 } do
      local process = child(path)
      process:expect(("^day %d$"):format(day))
      process:stop "KILL" -- while it works on the next one, or has just ended it
    end
    assert.are.same(expected, finish(path))
    assert.truthy(next(expected.sums))
  end)
end)
