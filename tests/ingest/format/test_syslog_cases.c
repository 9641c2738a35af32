/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages collected by others, with what their parsers make of them: the share that comes out as
 * expected, suite by suite. What "as expected" means:
 *   go-syslog, valid      every field equal, also those that must be absent; no damage flag
 *   go-syslog, invalid    a flag of damage (or of no priority), and every field that its
 * best-effort mode still found go-syslog, streams    as many frames, each judged as above splunk
 * one of its hosts; one of its times, to the second vector (loose)        every field equal
 *   logstash cef          every field named by a plain path equal
 *   logstash grok         host, program, pid and time of those patterns that are syslog headers
 * TOCSIN_CASES=all prints each difference; the folder's README lists those that stay, and why.
 */
#include "base/json_scan.h"
#include "base/timestamp.h"
#include "ingest/door/framer.h"
#include "ingest/ingest.h"
#include "tests/support/table.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 8 << 20 };

struct checker {
    struct batch *batch;
    struct event event;
    struct parser *parser;
    const char *why; /* the first difference */
};

static bool differs(struct checker *c, const char *why)
{
    if (!c->why)
        c->why = why;
    return false;
}

static size_t from_base64(const char *text, char *out)
{
    uint32_t word = 0;
    size_t n = 0;
    int bits = 0;
    for (; *text && *text != '='; text++) {
        static const char alphabet[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        word = word << 6 | (uint32_t)(strchr(alphabet, *text) - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(word >> bits & 255);
        }
    }
    return n;
}

static void parse(struct checker *c, struct text raw, int64_t now_us, enum format format)
{
    struct parser_options options = {.now_us = now_us, .format = format};
    parser_free(c->parser);
    assert_int_equal(parser_new(&options, &c->parser, NULL), STATUS_OK);
    batch_reset(c->batch);
    struct record *r = batch_add(c->batch, raw);
    assert_non_null(r);
    r->receive_us = now_us + INT64_C(3600000000); /* a time that was not read is then seen */
    parser_read(c->parser, r, &c->batch->arena, &c->event);
}

static bool same_text(struct text have, const json_t *want)
{
    struct text wanted = {json_string_value(want), json_string_length(want)};
    if (!json_is_string(want))
        return have.len == 0;
    return text_equal(have, wanted);
}

/* U+FFFD stands for a byte that was not UTF-8. */
static bool same_replaced(struct text have, const json_t *want)
{
    struct text wanted = {json_string_value(want), json_string_length(want)};
    size_t i = 0;
    while (wanted.len && i < have.len) {
        bool is_replaced = text_starts(wanted, TEXT("\xEF\xBF\xBD"));
        if (!is_replaced && wanted.at[0] != have.at[i])
            return false;
        wanted = text_skip(wanted, is_replaced ? 3 : 1);
        i++;
    }
    return wanted.len == 0 && i == have.len;
}

/* The message as parse prints it, byte order mark included. */
static bool same_message(const struct event *e, const json_t *want)
{
    if ((e->flags & EVENT_NOT_UTF8) && same_replaced(e->message, want))
        return true;
    struct text wide = {e->message.at ? e->message.at - 3 : NULL, e->message.len + 3};
    if (same_text(e->message, want))
        return true;
    return e->message.at >= e->record->raw.at + 3 && same_text(wide, want) &&
           text_starts(wide, TEXT("\xEF\xBB\xBF"));
}

static bool same_time(const struct event *e, const json_t *want)
{
    int64_t us = 0;
    const char *text = json_string_value(want);
    if (!text)
        return true;
    if (!timestamp_parse(text_of(text), 0, &us, NULL))
        return false;
    struct civil have;
    struct civil wanted;
    timestamp_to_civil(e->event_us, &have);
    timestamp_to_civil(us, &wanted);
    have.year = wanted.year ? have.year : 0; /* year 0: not said */
    return timestamp_from_civil(&have) == timestamp_from_civil(&wanted);
}

static bool has_param(const struct event *e, const char *id, const char *key, const json_t *value)
{
    for (uint32_t i = 0; i < e->param_count; i++) {
        const struct sd_param *p = &e->params[i];
        if (text_equal(p->id, text_of(id)) && (!key || text_equal(p->key, text_of(key))) &&
            (!value || same_text(p->value, value)))
            return true;
    }
    return false;
}

static bool same_structured(const struct event *e, const json_t *want)
{
    const char *id = NULL;
    const char *key = NULL;
    json_t *params = NULL;
    json_t *value = NULL;
    uint32_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)want, id, params)
    {
        if (!has_param(e, id, NULL, NULL))
            return false;
        count += json_object_size(params) ? (uint32_t)json_object_size(params) : 1;
        json_object_foreach(params, key, value)
        {
            if (!has_param(e, id, key, value))
                return false;
        }
    }
    return count <= e->param_count;
}

