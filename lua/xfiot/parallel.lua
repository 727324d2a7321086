--- Many at once in plain, blocking-looking code.
local loop = require "xfiot.loop"

local DEFAULT_CONCURRENCY = 64
local MOST_CONCURRENCY = 4096

-- Rows from a list or an iterator, one after the other, with their index.
local function reader(rows)
  local index = 0
  if type(rows) == "table" then
    return function()
      index = index + 1
      return rows[index], index
    end
  end
  return function()
    index = index + 1
    local mine = index -- the iterator may wait, and others go on counting
    return rows(), mine
  end
end

--- Calls fn(row, index) for every row, many at once. One that raises does not
--- stop the others.
---@param rows table|fun(): any a list, or an iterator that ends with nil
---@param fn fun(row: any, index: integer): any
---@param opts? { concurrency?: integer } default 64
---@return { ok: boolean, value?: any, error?: any }[] results in the order of the rows
return function(rows, fn, opts)
  local concurrency = opts and opts.concurrency or DEFAULT_CONCURRENCY
  if type(rows) ~= "table" and type(rows) ~= "function" then
    error("xfiot.parallel: rows must be a list or an iterator, got " .. type(rows), 2)
  end
  if type(fn) ~= "function" then error("xfiot.parallel: the second argument must be a function", 2) end
  if math.type(concurrency) ~= "integer" or concurrency < 1 or concurrency > MOST_CONCURRENCY then
    error("xfiot.parallel: concurrency must be an integer from 1 to " .. MOST_CONCURRENCY, 2)
  end

  local next_row, results, failure, over = reader(rows), {}, nil, false
  local function worker()
    while not over do
      local ok, row, index = pcall(next_row)
      if not ok then -- the caller's iterator itself is broken: nothing more is started
        failure, over = { row }, true
        return
      end
      if row == nil then
        over = true
        return
      end
      results[index] = false
      local done, value = pcall(fn, row, index)
      if not done then
        results[index] = { ok = false, error = value }
      else
        results[index] = value == nil and { ok = true } or { ok = true, value = value }
      end
    end
  end

  local list = {}
  local count = type(rows) == "table" and math.min(concurrency, #rows) or concurrency
  for i = 1, count do list[i] = loop.spawn(worker) end
  loop.join(list)
  for i = 1, count do
    if list[i].failure then error(list[i].failure, 0) end -- one that has yielded to nobody
  end
  if failure then error(failure[1], 0) end
  return results
end
