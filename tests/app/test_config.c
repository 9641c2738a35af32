/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_file(char path[64], const char *text)
{
    (void)snprintf(path, 64, "/tmp/tocsin-test-XXXXXX.yml");
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
}

static enum status load(const char *text, struct config **out, struct error *err)
{
    char path[64];
    write_file(path, text);
    enum status status = config_load(path, "/data", out, err);
    (void)unlink(path);
    return status;
}

static void assert_text(struct text is, const char *want)
{
    assert_int_equal(is.len, strlen(want));
    assert_memory_equal(is.at ? is.at : "", want, is.len);
}

static void test_defaults(void **state)
{
    (void)state;
    AUTO(config) c = NULL;
    struct error err = {0};
    assert_int_equal(config_load(NULL, "/data", &c, &err), STATUS_OK);
    assert_text(c->data, "/data");
    assert_int_equal(c->rules.count, 1);
    assert_text(c->rules.items[0], "share");
    assert_text(c->http.listen, "127.0.0.1:8514");
    assert_text(c->redis.url, "");
    assert_true(c->journal.size_bytes == UINT64_C(20) << 30);
    assert_int_equal(c->journal.age_us, INT64_C(14) * 86400000000);
    assert_int_equal(c->journal.batch_us, 5000);
    assert_int_equal(c->correlation.fire, 0);
    assert_int_equal(c->correlation.lateness_us, 0);
    assert_true(c->score.threshold == 65);
    assert_int_equal(c->score.half_life_us, INT64_C(86400000000));
    assert_null(c->sources);
    assert_null(c->sinks);
}

static void test_what_is_said_counts(void **state)
{
    (void)state;
    AUTO(config) c = NULL;
    struct error err = {0};
    assert_int_equal(load("data: /elsewhere\n"
                          "rules: [share, /etc/rules]\n"
                          "correlation: {fire: consume, lateness: 90s, workers: 3}\n"
                          "journal: {size: 2MiB, full: drop}\n"
                          "score: {threshold: 70}\n"
                          "sources:\n  - syslog_udp: {listen: '127.0.0.1:0'}\n",
                          &c, &err),
                     STATUS_OK);
    assert_text(c->data, "/data"); /* the command line's word is above the file's */
    assert_int_equal(c->rules.count, 2);
    assert_text(c->rules.items[1], "/etc/rules");
    assert_int_equal(c->correlation.fire, 2);
    assert_int_equal(c->correlation.lateness_us, 90000000);
    assert_int_equal(c->correlation.workers, 3);
    assert_int_equal(c->correlation.shards, 0);
    assert_true(c->journal.size_bytes == 2 << 20);
    assert_int_equal(c->journal.full, 1);
    assert_true(c->score.threshold == 70);
    assert_int_equal(c->sources->count, 1);
}

static const struct row {
    const char *name, *text;
    uint32_t line;
    const char *said; /* in the message */
} rows[] = {
    {"config: unknown key, a near one", "data: /x\nsuorces: []\n", 2, "sources"},
    {"config: unknown key in a part", "journal: {sise: 1GiB}\n", 1, "size"},
    {"config: unknown key like none", "\nqqqqqqqqqq: 1\n", 2, "qqqqqqqqqq"},
    {"config: unknown choice", "correlation: {fire: often}\n", 1, "edge"},
    {"config: no number", "score: {threshold: high}\n", 1, "threshold"},
    {"config: below the least", "score: {threshold: 0}\n", 1, "threshold"},
    {"config: above the most", "correlation: {workers: 65}\n", 1, "workers"},
    {"config: no duration", "journal: {age: old}\n", 1, "age"},
    {"config: no size", "journal: {size: large}\n", 1, "size"},
    {"config: yes is no boolean", "log: {json: yes}\n", 1, "json"},
    {"config: a list for one value", "data: [a, b]\n", 1, "data"},
    {"config: a value for a part", "http: 127.0.0.1:1\n", 1, ""},
    {"config: no mapping", "- a\n- b\n", 1, ""},
    {"config: twice the same key", "data: /a\ndata: /b\n", 2, "data"},
    {"config: no YAML", "data: [\n", 0, ""},
    {"config: two documents", "data: /a\n---\ndata: /b\n", 3, "one document"},
};

