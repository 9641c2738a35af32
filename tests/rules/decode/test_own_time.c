/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"
#include "base/timestamp.h"
#include "rules/decode/decoder.h"
#include "rules/decode/mapping.h"
#include "rules/decode/own_time.h"
#include "tests/support/table.h"
#include <stdio.h>
#include <string.h>

/* `time:` of decoders and mappings: which field it is, how it is written, what was assumed. */

static void note(void *context, const struct diagnostic *f)
{
    buffer_printf(context, "%u:%s: %.*s\n", f->line, f->code, TEXT_ARG(f->message));
}

static bool read(const char *source, struct arena *arena, struct own_times *out,
                 struct buffer *told)
{
    struct yaml_file file = {0};
    struct error err = {0};
    if (yaml_parse(text_of(source), arena, &file, &err))
        fail_msg("%u: %s", err.line, err.text);
    struct decoder_document d = {
        .file = TEXT("test.yml"), .arena = arena, .tell = note, .context = told};
    return own_time_read(&d, yaml_get(file.documents[0], TEXT("time")), out);
}

static const struct row {
    const char *name, *time;
    const char *fields; /* "name=value;..." */
    const char *want;   /* NULL: receipt stays */
    uint32_t flags;
} rows[] = {
    {"a field's name", "t", "t=2026-11-28T11:00:00Z", "2026-11-28T11:00:00Z", 0},
    {"epoch with decimals", "{field: t, form: epoch}", "t=1772600000.123",
     "2026-03-04T04:53:20.123Z", 0},
    {"epoch in ms", "{field: t, form: epoch_ms}", "t=1772600000123", "2026-03-04T04:53:20.123Z", 0},
    {"epoch in us", "{field: t, form: epoch_us}", "t=1772600000123456",
     "2026-03-04T04:53:20.123456Z", 0},
    {"epoch in ns", "{field: t, form: epoch_ns}", "t=1772600000123456789",
     "2026-03-04T04:53:20.123456Z", 0},
    {"epoch that is none", "{field: t, form: epoch}", "t=1772600000x", NULL, EVENT_TIME_UNREADABLE},
    {"rfc3339", "{field: t, form: rfc3339}", "t=2026-11-28T11:00:00+01:00", "2026-11-28T10:00:00Z",
     0},
    {"rfc3339, nothing else", "{field: t, form: rfc3339}", "t=1772600000", NULL,
     EVENT_TIME_UNREADABLE},
    {"pattern", "{field: t, form: '%d.%m.%Y %T'}", "t=03.04.2026 11:00:00", "2026-04-03T10:00:00Z",
     EVENT_ZONE_ASSUMED},
    {"pattern that does not fit", "{field: t, form: '%d.%m.%Y %T'}", "t=03/04/2026 11:00:00", NULL,
     EVENT_TIME_UNREADABLE},
    {"zone fixed", "{field: t, form: '%F %T', zone: '+02:00'}", "t=2026-11-28 11:00:00",
     "2026-11-28T09:00:00Z", 0},
    {"zone by name", "{field: t, form: '%F %T', zone: CEST}", "t=2026-11-28 11:00:00",
     "2026-11-28T09:00:00Z", 0},
    {"zone in a field", "{field: t, zone: tz}", "t=2026-11-28 11:00:00;tz=+0500",
     "2026-11-28T06:00:00Z", 0},
    {"zone in a field, short", "{field: t, zone: tz}", "t=2026-11-28 11:00:00;tz=UTC+2",
     "2026-11-28T09:00:00Z", 0},
    {"zone in a field that is not there", "{field: t, zone: tz}", "t=2026-11-28 11:00:00",
     "2026-11-28T10:00:00Z", EVENT_ZONE_ASSUMED},
    {"date and time apart", "{field: [d, c], zone: Z}", "c=11:00:00;d=2026-11-28",
     "2026-11-28T11:00:00Z", 0},
    {"only the date", "{field: [d, c], zone: Z}", "d=2026-11-28", NULL, 0},
    {"first that is there", "[a, b]", "b=2026-11-28T11:00:00Z", "2026-11-28T11:00:00Z", 0},
    {"first that is readable", "[a, b]", "a=-;b=2026-11-28T11:00:00Z", "2026-11-28T11:00:00Z", 0},
    {"nothing there", "[a, b]", "c=2026-11-28T11:00:00Z", NULL, 0},
    {"no year", "{field: t, form: '%b %e %T', zone: Z}", "t=Nov 28 11:00:00",
     "2026-11-28T11:00:00Z", EVENT_YEAR_ASSUMED},
    {"order unknown", "{field: t, zone: Z}", "t=03/04/2026 11:00:00", "2026-03-04T11:00:00Z",
     EVENT_ORDER_ASSUMED},
    {"order known", "{field: t, zone: Z}", "t=03/14/2026 11:00:00", "2026-03-14T11:00:00Z", 0},
    {"ahead of receipt", "t", "t=2026-11-29T11:00:00Z", NULL, EVENT_TIME_CLAMPED},
};

