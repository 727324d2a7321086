-- The house rules that no other tool knows: lua5.4 .ci/rules.lua BUILD
-- Prints file:line: what is wrong; exit status 1 if anything is.

local build = arg[1] or "build"

local LINES_MOST = 400
local BANNED = {
  "strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atof", "system", "popen",
  "alloca", "tmpnam", "mktemp", "rand", "srand",
}
-- Changeable variables outside functions. A signal handler has nowhere else to look.
local MUTABLE = { ["host.o"] = true }

local faults = 0
local function fault(...)
  faults = faults + 1
  print(string.format(...))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function lines_of(command)
  local out = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do out[#out + 1] = line end
  assert(pipe:close(), command)
  return out
end

local function find(what) return lines_of("find " .. what .. " 2>/dev/null | LC_ALL=C sort") end

local function each_line(text)
  local number = 0
  return function(rest)
    local from = rest.at
    if from > #text then return nil end
    local to = text:find("\n", from, true) or #text + 1
    rest.at, number = to + 1, number + 1
    return number, text:sub(from, to - 1)
  end, { at = 1 }
end

-- C without comments and the insides of literals; lines stay where they are.
local function code_of(text)
  local function blank(s) return (s:gsub("[^\n]", " ")) end
  local out, at = {}, 1
  while true do
    local from = text:find("[/\"']", at)
    if not from then break end
    out[#out + 1] = text:sub(at, from - 1)
    local two, one = text:sub(from, from + 1), text:sub(from, from)
    local to
    if two == "/*" then
      to = select(2, text:find("*/", from + 2, true)) or #text
    elseif two == "//" then
      to = (text:find("\n", from, true) or #text + 1) - 1
    elseif one == "/" then
      to = nil
    else
      to = from + 1
      while to <= #text and text:sub(to, to) ~= one do
        to = to + (text:sub(to, to) == "\\" and 2 or 1)
      end
    end
    out[#out + 1] = to and blank(text:sub(from, to)) or one
    at = (to or from) + 1
  end
  return table.concat(out) .. text:sub(at)
end

local c_files = find "core -name '*.[ch]'"
local lua_files = find "lua -name '*.lua'"

-- Layers: only bindings, the module and the program know Lua.
local function check_includes(path, text)
  local name = path:match("[^/]+$")
  if name:find("^bind") or name:find("^module%.") or name == "host.c" then return end
  for number, line in each_line(text) do
    local header = line:match('^%s*#%s*include%s*[<"]([^>"]+)[>"]')
    if header and (header:find("^lua") or header == "lauxlib.h" or header:find("^bind")) then
      fault("%s:%d: only bind*, module and host.c include %s", path, number, header)
    end
  end
end

local function check_banned(path, code)
  for number, line in each_line(code) do
    for _, name in ipairs(BANNED) do
      if line:find("%f[%w_]" .. name .. "%s*%(") then fault("%s:%d: %s is banned", path, number, name) end
    end
  end
end

-- A paragraph of a header that declares functions says something about them.
-- Makers, freers and inline bodies may speak for themselves.
local function check_comments(path, text)
  local code, number = code_of(text), 0
  local pending, comment = {}, false
  local function settle()
    for _, row in ipairs(comment and {} or pending) do
      fault("%s:%d: %s has no comment, nor has its paragraph", path, row.number, row.name)
    end
    pending, comment = {}, false
  end
  local codes = {}
  for _, line in each_line(code) do codes[#codes + 1] = line end
  for _, line in each_line(text) do
    number = number + 1
    local name = codes[number]:match("^[%a_][%w_%s%*]-%f[%w_](xf_[%w_]+)%(")
    if line:find("^%s*$") then settle() end
    if line:find("/*", 1, true) then comment = true end
    if name and not name:find("_free$") and not name:find("_new$") and not line:find("^static") then
      pending[#pending + 1] = { name = name, number = number }
    end
  end
  settle()
end

local function check_length(path, text)
  if path:find("/rows[^/]*$") then return end
  local count = select(2, text:gsub("\n", ""))
  if count > LINES_MOST then fault("%s:%d: over %d lines: is it two nouns?", path, count, LINES_MOST) end
end

local function check_marks(path, text)
  for number, line in each_line(text) do
    for _, mark in ipairs { "TO" .. "DO", "FIX" .. "ME", "X" .. "XX", "HA" .. "CK" } do
      if line:find("%f[%w_]" .. mark .. "%f[^%w_]") then fault("%s:%d: left open: %s", path, number, mark) end
    end
    if line:find("[ \t]$") then fault("%s:%d: white space at its end", path, number) end
  end
end

-- Names the linker sees, and variables that could change behind a caller's back.
local function check_objects()
  for _, path in ipairs(find(build .. "/core -name '*.o'")) do
    local object = path:match("[^/]+$")
    local source = "core/" .. object:gsub("%.o$", ".c")
    local there = io.open(source)
    for _, line in ipairs(there and lines_of("objdump -t " .. path) or {}) do
      local flags, section, name = line:match("^%x+ (.......) (%S+)%s+%x+%s+(.*)$")
      name = name and name:gsub("^%.hidden ", "")
      if flags and flags:find("g") and section ~= "*UND*" and not name:find("^xf_")
        and not name:find("^luaopen_xfiot") and name ~= "main" then
        fault("%s: the external name %s does not begin with xf_", source, name)
      end
      if flags and flags:find("O") and not MUTABLE[object] and not section:find("^%.data%.rel%.ro")
        and (section:find("^%.data") or section:find("^%.bss") or section:find("^%.t")) then
        fault("%s: %s is a variable outside functions; nothing may change there", source, name)
      end
    end
    if there then there:close() end
  end
end

-- The rock's lists are written by hand and must be the tree's.
local function check_rockspec()
  for _, path in ipairs(find "rockspec -name '*.rockspec'") do
    local spec = {}
    assert(loadfile(path, "t", spec))()
    local version = read("core/version.h"):match('XF_VERSION "([^"]+)"')
    if not (spec.version or ""):find("^" .. version:gsub("%p", "%%%0") .. "%-%d+$") then
      fault("%s: version %s, core/version.h says %s", path, spec.version, version)
    end
    local listed, wanted = {}, {}
    for module, what in pairs(spec.build.modules) do
      if type(what) == "string" then listed[("%s = %q"):format(("[%q]"):format(module), what)] = true end
    end
    for _, source in ipairs(spec.build.modules["xfiot.core"].sources) do
      listed[("%q"):format(source)] = true
    end
    for _, source in ipairs(find "core -name '*.c' ! -name host.c") do
      wanted[("%q"):format(source)] = true
    end
    for _, source in ipairs(lua_files) do
      local module = source:match("^lua/(.+)%.lua$"):gsub("/", ".")
      wanted[("%s = %q"):format(("[%q]"):format(module), source)] = true
    end
    local rows = {}
    for row in pairs(wanted) do
      if not listed[row] then rows[#rows + 1] = "add    " .. row .. "," end
    end
    for row in pairs(listed) do
      if not wanted[row] then rows[#rows + 1] = "remove " .. row .. "," end
    end
    table.sort(rows)
    for _, row in ipairs(rows) do fault("%s: %s", path, row) end
  end
end

for _, path in ipairs(c_files) do
  local text = read(path)
  check_includes(path, text)
  check_banned(path, code_of(text))
  check_length(path, text)
  if path:find("%.h$") then check_comments(path, text) end
end
for _, path in ipairs(lua_files) do check_length(path, read(path)) end
local KINDS = { c = true, h = true, lua = true, md = true, rockspec = true, txt = true }
for _, path in ipairs(find "core lua scripts spec rockspec .ci *.md Makefile -type f") do
  local kind = path:match("[^/]%.(%w+)$")
  if not kind or KINDS[kind] then check_marks(path, read(path)) end
end
check_objects()
check_rockspec()
os.exit(faults == 0)
