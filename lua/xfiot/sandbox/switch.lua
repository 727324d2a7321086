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
  { "C5", { "null", "absent" }, "result of a failed call: null, or no such field" },
  { "C6", { "both", "message" }, "error text of creatCmd: in message and result, or in message alone" },
  { "C7", { "example", "appendix" }, "text of 100000: 运行正确, or 成功" },
  { "C8", { "registration", "account" }, "deviceState 2: after register, or after ACCOUNT_OPEN" },
  { "C9", { "both", "get" }, "query: by GET and POST, or by GET alone" },
  { "C12", { "20", "19" }, "digits of iccidCode" },
  { "C13", { "empty", "absent", "null" }, "user fields never given: \"\", no such field, or null" },
  { "C14", { "any", "32" }, "deviceNos of authDevices: any number, or at most 32" },
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
  { "C32", { "open", "strict" }, "billNo 0 in ACCOUNT_OPEN: taken, or refused with 500032" },
  { "C33", { "wide", "narrow" }, "surplusValue of 4.8: up to 2147483.647, or up to 2147483.64" },
  { "C34", { "100", "30" }, "highest price of 4.8" },
  { "C35", { "both", "money" }, "prepaidType of 4.8, 4.9: 0 and 1, or 0 alone (500018)" },
  { "C38", { "alone", "empty" }, "failed PRICE_READ: commandResult alone, or all fields with \"\"" },
  { "C39", { "used", "bought" }, "PriceChangeInfo.totalUseMoney: money used, or money purchased" },
  { "C40", { "unit", "gas" }, "frozen totalUseValue: in the unit of the prepayment, or gas" },
  { "C44", { "null", "text" }, "result of update, cancel, cancelCmd: null, or the information returned" },
  { "A3", { "H", "bare", "0x" }, "warnType: 0009H, 0009, or 0x0009" },
}

local switch = { rows = {} }
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
