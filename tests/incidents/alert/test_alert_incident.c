/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "tests/incidents/incident_case.h"

#define M (60 * CASE_S)

struct told {
    int kinds[NOTICE_DIGEST + 1];
};

static uint32_t route(void *context, const struct notice *n, struct text *out)
{
    struct told *told = context;
    (void)out;
    told->kinds[n->kind]++;
    return 0;
}

static struct incidents *open_record(struct told *told)
{
    struct incidents *i = NULL;
    const struct incidents_options options = {.route = route, .context = told};
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    return i;
}

/* One alert in the shape of ingest's webhooks. */
static void put_by(struct incidents *i, const char *by, const char *title, int64_t at_us,
                   uint64_t position, const char *key, const char *group, const char *status,
                   const char *severity, const char *more)
{
    char json[600];
    struct arena arena;
    size_t at;
    arena_init(&arena, 1 << 20);
    (void)snprintf(json, sizeof json,
                   "{\"integration\":\"%s\",\"key\":\"%s\",\"group\":\"%s\","
                   "\"status\":\"%s\",\"severity\":\"%s\",\"title\":\"%s\"%s}",
                   by, key, group, status, severity, title, more);
    const struct record record = {.raw = text_of(json),
                                  .kind = RECORD_ALERT,
                                  .receive_us = at_us,
                                  .journal_us = at_us,
                                  .position = position,
                                  .epoch = 1};
    struct event event = {0};
    event_reset(&event, &record);
    event.event_us = at_us;
    assert_int_equal(json_scan(record.raw, NULL, &arena, &event, &at), STATUS_OK);
    assert_int_equal(incidents_alert(i, &event), STATUS_OK);
    event_fini(&event);
    arena_fini(&arena);
}

static void put(struct incidents *i, int64_t at_us, uint64_t position, const char *key,
                const char *group, const char *status, const char *severity, const char *more)
{
    put_by(i, "alertmanager", "Disk \\u00e9 full", at_us, position, key, group, status, severity,
           more);
}

static void expect_state(const struct incidents *i, const char *state, const char *severity,
                         uint32_t members)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct doc_tree t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "state"), text_of(state)));
    assert_true(text_equal(doc_tree_text(&t, "severity"), text_of(severity)));
    assert_true(text_equal(doc_tree_text(&t, "profile"), TEXT("operations")));
    assert_int_equal(doc_tree_get(&t, "members")->count, members);
    arena_fini(&arena);
}

static void test_severities(void **state)
{
    (void)state;
    static const struct {
        const char *severity, *opens;
    } all[] = {{"critical", "critical"}, {"error", "high"}, {"", "medium"}, {"info", NULL}};
    for (size_t n = 0; n < sizeof all / sizeof all[0]; n++) {
        struct told told = {0};
        struct incidents *i = open_record(&told);
        put(i, CASE_T0, 1, "a", "g", "firing", all[n].severity, "");
        assert_int_equal(case_count(i, "incident"), all[n].opens != NULL);
        if (all[n].opens)
            expect_state(i, "open", all[n].opens, 1);
        incidents_close(i);
    }
}

static void test_warning_waits(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    put(i, CASE_T0, 1, "a", "g", "firing", "warning", "");
    put(i, CASE_T0, 2, "b", "h", "firing", "warning", "");
    assert_int_equal(case_count(i, "incident"), 0);
    put(i, CASE_T0 + M, 3, "b", "h", "resolved", "warning", "");
    assert_int_equal(incidents_tick(i, CASE_T0 + 2 * M - 1), STATUS_OK);
    assert_int_equal(case_count(i, "incident"), 0);
    assert_int_equal(incidents_tick(i, CASE_T0 + 2 * M), STATUS_OK);
    assert_int_equal(case_count(i, "incident"), 1); /* b was over before */
    expect_state(i, "open", "medium", 1);
    incidents_close(i);
}

static void test_group_resolves_with_its_last(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    put(i, CASE_T0, 1, "a", "g", "firing", "error", "");
    put(i, CASE_T0 + CASE_S, 2, "b", "g", "firing", "critical", "");
    put(i, CASE_T0 + 2 * CASE_S, 3, "a", "g", "firing", "error", ""); /* repeated: nothing new */
    expect_state(i, "open", "critical", 2);
    assert_int_equal(told.kinds[NOTICE_OPENED], 1);
    assert_int_equal(told.kinds[NOTICE_RAISED], 1);
    put(i, CASE_T0 + M, 4, "a", "g", "resolved", "error", "");
    expect_state(i, "open", "critical", 2);
    put(i, CASE_T0 + 2 * M, 5, "b", "g", "resolved", "critical", "");
    expect_state(i, "resolved", "critical", 2);
    assert_int_equal(told.kinds[NOTICE_RESOLVED], 1);
    put(i, CASE_T0 + 2 * M, 6, "b", "g", "resolved", "critical", ""); /* once more: nothing */
    assert_int_equal(told.kinds[NOTICE_RESOLVED], 1);
    /* within ten minutes it is the same incident, later another */
    put(i, CASE_T0 + 11 * M, 7, "a", "g", "firing", "error", "");
    expect_state(i, "open", "high", 2);
    assert_int_equal(told.kinds[NOTICE_REOPENED], 1);
    put(i, CASE_T0 + 12 * M, 8, "a", "g", "resolved", "error", "");
    put(i, CASE_T0 + 23 * M, 9, "a", "g", "firing", "error", "");
    assert_int_equal(case_count(i, "incident"), 2);
    incidents_close(i);
}

