/* Appendix 1 of the document (section 4): the commands, their parameters and
 * what the meter answers. */
#include "rows.h"

/* ---- parameters that recur */

/* clang-format off */
#define PREPAID_TYPE(flags_, only_zh, only_en, ...) \
    {"prepaidType", XF_INTEGER, flags_, 0, 1, .values = XF_ENUM(prepaidType), .code = 500018, \
     .doc_type = "int(0-1)", .label = {"预付费类型", "Prepayment type"}, \
     .about = {"预付费类型0-金额1-气量" only_zh, "Prepayment type: 0 money, 1 gas volume" only_en "."}, __VA_ARGS__}

/* Five prices and four limits between them (C30). 4.2 and 4.6 differ only in
 * when they are required. */
#define TIER_PRICE(n, zh, number, flags_, ...) \
    {"price" n, XF_DECIMAL, (flags_) | XF_CODE_OURS | XF_UNIT_OURS, 0, 30000, 2, .code = 500020, \
     .unit = "CNY/m³", \
     .doc_type = "double(0-30)", .label = {"阶梯价格" zh, "Tier " number " price"}, \
     .about = {"阶梯价格" zh "，两位小数", "Price of tier " number ", two decimals."}, .ids = "A9", __VA_ARGS__}
#define TIER_GAS(n, zh, number, flags_, ...) \
    {"ladderGas" n, XF_INTEGER, (flags_) | XF_UNIT_OURS, 0, INT32_MAX, .code = 500025, .unit = "m³", \
     .doc_type = "int(0-2147483647)", .label = {"阶梯气量" zh, "Tier " number " gas limit"}, \
     .about = {"阶梯气量" zh, "Upper gas limit of tier " number "."}, .ids = "A23", __VA_ARGS__}
#define TIERS(flags_, ...) \
    TIER_PRICE("One", "一", "1", flags_, __VA_ARGS__), TIER_GAS("One", "一", "1", flags_, __VA_ARGS__), \
    TIER_PRICE("Two", "二", "2", flags_, __VA_ARGS__), TIER_GAS("Two", "二", "2", flags_, __VA_ARGS__), \
    TIER_PRICE("Three", "三", "3", flags_, __VA_ARGS__), TIER_GAS("Three", "三", "3", flags_, __VA_ARGS__), \
    TIER_PRICE("Four", "四", "4", flags_, __VA_ARGS__), TIER_GAS("Four", "四", "4", flags_, __VA_ARGS__), \
    TIER_PRICE("Five", "五", "5", flags_, __VA_ARGS__)

#define TIME(name_, flags_, code_, zh, label_en, about_en, ...) \
    {name_, XF_STRING, flags_, 14, 14, .format = XF_TIMESTAMP, .code = code_, .doc_type = "String(14)", \
     .label = {zh, label_en}, .about = {zh "yyyyMMddHHmmss", about_en}, __VA_ARGS__}

/* clearMark is required and has a default: the server takes its absence as the default (C31). */
#define SCHEME_TERMS(flags_, ...) \
    {"priceVer", XF_INTEGER, flags_, 1, 255, .code = 500028, .doc_type = "int(1-255)", \
     .label = {"价格版本号", "Price version"}, \
     .about = {"价格版本号", "Price version number."}, __VA_ARGS__}, \
    {"pricePeriod", XF_INTEGER, flags_, 1, 255, .code = 500029, .unit = "month", .doc_type = "int(1-255)", \
     .label = {"阶梯周期", "Tier period"}, \
     .about = {"阶梯周期，月为单位", "Length of the tier period, in months."}, \
     __VA_ARGS__}, \
    TIME("priceTime", flags_, 500027, "价格启用时间", "Price start time", \
         "Time from which the price applies.", \
         __VA_ARGS__), \
    TIME("ladderTime", flags_, 500030, "阶梯启用时间", "Tier start time", \
         "Time from which the tier period starts.", __VA_ARGS__), \
    {"clearMark", XF_INTEGER, (flags_) | XF_HAS_DEFAULT, 0, 1, .values = XF_ENUM(clearMark), .fallback = 1, \
     .code = 500031, .doc_type = "int(0-1)", .label = {"清阶梯用量标记", "Clear tier usage"}, \
     .about = {"清阶梯用量标记，0-不清除，1-清除，默认1-清除", \
               "Clear the accumulated tier usage: 0 keep, 1 clear. Default 1."}, .ids = "C31", \
     .server = XF_OVERRIDE(XF_SET_REQUIRED, .required = false), __VA_ARGS__}
