--- What a report says of the counter: its total and its frozen records (5.1, 5.6).
local core = require "xfiot.core"

local meter_report = {}

-- A value that is empty or no decimal is missing, not zero (A19).
local function litres_of(value)
  if type(value) ~= "string" and type(value) ~= "number" then return nil end
  local litres = core.decimal(value, 3)
  return litres and litres >= 0 and litres or nil
end

local function is_time(value)
  return type(value) == "string" and core.parse_timestamp(value) ~= nil
end

local function add_frozen(readings, data)
  local records = type(data.frozenRecords) == "table" and data.frozenRecords or { data } -- C28
  for _, record in ipairs(records) do
    local litres = type(record) == "table" and is_time(record.frozenDate) and litres_of(record.frozenValue)
    if litres then readings[#readings + 1] = { time = record.frozenDate, source = "frozen", litres = litres } end
  end
end

--- The readings in a report message.
---@param message table as queryReportData and pushes give it
---@return { time: string, litres: integer, source: "report" }|nil total
---@return { time: string, litres: integer, source: "frozen" }[] frozen
function meter_report.readings(message)
  local total, frozen = nil, {}
  for _, item in ipairs(message.callbackData.data) do
    local data = item.serviceData
    if type(data) == "table" then
      if item.serviceId == "FrozenValueInfo" then add_frozen(frozen, data) end
      if item.serviceId == "GeneralDataInfo" then
        local litres = is_time(data.deviceTime) and litres_of(data.totalUseValue)
        if litres then total = { time = data.deviceTime, source = "report", litres = litres } end
      end
    end
  end
  return total, frozen
end

--- What a person has read off a meter, as a report.
---@param time string
---@param litres integer
---@return table message
function meter_report.final(time, litres)
  return { callbackData = { data = { { serviceId = "GeneralDataInfo", serviceData = {
    deviceTime = time, totalUseValue = core.decimal_text(litres) } } } } }
end

return meter_report
