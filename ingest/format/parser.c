/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digit.h"
#include "base/json_scan.h"
#include "ingest/format/cef.h"
#include "ingest/format/columns.h"
#include "ingest/format/known_fields.h"
#include "ingest/format/kv.h"
#include "ingest/format/leef.h"
#include "ingest/format/syslog.h"
#include "ingest/format/windows_event.h"
#include "ingest/format/wrapper.h"
#include "ingest/ingest.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIPE_WITHIN = 128 }; /* CEF's and LEEF's first '|' stands at most so far behind a header */
enum { FORMATS = FORMAT_RAW + 1 };

/* Written by the parser's thread with relaxed stores, read by whoever asks for metrics. */
struct parser {
    struct parser_options options;
    struct stamp_reader stamps;
    struct known_fields usual;
    struct json_shape *shape; /* of JSON records */
    json_wanted_fn reads;     /* NULL: every field */
    const void *context;
    bool is_loose; /* this record's pairs stand in free text: their times are none of its own */
    _Atomic uint64_t formats[FORMATS];
    _Atomic uint64_t flags[EVENT_FLAGS]; /* by bit of enum event_flag */
};

static bool wants(const void *context, struct text path, uint64_t hash)
{
    const struct parser *p = context;
    return !p->reads || known_fields_reads(&p->usual, path, hash) ||
           p->reads(p->context, path, hash);
}

enum status parser_new(const struct parser_options *options, struct parser **out, struct error *err)
{
    AUTO(parser) p = calloc(1, sizeof *p);
    if (p)
        p->shape = json_shape_new(wants, p);
    if (!p || !p->shape)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a parser");
    p->options = *options;
    p->stamps.zone_s = options->zone_s;
    known_fields_init(&p->usual);
    *out = MOVE(p);
    return STATUS_OK;
}

void parser_free(struct parser *p)
{
    if (!p)
        return;
    json_shape_free(p->shape);
    free(p);
}

void parser_begin(struct parser *p, json_wanted_fn reads, const void *context)
{
    if (p->reads == reads && p->context == context && !json_shape_is_full(p->shape))
        return;
    p->reads = reads;
    p->context = context;
    json_shape_forget(p->shape);
}

static void count(_Atomic uint64_t *counter)
{
    uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, n + 1, memory_order_relaxed); /* one writer */
}

/* Line ends and padding that belong to the sender's framing, not to the message. */
static struct text without_end(struct text t)
{
    while (t.len && (t.at[t.len - 1] == '\n' || t.at[t.len - 1] == '\r' || !t.at[t.len - 1]))
        t.len--;
    return t;
}