static void add_fields(struct event *e, const char *fields)
{
    struct text rest = text_of(fields);
    struct text one;
    while (text_split(&rest, ';', &one)) {
        const size_t equals = text_find_byte(one, '=');
        assert_true(event_add(e, text_head(one, equals), text_skip(one, equals + 1)));
    }
}

static int64_t us_of(const char *time)
{
    int64_t us = 0;
    assert_true(timestamp_parse(text_of(time), 0, &us, NULL));
    return us;
}

static void test_time(void **state)
{
    const struct row *row = *state;
    struct arena arena;
    struct buffer told;
    char source[256];
    struct own_times times = {0};
    arena_init(&arena, 1 << 20);
    buffer_init(&told, 1 << 12);
    (void)snprintf(source, sizeof source, "time: %s\n", row->time);
    assert_true(read(source, &arena, &times, &told));
    struct record record = {.receive_us = us_of("2026-11-28T12:00:00Z")};
    struct event e = {.record = &record,
                      .event_us = record.receive_us,
                      .near_us = record.receive_us,
                      .latest_us = us_of("2026-11-28T12:05:00Z"),
                      .zone_s = 3600};
    add_fields(&e, row->fields);
    (void)own_time_apply(&times, 0, &e, &arena);
    assert_true(e.event_us == (row->want ? us_of(row->want) : record.receive_us));
    assert_int_equal(e.flags, row->flags);
    event_fini(&e);
    buffer_fini(&told);
    arena_fini(&arena);
}

static const struct refusal {
    const char *name, *time, *want;
} refusals[] = {
    {"refuse: form", "time: {field: t, form: unix}\n", "1:bad-time"},
    {"refuse: pattern", "time: {field: t, form: '%F %Q'}\n", "1:bad-time"},
    {"refuse: pattern without day", "time: {field: t, form: '%T'}\n", "1:bad-time"},
    {"refuse: three fields", "time: {field: [a, b, c]}\n", "1:bad-time"},
    {"refuse: zone", "time: {field: t, zone: '+99:99'}\n", "1:bad-time"},
    {"refuse: no such place", "time: {field: t, zone: Europe/Nowhere}\n", "1:unknown-zone"},
    {"refuse: a place outside", "time: {field: t, zone: ../../etc/passwd}\n", "1:unknown-zone"},
    {"refuse: no field", "time: {form: epoch}\n", "1:missing-key"},
    {"refuse: unknown key", "time: {field: t, fromat: epoch}\n", "1:unknown-key"},
    {"refuse: empty list", "time: []\n", "1:bad-list"},
};

static void test_refusal(void **state)
{
    const struct refusal *row = *state;
    struct arena arena;
    struct buffer told;
    struct own_times times = {0};
    arena_init(&arena, 1 << 20);
    buffer_init(&told, 1 << 12);
    assert_false(read(row->time, &arena, &times, &told));
    buffer_byte(&told, 0);
    if (!strstr(told.at, row->want))
        fail_msg("want %s, got %s", row->want, told.at);
    assert_int_equal(times.count, 0);
    buffer_fini(&told);
    arena_fini(&arena);
}

static void test_an_alert_keeps_its_receipt(void **state)
{
    (void)state;
    struct arena arena;
    struct own_times times = {0};
    arena_init(&arena, 1 << 20);
    assert_true(read("time: t\n", &arena, &times, NULL));
    struct record record = {.kind = RECORD_ALERT, .receive_us = 7};
    struct event e = {.record = &record, .event_us = 7};
    add_fields(&e, "t=2026-11-28T11:00:00Z");
    assert_int_equal(own_time_apply(&times, 0, &e, &arena), OWN_TIME_NONE);
    assert_int_equal(e.event_us, 7);
    event_fini(&e);
    arena_fini(&arena);
}

