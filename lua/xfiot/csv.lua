--- CSV files as people have them: with or without a byte order mark, LF or CRLF,
-- quotes with line ends in them, UTF-8 or GBK, comma, semicolon or tab. Read block by
-- block; a file may be larger than memory.
local core = require "xfiot.core"

local csv = {}

local BLOCK = 64 * 1024          -- bytes read at once
local RECORD_MOST = 64 * 1024    -- bytes of one row: a quote that is never closed ends there
local BOM = "\xEF\xBB\xBF"
local CHARSETS = { ["utf-8"] = false, utf8 = false, gbk = "GB18030", gb2312 = "GB18030", gb18030 = "GB18030",
                   cp936 = "GB18030" }

-- From which line on a file is no table, and why.
local Fault = { __tostring = function(self) return ("line %d: %s"):format(self.line, self.rule) end }

local function refuse(line, rule, rule_zh)
  error(setmetatable({ line = line, rule = rule, rule_zh = rule_zh }, Fault), 0)
end

--- Whether a value is a fault of a file: `line`, `rule` and `rule_zh` say where it ends to be a table, and why.
---@param value any
---@return boolean
function csv.is_fault(value) return getmetatable(value) == Fault end

---@class xfiot.CsvReader
---@field names string[] of the columns
---@field line integer where the row that was read last begins
---@field has_mark boolean whether the file began with a byte order mark
---@field line_end string
local Reader = {}
Reader.__index = Reader

--- The name under which iconv knows an encoding; false for UTF-8, nil for none that is known.
---@param name? string
---@return string|false|nil
function csv.charset(name)
  return CHARSETS[(name or "utf-8"):lower()]
end

-- More text into the buffer; false at the end of the file.
local function fill(self)
  if self.ended then return false end
  local bytes, cannot = self.file:read(BLOCK)
  if cannot then refuse(self.next_line, "the file cannot be read: " .. cannot, "文件无法读取：" .. cannot) end
  local text = bytes or ""
  if self.converter then
    local converted, why = self.converter:feed(text)
    if not converted then refuse(self.next_line, ("%s (%s)"):format(why, self.encoding), "文本不是指定的编码") end
    text = converted
  end
  self.ended = bytes == nil
  if self.at > BLOCK then -- what was read is let go
    self.text, self.at = self.text:sub(self.at), 1
  end
  self.text = self.text .. text
  return not self.ended
end

local function never_ends(self)
  refuse(self.next_line, "the row does not end; is a quote missing?", "该行没有结束，是否缺少引号？")
end

-- Fills, and moves a place in the text along with it.
local function fill_at(self, place)
  local before = self.at
  local more = fill(self)
  return more, place - (before - self.at)
end