/* Facility, severity, time, host, program, pid, msgid, structured data in go-syslog's names. Where
 * `is_whole`, what is not there must not be here. */
static bool same_fields(struct checker *c, const json_t *want, bool is_whole)
{
    const struct event *e = &c->event;
    const struct {
        const char *name;
        struct text have;
    } texts[] = {
        {"hostname", e->host}, {"appname", e->program}, {"procid", e->pid}, {"msgid", e->msgid}};
    const json_t *facility = json_object_get(want, "facility");
    const json_t *severity = json_object_get(want, "severity");
    if (facility && json_integer_value(facility) != e->facility)
        return differs(c, "facility");
    if (severity && json_integer_value(severity) != e->severity)
        return differs(c, "severity");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const json_t *value = json_object_get(want, texts[i].name);
        if ((value || is_whole) && !same_text(texts[i].have, value))
            return differs(c, texts[i].name);
    }
    if (!same_time(e, json_object_get(want, "timestamp")))
        return differs(c, "time");
    const json_t *data = json_object_get(want, "structureddata");
    if ((data || is_whole) && !same_structured(e, data))
        return differs(c, "structured data");
    if (is_whole && !same_message(e, json_object_get(want, "message")))
        return differs(c, "message");
    return true;
}

static bool is_go_syslog_ok(struct checker *c, const json_t *row, struct text raw)
{
    const json_t *want = json_object_get(row, "expect");
    bool is_valid = json_is_true(json_object_get(want, "valid"));
    parse(c, raw, INT64_C(1577836800000000), FORMAT_SYSLOG);
    bool is_damaged = (c->event.flags & (EVENT_HEADER_DAMAGED | EVENT_PRI_MISSING)) != 0;
    if (is_valid == is_damaged)
        return differs(c, is_valid ? "flagged as damaged" : "not flagged as damaged");
    return same_fields(c, json_object_get(want, is_valid ? "fields" : "partial"), is_valid);
}

static bool is_frame_ok(struct checker *c, const json_t *want, struct text frame, uint32_t flags)
{
    const json_t *fields = json_object_get(want, "fields");
    bool has_error = json_is_string(json_object_get(want, "error"));
    parse(c, frame, INT64_C(1577836800000000), FORMAT_SYSLOG);
    bool is_damaged = flags || (c->event.flags & (EVENT_HEADER_DAMAGED | EVENT_PRI_MISSING));
    if (has_error != is_damaged)
        return differs(c, has_error ? "not flagged as damaged" : "flagged as damaged");
    return !fields || json_is_null(fields) || same_fields(c, fields, !has_error);
}

/* Its limit is said in an error's text alone. */
static size_t max_bytes_of(const json_t *frames)
{
    const char *error = json_string_value(json_object_get(json_array_get(frames, 0), "error"));
    const char *limit = error ? strstr(error, "max length ") : NULL;
    return limit ? strtoul(limit + 11, NULL, 10) : 65536;
}

static bool is_stream_ok(struct checker *c, const json_t *row, struct text raw)
{
    const json_t *frames = json_object_get(json_object_get(row, "expect"), "frames_besteffort");
    struct framer f;
    struct text frame;
    uint32_t flags = 0;
    size_t n = 0;
    bool is_ok = true;
    framer_init(&f, max_bytes_of(frames));
    bool is_more = true;
    while (is_more) {
        is_more = framer_next(&f, &raw, &frame, &flags);
        if (!is_more && !framer_end(&f, &frame, &flags))
            break;
        is_ok = is_ok && is_frame_ok(c, json_array_get(frames, n), frame, flags);
        n++;
    }
    framer_fini(&f);
    return n == json_array_size(frames) ? is_ok : differs(c, "number of frames");
}

static bool has_host(const json_t *names, struct text host)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (text_equal_nocase(host, text_of(json_string_value(json_array_get(names, i)))))
            return true;
    return false;
}

static bool is_host_ok(struct checker *c, const json_t *want)
{
    const json_t *names = json_object_get(want, "hostname_any");
    const json_t *others = json_object_get(want, "not_hostname");
    return (names && !has_host(names, c->event.host)) || has_host(others, c->event.host)
               ? differs(c, "host")
               : true;
}

