#include "journal_sighting.h"

#include <stddef.h>

#include "journal_inside.h"

static int write_once(struct xf_journal *j, sqlite3_stmt *s, bool own, struct xf_err *err)
{
    int row = s == NULL ? -1 : xf_sql_row(j, s, err);

    xf_sql_end(s);
    return xf_journal_leave(j, own, row >= 0, err) != 0 || row < 0 ? -1 : 0;
}

static int check(const char *device_id, struct xf_err *err)
{
    return device_id != NULL && device_id[0] != '\0' ? 0 : xf_fail(err, "which device was it?");
}

int xf_journal_see(struct xf_journal *j, const struct xf_sighting *s, struct xf_err *err)
{
    bool own;

    if (check(s->device_id, err) != 0)
        return -1;
    if ((s->report == NULL) != (s->report_time == NULL) || (s->alarm == NULL) != (s->alarm_time == NULL))
        return xf_fail(err, "a report or an alarm is remembered with its time");
    if (xf_journal_enter(j, &own, err) != 0)
        return -1;
    return write_once(j,
                      xf_sql_start(j, XF_SQL_SIGHTING_PUT, err, "ttttttii", s->device_id, s->device_no,
                                   s->report, s->report_time, s->alarm, s->alarm_time, s->seen_at,
                                   (int64_t)XF_RHYTHM_LEAST),
                      own, err);
}

int xf_journal_asked(struct xf_journal *j, const char *device_id, int64_t at, struct xf_err *err)
{
    bool own;

    if (check(device_id, err) != 0 || xf_journal_enter(j, &own, err) != 0)
        return -1;
    return write_once(j, xf_sql_start(j, XF_SQL_SIGHTING_ASKED, err, "ti", device_id, at), own, err);
}

static const size_t texts[] = {
    offsetof(struct xf_sighting, device_id), offsetof(struct xf_sighting, device_no),
    offsetof(struct xf_sighting, report),    offsetof(struct xf_sighting, report_time),
    offsetof(struct xf_sighting, alarm),     offsetof(struct xf_sighting, alarm_time),
};

static void numbers(sqlite3_stmt *s, int column, void *row)
{
    struct xf_sighting *o = row;

    o->seen_at = sqlite3_column_int64(s, column);
    o->reported_at = sqlite3_column_int64(s, column + 1);
    o->rhythm = sqlite3_column_int64(s, column + 2);
    o->asked_at = sqlite3_column_int64(s, column + 3);
}

static const struct xf_row_shape shape = {
    .size = sizeof(struct xf_sighting),
    .texts = texts,
    .count = sizeof texts / sizeof texts[0],
    .numbers = numbers,
};

static int read_sightings(struct xf_journal *j, sqlite3_stmt *s, size_t limit, struct xf_sightings *out,
                          struct xf_err *err)
{
    struct xf_rows rows;

    if (s == NULL || xf_rows_read(j, s, &shape, limit, &rows, err) != 0)
        return -1;
    *out = (struct xf_sightings){.count = rows.count, .rows = rows.rows, .texts = rows.texts};
    return 0;
}

void xf_sightings_free(struct xf_sightings *sightings)
{
    xf_rows_free(sightings->rows, sightings->texts);
    *sightings = (struct xf_sightings){0};
}

int xf_journal_recall_sighting(struct xf_journal *j, const char *device_id, struct xf_sightings *out,
                               struct xf_err *err)
{
    *out = (struct xf_sightings){0};
    if (check(device_id, err) != 0 || xf_journal_ready(j, err) != 0 ||
        read_sightings(j, xf_sql_start(j, XF_SQL_SIGHTING_GET, err, "t", device_id), 1, out, err) != 0)
        return -1;
    return (int)out->count;
}

int xf_journal_list_silent(struct xf_journal *j, int64_t now, int64_t every, const char *after, size_t limit,
                           struct xf_sightings *out, struct xf_err *err)
{
    if (limit == 0 || limit > XF_JOURNAL_PAGE)
        limit = XF_JOURNAL_PAGE;
    *out = (struct xf_sightings){0};
    if (xf_journal_ready(j, err) != 0)
        return -1;
    return read_sightings(j,
                          xf_sql_start(j, XF_SQL_SIGHTING_SILENT, err, "izti", now, every,
                                       after != NULL ? after : "", (int64_t)limit),
                          limit, out, err);
}
