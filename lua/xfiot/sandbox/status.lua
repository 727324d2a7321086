-- The state of the sandbox for people and for specs: snapshots and a table.

local core = require "xfiot.core"
local meter = require "xfiot.sandbox.meter"
local price = require "xfiot.sandbox.price"
local registry = require "xfiot.sandbox.device"

local SHOWN <const> = 50 -- devices in the table for people

local status = {}

--- What is in a device, amounts as text.
---@param device table
---@param now integer seconds
---@param queue table
---@return table
function status.snapshot(device, now, queue)
  local m = meter.probe(device.meter, now, {})
  local shown, charge = m.shown, meter.traits(m).charge
  local gas = m.kind == "gas" or (shown and shown.gas)
  local tier, current = price.current(m)
  local bills = {}
  for i, number in ipairs(m.bills or {}) do bills[i] = number end
  return {
    deviceNo = device.number,
    deviceId = device.id,
    kind = m.kind or "unknown",
    state = device.state,
    registered = device.state == registry.REGISTERED,
    account = m.account or false,
    opening = m.opening or false,
    profile = meter.profile(m),
    valve = meter.traits(m).meter ~= "2" and (m.valve == "1" and "open" or "closed") or nil,
    counter = core.decimal_text(m.used % meter.traits(m).counter),
    used = core.decimal_text(m.used),
    balance = (charge ~= "0" or shown) and meter.amount_text(shown and shown.balance or m.balance) or nil,
    unit = gas and "m³" or "CNY",
    bought = meter.amount_text(m.bought),
    spent = meter.amount_text(m.spent),
    buys = m.buys,
    price = (shown or m.scheme) and core.decimal_text(shown and shown.price or current, 2) or nil,
    price_version = m.scheme and m.scheme.version,
    next_price = m.delayed and core.timestamp(m.delayed.from),
    ladder = core.decimal_text(m.position),
    tier = shown and shown.tier or m.scheme and tier or nil,
    settled = shown and core.timestamp(shown.settled),
    bill_numbers = bills,
    waiting = queue:waiting(device),
    reported = device.reported and core.timestamp(device.reported),
    alarm = device.alarm and device.alarm.code,
    asleep = device.asleep and device.asleep > now or false,
  }
end

local COLUMNS <const> = {
  "deviceNo", "kind", "registered", "account", "valve", "balance", "unit", "price", "ladder", "counter",
  "alarm", "waiting",
}

local function cell(value)
  if value == nil then return "-" end
  if type(value) == "boolean" then return value and "yes" or "no" end
  return tostring(value)
end

--- The table for people.
---@param sandbox table
---@return string
function status.text(sandbox)
  local lines = {
    ("sandbox (not the real platform) at %s, %s, company %s"):format(
      sandbox:url(), core.timestamp(sandbox:now()), sandbox.company_code),
  }
  local all = sandbox.registry.order
  local widths, grid = {}, { COLUMNS }
  for i = 1, math.min(#all, SHOWN) do
    local snapshot = status.snapshot(all[i], sandbox:now(), sandbox.queue)
    local line = {}
    for c, name in ipairs(COLUMNS) do line[c] = cell(snapshot[name]) end
    grid[#grid + 1] = line
  end
  for _, line in ipairs(grid) do
    for c, text in ipairs(line) do widths[c] = math.max(widths[c] or 0, core.measure(text)) end
  end
  for _, line in ipairs(grid) do
    local cells = {}
    for c, text in ipairs(line) do cells[c] = text .. (" "):rep(widths[c] - core.measure(text)) end
    lines[#lines + 1] = (table.concat(cells, "  "):gsub("%s+$", ""))
  end
  if #all > SHOWN then lines[#lines + 1] = ("and %d more devices"):format(#all - SHOWN) end
  local push = sandbox.push
  if push.reports or push.responses then
    local counts = "pushes: %d sent, %d waiting, %d failed"
    lines[#lines + 1] = counts:format(push.sent, push:waiting(), push.failures)
  end
  return table.concat(lines, "\n") .. "\n"
end

return status
