--- What became of an order's one call. This is the table that money depends on:
-- the platform has no idempotency key and no list of a meter's commands, so
-- whatever is not a clean yes or a clean no is unknown and never sent again.
local codes = require "xfiot.codes"

local fate = {}

--- The state that a call leaves its order in.
---
--- | what happened                                                        | state    |
--- |----------------------------------------------------------------------|----------|
--- | the request was never let go: no name, no connection, TLS failed      | intent   |
--- | 100000 with a commandId of 32 characters                              | accepted |
--- | a code that says the command was not queued                           | rejected |
--- | 500014, 500038 and their like: the platform failed while making it    | unknown  |
--- | a code that the document does not list                                | unknown  |
--- | time-out, reset, empty or cut reply, another status than 200, a reply | unknown  |
--- | that is not the documented envelope                                   |          |
---@param call_fate "not sent"|"answered"|"unknown" as the core decided it
---@param code? string the platform's code, if answered
---@return "intent"|"accepted"|"rejected"|"unknown" state
function fate.of_order(call_fate, code)
  if call_fate == "not sent" then return "intent" end
  if call_fate ~= "answered" then return "unknown" end
  if code == "100000" then return "accepted" end
  if codes.is_doubtful(code) then return "unknown" end
  return "rejected"
end

-- Whether the meter's result names another bill number than the order's: then it is
-- the answer to another command.
local function is_of_other(result, bill_no)
  local said = bill_no and math.tointeger(tonumber(result.billNo))
  return said ~= nil and said ~= bill_no
end

--- The state that a command's end leaves its order in. A success counts only
--- with the meter's own result; anything else may have been lost on the way.
---@param outcome { state: string, result?: table } see xfiot.outcomes
---@param bill_no? integer of the order
---@return "applied"|"suspect"|"cancelled" state
---@return string said how it ended, for the evidence
function fate.of_command(outcome, bill_no)
  if outcome.state == "succeeded" and outcome.result.commandResult == 0 then
    if is_of_other(outcome.result, bill_no) then return "suspect", "other_bill" end
    return "applied", "succeeded"
  end
  if outcome.state == "cancelled" then return "cancelled", "cancelled" end
  return "suspect", outcome.state
end

return fate
