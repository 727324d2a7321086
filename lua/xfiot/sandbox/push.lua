-- Pushes reports and command responses to the business system, one after the
-- other per address. A push that is not answered with 200 is kept as failed and
-- not repeated, as the document has it (A4).

local core = require "xfiot.core"
local loop = require "xfiot.loop"

local KEPT <const> = 100 -- failed pushes remembered

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
  return { url = url, transport = transport, target = target, line = {}, first = 1, last = 0 }
end

local function post(self, to, body)
  local trans_id, token = self.signer:sign()
  return loop.fetch(to.transport, {
    method = "POST",
    target = to.target,
    body = body,
    headers = {
      "Content-Type: application/json",
      "API_ORG_NUM: " .. self.company_code,
      "API_TRANS_ID: " .. trans_id,
      "API_TOKEN: " .. token,
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
    local body = to.line[to.first]
    to.line[to.first] = nil
    to.first = to.first + 1
    local ok, reply = pcall(post, self, to, body)
    if self.closed then return end
    if ok and reply and reply.status == 200 then
      self.sent = self.sent + 1
    else
      note_failure(self, to, body, ok and reply or { why = reply })
    end
  end
  to.busy = false
end

local function add(self, to, message)
  if not to or self.closed then return end
  to.last = to.last + 1
  to.line[to.last] = core.encode(core.array { message })
  if not to.busy then
    to.busy = true
    loop.spawn(drain, self, to)
  end
end

--- Pushes a report message (3.1).
---@param message table
function Push:report(message)
  add(self, self.reports, message)
end

--- Pushes a command response (3.2).
---@param message table
function Push:response(message)
  add(self, self.responses, message)
end

--- How many pushes wait to be sent.
---@return integer
function Push:waiting()
  local count = 0
  for _, to in pairs { self.reports, self.responses } do
    count = count + to.last - to.first + 1
  end
  return count
end

--- Nothing more is sent.
function Push:close()
  self.closed = true
end

---@param options { reports: string?, responses: string?, signer: table, company_code: string,
---  log: fun(line: string) }
local function new(options)
  return setmetatable({
    reports = options.reports and address(options.reports),
    responses = options.responses and address(options.responses),
    signer = options.signer,
    company_code = options.company_code,
    log = options.log,
    sent = 0,
    failures = 0,
    failed = {},
  }, Push)
end

return { new = new }
