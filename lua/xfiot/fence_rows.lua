--- What a restricted script may reach of each kind of object: the documented methods and
-- members, and nothing else. See xfiot.fence.
local core = require "xfiot.core"
local verbs = require "xfiot.verbs"

---@class xfiot.FenceRow
---@field methods string[]
---@field members string[] read only; what is itself an object is fenced as well
---@field texts? table<string, boolean> methods whose arguments become text on the script's side

local function names_of(rows, more)
  local list = table.move(more, 1, #more, 1, {})
  for name in pairs(rows) do list[#list + 1] = name end
  return list
end

local METER <const> = {
  methods = names_of(verbs.rows, { "check", "register", "device", "device_id", "report", "alarms", "kind",
                                   "prepaid_type" }),
  members = { "device_no" },
}

local FLOW <const> = { "meter", "step", "sleep", "now", "timestamp", "random", "log", "wait_report" }

--- By the `__name` of an object's metatable. What is not here has neither methods nor members.
---@type table<string, xfiot.FenceRow>
return {
  ["xfiot.client"] = { methods = names_of(core.operations(), { "meter" }), members = {} },
  ["xfiot.meter"] = METER,
  ["xfiot.flow_meter"] = METER,
  ["xfiot.flow"] = { methods = FLOW, members = { "client" }, texts = { log = true } },
  -- what a workflow's check gets: the real ones say themselves what they do not have
  ["xfiot.rehearsal"] = { methods = FLOW, members = {} },
  ["xfiot.rehearsal_meter"] = METER,
  ["xfiot.workflow"] = { methods = {}, members = { "name", "doc" } },
  ["xfiot.settlement"] = {
    methods = { "open", "find", "must_find", "take", "pay", "price", "close", "carry", "standing", "entries", "display",
                "tariff", "told", "counter", "ignore", "restore", "final", "succeed" },
    members = {},
  },
  ["xfiot.tariff"] = {
    methods = { "exact", "cost", "tier", "forecast", "period", "explain", "price_change", "account_open", "names" },
    members = {},
  },
  ["xfiot.explanation"] = {
    methods = {}, members = { "from", "to", "tiers", "exact", "fen", "rounding", "before", "after" },
  },
  ["xfiot.error"] = {
    methods = {},
    members = { "kind", "code", "message", "message_en", "remedy", "remedy_zh", "field", "fields", "operation", "sent",
                "detail", "http_status", "order", "blocking", "command_id", "device_no", "run" },
  },
}