#define GAS_TYPE \
    {"gasType", XF_INTEGER, XF_REQUIRED, 1, 255, .code = 500035, .doc_type = "int(1-255)", \
     .label = {"用气类型", "Gas-use type"}, \
     .about = {"用气类型", "Gas-use type (type of customer use; the numbers are not listed in the document)."}}

/* 4.8 and 4.9 again differ in when they are required, and in some ranges. */
#define BACKEND_BALANCE(flags_, ...) \
    {"surplusValue", XF_DECIMAL, (flags_) | XF_UNIT_OURS, -2147483640, 2147483640, 2, .code = 500019, \
     .unit = "CNY", \
     .doc_type = "double(-2147483.64-2147483.64)", .label = {"后台当前剩余", "Backend balance"}, \
     .about = {"后台当前剩余，两位小数", "Current balance in the backend, two decimals."}, __VA_ARGS__}
#define BACKEND_PRICE(flags_, ...) \
    {"price", XF_DECIMAL, (flags_) | XF_UNIT_OURS, 0, 30000, 2, .code = 500020, .unit = "CNY/m³", \
     .doc_type = "double(0-30)", .label = {"后台计费单价", "Backend unit price"}, \
     .about = {"后台计费单价，两位小数", "Unit price used by the backend, two decimals."}, __VA_ARGS__}
#define CURRENT_TIER(flags_, ...) \
    {"ladderNo", XF_INTEGER, flags_, 1, 7, .code = 500021, .doc_type = "int(1-7)", \
     .label = {"当前阶梯", "Current tier"}, \
     .about = {"当前阶梯，范围1-7，如无阶梯价固定为1", \
               "Current tier, 1-7; always 1 without tiered prices."}, \
     .ids = "C30 C36", __VA_ARGS__}
/* Only money is supported at present (C35). */
#define ONLY_MONEY .client = XF_OVERRIDE(XF_SET_MAX, .max = 0), .ids = "C35 A15"

#define WHEN_MONEY .when_field = "prepaidType", .when_equals = 0
#define WHEN_PREPAID .when_field = "billingMethod", .when_equals = 1

/* ---- rules */

#define LIMITS "ladderGasOne", "ladderGasTwo", "ladderGasThree", "ladderGasFour"
#define PRICES "priceOne", "priceTwo", "priceThree", "priceFour", "priceFive"
#define TIER_RULES(...) \
    {XF_RULE_NON_DECREASING, .fields = {LIMITS}, .client = true, .server = true, .code = 500026, \
     .about = {"下一档阶梯气量应大于等于上一档阶梯气量", \
               "Each gas limit is greater than or equal to the one before."}, \
     __VA_ARGS__}, \
    {XF_RULE_CANONICAL_TIERS, .fields = {LIMITS}, .prices = {PRICES}, .client = true, .code = 500025, \
     .about = {"单一价则阶梯价格全部为同一值，阶梯气量全部为同一值；未用到的高阶价格、气量与最后一阶一致", \
               "Let n be the smallest tier such that prices n to five are all equal. Then limits max(n-1, 1) to four " \
               "are all equal. n = 1 is the single price: all five prices equal and all four limits equal."}, \
     __VA_ARGS__}
/* clang-format on */

