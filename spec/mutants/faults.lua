-- Faults that are planted in a copy of the tree, one at a time, to see the crash
-- specs find them (.ci/mutants). Money's rules stand in several places, so most
-- faults need several changes. Those of pushes are found by C programs.
-- name, what it is, `found`: a pattern of what the specs must say, `changes`:
-- { file, text, the text put in its place }; each text must stand there once;
-- `program`: the C program instead of the specs.

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

  { name = "unkept", what = "a push is acknowledged and not committed", found = " acknowledged, ",
    program = "test_serve",
    changes = {
      { "core/receiver_batch.c", "    if (xf_journal_commit(r->journal, err) != 0)\n        return -1;",
        "    xf_journal_rollback(r->journal);" },
    } },

  { name = "forged", what = "any token will do", found = "token wrong", program = "test_receiver",
    changes = {
      { "core/sign.c", "CRYPTO_memcmp(right, given, sizeof given) == 0", "CRYPTO_memcmp(right, given, 0) == 0" },
    } },

  { name = "replayed", what = "a push of yesterday counts", found = "stale", program = "test_receiver",
    changes = { { "core/receiver.c", "second < now - r->o.freshness || ", "" } } },

  { name = "echoed", what = "our own transId counts as a push", found = "our own transId", program = "test_receiver",
    changes = {
      { "core/receiver.c", "r->own != NULL && tail != UINT32_MAX", "r->own == NULL && tail != UINT32_MAX" },
    } },

  { name = "twice", what = "another body under a used transId counts", found = "another body",
    program = "test_receiver",
    changes = { { "core/journal_push.c", "return past.used || a->reason", "return a->reason" } } },

  { name = "headers", what = "a signing header may come twice", found = "token twice", program = "test_receiver",
    changes = { { "core/push_header.c", "    if (h->twice)\n        return XF_VERDICT_TWICE;\n", "" } } },

  { name = "nul", what = "a NUL cuts a value and nobody sees it", found = "a NUL behind a token",
    program = "test_receiver_abuse",
    changes = { { "core/incoming_check.c", "struct check c = {.in_place = parses_in_place()};",
      "struct check c = {.in_place = parses_in_place() && version == NULL};" } } },

  { name = "slow", what = "slow clients keep honest ones out", found = "status == 200", program = "test_receiver_abuse",
    changes = { { "core/clients.c", "if (client == NULL || client->since", "if (client != NULL || client->since" } } },
}
