/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "tests/rules/harness.h"

/* What matched rules give: feeds with group values, detections with entities; and routing. */

#define RULE_A                                                                                     \
    "title: A\nname: a\nid: 1111\nlogsource: {category: test}\n"                                   \
    "detection: {s: {act: fail}, condition: s}\n---\n"
#define RULE_B                                                                                     \
    "title: B\nname: b\nid: 2222\nlogsource: {category: test}\n"                                   \
    "detection: {s: {act: ok}, condition: s}\n---\n"

static bool has_entity(const struct subject *s, enum entity_kind kind, const char *value,
                       bool is_charged)
{
    for (uint32_t i = 0; i < s->entity_count; i++)
        if (s->entities[i].kind == kind && text_equal(s->entities[i].value, text_of(value)) &&
            s->entities[i].is_charged == is_charged)
            return true;
    return false;
}

static void test_feed_has_group_and_key(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, RULE_A "title: C\ncorrelation:\n  type: event_count\n"
                                             "  rules: [a]\n  group-by: [src_ip, user]\n"
                                             "  timespan: 1m\n  condition: {gte: 3}\n"),
                     STATUS_OK);
    assert_false(harness_match_json(
        &h, TEXT("{\"act\":\"fail\",\"src_ip\":\"::ffff:192.0.2.7\",\"user\":\"Bob\"}")));
    assert_int_equal(h.result.feed_count, 1);
    const struct feed *f = &h.result.feeds[0];
    const struct text group[] = {TEXT("192.0.2.7"), TEXT("Bob")};
    assert_true(text_equal(f->subject->group[0], group[0]));
    assert_true(text_equal(f->subject->group[1], group[1]));
    assert_true(hash_equal(f->key, correlation_key(f->correlation, group, 2)));
    assert_true(has_entity(f->subject, ENTITY_ADDRESS, "192.0.2.7", true));
    assert_true(has_entity(f->subject, ENTITY_USER, "Bob", true));
    harness_close(&h);
}

/* Who is charged, by name, by alias, by what is declared, by value. */
static const struct charged_row {
    const char *name, *group, *event;
    enum entity_kind kind;
    const char *value;
    bool has_host; /* charged as well */
} charged_rows[] = {
    {"ip", "group-by: [ip]", "\"ip\":\"1.1.1.1\",\"host\":\"pc1\"", ENTITY_ADDRESS, "1.1.1.1",
     false},
    {"ip without a host", "group-by: [ip]", "\"ip\":\"1.1.1.1\"", ENTITY_ADDRESS, "1.1.1.1", false},
    {"a name without case", "group-by: [ClientIP]", "\"ClientIP\":\"peer\"", ENTITY_ADDRESS, "peer",
     false},
    {"a name of users", "group-by: [userName]", "\"userName\":\"bob\",\"host\":\"pc1\"",
     ENTITY_USER, "bob@pc1", false},
    {"an address by its value", "group-by: [who]", "\"who\":\"2001:db8::1\",\"host\":\"pc1\"",
     ENTITY_ADDRESS, "2001:db8::1", false},
    {"an alias by what it means", "group-by: [who]\n  aliases: {who: {a: user}}",
     "\"user\":\"bob\",\"host\":\"pc1\"", ENTITY_USER, "bob@pc1", false},
    {"an alias by its value", "group-by: [who]\n  aliases: {who: {a: from}}",
     "\"from\":\"192.0.2.9\"", ENTITY_ADDRESS, "192.0.2.9", false},
    {"nothing tells", "group-by: [queue]", "\"queue\":\"mail\",\"host\":\"pc1\"", ENTITY_SERVICE,
     "mail", false},
    {"nothing tells one of two", "group-by: [host, queue]", "\"queue\":\"mail\",\"host\":\"pc1\"",
     ENTITY_HOST, "pc1", true},
    {"nobody", "group-by: [queue]", "\"queue\":\"-\",\"host\":\"pc1\"", ENTITY_HOST, "pc1", true},
};

