-- What the specs of runs share: scripts in files, and runs of them that are put away
-- and taken up in one process.

local V = require "spec.verbs_helper"
local helper = require "spec.helper"
local runs = require "xfiot.runs"
local script = require "xfiot.script"

local R = {}

-- A workflow named w whose run function has this body; args.n may be given.
function R.write(body, path)
  path = path or helper.tmpdir() .. "/w.lua"
  helper.write(path, ('local xfiot = require "xfiot"\nreturn xfiot.workflow { name = "w", '
    .. 'args = { n = "integer?" }, run = function(flow, args)\n%s\nend }\n'):format(body))
  return path
end

function R.read(path)
  local text = assert(script.read(path))
  script.run(text)
  return text
end

-- A run of a body from its beginning until it ends or is put away.
function R.begin(box, path, more)
  local run = runs.new(box.client, R.read(path), "{}", more or { short = 0 })
  return run:drive(), run
end

function R.row(box, id) return box.client.orders:journal():read("run_find", id) end

function R.steps(box, id)
  local names = {}
  for i, step in ipairs(box.client.orders:journal():read("run_steps", id)) do names[i] = step.name end
  return names
end

-- Takes a run up with the script as it is now.
function R.resume(box, id, more)
  local row = R.row(box, id)
  local run = runs.take(box.client, row, R.read(row.script), more or { short = 0 })
  return run:drive(), run
end

R.MONEY, R.tariff = V.MONEY, V.tariff

return R
