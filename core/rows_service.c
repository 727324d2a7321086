/* Appendices 2 to 5 of the document: what a report holds, by serviceId, and the
 * status structures inside. All values travel as text (A19). */
#include "rows.h"

/* ---- status structures: one text character each */

/* clang-format off */
#define FLAG(name_, values_, zh, values_zh, label_en, about_en, ...) \
    {name_, XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(values_), .doc_type = "String(1)", \
     .label = {zh, label_en}, .about = {zh "，" values_zh, about_en}, __VA_ARGS__}
#define YES_NO(name_, zh, label_en, about_en) \
    FLAG(name_, yesNo, zh, "0-否，1-是", label_en, about_en ": 0 no, 1 yes.", .ids = NULL)
#define NORMAL_ABNORMAL(name_, zh, label_en, about_en) \
    FLAG(name_, normalAbnormal, zh, "0-正常，1-异常", label_en, about_en ": 0 normal, 1 abnormal.", .ids = NULL)
#define PRESSURE_LACK YES_NO("pressureLack", "电池欠压", "Battery low", "Battery undervoltage")
#define MAGNETIC YES_NO("magneticInterference", "磁干扰", "Magnetic interference", "Magnetic interference")
/* clang-format on */

static const struct xf_field meter_status[] = {
    YES_NO("deviceLock", "死表", "Meter locked", "Meter locked / dead meter"),
    YES_NO("superFlow", "大流量", "Excess flow", "Excess flow"),
    MAGNETIC,
    PRESSURE_LACK,
    YES_NO("leakAlarm", "外部检测异常", "External detection",
           "Abnormality detected by an external input (e.g. leak)"),
    YES_NO("singleCount", "单管", "Single-tube fault",
           "Single-tube counting fault (only one of the pulse sensors counts)"),
    YES_NO("breakLine", "断线", "Broken wire", "Broken wire"),
    YES_NO("valveDamage", "阀门损坏", "Valve damaged", "Valve damaged"),
    YES_NO("remoteCloseValve", "远程关阀", "Closed remotely", "Valve closed remotely"),
    YES_NO("valueLack", "余额不足", "Insufficient balance", "Insufficient balance"),
    YES_NO("loseTrack", "发生过通讯失联", "Lost contact", "Communication has been lost at some time"),
    /* Missing from the example: unknown then, not 0. */
    FLAG("accountFlag", accountFlag, "开户标识", "0-未开户，1-已开户，主要用于表端预付费表具",
         "Account opened",
         "Account flag: 0 account not open, 1 account open; mainly for meter-side prepaid meters.",
         .ids = "C29", .client = XF_OVERRIDE(XF_SET_REQUIRED, .required = false)),
    XF_END,
};

static const struct xf_field flow_meter_status[] = {
    NORMAL_ABNORMAL("totalizerConnectState", "积算仪连接状态", "Totalizer connection",
                    "Connection to the totalizer"),
    NORMAL_ABNORMAL("temperatureSensorState", "温度传感器状态", "Temperature sensor", "Temperature sensor"),
    NORMAL_ABNORMAL("pressureSensorState", "压力传感器状态", "Pressure sensor", "Pressure sensor"),
    MAGNETIC,
    PRESSURE_LACK,
    YES_NO("pressureWarn", "压力超限", "Pressure alarm", "Pressure beyond the alarm threshold"),
    YES_NO("temperatureWarn", "温度超限", "Temperature alarm", "Temperature beyond the alarm threshold"),
    XF_END,
};

static const struct xf_field concentrator_status[] = {
    FLAG("powerType", powerType, "供电类型", "0-锂电，1-市电", "Power supply",
         "Power supply: 0 lithium battery, 1 mains.", .ids = NULL),
    FLAG("electricState", electricState, "市电状态", "0-无市电，1-有市电", "Mains state",
         "Mains state: 0 no mains, 1 mains present.", .ids = NULL),
    NORMAL_ABNORMAL("storeState", "存储器状态", "Memory", "Memory"),
    FLAG("updateState", updateState, "升级结果", "0-无升级，1-升级成功，2-待升级，3-升级失败",
         "Upgrade result",
         "Upgrade result: 0 no upgrade, 1 upgraded, 2 waiting to upgrade, 3 upgrade failed.", .ids = NULL),
    PRESSURE_LACK,
    NORMAL_ABNORMAL("meterState", "基表状态", "Base meter", "Base meter"),
    XF_END,
};