static void test_charged(void **state)
{
    const struct charged_row *row = *state;
    struct harness h;
    char rules[600], event[200];
    (void)snprintf(rules, sizeof rules,
                   RULE_A "title: C\ncorrelation:\n  type: event_count\n  rules: [a]\n  %s\n"
                          "  timespan: 1m\n  condition: {gte: 3}\n",
                   row->group);
    (void)snprintf(event, sizeof event, "{\"act\":\"fail\",%s}", row->event);
    assert_int_equal(harness_open(&h, rules), STATUS_OK);
    (void)harness_match_json(&h, text_of(event));
    assert_int_equal(h.result.feed_count, 1);
    const struct subject *s = h.result.feeds[0].subject;
    assert_true(has_entity(s, row->kind, row->value, true));
    assert_int_equal(has_entity(s, ENTITY_HOST, "pc1", true), row->has_host);
    assert_int_equal(s->entity_count, 1);
    harness_close(&h);
}

static void test_missing_group_field_opens_no_window(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, RULE_A "title: C\ncorrelation: {type: event_count, "
                                             "rules: [1111], group-by: [u], timespan: 1m, "
                                             "condition: {gte: 3}}\n"),
                     STATUS_OK);
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\"}"));
    assert_int_equal(h.result.feed_count, 0);
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\",\"u\":null}"));
    assert_int_equal(h.result.feed_count, 0);
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\",\"u\":5}"));
    assert_int_equal(h.result.feed_count, 1);
    harness_close(&h);
}

static void test_generate_reports_the_rules_too(void **state)
{
    (void)state;
    static const char *const places[] = {
        RULE_A "title: C\ngenerate: true\ncorrelation: {type: event_count, rules: [a], "
               "timespan: 1m, condition: {gte: 3}}\n",
        RULE_A "title: C\ncorrelation: {type: event_count, rules: [a], timespan: 1m, "
               "condition: {gte: 3}, generate: true}\n",
    };
    for (size_t i = 0; i < 2; i++) {
        struct harness h;
        assert_int_equal(harness_open(&h, places[i]), STATUS_OK);
        assert_true(harness_match_json(&h, TEXT("{\"act\":\"fail\"}")));
        assert_int_equal(h.result.feed_count, 1);
        harness_close(&h);
    }
}

static void test_values_are_read(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(
        harness_open(&h, RULE_A "title: S\ncorrelation: {type: value_sum, rules: [a], timespan: 1m,"
                                " condition: {field: n, gt: 1.5}}\n---\n"
                                "title: V\ncorrelation: {type: value_count, rules: [a], "
                                "timespan: 1m, condition: {field: [x, y], gte: 2}}\n"),
        STATUS_OK);
    uint32_t count = 0;
    const struct correlation *c = ruleset_correlations(h.ruleset, &count);
    assert_int_equal(count, 2);
    assert_int_equal(c[0].type, CORRELATION_VALUE_SUM); /* sorted by key: S before V */
    assert_true(c[0].bounds[0].than == FIXED_ONE + FIXED_ONE / 2);
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\",\"n\":\"2.5\",\"x\":\"1\"}"));
    assert_int_equal(h.result.feed_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct feed *f = &h.result.feeds[i];
        bool is_sum = f->correlation == &c[0];
        assert_int_equal(f->has_value, is_sum); /* y is missing: no tuple */
        if (is_sum)
            assert_true(f->number == 2 * FIXED_ONE + FIXED_ONE / 2);
    }
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\",\"n\":\"x\",\"x\":1,\"y\":2}"));
    for (uint32_t i = 0; i < h.result.feed_count; i++)
        assert_int_equal(h.result.feeds[i].has_value, h.result.feeds[i].correlation == &c[1]);
    harness_close(&h);
}

static void test_aliases_name_other_fields(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, RULE_A RULE_B
                                  "title: C\ncorrelation:\n  type: temporal\n  rules: [a, b]\n"
                                  "  group-by: [ip]\n  timespan: 1m\n"
                                  "  aliases: {ip: {a: dst, b: src}}\n"),
                     STATUS_OK);
    (void)harness_match_json(&h, TEXT("{\"act\":\"fail\",\"dst\":\"d\",\"src\":\"s\"}"));
    assert_true(text_equal(h.result.feeds[0].subject->group[0], TEXT("d")));
    assert_int_equal(h.result.feeds[0].input, 0);
    struct hash128 key = h.result.feeds[0].key;
    (void)harness_match_json(&h, TEXT("{\"act\":\"ok\",\"dst\":\"x\",\"src\":\"d\"}"));
    assert_int_equal(h.result.feeds[0].input, 1);
    assert_true(hash_equal(h.result.feeds[0].key, key));
    harness_close(&h);
}

