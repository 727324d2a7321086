-- The sandbox in a file, so that it goes on after a restart where it was: one line for
-- each thing, a letter that says what it is and its fields as Lua text. The file is
-- written beside the old one and then takes its place.

local core = require "xfiot.core"
local price = require "xfiot.sandbox.price"
local registry = require "xfiot.sandbox.device"
local rows = require "xfiot.sandbox.rows"

local VERSION <const> = 2

local state = {}

-- ---- values as text

local function add_value(out, value)
  local kind = type(value)
  if kind == "string" then
    out[#out + 1] = ("%q"):format(value):gsub("\\\n", "\\n")
  elseif kind ~= "table" then
    out[#out + 1] = kind == "number" and ("%q"):format(value) or tostring(value)
  else
    out[#out + 1] = "{"
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    table.sort(names, function(a, b)
      if type(a) ~= type(b) then return type(a) == "number" end
      return a < b
    end)
    for _, name in ipairs(names) do
      out[#out + 1] = ("[%q]="):format(name)
      add_value(out, value[name])
      out[#out + 1] = ","
    end
    out[#out + 1] = "}"
  end
end

local function line_of(letter, value)
  local out = { letter, " " }
  add_value(out, value)
  out[#out + 1] = "\n"
  return table.concat(out)
end

local function read_line(text, where)
  local letter, value = text:match "^(%u) (.+)$"
  local chunk = value and load("return " .. value, "=" .. where, "t", {})
  if not chunk then error("sandbox: the state file is damaged: " .. where, 0) end
  return letter, chunk()
end

-- ---- devices

local function pack_meter(m)
  local out = {}
  for name, value in pairs(m) do out[name] = value end
  out.scheme, out.delayed = m.scheme and m.scheme.key, m.delayed and m.delayed.key
  if m.last then
    out.last = {}
    for name, value in pairs(m.last) do out.last[name] = value end
    out.last.scheme = m.last.scheme.key
  end
  if m.active then
    out.active = {}
    for code in pairs(m.active) do out.active[code] = true end
  end
  return out
end

local function unpack_meter(m, schemes)
  m.scheme, m.delayed = schemes[m.scheme], schemes[m.delayed]
  if m.last then m.last.scheme = schemes[m.last.scheme] end
  for code in pairs(m.active or {}) do m.active[code] = rows.alarm(code) end
  return m
end

-- What is made anew: places on the agenda, the queue.
local PASSING <const> = { item = true, line = true, awake = true, id = true, kept = true, meter = true }

local function pack_device(device)
  local out = {}
  for name, value in pairs(device) do
    if not PASSING[name] then out[name] = value end
  end
  out.meter = pack_meter(device.meter)
  out.kept = device.kept and core.encode(device.kept)
  return out
end

local function unpack_device(sandbox, row)
  local device = sandbox.registry:make(row.number)
  row.meter = unpack_meter(row.meter, sandbox.schemes)
  row.kept = row.kept and core.decode(row.kept)
  for name, value in pairs(row) do device[name] = value end
end

-- ---- commands

local function pack_command(command)
  local out = {}
  for name, value in pairs(command) do out[name] = value end
  out.device = command.device.number
  return out
end

local function unpack_command(sandbox, command)
  command.device = sandbox.registry:find_number(command.device)
  sandbox.queue:restore(command)
end

-- ---- the file

local function sorted_commands(sandbox)
  local list = {}
  for _, command in pairs(sandbox.queue.by_id) do list[#list + 1] = command end
  table.sort(list, function(a, b) return a.place < b.place end)
  return list
end

local function write_all(sandbox, put)
  put("H", {
    version = VERSION, now = sandbox.clock:now(), start = sandbox.start, seed = sandbox.random.seed,
    count = sandbox.random.count, counts = sandbox.faults.counts,
  })
  for key, scheme in pairs(sandbox.schemes) do put("S", { key = key, paras = scheme.paras }) end
  for _, device in ipairs(sandbox.registry.order) do put("D", pack_device(device)) end
  for _, command in ipairs(sorted_commands(sandbox)) do put("C", pack_command(command)) end
  for _, row in ipairs(sandbox.book.rows) do put("L", row) end
  for _, row in ipairs(sandbox.push:pending()) do put("P", row) end
end

--- Writes the sandbox to a file. Returns true, or nil and why not.
---@param sandbox table
---@param path string
---@return boolean?
---@return string? why
function state.save(sandbox, path)
  local file, why = io.open(path .. ".new", "wb")
  if not file then return nil, why end
  write_all(sandbox, function(letter, value) file:write(line_of(letter, value)) end)
  local ok
  ok, why = file:close()
  if ok then ok, why = os.rename(path .. ".new", path) end
  if not ok then return nil, why end
  return true
end

--- The first line of a state file, or nil if there is no such file.
---@param path string
---@return table? head { now (ms), start, seed, count, counts }
function state.head(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "l"
  file:close()
  local letter, head = read_line(text or "", path .. ":1")
  if letter ~= "H" then error("sandbox: not a state file: " .. path, 0) end
  if head.version ~= VERSION then
    error(("sandbox: %s was written by another version of xfiot: start anew without it"):format(path), 0)
  end
  return head
end

local TAKE <const> = {
  H = function() end,
  S = function(sandbox, row) price.scheme(sandbox.schemes, row.paras) end,
  D = unpack_device,
  C = unpack_command,
  L = function(sandbox, row) sandbox.book:write(row) end,
  P = function(sandbox, row) sandbox.push:restore(row) end,
}

--- Reads a state file into a sandbox that has no devices yet, and lets all go on.
---@param sandbox table
---@param path string
function state.load(sandbox, path)
  local number = 0
  for text in io.lines(path) do
    number = number + 1
    local where = ("%s:%d"):format(path, number)
    local letter, row = read_line(text, where)
    local take = TAKE[letter] or error("sandbox: the state file is damaged: " .. where, 0)
    take(sandbox, row)
  end
  for _, device in ipairs(sandbox.registry.order) do
    if device.state == registry.REGISTERED then sandbox.meters:resume(device) end
    sandbox.mishaps:resume(device)
    sandbox.queue:resume(device)
  end
end

return state
