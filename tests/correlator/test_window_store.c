/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window_store.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

static struct hash128 key_of(uint64_t i)
{
    /* few homes: searches are long, and removals close many holes */
    return (struct hash128){i, i % 97 | i << 32};
}

static void test_finds_what_is_there(void **state)
{
    (void)state;
    enum { KEYS = 5000, ROUNDS = 40000 };
    struct window_store s;
    assert_int_equal(window_store_init(&s, 64 << 20), STATUS_OK);
    uint32_t *numbers = malloc(KEYS * sizeof *numbers);
    for (uint32_t i = 0; i < KEYS; i++)
        numbers[i] = WINDOW_NONE;
    uint64_t random = 1;
    uint32_t live = 0;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        random = hash_mix(random + i);
        uint32_t k = (uint32_t)(random % KEYS);
        assert_int_equal(window_store_find(&s, key_of(k)), numbers[k]);
        if (numbers[k] == WINDOW_NONE) {
            assert_int_equal(window_store_add(&s, key_of(k), &numbers[k]), STATUS_OK);
            live++;
        } else {
            window_store_remove(&s, numbers[k]);
            numbers[k] = WINDOW_NONE;
            live--;
        }
        assert_int_equal(s.live, live);
    }
    for (uint32_t k = 0; k < KEYS; k++)
        assert_int_equal(window_store_find(&s, key_of(k)), numbers[k]);
    free(numbers);
    window_store_fini(&s);
}

/* Keys that agree in the low halves' bits, as a sender can seek them: no search is a walk. */
static void test_sought_keys_are_found_at_once(void **state)
{
    (void)state;
    enum { KEYS = 20000, FAR = 200 };
    struct window_store s;
    uint32_t number = 0;
    assert_int_equal(window_store_init(&s, 64 << 20), STATUS_OK);
    for (uint64_t i = 0; i < KEYS; i++) {
        const struct hash128 key = {hash_mix(i), i % 1024 | i << 32};
        assert_int_equal(window_store_add(&s, key, &number), STATUS_OK);
    }
    for (uint32_t i = 0; i <= s.index.mask; i++) {
        if (s.index.cells[i].number)
            assert_true(((i - s.index.cells[i].home) & s.index.mask) < FAR);
    }
    window_store_fini(&s);
}

static void test_marks(void **state)
{
    (void)state;
    struct window_store s;
    assert_int_equal(window_store_init(&s, 64 << 20), STATUS_OK);
    uint32_t number = 0;
    for (uint64_t i = 0; i < 3000; i++)
        assert_int_equal(window_store_add(&s, key_of(i), &number), STATUS_OK);
    static const uint32_t marked[] = {0, 1, 63, 64, 1000, 1023, 1024, 2047, 2999};
    for (uint32_t i = 0; i < 9; i++)
        window_store_mark(&s, marked[i]);
    window_store_mark(&s, 500);
    window_store_remove(&s, 500); /* gone: not to be written */
    uint32_t at = window_store_next_marked(&s, 0);
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(at, marked[i]);
        at = window_store_next_marked(&s, at + 1);
    }
    assert_int_equal(at, WINDOW_NONE);
    assert_int_equal(window_store_next_marked(&s, 0), WINDOW_NONE);
    window_store_fini(&s);
}

static void test_ceiling(void **state)
{
    (void)state;
    enum { CEILING = 300000 };
    struct window_store s;
    assert_int_equal(window_store_init(&s, CEILING), STATUS_OK);
    uint32_t number = 0;
    uint64_t i = 0;
    while (window_store_add(&s, key_of(i), &number) == STATUS_OK)
        i++;
    assert_true(i >= 1024 && i % 1024 == 0);
    assert_true(window_store_bytes(&s) <= CEILING);
    assert_int_equal(window_store_add(&s, key_of(i), &number), STATUS_LIMIT);
    window_store_remove(&s, 7); /* one went: one more has room */
    assert_int_equal(window_store_add(&s, key_of(i), &number), STATUS_OK);
    assert_int_equal(number, 7);
    window_store_fini(&s);
}

static void test_slab(void **state)
{
    (void)state;
    for (uint32_t i = 0; i + 1 < SLAB_CLASSES; i++) {
        assert_int_equal(slab_class(slab_size(i)), i);
        assert_int_equal(slab_class(slab_size(i) + 1), i + 1);
    }
    assert_int_equal(slab_class(1), 0);
    assert_int_equal(slab_class((size_t)1 << 40), SLAB_CLASSES);
    struct slab s;
    slab_init(&s, 200000);
    void *first = slab_take(&s, 3);
    assert_non_null(first);
    memset(first, 1, slab_size(3));
    slab_give(&s, 3, first);
    assert_ptr_equal(slab_take(&s, 3), first);
    void *large = slab_take(&s, slab_class(100000));
    assert_non_null(large);
    assert_null(slab_take(&s, slab_class(100000)));
    size_t used = s.used_bytes;
    slab_give(&s, slab_class(100000), large);
    assert_true(s.used_bytes <= used - 100000);
    uint32_t blocks = 0;
    while (slab_take(&s, 0))
        blocks++;
    assert_true(blocks > 4000 && s.used_bytes <= 200000);
    slab_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_is_there),
        cmocka_unit_test(test_sought_keys_are_found_at_once),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_slab),
    };
    return cmocka_run_group_tests_name("test_window_store", tests, NULL, NULL);
}
