/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/syslog.h"
#include "base/digit.h"
#include "ingest/format/kv.h"
#include "ingest/format/structured.h"
#include "ingest/format/tag.h"

enum {
    VERSION_DIGITS = 3,
    /* RFC 5424 6: longer ones are read, and flagged. */
    HOST_BYTES = 255,
    PROGRAM_BYTES = 48,
    PID_BYTES = 128,
    MSGID_BYTES = 32,
    RELAYS = 3, /* headers inside each other */
};

static size_t digits_of(struct text t, size_t most)
{
    size_t n = 0;
    while (n < t.len && n < most && digit_is(t.at[n]))
        n++;
    return n;
}

/* Length of the space that `t` begins with, 0: none. Some senders pad with no-break spaces, in
 * UTF-8 or Latin-1. */
static size_t space_len(struct text t)
{
    if (t.len && (t.at[0] == ' ' || t.at[0] == (char)0xA0))
        return 1;
    return text_starts(t, TEXT("\xC2\xA0")) ? 2 : 0;
}

/* A byte order mark in front says how the bytes are to be read, and is no part of them. */
static struct text without_mark(struct text t)
{
    return text_starts(t, TEXT("\xEF\xBB\xBF")) ? text_skip(t, 3) : t;
}

static void skip_spaces(struct text *t)
{
    size_t i = 0;
    for (size_t len = 1; len && i < t->len; i += len)
        len = space_len((struct text){t->at + i, t->len - i});
    *t = (struct text){t->at + i, t->len - i};
}

static bool is_at(struct text t, size_t i, char c)
{
    return i < t.len && t.at[i] == c;
}

/* Length of "12 " before a "<": a relay left its count in front. */
static size_t count_len(struct text t)
{
    size_t n = digits_of(t, 10);
    return n && is_at(t, n, ' ') && is_at(t, n + 1, '<') ? n + 1 : 0;
}

bool syslog_take_priority(struct text *t, struct event *e)
{
    size_t at = is_at(*t, 0, '<') ? 1 : count_len(*t) + 1;
    size_t digits = 0;
    int value = 0;
    if (!is_at(*t, at - 1, '<'))
        return false;
    for (; digits < 4 && at + digits < t->len && digit_is(t->at[at + digits]); digits++)
        value = value * 10 + (t->at[at + digits] - '0');
    bool is_padded = digits > 1 && t->at[at] == '0';
    if (!digits || digits > 3 || !is_at(*t, at + digits, '>') || value > 191 || is_padded) {
        e->flags |= EVENT_HEADER_DAMAGED;
        return false;
    }
    e->facility = value >> 3;
    e->severity = value & 7;
    at += digits + 1;
    *t = without_mark((struct text){t->at + at, t->len - at});
    return true;
}

/* ---- RFC 5424 ---- */

/* What is left from a damaged place on is the message: nothing of it is lost. */
static void give_up(struct text rest, struct event *e)
{
    e->flags |= EVENT_HEADER_DAMAGED;
    e->message = rest;
}

/* One word of printable ASCII and the space behind it. False: *t stays. */
static bool take_word(struct text *t, size_t most, struct event *e, struct text *out)
{
    size_t len = 0;
    while (len < t->len && t->at[len] > ' ' && t->at[len] <= '~')
        len++;
    if (!len || !is_at(*t, len, ' '))
        return false;
    struct text word = text_head(*t, len);
    if (len > most)
        e->flags |= EVENT_HEADER_DAMAGED;
    *out = len == 1 && word.at[0] == '-' ? TEXT_NONE : word;
    *t = text_skip(*t, len + 1);
    return true;
}

/* A host that stands before what is no header any more: "host CEF:0|", "host program: text". */
static bool is_short_header(struct text t)
{
    return text_starts(t, TEXT("CEF:")) || text_starts(t, TEXT("LEEF:")) || is_at(t, 0, '{');
}

static void take_message(struct text t, struct event *e)
{
    if (is_at(t, 0, ' '))
        t = text_skip(t, 1);
    e->message = without_mark(t);
}

/* "42", "42.7", "" (it was nil): a shortened header's next word is text where it is no such. */
static bool is_pid(struct text word)
{
    return !word.len || digit_is(word.at[0]);
}

/* "ID47", "TCPIN": a word without a small letter. */
static bool is_msgid(struct text word)
{
    for (size_t i = 0; i < word.len; i++) {
        bool is_part = (word.at[i] >= 'A' && word.at[i] <= 'Z') || digit_is(word.at[i]) ||
                       word.at[i] == '_' || word.at[i] == '-' || word.at[i] == '.';
        if (!is_part)
            return false;
    }
    return true;
}

