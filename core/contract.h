/*
 * The platform's contract as rows: endpoints, pushes, commands, structures,
 * services, enumerations, alarms and return codes. Data only. Request checks,
 * reply checks, the client's methods, the sandbox, help texts and annotations
 * all derive from these rows, so a field is written exactly once.
 *
 * Section numbers (4.4), C- and A-numbers refer to the vendor's document and to
 * its contradictions and open points, which the `ids` column of a row names.
 * All rows are constant and live as long as the program.
 */
#ifndef XF_CONTRACT_H
#define XF_CONTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The same thing in the document's Chinese and in plain English. */
struct xf_text {
    const char *zh;
    const char *en;
};

/* Who reads: the client sends the strictest form that surely works, the server
 * (the sandbox) takes all that the document allows. */
enum xf_side { XF_CLIENT, XF_SERVER };

enum xf_type {
    XF_STRING, /* min, max: characters */
    XF_INTEGER, /* min, max: the value */
    XF_DECIMAL, /* "double" in the document; min, max: thousandths */
    XF_OBJECT, /* shape tells its fields; none: any object */
    XF_LIST, /* min, max: elements; item tells what they are */
};

/* What the text of a string must be, or (services) what it holds. */
enum xf_format {
    XF_TEXT, /* anything */
    XF_DIGITS, /* decimal digits only */
    XF_TIMESTAMP, /* yyyyMMddHHmmss, UTC+8 (A2) */
    XF_DATETIME, /* yyyy-MM-dd HH:mm:ss, UTC+8 (C16) */
    XF_HOLDS_INTEGER,
    XF_HOLDS_DECIMAL,
    XF_HOLDS_TEXT,
    XF_HOLDS_TIMESTAMP, /* as XF_TIMESTAMP, in a service: read leniently (A19) */
};

enum {
    XF_REQUIRED = 1u << 0,
    XF_EMIT_STRING = 1u << 1, /* an integer that the platform sends as a string (C22) */
    XF_ACCEPT_STRING = 1u << 2, /* an integer or object that may arrive as a string (C20, C22) */
    XF_ACCEPT_NULL = 1u << 3, /* may arrive as null; an object as "" too (C13, C20, C21, C44) */
    XF_ALSO_BODY = 1u << 4, /* a query parameter the server also looks for in the body (C10) */
    XF_CODE_OURS = 1u << 5, /* the document does not name the code; the mapping is ours */
    XF_UNIT_OURS = 1u << 6, /* the document does not name the unit (A18) */
    XF_HAS_DEFAULT = 1u << 7,
    XF_ALARM_CODE = 1u << 8, /* the text is a code of xf_alarms, in any form of A3; others are kept raw */
    XF_RETURN_CODE = 1u << 9, /* the text is a code of xf_codes in decimal */
};

/* Ends of a range that is open. */
#define XF_NO_LEAST INT64_MIN
#define XF_NO_LIMIT INT64_MAX

/* One side's differences from the row. `set` tells which members count. */
enum { XF_SET_REQUIRED = 1u << 0, XF_SET_MIN = 1u << 1, XF_SET_MAX = 1u << 2, XF_SET_DECIMALS = 1u << 3 };
struct xf_override {
    unsigned set;
    bool required;
    int64_t min, max;
    int decimals;
};

struct xf_shape;
struct xf_enum;

struct xf_field {
    const char *name; /* as on the wire; NULL ends a list of rows */
    enum xf_type type;
    unsigned flags;
    int64_t min, max; /* in the unit of the type; XF_NO_LEAST, XF_NO_LIMIT; objects: 0, 0 */
    int decimals; /* XF_DECIMAL: most digits after the point */
    enum xf_format format;
    const char *fixed; /* the only value (callbackType), or NULL */
    const struct xf_enum *values; /* or NULL */
    const struct xf_shape *shape; /* XF_OBJECT, or elements of XF_LIST; or NULL */
    const struct xf_field *item; /* XF_LIST of plain values: one row for each; or NULL */
    const char *when_field; /* required if this sibling ... */
    int64_t when_equals; /* ... has this value; when_field NULL: never */
    int64_t fallback; /* default, if XF_HAS_DEFAULT */
    const char *also; /* another name a reader takes (C16), or NULL */
    int code; /* return code for a bad value; 0: none */
    const char *unit; /* or NULL */
    const char *doc_type; /* as printed in the document: "String(1-32)" */
    struct xf_text label; /* the document's name of the parameter */
    struct xf_text about; /* one sentence, or a few */
    const char *ids; /* "C18 A9", or NULL */
    const struct xf_override *client; /* or NULL */
    const struct xf_override *server; /* or NULL */
};

