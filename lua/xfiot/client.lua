--- The client: one method for each operation of the document, by its own name.
-- One flat table goes in, the typed result comes out. A mistake of the caller
-- raises before anything is sent; a failure of the world returns nil and an
-- error object.
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local orders = require "xfiot.orders"
local outcomes = require "xfiot.outcomes"
local settings = require "xfiot.settings"

local start, finish, await = core.start, core.finish, loop.await

---@class xfiot.Client
local Client = {}
Client.__index = Client
Client.__name = "xfiot.client"

local function bad_settings(why)
  error(errors.new { kind = "invalid", operation = "settings", message_en = why }, 0)
end

--- Makes a client from the settings.
---@param overrides? table settings that win over flags, environment and file
---@return xfiot.Client
function Client.new(overrides)
  if overrides ~= nil and type(overrides) ~= "table" then
    error("xfiot.client takes a table of settings, got " .. type(overrides), 3)
  end
  local values = settings.resolve(overrides)
  settings.require_client(values)
  local transport, why = core.transport {
    base_url = values.base_url, ca_file = values.ca_file, proxy = values.proxy,
    connect_timeout = values.connect_timeout, timeout = values.timeout, allow_http = values.allow_http,
  }
  if not transport then bad_settings(why) end
  -- An echo of a call of ours is then no push. Where it cannot be noted, no call fails for it.
  core.note_trans_ids(values.journal or core.journal_path() or "")
  local client = setmetatable({
    transport = transport, signer = settings.signer(values), company_code = values.company_code,
    settings = values, meters = setmetatable({}, { __mode = "v" }),
  }, Client)
  -- whoever overhears a call holds a token that is good for a push: our own are known by this
  local journal = values.journal or core.journal_path()
  if journal then core.note_trans_ids(journal) end
  client.outcomes = outcomes.new(client)
  client.orders = orders.new(client)
  return client
end

local function fail(name, writes, fate, code, result, message)
  if fate ~= "answered" then return errors.unanswered(name, writes, fate, code) end
  if message == "" and type(result) == "string" then message = result end -- C6
  return errors.platform(name, code, message)
end

local ABORTED = 42 -- CURLE_ABORTED_BY_CALLBACK: an idle connection had died, and libcurl would have sent it again

-- Runs a call to its end: result, or nil and an error. A read whose connection
-- was dead is made again once, with a signature of its own.
local perform
function perform(client, name, operation, args, writes, again)
  loop.check()
  local call, faults = start(client.transport, client.signer, operation, args, client.company_code)
  if not call then
    if type(faults) == "table" then error(errors.invalid(name, faults), 0) end
    return nil, errors.new { kind = "transport", operation = name, message_en = faults, sent = false }
  end
  await(call)
  local fate, code, result, message, date = finish(call, operation)
  if date then client:see_date(date) end
  if fate == "answered" and code == "100000" then
    if result == nil then return true end
    return result
  end
  if fate == "unknown" and code.curl == ABORTED and not writes and not again then
    return perform(client, name, operation, args, writes, true)
  end
  return nil, fail(name, writes, fate, code, result, message)
end

for name, row in pairs(core.operations()) do
  local operation, writes = row.operation, row.writes
  Client[name] = function(self, args)
    if not (self and self.transport) then
      error(("call it as client:%s { ... }"):format(name), 2)
    end
    if args ~= nil and type(args) ~= "table" then
      error(("%s takes one table of arguments, got %s"):format(name, type(args)), 2)
    end
    return perform(self, name, operation, args or {}, writes)
  end
end

--- Takes note of a reply's Date: how far the platform's clock is from ours.
---@param date string
function Client:see_date(date)
  if date == self.date then return end -- of the same second as the one before
  local at = core.http_date(date)
  self.date, self.ahead = date, at and at - core.now()
end

--- How many seconds the platform's clock is ahead of ours, by its last reply in this
--- process; nil before the first, or when it sends no Date.
---@return integer|nil
function Client:clock_ahead()
  return self.ahead
end

--- A transId (a new one unless given) and its token; the key stays in C.
---@param trans_id? string
---@return string trans_id, string token
function Client:sign(trans_id)
  local id, token = self.signer:sign(trans_id)
  if not id then error(errors.bad_argument("sign", "transId", token, token), 0) end
  return id, token
end

--- The meter with a device number: its billing verbs are in xfiot.meter.
---@param device_no string
---@return xfiot.Meter
function Client:meter(device_no)
  local meter = self.meters[device_no]
  if not meter then
    meter = require("xfiot.meter").new(self, device_no)
    self.meters[device_no] = meter
  end
  return meter
end

function Client:__tostring()
  return ("xfiot.client (%s, company %s)"):format(self.settings.base_url, self.company_code)
end

return Client
