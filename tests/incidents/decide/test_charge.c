/* SPDX-License-Identifier: Apache-2.0 */
/* No flood of one thing hides another: timelines of an attacker against each restraint. */
#include "tests/incidents/incident_case.h"

enum { ADDRESS_BYTES = 32, MINUTE_S = 60 };

static const struct case_rule guessing = {"guessing", LEVEL_MEDIUM, "credential-access"};
static const struct case_rule login = {"login", LEVEL_HIGH, "initial-access"};
static const struct case_rule spraying = {"spraying", LEVEL_MEDIUM, "credential-access"};
static const struct case_rule critical = {"wiper", LEVEL_CRITICAL, "impact"};
static const char *const victim = "198.51.100.9";

static struct rule watched(const struct case_rule *from, uint32_t max)
{
    struct rule rule = case_make_rule(from);
    rule.max_entities = max;
    rule.max_entities_us = 10 * MINUTE_S * CASE_S;
    return rule;
}

static void name_source(uint32_t n, char out[ADDRESS_BYTES])
{
    (void)snprintf(out, ADDRESS_BYTES, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
}

/* That many sources from number `first` on, a tenth of a second apart. */
static void flood(struct incidents *i, const struct rule *rule, int64_t at_us, uint32_t first,
                  uint32_t count)
{
    char address[ADDRESS_BYTES];
    for (uint32_t n = 0; n < count; n++) {
        name_source(first + n, address);
        case_put(i, rule, at_us + n * CASE_S / 10, 1000000 + first + n, address);
    }
}

static bool is_incident(const struct incidents *i, const char *value)
{
    struct buffer all;
    bool is = false;
    char want[64];
    case_dump(i, &all);
    (void)snprintf(want, sizeof want, "\"value\":\"%s\"", value);
    struct text rest = buffer_text(&all), line;
    while (text_split(&rest, '\n', &line))
        is |= text_find(line, TEXT("\"kind\":\"incident\"")) < line.len &&
              text_find(line, text_of(want)) < line.len;
    buffer_fini(&all);
    return is;
}

struct sought {
    const char *name;
    uint64_t value;
};

static void seek(void *context, const struct metric *metric)
{
    struct sought *sought = context;
    if (!strcmp(metric->name, sought->name))
        sought->value = (uint64_t)metric->value;
}

static uint64_t counted(const struct incidents *i, const char *name)
{
    struct sought sought = {name, UINT64_MAX};
    incidents_metrics(i, seek, &sought);
    return sought.value;
}

/* ---- the noise breaker ---- */

static const struct noise_row {
    const char *name;
    uint32_t before, between; /* sources before the victim's first detection, and before its next */
    int64_t login_s;          /* its login, after its guessing */
    bool is_login_first, is_incident;
} noise_rows[] = {
    {"noise: no flood", 0, 0, 60, false, true},
    {"noise: one below the ceiling", 49, 0, 60, false, true},
    {"noise: at the ceiling", 50, 0, 60, false, true},
    {"noise: over the ceiling", 51, 0, 60, false, true},
    {"noise: far over it", 5000, 0, 60, false, true},
    {"noise: the flood comes between", 0, 2000, 300, false, true},
    {"noise: held before a longer flood", 60, 2000, 300, false, true},
    {"noise: the login was first", 5000, 0, 60, true, true},
    {"noise: hours later", 60, 60, 6 * 3600, false, true},
    {"noise: ten days later it has faded", 60, 0, 10 * 24 * 3600, false, false},
};

static void test_noise(void **state)
{
    const struct noise_row *row = *state;
    struct incidents *i = case_memory();
    const struct rule loud = watched(&guessing, 50), quiet = watched(&login, 50);
    int64_t at_us = CASE_T0 + row->before * CASE_S / 10;
    flood(i, &loud, CASE_T0, 0, row->before);
    case_put(i, row->is_login_first ? &quiet : &loud, at_us, 1, victim);
    flood(i, &loud, at_us, row->before, row->between);
    case_put(i, row->is_login_first ? &loud : &quiet, at_us + row->login_s * CASE_S, 2, victim);
    assert_int_equal(is_incident(i, victim), row->is_incident);
    assert_int_equal(case_count(i, "incident"), row->is_incident);
    incidents_close(i);
}

/* What was held counts from its own time: the incident began with it, and shows its line. */
static void test_held_evidence(void **state)
{
    (void)state;
    struct arena arena;
    struct incidents *i = case_memory();
    const struct rule loud = watched(&guessing, 50), quiet = watched(&login, 50);
    arena_init(&arena, 1 << 20);
    flood(i, &loud, CASE_T0, 0, 100);
    case_put(i, &loud, CASE_T0 + 20 * CASE_S, 1, victim);
    case_put(i, &loud, CASE_T0 + 25 * CASE_S, 2, victim);
    case_put(i, &quiet, CASE_T0 + 60 * CASE_S, 3, victim);
    struct doc_tree t = case_first(i, "incident", &arena);
    const struct doc_tree *parts = doc_tree_get(&t, "contributions");
    assert_int_equal(parts->count, 2);
    assert_true(text_equal(doc_tree_text(&parts->items[1], "rule"), TEXT("guessing")));
    assert_int_equal(doc_tree_whole(&parts->items[1], "count", 0), 2);
    assert_int_equal(doc_tree_get(&parts->items[1], "first_evidence")->count, 2);
    assert_int_equal(doc_tree_time(doc_tree_get(&t, "times"), "occurred"), CASE_T0 + 20 * CASE_S);
    assert_int_equal(doc_tree_time(doc_tree_get(&t, "times"), "alert"), CASE_T0 + 20 * CASE_S);
    assert_int_equal(doc_tree_whole(&t, "detections", 0), 3);
    arena_fini(&arena);
    incidents_close(i);
}

/* Two rules are loud, each by sources of its own: who meets both is no part of either flood. */
static void test_two_floods(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    const struct rule a = watched(&guessing, 50), b = watched(&login, 50);
    flood(i, &a, CASE_T0, 0, 300);
    flood(i, &b, CASE_T0, 1000, 300);
    case_put(i, &a, CASE_T0 + 60 * CASE_S, 1, victim);
    case_put(i, &b, CASE_T0 + 61 * CASE_S, 2, victim);
    assert_true(is_incident(i, victim));
    incidents_close(i);
}

/* Two rules that misfire on everything together are one noise: it ends at the ceiling. A third one
 * that speaks of one of them is heard, with all that was held. */
static void test_loud_together(void **state)
{
    (void)state;
    char address[ADDRESS_BYTES];
    struct incidents *i = case_memory();
    const struct rule a = watched(&guessing, 50), b = watched(&login, 50);
    const struct rule c = watched(&spraying, 50);
    for (uint32_t n = 0; n < 1000; n++) {
        name_source(n, address);
        case_put(i, &a, CASE_T0 + n * CASE_S / 10, 10 + n * 2, address);
        case_put(i, &b, CASE_T0 + n * CASE_S / 10, 11 + n * 2, address);
    }
    uint32_t opened = case_count(i, "incident");
    assert_in_range(opened, 50, 150);
    name_source(990, address);
    assert_false(is_incident(i, address));
    case_put(i, &c, CASE_T0 + 120 * CASE_S, 1, address);
    assert_true(is_incident(i, address));
    incidents_close(i);
}

/* A rule that would open by itself still opens nothing alone while it is loud. */
static void test_loud_alone(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    const struct rule rule = watched(&critical, 50);
    flood(i, &rule, CASE_T0, 0, 500);
    assert_int_equal(case_count(i, "incident"), 50);
    incidents_close(i);
}

/* A loud rule that must open, and names nobody this time, opens: once within its suppress time. */
static void test_loud_names_nobody(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct rule rule = watched(&critical, 50);
    struct case_detection c;
    rule.open = OPEN_ALWAYS;
    rule.suppress_us = CASE_H;
    flood(i, &rule, CASE_T0, 0, 100);
    assert_int_equal(counted(i, "record_opened_total"), 50);
    for (uint32_t n = 1; n <= 2; n++) {
        case_make(&c, &rule, CASE_T0 + (20 + n) * CASE_S, n, NULL, 0);
        assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    }
    assert_int_equal(counted(i, "record_opened_total"), 51);
    assert_int_equal(counted(i, "record_suppressed_total"), 1);
    incidents_close(i);
}

/* A condition that stays true keeps what is held from fading as well. */
static void test_renewed_while_held(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    const struct rule loud = watched(&guessing, 50), quiet = watched(&login, 50);
    const struct entity entity = {text_of(victim), ENTITY_ADDRESS, true};
    struct case_detection c;
    flood(i, &loud, CASE_T0, 0, 100);
    case_put(i, &loud, CASE_T0 + 20 * CASE_S, 1, victim);
    case_make(&c, &loud, CASE_T0 + 40 * CASE_H, 2, &entity, 1);
    c.detection.is_renewal = true;
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    case_put(i, &quiet, CASE_T0 + 40 * CASE_H + CASE_S, 3, victim);
    assert_true(is_incident(i, victim));
    incidents_close(i);
}

/* ---- suppress ---- */

/* One source that fires first does not silence another one, whatever the rule is grouped by. */
static void test_suppress(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    struct rule rule = watched(&critical, 0);
    rule.suppress_us = CASE_H;
    case_put(i, &rule, CASE_T0, 1, "192.0.2.1");
    case_put(i, &rule, CASE_T0 + CASE_S, 2, "192.0.2.1");
    case_put(i, &rule, CASE_T0 + 2 * CASE_S, 3, victim);
    assert_int_equal(case_count(i, "incident"), 2);
    assert_true(is_incident(i, victim));
    incidents_close(i);
}

/* ---- ceilings ---- */

enum { CROWD = 64 + 64 + 10 };

/* A host that 138 addresses break into: an incident names 64 entities, the next ones open another.
 */
static void put_crowd(struct incidents *i, const struct rule *rule)
{
    char address[ADDRESS_BYTES];
    for (uint32_t n = 0; n < CROWD; n++) {
        struct case_detection c;
        name_source(n, address);
        const struct entity entities[] = {{text_of(address), ENTITY_ADDRESS, true},
                                          {TEXT("web1"), ENTITY_HOST, true}};
        case_make(&c, rule, CASE_T0 + n * CASE_S, n + 1, entities, 2);
        assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
        assert_true(is_incident(i, address));
    }
}

static void test_crowd(void **state)
{
    (void)state;
    struct incidents *i = case_memory();
    const struct rule rule = watched(&critical, 0);
    put_crowd(i, &rule);
    assert_int_equal(case_count(i, "incident"), 3);
    incidents_close(i);
}

/* The n-th of the incidents by id. */
static void id_of_nth(const struct incidents *i, uint32_t n, char out[31])
{
    struct buffer all;
    case_dump(i, &all);
    struct text rest = buffer_text(&all), line;
    const struct text start = TEXT("{\"id\":\"inc_");
    while (text_split(&rest, '\n', &line)) {
        if (!text_equal(text_head(line, start.len), start) || n--)
            continue;
        (void)snprintf(out, 31, "%.30s", line.at + start.len - 4);
        break;
    }
    buffer_fini(&all);
}

/* Merged into one that is full, entities begin anew: the next break-in of one is told. */
static void test_merge_into_crowd(void **state)
{
    (void)state;
    char into[31], from[31], address[ADDRESS_BYTES], command[200];
    struct arena arena;
    struct doc_tree t = {0};
    struct incidents *i = case_memory();
    const struct rule rule = watched(&critical, 0);
    arena_init(&arena, 8 << 20);
    put_crowd(i, &rule);
    id_of_nth(i, 0, into);
    id_of_nth(i, 1, from);
    (void)snprintf(command, sizeof command,
                   "{\"do\":\"merge\",\"incident\":\"%s\",\"into\":\"%s\",\"by\":\"ada\"}", from,
                   into);
    assert_int_equal(case_command(i, &arena, &t, CASE_T0 + CASE_H, command), 200);
    assert_int_equal(counted(i, "record_opened_total"), 3);
    name_source(70, address);
    case_put(i, &rule, CASE_T0 + 2 * CASE_H, 1000, address);
    assert_int_equal(counted(i, "record_opened_total"), 4);
    arena_fini(&arena);
    incidents_close(i);
}

/* Who was known before 200,000 weak sources is known behind them, for it weighs more. */
static void test_entities(void **state)
{
    enum { SOURCES = 200000 };
    (void)state;
    struct incidents *i = case_memory();
    const struct case_rule low = {"probe", LEVEL_LOW, "reconnaissance"};
    const struct rule probe = watched(&low, 0), guess = watched(&guessing, 0);
    const struct rule success = watched(&login, 0);
    case_put(i, &guess, CASE_T0, 1, victim);
    flood(i, &probe, CASE_T0 + CASE_S, 0, SOURCES + 10);
    case_put(i, &guess, CASE_T0 + SOURCES * CASE_S / 10, 2, "203.0.113.5"); /* new, and heard */
    case_put(i, &success, CASE_T0 + (SOURCES + 10) * CASE_S / 10, 3, "203.0.113.5");
    case_put(i, &success, CASE_T0 + (SOURCES + 20) * CASE_S / 10, 4, victim);
    assert_int_equal(counted(i, "record_opened_total"), 2);
    assert_int_equal(counted(i, "record_entities_given_up_total"), 12);
    assert_int_equal(counted(i, "record_entities_refused_total"), 0);
    incidents_close(i);
}

/* 256 families of weak detections on one address leave room for what is stronger. */
static void test_families(void **state)
{
    (void)state;
    char keys[300][16];
    struct incidents *i = case_memory();
    for (uint32_t n = 0; n < 300; n++) {
        (void)snprintf(keys[n], sizeof keys[n], "probe%u", n);
        const struct case_rule one = {keys[n], LEVEL_LOW, "reconnaissance"};
        struct rule rule = watched(&one, 0);
        rule.confidence = 0.001;
        case_put(i, &rule, CASE_T0 + n * CASE_S, n + 10, victim);
    }
    const struct rule rule = watched(&critical, 0);
    case_put(i, &rule, CASE_T0 + 400 * CASE_S, 1, victim);
    assert_true(is_incident(i, victim));
    incidents_close(i);
}

/* ---- what is old is no news ---- */

static uint32_t to_file(void *context, const struct notice *n, struct text *out)
{
    uint32_t *told = context;
    *told += n->kind == NOTICE_OPENED || n->kind == NOTICE_RAISED || n->kind == NOTICE_RECURRED;
    out[0] = TEXT("file");
    return 1;
}

static const struct backfill_row {
    const char *name;
    int64_t probe_s, first_s, second_s; /* how old each is when it comes; 0: of now */
    uint32_t told;
} backfill_rows[] = {
    {"backfill: all of it is old", 7200, 7190, 7180, 0},
    {"backfill: an old line before a break-in of now", 7200, 0, 0, 1},
    {"backfill: what opened as old goes on now", 7200, 7190, 0, 1},
    {"backfill: nothing is old", 0, 0, 0, 1},
};

static void put_old(struct incidents *i, const struct rule *rule, int64_t old_s, uint64_t position)
{
    const struct entity entity = {text_of(victim), ENTITY_ADDRESS, true};
    struct case_detection c;
    case_make(&c, rule, CASE_T0 + (int64_t)position * CASE_S, position, &entity, 1);
    c.detection.event_us -= old_s * CASE_S;
    assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
}

/* A line with a date of long ago cannot turn a break-in of now into a line of the digest. */
static void test_backfill(void **state)
{
    const struct backfill_row *row = *state;
    struct incidents *i = NULL;
    uint32_t told = 0;
    const struct incidents_options options = {.route = to_file, .context = &told};
    const struct rule probe = watched(&guessing, 0), first = watched(&login, 0);
    const struct case_rule again = {"shadow-read", LEVEL_MEDIUM, "collection"};
    const struct rule second = watched(&again, 0);
    assert_int_equal(incidents_open(&options, &i, NULL), STATUS_OK);
    put_old(i, &probe, row->probe_s, 1);
    put_old(i, &first, row->first_s, 2);
    assert_int_equal(counted(i, "record_opened_total"), 1);
    put_old(i, &second, row->second_s, 3);
    assert_int_equal(told, row->told);
    incidents_close(i);
}

/* ---- names ---- */

/* Entities of one detection are candidates of different names, whatever their hashes. */
static void test_names(void **state)
{
    enum { DETECTIONS = 60, EACH = 4 };
    (void)state;
    struct incidents *i = case_memory();
    struct arena arena;
    struct buffer all;
    static char ids[DETECTIONS * EACH][32];
    uint32_t count = 0;
    const struct rule rule = watched(&guessing, 0);
    for (uint32_t n = 0; n < DETECTIONS; n++) {
        char names[EACH][ADDRESS_BYTES];
        struct entity entities[EACH];
        struct case_detection c;
        for (uint32_t e = 0; e < EACH; e++) {
            name_source(n * EACH + e, names[e]);
            entities[e] = (struct entity){text_of(names[e]), ENTITY_ADDRESS, true};
        }
        case_make(&c, &rule, CASE_T0 + n * CASE_S, n + 1, entities, EACH);
        assert_int_equal(incidents_detect(i, &c.detection), STATUS_OK);
    }
    arena_init(&arena, 64 << 20);
    case_dump(i, &all);
    struct text rest = buffer_text(&all), line;
    while (text_split(&rest, '\n', &line)) {
        struct doc_tree t = {0};
        if (!line.len)
            continue;
        assert_int_equal(doc_tree_parse(line, &arena, &t, NULL), STATUS_OK);
        struct text id = doc_tree_text(&t, "id");
        for (uint32_t k = 0; k < count; k++)
            assert_false(text_equal(id, text_of(ids[k])));
        (void)snprintf(ids[count++], sizeof ids[0], "%.*s", TEXT_ARG(id));
    }
    assert_int_equal(count, DETECTIONS * EACH);
    buffer_fini(&all);
    arena_fini(&arena);
    incidents_close(i);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t r = 0; r < sizeof noise_rows / sizeof noise_rows[0]; r++)
        tests[n++] = ROW(test_noise, &noise_rows[r]);
    for (size_t r = 0; r < sizeof backfill_rows / sizeof backfill_rows[0]; r++)
        tests[n++] = ROW(test_backfill, &backfill_rows[r]);
    const struct CMUnitTest more[] = {
        cmocka_unit_test(test_held_evidence),     cmocka_unit_test(test_two_floods),
        cmocka_unit_test(test_loud_together),     cmocka_unit_test(test_loud_alone),
        cmocka_unit_test(test_loud_names_nobody), cmocka_unit_test(test_renewed_while_held),
        cmocka_unit_test(test_suppress),          cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_merge_into_crowd),  cmocka_unit_test(test_entities),
        cmocka_unit_test(test_families),          cmocka_unit_test(test_names),
    };
    memcpy(&tests[n], more, sizeof more);
    n += sizeof more / sizeof more[0];
    return _cmocka_run_group_tests("test_charge", tests, n, NULL, NULL);
}
