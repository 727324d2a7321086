/* Sections 1, 2 and 3.3 of the document: what the client calls. */
#include "rows.h"

/* ---- what recurs */

/* clang-format off */
#define COMPANY_CODE(...) \
    {"companyCode", XF_STRING, XF_REQUIRED, 6, 6, .format = XF_DIGITS, .code = 500002, \
     .doc_type = "String(6)", \
     .label = {"客户代码", "Company code"}, \
     .about = {"客户代码，先锋物联网云平台分配的6位数字唯一编码", \
               "Customer (gas company) code: unique 6-digit code assigned by the platform. Keep it a string, " \
               "leading zeros count."}, __VA_ARGS__}
/* String(6) in 2.4, where everything else about it is as elsewhere (C25). */
#define DEVICE_ID(doc_type_, ids_) \
    {"deviceId", XF_STRING, XF_REQUIRED, 32, 32, .code = 500001, .doc_type = doc_type_, \
     .label = {"设备标识", "Device id"}, \
     .about = {"设备注册时分配的设备在先锋物联网云平台唯一标识", \
               "Unique id of the device on the platform, assigned at registration."}, .ids = ids_}
#define COMMAND_ID \
    {"commandId", XF_STRING, XF_REQUIRED, 32, 32, .code = 500043, .doc_type = "String(32)", \
     .label = {"指令标识", "Command id"}, \
     .about = {"指令在先锋物联网云平台唯一标识", \
               "Unique id of the command on the platform (result of creatCmd)."}, \
     .ids = "A10"}
#define SYNC_FLAG(...) \
    {"syncFlag", XF_INTEGER, XF_CODE_OURS | XF_HAS_DEFAULT, XF_NO_LEAST, XF_NO_LIMIT, \
     .values = XF_ENUM(syncFlag), \
     .fallback = 0, .code = 101001, .doc_type = "Integer", .label = {"同步余额标识", "Balance sync flag"}, \
     .about = {"同步余额标识，仅后台预付费表具使用，0表示不同步，1表示同步，默认0", \
               "Balance-synchronisation flag, backend-prepaid meters only: 0 do not synchronise, 1 synchronise; " \
               "default 0."}, __VA_ARGS__}

/* `result` is required on success alone (C5); XF_REQUIRED here means that. */
#define RESULT(type_, flags_, min_, max_, doc_type_, zh, en, ...) \
    (&(const struct xf_field){"result", type_, flags_, min_, max_, .doc_type = doc_type_, \
                              .label = {"结果", "Result"}, .about = {zh, en}, __VA_ARGS__})
/* 1.2, 1.4: a client ignores what stands there (C44). */
#define NOTHING_BACK \
    RESULT(XF_OBJECT, XF_ACCEPT_STRING | XF_ACCEPT_NULL, 0, 0, "ObjectNode", "返回信息的JsonString", \
           "JSON of the information returned; null in the example.", .ids = "C44")

#define QUERY(of, section_, fields_) \
    (&(const struct xf_shape){ \
        .name = of ".query", .section = section_, .label = {"查询参数", "Query parameters"}, .fields = fields_})
#define BODY(of, section_, fields_) \
    (&(const struct xf_shape){ \
        .name = of ".body", .section = section_, .label = {"请求体", "Request body"}, .fields = fields_})
#define CODES(...) ((const int[]){101001, 500000, 500003, __VA_ARGS__, 0})

#define DEVICES XF_BASE_PATH "/devices/" XF_API_VERSION
#define COMMANDS XF_BASE_PATH "/cmd/" XF_API_VERSION
#define MESSAGES XF_BASE_PATH "/msg/" XF_API_VERSION
/* clang-format on */

/* ---- every call */

/* RandomCode: 14 digits of time and 8 from 80000000 up. The exact forms of it
 * and of the token are those of sign.h; the server takes any RandomCode whose
 * token matches (C1). */
const struct xf_field xf_call_headers[] = {
    {"Content-Type", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .doc_type = "String",
     .label = {"内容类型", "Content type"},
     .about = {"application/json", "Always application/json (body is UTF-8)."}, .ids = "C4",
     .server = XF_OVERRIDE(XF_SET_REQUIRED, .required = false)},
    {"RandomCode", XF_STRING, XF_REQUIRED, 22, 22, .doc_type = "String(22)",
     .label = {"随机码", "Random code"},
     .about = {"随机码，规则为yyyyMMddHHmmss+（80000000到89999999之间的随机数）",
               "Random code: yyyyMMddHHmmss followed by a random number between 80000000 and "
               "89999999 (22 digits). It is the transId of the signature."},
     .ids = "C1", .server = XF_OVERRIDE(XF_SET_MIN | XF_SET_MAX, .min = 1, .max = XF_NO_LIMIT)},
    {"Authorization", XF_STRING, XF_REQUIRED, 64, 64, .doc_type = "String(64)",
     .label = {"鉴权信息", "Authentication"},
     .about = {"鉴权信息，规则为（key+merchantId+transId）计算SHA256的十六进制串，"
               "key和merchantId由先锋物联网云平台分配",
               "Authentication: hexadecimal SHA-256 of key+merchantId+transId (transId = the random "
               "code); key and merchantId are assigned by the platform. Bare value, no scheme word "
               "such as Bearer."},
     .ids = "C2"},
    XF_END,
};

