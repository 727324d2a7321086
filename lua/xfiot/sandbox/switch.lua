-- Where the document contradicts itself, the platform could behave in more than one
-- way. Each such point is a switch, named by its C-number (A-number where the document
-- is silent): "C22=int,C21=null". The first value is what the contract reads.

---@class xfiot.sandbox.switch
---@field id string
---@field values string[] the first is the default
---@field about string

local ROWS <const> = {
  { "C1", { "98", "99" }, "random part of a push's transId: up to 89999998, or 89999999" },
  { "C3", { "table", "notes" }, "headers of response pushes: API_TRANS_ID, API_TOKEN; or RandomCode, Authorization" },
  { "C4", { "any", "required" }, "Content-Type where the document lists it: not looked at, or 101001 without it" },
  { "C5", { "null", "absent" }, "result of a failed call: null, or no such field" },
  { "C6", { "both", "message" }, "error text of creatCmd: in message and result, or in message alone" },
  { "C7", { "example", "appendix" }, "text of 100000: 运行正确, or 成功" },
  { "C8", { "registration", "account" }, "deviceState 2: after register, or after ACCOUNT_OPEN" },
  { "C9", { "both", "get" }, "query: by GET and POST, or by GET alone" },
  { "C10", { "both", "query", "body" }, "deviceNo of query: in the query string or the body, or in one of them alone" },
  { "C12", { "20", "19" }, "digits of iccidCode" },
  { "C13", { "empty", "absent", "null" }, "user fields never given: \"\", no such field, or null" },
  { "C14", { "any", "32" }, "deviceNos of authDevices: any number, or at most 32" },
  { "C15", { "look", "register" }, "authDevices: only looks, or registers those that are not" },
  { "C16", { "example", "table" }, "authDevices: names and time of the example; or deviceNo, deviceId and 14 digits" },
  { "C18", { "any", "days" }, "expireTime: any above 0, or 1 to 31 days" },
  { "C19", { "5", "3" }, "most expireCount" },
  { "C20", { "object", "string" }, "resultDetail and callbackData (3.2): an object, or a string that holds one" },
  { "C21", { "empty", "null", "object", "absent" }, "resultDetail without a result: \"\", null, {}, or none" },
  { "C22", { "string", "int" }, "commandResult: \"0\" or 0" },
  { "C23", { "short", "two" }, "reportType: 0, 1; or 00, 01" },
  { "C24", { "both", "path" }, "cancel: also by PUT creatCmd, or by cancelCmd alone" },
  { "C27", { "own", "meter" }, "alarms of a concentrator: ConcentratorWarnDataInfo, or WarnDataInfo" },
  { "C28", { "list", "flat" }, "FrozenValueInfo: the list frozenRecords, or one flat record" },
  { "C29", { "present", "absent" }, "accountFlag in meterStatus" },
  { "C30", { "7", "5" }, "highest ladderNo of 4.8, 4.9 (500021): 7, or as many as there are prices" },
  { "C31", { "default", "required" }, "clearMark left out: taken as 1, or refused with 500031" },
  { "C32", { "open", "strict" }, "billNo 0 in ACCOUNT_OPEN: taken, or refused with 500032" },
  { "C33", { "wide", "narrow" }, "surplusValue of 4.8: up to 2147483.647, or up to 2147483.64" },
  { "C34", { "100", "30" }, "highest price of 4.8" },
  { "C35", { "both", "money" }, "prepaidType of 4.8, 4.9: 0 and 1, or 0 alone (500018)" },
  { "C36", { "optional", "required" }, "ladderNo left out of 4.9: taken as 1, or refused with 500021" },
  { "C38", { "alone", "empty" }, "failed PRICE_READ: commandResult alone, or all fields with \"\"" },
  { "C39", { "used", "bought" }, "PriceChangeInfo.totalUseMoney: money used, or money purchased" },
  { "C40", { "unit", "gas" }, "frozen totalUseValue: in the unit of the prepayment, or gas" },
  { "C43", { "refund", "deduction" }, "rechargeValue below 0: less was bought, or more was used" },
  { "C44", { "null", "text" }, "result of update, cancel, cancelCmd: null, or the information returned" },
  { "A3", { "H", "bare", "0x" }, "warnType: 0009H, 0009, or 0x0009" },
}

-- The contradictions that no platform could decide differently on the wire, and why.
local OTHERS <const> = {
  { "C2", "the key of the examples' tokens is not known: nothing can be signed with it" },
  { "C11", "a comma is missing in a printed answer: no JSON; the rule query:garbled sends such" },
  { "C17", "what is called a deviceId there has 6 characters: only a companyCode has" },
  { "C25", "no deviceId has 6 characters: every cancelCmd would be refused; cancelCmd:code=500001 does that" },
  { "C26", "the number of an appendix" },
  { "C37", "a label in Chinese; the field is the same" },
  { "C41", "no command has the parameter of 500037; creatCmd:code=500037 sends it" },
  { "C42", "misprints; the names on the wire are as printed" },
}

local switch = { rows = {}, others = OTHERS }
local by_id = {}
for i, row in ipairs(ROWS) do
  switch.rows[i] = { id = row[1], values = row[2], about = row[3] }
  by_id[row[1]] = switch.rows[i]
end

local function takes(row, value)
  for _, each in ipairs(row.values) do
    if each == value then return true end
  end
  return false
end

--- Reads "C22=int,C21=null" (or a list of such) into a table by id; others have their default.
---@param text string|string[]|nil
---@return table<string, string>
function switch.read(text)
  local out = {}
  for _, row in ipairs(switch.rows) do out[row.id] = row.values[1] end
  for _, part in ipairs(type(text) == "table" and text or { text }) do
    for word in part:gmatch "[^,%s]+" do
      local id, value = word:match "^([AC]%d+)=(%w+)$"
      local row = by_id[id]
      if not row then
        error(("sandbox: a contradiction is switched as C22=int, got %s (xfiot help contradictions)"):format(word), 0)
      end
      if not takes(row, value) then
        error(("sandbox: %s is one of %s, got %s"):format(id, table.concat(row.values, ", "), value), 0)
      end
      out[id] = value
    end
  end
  return out
end

return switch
