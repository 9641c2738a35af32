/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/cover.h"
#include "rules/match/ruleset_state.h"
#include "tests/rules/harness.h"

/* The atoms of which one must be true: of the tree that a rule's condition became. */

static const struct row {
    const char *name, *detection;
    bool is_possible;
    uint32_t count;
    const char *text; /* of the first atom, or NULL */
    enum atom_kind kind;
} rows[] = {
    {"a value is itself", "  s: {User: Bob}\n  condition: s", true, 1, "bob", ATOM_EQUAL},
    {"a number", "  s: {EventID: 4625}\n  condition: s", true, 1, NULL, ATOM_NUMBER},
    {"a literal", "  s: {CommandLine|contains: MimiKatz}\n  condition: s", true, 1, "mimikatz",
     ATOM_LITERAL},
    {"a list is all of its items", "  s: {User: [ann, bob, eve]}\n  condition: s", true, 3, "ann",
     ATOM_EQUAL},
    {"an or is both", "  s: {User: ann}\n  t: {Image: x.exe}\n  condition: s or t", true, 2, NULL,
     ATOM_EQUAL},
    {"what a pattern must contain", "  s: {CommandLine|re: 'a+rundll32\\s+x'}\n  condition: s",
     true, 1, NULL, ATOM_LITERAL},
    {"existence", "  s: {User|exists: true}\n  condition: s", true, 1, NULL, ATOM_PRESENT},
    {"not covers nothing", "  s: {User: ann}\n  condition: not s", false, 0, NULL, ATOM_EQUAL},
};

static void test_finds(void **state)
{
    const struct row *row = *state;
    char yaml[2048];
    struct harness h;
    struct cover cover;
    (void)snprintf(yaml, sizeof yaml,
                   "title: a\nid: 2d1c1a52-7b5e-4d0a-9d5f-6b9f0c0d0001\nstatus: test\nlogsource: "
                   "{product: windows}\ndetection:\n%s\nlevel: low\n",
                   row->detection);
    assert_int_equal(harness_open(&h, yaml), STATUS_OK);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    uint32_t uses[64] = {0};
    struct cover_search search = {h.ruleset->predicates, uses, &arena, &arena};
    cover_count(h.ruleset->rules[0].root, uses);
    assert_true(cover_find(&search, h.ruleset->rules[0].root, &cover));
    assert_int_equal(cover.is_possible, row->is_possible);
    if (row->is_possible) {
        assert_int_equal(cover.count, row->count);
        assert_int_equal(cover.atoms[0].kind, row->kind);
        if (row->text)
            assert_true(text_equal(cover.atoms[0].text, text_of(row->text)));
    }
    arena_fini(&arena);
    harness_close(&h);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_finds, &rows[i]);
    return _cmocka_run_group_tests("test_cover", tests, ROWS, NULL, NULL);
}