-- The text of the next row without its line end, and whether it holds quotes; nil at the end.
local function take(self)
  local scan, inside, quotes, more = self.at, false, false, true
  while true do
    local stop = self.text:find("[\r\n]", scan)
    if more and (not stop or stop == #self.text) then -- an LF may follow the CR
      if #self.text - self.at > RECORD_MOST then never_ends(self) end
      more, scan = fill_at(self, scan)
    else
      local segment = self.text:sub(scan, (stop or #self.text + 1) - 1)
      if segment:find('"', 1, true) then
        local _, count = segment:gsub('"', "")
        quotes, inside = true, inside ~= (count % 2 == 1)
      end
      if not stop and self.at > #self.text then return nil end
      if not inside or not stop then
        local record = self.text:sub(self.at, (stop or #self.text + 1) - 1)
        self.at = stop and (self.text:sub(stop, stop + 1) == "\r\n" and stop + 2 or stop + 1) or #self.text + 1
        return record, quotes
      end
      if stop - self.at > RECORD_MOST then never_ends(self) end
      scan = stop + 1 -- a line end within quotes
    end
  end
end

-- Without the blanks around it, and without byte order marks: files are put together from files.
local function trim(cell)
  local at = 1
  repeat
    local before = at
    at = cell:match("^[ \t]*()", at)
    if cell:sub(at, at + 2) == BOM then at = at + 3 end
  until at == before
  return (cell:match("^(.-)[ \t]*$", at))
end

-- What spreadsheets write to keep the zeros of ="0760".
local function plain(cell)
  return cell:match '^="(.*)"$' or cell
end

local function split_quoted(self, record)
  local cells, at = {}, 1
  while true do
    local cell
    local open = record:match('^[ \t]*"()', at)
    if open then
      local parts, from = {}, open
      while true do
        local quote = record:find('"', from, true)
        if not quote then refuse(self.line, "a quote is not closed", "引号没有闭合") end
        parts[#parts + 1] = record:sub(from, quote - 1)
        if record:sub(quote + 1, quote + 1) ~= '"' then
          at = quote + 1
          break
        end
        parts[#parts + 1] = '"'
        from = quote + 2
      end
      cell = table.concat(parts)
      at = record:match("^[ \t]*()", at)
      if at <= #record and record:sub(at, at) ~= self.separator then
        refuse(self.line, "text after a closing quote", "闭合引号之后还有文本")
      end
    else
      local stop = record:find(self.separator, at, true) or #record + 1
      cell, at = record:sub(at, stop - 1), stop
    end
    cells[#cells + 1] = plain(trim(cell))
    if at > #record then return cells end
    at = at + 1
    if at > #record then
      cells[#cells + 1] = ""
      return cells
    end
  end
end

local function split(self, record)
  local cells, at, n, separator = {}, 1, 0, self.separator
  while true do
    local stop = record:find(separator, at, true)
    local cell = record:sub(at, stop and stop - 1)
    if cell:find "^[ \t=\xEF]" or cell:find "[ \t]$" then cell = plain(trim(cell)) end
    n = n + 1
    cells[n] = cell
    if not stop then return cells end
    at = stop + 1
  end
end

--- The next row; empty lines are no rows. Raises, with the line, when it is none.
---@return string[]|nil cells
function Reader:next()
  while true do
    local record, quotes = take(self)
    if not record then return nil end
    self.line = self.next_line
    self.next_line = self.next_line + 1
    if quotes then
      for _ in record:gmatch "\n" do self.next_line = self.next_line + 1 end
    end
    if not core.measure(record) then
      refuse(self.line, "not in UTF-8; for a file in GBK say --encoding gbk", "不是 UTF-8；GBK 文件请加 --encoding gbk")
    end
    if record:find "[^ \t,;]" then
      return quotes and split_quoted(self, record) or split(self, record)
    end
  end
end

function Reader:close()
  if self.file then self.file:close() end
  self.file = nil
end
Reader.__close = Reader.close

-- The separator is the one that the first line has most of.
local function find_separator(text)
  local best, most = ",", 0
  local line = text:match "^[^\r\n]*"
  for _, separator in ipairs { ",", ";", "\t" } do
    local _, count = line:gsub(separator, "")
    if count > most then best, most = separator, count end
  end
  return best
end

local function read_names(self)
  fill(self)
  if self.text:sub(1, 2) == "\xFF\xFE" or self.text:sub(1, 2) == "\xFE\xFF" then
    error("the file is in UTF-16: save it as CSV UTF-8", 0)
  end
  self.line_end = self.text:find("\r\n", 1, true) and "\r\n" or "\n"
  self.has_mark = self.text:sub(1, 3) == BOM
  if self.has_mark then self.at = 4 end
  self.separator = find_separator(self.text:sub(self.at))
  self.names = self:next()
  if not self.names then error("the file is empty: its first row names the columns", 0) end
  local seen = {}
  for _, name in ipairs(self.names) do
    if name ~= "" and seen[name] then error(("the column %s is there twice"):format(name), 0) end
    seen[name] = true
  end
end

--- Opens a file and reads the names of its columns.
---@param path string
---@param encoding? string utf-8 (default), gbk
---@return xfiot.CsvReader|nil
---@return string? why
function csv.open(path, encoding)
  local charset = csv.charset(encoding)
  if charset == nil then return nil, "--encoding must be utf-8 or gbk" end
  local kind = core.file_kind(path)
  if kind == "folder" then return nil, path .. " is a folder" end
  if kind == "other" then
    return nil, path .. " is a pipe or a device, but the rows are read several times: write them to a file"
  end
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local converter
  if charset then
    converter, why = core.charset(charset)
    if not converter then return nil, why end
  end
  local self = setmetatable({ file = file, converter = converter, encoding = encoding, text = "", at = 1, line = 0,
                              next_line = 1, ended = false, separator = ",", names = nil }, Reader)
  local ok, cannot = pcall(read_names, self)
  if not ok then
    self:close()
    return nil, path .. ": " .. tostring(cannot)
  end
  return self
end

--- One row as CSV text, without its line end.
---@param cells string[]
---@return string
function csv.row(cells)
  local out = {}
  for i, cell in ipairs(cells) do
    out[i] = cell:find '[,"\r\n]' and '"' .. cell:gsub('"', '""') .. '"' or cell
  end
  return table.concat(out, ",")
end

return csv
