/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/json_scan.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *name, *document;
    const char *want; /* name=value pairs, types as a letter; NULL: refused */
} rows[] = {
    {"scan: empty object", "{}", ""},
    {"scan: space around", " \t\r\n{ } \n", ""},
    {"scan: leaves", "{\"a\":\"x\",\"b\":-1.5e+3,\"c\":true,\"d\":false,\"e\":null}",
     "a:s=x b:n=-1.5e+3 c:t=true d:f=false e:0=null "},
    {"scan: nested", "{\"a\":{\"b\":{\"c\":\"x\"}}}",
     "a:o={\"b\":{\"c\":\"x\"}} a.b:o={\"c\":\"x\"} a.b.c:s=x "},
    {"scan: array members share a path", "{\"a\":[1,{\"b\":2},[3]]}",
     "a:o=[1,{\"b\":2},[3]] a:n=1 a:o={\"b\":2} a.b:n=2 a:o=[3] a:n=3 "},
    {"scan: dots in keys", "{\"a.b\":{\"c.d\":1}}", "a.b:o={\"c.d\":1} a.b.c.d:n=1 "},
    {"scan: empty key", "{\"\":1,\"a\":{\"\":2}}", ":n=1 a:o={\"\":2} a.:n=2 "},
    {"scan: escapes", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"}", "a:s=\"\\/\b\f\n\r\tA "},
    {"scan: escaped key", "{\"a\\u0062\":1}", "ab:n=1 "},
    {"scan: pair", "{\"a\":\"\\ud83d\\ude00\\u00e9\\u20ac\"}",
     "a:s=\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC "},
    {"scan: UTF-8", "{\"a\":\"0123456789abcde\xC3\xA9\xF0\x9F\x98\x80\"}",
     "a:s=0123456789abcde\xC3\xA9\xF0\x9F\x98\x80 "},
    {"scan: long", "{\"a\":\"0123456789abcdef0123456789abcdef\"}",
     "a:s=0123456789abcdef0123456789abcdef "},
    {"scan: twice the same key", "{\"a\":1,\"a\":2}", "a:n=1 a:n=2 "},
    {"scan: zero", "{\"a\":0,\"b\":-0,\"c\":0.0,\"d\":0e0}", "a:n=0 b:n=-0 c:n=0.0 d:n=0e0 "},
    {"refuse: nothing", "", NULL},
    {"refuse: no object", "[1]", NULL},
    {"refuse: text", "hello", NULL},
    {"refuse: trailing bytes", "{} x", NULL},
    {"refuse: two documents", "{}{}", NULL},
    {"refuse: open object", "{\"a\":1", NULL},
    {"refuse: open string", "{\"a\":\"x", NULL},
    {"refuse: open escape", "{\"a\":\"\\", NULL},
    {"refuse: trailing comma", "{\"a\":1,}", NULL},
    {"refuse: trailing comma in array", "{\"a\":[1,]}", NULL},
    {"refuse: leading comma", "{,\"a\":1}", NULL},
    {"refuse: missing comma", "{\"a\":1 \"b\":2}", NULL},
    {"refuse: missing colon", "{\"a\" 1}", NULL},
    {"refuse: no value", "{\"a\":}", NULL},
    {"refuse: wrong bracket", "{\"a\":[1}", NULL},
    {"refuse: bare key", "{a:1}", NULL},
    {"refuse: bad escape", "{\"a\":\"\\x41\"}", NULL},
    {"refuse: short escape", "{\"a\":\"\\u12\"}", NULL},
    {"refuse: lone high surrogate", "{\"a\":\"\\ud83d\"}", NULL},
    {"refuse: lone low surrogate", "{\"a\":\"\\ude00\"}", NULL},
    {"refuse: high, then no low", "{\"a\":\"\\ud83d\\u0041\"}", NULL},
    {"refuse: NUL in key", "{\"\\u0000\":1}", NULL},
    {"refuse: control character", "{\"a\":\"\x01\"}", NULL},
    {"refuse: newline in string", "{\"a\":\"x\ny\"}", NULL},
    {"refuse: broken UTF-8", "{\"a\":\"\xC3(\"}", NULL},
    {"refuse: overlong UTF-8", "{\"a\":\"\xC0\xAF\"}", NULL},
    {"refuse: surrogate in UTF-8", "{\"a\":\"\xED\xA0\x80\"}", NULL},
    {"refuse: leading zero", "{\"a\":01}", NULL},
    {"refuse: plus", "{\"a\":+1}", NULL},
    {"refuse: bare minus", "{\"a\":-}", NULL},
    {"refuse: no fraction", "{\"a\":1.}", NULL},
    {"refuse: no exponent", "{\"a\":1e}", NULL},
    {"refuse: NaN", "{\"a\":NaN}", NULL},
    {"refuse: cut word", "{\"a\":tru}", NULL},
};

