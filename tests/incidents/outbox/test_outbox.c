/* SPDX-License-Identifier: Apache-2.0 */
/* What is told, what is held, and that nothing goes out before it is on record. */
#include "base/timestamp.h"
#include "incidents/outbox/outbox_delivery.h"
#include "tests/support/table.h"
#include <string.h>

#define T0     INT64_C(1790000000000000)
#define MINUTE (INT64_C(60) * 1000000)

struct desk {
    struct counters counters;
    struct changes changes;
    struct outbox outbox;
    struct tables tables;
    uint32_t destinations;
    int routed;
};

static uint32_t route(void *context, const struct notice *notice, struct text *out)
{
    static const char *const names[] = {"mail", "pager", "chat"};
    struct desk *desk = context;
    (void)notice;
    desk->routed++;
    for (uint32_t d = 0; d < desk->destinations; d++)
        out[d] = text_of(names[d]);
    return desk->destinations;
}

static void begin(struct desk *desk, uint32_t destinations)
{
    memset(desk, 0, sizeof *desk);
    changes_init(&desk->changes, false, &desk->counters);
    desk->changes.journal_us = T0;
    outbox_init(&desk->outbox);
    desk->outbox.route = route;
    desk->outbox.context = desk;
    desk->destinations = destinations;
}

static void end(struct desk *desk)
{
    outbox_fini(&desk->outbox);
    changes_fini(&desk->changes);
}

static bool says(const struct desk *desk, const char *what)
{
    struct text words = buffer_text(&desk->changes.effect->words);
    return text_find(words, text_of(what)) < words.len;
}

static struct incident *make(int priority, bool is_backfill)
{
    struct incident *incident = incident_new("inc_00000000000000000000000000");
    assert_non_null(incident);
    incident->priority = priority;
    incident->is_backfill = is_backfill;
    incident->category = TEXT("security");
    return incident;
}

/* ---- what is held ---- */

static const struct row {
    const char *name;
    enum notice_kind kind;
    int priority, openings; /* before it, at once */
    bool is_backfill;
    uint32_t queued;
    const char *says;
} rows[] = {
    {"notice: one delivery for each destination", NOTICE_OPENED, 2, 0, false, 3, "delivery.queued"},
    {"notice: ten openings are no storm", NOTICE_OPENED, 2, 10, false, 3, "delivery.queued"},
    {"notice: eleven are, told as one", NOTICE_OPENED, 2, 11, false, 3, "storm: told as one"},
    {"notice: a P1 is told in a storm", NOTICE_OPENED, 1, 11, false, 6, "delivery.queued"},
    {"notice: what moves on is told in a storm", NOTICE_RESOLVED, 2, 11, false, 6, "resolved"},
    {"notice: backfill waits for the digest", NOTICE_OPENED, 1, 0, true, 0, "told in a digest"},
    {"notice: backfill's end is told", NOTICE_CLOSED, 2, 0, true, 3, "closed"},
};

static void test_notice(void **state)
{
    const struct row *row = *state;
    struct desk desk;
    begin(&desk, 3);
    struct incident *incident = make(row->priority, row->is_backfill);
    for (int o = 0; o < row->openings; o++)
        outbox_opened(&desk.outbox, &desk.changes, incident, T0 + o);
    outbox_notice(&desk.outbox, &desk.changes, incident, row->kind, T0 + MINUTE);
    assert_int_equal(desk.outbox.entries.count, row->queued);
    assert_true(says(&desk, row->says));
    /* the suppressed one is a notice on the ledger as well */
    assert_int_equal(atomic_load(&desk.counters.notices), 1 + (row->openings > 10));
    incident_free(incident);
    end(&desk);
}

/* Openings ten minutes apart are no storm, and ten quiet minutes end one. */
static void test_storm_ends(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = make(3, false);
    for (int o = 0; o < 30; o++)
        outbox_opened(&desk.outbox, &desk.changes, incident, T0 + o * 2 * MINUTE);
    assert_false(desk.outbox.storm.is_on);
    for (int o = 0; o < 11; o++)
        outbox_opened(&desk.outbox, &desk.changes, incident, T0 + 60 * MINUTE + o);
    assert_true(desk.outbox.storm.is_on);
    desk.changes.journal_us = T0 + 70 * MINUTE;
    outbox_tick(&desk.outbox, &desk.changes);
    assert_true(desk.outbox.storm.is_on);
    desk.changes.journal_us = T0 + 71 * MINUTE;
    outbox_tick(&desk.outbox, &desk.changes);
    assert_false(desk.outbox.storm.is_on);
    assert_int_equal(desk.routed, 1);
    incident_free(incident);
    end(&desk);
}