static void test_chain_links_and_depth(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(
        harness_open(&h, RULE_A RULE_B
                     "title: Low\nname: low\nid: l\ncorrelation: {type: event_count, rules: [a], "
                     "group-by: [user, host], timespan: 1m, condition: {gte: 3}}\n---\n"
                     "title: High\nid: h\ncorrelation:\n  type: temporal_ordered\n"
                     "  rules: [low, b]\n  group-by: [host, other]\n  timespan: 1m\n"
                     "  aliases: {other: {low: user}}\n"),
        STATUS_OK);
    uint32_t count = 0;
    const struct correlation *c = ruleset_correlations(h.ruleset, &count);
    assert_int_equal(count, 2);
    const struct correlation *low = &c[1]; /* "h" before "l" */
    assert_int_equal(low->depth, 1);
    assert_int_equal(c[0].depth, 2);
    assert_int_equal(low->link_count, 1);
    assert_int_equal(low->links[0].correlation, 0);
    assert_int_equal(low->links[0].input, 0);
    assert_int_equal(low->links[0].group_from[0], 1); /* host */
    assert_int_equal(low->links[0].group_from[1], 0); /* other is low's user */
    assert_true(low->rule->is_reported);              /* `generate` is about rules */
    assert_true(c[0].rule->is_reported);
    harness_close(&h);
}

static void test_extended_condition_is_postfix(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, RULE_A RULE_B
                                  "title: C\ncorrelation:\n  type: temporal\n  rules: [a, b]\n"
                                  "  timespan: 1m\n  condition: a and (b or not a)\n"),
                     STATUS_OK);
    uint32_t count = 0;
    const struct correlation *c = ruleset_correlations(h.ruleset, &count);
    static const struct step want[] = {{STEP_INPUT, 0}, {STEP_INPUT, 1}, {STEP_INPUT, 0},
                                       {STEP_NOT, 0},   {STEP_OR, 0},    {STEP_AND, 0}};
    assert_int_equal(c[0].step_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(c[0].steps[i].kind, want[i].kind);
        assert_int_equal(c[0].steps[i].input, want[i].input);
    }
    harness_close(&h);
}

static void test_policy_defaults_and_key(void **state)
{
    (void)state;
    struct harness h;
    struct ruleset_options options = {.fire = FIRE_CONSUME, .lateness_us = 5000000};
    assert_int_equal(
        harness_open_with(&h,
                          RULE_A "title: C\ntocsin: {fire: level, lateness: 2m, max_groups: 7}\n"
                                 "correlation: {type: event_count, rules: [a], timespan: 1m, "
                                 "condition: {gte: 3}}\n---\ntitle: D\ncorrelation: {type: "
                                 "event_count, rules: [a], timespan: 1h, condition: {gte: 3}}\n",
                          options),
        STATUS_OK);
    uint32_t count = 0;
    const struct correlation *c = ruleset_correlations(h.ruleset, &count);
    assert_int_equal(c[0].fire, FIRE_LEVEL);
    assert_int_equal(c[0].lateness_us, 120000000);
    assert_int_equal(c[0].max_groups, 7);
    assert_int_equal(c[1].fire, FIRE_CONSUME);
    assert_int_equal(c[1].lateness_us, 5000000);
    assert_int_equal(ruleset_lateness_us(h.ruleset), 120000000);
    harness_close(&h);
}

static void test_rule_facts(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nid: x\nlevel: critical\nstatus: stable\n"
                                      "tags: [attack.t1110, attack.credential_access, cve.1]\n"
                                      "logsource: {category: test}\n"
                                      "tocsin: {family: f, shadow: true, suppress: 1h}\n"
                                      "detection: {s: {a: 1}, condition: s}\n"),
                     STATUS_OK);
    uint32_t count = 0;
    const struct rule *r = ruleset_rules(h.ruleset, &count)[0];
    assert_int_equal(r->level, LEVEL_CRITICAL);
    assert_true(text_equal(r->tactic, TEXT("credential-access")));
    assert_true(text_equal(r->family, TEXT("f")));
    assert_true(text_equal(r->key, TEXT("x")));
    assert_true(r->is_shadow);
    assert_true(r->confidence == 1);
    assert_true(r->suppress_us == INT64_C(3600000000));
    assert_int_equal(r->max_entities, 50);
    assert_int_equal(r->tag_count, 3);
    harness_close(&h);
}

