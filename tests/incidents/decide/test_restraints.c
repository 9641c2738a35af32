/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps a detection from charging, by itself: time, group and entity decide, nothing else. */
#include "base/timestamp.h"
#include "incidents/decide/restraints.h"
#include "tests/support/table.h"
#include <string.h>

#define T0 INT64_C(1790000000000000)
#define S  INT64_C(1000000)

struct desk {
    struct counters counters;
    struct changes changes;
    struct string_pool strings;
    struct restraints restraints;
};

static void begin(struct desk *desk, bool is_dry)
{
    memset(desk, 0, sizeof *desk);
    changes_init(&desk->changes, is_dry, &desk->counters);
    string_pool_init(&desk->strings);
    restraints_init(&desk->restraints, &desk->strings);
    desk->changes.journal_us = T0;
}

static void end(struct desk *desk)
{
    restraints_clear(&desk->restraints);
    string_pool_fini(&desk->strings);
    changes_fini(&desk->changes);
}

/* How often the effect being filled says that. */
static int said(const struct desk *desk, const char *what)
{
    int count = 0;
    struct text rest = desk->changes.effect ? buffer_text(&desk->changes.effect->words) : TEXT_NONE;
    for (;;) {
        size_t at = text_find(rest, text_of(what));
        if (at >= rest.len)
            return count;
        count++;
        rest = text_skip(rest, at + 1);
    }
}

/* ---- suppress ---- */

static const struct suppress_row {
    const char *name;
    int64_t suppress_s;
    const char *first, *second; /* groups */
    const char *value;          /* of the second one's entity; the first one's is 192.0.2.1 */
    int64_t after_s;
    bool is_held;
} suppress_rows[] = {
    {"suppress: the same group within its time", 60, "a", "a", "192.0.2.1", 59, true},
    {"suppress: the time is over at its end", 60, "a", "a", "192.0.2.1", 60, false},
    {"suppress: another group is not held", 60, "a", "b", "192.0.2.1", 1, false},
    {"suppress: another entity is another thing", 60, "a", "a", "192.0.2.2", 1, false},
    {"suppress: a rule without it is never held", 0, "a", "a", "192.0.2.1", 0, false},
    {"suppress: what came late is held as well", 60, "a", "a", "192.0.2.1", -30, true},
};

static bool suppress(struct desk *desk, const struct suppress_row *row, const char *group,
                     const char *value, int64_t t_us)
{
    const struct rule rule = {.key = TEXT("rule"), .suppress_us = row->suppress_s * S};
    struct text groups[] = {text_of(group)};
    struct subject subject = {.group = groups, .group_count = 1};
    const struct detection detection = {.rule = &rule, .subject = &subject};
    const struct entity entity = {text_of(value), ENTITY_ADDRESS, true};
    return restraints_suppress(&desk->restraints, &desk->changes, &detection, &entity, t_us);
}

static void test_suppress(void **state)
{
    const struct suppress_row *row = *state;
    struct desk desk;
    begin(&desk, false);
    assert_false(suppress(&desk, row, row->first, "192.0.2.1", T0));
    assert_int_equal(suppress(&desk, row, row->second, row->value, T0 + row->after_s * S),
                     row->is_held);
    /* what is held does not begin the time anew */
    assert_int_equal(said(&desk, "tocsin:suppress"), row->suppress_s ? 2 - row->is_held : 0);
    end(&desk);
}

/* ---- exceptions ---- */

static const struct except_row {
    const char *name;
    enum entity_kind kind;
    const char *value, *family;
    int64_t at_s;
    bool is_excepted;
} except_rows[] = {
    {"except: the entity and the family", ENTITY_HOST, "web1", "scan", 0, true},
    {"except: until its end, not longer", ENTITY_HOST, "web1", "scan", 100, false},
    {"except: a second before its end", ENTITY_HOST, "web1", "scan", 99, true},
    {"except: another family is charged", ENTITY_HOST, "web1", "guess", 0, false},
    {"except: another entity is charged", ENTITY_HOST, "web2", "scan", 0, false},
    {"except: the same name of another kind is charged", ENTITY_USER, "web1", "scan", 0, false},
};

static void except_web1(struct desk *desk)
{
    restraints_add_exception(&desk->restraints, &desk->changes,
                             &(struct restraints_excepted){ENTITY_HOST, TEXT("web1"), TEXT("scan"),
                                                           T0 + 100 * S, TEXT("disposition"),
                                                           "inc_1"});
}

