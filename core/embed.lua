-- Prints the C source of xf_embedded[] (core/embedded.h) for the Lua files
-- named on the command line, and for argparse, which is found where require
-- would find it.
--   lua/xfiot/client.lua -> module "xfiot.client"
--   scripts/recharge.lua -> "script:recharge.lua"

local function fail(...)
  io.stderr:write("embed.lua: ", string.format(...), "\n")
  os.exit(1)
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then fail("%s", why) end
  local text = file:read("a")
  file:close()
  return text
end

local function name_of(path)
  local script = path:match("^scripts/([^/]+%.lua)$")
  if script then return "script:" .. script end
  local module = path:match("^lua/(.+)%.lua$")
  if not module then fail("%s is neither under lua/ nor in scripts/", path) end
  return (module:gsub("/", "."))
end

local entries = {}
for _, path in ipairs(arg) do
  entries[#entries + 1] = { name = name_of(path), file = "@" .. path, text = read(path) }
end
local argparse, where = package.searchpath("argparse", package.path)
if not argparse then fail("argparse is not installed:%s", where) end
entries[#entries + 1] = { name = "argparse", file = "@argparse.lua", text = read(argparse) }
table.sort(entries, function(a, b) return a.name < b.name end)

-- A syntax error should stop the build, not the user's first run.
for i, entry in ipairs(entries) do
  local chunk, why = load(entry.text, entry.file, "t")
  if not chunk then fail("%s", why) end
  -- Compiled here, with its line numbers: it is a quarter of the work to start.
  -- Scripts stay text, for people to read.
  if not entry.name:find "^script:" then entry.text = string.dump(chunk) end
  if i > 1 and entries[i - 1].name == entry.name then fail("two files are called %s", entry.name) end
end

-- Numbers, not string literals: C11 promises only 4095 characters of those.
local function bytes(text)
  local out = {}
  for at = 1, #text, 32 do
    out[#out + 1] = table.concat({ text:byte(at, at + 31) }, ",")
  end
  return table.concat(out, ",\n") .. (#out > 0 and ",0" or "0")
end

print("/* Written by core/embed.lua. */")
print('#include "embedded.h"\n')
for i, entry in ipairs(entries) do
  print(string.format("static const unsigned char text_%d[] = {\n%s};", i, bytes(entry.text)))
end
print("\nconst struct xf_embedded xf_embedded[] = {")
for i, entry in ipairs(entries) do
  print(string.format('    {"%s", "%s", text_%d, %d},', entry.name, entry.file, i, #entry.text))
end
print("    {NULL, NULL, NULL, 0},\n};")
