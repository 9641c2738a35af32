/* SPDX-License-Identifier: Apache-2.0 */
/* What is told, what is held, and that nothing goes out before it is on record. */
#include "base/timestamp.h"
#include "incidents/outbox/digest.h"
#include "incidents/outbox/outbox_delivery.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0     INT64_C(1790000000000000)
#define MINUTE (INT64_C(60) * 1000000)

struct desk {
    struct counters counters;
    struct changes changes;
    struct due_index due;
    struct outbox outbox;
    struct tables tables;
    uint32_t destinations;
    uint32_t rooms[3]; /* of mail, pager and chat */
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
    due_init(&desk->due);
    outbox_init(&desk->outbox, &desk->due);
    desk->outbox.route = route;
    desk->outbox.context = desk;
    desk->destinations = destinations;
}

static void end(struct desk *desk)
{
    outbox_fini(&desk->outbox);
    assert_int_equal(desk->due.count, 0);
    due_fini(&desk->due);
    changes_fini(&desk->changes);
}

static uint32_t room(void *context, struct text destination)
{
    const struct desk *desk = context;
    return desk->rooms[text_equal(destination, TEXT("pager"))  ? 1
                       : text_equal(destination, TEXT("chat")) ? 2
                                                               : 0];
}

/* As the loop does it: what is due, then what is marked by effect `number`. */
static bool mark(struct desk *desk, uint64_t number, int64_t now_us)
{
    for (struct due *due = due_take(&desk->due, now_us); due; due = due_take(&desk->due, now_us))
        outbox_wake(due);
    return outbox_delivery_mark(&desk->outbox, &desk->changes, number);
}

