-- Pushes reports and command responses to the business system, one after the
-- other per address. A push that is not answered with 200 is kept as failed and
-- not repeated, as the document has it (A4). Faults by rule (fault.lua): lost, late,
-- twice, overtaken (by the next one), forged (a token that is not ours), stale (an old
-- transId), notes (the header names of 3.2's notes, C3).

local clock = require "xfiot.sandbox.clock"
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local KEPT <const> = 100 -- failed pushes remembered
local LINE_MOST <const> = 100000 -- pushes that wait for one address

local Push = {}
Push.__index = Push
Push.__name = "xfiot.sandbox.push"

local function split_url(url)
  local origin, target = url:match("^(https?://[^/?#]+)(.*)$")
  if not origin then error("sandbox: pushes need an http(s) address, got " .. url, 0) end
  return origin, target:sub(1, 1) == "/" and target or "/" .. target
end

local function address(url)
  local origin, target = split_url(url)
  local transport, reason = core.transport {
    base_url = origin, allow_http = true, connect_timeout = 5, timeout = 10,
  }
  if not transport then error("sandbox: " .. reason, 0) end
  return { url = url, transport = transport, target = target, line = {}, how = {}, first = 1, last = 0 }
end

-- The two signing headers as a push has them. Names, transId and token as told.
local function signing_headers(self, how, is_response)
  local trans_id, token = self.signer:sign()
  if how.stale then
    trans_id, token = self.signer:sign(core.timestamp(core.now() - 172800) .. trans_id:sub(15))
  elseif self.switches.C1 == "99" then
    trans_id, token = self.signer:sign(trans_id:sub(1, 14) .. "89999999")
  end
  if how.forged then token = token:reverse() end
  local notes = how.notes or is_response and self.switches.C3 == "notes"
  return (notes and "RandomCode: " or "API_TRANS_ID: ") .. trans_id,
    (notes and "Authorization: " or "API_TOKEN: ") .. token
end

local function post(self, to, body, how)
  local trans_id, token = signing_headers(self, how, to == self.responses)
  return loop.fetch(to.transport, {
    method = "POST",
    target = to.target,
    body = body,
    headers = {
      "Content-Type: application/json",
      "API_ORG_NUM: " .. self.company_code,
      trans_id,
      token,
      "X-Xfiot-Sandbox: 1",
    },
  })
end

local function note_failure(self, to, body, reply)
  self.failures = self.failures + 1
  local why = (reply.status or 0) > 0 and "status " .. reply.status or tostring(reply.why)
  table.insert(self.failed, { url = to.url, body = body, why = why })
  if #self.failed > KEPT then table.remove(self.failed, 1) end
  self.log("push to " .. to.url .. " failed: " .. why)
end

-- The task of one address; ends when there is nothing left to send.
local function drain(self, to)
  while to.line[to.first] and not self.closed do
    local body, how = to.line[to.first], to.how[to.first] or {}
    to.line[to.first], to.how[to.first] = nil, nil
    to.first = to.first + 1
    local ok, reply = pcall(post, self, to, body, how)
    if self.closed then return end
    if ok and reply and reply.status == 200 then
      self.sent = self.sent + 1
    else
      note_failure(self, to, body, ok and reply or { why = reply })
    end
  end
  to.busy = false
end

local function line_up(self, to, body, how)
  if not to or self.closed then return end
  if to.last - to.first >= LINE_MOST then return note_failure(self, to, body, { why = "too many wait" }) end
  to.last = to.last + 1
  to.line[to.last], to.how[to.last] = body, how
  if not to.busy then
    to.busy = true
    loop.spawn(drain, self, to)
  end
end

local HOW <const> = { forged = { forged = true }, stale = { stale = true }, notes = { notes = true } }

-- One that was overtaken goes out behind the next one.
local function release(self, to, name)
  local body = self.held[name]
  self.held[name] = nil
  if body then line_up(self, to, body) end
end

local function add(self, name, to, message)
  if self.closed then return end
  local body = core.encode(core.array { message })
  if self.tap then self.tap(name, body) end
  local fault = self.faults:next(name, "push")
  local kind = fault and fault.kind
  if fault then self.log(("push of a %s, fault %s"):format(name, kind)) end
  if kind == "lost" then return end
  if kind == "late" then
    return self.clock:after(clock.milliseconds(fault.value), function() line_up(self, to, body) end)
  end
  if kind == "overtaken" and not self.held[name] then
    self.held[name] = body
    return
  end
  line_up(self, to, body, HOW[kind])
  if kind == "twice" then line_up(self, to, body) end
  release(self, to, name)
end

--- Whether anybody wants to have reports; making them takes time.
---@return boolean
function Push:wants_reports()
  return self.reports ~= nil or self.tap ~= nil
end

---@return boolean
function Push:wants_responses()
  return self.responses ~= nil or self.tap ~= nil
end

--- Pushes a report message (3.1).
---@param message table
function Push:report(message)
  add(self, "report", self.reports, message)
end

--- Pushes a command response (3.2).
---@param message table
function Push:response(message)
  add(self, "response", self.responses, message)
end

--- The pushes that wait, to be written down.
---@return { name: string, body: string }[]
function Push:pending()
  local list = {}
  for _, name in ipairs { "reports", "responses" } do
    local to = self[name]
    for i = to and to.first or 1, to and to.last or 0 do list[#list + 1] = { name = name, body = to.line[i] } end
  end
  return list
end

--- Takes one that was written down.
---@param row { name: string, body: string }
function Push:restore(row)
  line_up(self, self[row.name], row.body)
end

--- How many pushes wait to be sent.
---@return integer
function Push:waiting()
  local count = 0
  for _, to in pairs { reports = self.reports, responses = self.responses } do
    count = count + to.last - to.first + 1
  end
  return count
end

--- Nothing more is sent.
function Push:close()
  self.closed = true
end

--- `tap(name, body)` is told of every push, "report" or "response", before any fault.
---@param options { reports: string?, responses: string?, signer: table, company_code: string, clock: table,
---  faults: table, switches: table<string, string>, tap: (fun(name: string, body: string))?, log: fun(line: string) }
local function new(options)
  local self = setmetatable({ sent = 0, failures = 0, failed = {}, held = {} }, Push)
  for key, value in pairs(options) do self[key] = value end
  self.reports = options.reports and address(options.reports)
  self.responses = options.responses and address(options.responses)
  return self
end

return { new = new }