/* The earliest start of any member, also of one that came later. */
static void test_occurred(void **state)
{
    (void)state;
    static const char early[] = ",\"starts_at\":\"2026-09-21T14:00:00.000000Z\"";
    static const char later[] = ",\"starts_at\":\"2026-09-21T14:10:00.000000Z\"";
    struct told told = {0};
    struct incidents *i = open_record(&told);
    struct arena arena;
    int64_t want;
    arena_init(&arena, 1 << 20);
    put(i, CASE_T0, 1, "a", "g", "firing", "critical", later);
    put(i, CASE_T0 + CASE_S, 2, "b", "g", "firing", "critical", early);
    struct doc_tree t = case_first(i, "incident", &arena);
    assert_true(timestamp_parse(TEXT("2026-09-21T14:00:00Z"), 0, &want, NULL));
    assert_int_equal(doc_tree_time(doc_tree_get(&t, "times"), "occurred"), want);
    arena_fini(&arena);
    incidents_close(i);
}

static const char start_one[] = ",\"starts_at\":\"2026-09-21T14:00:00.000000Z\"";
static const char start_two[] = ",\"starts_at\":\"2026-09-21T14:10:00.000000Z\"";
static const struct again {
    const char *name, *by, *title, *severity, *more;
    uint64_t recurrences;
    const char *opened_as, *severity_then;
} agains[] = {
    {"a trigger with another summary", "pagerduty", "Disk worse", "error", start_two, 2, "error",
     "high"},
    {"a trigger with the same summary", "pagerduty", "Disk full", "error", start_one, 2, "error",
     "high"},
    {"a trigger that is graver", "pagerduty", "Disk full", "critical", start_one, 2, "error",
     "critical"},
    {"an open alias", "opsgenie", "Disk full", "error", start_one, 2, "error", "high"},
    {"a state told again", "alertmanager", "Disk full", "error", start_one, 0, "error", "high"},
    {"a state told with another value", "alertmanager", "Disk full, 93%", "error", start_one, 0,
     "error", "high"},
    {"a state that is graver", "alertmanager", "Disk full", "critical", start_one, 1, "error",
     "critical"},
    {"a state that began again unseen", "alertmanager", "Disk full", "error", start_two, 1, "error",
     "high"},
};

/* The same key once more, twice, on an open incident. */
static void test_again(void **state)
{
    const struct again *row = *state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    put_by(i, row->by, "Disk full", CASE_T0, 1, "a", "a", "firing", row->opened_as, start_one);
    for (uint64_t n = 1; n <= 2; n++)
        put_by(i, row->by, row->title, CASE_T0 + (int64_t)n * M, n + 1, "a", "a", "firing",
               row->severity, row->more);
    expect_state(i, "open", row->severity_then, 1);
    struct doc_tree t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_whole(&t, "recurrences", 99), row->recurrences);
    assert_int_equal(doc_tree_whole(&t, "detections", 99), 1 + row->recurrences);
    assert_true(text_equal(doc_tree_text(doc_tree_get(&t, "members")->items, "summary"),
                           text_of(row->title)));
    assert_int_equal(told.kinds[NOTICE_OPENED], 1);
    assert_int_equal(told.kinds[NOTICE_RAISED], strcmp(row->severity, row->opened_as) != 0);
    assert_int_equal(told.kinds[NOTICE_RECURRED], 0);
    /* after a day of quiet people hear of it, where it counts at all */
    put_by(i, row->by, row->title, CASE_T0 + 30 * 60 * M, 9, "a", "a", "firing", row->severity,
           row->more);
    assert_int_equal(told.kinds[NOTICE_RECURRED], row->recurrences == 2);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_acknowledge_and_nothing(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    put(i, CASE_T0, 1, "a", "g", "resolved", "critical", "");
    put(i, CASE_T0, 2, "a", "g", "acknowledged", "", "");
    assert_int_equal(case_count(i, "incident"), 0);
    put(i, CASE_T0 + CASE_S, 3, "a", "g", "firing", "critical", "");
    put(i, CASE_T0 + 2 * CASE_S, 4, "a", "g", "acknowledged", "", "");
    expect_state(i, "acknowledged", "critical", 1);
    put(i, CASE_T0 + 3 * CASE_S, 5, "a", "g", "firing", "critical", "");
    expect_state(i, "acknowledged", "critical", 1);
    incidents_close(i);
}