static bool says(const struct desk *desk, const char *what)
{
    if (!desk->changes.effect)
        return false;
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

static void settle_as(struct desk *desk, const struct delivery *delivery, enum delivery_state state,
                      int64_t next_us)
{
    const struct outcome outcome = {.delivery = delivery->id,
                                    .destination = delivery->destination,
                                    .state = state,
                                    .attempt = 1,
                                    .started_us = T0,
                                    .next_us = next_us};
    assert_int_equal(outbox_delivery_settle(&desk->outbox, &desk->changes, &desk->tables, &outcome),
                     STATUS_OK);
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
    {"notice: a rise is told in a storm", NOTICE_RAISED, 2, 11, false, 6, "raised"},
    {"notice: who was not told of it is told of no end", NOTICE_RESOLVED, 2, 0, false, 0, NULL},
    {"notice: backfill waits for the digest", NOTICE_OPENED, 1, 0, true, 0, "told in a digest"},
    {"notice: backfill that opens again is told", NOTICE_REOPENED, 2, 0, true, 3, "reopened"},
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
    assert_true(!row->says || says(&desk, row->says));
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
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_true(desk.outbox.storm.is_on);
    desk.changes.journal_us = T0 + 71 * MINUTE;
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_false(desk.outbox.storm.is_on);
    assert_int_equal(desk.routed, 1);
    incident_free(incident);
    end(&desk);
}

static bool has_told(const struct telling *telling, struct text destination)
{
    for (uint32_t t = 0; t < telling->count; t++)
        if (text_equal(text_of(telling->told[t].destination), destination))
            return true;
    return false;
}

/* ---- digests ---- */

static struct incident *known(struct desk *desk, char last, int priority, bool is_backfill)
{
    struct incident *incident = make(priority, is_backfill);
    incident->id[IDENT_LEN - 1] = last;
    assert_int_equal(hash_table_put(&desk->tables.incidents, &incident->link,
                                    hash_table_hash(text_of(incident->id), 0)),
                     STATUS_OK);
    return incident;
}

/* One digest for all, ten minutes after the first, and then none. It names them, and they count as
 * told. */
static void test_digest(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incidents[5];
    for (int n = 0; n < 5; n++) {
        incidents[n] = known(&desk, (char)('1' + n), 2 + n / 4, true);
        outbox_notice(&desk.outbox, &desk.changes, incidents[n], NOTICE_OPENED, T0 + n * MINUTE);
    }
    desk.changes.journal_us = T0 + 10 * MINUTE - 1;
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_int_equal(desk.outbox.entries.count, 0);
    desk.changes.journal_us = T0 + 10 * MINUTE;
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_int_equal(desk.outbox.entries.count, 1);
    assert_true(says(&desk, "\"title\":\"5 incidents: P2: 4, P3: 1\""));
    for (int n = 0; n < 5; n++) {
        char member[60];
        (void)snprintf(member, sizeof member, "{\"id\":\"%s\",\"priority\":", incidents[n]->id);
        assert_true(says(&desk, member));
        assert_true(has_told(&incidents[n]->telling, TEXT("mail")));
    }
    desk.changes.journal_us = T0 + 30 * MINUTE;
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_int_equal(desk.outbox.entries.count, 1);
    assert_true(mark(&desk, 1, T0 + HOUR_US));
    AUTO(delivery) digest = outbox_delivery_take(&desk.outbox, 1);
    assert_non_null(digest);
    assert_int_equal(digest->kind, NOTICE_DIGEST);
    assert_int_equal(digest->priority, 2);
    settle_as(&desk, digest, DELIVERY_DELIVERED, 0);
    assert_int_equal(incidents[4]->telling.told[0].first_us, T0);
    assert_string_equal(incidents[4]->telling.told[0].destination, "mail");
    outbox_notice(&desk.outbox, &desk.changes, incidents[4], NOTICE_RESOLVED, T0 + HOUR_US);
    assert_int_equal(desk.outbox.entries.count, 1);
    for (int n = 0; n < 5; n++)
        incident_free(incidents[n]);
    hash_table_fini(&desk.tables.incidents);
    end(&desk);
}

/* A P2 that opened in a storm is told by the storm's digest, and then of its end; P1 at once. */
static void test_storm_ends_in_a_digest(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 2);
    struct incident *second = known(&desk, '1', 2, false);
    for (int o = 0; o < 11; o++)
        outbox_opened(&desk.outbox, &desk.changes, second, T0 + o);
    assert_int_equal(desk.outbox.entries.count, 2);
    assert_true(says(&desk, "\"title\":\"11 incidents opened within 10 minutes"));
    outbox_notice(&desk.outbox, &desk.changes, second, NOTICE_OPENED, T0 + MINUTE);
    outbox_notice(&desk.outbox, &desk.changes, second, NOTICE_RESOLVED, T0 + 2 * MINUTE);
    assert_int_equal(desk.outbox.entries.count, 2); /* nobody knows it yet */
    desk.changes.journal_us = T0 + 11 * MINUTE;
    digest_tick(&desk.outbox, &desk.changes, &desk.tables);
    assert_false(desk.outbox.storm.is_on);
    assert_int_equal(desk.outbox.entries.count, 4);
    assert_true(says(&desk, "\"title\":\"1 incident: P2: 1\""));
    outbox_notice(&desk.outbox, &desk.changes, second, NOTICE_CLOSED, T0 + 12 * MINUTE);
    assert_int_equal(desk.outbox.entries.count, 6);
    incident_free(second);
    hash_table_fini(&desk.tables.incidents);
    end(&desk);
}

/* ---- who is told ---- */

static uint32_t by_priority(void *context, const struct notice *notice, struct text *out)
{
    (void)context;
    out[0] = notice->priority <= 2 ? TEXT("pager") : TEXT("mail");
    return 1;
}

static bool waits_for(const struct desk *desk, const char *destination, uint32_t count)
{
    for (uint32_t q = 0; q < desk->outbox.queue_count; q++)
        if (text_equal(text_of(desk->outbox.queues[q]->name), text_of(destination)))
            return desk->outbox.queues[q]->count == count;
    return count == 0;
}

