-- What provokes each return code and each alarm: a rule that always does, and what
-- does by itself. Codes and alarms are the contract's; here is what the rows of the
-- document cannot know. Shown by `xfiot help faults`.

local core = require "xfiot.core"

local INVALID <const> = "%s that the document does not allow"
local ENCODING <const> = "only by rule: the platform cannot encode the command"
local STORING <const> = "only by rule: the platform cannot store it"

-- By return code: what does by itself.
local CODES <const> = {
  ["100000"] = "any call that is as it should be",
  ["101001"] = "a parameter without a code of its own is missing or malformed",
  ["500000"] = "another version than v1.0.0 in the path",
  ["500001"] = "a deviceId or deviceNo that nobody has, or of a device that is not registered",
  ["500002"] = "another companyCode",
  ["500003"] = "a wrong token, or none",
  ["500004"] = "a device that was deregistered",
  ["500005"] = "register once more",
  ["500006"] = STORING,
  ["500007"] = STORING,
  ["500008"] = "cancel of a device that is not registered (registered=false)",
  ["500009"] = STORING,
  ["500010"] = "meter:lacks=500010",
  ["500011"] = "meter:lacks=500011",
  ["500012"] = "meter:lacks=500012",
  ["500013"] = "a method of no such name, or for a meter of another chargeType",
  ["500014"] = "only by rule: the platform cannot make the command",
  ["500016"] = ENCODING,
  ["500023"] = ENCODING,
  ["500024"] = ENCODING,
  ["500026"] = "a gas limit below the one before",
  ["500036"] = ENCODING,
  ["500037"] = "only by rule: no command has a recharge time (C41)",
  ["500038"] = ENCODING,
  ["500040"] = ENCODING,
  ["500041"] = ENCODING,
  ["500042"] = ENCODING,
  ["500043"] = "a commandId that nobody has, or of another device",
  ["500044"] = "only by rule: a command without a result has an empty resultDetail (C21)",
  ["500045"] = "meter:lacks=500045, or a meter whose concentrator is not registered",
  ["500046"] = "cancelCmd of a command that is on its way or over",
  ["500047"] = "only by rule: cancelling fails",
  ["500048"] = "no commandIds, more than ten, or malformed ones",
  ["500049"] = "a msgType that is neither 0 nor 1",
  ["500050"] = "a device that has not reported, or has had no alarm",
}

-- By alarm code: what does besides meter:alarm=CODE.
local ALARMS <const> = {
  ["0001H"] = "no gas for 30 days (idle): profile=empty",
  ["0002H"] = "VALVE_CONTROL, controlFlag 1; credit used up to the overdraft",
  ["0003H"] = "mishaps, seldom",
  ["0004H"] = "meter:volts=4.4",
  ["0005H"] = "VALVE_CONTROL, controlFlag 0; a recharge of a meter that had shut for want of credit",
  ["0006H"] = "a flow over the largest: profile=burst, a restaurant's rush, a factory's coldest days",
  ["0007H"] = "meter:volts=4.9; time",
  ["0008H"] = "mishaps, seldom",
  ["0009H"] = "mishaps: a magnet",
  ["000AH"] = "mishaps: a wire",
  ["000BH"] = "meter:stuck, then VALVE_CONTROL 0; opening an overdrawn meter, or one with a fault that shuts",
  ["000CH"] = "meter:stuck, then VALVE_CONTROL 1",
  ["000DH"] = "mishaps, seldom",
  ["000EH"] = "mishaps, seldom",
  ["000FH"] = "credit below 10.00 (low)",
  ["0010H"] = "mishaps: a cover",
  ["0011H"] = "credit down to -5.00 (overdraft)",
  ["0012H"] = "credit used up",
  ["0013H"] = "profile=leak, after a day",
  ["0014H"] = "a flow meter below -7 °C or above 42 °C: season, hour, weather",
  ["0015H"] = "a flow meter below 102 kPa or above 107 kPa: a large flow, a bad regulator",
  ["0016H"] = "mishaps, seldom",
  ["0018H"] = "meter:stuck",
  ["1000H"] = "mains gone for more than 8 hours and 40 minutes",
  ["1001H"] = "mains fail, some six times a year",
}

