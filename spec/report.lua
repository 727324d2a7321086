-- Busted's output as spec/run.lua wants it: failures with file:line, one line
-- for each file, and the exact counts in the file that -Xoutput names:
-- "passed failed pending", then "seconds name" of each test.

return function(options)
  local busted = require "busted"
  local pretty = require "pl.pretty"
  local handler = require "busted.outputHandlers.base"()
  local counts_path = options.arguments and options.arguments[1]
  local times = {}
  local before, file_name

  local function text_of(message)
    if message == nil then return "no message" end
    return type(message) == "string" and message or pretty.write(message)
  end

  local function show(fault)
    local trace = fault.element.trace or fault.trace or {}
    -- The failed assertion's line if it is in the test's own file, else where the test begins.
    local line = fault.trace and fault.trace.short_src == trace.short_src and fault.trace.currentline
      or trace.currentline
    -- A file with a syntax error has no place of its own; the message names it.
    local place = trace.short_src and ("%s:%s: "):format(trace.short_src, line or "?") or ""
    io.write("not ok ", place, fault.name or "?", "\n")
    io.write("    ", (text_of(fault.message):gsub("\n", "\n    ")), "\n")
    if fault.isError and fault.trace and fault.trace.traceback then
      io.write("    ", (fault.trace.traceback:gsub("^\n", ""):gsub("\n", "\n    ")), "\n")
    end
  end

  local function show_new()
    for _, list in ipairs { handler.failures, handler.errors } do
      for _, fault in ipairs(list) do
        if not fault.shown then show(fault) end
        fault.shown = true
      end
    end
    io.flush()
    return nil, true
  end

  function handler.fileStart(file)
    file_name = file.name
    before = { handler.successesCount, handler.failuresCount + handler.errorsCount }
    return nil, true
  end

  function handler.fileEnd()
    show_new()
    io.write(("%-28s %d passed, %d failed\n"):format(file_name:match("[^/]+$"),
      handler.successesCount - before[1], handler.failuresCount + handler.errorsCount - before[2]))
    io.flush()
    return nil, true
  end

  function handler.testEnd(element, _, status)
    local name = handler.getFullName(element)
    if element.duration then
      times[#times + 1] = ("%.3f %s"):format(element.duration, name:gsub("\n", " "))
    end
    if status == "pending" then
      local trace = element.trace or {}
      local row = handler.pendings[#handler.pendings]
      local why = row and row.message and (": " .. text_of(row.message)) or ""
      io.write(("pending %s:%s: %s%s\n"):format(trace.short_src or "?", trace.currentline or "?", name, why))
    end
    return show_new()
  end

  function handler.suiteEnd()
    show_new()
    local bad = handler.failuresCount + handler.errorsCount
    if counts_path then
      local file = assert(io.open(counts_path, "w"))
      file:write(("%d %d %d\n"):format(handler.successesCount, bad, handler.pendingsCount))
      for _, row in ipairs(times) do file:write(row, "\n") end
      file:close()
    else
      io.write(("%d passed, %d failed\n"):format(handler.successesCount, bad))
    end
    return nil, true
  end

  busted.subscribe({ "file", "start" }, handler.fileStart)
  busted.subscribe({ "file", "end" }, handler.fileEnd)
  busted.subscribe({ "test", "end" }, handler.testEnd, { predicate = handler.cancelOnPending })
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  return handler
end
