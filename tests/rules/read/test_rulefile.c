/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/rules/harness.h"
#include <sys/stat.h>

/* Folders of many files: read by two threads, told and compiled as by one. */

enum { FILES = 150, BROKEN = 70 };

struct folder {
    char path[64];
};

static void file_of(const struct folder *f, unsigned i, char out[128])
{
    (void)snprintf(out, 128, "%s/%s/r%03u.yml", f->path,
                   i < FILES / 3 ? "a"
                   : i < 100     ? "b"
                                 : "c",
                   i);
}

static int begin(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    assert_non_null(f);
    (void)snprintf(f->path, sizeof f->path, "/tmp/tocsin-test-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    for (const char *below = "abc"; *below; below++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%c", f->path, *below);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (unsigned i = 0; i < FILES; i++) {
        char path[128];
        file_of(f, i, path);
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        if (i % BROKEN == 1)
            (void)fputs("title: [broken\n", out);
        else
            (void)fprintf(out,
                          "title: r%u\nid: r%u\nlogsource: {category: test}\n"
                          "detection: {s: {f|contains: value%u}, condition: s}\n",
                          i, i, i);
        assert_int_equal(fclose(out), 0);
    }
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct folder *f = *state;
    char path[128];
    for (unsigned i = 0; i < FILES; i++) {
        file_of(f, i, path);
        (void)unlink(path);
    }
    for (const char *below = "abc"; *below; below++) {
        (void)snprintf(path, sizeof path, "%s/%c", f->path, *below);
        (void)rmdir(path);
    }
    (void)rmdir(f->path);
    free(f);
    return 0;
}

struct told {
    char files[1024];
};

static void tell(void *context, const struct diagnostic *f)
{
    struct told *t = context;
    size_t used = strlen(t->files);
    size_t slash = f->file.len;
    while (slash && f->file.at[slash - 1] != '/')
        slash--;
    (void)snprintf(t->files + used, sizeof t->files - used, "%.*s ",
                   TEXT_ARG(text_skip(f->file, slash)));
}

static struct hash128 load(const char *const *paths, uint32_t count, struct told *told)
{
    struct ruleset *r = NULL;
    struct error err = {.code = STATUS_OK};
    const struct ruleset_options options = {
        .paths = paths, .path_count = count, .tell = tell, .context = told};
    assert_int_equal(ruleset_load(&options, &r, &err), STATUS_OK);
    assert_int_equal(ruleset_get_summary(r)->rules, FILES - 3);
    struct hash128 hash = ruleset_hash(r);
    ruleset_unref(r);
    return hash;
}

static void test_two_threads_read_as_one(void **state)
{
    const struct folder *f = *state;
    struct told whole = {""};
    struct told parts = {""};
    char below[3][128];
    const char *one[] = {f->path};
    const char *three[] = {below[0], below[1], below[2]};
    for (int i = 0; i < 3; i++)
        (void)snprintf(below[i], sizeof below[i], "%s/%c", f->path, "abc"[i]);
    struct hash128 with_two = load(one, 1, &whole);   /* 150 files at once */
    struct hash128 with_one = load(three, 3, &parts); /* fifty at a time */
    assert_true(hash_equal(with_two, with_one));
    assert_string_equal(whole.files, "r001.yml r071.yml r141.yml ");
    assert_string_equal(parts.files, whole.files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_two_threads_read_as_one, begin, end),
    };
    return cmocka_run_group_tests_name("test_rulefile", tests, NULL, NULL);
}
