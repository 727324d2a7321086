/* The structures that requests, replies and pushes are made of. */
#include "rows.h"

/* 1.3. The user fields may never have been given: the platform then answers "",
 * and a reader takes them absent or null too (C13). The two modem numbers may be
 * empty or shorter than documented (C12). */
#define PERHAPS_EMPTY XF_OVERRIDE(XF_SET_MIN, .min = 0)
static const struct xf_field device_dto[] = {
    {"manuId", XF_INTEGER, XF_REQUIRED, XF_NO_LEAST, XF_NO_LIMIT, .values = XF_ENUM(manuId),
     .doc_type = "int", .label = {"制造厂商", "Manufacturer"},
     .about = {"设备制造厂商，1-杭州先锋", "Device manufacturer; 1 = Hangzhou Xianfeng (杭州先锋)."}},
    XF_DEVICE_NO(0, .ids = "A16"),
    {"deviceId", XF_STRING, XF_REQUIRED, 32, 32, .doc_type = "String(32)", .label = {"设备标识", "Device id"},
     .about = {"设备在先锋物联网云平台唯一标识", "Unique id of the device on the platform."}},
    XF_USER_FIELDS(XF_REQUIRED | XF_ACCEPT_NULL, .ids = "C13",
                   .client = XF_OVERRIDE(XF_SET_REQUIRED | XF_SET_MIN, .required = false, .min = 0)),
    {"imeiCode", XF_STRING, 0, 15, 15, .doc_type = "String(15)", .label = {"IMEI号", "IMEI"},
     .about = {"设备内通信模组IMEI号", "IMEI of the communication module in the device."},
     .client = PERHAPS_EMPTY},
    {"iccidCode", XF_STRING, 0, 20, 20, .doc_type = "String(20)", .label = {"ICCID号", "ICCID"},
     .about = {"设备内SIM卡的ICCID号", "ICCID of the SIM card in the device."}, .ids = "C12",
     .client = PERHAPS_EMPTY},
    {"deviceState", XF_INTEGER, XF_REQUIRED, XF_NO_LEAST, XF_NO_LIMIT, .values = XF_ENUM(deviceState),
     .doc_type = "int", .label = {"设备状态", "Device state"},
     .about = {"设备状态1-待开户2-已开户3-已注销",
               "Device state on the platform: 1 awaiting registration, 2 registered, 3 deregistered."},
     .ids = "C8"},
    {"syncFlag", XF_INTEGER, XF_REQUIRED, XF_NO_LEAST, XF_NO_LIMIT, .values = XF_ENUM(syncFlag),
     .doc_type = "int", .label = {"同步余额标识", "Balance sync flag"},
     .about = {"当前平台保存的同步余额标识，仅后台预付费表具使用，0表示不同步，1表示同步",
               "Balance-synchronisation flag as stored on the platform; backend-prepaid meters "
               "only; 0 = do not synchronise, 1 = synchronise."},
     .ids = "A17"},
    XF_END,
};

/* 1.5, by its example alone (C16). A reader takes productTime as XF_TIMESTAMP too. */
static const struct xf_field auth_device_item[] = {
    {"deviceNum", XF_STRING, XF_REQUIRED, 1, 32, .also = "deviceNo", .label = {"设备号", "Device number"},
     .about = {"平台中设备号", "Device number (what every other interface calls deviceNo)."}, .ids = "C16"},
    {"platId", XF_STRING, XF_REQUIRED, 32, 32, .also = "deviceId", .label = {"设备标识", "Device id"},
     .about = {"设备唯一标识", "Unique id on the platform (what every other interface calls deviceId)."},
     .ids = "C16"},
    {"productTime", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .format = XF_DATETIME,
     .label = {"生产时间", "Production time"},
     .about = {"生产时间", "Production time, yyyy-MM-dd HH:mm:ss (the only timestamp of the document in this "
                           "format)."},
     .ids = "C16"},
    XF_END,
};

/* 2.1. The fields of paras come with the command: xf_find_command. */
static const struct xf_field command_dto[] = {
    {"method", XF_STRING, XF_REQUIRED | XF_CODE_OURS, 1, 32, .values = XF_ENUM(method), .code = 500013,
     .doc_type = "String(1-32)", .label = {"指令名称", "Command name"},
     .about = {"指令名称", "Command name (appendix 1)."}, .ids = "A10"},
    {"paras", XF_OBJECT, XF_ACCEPT_STRING | XF_ACCEPT_NULL, 0, 0, .doc_type = "ObjectNode",
     .label = {"指令参数", "Command parameters"},
     .about = {"指令参数的JsonString，具体格式见附录一指令参数及结果说明",
               "Command parameters, by method (appendix 1)."},
     .ids = "C20"},
    XF_END,
};

