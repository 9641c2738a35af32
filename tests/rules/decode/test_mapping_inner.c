/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"

/* Decoders that read what stands inside the fields of JSON events: `part: true` and `decode`. */

static const char parts[] =
    "decoder: host-of-url\n"
    "part: true\n"
    "patterns: [{name: any, pcre2: '^https?://(?<domain>[^/]+)', set: {is_url: yes}}]\n"
    "---\n"
    "decoder: tuple\n"
    "part: true\n"
    "patterns: [{name: any, pcre2: '^(?<time>\\d+),(?<src_ip>[^,]+),(?<dst_port>\\d+)'}]\n";

static const char mapping[] = "---\n"
                              "mapping: flows\n"
                              "when: {kind: flow}\n"
                              "fields: {domain: [site, domain]}\n"
                              "decode: [{field: request.url, decoder: host-of-url}, {field: "
                              "list.tuples, decoder: tuple}, {field: args, join: line}, {field: "
                              "text, decoder: host-of-url, when: "
                              "{code: [7, 8]}}]\n"
                              "logsources: [{product: flows}]\n";

static const char rule[] = "---\n"
                           "title: a\n"
                           "id: 5f1abf38-3d6e-4f4f-9a52-27d1b2a3f001\n"
                           "logsource: {product: flows}\n"
                           "detection:\n"
                           "  one: {%s}\n"
                           "  condition: one\n"
                           "level: low\n";

static enum status open_it(struct harness *h, const char *decoders, const char *selection)
{
    char yaml[4096];
    char tail[512];
    (void)snprintf(tail, sizeof tail, rule, selection);
    (void)snprintf(yaml, sizeof yaml, "%s%s%s", decoders, mapping, tail);
    return harness_open_with(h, yaml, (struct ruleset_options){.has_routing = true});
}

static const struct row {
    const char *name, *selection, *event;
    bool is_match;
} rows[] = {
    {"inner: a URL's host", "domain: www.example.org",
     "{\"kind\":\"flow\",\"request\":{\"url\":\"https://www.example.org/a\"}}", true},
    {"inner: escapes are undone first", "domain: www.example.org",
     "{\"kind\":\"flow\",\"request\":{\"url\":\"https:\\/\\/www.example.org\\/a\"}}", true},
    {"inner: constants", "is_url: yes",
     "{\"kind\":\"flow\",\"request\":{\"url\":\"http://a.example\"}}", true},
    {"inner: the event's own name comes first", "domain: own.example",
     "{\"kind\":\"flow\",\"site\":\"own.example\",\"request\":{\"url\":\"http://a.example\"}}",
     true},
    {"inner: no pattern matches", "domain: '*'", "{\"kind\":\"flow\",\"request\":{\"url\":\"/a\"}}",
     false},
    {"inner: another mapping's event", "is_url: yes",
     "{\"kind\":\"other\",\"request\":{\"url\":\"http://a.example\"}}", false},
    {"inner: not a string", "is_url: yes", "{\"kind\":\"flow\",\"request\":{\"url\":7}}", false},
    {"inner: a list becomes one text", "line: 'sh -c a \"b\"'",
     "{\"kind\":\"flow\",\"args\":[\"sh\",\"-c\",\"a \\\"b\\\"\"]}", true},
    {"inner: a list of one", "line: sh", "{\"kind\":\"flow\",\"args\":[\"sh\"]}", true},
    {"inner: empty values keep their place", "line: 'sh  -c'",
     "{\"kind\":\"flow\",\"args\":[\"sh\",\"\",\"-c\"]}", true},
    {"inner: a text that is there is not made", "line: 'sh -c'",
     "{\"kind\":\"flow\",\"line\":\"own\",\"args\":[\"sh\",\"-c\"]}", false},
    {"inner: no list, no text", "line: '*'", "{\"kind\":\"flow\",\"args\":[]}", false},
    {"inner: its condition holds", "is_url: yes",
     "{\"kind\":\"flow\",\"code\":8,\"text\":\"http://a.example\"}", true},
    {"inner: its condition does not", "is_url: yes",
     "{\"kind\":\"flow\",\"code\":9,\"text\":\"http://a.example\"}", false},
    {"inner: each value of a list", "dst_port: 23",
     "{\"kind\":\"flow\",\"list\":[{\"tuples\":[\"1,192.0.2.1,22\",\"2,192.0.2.2,23\"]}]}", true},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    struct harness *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(open_it(h, parts, row->selection), STATUS_OK);
    assert_string_equal(h->messages, "");
    assert_int_equal(harness_match_json(h, text_of(row->event)), row->is_match);
    harness_close(h);
    free(h);
}

static void find_unread(void *context, const struct metric *m)
{
    if (strcmp(m->name, "rules_unread_values_total") == 0)
        *(double *)context = m->value;
}