static void describe(const struct event *e, struct arena *arena, struct buffer *out)
{
    static const char letters[] = "sntf0o";
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct field *f = &e->fields[i];
        assert_true(f->hash == event_name_hash(f->name));
        buffer_append(out, f->name);
        buffer_byte(out, ':');
        buffer_byte(out, letters[f->type]);
        buffer_byte(out, '=');
        buffer_append(out, json_value(f, arena));
        buffer_byte(out, ' ');
    }
}

static void test_scan(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    AUTO(json_shape) shape = json_shape_new(NULL, NULL);
    struct event e = {0};
    /* in a heap block of its exact size, so that a sanitizer sees one byte too far */
    const size_t len = strlen(row->document);
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, row->document, len);
    for (int pass = 0; pass < 3; pass++) { /* without a shape, while it learns, as it knows */
        struct buffer got;
        buffer_init(&got, 1 << 20);
        size_t at = 0;
        e.field_count = 0;
        enum status status =
            json_scan((struct text){copy, len}, pass ? shape : NULL, &arena, &e, &at);
        assert_int_equal(status, row->want ? STATUS_OK : STATUS_SYNTAX);
        describe(&e, &arena, &got);
        buffer_byte(&got, '\0');
        assert_string_equal(got.at, row->want ? row->want : "");
        buffer_fini(&got);
    }
    event_fini(&e);
    free(copy);
    arena_fini(&arena);
}

static enum status scan_depth(size_t depth)
{
    struct buffer text;
    buffer_init(&text, 1 << 16);
    for (size_t i = 0; i < depth; i++)
        buffer_append(&text, TEXT("{\"a\":"));
    buffer_byte(&text, '1');
    for (size_t i = 0; i < depth; i++)
        buffer_byte(&text, '}');
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {0};
    size_t at = 0;
    enum status status = json_scan(buffer_text(&text), NULL, &arena, &e, &at);
    assert_int_equal(e.field_count, status == STATUS_OK ? depth : 0);
    event_fini(&e);
    arena_fini(&arena);
    buffer_fini(&text);
    return status;
}

static void test_depth_has_a_ceiling(void **state)
{
    (void)state;
    assert_int_equal(scan_depth(JSON_SCAN_DEPTH), STATUS_OK);
    assert_int_equal(scan_depth(JSON_SCAN_DEPTH + 1), STATUS_SYNTAX);
    assert_int_equal(scan_depth(10000), STATUS_SYNTAX);
}

static void test_too_many_fields_are_cut(void **state)
{
    (void)state;
    struct buffer text;
    buffer_init(&text, 1 << 20);
    for (int i = 0; i < EVENT_FIELDS + 10; i++)
        buffer_printf(&text, "%c\"f%d\":%d", i ? ',' : '{', i, i);
    buffer_byte(&text, '}');
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {0};
    size_t at = 0;
    assert_int_equal(json_scan(buffer_text(&text), NULL, &arena, &e, &at), STATUS_LIMIT);
    assert_int_equal(e.field_count, EVENT_FIELDS);
    assert_true(e.flags & EVENT_FIELDS_CUT);
    event_fini(&e);
    arena_fini(&arena);
    buffer_fini(&text);
}

static void test_no_room_for_names_is_a_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    struct event e = {0};
    size_t at = 0;
    struct text text = TEXT("{\"a\":1,\"b\":{\"c\":{\"d\":2}},\"e\":3}");
    assert_int_equal(json_scan(text, NULL, &arena, &e, &at), STATUS_LIMIT);
    assert_int_equal(e.field_count, 3);
    assert_true(text_equal(e.fields[2].name, TEXT("e")));
    event_fini(&e);
    arena_fini(&arena);
}

