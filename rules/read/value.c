/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/value.h"
#include <ctype.h>

enum { VARIANTS = 3 * GLOB_DASHES * GLOB_DASHES, EXPANDED = 100000 };

struct variants {
    struct pattern items[VARIANTS];
    uint32_t count;
};

static enum status no_memory(struct compiler *c, const struct yaml_node *at)
{
    (void)diagnostic_error(c->diagnostics, at, "no-memory", "no memory");
    return STATUS_NOMEM;
}

enum status value_add(struct compiler *c, const struct yaml_node *at, const struct predicate *p,
                      struct term *out)
{
    struct error why = {.code = STATUS_OK};
    struct term term = {.node = NULL};
    enum status status = predicates_add(c->predicates, p, &term.predicate, &why);
    if (!status)
        *out = term;
    else
        (void)diagnostic_error(c->diagnostics, at,
                               status == STATUS_NOMEM ? "no-memory" : "bad-regex", "%s", why.text);
    return status;
}

static uint32_t field_number(struct compiler *c, struct text name)
{
    return name.len ? names_add(c->names, name) : NAMES_WHOLE;
}

/* ---- encodings ---- */

static bool is_literal(const struct pattern *p)
{
    return p->count == 0 || (p->count == 1 && p->parts[0].kind == PART_TEXT);
}

static struct text literal_of(const struct pattern *p)
{
    return p->count ? p->parts[0].text : TEXT("");
}

static struct text encode_one(struct text in, enum modifier_step_kind kind, unsigned offset,
                              struct arena *arena)
{
    switch (kind) {
    case STEP_UTF16LE:
        return encode_utf16(in, ENCODE_LE, arena);
    case STEP_UTF16BE:
        return encode_utf16(in, ENCODE_BE, arena);
    case STEP_UTF16_BOM:
        return encode_utf16(in, ENCODE_BOM, arena);
    case STEP_BASE64:
        return encode_base64(in, arena);
    case STEP_BASE64_OFFSET:
        return encode_base64_offset(in, offset, arena);
    case STEP_WINDASH:
        break;
    }
    return in;
}

static bool encode_all(struct compiler *c, enum modifier_step_kind kind, struct variants *v)
{
    unsigned offsets = kind == STEP_BASE64_OFFSET ? 3 : 1;
    struct variants next = {.count = 0};
    for (uint32_t i = 0; i < v->count; i++)
        for (unsigned offset = 0; offset < offsets && next.count < VARIANTS; offset++) {
            struct text t = encode_one(literal_of(&v->items[i]), kind, offset, c->scratch);
            if (!t.at || !glob_literal(t, c->scratch, &next.items[next.count++]))
                return false;
        }
    *v = next;
    return true;
}

/* The one dash of each pattern as five patterns: literals, which an index finds. */
static bool spread_dash(struct compiler *c, const struct pattern *p,
                        struct pattern out[GLOB_DASHES])
{
    for (uint32_t d = 0; d < GLOB_DASHES; d++) {
        size_t room = 8;
        for (uint32_t i = 0; i < p->count; i++)
            room += 2 * p->parts[i].text.len + 2;
        char *source = arena_bytes(c->scratch, room);
        if (!source)
            return false;
        size_t n = 0;
        for (uint32_t i = 0; i < p->count; i++) {
            struct text t = p->parts[i].kind == PART_DASH ? glob_dash(d) : p->parts[i].text;
            bool is_star = p->parts[i].kind == PART_STAR;
            if (is_star || p->parts[i].kind == PART_ONE)
                source[n++] = is_star ? '*' : '?';
            for (size_t k = 0; k < t.len; k++) {
                if (memchr("*?\\", t.at[k], 3))
                    source[n++] = '\\';
                source[n++] = t.at[k];
            }
        }
        if (!glob_parse((struct text){source, n}, c->scratch, &out[d]))
            return false;
    }
    return true;
}