static void test_values_are_bounded(void **state)
{
    (void)state;
    struct harness *h = calloc(1, sizeof *h);
    char event[2048] = "{\"kind\":\"flow\",\"list\":{\"tuples\":[\"1,192.0.2.1,1\"";
    for (int i = 2; i <= 40; i++) {
        const size_t used = strlen(event);
        (void)snprintf(event + used, sizeof event - used, ",\"1,192.0.2.1,%d\"", i);
    }
    (void)strncat(event, "]}}", sizeof event - strlen(event) - 1);
    assert_non_null(h);
    assert_int_equal(open_it(h, parts, "dst_port: 33"), STATUS_OK);
    assert_false(harness_match_json(h, text_of(event)));
    double unread = 0;
    matcher_metrics(h->matcher, find_unread, &unread);
    assert_true(unread == 8);
    harness_close(h);
    free(h);
}

/* A list too long for one text: what is above is left out and counted, by values. */
static void test_joined_is_bounded(void **state)
{
    (void)state;
    struct harness *h = calloc(1, sizeof *h);
    enum { ONE = 100000 };
    char *event = calloc(1, 4 * ONE);
    assert_non_null(h);
    assert_non_null(event);
    static const char head[] = "{\"kind\":\"flow\",\"args\":[\"";
    static const char tail[] = "\",\"y\"]}";
    memcpy(event, head, sizeof head - 1);
    memset(event + sizeof head - 1, 'x', (size_t)3 * ONE);
    memcpy(event + sizeof head - 1 + (size_t)3 * ONE, tail, sizeof tail);
    assert_int_equal(open_it(h, parts, "line: '*'"), STATUS_OK);
    assert_false(harness_match_json(h, text_of(event)));
    double unread = 0;
    matcher_metrics(h->matcher, find_unread, &unread);
    assert_true(unread == 2);
    harness_close(h);
    free(event);
    free(h);
}

/* ---- what is refused ---- */

static const struct refusal {
    const char *name, *yaml, *want;
} refusals[] = {
    {"refuse: nobody's name", "mapping: a\nwhen: {a: b}\ndecode: [{field: x, decoder: nobody}]\n",
     "unknown-decoder:3"},
    {"refuse: not a part",
     "decoder: d\nprogram: [x]\npatterns: [{name: p, pcre2: '(?<a>.)'}]\n---\n"
     "mapping: a\nwhen: {a: b}\ndecode: [{field: x, decoder: d}]\n",
     "unknown-decoder:7"},
    {"refuse: a part with a program",
     "decoder: d\npart: true\nprogram: [x]\npatterns: [{name: p, pcre2: '(?<a>.)'}]\n",
     "part-with-source:1"},
    {"refuse: a part with a log source",
     "decoder: d\npart: true\nlogsource: {product: x}\npatterns: [{name: p, pcre2: '(?<a>.)'}]\n",
     "part-with-source:1"},
    {"refuse: a part without patterns", "decoder: d\npart: true\n", "no-effect:1"},
    {"refuse: decode without decoder", "mapping: a\nwhen: {a: b}\ndecode: [{field: x}]\n",
     "missing-key:3"},
    {"refuse: decode and join",
     "mapping: a\nwhen: {a: b}\ndecode: [{field: x, decoder: d, join: y}]\n", "missing-key:3"},
    {"refuse: decode's condition",
     "mapping: a\nwhen: {a: b}\ndecode: [{field: x, decoder: y, when: 3}]\n", "bad-condition:3"},
    {"refuse: decode is no list", "mapping: a\nwhen: {a: b}\ndecode: {field: x}\n", "not-a-list:3"},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    struct harness *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_int_equal(harness_open(h, row->yaml), STATUS_OK);
    if (!strstr(h->messages, row->want))
        fail_msg("want %s, got %s", row->want, h->messages);
    harness_close(h);
    free(h);
}

/* A rule's windows end where the decoder of what it reads changes. */
static void test_content_covers_parts(void **state)
{
    (void)state;
    static const char other[] = "decoder: host-of-url\n"
                                "part: true\n"
                                "patterns: [{name: any, pcre2: '^ftp://(?<domain>[^/]+)'}]\n"
                                "---\n"
                                "decoder: tuple\n"
                                "part: true\n"
                                "patterns: [{name: any, pcre2: '^(?<src_ip>[^,]+)'}]\n";
    struct hash128 seen[2];
    const char *const decoders[] = {parts, other};
    for (int i = 0; i < 2; i++) {
        struct harness *h = calloc(1, sizeof *h);
        assert_non_null(h);
        assert_int_equal(open_it(h, decoders[i], "domain: a"), STATUS_OK);
        seen[i] = ruleset_hash(h->ruleset);
        harness_close(h);
        free(h);
    }
    assert_false(seen[0].lo == seen[1].lo && seen[0].hi == seen[1].hi);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, REFUSALS = sizeof refusals / sizeof *refusals };
    struct CMUnitTest tests[ROWS + REFUSALS + 3];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_row, &rows[i]);
    for (size_t i = 0; i < REFUSALS; i++)
        tests[n++] = ROW(test_refusal, &refusals[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_values_are_bounded);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_joined_is_bounded);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_content_covers_parts);
    return _cmocka_run_group_tests("test_mapping_inner", tests, n, NULL, NULL);
}