static void test_entities_of_a_rule(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nlogsource: {category: test}\n"
                                      "detection: {s: {a: 1}, condition: s}\n"),
                     STATUS_OK);
    assert_true(harness_match_json(
        &h, TEXT("{\"a\":1,\"src_ip\":\"192.0.2.1\",\"dst_ip\":\"192.0.2.2\",\"user\":\"bob\","
                 "\"host\":\"web1\"}")));
    const struct subject *s = h.result.detections[0]->subject;
    assert_true(has_entity(s, ENTITY_ADDRESS, "192.0.2.1", true));
    assert_true(has_entity(s, ENTITY_ADDRESS, "192.0.2.2", false));
    assert_true(has_entity(s, ENTITY_USER, "bob@web1", true));
    assert_true(has_entity(s, ENTITY_HOST, "web1", true));
    assert_true(harness_match_json(
        &h, TEXT("{\"a\":1,\"src_ip\":\"127.0.0.1\",\"user\":\"SYSTEM\",\"host\":\"w\"}")));
    s = h.result.detections[0]->subject;
    assert_true(has_entity(s, ENTITY_ADDRESS, "127.0.0.1", false));
    assert_true(has_entity(s, ENTITY_USER, "SYSTEM@w", false));
    assert_true(has_entity(s, ENTITY_HOST, "w", true));
    harness_close(&h);
}

static void test_entities_that_are_said(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nlogsource: {category: test}\n"
                                      "tocsin: {entity: [{field: who, kind: user, domain: dom}, "
                                      "{field: svc, kind: service, charge: false}]}\n"
                                      "detection: {s: {a: 1}, condition: s}\n"),
                     STATUS_OK);
    assert_true(harness_match_json(
        &h,
        TEXT("{\"a\":1,\"who\":\"eve\",\"dom\":\"CORP\",\"svc\":\"db\",\"src_ip\":\"1.2.3.4\"}")));
    const struct subject *s = h.result.detections[0]->subject;
    assert_int_equal(s->entity_count, 2);
    assert_true(has_entity(s, ENTITY_USER, "CORP\\eve", true));
    assert_true(has_entity(s, ENTITY_SERVICE, "db", false));
    harness_close(&h);
}

static void test_one_person_once(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nlogsource: {category: test}\n"
                                      "tocsin: {entity: [{field: user, kind: user}, "
                                      "{field: sub, kind: user, domain: dom}, "
                                      "{field: target, kind: user}]}\n"
                                      "detection: {s: {a: 1}, condition: s}\n"),
                     STATUS_OK);
    assert_true(harness_match_json(
        &h, TEXT("{\"a\":1,\"user\":\"eve\",\"sub\":\"Eve\",\"dom\":\"CORP\",\"target\":\"bob\","
                 "\"host\":\"w\"}")));
    const struct subject *s = h.result.detections[0]->subject;
    assert_int_equal(s->entity_count, 2);
    assert_true(has_entity(s, ENTITY_USER, "CORP\\Eve", true));
    assert_true(has_entity(s, ENTITY_USER, "bob@w", true));
    harness_close(&h);
}

static void test_routing(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        bool is_reached;
    } rows[] = {
        {"{product: windows}", true},
        {"{product: Windows, service: Sysmon}", true},
        {"{category: process_creation, product: windows}", true},
        {"{category: process_creation}", true},
        {"{product: linux}", false},
        {"{category: process_creation, product: windows, service: security}", false},
        {"{product: windows, definition: 'what to switch on'}", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[512];
        struct harness h;
        (void)snprintf(yaml, sizeof yaml,
                       "title: R\nlogsource: %s\ndetection: {s: {a: 1}, condition: s}\n",
                       rows[i].source);
        assert_int_equal(harness_open_with(&h, yaml, (struct ruleset_options){.has_routing = true}),
                         STATUS_OK);
        struct text json = TEXT("{\"a\":1}");
        size_t at = 0;
        h.record.raw = json;
        event_reset(&h.event, &h.record);
        assert_int_equal(json_scan(json, NULL, &h.arena, &h.event, &at), STATUS_OK);
        h.event.logsources[0] =
            (struct logsource){TEXT("process_creation"), TEXT("windows"), TEXT("sysmon")};
        h.event.logsource_count = 1;
        for (int twice = 0; twice < 2; twice++) { /* the second time the route is remembered */
            matcher_reset(h.matcher, &h.result);
            matcher_match(h.matcher, &h.event, &h.arena, &h.result);
            assert_int_equal(h.result.detection_count, rows[i].is_reached);
        }
        harness_close(&h);
    }
}

