#include "check.h"
#include "contract.h"
#include "contract_check.h"

/* ---- counts */

static size_t count_fields(const struct xf_field *fields)
{
    size_t n = 0;

    while (fields[n].name != NULL)
        n++;
    return n;
}

#define COUNT(list, member, n)                                                                               \
    for ((n) = 0; (list)[n].member; (n)++) {                                                                 \
    }

static void test_counts(void)
{
    size_t n, params = 0;

    COUNT(xf_endpoints, name, n) CHECK(n == 10);
    COUNT(xf_pushes, name, n) CHECK(n == 2);
    COUNT(xf_commands, id, n) CHECK(n == 9);
    for (size_t i = 0; i < n; i++)
        params += count_fields(xf_commands[i].params->fields);
    CHECK(params == 51);
    COUNT(xf_shapes, name, n) CHECK(n == 11);
    COUNT(xf_services, name, n) CHECK(n == 10);
    COUNT(xf_statuses, name, n) CHECK(n == 3);
    COUNT(xf_enums, name, n) CHECK(n == 28);
    COUNT(xf_alarms, code, n) CHECK(n == 27);
    COUNT(xf_classes, name, n) CHECK(n == 7);
    COUNT(xf_codes, code, n) CHECK(n == 53);
}

/* ---- look-ups */

static bool has_name(void *payload, const char *key)
{
    return payload != NULL && strcmp(payload, key) == 0;
}

static void test_lookups(void)
{
    char billing[] = "billingMethod", prepaid[] = "prepaidType";
    const struct xf_enum *e = xf_find_enum("commandState");

    CHECK_TEXT(xf_find_endpoint("creatCmd")->path, "/iotcloud/app/cmd/v1.0.0/creatCmd");
    CHECK(xf_find_endpoint("createCmd") == NULL);
    CHECK_TEXT(xf_find_push("push.reportData")->message->name, "msgDTO.report");
    CHECK(xf_find_push("report") == NULL);
    CHECK_TEXT(xf_find_shape("DeviceDTO")->section, "1.3");
    CHECK_TEXT(xf_find_shape("SignalInfo")->section, "5.5");
    CHECK_TEXT(xf_find_shape("MeterStatus")->section, "6");
    CHECK(xf_find_shape("MeterState") == NULL);
    CHECK_TEXT(xf_find_service("FrozenValueInfo")->also->name, "FrozenRecord");
    CHECK(xf_find_service("DeviceDTO") == NULL);
    CHECK(e != NULL && e->integer);
    CHECK_TEXT(xf_find_value(e, "4")->label.zh, "发送中");
    CHECK(xf_find_value(e, "6") == NULL);
    CHECK(xf_find_enum("state") == NULL);
    CHECK_TEXT(xf_find_code(500038)->message.en, "Exception while encoding the recharge command");
    CHECK(xf_find_code(500051) == NULL && xf_find_code(0) == NULL);
    CHECK_TEXT(xf_find_class(xf_find_code(500038)->class_id)->name, "platform_unknown");
    CHECK(xf_find_field(xf_envelope_fields, "message") != NULL);
    CHECK(xf_find_field(xf_envelope_fields, "result") == NULL);

    CHECK_TEXT(xf_find_command("ACCOUNT_OPEN", has_name, billing)->id, "ACCOUNT_OPEN.backendPrepaid");
    CHECK_TEXT(xf_find_command("ACCOUNT_OPEN", has_name, prepaid)->id, "ACCOUNT_OPEN.meterPrepaid");
    CHECK_TEXT(xf_find_command("ACCOUNT_OPEN", NULL, NULL)->id, "ACCOUNT_OPEN.meterPrepaid");
    CHECK_TEXT(xf_find_command("VALVE_CONTROL", has_name, billing)->id, "VALVE_CONTROL");
    CHECK(xf_find_command("VALVE", has_name, NULL) == NULL);
    CHECK(xf_find_command_id("ACCOUNT_OPEN.backendPrepaid")->money);
    CHECK(xf_find_command_id("ACCOUNT_OPEN") == NULL);
}