static void test_except(void **state)
{
    const struct except_row *row = *state;
    struct desk desk;
    begin(&desk, false);
    assert_false(restraints_except(&desk.restraints, row->kind, text_of(row->value),
                                   text_of(row->family), T0 + row->at_s * S));
    except_web1(&desk);
    assert_int_equal(restraints_except(&desk.restraints, row->kind, text_of(row->value),
                                       text_of(row->family), T0 + row->at_s * S),
                     row->is_excepted);
    assert_int_equal(said(&desk, "tocsin:exceptions"), 1);
    end(&desk);
}

/* A day after its end it is forgotten, in Redis as well, and not before. */
static void test_forgets_what_ended(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, false);
    except_web1(&desk);
    assert_false(suppress(&desk, &suppress_rows[0], "a", "192.0.2.1", T0));
    desk.changes.journal_us = T0 + 60 * S + DAY_US - 1;
    restraints_tick(&desk.restraints, &desk.changes, DAY_US);
    assert_int_equal(desk.restraints.suppressed.count, 1);
    desk.changes.journal_us = T0 + 60 * S + DAY_US;
    restraints_tick(&desk.restraints, &desk.changes, DAY_US);
    assert_int_equal(desk.restraints.suppressed.count, 0);
    assert_int_equal(desk.restraints.exceptions.count, 1);
    desk.changes.journal_us = T0 + 100 * S + DAY_US;
    restraints_tick(&desk.restraints, &desk.changes, DAY_US);
    assert_int_equal(desk.restraints.exceptions.count, 0);
    assert_int_equal(said(&desk, "HDEL"), 2);
    end(&desk);
}

/* ---- noise ---- */

static bool charge(struct desk *desk, uint64_t entity, int64_t t_us, bool *out_is_first)
{
    const struct noise_ceiling ceiling = {3, 3600 * S};
    return loudness_note(&desk->restraints.loudness, &desk->changes, TEXT("rule"), ceiling, entity,
                         t_us, out_is_first);
}

/* Three entities an hour are allowed: the fourth makes it loud, once, and time makes it quiet. */
static void test_noise(void **state)
{
    (void)state;
    struct desk desk;
    bool is_first;
    begin(&desk, false);
    for (uint64_t e = 1; e <= 3; e++)
        assert_false(charge(&desk, e, T0, &is_first));
    assert_false(charge(&desk, 2, T0 + S, &is_first)); /* again is no other entity */
    assert_true(charge(&desk, 4, T0 + 2 * S, &is_first));
    assert_true(is_first);
    assert_true(charge(&desk, 5, T0 + 3 * S, &is_first));
    assert_false(is_first);
    assert_false(charge(&desk, 6, T0 + 7200 * S, &is_first));
    end(&desk);
}

/* Many detections, one write of the rule and of each entity; a second save has nothing to say. */
static void test_noise_is_saved_once(void **state)
{
    (void)state;
    struct desk desk;
    bool is_first;
    begin(&desk, false);
    for (int n = 0; n < 50; n++)
        (void)charge(&desk, 1 + (uint64_t)n % 2, T0 + n * S, &is_first);
    assert_true(restraints_is_dirty(&desk.restraints));
    restraints_save(&desk.restraints, &desk.changes);
    assert_false(restraints_is_dirty(&desk.restraints));
    assert_int_equal(said(&desk, "tocsin:noise:rule"), 2);
    restraints_save(&desk.restraints, &desk.changes);
    assert_int_equal(said(&desk, "tocsin:noise:rule"), 2);
    end(&desk);
}

/* In memory nothing is written, and all is decided as with Redis. */
static void test_dry(void **state)
{
    (void)state;
    struct desk desk;
    bool is_first;
    begin(&desk, true);
    except_web1(&desk);
    for (uint64_t e = 1; e <= 4; e++)
        (void)charge(&desk, e, T0, &is_first);
    assert_true(is_first);
    restraints_save(&desk.restraints, &desk.changes);
    assert_true(restraints_except(&desk.restraints, ENTITY_HOST, TEXT("web1"), TEXT("scan"), T0));
    assert_int_equal(desk.changes.effect->words.len, 0);
    end(&desk);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t r = 0; r < sizeof suppress_rows / sizeof suppress_rows[0]; r++)
        tests[n++] = ROW(test_suppress, &suppress_rows[r]);
    for (size_t r = 0; r < sizeof except_rows / sizeof except_rows[0]; r++)
        tests[n++] = ROW(test_except, &except_rows[r]);
    const struct CMUnitTest more[] = {
        cmocka_unit_test(test_forgets_what_ended),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_noise_is_saved_once),
        cmocka_unit_test(test_dry),
    };
    memcpy(&tests[n], more, sizeof more);
    n += sizeof more / sizeof more[0];
    return _cmocka_run_group_tests("test_restraints", tests, n, NULL, NULL);
}
