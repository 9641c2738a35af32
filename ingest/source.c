/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/source.h"
#include "base/zone.h"
#include "ingest/door/activation.h"
#include "ingest/door/allow_list.h"
#include "ingest/door/tls.h"
#include "ingest/source_kinds.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_ROWS = 48 };

static const char *const durabilities[] = {"sync", "batch", "none", NULL};
/* In the order of enum format. */
static const char *const formats[] = {"auto", "syslog", "rfc5424", "rfc3164", "json",
                                      "cef",  "leef",   "kv",      "raw",     NULL};

static const char *const date_orders[] = {"auto", "dmy", "mdy", NULL};

#define AT(member) offsetof(struct source, member)

/* The format stands last but one: kinds have their own default for it. */
static const struct option common[] = {
    {"zone", OPTION_TEXT, AT(zone), "", 0, 0, NULL,
     "of times that name none (Z, +01:00); empty: time.zone"},
    {"dates", OPTION_CHOICE, AT(dates), "auto", 0, 0, date_orders,
     "what 04/03/2026 means: dmy, mdy; auto: the month first unless it cannot be, with a flag"},
    {"durability", OPTION_CHOICE, AT(durability), "batch", 0, 0, durabilities,
     "when a message counts as stored: fsync at once, with its group, or never (exempt)"},
    {"format", OPTION_CHOICE, AT(format), "syslog", 0, 0, formats, "how messages are read"},
    {"max_message", OPTION_SIZE, AT(max_message_bytes), "64KiB", 480, 16 << 20, NULL,
     "longer messages are cut here and flagged"},
};
static const struct option net[] = {
    {"listen", OPTION_TEXT, AT(listen), "127.0.0.1:0", 0, 0, NULL, "address and port"},
    {"allow", OPTION_TEXTS, AT(allow_texts), "", 0, 0, NULL,
     "networks that may send; needed where `listen` is not loopback"},
};
static const struct option stream[] = {
    {"max_connections", OPTION_INT, AT(max_connections), "20000", 1, 1000000, NULL,
     "with more, one that was silent for `evict` makes room, else the new one is refused"},
    {"evict", OPTION_DURATION, AT(evict_us), "10s", 1e3, 1e13, NULL,
     "silence after which a connection may make room for a new one"},
    {"idle", OPTION_DURATION, AT(idle_us), "1h", 1e5, 1e13, NULL,
     "a connection silent for so long is closed"},
};

struct rows {
    struct option rows[MAX_ROWS];
    size_t count;
};

static void add_rows(struct rows *r, const struct option *rows, size_t count)
{
    for (size_t i = 0; i < count && r->count < MAX_ROWS; i++)
        r->rows[r->count++] = rows[i];
}

static void collect_rows(const struct source_type *type, struct rows *out)
{
    out->count = 0;
    if (type->traits & SOURCE_NET) {
        add_rows(out, net, sizeof net / sizeof *net);
        out->rows[0].fallback = type->listen;
    }
    add_rows(out, type->options, type->option_count);
    add_rows(out, common, sizeof common / sizeof *common);
    if (type->format)
        out->rows[out->count - 2].fallback = type->format;
    if (type->traits & SOURCE_STREAM)
        add_rows(out, stream, sizeof stream / sizeof *stream);
}

static const struct source_type *find_type(struct text key)
{
    for (size_t i = 0; i < SOURCE_KINDS; i++)
        if (text_equal(key, text_of(source_kinds[i]->key)))
            return source_kinds[i];
    return NULL;
}

static enum status refuse_kind(const struct yaml_node *node, struct text key, struct error *err)
{
    char names[180] = "";
    size_t used = 0;
    for (size_t i = 0; i < SOURCE_KINDS && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, " %s", source_kinds[i]->key);
    return error_set(err, STATUS_INVALID, node->line, "'%.*s' is no kind of source: there are%s",
                     TEXT_ARG(text_head(key, 30)), names);
}

static void write_labels(struct source *s)
{
    (void)snprintf(s->labels, sizeof s->labels, "source=\"%u\",kind=\"%s\",address=\"%s\"",
                   s->index, s->type->kind, s->address);
}

