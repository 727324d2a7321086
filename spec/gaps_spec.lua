-- Gaps: how a rhythm is learned, and when a silent device is looked for.
local gaps = require "xfiot.gaps"

local HOUR, DAY = 3600, 86400

describe("a rhythm", function()
  -- known, interval, learned
  local rows = {
    { nil, DAY, DAY, "is the first interval" },
    { nil, 59, nil, "is not learned from two reports of one visit" },
    { DAY, 59, DAY, "stays when a visit has two reports" },
    { DAY, DAY, DAY, "stays when it is kept" },
    { DAY, 2 * DAY, DAY + DAY // 4, "moves a quarter of the way" },
    { DAY, HOUR, DAY - (DAY - HOUR) // 4, "moves down likewise" },
    { DAY, 400 * DAY, DAY + 3 * DAY // 4, "is not carried off by a long gap" },
  }
  for _, row in ipairs(rows) do
    it(row[4], function() assert.equal(row[3], gaps.learn(row[1], row[2])) end)
  end

  it("comes to what a meter does after a change", function()
    local rhythm = DAY
    for _ = 1, 40 do rhythm = gaps.learn(rhythm, HOUR) end
    assert.is_true(rhythm >= HOUR and rhythm < HOUR + 4, rhythm)
  end)
end)

describe("a device", function()
  -- device, report_every, when it is looked for (after 0)
  local rows = {
    { {}, DAY, nil, "that has never been seen is not missed" },
    { { last_seen = 0 }, nil, nil, "without a rhythm is not missed" },
    { { last_seen = 0, rhythm = DAY }, nil, 2 * DAY + HOUR, "is missed after two of its intervals and an hour" },
    { { last_seen = 0, rhythm = DAY }, HOUR, HOUR + 360, "is missed by the set rhythm if there is one" },
    { { last_seen = 0 }, DAY, DAY + HOUR, "gets an hour of grace at most" },
    { { last_seen = 5 }, 90.5, 5 + 91 + 10, "is missed on a whole second" },
  }
  for _, row in ipairs(rows) do
    it(row[4], function()
      assert.equal(row[3], gaps.due_at(row[1], row[2]))
      assert.is_false(gaps.is_open(row[1], row[3] or 1e9, row[2]))
      assert.equal(row[3] ~= nil, gaps.is_open(row[1], (row[3] or 1e9) + 1, row[2]))
    end)
  end
end)
