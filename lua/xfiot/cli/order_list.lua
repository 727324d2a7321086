--- Orders of the journal as the command line lists them.
local core = require "xfiot.core"

local list = {}

-- Fields of --json; absent ones are null.
list.FIELDS = { "order", "device_no", "device_id", "method", "bill_no", "amount", "state", "command_id", "code",
                "created_at", "updated_at", "proposal" }
local COLUMNS = { "order", "device_no", "method", "bill_no", "amount", "state", "updated_at" }
local LAYOUT = "%-24s %-20s %-20s %6s %12s %-12s %s"

--- The state of an order: a `sent` one that nobody is left to finish is unknown. The
-- next run writes that down; until then it is read so everywhere.
---@param row table of the journal
---@return string
function list.state(row)
  if row.state ~= "sent" then return row.state end
  local late = row.owner ~= "alive" and row.deadline and core.now() > row.deadline
  return (row.owner == "gone" or late) and "unknown" or "sent"
end

-- What is asked of the journal for these states.
local function stored_states(states)
  if not states then return nil, nil end
  local wanted, stored = {}, {}
  for _, state in ipairs(states) do
    wanted[state] = true
    stored[#stored + 1] = state
    if state == "unknown" then stored[#stored + 1] = "sent" end
  end
  return wanted, stored
end

--- The orders that a filter lets through, oldest first, page by page.
---@param book xfiot.Journal
---@param filter { states?: string[], device_no?: string, since?: integer, limit?: integer }
---@param company_code? string only this company's
---@return fun(): table|nil
function list.each(book, filter, company_code)
  local wanted, stored = stored_states(filter.states)
  local asked = { device_no = filter.device_no, since = filter.since, states = stored, after = 0 }
  local left = filter.limit or math.maxinteger
  return coroutine.wrap(function()
    repeat
      local page = book:read("list", asked)
      for _, row in ipairs(page) do
        asked.after, row.state = row.row, list.state(row)
        if (not company_code or row.company_code == company_code) and (not wanted or wanted[row.state]) then
          coroutine.yield(row)
          left = left - 1
          if left == 0 then return end
        end
      end
    until #page == 0
  end)
end

---@param row table
---@return string
function list.as_json(row)
  local line = {}
  for _, name in ipairs(list.FIELDS) do line[name] = row[name] == nil and core.null or row[name] end
  line.created_at, line.updated_at = core.timestamp(row.created_at), core.timestamp(row.updated_at)
  return core.encode(line)
end

---@param row table
---@return string
function list.as_text(row)
  local cells = {}
  for i, name in ipairs(COLUMNS) do
    cells[i] = name == "updated_at" and core.timestamp(row.updated_at) or tostring(row[name] or "-")
  end
  return LAYOUT:format(table.unpack(cells))
end

---@return string
function list.heading()
  return LAYOUT:format(table.unpack(COLUMNS))
end

return list