static const struct xf_rule open_meter_rules[] = {TIER_RULES(WHEN_MONEY), {.kind = XF_RULE_NONE}};
static const struct xf_rule price_change_rules[] = {TIER_RULES(.when_field = NULL), {.kind = XF_RULE_NONE}};
/* Zero is inside the documented range, but neither a recharge nor a deduction (A11). */
static const struct xf_rule recharge_rules[] = {
    {XF_RULE_NON_ZERO, .fields = {"rechargeValue"}, .client = true, .code = 500033,
     .about = {"大于零为充值，小于零为扣款",
               "Zero is neither recharge nor deduction; the client does not send it."}},
    {.kind = XF_RULE_NONE},
};

/* ---- parameters */

static const struct xf_field valve_control[] = {
    {"controlFlag", XF_INTEGER, XF_REQUIRED, 0, 1, .values = XF_ENUM(controlFlag), .code = 500015,
     .doc_type = "int(0-1)", .label = {"阀门控制标识", "Valve control"},
     .about = {"阀门控制标识，0-开阀1-关阀", "Valve control flag: 0 open, 1 close."}},
    XF_END,
};

static const struct xf_field open_meter[] = {
    PREPAID_TYPE(XF_REQUIRED, "", "", .ids = "A15"),
    TIERS(0, WHEN_MONEY),
    SCHEME_TERMS(0, WHEN_MONEY),
    GAS_TYPE,
    {"billNo", XF_INTEGER, XF_REQUIRED, 0, 65535, .code = 500032, .doc_type = "int(0-65535)",
     .label = {"充值账单号", "Bill number"}, .about = {"充值账单号", "Recharge bill number."},
     .ids = "C32 A12", .client = XF_OVERRIDE(XF_SET_MIN, .min = 1)},
    {"rechargeValue", XF_DECIMAL, XF_REQUIRED | XF_UNIT_OURS, 0, 2147483640, 2, .code = 500033,
     .unit = "CNY (prepaidType 0) or m³ (prepaidType 1)", .doc_type = "double(0-2147483.64)",
     .label = {"充值量", "Recharge amount"},
     .about = {"充值量，两位小数",
               "Recharge amount, two decimals: money when prepaidType is 0, gas volume when it is 1."}},
    {"cardNo", XF_STRING, XF_REQUIRED, 10, 10, .format = XF_DIGITS, .code = 500034, .doc_type = "String(10)",
     .label = {"用户卡号", "Card number"}, .about = {"10位用户卡号，纯数字", "User card number: 10 digits."}},
    XF_END,
};

static const struct xf_field account_cancel[] = {XF_END};

static const struct xf_field recharge[] = {
    PREPAID_TYPE(XF_REQUIRED, "", "", .ids = "A15"),
    {"billNo", XF_INTEGER, XF_REQUIRED, 1, 65535, .code = 500032, .doc_type = "int(1-65535)",
     .label = {"充值账单号", "Bill number"},
     .about = {"本次充值账单号，1-65535", "Bill number of this recharge, 1-65535."}, .ids = "C32 A12"},
    {"rechargeValue", XF_DECIMAL, XF_REQUIRED | XF_UNIT_OURS, -2147483640, 2147483640, 2, .code = 500033,
     .unit = "CNY (prepaidType 0) or m³ (prepaidType 1)", .doc_type = "double(-2147483.64-2147483.64)",
     .label = {"充值量", "Recharge amount"},
     .about = {"本次充值量，大于零为充值，小于零为扣款，两位小数",
               "Amount of this recharge: above zero recharges, below zero deducts; two decimals."},
     .ids = "A11"},
    XF_END,
};

static const struct xf_field ladder_value_change[] = {
    {"ladderValue", XF_DECIMAL, XF_REQUIRED | XF_UNIT_OURS, 0, 214748364700, 1, .code = 500039, .unit = "m³",
     .doc_type = "double(0-214748364.7)", .label = {"阶梯累计用气量", "Accumulated tier usage"},
     .about = {"阶梯累计用气量，一位小数", "Accumulated tier gas usage, one decimal."}},
    XF_END,
};