/* A P1 that a person makes a P4: the pager has its end, and the mail hears nothing of it. */
static void test_the_end_goes_to_who_was_told(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 3);
    desk.outbox.route = by_priority;
    struct incident *incident = make(1, false);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, T0);
    assert_true(waits_for(&desk, "pager", 1));
    incident->priority = 4;
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_ACKNOWLEDGED, T0 + MINUTE);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, T0 + 2 * MINUTE);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_CLOSED, T0 + 3 * MINUTE);
    assert_true(waits_for(&desk, "pager", 4));
    assert_true(waits_for(&desk, "mail", 0));
    /* what opens again is news: also where it leads now */
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_REOPENED, T0 + 99 * MINUTE);
    assert_true(waits_for(&desk, "pager", 5));
    assert_true(waits_for(&desk, "mail", 1));
    incident_free(incident);
    end(&desk);
}

/* An opening that could not be told has no end to tell. */
static void test_what_never_arrived_has_no_end(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = known(&desk, '1', 2, false);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, T0);
    assert_true(has_told(&incident->telling, TEXT("mail")));
    assert_true(mark(&desk, 1, T0));
    AUTO(delivery) delivery = outbox_delivery_take(&desk.outbox, 1);
    assert_non_null(delivery);
    settle_as(&desk, delivery, DELIVERY_FAILED_PERM, 0);
    assert_false(has_told(&incident->telling, TEXT("mail")));
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, T0 + MINUTE);
    assert_int_equal(desk.outbox.entries.count, 0);
    incident_free(incident);
    hash_table_fini(&desk.tables.incidents);
    end(&desk);
}

/* ---- flapping ---- */

static void end_flapping(struct desk *desk, struct incident *incident, int64_t now_us)
{
    for (struct due *due = due_take(&desk->due, now_us); due; due = due_take(&desk->due, now_us)) {
        if (due->kind != DUE_FLAPPING) {
            outbox_wake(due);
            continue;
        }
        outbox_end_flapping(&desk->outbox, &desk->changes, incident, now_us);
        free(CONTAINER_OF(due, struct due_incident, due));
    }
}

/* Six flaps in four seconds: opened, resolved, reopened, and one word when it is over. */
static void test_flapping(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = make(2, false);
    int64_t now_us = T0;
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, now_us);
    for (int flap = 0; flap < 6; flap++) {
        incident->state = STATE_RESOLVED;
        outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, now_us += 300000);
        if (flap == 5)
            break;
        incident->state = STATE_OPEN;
        outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_REOPENED, now_us += 300000);
    }
    assert_int_equal(desk.outbox.entries.count, 3);
    assert_int_equal(incident->telling.held, 9);
    assert_true(says(&desk, "flapping: told as one"));
    end_flapping(&desk, incident, now_us + 10 * MINUTE - 1);
    assert_int_equal(desk.outbox.entries.count, 3);
    end_flapping(&desk, incident, now_us + 10 * MINUTE);
    assert_int_equal(desk.outbox.entries.count, 4);
    assert_true(says(&desk, "\"flapping\":{"));
    assert_true(says(&desk, "\"times\":5,\"held\":9"));
    assert_int_equal(incident->telling.until_us, TIMESTAMP_NONE);
    end_flapping(&desk, incident, now_us + HOUR_US);
    assert_int_equal(desk.outbox.entries.count, 4);
    /* an end long after it is an end again */
    incident->state = STATE_OPEN;
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_REOPENED, now_us + HOUR_US);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, now_us + 2 * HOUR_US);
    assert_int_equal(desk.outbox.entries.count, 6);
    incident_free(incident);
    end(&desk);
}

