/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_parts.h"
#include "tests/support/table.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

/* What the index leaves out can never match: every shipped decoder, asked about every shipped
 * sample (and about what is left of it), answers as if each pattern were tried in turn. */

static void add_file(struct decoder_builder *b, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, SOURCE_DIR "/rules/share/decoders/%s", name);
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct yaml_file file = {0};
    assert_int_equal(yaml_load(path, &arena, &file, NULL), STATUS_OK);
    for (uint32_t i = 0; i < file.count; i++)
        assert_int_equal(decoder_builder_add(b, text_of(name), file.documents[i], true, NULL, NULL),
                         STATUS_OK);
    arena_fini(&arena);
}

static struct decoder_set *build_shipped(void)
{
    AUTO(decoder_builder) b = NULL;
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    DIR *folder = opendir(SOURCE_DIR "/rules/share/decoders");
    assert_non_null(folder);
    for (struct dirent *e = readdir(folder); e; e = readdir(folder))
        if (text_ends(text_of(e->d_name), TEXT(".yml")))
            add_file(b, e->d_name);
    (void)closedir(folder);
    struct decoder_set *set = NULL;
    assert_int_equal(decoder_builder_finish(b, &set, NULL), STATUS_OK);
    return set;
}

struct trial {
    struct decoder_set *set;
    struct decoder_scratch *scratch;
    struct decoder_regex_scratch *regex;
    struct arena arena;
    unsigned compared, matched;
};

static const struct decoder_pattern *plainly(struct trial *t, const struct decoder *d,
                                             struct text message)
{
    for (uint32_t i = 0; i < d->pattern_count; i++)
        if (decoder_regex_match(d->patterns[i].regex, t->regex, message) == DECODER_REGEX_YES)
            return &d->patterns[i];
    return NULL;
}

static void compare(struct trial *t, const struct decoder *d, struct text message)
{
    struct event e = {.message = message};
    const struct decoder_pattern *got = decoder_try(d, t->scratch, &e, &t->arena);
    const struct decoder_pattern *want = plainly(t, d, message);
    if (got != want)
        fail_msg("%.*s: '%.*s': %.*s, not %.*s", TEXT_ARG(d->name), TEXT_ARG(message),
                 TEXT_ARG(got ? got->name : TEXT("nothing")),
                 TEXT_ARG(want ? want->name : TEXT("nothing")));
    t->compared++;
    t->matched += got != NULL;
    event_fini(&e);
    arena_reset(&t->arena);
}

static void compare_all(struct trial *t, struct text message)
{
    for (uint32_t i = 0; i < t->set->count; i++)
        compare(t, t->set->decoders[i], message);
}

static void test_index_leaves_out_what_cannot_match(void **state)
{
    (void)state;
    struct trial t = {.set = build_shipped()};
    arena_init(&t.arena, 1 << 20);
    assert_int_equal(decoder_scratch_new(&t.scratch, NULL), STATUS_OK);
    assert_int_equal(decoder_regex_scratch_new(&t.regex, NULL), STATUS_OK);
    compare_all(&t, TEXT(""));
    for (uint32_t i = 0; i < t.set->count; i++)
        for (uint32_t j = 0; j < t.set->decoders[i]->sample_count; j++) {
            const struct text log = t.set->decoders[i]->samples[j].log;
            compare_all(&t, log);
            compare_all(&t, text_skip(log, 1));
            compare_all(&t, text_skip(log, log.len / 2));
        }
    print_message("%u compared, %u matched\n", t.compared, t.matched);
    assert_true(t.matched > 1000);
    decoder_regex_scratch_free(t.regex);
    decoder_scratch_free(t.scratch);
    decoder_set_free(t.set);
    arena_fini(&t.arena);
}

static const struct row {
    const char *name, *pattern, *want; /* first bytes, or NULL: any */
} rows[] = {
    {"firsts: a word, of either case", "^Failed (?<a>.*)", "Ff"},
    {"firsts: branches inside", "^(?:abc|bcd)x", "ab"},
    {"firsts: optional", "^(?:x )?y", "xy"},
    {"firsts: without case", "^(?i)abc", "Aa"},
    {"firsts: class", "^[a-c]x", "abc"},
    {"firsts: not anchored", "abc", NULL},
    {"firsts: branches outside", "^abc|def", NULL},
    {"firsts: empty", "^", NULL},
    {"firsts: may be empty", "^a*", NULL},
};

static void test_firsts(void **state)
{
    const struct row *row = *state;
    struct decoder_firsts firsts = {{0}};
    const bool is_known = decoder_index_firsts(text_of(row->pattern), &firsts);
    assert_int_equal(is_known, row->want != NULL);
    for (int byte = 0; byte < 256; byte++)
        assert_int_equal(decoder_firsts_has(&firsts, (unsigned char)byte),
                         !row->want || (byte && strchr(row->want, byte)));
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 1];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_firsts, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_index_leaves_out_what_cannot_match);
    return _cmocka_run_group_tests("test_decoder_index", tests, n, NULL, NULL);
}
