-- Everything that looks random in the sandbox comes from one seed, so that a
-- run can be repeated byte for byte. A value that belongs to a device is drawn
-- from the seed and the device's number: it does not depend on who came first.

local Random = {}
Random.__index = Random
Random.__name = "xfiot.sandbox.random"

-- The finaliser of splitmix64.
local function mix(x)
  x = (x ~ (x >> 30)) * -4658895280553007687 -- 0xBF58476D1CE4E5B9
  x = (x ~ (x >> 27)) * -7723592293110705685 -- 0x94D049BB133111EB
  return x ~ (x >> 31)
end

local GAMMA <const> = -7046029254386353131 -- 0x9E3779B97F4A7C15

local function hash(seed, text)
  local h = mix(seed + GAMMA)
  for i = 1, #text do
    h = mix((h ~ text:byte(i)) + GAMMA)
  end
  return h
end

--- A number of 64 bits drawn from the seed and a text; always the same one.
---@param text string
---@return integer
function Random:drawn(text)
  return hash(self.seed, text)
end

--- A number from `low` to `high` drawn from the seed and a text.
---@param text string
---@param low integer
---@param high integer
---@return integer
function Random:between(text, low, high)
  return low + (hash(self.seed, text) >> 1) % (high - low + 1)
end

--- 32 lower-case hexadecimal digits drawn from the seed and a text: an id.
---@param text string
---@return string
function Random:id(text)
  local h = hash(self.seed, text)
  return string.format("%016x%016x", h, mix(h + GAMMA))
end

--- `n` decimal digits drawn from the seed and a text.
---@param text string
---@param n integer
---@return string
function Random:digits(text, n)
  local out, h = {}, hash(self.seed, text)
  for i = 1, n do
    out[i] = (h >> 1) % 10
    h = mix(h + GAMMA)
  end
  return table.concat(out)
end

--- The next id of a series: command ids.
---@return string
function Random:next_id()
  self.count = self.count + 1
  return self:id("id " .. self.count)
end

---@param seed integer
local function new(seed)
  return setmetatable({ seed = seed, count = 0 }, Random)
end

return { new = new, mix = mix, GAMMA = GAMMA }