static void test_envelope_is_a_field(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nlogsource: {category: test}\n"
                                      "detection: {s: {host: web1, program: su, severity: 3, "
                                      "syslog.host: web1}, condition: s}\n"),
                     STATUS_OK);
    h.record.raw = TEXT("x");
    event_reset(&h.event, &h.record);
    h.event.host = TEXT("web1");
    h.event.program = TEXT("su");
    h.event.severity = 3;
    h.event.message = h.record.raw;
    matcher_match(h.matcher, &h.event, &h.arena, &h.result);
    assert_int_equal(h.result.detection_count, 1);
    assert_true(event_add(&h.event, TEXT("host"), TEXT("other"))); /* the event's own field wins */
    matcher_reset(h.matcher, &h.result);
    matcher_match(h.matcher, &h.event, &h.arena, &h.result);
    assert_int_equal(h.result.detection_count, 0);
    harness_close(&h);
}

static void test_keywords_in_text(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: R\nlogsource: {category: test}\n"
                                      "detection: {s: ['segfault at', 'oops:'], condition: s}\n"),
                     STATUS_OK);
    assert_true(harness_match_text(&h, "kernel: foo[1]: SegFault at 0"));
    assert_false(harness_match_text(&h, "kernel: all is well"));
    harness_close(&h);
}

static void test_filter_modes(void **state)
{
    (void)state;
    static const struct {
        const char *mode, *event;
        bool is_match;
    } rows[] = {
        {"", "{\"act\":\"fail\",\"u\":\"svc\"}", false},
        {"", "{\"act\":\"fail\",\"u\":\"bob\"}", true},
        {"tocsin: {mode: and}\n", "{\"act\":\"fail\",\"u\":\"svc\"}", true},
        {"tocsin: {mode: and}\n", "{\"act\":\"fail\",\"u\":\"bob\"}", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char yaml[1024];
        struct harness h;
        (void)snprintf(yaml, sizeof yaml,
                       RULE_A "title: F\nlogsource: {category: test}\n%sfilter: {rules: [a], "
                              "s: {u: svc}, condition: s}\n",
                       rows[i].mode);
        assert_int_equal(harness_open(&h, yaml), STATUS_OK);
        assert_int_equal(harness_match_json(&h, text_of(rows[i].event)), rows[i].is_match);
        assert_int_equal(ruleset_get_summary(h.ruleset)->filters, 1);
        harness_close(&h);
    }
}

static void test_global_documents(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "action: global\ntitle: G\nlogsource: {category: test}\n"
                                      "detection: {s: {a: 1}, condition: s and t}\n---\n"
                                      "id: one\ndetection: {t: {b: 1}}\n---\n"
                                      "id: two\ndetection: {t: {b: 2}}\n---\n"
                                      "action: repeat\nid: three\ndetection: {t: {b: 3}}\n"),
                     STATUS_OK);
    assert_int_equal(ruleset_get_summary(h.ruleset)->rules, 3);
    assert_true(harness_match_json(&h, TEXT("{\"a\":1,\"b\":3}")));
    assert_int_equal(h.result.detection_count, 1);
    assert_true(text_equal(h.result.detections[0]->rule->id, TEXT("three")));
    harness_close(&h);
}

static void test_hash_follows_meaning(void **state)
{
    (void)state;
    static const char *const yamls[] = {
        RULE_A,
        "description: other words\n" RULE_A,
        ("title: A\nname: a\nid: 1111\nlogsource: {category: test}\n"
         "detection: {s: {act: fails}, condition: s}\n"),
    };
    struct hash128 hashes[3];
    for (size_t i = 0; i < 3; i++) {
        struct harness h;
        assert_int_equal(harness_open(&h, yamls[i]), STATUS_OK);
        hashes[i] = ruleset_hash(h.ruleset);
        harness_close(&h);
    }
    assert_true(hash_equal(hashes[0], hashes[1]));
    assert_false(hash_equal(hashes[0], hashes[2]));
}

