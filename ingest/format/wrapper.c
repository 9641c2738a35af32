/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/wrapper.h"
#include "base/json_scan.h"
#include <string.h>

/* ---- which envelope ---- */

enum { IS_BODY = 1, IS_EXACT = 2, MAY_BE_OBJECT = 4 };

/* By the marks that an event must have. */
struct envelope {
    enum known_mark line;
    uint64_t one_of, none_of;
    unsigned flags;
};

#define BIT(mark) (UINT64_C(1) << (mark))
#define OWNER                                                                                      \
    (BIT(MARK_PROGRAM) | BIT(MARK_CONTAINER) | BIT(MARK_IMAGE) | BIT(MARK_DATASET) |               \
     BIT(MARK_TAG) | BIT(MARK_PATH))

static const struct envelope envelopes[] = {
    {MARK_LOG, BIT(MARK_STREAM), BIT(MARK_WINDOWS), IS_EXACT},
    {MARK_LOG, OWNER | BIT(MARK_DATE) | BIT(MARK_SHIPPER), BIT(MARK_WINDOWS), 0},
    {MARK_JOURNAL_MESSAGE, BIT(MARK_JOURNAL) | BIT(MARK_PROGRAM), 0, IS_BODY | IS_EXACT},
    {MARK_SHORT_MESSAGE, BIT(MARK_GELF) | OWNER, BIT(MARK_WINDOWS), 0},
    {MARK_EVENT, BIT(MARK_SPLUNK), 0, MAY_BE_OBJECT},
    {MARK_TEXT_PAYLOAD, BIT(MARK_GCP), 0, 0},
    {MARK_JSON_MESSAGE, BIT(MARK_GCP), 0, 0},
    {MARK_SYSLOG_MESSAGE, BIT(MARK_PROGRAM), 0, IS_BODY},
    {MARK_BODY, BIT(MARK_OTEL), BIT(MARK_WINDOWS), MAY_BE_OBJECT},
    {MARK_MESSAGE,
     OWNER | BIT(MARK_BEAT) | BIT(MARK_SHIPPER) | BIT(MARK_STREAM) | BIT(MARK_CLOUDWATCH),
     BIT(MARK_WINDOWS), 0},
    {MARK_NOTICE, BIT(MARK_SNS), BIT(MARK_WINDOWS), 0},
    {MARK_ORIGINAL, BIT(MARK_BEAT) | BIT(MARK_DATASET), BIT(MARK_WINDOWS), 0},
};

static const struct field *find_mark(const struct known_fields *u, const struct event *e,
                                     enum known_mark mark)
{
    for (uint32_t i = 0; i < e->field_count; i++)
        if (known_fields_mark(u, &e->fields[i]) == mark && e->fields[i].type != VALUE_NULL)
            return &e->fields[i];
    return NULL;
}

/* journald gives what is no text as an array of bytes. */
static struct text join_bytes(const struct event *e, const struct field *array, struct arena *arena)
{
    const struct field *end = e->fields + e->field_count;
    char *bytes = arena_bytes(arena, (size_t)(end - array));
    size_t len = 0;
    for (const struct field *f = array + 1; bytes && f < end && f->hash == array->hash; f++) {
        int64_t byte = 0;
        if (f->type != VALUE_NUMBER || !text_to_int64(f->value, &byte) || byte < 0 || byte > 255)
            return TEXT_NONE;
        bytes[len++] = (char)byte;
    }
    return (struct text){bytes, len};
}

static struct text line_of(const struct known_fields *u, const struct event *e,
                           const struct envelope *envelope, struct arena *arena)
{
    const struct field *f = find_mark(u, e, envelope->line);
    if (!f)
        return TEXT_NONE;
    if (f->type == VALUE_STRING)
        return json_value(f, arena);
    const bool is_object = f->type == VALUE_OBJECT && f->value.len;
    if (is_object && f->value.at[0] == '{' && envelope->flags & MAY_BE_OBJECT)
        return f->value;
    if (is_object && f->value.at[0] == '[' && envelope->line == MARK_JOURNAL_MESSAGE)
        return join_bytes(e, f, arena);
    return TEXT_NONE;
}