static void test_refused(void **state)
{
    const struct row *row = *state;
    AUTO(config) c = NULL;
    struct error err = {0};
    enum status status = load(row->text, &c, &err);
    assert_true(status == STATUS_INVALID || status == STATUS_SYNTAX);
    assert_null(c);
    if (row->line)
        assert_int_equal(err.line, row->line);
    assert_true(err.text[0] != 0);
    if (!strstr(err.text, row->said))
        fail_msg("'%s' is not in: %s", row->said, err.text);
}

static void test_no_file(void **state)
{
    (void)state;
    AUTO(config) c = NULL;
    struct error err = {0};
    assert_int_equal(config_load("/nonexistent/tocsin.yml", NULL, &c, &err), STATUS_IO);
    assert_non_null(strstr(err.text, "/nonexistent/tocsin.yml"));
    assert_null(c);
}

static const struct printed {
    const char *name, *text, *said;
} printed[] = {
    {"print: defaults", "", "listen: '127.0.0.1:8514'"},
    {"print: what was said", "score: {threshold: 72, half_life: 90m}\n", "half_life: 90m"},
    {"print: a quote", "data: \"it's\"\n", "rules: ['share']"},
    {"print: sources",
     "sources:\n  - syslog_udp: {listen: '127.0.0.1:0', threads: 2}\n"
     "  - kafka: {topics: [a, 'b: c'], properties: {bootstrap.servers: 'x:1'}}\n",
     "- {\"kafka\": {\"topics\": [\"a\", \"b: c\"]"},
    {"print: numbers, nothing, quoted numbers",
     "sinks:\n  - webhook: {a: 1, b: '1', c: null, d: true, e: 'true', f: \"\\t\\\"x\\\\\"}\n",
     "{\"a\": 1, \"b\": \"1\", \"c\": null, \"d\": true, \"e\": \"true\", \"f\": "
     "\"\\x09\\\"x\\\\\"}"},
    {"print: routes", "routes: [{match: {priority: [P1]}, to: [hook]}]\n",
     "\"priority\": [\"P1\"]"},
    {"print: no entry", "sinks: []\n", "sinks: []"},
};

/* What is printed, read again and printed again, is the same. */
static void test_print_reads_back(void **state)
{
    const struct printed *row = *state;
    AUTO(config) first = NULL;
    AUTO(config) second = NULL;
    struct error err = {0};
    struct buffer once;
    struct buffer twice;
    buffer_init(&once, 1 << 20);
    buffer_init(&twice, 1 << 20);
    assert_int_equal(load(row->text, &first, &err), STATUS_OK);
    config_print(first, &once);
    buffer_byte(&once, 0);
    if (!strstr(once.at, row->said))
        fail_msg("'%s' is not in:\n%s", row->said, once.at);
    assert_int_equal(load(once.at, &second, &err), STATUS_OK);
    config_print(second, &twice);
    buffer_byte(&twice, 0);
    assert_string_equal(once.at, twice.at);
    buffer_fini(&once);
    buffer_fini(&twice);
}

static const struct kind {
    const char *name, *text;
    bool is_one;
} kinds[] = {
    {"is one: sources", "sources: []\n", true},
    {"is one: a part", "http: {listen: '127.0.0.1:0'}\n", true},
    {"is one: a rule", "title: x\ndetection: {s: {a: b}, condition: s}\n", false},
    {"is one: a rule with a key of ours", "title: x\nlog: y\n", false},
    {"is one: a decoder", "decoder: sshd\npatterns: []\n", false},
    {"is one: a list", "- a\n", false},
    {"is one: nothing", "", false},
    {"is one: no YAML", "data: [\n", false},
};

static void test_is_one(void **state)
{
    const struct kind *row = *state;
    char path[64];
    write_file(path, row->text);
    assert_int_equal(config_is_one(path), row->is_one);
    (void)unlink(path);
}

int main(void)
{
    enum {
        ROWS = sizeof rows / sizeof *rows,
        PRINTED = sizeof printed / sizeof *printed,
        KINDS = sizeof kinds / sizeof *kinds
    };
    struct CMUnitTest tests[ROWS + PRINTED + KINDS + 3] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_what_is_said_counts),
        cmocka_unit_test(test_no_file),
    };
    size_t n = 3;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_refused, &rows[i]);
    for (size_t i = 0; i < PRINTED; i++)
        tests[n++] = ROW(test_print_reads_back, &printed[i]);
    for (size_t i = 0; i < KINDS; i++)
        tests[n++] = ROW(test_is_one, &kinds[i]);
    return cmocka_run_group_tests_name("test_config", tests, NULL, NULL);
}
