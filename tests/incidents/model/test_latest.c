/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/latest.h"
#include "tests/support/table.h"

enum { MAX = 7, THINGS = 16, STEPS = 20000 };

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* What it is, said plainly: two scans of a list. */
struct plain {
    uint64_t thing[MAX];
    int64_t at_us[MAX];
    uint32_t count;
};

static uint32_t oldest_of(const struct plain *plain)
{
    uint32_t oldest = 0;
    for (uint32_t p = 1; p < plain->count; p++)
        if (plain->at_us[p] < plain->at_us[oldest] ||
            (plain->at_us[p] == plain->at_us[oldest] && plain->thing[p] < plain->thing[oldest]))
            oldest = p;
    return oldest;
}

static bool plain_note(struct plain *plain, uint64_t thing, int64_t at_us, uint64_t *out_gone)
{
    for (uint32_t p = 0; p < plain->count; p++)
        if (plain->thing[p] == thing) {
            if (at_us > plain->at_us[p])
                plain->at_us[p] = at_us;
            return false;
        }
    uint32_t place = plain->count < MAX ? plain->count++ : oldest_of(plain);
    bool is_full = plain->count == MAX && plain->thing[place];
    if (is_full && (at_us < plain->at_us[place] ||
                    (at_us == plain->at_us[place] && thing < plain->thing[place])))
        return false;
    *out_gone = plain->thing[place];
    plain->thing[place] = thing;
    plain->at_us[place] = at_us;
    return is_full;
}

static void test_as_two_scans(void **state)
{
    (void)state;
    struct latest latest = {0};
    struct plain plain = {0};
    uint32_t seed = 20260810;
    for (uint32_t step = 0; step < STEPS; step++) {
        struct latest_gone gone;
        uint64_t thing = 1 + next_random(&seed) % THINGS, want = 0;
        int64_t at_us = (int64_t)step / 4 + next_random(&seed) % 5; /* equal times, and late ones */
        bool has = plain_note(&plain, thing, at_us, &want);
        assert_int_equal(latest_note(&latest, MAX, thing, at_us, &gone), STATUS_OK);
        assert_int_equal(gone.is_gone, has);
        if (has)
            assert_int_equal(gone.thing, want);
        assert_int_equal(latest.count, plain.count);
        assert_int_equal(latest_oldest_us(&latest), plain.at_us[oldest_of(&plain)]);
    }
    latest_fini(&latest);
}

/* Each is written once, however often it was noted; one that was dropped is not. */
static void test_dirty(void **state)
{
    (void)state;
    struct latest latest = {0};
    struct latest_gone gone;
    uint64_t dropped;
    for (int64_t n = 0; n < 30; n++)
        assert_int_equal(latest_note(&latest, 3, (uint64_t)n % 3, n, &gone), STATUS_OK);
    assert_true(latest_drop(&latest, &dropped));
    assert_int_equal(dropped, 0);
    uint32_t count = 0;
    while (latest_take_dirty(&latest))
        count++;
    assert_int_equal(count, 2);
    assert_true(latest_drop(&latest, &dropped));
    assert_true(latest_drop(&latest, &dropped));
    assert_int_equal(dropped, 2);
    assert_false(latest_drop(&latest, &dropped));
    latest_fini(&latest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_two_scans),
        cmocka_unit_test(test_dirty),
    };
    return cmocka_run_group_tests_name("test_latest", tests, NULL, NULL);
}
