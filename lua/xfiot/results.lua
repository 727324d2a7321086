--- The results of a campaign: a CSV file with one row for each row of its file, made
-- from the journal whenever it is asked for. It takes the place of the one before at once.
local core = require "xfiot.core"
local csv = require "xfiot.csv"
local errors = require "xfiot.errors"
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

-- Whether a step that has failed had placed its order, or found it under way.
local function was_placed(value, id)
  local cause = remember.decode_error(value)
  if not errors.is(cause) then return true end -- of flow:step, whose orders are its own
  return cause.order == id or cause.kind ~= "invalid" and cause.sent ~= false
end

-- Whether a run has placed the order of that id: it may be another's, whose id the file
-- has used once more, and then its state says nothing of this run.
local function is_own(book, row, cause, id)
  if row.state == "succeeded" or row.order == id or cause and cause.order == id then return true end
  local in_args, brief = core.encode({ order = id }):sub(2, -2), (" %s #"):format(id)
  local seq = 0
  repeat
    local page = book:read("run_steps", row.id, seq)
    for _, step in ipairs(page) do
      seq = step.seq
      local text = step.name .. (step.handle or "")
      if text:find(in_args, 1, true) or text:find(in_args:gsub('"', '\\"'), 1, true) or text:find(brief, 1, true) then
        if step.state ~= "failed" or was_placed(step.value, id) then return true end
      end
    end
  until #page == 0
  return false
end

-- What a run has come to: the state of its order, else its own.
local function describe(book, args, row)
  if row and row.args ~= core.encode(args) then row = nil end -- the file's values were others then
  local cells = { device_no = args.deviceNo, order = args.order, outcome = row and state_of(row) or "" }
  local cause = row and row.error and tell_error(cells, remember.decode_error(row.error))
  local id = args.order or cause and cause.order
  local order = row and id and book:read("find", "id", id)
  if order and is_own(book, row, cause, id) then
    cells.outcome, cells.order, cells.code = order.state, order.order, order.code or cells.code
    cells.device_no = cells.device_no or order.device_no
  end
  if row and row.state == "diverged" then cells.outcome = "diverged" end
  return cells
end

local function refused(args, err, outcome)
  local cells = { outcome = outcome, device_no = args.deviceNo, order = args.order }
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

local function bad(path, rule, rule_zh)
  error(errors.bad_argument("results", "--results " .. path, rule, rule_zh), 0)
end

local function write_rows(write, rows, options)
  local book = options.book
  local next_row, reader = rows:each()
  local _ <close> = reader
  for cells, line in next_row do
    local key, args, err = rows:read(cells, true)
    local fault, failure = options.faults and options.faults[line], options.failures and options.failures[line]
    local told
    if failure and args then
      told = refused(args, failure, "failed")
    elseif not args or fault then
      told = refused(args or {}, fault or err, "invalid")
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
end

-- All lines, or those before the first that cannot be read: what came of them is told.
local function fill(path, rows, options)
  local write, close = writer(path, rows)
  write(head_of(rows.key_column))
  local ok, err = pcall(write_rows, write, rows, options)
  if not ok and not csv.is_fault(err) then error(err, 0) end
  close()
  return not ok and err or nil
end

-- Where a path leads, also if nothing is there yet.
local function place(path)
  local folder, name = path:match "^(.*/)([^/]*)$"
  return core.real_path(path) or (core.real_path(folder or ".") or "") .. "/" .. (name or path)
end

--- Makes sure that the results can be written, and that they take no other file's place;
--- raises otherwise.
---@param path string
---@param others table<string, string> what must stay: names of files, and what they are
function results.check(path, others)
  local kind, identity = core.file_kind(path)
  if kind and kind ~= "file" then bad(path, "is no file", "不是普通文件") end
  for other, what in pairs(others) do
    local other_kind, other_identity = core.file_kind(other)
    if place(path) == place(other) or kind and other_kind and identity == other_identity then
      bad(path, "is " .. what, "与其他文件相同")
    end
  end
  local new = unfinished(path)
  local file, why = io.open(new, "wb")
  if not file then bad(path, "cannot be written: " .. why, "无法写入：" .. why) end
  file:close()
  os.remove(new)
end

--- Writes the results; raises when the file cannot be written.
---@param path string
---@param rows xfiot.CampaignRows
---@param options { book: xfiot.Journal, id?: integer the campaign, check_id?: integer of the check of prices,
--- faults?: table<integer, xfiot.Error> lines that were refused although they can be read,
--- failures?: table<integer, any> lines that failed without a run }
---@return table|nil fault of the rows' file, with whose line the results end
function results.write(path, rows, options)
  local new = unfinished(path)
  local ok, err = pcall(fill, new, rows, options)
  local fault = ok and err or nil
  if ok then ok, err = os.rename(new, path) end
  if not ok then
    os.remove(new)
    error(err, 0)
  end
  return fault
end

return results
