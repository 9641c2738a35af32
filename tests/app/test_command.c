/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "tests/support/table.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGS_MAX = 8 };

static const struct row {
    const char *name;
    const char *args[ARGS_MAX];
    enum status want;
    const char *values; /* what the flags hold then, see describe() */
    const char *rest;
} rows[] = {
    {"flags: none", {0}, STATUS_OK, "", ""},
    {"flags: value behind", {"--name", "ada"}, STATUS_OK, "name=ada ", ""},
    {"flags: value after =", {"--name=ada"}, STATUS_OK, "name=ada ", ""},
    {"flags: value with =", {"--name=a=b"}, STATUS_OK, "name=a=b ", ""},
    {"flags: an empty value", {"--name="}, STATUS_OK, "name= ", ""},
    {"flags: a value that looks like a flag", {"--name", "--json"}, STATUS_OK, "name=--json ", ""},
    {"flags: the last one counts", {"--name=a", "--name", "b"}, STATUS_OK, "name=b ", ""},
    {"flags: a switch", {"--json"}, STATUS_OK, "json ", ""},
    {"flags: a switch with a value", {"--json=no"}, STATUS_INVALID, "", ""},
    {"flags: repeated", {"--rules", "a", "--rules=b"}, STATUS_OK, "rules=a,b, ", ""},
    {"flags: one letter, one dash", {"-n", "ada"}, STATUS_OK, "n=ada ", ""},
    {"flags: a count", {"--count", "64"}, STATUS_OK, "count=64 ", ""},
    {"flags: no count", {"--count", "0"}, STATUS_INVALID, "", ""},
    {"flags: a count too high", {"--count=65"}, STATUS_INVALID, "", ""},
    {"flags: a count that is none", {"--count=3x"}, STATUS_INVALID, "", ""},
    {"flags: a duration", {"--wait", "1m"}, STATUS_OK, "wait=60000000 ", ""},
    {"flags: no duration", {"--wait", "soon"}, STATUS_INVALID, "", ""},
    {"flags: a time", {"--at", "1970-01-01T00:00:02Z"}, STATUS_OK, "at=2000000 ", ""},
    {"flags: a day", {"--at=1970-01-02"}, STATUS_OK, "at=86400000000 ", ""},
    {"flags: no time", {"--at", "tomorrow"}, STATUS_INVALID, "", ""},
    {"flags: no day", {"--at", "1970-13-02"}, STATUS_INVALID, "", ""},
    {"flags: unknown", {"--nmae", "x"}, STATUS_INVALID, "", ""},
    {"flags: unknown with a value", {"--nmae=x"}, STATUS_INVALID, "", ""},
    {"flags: no beginning of a name", {"--nam=x"}, STATUS_INVALID, "", ""},
    {"flags: = without a name", {"--=x"}, STATUS_INVALID, "", ""},
    {"flags: a missing value", {"--name"}, STATUS_INVALID, "", ""},
    {"flags: other arguments, in order", {"b", "--json", "a"}, STATUS_OK, "json ", "b a "},
    {"flags: a dash is an argument", {"-", "--json"}, STATUS_OK, "json ", "- "},
    {"flags: nothing is an argument", {"", "a"}, STATUS_OK, "", " a "},
    {"flags: -- ends them", {"--json", "--", "--name", "-"}, STATUS_OK, "json ", "--name - "},
    {"flags: -- twice", {"--", "--"}, STATUS_OK, "", "-- "},
    {"flags: help", {"--help"}, STATUS_AGAIN, "", ""},
    {"flags: help in short", {"-h"}, STATUS_AGAIN, "", ""},
    {"flags: help among others", {"a", "--json", "--help", "--nmae"}, STATUS_AGAIN, "", ""},
};

struct values {
    bool has_json;
    const char *name, *n;
    struct command_list rules;
    int64_t at_us, wait_us;
    uint32_t count;
};

static void describe(const struct values *v, char *out, size_t size)
{
    char rules[256] = "";
    for (uint32_t i = 0; i < v->rules.count; i++) {
        size_t used = strlen(rules);
        (void)snprintf(rules + used, sizeof rules - used, "%s,", v->rules.items[i]);
    }
    char numbers[128] = "";
    if (v->at_us)
        (void)snprintf(numbers, sizeof numbers, "at=%lld ", (long long)v->at_us);
    if (v->wait_us)
        (void)snprintf(numbers, sizeof numbers, "wait=%lld ", (long long)v->wait_us);
    if (v->count)
        (void)snprintf(numbers, sizeof numbers, "count=%u ", v->count);
    (void)snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s%s", v->has_json ? "json " : "",
                   v->name ? "name=" : "", v->name ? v->name : "", v->name ? " " : "",
                   v->n ? "n=" : "", v->n ? v->n : "", v->n ? " " : "", *rules ? "rules=" : "",
                   rules, *rules ? " " : "", numbers);
}