const struct xf_shape xf_statuses[] = {
    [XF_STATUS_MeterStatus] = {"MeterStatus",
                               "6",
                               {"表具状态", "Meter status (appendix 3)"},
                               .fields = meter_status},
    [XF_STATUS_FlowMeterStatus] = {"FlowMeterStatus",
                                   "7",
                                   {"流量计状态", "Flow meter status (appendix 4)"},
                                   .fields = flow_meter_status},
    [XF_STATUS_ConcentratorStatus] = {"ConcentratorStatus",
                                      "8",
                                      {"集中器状态", "Concentrator status (appendix 5)"},
                                      .fields = concentrator_status},
    [XF_STATUS_END] = XF_END,
};

/* ---- services */

/* 5.1 */
static const struct xf_field general_data[] = {
    XF_NUMBER("totalUseValue", XF_UNIT_OURS, "m³", "累计用气量", "Accumulated gas",
              "当前累计用气量，（内置GPRS表端预付费工商业表具无该项，需从冻结数据中获取）",
              "Accumulated gas used at present. (Commercial/industrial meters with built-in GPRS "
              "and meter-side prepayment do not have this item; take it from the frozen data.)"),
    {"deviceTime", XF_STRING, XF_REQUIRED, 14, 14, .format = XF_HOLDS_TIMESTAMP, .doc_type = "String(14)",
     .label = {"表具时钟", "Meter clock"}, .about = {"表具时钟，yyyyMMddHHmmss", "Clock of the meter."},
     .ids = "A25"},
    {"valveState", XF_STRING, XF_REQUIRED, 1, 1, .values = XF_ENUM(valveState), .doc_type = "String(1)",
     .label = {"阀门状态", "Valve state"},
     .about = {"阀门状态，0-无阀，1-阀开，2-阀关，3-异常，4-损坏",
               "Valve state: 0 no valve, 1 open, 2 closed, 3 abnormal, 4 damaged."}},
    XF_NUMBER("batteryVoltage", XF_REQUIRED, "V", "电池电压", "Battery voltage", "电池电压，单位：伏特",
              "Battery voltage, in volts."),
    {"meterStatus", XF_OBJECT, XF_REQUIRED, 0, 0, .shape = XF_STATUS(MeterStatus), .doc_type = "MeterStatus",
     .label = {"表具状态", "Meter status"},
     .about = {"表具状态，详见附录三", "Meter status, see appendix 3."}},
    XF_END,
};

/* clang-format off */
/* 5.2, 5.3 */
#define BUY_COUNT \
    {"buyCount", XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_INTEGER, .doc_type = "String", \
     .label = {"累计购气次数", "Number of purchases"}, \
     .about = {"累计购气次数，包含卡片购气和远程购气", "Accumulated number of purchases, by card and remote."}}
/* clang-format on */
static const struct xf_field money_meter[] = {
    XF_NUMBER("totalBuyMoney", XF_UNIT_OURS, "CNY", "累计购气金额", "Total purchased (money)", "累计购气金额",
              "Accumulated money paid for gas."),
    XF_NUMBER("totalUseMoney", XF_UNIT_OURS, "CNY", "累计用气金额", "Total used (money)", "累计用气金额",
              "Accumulated money used for gas."),
    XF_NUMBER("surplusMoney", XF_UNIT_OURS, "CNY", "剩余金额", "Balance", "剩余金额", "Remaining money."),
    XF_NUMBER("currentPrice", XF_UNIT_OURS, "CNY/m³", "单价", "Unit price", "单价", "Unit price."),
    XF_NUMBER("totalLadderValue", XF_UNIT_OURS, "m³", "当前阶梯累计用气量", "Accumulated tier usage",
              "当前阶梯累计用气量", "Accumulated gas in the current tier period."),
    BUY_COUNT,
    XF_END,
};
static const struct xf_field gas_meter[] = {
    XF_NUMBER("totalBuyGas", XF_UNIT_OURS, "m³", "累计购气量", "Total purchased (gas)", "累计购气量",
              "Accumulated gas purchased."),
    XF_NUMBER("surplusGas", XF_UNIT_OURS, "m³", "剩余气量", "Remaining gas", "剩余气量", "Remaining gas."),
    BUY_COUNT,
    XF_END,
};

