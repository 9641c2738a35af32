/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/incidents/incident_case.h"
#include <math.h>

static const struct case_rule guessing = {"ssh-guessing", LEVEL_MEDIUM, "credential-access"};
static const struct case_rule success = {"ssh-success", LEVEL_HIGH, "initial-access"};
static const struct case_rule sudoer = {"new-sudoer", LEVEL_HIGH, "privilege-escalation"};
static const struct case_rule high_a = {"high-a", LEVEL_HIGH, "execution"};
static const struct case_rule high_b = {"high-b", LEVEL_HIGH, "execution"};
static const struct case_rule critical = {"critical-a", LEVEL_CRITICAL, "impact"};

/* The worked table of the model. */
struct blow {
    const struct case_rule *rule;
    int64_t at_s;
};
static const struct row {
    const char *name;
    struct blow steps[3];
    double score;
    bool is_incident;
} rows[] = {
    {"worked: guessing", {{&guessing, 0}}, 27, false},
    {"worked: success at once", {{&guessing, 0}, {&success, 0}}, 70, true},
    {"worked: success 12 h later", {{&guessing, 0}, {&success, 43200}}, 66, true},
    {"worked: new sudoer", {{&guessing, 0}, {&success, 0}, {&sudoer, 1800}}, 92, true},
    {"worked: one high", {{&high_a, 0}}, 54, false},
    {"worked: one critical", {{&critical, 0}}, 81, true},
    {"worked: two highs of a tactic", {{&high_a, 0}, {&high_b, 86400}}, 69, true},
};

static void test_worked(void **state)
{
    const struct row *row = *state;
    struct incidents *i = case_memory();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (uint64_t s = 0; s < 3 && row->steps[s].rule; s++) {
        struct rule rule = case_make_rule(row->steps[s].rule);
        case_put(i, &rule, CASE_T0 + row->steps[s].at_s * CASE_S, s + 1, "192.0.2.7");
    }
    const char *kind = row->is_incident ? "incident" : "candidate";
    struct doc_tree t = case_first(i, kind, &arena);
    assert_int_equal(t.kind, TREE_MAP);
    assert_true(fabs(round(doc_tree_real(&t, "score", -1)) - row->score) < 0.01);
    assert_int_equal(case_count(i, "incident"), row->is_incident);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_object(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct rule first = case_make_rule(&guessing), second = case_make_rule(&success);
    case_put(i, &first, CASE_T0, 1, "192.0.2.7");
    case_put(i, &second, CASE_T0 + CASE_S, 2, "192.0.2.7");
    struct doc_tree t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_text(&t, "id").len, 30);
    assert_true(text_starts(doc_tree_text(&t, "id"), TEXT("inc_")));
    assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("open")));
    assert_true(text_equal(doc_tree_text(&t, "profile"), TEXT("security")));
    assert_true(text_equal(doc_tree_text(&t, "severity"), TEXT("high")));
    assert_true(text_equal(doc_tree_text(&t, "priority"), TEXT("P2")));
    const struct doc_tree *parts = doc_tree_get(&t, "contributions");
    assert_int_equal(parts->count, 2);
    assert_true(text_equal(doc_tree_text(&parts->items[0], "rule"), TEXT("ssh-success")));
    double share =
        doc_tree_real(&parts->items[0], "share", 0) + doc_tree_real(&parts->items[1], "share", 0);
    assert_true(fabs(share - 1) < 1e-5);
    const struct doc_tree *evidence = doc_tree_get(&t, "evidence");
    assert_int_equal(evidence->count, 1); /* nothing fetches the first one's line here */
    assert_true(text_equal(doc_tree_text(evidence->items, "line"), TEXT("line 2")));
    const struct doc_tree *times = doc_tree_get(&t, "times");
    assert_int_equal(doc_tree_time(times, "occurred"), CASE_T0);
    assert_int_equal(doc_tree_time(times, "opened"), CASE_T0 + CASE_S);
    arena_fini(&arena);
    incidents_close(i);
}