const struct xf_field xf_envelope_fields[] = {
    {"responseCode", XF_STRING, XF_REQUIRED | XF_RETURN_CODE, 0, XF_NO_LIMIT, .doc_type = "String",
     .label = {"执行结果", "Return code"},
     .about = {"执行结果，100000表示正确，其他见异常返回码说明",
               "Result code: 100000 = correct, anything else see the return-code table (appendix 7)."}},
    {"message", XF_STRING, 0, 0, XF_NO_LIMIT, .doc_type = "String", .label = {"结果说明", "Message"},
     .about = {"执行结果说明", "Explanation of the result; free text, for people only."}, .ids = "C7"},
    {"args", XF_STRING, 0, 0, XF_NO_LIMIT, .doc_type = "String", .label = {"附加参数", "Args"},
     .about = {"文档未作说明，示例均为空字符串",
               "No description in the document; every example has an empty string."},
     .ids = "A27"},
    XF_END,
};

/* ---- parameters */

static const struct xf_field company[] = {COMPANY_CODE(.ids = NULL), XF_END};
static const struct xf_field device[] = {DEVICE_ID("String(32)", "A24"), XF_END};
static const struct xf_field device_and_command[] = {DEVICE_ID("String(32)", "A24"), COMMAND_ID, XF_END};

static const struct xf_field register_body[] = {
    {"manuId", XF_INTEGER, XF_REQUIRED | XF_CODE_OURS, XF_NO_LEAST, XF_NO_LIMIT, .values = XF_ENUM(manuId),
     .code = 101001, .doc_type = "Integer", .label = {"制造厂商", "Manufacturer"},
     .about = {"设备制造厂商，1-杭州先锋", "Device manufacturer; 1 = Hangzhou Xianfeng (杭州先锋)."},
     .ids = "A21"},
    XF_DEVICE_NO(XF_CODE_OURS, .code = 101001, .ids = "A9 A16 A21"),
    XF_USER_FIELDS(XF_CODE_OURS, .code = 101001, .ids = "A9"),
    SYNC_FLAG(.ids = "A9 A17"),
    XF_END,
};

static const struct xf_field update_body[] = {
    XF_USER_FIELDS(XF_CODE_OURS, .code = 101001, .ids = "A6 A9"),
    /* An absent flag would be stored as its default: the client always says it. */
    SYNC_FLAG(.client = XF_OVERRIDE(XF_SET_REQUIRED, .required = true), .ids = "A6 A9 A17"),
    XF_END,
};

/* The document's table places deviceNo in the body, its example in the query (C10). */
static const struct xf_field query_query[] = {
    COMPANY_CODE(.ids = NULL),
    {"deviceNo", XF_STRING, XF_REQUIRED | XF_CODE_OURS | XF_ALSO_BODY, 1, 32, .code = 101001,
     .doc_type = "String(1-32)", .label = {"表具编号", "Device number"},
     .about = {"表具编号，数据通讯时设备识别码，同一燃气表制造厂商在先锋物联网云平台唯一",
               "Meter number: identifies the device in data communication; unique on the platform "
               "within one meter manufacturer. (The document places it in the body, the example in "
               "the query string.)"},
     .ids = "C10 A9 A21"},
    XF_END,
};

static const struct xf_field authDevices_body[] = {
    /* The 32 may count characters or elements: the client keeps both (C14). */
    {"deviceNos", XF_LIST, XF_REQUIRED | XF_CODE_OURS, 1, XF_NO_LIMIT,
     .item = &(const struct xf_field){"deviceNo", XF_STRING, XF_REQUIRED | XF_CODE_OURS, 1, 32,
                                      .code = 101001, .label = {"设备编号", "Device number"},
                                      .about = {"数据通讯时设备识别码",
                                                "Identifies the device in data communication."}},
     .code = 101001, .doc_type = "List<String>(1-32)", .label = {"设备编号集合", "Device numbers"},
     .about = {"设备编号集合，数据通讯时设备识别码，同一燃气表制造厂商在先锋物联网云平台唯一",
               "List of device numbers."},
     .ids = "C14 A7 A9", .client = XF_OVERRIDE(XF_SET_MAX, .max = 32)},
    XF_END,
};