static const struct xf_field price_change[] = {
    TIERS(XF_REQUIRED, .when_field = NULL),
    GAS_TYPE,
    SCHEME_TERMS(XF_REQUIRED, .when_field = NULL),
    XF_END,
};

static const struct xf_field price_read[] = {
    {"priceType", XF_INTEGER, XF_REQUIRED | XF_CODE_OURS, XF_NO_LEAST, XF_NO_LIMIT,
     .values = XF_ENUM(priceType), .code = 101001, .doc_type = "int", .label = {"价格类型", "Price kind"},
     .about = {"读取的价格类型0-实时价格1-延时价格",
               "Which price to read: 0 the price in force, 1 the delayed (coming) price."},
     .ids = "A9"},
    XF_END,
};

/* The text of 4.8 allows wider ranges of surplusValue and price than the types in its table (C33, C34). */
static const struct xf_field open_backend[] = {
    {"billingMethod", XF_INTEGER, XF_REQUIRED, 0, 1, .values = XF_ENUM(billingMethod), .code = 500017,
     .doc_type = "int(0-1)", .label = {"计费方式", "Billing method"},
     .about = {"计费方式0-后付费1-后台预付费", "Billing method: 0 post-paid, 1 prepaid in the backend."}},
    PREPAID_TYPE(0, "（当前仅支持金额）", " (only money is supported at present)", WHEN_PREPAID, ONLY_MONEY),
    BACKEND_BALANCE(0, WHEN_PREPAID, .ids = "C33",
                    .server = XF_OVERRIDE(XF_SET_MIN | XF_SET_MAX | XF_SET_DECIMALS, .min = INT32_MIN,
                                          .max = INT32_MAX, .decimals = 3)),
    BACKEND_PRICE(0, WHEN_PREPAID, .ids = "C34", .server = XF_OVERRIDE(XF_SET_MAX, .max = 100000)),
    CURRENT_TIER(0, WHEN_PREPAID),
    TIME("accountDate", 0, 500022, "结算时间", "Settlement time", "Settlement time.", WHEN_PREPAID),
    XF_END,
};

static const struct xf_field balance_sync[] = {
    PREPAID_TYPE(XF_REQUIRED, "（当前仅支持金额）", " (only money is supported at present)", ONLY_MONEY),
    BACKEND_BALANCE(XF_REQUIRED, .ids = NULL),
    BACKEND_PRICE(XF_REQUIRED, .ids = NULL),
    /* The server takes a missing one as its default (C36). */
    CURRENT_TIER(XF_HAS_DEFAULT, .fallback = 1, .client = XF_OVERRIDE(XF_SET_REQUIRED, .required = true)),
    TIME("accountDate", XF_REQUIRED, 500022, "结算时间", "Settlement time", "Settlement time.", .ids = NULL),
    XF_END,
};

/* ---- results: what the meter answered */

#define RESULT_ONLY XF_SHAPE(CommandResult)

static const struct xf_field recharge_result[] = {
    XF_COMMAND_RESULT(.doc_type = "int", .ids = "C22"),
    {"billNo", XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_INTEGER, .doc_type = "String",
     .label = {"表内充值账单号", "Bill number in the meter"},
     .about = {"表内充值账单号，成功时返回", "Recharge bill number held in the meter; returned on success."}},
    {"surplusValue", XF_STRING, XF_UNIT_OURS, 0, XF_NO_LIMIT, .format = XF_HOLDS_DECIMAL,
     .unit = "CNY (prepaidType 0) or m³ (prepaidType 1)", .doc_type = "String",
     .label = {"表内剩余量", "Remaining amount"},
     .about = {"表内剩余量，成功时返回", "Remaining amount in the meter; returned on success."}},
    XF_END,
};

