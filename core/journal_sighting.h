/*
 * What devices have let be known of themselves by pushes and reports: the newest
 * report and alarm, when they were last heard, how often they report, and so
 * which are silent. By the platform's deviceId, which is all that a push names.
 * journal.h's conventions hold; writing joins the batch that is open.
 */
#ifndef XF_JOURNAL_SIGHTING_H
#define XF_JOURNAL_SIGHTING_H

#include "journal.h"

/* Intervals shorter than this are of one occasion, and teach nothing (s). */
enum { XF_RHYTHM_LEAST = 60 };

struct xf_sighting {
    const char *device_id;
    const char *device_no; /* NULL: not known */
    const char *report, *report_time; /* the newest, JSON, and its 14 digits; or both NULL */
    const char *alarm, *alarm_time; /* likewise */
    int64_t seen_at; /* when anything came last; 0: never */
    int64_t reported_at; /* when a report came last, 0: never; told, not written: see xf_journal_see */
    int64_t rhythm; /* learned seconds between reports, 0: not yet; told, not written */
    int64_t asked_at; /* when its report was asked for because it is silent, 0: not since the last one */
};

/* Writes what came of a device at seen_at. NULL leaves a member as it is, and so
 * does a report or alarm older than the known one; the rhythm is learned from
 * when reports come. Returns 0, or -1 with err. */
int xf_journal_see(struct xf_journal *j, const struct xf_sighting *s, struct xf_err *err);
/* It was asked for the report it owes. Returns 0, or -1 with err. */
int xf_journal_asked(struct xf_journal *j, const char *device_id, int64_t at, struct xf_err *err);

struct xf_sightings {
    size_t count;
    struct xf_sighting *rows;
    void *texts; /* theirs */
};
void xf_sightings_free(struct xf_sightings *sightings);
/* 1 with out->rows[0], 0, or -1 with err. Free in every case. */
int xf_journal_recall_sighting(struct xf_journal *j, const char *device_id, struct xf_sightings *out,
                               struct xf_err *err);
/* A page of the devices that should have reported by `now` and have not, by
 * deviceId, those after `after` (NULL: from the first). With `every` > 0 a device
 * owes a report every so many seconds, known meters that never reported too; else
 * twice its rhythm and an hour. Free in every case. Returns 0, or -1 with err. */
int xf_journal_list_silent(struct xf_journal *j, int64_t now, int64_t every, const char *after, size_t limit,
                           struct xf_sightings *out, struct xf_err *err);

#endif
