/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/due.h"
#include "tests/support/table.h"
#include <stdlib.h>

enum { MANY = 5000 };

static int by_time(const void *a, const void *b)
{
    const struct due *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Whatever was put, moved and taken out: those that are due come sorted, the others not at all. */
static void test_order(void **state)
{
    (void)state;
    struct due_index index;
    static struct due dues[MANY], sorted[MANY];
    uint32_t random = 7, left = 0;
    due_init(&index);
    for (size_t d = 0; d < MANY; d++) {
        random = random * 1664525 + 1013904223;
        assert_int_equal(due_put(&index, &dues[d], (random >> 8) % 1000), STATUS_OK);
    }
    for (size_t d = 0; d < MANY; d += 3) {
        random = random * 1664525 + 1013904223;
        assert_int_equal(due_put(&index, &dues[d], (random >> 8) % 1000), STATUS_OK);
    }
    for (size_t d = 0; d < MANY; d += 5)
        due_remove(&index, &dues[d]);
    for (size_t d = 0; d < MANY; d++)
        if (dues[d].place)
            sorted[left++] = dues[d];
    assert_int_equal(index.count, left);
    qsort(sorted, left, sizeof *sorted, by_time);
    uint32_t taken = 0;
    for (int64_t now_us = 0; now_us < 900; now_us += 100)
        for (struct due *due = due_take(&index, now_us); due; due = due_take(&index, now_us)) {
            assert_int_equal(due->at_us, sorted[taken].at_us);
            assert_int_equal(due->order, sorted[taken++].order);
            assert_true(due->at_us <= now_us);
            assert_int_equal(due->place, 0);
        }
    assert_true(taken > 0 && taken < left);
    assert_true(sorted[taken].at_us > 800);
    due_fini(&index);
}

/* What was due stays due when the wall clock is set back. */
static void test_clock_set_back(void **state)
{
    (void)state;
    struct due_index index;
    struct due first = {0}, second = {0}, third = {0};
    due_init(&index);
    assert_int_equal(due_put(&index, &first, 100), STATUS_OK);
    assert_int_equal(due_put(&index, &second, 200), STATUS_OK);
    assert_int_equal(due_put(&index, &third, 201), STATUS_OK);
    assert_null(due_take(&index, 99));
    assert_ptr_equal(due_take(&index, 200), &first);
    assert_ptr_equal(due_take(&index, 5), &second);
    assert_null(due_take(&index, 5));
    due_remove(&index, &second); /* it waits no more: nothing */
    due_remove(&index, &third);
    assert_null(due_take(&index, 1000));
    due_fini(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_clock_set_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
