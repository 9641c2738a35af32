/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sinks.h"
#include "base/arena.h"
#include "base/timestamp.h"
#include "sinks/destination.h"
#include "sinks/kind.h"
#include "sinks/route.h"
#include "sinks/sink_kinds.h"
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_BYTES = 8 << 20, NAME_LEN = 64 };

struct sinks {
    struct arena arena; /* options, names and routes: unchanged after sinks_open */
    struct destination *destinations[DELIVERY_DESTINATIONS];
    struct text names[DELIVERY_DESTINATIONS];
    uint32_t count;
    bool is_check; /* names alone: no destinations */
    struct route_table routes;
};

/* What the item `- kind: {..}` of the list says. */
struct item {
    const struct sink_kind *kind;
    const struct yaml_node *node; /* its options, or NULL */
    uint32_t line;
};

static const struct sink_kind *find_kind(struct text name)
{
    for (size_t i = 0; i < SINK_KINDS; i++)
        if (text_equal(name, text_of(sink_kinds[i]->name)))
            return sink_kinds[i];
    return NULL;
}

static enum status read_item(const struct yaml_node *node, struct item *out, struct error *err)
{
    struct text kind = TEXT_NONE;
    const struct yaml_node *options = NULL;
    if (node->kind == YAML_SCALAR)
        kind = node->value;
    if (node->kind == YAML_MAPPING && node->count == 1) {
        kind = node->pairs[0].key->value;
        options = node->pairs[0].value;
    }
    *out = (struct item){find_kind(kind), options, node->line};
    if (out->kind)
        return STATUS_OK;
    if (!kind.len)
        return error_set(err, STATUS_INVALID, node->line, "a sink is written `- kind: {options}`");
    char known[160] = "";
    size_t len = 0;
    for (size_t i = 0; i < SINK_KINDS && len < sizeof known; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", len ? ", " : "",
                                sink_kinds[i]->name);
    return error_set(err, STATUS_INVALID, node->line,
                     "there is no kind of sink called '%.*s'; there are %s",
                     TEXT_ARG(text_head(kind, 40)), known);
}

static bool is_taken(const struct sinks *s, struct text name)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (text_equal(s->names[i], name))
            return true;
    }
    return false;
}

/* Names stand in records, labels and routes: letters, digits, '_', '-' and '.'. */
static bool is_name(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        if (!is_plain)
            return false;
    }
    return t.len > 0 && t.len <= NAME_LEN;
}

static enum status choose_name(struct sinks *s, const struct item *item, struct text given,
                               struct text *out, struct error *err)
{
    char made[NAME_LEN];
    struct text name = given;
    for (uint32_t i = 1; !given.len && (i == 1 || is_taken(s, name)); i++) {
        (void)snprintf(made, sizeof made, i > 1 ? "%s%u" : "%s", item->kind->name, i);
        name = text_of(made);
    }
    if (!is_name(name))
        return error_set(err, STATUS_INVALID, item->line,
                         "name: want up to %d letters, digits, '_', '-' or '.'", NAME_LEN);
    if (is_taken(s, name))
        return error_set(err, STATUS_EXISTS, item->line, "two sinks are called '%.*s'",
                         TEXT_ARG(name));
    *out = arena_copy(&s->arena, name);
    return out->at ? STATUS_OK : error_set(err, STATUS_NOMEM, item->line, "no memory for a sink");
}

static enum status open_kind(struct sinks *s, const struct sinks_options *o,
                             const struct item *item, const void *options, void **out,
                             struct error *err)
{
    enum status status = item->kind->open(&(struct kind_setting){.options = options,
                                                                 .data_dir = o->data_dir,
                                                                 .arena = &s->arena,
                                                                 .is_check = s->is_check},
                                          out, err);
    if (status && err && !err->line)
        err->line = item->line;
    return status;
}

static enum status add(struct sinks *s, const struct sinks_options *o, const struct item *item,
                       struct error *err)
{
    if (s->count == DELIVERY_DESTINATIONS)
        return error_set(err, STATUS_LIMIT, item->line, "more than %d sinks",
                         DELIVERY_DESTINATIONS);
    struct sink_common *options = arena_zero(&s->arena, item->kind->options_size);
    if (!options)
        return error_set(err, STATUS_NOMEM, item->line, "no memory for a sink");
    struct text name = TEXT_NONE;
    void *sink = NULL;
    enum status status = kind_read_options(item->kind, item->node, &s->arena, options, err);
    if (!status)
        status = choose_name(s, item, options->name, &name, err);
    if (!status)
        status = open_kind(s, o, item, options, &sink, err);
    if (status)
        return error_prefix(err, "sink %s", item->kind->name);
    if (s->is_check) {
        item->kind->close(sink);
        s->names[s->count++] = name;
        return STATUS_OK;
    }
    status = destination_new(&(struct destination_options){.kind = item->kind,
                                                           .sink = sink,
                                                           .common = options,
                                                           .name = name,
                                                           .settle = o->settle,
                                                           .context = o->context},
                             &s->destinations[s->count], err);
    if (status) {
        item->kind->close(sink);
        return status;
    }
    s->names[s->count++] = name;
    return STATUS_OK;
}

