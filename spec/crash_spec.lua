-- Money moves exactly once, whatever dies: clients are killed at random points and
-- at system calls, disks fail, replies are lost, several processes and clients
-- work on one journal. The platform's own ledger is believed, the journal is not.

local crash = require "spec.crash_helper"
local helper = require "spec.helper"

local function new_journal() return helper.tmpdir() .. "/journal.db" end

-- What the judge found, as one text: a few of each kind.
local function told(faults)
  local lines, counts = {}, {}
  for _, fault in ipairs(faults) do
    local kind = fault:match "^%l+"
    counts[kind] = (counts[kind] or 0) + 1
    if counts[kind] <= 5 then lines[#lines + 1] = fault end
  end
  return table.concat(lines, "\n")
end

local function assert_right(platform, states, text, mine)
  local sum, faults, came = crash.judge(platform, states, text, mine)
  assert.are.equal("", told(faults))
  return sum, came
end

local function pick(list, keep)
  local out = {}
  for i, item in ipairs(list) do
    if keep(item, i) then out[#out + 1] = item end
  end
  return out
end

describe("clients killed at random points", function()
  for seed, kills in ipairs { 120, 120 } do
    it(("move money once, with every fault of replies (seed %d)"):format(seed), function()
      local meters = crash.meters_for(kills)
      local platform <close> = crash.platform { meters = meters, seed = seed, faults = crash.faults(seed, 2 * meters) }
      local journal = new_journal()
      local spree = crash.spree(platform, journal, { kills = kills, seed = seed })
      local sum = assert_right(platform, crash.list(platform:with(journal)), spree.text)
      -- or it would prove nothing
      assert.is_true(spree.kills >= kills / 3, "killed only " .. spree.kills)
      for _, state in ipairs { "applied", "unknown", "suspect", "rejected" } do
        assert.is_true(sum[state] > 0, "no order was ever " .. state)
      end
      assert.is_true(sum.executed > meters, ("executed only %d for %d meters"):format(sum.executed, meters))
    end)
  end
end)

describe("replies that go wrong in every way", function()
  it("are never a reason to send again", function()
    local count = 51
    local faults, taken = crash.every_fault(count)
    local platform <close> = crash.platform { meters = count, faults = faults }
    local env = platform:with(new_journal(), 1.5)
    local line = crash.client { first = 1, last = count, at_once = count, wait = 20, again = 2 } .. "\n"
    local text = crash.shell(line, env) .. crash.shell(line, env)
    local sum = assert_right(platform, crash.list(env), text)
    assert.are.equal(count, sum.orders)
    assert.are.equal(taken, sum.executed)
    assert.are.equal(count / 17, sum.rejected) -- one in seventeen faults is a clean no
    assert.are.equal(2 * count / 17, sum.applied) -- and two are only slow
    assert.are.equal(14 * count / 17, sum.unknown)
  end)
end)

describe("several processes on one journal", function()
  it("share orders and meters, and each order goes once", function()
    local platform <close> = crash.platform { meters = 30 }
    local journal = new_journal()
    local line = crash.client { first = 1, last = 30, each = 3, wait = 20 }
    local text = crash.shell(("%s & %s & %s & wait\n"):format(line, line, line), platform:with(journal))
    local sum = assert_right(platform, crash.list(platform:with(journal)), text)
    assert.are.equal(90, sum.orders)
    assert.are.equal(87, sum.executed) -- three are refunds that the meter refuses
    assert.are.equal(87, sum.applied)
    assert.are.equal(3, sum.suspect)
  end)
end)

describe("two clients in one process", function()
  it("with other keys and platforms, killed, keep their money apart", function()
    local kills = 60
    local meters = crash.meters_for(kills)
    local KEY, ID = "canary0the0other0platforms0key000", "99999999"
    local one <close> = crash.platform { meters = meters, seed = 11, faults = crash.faults(11, meters) }
    local two <close> = crash.platform { meters = meters, seed = 12, key = KEY, id = ID }
    local journal = new_journal()
    local key = helper.write(helper.tmpdir() .. "/key", KEY, "600")
    local spree = crash.spree(one, journal, { kills = kills, seed = 5, args = { two = two.url, key = key, id = ID } })
    local states = crash.list(one:with(journal))
    for remainder, platform in pairs { [1] = one, [0] = two } do
      local sum = assert_right(platform, states, spree.text, function(meter) return meter % 2 == remainder end)
      assert.is_true(sum.applied > 0)
      for _, row in ipairs(platform:get("ledger").ledger) do
        assert.are.equal(remainder, tonumber(row.device_no) % 2, "a stranger's order")
      end
    end
  end)
end)

describe("one recharge, call by call,", function()
  local platform, calls, untraceable

  setup(function()
    untraceable = crash.untraceable()
    if untraceable then return end
    platform = crash.platform { meters = 2000 }
    calls = crash.calls(platform, 1)
  end)

  teardown(function()
    if platform then platform:stop() end
  end)

  local function need_tracing()
    if untraceable then pending(untraceable) end
    return untraceable == nil
  end

  -- The platform has the orders of all cases; these are some.
  local function of_cases(results)
    local first, last = results[1].meter, results[#results].meter + results.width - 1
    return function(meter) return meter >= first and meter <= last end
  end

  it("is not sent before sent is on disk", function()
    if not need_tracing() then return end
    local connected, written, synced, posts = false, false, false, 0
    for _, call in ipairs(calls) do
      local on_log = call.text:find("-wal>", 1, true)
      if call.name == "connect" then connected, written, synced = true, false, false end
      if call.name:find "^pwrite" and on_log then written, synced = connected, false end
      if call.name:find "sync$" and on_log then synced = written end
      if call.text:find('"POST /[%w/%.]-/creatCmd') then
        posts = posts + 1
        assert.is_true(written, "nothing was written after the connection was up")
        assert.is_true(synced, "what was written was not synced")
      end
    end
    assert.are.equal(1, posts)
  end)

  it("may be killed anywhere", function()
    if not need_tracing() then return end
    local WORTH <const> = { sendto = true, recvfrom = true, connect = true, fdatasync = true, fsync = true }
    local rows = {}
    for _, call in ipairs(pick(calls, function(call, i) return WORTH[call.name] or i % 20 == 0 end)) do
      rows[#rows + 1] = { call.name, "signal=KILL", call.nth }
    end
    local results = crash.cases(platform, rows, 100, 1)
    local killed = #pick(results, function(result) return result.status == 137 end)
    local states, text = crash.gather(results)
    local sum = assert_right(platform, states, text, of_cases(results))
    assert.is_true(killed >= #rows * 0.9, ("killed only %d of %d"):format(killed, #rows))
    assert.is_true(sum.unknown > 0 and sum.applied > sum.unknown)
  end)

  -- An order that went although the disk had failed for another one and goes on failing.
  local function find_late(result)
    local at = result.first:find("The journal cannot be used", 1, true)
    return at and result.first:match("applied (A%S+)", at)
  end

  local BROKEN <const> = { -- call, action, every so many of its places
    { "fdatasync", "EIO", 1 }, { "pwrite64", "EIO", 13 }, { "pwrite64", "ENOSPC", 13 },
  }

  for i, kind in ipairs(BROKEN) do
    for _, once in ipairs { true, false } do
      it(("may meet %s of %s, %s"):format(kind[2], kind[1], once and "once" or "from then on"), function()
        if not need_tracing() then return end
        local rows = {}
        for n, call in ipairs(pick(calls, function(call) return call.name == kind[1] end)) do
          if n % kind[3] == 0 then
            rows[#rows + 1] = { kind[1], "error=" .. kind[2], call.nth .. (once and "" or "+") }
          end
        end
        local results = crash.cases(platform, rows, 400 + (i * 2 + (once and 0 or 1)) * 100, 2)
        local states, text = crash.gather(results)
        local _, came = assert_right(platform, states, text, of_cases(results))
        for _, result in ipairs(results) do
          local place = ("when=%s\n%s"):format(result.row[3], result.first)
          assert.is_nil(crash.find_lie(result, came), place)
          if not once then assert.is_nil(find_late(result), place) end
        end
      end)
    end
  end
end)

describe("a recharge on a full disk", function()
  it("is refused with nothing sent, or ends in doubt", function()
    local folder = helper.tmpdir()
    if helper.run({ "mount", "-t", "tmpfs", "-o", "size=64k", "none", folder }).status ~= 0 then
      pending "a small disk cannot be mounted here"
      return
    end
    finally(function() helper.run { "umount", "-l", folder } end)
    local platform <close> = crash.platform { meters = 100 }
    local states, text, full = {}, "", 0
    for i = 1, 10 do
      local journal = folder .. "/journal.db"
      local size = ("mount -o remount,size=%dk %s\n"):format(125 + 30 * i, helper.quote(folder))
      local client = crash.client { first = 3 * i - 2, last = 3 * i, each = 1, wait = 1, at_once = 1 } .. "\n"
      local got = crash.shell(size .. client, platform:with(journal))
      full = full + (got:find "disk is full" and 1 or 0)
      text = text .. got .. crash.shell(size:gsub("%d+k", "4096k") .. client, platform:with(journal))
      crash.list(platform:with(journal), states)
      crash.shell(("rm -f %s*\n"):format(helper.quote(journal)), {})
    end
    assert_right(platform, states, text)
    assert.is_true(full > 2, "the disk was full only " .. full .. " times")
  end)
end)
