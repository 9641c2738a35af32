/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/inventory.h"
#include "base/option.h"
#include "base/yaml.h"
#include "incidents/incidents.h"
#include <arpa/inet.h>
#include <stdlib.h>

enum { ADDRESS_BYTES = 16, FILE_BYTES = 64 << 20 };

struct network {
    unsigned char bytes[ADDRESS_BYTES]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;                      /* 0..128 */
};

struct row {
    struct inventory_entry entry;
    bool has_kind, has_network;
    enum entity_kind kind;
    struct text name, pattern;
    struct network network;
};

struct inventory {
    struct arena arena;
    struct row *rows;
    uint32_t count;
    struct inventory_entry plain;
};

static bool read_address(struct text t, unsigned char out[ADDRESS_BYTES])
{
    char buffer[INET6_ADDRSTRLEN];
    struct in_addr v4;
    struct in6_addr v6;
    if (!t.len || t.len >= sizeof buffer)
        return false;
    memcpy(buffer, t.at, t.len);
    buffer[t.len] = 0;
    if (inet_pton(AF_INET, buffer, &v4) == 1) {
        memset(out, 0, 10);
        memset(out + 10, 0xFF, 2);
        memcpy(out + 12, &v4, 4);
        return true;
    }
    if (inet_pton(AF_INET6, buffer, &v6) != 1)
        return false;
    memcpy(out, &v6, ADDRESS_BYTES);
    return true;
}

static bool read_network(struct text t, struct network *out)
{
    size_t slash = text_find_byte(t, '/');
    struct text address = text_head(t, slash);
    bool is_v4 = text_find_byte(address, ':') == address.len;
    int64_t bits = is_v4 ? 32 : 128;
    if (!read_address(address, out->bytes))
        return false;
    if (slash < t.len && !text_to_int64(text_skip(t, slash + 1), &bits))
        return false;
    if (bits < 0 || bits > (is_v4 ? 32 : 128))
        return false;
    out->bits = (unsigned)bits + (is_v4 ? 96 : 0);
    return true;
}