/*
 * Senders shorten the header: what stands where process, message id or structured data should be
 * and does not look like it begins the message. `t` stands behind the program.
 */
static void read_shortened(struct text t, struct event *e)
{
    struct text word;
    struct text rest = t;
    e->pid = e->msgid = TEXT_NONE;
    if (take_word(&rest, PID_BYTES, e, &word) && is_pid(word)) {
        e->pid = word;
        t = rest;
        if (take_word(&rest, MSGID_BYTES, e, &word) && is_msgid(word)) {
            e->msgid = word;
            t = rest;
        }
    }
    give_up(t, e);
}

static void read_5424_words(struct text t, struct arena *arena, struct event *e)
{
    struct text program;
    if (!take_word(&t, HOST_BYTES, e, &e->host)) {
        give_up(t, e);
        return;
    }
    if (is_short_header(t)) {
        e->message = t;
        return;
    }
    struct text from_program = t;
    if (!take_word(&t, PROGRAM_BYTES, e, &program)) {
        give_up(t, e);
        return;
    }
    struct text behind_program = t;
    bool has_colon = text_ends(program, TEXT(":"));
    e->program = has_colon ? text_head(program, program.len - 1) : program;
    if (!take_word(&t, PID_BYTES, e, &e->pid) || !take_word(&t, MSGID_BYTES, e, &e->msgid) ||
        !structured_read(&t, arena, e)) {
        if (is_at(t, 0, '[') && kv_read_brackets(t, arena, e)) {
            e->param_count = 0;
            e->message = t;
            return;
        }
        if (has_colon) { /* RFC 3164 behind a version: what follows the colon is text */
            e->program = e->pid = e->msgid = TEXT_NONE;
            tag_take(&from_program, e);
            give_up(from_program, e);
        } else {
            read_shortened(behind_program, e);
        }
        return;
    }
    take_message(t, e);
}

/* "1738749600.123456789" */
static bool is_epoch(struct text t)
{
    enum { SECONDS = 10 };
    return digits_of(t, SECONDS + 1) == SECONDS && is_at(t, SECONDS, '.');
}

/* Meraki: "1 1738749600.123456789 host events text" has a host and no other words of a header. The
 * message is all of it behind the version, as Meraki's devices write it elsewhere. */
static void read_meraki(struct text from_time, struct text rest, struct event *e)
{
    rest = text_skip(rest, 1);
    if (!take_word(&rest, HOST_BYTES, e, &e->host)) {
        give_up(from_time, e);
        return;
    }
    e->message = from_time;
}

bool syslog_read_5424(struct stamp_reader *stamps, struct text t, struct arena *arena,
                      struct event *e)
{
    size_t n = digits_of(t, VERSION_DIGITS + 1);
    if (!n || n > VERSION_DIGITS || t.at[0] == '0')
        return false;
    bool is_ended = t.len == n;
    if (!is_ended && !is_at(t, n, ' ')) {
        /* "<1>3a" can be nothing else; "20: host:" is Cisco, "1,2014/02/05" a CSV line */
        bool is_letter = (t.at[n] | 0x20) >= 'a' && (t.at[n] | 0x20) <= 'z';
        if (!is_letter || e->facility < 0)
            return false;
        e->format = FORMAT_RFC5424;
        give_up(t, e);
        return true;
    }
    struct text rest = text_skip(t, n + 1);
    struct stamp stamp = {0};
    bool is_nil = is_at(rest, 0, '-') && (rest.len == 1 || rest.at[1] == ' ');
    bool has_time = !is_nil && stamp_read(stamps, rest, &stamp);
    if (!is_nil && !has_time && e->facility < 0)
        return false;
    e->format = FORMAT_RFC5424;
    if (has_time)
        stamp_apply(&stamp, e);
    rest = text_skip(rest, is_nil ? 1 : stamp.len);
    if (has_time && is_epoch(text_skip(t, n + 1)) && is_at(rest, 0, ' '))
        read_meraki(text_skip(t, n + 1), rest, e);
    else if ((is_nil || has_time) && is_at(rest, 0, ' '))
        read_5424_words(text_skip(rest, 1), arena, e);
    else
        give_up(rest, e);
    return true;
}

/* "host program 123 - - text" or "host program - ID47 [..] text": what stands behind the time of
 * RFC 5424, told from prose by its process id and its structured data. */
