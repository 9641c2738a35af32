/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/framer.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 20 };

/* Messages as "text|flags;" one behind the other. */
struct row {
    const char *name;
    struct text stream;
    const char *want;
};

#define STREAM(literal)                                                                            \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

static const struct row rows[] = {
    {"lines", STREAM("<1>a\n<2>b\n"), "<1>a|0;<2>b|0;"},
    {"lines: CR LF and empty ones", STREAM("<1>a\r\n\r\n\n<2>b\r\n"), "<1>a|0;<2>b|0;"},
    {"lines: the last one without its end", STREAM("<1>a\n<2>b"), "<1>a|0;<2>b|0;"},
    {"lines: NUL before LF is dropped", STREAM("<1>a\0\n<2>b\0\n"), "<1>a|0;<2>b|0;"},
    {"lines: the limit", STREAM("12345678901234567890\nx\n"), "12345678901234567890|0;x|0;"},
    {"lines: the limit with CR", STREAM("12345678901234567890\r\nx\n"),
     "12345678901234567890|0;x|0;"},
    {"lines: one more", STREAM("123456789012345678901\nx\n"), "12345678901234567890|1;x|0;"},
    {"lines: many more", STREAM("12345678901234567890123456789012345678901234567890\nx\n"),
     "12345678901234567890|1;x|0;"},
    {"lines that begin with digits", STREAM("12 apples\n3 pears\n"), "12 apples|0;3 pears|0;"},
    {"lines: only digits", STREAM("12\n13\n"), "12|0;13|0;"},
    {"NUL", STREAM("<1>a\0<2>b\0"), "<1>a|0;<2>b|0;"},
    {"lines: LF came before the first NUL", STREAM("<1>a\nb\0<2>c\nd\0"), "<1>a|0;b\\0<2>c|0;d|0;"},
    {"NUL: first message decides", STREAM("<1>a\0<2>b\nc\0<3>d\0"), "<1>a|0;<2>b\nc|0;<3>d|0;"},
    {"NUL inside a line", STREAM("<1>a\0b\n<2>c\n"), "<1>a\\0b|0;<2>c|0;"},
    {"NUL: the limit", STREAM("<1>a\0<2>5678901234567890123\0<3>b\0"),
     "<1>a|0;<2>56789012345678901|1;<3>b|0;"},
    {"count", STREAM("4 <1>a5 <2>bc"), "<1>a|0;<2>bc|0;"},
    {"count: LF between frames", STREAM("4 <1>a\n5 <2>bc\n"), "<1>a|0;<2>bc|0;"},
    {"count: LF counted in", STREAM("5 <1>a\n5 <2>b\n"), "<1>a\n|0;<2>b\n|0;"},
    {"count: LF and NUL inside", STREAM("7 <1>a\n\0b4 <2>c"), "<1>a\n\\0b|0;<2>c|0;"},
    {"count: any first byte later on", STREAM("4 <1>a3 abc4 <2>b"), "<1>a|0;abc|0;<2>b|0;"},
    {"count: empty frame", STREAM("4 <1>a0 4 <2>b"), "<1>a|0;<2>b|0;"},
    {"count: the limit", STREAM("20 <1>456789012345678904 <2>b"), "<1>45678901234567890|0;<2>b|0;"},
    {"count: beyond the limit", STREAM("25 <1>45678901234567890123454 <2>b"),
     "<1>45678901234567890|1;<2>b|0;"},
    {"count: ends inside", STREAM("4 <1>a9 <2>b"), "<1>a|0;<2>b|1;"},
    {"count: ends in a count", STREAM("4 <1>a12"), "<1>a|0;12|2;"},
    {"count: 4 GB is none", STREAM("4294967295 <1>a\n<2>b\n"), "4294967295 <1>a|0;<2>b|0;"},
    {"count: 4 GB later on", STREAM("4 <1>a4294967295 <2>b\n4 <3>c"),
     "<1>a|0;4294967295 <2>b|2;<3>c|0;"},
    {"count: finds its step again", STREAM("4 <1>alost 4 <2>b4 <3>c"),
     "<1>a|0;lost |2;<2>b|0;<3>c|0;"},
    {"count: too short a count", STREAM("3 <1>a\n4 <2>b"), "<1>|0;a|2;<2>b|0;"},
    {"count: a line in between", STREAM("4 <1>a<2>bcd\n4 <3>e"), "<1>a|0;<2>bcd|2;<3>e|0;"},
    {"count: a long way lost", STREAM("4 <1>aabcdefghijklmnopqrstuvwxyz0123456789 4 <2>b"),
     "<1>a|0;abcdefghijklmnopqrst|3;<2>b|0;"},
    {"JSON behind a count", STREAM("7 {\"a\":1}4 <1>b"), "{\"a\":1}|0;<1>b|0;"},
    {"nothing", STREAM("\n\r\n\0\0"), ""},
};