/* Doubled and shuffled detections leave the same scores, to the bit. */
static void test_redelivery(void **state)
{
    (void)state;
    static const struct case_rule *const all[] = {&guessing, &high_a, &high_b};
    struct arena arena;
    arena_init(&arena, 8 << 20);
    double marks[3] = {0};
    uint32_t seed = 1;
    for (int round_number = 0; round_number < 20; round_number++) {
        struct incidents *i = case_memory();
        for (int n = 0; n < 30; n++) {
            seed = seed * 1103515245u + 12345u;
            uint32_t k = round_number ? (seed >> 16) % 15 : (uint32_t)n % 15;
            struct rule rule = case_make_rule(all[k % 3]);
            case_put(i, &rule, CASE_T0 + k * CASE_S, k + 1, "192.0.2.7");
        }
        for (uint32_t k = 0; k < 15; k++) {
            struct rule rule = case_make_rule(all[k % 3]);
            case_put(i, &rule, CASE_T0 + k * CASE_S, k + 1, "192.0.2.7");
        }
        struct doc_tree t = case_first(i, "incident", &arena);
        const struct doc_tree *parts = doc_tree_get(&t, "contributions");
        assert_int_equal(parts->count, 3);
        for (uint32_t p = 0; p < 3; p++) {
            double mark = doc_tree_real(&parts->items[p], "mark", 0);
            if (!round_number)
                marks[p] = mark;
            assert_true(mark >= marks[p] && mark <= marks[p]);
            assert_int_equal(doc_tree_whole(&parts->items[p], "count", 0), 5);
        }
        incidents_close(i);
    }
    arena_fini(&arena);
}

static void test_joins(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct case_detection c;
    arena_init(&arena, 1 << 20);
    struct rule rule = case_make_rule(&critical), low = case_make_rule(&guessing);
    const struct entity both[] = {{TEXT("web1"), ENTITY_HOST, true},
                                  {TEXT("192.0.2.7"), ENTITY_ADDRESS, true},
                                  {TEXT("-"), ENTITY_USER, true}};
    case_make(&c, &rule, CASE_T0, 1, both, 3);
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    assert_int_equal(case_count(i, "incident"), 1);
    struct doc_tree t = case_first(i, "incident", &arena);
    const struct doc_tree *entities = doc_tree_get(&t, "entities");
    assert_int_equal(entities->count, 2); /* nobody is called "-" */
    /* another address on the same host: appended, the address itself stays a candidate */
    const struct entity other[] = {{TEXT("198.51.100.9"), ENTITY_ADDRESS, true},
                                   {TEXT("web1"), ENTITY_HOST, true}};
    case_make(&c, &low, CASE_T0 + CASE_S, 2, other, 2);
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_whole(&t, "recurrences", 0), 1);
    assert_int_equal(case_count(i, "candidate"), 1);
    /* over the threshold, sharing a detection with the open incident: it joins */
    case_make(&c, &rule, CASE_T0 + 2 * CASE_S, 3, other, 2);
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_get(&t, "entities")->count, 3);
    assert_int_equal(case_count(i, "incident"), 1);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_open_never_and_shadow(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct rule rule = case_make_rule(&critical);
    rule.is_shadow = true;
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    assert_int_equal(case_count(i, "candidate"), 0);
    rule.is_shadow = false;
    rule.open = OPEN_NEVER;
    case_put(i, &rule, CASE_T0, 2, "192.0.2.7");
    assert_int_equal(case_count(i, "candidate"), 1);
    assert_int_equal(case_count(i, "incident"), 0);
    rule = case_make_rule(&guessing);
    rule.open = OPEN_ALWAYS;
    case_put(i, &rule, CASE_T0, 3, "192.0.2.8");
    assert_int_equal(case_count(i, "incident"), 1);
    incidents_close(i);
}