static enum status spread_dashes(struct compiler *c, const struct yaml_node *at, bool is_encoded,
                                 struct variants *v)
{
    struct variants next = {.count = 0};
    for (uint32_t i = 0; i < v->count; i++) {
        struct pattern dashed;
        uint32_t dashes = 0;
        if (!glob_dashes(v->items[i], c->scratch, &dashed, &dashes))
            return no_memory(c, at);
        if (dashes != 1) {
            if (dashes && is_encoded)
                return diagnostic_error(c->diagnostics, at, "modifier-conflict",
                                        "windash before an encoding takes one dash, not %u",
                                        dashes);
            next.items[next.count++] = dashed;
        } else if (next.count + GLOB_DASHES > VARIANTS ||
                   !spread_dash(c, &dashed, &next.items[next.count]))
            return no_memory(c, at);
        else
            next.count += GLOB_DASHES;
    }
    *v = next;
    return STATUS_OK;
}

static enum status apply_steps(struct compiler *c, const struct modifiers *m,
                               const struct yaml_node *at, struct variants *v)
{
    for (uint32_t s = 0; s < m->step_count; s++) {
        enum status status = STATUS_OK;
        if (m->steps[s] == STEP_WINDASH)
            status = spread_dashes(c, at, s + 1 < m->step_count, v);
        else if (!is_literal(&v->items[0]))
            status = diagnostic_error(c->diagnostics, at, "modifier-conflict",
                                      "a value with wildcards cannot be encoded");
        else if (!encode_all(c, m->steps[s], v))
            status = no_memory(c, at);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* ---- strings ---- */

/* Which operator a folded pattern needs; a glob only where nothing simpler does. */
static void classify(const struct pattern *p, struct predicate *out)
{
    const struct part *parts = p->parts;
    uint32_t count = p->count;
    bool starts_open = count && parts[0].kind == PART_STAR;
    bool ends_open = count > 1 && parts[count - 1].kind == PART_STAR;
    uint32_t middle = count - starts_open - ends_open;
    const struct part *inner = parts + starts_open;
    out->op = PREDICATE_GLOB;
    out->pattern = *p;
    if (count && (middle != 1 || inner->kind != PART_TEXT))
        return;
    out->op = starts_open && ends_open ? PREDICATE_CONTAINS
              : starts_open            ? PREDICATE_ENDS
              : ends_open              ? PREDICATE_STARTS
                                       : PREDICATE_EQUAL;
    out->text = count ? inner->text : TEXT("");
    out->pattern = (struct pattern){NULL, 0};
}

static bool finish_pattern(struct compiler *c, const struct modifiers *m, struct pattern in,
                           struct predicate *out)
{
    bool is_keyword = !m->field.len && m->place == PLACE_WHOLE;
    bool before = is_keyword || m->place == PLACE_CONTAINS || m->place == PLACE_ENDS;
    bool behind = is_keyword || m->place == PLACE_CONTAINS || m->place == PLACE_STARTS;
    struct pattern p;
    if (!glob_wrap(in, before, behind, c->scratch, &p) ||
        (!m->is_cased && !glob_fold(p, c->scratch, &p)))
        return false;
    *out = (struct predicate){.field = field_number(c, m->field), .is_cased = m->is_cased};
    classify(&p, out);
    return out->field != NAMES_NONE;
}

static enum status read_string(struct compiler *c, const struct modifiers *m,
                               const struct yaml_node *at, struct text source, struct term *out)
{
    struct variants *v = arena_alloc(c->scratch, sizeof *v);
    struct term terms[VARIANTS];
    if (!v || !glob_parse(source, c->scratch, &v->items[0]))
        return no_memory(c, at);
    v->count = 1;
    enum status status = apply_steps(c, m, at, v);
    for (uint32_t i = 0; i < v->count && !status; i++) {
        struct predicate p;
        status = finish_pattern(c, m, v->items[i], &p) ? value_add(c, at, &p, &terms[i])
                                                       : no_memory(c, at);
    }
    if (!status && !node_join(c->arena, NODE_OR, terms, v->count, out))
        return no_memory(c, at);
    return status;
}

/* ---- everything else ---- */

static enum status read_regex(struct compiler *c, const struct modifiers *m,
                              const struct yaml_node *at, struct term *out)
{
    struct predicate p = {
        .field = field_number(c, m->field),
        .op = PREDICATE_REGEX,
        .is_cased = true,
        .regex_flags = m->regex_flags,
        .text = at->value,
    };
    return p.field == NAMES_NONE ? no_memory(c, at) : value_add(c, at, &p, out);
}

static enum status read_cidr(struct compiler *c, const struct modifiers *m,
                             const struct yaml_node *at, struct text source, struct term *out)
{
    struct predicate p = {.field = field_number(c, m->field), .op = PREDICATE_CIDR};
    if (!cidr_parse(source, &p.cidr))
        return diagnostic_error(c->diagnostics, at, "bad-network",
                                "'%.*s' is no network: want 192.0.2.0/24 or 2001:db8::/32",
                                TEXT_ARG(source));
    return p.field == NAMES_NONE ? no_memory(c, at) : value_add(c, at, &p, out);
}

static enum status read_field(struct compiler *c, const struct modifiers *m,
                              const struct yaml_node *at, struct term *out)
{
    static const enum predicate_op ops[] = {
        [PLACE_WHOLE] = PREDICATE_EQUAL,
        [PLACE_CONTAINS] = PREDICATE_CONTAINS,
        [PLACE_STARTS] = PREDICATE_STARTS,
        [PLACE_ENDS] = PREDICATE_ENDS,
    };
    struct predicate p = {
        .field = field_number(c, m->field),
        .op = PREDICATE_FIELD,
        .is_cased = m->is_cased,
        .match = ops[m->place],
        .other = names_add(c->names, at->value),
    };
    if (!at->value.len)
        return diagnostic_error(c->diagnostics, at, "bad-value",
                                "fieldref needs the name of a field");
    return p.field == NAMES_NONE || p.other == NAMES_NONE ? no_memory(c, at)
                                                          : value_add(c, at, &p, out);
}

static enum status read_number(struct compiler *c, const struct modifiers *m,
                               const struct yaml_node *at, struct term *out)
{
    struct predicate p = {
        .field = field_number(c, m->field),
        .op = m->has_unit ? PREDICATE_TIME : PREDICATE_NUMBER,
        .compare = m->has_compare ? m->compare : COMPARE_EQ,
        .unit = m->unit,
    };
    if (p.field == NAMES_NONE)
        return no_memory(c, at);
    if (!number_parse(at->value, &p.number)) {
        int64_t whole = 0;
        if (!yaml_int64(at, &whole))
            return diagnostic_error(c->diagnostics, at, "bad-value", "'%.*s' is no number",
                                    TEXT_ARG(at->value));
        p.number = (struct number){.is_whole = true, .whole = whole, .real = (double)whole};
    }
    return value_add(c, at, &p, out);
}

static enum status read_exists(struct compiler *c, const struct modifiers *m,
                               const struct yaml_node *at, struct term *out)
{
    bool wanted = false;
    struct predicate p = {.field = field_number(c, m->field), .op = PREDICATE_EXISTS};
    if (!yaml_bool(at, &wanted))
        return diagnostic_error(c->diagnostics, at, "bad-value",
                                "exists takes true or false, not '%.*s'", TEXT_ARG(at->value));
    if (p.field == NAMES_NONE)
        return no_memory(c, at);
    enum status status = value_add(c, at, &p, out);
    if (!status && !wanted && !node_negate(c->arena, *out, out))
        return no_memory(c, at);
    return status;
}

static enum status read_null(struct compiler *c, const struct modifiers *m,
                             const struct yaml_node *at, struct term *out)
{
    struct predicate p = {.field = field_number(c, m->field), .op = PREDICATE_NULL};
    bool is_plain = m->place == PLACE_WHOLE && !m->step_count && !m->is_regex && !m->is_cidr &&
                    !m->is_expand && !m->is_field && !m->has_compare && !m->has_unit;
    if (!m->field.len || !is_plain)
        return diagnostic_error(c->diagnostics, at, "bad-value",
                                "null can only be compared with a whole field");
    return p.field == NAMES_NONE ? no_memory(c, at) : value_add(c, at, &p, out);
}

/* A number written as hexadecimal or octal is that number, and in text events that text. */
static enum status read_plain_number(struct compiler *c, const struct modifiers *m,
                                     const struct yaml_node *at, struct term *out)
{
    struct number n;
    struct term both[2];
    enum status status = read_number(c, m, at, &both[0]);
    if (status || number_parse(at->value, &n)) {
        *out = both[0];
        return status;
    }
    status = read_string(c, m, at, at->value, &both[1]);
    if (!status && !node_join(c->arena, NODE_OR, both, 2, out))
        return no_memory(c, at);
    return status;
}

/* ---- placeholders ---- */

struct placeholder {
    size_t start, end;  /* with its percent signs */
    bool has_separator; /* the backslash before it is one of a path: it escapes nothing */
};

/* The length of "%name%" at `at`, where only what a list may be called stands between. */
static size_t plain_placeholder(struct text t, size_t at)
{
    size_t end = at + 1;
    while (end < t.len && (isalnum((unsigned char)t.at[end]) || strchr("_-.", t.at[end])))
        end++;
    return end > at + 1 && end < t.len && t.at[end] == '%' ? end + 1 - at : 0;
}

/* The next %name% from `from` on. `\%` is a percent sign, but in C:\Users\%user% the backslash is
 * the path's: who escapes one sign of a pair escapes the other. `*out_stray`, where it is not NULL:
 * a sign that opens nothing, or the length. */
static bool find_placeholder(struct text t, size_t from, struct placeholder *out, size_t *out_stray)
{
    for (size_t i = from; i < t.len; i++) {
        bool is_escape = t.at[i] == '\\';
        size_t len =
            is_escape && i + 1 < t.len && t.at[i + 1] == '%' ? plain_placeholder(t, i + 1) : 0;
        if (len) {
            *out = (struct placeholder){i + 1, i + 1 + len, true};
            return true;
        }
        i += is_escape;
        if (is_escape || t.at[i] != '%')
            continue;
        size_t close = i + 1 + text_find_byte(text_skip(t, i + 1), '%');
        if (close < t.len && close > i + 1) {
            *out = (struct placeholder){i, close + 1, false};
            return true;
        }
        if (out_stray)
            *out_stray = i;
        return false;
    }
    return false;
}

/* What the signs of a rule's own value that open nothing were meant for is anybody's guess. */
static enum status check_placeholders(struct compiler *c, const struct yaml_node *at)
{
    struct text t = at->value;
    struct placeholder p = {.end = 0};
    size_t stray = t.len;
    while (find_placeholder(t, p.end, &p, &stray))
        continue;
    if (stray == t.len)
        return STATUS_OK;
    return diagnostic_error(c->diagnostics, at, "unresolved-placeholder",
                            "the %% at character %zu opens no placeholder: want %%name%%, or \\%% "
                            "for the sign itself",
                            stray + 1);
}

/* `\%` is a percent sign. */
static struct text without_escapes(struct compiler *c, struct text t)
{
    char *out = arena_bytes(c->scratch, t.len + 1);
    if (!out)
        return TEXT_NONE;
    size_t n = 0;
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] == '\\' && i + 1 < t.len && t.at[i + 1] == '%')
            i++;
        out[n++] = t.at[i];
    }
    return (struct text){out, n};
}

