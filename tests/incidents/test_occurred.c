/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/incidents/incident_case.h"

/* An incident occurred when its earliest evidence did, not when the detection came. */

static const struct case_rule guessing = {"ssh-guessing", LEVEL_MEDIUM, "credential-access"};
static const struct case_rule success = {"ssh-success", LEVEL_HIGH, "initial-access"};

struct blow {
    const struct case_rule *rule;
    int at_s, lead_s;
};
static const struct row {
    const char *name;
    struct blow steps[4];
    uint32_t count;
    int occurred_s;
} rows[] = {
    {"guesses, then a login", {{&guessing, 5, 4}, {&success, 20, 15}}, 2, 1},
    {"the window that completes later began earlier",
     {{&guessing, 5, 1}, {&success, 20, 19}},
     2,
     1},
    {"evidence that reaches back, once it is open",
     {{&guessing, 5, 1}, {&success, 20, 0}, {&guessing, 30, 29}},
     3,
     1},
    {"later evidence changes nothing",
     {{&guessing, 5, 4}, {&success, 20, 0}, {&guessing, 30, 3}},
     3,
     1},
    {"single events", {{&guessing, 5, 0}, {&success, 20, 0}}, 2, 5},
};

static void test_occurred(void **state)
{
    const struct row *row = *state;
    struct incidents *i = case_memory();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (uint32_t s = 0; s < row->count; s++) {
        struct case_detection c;
        const struct blow *step = &row->steps[s];
        const struct entity entity = {TEXT("192.0.2.7"), ENTITY_ADDRESS, true};
        struct rule rule = case_make_rule(step->rule);
        case_make(&c, &rule, CASE_T0 + step->at_s * CASE_S, s + 1, &entity, 1);
        c.detection.lead_us = step->lead_s * CASE_S;
        assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    }
    struct doc_tree t = case_first(i, "incident", &arena);
    const struct doc_tree *times = doc_tree_get(&t, "times");
    assert_int_equal(doc_tree_time(times, "occurred"), CASE_T0 + row->occurred_s * CASE_S);
    assert_int_equal(doc_tree_time(times, "opened"), CASE_T0 + 20 * CASE_S);
    arena_fini(&arena);
    incidents_close(i);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_occurred, &rows[i]);
    return _cmocka_run_group_tests("test_occurred", tests, COUNT, NULL, NULL);
}