static void test_suppress(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct rule rule = case_make_rule(&guessing);
    rule.suppress_us = 60 * CASE_S;
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    case_put(i, &rule, CASE_T0 + 59 * CASE_S, 2, "192.0.2.7");
    case_put(i, &rule, CASE_T0 + 60 * CASE_S, 3, "192.0.2.7");
    struct doc_tree t = case_first(i, "candidate", &arena);
    assert_int_equal(doc_tree_whole(&t, "detections", 0), 2);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_noise(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct rule rule = case_make_rule(&guessing);
    rule.max_entities = 5;
    rule.max_entities_us = 600 * CASE_S;
    char address[32];
    for (uint32_t n = 0; n < 20; n++) {
        (void)snprintf(address, sizeof address, "192.0.2.%u", n);
        case_put(i, &rule, CASE_T0 + n * CASE_S, n + 1, address);
    }
    assert_int_equal(case_count(i, "candidate"), 5);
    /* calm again: charged again */
    case_put(i, &rule, CASE_T0 + 2000 * CASE_S, 100, "198.51.100.1");
    assert_int_equal(case_count(i, "candidate"), 6);
    incidents_close(i);
}

static void id_of(const struct incidents *i, struct arena *arena, char out[31])
{
    struct doc_tree t = case_first(i, "incident", arena);
    struct text id = doc_tree_text(&t, "id");
    assert_int_equal(id.len, 30);
    memcpy(out, id.at, 30);
    out[30] = 0;
}

static int run(struct incidents *i, struct arena *arena, struct doc_tree *out, int64_t now_us,
               const char *verb, const char *id, const char *more)
{
    char command[400];
    (void)snprintf(command, sizeof command, "{\"do\":\"%s\",\"incident\":\"%s\",\"by\":\"ada\"%s}",
                   verb, id, more);
    return case_command(i, arena, out, now_us, command);
}

static void test_lifecycle(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    char id[31];
    arena_init(&arena, 8 << 20);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    static const struct {
        const char *verb, *state;
        int http;
    } steps[] = {
        {"ack", "acknowledged", 200},     {"contain", "contained", 200}, {"ack", "contained", 200},
        {"eradicate", "eradicated", 200}, {"resolve", "recovered", 200}, {"contain", NULL, 409},
        {"review", "reviewed", 200},      {"close", "closed", 200},      {"dance", NULL, 400},
    };
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        int http = run(i, &arena, &t, CASE_T0 + (int64_t)(s + 1) * CASE_S, steps[s].verb, id, "");
        assert_int_equal(http, steps[s].http);
        if (steps[s].state)
            assert_true(text_equal(doc_tree_text(&t, "state"), text_of(steps[s].state)));
        else
            assert_true(doc_tree_text(&t, "error").len > 0);
    }
    t = case_first(i, "incident", &arena);
    const struct doc_tree *times = doc_tree_get(&t, "times");
    assert_int_equal(doc_tree_time(times, "acknowledged"), CASE_T0 + CASE_S);
    assert_int_equal(doc_tree_time(times, "resolved"), CASE_T0 + 5 * CASE_S);
    assert_int_equal(run(i, &arena, &t, CASE_T0, "ack", "inc_00000000000000000000000000", ""), 404);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_episodes(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    char id[31], again[31];
    arena_init(&arena, 8 << 20);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    assert_int_equal(
        run(i, &arena, &t, CASE_T0 + CASE_H, "close", id, ",\"disposition\":\"true_positive\""),
        200);
    /* an event of the closed episode, late */
    case_put(i, &rule, CASE_T0 + CASE_S, 2, "192.0.2.7");
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("closed")));
    /* within a day: the same one opens again */
    case_put(i, &rule, CASE_T0 + 2 * CASE_H, 3, "192.0.2.7");
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("open")));
    id_of(i, &arena, again);
    assert_string_equal(id, again);
    assert_int_equal(
        run(i, &arena, &t, CASE_T0 + 3 * CASE_H, "close", id, ",\"disposition\":\"true_positive\""),
        200);
    /* later: another one that knows the first */
    case_put(i, &rule, CASE_T0 + 40 * CASE_H, 4, "192.0.2.7");
    assert_int_equal(case_count(i, "incident"), 2);
    struct buffer all;
    case_dump(i, &all);
    char want[60];
    (void)snprintf(want, sizeof want, "\"recurs_of\":\"%s\"", id);
    assert_true(text_find(buffer_text(&all), text_of(want)) < all.len);
    buffer_fini(&all);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_false_positive(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    char id[31];
    arena_init(&arena, 8 << 20);
    struct rule rule = case_make_rule(&critical), other = case_make_rule(&high_a);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    assert_int_equal(
        run(i, &arena, &t, CASE_T0 + CASE_H, "close", id, ",\"disposition\":\"false_positive\""),
        200);
    case_put(i, &rule, CASE_T0 + 48 * CASE_H, 2, "192.0.2.7");
    assert_int_equal(case_count(i, "candidate"), 0);
    case_put(i, &other, CASE_T0 + 48 * CASE_H, 3, "192.0.2.7"); /* another family counts */
    assert_int_equal(case_count(i, "candidate"), 1);
    case_put(i, &rule, CASE_T0 + 8 * 24 * CASE_H, 4, "192.0.2.7"); /* the exception ended */
    assert_int_equal(case_count(i, "incident"), 2);
    arena_fini(&arena);
    incidents_close(i);
}