/* ---- whose line ---- */

static struct text behind_last(struct text t, char byte)
{
    size_t at = t.len;
    while (at && t.at[at - 1] != byte)
        at--;
    return text_skip(t, at);
}

static struct text before_last(struct text t, char byte)
{
    const struct text tail = behind_last(t, byte);
    return tail.len < t.len ? text_head(t, t.len - tail.len - 1) : t;
}

/* registry.example/library/nginx:1.25@sha256:... */
static struct text of_image(struct text t)
{
    t = behind_last(text_head(t, text_find_byte(t, '@')), '/');
    return text_head(t, text_find_byte(t, ':'));
}

/* /nginx, k8s_nginx_pod_namespace_uid_0 */
static struct text of_container(struct text t)
{
    if (text_starts(t, TEXT("/")))
        t = text_skip(t, 1);
    if (!text_starts(t, TEXT("k8s_")))
        return t;
    t = text_skip(t, 4);
    return text_head(t, text_find_byte(t, '_'));
}

/* nginx.access; system.auth says nothing. */
static struct text of_dataset(struct text t)
{
    static const char *const nobody[] = {"system",     "generic",   "log",
                                         "filestream", "container", "docker",
                                         "kubernetes", "journald",  "syslog"};
    t = text_head(t, text_find_byte(t, '.'));
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        if (text_equal(t, text_of(nobody[i])))
            return TEXT_NONE;
    return t;
}

/* pod_namespace_container-0123456789abcdef.log */
static struct text of_pod_file(struct text t)
{
    return before_last(behind_last(t, '_'), '-');
}

/* Below a folder of logs: its own folder's name, or the file's where it names a program. */
static struct text of_log_file(struct text t)
{
    static const char *const nobody[] = {"auth",    "syslog",  "messages", "secure", "daemon",
                                         "mail",    "maillog", "kern",     "cron",   "user",
                                         "debug",   "error",   "access",   "log",    "output",
                                         "current", "stdout",  "stderr",   "system"};
    const size_t folder = text_find(t, TEXT("/log/"));
    if (folder == t.len)
        return TEXT_NONE;
    t = text_skip(t, folder + 5);
    const size_t slash = text_find_byte(t, '/');
    t = text_head(t, slash < t.len ? slash : text_find_byte(t, '.'));
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        if (text_equal(t, text_of(nobody[i])))
            return TEXT_NONE;
    return t;
}

struct text wrapper_program_of_path(struct text t)
{
    if (text_find(t, TEXT("/containers/")) < t.len)
        return text_find_byte(t, '_') < t.len ? of_pod_file(behind_last(t, '/')) : TEXT_NONE;
    if (text_find(t, TEXT("/pods/")) < t.len)
        return behind_last(before_last(t, '/'), '/');
    return of_log_file(t);
}

/* kube.var.log.containers.pod_namespace_container-id.log, docker.nginx, nginx.access */
static struct text of_tag(struct text t)
{
    if (text_find(t, TEXT("containers.")) < t.len && text_find_byte(t, '_') < t.len)
        return of_pod_file(t);
    if (text_starts(t, TEXT("docker.")))
        return text_skip(t, 7);
    return text_find_byte(t, '.') < t.len ? of_dataset(t) : TEXT_NONE;
}

static struct text owner_of(enum known_mark mark, struct text value)
{
    switch ((int)mark) {
    case MARK_IMAGE:
        return of_image(value);
    case MARK_CONTAINER:
        return of_container(value);
    case MARK_DATASET:
        return of_dataset(value);
    case MARK_TAG:
        return of_tag(value);
    case MARK_PATH:
        return wrapper_program_of_path(value);
    default:
        return value;
    }
}

