/* SPDX-License-Identifier: Apache-2.0 */
#include "app/promise.h"
#include "tests/support/table.h"
#include <pthread.h>
#include <stdlib.h>

static void test_given_before_the_wait(void **state)
{
    (void)state;
    int value = 0;
    AUTO(promise) a = promise_new();
    assert_non_null(a);
    promise_give(a, 7);
    assert_true(promise_wait(a, 0, &value));
    assert_int_equal(value, 7);
}

static void test_patience_ends(void **state)
{
    (void)state;
    int value = 0;
    AUTO(promise) a = promise_new();
    assert_false(promise_wait(a, 1, &value));
    promise_give(a, 7); /* too late for the first wait, not for a second */
    assert_true(promise_wait(a, 0, &value));
    assert_int_equal(value, 7);
}

/* The waiter has gone: the giver comes last and frees (LeakSanitizer and ASan watch). */
static void test_giver_comes_last(void **state)
{
    (void)state;
    int value = 0;
    struct promise *a = promise_new();
    assert_false(promise_wait(a, 1, &value));
    promise_free(a);
    promise_give(a, 7);
}

static void *give(void *answer)
{
    promise_give(answer, 42);
    return NULL;
}

static void test_given_by_another_thread(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        int value = 0;
        pthread_t giver;
        AUTO(promise) a = promise_new();
        assert_int_equal(pthread_create(&giver, NULL, give, a), 0);
        assert_true(promise_wait(a, 60000, &value));
        assert_int_equal(value, 42);
        assert_int_equal(pthread_join(giver, NULL), 0);
    }
}

static void test_nothing_is_freed_for_nothing(void **state)
{
    (void)state;
    promise_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_given_before_the_wait),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_giver_comes_last),
        cmocka_unit_test(test_given_by_another_thread),
        cmocka_unit_test(test_nothing_is_freed_for_nothing),
    };
    return cmocka_run_group_tests_name("test_promise", tests, NULL, NULL);
}