static void test_a_failure_changes_nothing(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {0};
    assert_true(event_add(&e, TEXT("before"), TEXT("1")));
    size_t at = 0;
    assert_int_equal(json_scan(TEXT("{\"a\":1,\"b\":nul}"), NULL, &arena, &e, &at), STATUS_SYNTAX);
    assert_int_equal(e.field_count, 1);
    assert_int_equal(e.flags, 0);
    assert_int_equal(at, 11);
    event_fini(&e);
    arena_fini(&arena);
}

static bool is_short(const void *context, struct text path, uint64_t hash)
{
    (void)context;
    assert_int_equal(hash, event_name_hash(path));
    return path.len <= 3;
}

/* Members that nobody wants are checked and passed over, and what was left out is known. */
static void test_only_what_is_wanted_is_taken_out(void **state)
{
    (void)state;
    AUTO(json_shape) shape = json_shape_new(is_short, NULL);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    static const struct {
        const char *document, *want;
        bool is_partial;
    } steps[] = {
        {"{\"a\":1,\"long\":{\"b\":2},\"c\":[3,{\"d\":4}]}",
         "a:n=1 c:o=[3,{\"d\":4}] c:n=3 "
         "c:o={\"d\":4} c.d:n=4 ",
         true},
        {"{\"a\":1,\"c\":2}", "a:n=1 c:n=2 ", false},
        {"{\"c\":2,\"a\":{\"long\":1,\"b\":\"\\n\"}}",
         "c:n=2 a:o={\"long\":1,\"b\":\"\\n\"} a.b:s=\n ", true},
        {"{\"long\":{\"b\":[true}}", NULL, false},
        {"{\"long\":\"\\q\",\"a\":1}", NULL, false},
    };
    for (size_t i = 0; i < 3 * sizeof steps / sizeof *steps; i++) {
        const size_t row = i % (sizeof steps / sizeof *steps);
        struct event e = {0};
        struct buffer got;
        buffer_init(&got, 1 << 20);
        size_t at = 0;
        enum status status = json_scan(text_of(steps[row].document), shape, &arena, &e, &at);
        assert_int_equal(status, steps[row].want ? STATUS_OK : STATUS_SYNTAX);
        describe(&e, &arena, &got);
        buffer_byte(&got, '\0');
        assert_string_equal(got.at, steps[row].want ? steps[row].want : "");
        assert_int_equal(e.is_partial, steps[row].is_partial);
        buffer_fini(&got);
        event_fini(&e);
    }
    arena_fini(&arena);
}

static void test_a_full_shape_loses_nothing(void **state)
{
    (void)state;
    AUTO(json_shape) shape = json_shape_new(NULL, NULL);
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct event e = {0};
    for (unsigned i = 0; i < JSON_SHAPE_NAMES + 100; i++) {
        char document[64];
        (void)snprintf(document, sizeof document, "{\"o\":{\"k%u\":%u}}", i, i);
        size_t at = 0;
        e.field_count = 0;
        assert_int_equal(json_scan(text_of(document), shape, &arena, &e, &at), STATUS_OK);
        assert_int_equal(e.field_count, 2);
        char name[32];
        (void)snprintf(name, sizeof name, "o.k%u", i);
        assert_true(text_equal(e.fields[1].name, text_of(name)));
        assert_int_equal(e.fields[1].hash, event_name_hash(text_of(name)));
    }
    assert_true(json_shape_is_full(shape));
    json_shape_forget(shape);
    assert_false(json_shape_is_full(shape));
    event_fini(&e);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct CMUnitTest tests[ROWS + 6];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_scan, &rows[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_depth_has_a_ceiling);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_too_many_fields_are_cut);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_no_room_for_names_is_a_limit);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_failure_changes_nothing);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_only_what_is_wanted_is_taken_out);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_a_full_shape_loses_nothing);
    return _cmocka_run_group_tests("test_json_scan", tests, n, NULL, NULL);
}
