/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tally.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

struct told {
    char text[4096];
};

static void write_down(void *context, const struct metric *m)
{
    struct told *told = context;
    size_t used = strlen(told->text);
    (void)snprintf(told->text + used, sizeof told->text - used, "%s{%s}=%g ", m->name,
                   m->labels ? m->labels : "", m->value);
}

static void add(struct tally *t, const char *name, const char *labels, double value)
{
    char kept[64];
    char kept_labels[64];
    (void)snprintf(kept, sizeof kept, "%s", name);
    (void)snprintf(kept_labels, sizeof kept_labels, "%s", labels ? labels : "");
    struct metric m = {.name = kept,
                       .help = "Help.",
                       .labels = labels ? kept_labels : NULL,
                       .kind = METRIC_COUNTER,
                       .value = value};
    tally_add(t, &m);
    memset(kept, 'x', sizeof kept - 1); /* the tally keeps copies */
    memset(kept_labels, 'x', sizeof kept_labels - 1);
}

static const struct row {
    const char *name;
    struct {
        const char *name, *labels;
        double value;
    } in[8];
    const char *want;
} rows[] = {
    {"tally: nothing", {{0}}, ""},
    {"tally: one", {{"a_total", NULL, 3}}, "a_total{}=3 "},
    {"tally: threads add up", {{"a_total", NULL, 3}, {"a_total", NULL, 4}}, "a_total{}=7 "},
    {"tally: labels keep apart",
     {{"a_total", "x=\"1\"", 3}, {"a_total", "x=\"2\"", 4}, {"a_total", "x=\"1\"", 1}},
     "a_total{x=\"1\"}=4 a_total{x=\"2\"}=4 "},
    {"tally: none is not an empty label",
     {{"a_total", NULL, 1}, {"a_total", "x=\"1\"", 2}},
     "a_total{}=1 a_total{x=\"1\"}=2 "},
    {"tally: one name's series stand together",
     {{"b_total", "x=\"1\"", 1}, {"a_total", NULL, 2}, {"b_total", "x=\"0\"", 3}},
     "a_total{}=2 b_total{x=\"1\"}=1 b_total{x=\"0\"}=3 "},
};

static void test_sum(void **state)
{
    const struct row *row = *state;
    struct told told = {{0}};
    AUTO(tally) t = tally_new();
    assert_non_null(t);
    for (size_t i = 0; i < sizeof row->in / sizeof *row->in && row->in[i].name; i++)
        add(t, row->in[i].name, row->in[i].labels, row->in[i].value);
    tally_tell(t, write_down, &told);
    assert_string_equal(told.text, row->want);
}

static void count_series(void *context, const struct metric *m)
{
    double *counts = context;
    counts[0]++;
    counts[1] += m->value;
}

static void test_many_series_grow(void **state)
{
    (void)state;
    double counts[2] = {0, 0};
    AUTO(tally) t = tally_new();
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 600; i++) {
            char name[32];
            (void)snprintf(name, sizeof name, "series_%d_total", i);
            add(t, name, NULL, 1);
        }
    tally_tell(t, count_series, counts);
    assert_int_equal((int)counts[0], 600);
    assert_int_equal((int)counts[1], 1200);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 1];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_sum, &rows[i]);
    tests[COUNT] = (struct CMUnitTest)cmocka_unit_test(test_many_series_grow);
    return cmocka_run_group_tests_name("test_tally", tests, NULL, NULL);
}
