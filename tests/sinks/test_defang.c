/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/defang.h"
#include "tests/support/table.h"

static const struct row {
    const char *name;
    struct text text;
    const char *want;
} rows[] = {
    {"plain",
     {"Failed password for root from 192.0.2.7 port 22",
      sizeof("Failed password for root from 192.0.2.7 port 22") - 1},
     "Failed password for root from 192.0.2.7 port 22"},
    {"url",
     {"GET http://evil.example/x?a=1", sizeof("GET http://evil.example/x?a=1") - 1},
     "GET hxxp[://]evil[.]example/x?a=1"},
    {"url: upper case",
     {"HTTPS://EVIL.COM", sizeof("HTTPS://EVIL.COM") - 1},
     "hxxpS[://]EVIL[.]COM"},
    {"other scheme", {"ftp://h", sizeof("ftp://h") - 1}, "ftp[://]h"},
    {"http inside a word stays", {"xhttp", sizeof("xhttp") - 1}, "xhttp"},
    {"bare host", {"www.evil.com", sizeof("www.evil.com") - 1}, "www[.]evil[.]com"},
    {"mail", {"bob@evil.com", sizeof("bob@evil.com") - 1}, "bob[@]evil[.]com"},
    {"end of sentence", {"done. next", sizeof("done. next") - 1}, "done. next"},
    {"control",
     {"a\r\nb\0c\x1b[31m", sizeof("a\r\nb\0c\x1b[31m") - 1},
     "a\\x0D\\x0Ab\\x00c\\x1B[31m"},
    {"C1 control", {"a\xc2\x85z", sizeof("a\xc2\x85z") - 1}, "a\\x85z"},
    {"right to left", {"exe\xe2\x80\xaetxt", sizeof("exe\xe2\x80\xaetxt") - 1}, "exe\\u{202E}txt"},
    {"zero width", {"a\xe2\x80\x8bz", sizeof("a\xe2\x80\x8bz") - 1}, "a\\u{200B}z"},
    {"tag characters", {"a\xf3\xa0\x81\x81z", sizeof("a\xf3\xa0\x81\x81z") - 1}, "a\\u{E0041}z"},
    {"not UTF-8", {"a\xff\xfez\xc3", sizeof("a\xff\xfez\xc3") - 1}, "a\\xFF\\xFEz\\xC3"},
    {"UTF-8",
     {"caff\xc3\xa8 \xe6\x97\xa5", sizeof("caff\xc3\xa8 \xe6\x97\xa5") - 1},
     "caff\xc3\xa8 \xe6\x97\xa5"},
    {"a dot before a letter that is not ASCII",
     {"evil.\xd1\x80\xd1\x84", sizeof("evil.\xd1\x80\xd1\x84") - 1},
     "evil[.]\xd1\x80\xd1\x84"},
};

static void test_defang(void **state)
{
    const struct row *row = *state;
    struct buffer out;
    buffer_init(&out, 1024);
    defang_append(&out, row->text, 500);
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, row->want);
    buffer_fini(&out);
}

static void test_line_keeps_links_and_no_control(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1024);
    defang_line(&out, TEXT("web1.example.org\r\nBcc: x@y.z"), 500);
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, "web1.example.org\\x0D\\x0ABcc: x@y.z");
    buffer_fini(&out);
}

static void test_cut_between_characters(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 1024);
    defang_append(&out, TEXT("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5"), 4);
    buffer_byte(&out, '\0');
    assert_string_equal(out.at, "\xe6\x97\xa5\xe6\x97\xa5...");
    buffer_fini(&out);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 2] = {
        cmocka_unit_test(test_line_keeps_links_and_no_control),
        cmocka_unit_test(test_cut_between_characters),
    };
    for (size_t i = 0; i < COUNT; i++)
        tests[2 + i] = ROW(test_defang, &rows[i]);
    return cmocka_run_group_tests_name("test_defang", tests, NULL, NULL);
}