/* One digest for all, ten minutes after the first, and then none. */
static void test_digest(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = make(2, true);
    for (int n = 0; n < 5; n++)
        outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, T0 + n * MINUTE);
    desk.changes.journal_us = T0 + 10 * MINUTE - 1;
    outbox_tick(&desk.outbox, &desk.changes);
    assert_int_equal(desk.routed, 0);
    desk.changes.journal_us = T0 + 10 * MINUTE;
    outbox_tick(&desk.outbox, &desk.changes);
    assert_int_equal(desk.routed, 1);
    assert_true(says(&desk, "\"incidents\":5"));
    desk.changes.journal_us = T0 + 30 * MINUTE;
    outbox_tick(&desk.outbox, &desk.changes);
    assert_int_equal(desk.routed, 1);
    incident_free(incident);
    end(&desk);
}

/* ---- the way out ---- */

static void queue_one(struct desk *desk)
{
    struct incident *incident = make(2, false);
    outbox_notice(&desk->outbox, &desk->changes, incident, NOTICE_OPENED, T0);
    incident_free(incident);
}

/* Not due, not marked, not durable: not given. Then once. */
static void test_nothing_goes_before_it_is_durable(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    queue_one(&desk);
    assert_null(outbox_delivery_take(&desk.outbox, 100));
    assert_false(outbox_delivery_mark(&desk.outbox, &desk.changes, 7, T0 - 1));
    assert_true(outbox_delivery_mark(&desk.outbox, &desk.changes, 7, T0));
    assert_false(outbox_delivery_mark(&desk.outbox, &desk.changes, 8, T0));
    assert_null(outbox_delivery_take(&desk.outbox, 6));
    struct delivery *delivery = outbox_delivery_take(&desk.outbox, 7);
    assert_non_null(delivery);
    assert_true(text_equal(delivery->destination, TEXT("mail")));
    assert_false(delivery->may_be_duplicate);
    assert_null(outbox_delivery_take(&desk.outbox, 100));
    delivery_free(delivery);
    end(&desk);
}

static const struct settle_row {
    const char *name;
    enum delivery_state state;
    int64_t next_us;
    bool is_ended, is_given_again;
    const char *says;
} settle_rows[] = {
    {"settle: delivered", DELIVERY_DELIVERED, 0, true, false, "delivery.delivered"},
    {"settle: refused for good is a dead letter", DELIVERY_FAILED_PERM, 0, true, false,
     "tocsin:dead"},
    {"settle: expired", DELIVERY_EXPIRED, 0, true, false, "delivery.expired"},
    {"settle: tried again by its sink", DELIVERY_FAILED_TEMP, T0 + MINUTE, false, false,
     "delivery.failed_temp"},
    {"settle: no sink took it", DELIVERY_QUEUED, T0 + MINUTE, false, true, "delivery.queued"},
    {"settle: unknown, and tried again", DELIVERY_UNKNOWN, T0 + MINUTE, false, false,
     "delivery.unknown"},
    {"settle: unknown, and left so", DELIVERY_UNKNOWN, 0, true, false, "delivery.unknown"},
};

static void test_settle(void **state)
{
    const struct settle_row *row = *state;
    struct desk desk;
    begin(&desk, 1);
    queue_one(&desk);
    assert_true(outbox_delivery_mark(&desk.outbox, &desk.changes, 1, T0));
    struct delivery *delivery = outbox_delivery_take(&desk.outbox, 1);
    assert_non_null(delivery);
    effect_free(MOVE(desk.changes.effect)); /* what is said from here on */
    const struct outcome outcome = {.delivery = delivery->id,
                                    .destination = delivery->destination,
                                    .state = row->state,
                                    .attempt = 1,
                                    .started_us = T0,
                                    .next_us = row->next_us};
    assert_int_equal(outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
                     STATUS_OK);
    assert_true(says(&desk, row->says));
    assert_int_equal(desk.outbox.entries.count, !row->is_ended);
    assert_int_equal(outbox_delivery_mark(&desk.outbox, &desk.changes, 2, T0 + MINUTE),
                     row->is_given_again);
    if (row->is_ended)
        assert_int_equal(
            outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
            STATUS_NOTFOUND);
    delivery_free(delivery);
    end(&desk);
}

/* At its ceiling nothing is queued, and that is on the ledger and counted. */
static void test_full(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    desk.outbox.entries.count = OUTBOX_MAX;
    queue_one(&desk);
    assert_null(desk.outbox.first_entry);
    assert_int_equal(atomic_load(&desk.counters.deliveries_refused), 1);
    assert_true(says(&desk, "the outbox is full"));
    desk.outbox.entries.count = 0;
    end(&desk);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        tests[n++] = ROW(test_notice, &rows[r]);
    for (size_t r = 0; r < sizeof settle_rows / sizeof settle_rows[0]; r++)
        tests[n++] = ROW(test_settle, &settle_rows[r]);
    const struct CMUnitTest more[] = {
        cmocka_unit_test(test_storm_ends),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_nothing_goes_before_it_is_durable),
        cmocka_unit_test(test_full),
    };
    memcpy(&tests[n], more, sizeof more);
    n += sizeof more / sizeof more[0];
    return _cmocka_run_group_tests("test_outbox", tests, n, NULL, NULL);
}
