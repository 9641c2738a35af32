/* SPDX-License-Identifier: Apache-2.0 */
/* The record over a real redis-server: crashes, redelivery, the ledger, checkpoints, views. */
#include "incidents/store/redis.h"
#include "tests/incidents/incident_case.h"
#include "tests/support/table.h"
#include <poll.h>
#include <signal.h>

struct place {
    char dir[64];
    struct redis_server *server;
};

static int set_up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    struct error err = {0};
    assert_non_null(p);
    (void)snprintf(p->dir, sizeof p->dir, "/tmp/tocsin-test-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    enum status s = redis_server_start(p->dir, &p->server, &err);
    if (s != STATUS_OK && s != STATUS_NOTFOUND)
        fail_msg("%s", err.text);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[100];
    redis_server_stop(p->server);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    int rc = system(command);
    free(p);
    return rc;
}

static uint32_t route(void *context, const struct notice *n, struct text *out)
{
    (void)context;
    (void)n;
    out[0] = TEXT("file");
    out[1] = TEXT("mail");
    return 2;
}

static struct incidents_options options_of(const struct place *p)
{
    return (struct incidents_options){.socket = p->server ? redis_server_socket(p->server) : NULL,
                                      .route = route};
}

static struct incidents *open_record(const struct place *p)
{
    struct incidents *i = NULL;
    struct error err = {0};
    const struct incidents_options options = options_of(p);
    if (!p->server)
        SKIP_BECAUSE("no redis-server here");
    if (incidents_open(&options, &i, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return i;
}

static void drain(struct incidents *i)
{
    for (int n = 0; n < 100; n++)
        if (incidents_poll(i, 100) == STATUS_OK)
            return;
    fail_msg("Redis did not acknowledge");
}

static const struct case_rule kinds[] = {
    {"guess", LEVEL_MEDIUM, "credential-access"},
    {"login", LEVEL_HIGH, "initial-access"},
    {"sudoer", LEVEL_HIGH, "privilege-escalation"},
    {"scan", LEVEL_LOW, "reconnaissance"},
};
enum { INPUTS = 120 };

/* The n-th detection of a fixed story: several addresses and hosts, some of which cross. */
static void put_nth(struct incidents *i, uint32_t n, int64_t from_us)
{
    struct case_detection c;
    char address[32], host[32];
    struct rule rule = case_make_rule(&kinds[(n * 7 + n / 5) % 4]);
    (void)snprintf(address, sizeof address, "192.0.2.%u", n % 9);
    (void)snprintf(host, sizeof host, "web\xff%u", n % 3); /* as bytes that are no UTF-8 */
    const struct entity entities[] = {{text_of(address), ENTITY_ADDRESS, true},
                                      {text_of(host), ENTITY_HOST, true}};
    case_make(&c, &rule, from_us + n * CASE_S, n + 1, entities, 2);
    enum status s;
    while ((s = incidents_detect(i, &c.detection)) == STATUS_FULL)
        (void)!incidents_poll(i, 50);
    assert_int_equal(s, STATUS_OK);
}

static void reference(struct buffer *out)
{
    const struct incidents_options options = {.route = route};
    struct incidents *i = NULL;
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0);
    case_dump(i, out);
    incidents_close(i);
}

static void assert_same(const struct incidents *i, const struct buffer *want)
{
    struct buffer got;
    case_dump(i, &got);
    if (!text_equal(buffer_text(&got), buffer_text(want)))
        fail_msg("want\n%.*s\ngot\n%.*s", TEXT_ARG(buffer_text(want)), TEXT_ARG(buffer_text(&got)));
    buffer_fini(&got);
}

static void test_same_as_memory(void **state)
{
    struct buffer want;
    struct incidents *i = open_record(*state);
    reference(&want);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0);
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    i = open_record(*state); /* as Redis has it */
    assert_same(i, &want);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0); /* redelivered */
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    buffer_fini(&want);
}

/* ---- what a loud rule would have charged ---- */

