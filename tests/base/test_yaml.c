/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>

static const struct refused_row {
    const char *name, *source;
    enum status want;
    uint32_t line;
} refused[] = {
    {"refused: duplicate key", "a: 1\nb: 2\na: 3\n", STATUS_SYNTAX, 3},
    {"refused: tab for indent", "a:\n\tb: 1\n", STATUS_SYNTAX, 2},
    {"refused: open bracket", "a: [1, 2\nb: 3\n", STATUS_SYNTAX, 2},
    {"refused: alias without anchor", "a: *nobody\n", STATUS_SYNTAX, 1},
    {"refused: a collection as key", "? [a, b]\n: 1\n", STATUS_UNSUPPORTED, 1},
    {"refused: bytes that are not UTF-8", "a: \xFF\xFE\n", STATUS_SYNTAX, 1},
};

static void test_refused(void **state)
{
    const struct refused_row *row = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file;
    struct error err = {0};
    assert_int_equal(yaml_parse(text_of(row->source), &arena, &file, &err), row->want);
    assert_int_equal(err.line, row->line);
    assert_true(err.text[0] != 0);
    arena_fini(&arena);
}

static const struct type_row {
    const char *name, *source;
    bool is_null, is_bool, is_number;
} types[] = {
    {"type: yes is a string", "yes", false, false, false},
    {"type: on is a string", "on", false, false, false},
    {"type: true", "true", false, true, false},
    {"type: quoted true is a string", "'true'", false, false, false},
    {"type: tilde", "~", true, false, false},
    {"type: quoted null is a string", "\"null\"", false, false, false},
    {"type: integer", "4688", false, false, true},
    {"type: hex", "0x1F", false, false, true},
    {"type: float", "1.5e3", false, false, true},
    {"type: version is a string", "1.2.3", false, false, false},
};

static void test_type(void **state)
{
    const struct type_row *row = *state;
    char source[64];
    (void)snprintf(source, sizeof source, "k: %s\n", row->source);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file;
    assert_int_equal(yaml_parse(text_of(source), &arena, &file, NULL), STATUS_OK);
    const struct yaml_node *node = yaml_get(file.documents[0], TEXT("k"));
    bool value = false;
    assert_int_equal(yaml_is_null(node), row->is_null);
    assert_int_equal(yaml_bool(node, &value), row->is_bool);
    assert_int_equal(yaml_is_number(node), row->is_number);
    arena_fini(&arena);
}

static void test_documents_and_places(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file;
    const char *source = "---\na: {b: [1, two]}\n---\n---\nc: &x v\nd: *x\n";
    assert_int_equal(yaml_parse(text_of(source), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(file.count, 2);
    const struct yaml_node *list = yaml_get(yaml_get(file.documents[0], TEXT("a")), TEXT("b"));
    assert_int_equal(list->count, 2);
    assert_int_equal(list->items[1]->line, 2);
    assert_int_equal(list->items[1]->column, 12);
    assert_true(text_equal(yaml_get(file.documents[1], TEXT("d"))->value, TEXT("v")));
    arena_fini(&arena);
}

/* What editors put before the first character of a file, also where files were put together. */
static const struct mark_row {
    const char *name, *source;
    size_t len;
    uint32_t documents, line;
} marks[] = {
    {"mark: UTF-8",
     "\xef\xbb\xbf"
     "k: a\nl: b\n",
     0, 1, 1},
    {"mark: UTF-8 before a comment", "\xef\xbb\xbf# c\nk: a\nl: b\n", 0, 1, 2},
    {"mark: UTF-8 before ---", "\xef\xbb\xbf---\nk: a\nl: b\n", 0, 1, 2},
    {"mark: a second file behind the first",
     "\xef\xbb\xbfx: y\nz: w\n\xef\xbb\xbf---\nk: a\nl: b\n", 0, 2, 4},
    {"mark: a second file, lines of Windows",
     "\xef\xbb\xbfx: y\r\nz: w\r\n\xef\xbb\xbf---\r\nk: a\r\nl: b\r\n", 0, 2, 4},
    {"mark: UTF-16, little end first", "\xff\xfek\0:\0 \0a\0\n\0l\0:\0 \0b\0\n\0", 22, 1, 1},
    {"mark: UTF-16, big end first", "\xfe\xff\0k\0:\0 \0a\0\n\0l\0:\0 \0b\0\n", 22, 1, 1},
};

static void test_mark(void **state)
{
    const struct mark_row *row = *state;
    struct arena arena;
    struct yaml_file file = {.count = 0};
    struct error err = {0};
    const struct text source = {row->source, row->len ? row->len : strlen(row->source)};
    arena_init(&arena, 1 << 20);
    assert_int_equal(yaml_parse(source, &arena, &file, &err), STATUS_OK);
    assert_int_equal(file.count, row->documents);
    const struct yaml_node *k = yaml_get(file.documents[row->documents - 1], TEXT("k"));
    const struct yaml_node *l = yaml_get(file.documents[row->documents - 1], TEXT("l"));
    assert_true(k && text_equal(k->value, TEXT("a")));
    assert_true(l && text_equal(l->value, TEXT("b")));
    assert_int_equal(k->line, row->line);
    arena_fini(&arena);
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    enum { DEEP = 3000 };
    char *source = malloc(DEEP * 2 + 1);
    assert_non_null(source);
    memset(source, '[', DEEP);
    memset(source + DEEP, ']', DEEP);
    struct arena arena;
    arena_init(&arena, 16 << 20);
    struct yaml_file file;
    struct error err = {0};
    assert_int_equal(yaml_parse((struct text){source, DEEP * 2}, &arena, &file, &err),
                     STATUS_LIMIT);
    arena_fini(&arena);
    free(source);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        tests[n++] = ROW(test_refused, &refused[i]);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        tests[n++] = ROW(test_type, &types[i]);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        tests[n++] = ROW(test_mark, &marks[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_documents_and_places);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_depth_is_bounded);
    return _cmocka_run_group_tests("test_yaml", tests, n, NULL, NULL);
}
