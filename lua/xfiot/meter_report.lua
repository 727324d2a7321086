--- What a report says of the counter: its total and its frozen records (5.1, 5.6).
local core = require "xfiot.core"
local counter = require "xfiot.counter"
local tariff = require "xfiot.tariff"

local meter_report = {}

local MOST <const> = tariff.POSITION_MOST -- litres that a person can name, more than any counter shows
local TEXT_MOST <const> = 64 -- of a text kept as evidence

-- A decimal without the zeros that say nothing: "00012.5000" is 12.5.
local function without_zeros(text)
  local sign, whole, fraction = text:match "^(%-?)(%d+)%.(%d+)$"
  if not sign then
    sign, whole, fraction = text:match "^(%-?)(%d+)$", text:match "%d+$", ""
  end
  if not sign then return nil end
  whole, fraction = whole:gsub("^0+(%d)", "%1"), fraction:gsub("0+$", "")
  return sign, whole, fraction
end

-- A decimal that no counter shows, as the litres by which it is named: beyond its ends
-- the nearest, finer than a litre what is below.
local function nearest(sign, whole, fraction)
  if sign == "-" then return 0 end
  local litres = core.decimal(whole .. "." .. (fraction .. "000"):sub(1, 3), 3)
  return litres and math.min(litres, MOST) or MOST
end

-- Litres, and the text if it is a decimal but nothing that a counter shows. A value that
-- is empty or no decimal is missing, not zero (A19).
local function litres_of(value)
  if type(value) ~= "string" and type(value) ~= "number" then return nil end
  local litres = core.decimal(value, 3)
  if litres and litres >= 0 and litres <= MOST then return litres end
  local text = type(value) == "string" and value or ("%.9f"):format(value)
  local sign, whole, fraction = without_zeros(text)
  if not sign then return nil end
  litres = core.decimal(sign .. whole .. (fraction ~= "" and "." .. fraction or ""), 3)
  if litres and litres >= 0 and litres <= MOST then
    if type(value) == "string" then return litres end
  end
  return nearest(sign, whole, fraction), text:sub(1, TEXT_MOST)
end

-- Why a report cannot be believed, or nil. The platform's clock is the measure.
local function doubt_of(time, text, received)
  local at = type(received) == "string" and core.parse_timestamp(received)
  if at and core.parse_timestamp(time) - at > counter.CLOCK_SLACK then return { why = "ahead", text = text } end
  return text and { why = "unreadable", text = text }
end

local function is_time(value)
  return type(value) == "string" and core.parse_timestamp(value) ~= nil
end

local function add_frozen(readings, data)
  local records = type(data.frozenRecords) == "table" and data.frozenRecords or { data } -- C28
  for _, record in ipairs(records) do
    local litres, strange
    if type(record) == "table" and is_time(record.frozenDate) then litres, strange = litres_of(record.frozenValue) end
    if litres and not strange then
      readings[#readings + 1] = { time = record.frozenDate, source = "frozen", litres = litres }
    end
  end
end

--- The readings in a report message.
---@param message table as queryReportData and pushes give it
---@return { time: string, litres: integer, source: "report", doubt: xfiot.Doubt|nil }|nil total
---@return { time: string, litres: integer, source: "frozen" }[] frozen
function meter_report.readings(message)
  local total, frozen = nil, {}
  for _, item in ipairs(message.callbackData.data) do
    local data = item.serviceData
    if type(data) == "table" then
      if item.serviceId == "FrozenValueInfo" then add_frozen(frozen, data) end
      if item.serviceId == "GeneralDataInfo" then
        local litres, strange = litres_of(data.totalUseValue)
        if litres and is_time(data.deviceTime) then
          total = { time = data.deviceTime, source = "report", litres = litres,
                    doubt = doubt_of(data.deviceTime, strange, message.receiveTime) }
        end
      end
    end
  end
  return total, frozen
end

--- What a meter that keeps its money says it has charged in its life.
---@param message table
---@return string|nil yuan, a decimal
function meter_report.used(message)
  if message.callbackData.chargeType ~= "2" then return nil end
  for _, item in ipairs(message.callbackData.data) do
    local data = item.serviceId == "MoneyMeterInfo" and item.serviceData
    local used = type(data) == "table" and type(data.totalUseMoney) == "string" and core.decimal(data.totalUseMoney, 3)
    if used then return core.decimal_text(used, 2) end
  end
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