enum { CEILING = 20, FLOOD = 100 };

/* The n-th of a flood of guessing; the last but one is the victim's guessing, the last its login.
 */
static void put_flood(struct incidents *i, uint32_t n)
{
    char address[32] = "198.51.100.9";
    struct rule rule = case_make_rule(&kinds[n == FLOOD + 1]);
    rule.max_entities = CEILING;
    rule.max_entities_us = 600 * CASE_S;
    if (n < FLOOD)
        (void)snprintf(address, sizeof address, "192.0.2.%u", n);
    case_put(i, &rule, CASE_T0 + n * CASE_S, n + 1, address);
}

/* Killed at any moment of a flood: who was held, and which rules are loud, is in Redis. */
static void test_flood_and_crash(void **state)
{
    static const uint32_t cuts[] = {CEILING - 1, CEILING, CEILING + 1, FLOOD, FLOOD + 1};
    struct buffer want;
    struct incidents *i = NULL;
    const struct incidents_options options = {.route = route}; /* as that of open_record */
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    for (uint32_t n = 0; n < FLOOD + 2; n++)
        put_flood(i, n);
    assert_int_equal(case_count(i, "incident"), 1);
    case_dump(i, &want);
    incidents_close(i);
    i = open_record(*state);
    for (uint32_t n = 0, cut = 0; n < FLOOD + 2; n++) {
        if (cut < sizeof cuts / sizeof cuts[0] && n == cuts[cut]) {
            cut++;
            drain(i);
            incidents_close(i);
            i = open_record(*state);
        }
        put_flood(i, n);
    }
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    i = open_record(*state);
    assert_same(i, &want);
    incidents_close(i);
    buffer_fini(&want);
}

/* Our own crash at any moment: what was not sent is gone with us, and decided again. */
static void test_own_crash(void **state)
{
    struct buffer want;
    reference(&want);
    uint32_t done = 0;
    struct incidents *i = open_record(*state);
    for (uint32_t round_number = 0; done < INPUTS; round_number++) {
        uint32_t from = done > 15 ? done - 15 : 0;
        done = done + 17 < INPUTS ? done + 17 : INPUTS;
        for (uint32_t n = from; n < done; n++)
            put_nth(i, n, CASE_T0);
        if (round_number % 2)
            (void)!incidents_poll(i, 0);
        incidents_close(i); /* no drain: dirty state and unsent effects are lost */
        i = open_record(*state);
        for (uint32_t n = 0; n < done; n++)
            put_nth(i, n, CASE_T0); /* from the last checkpoint on */
    }
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    i = open_record(*state);
    assert_same(i, &want);
    incidents_close(i);
    buffer_fini(&want);
}

static pid_t server_pid(const struct place *p)
{
    char path[100], digits[32] = {0};
    (void)snprintf(path, sizeof path, "%s/redis.lock", p->dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(digits, sizeof digits, f));
    fclose(f);
    return (pid_t)strtol(digits, NULL, 10);
}

static void kill_server(const struct place *p)
{
    struct redis *r = NULL;
    for (int n = 0; n < 500 && !r; n++) {
        (void)!redis_open(redis_server_socket(p->server), NULL, 1000, &r, NULL);
        (void)poll(NULL, 0, r ? 0 : 10);
    }
    assert_non_null(r); /* it runs: its process is the one that is noted */
    redis_close(r);
    assert_int_equal(kill(server_pid(p), SIGKILL), 0);
}

/* kill -9 of Redis again and again: the effects wait and go out in order. */
static void test_redis_dies(void **state)
{
    struct place *p = *state;
    struct buffer want;
    struct incidents *i = open_record(p);
    reference(&want);
    for (uint32_t n = 0; n < INPUTS; n++) {
        put_nth(i, n, CASE_T0);
        if (n % 10 == 3)
            (void)!incidents_poll(i, 0);
        if (n % 40 == 20)
            kill_server(p);
    }
    drain(i);
    assert_false(incidents_has_rolled_back(i));
    assert_same(i, &want);
    incidents_close(i);
    i = open_record(p);
    assert_same(i, &want);
    incidents_close(i);
    buffer_fini(&want);
}

