-- What the utility does with pushes: copy this, and put your billing system where
-- the log lines are. xfiot serve HANDLERS.lua
return {
  report = function(message, context)
    local data = message.services.GeneralDataInfo -- services by name; the rest by the document's names
    if data then context:log("reading of", message.deviceId, data.totalUseValue) end
  end,

  alarm = function(message, context)
    local alarms = message.services.WarnDataInfo or message.services.ConcentratorWarnDataInfo
    for _, event in ipairs(alarms and alarms.warnEvents or {}) do
      context:log("alarm of", message.deviceId, event.warnType, "at", event.warnDate)
    end
  end,

  response = function(_, context)
    if context.order and context.order.state == "applied" then context:log("done:", context.order.order) end
  end,

  quarantine = function(push, context) context:log("look at push", push.id, push.reason) end,
}