static const char decoders[] = "decoder: door\n"
                               "program: door\n"
                               "time: {field: at, form: epoch}\n"
                               "patterns:\n"
                               "- {name: own, pcre2: '^own (?<when>\\S+)', time: when}\n"
                               "- {name: all, pcre2: '^all (?<at>\\S+)'}\n"
                               "samples:\n"
                               "- {log: 'all 1772600000', time: '2026-03-04T04:53:20Z'}\n"
                               "- {log: 'all 1772600000', time: '2026-03-04T04:53:21Z'}\n";

static struct decoder_set *build_decoders(void)
{
    struct arena arena;
    struct yaml_file file = {0};
    AUTO(decoder_builder) b = NULL;
    struct decoder_set *set = NULL;
    arena_init(&arena, 1 << 20);
    assert_int_equal(yaml_parse(text_of(decoders), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(decoder_builder_new(&b, NULL), STATUS_OK);
    assert_int_equal(decoder_builder_add(b, TEXT("test.yml"), file.documents[0], false, NULL, NULL),
                     STATUS_OK);
    assert_int_equal(decoder_builder_finish(b, &set, NULL), STATUS_OK);
    arena_fini(&arena);
    return set;
}

static int64_t decoded_time(const struct decoder_set *set, const char *message, uint64_t *unread)
{
    AUTO(decoder_scratch) c = NULL;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_int_equal(decoder_scratch_new(&c, NULL), STATUS_OK);
    struct event e = {.program = TEXT("door"), .message = text_of(message), .event_us = 5};
    (void)event_add(&e, TEXT("at"), TEXT("1")); /* what stood there before is further away */
    assert_non_null(decoder_apply(set, c, &e, &arena));
    *unread = decoder_get_counters(c)->times_unreadable;
    assert_int_equal((e.flags & EVENT_TIME_UNREADABLE) != 0, *unread);
    const int64_t us = e.event_us;
    event_fini(&e);
    arena_fini(&arena);
    return us;
}

static void test_decoders_time(void **state)
{
    (void)state;
    AUTO(decoder_set) set = build_decoders();
    uint64_t unread = 0;
    assert_true(decoded_time(set, "all 1772600000", &unread) == us_of("2026-03-04T04:53:20Z"));
    assert_true(decoded_time(set, "own 2026-11-28T11:00:00Z", &unread) ==
                us_of("2026-11-28T11:00:00Z"));
    assert_int_equal(unread, 0);
    assert_int_equal(decoded_time(set, "own soon", &unread), 5);
    assert_int_equal(unread, 1);
    assert_true(decoder_set_reads(set, event_name_hash(TEXT("when"))));
    assert_int_equal(decoder_check_samples(set, NULL, NULL), 1);
}

static void test_mappings_time(void **state)
{
    (void)state;
    static const char source[] = "mapping: door\nwhen: {kind: door}\n"
                                 "time: [{field: at.ms, form: epoch_ms}]\n";
    struct arena arena;
    struct yaml_file file = {0};
    AUTO(mapping_builder) b = NULL;
    AUTO(mapping_set) set = NULL;
    arena_init(&arena, 1 << 20);
    assert_int_equal(yaml_parse(text_of(source), &arena, &file, NULL), STATUS_OK);
    assert_int_equal(mapping_builder_new(&b, NULL), STATUS_OK);
    assert_int_equal(mapping_builder_add(b, TEXT("test.yml"), file.documents[0], false, NULL, NULL),
                     STATUS_OK);
    assert_int_equal(mapping_builder_finish(b, &set, NULL), STATUS_OK);
    assert_true(mapping_reads(set, event_name_hash(TEXT("at.ms"))));
    struct event e = {.event_us = 5};
    add_fields(&e, "kind=door;at.ms=1772600000123");
    mapping_apply(set, &e);
    assert_true(mapping_set_time(set, &e, &arena));
    assert_true(e.event_us == us_of("2026-03-04T04:53:20.123Z"));
    event_fini(&e);
    arena_fini(&arena);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, REFUSALS = sizeof refusals / sizeof *refusals };
    struct CMUnitTest tests[ROWS + REFUSALS + 3];
    size_t n = 0;
    for (size_t i = 0; i < ROWS; i++)
        tests[n++] = ROW(test_time, &rows[i]);
    for (size_t i = 0; i < REFUSALS; i++)
        tests[n++] = ROW(test_refusal, &refusals[i]);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_an_alert_keeps_its_receipt);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_decoders_time);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_mappings_time);
    return _cmocka_run_group_tests("test_own_time", tests, n, NULL, NULL);
}