static bool is_epoch_ok(struct checker *c, const json_t *want)
{
    const json_t *epochs = json_object_get(want, "epoch_any");
    for (size_t i = 0; i < json_array_size(epochs); i++) {
        double epoch = json_number_value(json_array_get(epochs, i));
        if ((int64_t)epoch == c->event.event_us / 1000000)
            return true;
    }
    return epochs ? differs(c, "time") : true;
}

static bool is_splunk_ok(struct checker *c, const json_t *row, struct text raw)
{
    int64_t now_us = 0;
    const json_t *now = json_object_get(json_object_get(row, "assume"), "now");
    const json_t *want = json_object_get(row, "expect");
    assert_true(timestamp_parse(text_of(json_string_value(now)), 0, &now_us, NULL));
    parse(c, raw, now_us, FORMAT_AUTO);
    return is_host_ok(c, want) && is_epoch_ok(c, want);
}

static bool same_loose_data(const struct event *e, const json_t *want)
{
    for (size_t i = 0; i < json_array_size(want); i++) {
        const json_t *element = json_array_get(want, i);
        const char *id = json_string_value(json_array_get(element, 0));
        const json_t *params = json_array_get(element, 1);
        for (size_t k = 0; k < json_array_size(params); k++) {
            const json_t *pair = json_array_get(params, k);
            if (!has_param(e, id, json_string_value(json_array_get(pair, 0)),
                           json_array_get(pair, 1)))
                return false;
        }
    }
    return true;
}

static bool is_loose_ok(struct checker *c, const json_t *row, struct text raw)
{
    const json_t *want = json_object_get(json_object_get(row, "expect"), "fields");
    const json_t *ymd = json_object_get(want, "timestamp_ymd_hms");
    const json_t *zone = json_object_get(want, "timestamp_tz");
    const struct event *e = &c->event;
    struct civil have;
    parse(c, raw, INT64_C(1579000000000000), FORMAT_AUTO);
    if (json_object_get(want, "note")) /* must fail there: must be kept whole here */
        return e->message.len ? true : differs(c, "message");
    timestamp_to_civil(e->event_us, &have);
    int parts[6] = {have.year, have.month, have.day, have.hour, have.minute, have.second};
    bool is_fixed = json_is_string(zone) && strstr(json_string_value(zone), "Fixed");
    for (size_t i = 0; i < json_array_size(ymd) && !is_fixed; i++)
        if (i != 3 && parts[i] != json_integer_value(json_array_get(ymd, i)))
            return differs(c, "time");
    if (!same_text(e->host, json_object_get(want, "hostname")))
        return differs(c, "host");
    if (!same_text(e->program, json_object_get(want, "appname")))
        return differs(c, "program");
    if (!same_text(e->pid, json_object_get(want, "procid")))
        return differs(c, "pid");
    if (!same_loose_data(e, json_object_get(want, "structured_data")))
        return differs(c, "structured data");
    return same_message(e, json_object_get(want, "message")) ? true : differs(c, "message");
}

static bool is_cef_ok(struct checker *c, const json_t *row, struct text raw)
{
    const json_t *conditions = json_object_get(json_object_get(row, "expect"), "conditions");
    parse(c, raw, INT64_C(1579000000000000), FORMAT_CEF);
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        const json_t *path = json_object_get(condition, "path");
        const json_t *value = json_object_get(condition, "value");
        const char *name = json_string_value(json_array_get(path, 0));
        bool is_plain = json_array_size(path) == 1 && json_is_string(value) && name &&
                        strcmp(name, "tags") != 0;
        if (!is_plain)
            continue;
        const struct field *f = event_field(&c->event, text_of(name));
        struct text have = f ? f->value : strcmp(name, "message") ? TEXT_NONE : c->event.message;
        if (!same_text(have, value) && !same_text(c->event.record->raw, value))
            return differs(c, name);
    }
    return true;
}

/* The member of a nested object by "a.b". */
static const json_t *member(const json_t *object, const char *outer, const char *inner)
{
    return json_object_get(json_object_get(object, outer), inner);
}

static bool is_pid(struct text have, const json_t *want)
{
    int64_t pid = 0;
    return text_to_int64(have, &pid) && pid == json_integer_value(want);
}