/* A verdict counts from the generation on that the journal brings, not before. */
static void test_confidence_is_learned(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    struct buffer generation;
    char id[31];
    arena_init(&arena, 8 << 20);
    buffer_init(&generation, 1 << 16);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    assert_int_equal(
        run(i, &arena, &t, CASE_T0 + CASE_H, "close", id, ",\"disposition\":\"false_positive\""),
        200);
    incidents_verdicts(i, &generation);
    buffer_byte(&generation, 0);
    assert_string_equal(generation.at, "{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":1}}}");
    case_put(i, &rule, CASE_T0 + 2 * CASE_H, 2, "192.0.2.8");
    assert_int_equal(case_count(i, "incident"), 2);
    const struct text learned = TEXT("{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":8}}}");
    assert_int_equal(incidents_learn(i, learned), STATUS_OK);
    case_put(i, &rule, CASE_T0 + 2 * CASE_H, 3, "192.0.2.9"); /* .9 * .45: 40.5 */
    assert_int_equal(case_count(i, "incident"), 2);
    t = case_first(i, "candidate", &arena);
    assert_true(fabs(doc_tree_real(&t, "score", 0) - 40.5) < 0.01);
    assert_int_equal(incidents_learn(i, TEXT("{\"rules\":7}")), STATUS_INVALID);
    assert_int_equal(incidents_learn(i, TEXT("nonsense")), STATUS_SYNTAX);
    buffer_fini(&generation);
    arena_fini(&arena);
    incidents_close(i);
}

static void assert_verdict(const struct incidents *i, const char *want)
{
    struct buffer verdicts;
    buffer_init(&verdicts, 1 << 16);
    incidents_verdicts(i, &verdicts);
    buffer_byte(&verdicts, 0);
    assert_string_equal(verdicts.at, want);
    buffer_fini(&verdicts);
}

/* What was closed can be judged later, or otherwise: recorded, and the rule's count follows. */
static void test_disposition_is_corrected(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    char id[31];
    arena_init(&arena, 8 << 20);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    assert_int_equal(run(i, &arena, &t, CASE_T0 + CASE_H, "close", id, ""), 200);
    static const struct {
        const char *more, *disposition, *verdict;
        int http;
    } steps[] = {
        {",\"disposition\":\"true_positive\"", "true_positive",
         "{\"rules\":{\"critical-a\":{\"right\":1,\"wrong\":0}}}", 200},
        {",\"disposition\":\"true_positive\"", "true_positive",
         "{\"rules\":{\"critical-a\":{\"right\":1,\"wrong\":0}}}", 200},
        {",\"disposition\":\"false_positive\"", "false_positive",
         "{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":1}}}", 200},
        {",\"disposition\":\"guess\"", "false_positive",
         "{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":1}}}", 400},
        {"", "false_positive", "{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":1}}}", 200},
    };
    int64_t version = 0;
    for (size_t n = 0; n < sizeof steps / sizeof *steps; n++) {
        assert_int_equal(run(i, &arena, &t, CASE_T0 + 2 * CASE_H, "close", id, steps[n].more),
                         steps[n].http);
        assert_verdict(i, steps[n].verdict);
        t = case_first(i, "incident", &arena);
        assert_true(text_equal(doc_tree_text(&t, "disposition"), text_of(steps[n].disposition)));
        assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("closed")));
        /* each word that was taken is a record of its own */
        bool is_stored = doc_tree_whole(&t, "version", 0) > version;
        assert_int_equal(is_stored, n < 3);
        version = doc_tree_whole(&t, "version", 0);
    }
    assert_int_equal(run(i, &arena, &t, CASE_T0 + 3 * CASE_H, "reopen", id, ""), 200);
    assert_verdict(i, "{\"rules\":{\"critical-a\":{\"right\":0,\"wrong\":0}}}");
    arena_fini(&arena);
    incidents_close(i);
}