static enum status read_flags(const struct row *row, struct values *v, char *rest, size_t size)
{
    const struct command_flag flags[] = {
        {"name", FLAG_TEXT, &v->name, "NAME", "a name"},
        {"n", FLAG_TEXT, &v->n, "NAME", "a letter"},
        {"json", FLAG_SWITCH, &v->has_json, NULL, "a switch"},
        {"rules", FLAG_TEXTS, &v->rules, "PATH", "repeatable"},
        {"at", FLAG_TIME, &v->at_us, "TIME", "a time"},
        {"wait", FLAG_DURATION, &v->wait_us, "D", "a duration"},
        {"count", FLAG_COUNT, &v->count, "N", "a count"},
    };
    char words[ARGS_MAX + 1][64] = {"try"};
    char *argv[ARGS_MAX + 2] = {words[0]};
    const char *left[ARGS_MAX + 2];
    uint32_t left_count = 0;
    int argc = 1;
    for (; row->args[argc - 1]; argc++) {
        (void)snprintf(words[argc], sizeof words[argc], "%s", row->args[argc - 1]);
        argv[argc] = words[argc];
    }
    enum status status = command_flags(argc, argv, "Usage: tocsin try", flags,
                                       sizeof flags / sizeof *flags, left, &left_count);
    char values[512];
    describe(v, values, sizeof values);
    if (!status) {
        assert_string_equal(values, row->values);
        assert_null(left[left_count]);
    }
    rest[0] = 0;
    for (uint32_t i = 0; !status && i < left_count; i++) {
        size_t used = strlen(rest);
        (void)snprintf(rest + used, size - used, "%s ", left[i]);
    }
    return status;
}

static void test_flags(void **state)
{
    const struct row *row = *state;
    struct values v = {0};
    char rest[256];
    assert_int_equal(read_flags(row, &v, rest, sizeof rest), row->want);
    assert_string_equal(rest, row->rest);
}

static void test_a_list_has_an_end(void **state)
{
    (void)state;
    struct command_list list = {.count = 0};
    const struct command_flag flag = {"rules", FLAG_TEXTS, &list, "PATH", "repeatable"};
    char name[] = "try";
    char value[] = "--rules=x";
    char *argv[COMMAND_LIST + 3] = {name};
    const char *rest[COMMAND_LIST + 3];
    uint32_t count = 0;
    for (int i = 1; i <= COMMAND_LIST + 1; i++)
        argv[i] = value;
    assert_int_equal(command_flags(COMMAND_LIST + 1, argv, "", &flag, 1, rest, &count), STATUS_OK);
    assert_int_equal(list.count, COMMAND_LIST);
    list.count = 0;
    assert_int_equal(command_flags(COMMAND_LIST + 2, argv, "", &flag, 1, rest, &count),
                     STATUS_INVALID);
}

static void test_path_is_joined_or_cut(void **state)
{
    (void)state;
    char room[8];
    assert_string_equal(command_path(room, sizeof room, "ab", "cd"), "ab/cd");
    assert_string_equal(command_path(room, sizeof room, "abc", "defghi"), "abc/def");
    assert_string_equal(command_path(room, sizeof room, "abcdefghi", "j"), "abcdef/");
}

static void test_output_is_written_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/tocsin-test-XXXXXX";
    (void)close(mkstemp(path));
    struct command_output o;
    assert_int_equal(command_open_output(&o, path, NULL), STATUS_OK);
    for (int i = 0; i < 10000; i++) {
        buffer_append(&o.buffer, TEXT("0123456789abcdef\n"));
        command_flush_output(&o, false);
    }
    assert_true(command_close_output(&o));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 0, SEEK_END), 170000);
    (void)close(fd);
    (void)unlink(path);
}

static void test_output_without_room_is_said(void **state)
{
    (void)state;
    struct command_output o;
    struct error err = {0};
    assert_int_equal(command_open_output(&o, "/dev/full", &err), STATUS_OK);
    buffer_append(&o.buffer, TEXT("x\n"));
    assert_false(command_close_output(&o));
    assert_int_equal(command_open_output(&o, "/nonexistent/file", &err), STATUS_IO);
    assert_non_null(strstr(err.text, "/nonexistent/file cannot be written"));
}

static void test_folders_are_said(void **state)
{
    (void)state;
    char room[4096];
    (void)setenv("TOCSIN_SHARE", "/some/share", 1);
    (void)setenv("TOCSIN_DATA", "/some/data", 1);
    assert_string_equal(command_share(room, sizeof room), "/some/share");
    assert_string_equal(command_data(room, sizeof room), "/some/data");
    (void)unsetenv("TOCSIN_SHARE");
    assert_int_equal(access(command_share(room, sizeof room), R_OK), 0);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_a_list_has_an_end),
        cmocka_unit_test(test_path_is_joined_or_cut),
        cmocka_unit_test(test_output_is_written_whole),
        cmocka_unit_test(test_output_without_room_is_said),
        cmocka_unit_test(test_folders_are_said),
    };
    struct CMUnitTest tests[COUNT + sizeof others / sizeof *others];
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_flags, &rows[i]);
    memcpy(tests + COUNT, others, sizeof others);
    return cmocka_run_group_tests_name("test_command", tests, NULL, NULL);
}