/* Names that only these rows promise to each other. */
static void test_names_meet(void)
{
    for (const struct xf_enum_value *v = xf_find_enum("serviceId")->values; v->text != NULL; v++)
        CHECK_ROW(xf_find_service(v->text) != NULL, v->text);
    for (const struct xf_shape *s = xf_services; s->name != NULL; s++)
        CHECK_ROW(xf_find_value(xf_find_enum("serviceId"), s->name) != NULL, s->name);
    for (const struct xf_enum_value *v = xf_find_enum("method")->values; v->text != NULL; v++)
        CHECK_ROW(xf_find_command(v->text, NULL, NULL) != NULL, v->text);
    for (const struct xf_command *c = xf_commands; c->id != NULL; c++)
        CHECK_ROW(xf_find_value(xf_find_enum("method"), c->method) != NULL, c->id);
}

/* What changes something, and what moves value: listed here on purpose, because a
 * slip in these two columns would be a repeated recharge. */
static void test_writes_and_money(void)
{
    static const char writes[] = " register update cancel creatCmd cancelCmd ";
    static const char money[] =
        " ACCOUNT_OPEN.meterPrepaid ACCOUNT_CANCEL RECHARGE_REMOTE LADDER_VALUE_CHANGE "
        "PRICE_CHANGE ACCOUNT_OPEN.backendPrepaid ";
    char word[64];

    for (const struct xf_endpoint *e = xf_endpoints; e->name != NULL; e++) {
        (void)snprintf(word, sizeof word, " %s ", e->name);
        CHECK_ROW(e->writes == (strstr(writes, word) != NULL), e->name);
    }
    for (const struct xf_command *c = xf_commands; c->id != NULL; c++) {
        (void)snprintf(word, sizeof word, " %s ", c->id);
        CHECK_ROW(c->money == (strstr(money, word) != NULL), c->id);
    }
}

