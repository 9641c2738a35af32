/* SPDX-License-Identifier: Apache-2.0 */
#include "console/exposition.h"
#include "tests/support/table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void check(const struct metric *metrics, size_t count, const char *want)
{
    struct arena arena;
    struct buffer out;
    arena_init(&arena, 1 << 20);
    buffer_init(&out, 1 << 16);
    struct exposition *e = exposition_new(&arena);
    assert_non_null(e);
    for (size_t i = 0; i < count; i++)
        exposition_tell(e, &metrics[i]);
    exposition_write(e, &out);
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, want);
    buffer_fini(&out);
    arena_fini(&arena);
}

static void test_families_stand_together(void **state)
{
    (void)state;
    const struct metric metrics[] = {
        {"events_total", "Events.", "source=\"udp\"", METRIC_COUNTER, 3},
        {"queued", "Waiting.", NULL, METRIC_GAUGE, 0.5},
        {"events_total", "Events.", "source=\"tcp\"", METRIC_COUNTER, 9007199254740993.0},
    };
    check(metrics, 3,
          "# HELP tocsin_events_total Events.\n# TYPE tocsin_events_total counter\n"
          "tocsin_events_total{source=\"udp\"} 3\n"
          "tocsin_events_total{source=\"tcp\"} 9007199254740992\n"
          "# HELP tocsin_queued Waiting.\n# TYPE tocsin_queued gauge\ntocsin_queued 0.5\n");
}

static void test_told_twice_counts_once(void **state)
{
    (void)state;
    const struct metric metrics[] = {
        {"a", "A.", "x=\"1\"", METRIC_GAUGE, 1},
        {"a", "A.", "x=\"1\"", METRIC_GAUGE, 2},
        {"b", "B.", "x=\"1\"", METRIC_GAUGE, 3},
    };
    check(metrics, 3,
          "# HELP tocsin_a A.\n# TYPE tocsin_a gauge\ntocsin_a{x=\"1\"} 1\n"
          "# HELP tocsin_b B.\n# TYPE tocsin_b gauge\ntocsin_b{x=\"1\"} 3\n");
}

static void test_odd_values_and_help(void **state)
{
    (void)state;
    const struct metric metrics[] = {
        {"a", "One\nline, a \\ in it.", NULL, METRIC_GAUGE, (double)NAN},
        {"b", "", NULL, METRIC_GAUGE, (double)INFINITY},
        {"c", "", NULL, METRIC_GAUGE, -(double)INFINITY},
        {"not a name", "", NULL, METRIC_GAUGE, 1},
        {"", "", NULL, METRIC_GAUGE, 1},
        {"9a", "", NULL, METRIC_GAUGE, 1},
    };
    check(metrics, 6,
          "# HELP tocsin_a One\\nline, a \\\\ in it.\n# TYPE tocsin_a gauge\ntocsin_a NaN\n"
          "# HELP tocsin_b \n# TYPE tocsin_b gauge\ntocsin_b +Inf\n"
          "# HELP tocsin_c \n# TYPE tocsin_c gauge\ntocsin_c -Inf\n");
}

static void test_many_labels(void **state)
{
    (void)state;
    enum { MANY = 20000 };
    struct arena arena;
    struct buffer out;
    arena_init(&arena, 64 << 20);
    buffer_init(&out, 16 << 20);
    struct exposition *e = exposition_new(&arena);
    assert_non_null(e);
    for (int i = 0; i < MANY; i++) {
        char labels[32];
        (void)snprintf(labels, sizeof labels, "rule=\"%d\"", i);
        exposition_tell(e, &(struct metric){"hits_total", "Hits.", labels, METRIC_COUNTER, i});
    }
    exposition_write(e, &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.at[i] == '\n';
    assert_int_equal(lines, MANY + 2);
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_stand_together),
        cmocka_unit_test(test_told_twice_counts_once),
        cmocka_unit_test(test_odd_values_and_help),
        cmocka_unit_test(test_many_labels),
    };
    return cmocka_run_group_tests_name("test_exposition", tests, NULL, NULL);
}
