/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ruleset_archive.h"
#include "tests/support/table.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULE(word, status)                                                                         \
    "title: " word "\nid: 11111111-1111-4111-8111-11111111111" word "\nstatus: " status            \
    "\nlevel: low\nlogsource: {product: linux}\ndetection: {s: {user: u" word "}, condition: s}\n"

/* Its own share (one experimental rule that ships), its own rules, a folder for the copies. */
struct place {
    char root[64];
    char rules[128], kept[128];
    struct load_request request;
};

static void write_file(const struct place *p, const char *name, const char *text)
{
    char path[512];
    (void)command_path(path, sizeof path, p->root, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void make_folder(const struct place *p, const char *name)
{
    char path[512];
    assert_int_equal(mkdir(command_path(path, sizeof path, p->root, name), 0700), 0);
}

static int begin(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char path[256];
    (void)snprintf(p->root, sizeof p->root, "/tmp/tocsin-test-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    make_folder(p, "share");
    make_folder(p, "share/rules");
    make_folder(p, "share/decoders");
    make_folder(p, "share/mappings");
    make_folder(p, "rules");
    make_folder(p, "rules/below");
    write_file(p, "share/rules/ships.yml", RULE("0", "experimental"));
    write_file(p, "rules/one.yml", RULE("1", "test"));
    write_file(p, "rules/below/two.yaml", RULE("2", "test"));
    write_file(p, "rules/notes.md", "not a rule");
    (void)setenv("TOCSIN_SHARE", command_path(path, sizeof path, p->root, "share"), 1);
    (void)command_path(p->rules, sizeof p->rules, p->root, "rules");
    (void)command_path(p->kept, sizeof p->kept, p->root, "kept");
    p->request = (struct load_request){.rules = {{"share", p->rules}, 2}, .is_quiet = true};
    *state = p;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *at)
{
    (void)about;
    (void)type;
    (void)at;
    return remove(path);
}

static int end(void **state)
{
    struct place *p = *state;
    (void)nftw(p->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return 0;
}

static struct hash128 load_and_save(const struct place *p)
{
    struct error err = {0};
    struct ruleset *ruleset = NULL;
    assert_int_equal(load_rules(&p->request, &ruleset, &err), STATUS_OK);
    struct hash128 hash = ruleset_hash(ruleset);
    ruleset_unref(ruleset);
    if (ruleset_archive_save(p->kept, &p->request, hash, &err))
        fail_msg("%s", err.text);
    return hash;
}

static enum status load_kept(const struct place *p, struct hash128 hash, uint32_t *out_rules,
                             struct error *err)
{
    struct ruleset *ruleset = NULL;
    enum status status = ruleset_archive_load(p->kept, &p->request, hash, &ruleset, err);
    if (status)
        return status;
    *out_rules = ruleset_get_summary(ruleset)->rules;
    assert_true(hash_equal(ruleset_hash(ruleset), hash));
    ruleset_unref(ruleset);
    return STATUS_OK;
}

static void assert_kept(const struct place *p, struct hash128 hash, uint32_t want)
{
    struct error err = {0};
    uint32_t rules = 0;
    if (load_kept(p, hash, &rules, &err))
        fail_msg("%s", err.text);
    assert_int_equal(rules, want);
}

static void test_what_was_saved_loads(void **state)
{
    const struct place *p = *state;
    struct hash128 hash = load_and_save(p);
    assert_kept(p, hash, 3);
    (void)load_and_save(p); /* nothing to do */
    assert_kept(p, hash, 3);
}

/* A rule keeps what it was: one that shipped may open incidents, another experimental one not. */
static void test_what_shipped_still_ships(void **state)
{
    const struct place *p = *state;
    struct error err = {0};
    struct ruleset *both[2] = {NULL, NULL};
    struct hash128 hash = load_and_save(p);
    assert_int_equal(load_rules(&p->request, &both[0], &err), STATUS_OK);
    assert_int_equal(ruleset_archive_load(p->kept, &p->request, hash, &both[1], &err), STATUS_OK);
    for (size_t b = 0; b < 2; b++) {
        uint32_t count = 0;
        uint32_t shipped = 0;
        const struct rule *const *rules = ruleset_rules(both[b], &count);
        for (uint32_t i = 0; i < count; i++) {
            shipped += rules[i]->is_shipped;
            assert_int_equal(rules[i]->is_shipped, text_equal(rules[i]->title, TEXT("0")));
            assert_int_equal(rules[i]->open, OPEN_SCORE);
        }
        assert_int_equal(shipped, 1);
        ruleset_unref(both[b]);
    }
}

static void test_edited_rules_leave_the_copy(void **state)
{
    const struct place *p = *state;
    struct hash128 before = load_and_save(p);
    write_file(p, "rules/one.yml", RULE("3", "test"));
    write_file(p, "rules/more.yml", RULE("4", "test"));
    struct hash128 after = load_and_save(p);
    assert_false(hash_equal(before, after));
    assert_kept(p, before, 3);
    assert_kept(p, after, 4);
}

static void test_a_changed_copy_is_a_conflict(void **state)
{
    const struct place *p = *state;
    char hex[33];
    char name[128];
    struct error err = {0};
    uint32_t rules = 0;
    struct hash128 hash = load_and_save(p);
    hash_to_hex(hash, hex);
    (void)snprintf(name, sizeof name, "kept/%s/rules-1/one.yml", hex);
    write_file(p, name, RULE("5", "test"));
    assert_int_equal(load_kept(p, hash, &rules, &err), STATUS_CONFLICT);
    assert_non_null(strstr(err.text, hex));
}

static void test_what_was_never_saved(void **state)
{
    const struct place *p = *state;
    struct error err = {0};
    uint32_t rules = 0;
    assert_int_equal(load_kept(p, (struct hash128){1, 2}, &rules, &err), STATUS_NOTFOUND);
}

static void test_a_single_file_with_overrides_and_lists(void **state)
{
    struct place *p = *state;
    char file[256];
    char overrides[256];
    char lists[256];
    write_file(p, "overrides.yml", "11111111-1111-4111-8111-111111111111: {level: high}\n");
    make_folder(p, "lists");
    write_file(p, "lists/bad.txt", "192.0.2.0/24\n");
    p->request.rules =
        (struct command_list){{command_path(file, sizeof file, p->root, "rules/one.yml")}, 1};
    p->request.overrides = command_path(overrides, sizeof overrides, p->root, "overrides.yml");
    p->request.lists = command_path(lists, sizeof lists, p->root, "lists");
    struct hash128 hash = load_and_save(p);
    write_file(p, "overrides.yml", "11111111-1111-4111-8111-111111111111: {level: critical}\n");
    assert_kept(p, hash, 1);
}

/* A copy that a crash cut short was never renamed: it does not count. */
static void test_a_half_copy_is_made_anew(void **state)
{
    const struct place *p = *state;
    char hex[33];
    char name[128];
    struct error err = {0};
    struct ruleset *ruleset = NULL;
    uint32_t rules = 0;
    assert_int_equal(load_rules(&p->request, &ruleset, &err), STATUS_OK);
    struct hash128 hash = ruleset_hash(ruleset);
    ruleset_unref(ruleset);
    hash_to_hex(hash, hex);
    make_folder(p, "kept");
    (void)snprintf(name, sizeof name, "kept/%s.partial", hex);
    make_folder(p, name);
    (void)snprintf(name, sizeof name, "kept/%s.partial/rules-9.yml", hex);
    write_file(p, name, "half");
    assert_int_equal(load_kept(p, hash, &rules, &err), STATUS_NOTFOUND);
    assert_int_equal(load_and_save(p).lo, hash.lo);
    assert_kept(p, hash, 3);
}

static void test_prune_keeps_two(void **state)
{
    const struct place *p = *state;
    struct error err = {0};
    uint32_t rules = 0;
    struct hash128 hashes[3];
    static const char *const texts[] = {RULE("6", "test"), RULE("7", "test"), RULE("8", "test")};
    for (size_t i = 0; i < 3; i++) {
        write_file(p, "rules/one.yml", texts[i]);
        hashes[i] = load_and_save(p);
    }
    const struct hash128 two[] = {hashes[0], hashes[2]};
    ruleset_archive_prune(p->kept, two, 2);
    assert_kept(p, hashes[0], 3);
    assert_kept(p, hashes[2], 3);
    assert_int_equal(load_kept(p, hashes[1], &rules, &err), STATUS_NOTFOUND);
    ruleset_archive_prune("/nonexistent", two, 2);
}

/* The rules of a copy with the overrides of this moment; what is copied from a copy stays when that
 * one goes. */
static void test_a_copy_goes_on_with_new_overrides(void **state)
{
    struct place *p = *state;
    char overrides[256];
    struct error err = {0};
    struct ruleset_archive_paths *paths = calloc(1, sizeof *paths);
    struct ruleset *fresh = NULL;
    assert_non_null(paths);
    write_file(p, "overrides.yml", "{}\n");
    p->request.overrides = command_path(overrides, sizeof overrides, p->root, "overrides.yml");
    struct hash128 before = load_and_save(p);
    write_file(p, "overrides.yml", "11111111-1111-4111-8111-111111111111: {level: high}\n");
    write_file(p, "rules/one.yml", "title: half a rule\n");
    struct load_request live = p->request;
    assert_int_equal(ruleset_archive_find(p->kept, before, &live, paths, &err), STATUS_OK);
    assert_int_equal(load_rules(&live, &fresh, &err), STATUS_OK);
    struct hash128 after = ruleset_hash(fresh);
    assert_int_equal(ruleset_get_summary(fresh)->rules, 3);
    assert_false(hash_equal(before, after));
    ruleset_unref(fresh);
    assert_int_equal(ruleset_archive_save(p->kept, &live, after, &err), STATUS_OK);
    ruleset_archive_prune(p->kept, &after, 1);
    assert_kept(p, after, 3);
    assert_int_equal(ruleset_archive_find(p->kept, before, &live, paths, &err), STATUS_NOTFOUND);
    free(paths);
}

static void test_a_copy_knows_its_original(void **state)
{
    const struct place *p = *state;
    char hex[33];
    char kept[256];
    char want[256];
    char out[512];
    hash_to_hex(load_and_save(p), hex);
    static const char *const rows[][2] = {
        {"rules-1/below/two.yaml", "rules/below/two.yaml"},
        {"share/rules/ships.yml", "share/rules/ships.yml"},
    };
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(kept, sizeof kept, "%s/%s/%s", p->kept, hex, rows[i][0]);
        (void)snprintf(want, sizeof want, "%s/%s", p->root, rows[i][1]);
        struct text got =
            ruleset_archive_original(p->kept, &p->request, text_of(kept), out, sizeof out);
        assert_true(text_equal(got, text_of(want)));
    }
    struct text other = TEXT("/etc/rules/one.yml");
    assert_true(
        text_equal(ruleset_archive_original(p->kept, &p->request, other, out, sizeof out), other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_saved_loads, begin, end),
        cmocka_unit_test_setup_teardown(test_what_shipped_still_ships, begin, end),
        cmocka_unit_test_setup_teardown(test_edited_rules_leave_the_copy, begin, end),
        cmocka_unit_test_setup_teardown(test_a_changed_copy_is_a_conflict, begin, end),
        cmocka_unit_test_setup_teardown(test_what_was_never_saved, begin, end),
        cmocka_unit_test_setup_teardown(test_a_single_file_with_overrides_and_lists, begin, end),
        cmocka_unit_test_setup_teardown(test_a_half_copy_is_made_anew, begin, end),
        cmocka_unit_test_setup_teardown(test_prune_keeps_two, begin, end),
        cmocka_unit_test_setup_teardown(test_a_copy_goes_on_with_new_overrides, begin, end),
        cmocka_unit_test_setup_teardown(test_a_copy_knows_its_original, begin, end),
    };
    return cmocka_run_group_tests_name("test_ruleset_archive", tests, NULL, NULL);
}