static bool is_5424_words(struct text t)
{
    enum { HOST, PROGRAM, PROCESS, MESSAGE_ID, WORDS };
    for (int i = 0; i < WORDS; i++) {
        const struct text word = text_head(t, text_find_byte(t, ' '));
        const bool is_nil = text_equal(word, TEXT("-"));
        if (!word.len || (i == PROCESS && !is_nil && digits_of(word, word.len) != word.len))
            return false;
        t = text_skip(t, word.len + 1);
    }
    return is_at(t, 0, '[') || text_equal(t, TEXT("-")) || text_starts(t, TEXT("- "));
}

bool syslog_read_bare_5424(struct stamp_reader *stamps, struct text t, struct arena *arena,
                           struct event *e)
{
    struct stamp stamp = {0};
    if (!stamp_read_iso(stamps, t, &stamp) || !is_at(t, stamp.len, ' ') ||
        !is_5424_words(text_skip(t, stamp.len + 1)))
        return false;
    e->format = FORMAT_RFC5424;
    stamp_apply(&stamp, e);
    read_5424_words(text_skip(t, stamp.len + 1), arena, e);
    return true;
}

/* ---- RFC 3164 ---- */

/* Routers: "20: host: 6340004: *Mar 14 09:26:53.589 CDT: %SYS-6-RESTART: text". */
struct router {
    struct text host;
    struct text rest; /* from behind the time's colon on */
    struct stamp stamp;
    bool has_time;
};

/* "%SYS-6-RESTART" */
static bool is_mnemonic(struct text t)
{
    size_t i = 1;
    while (i < t.len && ((t.at[i] >= 'A' && t.at[i] <= 'Z') || digit_is(t.at[i]) || t.at[i] == '_'))
        i++;
    return i > 1 && is_at(t, 0, '%') && is_at(t, i, '-');
}

static bool stamp_with_colon(struct stamp_reader *stamps, struct text t, struct router *out)
{
    if (is_at(t, 0, '*') || is_at(t, 0, '.'))
        t = text_skip(t, 1);
    if (!stamp_read_bsd(stamps, t, &out->stamp))
        return false;
    struct text rest = text_skip(t, out->stamp.len);
    skip_spaces(&rest);
    if (!is_at(rest, 0, ':'))
        return false;
    rest = text_skip(rest, 1);
    skip_spaces(&rest);
    out->rest = rest;
    out->has_time = true;
    return true;
}

/* The word before one of the colons: a sequence number, an uptime, a task, or the host. */
static void note_word(struct text word, struct router *out)
{
    size_t space = text_find_byte(word, ' ');
    word = text_head(word, space);
    bool is_number = digits_of(word, word.len) == word.len;
    bool is_host =
        word.len && !is_number && tag_is_host(word) && text_find_byte(word, '/') == word.len;
    if (is_host && !out->host.len)
        out->host = word;
}

static bool read_router(struct stamp_reader *stamps, struct text t, struct router *out)
{
    enum { WORDS = 6, WORD_BYTES = 80 };
    *out = (struct router){0};
    for (int i = 0; i < WORDS; i++) {
        if (stamp_with_colon(stamps, t, out))
            return true;
        if (is_mnemonic(t)) {
            out->rest = t;
            return i > 0;
        }
        size_t colon = text_find_byte(text_head(t, WORD_BYTES), ':');
        if (colon == t.len || colon == WORD_BYTES)
            return false;
        struct text word = text_head(t, colon);
        note_word(word, out);
        t = text_skip(t, colon + 1);
        skip_spaces(&t);
    }
    return false;
}

static void give_text(struct text t, struct event *e)
{
    tag_take(&t, e);
    e->message = without_mark(t);
}

/* AIX: "Message forwarded from host: tag: text". */
static bool take_forwarded(struct text *t, struct event *e)
{
    static const char *const starts[] = {"Message forwarded from ", "Forwarded from "};
    if (!is_at(*t, 0, 'M') && !is_at(*t, 0, 'F'))
        return false;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct text start = text_of(starts[i]);
        if (!text_starts(*t, start))
            continue;
        struct text rest = text_skip(*t, start.len);
        size_t colon = text_find(rest, TEXT(": "));
        if (colon == rest.len || !tag_is_host(text_head(rest, colon)))
            return false;
        e->host = text_head(rest, colon);
        *t = text_skip(rest, colon + 2);
        return true;
    }
    return false;
}