static void test_merge_and_split(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct doc_tree t;
    char a[31], b[31], more[80];
    arena_init(&arena, 8 << 20);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, a);
    case_put(i, &rule, CASE_T0 + 10 * CASE_S, 2, "192.0.2.8");
    struct buffer all;
    case_dump(i, &all);
    struct text second = text_skip(buffer_text(&all), text_find_byte(buffer_text(&all), '\n') + 1);
    memcpy(b, second.at + 7, 30);
    b[30] = 0;
    buffer_fini(&all);
    (void)snprintf(more, sizeof more, ",\"into\":\"%s\"", a);
    assert_int_equal(run(i, &arena, &t, CASE_T0 + CASE_H, "merge", b, more), 200);
    assert_true(text_equal(doc_tree_text(&t, "merged_into"), text_of(a)));
    t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_get(&t, "entities")->count, 2);
    assert_int_equal(run(i, &arena, &t, CASE_T0 + 2 * CASE_H, "split", b, ""), 200);
    assert_true(text_equal(doc_tree_text(&t, "state"), TEXT("open")));
    t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_get(&t, "merged")->count, 0);
    arena_fini(&arena);
    incidents_close(i);
}

/* ---- notices ---- */

struct told {
    int kinds[NOTICE_DIGEST + 1];
};

static uint32_t route(void *context, const struct notice *n, struct text *out)
{
    struct told *told = context;
    told->kinds[n->kind]++;
    out[0] = TEXT("file");
    return 1;
}

static void test_deliveries(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = NULL;
    const struct incidents_options options = {.route = route, .context = &told};
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    struct rule rule = case_make_rule(&critical);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    assert_int_equal(told.kinds[NOTICE_OPENED], 1);
    assert_null(incidents_next_delivery(i, CASE_T0 - 1));
    struct delivery *d = incidents_next_delivery(i, CASE_T0 + CASE_S);
    assert_non_null(d);
    assert_null(incidents_next_delivery(i, CASE_T0 + CASE_S));
    assert_true(text_starts(d->id, TEXT("dlv_")));
    assert_true(text_equal(d->destination, TEXT("file")));
    assert_true(text_starts(d->document, TEXT("{\"id\":\"inc_")));
    struct outcome o = {.delivery = d->id,
                        .destination = d->destination,
                        .incident = d->incident,
                        .state = DELIVERY_FAILED_TEMP,
                        .attempt = 1,
                        .started_us = CASE_T0 + 2 * CASE_S,
                        .next_us = CASE_T0 + 3 * CASE_S};
    assert_int_equal(incidents_settle(i, &o), STATUS_OK);
    o.state = DELIVERY_DELIVERED;
    o.attempt = 2;
    o.next_us = 0;
    o.started_us = CASE_T0 + 3 * CASE_S;
    assert_int_equal(incidents_settle(i, &o), STATUS_OK);
    assert_int_equal(incidents_settle(i, &o), STATUS_NOTFOUND);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct doc_tree t = case_first(i, "incident", &arena);
    assert_int_equal(doc_tree_time(doc_tree_get(&t, "times"), "notified"), CASE_T0 + 3 * CASE_S);
    const struct doc_tree *whom = doc_tree_get(&t, "told");
    assert_int_equal(whom->count, 1);
    assert_true(text_equal(doc_tree_text(&whom->items[0], "destination"), TEXT("file")));
    assert_int_equal(doc_tree_time(&whom->items[0], "first"), CASE_T0 + 3 * CASE_S);
    assert_true(text_equal(doc_tree_text(&whom->items[0], "delivery"), d->id));
    arena_fini(&arena);
    delivery_free(d);
    incidents_close(i);
}

