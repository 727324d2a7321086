--- xfiot doctor: what is wrong with the set-up, one line each.
local cli = require "xfiot.cli"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"
local settings = require "xfiot.settings"

local SPACE = 64 * 1024 * 1024 -- bytes the journal should have left: its log alone grows to 16 MiB
local CLOCK_TOLERANCE = 60 -- seconds; transIds carry the time
local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6,
                 Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

local checks = {}

local function report(ok, subject, text)
  cli.out(("%-5s %-14s %s"):format(ok and "ok" or "FAIL", subject, text))
  return ok
end

-- "Sun, 22 Nov 2026 09:00:00 GMT" to seconds since 1970 UTC.
local function http_date(text)
  local day, month, year, hour, minute, second = text:match "(%d+) (%a+) (%d+) (%d+):(%d+):(%d+) GMT"
  if not day or not MONTHS[month] then return nil end
  return core.parse_timestamp(("%04d%02d%02d%s%s%s"):format(year, MONTHS[month], day, hour, minute, second), 0)
end

function checks.settings(state)
  local ok, err = pcall(settings.require_client, state.values)
  if not ok then return report(false, "settings", tostring(err)) end
  report(true, "settings", ("%s, company %s"):format(state.values.base_url, state.values.company_code))
  return true
end

function checks.key(state)
  local ok, signer = pcall(settings.signer, state.values)
  if not ok then return report(false, "key", tostring(signer)) end
  state.signer = signer
  local id, token = signer:sign()
  return report(id and signer:verify(id, token), "key", state.values.key_file or "from the environment or given")
end

function checks.reachability(state)
  local values = state.values
  if not values.base_url then return report(false, "reachability", "base_url is not set") end
  local transport, why = core.transport {
    base_url = values.base_url, ca_file = values.ca_file, proxy = values.proxy, allow_http = values.allow_http,
    connect_timeout = values.connect_timeout, timeout = values.timeout,
  }
  if not transport then return report(false, "reachability", why) end
  local reply = loop.fetch(transport, { method = "GET", target = "/" })
  if reply.status == 0 then return report(false, "reachability", reply.why) end
  state.date = http_date(reply.date)
  report(true, "reachability", ("%s answers at %s"):format(values.base_url, reply.address))
  local is_tls = values.base_url:find "^https"
  return report(true, "TLS", is_tls and "verified, 1.2 or later" or
    "none: the token can be copied from the wire; use it on this machine only")
end

function checks.clock(state)
  if not state.date then return true end -- the server does not tell the time
  local difference = core.now() - state.date
  return report(math.abs(difference) <= CLOCK_TOLERANCE, "clock",
    ("%+d s against the server%s"):format(difference,
      math.abs(difference) > CLOCK_TOLERANCE and "; set the time" or ""))
end

-- A look-up that changes nothing tells whether the token is accepted.
function checks.signature(state)
  if not state.signer or not state.values.company_code or not state.values.base_url then return true end
  local ok, client = pcall(require("xfiot").client)
  if not ok then return report(false, "signature", tostring(client)) end
  local _, err = client:authDevices { deviceNos = { "0" } }
  if err and err.kind ~= "platform" then return report(false, "signature", tostring(err)) end
  local refused = err and (err.code == "500003" or err.code == "500002" or err.code == "500000")
  return report(not refused, "signature",
    refused and tostring(err) or "the platform accepts our token and company code")
end

-- A full look through it, a write that is undone, the space left; then whether it is still the one it was.
local function check_file(path, file)
  local space, why = file:check()
  if not space then return report(false, "journal", why) end
  local moved, how = file:moved()
  if moved then
    return report(false, "journal", ("%s: %s; money is held, see xfiot orders accept-journal"):format(path, how))
  end
  local free = ("%s, %d MiB free"):format(path, space // (1024 * 1024))
  if space < SPACE then return report(false, "journal", free .. ": an order could find the disk full") end
  report(true, "journal", free)
  local outside, none = file:outside()
  return report(true, "witness", outside or ("none outside the journal's folder: " .. none
    .. "; a backup put back over all its files at once would not be noticed (xfiot help settings)"))
end

function checks.journal(state)
  local path, why = state.values.journal, nil
  if not path then path, why = core.journal_path() end
  if not path then return report(false, "journal", why) end
  local there
  there, why = core.journal_probe(path)
  if there == nil then return report(false, "journal", why) end
  if not there then return report(true, "journal", path .. " will be made with the first order") end
  local file <close>, cannot = core.journal(path)
  if not file then return report(false, "journal", cannot) end
  return check_file(path, file)
end

-- The receiver refuses a push with a signing header that stands there twice (400)
-- before it looks at any token. So nothing is stored, and no good token travels:
-- the 400 says that the header names have come through, a 401 that they were lost.
local TWICE = { "Content-Type: application/json", "API_ORG_NUM: 000000", "API_TRANS_ID: 0", "API_TOKEN: 0",
                "API_TOKEN: 0" }
local MEANINGS = {
  [401] = "the header names API_TOKEN and its like do not come through: nginx needs underscores_in_headers on",
  [404] = "nothing is at that path: compare reports_path, responses_path and the proxy's locations",
  [413] = "the proxy takes no body: see its limit of body size",
  [502] = "the proxy does not reach xfiot serve", [503] = "the proxy does not reach xfiot serve",
  [504] = "the proxy does not reach xfiot serve",
}

-- Whether pushes come through to xfiot serve as they are sent, by the address that
-- the platform is told.
function checks.public_url(state)
  local values = state.values
  if not values.public_url then return true end
  local transport, why = core.transport {
    base_url = values.public_url, ca_file = values.ca_file, allow_http = true,
    connect_timeout = values.connect_timeout, timeout = values.timeout,
  }
  if not transport then return report(false, "public_url", why) end
  for _, path in ipairs { values.reports_path, values.responses_path } do
    local reply = loop.fetch(transport, { method = "POST", target = path, body = "[]", headers = TWICE })
    if reply.status ~= 400 then
      local meaning = reply.status == 0 and reply.why
        or MEANINGS[reply.status] or ("status %d; is that xfiot serve?"):format(reply.status)
      return report(false, "public_url", ("%s%s: %s"):format(values.public_url, path, meaning))
    end
  end
  return report(true, "public_url", values.public_url .. " leads to xfiot serve, header names come through")
end

local ORDER = { "settings", "key", "reachability", "clock", "signature", "journal", "public_url" }

return function()
  local values, _ = settings.resolve()
  local state, good = { values = values }, true
  for _, name in ipairs(ORDER) do
    local ok, result = pcall(checks[name], state)
    if not ok then
      if not errors.is(result) then error(result, 0) end
      result = report(false, name, tostring(result))
    end
    good = good and result
  end
  return good and cli.DONE or cli.FAILED
end
