--- How far a campaign is, on stderr: a bar on a terminal, a line a minute elsewhere.
local core = require "xfiot.core"
local loop = require "xfiot.loop"

local progress = {}

local BAR, REDRAW, LINE_EVERY = 24, 0.25, 60 -- cells; seconds; seconds
local WINDOW = 10 -- seconds over which the rate is taken
-- In this order; others follow.
local OUTCOMES = {
  { "succeeded", "done", "32" }, { "done_before", "done before", "32" }, { "waiting", "waiting", "33" },
  { "failed", "failed", "31" }, { "needs_decision", "in doubt", "31" }, { "diverged", "diverged", "31" },
  { "cancelled", "cancelled", "33" }, { "elsewhere", "elsewhere", "33" },
}

local function is_terminal()
  local ok, host = pcall(require, "xfiot.host")
  return ok and host.is_terminal(2)
end

local function span(seconds)
  if seconds >= 86400 then return ("%.1f d"):format(seconds / 86400) end
  if seconds >= 3600 then return ("%d h %02d min"):format(seconds // 3600, seconds % 3600 // 60) end
  if seconds >= 60 then return ("%d min %02d s"):format(seconds // 60, seconds % 60 // 1) end
  return ("%d s"):format(seconds // 1)
end

local function paint(self, text, colour)
  return self.colour and "\27[" .. colour .. "m" .. text .. "\27[0m" or text
end

local function rate_of(self, now, begun)
  local marks = self.marks
  marks[#marks + 1] = { at = now, begun = begun }
  while #marks > 2 and now - marks[1].at > WINDOW do table.remove(marks, 1) end
  local first = marks[1]
  return now > first.at and (begun - first.begun) / (now - first.at) or 0
end

-- How far it is; at the end, or where it was stopped, without what is to come.
local function text_of(self, over)
  local campaign, now = self.campaign, core.clock()
  local begun, total = campaign.begun, self.total
  local rate = rate_of(self, now, begun)
  local parts = { ("%d/%d"):format(begun, total) }
  if begun < total and not over then
    parts[#parts + 1] = ("%.0f/s"):format(rate)
    if rate > 0 then
      local left = (total - begun) / rate
      parts[#parts + 1] = ("%s left, until %s"):format(span(left), os.date("%H:%M:%S", os.time() + left // 1))
    end
  end
  for _, row in ipairs(OUTCOMES) do
    local count = campaign.counts[row[1]]
    if count and count > 0 then parts[#parts + 1] = paint(self, ("%s %d"):format(row[2], count), row[3]) end
  end
  local under_way = campaign.active
  if under_way > 0 then parts[#parts + 1] = ("under way %d"):format(under_way) end
  return table.concat(parts, "  ")
end

local Progress = {}
Progress.__index = Progress

local function draw(self, over)
  local text = text_of(self, over)
  if self.terminal then
    local cells = self.total > 0 and self.campaign.begun * BAR // self.total or BAR
    io.stderr:write("\r\27[K[", ("#"):rep(cells), ("-"):rep(BAR - cells), "] ", text)
  else
    io.stderr:write("xfiot: ", text, "\n")
  end
end

local function again(self)
  self.timer = loop.after(self.terminal and REDRAW or LINE_EVERY, function()
    draw(self)
    again(self)
  end)
end

--- The last word; the line stays.
function Progress:close()
  loop.cancel(self.timer)
  draw(self, true)
  if self.terminal then io.stderr:write "\n" end
end
Progress.__close = Progress.close

--- Shows a campaign until it is closed.
---@param campaign xfiot.Campaign
---@param total integer rows of its file
---@return table
function progress.show(campaign, total)
  local terminal = is_terminal()
  local self = setmetatable({ campaign = campaign, total = total, terminal = terminal,
                              marks = { { at = core.clock(), begun = 0 } },
                              colour = terminal and not os.getenv "NO_COLOR" }, Progress)
  again(self)
  return self
end

return progress
