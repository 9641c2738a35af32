/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/relp.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>

/* Everything that comes out of a stream given in pieces of `step` bytes, as one text. */
static const char *read_all(const char *stream, size_t len, size_t step, size_t max, char out[2048])
{
    struct relp r;
    struct relp_frame f;
    size_t used = 0;
    enum relp_result result = RELP_MORE;
    relp_init(&r, max);
    out[0] = 0;
    for (size_t at = 0; at < len && result != RELP_BROKEN; at += step) {
        size_t n = len - at < step ? len - at : step;
        char *copy = malloc(n); /* exactly sized, and gone before the next piece */
        assert_non_null(copy);
        memcpy(copy, stream + at, n);
        struct text chunk = {copy, n};
        while ((result = relp_next(&r, &chunk, &f)) == RELP_FRAME)
            used += (size_t)snprintf(out + used, 2048 - used, "[%u %.*s %.*s%s]", f.number,
                                     TEXT_ARG(f.command), TEXT_ARG(f.data),
                                     f.is_truncated ? "..." : "");
        free(copy);
    }
    if (result == RELP_BROKEN)
        (void)snprintf(out + used, 2048 - used, "broken");
    relp_fini(&r);
    return out;
}

struct row {
    const char *name, *stream, *want;
    size_t max;
};
static const struct row rows[] = {
    {"relp: open", "1 open 14 relp_version=0\n", "[1 open relp_version=0]", 100},
    {"relp: two", "2 syslog 5 hello\n3 syslog 2 a\n\n", "[2 syslog hello][3 syslog a\n]", 100},
    {"relp: no data", "4 close 0\n", "[4 close ]", 100},
    {"relp: no data, a space", "4 close 0 \n", "[4 close ]", 100},
    {"relp: cut", "5 syslog 8 abcdefgh\n6 syslog 1 x\n", "[5 syslog abcd...][6 syslog x]", 4},
    {"relp: data longer than said", "7 syslog 2 abc\n", "broken", 100},
    {"relp: no number", "syslog 2 ab\n", "broken", 100},
    {"relp: empty number", " syslog 2 ab\n", "broken", 100},
    {"relp: number too long", "1234567890 syslog 2 ab\n", "broken", 100},
    {"relp: length too long", "1 syslog 4294967296 ab\n", "broken", 100},
    {"relp: command too long", "1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 2 ab\n", "broken", 100},
    {"relp: TLS hello", "\x16\x03\x01\x02", "broken", 100},
    {"relp: unfinished", "9 syslog 5 hel", "", 100},
};

static void test_frames(void **state)
{
    const struct row *row = *state;
    char out[2048];
    size_t len = strlen(row->stream);
    for (size_t step = 1; step <= len; step++)
        assert_string_equal(read_all(row->stream, len, step, row->max, out), row->want);
}

static void test_respond(void **state)
{
    (void)state;
    struct buffer b;
    buffer_init(&b, 1024);
    relp_respond(&b, 17, TEXT("200 OK"));
    relp_respond(&b, 18, TEXT_NONE);
    assert_true(text_equal(buffer_text(&b), TEXT("17 rsp 6 200 OK\n18 rsp 0\n")));
    buffer_fini(&b);
}

int main(void)
{
    struct CMUnitTest tests[32] = {cmocka_unit_test(test_respond)};
    size_t n = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_frames, &rows[i]);
    return _cmocka_run_group_tests("test_relp", tests, n, NULL, NULL);
}