/* A severity that a person set ends by itself, without another word; one that cannot be read, or
 * has ended, is refused. */
static void test_override_ends(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = NULL;
    const struct incidents_options options = {.route = route, .context = &told};
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    struct rule rule = case_make_rule(&critical);
    struct arena arena;
    struct doc_tree t;
    char id[31], until[40], more[120];
    arena_init(&arena, 8 << 20);
    case_put(i, &rule, CASE_T0, 1, "192.0.2.7");
    id_of(i, &arena, id);
    t = case_first(i, "incident", &arena);
    struct text priority = doc_tree_text(&t, "priority");
    static const char *const wrong[] = {"tomorrow", "2020-01-01T00:00:00Z", ""};
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
        (void)snprintf(more, sizeof more,
                       ",\"severity\":\"low\",\"reason\":\"known\",\"until\":\"%s\"", wrong[w]);
        assert_int_equal(run(i, &arena, &t, CASE_T0 + CASE_S, "severity", id, more), 400);
    }
    timestamp_format(CASE_T0 + CASE_H, until);
    (void)snprintf(more, sizeof more, ",\"severity\":\"low\",\"reason\":\"known\",\"until\":\"%s\"",
                   until);
    assert_int_equal(run(i, &arena, &t, CASE_T0 + CASE_S, "severity", id, more), 200);
    assert_true(text_equal(doc_tree_text(&t, "severity"), TEXT("low")));
    delivery_free(incidents_next_delivery(i, CASE_T0 + CASE_H - 1));
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "severity"), TEXT("low")));
    assert_int_equal(told.kinds[NOTICE_RAISED], 0);
    delivery_free(incidents_next_delivery(i, CASE_T0 + CASE_H));
    t = case_first(i, "incident", &arena);
    assert_true(text_equal(doc_tree_text(&t, "priority"), priority));
    assert_int_equal(doc_tree_get(&t, "override")->kind, TREE_NOTHING);
    assert_int_equal(told.kinds[NOTICE_RAISED], 1);
    arena_fini(&arena);
    incidents_close(i);
}

static void test_storm(void **state)
{
    (void)state;
    struct told told = {0};
    struct incidents *i = NULL;
    const struct incidents_options options = {.route = route, .context = &told};
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    struct rule rule = case_make_rule(&critical);
    static const struct case_rule severe = {"two", LEVEL_HIGH, "execution"};
    struct rule first = case_make_rule(&severe), second = case_make_rule(&success);
    char address[32];
    for (uint32_t n = 0; n < 30; n++) {
        (void)snprintf(address, sizeof address, "192.0.2.%u", n);
        case_put(i, &first, CASE_T0 + n * CASE_S, 2 * n + 1, address);
        case_put(i, &second, CASE_T0 + n * CASE_S, 2 * n + 2, address);
    }
    assert_int_equal(case_count(i, "incident"), 30);
    assert_int_equal(told.kinds[NOTICE_STORM], 1);
    assert_int_equal(told.kinds[NOTICE_OPENED], 10);
    (void)rule;
    incidents_close(i);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        tests[n++] = ROW(test_worked, &rows[r]);
    const struct CMUnitTest plain[] = {
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_redelivery),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_open_never_and_shadow),
        cmocka_unit_test(test_suppress),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_lifecycle),
        cmocka_unit_test(test_episodes),
        cmocka_unit_test(test_false_positive),
        cmocka_unit_test(test_merge_and_split),
        cmocka_unit_test(test_confidence_is_learned),
        cmocka_unit_test(test_disposition_is_corrected),
        cmocka_unit_test(test_deliveries),
        cmocka_unit_test(test_override_ends),
        cmocka_unit_test(test_storm),
    };
    memcpy(tests + n, plain, sizeof plain);
    n += sizeof plain / sizeof plain[0];
    return _cmocka_run_group_tests("test_incidents", tests, n, NULL, NULL);
}