static void note(char *out, size_t size, struct text message, uint32_t flags)
{
    size_t len = strlen(out);
    for (size_t i = 0; i < message.len && len + 8 < size; i++) {
        if (!message.at[i])
            out[len++] = '\\';
        out[len++] = message.at[i] ? message.at[i] : '0';
    }
    (void)snprintf(out + len, size - len, "|%u;", flags);
}

/* In reads of `step` bytes, each in a heap block of its own size: one byte too far is then seen. */
static void split(const struct row *row, size_t step, char *out, size_t size)
{
    struct framer f;
    struct text message;
    uint32_t flags = 0;
    framer_init(&f, MAX_BYTES);
    out[0] = 0;
    for (size_t at = 0; at < row->stream.len; at += step) {
        size_t len = row->stream.len - at < step ? row->stream.len - at : step;
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, row->stream.at + at, len);
        struct text chunk = {copy, len};
        while (framer_next(&f, &chunk, &message, &flags)) {
            assert_true(message.len > 0 && message.len <= MAX_BYTES);
            note(out, size, message, flags);
        }
        assert_int_equal(chunk.len, 0);
        free(copy);
    }
    if (framer_end(&f, &message, &flags))
        note(out, size, message, flags);
    assert_false(framer_end(&f, &message, &flags));
    framer_fini(&f);
}

static void test_stream(void **state)
{
    const struct row *row = *state;
    char out[512];
    split(row, row->stream.len, out, sizeof out);
    assert_string_equal(out, row->want);
}

static void test_any_split(void **state)
{
    const struct row *row = *state;
    for (size_t step = 1; step < row->stream.len; step++) {
        char out[512];
        split(row, step, out, sizeof out);
        assert_string_equal(out, row->want);
    }
}

/* A sender of one message that ends in NUL is not kept waiting for its second one. */
static void test_idle(void **state)
{
    (void)state;
    struct framer f;
    struct text chunk = STREAM("<1>a\0");
    struct text message;
    uint32_t flags = 0;
    framer_init(&f, MAX_BYTES);
    assert_false(framer_next(&f, &chunk, &message, &flags));
    assert_true(framer_idle(&f, &message, &flags));
    assert_true(text_equal(message, TEXT("<1>a")));
    assert_false(framer_idle(&f, &message, &flags));
    chunk = TEXT("<2>b\0c");
    assert_true(framer_next(&f, &chunk, &message, &flags));
    assert_true(text_equal(message, TEXT("<2>b")));
    framer_fini(&f);
}

static void test_counters(void **state)
{
    (void)state;
    struct framer f;
    struct text chunk = TEXT("30 <1>4567890123456789012345678904 <2>bxx\n");
    struct text message;
    uint32_t flags = 0;
    framer_init(&f, MAX_BYTES);
    while (framer_next(&f, &chunk, &message, &flags))
        ;
    assert_int_equal(f.frames, 3);
    assert_int_equal(f.truncated, 1);
    assert_int_equal(f.damaged, 1);
    assert_int_equal(f.skipped_bytes, 10);
    framer_fini(&f);
}

/* However much a frame claims, no more than the limit is ever held. */
static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct framer f;
    char block[4096];
    uint32_t flags = 0;
    struct text message;
    memset(block, 'x', sizeof block);
    framer_init(&f, MAX_BYTES);
    struct text chunk = TEXT("999999999 <1>");
    assert_false(framer_next(&f, &chunk, &message, &flags));
    size_t count = 0;
    for (int i = 0; i < 1000; i++) {
        chunk = (struct text){block, sizeof block};
        while (framer_next(&f, &chunk, &message, &flags))
            count++;
    }
    assert_int_equal(count, 1);
    assert_true(f.partial.size < 4096);
    framer_fini(&f);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[2 * ROWS + 3];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++) {
        tests[n++] = ROW(test_stream, &rows[i]);
        tests[n++] = ROW(test_any_split, &rows[i]);
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_idle);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_counters);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_memory_is_bounded);
    return _cmocka_run_group_tests("test_framer", tests, n, NULL, NULL);
}