/* Cross-field rules of a command. */
enum xf_rule_kind {
    XF_RULE_NONE, /* ends a list */
    XF_RULE_NON_DECREASING, /* fields: each at least the one before */
    XF_RULE_CANONICAL_TIERS, /* prices, fields: unused tiers repeat the last used one */
    XF_RULE_NON_ZERO, /* fields[0] is not 0 */
};
enum { XF_RULE_MOST = 6 };
struct xf_rule {
    enum xf_rule_kind kind;
    const char *fields[XF_RULE_MOST]; /* NULL-ended */
    const char *prices[XF_RULE_MOST]; /* XF_RULE_CANONICAL_TIERS only; NULL-ended */
    const char *when_field; /* holds only if this field ... */
    int64_t when_equals; /* ... has this value; NULL: always */
    bool client, server; /* which side enforces it */
    int code;
    struct xf_text about;
};

/* A structure: DeviceDTO, MeterStatus, the parameters of a command ... */
struct xf_shape {
    const char *name; /* NULL ends a list of shapes */
    const char *section;
    struct xf_text label;
    const struct xf_field *fields;
    const struct xf_rule *rules; /* or NULL */
    const char *note; /* for readers of the reference, or NULL */
    const struct xf_shape *also; /* a reader takes this in its place (C28), or NULL */
};

enum xf_body { XF_BODY_NONE, XF_BODY_OBJECT, XF_BODY_LIST };

struct xf_endpoint {
    const char *name; /* register, creatCmd ...; NULL ends the list */
    const char *section;
    struct xf_text label;
    struct xf_text about;
    const char *method; /* GET, POST, PUT */
    const char *path; /* with the base path, without the query */
    const char *also_method; /* the server takes this one too (C9), or NULL */
    const char *also_path; /* ... and this path, if the last query parameter is there (C24), or NULL */
    bool content_type; /* Content-Type is sent (C4) */
    bool writes; /* changes something: its fate can be unknown */
    const struct xf_shape *query;
    enum xf_body body;
    const struct xf_shape *fields; /* XF_BODY_OBJECT */
    const struct xf_field *list; /* XF_BODY_LIST: the argument that is the bare array */
    const struct xf_field *result; /* the row of `result`; required on success if so marked */
    const int *codes; /* return codes the document or we name; 0-ended */
    const char *ids;
};

/* A command variant: ACCOUNT_OPEN has two, told apart by a parameter that only
 * the second has (billingMethod). */
struct xf_command {
    const char *id; /* ACCOUNT_OPEN.meterPrepaid; NULL ends the list */
    const char *method;
    const char *section;
    struct xf_text label;
    struct xf_text about;
    const char *told_by; /* present: this variant; NULL: the method's only or first one */
    const char *charge_types; /* "12": chargeTypes of the meters it is for */
    int encode_code; /* return code of a fault while encoding it */
    bool money; /* moves value or changes an account: goes through an order */
    const struct xf_shape *params;
    const struct xf_shape *result;
    const char *ids;
};

struct xf_push {
    const char *name; /* push.reportData; NULL ends the list */
    const char *section;
    struct xf_text label;
    struct xf_text about;
    const struct xf_field *headers;
    const struct xf_shape *message; /* an element of the bare array */
    const char *ids;
};

