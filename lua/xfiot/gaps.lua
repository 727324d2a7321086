--- Gaps: devices that should have reported and have not. How often a device
-- reports is set for all (report_every) or learned from its reports. What the
-- platform has of a silent device is fetched and handled like a push.
local core = require "xfiot.core"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"

local gaps = {}

local EVERY = 600        -- seconds between two looks of the worker
local MISSED, MARGIN = 2, 3600 -- intervals that may pass, and seconds of grace, see journal:silent
local REPORT, NO_REPORT = "0", "500050" -- msgType, and the code for a device that has none (3.3)

gaps.fetched = "fetched" -- the headers of what was asked for because a push was missing

--- When a device owed its report, or nil when nobody can tell.
---@param device table see journal:silent
---@param every? number report_every
---@return integer|nil at
function gaps.owed_at(device, every)
  if not device.reported_at then return nil end
  if every then return device.reported_at + math.ceil(every) end
  return device.rhythm and device.reported_at + MISSED * device.rhythm + MARGIN
end

--- Every silent device, page by page.
---@param book xfiot.Journal
---@param now integer
---@param every? number
---@return fun(): table|nil
function gaps.each(book, now, every)
  local page, i, after = {}, 0, nil
  return function()
    i = i + 1
    if not page[i] then
      page, i = book:read("silent", now, every and math.ceil(every), after), 1
      after = page[1] and page[#page].device_id
    end
    return page[i]
  end
end

-- What the journal knows of a device is as new as the platform's report.
local function is_known(device, message)
  return device.report_time ~= nil and message.receiveTime <= device.report_time
end

--- Asks the platform for what a silent device has reported; what is new joins the
--- pushes, marked as fetched.
---@param client xfiot.Client
---@param book xfiot.Journal
---@param device table see journal:silent
---@return "fetched"|"known"|"none" outcome; nil and an error when it could not be asked
---@return xfiot.Error? err
function gaps.fetch(client, book, device)
  local message, err = client:queryReportData { deviceId = device.device_id, msgType = REPORT }
  if not message and err.kind ~= "platform" then return nil, err end
  local refused = not message and err.code ~= NO_REPORT
  local outcome = not message and "none" or message.deviceId ~= device.device_id and "none"
    or is_known(device, message) and "known" or "fetched"
  local trans_id = client:sign()
  book:write(function(file)
    local now = core.now()
    local ok, why = file:asked(device.device_id, now)
    if ok and outcome == "fetched" then
      ok, why = file:push_admit { kind = "report", trans_id = trans_id, headers = gaps.fetched, at = now,
                                  body = core.encode(core.array { message }) }
    end
    if not ok then error(journal.failure(why), 0) end
  end)
  if refused then return nil, err end
  return outcome
end

-- One look: every gap is asked about once.
local function look(worker)
  local every = worker.client.settings.report_every
  for device in gaps.each(worker.journal, core.now(), every) do
    if worker.stopping then return end
    if not device.asked_at then
      local outcome, err = gaps.fetch(worker.client, worker.journal, device)
      worker.log("gap", { device_id = device.device_id, device_no = device.device_no,
                          outcome = outcome or tostring(err) })
      if not outcome and err.kind ~= "platform" then return end -- the platform is not there: later
      if outcome == "fetched" then worker:wake() end
    end
  end
end

--- Looks for gaps from time to time until the worker stops; a task of its own.
---@param worker xfiot.Worker
function gaps.watch(worker)
  while not worker.stopping do
    local ok, err = pcall(look, worker)
    if not ok then worker.log("gaps_not_looked_for", { reason = tostring(err) }) end
    loop.sleep(worker.gaps_every or EVERY)
  end
end

return gaps
