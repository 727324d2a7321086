-- What the specs of `xfiot serve` share: a real process with its worker, pushes
-- signed with our key, and the journal between the two looked at from here.

local C = require "spec.cli_helper"
local W = require "spec.worker_helper"
local core = require "xfiot.core"
local helper = require "spec.helper"
local journal = require "xfiot.journal"
local loop = require "xfiot.loop"

local S = {}

local LIMIT = 30 -- seconds until something must have happened

-- A port that was free a moment ago, for a program that must be told one.
function S.free_port()
  local listener <close> = assert(core.listener { port = 0 })
  return listener:port()
end

local function key_file()
  return helper.write(helper.tmpdir() .. "/key", C.KEY, "600")
end

local Serve = {}
Serve.__index = Serve
Serve.__close = function(self) self:stop() end

local function copy(t)
  local out = {}
  for name, value in pairs(t or {}) do out[name] = value end
  return out
end

-- options: handlers (text of the file; `tell(...)` writes a line that told() reads),
-- env, words, listen, ca_file; before (words in front of the program's own), knock (a
-- port that somebody must connect to before it starts).
function S.start(options)
  local folder = helper.tmpdir()
  local self = setmetatable({ folder = folder, out = folder .. "/out", log = {}, tokens = {} }, Serve)
  local env = copy(options.env)
  env.XFIOT_KEY = env.XFIOT_KEY_FILE == nil and C.KEY or nil
  env.XFIOT_MERCHANT_ID, env.XFIOT_COMPANY_CODE = C.MERCHANT, C.COMPANY
  env.XFIOT_BASE_URL = env.XFIOT_BASE_URL or "http://127.0.0.1:1"
  env.XFIOT_JOURNAL = folder .. "/journal.db"
  self.env = env
  local words = { "xfiot", "serve", "--listen", options.listen or "127.0.0.1:0", table.unpack(options.words or {}) }
  if options.handlers then
    self.path = folder .. "/HANDLERS.lua"
    self:handlers(options.handlers)
    words[#words + 1] = self.path
  end
  if options.before then
    words[1] = helper.xfiot
    words = table.move(words, 1, #words, #options.before + 1, copy(options.before))
  end
  self.process = helper.start(words, { env = env })
  if options.knock then self:knock(options.knock) end
  self.url = self.process:expect "listening at (https?://[%d.:]+)/"
  self.worker = math.tointeger(self.process:expect "event=worker .*state=started pid=(%d+)")
  self.pid = self.process.pid
  self.signer = assert(core.signer { merchant_id = C.MERCHANT, key_file = key_file() })
  self.transport = assert(core.transport { base_url = self.url, timeout = 20, ca_file = options.ca_file,
                                           allow_http = true })
  self.book = journal.open(env.XFIOT_JOURNAL, { read_only = true })
  return self
end

-- Connects until somebody listens, and asks for something that need not be answered.
function Serve:knock(port)
  local transport = assert(core.transport { base_url = "http://127.0.0.1:" .. port, timeout = 5 })
  local request = { method = "GET", target = "/healthz" }
  self:await(function() return loop.fetch(transport, request).status ~= 0 end, "a knock")
end

-- Writes the handlers file.
function Serve:handlers(text)
  helper.write(self.path, ([[
    local function tell(...)
      local file <close> = assert(io.open(%q, "a"))
      file:write(table.concat({ ... }, " "), "\n")
    end
  ]]):format(self.out) .. text)
end

-- What the handlers have told, line by line.
function Serve:told()
  local list, file = {}, io.open(self.out)
  for line in file and file:lines() or function() end do list[#list + 1] = line end
  if file then file:close() end
  return list
end

-- A transId of now that was not used, outside the range that makers of them use.
function Serve:trans_id()
  self.count = (self.count or 0) + 1
  return ("%s8%07d"):format(core.timestamp(core.now()), self.count)
end

-- Sends a push; returns the status, or 0.
function Serve:push(messages, path, headers)
  local trans_id, token = self.signer:sign(self:trans_id())
  self.tokens[#self.tokens + 1] = token
  local body = type(messages) == "string" and messages or core.encode(core.array(messages))
  local reply = loop.fetch(self.transport, {
    method = "POST", target = path or "/deviceReportData", body = body,
    headers = headers or { "API_ORG_NUM: " .. C.COMPANY, "API_TRANS_ID: " .. trans_id, "API_TOKEN: " .. token,
                           "Content-Type: application/json" },
  })
  return reply.status
end

function Serve:get(path)
  local reply = loop.fetch(self.transport, { method = "GET", target = path })
  return reply.status, reply.body
end

-- Waits until a condition holds.
function Serve:await(condition, what) -- luacheck: ignore 212
  local deadline = core.clock() + LIMIT
  while true do
    local value = condition()
    if value then return value end
    if core.clock() > deadline then error("it never came to that: " .. (what or "?"), 2) end
    loop.sleep(0.02)
  end
end

-- The pushes in the journal with a state, as the listing has them.
function Serve:pushes(state)
  return self.book:read("push_list", { states = state and { state } })
end

-- Waits until so many pushes have a state.
function Serve:await_pushes(state, count)
  return self:await(function()
    local list = self:pushes(state)
    return #list >= count and list
  end, ("%d pushes %s"):format(count, state))
end

-- Ends it by a signal (TERM); returns status, signal and everything it has printed.
function Serve:stop(name)
  if self.stopped then return table.unpack(self.stopped, 1, 3) end
  self.book:close()
  self.stopped = { self.process:stop(name or "TERM") }
  return table.unpack(self.stopped, 1, 3)
end

S.report, S.alarm, S.response, S.id = W.report, W.alarm, W.response, W.id

return S
