/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/route.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

static const struct text names[] = {{"file", 4}, {"mail", 4}, {"hook", 4}};

static const struct row {
    const char *name, *routes;
    enum notice_kind kind;
    int priority;
    const char *category, *want; /* names with a space behind each; "!...": the error says so */
} rows[] = {
    {"none: all", "", NOTICE_OPENED, 3, "security", "file mail hook "},
    {"empty list: nobody", "[]", NOTICE_OPENED, 3, "security", ""},
    {"priority fits", "[{match: {priority: [P1, P2]}, to: [mail]}]", NOTICE_OPENED, 2, "", "mail "},
    {"priority as a number", "[{match: {priority: 2}, to: mail}]", NOTICE_OPENED, 2, "", "mail "},
    {"priority does not fit", "[{match: {priority: P1}, to: mail}]", NOTICE_OPENED, 2, "", ""},
    {"first match ends it", "[{match: {priority: P1}, to: mail}, {to: file}]", NOTICE_OPENED, 1, "",
     "mail "},
    {"next one where none fits", "[{match: {priority: P1}, to: mail}, {to: file}]", NOTICE_OPENED,
     4, "", "file "},
    {"continue", "[{match: {priority: P1}, to: mail, continue: true}, {to: [file, mail]}]",
     NOTICE_OPENED, 1, "", "mail file "},
    {"kind fits", "[{match: {kind: [raised, resolved]}, to: hook}]", NOTICE_RESOLVED, 1, "",
     "hook "},
    {"kind does not fit", "[{match: {kind: [raised]}, to: hook}]", NOTICE_RESOLVED, 1, "", ""},
    {"category fits", "[{match: {category: availability}, to: hook}]", NOTICE_OPENED, 1,
     "availability", "hook "},
    {"category does not fit", "[{match: {category: availability}, to: hook}]", NOTICE_OPENED, 1,
     "security", ""},
    {"all must fit", "[{match: {category: security, priority: P1, kind: opened}, to: hook}]",
     NOTICE_OPENED, 2, "security", ""},
    {"a storm has no priority of its own", "[{match: {priority: P5}, to: hook}]", NOTICE_STORM, 0,
     "", "hook "},
    {"unknown name", "[{to: pager}]", NOTICE_OPENED, 1, "", "!'pager'"},
    {"unknown priority", "[{match: {priority: P6}, to: mail}]", NOTICE_OPENED, 1, "", "!'P6'"},
    {"unknown kind", "[{match: {kind: open}, to: mail}]", NOTICE_OPENED, 1, "", "!'open'"},
    {"unknown key", "[{matches: {}, to: mail}]", NOTICE_OPENED, 1, "", "!'matches'"},
    {"to is required", "[{match: {priority: P1}}]", NOTICE_OPENED, 1, "", "!to"},
    {"not a list", "{to: mail}", NOTICE_OPENED, 1, "", "!want a list"},
};

static void find(const struct row *row, const struct route_table *table)
{
    struct text got[DELIVERY_DESTINATIONS];
    struct notice n = {
        .kind = row->kind, .priority = row->priority, .category = text_of(row->category)};
    uint32_t count = route_find(table, &n, got);
    char all[128] = "";
    for (uint32_t i = 0; i < count; i++) {
        strncat(all, got[i].at, sizeof all - strlen(all) - 1);
        strncat(all, " ", sizeof all - strlen(all) - 1);
    }
    assert_string_equal(all, row->want);
}

static void test_route(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct yaml_file file = {0};
    assert_int_equal(yaml_parse(text_of(row->routes), &arena, &file, NULL), STATUS_OK);
    struct route_table table;
    struct error err = {0};
    enum status status =
        route_read(file.count ? file.documents[0] : NULL, names, 3, &arena, &table, &err);
    if (row->want[0] == '!') {
        assert_int_equal(status, STATUS_INVALID);
        assert_int_equal(err.line, 1);
        assert_non_null(strstr(err.text, row->want + 1));
    } else {
        assert_int_equal(status, STATUS_OK);
        find(row, &table);
    }
    arena_fini(&arena);
}

/* Who asked for that kind at all, whatever the priority. */
static void test_wants(void **state)
{
    (void)state;
    struct arena arena;
    struct yaml_file file = {0};
    struct route_table table;
    arena_init(&arena, 1 << 20);
    char routes[200];
    (void)snprintf(routes, sizeof routes,
                   "[{match: {priority: [P1]}, to: [%s]}, {match: {kind: [opened]}, to: [%s]}]",
                   names[0].at, names[1].at);
    assert_int_equal(yaml_parse(text_of(routes), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(route_read(file.documents[0], names, 3, &arena, &table, NULL), STATUS_OK);
    assert_true(route_wants(&table, names[0], NOTICE_RESOLVED));
    assert_true(route_wants(&table, names[1], NOTICE_OPENED));
    assert_false(route_wants(&table, names[1], NOTICE_RESOLVED));
    assert_false(route_wants(&table, names[2], NOTICE_OPENED));
    assert_int_equal(route_read(NULL, names, 3, &arena, &table, NULL), STATUS_OK);
    assert_true(route_wants(&table, names[2], NOTICE_RESOLVED));
    arena_fini(&arena);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[COUNT + 1] = {[COUNT] = cmocka_unit_test(test_wants)};
    for (size_t i = 0; i < COUNT; i++)
        tests[i] = ROW(test_route, &rows[i]);
    return cmocka_run_group_tests_name("test_route", tests, NULL, NULL);
}