static const struct xf_field creatCmd_body[] = {
    {"command", XF_OBJECT, XF_REQUIRED | XF_CODE_OURS, 0, 0, .shape = XF_SHAPE(CommandDTO), .code = 101001,
     .doc_type = "CommandDTO", .label = {"指令", "Command"},
     .about = {"请求结构体，详见各指令具体说明", "The command, see appendix 1."}},
    {"expireTime", XF_INTEGER, XF_CODE_OURS | XF_HAS_DEFAULT, 1, XF_NO_LIMIT, .fallback = 172800,
     .code = 101001, .unit = "s", .doc_type = "int(>0)", .label = {"有效时间", "Validity"},
     .about = {"命令有效时间，单位为秒，超过该有效时间命令则置为无效，范围1-31天的总秒数，"
               "默认2天的总秒数（60*60*24*2）",
               "Validity of the command in seconds; after it the command becomes void. Range: the "
               "seconds of 1 to 31 days; default the seconds of 2 days (172800)."},
     .ids = "C18 A9", .client = XF_OVERRIDE(XF_SET_MIN | XF_SET_MAX, .min = 86400, .max = 2678400)},
    {"expireCount", XF_INTEGER, XF_CODE_OURS | XF_HAS_DEFAULT, 1, 3, .fallback = 3, .code = 101001,
     .doc_type = "int(1-3)", .label = {"下发次数", "Attempts"},
     .about = {"命令有效尝试下发次数，超过该次数命令置为无效，与expireTime属于同等条件，"
               "二者满足其一命令就会失效，范围1-5次，默认3次",
               "How many times sending is tried; after it the command becomes void. Equal in rank "
               "with expireTime: whichever is met first. Range 1 to 5, default 3."},
     .ids = "C19 A9", .server = XF_OVERRIDE(XF_SET_MAX, .max = 5)},
    XF_END,
};

/* The table of 2.3 describes companyCode with the words of deviceId (C17). */
static const struct xf_field batchQueryCmd_query[] = {COMPANY_CODE(.ids = "C17"), XF_END};

static const struct xf_field batchQueryCmd_ids = {
    "commandIds",
    XF_LIST,
    XF_REQUIRED,
    1,
    10,
    .item =
        &(const struct xf_field){"commandId", XF_STRING, XF_REQUIRED, 32, 32, .code = 500048,
                                 .label = {"指令标识", "Command id"},
                                 .about = {"指令在先锋物联网云平台唯一标识",
                                           "Unique id of the command on the platform (result of creatCmd)."}},
    .code = 500048,
    .doc_type = "List<String>",
    .label = {"指令标识集合", "Command ids"},
    .about = {"指令在先锋物联网云平台唯一标识集合",
              "Unique ids of the commands on the platform: the body is the bare JSON array, at most 10 ids."},
    .ids = "A8"};

static const struct xf_field cancelCmd_query[] = {DEVICE_ID("String(6)", "C25 A24"), COMMAND_ID, XF_END};

static const struct xf_field queryReportData_query[] = {
    DEVICE_ID("String(32)", "A24"),
    {"msgType", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(msgType), .code = 500049,
     .doc_type = "String(1)", .label = {"消息类型", "Message type"},
     .about = {"消息类型，0-业务数据，1-告警数据", "Message type: 0 business data, 1 alarm data."}},
    XF_END,
};

/* ---- the endpoints */

