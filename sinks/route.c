/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/route.h"
#include "base/option.h"

enum { NOTICE_KINDS = NOTICE_DIGEST + 1, ALL_KINDS = (1 << NOTICE_KINDS) - 1, ALL_PRIORITIES = 62 };

struct route {
    uint32_t priorities; /* bit p: priority p is wanted */
    uint32_t kinds;
    struct option_texts categories; /* none: any */
    struct option_texts to;
    bool goes_on;
};

struct match_options {
    struct option_texts priority, kind, category;
};
static const struct option match_rows[] = {
    {"priority", OPTION_TEXTS, offsetof(struct match_options, priority), "", 0, 0, NULL,
     "P1 to P5: any of these."},
    {"kind", OPTION_TEXTS, offsetof(struct match_options, kind), "", 0, 0, NULL,
     "What happened: opened, raised, recurred, acknowledged, resolved, closed, reopened, storm, "
     "digest."},
    {"category", OPTION_TEXTS, offsetof(struct match_options, category), "", 0, 0, NULL,
     "The incident's category: any of these."},
};

struct route_options {
    const struct yaml_node *match;
    struct option_texts to;
    bool goes_on;
};
static const struct option route_rows[] = {
    {"match", OPTION_NODE, offsetof(struct route_options, match), "", 0, 0, NULL,
     "What must hold; nothing: always."},
    {"to", OPTION_TEXTS, offsetof(struct route_options, to), NULL, 0, 0, NULL,
     "Names of the destinations."},
    {"continue", OPTION_BOOL, offsetof(struct route_options, goes_on), "false", 0, 0, NULL,
     "Ask the routes below too."},
};

static bool read_priority(struct text t, uint32_t *bits)
{
    bool has_letter = t.len == 2 && (t.at[0] == 'P' || t.at[0] == 'p');
    struct text digit = text_skip(t, has_letter ? 1 : 0);
    if (digit.len != 1 || digit.at[0] < '1' || digit.at[0] > '5')
        return false;
    *bits |= 1U << (digit.at[0] - '0');
    return true;
}

static bool read_kind(struct text t, uint32_t *bits)
{
    for (int kind = 0; kind < NOTICE_KINDS; kind++) {
        if (!text_equal(t, text_of(incidents_notice_name((enum notice_kind)kind))))
            continue;
        *bits |= 1U << kind;
        return true;
    }
    return false;
}

static enum status read_bits(const struct option_texts *texts, uint32_t all, const char *what,
                             bool (*read)(struct text t, uint32_t *bits), uint32_t line,
                             uint32_t *out, struct error *err)
{
    *out = texts->count ? 0 : all;
    for (uint32_t i = 0; i < texts->count; i++) {
        if (!read(texts->items[i], out))
            return error_set(err, STATUS_INVALID, line, "'%.*s' is no %s of a notice",
                             TEXT_ARG(text_head(texts->items[i], 40)), what);
    }
    return STATUS_OK;
}

static enum status read_match(const struct yaml_node *node, struct arena *arena, struct route *out,
                              struct error *err)
{
    struct match_options o = {0};
    enum status status =
        option_read(match_rows, sizeof match_rows / sizeof *match_rows, node, arena, &o, err);
    uint32_t line = node ? node->line : 0;
    if (!status)
        status = read_bits(&o.priority, ALL_PRIORITIES, "priority", read_priority, line,
                           &out->priorities, err);
    if (!status)
        status = read_bits(&o.kind, ALL_KINDS, "kind", read_kind, line, &out->kinds, err);
    out->categories = o.category;
    return status;
}

static bool has_name(const struct text *names, uint32_t count, struct text name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (text_equal(names[i], name))
            return true;
    }
    return false;
}

static enum status read_one(const struct yaml_node *node, const struct route_table *table,
                            struct arena *arena, struct route *out, struct error *err)
{
    struct route_options o = {0};
    enum status status =
        option_read(route_rows, sizeof route_rows / sizeof *route_rows, node, arena, &o, err);
    if (status)
        return status;
    for (uint32_t i = 0; i < o.to.count; i++) {
        if (!has_name(table->names, table->name_count, o.to.items[i]))
            return error_set(err, STATUS_INVALID, node->line,
                             "this route leads to '%.*s', but no sink has that name",
                             TEXT_ARG(text_head(o.to.items[i], 60)));
    }
    out->to = o.to;
    out->goes_on = o.goes_on;
    return read_match(o.match, arena, out, err);
}

enum status route_read(const struct yaml_node *node, const struct text *names, uint32_t name_count,
                       struct arena *arena, struct route_table *out, struct error *err)
{
    *out = (struct route_table){.name_count = name_count};
    for (uint32_t i = 0; i < name_count; i++)
        out->names[i] = names[i];
    if (!node || yaml_is_null(node))
        return STATUS_OK;
    if (node->kind != YAML_SEQUENCE)
        return error_set(err, STATUS_INVALID, node->line,
                         "routes: want a list of {match: .., to: [..]}");
    struct route *routes = arena_zero(arena, (node->count + 1) * sizeof *routes);
    if (!routes)
        return error_set(err, STATUS_NOMEM, node->line, "no memory for the routes");
    for (uint32_t i = 0; i < node->count; i++) {
        enum status status = read_one(node->items[i], out, arena, &routes[i], err);
        if (status)
            return status;
    }
    out->routes = routes;
    out->count = node->count;
    return STATUS_OK;
}

static bool matches(const struct route *r, const struct notice *n)
{
    bool is_wanted = n->priority < 1 || n->priority > 5 || r->priorities >> n->priority & 1;
    if (!is_wanted || !(r->kinds >> n->kind & 1))
        return false;
    return r->categories.count == 0 ||
           has_name(r->categories.items, r->categories.count, n->category);
}

uint32_t route_find(const struct route_table *t, const struct notice *n, struct text *out)
{
    uint32_t count = 0;
    if (!t->routes) {
        for (; count < t->name_count; count++)
            out[count] = t->names[count];
        return count;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        const struct route *r = &t->routes[i];
        if (!matches(r, n))
            continue;
        for (uint32_t j = 0; j < r->to.count; j++) {
            /* there are at most DELIVERY_DESTINATIONS different names */
            if (!has_name(out, count, r->to.items[j]))
                out[count++] = r->to.items[j];
        }
        if (!r->goes_on)
            break;
    }
    return count;
}

bool route_wants(const struct route_table *t, struct text name, enum notice_kind kind)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct route *r = &t->routes[i];
        if (r->kinds >> kind & 1 && has_name(r->to.items, r->to.count, name))
            return true;
    }
    return !t->routes;
}