/* The most telling one that makes a name. */
static struct text program_of(const struct known_fields *u, uint64_t marks, const struct event *e,
                              struct arena *arena)
{
    static const enum known_mark order[] = {MARK_PROGRAM, MARK_IMAGE, MARK_CONTAINER,
                                            MARK_DATASET, MARK_TAG,   MARK_PATH};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const struct field *f = marks & known_bit(order[i]) ? find_mark(u, e, order[i]) : NULL;
        if (!f || f->type != VALUE_STRING)
            continue;
        const struct text program = owner_of(order[i], json_value(f, arena));
        if (program.len)
            return program;
    }
    return TEXT_NONE;
}

static int small_number(const struct known_fields *u, uint64_t marks, const struct event *e,
                        enum known_mark mark, int most)
{
    const struct field *f = marks & known_bit(mark) ? find_mark(u, e, mark) : NULL;
    int64_t value = -1;
    const bool is_number = f && (f->type == VALUE_NUMBER || f->type == VALUE_STRING) &&
                           text_to_int64(f->value, &value) && value >= 0 && value <= most;
    return is_number ? (int)value : -1;
}

static struct text pid_of(const struct known_fields *u, uint64_t marks, const struct event *e)
{
    const struct field *f = marks & known_bit(MARK_PID) ? find_mark(u, e, MARK_PID) : NULL;
    const bool is_plain =
        f && !f->is_escaped && (f->type == VALUE_NUMBER || f->type == VALUE_STRING);
    return is_plain ? f->value : TEXT_NONE;
}

/* A path alone makes an envelope only where it names a file of logs. */
static bool is_weak(const struct envelope *envelope, uint64_t marks)
{
    const uint64_t weak = known_bit(MARK_PATH) | known_bit(MARK_TAG);
    return envelope->line != MARK_LOG && !(marks & envelope->one_of & ~weak);
}

bool wrapper_find(const struct known_fields *u, uint64_t marks, const struct event *e,
                  struct arena *arena, struct wrapper_inner *out)
{
    if (!(marks & known_bit(MARK_WINDOWS)) && known_fields_has_windows(u, e))
        marks |= known_bit(MARK_WINDOWS);
    for (size_t i = 0; i < sizeof envelopes / sizeof *envelopes; i++) {
        const struct envelope *one = &envelopes[i];
        const bool may_be =
            marks & known_bit(one->line) && marks & one->one_of && !(marks & one->none_of);
        const struct text line = may_be ? line_of(u, e, one, arena) : TEXT_NONE;
        if (!line.at)
            continue;
        const struct text program = program_of(u, marks, e, arena);
        if (!program.len && is_weak(one, marks))
            continue;
        const bool has_program = marks & known_bit(MARK_PROGRAM);
        *out = (struct wrapper_inner){
            .text = line,
            .program = program,
            .pid = pid_of(u, marks, e),
            .severity = small_number(u, marks, e, MARK_SEVERITY, 7),
            .facility = small_number(u, marks, e, MARK_FACILITY, 23),
            .is_body = one->flags & IS_BODY || (has_program && one->line == MARK_MESSAGE),
            .is_exact = one->flags & IS_EXACT,
        };
        return true;
    }
    return false;
}

bool wrapper_take_cri(struct stamp_reader *stamps, struct text *t, struct stamp *out)
{
    enum { SHORTEST = 29 }; /* 2026-11-28T11:00:00Z stdout F */
    struct text rest = *t;
    if (rest.len < SHORTEST || rest.at[10] != 'T')
        return false;
    rest = text_skip(rest, text_find_byte(text_head(rest, 40), ' ') + 1);
    if (!text_starts(rest, TEXT("stdout ")) && !text_starts(rest, TEXT("stderr ")))
        return false;
    rest = text_skip(rest, 7);
    const bool has_tag = rest.len && (rest.at[0] == 'F' || rest.at[0] == 'P') &&
                         (rest.len == 1 || rest.at[1] == ' ' || rest.at[1] == ':');
    if (!has_tag || !stamp_read_iso(stamps, *t, out))
        return false;
    *t = text_skip(rest, text_find_byte(rest, ' ') + 1);
    return true;
}
