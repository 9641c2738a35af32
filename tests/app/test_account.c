/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account.h"
#include "tests/support/table.h"

/* What counts as a message, and what counts here. */

static struct record *add(struct batch *b, enum record_kind kind, uint32_t epoch)
{
    struct record *r = batch_add(b, TEXT("x"));
    assert_non_null(r);
    r->kind = kind;
    r->epoch = epoch;
    r->source = 3;
    return r;
}

static uint64_t count_of(const struct account *a, uint32_t source, enum account_step step)
{
    return atomic_load(&a->counts[source][step]);
}

static void test_counts_messages_alone(void **state)
{
    (void)state;
    AUTO(batch) b = batch_new();
    (void)add(b, RECORD_EVENT, 1);
    (void)add(b, RECORD_ALERT, 1);
    (void)add(b, RECORD_TICK, 1);
    (void)add(b, RECORD_GAP, 1);
    (void)add(b, RECORD_RULESET, 1);
    (void)add(b, RECORD_CONFIDENCE, 1);
    assert_int_equal(account_messages(b), 2);
}

/* What an earlier process left in the journal is decided, but is not of this one's account. */
static void test_counts_this_epoch_alone(void **state)
{
    (void)state;
    static struct account a;
    AUTO(batch) b = batch_new();
    atomic_store(&a.epoch, 5);
    (void)add(b, RECORD_EVENT, 4);
    (void)add(b, RECORD_EVENT, 5);
    (void)add(b, RECORD_EVENT, 5);
    (void)add(b, RECORD_TICK, 5);
    account_decided(&a, b);
    assert_int_equal(count_of(&a, 3, ACCOUNT_PROCESSED), 2);
}

/* The webhooks are the last of the sources, and so is every number that is none. */
static void test_webhooks_are_the_last(void **state)
{
    (void)state;
    static struct account a;
    account_add(&a, UINT32_MAX, ACCOUNT_PUT, 4);
    account_add(&a, 0, ACCOUNT_REPEATED, 2);
    assert_int_equal(count_of(&a, ACCOUNT_SOURCES - 1, ACCOUNT_PUT), 4);
    assert_int_equal(count_of(&a, 0, ACCOUNT_REPEATED), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_messages_alone),
        cmocka_unit_test(test_counts_this_epoch_alone),
        cmocka_unit_test(test_webhooks_are_the_last),
    };
    return cmocka_run_group_tests_name("test_account", tests, NULL, NULL);
}
