/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/feeds.h"
#include "tests/support/table.h"

/* How long before a detection its earliest evidence was. */

static const int64_t second = 1000000;

struct moment {
    int64_t at_s;
    const char *group;
};

static const struct row {
    const char *name;
    enum correlation_type type;
    const char *least; /* gte */
    bool is_absence;
    struct moment events[8];
    uint32_t count;
    int64_t lead_s;
} rows[] = {
    {"five of six",
     CORRELATION_EVENT_COUNT,
     "5",
     false,
     {{1, "a"}, {2, "a"}, {3, "a"}, {4, "a"}, {5, "a"}, {6, "a"}},
     6,
     4},
    {"what left the window does not count",
     CORRELATION_EVENT_COUNT,
     "3",
     false,
     {{1, "a"}, {62, "a"}, {70, "a"}, {80, "a"}},
     4,
     18},
    {"another group's does not count",
     CORRELATION_EVENT_COUNT,
     "2",
     false,
     {{1, "b"}, {4, "a"}, {6, "a"}},
     3,
     2},
    {"late, and the earliest itself",
     CORRELATION_EVENT_COUNT,
     "2",
     false,
     {{50, "a"}, {20, "a"}},
     2,
     0},
    {"one alone", CORRELATION_EVENT_COUNT, "1", false, {{9, "a"}}, 1, 0},
    {"a sum", CORRELATION_VALUE_SUM, "3", false, {{1, "a"}, {3, "a"}, {8, "a"}}, 3, 7},
    {"a silence lasts since the last",
     CORRELATION_EVENT_COUNT,
     "",
     true,
     {{1, "a"}, {5, "a"}, {80, "b"}},
     3,
     60},
};

static void test_lead(void **state)
{
    const struct row *row = *state;
    struct feeds_rules rules = {.count = 0};
    struct correlation *c = feeds_add_rule(&rules, row->type, 60 * second);
    c->is_absence = row->is_absence;
    if (row->is_absence)
        feeds_bound(c, BOUND_EQ, "0");
    else
        feeds_bound(c, BOUND_GTE, row->least);
    struct feeds_run run;
    feeds_open(&run, &rules, 1, 1 << 20);
    for (uint32_t i = 0; i < row->count; i++) {
        int64_t at_us = row->events[i].at_s * second;
        struct feeds_event e = {at_us, at_us, RECORD_EVENT, 1, {{0}}};
        (void)snprintf(e.feeds[0].group, FEEDS_TEXT, "%s", row->events[i].group);
        (void)snprintf(e.feeds[0].value, FEEDS_TEXT, "1");
        feeds_push(&run, &e, 1, i + 1 == row->count);
    }
    char want[32];
    struct text got = buffer_text(&run.out), line;
    (void)snprintf(want, sizeof want, " l%lld", (long long)(row->lead_s * second));
    assert_true(text_split(&got, '\n', &line));
    if (line.len < strlen(want) ||
        !text_equal(text_skip(line, line.len - strlen(want)), text_of(want)))
        fail_msg("want%s, got %.*s", want, TEXT_ARG(line));
    feeds_close(&run);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_lead, &rows[i]);
    return _cmocka_run_group_tests("test_firing", tests, COUNT, NULL, NULL);
}