static struct doc_tree verify(const struct place *p, struct arena *arena)
{
    struct view *v = NULL;
    struct buffer out;
    struct doc_tree t = {0};
    const struct incidents_options options = options_of(p);
    assert_int_equal(view_open(&options, &v, NULL), STATUS_OK);
    buffer_init(&out, 1 << 20);
    assert_int_equal(view_verify(v, NULL, &out, NULL), STATUS_OK);
    assert_int_equal(doc_tree_parse(buffer_text(&out), arena, &t, NULL), STATUS_OK);
    buffer_fini(&out);
    view_close(v);
    return t;
}

/* Crashes of ours and of Redis at random moments, replay from the last checkpoint. */
static void test_chaos(void **state)
{
    struct place *p = *state;
    struct buffer want;
    const char *given = getenv("TOCSIN_SEED");
    uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 10) : (uint32_t)getpid();
    print_message("TOCSIN_SEED=%u\n", seed);
    struct incidents *i = open_record(p);
    reference(&want);
    uint32_t at = 0, safe = 0, kills = 0;
    struct error err = {0};
    while (at < INPUTS) {
        seed = seed * 1664525U + 1013904223U;
        switch ((seed >> 16) % 40) {
        case 0:
            if (kills++ < 3) /* it is started anew ever more slowly */
                kill_server(p);
            break;
        case 1:
        case 2:
            incidents_close(i);
            i = NULL;
            for (int n = 0; n < 100 && !i; n++) {
                const struct incidents_options options = options_of(p);
                (void)!incidents_open(&options, &i, &err);
                (void)poll(NULL, 0, i ? 0 : 20);
            }
            if (!i)
                fail_msg("%s", err.text);
            at = safe;
            break;
        case 3:
            drain(i);
            safe = at;
            break;
        case 4:
        case 5:
            (void)!incidents_poll(i, 0);
            break;
        default:
            put_nth(i, at++, CASE_T0);
        }
    }
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    i = open_record(p);
    assert_same(i, &want);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct doc_tree t = verify(p, &arena);
    assert_true(doc_tree_bool(&t, "ok"));
    arena_fini(&arena);
    incidents_close(i);
    buffer_fini(&want);
}

static struct reply ask(const struct place *p, struct arena *arena, const struct text *words,
                        uint32_t count)
{
    struct redis *r = NULL;
    struct reply reply = {0};
    assert_int_equal(redis_open(redis_server_socket(p->server), NULL, 5000, &r, NULL), STATUS_OK);
    assert_int_equal(redis_call(r, words, count, arena, &reply, NULL), STATUS_OK);
    redis_close(r);
    return reply;
}

#define ASK(p, arena, ...)                                                                         \
    ask((p), (arena), (const struct text[]){__VA_ARGS__},                                          \
        sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text))

/* A fail-over to a replica that is behind, as seen from here: everything goes back in time. */
static void test_roll_back(void **state)
{
    struct place *p = *state;
    struct buffer want;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct incidents *i = open_record(p);
    reference(&want);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0);
    drain(i);
    (void)ASK(p, &arena, TEXT("FLUSHALL"));
    (void)ASK(p, &arena, TEXT("CLIENT"), TEXT("KILL"), TEXT("TYPE"), TEXT("normal"));
    put_nth(i, INPUTS, CASE_T0);
    bool has = false;
    for (int n = 0; n < 50 && !has; n++) {
        (void)!incidents_poll(i, 20);
        has = incidents_has_rolled_back(i);
    }
    assert_true(has);
    assert_int_equal(incidents_commit_state(i, TEXT("position 1\n")), STATUS_CONFLICT);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0); /* the journal is read again */
    incidents_close(i);
    i = open_record(p);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0);
    drain(i);
    assert_same(i, &want);
    incidents_close(i);
    buffer_fini(&want);
    arena_fini(&arena);
}

