/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/partition.h"
#include "rules/match/ruleset_state.h"
#include "tests/rules/harness.h"

/* Which rules the index finds, and which it cannot: through rules as they are written. */

#define RULE(name, source, detection)                                                              \
    "title: " name "\nid: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d" name                                   \
    "\nstatus: test\nlogsource: " source "\ndetection:\n" detection "\nlevel: low\n---\n"
#define WINDOWS "{product: windows, category: process_creation}"
#define LINUX   "{product: linux, service: sshd}"

static const struct row {
    const char *name, *detection;
    bool is_always;
} rows[] = {
    {"always: a value", "  s: {EventID: 4625}\n  condition: s", false},
    {"always: a literal", "  s: {CommandLine|contains: mimikatz}\n  condition: s", false},
    {"always: an end", "  s: {Image|endswith: \\cmd.exe}\n  condition: s", false},
    {"always: a list", "  s: {Image: [a.exe, b.exe, c.exe]}\n  condition: s", false},
    {"always: one part of an and is enough",
     "  s: {EventID: 1}\n  t: {User: bob}\n  condition: s and not t", false},
    {"always: not alone covers nothing", "  s: {User: bob}\n  condition: not s", true},
    {"always: one part of an or is not",
     "  s: {EventID: 1}\n  t: {User: bob}\n  condition: s or not t", true},
};

static void test_is_always(void **state)
{
    const struct row *row = *state;
    char yaml[2048];
    struct harness h;
    (void)snprintf(yaml, sizeof yaml, RULE("0001", WINDOWS, "%s"), row->detection);
    assert_int_equal(harness_open(&h, yaml), STATUS_OK);
    const struct partition *p = &h.ruleset->partitions.items[h.ruleset->partitions.of_rule[0]];
    assert_int_equal(partition_is_always(p, 0), row->is_always);
    assert_int_equal(p->always_count, row->is_always);
    harness_close(&h);
}

/* Rules of two log sources are in two partitions, found by exactly that source. */
static void test_parts_by_log_source(void **state)
{
    (void)state;
    static const char yaml[] = RULE("0001", WINDOWS, "  s: {EventID: 1}\n  condition: s")
        RULE("0002", WINDOWS, "  s: {EventID: 2}\n  condition: s")
            RULE("0003", LINUX, "  s: {user: root}\n  condition: s");
    struct harness h;
    assert_int_equal(harness_open_with(&h, yaml, (struct ruleset_options){.has_routing = true}),
                     STATUS_OK);
    const struct partitions *all = &h.ruleset->partitions;
    struct logsource windows = {TEXT("process_creation"), TEXT("windows"), TEXT_NONE};
    struct logsource linux_sshd = {TEXT_NONE, TEXT("linux"), TEXT("sshd")};
    struct logsource none = {TEXT_NONE, TEXT("linux"), TEXT("sudo")};
    assert_int_equal(all->count, 2);
    assert_int_equal(partition_find(all, &windows)->rule_count, 2);
    assert_int_equal(partition_find(all, &linux_sshd)->rule_count, 1);
    assert_null(partition_find(all, &none));
    harness_close(&h);
}

/* What many rules ask is common in events: the rarer part of an AND leads to the rule. */
static void test_prefers_the_rarer_part(void **state)
{
    (void)state;
    char yaml[8192] = "";
    struct harness h;
    for (int i = 0; i < 9; i++) {
        char one[512];
        (void)snprintf(one, sizeof one,
                       "title: r%d\nid: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d000%d\nstatus: test\n"
                       "logsource: " WINDOWS "\ndetection:\n"
                       "  s: {EventID: 1, CommandLine|contains: 'secret-word-%d'}\n"
                       "  condition: s\nlevel: low\n---\n",
                       i, i, i);
        size_t used = strlen(yaml);
        (void)snprintf(yaml + used, sizeof yaml - used, "%s", one);
    }
    assert_int_equal(harness_open(&h, yaml), STATUS_OK);
    const struct partition *p = &h.ruleset->partitions.items[0];
    assert_int_equal(p->always_count, 0);
    for (uint32_t i = 0; i < p->atom_count; i++)
        assert_int_equal(p->atoms[i].count, 1); /* each leads to one rule: not by EventID */
    harness_close(&h);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 2];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_is_always, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_parts_by_log_source);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_prefers_the_rarer_part);
    return _cmocka_run_group_tests("test_partition", tests, n, NULL, NULL);
}