-- What may go wrong: target, kind, what it is.
local KINDS <const> = {
  { "OPERATION, *", "lost, reset", "no reply; with :before, nothing was done either" },
  { "", "status=500", "another HTTP status; with :before, nothing was done" },
  { "", "code=500014", "another return code; with :before, nothing was done" },
  { "", "cut, garbled, delay=2", "half a reply; no JSON; seconds late" },
  { "send", "lost, failed", "a command on its way to a meter; failed: commandState 2" },
  { "answer", "lost", "a meter's answer on its way up; it has done what it was told" },
  { "report, response,", "lost, twice", "a push never comes, or comes two times" },
  { "push (either)", "late=1h", "comes later, behind others" },
  { "", "overtaken", "comes behind the next one" },
  { "", "forged", "has a token that is not ours" },
  { "", "stale", "has a transId two days old, properly signed" },
  { "", "notes", "has the header names of the notes of 3.2 (C3)" },
  { "meter", "asleep=5d", "reports nothing and takes nothing" },
  { "", "late=3d", "answers so much later, when the command is void" },
  { "", "mute", "does what it is told and never says so" },
  { "", "swapped", "another meter hangs there: no account, counter 0, its own meterNo" },
  { "", "rolled", "its counter begins anew after one more cubic metre" },
  { "", "clock=-2h", "its clock is wrong" },
  { "", "stuck", "its valve cannot be turned" },
  { "", "volts=4.4", "its battery is that low" },
  { "", "alarm=0009H", "it warns; alarm=0009H/2h: and is back to normal two hours later" },
  { "", "lacks=500010", "the platform has no model, protocol (500010 to 500012) or concentrator (500045) of it" },
}

local provoke = { kinds = KINDS }

-- The first operation that has the code.
local function operation_of(contract, code)
  for _, endpoint in ipairs(contract.endpoints) do
    for _, each in ipairs(endpoint.codes or {}) do
      if each == code then return endpoint.name end
    end
  end
  return "creatCmd"
end

--- All return codes: { code, text, rule, operation, by_itself }; success needs no rule.
---@return table[]
function provoke.codes()
  local contract, out = core.contract(), {}
  for i, row in ipairs(contract.codes) do
    local operation = operation_of(contract, row.code)
    out[i] = {
      code = row.code, text = row.message, operation = operation,
      rule = row.class_id ~= "ok" and ("%s:code=%s"):format(operation, row.code) or nil,
      by_itself = CODES[row.code] or INVALID:format(row.fields or "a value"),
    }
  end
  return out
end

--- All alarms: { code, text, rule, kind, by_itself }; kind: of the device that has it.
---@return table[]
function provoke.alarms()
  local out = {}
  for i, row in ipairs(core.contract().alarms) do
    out[i] = {
      code = row.code, text = row.label, kind = row.device == "concentrator" and "concentrator" or "money",
      rule = "meter:alarm=" .. row.code, by_itself = ALARMS[row.code] or "only by rule",
    }
  end
  return out
end

--- The lines of `xfiot help faults`.
---@return string[]
function provoke.lines()
  local out = {
    "Fault rules are TARGET:KIND[=VALUE][:WHICH[:before]][@SPAN], with --fault, as often as needed.", "",
    "WHICH: 3, 2-4, 2+, 5% (by chance), * (every one, the default); counted per target from 1.",
    "Of `meter` it says which meters, in the order they became known, or by deviceNo.",
    "@SPAN: so long after the start a meter's fault begins: meter:asleep=5d:3@10d", "",
  }
  local function add(...) out[#out + 1] = (string.format(...):gsub("%s+$", "")) end
  for _, row in ipairs(KINDS) do
    add("  %-18s %-22s %s", row[1], row[2], row[3])
  end
  add "\nReturn codes: the rule that provokes each, and what does by itself."
  for _, row in ipairs(provoke.codes()) do
    add("  %-28s %s (%s)", row.rule or row.code, row.text.zh, row.text.en)
    add("  %-28s %s", "", row.by_itself)
  end
  add "\nAlarms: the rule that provokes each, and what does by itself."
  for _, row in ipairs(provoke.alarms()) do
    add("  %-28s %s (%s)", row.rule, row.text.zh, row.text.en)
    if row.by_itself ~= "only by rule" then add("  %-28s %s", "", row.by_itself) end
  end
  return out
end

return provoke