/* "1 2026-03-04T02:44:25Z ": RFC 5424 from its version on. */
static bool is_versioned(struct stamp_reader *stamps, struct text t)
{
    struct stamp stamp;
    size_t n = digits_of(t, VERSION_DIGITS + 1);
    if (!n || n > VERSION_DIGITS || t.at[0] == '0' || !is_at(t, n, ' '))
        return false;
    t = text_skip(t, n + 1);
    return t.len > 11 && t.at[10] == 'T' && stamp_read_iso(stamps, t, &stamp) &&
           is_at(t, stamp.len, ' ');
}

/* A relay put its own header before this one: "<13>Feb  5 ..." or "Feb  5 10:00:00 host tag:". */
static bool is_inner_header(struct stamp_reader *stamps, struct text t)
{
    struct stamp stamp;
    if (is_at(t, 0, '<')) {
        struct event probe = {0};
        struct text rest = t;
        if (!syslog_take_priority(&rest, &probe))
            return false;
        skip_spaces(&rest);
        return stamp_read(stamps, rest, &stamp) || is_versioned(stamps, rest);
    }
    return stamp_read_bsd(stamps, t, &stamp) && syslog_is_file_line(stamps, t);
}

/* What stands behind the time. */
static void read_from_host(struct text t, struct event *e)
{
    skip_spaces(&t);
    if (!take_forwarded(&t, e))
        tag_take_host(&t, e);
    give_text(t, e);
}

void syslog_read_3164(struct stamp_reader *stamps, struct text t, struct event *e)
{
    struct stamp stamp;
    struct router router;
    e->format = FORMAT_RFC3164;
    for (int i = 0; i < RELAYS; i++) {
        skip_spaces(&t);
        if (!stamp_read(stamps, t, &stamp) || is_at(t, stamp.len, ':'))
            break;
        stamp_apply(&stamp, e);
        t = (struct text){t.at + stamp.len, t.len - stamp.len};
        read_from_host(t, e);
        if (e->program.len || !is_inner_header(stamps, e->message))
            return;
        t = e->message;
        (void)syslog_take_priority(&t, e);
    }
    if (read_router(stamps, t, &router)) {
        if (router.has_time)
            stamp_apply(&router.stamp, e);
        e->host = router.host;
        t = router.rest;
    }
    give_text(t, e);
}

/* Programs that pass on what others said. */
static bool is_relay(struct text program)
{
    static const char *const names[] = {"rsyslog",  "rsyslogd", "syslog-ng", "syslog",
                                        "syslogd",  "nxlog",    "fluentd",   "fluent-bit",
                                        "logstash", "vector",   "relay",     "forwarder"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal_nocase(program, text_of(names[i])))
            return true;
    return !program.len;
}

bool syslog_has_inner(struct stamp_reader *stamps, const struct event *e)
{
    struct text t = e->message;
    if (!t.len || (t.at[0] != '<' && !digit_is(t.at[0]) && t.at[0] != ' ') || !is_relay(e->program))
        return false;
    skip_spaces(&t);
    return is_at(t, 0, '<') ? is_inner_header(stamps, t) : is_versioned(stamps, t);
}

/* Words that begin a line of a program's own log: where others have a host. */
static bool is_level(struct text word)
{
    static const char *const names[] = {"trace", "debug", "info",     "notice", "warn",  "warning",
                                        "error", "err",   "critical", "crit",   "fatal", "severe"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (text_equal_nocase(word, text_of(names[i])))
            return true;
    return false;
}

/* A host and, without a tag, what can be told for a message: "host CEF:0|", "host {..}", "host
 * key=value", "host last message repeated", another header. */
static bool is_host_and_body(struct stamp_reader *stamps, bool is_rfc3339, struct text t)
{
    size_t space = text_find_byte(t, ' ');
    struct text host = text_head(t, space);
    if (space == t.len || !tag_is_host(host) || is_level(host))
        return false;
    t = text_skip(t, space + 1);
    skip_spaces(&t);
    if (is_short_header(t) || !is_rfc3339) /* a time of any form, then: a program's own log */
        return is_short_header(t);
    return kv_is_start(t) || text_starts(t, TEXT("last message repeated ")) ||
           is_versioned(stamps, t) || (is_at(t, 0, '<') && is_inner_header(stamps, t));
}

bool syslog_is_file_line(struct stamp_reader *stamps, struct text t)
{
    struct stamp stamp;
    if (!stamp_read(stamps, t, &stamp))
        return false;
    bool is_rfc3339 = stamp.has_zone && t.len > 10 && t.at[10] == 'T';
    t = text_skip(t, stamp.len);
    if (!space_len(t))
        return false;
    skip_spaces(&t);
    return tag_is_host_and_tag(t) || is_host_and_body(stamps, is_rfc3339, t);
}
