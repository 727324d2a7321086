/*
 * The contract rows as Lua sees them. For help texts, the reference page, the
 * specs and doctor; the checks walk the rows themselves.
 *
 * contract() returns a fresh table of plain data, contract("codes") only that list
 * of it, for those who cannot wait for all:
 *   api_version, base_path
 *   endpoints, commands, pushes, shapes, services, statuses, enums, alarms,
 *   classes, codes, call_headers, envelope          lists in the rows' order
 *
 * Each row has the names of the C members, what is absent is nil:
 *   texts      { zh =, en = }
 *   flags      each its own key: required, emit_string, accept_string,
 *              accept_null, also_body, code_ours, unit_ours, alarm_code,
 *              return_code; true or nil. XF_HAS_DEFAULT: `fallback` is there
 *   type       "string" "integer" "decimal" "object" "list"
 *   format     strings only: "text" "digits" "timestamp" "datetime"
 *              "holds_integer" "holds_decimal" "holds_text" "holds_timestamp"
 *   min, max   exact integers (decimals in thousandths); nil where open
 *   codes      text: "500018"
 *   values, a field's shape, a shape's also, a push's message: names
 *   client, server  the members that the side changes; an opened end of a
 *              range is math.mininteger or math.maxinteger
 *   an endpoint's query and fields, a command's params and result: shapes in full
 *   body       "none" "object" "list"
 *   a code's class_id, a class's id: names of classes ("bad_parameter")
 *   a rule's kind  "non_decreasing" "canonical_tiers" "non_zero"
 */
#ifndef XF_BIND_CONTRACT_H
#define XF_BIND_CONTRACT_H

#include <lua.h>

/* [-0, +1, m]  pushes the function contract() */
int xf_open_contract(lua_State *L);

#endif
