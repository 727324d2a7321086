/* Meters: what is known of them, and their bill numbers. */
#include <stddef.h>

#include "journal_inside.h"

static int check_device(const char *company_code, const char *device_no, struct xf_err *err)
{
    if (company_code == NULL || company_code[0] == '\0' || device_no == NULL || device_no[0] == '\0')
        return xf_fail(err, "a meter is named by its company and its number");
    return 0;
}

int xf_journal_next_bill(struct xf_journal *j, const char *company_code, const char *device_no,
                         struct xf_err *err)
{
    sqlite3_stmt *s;
    int row, mark;

    if (check_device(company_code, device_no, err) != 0 || xf_journal_ready(j, err) != 0)
        return -1;
    if (!j->batch)
        return xf_fail(err, "a bill number is only to be had in the batch that places its order");
    s = xf_sql_start(j, XF_SQL_BILL_MARK, err, "tt", device_no, company_code);
    row = s == NULL ? -1 : xf_sql_row(j, s, err);
    mark = row == 1 ? sqlite3_column_int(s, 0) : 0;
    xf_sql_end(s);
    if (row < 0)
        return -1;
    if (mark >= XF_BILL_MOST) {
        (void)xf_fail(err, "meter %.40s has used all its bill numbers, up to %d: a person must see to it",
                      device_no, (int)XF_BILL_MOST);
        return 0;
    }
    return mark + 1;
}

/* Runs a writing statement, alone or in the batch. */
static int write_once(struct xf_journal *j, sqlite3_stmt *s, bool own, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return xf_journal_leave(j, own, row >= 0, err) != 0 || row < 0 ? -1 : 0;
}

int xf_journal_lift_bill(struct xf_journal *j, const char *company_code, const char *device_no, int bill_no,
                         struct xf_err *err)
{
    bool own;

    if (check_device(company_code, device_no, err) != 0)
        return -1;
    if (bill_no < 1 || bill_no > XF_BILL_MOST)
        return xf_fail(err, "bill number %d is not from 1 to %d", bill_no, (int)XF_BILL_MOST);
    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return write_once(
        j, xf_sql_start(j, XF_SQL_BILL_LIFT, err, "tti", device_no, company_code, (int64_t)bill_no), own,
        err);
}

int xf_journal_remember_device(struct xf_journal *j, const struct xf_device *d, struct xf_err *err)
{
    bool own;

    if (check_device(d->company_code, d->device_no, err) != 0)
        return -1;
    if ((d->report == NULL) != (d->report_time == NULL))
        return xf_fail(err, "a report is remembered with its time");
    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return write_once(j,
                      xf_sql_start(j, XF_SQL_DEVICE_PUT, err, "tttttti", d->device_no, d->company_code,
                                   d->device_id, d->charge_type, d->report, d->report_time, d->updated_at),
                      own, err);
}

static const size_t device_texts[] = {
    offsetof(struct xf_device, company_code), offsetof(struct xf_device, device_no),
    offsetof(struct xf_device, device_id),    offsetof(struct xf_device, charge_type),
    offsetof(struct xf_device, report),       offsetof(struct xf_device, report_time),
};

static void device_numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_device *d = row;

    d->bill_mark = sqlite3_column_int(s, column);
    d->updated_at = sqlite3_column_int64(s, column + 1);
}

static const struct xf_row_shape device_shape = {
    .size = sizeof(struct xf_device),
    .texts = device_texts,
    .count = sizeof device_texts / sizeof device_texts[0],
    .numbers = device_numbers,
};

static int read_device(struct xf_journal *j, sqlite3_stmt *s, struct xf_devices *out, struct xf_err *err)
{
    struct xf_rows rows;

    if (s == NULL || xf_rows_read(j, s, &device_shape, 1, &rows, err) != 0)
        return -1;
    *out = (struct xf_devices){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return (int)out->count;
}

int xf_journal_recall_device(struct xf_journal *j, const char *company_code, const char *device_no,
                             struct xf_devices *out, struct xf_err *err)
{
    *out = (struct xf_devices){0};
    if (check_device(company_code, device_no, err) != 0 || xf_journal_ready(j, err) != 0)
        return -1;
    return read_device(j, xf_sql_start(j, XF_SQL_DEVICE_GET, err, "tt", device_no, company_code), out, err);
}

int xf_journal_recall_device_id(struct xf_journal *j, const char *device_id, struct xf_devices *out,
                                struct xf_err *err)
{
    *out = (struct xf_devices){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_device(j, xf_sql_start(j, XF_SQL_DEVICE_GET_ID, err, "t", device_id), out, err);
}

void xf_devices_free(struct xf_devices *devices)
{
    xf_rows_free(devices->rows, devices->texts);
    *devices = (struct xf_devices){0};
}
