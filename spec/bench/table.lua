-- The table of `make bench` from the lines that .ci/bench has collected:
--   pair NAME CALLS  OURS(calls/s CPU_s RSS_KiB) THEIRS(the same)
--   tokens.WAY FIGURE
--   start LEAST MEDIAN MOST                                             ms
local series, single = {}, {}

for line in io.lines() do
  local words = {}
  for word in line:gmatch "%S+" do words[#words + 1] = word end
  local kind = table.remove(words, 1)
  if kind == "pair" then
    local name, calls = table.remove(words, 1), tonumber(table.remove(words, 1))
    series[name] = series[name] or { calls = calls }
    for i, word in ipairs(words) do words[i] = assert(tonumber(word), line) end
    table.insert(series[name], words)
  else
    for i, word in ipairs(words) do words[i] = assert(tonumber(word), line) end
    single[kind] = words
  end
end

-- least, median, most of what `of` makes of each pair
local function spread(list, of)
  local values = {}
  for i, pair in ipairs(list) do values[i] = of(pair) end
  table.sort(values)
  return values[1], values[(#values + 1) // 2], values[#values]
end

local function median(list, of)
  local _, middle = spread(list, of)
  return middle
end

local function grouped(n)
  return (("%.0f"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function row(what, figure, aim) print(("%-46s %-26s %s"):format(what, figure, aim or "")) end

local function both(format, a, b) return (format .. " to " .. format):format(a, b) end

local function show(name, title, aim, memory_aim)
  local list = series[name]
  local least, middle, most = spread(list, function(p) return p[1] / p[4] end)
  row(title, ("%.2f (%.2f to %.2f)"):format(middle, least, most), aim)
  row("  requests a second", both("%s", grouped(median(list, function(p) return p[1] end)),
    grouped(median(list, function(p) return p[4] end))))
  row("  CPU time of the C program to ours", ("%.2f"):format(median(list, function(p) return p[5] / p[2] end)))
  row("  CPU seconds per 1,000 requests", both("%.4f", median(list, function(p) return p[2] / list.calls * 1000 end),
    median(list, function(p) return p[5] / list.calls * 1000 end)))
  row("  peak memory, MiB", both("%.1f", median(list, function(p) return p[3] / 1024 end),
    median(list, function(p) return p[6] / 1024 end)), memory_aim)
end

print()
row("signed creatCmd, xfiot to a bare C program", "figure", "aim")
show("64-in-flight", "xfiot.parallel, 64 in flight", "0.8 and more", "under 20")
show("1-in-parallel", "xfiot.parallel, 1 in flight")
show("1-alone", "client:creatCmd, one after the other")
print()
row("tokens a second, client:sign()", grouped(single["tokens.client"][1]), "over 1,000,000")
row("  signer:sign()", grouped(single["tokens.signer"][1]))
row("  xfiot.sign(), settings read each time", grouped(single["tokens.settings"][1]))
local least, middle, most = table.unpack(single.start)
row("xfiot call, start to first byte sent, ms", ("%.1f (%.1f to %.1f)"):format(middle, least, most), "under 15")