/* 5.4 */
static const struct xf_field flow_meter[] = {
    XF_FLOW_VALUES,
    {"flowMeterStatus", XF_OBJECT, 0, 0, 0, .shape = XF_STATUS(FlowMeterStatus),
     .doc_type = "FlowMeterStatus", .label = {"流量计状态", "Flow meter status"},
     .about = {"流量计状态，详见附录四", "Flow meter status, see appendix 4."}},
    XF_END,
};

/* 5.5 */
static const struct xf_field signal_info[] = {
    XF_NUMBER("signalCSQ", XF_REQUIRED, NULL, "信号强度CSQ", "Signal strength (CSQ)", "信号强度CSQ",
              "Signal strength CSQ."),
    XF_NUMBER("signalRSRP", XF_UNIT_OURS, "dBm", "参考信号接收功率", "RSRP",
              "参考信号接收功率，NB-IoT设备有该项",
              "Reference signal received power (RSRP). NB-IoT devices only."),
    XF_NUMBER("signalSNR", XF_UNIT_OURS, "dB", "信噪比", "SNR", "信噪比，NB-IoT设备有该项",
              "Signal-to-noise ratio. NB-IoT devices only."),
    {"signalECL", XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_TEXT, .doc_type = "String",
     .label = {"覆盖等级", "Coverage level (ECL)"},
     .about = {"覆盖等级，NB-IoT设备有该项", "Coverage enhancement level (ECL). NB-IoT devices only."}},
    {"signalCellId", XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_TEXT, .doc_type = "String",
     .label = {"基站编号", "Cell id"},
     .about = {"基站编号，NB-IoT设备有该项", "Cell (base station) id. NB-IoT devices only."}},
    {"signalFCN", XF_STRING, 0, 0, XF_NO_LIMIT, .format = XF_HOLDS_TEXT, .doc_type = "String",
     .label = {"接入频点", "Channel (FCN)"},
     .about = {"接入频点，NB-IoT设备有该项", "Access frequency channel number. NB-IoT devices only."}},
    XF_END,
};

/* 5.6: a list of records in the example, one flat record in the table (C28). */
static const struct xf_field frozen_value[] = {
    {"frozenRecords", XF_LIST, XF_REQUIRED, 0, XF_NO_LIMIT, .shape = XF_SHAPE(FrozenRecord),
     .label = {"冻结记录", "Frozen records"},
     .about = {"冻结用量数据",
               "List of frozen records. Not in the document's table: the wrapper is taken from the "
               "example in 3.1."},
     .ids = "C28"},
    XF_END,
};

/* clang-format off */
/* 5.7, and 3.3 for concentrators, whose structure the document does not give (C27). */
#define WARN_EVENTS(doc_type_, ids_) \
    {"warnEvents", XF_LIST, XF_REQUIRED, 0, XF_NO_LIMIT, .shape = XF_SHAPE(WarnEventDTO), \
     .doc_type = doc_type_, \
     .label = {"报警事件列表", "Alarm events"}, .about = {"报警事件列表", "List of alarm events."}, .ids = ids_}
/* clang-format on */
static const struct xf_field warn_data[] = {WARN_EVENTS("List<WarnEventDTO>", NULL), XF_END};
static const struct xf_field concentrator_warn_data[] = {WARN_EVENTS(NULL, "C27"), XF_END};

/* clang-format off */
/* 5.8 */
#define LAST_TIER(n, zh, number) \
    XF_NUMBER("lastPrice" n, XF_REQUIRED | XF_UNIT_OURS, "CNY/m³", "上一阶梯单价" zh, \
              "Previous tier " number " price", "上一价格体系阶梯单价" zh, \
              "Previous price scheme: price of tier " number "."), \
    XF_NUMBER("lastLadder" n "UseValue", XF_REQUIRED | XF_UNIT_OURS, "m³", "上一阶梯" zh "用气量", \
              "Previous tier " number " usage", "上一价格体系阶梯单价" zh "实际用气量", \
              "Previous price scheme: gas actually used at the price of tier " number ".")