static void test_second_writer_fences(void **state)
{
    struct incidents *first = open_record(*state), *second = open_record(*state);
    put_nth(first, 0, CASE_T0);
    enum status s = STATUS_AGAIN;
    for (int n = 0; n < 20 && s == STATUS_AGAIN; n++)
        s = incidents_poll(first, 50);
    assert_int_equal(s, STATUS_CLOSED);
    put_nth(second, 0, CASE_T0);
    drain(second);
    incidents_close(first);
    incidents_close(second);
}

/* At its memory limit Redis takes no detection more, yet people can still work. */
static void test_memory_limit(void **state)
{
    struct place *p = *state;
    static const struct case_rule critical = {"critical", LEVEL_CRITICAL, "impact"};
    struct rule rule = case_make_rule(&critical);
    struct arena arena;
    struct doc_tree t;
    struct case_detection c;
    const struct entity entity = {TEXT("192.0.2.8"), ENTITY_ADDRESS, true};
    char command[100];
    arena_init(&arena, 8 << 20);
    struct incidents *i = open_record(p);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    drain(i);
    t = case_first(i, "incident", &arena);
    (void)snprintf(command, sizeof command, "{\"do\":\"ack\",\"incident\":\"%.*s\"}",
                   TEXT_ARG(doc_tree_text(&t, "id")));
    (void)ASK(p, &arena, TEXT("CONFIG"), TEXT("SET"), TEXT("maxmemory"), TEXT("1mb"));
    enum status s = STATUS_OK;
    for (uint64_t n = 2; n < 200 && s == STATUS_OK; n++) {
        case_make(&c, &rule, CASE_T0 + (int64_t)n, n, &entity, 1);
        s = incidents_detect(i, &c.detection);
        (void)!incidents_poll(i, 0);
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(s, STATUS_FULL);
    assert_int_equal(case_command(i, &arena, &t, CASE_T0 + CASE_S, command), 200);
    drain(i);
    (void)ASK(p, &arena, TEXT("CONFIG"), TEXT("SET"), TEXT("maxmemory"), TEXT("0"));
    for (int n = 0; n < 200 && s == STATUS_FULL; n++) {
        s = incidents_detect(i, &c.detection);
        (void)!incidents_poll(i, 0);
        (void)poll(NULL, 0, 10);
    }
    assert_int_equal(s, STATUS_OK);
    incidents_close(i);
    arena_fini(&arena);
}

/* ---- the ledger ---- */

static void test_verify_names_the_first_bad(void **state)
{
    struct place *p = *state;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct incidents *i = open_record(p);
    for (uint32_t n = 0; n < INPUTS; n++)
        put_nth(i, n, CASE_T0);
    drain(i);
    incidents_close(i);
    struct doc_tree t = verify(p, &arena);
    int64_t records = doc_tree_whole(&t, "records", 0);
    assert_true(doc_tree_bool(&t, "ok"));
    assert_true(records > 10);
    struct reply all = ASK(p, &arena, TEXT("XRANGE"), TEXT("tocsin:ledger"), TEXT("-"), TEXT("+"));
    assert_int_equal(all.count, records);
    for (uint32_t bad = 0; bad < all.count; bad++) {
        /* the same ledger with one bit of one record turned over */
        (void)ASK(p, &arena, TEXT("DEL"), TEXT("tocsin:ledger"));
        for (uint32_t n = 0; n < all.count; n++) {
            const struct reply *fields = &all.items[n].items[1];
            char bytes[4096];
            struct text record = fields->items[1].text;
            assert_true(record.len < sizeof bytes);
            memcpy(bytes, record.at, record.len);
            if (n == bad)
                bytes[(n * 131) % record.len] ^= (char)(1 << (n % 8));
            (void)ASK(p, &arena, TEXT("XADD"), TEXT("tocsin:ledger"), all.items[n].items[0].text,
                      TEXT("r"), {bytes, record.len}, TEXT("h"), fields->items[3].text);
        }
        t = verify(p, &arena);

        assert_false(doc_tree_bool(&t, "ok"));
        assert_int_equal(doc_tree_whole(&t, "first_bad", 0), bad + 1);
        bad += 6; /* some of them: each writes the whole ledger anew */
    }
    arena_fini(&arena);
}

/* ---- checkpoints ---- */

static void test_checkpoints(void **state)
{
    struct place *p = *state;
    struct buffer out;
    struct arena arena;
    arena_init(&arena, 64 << 20);
    buffer_init(&out, 1 << 20);
    struct incidents *i = open_record(p);
    assert_int_equal(incidents_get_state(i, TEXT("commit"), &out), STATUS_NOTFOUND);
    assert_int_equal(incidents_put_state(i, TEXT("a1"), TEXT("window one")), STATUS_OK);
    assert_int_equal(incidents_put_state(i, TEXT("a2"), TEXT("window two")), STATUS_OK);
    drain(i);
    assert_int_equal(incidents_commit_state(i, TEXT("position 7\nshard a1\nshard a2\n")),
                     STATUS_OK);
    drain(i);
    assert_int_equal(incidents_put_state(i, TEXT("a3"), TEXT("window one again")), STATUS_OK);
    drain(i);
    incidents_close(i); /* a3 was never committed */
    i = open_record(p);
    assert_int_equal(incidents_get_state(i, TEXT("commit"), &out), STATUS_OK);
    assert_true(text_equal(buffer_text(&out), TEXT("position 7\nshard a1\nshard a2\n")));
    buffer_clear(&out);
    assert_int_equal(incidents_get_state(i, TEXT("a2"), &out), STATUS_OK);
    assert_true(text_equal(buffer_text(&out), TEXT("window two")));
    assert_int_equal(incidents_put_state(i, TEXT("b1"), TEXT("all")), STATUS_OK);
    drain(i);
    assert_int_equal(incidents_commit_state(i, TEXT("position 9\nshard b1\n")), STATUS_OK);
    drain(i);
    drain(i);
    drain(i);
    assert_int_equal(ASK(p, &arena, TEXT("HLEN"), TEXT("tocsin:state")).integer, 1);
    incidents_close(i);
    buffer_fini(&out);
    arena_fini(&arena);
}

/* ---- the outbox and the views ---- */

static struct doc_tree show(struct view *v, const char *id, struct arena *arena)
{
    struct buffer out;
    struct doc_tree t = {0};
    buffer_init(&out, 1 << 20);
    assert_int_equal(view_incident(v, text_of(id), 0, &out, NULL), STATUS_OK);
    assert_int_equal(doc_tree_parse(buffer_text(&out), arena, &t, NULL), STATUS_OK);
    buffer_fini(&out);
    return t;
}

static struct delivery *next_delivery(struct incidents *i)
{
    struct delivery *d = NULL;
    for (int n = 0; n < 50 && !d; n++) {
        d = incidents_next_delivery(i, CASE_T0 + CASE_H);
        (void)!incidents_poll(i, 20);
    }
    return d;
}

static void test_deliveries_outlive_a_crash(void **state)
{
    struct place *p = *state;
    static const struct case_rule critical = {"critical", LEVEL_CRITICAL, "impact"};
    struct rule rule = case_make_rule(&critical);
    struct incidents *i = open_record(p);
    char first_id[40];
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    struct delivery *d = next_delivery(i);
    assert_non_null(d);
    assert_false(d->may_be_duplicate);
    (void)snprintf(first_id, sizeof first_id, "%.*s", TEXT_ARG(d->id));
    delivery_free(d);
    incidents_close(i); /* in flight */
    i = open_record(p);
    bool has_come_again = false;
    for (int n = 0; n < 2; n++) {
        d = next_delivery(i);
        assert_non_null(d);
        if (text_equal(d->id, text_of(first_id))) {
            assert_true(d->may_be_duplicate);
            has_come_again = true;
        }
        struct outcome o = {.delivery = d->id,
                            .destination = d->destination,
                            .incident = d->incident,
                            .state = DELIVERY_DELIVERED,
                            .attempt = 1,
                            .started_us = CASE_T0 + CASE_S};
        assert_int_equal(incidents_settle(i, &o), STATUS_OK);
        delivery_free(d);
    }
    assert_true(has_come_again);
    drain(i);
    incidents_close(i);
    i = open_record(p);
    assert_null(incidents_next_delivery(i, CASE_T0 + CASE_H));
    incidents_close(i);
}

/* What falls due by the wall clock is found again by the next start, and told once. */
static void test_what_falls_due_outlives_a_stop(void **state)
{
    struct place *p = *state;
    static const struct case_rule critical = {"critical", LEVEL_CRITICAL, "impact"};
    struct rule rule = case_make_rule(&critical);
    struct arena arena;
    struct doc_tree t;
    char id[31], until[TIMESTAMP_LEN + 1], command[240];
    arena_init(&arena, 16 << 20);
    struct incidents *i = open_record(p);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    t = case_first(i, "incident", &arena);
    memcpy(id, doc_tree_text(&t, "id").at, 31);
    struct text severity = doc_tree_text(&t, "severity");
    assert_false(text_equal(severity, TEXT("low")));
    timestamp_format(CASE_T0 + CASE_H, until);
    (void)snprintf(command, sizeof command,
                   "{\"do\":\"severity\",\"incident\":\"%s\",\"by\":\"ada\",\"severity\":\"low\","
                   "\"reason\":\"known\",\"until\":\"%s\"}",
                   id, until);
    assert_int_equal(case_command(i, &arena, &t, CASE_T0 + CASE_S, command), 200);
    drain(i);
    incidents_close(i);
    i = open_record(p);
    delivery_free(incidents_next_delivery(i, CASE_T0 + CASE_H - 1));
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "severity"), TEXT("low")));
    assert_true(doc_tree_get(&t, "told")->count > 0);
    delivery_free(incidents_next_delivery(i, CASE_T0 + CASE_H));
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "severity"), severity));
    drain(i);
    incidents_close(i);
    i = open_record(p);
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "severity"), severity));
    incidents_close(i);
    arena_fini(&arena);
}

