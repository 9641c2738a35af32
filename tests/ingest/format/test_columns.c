/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/columns.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

/* Lines whose columns are named by a line before them. */

static void add(struct batch *b, uint32_t source, const char *peer, const char *line)
{
    struct record *r = batch_add(b, text_of(line));
    assert_non_null(r);
    r->source = source;
    r->peer = text_of(peer);
    r->kind = RECORD_EVENT;
    r->receive_us = 1;
}

/* The fields of the last record, "name=value;...". */
static void read_last(struct batch *b, char out[512], struct text *out_columns)
{
    AUTO(parser) parser = NULL;
    struct parser_options options = {.format = FORMAT_AUTO};
    struct event e = {0};
    assert_int_equal(parser_new(&options, &parser, NULL), STATUS_OK);
    const struct record *r = &b->records[b->count - 1];
    parser_read(parser, r, &b->arena, &e);
    size_t used = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < e.field_count; i++)
        used += (size_t)snprintf(out + used, 512 - used, "%.*s=%.*s;", TEXT_ARG(e.fields[i].name),
                                 TEXT_ARG(e.fields[i].value));
    *out_columns = r->columns;
    event_fini(&e);
}

static const struct row {
    const char *name, *header, *line, *want;
} rows[] = {
    {"W3C", "#Fields: date time c-ip sc-status", "2025-10-10 13:55:36 192.0.2.7 200",
     "date=2025-10-10;time=13:55:36;c-ip=192.0.2.7;sc-status=200;@timestamp=2025-10-10T13:55:36Z;"},
    {"W3C: nothing is a dash", "#Fields: c-ip cs-uri-query", "192.0.2.7 -", "c-ip=192.0.2.7;"},
    {"W3C: quotes", "#Fields: c-ip cs(User-Agent) sc-status", "192.0.2.7 \"a b\" 200",
     "c-ip=192.0.2.7;cs(User-Agent)=a b;sc-status=200;"},
    {"W3C: quotes at the end", "#Fields: c-ip cs(User-Agent)", "192.0.2.7 \"a b\"",
     "c-ip=192.0.2.7;cs(User-Agent)=a b;"},
    {"W3C: names between blanks, cells between tabs", "#Fields: c-ip x", "192.0.2.7\ta b",
     "c-ip=192.0.2.7;x=a b;"},
    {"too few", "#Fields: a b c", "1 2", ""},
    {"too many", "#Fields: a b", "1 2 3", ""},
    {"a line with a priority is none", "#Fields: a b", "<13>x y", ""},
    {"no names", "#Fields: ", "x y", ""},
    {"Zeek", "#fields\tts\tid.orig_h\tquery", "1.5\t192.0.2.7\ta b",
     "ts=1.5;id.orig_h=192.0.2.7;query=a b;"},
    {"Zeek: unset and empty", "#fields\ta\tb\tc", "-\t(empty)\tx", "b=;c=x;"},
    {"Zeek: an empty last cell", "#fields\ta\tb", "x\t", "a=x;b=;"},
    {"another comment", "#Software: x", "a b", ""},
};

static void test_reads(void **state)
{
    const struct row *row = *state;
    AUTO(columns) c = columns_new();
    AUTO(batch) b = batch_new();
    struct text columns;
    char fields[512];
    assert_true(c && b);
    add(b, 0, "p", row->header);
    add(b, 0, "p", row->line);
    columns_follow(c, b);
    read_last(b, fields, &columns);
    assert_string_equal(fields, row->want);
}

static bool has_columns(struct columns *c, uint32_t source, const char *peer)
{
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    add(b, source, peer, "1 2");
    columns_follow(c, b);
    return b->records[0].columns.len > 0;
}

static void tell(struct columns *c, uint32_t source, const char *peer, const char *header)
{
    AUTO(batch) b = batch_new();
    assert_non_null(b);
    add(b, source, peer, header);
    columns_follow(c, b);
}

static void test_belongs_to_its_stream(void **state)
{
    (void)state;
    AUTO(columns) c = columns_new();
    assert_non_null(c);
    tell(c, 1, "192.0.2.7", "#Fields: a b");
    assert_true(has_columns(c, 1, "192.0.2.7")); /* of a later batch, too */
    assert_false(has_columns(c, 2, "192.0.2.7"));
    assert_false(has_columns(c, 1, "192.0.2.8"));
    columns_forget(c);
    assert_false(has_columns(c, 1, "192.0.2.7"));
}

static void test_zeek_closes(void **state)
{
    (void)state;
    AUTO(columns) c = columns_new();
    AUTO(batch) b = batch_new();
    struct text columns;
    char fields[512];
    assert_true(c && b);
    add(b, 0, "p", "#path\tconn");
    add(b, 0, "p", "#fields\ta\tb");
    add(b, 0, "p", "1\t2");
    columns_follow(c, b);
    read_last(b, fields, &columns);
    assert_string_equal(fields, "_path=conn;a=1;b=2;");
    tell(c, 0, "p", "#close\t2025-10-10");
    assert_false(has_columns(c, 0, "p"));
}

static void test_state_comes_back(void **state)
{
    (void)state;
    AUTO(columns) from = columns_new();
    AUTO(columns) to = columns_new();
    AUTO(batch) b = batch_new();
    struct buffer saved;
    struct text columns;
    char fields[512];
    assert_true(from && to && b);
    buffer_init(&saved, 1 << 20);
    tell(from, 1, "a", "#Fields: x y");
    tell(from, 2, "b", "#path\tdns");
    tell(from, 2, "b", "#fields\tts\tquery");
    columns_save(from, &saved);
    assert_true(columns_load(to, buffer_text(&saved)));
    add(b, 2, "b", "1.5\tq");
    columns_follow(to, b);
    read_last(b, fields, &columns);
    assert_string_equal(fields, "_path=dns;ts=1.5;query=q;");
    assert_true(has_columns(to, 1, "a"));
    assert_false(columns_load(to, TEXT("no state\n")));
    buffer_fini(&saved);
}

static void test_streams_have_a_ceiling(void **state)
{
    (void)state;
    AUTO(columns) c = columns_new();
    assert_non_null(c);
    for (uint32_t i = 0; i < 300; i++)
        tell(c, i, "p", "#Fields: a b");
    assert_int_equal(columns_evicted(c), 300 - 256);
    assert_false(has_columns(c, 0, "p"));
    assert_true(has_columns(c, 299, "p"));
}

int main(void)
{
    struct CMUnitTest tests[sizeof rows / sizeof *rows + 4];
    size_t n = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        tests[n++] = ROW(test_reads, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_belongs_to_its_stream);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_zeek_closes);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_state_comes_back);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_streams_have_a_ceiling);
    return cmocka_run_group_tests_name("test_columns", tests, NULL, NULL);
}