static void test_alarms(void)
{
    static const struct {
        const char *given, *code;
    } rows[] = {
        {"000AH", "000AH"}, {"000ah", "000AH"}, {"000A", "000AH"},  {"0x000A", "000AH"}, {"0X000a", "000AH"},
        {"A", "000AH"},     {"aH", "000AH"},    {"0x1", "0001H"},   {"1", "0001H"},      {"FFFF", "FFFFH"},
        {"1001h", "1001H"}, {"", NULL},         {"H", NULL},        {"0x", NULL},        {"0xH", NULL},
        {"00001H", NULL},   {"0001HH", NULL},   {"0001 ", NULL},    {" 0001", NULL},     {"G", NULL},
        {"-1", NULL},       {"00A0H", NULL},    {"0x0x0001", NULL}, {"0", NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xf_alarm *a = xf_find_alarm(rows[i].given);

        if (rows[i].code == NULL)
            CHECK_ROW(a == NULL, rows[i].given);
        else
            CHECK_TEXT(a == NULL ? NULL : a->code, rows[i].code);
    }
}

/* ---- readings */

static const struct xf_field *pick(const char *where, const char *name)
{
    const struct xf_endpoint *e = xf_find_endpoint(where);
    const struct xf_push *p = xf_find_push(where);
    const struct xf_command *c = xf_find_command_id(where);
    const struct xf_shape *s = xf_find_shape(where);

    if (e != NULL)
        return xf_find_field(e->fields->fields, name);
    if (p != NULL)
        return xf_find_field(p->headers, name);
    if (c != NULL)
        return xf_find_field(c->params->fields, name);
    return xf_find_field(s != NULL ? s->fields : xf_call_headers, name);
}

static size_t count_overrides(const struct xf_field *fields)
{
    size_t n = 0;

    for (const struct xf_field *f = fields; f->name != NULL; f++)
        n += (size_t)(f->client != NULL) + (size_t)(f->server != NULL);
    return n;
}

/* Both pushes have the same list of headers. */
static size_t count_all_overrides(void)
{
    const struct xf_shape *lists[] = {xf_shapes, xf_services, xf_statuses};
    size_t n = count_overrides(xf_call_headers) + count_overrides(xf_envelope_fields) +
               count_overrides(xf_pushes[0].headers);

    CHECK(xf_pushes[0].headers == xf_pushes[1].headers);
    for (const struct xf_endpoint *e = xf_endpoints; e->name != NULL; e++)
        n += count_overrides(e->query->fields) + (e->fields != NULL ? count_overrides(e->fields->fields) : 0);
    for (const struct xf_command *c = xf_commands; c->id != NULL; c++)
        n += count_overrides(c->params->fields);
    for (size_t i = 0; i < 3; i++) {
        for (const struct xf_shape *s = lists[i]; s->name != NULL; s++)
            n += count_overrides(s->fields);
    }
    return n;
}

enum { NO = 0, YES = 1, IF = 2 };
#define OPEN XF_NO_LIMIT

static void test_readings(void)
{
    static const struct {
        const char *where, *name;
        struct {
            int required;
            int64_t min, max;
            int decimals;
        } client, server;
    } rows[] = {
        {"", "Content-Type", {YES, 0, OPEN, 0}, {NO, 0, OPEN, 0}},
        {"", "RandomCode", {YES, 22, 22, 0}, {YES, 1, OPEN, 0}},
        {"push.reportData", "API_TRANS_ID", {YES, 1, OPEN, 0}, {YES, 22, 22, 0}},
        {"push.reportData", "Content-Type", {NO, 0, OPEN, 0}, {YES, 0, OPEN, 0}},
        {"update", "syncFlag", {YES, XF_NO_LEAST, OPEN, 0}, {NO, XF_NO_LEAST, OPEN, 0}},
        {"authDevices", "deviceNos", {YES, 1, 32, 0}, {YES, 1, OPEN, 0}},
        {"creatCmd", "expireTime", {NO, 86400, 2678400, 0}, {NO, 1, OPEN, 0}},
        {"creatCmd", "expireCount", {NO, 1, 3, 0}, {NO, 1, 5, 0}},
        {"DeviceDTO", "userNo", {NO, 0, 24, 0}, {YES, 1, 24, 0}},
        {"DeviceDTO", "userName", {NO, 0, 64, 0}, {YES, 1, 64, 0}},
        {"DeviceDTO", "userAddress", {NO, 0, 128, 0}, {YES, 1, 128, 0}},
        {"DeviceDTO", "imeiCode", {NO, 0, 15, 0}, {NO, 15, 15, 0}},
        {"DeviceDTO", "iccidCode", {NO, 0, 20, 0}, {NO, 20, 20, 0}},
        {"MeterStatus", "accountFlag", {NO, 1, 1, 0}, {YES, 1, 1, 0}},
        {"ACCOUNT_OPEN.meterPrepaid", "clearMark", {IF, 0, 1, 0}, {NO, 0, 1, 0}},
        {"ACCOUNT_OPEN.meterPrepaid", "billNo", {YES, 1, 65535, 0}, {YES, 0, 65535, 0}},
        {"PRICE_CHANGE", "clearMark", {YES, 0, 1, 0}, {NO, 0, 1, 0}},
        {"ACCOUNT_OPEN.backendPrepaid", "prepaidType", {IF, 0, 0, 0}, {IF, 0, 1, 0}},
        {"ACCOUNT_OPEN.backendPrepaid",
         "surplusValue",
         {IF, -2147483640, 2147483640, 2},
         {IF, -2147483648, 2147483647, 3}},
        {"ACCOUNT_OPEN.backendPrepaid", "price", {IF, 0, 30000, 2}, {IF, 0, 100000, 2}},
        {"BALANCE_SYNC", "prepaidType", {YES, 0, 0, 0}, {YES, 0, 1, 0}},
        {"BALANCE_SYNC", "ladderNo", {YES, 1, 7, 0}, {NO, 1, 7, 0}},
        /* no overrides */
        {"ACCOUNT_OPEN.meterPrepaid", "priceOne", {IF, 0, 30000, 2}, {IF, 0, 30000, 2}},
        {"PRICE_CHANGE", "priceOne", {YES, 0, 30000, 2}, {YES, 0, 30000, 2}},
        {"RECHARGE_REMOTE", "billNo", {YES, 1, 65535, 0}, {YES, 1, 65535, 0}},
        {"RECHARGE_REMOTE",
         "rechargeValue",
         {YES, -2147483640, 2147483640, 2},
         {YES, -2147483640, 2147483640, 2}},
        {"BALANCE_SYNC",
         "surplusValue",
         {YES, -2147483640, 2147483640, 2},
         {YES, -2147483640, 2147483640, 2}},
        {"LADDER_VALUE_CHANGE", "ladderValue", {YES, 0, 214748364700, 1}, {YES, 0, 214748364700, 1}},
    };

    size_t overridden = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xf_field *f = pick(rows[i].where, rows[i].name);

        if (!CHECK_ROW(f != NULL, rows[i].name))
            continue;
        overridden += (size_t)(f->client != NULL) + (size_t)(f->server != NULL);
        for (enum xf_side side = XF_CLIENT; side <= XF_SERVER; side++) {
            struct xf_reading r = xf_read_field(f, side);
            int required = r.required ? YES : r.conditional ? IF : NO;

            CHECK_ROW(required == (side == XF_CLIENT ? rows[i].client.required : rows[i].server.required),
                      rows[i].name);
            CHECK_ROW(r.min == (side == XF_CLIENT ? rows[i].client.min : rows[i].server.min), rows[i].name);
            CHECK_ROW(r.max == (side == XF_CLIENT ? rows[i].client.max : rows[i].server.max), rows[i].name);
            CHECK_ROW(r.decimals == (side == XF_CLIENT ? rows[i].client.decimals : rows[i].server.decimals),
                      rows[i].name);
        }
    }
    CHECK(overridden == count_all_overrides()); /* no row with an override is missing above */
}