static void test_views(void **state)
{
    struct place *p = *state;
    static const struct case_rule critical = {"critical", LEVEL_CRITICAL, "impact"};
    struct rule rule = case_make_rule(&critical);
    struct arena arena;
    struct doc_tree t = {0};
    struct buffer out;
    arena_init(&arena, 64 << 20);
    buffer_init(&out, 4 << 20);
    struct incidents *i = open_record(p);
    char address[32], id[31], command[200];
    for (uint32_t n = 0; n < 5; n++) {
        (void)snprintf(address, sizeof address, "192.0.2.%u", n);
        case_put(i, &rule, CASE_T0 + n * 60 * CASE_S, n + 1, address);
    }
    t = case_first(i, "incident", &arena);
    memcpy(id, doc_tree_text(&t, "id").at, 31);
    (void)snprintf(command, sizeof command, "{\"do\":\"ack\",\"incident\":\"%s\",\"by\":\"ada\"}",
                   id);
    assert_int_equal(case_command(i, &arena, &t, CASE_T0 + 30 * CASE_S, command), 200);
    (void)snprintf(command, sizeof command,
                   "{\"do\":\"resolve\",\"incident\":\"%s\",\"by\":\"ada\"}", id);
    assert_int_equal(case_command(i, &arena, &t, CASE_T0 + 90 * CASE_S, command), 200);
    drain(i);
    struct view *v = NULL;
    const struct incidents_options options = options_of(p);
    assert_int_equal(view_open(&options, &v, NULL), STATUS_OK);
    t = show(v, id, &arena);
    assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("recovered")));
    assert_true(doc_tree_get(&t, "timeline")->count >= 3);
    assert_int_equal(doc_tree_get(&t, "deliveries")->count, 6); /* 3 notices to 2, all queued */
    assert_int_equal(view_incident(v, TEXT("inc_nothing"), 0, &out, NULL), STATUS_NOTFOUND);
    /* newest first, in pages */
    struct incident_filter f = {.since_us = TIMESTAMP_NONE, .until_us = TIMESTAMP_NONE, .limit = 2};
    uint32_t seen = 0;
    char after[40] = "";
    for (int page = 0; page < 3; page++) {
        buffer_clear(&out);
        f.after = text_of(after);
        assert_int_equal(view_incidents(v, &f, &out, NULL), STATUS_OK);
        assert_int_equal(doc_tree_parse(buffer_text(&out), &arena, &t, NULL), STATUS_OK);
        seen += doc_tree_get(&t, "incidents")->count;
        (void)snprintf(after, sizeof after, "%.*s", TEXT_ARG(doc_tree_text(&t, "next")));
        assert_int_equal(after[0] != 0, page < 2);
    }
    assert_int_equal(seen, 5);
    buffer_clear(&out);
    assert_int_equal(view_report(v, TIMESTAMP_NONE, TIMESTAMP_NONE, TEXT("priority"),
                                 CASE_T0 + CASE_H, &out, NULL),
                     STATUS_OK);
    assert_int_equal(doc_tree_parse(buffer_text(&out), &arena, &t, NULL), STATUS_OK);
    const struct doc_tree *total = doc_tree_get(&t, "total");
    assert_int_equal(doc_tree_whole(total, "opened", 0), 5);
    assert_int_equal(doc_tree_whole(total, "acknowledged", 0), 1);
    assert_int_equal(doc_tree_whole(total, "resolved", 0), 1);
    const struct doc_tree *ack = doc_tree_get(doc_tree_get(total, "metrics"), "acknowledge");
    assert_int_equal(doc_tree_whole(ack, "n", 0), 1);
    assert_int_equal(doc_tree_whole(ack, "open", 0), 4);
    assert_true(doc_tree_real(ack, "median_s", 0) > 29.9 &&
                doc_tree_real(ack, "median_s", 0) < 30.1);
    buffer_clear(&out); /* a rule is told by its title, too */
    assert_int_equal(
        view_report(v, TIMESTAMP_NONE, TIMESTAMP_NONE, TEXT("rule"), CASE_T0 + CASE_H, &out, NULL),
        STATUS_OK);
    assert_int_equal(doc_tree_parse(buffer_text(&out), &arena, &t, NULL), STATUS_OK);
    assert_true(text_equal(doc_tree_text(&doc_tree_get(&t, "groups")->items[0], "key"), rule.key));
    assert_true(
        text_equal(doc_tree_text(&doc_tree_get(&t, "groups")->items[0], "title"), rule.title));
    buffer_clear(&out);
    assert_int_equal(view_handover(v, CASE_T0 + CASE_H, &out, NULL), STATUS_OK);
    assert_int_equal(doc_tree_parse(buffer_text(&out), &arena, &t, NULL), STATUS_OK);
    assert_int_equal(doc_tree_whole(&t, "open", 0), 5);
    assert_false(doc_tree_bool(&t, "can_be_signed"));
    view_close(v);
    incidents_close(i);
    buffer_fini(&out);
    arena_fini(&arena);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_same_as_memory),
        TEST(test_own_crash),
        TEST(test_flood_and_crash),
        TEST(test_redis_dies),
        TEST(test_chaos),
        TEST(test_roll_back),
        TEST(test_second_writer_fences),
        TEST(test_memory_limit),
        TEST(test_verify_names_the_first_bad),
        TEST(test_checkpoints),
        TEST(test_deliveries_outlive_a_crash),
        TEST(test_what_falls_due_outlives_a_stop),
        TEST(test_views),
    };
    return cmocka_run_group_tests_name("test_incident_store_redis", tests, NULL, NULL);
}