static uint64_t word_at(const char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Words at a time, the last one over bytes seen before: nearly every record is ASCII. */
static bool is_ascii(struct text t)
{
    const size_t word = sizeof(uint64_t);
    uint64_t all = 0;
    size_t i = 0;
    for (; i + 4 * word <= t.len; i += 4 * word)
        all |= word_at(t.at + i) | word_at(t.at + i + word) | word_at(t.at + i + 2 * word) |
               word_at(t.at + i + 3 * word);
    for (; i + word <= t.len; i += word)
        all |= word_at(t.at + i);
    if (t.len >= word)
        all |= word_at(t.at + t.len - word);
    else
        for (; i < t.len; i++)
            all |= (unsigned char)t.at[i];
    return !(all & UINT64_C(0x8080808080808080));
}

/* A JSON object that is the whole of `t`, maybe behind "@cee:". */
static bool read_json(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    struct json_shape *shape = e->record->kind == RECORD_ALERT ? NULL : p->shape;
    size_t broken_at = 0;
    if (text_starts(t, TEXT("@cee:")))
        t = text_skip(t, 5);
    t = text_trim(t);
    if (!t.len || t.at[0] != '{')
        return false;
    enum status s = json_scan(t, shape, arena, e, &broken_at);
    return s == STATUS_OK || s == STATUS_LIMIT;
}

static bool read_cef(struct text t, struct arena *arena, struct event *e)
{
    size_t at = cef_find(t);
    if (at == t.len || !cef_read(text_skip(t, at), arena, e))
        return false;
    e->format = FORMAT_CEF;
    return true;
}

static bool read_leef(struct text t, struct arena *arena, struct event *e)
{
    size_t at = leef_find(t);
    if (at == t.len || !leef_read(text_skip(t, at), arena, e))
        return false;
    e->format = FORMAT_LEEF;
    return true;
}

/*
 * Palo Alto: "1,2014/02/05 13:37:45,serial,TRAFFIC,...". A later column may hold the event's time
 * with milliseconds and zone; the second one is when the log was written, in a zone it does not
 * say.
 */
static void read_column_time(struct parser *p, struct text t, struct event *e)
{
    struct stamp stamp;
    if (t.len < 3 || t.at[1] != ',' || !stamp_read_iso(&p->stamps, text_skip(t, 2), &stamp))
        return;
    if (e->flags & EVENT_TIME_ASSUMED)
        stamp_apply(&stamp, e);
    for (size_t at = 2 + stamp.len; at < t.len; at += text_find_byte(text_skip(t, at), ',') + 1) {
        struct text column = text_skip(t, at);
        bool is_iso = column.len > 20 && column.at[4] == '-' && column.at[10] == 'T';
        if (is_iso && stamp_read_iso(&p->stamps, column, &stamp) && stamp.has_zone) {
            stamp_apply(&stamp, e);
            return;
        }
    }
}

/* rsyslog's and sysklogd's "message repeated 5 times: [ text]": the text, for five events. */
static void open_repeated(struct event *e)
{
    enum { DIGITS = 9 };
    static const struct text start = {"message repeated ", 17};
    if (!e->message.len || e->message.at[0] != 'm' || !text_starts(e->message, start))
        return;
    struct text t = text_skip(e->message, start.len);
    uint32_t count = 0;
    size_t digits = 0;
    for (; digits < t.len && digits < DIGITS && digit_is(t.at[digits]); digits++)
        count = count * 10 + (uint32_t)(t.at[digits] - '0');
    struct text number = text_head(t, digits);
    t = text_trim(text_skip(t, digits));
    if (!digits || !text_starts(t, TEXT("times: [")) || !text_ends(t, TEXT("]")))
        return;
    e->message = text_trim(text_head(text_skip(t, 8), t.len - 9));
    e->repeated = count < EVENT_REPEATS ? count : EVENT_REPEATS;
    e->flags |= count > EVENT_REPEATS ? (uint32_t)EVENT_REPEATS_CUT : 0;
    (void)event_add(e, TEXT("repeated"), number);
}

/* Sysmon for Linux writes the same XML, and has decoders of its own. */
static bool read_windows(struct text t, struct arena *arena, struct event *e)
{
    const bool is_linux = text_equal_nocase(text_head(e->program, 6), TEXT("sysmon"));
    return !is_linux &&
           (windows_event_read_xml(t, arena, e) || windows_event_read_snare(t, arena, e));
}

/* Fields out of the message behind a header. */
static void read_body(struct parser *p, struct arena *arena, struct event *e)
{
    open_repeated(e);
    struct text t = e->message;
    if (t.len && (t.at[0] <= ' ' || t.at[t.len - 1] <= ' '))
        t = text_trim(t);
    if (!t.len || ((t.at[0] == '{' || t.at[0] == '@') && read_json(p, t, arena, e)))
        return;
    if ((t.at[0] == '<' || t.at[0] == 'M') && read_windows(t, arena, e))
        return;
    struct text head = text_head(t, PIPE_WITHIN);
    bool has_pipe = text_find_byte(head, '|') < head.len;
    if (has_pipe && (read_cef(t, arena, e) || read_leef(t, arena, e)))
        return;
    if (kv_is_start(t) && kv_read(t, arena, e))
        p->is_loose = !(e->flags & EVENT_TIME_ASSUMED);
    else
        read_column_time(p, t, e);
}

/* A time at the front of a plain line, bare or in brackets, or a web server's "[05/Feb/2014:...".
 */
static void read_line_time(struct parser *p, struct text t, struct event *e)
{
    enum { SEARCHED = 256, DATE_DIGITS = 10 };
    struct stamp stamp;
    if (stamp_read(&p->stamps, t, &stamp) && stamp.len > DATE_DIGITS) {
        stamp_apply(&stamp, e);
        return;
    }
    struct text rest = text_head(t, SEARCHED);
    for (int i = 0; i < 4; i++) {
        rest = text_skip(rest, text_find_byte(rest, '[') + 1);
        if (!rest.len)
            return;
        if (stamp_read(&p->stamps, rest, &stamp)) {
            stamp_apply(&stamp, e);
            return;
        }
    }
}

static void read_raw(struct parser *p, struct text t, struct event *e)
{
    e->format = FORMAT_RAW;
    e->message = t;
    read_line_time(p, t, e);
}

static void read_header(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    struct text rest = t;
    bool has_priority = syslog_take_priority(&rest, e);
    if (!has_priority && (e->flags & EVENT_HEADER_DAMAGED)) {
        e->format = FORMAT_RFC3164;
        e->message = t;
        return;
    }
    if (!has_priority && e->facility < 0)
        e->flags |= EVENT_PRI_MISSING;
    if (!syslog_read_5424(&p->stamps, rest, arena, e))
        syslog_read_3164(&p->stamps, rest, e);
}

/* What a relay wrote around a message is taken off; its name stays as the field `relay`. */
static void open_relayed(struct parser *p, struct arena *arena, struct event *e)
{
    enum { RELAYS = 3 };
    for (int i = 0; i < RELAYS && syslog_has_inner(&p->stamps, e); i++) {
        struct text inner = text_trim(e->message);
        if (e->host.len)
            (void)event_add(e, TEXT("relay"), e->host);
        e->host = e->program = e->pid = e->msgid = e->message = TEXT_NONE;
        e->param_count = 0;
        read_header(p, inner, arena, e);
    }
}

static void read_syslog(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    read_header(p, t, arena, e);
    open_relayed(p, arena, e);
}

static bool is_priority(struct text t)
{
    struct event probe = {0};
    return syslog_take_priority(&t, &probe);
}

/* "date time<tab>key=value": pairs behind a time. */
static bool read_timed_pairs(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    struct stamp stamp;
    if (!stamp_read(&p->stamps, t, &stamp))
        return false;
    struct text rest = text_trim(text_skip(t, stamp.len));
    if (!kv_is_start(rest) || !kv_read(rest, arena, e))
        return false;
    stamp_apply(&stamp, e);
    return true;
}

static bool read_pairs(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    bool is_pairs = (kv_is_start(t) && kv_read(t, arena, e)) || read_timed_pairs(p, t, arena, e);
    if (is_pairs)
        e->format = FORMAT_KV;
    return is_pairs;
}

/* "Feb  5 13:37:45 host ...", read once: what looks so and has no such month is undone. */
static bool read_plain_line(struct parser *p, struct text t, struct event *e)
{
    enum { DATE = 15 };
    bool is_plain = t.len > DATE && t.at[3] == ' ' && t.at[6] == ' ' && t.at[9] == ':' &&
                    t.at[12] == ':' && t.at[DATE] == ' ' && t.at[0] > '9';
    if (!is_plain)
        return false;
    syslog_read_3164(&p->stamps, t, e);
    if (!(e->flags & EVENT_TIME_ASSUMED)) {
        e->flags |= EVENT_PRI_MISSING;
        return true;
    }
    e->host = e->program = e->pid = e->msgid = e->message = TEXT_NONE;
    return false;
}

/* "1 2020-05-22T14:59:09Z host ..." or "Feb  5 13:37:45 host ...", as files hold it. */
static bool read_file_line(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    struct stamp stamp;
    bool is_digit = t.len && t.at[0] >= '0' && t.at[0] <= '9';
    if (read_plain_line(p, t, e))
        return true;
    bool is_syslog =
        is_digit ? syslog_is_file_line(&p->stamps, t) : stamp_read_bsd(&p->stamps, t, &stamp);
    if (is_syslog) {
        e->flags |= EVENT_PRI_MISSING;
        syslog_read_3164(&p->stamps, t, e);
        return true;
    }
    if (!is_digit || (!syslog_read_5424(&p->stamps, t, arena, e) &&
                      !syslog_read_bare_5424(&p->stamps, t, arena, e)))
        return false;
    e->flags |= EVENT_PRI_MISSING;
    return true;
}

/* Blanks before what begins a record ("  {", "\n<13>") are the sender's, not the message's. */
static struct text without_indent(struct text t)
{
    if (text_starts(t, TEXT("\xEF\xBB\xBF")))
        t = text_skip(t, 3);
    size_t i = 0;
    while (i < t.len && (t.at[i] == ' ' || t.at[i] == '\t' || t.at[i] == '\n' || t.at[i] == '\r'))
        i++;
    return i < t.len && (t.at[i] == '<' || t.at[i] == '{') ? text_skip(t, i) : t;
}

/* Looks at the bytes. */
static void read_line(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    t = without_indent(t);
    char first = t.len ? t.at[0] : '\0';
    if (first == '{' && read_json(p, t, arena, e)) {
        e->format = FORMAT_JSON;
        e->message = t;
        return;
    }
    bool is_markup = first == '<' && (t.len < 2 || t.at[1] < '0' || t.at[1] > '9');
    bool is_digit = first >= '0' && first <= '9'; /* a count before the priority */
    if ((first == '<' && !is_markup) || (is_digit && is_priority(t))) {
        read_syslog(p, t, arena, e);
        read_body(p, arena, e);
        return;
    }
    if (read_file_line(p, t, arena, e)) {
        open_relayed(p, arena, e);
        read_body(p, arena, e);
        return;
    }
    e->message = t;
    if (read_cef(t, arena, e) || read_leef(t, arena, e) || read_pairs(p, t, arena, e))
        return;
    if (is_markup && read_windows(t, arena, e)) {
        e->format = FORMAT_RAW;
        return;
    }
    if (first == '{')
        e->flags |= EVENT_HEADER_DAMAGED;
    read_raw(p, t, e);
}

/* A container runtime's time, stream and mark may stand before the line. */
static void read_any(struct parser *p, struct text t, struct arena *arena, struct event *e)
{
    struct stamp stamp;
    const bool is_digit = t.len && t.at[0] >= '0' && t.at[0] <= '9';
    const bool is_container = is_digit && wrapper_take_cri(&p->stamps, &t, &stamp);
    read_line(p, t, arena, e);
    if (!is_container)
        return;
    if (e->flags & (EVENT_TIME_ASSUMED | EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED))
        stamp_apply(&stamp, e);
    e->flags &= ~(uint32_t)EVENT_PRI_MISSING;
    if (!e->program.len && e->record)
        e->program = wrapper_program_of_path(e->record->peer);
}

static bool read_known(struct parser *p, enum format format, struct text t, struct arena *arena,
                       struct event *e)
{
    e->format = format;
    e->message = t;
    switch (format) {
    case FORMAT_JSON:
        return read_json(p, t, arena, e);
    case FORMAT_CEF:
        return read_cef(t, arena, e);
    case FORMAT_LEEF:
        return read_leef(t, arena, e);
    case FORMAT_KV:
        return read_pairs(p, t, arena, e);
    case FORMAT_SYSLOG:
    case FORMAT_RFC5424:
    case FORMAT_RFC3164:
        read_syslog(p, t, arena, e);
        read_body(p, arena, e);
        return true;
    case FORMAT_AUTO:
        read_any(p, t, arena, e);
        return true;
    case FORMAT_RAW:
        break;
    }
    return true;
}

/* CEF and LEEF stand behind a syslog header, too, whatever the source was told. */
static void read_format(struct parser *p, enum format format, struct text t, struct arena *arena,
                        struct event *e)
{
    bool is_wrapped = (format == FORMAT_CEF || format == FORMAT_LEEF) && is_priority(t);
    if (read_known(p, is_wrapped ? FORMAT_SYSLOG : format, t, arena, e))
        return;
    e->flags |= EVENT_HEADER_DAMAGED;
    e->format = FORMAT_RAW;
}

/* ---- envelopes of collectors ---- */

/* What an event knew before the line inside it was read. */
struct outer {
    struct event event;   /* its arrays are the event's */
    struct field *fields; /* copied: they stand behind, or before, the line's own */
};

static bool keep_outer(const struct event *e, struct arena *arena, struct outer *out)
{
    out->event = *e;
    out->fields = arena_alloc(arena, (e->field_count + 1) * sizeof *out->fields);
    if (!out->fields)
        return false;
    if (e->field_count)
        memcpy(out->fields, e->fields, e->field_count * sizeof *out->fields);
    return true;
}

/* As if nothing had been read of the record but that there is a line in it. */
static void forget(struct event *e)
{
    e->field_count = e->document_fields = 0;
    e->document = TEXT_NONE;
    e->is_partial = e->is_plain = false;
    e->host = e->program = e->pid = e->msgid = e->message = TEXT_NONE;
    e->facility = e->severity = -1;
    e->flags = EVENT_TIME_ASSUMED;
}

static void take_time(const struct outer *outer, bool is_exact, struct event *e)
{
    const uint32_t guesses =
        EVENT_TIME_ASSUMED | EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED | EVENT_ORDER_ASSUMED;
    const bool is_guess = e->flags & (EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED);
    const bool has_outer = !(outer->event.flags & EVENT_TIME_ASSUMED);
    if (!(e->flags & EVENT_TIME_ASSUMED) && !(is_exact && is_guess && has_outer))
        return;
    e->event_us = outer->event.event_us;
    e->flags = (e->flags & ~guesses) | (outer->event.flags & guesses);
}

/* Fields of a JSON object come first, for the event's document is theirs; else the envelope's. */
static void join_fields(const struct outer *outer, struct arena *arena, struct event *e)
{
    const struct field *behind = outer->fields;
    uint32_t count = outer->event.field_count;
    if (!e->document.at) {
        struct outer inner;
        if (!keep_outer(e, arena, &inner))
            return;
        behind = inner.fields;
        count = inner.event.field_count;
        e->field_count = 0;
        for (uint32_t i = 0; i < outer->event.field_count; i++)
            (void)event_add_field(e, &outer->fields[i]);
        e->document = outer->event.document;
        e->document_fields = outer->event.document_fields;
        e->is_partial = outer->event.is_partial;
        e->is_plain = outer->event.is_plain;
    }
    for (uint32_t i = 0; i < count; i++)
        (void)event_add_field(e, &behind[i]);
}

static void join_outer(const struct outer *outer, const struct wrapper_inner *inner,
                       struct arena *arena, struct event *e)
{
    const uint32_t of_times =
        EVENT_TIME_ASSUMED | EVENT_YEAR_ASSUMED | EVENT_ZONE_ASSUMED | EVENT_ORDER_ASSUMED;
    const struct event *o = &outer->event;
    take_time(outer, inner->is_exact, e);
    e->flags &= ~(uint32_t)EVENT_PRI_MISSING; /* no line inside an envelope has one */
    e->flags |= o->flags & ~of_times;
    e->host = e->host.len ? e->host : o->host;
    e->program = e->program.len ? e->program : inner->program.len ? inner->program : o->program;
    e->pid = e->pid.len ? e->pid : inner->pid.len ? inner->pid : o->pid;
    e->msgid = e->msgid.len ? e->msgid : o->msgid;
    if (e->severity < 0)
        e->severity = inner->severity >= 0 ? inner->severity : o->severity;
    if (e->facility < 0)
        e->facility = inner->facility >= 0 ? inner->facility : o->facility;
    e->format = o->format;
    join_fields(outer, arena, e);
}

/* The line inside, read as its own record; `marks` are those of the event's fields. */
static void open_envelope(struct parser *p, uint64_t marks, int depth, struct arena *arena,
                          struct event *e)
{
    struct wrapper_inner inner;
    struct outer outer;
    if (depth == WRAPPER_DEPTH || !wrapper_find(&p->usual, marks, e, arena, &inner) ||
        !keep_outer(e, arena, &outer))
        return;
    const bool has_priority = is_priority(inner.text);
    if (!(e->flags & EVENT_TIME_ASSUMED)) /* better than receipt for a date without year */
        p->stamps.near_us = e->near_us = e->event_us;
    forget(e);
    e->message = without_end(inner.text);
    p->is_loose = false;
    if (inner.is_body && !has_priority)
        read_body(p, arena, e);
    else
        read_any(p, e->message, arena, e);
    if (e->field_count) {
        marks = known_fields_apply(&p->usual, &p->stamps, arena, p->is_loose, e);
        if (e->document.at)
            open_envelope(p, marks, depth + 1, arena, e);
    }
    join_outer(&outer, &inner, arena, e);
}

static bool is_local_name(struct text host)
{
    return text_equal_nocase(host, TEXT("localhost")) || text_equal(host, TEXT("127.0.0.1")) ||
           text_equal(host, TEXT("::1")) || text_starts(host, TEXT("localhost.localdomain"));
}

/* IPv4-mapped addresses are written as IPv4. */
static struct text without_mapping(struct text host)
{
    const size_t prefix = 7;
    bool is_mapped = host.len > prefix &&
                     text_equal_nocase(text_head(host, prefix), TEXT("::ffff:")) &&
                     text_find_byte(host, '.') < host.len;
    return is_mapped ? text_skip(host, prefix) : host;
}

static void settle_host(const struct record *r, struct event *e)
{
    bool is_path = r->peer.len && r->peer.at[0] == '/';
    if (r->peer.len && !is_path && (!e->host.len || is_local_name(e->host))) {
        e->host = r->peer;
        e->flags |= EVENT_HOST_ASSUMED;
    }
    e->host = without_mapping(e->host);
}

static void count_event(struct parser *p, const struct event *e)
{
    count(&p->formats[e->format]);
    for (uint32_t flags = e->flags; flags; flags &= flags - 1)
        count(&p->flags[__builtin_ctz(flags)]);
}

void parser_read(struct parser *p, const struct record *r, struct arena *arena, struct event *out)
{
    enum format format = r->format == FORMAT_AUTO ? p->options.format : r->format;
    struct text raw = without_end(r->raw);
    event_reset(out, r);
    out->near_us = p->options.now_us ? p->options.now_us : r->receive_us;
    out->zone_s = record_zone_s(r, p->options.zone_s);
    out->latest_us = p->options.ahead_us ? r->receive_us + p->options.ahead_us : 0;
    p->stamps.near_us = out->near_us;
    p->stamps.zone_s = out->zone_s;
    out->dates = r->flags & (RECORD_DAY_FIRST | RECORD_MONTH_FIRST);
    p->stamps.dates = out->dates;
    p->is_loose = false;
    out->flags = EVENT_TIME_ASSUMED;
    if (r->flags & RECORD_TRUNCATED)
        out->flags |= EVENT_TRUNCATED;
    if (r->columns.len && columns_read(r->columns, raw, arena, out)) {
        out->format = FORMAT_KV;
        out->message = raw;
    } else
        read_format(p, format, raw, arena, out);
    const bool is_checked = out->document.at && out->document.len == raw.len;
    if (!is_checked && !is_ascii(raw) && !text_is_utf8(raw))
        out->flags |= EVENT_NOT_UTF8;
    if (out->field_count) {
        uint64_t marks = known_fields_apply(&p->usual, &p->stamps, arena, p->is_loose, out);
        if (marks & known_lines() && out->document.at && r->kind == RECORD_EVENT)
            open_envelope(p, marks, 0, arena, out);
    }
    if (r->kind == RECORD_ALERT) { /* a state that is told again and again: it is so now */
        out->event_us = r->receive_us;
        out->flags &= ~(uint32_t)EVENT_TIME_ASSUMED;
    }
    if (out->latest_us && out->event_us > out->latest_us) {
        out->event_us = r->receive_us;
        out->flags |= EVENT_TIME_CLAMPED;
    }
    settle_host(r, out);
    count_event(p, out);
}

static uint64_t value_of(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void parser_metrics(const struct parser *p, metric_fn tell, void *context)
{
    char labels[64];
    for (int i = FORMAT_RFC5424; i < FORMATS; i++) {
        (void)snprintf(labels, sizeof labels, "format=\"%s\"", event_format_name((enum format)i));
        tell(context, &(struct metric){"events_parsed_total", "Records read, by their format.",
                                       labels, METRIC_COUNTER, (double)value_of(&p->formats[i])});
    }
    for (size_t i = 0; i < EVENT_FLAGS; i++) {
        (void)snprintf(labels, sizeof labels, "reason=\"%s\"", event_flag_name(UINT32_C(1) << i));
        tell(context, &(struct metric){"events_flagged_total",
                                       "Records in which something was missing, guessed or broken.",
                                       labels, METRIC_COUNTER, (double)value_of(&p->flags[i])});
    }
}
