/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "incidents/decide/withheld.h"
#include "incidents/model/score.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

#define T0 INT64_C(1790000000000000)

struct desk {
    struct counters counters;
    struct changes changes;
    struct string_pool strings;
    struct withheld withheld;
};

static void begin(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    changes_init(&desk->changes, true, &desk->counters);
    string_pool_init(&desk->strings);
    withheld_init(&desk->withheld, &desk->strings);
    desk->changes.journal_us = T0;
}

static void end(struct desk *desk)
{
    withheld_clear(&desk->withheld);
    string_pool_fini(&desk->strings);
    changes_fini(&desk->changes);
}

static struct rule make_rule(const char *key)
{
    return (struct rule){.key = text_of(key),
                         .title = text_of(key),
                         .family = text_of(key),
                         .tactic = TEXT("impact"),
                         .open = OPEN_SCORE};
}

static struct hash128 entity_of(uint32_t n)
{
    char value[24];
    (void)snprintf(value, sizeof value, "host%u", n);
    return withheld_entity(ENTITY_HOST, text_of(value));
}

static void put(struct desk *desk, uint32_t entity, const char *key)
{
    const struct rule rule = make_rule(key);
    struct held_charge *charge =
        withheld_put(&desk->withheld, &desk->changes, entity_of(entity), &rule);
    assert_non_null(charge);
    charge->member.mark = score_mark(0.27, T0, DAY_US);
}

static bool is_held(const struct desk *desk, uint32_t entity, const char *key)
{
    return withheld_find(&desk->withheld, entity_of(entity), text_of(key));
}

/* At the ceiling the rule with the most gives its oldest: a flood of one takes nothing of
 * another's, and what came again is not the oldest. */
static void test_ceiling(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    put(&desk, 0, "quiet");
    for (uint32_t n = 1; n < HELD_CHARGES; n++)
        put(&desk, n, "loud");
    put(&desk, 1, "loud");
    put(&desk, HELD_CHARGES, "loud");
    put(&desk, HELD_CHARGES + 1, "quiet");
    assert_int_equal(desk.withheld.charges.count, HELD_CHARGES);
    assert_int_equal(desk.counters.held_given_up, 2);
    assert_true(is_held(&desk, 0, "quiet"));
    assert_true(is_held(&desk, 1, "loud"));
    assert_false(is_held(&desk, 2, "loud"));
    assert_false(is_held(&desk, 3, "loud"));
    assert_true(is_held(&desk, HELD_CHARGES + 1, "quiet"));
    end(&desk);
}

/* Of one entity by rule, whatever order they came in. */
static void test_order(void **state)
{
    (void)state;
    static const char *const keys[] = {"c", "a", "d", "b"};
    struct desk desk;
    struct held_charge *all[CANDIDATE_MEMBERS];
    begin(&desk);
    for (uint32_t k = 0; k < 4; k++)
        put(&desk, 1, keys[k]);
    put(&desk, 2, "e");
    assert_int_equal(withheld_of(&desk.withheld, entity_of(1), all), 4);
    for (uint32_t k = 0; k < 4; k++)
        assert_int_equal(all[k]->member.rule.at[0], 'a' + (int)k);
    withheld_remove(&desk.withheld, &desk.changes, all[0]);
    assert_int_equal(withheld_of(&desk.withheld, entity_of(1), all), 3);
    end(&desk);
}

/* An entity has so many at most; the next rule is left out, and counted. */
static void test_of_one_entity(void **state)
{
    (void)state;
    struct desk desk;
    char key[24];
    begin(&desk);
    for (uint32_t k = 0; k < CANDIDATE_MEMBERS; k++) {
        (void)snprintf(key, sizeof key, "rule%u", k);
        put(&desk, 1, key);
    }
    const struct rule next = make_rule("next");
    assert_null(withheld_put(&desk.withheld, &desk.changes, entity_of(1), &next));
    assert_int_equal(desk.counters.members_left_out, 1);
    end(&desk);
}

static void test_forgets_what_faded(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk);
    put(&desk, 1, "loud");
    desk.changes.journal_us = T0 + 5 * DAY_US;
    withheld_tick(&desk.withheld, &desk.changes, DAY_US);
    assert_true(is_held(&desk, 1, "loud"));
    desk.changes.journal_us = T0 + 6 * DAY_US;
    withheld_tick(&desk.withheld, &desk.changes, DAY_US);
    assert_false(is_held(&desk, 1, "loud"));
    end(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_of_one_entity),
        cmocka_unit_test(test_forgets_what_faded),
    };
    return cmocka_run_group_tests_name("test_withheld", tests, NULL, NULL);
}
