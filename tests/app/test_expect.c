/* SPDX-License-Identifier: Apache-2.0 */
#include "app/expect.h"
#include "tests/support/table.h"
#undef expect_check /* cmocka has a macro of that name, of no use here */
#include <string.h>

/* What happened in every row: three detections, one incident and one candidate. */
static const struct text group_names[] = {{"src_ip", 6}, {"user", 4}};
#define CONSTANT(literal)                                                                          \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }
static const struct rule guessing = {.id = CONSTANT("ABCD-1"),
                                     .name = CONSTANT("guessing"),
                                     .title = CONSTANT("Guessed passwords"),
                                     .key = CONSTANT("ABCD-1"),
                                     .group = group_names,
                                     .group_count = 2};
static const struct rule login = {
    .title = CONSTANT("A login"), .key = CONSTANT("A login"), .group_count = 0};

static const char incidents[] =
    "{\"id\":\"inc_1\",\"kind\":\"incident\",\"severity\":\"high\",\"priority\":\"P2\","
    "\"score\":70.0,\"entities\":[{\"kind\":\"address\",\"value\":\"192.0.2.7\"},"
    "{\"kind\":\"user\",\"value\":\"root@h\"}]}\n"
    "{\"id\":\"cnd_1\",\"kind\":\"candidate\",\"score\":27.4,"
    "\"entities\":[{\"kind\":\"host\",\"value\":\"web1\"}]}\n";

static const struct row {
    const char *name, *expect;
    bool holds;
    const char *said; /* in `why`, or in the error */
    enum status want;
} rows[] = {
    {"expect: nothing", "[]", true, "", STATUS_OK},
    {"expect: by name", "[{detection: guessing}]", true, "", STATUS_OK},
    {"expect: by id, whatever the case", "[{detection: abcd-1}]", true, "", STATUS_OK},
    {"expect: by title", "[{detection: A login}]", true, "", STATUS_OK},
    {"expect: no such rule", "[{detection: other}]", false, "what happened", STATUS_OK},
    {"expect: at", "[{detection: guessing, at: 8s}]", true, "", STATUS_OK},
    {"expect: at another time", "[{detection: guessing, at: 9s}]", false, "8.000s", STATUS_OK},
    {"expect: times", "[{detection: guessing, times: 2}]", true, "", STATUS_OK},
    {"expect: more times", "[{detection: guessing, times: 3}]", false, "times: 3", STATUS_OK},
    {"expect: no time", "[{detection: guessing, times: 0}]", false, "", STATUS_OK},
    {"expect: of another no time", "[{detection: other, times: 0}]", true, "", STATUS_OK},
    {"expect: group", "[{detection: guessing, group: {src_ip: 192.0.2.7}, times: 1}]", true, "",
     STATUS_OK},
    {"expect: whole group", "[{detection: guessing, group: {user: bob, src_ip: 192.0.2.8}}]", true,
     "", STATUS_OK},
    {"expect: mixed group", "[{detection: guessing, group: {user: bob, src_ip: 192.0.2.7}}]", false,
     "src_ip: 192.0.2.7", STATUS_OK},
    {"expect: a field outside the group", "[{detection: guessing, group: {host: h}}]", false, "",
     STATUS_OK},
    {"expect: at of another group", "[{detection: guessing, at: 8s, group: {src_ip: 192.0.2.8}}]",
     false, "", STATUS_OK},
    {"expect: not", "[{not: {detection: other}}]", true, "", STATUS_OK},
    {"expect: not what happened", "[{not: {detection: guessing}}]", false, "not: {detection",
     STATUS_OK},
    {"expect: not not", "[{not: {not: {detection: guessing}}}]", true, "", STATUS_OK},
    {"expect: any incident", "[{incident: {}}]", true, "", STATUS_OK},
    {"expect: incident of an entity",
     "[{incident: {entity: {kind: address, value: 192.0.2.7}, score: '>= 65'}}]", true, "",
     STATUS_OK},
    {"expect: its other entity", "[{incident: {entity: {value: root@h}}}]", true, "", STATUS_OK},
    {"expect: kind and value of two entities",
     "[{incident: {entity: {kind: user, value: 192.0.2.7}}}]", false, "score 70.0", STATUS_OK},
    {"expect: score below", "[{incident: {score: '< 70'}}]", false, "", STATUS_OK},
    {"expect: score at most", "[{incident: {score: '<=70'}}]", true, "", STATUS_OK},
    {"expect: score above", "[{incident: {score: '> 69.9'}}]", true, "", STATUS_OK},
    {"expect: score, rounded", "[{candidate: {score: 27}}]", true, "", STATUS_OK},
    {"expect: another score", "[{candidate: {score: 28}}]", false, "", STATUS_OK},
    {"expect: another score not", "[{candidate: {score: '!= 27'}}]", false, "", STATUS_OK},
    {"expect: not equal", "[{candidate: {score: '!= 50'}}]", true, "", STATUS_OK},
    {"expect: equal, written out", "[{candidate: {score: '== 27'}}]", true, "", STATUS_OK},
    {"expect: no operator", "[{candidate: {score: '=> 27'}}]", false, "", STATUS_OK},
    {"expect: a score that is no number", "[{candidate: {score: high}}]", false, "", STATUS_OK},
    {"expect: priority", "[{incident: {priority: P2, severity: high}}]", true, "", STATUS_OK},
    {"expect: another priority", "[{incident: {priority: P1}}]", false, "", STATUS_OK},
    {"expect: a candidate is no incident", "[{incident: {entity: {value: web1}}}]", false,
     "candidate score 27.4", STATUS_OK},
    {"expect: an incident is no candidate", "[{not: {candidate: {entity: {kind: address}}}}]", true,
     "", STATUS_OK},
    {"expect: one of two missed is told", "[{detection: guessing}, {detection: other}]", false,
     "expected: {detection: other}", STATUS_OK},
    {"expect: an unknown word", "[{detection: guessing, within: 8s}]", false, "only",
     STATUS_INVALID},
    {"expect: no duration", "[{detection: guessing, at: soon}]", false, "duration", STATUS_INVALID},
    {"expect: no number", "[{detection: guessing, times: two}]", false, "number", STATUS_INVALID},
    {"expect: none of the words", "[{score: 3}]", false, "expected: detection", STATUS_INVALID},
};

