/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/printable.h"
#include "tests/support/table.h"
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *name, *text, *shown, *json;
} rows[] = {
    {"plain", "a b\\c \"d\"", "a b\\c \"d\"", "a b\\\\c \\\"d\\\""},
    {"letters of the world", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80",
     "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80", "\xc3\xa4\xe6\x97\xa5\xf0\x9f\x98\x80"},
    {"escape sequence", "\x1b[2J", "\\x1b[2J", "\\u001b[2J"},
    {"bell, backspace, DEL", "\a\b\x7f", "\\x07\\x08\\x7f", "\\u0007\\b\\u007f"},
    {"line ends", "a\nb\rc\td", "a\\nb\\rc\\td", "a\\nb\\rc\\td"},
    {"C1: CSI",
     "\xc2\x9b"
     "31m",
     "\\u009b31m", "\\u009b31m"},
    {"C1: first and last, and what is beside", "\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0",
     "\\u0080\\u009f\xc2\xa0"},
    {"next line", "\xc2\x85", "\\u0085", "\\u0085"},
    {"override",
     "\xe2\x80\xae"
     "exe.txt",
     "\\u202eexe.txt", "\\u202eexe.txt"},
    {"embeddings", "\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad",
     "\\u202a\\u202b\\u202c\\u202d", "\\u202a\\u202b\\u202c\\u202d"},
    {"isolates", "\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "\\u2066\\u2067\\u2068\\u2069",
     "\\u2066\\u2067\\u2068\\u2069"},
    {"marks", "\xe2\x80\x8e\xe2\x80\x8f\xd8\x9c", "\\u200e\\u200f\\u061c", "\\u200e\\u200f\\u061c"},
    {"separators", "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029", "\\u2028\\u2029"},
    {"no width", "\xe2\x80\x8b\xef\xbb\xbf\xe2\x81\xa0", "\\u200b\\ufeff\\u2060",
     "\\u200b\\ufeff\\u2060"},
    {"tags", "\xf3\xa0\x81\x81", "\\U000e0041", "\\udb40\\udc41"},
    {"a byte", "\xff\xc0\xaf", "\\xff\\xc0\\xaf", "\\u00ff\\u00c0\\u00af"},
    {"C1 as a byte",
     "\x9b"
     "31m",
     "\\x9b31m", "\\u009b31m"},
    {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080"},
    {"half a character", "a\xe2\x80", "a\\xe2\\x80", "a\\u00e2\\u0080"},
    {"empty", "", "", ""},
};

static void test_row(void **state)
{
    const struct row *row = *state;
    const size_t len = strlen(row->text);
    char *copy = malloc(len ? len : 1); /* a byte too far is seen */
    struct buffer out;
    assert_non_null(copy);
    memcpy(copy, row->text, len);
    buffer_init(&out, 4096);
    printable_write(&out, (struct text){copy, len});
    assert_true(text_equal(buffer_text(&out), text_of(row->shown)));
    buffer_clear(&out);
    json_write_escape(&out, (struct text){copy, len});
    assert_true(text_equal(buffer_text(&out), text_of(row->json)));
    buffer_fini(&out);
    free(copy);
}

static void test_lines_stay(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    printable_lines(&out, TEXT("a:\n\tb\x1b[2J\r\n\xe2\x80\xa8"));
    assert_true(text_equal(buffer_text(&out), TEXT("a:\n\tb\\x1b[2J\\r\n\\u2028")));
    buffer_fini(&out);
}

static void test_json_stays_json(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    printable_json(&out,
                   TEXT("{\n  \"a\xe2\x80\xae\": \"\\n\x7f\xc2\x9b\xf3\xa0\x81\x81\xc3\xa4\"\n}"));
    assert_true(
        text_equal(buffer_text(&out),
                   TEXT("{\n  \"a\\u202e\": \"\\n\\u007f\\u009b\\udb40\\udc41\xc3\xa4\"\n}")));
    buffer_fini(&out);
}

#define FORMAT(want, ...)                                                                          \
    do {                                                                                           \
        buffer_clear(&out);                                                                        \
        printable_format(&out, __VA_ARGS__);                                                       \
        buffer_byte(&out, 0);                                                                      \
        assert_string_equal(out.at, want);                                                         \
    } while (0)

static void test_format(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4096);
    FORMAT("a\nb: x\\ny", "a\nb: %s", "x\ny");
    FORMAT("[ab    ][    ab][\\x1b  ][abcd]", "[%-6s][%6s][%-6s][%2s]", "ab", "ab", "\x1b", "abcd");
    FORMAT("[abc  ][ab]", "[%-5.3s][%.*s]", "abcdef", 2, "abcdef");
    FORMAT("[a][a\xc3\xa4]", "[%.2s][%.3s]", "a\xc3\xa4", "a\xc3\xa4");
    FORMAT("-7 8 ff FF 9 10 11", "%d %u %x %X %lld %zu %ld", -7, 8U, 255U, 255U, 9LL, (size_t)10,
           11L);
    FORMAT("[   7][7   ][007][+7][1.50][ 2]", "[%4d][%-4d][%03d][%+d][%.2f][%2.0f]", 7, 7, 7, 7,
           1.5, 2.0);
    FORMAT("100% x\\x00", "%d%% %c%c", 100, 'x', 0);
    FORMAT("18446744073709551615", "%llu", ~0ULL);
    FORMAT("[    x][x    ]", "[%*s][%-*s]", 5, "x", 5, "x");
    buffer_fini(&out);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 3] = {
        cmocka_unit_test(test_lines_stay),
        cmocka_unit_test(test_json_stays_json),
        cmocka_unit_test(test_format),
    };
    for (size_t i = 0; i < ROWS; i++)
        tests[3 + i] = ROW(test_row, &rows[i]);
    return _cmocka_run_group_tests("test_printable", tests, ROWS + 3, NULL, NULL);
}