/* 2.2, 2.3. The server sends resultDetail as "" while there is no result (C21). */
static const struct xf_field cmd_result_dto[] = {
    {"commandId", XF_STRING, XF_REQUIRED, 32, 32, .doc_type = "String(32)",
     .label = {"指令标识", "Command id"},
     .about = {"指令在先锋物联网云平台唯一标识", "Unique id of the command on the platform."}},
    {"commandState", XF_INTEGER, XF_REQUIRED, 0, 9, .values = XF_ENUM(commandState), .doc_type = "int(1)",
     .label = {"指令通讯状态", "Command state"},
     .about = {"指令通讯状态0-待发送1-成功2-失败3-失效4-发送中5-已撤销",
               "Communication state of the command: 0 waiting to be sent, 1 succeeded, 2 failed, 3 "
               "expired, 4 being sent, 5 cancelled."},
     .ids = "A20"},
    {"commandUpdateTime", XF_STRING, XF_REQUIRED, 14, 14, .format = XF_TIMESTAMP, .doc_type = "String(14)",
     .label = {"更新时间", "Updated"},
     .about = {"先锋物联网云平台指令更新时间，yyyyMMddHHmmss",
               "Time of the last update of the command on the platform."}},
    {"resultDetail", XF_OBJECT, XF_ACCEPT_STRING | XF_ACCEPT_NULL, 0, 0, .shape = XF_SHAPE(CommandResult),
     .doc_type = "ObjectNode", .label = {"执行结果", "Result detail"},
     .about = {"指令执行结果的JSON字符串，包含指令执行结果及返回数据，"
               "具体见附录一各指令的返回结果说明",
               "Execution result and returned data, by command (appendix 1)."},
     .ids = "C20 C21"},
    XF_END,
};

static const struct xf_field command_result[] = {XF_COMMAND_RESULT(.ids = "C22"), XF_END};

/* clang-format off */
/* 3.1, 3.2, 3.3: what both kinds of message have. */
#define CALLBACK_TYPE(fixed_, zh, en) \
    {"callbackType", XF_STRING, XF_REQUIRED, 1, 1, .fixed = fixed_, .values = XF_ENUM(callbackType), \
     .doc_type = "String(1)", .label = {"回调类型", "Callback type"}, .about = {zh, en}}
#define MESSAGE_DEVICE \
    {"msgDeviceType", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(msgDeviceType), \
     .doc_type = "String(1)", \
     .label = {"消息设备类型", "Device kind"}, \
     .about = {"消息的设备类型，0-表具，1-集中器", \
               "Kind of device the message is about: 0 meter, 1 concentrator."}}, \
    {"deviceId", XF_STRING, XF_REQUIRED, 32, 32, .doc_type = "String(32)", \
     .label = {"设备标识", "Device id"}, \
     .about = {"设备在先锋物联网云平台的唯一标识", "Unique id of the device on the platform."}}
#define RECEIVE_TIME \
    {"receiveTime", XF_STRING, XF_REQUIRED, 14, 14, .format = XF_TIMESTAMP, .doc_type = "String(14)", \
     .label = {"接收时间", "Received"}, \
     .about = {"先锋物联网云平台的接收时间", \
               "Time at which the platform received the data (yyyyMMddHHmmss, from the examples)."}, \
     .ids = "A25"}
/* clang-format on */

static const struct xf_field report_message[] = {
    CALLBACK_TYPE("0", "固定为0，表示数据上报", "Always 0: data report."),
    MESSAGE_DEVICE,
    RECEIVE_TIME,
    {"callbackData", XF_OBJECT, XF_REQUIRED, 0, 0, .shape = XF_SHAPE(reportDataDTO),
     .doc_type = "reportDataDTO", .label = {"上报数据", "Report data"},
     .about = {"设备的上报数据信息", "The reported data of the device."}},
    XF_END,
};

static const struct xf_field command_message[] = {
    CALLBACK_TYPE("1", "固定为1，表示指令响应", "Always 1: command response."),
    MESSAGE_DEVICE,
    {"commandId", XF_STRING, XF_REQUIRED, 32, 32, .doc_type = "String(32)",
     .label = {"指令标识", "Command id"},
     .about = {"指令在先锋物联网云平台的唯一标识", "Unique id of the command on the platform."}},
    RECEIVE_TIME,
    {"callbackData", XF_OBJECT, XF_REQUIRED | XF_ACCEPT_STRING, 0, 0, .shape = XF_SHAPE(CommandResult),
     .doc_type = "ObjectNode", .label = {"指令响应数据", "Response data"},
     .about = {"指令响应数据的JSON字符串，具体参数见附录一指令响应结果说明",
               "Command response data, by command (appendix 1)."},
     .ids = "C20 C22"},
    XF_END,
};

