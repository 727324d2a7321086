--- Orders: commands that move money or change an account. An order has an id of
-- the caller's, is sent at most once, and only one is open per meter.
-- This book lives as long as its client.
local errors = require "xfiot.errors"
local loop = require "xfiot.loop"

local orders = {}

local BILL_MOST = 65535

---@class xfiot.Order
---@field order string the caller's id
---@field device_no string
---@field method string
---@field content string what the caller asked for, for comparing repeats
---@field state "intent"|"sent"|"accepted"|"applied"|"suspect"|"cancelled"|"rejected"|"unknown"
---@field bill_no? integer
---@field command_id? string
---@field receipt? table
---@field failure? xfiot.Error

---@class xfiot.Book
local Book = {}
Book.__index = Book

local IN_DOUBT = { unknown = true, suspect = true }
local OPEN = { intent = true, sent = true, accepted = true, unknown = true, suspect = true }

---@return xfiot.Book
function orders.new()
  return setmetatable({ by_id = {}, open_of = {}, bill_mark = {} }, Book)
end

local function refuse_blocked(order, blocking)
  error(errors.new {
    kind = "unknown", operation = order.method, sent = false, blocking = blocking.order,
    message = ("表具 %s 的订单 %s 状态为 %s，尚待核实"):format(order.device_no, blocking.order, blocking.state),
    message_en = ("Order %s of meter %s is %s and must be settled first"):format(
      blocking.order, order.device_no, blocking.state),
    remedy = "Nothing was stored or sent. Look at the meter, then repeat this order.",
  }, 0)
end

local function same_or_refuse(existing, order)
  if existing.content == order.content and existing.device_no == order.device_no then return existing end
  error(errors.bad_argument(order.method, "order",
    ("%q was used for something else; an order id is unique for ever"):format(order.order),
    ("订单号 %s 已用于其他内容，订单号永不重复使用"):format(order.order)), 0)
end

-- Only one order is open per meter: the next one waits its turn.
local function wait_turn(book, order)
  local blocking = book.open_of[order.device_no]
  while blocking do
    if IN_DOUBT[blocking.state] or not blocking.busy then refuse_blocked(order, blocking) end
    local event = {}
    blocking.waiters[#blocking.waiters + 1] = event
    loop.wait(event, 31 * 86400)
    blocking = book.open_of[order.device_no]
  end
end

--- Places an order, or finds the one that was placed under its id with the same
--- content. Waits while another order of the meter is under way; raises when
--- that one is in doubt.
---@param order table { order, device_no, method, content }
---@return xfiot.Order order
---@return boolean is_new
function Book:place(order)
  local existing = self.by_id[order.order]
  if existing then return same_or_refuse(existing, order), false end
  wait_turn(self, order)
  existing = self.by_id[order.order]
  if existing then return same_or_refuse(existing, order), false end
  order.state, order.waiters = "intent", {}
  self.by_id[order.order] = order
  self.open_of[order.device_no] = order
  return order, true
end

--- Takes back an order that was never sent.
---@param order xfiot.Order
function Book:withdraw(order)
  self.by_id[order.order] = nil
  self.open_of[order.device_no] = nil
  self:release(order)
end

--- The next bill number of a meter, or the caller's own, which may not be repeated.
---@param device_no string
---@param own? integer
---@return integer|nil bill_no nil when the number was used or none is left
function Book:take_bill(device_no, own)
  local mark = self.bill_mark[device_no] or 0
  local number = own or mark + 1
  if number <= mark or number > BILL_MOST then return nil end
  self.bill_mark[device_no] = number
  return number
end

--- Notes where an order stands now.
---@param order xfiot.Order
---@param state string
function Book:advance(order, state)
  order.state = state
  if not OPEN[state] and self.open_of[order.device_no] == order then self.open_of[order.device_no] = nil end
end

--- The order is worked on no more; whoever waits for its meter may look again.
---@param order xfiot.Order
function Book:release(order)
  order.busy = false
  local waiters = order.waiters
  order.waiters = {}
  for _, event in ipairs(waiters) do loop.notify(event) end
end

return orders
