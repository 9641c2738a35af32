/* SPDX-License-Identifier: Apache-2.0 */
#include "base/option.h"
#include "tests/support/table.h"
#include <string.h>

struct options {
    struct text listen;
    bool is_on;
    int64_t count, wait_us;
    uint64_t size_bytes;
    double share;
    int mode;
    struct option_texts names;
};

static const char *const modes[] = {"slow", "fast", NULL};
static const struct option table[] = {
    {"listen", OPTION_TEXT, offsetof(struct options, listen), NULL, 0, 0, NULL, "where"},
    {"on", OPTION_BOOL, offsetof(struct options, is_on), "false", 0, 0, NULL, "whether"},
    {"count", OPTION_INT, offsetof(struct options, count), "3", 1, 9, NULL, "how many"},
    {"wait", OPTION_DURATION, offsetof(struct options, wait_us), "5ms", 0, 0, NULL, "how long"},
    {"size", OPTION_SIZE, offsetof(struct options, size_bytes), "64KiB", 0, 0, NULL, "how much"},
    {"share", OPTION_DOUBLE, offsetof(struct options, share), "0.5", 0, 1, NULL, "how far"},
    {"mode", OPTION_CHOICE, offsetof(struct options, mode), "fast", 0, 0, modes, "how"},
    {"names", OPTION_TEXTS, offsetof(struct options, names), "", 0, 0, NULL, "who"},
};
enum { ROWS_COUNT = sizeof table / sizeof *table };

static enum status read_text(const char *source, struct arena *arena, struct options *out,
                             struct error *err)
{
    struct yaml_file file = {0};
    assert_int_equal(yaml_parse(text_of(source), arena, &file, err), STATUS_OK);
    return option_read(table, ROWS_COUNT, file.count ? file.documents[0] : NULL, arena, out, err);
}

static const struct row {
    const char *name, *source;
    enum status want;
    const char *part; /* of the error's text */
} rows[] = {
    {"read: the least", "listen: here\n", STATUS_OK, ""},
    {"read: required", "on: true\n", STATUS_INVALID, "required"},
    {"read: unknown key with a suggestion", "listen: x\ncuont: 3\n", STATUS_INVALID, "'count'"},
    {"read: out of range", "listen: x\ncount: 10\n", STATUS_INVALID, "between 1 and 9"},
    {"read: yes is no boolean", "listen: x\non: yes\n", STATUS_INVALID, "true or false"},
    {"read: unit missing", "listen: x\nwait: 5\n", STATUS_INVALID, "duration"},
    {"read: no such choice", "listen: x\nmode: warp\n", STATUS_INVALID, "slow fast"},
    {"read: a list where one is wanted", "listen: [a]\n", STATUS_INVALID, "single value"},
    {"read: one or many", "listen: x\nnames: [a, b]\n", STATUS_OK, ""},
};

static void test_read(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct options o = {0};
    struct error err = {0};
    assert_int_equal(read_text(row->source, &arena, &o, &err), row->want);
    if (row->want)
        assert_non_null(strstr(err.text, row->part));
    else
        assert_int_equal(o.count, 3);
    arena_fini(&arena);
}

static void test_print_reads_back(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct options o = {0};
    struct options again = {0};
    struct error err = {0};
    const char *source = "listen: \"it's: #1\"\non: true\ncount: 7\nwait: 1500ms\nsize: 3MiB\n"
                         "share: 0.25\nmode: slow\nnames: [a, 'b c']\n";
    assert_int_equal(read_text(source, &arena, &o, &err), STATUS_OK);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    option_print(table, ROWS_COUNT, &o, 0, &out);
    buffer_byte(&out, 0);
    assert_int_equal(read_text(out.at, &arena, &again, &err), STATUS_OK);
    assert_true(text_equal(again.listen, TEXT("it's: #1")));
    assert_true(again.is_on && again.count == 7 && again.wait_us == 1500000);
    assert_true(again.size_bytes == 3 << 20 && again.mode == 0 && again.names.count == 2);
    assert_true(again.share > 0.24 && again.share < 0.26);
    buffer_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    struct CMUnitTest tests[32];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_read, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_print_reads_back);
    return _cmocka_run_group_tests("test_option", tests, n, NULL, NULL);
}