/* 3.1, 3.3 */
static const struct xf_field report_data_dto[] = {
    {"meterNo", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .doc_type = "String",
     .label = {"通讯编号", "Communication number"},
     .about = {"设备通讯编号", "Communication number of the device."}, .ids = "A16"},
    {"commType", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(commType), .doc_type = "String(1)",
     .label = {"通讯方式", "Communication mode"},
     .about = {"设备的通讯方式，0-GPRS，1-NB-IoT", "Communication mode: 0 GPRS, 1 NB-IoT."}, .ids = "A26"},
    {"chargeType", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(chargeType), .doc_type = "String(1)",
     .label = {"计费方式", "Charging mode"},
     .about = {"计费方式，0-后台计费，1-表端气量计费，2-表端金额计费",
               "Charging mode: 0 in the backend, 1 in the meter by gas volume, 2 in the meter by "
               "money."},
     .ids = "A15 A26"},
    {"meterType", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(meterType), .doc_type = "String(1)",
     .label = {"设备类型", "Device type"},
     .about = {"设备类型，0-皮膜表，1-流量计，2-集中器",
               "Device type: 0 diaphragm meter, 1 flow meter, 2 concentrator."}},
    {"reportType", XF_STRING, XF_REQUIRED, 1, 2, .values = XF_ENUM(reportType), .doc_type = "String(2)",
     .label = {"上报类型", "Report type"},
     .about = {"上报类型，0-自动数据上报，1-按键数据上报，99-报警事件上报",
               "Report type: 0 automatic, 1 by key press, 99 alarm event."},
     .ids = "C23"},
    {"data", XF_LIST, XF_REQUIRED, 0, XF_NO_LIMIT, .shape = XF_SHAPE(dataDTO), .doc_type = "List<dataDTO>",
     .label = {"数据集合", "Data"}, .about = {"具体的上报数据集合", "The reported service data."}},
    XF_END,
};

/* serviceData has no shape of its own: the reader finds it by serviceId
 * (xf_find_service) and keeps the data of unknown services raw (C27). */
static const struct xf_field data_dto[] = {
    {"serviceId", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .values = XF_ENUM(serviceId), .doc_type = "String",
     .label = {"服务名称", "Service"},
     .about = {"服务名称，GeneralDataInfo-常规上报数据，MoneyMeterInfo-表端金额预付费表具数据，"
               "GasMeterInfo-表端气量预付费表具数据，FlowMeterInfo-流量计数据，"
               "SignalInfo-网络信号数据，FrozenValueInfo-冻结用量数据，WarnDataInfo-报警事件数据，"
               "PriceChangeInfo-价格变动数据，ConcentratorDataInfo-集中器数据，"
               "ConcentratorWarnDataInfo-集中器报警事件数据",
               "Service name; see services."},
     .ids = "C27"},
    {"serviceData", XF_OBJECT, XF_REQUIRED, 0, 0, .doc_type = "ObjectNode",
     .label = {"服务数据", "Service data"},
     .about = {"服务数据，详见附录三《服务数据说明》", "Service data; structure given by serviceId."},
     .ids = "C26"},
    XF_END,
};

/* clang-format off */
/* 5.6 */
#define FROZEN_AMOUNT(name_, label_zh, label_en, about_zh, about_en, ids_) \
    {name_, XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_DECIMAL, \
     .unit = "CNY or m³, by prepayment type", \
     .doc_type = "String", .label = {label_zh, label_en}, \
     .about = {about_zh "，内置GPRS表端预付费表具独有，金额预付费时单位为元，气量预付费时单位为方", \
               about_en ", as frozen. Only meters with built-in GPRS and meter-side prepayment. Unit: yuan with " \
                        "money prepayment, cubic metres with gas prepayment."}, .ids = ids_}
