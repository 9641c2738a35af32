/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/view/response_times.h"
#include "tests/support/table.h"
#include <string.h>

#define S INT64_C(1000000)

/* 'n' ends after n seconds, '-n' is still open after n; 0 is unknown. */
static const struct row {
    const char *name;
    int values[32];
    const char *json;
} rows[] = {
    {"none", {0}, "\"n\":0,\"open\":0"},
    {"one",
     {5},
     "\"n\":1,\"open\":0,\"median_s\":5,\"p90_s\":5,\"mean_s\":5,\"max_s\":5,"
     "\"median_with_open_s\":5,\"points_s\":[5]"},
    {"even",
     {4, 2, 8, 6},
     "\"n\":4,\"open\":0,\"median_s\":5,\"p90_s\":8,\"mean_s\":5,\"max_s\":8,"
     "\"median_with_open_s\":4,\"points_s\":[2,4,6,8]"},
    {"open ones",
     {1, -10, -10, -10},
     "\"n\":1,\"open\":3,\"median_s\":1,\"p90_s\":1,\"mean_s\":1,"
     "\"max_s\":1,\"points_s\":[1]"},
    {"open ones push the median",
     {1, 2, -2, 9},
     "\"n\":3,\"open\":1,\"median_s\":2,\"p90_s\":9,"
     "\"mean_s\":4,\"max_s\":9,"
     "\"median_with_open_s\":2,\"points_s\":[1,2,9]"},
    {"only open", {-3, -4}, "\"n\":0,\"open\":2"},
};

static void test_write(void **state)
{
    const struct row *row = *state;
    struct response_times t = {0};
    struct buffer out;
    buffer_init(&out, 4096);
    for (int n = 0; n < 32 && row->values[n]; n++) {
        if (row->values[n] > 0)
            response_times_add(&t, row->values[n] * S);
        else
            response_times_add_open(&t, -row->values[n] * S);
    }
    response_times_write(&t, &out);
    buffer_byte(&out, 0);
    assert_string_equal(out.at, row->json);
    response_times_fini(&t);
    buffer_fini(&out);
}

/* Unknown is never 0, and clocks that disagree are shown, not averaged in. */
static void test_unknown_and_negative(void **state)
{
    (void)state;
    struct response_times t = {0};
    struct buffer out;
    buffer_init(&out, 4096);
    response_times_add_unknown(&t);
    response_times_add(&t, -5 * S);
    response_times_write(&t, &out);
    buffer_byte(&out, 0);
    assert_string_equal(out.at, "\"n\":0,\"open\":0,\"unknown\":1,\"negative\":1");
    response_times_fini(&t);
    buffer_fini(&out);
}

static void test_many_have_percentiles(void **state)
{
    (void)state;
    struct response_times t = {0};
    struct buffer out;
    buffer_init(&out, 4096);
    for (int n = 100; n > 0; n--)
        response_times_add(&t, n * S);
    response_times_write(&t, &out);
    buffer_byte(&out, 0);
    assert_non_null(strstr(out.at, "\"median_s\":50.5"));
    assert_non_null(strstr(out.at, "\"p90_s\":90,\"p95_s\":95"));
    assert_null(strstr(out.at, "points_s"));
    response_times_fini(&t);
    buffer_fini(&out);
}

int main(void)
{
    struct CMUnitTest tests[16];
    size_t n = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        tests[n++] = ROW(test_write, &rows[r]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_unknown_and_negative);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_many_have_percentiles);
    return _cmocka_run_group_tests("test_response_times", tests, n, NULL, NULL);
}