static enum status read_expanded(struct compiler *c, const struct modifiers *m,
                                 const struct yaml_node *at, struct text source, unsigned depth,
                                 struct term *out);

static enum status read_substituted(struct compiler *c, const struct modifiers *m,
                                    const struct yaml_node *at, struct text source,
                                    const struct placeholder *p, struct text value, unsigned depth,
                                    struct term *out)
{
    size_t start = p->start + p->has_separator; /* doubled: it must not escape what follows */
    size_t len = start + value.len + source.len - p->end;
    char *whole = arena_bytes(c->scratch, len + 1);
    if (!whole)
        return no_memory(c, at);
    if (p->start)
        memcpy(whole, source.at, p->start);
    if (p->has_separator)
        whole[p->start] = '\\';
    memcpy(whole + start, value.at, value.len);
    if (source.len > p->end)
        memcpy(whole + start + value.len, source.at + p->end, source.len - p->end);
    return read_expanded(c, m, at, (struct text){whole, len}, depth + 1, out);
}

static enum status read_expanded(struct compiler *c, const struct modifiers *m,
                                 const struct yaml_node *at, struct text source, unsigned depth,
                                 struct term *out)
{
    struct placeholder p;
    struct cidr network;
    if (!find_placeholder(source, 0, &p, NULL)) {
        struct text plain = without_escapes(c, source);
        bool is_network = depth && m->place == PLACE_WHOLE && !m->step_count &&
                          text_find_byte(plain, '/') < plain.len && cidr_parse(plain, &network);
        return m->is_cidr || is_network ? read_cidr(c, m, at, plain, out)
                                        : read_string(c, m, at, plain, out);
    }
    struct text name = {source.at + p.start + 1, p.end - p.start - 2};
    const struct valuelist *list = valuelist_find(c->lists, name);
    if (!list)
        return diagnostic_error(c->diagnostics, at, "unresolved-placeholder",
                                "no value list for %%%.*s%%: put its values, one a line, into "
                                "lists/%.*s.txt",
                                TEXT_ARG(name), TEXT_ARG(name));
    if (depth > 3 || list->count > EXPANDED)
        return diagnostic_error(c->diagnostics, at, "limit", "too many values behind %%%.*s%%",
                                TEXT_ARG(name));
    struct term *terms = arena_alloc(c->scratch, ((size_t)list->count + 1) * sizeof *terms);
    if (!terms)
        return no_memory(c, at);
    for (uint32_t i = 0; i < list->count; i++) {
        enum status status =
            read_substituted(c, m, at, source, &p, list->values[i], depth, &terms[i]);
        if (status)
            return status;
    }
    return node_join(c->arena, NODE_OR, terms, list->count, out) ? STATUS_OK : no_memory(c, at);
}