/* clang-format on */
static const struct xf_field frozen_record[] = {
    {"frozenType", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .values = XF_ENUM(frozenType),
     .doc_type = "String", .label = {"冻结类型", "Frozen type"},
     .about = {"冻结记录类型，1-按分钟冻结，2-按小时冻结，3-按天冻结，4-按月冻结",
               "Kind of frozen record: 1 by minute, 2 by hour, 3 by day, 4 by month."}},
    {"frozenDate", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .format = XF_HOLDS_TIMESTAMP, .doc_type = "String",
     .label = {"冻结时间", "Frozen at"},
     .about = {"冻结记录时间，yyyyMMddHHmmss", "Time of the frozen record."}},
    {"frozenValue", XF_STRING, XF_REQUIRED | XF_UNIT_OURS, 0, XF_NO_LIMIT, .format = XF_HOLDS_DECIMAL,
     .unit = "m³", .doc_type = "String", .label = {"冻结累计用气量", "Frozen accumulated gas"},
     .about = {"冻结的累计用气量", "Accumulated gas used, as frozen."}, .ids = "C40"},
    XF_FLOW_VALUES,
    XF_NUMBER("dayUseValue", XF_UNIT_OURS, "m³", "日用气量", "Daily usage",
              "日用气量，内置GPRS表端预付费表具独有",
              "Gas used in the day. Only meters with built-in GPRS and meter-side prepayment."),
    FROZEN_AMOUNT("totalBuyValue", "冻结累计购气量", "Frozen total purchased", "冻结的累计购气量",
                  "Accumulated purchase", NULL),
    FROZEN_AMOUNT("totalUseValue", "冻结累计用气量（元或方）", "Frozen total used (CNY or m³)",
                  "冻结的累计用气量", "Accumulated use", "C40"),
    FROZEN_AMOUNT("surplusValue", "冻结剩余量", "Frozen remaining", "冻结的剩余量", "Remaining amount", NULL),
    XF_END,
};

/* 5.7 */
static const struct xf_field warn_event_dto[] = {
    {"warnDate", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .format = XF_HOLDS_TIMESTAMP, .doc_type = "String",
     .label = {"事件发生时间", "Event time"},
     .about = {"事件发生时间，yyyyMMddHHmmss", "Time of the event."}},
    {"warnType", XF_STRING, XF_REQUIRED | XF_ALARM_CODE, 0, XF_NO_LIMIT, .doc_type = "String",
     .label = {"报警事件代码", "Alarm code"},
     .about = {"报警事件代码，详见附录五", "Alarm code, see appendix 6 (the document says appendix 5)."},
     .ids = "C26 A3"},
    {"warnState", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .values = XF_ENUM(warnState), .doc_type = "String",
     .label = {"事件状态", "Event state"},
     .about = {"事件状态，0-恢复正常，1-事件发生中",
               "State of the event: 0 back to normal, 1 event in progress."}},
    XF_END,
};

const struct xf_shape xf_shapes[] = {
    [XF_SHAPE_DeviceDTO] = {"DeviceDTO",
                            "1.3",
                            {"设备信息", "Device registration record"},
                            .fields = device_dto},
    [XF_SHAPE_AuthDeviceItem] =
        {"AuthDeviceItem",
         "1.5",
         {"设备认证结果", "Device authentication item"},
         .fields = auth_device_item,
         .note = "The document gives this structure no name and no table; the fields are those "
                 "of its example."},
    [XF_SHAPE_CommandDTO] = {"CommandDTO", "2.1", {"指令结构体", "Command"}, .fields = command_dto},
    [XF_SHAPE_cmdResultDTO] = {"cmdResultDTO",
                               "2.2, 2.3",
                               {"指令结果", "Command result"},
                               .fields = cmd_result_dto},
    [XF_SHAPE_CommandResult] =
        {"CommandResult",
         "4.1-4.9",
         {"指令返回结果", "Command result detail"},
         .fields = command_result,
         .note = "Common to every command; the other result fields come with the command."},
    [XF_SHAPE_msgDTO_report] =
        {"msgDTO.report",
         "3.1, 3.3",
         {"数据上报消息", "Report message"},
         .fields = report_message,
         .note = "Which services a report holds depends on the model; an alarm report of a meter "
                 "holds WarnDataInfo only."},
    [XF_SHAPE_msgDTO_command] = {"msgDTO.command",
                                 "3.2",
                                 {"指令响应消息", "Command response message"},
                                 .fields = command_message},
    [XF_SHAPE_reportDataDTO] = {"reportDataDTO",
                                "3.1, 3.3",
                                {"上报数据信息", "Report data"},
                                .fields = report_data_dto},
    [XF_SHAPE_dataDTO] = {"dataDTO", "3.1, 3.3", {"服务数据项", "Service data item"}, .fields = data_dto},
    [XF_SHAPE_FrozenRecord] =
        {"FrozenRecord",
         "5.6",
         {"冻结记录", "Frozen record"},
         .fields = frozen_record,
         .note = "The document gives the record no name: its table stands under FrozenValueInfo, "
                 "its example puts records in the list frozenRecords."},
    [XF_SHAPE_WarnEventDTO] = {"WarnEventDTO", "5.7", {"报警事件", "Alarm event"}, .fields = warn_event_dto},
    [XF_SHAPE_END] = XF_END,
};
