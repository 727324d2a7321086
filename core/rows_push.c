/* Sections 3.1 and 3.2 of the document: what the platform sends to the receiver. */
#include "rows.h"

/* The exact forms of API_TRANS_ID and API_TOKEN are those of sign.h; when both
 * API_ headers are absent, RandomCode and Authorization are read instead (C3). */
static const struct xf_field headers[] = {
    {"API_ORG_NUM", XF_STRING, XF_REQUIRED, 6, 6, .format = XF_DIGITS, .doc_type = "String(6)",
     .label = {"客户代码", "Company code"},
     .about = {"客户代码，先锋物联网云平台分配的6位数字唯一编码",
               "Customer (gas company) code: unique 6-digit code assigned by the platform. Keep it "
               "a string, leading zeros count."},
     .ids = "A14"},
    {"API_TRANS_ID", XF_STRING, XF_REQUIRED, 22, 22, .doc_type = "String(22)",
     .label = {"随机码", "Random code"},
     .about = {"随机码，规则为yyyyMMddHHmmss+（80000000到89999999之间的随机数）",
               "Random code: yyyyMMddHHmmss followed by a random number between 80000000 and "
               "89999999 (22 digits). It is the transId of the signature."},
     .ids = "C1 A13 A14", .client = XF_OVERRIDE(XF_SET_MIN | XF_SET_MAX, .min = 1, .max = XF_NO_LIMIT)},
    {"API_TOKEN", XF_STRING, XF_REQUIRED, 64, 64, .doc_type = "String(64)",
     .label = {"鉴权信息", "Authentication"},
     .about = {"鉴权信息，规则为（key+merchantId+transId）计算SHA256的十六进制串，"
               "key和merchantId由先锋物联网云平台分配",
               "Authentication: hexadecimal SHA-256 of key+merchantId+transId (transId = the random "
               "code); key and merchantId are assigned by the platform."},
     .ids = "C2 A14"},
    {"Content-Type", XF_STRING, XF_REQUIRED, 0, XF_NO_LIMIT, .doc_type = "String",
     .label = {"内容类型", "Content type"},
     .about = {"application/json", "Always application/json (body is UTF-8)."},
     .client = XF_OVERRIDE(XF_SET_REQUIRED, .required = false)},
    XF_END,
};

const struct xf_push xf_pushes[] = {
    {
        .name = "push.reportData",
        .section = "3.1",
        .label = {"数据上报推送", "Report push"},
        .about = {"先锋物联网云平台接收到设备主动上报消息后，"
                  "将消息以JSON格式通过订阅接口配置的url地址推送给第三方业务系统，如果推送失败，"
                  "会将消息放入推送失败表保存。",
                  "When a device has reported, the platform pushes the message as JSON to the URL "
                  "configured by subscription; when the push fails, the message is kept in a table of "
                  "failed pushes."},
        .headers = headers,
        .message = XF_SHAPE(msgDTO_report),
        .ids = "C23 C26 C27 C28 C29 C39 C40 A4 A5",
    },
    {
        .name = "push.commandResponse",
        .section = "3.2",
        .label = {"指令响应推送", "Command response push"},
        .about = {"第三方业务系统缓存在先锋物联网云平台的指令被设备执行之后，"
                  "平台会将指令的回复消息以JSON格式通过配置的回调地址推送给第三方业务系统。",
                  "After a device has executed a queued command, the platform pushes its response as "
                  "JSON to the configured callback address."},
        .headers = headers,
        .message = XF_SHAPE(msgDTO_command),
        .ids = "C3 C20 C22 A4 A5",
    },
    XF_END,
};