/* Flapping that goes on is told once an hour, and a person's word at once. */
static void test_flapping_for_hours(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = make(2, false);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, T0);
    for (int64_t now_us = T0; now_us < T0 + 3 * HOUR_US; now_us += MINUTE) {
        incident->state = STATE_RESOLVED;
        outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, now_us);
        incident->state = STATE_OPEN;
        outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_REOPENED, now_us + MINUTE / 2);
        end_flapping(&desk, incident, now_us + MINUTE / 2);
    }
    assert_in_range(desk.outbox.entries.count, 4, 12);
    uint32_t before = (uint32_t)desk.outbox.entries.count;
    telling_calm(&incident->telling); /* as each command does */
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_RESOLVED, T0 + 3 * HOUR_US);
    assert_int_equal(desk.outbox.entries.count, before + 1);
    end_flapping(&desk, incident, T0 + 9 * HOUR_US);
    assert_int_equal(desk.outbox.entries.count, before + 1);
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
    assert_false(mark(&desk, 7, T0 - 1));
    assert_true(mark(&desk, 7, T0));
    assert_false(mark(&desk, 8, T0));
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
    bool is_ended;
    const char *says;
} settle_rows[] = {
    {"settle: delivered", DELIVERY_DELIVERED, 0, true, "delivery.delivered"},
    {"settle: refused for good is a dead letter", DELIVERY_FAILED_PERM, 0, true, "tocsin:dead"},
    {"settle: expired", DELIVERY_EXPIRED, 0, true, "delivery.expired"},
    {"settle: tried again by its sink", DELIVERY_FAILED_TEMP, T0 + MINUTE, false,
     "delivery.failed_temp"},
    {"settle: unknown, and tried again", DELIVERY_UNKNOWN, T0 + MINUTE, false, "delivery.unknown"},
    {"settle: unknown, and left so", DELIVERY_UNKNOWN, 0, true, "delivery.unknown"},
};

static void test_settle(void **state)
{
    const struct settle_row *row = *state;
    struct desk desk;
    begin(&desk, 1);
    queue_one(&desk);
    assert_true(mark(&desk, 1, T0));
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
    assert_false(mark(&desk, 2, T0 + MINUTE));
    if (row->is_ended)
        assert_int_equal(
            outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
            STATUS_NOTFOUND);
    delivery_free(delivery);
    end(&desk);
}

/* An outcome for each recipient: on record each, a dead letter for who is refused; the delivery
 * lives while one of them is tried again, and remembers who had it. */
static void test_recipients(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    struct incident *incident = known(&desk, '1', 2, false);
    outbox_notice(&desk.outbox, &desk.changes, incident, NOTICE_OPENED, T0);
    assert_true(mark(&desk, 1, T0));
    AUTO(delivery) delivery = outbox_delivery_take(&desk.outbox, 1);
    assert_non_null(delivery);
    struct outcome outcome = {.delivery = delivery->id,
                              .destination = delivery->destination,
                              .recipient = TEXT("a@example.org"),
                              .is_part = true,
                              .state = DELIVERY_ACCEPTED,
                              .attempt = 1,
                              .started_us = T0};
    assert_int_equal(outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
                     STATUS_OK);
    outcome.recipient = TEXT("b@example.org");
    outcome.state = DELIVERY_FAILED_PERM;
    assert_int_equal(outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
                     STATUS_OK);
    assert_true(says(&desk, "\"recipient\":\"b@example.org\",\"state\":\"failed_perm\""));
    assert_true(says(&desk, "\"settled\":\"a@example.org\\nb@example.org\\n\""));
    outcome.recipient = TEXT("c@example.org");
    outcome.state = DELIVERY_FAILED_TEMP;
    outcome.next_us = T0 + MINUTE;
    assert_int_equal(outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
                     STATUS_OK);
    assert_int_equal(desk.outbox.entries.count, 1);
    outcome.state = DELIVERY_ACCEPTED;
    outcome.next_us = 0;
    outcome.is_part = false;
    assert_int_equal(outbox_delivery_settle(&desk.outbox, &desk.changes, &desk.tables, &outcome),
                     STATUS_OK);
    assert_int_equal(desk.outbox.entries.count, 0);
    const struct telling *telling = &incident->telling;
    assert_int_equal(telling->count, 2); /* who had it; not who never will */
    assert_string_equal(telling->told[0].recipient, "a@example.org");
    assert_string_equal(telling->told[1].recipient, "c@example.org");
    incident_free(incident);
    hash_table_fini(&desk.tables.incidents);
    end(&desk);
}

