/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pressure.h"
#include "base/text.h"
#include "tests/support/table.h"
#include <string.h>

static bool told(const struct pressure *p, uint64_t now_ms, const char *piece)
{
    struct buffer out;
    buffer_init(&out, 4096);
    bool is_told = pressure_tell(p, now_ms, &out);
    assert_int_equal(is_told, out.len > 0);
    assert_true(!is_told || text_find(buffer_text(&out), text_of(piece)) < out.len);
    buffer_fini(&out);
    return is_told;
}

static void test_nothing_evicted_is_nothing_to_say(void **state)
{
    (void)state;
    struct pressure p = {0};
    for (uint64_t ms = 1; ms < 100000; ms += 500)
        pressure_look(&p, 0, ms);
    assert_int_equal(p.said_ms, 0);
    assert_false(told(&p, 100000, ""));
}

static void test_a_flood_is_said_now_and_then(void **state)
{
    (void)state;
    struct pressure p = {0};
    uint64_t evicted = 0;
    unsigned lines = 0;
    for (uint64_t ms = 1000; ms < 61000; ms += 500) {
        uint64_t before_ms = p.said_ms;
        pressure_look(&p, evicted += 100, ms);
        lines += p.said_ms != before_ms;
        assert_true(told(&p, ms, "forgotten before their time"));
    }
    assert_int_equal(lines, 6); /* at once, and every ten seconds */
    assert_true(told(&p, 60500 + 60000, "12000 so far"));
    assert_false(told(&p, 60500 + 60001, ""));
    pressure_look(&p, evicted, 200000); /* what was not said yet */
    assert_int_equal(p.said, evicted);
    assert_false(told(&p, 200000, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_evicted_is_nothing_to_say),
        cmocka_unit_test(test_a_flood_is_said_now_and_then),
    };
    return cmocka_run_group_tests_name("test_pressure", tests, NULL, NULL);
}
