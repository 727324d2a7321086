--- Why a charge is what it is: tier by tier, what a move of the ladder value costs.
local core = require "xfiot.core"

---@class xfiot.Explanation
---@field from integer litres
---@field to integer
---@field tiers { tier: integer, litres: integer, price: integer, exact: integer }[] price in fen per m³
---@field exact integer thousandths of a fen
---@field fen integer what is charged
---@field rounding integer thousandths of a fen that the charge is above the exact cost
---@field before integer|nil the balance, fen
---@field after integer|nil
local Explanation = {}
Explanation.__index = Explanation
Explanation.__name = "xfiot.explanation"

local explanation = {}

--- Fen in yuan.
---@param fen integer
---@return string
function explanation.yuan(fen)
  return core.decimal_text(fen * 10, 2)
end

-- Thousandths of a fen in yuan: two decimals, up to five where there are more.
local function exact_yuan(thousandths)
  local sign, count = thousandths < 0 and "-" or "", math.abs(thousandths)
  local text = ("%s%d.%05d"):format(sign, count // 100000, count % 100000)
  return (text:gsub("(%.%d%d%d-)0*$", "%1"))
end

--- Litres in m³.
---@param litres integer
---@return string
function explanation.cubic(litres)
  return core.decimal_text(litres, 1)
end

function Explanation:__tostring()
  local cubic, yuan = explanation.cubic, explanation.yuan
  local lines = { ("%s m³ -> %s m³"):format(cubic(self.from), cubic(self.to)) }
  for _, row in ipairs(self.tiers) do
    lines[#lines + 1] = ("  tier %d: %s m³ x %s = %s"):format(row.tier, cubic(row.litres), yuan(row.price),
      exact_yuan(row.exact))
  end
  lines[#lines + 1] = ("  exact %s, rounding %s, charged %s"):format(exact_yuan(self.exact),
    exact_yuan(self.rounding), yuan(self.fen))
  if self.before then lines[#lines + 1] = ("  balance %s -> %s"):format(yuan(self.before), yuan(self.after)) end
  return table.concat(lines, "\n")
end

--- Makes a table of these members one that prints as lines.
---@param members table
---@return xfiot.Explanation
function explanation.new(members)
  return setmetatable(members, Explanation)
end

return explanation