/* ---- the self-test: our rows pass, broken ones do not */

static void expect_fault(const struct xf_contract *rows, const char *expected)
{
    char why[200];

    CHECK_ROW(xf_check_rows(rows, why, sizeof why) == -1, expected);
    if (!CHECK_ROW(strstr(why, expected) != NULL, expected))
        printf("#   said %s\n", why);
}

static void test_own_rows(void)
{
    char why[200] = "";
    char small[8];

    CHECK(xf_check_contract(why, sizeof why) == 0);
    CHECK_TEXT(why, "");
    /* the sentence is cut, not written past its end */
    struct xf_contract rows = xf_own_contract;
    rows.alarms = (const struct xf_alarm[]){{.code = "long enough"}, {.code = NULL}};
    CHECK(xf_check_rows(&rows, small, sizeof small) == -1);
    CHECK_TEXT(small, "long en");
}

#define TEXTS .label = {"名", "name"}, .about = {"说明", "about"}
#define END                                                                                                  \
    {                                                                                                        \
        .name = NULL                                                                                         \
    }

/* clang-format off */
static void test_broken_fields(void)
{
    static const struct xf_enum_value one[] = {{"1", {"一", "one"}}, {.text = NULL}};
    static const struct xf_enum stray = {"stray", true, "1", {"名", "name"}, one};
    static const struct xf_field endless = {"b", XF_STRING, 0, 0, 0, TEXTS};
    static const struct xf_shape stray_shape = {"stray", "1", {"名", "name"}, .fields = xf_envelope_fields};
    static const struct xf_override nothing = {0, .min = 1}, same = {XF_SET_MIN | XF_SET_MAX, .min = 2, .max = 9};
    static const struct xf_override same_max = {XF_SET_MAX, .max = 9}, above = {XF_SET_MIN, .min = 10};
    static const struct xf_override required = {XF_SET_REQUIRED, .required = true};
    static const struct xf_override same_decimals = {XF_SET_DECIMALS, .decimals = 2};
    static const struct {
        const char *why;
        struct xf_field fields[3];
    } rows[] = {
        {"the same name twice: a", {{"a", XF_STRING, 0, 0, 9, TEXTS}, {"a", XF_STRING, 0, 0, 9, TEXTS}, END}},
        {"the other name is a field", {{"a", XF_STRING, 0, 0, 9, .also = "b", TEXTS},
                                       {"b", XF_STRING, 0, 0, 9, TEXTS}, END}},
        {"label is not there", {{"a", XF_STRING, 0, 0, 9, .label = {"名", NULL}, .about = {"说明", "about"}}, END}},
        {"about is not there", {{"a", XF_STRING, 0, 0, 9, .label = {"名", "name"}, .about = {"", "about"}}, END}},
        {"the least is above the most", {{"a", XF_INTEGER, 0, 2, 1, TEXTS}, END}},
        {"the least is above the most", {{"a", XF_INTEGER, 0, 2, 9, .server = &above, TEXTS}, END}},
        {"no length is possible", {{"a", XF_STRING, 0, 0, 0, TEXTS}, END}},
        {"no length is possible", {{"a", XF_STRING, 0, -1, 9, TEXTS}, END}},
        {"an object has a range", {{"a", XF_OBJECT, 0, 0, 1, TEXTS}, END}},
        {"decimals, but not a decimal", {{"a", XF_INTEGER, 0, 0, 9, 2, TEXTS}, END}},
        {"decimals are not 1 to 3", {{"a", XF_DECIMAL, 0, 0, 9, TEXTS}, END}},
        {"more decimals than are allowed", {{"a", XF_DECIMAL, 0, 0, 9, 2, TEXTS}, END}},
        {"an override changes nothing", {{"a", XF_INTEGER, 0, 2, 9, .client = &nothing, TEXTS}, END}},
        {"changes nothing: min", {{"a", XF_INTEGER, 0, 2, 9, .client = &same, TEXTS}, END}},
        {"changes nothing: max", {{"a", XF_INTEGER, 0, 2, 9, .server = &same_max, TEXTS}, END}},
        {"changes nothing: required", {{"a", XF_INTEGER, XF_REQUIRED, 2, 9, .server = &required, TEXTS}, END}},
        {"changes nothing: decimals", {{"a", XF_DECIMAL, 0, 0, 10, 2, .server = &same_decimals, TEXTS}, END}},
        {"the default is out of range", {{"a", XF_INTEGER, XF_HAS_DEFAULT, 2, 9, .fallback = 1, TEXTS}, END}},
        {"a default without", {{"a", XF_INTEGER, 0, 0, 9, .fallback = 1, TEXTS}, END}},
        {"a default, but not a number", {{"a", XF_STRING, XF_HAS_DEFAULT, 0, 9, TEXTS}, END}},
        {"when_field names no sibling: b", {{"a", XF_STRING, 0, 0, 9, .when_field = "b", TEXTS}, END}},
        {"when_field names no sibling: a", {{"a", XF_INTEGER, 0, 0, 9, .when_field = "a", TEXTS}, END}},
        {"when_equals is no value of b", {{"a", XF_STRING, 0, 0, 9, .when_field = "b", .when_equals = 4, TEXTS},
                                          {"b", XF_INTEGER, 0, 0, 3, TEXTS}, END}},
        {"required always, and", {{"a", XF_STRING, XF_REQUIRED, 0, 9, .when_field = "b", TEXTS},
                                  {"b", XF_INTEGER, 0, 0, 3, TEXTS}, END}},
        {"no such return code: 123", {{"a", XF_STRING, 0, 0, 9, .code = 123, TEXTS}, END}},
        {"XF_CODE_OURS without", {{"a", XF_STRING, XF_CODE_OURS, 0, 9, TEXTS}, END}},
        {"XF_UNIT_OURS without", {{"a", XF_STRING, XF_UNIT_OURS, 0, 9, TEXTS}, END}},
        {"XF_EMIT_STRING, but", {{"a", XF_STRING, XF_EMIT_STRING, 0, 9, TEXTS}, END}},
        {"XF_ACCEPT_STRING, but", {{"a", XF_LIST, XF_ACCEPT_STRING, 0, 9, .shape = &xf_shapes[0], TEXTS}, END}},
        {"a code of a table, but", {{"a", XF_INTEGER, XF_ALARM_CODE, 0, 9, TEXTS}, END}},
        {"a format, but not a string", {{"a", XF_INTEGER, 0, 0, 9, .format = XF_DIGITS, TEXTS}, END}},
        {"values are no listed enumeration", {{"a", XF_INTEGER, 0, 0, 9, .values = &stray, TEXTS}, END}},
        {"values of another type", {{"a", XF_STRING, 0, 0, 9, .values = &xf_enums[0], TEXTS}, END}},
        {"the only value is not among", {{"a", XF_STRING, 0, 0, 9, .fixed = "1", TEXTS}, END}},
        {"a shape, but no object or list", {{"a", XF_STRING, 0, 0, 9, .shape = &xf_shapes[0], TEXTS}, END}},
        {"the shape is not in the lists", {{"a", XF_OBJECT, 0, 0, 0, .shape = &stray_shape, TEXTS}, END}},
        {"a list without item and shape", {{"a", XF_LIST, 0, 0, 9, TEXTS}, END}},
        {"an item, but no list", {{"a", XF_OBJECT, 0, 0, 0, .item = &xf_envelope_fields[0], TEXTS}, END}},
        {"both an item and a shape", {{"a", XF_LIST, 0, 0, 9, .item = &xf_envelope_fields[0],
                                       .shape = &xf_shapes[0], TEXTS}, END}},
        {"a.b: no length is possible", {{"a", XF_LIST, 0, 0, 9, .item = &endless, TEXTS}, END}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xf_contract broken = xf_own_contract;

        broken.call_headers = rows[i].fields;
        expect_fault(&broken, rows[i].why);
    }
}

static void test_broken_rules(void)
{
    static const struct xf_field fields[] = {
        {"a", XF_INTEGER, 0, 0, 9, TEXTS},
        {"b", XF_INTEGER, 0, 0, 9, TEXTS},
        {"s", XF_STRING, 0, 0, 9, TEXTS},
        END,
    };
#define RULE(kind_, ...) .rule = {kind_, .about = {"说明", "about"}, .code = 101001, __VA_ARGS__}
    static const struct {
        const char *why;
        struct xf_rule rule;
    } rows[] = {
        {"a rule names no field: c", RULE(XF_RULE_NON_ZERO, .fields = {"c"}, .client = true)},
        {"something that is no number: s", RULE(XF_RULE_NON_ZERO, .fields = {"s"}, .client = true)},
        {"a rule has no end", RULE(XF_RULE_NON_DECREASING, .fields = {"a", "b", "a", "b", "a", "b"}, .client = true)},
        {"a rule needs fields", RULE(XF_RULE_NON_DECREASING, .fields = {"a"}, .client = true)},
        {"one price more", RULE(XF_RULE_CANONICAL_TIERS, .fields = {"a"}, .prices = {"b"}, .client = true)},
        {"a rule is about one field", RULE(XF_RULE_NON_ZERO, .fields = {"a", "b"}, .client = true)},
        {"nobody enforces", RULE(XF_RULE_NON_ZERO, .fields = {"a"})},
        {"when_field names no sibling: c", RULE(XF_RULE_NON_ZERO, .fields = {"a"}, .when_field = "c", .client = true)},
        {"about of a rule is not there", {XF_RULE_NON_ZERO, .fields = {"a"}, .code = 101001, .client = true}},
        {"no such return code: 7", {XF_RULE_NON_ZERO, .fields = {"a"}, .code = 7, .client = true,
                                    .about = {"说明", "about"}}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct xf_rule rules[] = {rows[i].rule, {.kind = XF_RULE_NONE}};
        const struct xf_shape shapes[] = {{"S", "1", {"名", "name"}, .fields = fields, .rules = rules}, END};
        struct xf_contract broken = xf_own_contract;

        broken.services = shapes;
        expect_fault(&broken, rows[i].why);
    }
}

static void test_broken_lists(void)
{
    const struct xf_enum_value none[] = {{.text = NULL}};
    const struct xf_enum_value twice[] = {{"1", {"一", "one"}}, {"1", {"一", "one"}}, {.text = NULL}};
    const struct xf_enum_value word[] = {{"one", {"一", "one"}}, {.text = NULL}};
    const struct xf_enum_value mute[] = {{"1", {"一", NULL}}, {.text = NULL}};
    const struct {
        const char *why;
        struct xf_enum e[3];
    } enums[] = {
        {"e: no values", {{"e", true, "1", {"名", "name"}, none}, END}},
        {"the same value twice: 1", {{"e", true, "1", {"名", "name"}, twice}, END}},
        {"not an integer: one", {{"e", true, "1", {"名", "name"}, word}, END}},
        {"e: 1 is not there in both", {{"e", true, "1", {"名", "name"}, mute}, END}},
        {"e: is there twice", {{"e", false, "1", {"名", "name"}, word}, {"e", false, "1", {"名", "name"}, word}, END}},
    };
    const struct {
        const char *why;
        struct xf_alarm a;
    } alarms[] = {
        {"not four upper-case", {"000aH", {"名", "name"}, {"说明", "about"}, .device = "meter"}},
        {"not four upper-case", {"0001", {"名", "name"}, {"说明", "about"}, .device = "meter"}},
        {"unknown device", {"0001H", {"名", "name"}, {"说明", "about"}, .device = "valve"}},
        {"names no flag: lock", {"0001H", {"名", "name"}, {"说明", "about"}, "meter", true, "lock"}},
        {"about is not there", {"0001H", {"名", "name"}, {"说明", ""}, .device = "meter"}},
    };

    for (size_t i = 0; i < sizeof enums / sizeof enums[0]; i++) {
        struct xf_contract broken = xf_own_contract;

        broken.enums = enums[i].e;
        expect_fault(&broken, enums[i].why);
    }
    for (size_t i = 0; i < sizeof alarms / sizeof alarms[0]; i++) {
        const struct xf_alarm list[] = {alarms[i].a, {.code = NULL}};
        struct xf_contract broken = xf_own_contract;

        broken.alarms = list;
        expect_fault(&broken, alarms[i].why);
    }
}

/* One endpoint, command, push, shape or code of ours, with one member spoilt. */
static void test_broken_rows(void)
{
    static const int unknown_codes[] = {42, 0};
    struct xf_contract broken;
    struct xf_endpoint endpoints[3] = {xf_endpoints[0], xf_endpoints[0], END};
    struct xf_command commands[3] = {xf_commands[0], xf_commands[0], {.id = NULL}};
    struct xf_push pushes[3] = {xf_pushes[0], xf_pushes[0], END};
    struct xf_shape services[3] = {xf_services[0], xf_services[0], END};
    struct xf_class_row classes[2] = {xf_classes[0], END};
    struct xf_code codes[60];
    size_t n;

#define WITH(list, value) (broken = xf_own_contract, broken.list = (value), &broken)
#define SPOIL(list, target, spoil, why) do { spoil; expect_fault(WITH(list, list), why); (list)[0] = target; } while (0)
    expect_fault(WITH(endpoints, endpoints), "register: is there twice");
    endpoints[1] = (struct xf_endpoint)END;
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].path = "/app", "not under the base path: /app");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].query = NULL, "no query");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].query = endpoints[0].fields, "the same argument in query and body");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].body = XF_BODY_NONE, "do not agree");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].result = NULL, "no result");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].codes = unknown_codes, "no such return code: 42");
    SPOIL(endpoints, xf_endpoints[0], endpoints[0].about.zh = "", "about is not there");

    commands[1].method = "OTHER";
    expect_fault(WITH(commands, commands), "VALVE_CONTROL: is there twice");
    commands[1].id = NULL;
    SPOIL(commands, xf_commands[0], commands[0].encode_code = 1, "no such return code: 1");
    SPOIL(commands, xf_commands[0], commands[0].charge_types = "13", "charge_types");
    SPOIL(commands, xf_commands[0], commands[0].params = NULL, "no parameters");
    SPOIL(commands, xf_commands[0], commands[0].told_by = "controlFlag", "one variant that nothing tells");
    commands[1] = xf_commands[0];
    commands[1].id = "VALVE_CONTROL.second";
    expect_fault(WITH(commands, commands), "one variant that nothing tells");
    commands[1].told_by = "controlFlag";
    expect_fault(WITH(commands, commands), "another variant has the telling parameter");
    commands[1].told_by = "other";
    expect_fault(WITH(commands, commands), "told_by names no parameter: other");

    expect_fault(WITH(pushes, pushes), "is there twice");
    pushes[1].name = NULL;
    SPOIL(pushes, xf_pushes[0], pushes[0].message = NULL, "no message");

    expect_fault(WITH(services, services), "GeneralDataInfo: is there twice");
    services[1].name = "MeterStatus";
    expect_fault(WITH(services, services), "MeterStatus: is there twice");
    services[1].name = NULL;
    SPOIL(services, xf_services[0], services[0].section = NULL, "no section");
    SPOIL(services, xf_services[0], services[0].also = &xf_statuses[0], "the other shape is not in the list");

    expect_fault(WITH(classes, classes), "a class that is not in the list");
    COUNT(xf_codes, code, n) memcpy(codes, xf_codes, (n + 1) * sizeof codes[0]);
    codes[0].code = codes[1].code;
    expect_fault(WITH(codes, codes), "the same return code twice");
    codes[0] = xf_codes[0];
    SPOIL(codes, xf_codes[0], codes[0].remedy.zh = NULL, "remedy is not there");
    SPOIL(codes, xf_codes[0], codes[0].fields = "deviceId nonsense", "speaks of no parameter: nonsense");
    SPOIL(codes, xf_codes[0], codes[0].fields = " deviceId", "single spaces");
}
/* clang-format on */

int main(void)
{
    test_counts();
    test_lookups();
    test_names_meet();
    test_writes_and_money();
    test_alarms();
    test_readings();
    test_own_rows();
    test_broken_fields();
    test_broken_rules();
    test_broken_lists();
    test_broken_rows();
    return check_end();
}