/* clang-format on */
static const struct xf_field price_change[] = {
    {"lastPriceVer", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .format = XF_HOLDS_INTEGER, .doc_type = "String",
     .label = {"上一价格版本号", "Previous price version"},
     .about = {"上一价格体系版本号", "Version number of the previous price scheme."}},
    LAST_TIER("One", "一", "1"),
    LAST_TIER("Two", "二", "2"),
    LAST_TIER("Three", "三", "3"),
    LAST_TIER("Four", "四", "4"),
    LAST_TIER("Five", "五", "5"),
    XF_NUMBER("lastCycleValue", XF_REQUIRED | XF_UNIT_OURS, "m³", "上一阶梯累计用气量",
              "Previous accumulated tier usage", "上一价格体系阶梯累计用气量",
              "Previous price scheme: accumulated tier usage."),
    XF_NUMBER("totalUseValue", XF_REQUIRED | XF_UNIT_OURS, "m³", "变动时累计用气量",
              "Accumulated gas at change", "价格体系变动时累计用气量",
              "Accumulated gas used at the change of price scheme."),
    {"totalUseMoney", XF_STRING, XF_REQUIRED | XF_UNIT_OURS, 0, XF_NO_LIMIT, .format = XF_HOLDS_DECIMAL,
     .unit = "CNY", .doc_type = "String", .label = {"变动时累计金额", "Accumulated money at change"},
     .about = {"价格体系变动时累计购气金额",
               "Accumulated money at the change of price scheme (the name says used, the "
               "description says purchased)."},
     .ids = "C39"},
    XF_NUMBER("surplusMoney", XF_REQUIRED | XF_UNIT_OURS, "CNY", "变动时剩余金额", "Balance at change",
              "价格体系变动时剩余金额", "Remaining money at the change of price scheme."),
    XF_END,
};

/* 5.9 */
static const struct xf_field concentrator_data[] = {
    {"deviceTime", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .format = XF_HOLDS_TIMESTAMP, .doc_type = "String",
     .label = {"集中器时间", "Concentrator clock"},
     .about = {"集中器时间，yyyyMMddHHmmss", "Clock of the concentrator."}},
    XF_NUMBER("batteryVoltage", XF_REQUIRED | XF_UNIT_OURS, "V", "电源电压", "Supply voltage",
              "集中器电源电压", "Supply voltage of the concentrator."),
    {"concentratorStatus", XF_OBJECT, XF_REQUIRED, 0, 0, .shape = XF_STATUS(ConcentratorStatus),
     .doc_type = "ConcentratorStatus", .label = {"集中器状态", "Concentrator status"},
     .about = {"集中器状态，详见附录五", "Concentrator status, see appendix 5."}},
    XF_END,
};

const struct xf_shape xf_services[] = {
    {"GeneralDataInfo", "5.1", {"常规上报数据", "General report data"}, .fields = general_data},
    {"MoneyMeterInfo",
     "5.2",
     {"表端金额预付费表具数据", "Data of meters with meter-side money prepayment"},
     .fields = money_meter},
    {"GasMeterInfo",
     "5.3",
     {"表端气量预付费表具数据", "Data of meters with meter-side gas-volume prepayment"},
     .fields = gas_meter},
    {"FlowMeterInfo", "5.4", {"流量计数据", "Flow meter data"}, .fields = flow_meter},
    {"SignalInfo", "5.5", {"网络信号数据", "Network signal data"}, .fields = signal_info},
    {"FrozenValueInfo",
     "5.6",
     {"冻结用量数据", "Frozen usage data"},
     .fields = frozen_value,
     .note =
         "serviceData is {\"frozenRecords\": [FrozenRecord, ...]} as in the example; a reader also takes one flat "
         "FrozenRecord as serviceData.",
     .also = XF_SHAPE(FrozenRecord)},
    {"WarnDataInfo", "5.7", {"报警事件数据", "Alarm event data"}, .fields = warn_data},
    {"PriceChangeInfo",
     "5.8",
     {"价格变动数据（内置GPRS表端金额预付费表具）",
      "Price change data (meters with built-in GPRS and meter-side money prepayment)"},
     .fields = price_change},
    {"ConcentratorDataInfo", "5.9", {"集中器数据", "Concentrator data"}, .fields = concentrator_data},
    {"ConcentratorWarnDataInfo",
     "3.3 (name only)",
     {"集中器报警事件数据", "Concentrator alarm event data"},
     .fields = concentrator_warn_data,
     .note = "Named in 3.3 without a structure; read as that of WarnDataInfo."},
    XF_END,
};