/* ---- public ---- */

enum status value_read(struct compiler *c, const struct modifiers *m, const struct yaml_node *value,
                       struct term *out)
{
    if (value->kind != YAML_SCALAR)
        return diagnostic_error(c->diagnostics, value, "bad-value",
                                "want a string, a number, a boolean or null here");
    if (m->is_exists)
        return read_exists(c, m, value, out);
    if (yaml_is_null(value))
        return read_null(c, m, value, out);
    if (m->has_compare || m->has_unit)
        return read_number(c, m, value, out);
    if (m->is_regex)
        return read_regex(c, m, value, out);
    if (m->is_field)
        return read_field(c, m, value, out);
    if (m->is_expand) {
        enum status status = check_placeholders(c, value);
        return status ? status : read_expanded(c, m, value, value->value, 0, out);
    }
    if (m->is_cidr)
        return read_cidr(c, m, value, value->value, out);
    bool is_whole = m->place == PLACE_WHOLE && !m->step_count && m->field.len;
    if (is_whole && yaml_is_number(value) && value->value.len && value->value.at[0] != '.')
        return read_plain_number(c, m, value, out);
    return read_string(c, m, value, value->value, out);
}

bool value_is_exact(struct compiler *c, const struct modifiers *m, const struct yaml_node *value,
                    struct text *out)
{
    struct pattern p;
    bool is_plain = m->place == PLACE_WHOLE && !m->step_count && !m->is_regex && !m->is_cidr &&
                    !m->is_expand && !m->is_field && !m->has_compare && !m->has_unit &&
                    !m->is_exists && m->field.len;
    if (!is_plain || value->kind != YAML_SCALAR || yaml_is_null(value) || yaml_is_number(value))
        return false;
    if (!glob_parse(value->value, c->scratch, &p) || !is_literal(&p) ||
        (!m->is_cased && !glob_fold(p, c->scratch, &p)))
        return false;
    *out = literal_of(&p);
    return true;
}
