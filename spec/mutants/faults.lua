-- Faults that are planted in a copy of the tree, one at a time, to see the crash
-- specs find them (.ci/mutants). Money's rules stand in several places, so most
-- faults need several changes.
-- name, what it is, `found`: a pattern of what the specs must say, `changes`:
-- { file, text, the text put in its place }; each text must stand there once.

return {
  { name = "retry", what = "a request is sent again after a time-out", found = "repeated: ",
    changes = {
      { "lua/xfiot/orders.lua", [[if state == "intent" then
    return false]], [[if state == "intent" or evidence.timed_out then
    return false]] },
    } },

  { name = "early", what = "the request leaves before sent is on disk",
    found = "nothing was written after the connection was up",
    changes = {
      { "core/bind_send.c", "if (!s->marked && mark_all(", "if (s->marked && mark_all(" },
      { "core/bind_send.c", "    return s->marked;\n}", "    return true;\n}" },
      { "core/bind_send.c", "    disarm(luaL_checkudata(L, 1, XF_SENDING_TYPE));", [[
    struct xf_sending *s = luaL_checkudata(L, 1, XF_SENDING_TYPE);
    struct xf_err err;

    if (s->place != NULL)
        (void)mark_all(s, &err);
    disarm(s);]] },
    } },

  { name = "normal", what = "commits are not synced (synchronous=NORMAL)", found = "what was written was not synced",
    changes = {
      { "core/journal.c", "PRAGMA synchronous = FULL", "PRAGMA synchronous = NORMAL" },
      { "core/journal.c", [["PRAGMA synchronous", "2"]], [["PRAGMA synchronous", "1"]] },
    } },

  { name = "reuse", what = "a connection that died is replaced and the request sent again", found = "double: ",
    changes = {
      { "core/handle.c", "x->no_repeat ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK",
        "x->no_repeat ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_OK" },
    } },

  { name = "bill", what = "a bill number is used again", found = "bills: ",
    changes = {
      { "core/journal_device.c", "return mark + 1;", "return mark > 0 ? mark : 1;" },
      { "core/journal_order.c", "if (i->bill_no == 0)", "if (i->bill_no >= 0)" },
      { "core/journal_schema.c", "CREATE UNIQUE INDEX orders_bill", "CREATE INDEX orders_bill" },
      { "core/journal_schema.c", "AND bill_no = NEW.bill_no", "AND bill_no < 0" },
    } },

  { name = "state", what = "commandState alone is taken as success", found = "wrong: ",
    changes = {
      { "lua/xfiot/fate.lua", [[outcome.state == "succeeded" and outcome.result.commandResult == 0]],
        [[outcome.state == "succeeded"]] },
    } },

  { name = "second", what = "a meter has two orders at once", found = "clashes: ",
    changes = {
      { "lua/xfiot/orders.lua", "function Book:lock(device_no, seconds)", [[function Book:lock(device_no, seconds)
  if device_no then return setmetatable({}, { __close = function() end }) end]] },
      { "core/journal_sql.c", [["SELECT order_id FROM standings s CROSS JOIN orders o ON o.row = s.row"
                              " WHERE holds = ?1"]], [["SELECT order_id FROM orders WHERE device_no = ?1 AND 0"]] },
      { "core/journal_schema.c", "CREATE UNIQUE INDEX standings_one_open", "CREATE INDEX standings_one_open" },
      { "core/journal_schema.c", "WHERE holds = NEW.holds)", "WHERE holds = NEW.holds AND 0)" },
    } },
}
