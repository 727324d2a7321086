-- lua5.4 spec/mutants/plant.lua            lists the faults: name, what it is
-- lua5.4 spec/mutants/plant.lua NAME TREE  plants one in a copy of the tree; prints
--                                          the pattern that the specs must say, and the
--                                          C program that must say it, if it is one

local faults = dofile((arg[0]:gsub("plant%.lua$", "faults.lua")))
local name, tree = arg[1], arg[2]

local function fail(...)
  io.stderr:write("mutants: ", string.format(...), "\n")
  os.exit(1)
end

local function plant(file, old, new)
  local path = tree .. "/" .. file
  local handle = io.open(path, "rb") or fail("%s: %s is not there", name, file)
  local text = handle:read "a"
  handle:close()
  local from, to = text:find(old, 1, true)
  if not from or text:find(old, to + 1, true) then
    fail("%s: %s does not hold this once, the fault cannot be planted:\n%s", name, file, old)
  end
  handle = assert(io.open(path, "wb"))
  assert(handle:write(text:sub(1, from - 1), new, text:sub(to + 1)))
  assert(handle:close())
end

for _, fault in ipairs(faults) do
  if not name then
    print(fault.name, fault.what)
  elseif fault.name == name then
    for _, change in ipairs(fault.changes) do plant(table.unpack(change)) end
    print(fault.found)
    if fault.program then print(fault.program) end
    os.exit(0)
  end
end
if name then fail("there is no fault %s", name) end