/* The same outage twice: the second counts, though its alert says the same; and the end of the one
 * before, told again, does not end the one that fires. */
static void test_fires_again(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    char fires[80], ends[160], again[80], fleeting[160], when[3][TIMESTAMP_LEN + 1];
    timestamp_format(CASE_T0 - M, when[0]);
    timestamp_format(CASE_T0 + M, when[1]);
    timestamp_format(CASE_T0 + 4 * M, when[2]);
    (void)snprintf(fires, sizeof fires, ",\"starts_at\":\"%s\"", when[0]);
    (void)snprintf(ends, sizeof ends, "%s,\"ends_at\":\"%s\"", fires, when[1]);
    (void)snprintf(again, sizeof again, ",\"starts_at\":\"%s\"", when[2]);
    for (uint64_t n = 0; n < 2; n++) {
        int64_t at_us = CASE_T0 + (int64_t)n * 2 * M;
        put(i, at_us, 2 * n + 1, "a", "g", "firing", "critical", fires);
        expect_state(i, "open", "critical", 1);
        put(i, at_us + M, 2 * n + 2, "a", "g", "resolved", "critical", ends);
        expect_state(i, "resolved", "critical", 1);
    }
    put(i, CASE_T0 + 5 * M, 5, "a", "g", "firing", "critical", again);
    put(i, CASE_T0 + 6 * M, 6, "a", "g", "resolved", "critical", ends);
    expect_state(i, "open", "critical", 1);
    put(i, CASE_T0 + 7 * M, 7, "a", "g", "resolved", "critical", again);
    expect_state(i, "resolved", "critical", 1);
    /* where an alert expires its start may be ours, and the sender's earlier end counts */
    timestamp_format(CASE_T0 + 30 * M, when[0]);
    (void)snprintf(fleeting, sizeof fleeting, "%s,\"expires_at\":\"%s\"", again, when[0]);
    put(i, CASE_T0 + 8 * M, 8, "a", "g", "firing", "critical", fleeting);
    expect_state(i, "open", "critical", 1);
    put(i, CASE_T0 + 9 * M, 9, "a", "g", "resolved", "critical", ends);
    expect_state(i, "resolved", "critical", 1);
    assert_int_equal(case_count(i, "incident"), 1);
    incidents_close(i);
}

/* What a sender that groups otherwise since its reload, or another replica, says of an alert that
 * fires in "scope|receiver|group": the group is not known, the alert is. */
static const struct regrouped {
    const char *name, *by, *group;
    bool has_start, is_later; /* is_later: of another episode */
    uint32_t fires;           /* incidents, where it fires there as well */
    bool is_resolved;
} regroups[] = {
    {"regrouped: another group", "alertmanager", "am|r|{}:{job=x}", true, false, 1, true},
    {"regrouped: no start is said", "alertmanager", "am|r|{}:{job=x}", false, false, 2, true},
    {"regrouped: another sender's path", "alertmanager", "am-1|r|{}:{name=x}", true, false, 1,
     true},
    {"regrouped: as before the upgrade", "alertmanager", "http://am|r|{}:{name=x}", true, false, 1,
     true},
    {"regrouped: another receiver", "alertmanager", "am|s|{}:{name=x}", true, false, 2, true},
    {"regrouped: another sender, another episode", "alertmanager", "other|r|{}:{name=x}", true,
     true, 2, false},
    {"regrouped: another kind of sender", "grafana", "am|r|{}:{name=x}", true, false, 2, false},
};

static void test_regrouped(void **state)
{
    const struct regrouped *row = *state;
    struct told told = {0};
    char starts[64], theirs[64], when[TIMESTAMP_LEN + 1];
    timestamp_format(CASE_T0 - M, when);
    (void)snprintf(starts, sizeof starts, ",\"starts_at\":\"%s\"", when);
    timestamp_format(row->is_later ? CASE_T0 + M : CASE_T0 - M, when);
    (void)snprintf(theirs, sizeof theirs, ",\"starts_at\":\"%s\"", when);
    if (!row->has_start)
        theirs[0] = 0;
    for (int fires_there = 0; fires_there < 2; fires_there++) {
        struct incidents *i = open_record(&told);
        put(i, CASE_T0, 1, "00000000000000aa", "am|r|{}:{name=x}", "firing", "critical", starts);
        if (fires_there) {
            put_by(i, row->by, "t", CASE_T0 + 2 * M, 2, "00000000000000aa", row->group, "firing",
                   "critical", theirs);
            assert_int_equal(case_count(i, "incident"), row->fires);
        }
        put_by(i, row->by, "t", CASE_T0 + 3 * M, 3, "00000000000000aa", row->group, "resolved",
               "critical", theirs);
        expect_state(i, row->is_resolved ? "resolved" : "open", "critical", 1);
        put_by(i, "alertmanager", "t", CASE_T0 + 4 * M, 4, "00000000000000aa", "am|r|{}:{name=x}",
               "resolved", "critical", starts);
        expect_state(i, "resolved", "critical", 1);
        incidents_close(i);
    }
}

