/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_weight.h"
#include "tests/support/table.h"
#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static const struct depth_row {
    const char *name, *text;
    uint32_t depth;
} depths[] = {
    {"depth: nothing", "", 0},
    {"depth: a number", "17", 0},
    {"depth: flat", "{\"a\":1,\"b\":[]}", 2},
    {"depth: brackets in a string", "[\"[[[[{{{{\"]", 1},
    {"depth: behind an escaped quote", "[\"\\\"[[[[\"]", 1},
    {"depth: behind an escaped backslash", "[\"\\\\\",[[]]]", 3},
    {"depth: no end", "[[[[", 4},
    {"depth: more ends than beginnings", "]]]][", 1},
    {"depth: a string without end", "[\"[[[[", 1},
    {"depth: a backslash at the end", "[\"\\", 1},
};

static void test_depth(void **state)
{
    const struct depth_row *row = *state;
    const size_t len = strlen(row->text);
    char *copy = malloc(len + 1); /* a byte too far is seen */
    assert_non_null(copy);
    memcpy(copy, row->text, len);
    copy = realloc(copy, len ? len : 1);
    assert_int_equal(json_weight_of((struct text){copy, len}).depth, row->depth);
    free(copy);
}

static const struct weight_row {
    const char *name, *head, *item;
} weights[] = {
    {"weight: empty arrays", "[", "[],"},
    {"weight: empty objects", "[", "{},"},
    {"weight: numbers", "[", "1,"},
    {"weight: reals", "[", "1.5,"},
    {"weight: empty strings", "[", "\"\","},
    {"weight: null", "[", "null,"},
    {"weight: arrays in arrays", "[", "[[[[]]]],"},
    {"weight: objects of one", "[", "{\"a\":1},"},
    {"weight: escapes", "[", "\"\\u00e4\\n\","},
};

static size_t in_use(void)
{
    const struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd;
}

/* No shape costs more as a tree than was said of it before. */
static void test_weight_is_no_less_than_the_tree(void **state)
{
    const struct weight_row *row = *state;
    enum { ITEMS = 20000 };
    const size_t head = strlen(row->head);
    const size_t item = strlen(row->item);
    char *text = malloc(head + item * ITEMS + 8);
    assert_non_null(text);
    memcpy(text, row->head, head);
    for (size_t i = 0; i < ITEMS; i++)
        memcpy(text + head + i * item, row->item, item);
    size_t len = head + ITEMS * item;
    text[len - 1] = ']'; /* in place of the last comma */
    const uint64_t said = json_weight_of((struct text){text, len}).bytes;
    const size_t before = in_use();
    json_t *tree = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    const size_t after = in_use();
    assert_non_null(tree);
#ifndef TOCSIN_SANITIZED
    assert_true(after - before <= said);
    assert_true(said <= 8 * (after - before) + 64 * ITEMS);
#else
    assert_true(said > 0 && after >= before);
#endif
    json_decref(tree);
    free(text);
}

static const struct member_row {
    const char *name, *text, *want;
} members[] = {
    {"member: first", "{\"key\":\"abc\"}", "abc"},
    {"member: last, with blanks", "{ \"a\" : [ {\"key\":\"no\"} ] ,\n \"key\" : \"abc\" }", "abc"},
    {"member: of the first two", "{\"key\":\"abc\",\"key\":\"def\"}", "abc"},
    {"member: only deeper", "{\"a\":{\"key\":\"abc\"}}", ""},
    {"member: only as a value", "{\"a\":\"key\",\"b\":\"abc\"}", ""},
    {"member: only in a string", "{\"a\":\"{\\\"key\\\":\\\"abc\\\"}\"}", ""},
    {"member: a number", "{\"key\":17}", ""},
    {"member: with an escape", "{\"key\":\"a\\u0062c\"}", ""},
    {"member: cut", "{\"key\":\"ab", ""},
    {"member: cut behind the name", "{\"key\"", ""},
    {"member: cut behind the colon", "{\"key\":", ""},
    {"member: whole, the rest cut", "{\"key\":\"abc\",\"b\":[[[", "abc"},
    {"member: in an array", "[{\"key\":\"abc\"}]", ""},
};

static void test_member(void **state)
{
    const struct member_row *row = *state;
    const size_t len = strlen(row->text);
    char *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, row->text, len);
    struct text found = json_weight_member((struct text){copy, len}, TEXT("key"));
    assert_true(text_equal(found, text_of(row->want)));
    free(copy);
}

static const struct member_row bare[] = {
    {"bare: a number", "{\"a\":1,\"key\": 42 ,\"b\":2}", "42"},
    {"bare: the last", "{\"key\":1.50}", "1.50"},
    {"bare: true", "{\"key\":true}", "true"},
    {"bare: cut", "{\"key\":12", "12"},
    {"bare: cut behind the colon", "{\"key\":", ""},
    {"bare: a string", "{\"key\":\"abc\"}", ""},
    {"bare: an array", "{\"key\":[1]}", ""},
    {"bare: below", "{\"a\":{\"key\":1}}", ""},
};

static void test_bare(void **state)
{
    const struct member_row *row = *state;
    const size_t len = strlen(row->text);
    char *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, row->text, len);
    struct text found = json_weight_bare((struct text){copy, len}, TEXT("key"));
    assert_true(text_equal(found, text_of(row->want)));
    free(copy);
}

int main(void)
{
    struct CMUnitTest tests[64];
    size_t n = 0;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        tests[n++] = ROW(test_depth, &depths[i]);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++)
        tests[n++] = ROW(test_weight_is_no_less_than_the_tree, &weights[i]);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        tests[n++] = ROW(test_member, &members[i]);
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        tests[n++] = ROW(test_bare, &bare[i]);
    return _cmocka_run_group_tests("test_json_weight", tests, n, NULL, NULL);
}
