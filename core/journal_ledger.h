/*
 * Ledgers in the journal: for each meter whose money the utility keeps, what it
 * has reported (readings), and what that and everything else has done to its
 * balance (entries). Both only ever grow: what was wrong is put right by a
 * further entry. Amounts are integer fen, gas is integer litres; what they mean
 * is for lua/xfiot/settlement.lua. journal.h's conventions hold.
 */
#ifndef XF_JOURNAL_LEDGER_H
#define XF_JOURNAL_LEDGER_H

#include "journal.h"

/* A meter's ledger. Texts live as long as the list. */
struct xf_ledger {
    const char *company_code, *device_no;
    const char *device_id; /* the one last opened with, or NULL */
    int64_t account; /* its number here, rising */
    int64_t opened_at;
};
struct xf_ledgers {
    size_t count;
    struct xf_ledger *rows;
    void *texts; /* theirs */
};
void xf_ledgers_free(struct xf_ledgers *ledgers);

/* Makes the meter's ledger if it has none, and remembers that the device_id (may
 * be NULL) is the meter's. Returns 1 if it is new, 0 if it was there, -1 with err. */
int xf_journal_open_ledger(struct xf_journal *j, const char *company_code, const char *device_no,
                           const char *device_id, int64_t at, int64_t *account, struct xf_err *err);
/* By number and company, by the platform's id. 1 with out->rows[0], 0, or -1 with err. Free in every case. */
int xf_journal_find_ledger(struct xf_journal *j, const char *company_code, const char *device_no,
                           struct xf_ledgers *out, struct xf_err *err);
int xf_journal_find_ledger_id(struct xf_journal *j, const char *device_id, struct xf_ledgers *out,
                              struct xf_err *err);
/* A page, by account, those after one. 0, or -1 with err. Free in every case. */
int xf_journal_list_ledgers(struct xf_journal *j, int64_t after, size_t limit, struct xf_ledgers *out,
                            struct xf_err *err);

/* What a meter's counter showed at a time, by a report or a frozen record. */
struct xf_reading_row {
    const char *time; /* the meter's, 14 digits */
    const char *source; /* report, frozen */
    const char *evidence; /* where it came from */
    int64_t litres;
    int64_t at; /* when it was taken */
};
struct xf_readings {
    size_t count;
    struct xf_reading_row *rows;
    void *texts; /* theirs */
};
void xf_readings_free(struct xf_readings *readings);

/* Whether a reading of that time, source and value has been taken. 1, 0, or -1 with err. */
int xf_journal_has_reading(struct xf_journal *j, int64_t account, const struct xf_reading_row *r,
                           struct xf_err *err);
/* A page, by time, source and value, those after `after` (NULL: from the first).
 * 0, or -1 with err. Free in every case. */
int xf_journal_list_readings(struct xf_journal *j, int64_t account, const struct xf_reading_row *after,
                             size_t limit, struct xf_readings *out, struct xf_err *err);

/* One line of a ledger. */
struct xf_ledger_entry {
    const char *kind; /* what it is: open, charge, payment, adjustment ... */
    const char *time; /* the meter's time that it is about, 14 digits; or NULL */
    const char *segment; /* what stretch of gas it charges, see settlement.lua; or NULL */
    const char *evidence; /* which push, order or person it rests on */
    const char *detail; /* JSON, or NULL */
    const char *state; /* JSON: how far the settlement is after it, or NULL */
    const char *mark; /* what may be booked once only, or NULL */
    int64_t seq; /* from 1, without gaps */
    int64_t fen; /* what it adds to the balance */
    int64_t balance; /* after it */
    int64_t at; /* when it was booked */
    bool provisional;
};
struct xf_ledger_entries {
    size_t count;
    struct xf_ledger_entry *rows;
    void *texts; /* theirs */
};
void xf_ledger_entries_free(struct xf_ledger_entries *entries);

/* Everything that one report, payment or decision does. */
struct xf_settlement {
    int64_t account;
    int64_t after; /* the ledger's last seq as the caller has read it */
    const struct xf_reading_row *readings;
    size_t reading_count;
    const struct xf_ledger_entry *entries; /* seq and balance are not looked at */
    size_t entry_count;
};
/* Writes all of it. Returns 1; 0 with nothing written if the ledger has grown
 * since it was read; -1 with err, and then the batch it stood in is undone as a
 * whole, because half a settlement must not remain. */
int xf_journal_settle(struct xf_journal *j, const struct xf_settlement *s, struct xf_err *err);

/* A page, oldest first, entries after seq `after`. 0, or -1 with err. Free in every case. */
int xf_journal_list_entries(struct xf_journal *j, int64_t account, int64_t after, size_t limit,
                            struct xf_ledger_entries *out, struct xf_err *err);
/* The last one; the one with a mark. 1 with out->rows[0], 0, or -1 with err. Free in every case. */
int xf_journal_last_entry(struct xf_journal *j, int64_t account, struct xf_ledger_entries *out,
                          struct xf_err *err);
int xf_journal_marked_entry(struct xf_journal *j, int64_t account, const char *mark,
                            struct xf_ledger_entries *out, struct xf_err *err);

#endif