const struct xf_endpoint xf_endpoints[] = {
    {
        .name = "register",
        .section = "1.1",
        .label = {"注册设备信息", "Register a device"},
        .about = {"第三方业务系统注册设备，未注册的设备不能进行相应的业务操作，注册成功后，"
                  "先锋物联网云平台为设备分配一个deviceId，"
                  "后续对设备的操作都使用deviceId作为设备的唯一标识，"
                  "同时设备的状态会由待开户转为已开户。",
                  "Registers a device. Nothing can be done with an unregistered device; on success the "
                  "platform assigns a deviceId, the key for everything that follows, and the device "
                  "goes from awaiting registration to registered."},
        .method = "POST",
        .path = DEVICES "/register",
        .content_type = true,
        .writes = true,
        .query = QUERY("register", "1.1", company),
        .body = XF_BODY_OBJECT,
        .fields = BODY("register", "1.1", register_body),
        .result =
            RESULT(XF_STRING, XF_REQUIRED, 32, 32, "String", "平台中设备唯一标识，执行结果为100000时才返回",
                   "The deviceId; returned only when the result is 100000.", .ids = "C5"),
        .codes = CODES(500002, 500001, 500004, 500005, 500006, 500010),
        .ids = "C5 C8 C13",
    },
    {
        .name = "update",
        .section = "1.2",
        .label = {"修改设备信息", "Update a device"},
        .about = {"第三方业务系统登记的用户信息发生变动，将最新的用户信息同步到先锋物联网云平台。",
                  "Brings changed user data of the business system to the platform."},
        .method = "PUT",
        .path = DEVICES "/update",
        .content_type = true,
        .writes = true,
        .query = QUERY("update", "1.2", device),
        .body = XF_BODY_OBJECT,
        .fields = BODY("update", "1.2", update_body),
        .result = NOTHING_BACK,
        .codes = CODES(500001, 500004, 500007),
        .ids = "C44 A6",
    },
    {
        .name = "query",
        .section = "1.3",
        .label = {"查询设备消息", "Query a device"},
        .about = {"第三方业务系统查询指定设备在先锋物联网云平台的登记信息。",
                  "Returns what the platform has registered for one device."},
        .method = "GET",
        .path = DEVICES "/query",
        .also_method = "POST",
        .content_type = true,
        .query = QUERY("query", "1.3", query_query),
        .result = RESULT(XF_OBJECT, XF_REQUIRED, 0, 0, "DeviceDTO", "返回信息", "The registration record.",
                         .shape = XF_SHAPE(DeviceDTO), .ids = "C5"),
        .codes = CODES(500001, 500002),
        .ids = "C4 C5 C8 C9 C10 C11 C12 C13 A21",
    },
    {
        .name = "cancel",
        .section = "1.4",
        .label = {"注销设备信息", "Deregister a device"},
        .about = {"由于设备更换或拆除等原因，第三方业务系统将设备从先锋物联网云平台注销，"
                  "注销后的设备不允许重新使用。",
                  "Deregisters a device that was replaced or removed. A deregistered device may not be "
                  "used again."},
        .method = "PUT",
        .path = DEVICES "/cancel",
        .content_type = true,
        .writes = true,
        .query = QUERY("cancel", "1.4", device),
        .result = NOTHING_BACK,
        .codes = CODES(500001, 500004, 500008, 500009),
        .ids = "C4 C44",
    },
    {
        .name = "authDevices",
        .section = "1.5",
        .label = {"批量认证备信息", "Authenticate devices in bulk"},
        .about = {"第三方业务系统认证设备获取deviceId和生产时间，未注册的设备不能进行相应的业务操作，"
                  "注册成功后，先锋物联网云平台为设备分配一个deviceId，"
                  "后续对设备的操作都使用deviceId作为设备的唯一标识",
                  "Authenticates devices: returns deviceId and production time by device number. (The "
                  "rest of the text repeats that of registration.)"},
        .method = "POST",
        .path = DEVICES "/authDevices",
        .content_type = true,
        .query = QUERY("authDevices", "1.5", company),
        .body = XF_BODY_OBJECT,
        .fields = BODY("authDevices", "1.5", authDevices_body),
        .result = RESULT(
            XF_LIST, XF_REQUIRED, 0, XF_NO_LIMIT, "json",
            "平台中设备号，生产时间，设备唯一标识，执行结果为100000时才返回",
            "Device number, production time and unique id of each device; returned only when the result "
            "is 100000.",
            .shape = XF_SHAPE(AuthDeviceItem), .ids = "C5 C16 A7"),
        .codes = CODES(500002, 500001),
        .ids = "C5 C14 C15 C16 A7 A21",
    },
    {
        .name = "creatCmd",
        .section = "2.1",
        .label = {"指令发送", "Send a command"},
        .about = {"第三方业务系统注册设备成功之后，如需对设备下发指令，可以通过该接口，指令下发成功后，"
                  "平台会返回一个唯一的commandId，作为后续对指令的查询、撤销等操作的唯一标识，"
                  "下发成功的指令会放入缓存中，等待设备激活后按顺序执行。",
                  "Sends a command to a registered device. On success the platform returns a unique "
                  "commandId for querying and cancelling; the command waits in a queue and is executed "
                  "in order once the device wakes up."},
        .method = "POST",
        .path = COMMANDS "/creatCmd",
        .content_type = true,
        .writes = true,
        .query = QUERY("creatCmd", "2.1", device),
        .body = XF_BODY_OBJECT,
        .fields = BODY("creatCmd", "2.1", creatCmd_body),
        /* On failure the explanation may stand here; a command id has 32 characters (C6). */
        .result = RESULT(
            XF_STRING, XF_REQUIRED, 32, 32, "String", "执行成功时，返回指令唯一标识，否则返回错误信息",
            "On success the commandId (32 characters), otherwise the error information.", .ids = "C5 C6"),
        .codes = CODES(500001, 500004, 500010, 500011, 500012, 500013, 500014, 500015, 500016, 500017, 500018,
                       500019, 500020, 500021, 500022, 500023, 500024, 500025, 500026, 500027, 500028, 500029,
                       500030, 500031, 500032, 500033, 500034, 500035, 500036, 500037, 500038, 500039, 500040,
                       500041, 500042, 500045),
        .ids = "C5 C6 C18 C19 C20 A12",
    },
    {
        .name = "queryCmd",
        .section = "2.2",
        .label = {"单指令查询", "Query one command"},
        .about = {"第三方业务系统下发指令后，如长时间未收到指令响应消息，可以通过该接口查询指令结果，"
                  "该接口只支持单设备的单条指令查询。",
                  "Returns the result of one command of one device, for when no command response has "
                  "come for a long time."},
        .method = "GET",
        .path = COMMANDS "/queryCmd",
        .query = QUERY("queryCmd", "2.2", device_and_command),
        .result = RESULT(XF_OBJECT, XF_REQUIRED, 0, 0, "cmdResultDTO", "指令结果信息", "The command result.",
                         .shape = XF_SHAPE(cmdResultDTO), .ids = "C5"),
        .codes = CODES(500001, 500043, 500044),
        .ids = "C5 C20 C21 C22 A10",
    },
    {
        .name = "batchQueryCmd",
        .section = "2.3",
        .label = {"多指令查询", "Query several commands"},
        .about = {"第三方业务系统下发指令后，如长时间未收到指令响应消息，可以通过该接口查询指令结果，"
                  "该接口可支持最多10条指令同时查询。",
                  "Returns the results of up to 10 commands at once."},
        .method = "POST",
        .path = COMMANDS "/batchQueryCmd",
        .content_type = true,
        .query = QUERY("batchQueryCmd", "2.3", batchQueryCmd_query),
        .body = XF_BODY_LIST,
        .list = &batchQueryCmd_ids,
        .result = RESULT(XF_LIST, XF_REQUIRED, 0, XF_NO_LIMIT, "List<cmdResultDTO>", "指令结果信息集",
                         "The command results.", .shape = XF_SHAPE(cmdResultDTO), .ids = "C5"),
        .codes = CODES(500002, 500048),
        .ids = "C4 C5 C17 C20 C21 C22 A8",
    },
    {
        .name = "cancelCmd",
        .section = "2.4",
        .label = {"指令撤销", "Cancel a command"},
        .about = {"第三方业务系统如特殊情况需要撤销之前发送的指令时，可以通过该接口取消未执行的指令，"
                  "只有处于待发送状态的指令可以撤销，撤销成功的指令会将状态改为已撤销，"
                  "并从下发缓存中移除。",
                  "Cancels a command not yet executed. Only commands waiting to be sent can be "
                  "cancelled; a cancelled one changes to the state cancelled and leaves the queue."},
        .method = "PUT",
        .path = COMMANDS "/cancelCmd",
        .also_path = COMMANDS "/creatCmd",
        .writes = true,
        .query = QUERY("cancelCmd", "2.4", cancelCmd_query),
        .result = RESULT(XF_STRING, XF_ACCEPT_NULL, 0, XF_NO_LIMIT, "String", "执行结果说明",
                         "Explanation of the result; null in the example.", .ids = "C44"),
        .codes = CODES(500001, 500043, 500046, 500047),
        .ids = "C24 C25 C44 A10",
    },
    {
        .name = "queryReportData",
        .section = "3.3",
        .label = {"查询单个表具最新一条上报数据", "Query the latest report of one device"},
        .about = {"第三方业务系统可以通过该接口查询表具最新的一条上报数据，"
                  "可查询的时候包含业务数据上报和告警数据上报。",
                  "Returns the latest report of a device: business data or alarm data."},
        .method = "GET",
        .path = MESSAGES "/queryReportData",
        .query = QUERY("queryReportData", "3.3", queryReportData_query),
        .result = RESULT(XF_OBJECT, XF_REQUIRED, 0, 0, "msgDTO", "执行成功时返回最新一条上报数据",
                         "On success the latest report.", .shape = XF_SHAPE(msgDTO_report), .ids = "C5"),
        .codes = CODES(500001, 500049, 500050),
        .ids = "C5 C23 C26 C27 C28 C29 C39 C40",
    },
    XF_END,
};
