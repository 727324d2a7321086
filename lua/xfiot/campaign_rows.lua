--- The rows of a campaign: a CSV file read as arguments of a workflow, twice, and
-- never held. The first time every row is checked before anything is sent.
local core = require "xfiot.core"
local csv = require "xfiot.csv"
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"

local rows = {}

local KEY_MOST = 128 -- characters
local LISTEN_EVERY = 256 -- rows between two looks for Ctrl-C

---@class xfiot.CampaignRows
---@field key_column string
---@field ignored string[] columns that the workflow does not take
---@field orders string[] arguments that are ids of orders, besides the key
local Rows = {}
Rows.__index = Rows

local function refuse(message)
  error(errors.new { kind = "invalid", operation = "campaign", sent = false, message_en = message,
                     remedy = "Nothing was sent." }, 0)
end

local function bad(path, message) refuse(path .. ": " .. message) end

local function open(self)
  local reader, why = csv.open(self.path, self.encoding)
  if not reader then refuse(why) end
  if self.head and self.head ~= csv.row(reader.names) then
    reader:close()
    bad(self.path, "its columns were changed after they had been read")
  end
  return reader
end

local function find(list, wanted)
  for i, name in ipairs(list) do
    if name == wanted then return i end
  end
end

-- Which column is what; raises when they do not fit the workflow.
local function read_columns(self, names, key)
  self.columns, self.ignored = {}, {}
  for i, name in ipairs(names) do
    if self.workflow.args[name] then
      if self.constants[name] ~= nil then bad(self.path, name .. " is a column, and given for all rows as well") end
      self.columns[i] = name
    elseif name ~= "" and name ~= key then
      self.ignored[#self.ignored + 1] = name
    end
  end
  self.key_column = key or find(names, "order") and "order" or names[1]
  self.key_index = find(names, self.key_column)
  if not self.key_index then bad(self.path, "there is no column " .. self.key_column) end
  self.width = #names
  self.head = csv.row(names)
  self.orders = {}
  for name, spec in pairs(self.workflow.args) do
    if spec:find "^order%??$" and name ~= self.key_column then self.orders[#self.orders + 1] = name end
  end
  table.sort(self.orders)
  for _, arg in ipairs(self.workflow:describe()) do
    if not arg.optional and self.constants[arg.name] == nil and not find(names, arg.name) then
      bad(self.path, ("there is no column %s (%s); a value for all rows can be given as %s=..."):format(arg.name,
        arg.en, arg.name))
    end
  end
end

-- A row's key and its arguments as they stand there.
local function assemble(self, cells)
  local given = {}
  for name, value in pairs(self.constants) do given[name] = value end
  for i, name in pairs(self.columns) do
    local cell = cells[i]
    if cell and cell ~= "" then given[name] = cell end
  end
  return cells[self.key_index] or "", given
end

local function fault(path, rule, rule_zh) return { path = path, rule = rule, rule_zh = rule_zh } end

-- What a spreadsheet has made of a number that was meant as text.
local function check_number(faults, name, value)
  if type(value) ~= "string" then return end
  if value:find "^%-?%d[%d.,]*[Ee]%+%d+$" then
    faults[#faults + 1] = fault(name, "was made a rounded number by a spreadsheet: format the column as text",
      "已被电子表格改为科学计数，请将该列设为文本")
  elseif value:find "^'%d" then
    faults[#faults + 1] = fault(name, "begins with the apostrophe by which spreadsheets mark text: take it out",
      "以电子表格的文本标记（单引号）开头，请删除")
  end
end

local function check_cells(self, cells, key, given)
  local faults = {}
  for i = self.width + 1, #cells do
    if cells[i] ~= "" then
      faults[1] = fault("the row", "has more cells than there are columns", "单元格多于列数")
    end
  end
  local length = core.measure(key)
  if key == "" then
    faults[#faults + 1] = fault(self.key_column, "is empty, and it is the key", "为空，但它是键")
  elseif not length or length > KEY_MOST or key:find "%c" then
    faults[#faults + 1] = fault(self.key_column, ("must be text of 1 to %d characters"):format(KEY_MOST),
      ("应为 1 到 %d 个字符"):format(KEY_MOST))
  end
  for name, value in pairs(given) do check_number(faults, name, value) end
  if given[self.key_column] == nil then check_number(faults, self.key_column, key) end
  return faults
end

--- Reads one row: its key and checked arguments, or an error that names all that is wrong.
---@param cells string[]
---@param unchecked? boolean the workflow's own check has seen it already
---@return string key
---@return table|nil args
---@return xfiot.Error? err
function Rows:read(cells, unchecked)
  local key, given = assemble(self, cells)
  local faults = check_cells(self, cells, key, given)
  local ok, args = pcall(self.workflow.read_args, self.workflow, given, false, unchecked)
  if not ok then
    if not errors.is(args) then error(args, 0) end
    table.move(args.fields, 1, #args.fields, #faults + 1, faults)
  end
  if #faults > 0 then return key, nil, errors.invalid(self.workflow.name, faults) end
  return key, args
end

--- Goes through all rows.
---@return fun(): string[]|nil, integer cells and the line where they begin
---@return xfiot.CsvReader reader to be closed
function Rows:each()
  local reader = open(self)
  return function()
    local cells = reader:next()
    return cells, reader.line
  end, reader
end

-- Keys and ids of orders that have come before: faults that tell on which line.
local function find_repeated(self, keys, orders, cells, line)
  local key, given = assemble(self, cells)
  local faults = {}
  local function look(set, name, value)
    local before = set:add(value, line)
    if before then
      faults[#faults + 1] = fault(name, ("%q stands on line %d already"):format(value, before),
        ("%s 已出现在第 %d 行"):format(value, before))
    end
  end
  if key ~= "" then look(keys, self.key_column, key) end
  local with_key = self.workflow.args[self.key_column]
  if #self.orders > 0 and key ~= "" and with_key and with_key:find "^order%??$" then orders:add(key, line) end
  for _, name in ipairs(self.orders) do
    if type(given[name]) == "string" then look(orders, name, given[name]) end
  end
  return faults
end

-- The next row, or the fault by which the file is no table from here on.
local function read_on(next_row)
  local ok, cells, line = pcall(next_row)
  if ok then return cells, line end
  if not csv.is_fault(cells) then error(cells, 0) end
  return nil, nil, cells
end

--- Checks every row, and that no key and no id of an order comes twice.
---@param on_fault fun(line: integer, key: string, err: xfiot.Error)
---@return integer count
---@return integer faults
---@return boolean is_whole false: what follows the last line told cannot be read
function Rows:check(on_fault)
  local keys <close>, count, bad_rows = core.key_set(), 0, 0
  local orders <close> = core.key_set()
  local next_row, reader = self:each()
  local _ <close> = reader
  while true do
    local cells, line, broken = read_on(next_row)
    if broken then
      on_fault(broken.line, "", errors.invalid(self.workflow.name, { fault("the row:", broken.rule, broken.rule_zh) }))
      return count + 1, bad_rows + 1, false
    end
    if not cells then return count, bad_rows, true end
    local key, _, err = self:read(cells)
    local faults = find_repeated(self, keys, orders, cells, line)
    if #faults > 0 then
      local list = err and err.fields or {}
      err = errors.invalid(self.workflow.name, table.move(faults, 1, #faults, #list + 1, list))
    end
    count = count + 1
    if err then
      bad_rows = bad_rows + 1
      on_fault(line, key, err)
    end
    if count % LISTEN_EVERY == 0 then loop.check() end
  end
end

--- The rows of a file for a workflow; raises when its columns do not fit.
---@param path string
---@param workflow xfiot.Workflow
---@param options { constants: table, key?: string, encoding?: string }
---@return xfiot.CampaignRows
function rows.new(path, workflow, options)
  local constants = workflow:read_args(options.constants, true)
  local self = setmetatable({ path = path, workflow = workflow, constants = constants, encoding = options.encoding },
    Rows)
  local reader <close> = open(self)
  self.has_mark, self.line_end = reader.has_mark, reader.line_end
  read_columns(self, reader.names, options.key)
  return self
end

return rows
