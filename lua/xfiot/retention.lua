--- Retention: how long pushes are kept that are done. What may go is for the journal
-- to say (core/journal_push.h); it goes in small commits, so that neither pushes nor
-- orders wait for it.
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local retention = {}

local DAY = 86400
local EVERY = 3600 -- seconds between two looks of the worker
local PAUSE = 0.05 -- seconds between two commits

--- Takes out what was done so long ago.
---@param book xfiot.Journal
---@param days integer
---@param stopped fun(): boolean asked before each commit
---@return integer count
---@return integer before what came after this time has stayed
function retention.clear(book, days, stopped)
  local now, count, after = core.now(), 0, 0
  while not stopped() do
    local part = book:write(function(file)
      local done, why = file:push_clear(now, days * DAY, after)
      if not done then error(why, 0) end
      return done
    end)
    count, after = count + part.count, part.last
    if part.over then break end
    if part.count > 0 then loop.sleep(PAUSE) end
  end
  return count, now - days * DAY
end

local function look(worker, days)
  local count, before = retention.clear(worker.journal, days, function() return worker.stopping end)
  if count > 0 then worker.log("pushes_cleared", { count = count, received_before = core.timestamp(before) }) end
end

--- Clears from time to time until the worker stops, if `keep_pushes` is set; a task of its own.
---@param worker xfiot.Worker
function retention.watch(worker)
  local days = worker.client.settings.keep_pushes
  while days and not worker.stopping do
    local ok, err = pcall(look, worker, days)
    if not ok then worker.log("pushes_not_cleared", { reason = tostring(err) }) end
    loop.sleep(worker.retention_every or EVERY)
  end
end

return retention
