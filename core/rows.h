/*
 * Shorthand for the files of rows (rows_*.c), included by nothing else: how
 * rows name each other, and the fields that recur in several structures.
 *
 * A field starts with name, type, flags, least, most.
 */
#ifndef XF_ROWS_H
#define XF_ROWS_H

#include "contract.h"

/* Places in the lists, so that one row can point to another. */
enum {
    XF_ENUM_manuId,
    XF_ENUM_syncFlag,
    XF_ENUM_deviceState,
    XF_ENUM_commandState,
    XF_ENUM_commandResult,
    XF_ENUM_callbackType,
    XF_ENUM_msgDeviceType,
    XF_ENUM_commType,
    XF_ENUM_chargeType,
    XF_ENUM_meterType,
    XF_ENUM_reportType,
    XF_ENUM_msgType,
    XF_ENUM_serviceId,
    XF_ENUM_method,
    XF_ENUM_controlFlag,
    XF_ENUM_prepaidType,
    XF_ENUM_clearMark,
    XF_ENUM_priceType,
    XF_ENUM_billingMethod,
    XF_ENUM_valveState,
    XF_ENUM_frozenType,
    XF_ENUM_warnState,
    XF_ENUM_yesNo,
    XF_ENUM_normalAbnormal,
    XF_ENUM_accountFlag,
    XF_ENUM_powerType,
    XF_ENUM_electricState,
    XF_ENUM_updateState,
    XF_ENUM_END,
};
enum {
    XF_SHAPE_DeviceDTO,
    XF_SHAPE_AuthDeviceItem,
    XF_SHAPE_CommandDTO,
    XF_SHAPE_cmdResultDTO,
    XF_SHAPE_CommandResult,
    XF_SHAPE_msgDTO_report,
    XF_SHAPE_msgDTO_command,
    XF_SHAPE_reportDataDTO,
    XF_SHAPE_dataDTO,
    XF_SHAPE_FrozenRecord,
    XF_SHAPE_WarnEventDTO,
    XF_SHAPE_END,
};
enum { XF_STATUS_MeterStatus, XF_STATUS_FlowMeterStatus, XF_STATUS_ConcentratorStatus, XF_STATUS_END };

/* clang-format off */
#define XF_ENUM(name) (&xf_enums[XF_ENUM_##name])
#define XF_SHAPE(name) (&xf_shapes[XF_SHAPE_##name])
#define XF_STATUS(name) (&xf_statuses[XF_STATUS_##name])
#define XF_OVERRIDE(...) (&(const struct xf_override){__VA_ARGS__})
#define XF_END {.name = NULL}

/* 1.1, 1.2, 1.3: who has the device. */
#define XF_USER_FIELDS(flags_, ...) \
    {"userNo", XF_STRING, flags_, 1, 24, .doc_type = "String(1-24)", .label = {"用户编号", "User number"}, \
     .about = {"用户编号，业务系统产生", \
               "User (customer account) number, produced by the business system."}, \
     __VA_ARGS__}, \
    {"userName", XF_STRING, flags_, 1, 64, .doc_type = "String(1-64)", .label = {"用户姓名", "User name"}, \
     .about = {"用户姓名", "User name."}, __VA_ARGS__}, \
    {"userAddress", XF_STRING, flags_, 1, 128, .doc_type = "String(1-128)", \
     .label = {"用户地址", "User address"}, \
     .about = {"用户地址", "User address."}, __VA_ARGS__}

/* 1.1, 1.3 */
#define XF_DEVICE_NO(flags_, ...) \
    {"deviceNo", XF_STRING, XF_REQUIRED | (flags_), 1, 32, .doc_type = "String(1-32)", \
     .label = {"设备编号", "Device number"}, \
     .about = {"设备编号，数据通讯时设备识别码，同一燃气表制造厂商在先锋物联网云平台唯一", \
               "Device number: identifies the device in data communication; unique on the platform within one " \
               "meter manufacturer."}, __VA_ARGS__}

/* 4.1-4.9: int in the tables, text in the examples (C22). */
#define XF_COMMAND_RESULT(...) \
    {"commandResult", XF_INTEGER, XF_REQUIRED | XF_EMIT_STRING | XF_ACCEPT_STRING, XF_NO_LEAST, XF_NO_LIMIT, \
     .values = XF_ENUM(commandResult), .label = {"返回结果", "Result"}, \
     .about = {"返回结果0-成功1-失败", "Result: 0 success, 1 failure."}, __VA_ARGS__}

/* A number that travels as text in a report (section 5 of the document, A19). */
#define XF_NUMBER(name_, flags_, unit_, label_zh, label_en, about_zh, about_en) \
    {name_, XF_STRING, flags_, 0, XF_NO_LIMIT, .format = XF_HOLDS_DECIMAL, .unit = unit_, \
     .doc_type = "String", \
     .label = {label_zh, label_en}, .about = {about_zh, about_en}}

/* 5.4, 5.6: what a flow meter measures. */
#define XF_FLOW_VALUES \
    XF_NUMBER("standardTotalValue", XF_UNIT_OURS, "m³", "标况累计流量", "Standard total", "标况累计流量", \
              "Accumulated flow at standard conditions."), \
    XF_NUMBER("workTotalValue", XF_UNIT_OURS, "m³", "工况累计流量", "Working total", "工况累计流量", \
              "Accumulated flow at working conditions."), \
    XF_NUMBER("standardInstantValue", XF_UNIT_OURS, "m³/h", "标况瞬时流量", "Standard flow rate", \
              "标况瞬时流量", \
              "Instantaneous flow at standard conditions."), \
    XF_NUMBER("workInstantValue", XF_UNIT_OURS, "m³/h", "工况瞬时流量", "Working flow rate", "工况瞬时流量", \
              "Instantaneous flow at working conditions."), \
    XF_NUMBER("temperatureValue", 0, "°C", "温度", "Temperature", "温度，单位：摄氏度", \
              "Temperature, in degrees Celsius."), \
    XF_NUMBER("pressureValue", 0, "kPa", "压力", "Pressure", "压力，单位：千帕", "Pressure, in kilopascals.")
/* clang-format on */

#endif
