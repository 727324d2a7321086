--- The journal in Lua: opened when first needed, and its writes of one turn of
-- the loop put into one commit, so that many orders share one fsync.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"

local journal = {}

local WRITE_TIMEOUT = 60 -- seconds until a write is given up: a disk that hangs
local LINGER = 0.002     -- seconds a batch waits at most while every turn of the loop adds to it

---@class xfiot.Journal
---@field path string
---@field file userdata the core's handle
local Journal = {}
Journal.__index = Journal
Journal.__name = "xfiot.journal"

--- The error of a journal that does not work.
---@param why string
---@return xfiot.Error
function journal.failure(why)
  return errors.new {
    kind = "transport", operation = "journal", sent = false, message_en = "The journal cannot be used: " .. why,
    message = "订单日志无法使用",
    remedy = "No money moves without the journal. Check its disk and permissions (xfiot doctor).",
  }
end

--- Opens a journal.
---@param path? string default: in the user's data folder
---@param options? { read_only?: boolean }
---@return xfiot.Journal|nil nil: it was to be read only, and nothing was ever written to it
function journal.open(path, options)
  local where = path
  if not where then
    local standard, why = core.journal_path()
    if not standard then error(journal.failure(why), 0) end
    where = standard
  end
  local file, why, blank = core.journal(where, options)
  if blank then return nil end
  if not file then error(journal.failure(why), 0) end
  return setmetatable({ path = where, file = file, batch = nil }, Journal)
end

-- Runs every write of the batch, once a turn of the loop has added none: orders whose
-- answers come one after the other go on together. One that is refused leaves the
-- others; when the commit fails none of them has happened.
local flush
function flush(self)
  local batch, file = self.batch, self.file
  if #batch > batch.seen and core.clock() < batch.due then
    batch.seen = #batch
    loop.after(0, flush, self)
    return
  end
  self.batch = nil
  local ok, why = file:begin()
  if ok then
    for i = 1, #batch do
      local entry = batch[i]
      entry.ok, entry.first, entry.second, entry.third = pcall(entry.write, file, entry.arg)
    end
    ok, why = file:commit()
  end
  loop.cancel(batch.overdue)
  for i = 1, #batch do
    local entry = batch[i]
    if not ok then entry.ok, entry.first = false, journal.failure(why) end
    loop.notify(entry)
  end
end

-- Ends the wait for a batch that was not run to its end.
local function give_up(batch)
  for i = 1, #batch do
    batch[i].ok, batch[i].first = false, journal.failure "it does not answer"
    loop.notify(batch[i])
  end
end

--- Runs write(file, arg) in the next commit, which is not waited for: what is written
--- after it is never on disk before it. One task at most waits for it later.
---@param write fun(file: userdata, arg: any): any, any, any operations of the core's journal; it must not yield
---@param arg? any
---@return table entry `ok` and `first` once it was run; an event of the loop
function Journal:enqueue(write, arg)
  local entry = { write = write, arg = arg, ok = nil, first = nil, second = nil, third = nil, task = nil }
  local batch = self.batch
  if not batch then
    batch = { seen = 0, due = core.clock() + LINGER, overdue = nil }
    batch.overdue = loop.after(WRITE_TIMEOUT, give_up, batch)
    self.batch = batch
    loop.after(0, flush, self)
  end
  batch[#batch + 1] = entry
  return entry
end

--- Runs write(file, arg) in the next commit and waits until it is on disk.
---@param write fun(file: userdata, arg: any): any, any, any operations of the core's journal; it must not yield
---@param arg? any
---@return any what write returned, three values at most
---@return any
---@return any
function Journal:write(write, arg)
  local entry = self:enqueue(write, arg)
  loop.wait(entry)
  if not entry.ok then error(entry.first, 0) end
  return entry.first, entry.second, entry.third
end

--- Reads at once.
---@param name string a reading method of the core's journal
---@param ... any
---@return any
function Journal:read(name, ...)
  local result, why = self.file[name](self.file, ...)
  if result == nil and why then error(journal.failure(why), 0) end
  return result
end

function Journal:close()
  self.file:close()
end
Journal.__close = Journal.close

return journal
