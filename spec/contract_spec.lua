-- The contract rows against the contract they were written from (where that is
-- at hand), and against the vendor's own examples.

local cjson = require "cjson"
local rows = require "xfiot.core".contract()

local null = cjson.null

local function load_json(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return cjson.decode(text)
end

local function by(list, key)
  local map = {}
  for _, row in ipairs(list) do map[row[key]] = row end
  return map
end

local function names(list, key)
  local out = {}
  for i, row in ipairs(list) do out[i] = row[key] end
  return out
end

local function sorted(list)
  table.sort(list)
  return list
end

local function keys(map)
  local out = {}
  for key in pairs(map) do out[#out + 1] = key end
  return sorted(out)
end

local function words(text)
  local out = {}
  for word in (text or ""):gmatch "%S+" do out[#out + 1] = word end
  return out
end

local function has(list, wanted)
  for _, value in ipairs(list or {}) do
    if value == wanted then return true end
  end
  return false
end

-- A row's references to contradictions; those to open points (A) are ours to add.
local function contradictions(ids)
  local out = {}
  for _, id in ipairs(words(ids)) do
    if id:sub(1, 1) == "C" then out[#out + 1] = id end
  end
  return sorted(out)
end

local shapes = {}
for _, kind in ipairs { "shapes", "services", "statuses" } do
  for _, shape in ipairs(rows[kind]) do shapes[shape.name] = shape end
end
local enums = by(rows.enums, "name")
local endpoints = by(rows.endpoints, "name")
local pushes = by(rows.pushes, "name")
local commands = by(rows.commands, "id")

-- ---------------------------------------------------------------- the contract

local source = load_json(os.getenv "XFIOT_CONTRACT" or "../shared/contract/contract.json")
local compare = source and it or pending

local types = {
  string = "string", integer = "integer", number = "decimal", object = "object", array = "list",
}
local least = { string = "minLength", array = "minItems", integer = "minimum", number = "minimum" }
local most = { string = "maxLength", array = "maxItems", integer = "maximum", number = "maximum" }

-- Forms that are checked by the code that signs, not by a row.
local signed = { ["^\\d{14}8\\d{7}$"] = true, ["^[0-9a-f]{64}$"] = true, ["^[0-9A-Fa-f]{64}$"] = true }
local digits = { ["^\\d{6}$"] = true, ["^\\d{10}$"] = true }

local function given(value)
  if value ~= null then return value end
end

local function unit_of(field, value)
  if value and field.type == "number" then return math.floor(value * 1000 + 0.5) end
  return value
end

-- Required, range and decimals as one side reads them; nil where open.
local function reading(field, side)
  local own = field[side] or {}
  local function of(key)
    if own[key] ~= nil then return given(own[key]) end
    return given(field[key])
  end
  local r = { decimals = of "decimals", required = field.required, min = 0 }
  if field.requiredIf then r.required = false end
  if own.required ~= nil then
    r.required = own.required
  elseif field.requiredIf then
    r.when = ("%s=%d"):format(field.requiredIf.field, field.requiredIf.equals)
  end
  if field.type == "object" then
    r.min = nil
  else
    r.min, r.max = unit_of(field, of(least[field.type])), unit_of(field, of(most[field.type]))
    if field.type == "string" or field.type == "array" then r.min = r.min or 0 end
  end
  return r
end

local function row_reading(row, side)
  local own = row[side] or {}
  local r = { decimals = row.decimals, required = row.required or false, min = row.min, max = row.max }
  if row.when_field and own.required == nil then r.when = row.when_field .. "=" .. row.when_equals end
  for _, key in ipairs { "required", "min", "max", "decimals" } do
    if own[key] ~= nil then r[key] = own[key] end
  end
  if r.max == math.maxinteger then r.max = nil end
  return r
end

local function format_of(field)
  if field.type ~= "string" then return nil end
  if field.holds then return "holds_" .. field.holds end
  if field.format == "yyyyMMddHHmmss" then return "timestamp" end
  if field.format then return "datetime" end
  if field.pattern and digits[field.pattern] then return "digits" end
  assert(not field.pattern or signed[field.pattern], field.pattern)
  return "text"
end

-- What a row should be, of what the contract says of a field.
local function expected(field)
  local named = given(field.enum)
  local conflicts = sorted { table.unpack(field.conflicts or {}) }
  local nothing = has(conflicts, "C44") -- a result that clients ignore
  local own_default = (field.server or {}).default -- a row has one default for both sides
  return {
    name = field.name,
    type = types[field.type],
    client = reading(field, "client"),
    server = reading(field, "server"),
    format = format_of(field),
    fixed = field.const,
    values = named ~= "alarms" and named ~= "responseCode" and named or nil,
    alarm_code = named == "alarms",
    return_code = named == "responseCode",
    shape = field.ref or field.items and field.items.ref,
    item = field.items and not field.items.ref and
      { types[field.items.type], field.items.minLength, field.items.maxLength } or nil,
    fallback = field.default or own_default,
    also = field.alsoNames and field.alsoNames[1],
    code = field.errorCode,
    code_ours = field.errorCode ~= nil and field.errorBasis ~= "text",
    unit = field.unit or field.unitAssumed,
    unit_ours = field.unitAssumed ~= nil,
    emit_string = field.emit == "string",
    accept_string = has(field.accept, "string") or nothing and field.type == "object",
    accept_null = has(field.accept, "null") or nothing or has(conflicts, "C13"),
    also_body = has(field.alsoIn, "body"),
    doc_type = given(field.docType),
    label = field.label,
    ids = conflicts,
  }
end

local function actual(row)
  return {
    name = row.name,
    type = row.type,
    client = row_reading(row, "client"),
    server = row_reading(row, "server"),
    format = row.format,
    fixed = row.fixed,
    values = row.values,
    alarm_code = row.alarm_code or false,
    return_code = row.return_code or false,
    shape = row.shape,
    item = row.item and { row.item.type, row.item.min, row.item.max } or nil,
    fallback = row.fallback,
    also = row.also,
    code = row.code,
    code_ours = row.code_ours or false,
    unit = row.unit,
    unit_ours = row.unit_ours or false,
    emit_string = row.emit_string or false,
    accept_string = row.accept_string or false,
    accept_null = row.accept_null or false,
    also_body = row.also_body or false,
    doc_type = row.doc_type,
    label = row.label,
    ids = contradictions(row.ids),
  }
end

local function same_field(field, row)
  assert.same(expected(field), actual(row))
end

-- Same fields in the same order, and nothing else.
local function same_fields(fields, list)
  assert.same(names(fields, "name"), names(list, "name"))
  for i, field in ipairs(fields) do same_field(field, list[i]) end
end

local function same_shape(name, entry, shape)
  assert.truthy(shape, name)
  assert.same(entry.section, shape.section)
  assert.same(entry.title, shape.label)
  assert.same(entry.alsoAccept and entry.alsoAccept.ref, shape.also)
  same_fields(entry.fields, shape.fields)
end

local function note_ids(notes)
  return sorted(names(notes, "id"))
end

-- A result's row speaks of success alone (C5).
local function on_success(field, endpoint)
  local copy = {}
  for key, value in pairs(field) do copy[key] = value end
  copy.requiredIf = nil
  -- On success the document's text makes it a command id; the length is that of commandId.
  if endpoint == "creatCmd" then copy.minLength, copy.maxLength = 32, 32 end
  return copy
end

local function error_codes(errors)
  local out = {}
  for _, entry in ipairs(errors) do
    local first, last = entry.code:match "^(%d+)-(%d+)$"
    for code = tonumber(first or entry.code), tonumber(last or entry.code) do
      out[#out + 1] = tostring(code)
    end
  end
  return sorted(out)
end

local kinds = { nonDecreasing = "non_decreasing", canonicalTiers = "canonical_tiers", nonZero = "non_zero" }

describe("the rows say what the contract says:", function()
  local function each(list, key, fn)
    for _, entry in ipairs(source and list(source) or { { [key] = "contract.json is not here" } }) do
      compare(entry[key], function() fn(entry) end)
    end
  end

  describe("endpoint", function()
    each(function(s) return s.endpoints end, "id", function(e)
      local row = endpoints[e.id]
      assert.same({ e.section, e.method, e.path, e.title },
        { row.section, row.method, row.path, row.label })
      local server = e.server or {}
      assert.same({ server.methods and server.methods[2], server.alsoPaths and server.alsoPaths[1].path },
        { row.also_method, row.also_path })
      same_fields(e.query, row.query.fields)
      if e.body.kind == "object" then
        assert.same("object", row.body)
        same_fields(e.body.fields, row.fields.fields)
      elseif e.body.kind == "array" then
        assert.same("list", row.body)
        e.body.name, e.body.type = "commandIds", "array" -- the document calls it 无
        same_field(e.body, row.list)
      else
        assert.same("none", row.body)
        assert.is_nil(row.fields or row.list)
      end
      assert.same(error_codes(e.errors), sorted(row.codes))
      assert.same(note_ids(e.notes), contradictions(row.ids))

      local fields = by(e.response.fields, "name")
      assert.same({ "args", "message", "responseCode", "result" }, keys(fields))
      same_field(on_success(fields.result, e.id), row.result)
      for _, envelope in ipairs(rows.envelope) do same_field(fields[envelope.name], envelope) end
      assert.same(3, #rows.envelope)
    end)

    compare("headers of every call", function()
      local ids = {}
      for _, e in ipairs(source.endpoints) do
        local headers = by(e.headers, "name")
        assert.same(endpoints[e.id].content_type, headers["Content-Type"] ~= nil)
        headers["Content-Type"] = headers["Content-Type"] or source.endpoints[1].headers[1]
        assert.same(sorted(names(rows.call_headers, "name")), keys(headers))
        for _, row in ipairs(rows.call_headers) do
          local field, got = expected(headers[row.name]), actual(row)
          ids[row.name] = ids[row.name] or {}
          for _, id in ipairs(field.ids) do ids[row.name][id] = true end
          field.ids, got.ids, field.doc_type, got.doc_type = nil, nil, nil, nil
          assert.same(field, got)
        end
      end
      for _, row in ipairs(rows.call_headers) do
        assert.same(keys(ids[row.name]), contradictions(row.ids))
      end
    end)

    compare("none besides", function()
      assert.same(names(source.endpoints, "id"), names(rows.endpoints, "name"))
      assert.same(source.meta.basePath, rows.base_path)
      assert.same(source.meta.apiVersion, rows.api_version)
    end)
  end)

  describe("push", function()
    each(function(s) return s.pushes end, "id", function(p)
      local row = pushes[p.id]
      assert.same({ p.section, p.title, p.body.items.ref }, { row.section, row.label, row.message })
      same_fields(p.headers, row.headers)
      assert.same(note_ids(p.notes), contradictions(row.ids))
    end)

    compare("none besides", function()
      assert.same(names(source.pushes, "id"), names(rows.pushes, "name"))
    end)
  end)

  describe("command", function()
    local function rules_of(c)
      local out = {}
      for _, rule in ipairs(c.rules) do
        if rule.rule ~= "requiredIf" then
          out[#out + 1] = {
            kind = kinds[rule.rule],
            fields = rule.limits or rule.fields or { rule.field },
            prices = rule.prices,
            when_field = rule.when and rule.when.field,
            when_equals = rule.when and rule.when.equals,
            client = has(rule.sides, "client"),
            server = has(rule.sides, "server"),
            code = rule.errorCode,
            about = { zh = rule.zh, en = rule.en },
          }
        end
      end
      return out
    end

    each(function(s) return s.commands end, "id", function(c)
      local row = commands[c.id]
      assert.same({ c.method, c.section, c.title, c.encodeErrorCode },
        { row.method, row.section, row.label, row.encode_code })
      assert.same(table.concat(c.appliesTo.chargeType), row.charge_types)
      assert.same((c.discriminator or {}).present, row.told_by)
      assert.same(sorted(c.conflictIds), contradictions(row.ids))
      same_fields(c.params, row.params.fields)
      assert.same(rules_of(c), row.params.rules or {})
      -- The common answer has one row for all commands, without the table's type.
      if row.result.name == "CommandResult" then
        assert.same(1, #c.result)
        c.result[1].docType = nil
      end
      same_fields(c.result, row.result.fields)
      -- A condition that the contract also tells as a rule covers the same fields.
      for _, rule in ipairs(c.rules) do
        if rule.rule == "requiredIf" then
          local on_condition = {}
          for _, field in ipairs(row.params.fields) do
            if field.when_field == rule.when.field and field.when_equals == rule.when.equals then
              on_condition[#on_condition + 1] = field.name
            end
          end
          assert.same(rule.fields, on_condition)
        end
      end
    end)

    compare("none besides", function()
      assert.same(names(source.commands, "id"), names(rows.commands, "id"))
    end)
  end)

  for kind, list in pairs { types = "shapes", services = "services", statuses = "statuses" } do
    describe("one of " .. list .. ":", function()
      for name, entry in pairs(source and source[kind] or { ["contract.json is not here"] = {} }) do
        compare(name, function() same_shape(name, entry, by(rows[list], "name")[name]) end)
      end
      compare("none besides", function()
        assert.same(keys(source[kind]), sorted(names(rows[list], "name")))
      end)
    end)
  end

  compare("enumerations", function()
    assert.same(keys(source.enums), sorted(names(rows.enums, "name")))
    for name, e in pairs(source.enums) do
      local row = enums[name]
      assert.same({ e.where, e.title, e.jsonType == "integer" }, { row.section, row.label, row.integer })
      local values = {}
      for i, value in ipairs(e.values) do
        local text = e.jsonType == "integer" and ("%d"):format(value.value) or value.value
        values[i] = { text = text, label = { zh = value.zh, en = value.en } }
      end
      assert.same(values, row.values)
    end
  end)

  compare("alarm codes", function()
    local alarms = {}
    for i, a in ipairs(source.alarms) do
      alarms[i] = {
        code = a.code, label = a.name, about = a.description, device = a.device, shuts = a.closesValve,
        status_flag = given(a.statusFlag) and a.statusFlag:match "^MeterStatus%.(%w+)$",
      }
    end
    assert.same(alarms, rows.alarms)
  end)

  compare("return codes and their classes", function()
    assert.same(keys(source.errorCategories), sorted(names(rows.classes, "name")))
    for _, class in ipairs(rows.classes) do
      local entry = source.errorCategories[class.name]
      assert.same({ entry.zh, entry.retry }, { class.label.zh, class.retry })
    end
    assert.same(names(source.errors, "code"), names(rows.codes, "code"))
    for i, entry in ipairs(source.errors) do
      local row, speaks_of = rows.codes[i], {}
      assert.same({ entry.message, entry.category }, { row.message, row.class_id })
      for _, place in ipairs(entry.refersTo) do
        local rule = place:match "^(%S+) %(rule nonDecreasing%)$"
        if rule then
          for _, field in ipairs(commands[rule].params.rules[1].fields) do speaks_of[field] = true end
        elseif place == "batchQueryCmd (body)" then
          speaks_of.commandIds = true
        elseif not place:find "encoding" then
          speaks_of[place:match "[^.]+$"] = true
        end
      end
      assert.same(keys(speaks_of), sorted(words(row.fields)))
    end
  end)

  compare("references to open points exist", function()
    local known = by(source.ambiguities, "id")
    local function walk(value)
      if type(value) ~= "table" then return end
      for _, id in ipairs(words(type(value.ids) == "string" and value.ids or "")) do
        if id:sub(1, 1) ~= "C" then assert.truthy(known[id], id) end
      end
      for _, inner in pairs(value) do walk(inner) end
    end
    walk(rows)
  end)
end)

-- ---------------------------------------------------------------- the examples

-- Where the vendor's examples differ from the vendor's tables. Those of method,
-- path and header are not in the bodies that lie here.
local deviations = {
  { "query", "request.method", "method", "C9" },
  { "query", "request.headers.Content-Type", "missing", "C4" },
  { "query", "response.body.result.iccidCode", "length", "C12" },
  { "queryCmd", "response.body.result.resultDetail.commandResult", "type", "C22" },
  { "batchQueryCmd", "response.body.result[0].resultDetail", "type", "C21" },
  { "batchQueryCmd", "response.body.result[1].resultDetail", "type", "C21" },
  { "cancelCmd", "request.path", "path", "C24" },
  { "push.reportData", "request.body[0].callbackData.data[0].serviceData.meterStatus.accountFlag", "missing",
    "C29" },
  { "push.commandResponse", "request.body[0].callbackData.commandResult", "type", "C22" },
}

local examples = {
  "register.request", "register.response", "update.request", "update.response", "query.response",
  "cancel.response", "authDevices.request", "authDevices.response", "creatCmd.request", "creatCmd.response",
  "queryCmd.response", "batchQueryCmd.request", "batchQueryCmd.response", "cancelCmd.response",
  "queryReportData.response", "push.reportData.request", "push.commandResponse.request",
}

-- Walks a document along rows as the tables have them, overrides left aside, and
-- notes { path, rule } for every difference.
local check_fields

local function has_value(name, text)
  for _, value in ipairs(enums[name].values) do
    if value.text == text then return true end
  end
  return false
end

local function check_value(row, value, path, found)
  local function fault(rule) found[#found + 1] = { path, rule } end
  local lua_type = ({ string = "string", integer = "number", decimal = "number" })[row.type] or "table"
  if type(value) ~= lua_type or row.type == "integer" and value % 1 ~= 0 then return fault "type" end
  local size = lua_type == "string" and utf8.len(value) or row.type == "list" and #value or value
  if row.type == "decimal" then size = value * 1000 end
  if row.type ~= "object" and (size < (row.min or size) or size > (row.max or size)) then fault "length" end
  if row.values then
    local text = lua_type == "number" and ("%d"):format(value) or value
    if not has_value(row.values, text) then fault "value" end
  end
  if row.fixed and row.fixed ~= value then fault "value" end
  if row.shape and row.type == "object" then check_fields(shapes[row.shape].fields, value, path, found) end
  for i, element in ipairs(row.type == "list" and value or {}) do
    local at = ("%s[%d]"):format(path, i - 1)
    if row.item then
      check_value(row.item, element, at, found)
    else
      check_fields(shapes[row.shape].fields, element, at, found)
    end
  end
end

function check_fields(fields, value, path, found)
  local known = by(fields, "name")
  for key in pairs(value) do
    if not known[key] then found[#found + 1] = { path .. "." .. key, "unknown" } end
  end
  for _, row in ipairs(fields) do
    local inner, at = value[row.name], path .. "." .. row.name
    if inner == nil or inner == null then
      if row.required then found[#found + 1] = { at, "missing" } end
    elseif row.name == "serviceData" then
      check_fields(shapes[value.serviceId].fields, inner, at, found)
    elseif row.name == "command" then
      check_value(row, inner, at, found)
      check_fields(commands[inner.method].params.fields, inner.paras, at .. ".paras", found)
    else
      check_value(row, inner, at, found)
    end
  end
end

local function check_example(name, document)
  local found, what, direction = {}, name:match "^(.*)%.(%w+)$"
  local path = direction .. ".body"
  local endpoint, push = endpoints[what], pushes[what]
  if push then
    for i, message in ipairs(document) do
      check_fields(shapes[push.message].fields, message, ("%s[%d]"):format(path, i - 1), found)
    end
  elseif direction == "response" then
    local fields = { table.unpack(rows.envelope) }
    if document.responseCode == "100000" then
      fields[#fields + 1] = endpoint.result
    else
      document.result = nil
    end
    check_fields(fields, document, path, found)
  elseif endpoint.body == "list" then
    check_value(endpoint.list, document, path, found)
  else
    check_fields(endpoint.fields.fields, document, path, found)
  end
  return found
end

describe("the document's example", function()
  for _, name in ipairs(examples) do
    it(name .. " has what the rows have", function()
      local document = assert(load_json("spec/contract/examples/" .. name .. ".json"))
      local what, direction = name:match "^(.*)%.(%w+)$"
      local allowed = {}
      for _, d in ipairs(deviations) do
        if d[1] == what and d[2]:sub(1, #direction + 5) == direction .. ".body" then
          allowed[#allowed + 1] = { d[2], d[3] }
        end
      end
      assert.same(allowed, check_example(name, document))
    end)
  end

  it("of a signature is the vector of appendix 8", function()
    local vector = assert(load_json "spec/contract/examples/signing.vector.json")
    assert.same({ "key", "merchantId", "token", "transId" }, keys(vector))
    assert.same("70235129e6240134c5c15f2c7420eead971372e67a7f99f5e4c19203361411a1", vector.token)
  end)

  compare("differs from the tables in known places alone", function()
    local listed = {}
    for i, d in ipairs(source.knownDeviations) do listed[i] = { d.endpoint, d.path, d.rule, d.conflict } end
    assert.same(listed, deviations)
  end)
end)