static bool is_inside(const struct network *n, struct text value)
{
    unsigned char address[ADDRESS_BYTES];
    if (!read_address(value, address))
        return false;
    if (memcmp(address, n->bytes, n->bits / 8))
        return false;
    unsigned rest = n->bits % 8;
    unsigned mask = rest ? 0xFFU & (0xFFU << (8 - rest)) : 0;
    return !rest || (address[n->bits / 8] & mask) == (n->bytes[n->bits / 8] & mask);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* `*` and `?`, without case, in linear time: on a mismatch only the last star gives way. */
static bool is_like(struct text pattern, struct text value)
{
    size_t p = 0, v = 0, star = SIZE_MAX, mark = 0;
    while (v < value.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = v;
        } else if (p < pattern.len &&
                   (pattern.at[p] == '?' || lower(pattern.at[p]) == lower(value.at[v]))) {
            p++;
            v++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            v = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

static bool fits(const struct row *row, enum entity_kind kind, struct text value)
{
    if (row->has_kind && row->kind != kind)
        return false;
    if (row->has_network)
        return is_inside(&row->network, value);
    return row->name.len ? text_equal_nocase(row->name, value) : is_like(row->pattern, value);
}

const struct inventory_entry *inventory_find(const struct inventory *r, enum entity_kind kind,
                                             struct text value)
{
    for (uint32_t i = 0; i < r->count; i++)
        if (fits(&r->rows[i], kind, value))
            return &r->rows[i].entry;
    return &r->plain;
}

bool inventory_is_nobody(enum entity_kind kind, struct text value)
{
    static const char *const names[] = {
        "-",   "unknown", "(unknown)",     "localhost",       "0.0.0.0",
        "::1", "SYSTEM",  "LOCAL SERVICE", "NETWORK SERVICE", "::",
    };
    struct text name = value;
    size_t slash = text_find_byte(name, '\\');
    if (kind == ENTITY_USER && slash < name.len)
        name = text_skip(name, slash + 1);
    if (kind == ENTITY_USER)
        name = text_head(name, text_find_byte(name, '@'));
    if (!name.len || text_starts(name, TEXT("127.")))
        return true;
    if (kind == ENTITY_USER && name.at[name.len - 1] == '$')
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (text_equal_nocase(text_of(names[i]), name))
            return true;
    return false;
}

/* ---- reading ---- */

struct options {
    int kind;
    struct text name, pattern, cidr, owner;
    double criticality;
    bool is_excluded;
    struct option_texts tags;
};

static const char *const kinds[] = {"any", "address", "host", "user", "service", NULL};
static const struct option table[] = {
    {"kind", OPTION_CHOICE, offsetof(struct options, kind), "any", 0, 0, kinds,
     "What kind of entity this is"},
    {"name", OPTION_TEXT, offsetof(struct options, name), "", 0, 0, NULL, "Its whole name"},
    {"pattern", OPTION_TEXT, offsetof(struct options, pattern), "", 0, 0, NULL,
     "A name with * and ?"},
    {"cidr", OPTION_TEXT, offsetof(struct options, cidr), "", 0, 0, NULL, "A network"},
    {"criticality", OPTION_DOUBLE, offsetof(struct options, criticality), "1", 0.5, 2, NULL,
     "How much more (or less) a detection on it weighs"},
    {"exclude", OPTION_BOOL, offsetof(struct options, is_excluded), "false", 0, 0, NULL,
     "Never charged: NAT, scanners, proxies"},
    {"owner", OPTION_TEXT, offsetof(struct options, owner), "", 0, 0, NULL, "Who answers for it"},
    {"tags", OPTION_TEXTS, offsetof(struct options, tags), "", 0, 0, NULL, "Words for routing"},
};

static enum status read_row(const struct yaml_node *node, struct inventory *r, struct row *row,
                            struct error *err)
{
    struct options o = {0};
    enum status s = option_read(table, sizeof table / sizeof table[0], node, &r->arena, &o, err);
    if (s != STATUS_OK)
        return s;
    *row = (struct row){.name = o.name, .pattern = o.pattern, .has_kind = o.kind > 0};
    row->kind = o.kind > 0 ? (enum entity_kind)(o.kind - 1) : ENTITY_ADDRESS;
    row->has_network = o.cidr.len > 0;
    if (!!o.name.len + !!o.pattern.len + !!o.cidr.len != 1)
        return error_set(err, STATUS_INVALID, node->line,
                         "an entity has one of name, pattern, cidr");
    if (row->has_network && !read_network(o.cidr, &row->network))
        return error_set(err, STATUS_INVALID, node->line, "'%.*s' is not a network",
                         TEXT_ARG(text_head(o.cidr, 80)));
    row->entry = (struct inventory_entry){.criticality = o.criticality,
                                          .is_excluded = o.is_excluded,
                                          .owner = o.owner,
                                          .tags = o.tags.items,
                                          .tag_count = o.tags.count};
    return STATUS_OK;
}

static enum status read_document(const struct yaml_node *document, struct inventory *r,
                                 struct error *err)
{
    const struct yaml_node *list = yaml_get(document, TEXT("entities"));
    if (!list || list->kind != YAML_SEQUENCE || document->count != 1)
        return error_set(err, STATUS_INVALID, document->line, "want one key, `entities`, a list");
    r->rows = arena_zero(&r->arena, (list->count + 1) * sizeof *r->rows);
    if (!r->rows)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the entities");
    for (uint32_t i = 0; i < list->count; i++) {
        enum status s = read_row(list->items[i], r, &r->rows[i], err);
        if (s != STATUS_OK)
            return s;
    }
    r->count = list->count;
    return STATUS_OK;
}

void inventory_free(struct inventory *r)
{
    if (!r)
        return;
    arena_fini(&r->arena);
    free(r);
}

enum status inventory_new(const char *path, struct inventory **out, struct error *err)
{
    AUTO(inventory) r = calloc(1, sizeof *r);
    if (!r)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the entities");
    arena_init(&r->arena, FILE_BYTES);
    r->plain = (struct inventory_entry){.criticality = 1};
    struct yaml_file file = {0};
    enum status s = path ? yaml_load(path, &r->arena, &file, err) : STATUS_OK;
    if (s == STATUS_OK && file.count)
        s = read_document(file.documents[0], r, err);
    if (s != STATUS_OK)
        return path ? error_prefix(err, "%s", path) : s;
    *out = MOVE(r);
    return STATUS_OK;
}

enum status incidents_check_entities(const char *path, uint32_t *out_count, struct error *err)
{
    AUTO(inventory) r = NULL;
    enum status status = inventory_new(path, &r, err);
    *out_count = r ? r->count : 0;
    return status;
}
