--- The results of a campaign: a CSV file with one row for each row of its file, made
-- from the journal whenever it is asked for. It takes the place of the one before at once.
local core = require "xfiot.core"
local csv = require "xfiot.csv"
local remember = require "xfiot.remember"

local results = {}

local NAMES = { "device_no", "order", "outcome", "code", "message", "message_en", "remedy" }
local CHUNK = 64 * 1024 -- bytes written at once

-- What people call a run whose process is gone.
local function state_of(row)
  if row.state == "running" and row.owner == "gone" then return "waiting" end
  return row.state
end

local function tell_error(cells, cause)
  if type(cause) == "table" then
    cells.code, cells.message, cells.message_en = cause.code, cause.message, cause.message_en
    cells.remedy = cause.remedy
    return cause
  end
  cells.message_en = tostring(cause)
  cells.message = cells.message_en
end

-- What a run has come to: the state of its order, else its own.
local function describe(book, args, row)
  local cells = { device_no = args.deviceNo, order = args.order, outcome = row and state_of(row) or "" }
  local cause = row and row.error and tell_error(cells, remember.decode_error(row.error))
  local id = args.order or cause and cause.order
  local order = row and id and book:read("find", "id", id)
  if order then
    cells.outcome, cells.order, cells.code = order.state, order.order, order.code or cells.code
    cells.device_no = cells.device_no or order.device_no
  end
  if row and row.state == "diverged" then cells.outcome = "diverged" end
  return cells
end

local function invalid(args, err)
  local cells = { outcome = "invalid", device_no = args.deviceNo, order = args.order }
  tell_error(cells, err)
  return cells
end

-- A row of a file whose check of prices has come to nothing.
local function add_check(book, cells, check_id, key)
  local row = book:read("run_find_row", check_id, key)
  if row and row.error then tell_error(cells, remember.decode_error(row.error)) end
end

local function line_of(key_column, key, cells)
  local out = { key }
  for _, name in ipairs(NAMES) do
    local is_key = name == key_column or (name == "device_no" and key_column == "deviceNo")
    if not is_key then out[#out + 1] = tostring(cells[name] or "") end
  end
  return csv.row(out)
end

local function head_of(key_column)
  local out = { key_column }
  for _, name in ipairs(NAMES) do
    if name ~= key_column and not (name == "device_no" and key_column == "deviceNo") then out[#out + 1] = name end
  end
  return csv.row(out)
end

-- A file that gathers lines, in the encoding of the rows' own file.
local function writer(path, rows)
  local charset = csv.charset(rows.encoding)
  local converter = charset and core.charset("UTF-8", charset) or nil
  local file = assert(io.open(path, "wb"))
  local lines, size = {}, 0
  if rows.has_mark then assert(file:write "\xEF\xBB\xBF") end
  local function flush()
    local text = table.concat(lines)
    if converter then text = assert(converter:feed(text)) end
    assert(file:write(text))
    lines, size = {}, 0
  end
  return function(line)
    lines[#lines + 1] = line .. rows.line_end
    size = size + #line
    if size > CHUNK then flush() end
  end, function()
    flush()
    assert(file:close())
  end
end

-- The file beside the results in which they come into being: one of its own for each
-- process, since a campaign may be given twice at once.
local function unfinished(path)
  local suffix = core.random(4):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("%s.%s.new"):format(path, suffix)
end

local function fill(path, rows, options)
  local book = options.book
  local write, close = writer(path, rows)
  write(head_of(rows.key_column))
  local next_row, reader = rows:each()
  local _ <close> = reader
  for cells, line in next_row do
    local key, args, err = rows:read(cells)
    local told
    if not args or options.faults and options.faults[line] then
      told = invalid(args or {}, options.faults and options.faults[line] or err)
      if not args then
        for i, name in pairs(rows.columns) do
          if name == "deviceNo" then told.device_no = cells[i] elseif name == "order" then told.order = cells[i] end
        end
      end
    else
      local row = options.id and book:read("run_find_row", options.id, key) or nil
      told = describe(book, args, row)
      if options.check_id then add_check(book, told, options.check_id, key) end
    end
    write(line_of(rows.key_column, key, told))
  end
  close()
end

--- Writes the results; raises when the file cannot be written.
---@param path string
---@param rows xfiot.CampaignRows
---@param options { book: xfiot.Journal, id?: integer the campaign, check_id?: integer of the check of prices,
--- faults?: table<integer, true> lines that were refused although they can be read }
function results.write(path, rows, options)
  local new = unfinished(path)
  local ok, err = pcall(fill, new, rows, options)
  if ok then ok, err = os.rename(new, path) end
  if not ok then
    os.remove(new)
    error(err, 0)
  end
end

return results
