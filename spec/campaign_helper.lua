-- What the specs of campaigns share: a platform in a process of its own, a folder with
-- a journal, and a file of rows.

local C = require "spec.cli_helper"
local core = require "xfiot.core"
local crash = require "spec.crash_helper"
local helper = require "spec.helper"

local M = {}

M.HEAD = "order,deviceNo,amount\n"

-- The orders and amounts of meter i, as crash.judge knows them.
function M.row(i, order) return ("%s,3001%010d,1.%02d\n"):format(order or "A-" .. i .. "-1", i, i % 100) end

function M.rows(first, last)
  local list = { M.HEAD }
  for i = first, last do list[#list + 1] = M.row(i) end
  return table.concat(list)
end

local Stage = {}
Stage.__index = Stage
Stage.__close = function(self) self.platform:stop() end

-- A platform, a folder with a journal and a file of rows.
function M.stage(options)
  local folder = helper.tmpdir()
  local self = setmetatable({ platform = crash.platform(options), folder = folder, csv = folder .. "/rows.csv",
                              results = folder .. "/results.csv", journal = folder .. "/journal.db" }, Stage)
  self.env = self.platform:with(self.journal, 5)
  if options.rows then helper.write(self.csv, options.rows) end
  return self
end

function Stage:words(...)
  return { "run", "recharge", "--from", self.csv, "--results", self.results, ... }
end

function Stage:run(...) return C.xfiot(self:words(...), { env = self.env, limit = 300 }) end

function Stage:start(...)
  return helper.start({ "xfiot", table.unpack(self:words(...)) }, { env = self.env })
end

-- The results: outcome by key, and how many there are of each.
function Stage:outcomes()
  local by_key, count = {}, {}
  local head = true
  for line in io.lines(self.results) do
    if not head then
      local key, outcome = line:match "^([^,]*),[^,]*,([^,]*)"
      by_key[key], count[outcome] = outcome, (count[outcome] or 0) + 1
    end
    head = false
  end
  return by_key, count
end

function Stage:runs(...)
  local list = {}
  local text = C.xfiot({ "runs", "list", "--json", ... }, { env = self.env }).stdout
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(core.decode(line)) end
  return list
end

function Stage:executed() return #self.platform:get("ledger").ledger end

return M