static void test_description_names_entities(void **state)
{
    (void)state;
    struct harness h;
    struct entity_report report;
    assert_int_equal(harness_open(&h, RULE_A), STATUS_OK);
    (void)harness_match_json(&h, TEXT("{\"src_ip\":\"192.0.2.7\",\"user\":\"bob\"}"));
    matcher_describe(h.matcher, &h.event, &h.arena, &report);
    const struct subject s = {.entities = report.entities, .entity_count = report.entity_count};
    assert_true(has_entity(&s, ENTITY_ADDRESS, "192.0.2.7", true));
    assert_true(has_entity(&s, ENTITY_USER, "bob", true));
    assert_int_equal(report.entity_count, 2);
    assert_int_equal(report.decoder.len + report.mapping.len, 0);
    harness_close(&h);
}

static void test_explain_says_why(void **state)
{
    (void)state;
    struct harness h;
    struct buffer out;
    assert_int_equal(harness_open(&h, RULE_A), STATUS_OK);
    (void)harness_match_json(&h, TEXT("{\"act\":\"ok\"}"));
    buffer_init(&out, 1 << 20);
    matcher_explain(h.matcher, &h.event, NULL, &out);
    buffer_byte(&out, 0);
    assert_false(out.has_failed);
    assert_non_null(strstr(out.at, "\"matched\":false"));
    assert_non_null(strstr(out.at, "\"values\":[\"ok\"]"));
    assert_non_null(strstr(out.at, "\"operand\":\"fail\""));
    buffer_fini(&out);
    harness_close(&h);
}

static void test_libraries_are_good(void **state)
{
    (void)state;
    struct error err = {.code = STATUS_OK};
    assert_int_equal(rules_probe_libraries(&err), STATUS_OK);
}

/* As rules over cloud logs have it: requestParameters|contains over an object. */
static void test_objects_are_searched_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *event;
        bool wants;
    } cases[] = {
        {"p|contains: Suspended", "{\"p\":{\"c\":{\"Status\":\"Suspended\"}}}", true},
        {"p|contains: suspended", "{\"p\":{\"c\":{\"Status\":\"Suspended\"}}}", true},
        {"p|contains|cased: suspended", "{\"p\":{\"c\":{\"Status\":\"Suspended\"}}}", false},
        {"p: '*Suspended*'", "{\"p\":{\"Status\":\"Suspended\"}}", true},
        {"p|re: '\"St[a-z]+\"'", "{\"p\":{\"Status\":1}}", true},
        {"p|contains|all: ['\"s3:GetObject\"', '\"Allow\"']",
         "{\"p\":{\"doc\":\"{\\\"Action\\\":\\\"s3:GetObject\\\",\\\"Effect\\\":\\\"Allow\\\"}\"}}",
         true},
        {"p|contains: ForwardTo", "{\"p\":[{\"Name\":\"a\"},{\"Name\":\"ForwardTo\"}]}", true},
        {"p|contains: '},{'", "{\"p\":[{\"Name\":\"a\"},{\"Name\":\"b\"}]}", false},
        {"p|contains: ','", "{\"p\":[\"a\",\"b\"]}", false},
        {"p: '{}'", "{\"p\":{}}", false},
        {"p|exists: true", "{\"p\":{}}", true},
        {"p: '*'", "{\"p\":{}}", true},
        {"p: '*'", "{\"p\":[]}", false},
        {"p|fieldref: q", "{\"p\":\"{}\",\"q\":{}}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct harness h;
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml,
                       "title: A\nlogsource: {category: test}\ndetection:\n  s:\n    %s\n"
                       "  condition: s\n",
                       cases[i].rule);
        assert_int_equal(harness_open(&h, yaml), STATUS_OK);
        assert_string_equal(h.messages, "");
        if (harness_match_json(&h, text_of(cases[i].event)) != cases[i].wants)
            fail_msg("case %zu: %s over %s", i, cases[i].rule, cases[i].event);
        harness_close(&h);
    }
}

