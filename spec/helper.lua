-- What specs share: require "spec.helper". Busted loads it first (.busted), so
-- that plain `busted` finds the module of build/ too.

assert(_VERSION == "Lua 5.4", "the specs need Lua 5.4; make test sees to that")

local M = {}

local LIMIT = 60 -- seconds a program may take

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function first_line(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read("l")
  pipe:close()
  return line
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

M.root = first_line("pwd -P")
M.build = os.getenv "XFIOT_BUILD" or "build"
if M.build:sub(1, 1) ~= "/" then M.build = M.root .. "/" .. M.build end
M.xfiot = M.build .. "/xfiot"
M.lua = "lua5.4"
M.read = read
M.quote = quote

-- In a sanitizer's build: its run-time, preloaded here because stock Lua lacks
-- it. Programs found on the system must not inherit it (curl hangs with it,
-- others leak); a Lua started by M.run gets it, others by env = { LD_PRELOAD = M.preload }.
M.preload = os.getenv "LD_PRELOAD"
if M.preload then
  local popen, execute = io.popen, os.execute
  io.popen = function(command, mode) return popen("unset LD_PRELOAD; " .. command, mode) end
  os.execute = function(command) return execute(command and "unset LD_PRELOAD; " .. command) end
  -- Modules stay mapped at the end, so that a leak's report can name their functions.
  setmetatable(debug.getregistry()._CLIBS, nil)
end

-- spec/run.lua has set these; without it they are set here, for children too.
local function prepend(path, front) return path:find(front, 1, true) and path or front .. ";" .. path end
package.path = prepend(package.path, M.root .. "/lua/?.lua;" .. M.root .. "/?.lua")
package.cpath = prepend(package.cpath, M.build .. "/lib/?.so;" .. M.build .. "/spec/support/?.so")

-- What a program must have even in a clean environment: where Lua finds the
-- module, and what a sanitizer's build asks for.
local function base_environment()
  local env = {
    PATH = os.getenv "PATH",
    HOME = os.getenv "HOME",
    TMPDIR = os.getenv "TMPDIR",
    LC_ALL = "C.UTF-8",
    NO_COLOR = "1",
    LUA_PATH = package.path,
    LUA_CPATH = package.cpath,
  }
  for _, name in ipairs { "TZ", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH" } do
    env[name] = os.getenv(name)
  end
  return env
end

local folder -- holds all temporary files
local count = 0
local running = {} -- processes started and not yet stopped

local function scratch()
  folder = folder or assert(first_line("mktemp -d"))
  count = count + 1
  return folder .. "/" .. count
end

require "busted".subscribe({ "exit" }, function()
  for process in pairs(running) do process:signal("KILL") end
  if folder then os.execute("rm -rf " .. quote(folder)) end
  return nil, true
end)

-- A new empty folder.
function M.tmpdir()
  local path = scratch()
  assert(os.execute("mkdir " .. quote(path)))
  return path
end

-- mode: as chmod takes it, "600". Returns the path.
function M.write(path, text, mode)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  if mode then assert(os.execute(("chmod %s %s"):format(quote(mode), quote(path)))) end
  return path
end

-- The shell's words for argv in its folder and environment.
local function command_of(argv, o, limit)
  local env = o.clean == false and {} or base_environment()
  local words = {}
  local function add(...)
    for _, word in ipairs { ... } do words[#words + 1] = word end
  end
  if o.cwd then add("cd", quote(o.cwd), "|| exit 125;") end
  add("exec")
  if limit then add("timeout -k 5", limit) end
  add("env")
  if o.clean ~= false then add("-i") end
  if argv[1]:match("[^/]+$"):find("^lua") then env.LD_PRELOAD = M.preload end
  for name, value in pairs(o.env or {}) do
    env[name] = value or nil
    if not value then add("-u", quote(name)) end
  end
  for name, value in pairs(env) do add(quote(name .. "=" .. value)) end
  for i, word in ipairs(argv) do add(quote(i == 1 and word == "xfiot" and M.xfiot or word)) end
  return table.concat(words, " ")
end

-- Runs a program to its end. argv[1] is "xfiot" (the one under test) or any
-- other program. Options: env (added; false takes a name out), stdin (text), cwd, clean
-- (false: with this process's environment), limit (seconds).
-- Returns { status = number or nil, signal = number or nil, stdout =, stderr = }.
function M.run(argv, options)
  local o = options or {}
  local at = scratch()
  local limit = o.limit or LIMIT
  M.write(at .. ".in", o.stdin or "")
  local _, kind, number = os.execute(("{ %s; } <%s >%s 2>%s"):format(command_of(argv, o, limit),
    quote(at .. ".in"), quote(at .. ".out"), quote(at .. ".err")))
  local result = { stdout = read(at .. ".out"), stderr = read(at .. ".err") }
  result[kind == "signal" and "signal" or "status"] = number
  os.execute(("rm -f %s %s %s"):format(quote(at .. ".in"), quote(at .. ".out"), quote(at .. ".err")))
  if kind == "exit" and (number == 124 or number == 137) then
    error(("%s did not end within %d s\n%s%s"):format(table.concat(argv, " "), limit, result.stdout,
      result.stderr), 2)
  end
  return result
end

-- A program that stays: M.start(argv, options) with the options of M.run but
-- stdin and limit. Its stdout and stderr come as one stream.
local Process = {}
Process.__index = Process

function M.start(argv, options)
  local pipe = assert(io.popen(("echo $$; { %s; } </dev/null 2>&1"):format(command_of(argv, options or {}))))
  local process = setmetatable({ pid = math.tointeger(pipe:read("l")), pipe = pipe, output = {} }, Process)
  running[process] = true
  return process
end

-- Reads on until a line matches; returns the captures. Everything read so far
-- is in the list `output`.
function Process:expect(pattern)
  for line in self.pipe:lines() do
    self.output[#self.output + 1] = line
    if line:find(pattern) then return line:match(pattern) end
  end
  error(("ended without a line like %s:\n%s"):format(pattern, table.concat(self.output, "\n")), 2)
end

-- Sends a signal ("TERM" unless named, "KILL" ...).
function Process:signal(name)
  os.execute(("kill -%s %d 2>/dev/null"):format(name or "TERM", self.pid))
end

-- Sends a signal unless it is false, waits for the end. Returns status and signal number
-- (one of them nil), and all that it printed.
function Process:stop(name)
  if name ~= false then self:signal(name) end
  for line in self.pipe:lines() do self.output[#self.output + 1] = line end
  local _, kind, number = self.pipe:close()
  running[self] = nil
  local text = table.concat(self.output, "\n")
  if kind == "signal" then return nil, number, text end
  return number, nil, text
end

return M