/* clang-format off */
/* The document calls all of these required, but a meter returns them only on success (C38). */
#define READ(name_, format_, unit_, flags_, zh, label_en, about_zh, about_en, ids_) \
    {name_, XF_STRING, flags_, 0, XF_NO_LIMIT, .format = format_, .when_field = "commandResult", \
     .when_equals = 0, \
     .unit = unit_, .doc_type = "String", .label = {zh, label_en}, .about = {about_zh, about_en}, .ids = ids_}
#define READ_PRICE(n, zh, number, ids_) \
    READ("price" n, XF_HOLDS_DECIMAL, "CNY/m³", XF_UNIT_OURS, "阶梯气价" zh, "Tier " number " price", \
         "阶梯气价" zh, \
         "Price of tier " number ".", ids_)
#define READ_GAS(n, zh, number) \
    READ("ladderGas" n, XF_HOLDS_INTEGER, "m³", XF_UNIT_OURS, "阶梯气量" zh, "Tier " number " gas limit", \
         "阶梯气量" zh, "Upper gas limit of tier " number ".", "C38")
/* clang-format on */
static const struct xf_field price_read_result[] = {
    XF_COMMAND_RESULT(.doc_type = "int", .ids = "C22 C38"),
    READ("priceTime", XF_HOLDS_TIMESTAMP, NULL, 0, "价格启用时间", "Price start time",
         "价格启用时间yyyyMMddHHmmss", "Time from which the price applies.", "C38"),
    READ("priceVer", XF_HOLDS_INTEGER, NULL, 0, "价格版本号", "Price version", "价格版本号",
         "Price version number.", "C38"),
    READ("ladderTime", XF_HOLDS_TIMESTAMP, NULL, 0, "周期启用时间", "Tier start time",
         "周期启用时间yyyyMMddHHmmss", "Time from which the tier period starts.", "C38"),
    READ("pricePeriod", XF_HOLDS_INTEGER, "month", 0, "阶梯周期", "Tier period", "阶梯周期（单位：月）",
         "Length of the tier period, in months.", "C38"),
    READ_PRICE("One", "一", "1", "C38"),
    READ_GAS("One", "一", "1"),
    READ_PRICE("Two", "二", "2", "C38"),
    READ_GAS("Two", "二", "2"),
    READ_PRICE("Three", "三", "3", "C38"),
    READ_GAS("Three", "三", "3"),
    READ_PRICE("Four", "四", "4", "C37 C38"),
    READ_GAS("Four", "四", "4"),
    READ_PRICE("Five", "五", "5", "C38"),
    XF_END,
};

/* ---- the commands */

/* clang-format off */
#define PARAMS(of, section_, fields_, ...) \
    (&(const struct xf_shape){of ".paras", section_, {"指令参数", "Command parameters"}, .fields = fields_, __VA_ARGS__})
#define ANSWER(of, section_, fields_) \
    (&(const struct xf_shape){of ".result", section_, {"指令返回结果", "Command result"}, .fields = fields_})
#define TIER_NOTE \
    "Fill tier prices and tier gas limits as they really are. Single price: all five prices equal, all gas limits " \
    "equal. With, say, three prices and two limits: prices four and five repeat price three, limits three and four " \
    "repeat limit two; other cases likewise. A tier's gas limit must be greater than or equal to that of the tier " \
    "before."
/* clang-format on */