/* The first value that is one: of an array its first element. */
static void test_values_of_arrays_and_addresses(void **state)
{
    (void)state;
    struct harness h;
    assert_int_equal(harness_open(&h, "title: A\nname: a\nlogsource: {category: test}\n"
                                      "detection: {s: {a: 1}, condition: s}\n---\n"
                                      "title: C\ncorrelation: {type: value_count, rules: [a], "
                                      "timespan: 1m, condition: {field: v, gte: 2}}\n"),
                     STATUS_OK);
    (void)harness_match_json(&h, TEXT("{\"a\":1,\"v\":[\"::ffff:192.0.2.1\",\"x\"]}"));
    assert_int_equal(h.result.feed_count, 1);
    assert_true(h.result.feeds[0].has_value);
    struct hash128 mapped = h.result.feeds[0].distinct;
    (void)harness_match_json(&h, TEXT("{\"a\":1,\"v\":\"192.0.2.1\"}"));
    assert_true(hash_equal(mapped, h.result.feeds[0].distinct));
    (void)harness_match_json(&h, TEXT("{\"a\":1,\"v\":{\"w\":1}}"));
    assert_false(h.result.feeds[0].has_value);
    harness_close(&h);
}

/* RFC 5424 structured data: "id.name"; a field of that name wins. */
static void test_structured_data_is_fields(void **state)
{
    (void)state;
    static const struct {
        const char *id, *key, *value, *field;
        bool is_matched;
    } rows[] = {
        {"app@32473", "iut", "3", NULL, true},  {"app@32473", "iut", "4", NULL, false},
        {"app@32473", "IUT", "3", NULL, false}, {"app@32473", "", "", NULL, false},
        {"app@32473", "iut", "3", "4", false},  {"other@1", "iut", "3", NULL, false},
        {"other@1", "iut", "3", "3", true},
    };
    struct harness h;
    assert_int_equal(harness_open(&h, "title: S\nlogsource: {category: test}\n"
                                      "detection: {s: {app@32473.iut: 3}, condition: s}\n"),
                     STATUS_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        h.record.raw = TEXT("<13>1 - h app - - - x");
        matcher_reset(h.matcher, &h.result);
        event_reset(&h.event, &h.record);
        h.event.format = FORMAT_RFC5424;
        assert_true(event_add_param(&h.event, text_of(rows[i].id), text_of(rows[i].key),
                                    text_of(rows[i].value)));
        assert_true(!rows[i].field ||
                    event_add(&h.event, TEXT("app@32473.iut"), text_of(rows[i].field)));
        matcher_match(h.matcher, &h.event, &h.arena, &h.result);
        assert_int_equal(h.result.detection_count, rows[i].is_matched);
    }
    harness_close(&h);
}

int main(void)
{
    enum { ROWS = sizeof charged_rows / sizeof *charged_rows };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(test_objects_are_searched_as_json),
        cmocka_unit_test(test_values_of_arrays_and_addresses),
        cmocka_unit_test(test_feed_has_group_and_key),
        cmocka_unit_test(test_missing_group_field_opens_no_window),
        cmocka_unit_test(test_generate_reports_the_rules_too),
        cmocka_unit_test(test_values_are_read),
        cmocka_unit_test(test_aliases_name_other_fields),
        cmocka_unit_test(test_chain_links_and_depth),
        cmocka_unit_test(test_extended_condition_is_postfix),
        cmocka_unit_test(test_policy_defaults_and_key),
        cmocka_unit_test(test_rule_facts),
        cmocka_unit_test(test_entities_of_a_rule),
        cmocka_unit_test(test_entities_that_are_said),
        cmocka_unit_test(test_one_person_once),
        cmocka_unit_test(test_routing),
        cmocka_unit_test(test_envelope_is_a_field),
        cmocka_unit_test(test_structured_data_is_fields),
        cmocka_unit_test(test_keywords_in_text),
        cmocka_unit_test(test_filter_modes),
        cmocka_unit_test(test_global_documents),
        cmocka_unit_test(test_hash_follows_meaning),
        cmocka_unit_test(test_description_names_entities),
        cmocka_unit_test(test_explain_says_why),
        cmocka_unit_test(test_libraries_are_good),
    };
    struct CMUnitTest tests[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_charged, &charged_rows[i]);
    int failed = _cmocka_run_group_tests("test_charged", tests, ROWS, NULL, NULL);
    return failed + cmocka_run_group_tests_name("test_matcher", alone, NULL, NULL);
}
