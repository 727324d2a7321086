-- Runs everything: lua5.4 spec/run.lua BUILD TESTBIN...
-- C test programs first, then busted over spec/*_spec.lua. The last line is
-- "N passed, N failed"; the exit status is 1 if anything failed or nothing ran.
-- ONLY=text runs the programs and specs whose names contain the text.

local unpack = table.unpack

local PROGRAM_LIMIT = 300 -- seconds for one C test program
local SPECS_LIMIT = 1800 -- seconds for all specs
local SLOW = 0.5 -- seconds; what takes longer is named at the end
local SLOW_MOST = 5
local REPORT_LINES, REPORT_FRAMES = 24, 6 -- of a sanitizer's report that are told
local SANITIZER_STATUS = 99 -- exit status of a process in which a sanitizer found something

local has_system, system = pcall(require, "system")
local clock = has_system and system.gettime or os.time

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function quoted(list)
  local out = {}
  for i, text in ipairs(list) do out[i] = quote(text) end
  return table.concat(out, " ")
end

local function lines_of(command)
  local out = {}
  local pipe = assert(io.popen(command))
  for line in pipe:lines() do out[#out + 1] = line end
  pipe:close()
  return out
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text
end

local root = lines_of("pwd -P")[1]
local build = arg[1]
if not build then
  io.stderr:write("usage: lua5.4 spec/run.lua BUILD TESTBIN...\n")
  os.exit(2)
end
if build:sub(1, 1) ~= "/" then build = root .. "/" .. build end
local lua = arg[-1]
local only = os.getenv "ONLY" or ""
local scratch = lines_of("mktemp -d")[1] or error("no temporary folder")

-- Core.so built with a sanitizer wants its run-time in the process before
-- everything else, and stock lua5.4 does not have it. The module itself says
-- which libraries those are, in the order it needs.
local sanitizers = {}
for _, line in ipairs(lines_of("ldd " .. quote(build .. "/lib/xfiot/core.so") .. " 2>/dev/null")) do
  local path = line:match("=> (/%S+)")
  if path and (path:find("san", 1, true) and path:match("/lib[%w_.-]*san[%w_.-]*%.so[^/]*$")) then
    sanitizers[#sanitizers + 1] = path
  end
end

-- Nothing of the caller's environment reaches the tests but what is listed:
-- no XFIOT_ setting, no proxy, no LUA_INIT. A time zone far from the
-- platform's and with summer time shows whoever asks for local time.
local environment = {
  PATH = os.getenv "PATH",
  LD_LIBRARY_PATH = os.getenv "LD_LIBRARY_PATH",
  XFIOT_CONTRACT = os.getenv "XFIOT_CONTRACT",
  XFIOT_BUILD = build,
  HOME = scratch .. "/home",
  TMPDIR = scratch .. "/tmp",
  TZ = "America/New_York",
  LC_ALL = "C.UTF-8",
  NO_COLOR = "1",
  TERM = "dumb",
  LUA_PATH = root .. "/lua/?.lua;" .. root .. "/?.lua;;",
  LUA_CPATH = build .. "/lib/?.so;" .. build .. "/spec/support/?.so;;",
  ASAN_OPTIONS = ("detect_leaks=1:detect_stack_use_after_return=1:exitcode=%d:log_path=%s/sanitizer")
    :format(SANITIZER_STATUS, scratch),
  UBSAN_OPTIONS = ("print_stacktrace=1:halt_on_error=1:exitcode=%d:log_path=%s/sanitizer")
    :format(SANITIZER_STATUS, scratch),
}
local assignments = {}
for name, value in pairs(environment) do assignments[#assignments + 1] = name .. "=" .. value end
table.sort(assignments)
os.execute("mkdir " .. quoted { environment.HOME, environment.TMPDIR })

-- Runs argv in that environment, output into a file; with `shown` it also
-- appears at once. Returns how it ended ("exit" or "signal", number) and the seconds taken.
local function run(argv, limit, output, extra)
  local command = { "env", "-i", unpack(assignments) }
  for _, assignment in ipairs(extra or {}) do command[#command + 1] = assignment end
  for _, word in ipairs(argv) do command[#command + 1] = word end
  local before = clock()
  local _, kind, number = os.execute(("exec timeout -k 5 %d %s </dev/null%s"):format(
    limit, quoted(command), output and (" >" .. quote(output) .. " 2>&1") or ""))
  return kind, number, clock() - before
end

local passed, failed, pending = 0, 0, 0
local slow = {}
local function took(seconds, what)
  if seconds >= SLOW then slow[#slow + 1] = { seconds = seconds, what = what } end
end

local function ending(kind, number)
  if kind == "signal" then return "killed by signal " .. number end
  if number == 124 then return "did not end in time" end
  if number == SANITIZER_STATUS then return "a sanitizer's report, below" end
  return "exit status " .. number
end

local function run_program(path)
  local name = path:match("[^/]+$")
  local output = scratch .. "/output"
  local kind, number, seconds = run({ path }, PROGRAM_LIMIT, output)
  local text = read(output)
  took(seconds, name)
  local good, bad = text:match("# (%d+) passed, (%d+) failed%s*$")
  good, bad = tonumber(good) or 0, tonumber(bad)
  local complaint
  if not bad then
    complaint = ending(kind, number) .. ", without its count"
  elseif kind ~= "exit" or number ~= (bad > 0 and 1 or 0) then
    complaint = ending(kind, number) -- a sanitizer's report at the end, for one
  end
  passed = passed + good
  failed = failed + (bad or 0)
  if complaint and (bad or 0) == 0 then failed = failed + 1 end
  if complaint or bad > 0 then
    io.write(text, text:sub(-1) == "\n" and "" or "\n")
  end
  io.write(("%-28s %d passed, %d failed%s\n"):format(name, good, bad or 0,
    complaint and (" (" .. complaint .. ")") or ""))
end

-- Busted, started by this same Lua: the `lua` of Debian's script may be another version.
local function run_specs(files)
  local counts = scratch .. "/counts"
  local bootstrap = scratch .. "/busted.lua"
  local file = assert(io.open(bootstrap, "w"))
  file:write('require "busted.runner" { standalone = false }\n')
  file:close()
  local extra = {}
  if #sanitizers > 0 then extra[1] = "LD_PRELOAD=" .. table.concat(sanitizers, ":") end
  local argv = { lua, bootstrap, "-Xoutput", counts, unpack(files) }
  local kind, number = run(argv, SPECS_LIMIT, nil, extra)
  local good, bad, skipped, rest = read(counts):match("^(%d+) (%d+) (%d+)\n(.*)$")
  if not good then
    io.write("busted ended without a count: ", ending(kind, number), "\n")
    failed = failed + 1
    return
  end
  good, bad = tonumber(good), tonumber(bad)
  if kind ~= "exit" or number == SANITIZER_STATUS or (number ~= 0 and bad == 0) then
    io.write("busted ended badly: ", ending(kind, number), "\n")
    bad = bad + 1
  end
  passed, failed, pending = passed + good, failed + bad, pending + tonumber(skipped)
  for seconds, what in rest:gmatch("(%S+) ([^\n]*)\n") do took(tonumber(seconds), what) end
end

local function chosen(path) return path:match("[^/]+$"):find(only, 1, true) end

for i = 2, #arg do
  if chosen(arg[i]) then
    run_program(arg[i]:sub(1, 1) == "/" and arg[i] or root .. "/" .. arg[i])
    io.flush()
  end
end
local specs = {}
for _, path in ipairs(lines_of("find spec -name '*_spec.lua' | LC_ALL=C sort")) do
  if chosen(path) then specs[#specs + 1] = path end
end
if #specs > 0 then run_specs(specs) end

-- Sanitizers write their reports into files. What each begins with is told last, where it is
-- not lost among the rest: an error, or the direct leaks, with the first functions of the stack.
local function tell_report(path)
  local lines, left = {}, 0
  for line in io.lines(path) do
    if line:find "^==%d+==ERROR" or line:find "^Direct leak" then
      lines[#lines + 1], left = line, REPORT_FRAMES
    elseif left > 0 and line:find "^%s+#%d" then
      lines[#lines + 1], left = "  " .. (line:match " in (.*)" or line), left - 1
    else
      left = 0
    end
  end
  if #lines > 0 then io.write("sanitizer: ", table.concat(lines, "\n", 1, math.min(#lines, REPORT_LINES)), "\n") end
end
for _, path in ipairs(lines_of("find " .. quote(scratch) .. " -maxdepth 1 -name 'sanitizer.*'")) do
  tell_report(path)
end
os.execute("rm -rf " .. quote(scratch))

table.sort(slow, function(a, b) return a.seconds > b.seconds end)
if #slow > 0 then io.write("Slowest:\n") end
for i = 1, math.min(#slow, SLOW_MOST) do
  io.write(("  %5.1f s  %s\n"):format(slow[i].seconds, slow[i].what))
end
if pending > 0 then io.write(pending, " pending\n") end
if passed + failed == 0 then io.write("Nothing ran", only ~= "" and (" for ONLY=" .. only) or "", ".\n") end
io.write(("%d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
