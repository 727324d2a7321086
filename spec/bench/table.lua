-- The table of `make bench` from the lines that .ci/bench has collected:
--   pair NAME CALLS OURS THEIRS     each: calls a second, CPU seconds, peak KiB
--   tokens.WAY FIGURE
--   start LEAST MEDIAN MOST         ms
--   campaign ROWS BEGAN ENDED CPU KIB
--   bring_back ALONE TOGETHER       microseconds a run
--   sandbox FIGURE CPU BYTES        meter-days a second, the same by CPU time; per meter
--   orders.N, rows.N FIGURE         a second, N in flight or in one commit
--   settlements.N ORDERED LATE      a second, N in flight
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

-- median, least, most of what `of` makes of each pair
local function spread(list, of)
  local values = {}
  for i, pair in ipairs(list) do values[i] = of(pair) end
  table.sort(values)
  return values[(#values + 1) // 2], values[1], values[#values]
end

local function median(list, of) return (spread(list, of)) end

local function grouped(n)
  return (("%.0f"):format(n):reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function row(what, figure, aim) print(("%-54s %-30s %s"):format(what, figure, aim or "")) end

-- Members of a pair: calls a second, CPU seconds, KiB; first ours, then the C program's.
local function column(i)
  return function(pair) return pair[i] end
end

local function ratio(i, j)
  return function(pair) return pair[i] / pair[j] end
end

local function show(name, title, aim, memory_aim)
  local list = series[name]
  local function both(write, i)
    return ("%s; C: %s"):format(write(median(list, column(i))), write(median(list, column(i + 3))))
  end
  local function per_thousand(seconds) return ("%.4f"):format(seconds / list.calls * 1000) end
  local function mebibytes(kib) return ("%.1f"):format(kib / 1024) end

  row(title, ("%.2f (%.2f to %.2f)"):format(spread(list, ratio(1, 4))), aim)
  row("  the same by CPU time", ("%.2f (%.2f to %.2f)"):format(spread(list, ratio(5, 2))))
  row("  requests a second", both(grouped, 1))
  row("  CPU seconds per 1,000 requests", both(per_thousand, 2))
  row(("  peak memory in MiB, %s results"):format(grouped(list.calls)), both(mebibytes, 3), memory_aim)
end

print()
row("signed creatCmd: xfiot to a bare C program", "median (least to most)", "aim")
show("64-in-flight", "xfiot.parallel, 64 in flight", "0.8 and more", "under 20")
show("1-in-parallel", "xfiot.parallel, 1 in flight")
show("1-alone", "client:creatCmd, one after the other")
print()
row("tokens a second, client:sign()", grouped(single["tokens.client"][1]), "over 1,000,000")
row("  signer:sign()", grouped(single["tokens.signer"][1]))
row("  xfiot.sign(), settings read each time", grouped(single["tokens.settings"][1]))
local least, middle, most = table.unpack(single.start)
row("xfiot call, ms from start to first byte sent", ("%.1f (%.1f to %.1f)"):format(middle, least, most),
  "under 15")
local days, by_cpu, bytes = table.unpack(single.sandbox)
row("sandbox: meter-days a second, 100,000 meters", ("%s; by CPU time: %s"):format(grouped(days), grouped(by_cpu)),
  "over 50,000")
row("  memory per meter in bytes", grouped(bytes), "under 2,000")
print ""
for _, group in ipairs { 1, 64 } do
  row(("orders a second, intent and sent on disk, %d in flight"):format(group),
    ("%s; SQLite rows: %s"):format(grouped(single["orders." .. group][1]), grouped(single["rows." .. group][1])),
    group == 64 and "8,000" or "")
end

local campaign = single.campaign
local rows = campaign[1]
row(("rows of a campaign a second, %s rows"):format(grouped(rows)), grouped(rows / (campaign[3] - campaign[2])),
  "5,000")
row("  CPU seconds per 1,000 rows", ("%.3f"):format(campaign[4] / rows * 1000))
row("  peak memory in MiB", ("%.1f"):format(campaign[5] / 1024), "under 100")
row("us to bring back a waiting run of five steps",
  ("%.0f; many at once: %.0f"):format(table.unpack(single.bring_back)))
print ""
for _, group in ipairs { 1, 64 } do
  row(("settlements a second with their commits, %d in flight"):format(group),
    ("%s; late ones: %s"):format(grouped(single["settlements." .. group][1]),
      grouped(single["settlements." .. group][2])))
end