static enum status read_options(struct source *s, const struct yaml_node *options,
                                struct error *err)
{
    struct rows rows;
    collect_rows(s->type, &rows);
    enum status status = option_read(rows.rows, rows.count, options, &s->arena, s, err);
    if (!status && s->allow_texts.count)
        status = allow_list_new(&s->allow_texts, &s->allow, err);
    int32_t zone_s = 0;
    if (!status && s->zone.len && !zone_parse(s->zone.at, &zone_s))
        status = error_set(err, STATUS_INVALID, options ? options->line : 0,
                           "zone: want Z or +hh:mm, not '%.*s'", TEXT_ARG(text_head(s->zone, 40)));
    static const uint32_t orders[] = {0, RECORD_DAY_FIRST, RECORD_MONTH_FIRST};
    s->record_flags = (s->zone.len ? record_zone_flags(zone_s) : 0) | orders[s->dates];
    return status;
}

/* What an error in a source's node says of where it is. */
static enum status place(const struct yaml_node *node, const struct source_type *type,
                         struct error *err)
{
    if (err && !err->line)
        err->line = node->line;
    return error_prefix(err, "%s", type->key);
}

/* A source with its options, and nothing opened. */
static enum status new_source(const struct yaml_node *node, struct source **out, struct error *err)
{
    if (node->kind != YAML_MAPPING || node->count != 1)
        return error_set(err, STATUS_INVALID, node->line,
                         "a source is one key, its kind, with its options: `syslog_udp: {...}`");
    struct text key = node->pairs[0].key->value;
    const struct source_type *type = find_type(key);
    if (!type)
        return refuse_kind(node, key, err);
    AUTO(source) s = calloc(1, type->size_bytes);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a source");
    s->type = type;
    s->lane_count = 1;
    s->stop_fd = -1;
    arena_init(&s->arena, 1 << 20);
    for (uint32_t i = 0; i < SOURCE_LANES; i++)
        lane_init(&s->lanes[i], s);
    if (read_options(s, node->pairs[0].value, err))
        return place(node, type, err);
    *out = MOVE(s);
    return STATUS_OK;
}

static enum status open_type(struct source *s, struct error *err)
{
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->stop_fd < 0)
        return error_set(err, STATUS_IO, 0, "no file handle left (ulimit -n)");
    s->has_opened = true;
    enum status status = s->type->open(s, err);
    s->intake.state_dir = NULL; /* the caller's, and only borrowed until here */
    write_labels(s);
    return status;
}

enum status source_open(const struct yaml_node *node, uint32_t index, const struct intake *intake,
                        struct source **out, struct error *err)
{
    AUTO(source) s = NULL;
    enum status status = new_source(node, &s, err);
    if (status)
        return status;
    s->index = index;
    s->intake = *intake;
    if (open_type(s, err))
        return place(node, s->type, err);
    *out = MOVE(s);
    return STATUS_OK;
}

enum status source_check(const struct yaml_node *node, struct error *err)
{
    AUTO(source) s = NULL;
    bool has_proof = false;
    enum status status = new_source(node, &s, err);
    if (status)
        return status;
    if (s->type->check)
        status = s->type->check(s, &has_proof, err);
    if (!status)
        status = source_bind_check(s, has_proof, err);
    return status ? place(node, s->type, err) : status;
}

int64_t source_certificate_end(const char *path)
{
    return tls_certificate_end(path);
}

int source_passed_left(void)
{
    return activation_left();
}

void source_keep_passed(void)
{
    activation_keep();
}

enum status source_start(struct source *s, struct error *err)
{
    s->is_started = true;
    return s->type->start(s, err);
}

void source_stop(struct source *s)
{
    if (!s->is_started)
        return;
    s->is_started = false;
    atomic_store_explicit(&s->is_stopping, true, memory_order_release); /* source_is_stopping */
    uint64_t one = 1;
    (void)!write(s->stop_fd, &one, sizeof one);
    s->type->stop(s);
}

void source_close(struct source *s)
{
    if (!s)
        return;
    source_stop(s);
    if (s->has_opened)
        s->type->close(s);
    if (s->stop_fd >= 0)
        (void)close(s->stop_fd);
    allow_list_free(s->allow);
    arena_fini(&s->arena);
    free(s);
}

const char *source_kind(const struct source *s)
{
    return s->type->kind;
}

const char *source_address(const struct source *s)
{
    return s->address;
}

enum durability source_durability(const struct source *s)
{
    return (enum durability)s->durability;
}

struct totals {
    uint64_t read, bytes, put, truncated, broken, damaged, dropped[LANE_DROPS];
};