const struct xf_command xf_commands[] = {
    {
        .id = "VALVE_CONTROL",
        .method = "VALVE_CONTROL",
        .section = "4.1",
        .label = {"阀门控制指令", "Valve control"},
        .about = {"对表具的阀门进行控制，如发送关阀命令，表具执行后会将阀门切断，无法手动打开，"
                  "需后台再次发送开阀指令。",
                  "Controls the valve of a meter. After a close command the meter shuts the valve; it "
                  "cannot be opened by hand, the backend has to send an open command."},
        .charge_types = "012",
        .encode_code = 500016,
        .params = PARAMS("VALVE_CONTROL", "4.1", valve_control, .rules = NULL),
        .result = RESULT_ONLY,
    },
    {
        .id = "ACCOUNT_OPEN.meterPrepaid",
        .method = "ACCOUNT_OPEN",
        .section = "4.2",
        .label = {"表端预付费表具远程开户指令", "Open account on a meter-side prepaid meter"},
        .about = {"表端预付费金额表需要开户之后才能正常使用，当需要对表具进行开户操作时，"
                  "可以调用此命令，命令成功之后，表具会将待开户状态修改为已开户状态。"
                  "(GPRS表端金额预付费工商表需在发送开户指令之后再发送一个调价指令，"
                  "开户和调价指令同时完成才是真正的开户成功)",
                  "A meter-side prepaid money meter works normally only after its account is opened. "
                  "After success the meter changes its state from \"account not open\" to \"account "
                  "open\". (For GPRS commercial meters with meter-side money prepayment a PRICE_CHANGE "
                  "command must follow ACCOUNT_OPEN; the account is really open only when both are "
                  "done.)"},
        .charge_types = "12",
        .encode_code = 500023,
        .money = true,
        .params =
            PARAMS("ACCOUNT_OPEN.meterPrepaid", "4.2", open_meter, .rules = open_meter_rules,
                   .note = TIER_NOTE " When prepaidType is 1 (gas) the price and tier parameters have no "
                                     "meaning: the client leaves them out, the server ignores them."),
        .result = RESULT_ONLY,
        .ids = "C30 C31 C32 A12 A15 A23",
    },
    {
        .id = "ACCOUNT_CANCEL",
        .method = "ACCOUNT_CANCEL",
        .section = "4.3",
        .label = {"表端预付费表具远程取消开户指令", "Cancel the account on a meter-side prepaid meter"},
        .about = {"表端预付费的表具需要取消开户时，发送此命令，命令成功之后，表具会变为待开户状态，"
                  "运行数据清空，请慎用该命令。",
                  "Cancels the account of a meter-side prepaid meter. After success the meter is back "
                  "to \"account not open\" and its running data are cleared: use with care."},
        .charge_types = "12",
        .encode_code = 500036,
        .money = true,
        .params = PARAMS(
            "ACCOUNT_CANCEL", "4.3", account_cancel,
            .note = "No parameters: the client sends paras as an empty object, the server accepts paras "
                    "absent, null, \"\" or {}."),
        .result = RESULT_ONLY,
    },
    {
        .id = "RECHARGE_REMOTE",
        .method = "RECHARGE_REMOTE",
        .section = "4.4",
        .label = {"表端预付费表具远程充值、退购指令",
                  "Remote recharge or refund of a meter-side prepaid meter"},
        .about = {"表端预付费表具因余额不足，用户需要充值时，第三方业务系统在收缴完气款后，"
                  "通过该命令将用户所购量充入到表具内，保证用户正常用气。",
                  "When a meter-side prepaid meter runs out of credit, the business system, having "
                  "collected the payment, loads the purchased amount into the meter with this command."},
        .charge_types = "12",
        .encode_code = 500038,
        .money = true,
        .params = PARAMS(
            "RECHARGE_REMOTE", "4.4", recharge, .rules = recharge_rules,
            .note = "The document names no protection against the same recharge being sent twice: after "
                    "a creatCmd call without an answer the client must not repeat it by itself."),
        .result = ANSWER("RECHARGE_REMOTE", "4.4", recharge_result),
        .ids = "C32 C41 C43 A11 A12 A15",
    },
    {
        .id = "LADDER_VALUE_CHANGE",
        .method = "LADDER_VALUE_CHANGE",
        .section = "4.5",
        .label = {"表端金额预付费表具远程设置阶梯累用量指令",
                  "Set the accumulated tier usage of a meter-side money prepaid meter"},
        .about = {"当使用阶梯价格的表具由于维修更换等原因，新表继续在原阶梯上结算，"
                  "第三方业务系统结清旧表信息后，将旧表的阶梯累计用气量通过该命令设置到新表。",
                  "When a meter with tiered prices is replaced, the new meter goes on settling in the "
                  "old tiers: after settling the old meter, its accumulated tier usage is set in the "
                  "new one."},
        .charge_types = "2",
        .encode_code = 500040,
        .money = true,
        .params = PARAMS("LADDER_VALUE_CHANGE", "4.5", ladder_value_change, .rules = NULL),
        .result = RESULT_ONLY,
    },
    {
        .id = "PRICE_CHANGE",
        .method = "PRICE_CHANGE",
        .section = "4.6",
        .label = {"表端金额预付费表具远程调价指令", "Change the price in a meter-side money prepaid meter"},
        .about = {"第三方业务系统发生价格变动时，由于表端预付费金额表是表具根据价格进行实时结算，"
                  "因此第三方业务系统必须将新价格体系设置到表具内，让表具以新价格体系实时结算。",
                  "A meter-side money prepaid meter settles in real time with the prices it holds, so "
                  "after a price change the business system must load the new price scheme into the "
                  "meter."},
        .charge_types = "2",
        .encode_code = 500041,
        .money = true,
        .params = PARAMS("PRICE_CHANGE", "4.6", price_change, .rules = price_change_rules, .note = TIER_NOTE),
        .result = RESULT_ONLY,
        .ids = "C30 C31 A23",
    },
    {
        .id = "PRICE_READ",
        .method = "PRICE_READ",
        .section = "4.7",
        .label = {"表端金额预付费表具远程读取价格指令",
                  "Read the price from a meter-side money prepaid meter"},
        .about = {"通过该指令可以获取到表端金额预付费表具内真实的价格信息。",
                  "Reads the price information really held in the meter."},
        .charge_types = "2",
        .encode_code = 500042,
        .params = PARAMS("PRICE_READ", "4.7", price_read, .rules = NULL),
        .result = ANSWER("PRICE_READ", "4.7", price_read_result),
        .ids = "C37 C38",
    },
    {
        .id = "ACCOUNT_OPEN.backendPrepaid",
        .method = "ACCOUNT_OPEN",
        .section = "4.8",
        .label = {"后台预付费表具开户指令",
                  "Open account (choose the display mode) on a backend-billed meter"},
        .about = {"后台预付费表具可以通过此命令切换表具端的显示模式，"
                  "如果切换为后付费模式则表具显示累用气量，"
                  "切换为后台预付费金额模式则可以显示后台剩余金额。",
                  "Switches the display mode of a backend-billed meter: in post-paid mode it shows the "
                  "accumulated gas, in backend-prepaid money mode it can show the balance kept in the "
                  "backend."},
        .told_by = "billingMethod",
        .charge_types = "0",
        .encode_code = 500023,
        .money = true,
        .params = PARAMS(
            "ACCOUNT_OPEN.backendPrepaid", "4.8", open_backend,
            .note = "When billingMethod is 0 the other parameters have no meaning: the client leaves them "
                    "out, the server ignores them."),
        .result = RESULT_ONLY,
        .ids = "C30 C33 C34 C35 C36 A15",
    },
    {
        .id = "BALANCE_SYNC",
        .method = "BALANCE_SYNC",
        .section = "4.9",
        .label = {"后台预付费表具余额同指令", "Synchronise the balance to a backend-prepaid meter"},
        .about = {"后台预存金额，并对上报数据进行实时结算的表具，"
                  "如果需要在结算完成之后将后台的账户余额、计费单价、当前所处阶梯、"
                  "计费日期等信息下发到表端，可以通过此接口进行下发。",
                  "For meters whose money is kept in the backend and whose reports are settled in real "
                  "time: after settlement, sends balance, unit price, current tier and settlement date "
                  "down to the meter."},
        .charge_types = "0",
        .encode_code = 500024,
        .params = PARAMS("BALANCE_SYNC", "4.9", balance_sync, .rules = NULL),
        .result = RESULT_ONLY,
        .ids = "C30 C35 C36 A15",
    },
    {.id = NULL},
};