static bool is_grok_ok(struct checker *c, const json_t *row, struct text raw)
{
    const json_t *conditions = json_object_get(json_object_get(row, "expect"), "conditions");
    const struct event *e = &c->event;
    parse(c, raw, INT64_C(1579000000000000), FORMAT_AUTO);
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *value = json_object_get(json_array_get(conditions, i), "value");
        const json_t *host = member(value, "host", "hostname");
        const json_t *name = member(value, "process", "name");
        const json_t *pid = member(value, "process", "pid");
        if (host && !same_text(e->host, host))
            return differs(c, "host");
        if (name && !same_text(e->program, name))
            return differs(c, "program");
        if (pid && !is_pid(e->pid, pid))
            return differs(c, "pid");
        if (json_object_get(value, "timestamp") && (e->flags & EVENT_TIME_ASSUMED))
            return differs(c, "time");
    }
    return true;
}

static bool is_grok_header(const char *format)
{
    static const char *const names[] = {"SYSLOG", "CRONLOG", "SHOREWALL", "TAGGED_SYSLOG"};
    for (size_t i = 0; format && i < sizeof names / sizeof *names; i++)
        if (strstr(format, names[i]))
            return true;
    return false;
}

struct suite {
    const char *name;
    const char *match; /* in the row's suite */
    bool (*is_ok)(struct checker *c, const json_t *row, struct text raw);
    int least_percent; /* below that something got worse */
};

static const struct suite suites[] = {
    {"go-syslog rfc5424", ":rfc5424", is_go_syslog_ok, 99},
    {"go-syslog rfc3164", ":rfc3164", is_go_syslog_ok, 100},
    {"go-syslog octet counting", ":octetcounting", is_stream_ok, 100},
    {"go-syslog LF and NUL", ":nontransparent", is_stream_ok, 80},
    {"splunk, host and time", "splunk", is_splunk_ok, 92},
    {"vector (syslog-loose)", "syslog-loose", is_loose_ok, 71},
    {"logstash cef", "codec-cef", is_cef_ok, 86},
    {"logstash grok, headers", "patterns-core", is_grok_ok, 100},
};

static bool belongs(const struct suite *suite, const json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "suite"));
    if (!name || !strstr(name, suite->match))
        return false;
    return suite->is_ok != is_grok_ok ||
           is_grok_header(json_string_value(json_object_get(row, "format")));
}

static void say_difference(const struct suite *suite, const json_t *row, const struct checker *c)
{
    const char *wish = getenv("TOCSIN_CASES");
    if (!wish || strcmp(wish, "all") != 0)
        return;
    const char *raw = json_string_value(json_object_get(row, "raw"));
    printf("    %s: %s | %.40s | host %.*s | %.150s\n", suite->name, c->why ? c->why : "?",
           json_string_value(json_object_get(row, "ref")), TEXT_ARG(c->event.host),
           raw ? raw : "(bytes)");
}

static void test_suite(void **state)
{
    const struct suite *suite = *state;
    const char *corpora = getenv("TOCSIN_CORPORA");
    if (!corpora)
        SKIP_BECAUSE("TOCSIN_CORPORA is not set");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/syslog/cases.jsonl", corpora);
    FILE *f = fopen(path, "r");
    char *line = malloc(LINE_BYTES);
    char *raw = malloc(LINE_BYTES);
    assert_true(f && line && raw);
    struct checker c = {.batch = batch_new()};
    size_t count = 0;
    size_t good = 0;
    while (fgets(line, LINE_BYTES, f)) {
        json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (row && belongs(suite, row)) {
            size_t len = from_base64(json_string_value(json_object_get(row, "raw_b64")), raw);
            c.why = NULL;
            bool is_ok = suite->is_ok(&c, row, (struct text){raw, len});
            count++;
            good += is_ok;
            if (!is_ok)
                say_difference(suite, row, &c);
        }
        json_decref(row);
    }
    printf("%-26s %4zu of %4zu as expected, %.1f %%\n", suite->name, good, count,
           count ? 100.0 * (double)good / (double)count : 0);
    parser_free(c.parser);
    event_fini(&c.event);
    batch_free(c.batch);
    free(line);
    free(raw);
    (void)fclose(f);
    assert_true(count > 0);
    assert_true(good * 100 >= count * (size_t)suite->least_percent);
}

int main(void)
{
    struct CMUnitTest tests[sizeof suites / sizeof *suites];
    size_t n = 0;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        tests[n++] = ROW(test_suite, &suites[i]);
    return _cmocka_run_group_tests("test_syslog_cases", tests, n, NULL, NULL);
}