struct xf_enum_value {
    const char *text; /* as on the wire, numbers too ("0"); NULL ends the list */
    struct xf_text label;
};
struct xf_enum {
    const char *name; /* NULL ends the list */
    bool integer; /* values are JSON integers, not strings */
    const char *section;
    struct xf_text label;
    const struct xf_enum_value *values;
};

struct xf_alarm {
    const char *code; /* 0001H; NULL ends the list */
    struct xf_text label;
    struct xf_text about;
    const char *device; /* meter, concentrator, any */
    bool shuts; /* the valve closes by itself */
    const char *status_flag; /* MeterStatus flag of the same meaning, or NULL */
};

/* What a return code asks of a client. */
enum xf_class {
    XF_CLASS_OK,
    XF_CLASS_BAD_PARAMETER,
    XF_CLASS_AUTH,
    XF_CLASS_STATE_CONFLICT,
    XF_CLASS_NOT_FOUND,
    XF_CLASS_PLATFORM_RETRYABLE,
    XF_CLASS_PLATFORM_UNKNOWN,
};
struct xf_class_row {
    enum xf_class id;
    const char *name; /* bad_parameter; NULL ends the list */
    struct xf_text label;
    bool retry;
};
struct xf_code {
    int code; /* 0 ends the list */
    struct xf_text message;
    enum xf_class class_id;
    struct xf_text remedy; /* what to do, one sentence */
    const char *fields; /* the parameters it speaks of, space-separated, or NULL */
    const char *note; /* or NULL */
};

/* The rows; each list ends as its type says. */
extern const struct xf_endpoint xf_endpoints[];
extern const struct xf_field xf_call_headers[]; /* headers of every call */
extern const struct xf_field
    xf_envelope_fields[]; /* responseCode, message, args (result: see the endpoint) */
extern const struct xf_push xf_pushes[];
extern const struct xf_command xf_commands[];
extern const struct xf_shape xf_shapes[]; /* section 5 of the contract: DeviceDTO ... */
extern const struct xf_shape xf_services[]; /* GeneralDataInfo ... */
extern const struct xf_shape xf_statuses[]; /* MeterStatus ... */
extern const struct xf_enum xf_enums[];
extern const struct xf_alarm xf_alarms[];
extern const struct xf_class_row xf_classes[];
extern const struct xf_code xf_codes[];

#define XF_API_VERSION "v1.0.0"
#define XF_BASE_PATH   "/iotcloud/app"

/* Look-ups; NULL when there is no such row. */
const struct xf_endpoint *xf_find_endpoint(const char *name);
const struct xf_push *xf_find_push(const char *name);
const struct xf_shape *xf_find_shape(const char *name); /* shapes, services and statuses */
const struct xf_shape *xf_find_service(const char *name);
const struct xf_enum *xf_find_enum(const char *name);
const struct xf_enum_value *xf_find_value(const struct xf_enum *e, const char *text);
const struct xf_code *xf_find_code(int code);
const struct xf_class_row *xf_find_class(enum xf_class id);
/* Takes every form of a code that the platform may send: 0001H, 0001, 0x0001 (A3). */
const struct xf_alarm *xf_find_alarm(const char *code);
const struct xf_field *xf_find_field(const struct xf_field *fields, const char *name);
/* `has` says whether the parameters hold a key; it picks between variants. NULL: unknown method. */
const struct xf_command *xf_find_command(const char *method, bool (*has)(void *payload, const char *key),
                                         void *payload);
/* By id, ACCOUNT_OPEN.backendPrepaid. */
const struct xf_command *xf_find_command_id(const char *id);

/* A row as one side reads it, overrides applied. */
struct xf_reading {
    bool required; /* unconditionally */
    bool conditional; /* when_field counts: false without one, and when this side lifts it (C31) */
    int64_t min, max;
    int decimals;
};
struct xf_reading xf_read_field(const struct xf_field *f, enum xf_side side);

/* Checks the rows themselves: duplicates, impossible ranges, dangling names,
 * codes that are not in the table. Returns 0, or -1 with the first fault in
 * why[0..size-1]. */
int xf_check_contract(char *why, size_t size);

#endif