static struct totals sum_lanes(const struct source *s)
{
    struct totals t = {0};
    for (uint32_t i = 0; i < s->lane_count; i++) {
        const struct lane *l = &s->lanes[i];
        t.put += counter_get(&l->put); /* before `read`: never more put than read */
        t.read += counter_get(&l->read);
        t.bytes += counter_get(&l->bytes);
        t.truncated += counter_get(&l->truncated);
        t.broken += counter_get(&l->broken);
        t.damaged += counter_get(&l->damaged);
        for (int why = 0; why < LANE_DROPS; why++)
            t.dropped[why] += counter_get(&l->dropped[why]);
    }
    if (s->type->kernel_drops)
        t.dropped[LANE_DROP_KERNEL] = s->type->kernel_drops(s);
    return t;
}

static void tell_drops(const struct source *s, const struct totals *t, metric_fn tell,
                       void *context)
{
    static const char *const reasons[LANE_DROPS] = {"kernel", "denied", "stopped",
                                                    "memory", "empty",  "quarantined"};
    for (int why = 0; why < LANE_DROPS; why++) {
        char labels[SOURCE_LABELS_LEN + 32];
        (void)snprintf(labels, sizeof labels, "%s,reason=\"%s\"", s->labels, reasons[why]);
        tell(context, &(struct metric){"source_dropped_total",
                                       "Messages received that did not reach the journal.", labels,
                                       METRIC_COUNTER, (double)t->dropped[why]});
    }
}

void source_metrics(const struct source *s, metric_fn tell, void *context)
{
    struct totals t = sum_lanes(s);
    const struct metric metrics[] = {
        {"source_received_total", "Messages that came, those that the kernel dropped included.",
         s->labels, METRIC_COUNTER, (double)(t.read + t.dropped[LANE_DROP_KERNEL])},
        {"source_received_bytes_total", "Bytes of the messages that were read.", s->labels,
         METRIC_COUNTER, (double)t.bytes},
        {"source_put_total", "Messages handed to the journal.", s->labels, METRIC_COUNTER,
         (double)t.put},
        {"source_truncated_total", "Messages longer than max_message: cut, flagged and kept.",
         s->labels, METRIC_COUNTER, (double)t.truncated},
        {"source_damaged_total",
         "Messages found by looking for the next frame in a damaged stream.", s->labels,
         METRIC_COUNTER, (double)t.damaged},
        {"source_broken_total", "Connections closed because their bytes were no messages.",
         s->labels, METRIC_COUNTER, (double)t.broken},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        tell(context, &metrics[i]);
    tell_drops(s, &t, tell, context);
    const struct metric streams[] = {
        {"source_connections", "Connections open now.", s->labels, METRIC_GAUGE,
         (double)atomic_load_explicit(&s->connections, memory_order_relaxed)},
        {"source_connections_total", "Connections accepted.", s->labels, METRIC_COUNTER,
         (double)counter_get(&s->connections_total)},
        {"source_connections_refused_total", "Connections closed at once: not allowed or too many.",
         s->labels, METRIC_COUNTER, (double)counter_get(&s->connections_refused)},
        {"source_connections_idle_total", "Connections closed for their silence.", s->labels,
         METRIC_COUNTER, (double)counter_get(&s->connections_idle)},
    };
    for (size_t i = 0; s->type->traits & SOURCE_STREAM && i < sizeof streams / sizeof *streams; i++)
        tell(context, &streams[i]);
    if (s->type->metrics)
        s->type->metrics(s, tell, context);
}

void source_print_options(struct buffer *out)
{
    for (size_t i = 0; i < SOURCE_KINDS; i++) {
        struct rows rows;
        struct source *s = calloc(1, source_kinds[i]->size_bytes);
        if (!s)
            return;
        arena_init(&s->arena, 1 << 20);
        collect_rows(source_kinds[i], &rows);
        for (size_t j = 0; j < rows.count; j++) /* what has no default is shown empty */
            if (!rows.rows[j].fallback)
                rows.rows[j].fallback = "";
        buffer_printf(out, "# - %s: # %s\n", source_kinds[i]->key, source_kinds[i]->help);
        if (option_read(rows.rows, rows.count, NULL, &s->arena, s, NULL) == STATUS_OK)
            option_print(rows.rows, rows.count, s, 6, out);
        arena_fini(&s->arena);
        free(s);
    }
}
