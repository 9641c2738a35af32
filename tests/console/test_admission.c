/* SPDX-License-Identifier: Apache-2.0 */
#include "console/admission.h"
#include "tests/support/table.h"
#include <string.h>

static const struct row {
    const char *name, *headers; /* "name: value|name: value" */
    enum admission_reason want;
    int status;
    bool is_http_1_0;
} rows[] = {
    {"plain", "Host: 127.0.0.1:8514", ADMISSION_OK, 200, false},
    {"with a body", "Host: localhost|Content-Length: 12", ADMISSION_OK, 200, false},
    {"chunked", "Host: localhost|Transfer-Encoding: Chunked", ADMISSION_OK, 200, false},
    {"1.0 without host", "Accept: x", ADMISSION_OK, 200, true},
    {"1.1 without host", "Accept: x", ADMISSION_FRAMING, 400, false},
    {"two hosts", "Host: localhost|Host: localhost", ADMISSION_FRAMING, 400, false},
    {"two lengths", "Host: localhost|Content-Length: 1|Content-Length: 1", ADMISSION_FRAMING, 400,
     false},
    {"length and chunks", "Host: localhost|Content-Length: 1|Transfer-Encoding: chunked",
     ADMISSION_FRAMING, 400, false},
    {"two encodings", "Host: localhost|Transfer-Encoding: chunked|Transfer-Encoding: chunked",
     ADMISSION_FRAMING, 400, false},
    {"other encoding", "Host: localhost|Transfer-Encoding: gzip, chunked", ADMISSION_FRAMING, 400,
     false},
    {"chunks in 1.0", "Host: localhost|Transfer-Encoding: chunked", ADMISSION_FRAMING, 400, true},
    {"signed length", "Host: localhost|Content-Length: +1", ADMISSION_FRAMING, 400, false},
    {"hexadecimal length", "Host: localhost|Content-Length: 0x1", ADMISSION_FRAMING, 400, false},
    {"two lengths in one", "Host: localhost|Content-Length: 1, 1", ADMISSION_FRAMING, 400, false},
    {"a space before the colon", "Host: localhost|Content-Length : 2", ADMISSION_FRAMING, 400,
     false},
    {"a tab in a name", "Host: localhost|Content\tLength: 2", ADMISSION_FRAMING, 400, false},
    {"no name", "Host: localhost|: 2", ADMISSION_FRAMING, 400, false},
    {"empty length", "Host: localhost|Content-Length: ", ADMISSION_FRAMING, 400, false},
    {"largest body", "Host: localhost|Content-Length: 100", ADMISSION_OK, 200, false},
    {"too large", "Host: localhost|Content-Length: 101", ADMISSION_SIZE, 413, false},
    {"beyond any number", "Host: localhost|Content-Length: 99999999999999999999", ADMISSION_SIZE,
     413, false},
    {"foreign host", "Host: evil.example", ADMISSION_HOST, 403, false},
    {"foreign host that starts so", "Host: localhost.evil.example", ADMISSION_HOST, 403, false},
    {"foreign host of digits", "Host: 127.0.0.1.evil.example", ADMISSION_HOST, 403, false},
    {"same origin", "Host: localhost:1|Origin: http://localhost:1", ADMISSION_OK, 200, false},
    {"foreign origin", "Host: localhost:1|Origin: http://evil.example", ADMISSION_FOREIGN, 403,
     false},
    {"another port's origin", "Host: localhost:1|Origin: http://localhost:2", ADMISSION_FOREIGN,
     403, false},
    {"null origin", "Host: localhost:1|Origin: null", ADMISSION_FOREIGN, 403, false},
    {"cross-site", "Host: localhost|Sec-Fetch-Site: cross-site", ADMISSION_FOREIGN, 403, false},
    {"same-site is another port", "Host: localhost|Sec-Fetch-Site: same-site", ADMISSION_FOREIGN,
     403, false},
    {"typed in", "Host: localhost|Sec-Fetch-Site: none", ADMISSION_OK, 200, false},
};

static void test_admission(void **state)
{
    const struct row *row = *state;
    struct admission a = {.is_http_1_0 = row->is_http_1_0};
    struct text all = text_of(row->headers);
    struct text line;
    while (text_split(&all, '|', &line)) {
        size_t colon = text_find_byte(line, ':');
        admission_header(&a, text_head(line, colon), text_trim(text_skip(line, colon + 1)));
    }
    int status = 0;
    const char *words = NULL;
    assert_int_equal(admission_check(&a, 100, &status, &words), row->want);
    assert_int_equal(status, row->status);
    assert_int_equal(words[0] != '\0', row->want != ADMISSION_OK);
}

/* A port for other machines is reached under any name; a browser's page is no sender there. */
static void test_open_port(void **state)
{
    (void)state;
    struct admission a = {.is_open = true};
    int status = 0;
    const char *words = NULL;
    admission_header(&a, TEXT("Host"), TEXT("tocsin.example.org"));
    assert_int_equal(admission_check(&a, 100, &status, &words), ADMISSION_OK);
    admission_header(&a, TEXT("Origin"), TEXT("http://tocsin.example.org"));
    assert_int_equal(admission_check(&a, 100, &status, &words), ADMISSION_FOREIGN);
    a = (struct admission){.is_open = true};
    assert_int_equal(admission_check(&a, 100, &status, &words), ADMISSION_FRAMING);
}

static void test_bad_line_is_refused(void **state)
{
    (void)state;
    struct admission a = {.hosts = 1, .host = TEXT("localhost"), .has_bad_line = true};
    int status = 0;
    const char *words = NULL;
    assert_int_equal(admission_check(&a, 100, &status, &words), ADMISSION_FRAMING);
}

static const struct local {
    const char *name;
    bool is_local;
} locals[] = {
    {"localhost", true},   {"LOCALHOST:80", true},
    {"127.0.0.1", true},   {"127.9.8.7:65535", true},
    {"[::1]", true},       {"[::1]:8514", true},
    {"::1", false},        {"128.0.0.1", false},
    {"0.0.0.0", false},    {"", false},
    {":80", false},        {"localhost.", false},
    {"127.1", false},      {"2130706433", false},
    {"127.0.0.1x", false}, {"localhost:", false},
};

static void test_local(void **state)
{
    const struct local *row = *state;
    assert_int_equal(admission_is_local(text_of(row->name)), row->is_local);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, LOCALS = sizeof locals / sizeof *locals };
    struct CMUnitTest tests[ROWS + LOCALS + 2];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_admission, &rows[i]);
    for (size_t i = 0; i < LOCALS; i++)
        tests[ROWS + i] = ROW(test_local, &locals[i]);
    tests[ROWS + LOCALS] = (struct CMUnitTest)cmocka_unit_test(test_bad_line_is_refused);
    tests[ROWS + LOCALS + 1] = (struct CMUnitTest)cmocka_unit_test(test_open_port);
    return cmocka_run_group_tests_name("test_admission", tests, NULL, NULL);
}