static void add(struct expect_result *r, const struct rule *rule, int64_t at_us, const char *ip,
                const char *user)
{
    const struct text group[] = {text_of(ip), text_of(user)};
    const struct subject subject = {.group = group, .group_count = rule->group_count};
    const struct detection d = {.rule = rule, .event_us = 1000000 + at_us, .subject = &subject};
    expect_add_detection(r, &d, 1000000);
}

static void test_expect(void **state)
{
    const struct row *row = *state;
    struct expect_result r;
    struct arena arena;
    struct yaml_file file = {0};
    struct error err = {0};
    struct buffer why;
    arena_init(&arena, 1 << 20);
    buffer_init(&why, 1 << 20);
    expect_init(&r);
    add(&r, &guessing, 8000000, "192.0.2.7", "root");
    add(&r, &guessing, 10000000, "192.0.2.8", "bob");
    add(&r, &login, 12000000, "", "");
    assert_int_equal(yaml_parse(text_of(row->expect), &arena, &file, &err), STATUS_OK);
    assert_int_equal(expect_check(&r, text_of(incidents), file.documents[0], &why, &err),
                     row->want);
    if (row->want == STATUS_OK)
        assert_int_equal(why.len == 0, row->holds);
    buffer_byte(&why, 0);
    if (!strstr(row->want ? err.text : why.at, row->said))
        fail_msg("'%s' is not in: %s%s", row->said, err.text, why.at);
    expect_fini(&r);
    buffer_fini(&why);
    arena_fini(&arena);
}

static void test_nothing_happened(void **state)
{
    (void)state;
    struct expect_result r;
    struct arena arena;
    struct yaml_file file = {0};
    struct buffer why;
    arena_init(&arena, 1 << 20);
    buffer_init(&why, 1 << 20);
    expect_init(&r);
    assert_int_equal(yaml_parse(TEXT("[{detection: guessing}]"), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(expect_check(&r, TEXT_NONE, file.documents[0], &why, NULL), STATUS_OK);
    buffer_byte(&why, 0);
    assert_non_null(strstr(why.at, "no detection"));
    expect_fini(&r);
    buffer_fini(&why);
    arena_fini(&arena);
}

static void test_known_words(void **state)
{
    (void)state;
    static const char *const names[] = {"at", "times", NULL};
    assert_true(expect_is_known(TEXT("at"), names));
    assert_false(expect_is_known(TEXT("a"), names));
    assert_false(expect_is_known(TEXT(""), names));
    assert_false(expect_names_rule(TEXT(""), &login)); /* a rule without a name has none */
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 2] = {
        cmocka_unit_test(test_nothing_happened),
        cmocka_unit_test(test_known_words),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[i + 2] = ROW(test_expect, &rows[i]);
    return cmocka_run_group_tests_name("test_expect", tests, NULL, NULL);
}