/* ---- a destination that is down ---- */

static void queue_for(struct desk *desk, const char *id, int priority, enum notice_kind kind)
{
    struct incident *incident = incident_new(id);
    assert_non_null(incident);
    incident->priority = priority;
    incident->category = TEXT("security");
    if (kind == NOTICE_RESOLVED)
        telling_queue(&incident->telling, TEXT("mail"), TEXT_NONE);
    outbox_notice(&desk->outbox, &desk->changes, incident, kind, T0);
    incident_free(incident);
}

/* At its ceiling nothing is queued for it, and that is on the ledger and counted; the others' is
 * their own. */
static void test_full(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 2);
    queue_one(&desk);
    assert_int_equal(desk.outbox.entries.count, 2);
    struct outbox_queue *mail = desk.outbox.queues[0], *pager = desk.outbox.queues[1];
    assert_string_equal(mail->name, "mail");
    mail->count += OUTBOX_QUEUE_MAX;
    queue_one(&desk);
    mail->count -= OUTBOX_QUEUE_MAX;
    assert_int_equal(mail->count, 1);
    assert_int_equal(pager->count, 2);
    assert_int_equal(atomic_load(&desk.counters.deliveries_refused), 1);
    mail->bytes += OUTBOX_QUEUE_BYTES;
    queue_one(&desk);
    mail->bytes -= OUTBOX_QUEUE_BYTES;
    assert_int_equal(mail->count, 1);
    assert_int_equal(pager->count, 3);
    assert_int_equal(atomic_load(&desk.counters.deliveries_refused), 2);
    assert_in_range(mail->bytes, 1, 4096);
    assert_true(says(&desk, "too many wait for this destination"));
    end(&desk);
}

/* Nothing is given to a destination without room, however often it is asked; nothing is written
 * for what waits; and the healthy one has its own at once. */
static void test_what_waits_is_silent(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 2);
    desk.outbox.room = room;
    desk.rooms[1] = 1000;
    for (int n = 0; n < 50; n++)
        queue_one(&desk);
    assert_true(mark(&desk, 1, T0));
    uint64_t records = desk.changes.ledger.sequence;
    effect_free(MOVE(desk.changes.effect));
    for (int n = 0; n < 50; n++) {
        AUTO(delivery) delivery = outbox_delivery_take(&desk.outbox, 1);
        assert_non_null(delivery);
        assert_true(text_equal(delivery->destination, TEXT("pager")));
    }
    for (int n = 0; n < 100; n++) {
        assert_null(outbox_delivery_take(&desk.outbox, 1));
        assert_false(mark(&desk, 2, T0 + n * MINUTE));
    }
    assert_true(changes_is_empty(&desk.changes));
    assert_int_equal(desk.changes.ledger.sequence, records);
    assert_int_equal(desk.outbox.queues[0]->ready_count, 50);
    end(&desk);
}

/* A sink that did not take it: no record, no attempt, and it comes again first, when another of
 * that destination is settled or when it is due. */
static void test_not_taken_did_not_happen(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    queue_for(&desk, "inc_00000000000000000000000001", 2, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000002", 2, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000003", 2, NOTICE_OPENED);
    assert_true(mark(&desk, 1, T0));
    AUTO(delivery) first = outbox_delivery_take(&desk.outbox, 1);
    AUTO(delivery) second = outbox_delivery_take(&desk.outbox, 1);
    effect_free(MOVE(desk.changes.effect));
    uint64_t records = desk.changes.ledger.sequence;
    settle_as(&desk, second, DELIVERY_QUEUED, T0 + MINUTE);
    assert_true(changes_is_empty(&desk.changes));
    assert_int_equal(desk.changes.ledger.sequence, records);
    assert_null(outbox_delivery_take(&desk.outbox, 1)); /* nor the third: order */
    settle_as(&desk, first, DELIVERY_DELIVERED, 0);
    AUTO(delivery) again = outbox_delivery_take(&desk.outbox, 1);
    assert_non_null(again);
    assert_true(text_equal(again->id, second->id));
    assert_int_equal(again->attempts, 0);
    settle_as(&desk, again, DELIVERY_QUEUED, T0 + MINUTE);
    assert_false(mark(&desk, 2, T0 + MINUTE - 1));
    assert_null(outbox_delivery_take(&desk.outbox, 2));
    assert_false(mark(&desk, 2, T0 + MINUTE));
    AUTO(delivery) later = outbox_delivery_take(&desk.outbox, 2);
    assert_non_null(later);
    assert_true(text_equal(later->id, second->id));
    end(&desk);
}