static enum status add_all(struct sinks *s, const struct sinks_options *o, struct error *err)
{
    /* nothing said: one file, so that the first incident leaves something to look at */
    if (!o->sinks || yaml_is_null(o->sinks))
        return o->data_dir ? add(s, o, &(struct item){find_kind(TEXT("file")), NULL, 0}, err)
                           : STATUS_OK;
    if (o->sinks->kind != YAML_SEQUENCE)
        return error_set(err, STATUS_INVALID, o->sinks->line, "sinks: want a list");
    for (uint32_t i = 0; i < o->sinks->count; i++) {
        struct item item;
        enum status status = read_item(o->sinks->items[i], &item, err);
        if (!status)
            status = add(s, o, &item, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status sinks_open(const struct sinks_options *options, struct sinks **out, struct error *err)
{
    AUTO(sinks) s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the sinks");
    arena_init(&s->arena, ARENA_BYTES);
    enum status status = add_all(s, options, err);
    if (!status)
        status = route_read(options->routes, s->names, s->count, &s->arena, &s->routes, err);
    if (status)
        return status;
    *out = MOVE(s);
    return STATUS_OK;
}

enum status sinks_check(const struct yaml_node *sinks, const struct yaml_node *routes,
                        struct error *err)
{
    AUTO(sinks) s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the sinks");
    s->is_check = true;
    arena_init(&s->arena, ARENA_BYTES);
    const struct sinks_options options = {.sinks = sinks, .routes = routes, .data_dir = "."};
    enum status status = add_all(s, &options, err);
    if (!status)
        status = route_read(routes, s->names, s->count, &s->arena, &s->routes, err);
    return status;
}

enum status sinks_start(struct sinks *s, struct error *err)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < s->count && !status; i++)
        status = destination_start(s->destinations[i], err);
    return status;
}

void sinks_stop(struct sinks *s, uint64_t timeout_ms)
{
    uint64_t deadline_ms = timestamp_monotonic_ms() + timeout_ms;
    for (uint32_t i = 0; i < s->count; i++)
        destination_stop(s->destinations[i], deadline_ms);
    for (uint32_t i = 0; i < s->count; i++)
        destination_join(s->destinations[i], deadline_ms);
}

void sinks_close(struct sinks *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->count; i++)
        destination_free(s->destinations[i]);
    arena_fini(&s->arena);
    free(s);
}

uint32_t sinks_route(const struct sinks *s, const struct notice *n, struct text *out_destinations)
{
    return route_find(&s->routes, n, out_destinations);
}

enum status sinks_send(struct sinks *s, struct delivery *d)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (text_equal(s->names[i], d->destination))
            return destination_send(s->destinations[i], d);
    }
    return STATUS_NOTFOUND;
}

bool sinks_want(const struct sinks *s, struct text destination, enum notice_kind kind)
{
    return route_wants(&s->routes, destination, kind);
}

uint32_t sinks_room(const struct sinks *s, struct text destination)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (text_equal(s->names[i], destination))
            return destination_room(s->destinations[i]);
    }
    return UINT32_MAX >> 1;
}

void sinks_metrics(const struct sinks *s, metric_fn tell, void *context)
{
    for (uint32_t i = 0; i < s->count; i++)
        destination_metrics(s->destinations[i], tell, context);
}

static void print_row(const struct option *row, void *values, struct arena *arena,
                      struct buffer *out)
{
    struct option shown = *row;
    if (!shown.fallback)
        shown.fallback = ""; /* required: there is no default to print */
    if (option_read(&shown, 1, NULL, arena, values, NULL) == STATUS_OK)
        option_print(&shown, 1, values, 4, out);
}

static void print_kind(const struct sink_kind *k, struct arena *arena, struct buffer *out)
{
    void *values = arena_zero(arena, k->options_size);
    buffer_printf(out, "- %s:  # %s\n", k->name, k->help);
    for (size_t i = 0; values && i < k->option_count; i++)
        print_row(&k->options[i], values, arena, out);
}

void sinks_print_options(struct buffer *out)
{
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < SINK_KINDS; i++)
        print_kind(sink_kinds[i], &arena, out);
    size_t count = 0;
    struct sink_common values;
    const struct option *common = kind_common_options(&count);
    buffer_append(out, TEXT("- KIND:  # What every kind takes besides.\n"));
    for (size_t i = 0; i < count; i++)
        print_row(&common[i], &values, &arena, out);
    buffer_append(out, TEXT("# without the key `sinks`: one file. Without `routes`: everything to "
                            "all; else the first that fits, e.g.\n# routes: [{match: {priority: "
                            "[P1, P2]}, to: [webhook]}, {to: [file]}]\n"));
    arena_fini(&arena);
}
