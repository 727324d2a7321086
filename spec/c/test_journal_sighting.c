/* What devices let be known of themselves: the newest counts, rhythms are learned, silence is noticed. */
#include "journal_sighting.h"

#include "journal_case.h"

static struct xf_sighting report(const char *device, const char *time, int64_t at)
{
    return (struct xf_sighting){.device_id = device, .report = time, .report_time = time, .seen_at = at};
}

static void newest(struct xf_journal *j)
{
    struct xf_sighting alarm = {
        .device_id = "d", .device_no = "7", .alarm = "{}", .alarm_time = "20260102000000", .seen_at = 900};
    static const char *const times[] = {"20260101000000", "20260103000000", "20260102000000"};
    struct xf_sightings found;
    struct xf_err err;

    for (int i = 0; i < 3; i++) {
        struct xf_sighting s = report("d", times[i], 1000 + i);

        CHECK(xf_journal_see(j, &s, &err) == 0);
    }
    CHECK(xf_journal_see(j, &alarm, &err) == 0);
    CHECK(xf_journal_recall_sighting(j, "d", &found, &err) == 1);
    CHECK_TEXT(found.rows[0].report_time, times[1]);
    CHECK_TEXT(found.rows[0].report, times[1]);
    CHECK_TEXT(found.rows[0].alarm, "{}");
    CHECK_TEXT(found.rows[0].device_no, "7");
    CHECK(found.rows[0].seen_at == 1002 && found.rows[0].reported_at == 1002 && found.rows[0].rhythm == 0);
    xf_sightings_free(&found);
    CHECK(xf_journal_recall_sighting(j, "other", &found, &err) == 0);
    xf_sightings_free(&found);

    alarm.alarm_time = NULL;
    CHECK(xf_journal_see(j, &alarm, &err) == -1);
    alarm.device_id = "";
    CHECK(xf_journal_see(j, &alarm, &err) == -1 && xf_journal_asked(j, NULL, 1, &err) == -1);
}

static void rhythm(struct xf_journal *j)
{
    static const struct {
        int64_t at, rhythm;
    } rows[] = {
        {100000, 0},     {100059, 0},     {103659, 3600},  {107259, 3600}, /* a burst teaches nothing */
        {107299, 3600},  {110899, 3600},  {1110899, 6300}, /* a long silence counts as four intervals */
        {1000000, 6300}, {1117199, 6300},
    };
    struct xf_sightings found;
    struct xf_err err;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct xf_sighting s = report("r", "20260101000000", rows[i].at);

        CHECK(xf_journal_see(j, &s, &err) == 0);
        CHECK(xf_journal_recall_sighting(j, "r", &found, &err) == 1);
        CHECK(found.rows[0].rhythm == rows[i].rhythm);
        xf_sightings_free(&found);
    }
}

static size_t silent(struct xf_journal *j, int64_t now, int64_t every, const char *after)
{
    struct xf_sightings found;
    struct xf_err err;
    size_t count;

    CHECK(xf_journal_list_silent(j, now, every, after, 0, &found, &err) == 0);
    count = found.count;
    xf_sightings_free(&found);
    return count;
}

static void silence(struct xf_journal *j)
{
    const struct xf_device known = {
        .company_code = "C", .device_no = "9", .device_id = "never", .updated_at = 1000};
    struct xf_sighting s = report("s", "20260101000000", 10000);
    struct xf_sightings found;
    struct xf_err err;

    CHECK(xf_journal_see(j, &s, &err) == 0);
    CHECK(silent(j, 1000000, 0, NULL) == 0); /* nothing learned yet */
    CHECK(silent(j, 10100, 100, NULL) == 0 && silent(j, 10101, 100, NULL) == 1);
    s.seen_at = 11000;
    CHECK(xf_journal_see(j, &s, &err) == 0);
    CHECK(silent(j, 11000 + 5600, 0, NULL) == 0 && silent(j, 11000 + 5601, 0, NULL) == 1);
    CHECK(xf_journal_remember_device(j, &known, &err) == 0);
    CHECK(silent(j, 11050, 100, NULL) == 1 && silent(j, 11101, 100, NULL) == 2 &&
          silent(j, 11101, 100, "never") == 1);

    CHECK(xf_journal_asked(j, "never", 12000, &err) == 0 && xf_journal_asked(j, "s", 12001, &err) == 0);
    CHECK(xf_journal_list_silent(j, 12000, 100, NULL, 0, &found, &err) == 0);
    if (CHECK(found.count == 2)) {
        CHECK_TEXT(found.rows[0].device_id, "never");
        CHECK_TEXT(found.rows[0].device_no, "9");
        CHECK(found.rows[0].asked_at == 12000 && found.rows[1].asked_at == 12001);
    }
    xf_sightings_free(&found);
    s.seen_at = 13000;
    CHECK(xf_journal_see(j, &s, &err) == 0);
    CHECK(xf_journal_recall_sighting(j, "s", &found, &err) == 1 && found.rows[0].asked_at == 0);
    xf_sightings_free(&found);
}

static void each(void (*test)(struct xf_journal *j))
{
    struct journal_case c = case_start();
    struct xf_journal *j = case_open(&c);

    test(j);
    xf_journal_close(j);
    case_end(&c);
}

int main(void)
{
    each(newest);
    each(rhythm);
    each(silence);
    return check_end();
}
