-- CSV files as people have them.

local csv = require "xfiot.csv"
local helper = require "spec.helper"

local GBK = { ["王"] = "\xcd\xf5", ["姓名"] = "\xd0\xd5\xc3\xfb" }

local FILES = { -- what, text, rows as "line:cell|cell", encoding
  { "plain", "a,b\n1,2\n3,4\n", "a|b 2:1|2 3:3|4" },
  { "without a last line end", "a,b\n1,2", "a|b 2:1|2" },
  { "with CRLF", "a,b\r\n1,2\r\n", "a|b 2:1|2" },
  { "with a byte order mark", "\xEF\xBB\xBFa,b\n1,2\n", "a|b 2:1|2" },
  { "with quotes", 'a,b\n"1,0","2"\n', "a|b 2:1,0|2" },
  { "with quotes in quotes", 'a,b\n"say ""yes""",2\n', 'a|b 2:say "yes"|2' },
  { "with a line end in quotes", 'a,b\n"1\n2",3\n4,5\n', "a|b 2:1\n2|3 4:4|5" },
  { "with CRLF in quotes", 'a,b\r\n"1\r\n2",3\r\n4,5\r\n', "a|b 2:1\r\n2|3 4:4|5" },
  { "with a quoted comma at the end", 'a,b\n"1",\n', "a|b 2:1|" },
  { "with empty lines", "a,b\n\n1,2\n\n,\n3,4\n\n", "a|b 3:1|2 6:3|4" },
  { "with empty cells", "a,b,c\n,,3\n1,,\n", "a|b|c 2:||3 3:1||" },
  { "with spaces around cells", "a, b\n 1 ,\t2\n", "a|b 2:1|2" },
  { "with characters that begin like a byte order mark", "a,b\n（张三）,４\n ，x, ｛ \n\"（y\",\u{fefe}\n",
    "a|b 2:（张三）|４ 3:，x|｛ 4:（y|\u{fefe}" },
  { "with byte order marks within", "a,b\n\u{feff}1, \u{feff} \u{feff}２ \n", "a|b 2:1|２" },
  { "with ragged rows", "a,b\n1\n1,2,3\n", "a|b 2:1 3:1|2|3" },
  { "with what keeps a spreadsheet's zeros", 'a,b\n="0760",1\n"=""0761""",2\n', "a|b 2:0760|1 3:0761|2" },
  { "with semicolons", "a;b\n1,5;2\n", "a|b 2:1,5|2" },
  { "with tabs", "a\tb\n1\t2\n", "a|b 2:1|2" },
  { "in GBK", "a," .. GBK["姓名"] .. "\n1," .. GBK["王"] .. "\n", "a|姓名 2:1|王", "gbk" },
  { "with names only", "a,b\n", "a|b" },
}

local BAD = { -- what, text, what the message says, encoding
  { "an empty file", "", "the file is empty" },
  { "a column twice", "a,a\n1,2\n", "the column a is there twice" },
  { "GBK that was not said", "a,b\n1," .. GBK["王"] .. "\n",
    "line 2: not in UTF-8; for a file in GBK say --encoding gbk" },
  { "no GBK", "a,b\n1,\xff\xff\n", "line 1: the text is not in the encoding that was given", "gbk" },
  { "half a character at the end", "a,b\n1,\xcd", "the text is not in the encoding that was given", "gbk" },
  { "UTF-16", "\xff\xfea\0", "UTF-16" },
  { "a quote that is not closed", 'a,b\n"1,2\n3,4\n', "line 2: a quote is not closed" },
  { "text after a quote", 'a,b\n"1"x,2\n', "line 2: text after a closing quote" },
  { "another encoding", "a\n", "--encoding must be utf-8 or gbk", "latin1" },
}

local function read(text, encoding)
  local path = helper.tmpdir() .. "/rows.csv"
  helper.write(path, text)
  local reader, why = csv.open(path, encoding)
  if not reader then error(why, 0) end
  local list = { table.concat(reader.names, "|") }
  for cells in function() return reader:next() end do
    list[#list + 1] = reader.line .. ":" .. table.concat(cells, "|")
  end
  reader:close()
  return table.concat(list, " ")
end

describe("a CSV file", function()
  for _, row in ipairs(FILES) do
    it(row[1] .. " is read", function() assert.are.equal(row[3], read(row[2], row[4])) end)
  end

  for _, row in ipairs(BAD) do
    it("is refused for " .. row[1], function()
      local ok, why = pcall(read, row[2], row[4])
      assert.is_false(ok)
      assert.truthy(tostring(why):find(row[3], 1, true), tostring(why))
    end)
  end

  it("may be cut by blocks anywhere", function()
    for _, line_end in ipairs { "\n", "\r\n" } do
      for pad = 0, 3 do
        local parts, expected = { "a,b" .. ("x"):rep(pad) }, { "a|b" .. ("x"):rep(pad) }
        for i = 1, 9000 do
          parts[#parts + 1] = ('%d,"王""%d"'):format(i, i)
          expected[#expected + 1] = ('%d:%d|王"%d'):format(i + 1, i, i)
        end
        -- not are.equal: nobody wants to see both
        assert.is_true(table.concat(expected, " ") == read(table.concat(parts, line_end)), #line_end .. " " .. pad)
      end
    end
  end)

  it("whose quote never ends does not fill the memory", function()
    local ok, why = pcall(read, 'a,b\n"' .. ("1,2\n"):rep(100000))
    assert.is_false(ok)
    assert.truthy(tostring(why):find("line 2: the row does not end", 1, true), tostring(why))
  end)

  it("is written so that it can be read", function()
    local cells = { "plain", "with, comma", 'with "quotes"', "with\nline end", "" }
    assert.are.equal("a|b|c|d|e 2:" .. table.concat(cells, "|"), read("a,b,c,d,e\n" .. csv.row(cells) .. "\n"))
  end)
end)
