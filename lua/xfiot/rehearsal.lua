--- What a workflow's `check` works with: a flow whose meters' verbs check their
-- arguments as they would before sending, and do nothing. All faults are gathered.
local arguments = require "xfiot.arguments"
local core = require "xfiot.core"
local errors = require "xfiot.errors"
local verbs = require "xfiot.verbs"

local rehearsal = {}

local SOME_COMPANY = "000000" -- the settings' own is checked when they are read

-- ---- faults

-- Each fault once: several verbs may take the same argument.
local function add(self, err)
  if not errors.is(err) or not err.fields then error(err, 0) end
  for _, fault in ipairs(err.fields) do
    local id = fault.path .. "\0" .. fault.rule
    if not self.seen[id] then
      self.seen[id] = true
      self.faults[#self.faults + 1] = fault
    end
  end
end

local function try(self, fn, ...)
  local ok, err = pcall(fn, ...)
  if not ok then add(self, err) end
end

-- ---- meters

local Meter = { __name = "xfiot.rehearsal_meter" }

local function read(self, name, args) arguments.read(self, name, verbs.rows[name], args) end

function Meter.__index(self, name)
  if verbs.rows[name] then
    return function(_, args) try(self.flow, read, self, name, args) end
  end
  error(("in check a meter has its verbs and register, which only check; there is no %s"):format(name), 2)
end

local function check_verb(self, name, args)
  if not verbs.rows[name] then error(("there is no verb %s"):format(tostring(name)), 2) end
  try(self.flow, read, self, name, args)
end

local function check_register(self, user)
  local request = { manuId = 1, deviceNo = self.device_no }
  for name, value in pairs(user or {}) do request[name] = value end
  local faults = core.check("register", request, SOME_COMPANY)
  if faults then add(self.flow, errors.invalid("register", faults)) end
end

-- ---- the flow

local Flow = { __name = "xfiot.rehearsal" }

function Flow.__index(_, name)
  error(("in check nothing is known of the world: there is no flow:%s"):format(name), 2)
end

-- The number is called as the workflow calls it: newDeviceNo.
local function name_of(self, device_no)
  for name, value in pairs(self.args) do
    if value == device_no then return name end
  end
  return "deviceNo"
end

local function meter_of(self, device_no)
  local faults = core.check("query", { deviceNo = device_no }, SOME_COMPANY)
  if faults then
    faults[1].path = name_of(self, device_no)
    add(self, errors.invalid("meter", faults))
  end
  return setmetatable({ flow = self, device_no = device_no, client = { company_code = SOME_COMPANY },
                        check = check_verb, register = check_register }, Meter)
end

--- Calls a workflow's check and tells what it finds; what it raises otherwise is a fault, too.
---@param check fun(flow: table, args: table)
---@param args table
---@return { path: string, rule: string, rule_zh: string, code?: string }[] faults
function rehearsal.faults(check, args)
  local flow = setmetatable({ args = args, faults = {}, seen = {}, meter = meter_of }, Flow)
  local ok, err = pcall(check, flow, args)
  if not ok then
    if not (errors.is(err) and err.fields) then
      local text = errors.is(err) and err.message_en or tostring(err)
      err = errors.bad_argument("check", "the arguments:", text, errors.is(err) and err.message or text)
    end
    add(flow, err)
  end
  return flow.faults
end

return rehearsal