/* A warning that waits is over where it is resolved in another group. */
static void test_regrouped_while_it_waits(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    put(i, CASE_T0, 1, "00000000000000aa", "am|r|one", "firing", "warning", "");
    put(i, CASE_T0, 2, "00000000000000bb", "am|r|one", "firing", "warning", "");
    put(i, CASE_T0 + M, 3, "00000000000000aa", "am|r|two", "resolved", "warning", "");
    assert_int_equal(incidents_tick(i, CASE_T0 + 3 * M), STATUS_OK);
    assert_int_equal(case_count(i, "incident"), 1);
    expect_state(i, "open", "medium", 1);
    incidents_close(i);
}

static void test_expiry(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    char more[80], when[TIMESTAMP_LEN + 1];
    timestamp_format(CASE_T0 + 5 * M, when);
    (void)snprintf(more, sizeof more, ",\"expires_at\":\"%s\"", when);
    put(i, CASE_T0, 1, "a", "g", "firing", "critical", more);
    assert_int_equal(incidents_tick(i, CASE_T0 + 4 * M), STATUS_OK);
    expect_state(i, "open", "critical", 1);
    assert_int_equal(incidents_tick(i, CASE_T0 + 6 * M), STATUS_OK);
    expect_state(i, "resolved", "critical", 1);
    incidents_close(i);
}

static void test_heartbeat(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    for (uint64_t n = 0; n < 5; n++) {
        put(i, CASE_T0 + (int64_t)n * 5 * M, n + 1, "watchdog", "g", "firing", "",
            ",\"is_heartbeat\":true");
        assert_int_equal(incidents_tick(i, CASE_T0 + (int64_t)n * 5 * M + 1), STATUS_OK);
    }
    assert_int_equal(case_count(i, "incident"), 0);
    assert_int_equal(incidents_tick(i, CASE_T0 + 34 * M), STATUS_OK);
    assert_int_equal(case_count(i, "incident"), 0);
    assert_int_equal(incidents_tick(i, CASE_T0 + 36 * M), STATUS_OK);
    expect_state(i, "open", "critical", 1);
    put(i, CASE_T0 + 40 * M, 9, "watchdog", "g", "firing", "", ",\"is_heartbeat\":true");
    expect_state(i, "resolved", "critical", 1);
    incidents_close(i);
}

/* An alert is context for its host, and no evidence alone. */
static void test_charges_its_host(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = open_record(&told);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    put(i, CASE_T0, 1, "a", "g", "firing", "critical", ",\"host\":\"db1\",\"name\":\"DiskFull\"");
    put(i, CASE_T0, 2, "b", "h", "firing", "critical", ",\"host\":\"db1\",\"name\":\"LoadHigh\"");
    struct doc_tree t = case_first(i, "candidate", &arena);
    double score = doc_tree_real(&t, "score", 0);
    assert_true(score > 14.9 && score < 15.1);
    assert_int_equal(incidents_tick(i, CASE_T0 + 61 * M), STATUS_OK);
    t = case_first(i, "candidate", &arena);
    assert_int_equal(doc_tree_whole(doc_tree_get(&t, "contributions")->items, "count", 0), 4);
    arena_fini(&arena);
    incidents_close(i);
}

int main(void)
{
    enum { AGAINS = sizeof agains / sizeof *agains };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_warning_waits),
        cmocka_unit_test(test_group_resolves_with_its_last),
        cmocka_unit_test(test_occurred),
        cmocka_unit_test(test_acknowledge_and_nothing),
        cmocka_unit_test(test_fires_again),
        cmocka_unit_test(test_regrouped_while_it_waits),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_charges_its_host),
    };
    enum { REGROUPS = sizeof regroups / sizeof *regroups };
    struct CMUnitTest tests[AGAINS + REGROUPS];
    for (size_t i = 0; i < AGAINS; i++)
        tests[i] = ROW(test_again, &agains[i]);
    for (size_t i = 0; i < REGROUPS; i++)
        tests[AGAINS + i] = ROW(test_regrouped, &regroups[i]);
    int failed = _cmocka_run_group_tests("test_again", tests, AGAINS + REGROUPS, NULL, NULL);
    return failed + cmocka_run_group_tests_name("test_alert_incident", alone, NULL, NULL);
}
