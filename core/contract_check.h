/* The self-test of the contract rows, on any set of rows: the program checks its
 * own, the tests check broken ones. */
#ifndef XF_CONTRACT_CHECK_H
#define XF_CONTRACT_CHECK_H

#include "contract.h"

/* A whole contract: the lists of contract.h, each ended as there. */
struct xf_contract {
    const struct xf_endpoint *endpoints;
    const struct xf_field *call_headers;
    const struct xf_field *envelope;
    const struct xf_push *pushes;
    const struct xf_command *commands;
    const struct xf_shape *shapes;
    const struct xf_shape *services;
    const struct xf_shape *statuses;
    const struct xf_enum *enums;
    const struct xf_alarm *alarms;
    const struct xf_class_row *classes;
    const struct xf_code *codes;
};

/* The rows of this program. */
extern const struct xf_contract xf_own_contract;

/* Returns 0, or -1 with the first fault in why[0..size-1], as "where: what". */
int xf_check_rows(const struct xf_contract *rows, char *why, size_t size);

/* ---- the parts of it (contract_check.c, contract_check_field.c) */

struct xf_check {
    const struct xf_contract *rows;
    char *why;
    size_t size;
};

/* Always returns -1. */
int xf_check_fault(const struct xf_check *c, const char *where, const char *what, const char *what_text);
/* One list of fields, and the rules over them. */
int xf_check_fields(const struct xf_check *c, const char *where, const struct xf_field *fields);
int xf_check_field(const struct xf_check *c, const char *owner, const struct xf_field *f,
                   const struct xf_field *siblings);
int xf_check_shape(const struct xf_check *c, const struct xf_shape *s);
int xf_check_text(const struct xf_check *c, const char *where, const char *what, const struct xf_text *t);
int xf_check_code(const struct xf_check *c, const char *where, int code);

#endif