/* The urgent go first, but never past what waits of their own incident. */
static void test_order_of_what_waits(void **state)
{
    (void)state;
    static const char *const want[] = {"1 opened", "3 opened", "3 raised",  "1 resolved",
                                       "2 opened", "4 opened", "2 resolved"};
    struct desk desk;
    begin(&desk, 1);
    desk.outbox.room = room;
    queue_for(&desk, "inc_00000000000000000000000002", 3, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000001", 1, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000003", 4, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000003", 1, NOTICE_RAISED);
    queue_for(&desk, "inc_00000000000000000000000004", 3, NOTICE_OPENED);
    queue_for(&desk, "inc_00000000000000000000000001", 1, NOTICE_RESOLVED);
    queue_for(&desk, "inc_00000000000000000000000002", 3, NOTICE_RESOLVED);
    assert_false(mark(&desk, 1, T0));
    desk.rooms[0] = 1000;
    assert_true(mark(&desk, 1, T0));
    for (size_t w = 0; w < sizeof want / sizeof *want; w++) {
        AUTO(delivery) delivery = outbox_delivery_take(&desk.outbox, 1);
        assert_non_null(delivery);
        char said[40];
        (void)snprintf(said, sizeof said, "%c %s", delivery->incident.at[IDENT_LEN - 1],
                       incidents_notice_name(delivery->kind));
        assert_string_equal(said, want[w]);
    }
    end(&desk);
}

/* An eighth of a destination's room is kept for the most urgent. */
static void test_room_for_the_urgent(void **state)
{
    (void)state;
    struct desk desk;
    begin(&desk, 1);
    desk.outbox.room = room;
    desk.rooms[0] = 16;
    for (int n = 0; n < 20; n++)
        queue_for(&desk, "inc_00000000000000000000000002", 3, NOTICE_RAISED);
    assert_true(mark(&desk, 1, T0));
    assert_int_equal(desk.outbox.queues[0]->marked_count, 14);
    queue_for(&desk, "inc_00000000000000000000000001", 1, NOTICE_OPENED);
    assert_true(mark(&desk, 2, T0));
    assert_int_equal(desk.outbox.queues[0]->marked_count, 15);
    end(&desk);
}

int main(void)
{
    struct CMUnitTest tests[40];
    size_t n = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        tests[n++] = ROW(test_notice, &rows[r]);
    for (size_t r = 0; r < sizeof settle_rows / sizeof settle_rows[0]; r++)
        tests[n++] = ROW(test_settle, &settle_rows[r]);
    const struct CMUnitTest more[] = {
        cmocka_unit_test(test_storm_ends),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_storm_ends_in_a_digest),
        cmocka_unit_test(test_the_end_goes_to_who_was_told),
        cmocka_unit_test(test_what_never_arrived_has_no_end),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_flapping_for_hours),
        cmocka_unit_test(test_nothing_goes_before_it_is_durable),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_what_waits_is_silent),
        cmocka_unit_test(test_not_taken_did_not_happen),
        cmocka_unit_test(test_order_of_what_waits),
        cmocka_unit_test(test_room_for_the_urgent),
    };
    memcpy(&tests[n], more, sizeof more);
    n += sizeof more / sizeof more[0];
    return _cmocka_run_group_tests("test_outbox", tests, n, NULL, NULL);
}
