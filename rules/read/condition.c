/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/condition.h"

struct parse {
    struct compiler *c;
    struct named_term *selections;
    uint32_t selection_count;
    const struct yaml_node *at;
    struct text rest;
    struct text token; /* the next one; empty at the end */
    unsigned depth;
    uint32_t *reached; /* selections that the conditions name again, and their values */
};

struct terms {
    struct term *items;
    uint32_t count, max;
};

static enum status no_memory(struct parse *p)
{
    (void)diagnostic_error(p->c->diagnostics, p->at, "no-memory", "no memory");
    return STATUS_NOMEM;
}

/* Up to `most` + 1. */
static uint32_t count_values(struct term term, uint32_t most)
{
    uint32_t count = 1;
    if (!term.node)
        return count;
    count += term.node->leaf_count;
    for (uint32_t i = 0; i < term.node->item_count && count <= most; i++)
        count += count_values((struct term){.node = term.node->items[i]}, most - count);
    return count;
}

/* A selection that is named again is there again: what is written in four bytes may be thousands.
 */
static enum status reach(struct parse *p, struct named_term *selection)
{
    if (!selection->is_used) { /* as long as it is written */
        selection->is_used = true;
        return STATUS_OK;
    }
    *p->reached += count_values(selection->term, CONDITION_REACH - *p->reached);
    if (*p->reached <= CONDITION_REACH)
        return STATUS_OK;
    return diagnostic_error(p->c->diagnostics, p->at, "limit",
                            "the condition names the same selections again and again, more than %d "
                            "of them and their values: split the rule, or name each once",
                            CONDITION_REACH);
}

static bool add(struct parse *p, struct terms *list, struct term term)
{
    if (list->count == list->max) {
        uint32_t max = list->max ? list->max * 4 : 4;
        struct term *bigger = arena_alloc(p->c->scratch, max * sizeof *bigger);
        if (!bigger)
            return false;
        if (list->count)
            memcpy(bigger, list->items, list->count * sizeof *bigger);
        list->items = bigger;
        list->max = max;
    }
    list->items[list->count++] = term;
    return true;
}

/* ---- tokens ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void advance(struct parse *p)
{
    struct text t = text_trim(p->rest);
    size_t len = 0;
    if (t.len && memchr("()|", t.at[0], 3))
        len = 1;
    else
        while (len < t.len && !is_blank(t.at[len]) && !memchr("()|", t.at[len], 3))
            len++;
    p->token = text_head(t, len);
    p->rest = text_skip(t, len);
}

static bool is_word(const struct parse *p, const char *word)
{
    return text_equal_nocase(p->token, text_of(word));
}

/* "sel*", "*_x", "a*b": a star stands for any characters of an identifier. */
static bool name_matches(struct text pattern, struct text name)
{
    /* The last star takes one more character whenever what follows it does not fit. */
    size_t p = 0;
    size_t n = 0;
    size_t star = SIZE_MAX;
    size_t taken = 0;
    while (n < name.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            taken = n;
        } else if (p < pattern.len && pattern.at[p] == name.at[n]) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++taken;
        } else
            return false;
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

/* ---- grammar ---- */

static enum status read_or(struct parse *p, struct term *out);

static enum status unknown_selection(struct parse *p, struct text name)
{
    const char *names[64];
    char copies[64][64];
    size_t count = 0;
    for (uint32_t i = 0; i < p->selection_count && count < 64; i++) {
        struct text t = text_head(p->selections[i].name, 63);
        memcpy(copies[count], t.at, t.len);
        copies[count][t.len] = 0;
        names[count] = copies[count];
        count++;
    }
    const char *near = diagnostic_nearest(name, names, count);
    return diagnostic_error(p->c->diagnostics, p->at, "unknown-selection",
                            "the condition names '%.*s', which is no selection%s%s%s",
                            TEXT_ARG(name), near ? "; did you mean '" : "", near ? near : "",
                            near ? "'?" : "");
}

static bool is_in_set(struct text pattern, struct text name)
{
    if (text_equal_nocase(pattern, TEXT("them")))
        return name.len && name.at[0] != '_';
    return name_matches(pattern, name);
}

/* The token is the number; "of" follows. */
static enum status read_quantified(struct parse *p, struct term *out)
{
    bool is_all = is_word(p, "all");
    int64_t need = 1;
    struct terms list = {.count = 0};
    if (!is_all && !is_word(p, "any"))
        (void)text_to_int64(p->token, &need);
    advance(p); /* of */
    advance(p);
    struct text pattern = p->token;
    if (!pattern.len || memchr("()|", pattern.at[0], 3))
        return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                "'of' wants a name with a star, or 'them'");
    for (uint32_t i = 0; i < p->selection_count; i++) {
        if (!is_in_set(pattern, p->selections[i].name))
            continue;
        enum status status = reach(p, &p->selections[i]);
        if (status)
            return status;
        if (!add(p, &list, p->selections[i].term))
            return no_memory(p);
    }
    if (!list.count)
        return diagnostic_error(p->c->diagnostics, p->at, "unknown-selection",
                                "no selection's name is like '%.*s'", TEXT_ARG(pattern));
    if (need < 1 || need > list.count)
        return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                "'%lld of %.*s' can not hold: there are %u", (long long)need,
                                TEXT_ARG(pattern), list.count);
    advance(p);
    bool is_ok =
        !is_all && need > 1
            ? node_at_least(p->c->arena, (uint32_t)need, list.items, list.count, out)
            : node_join(p->c->arena, is_all ? NODE_AND : NODE_OR, list.items, list.count, out);
    return is_ok ? STATUS_OK : no_memory(p);
}

static bool is_of_next(const struct parse *p)
{
    struct parse ahead = *p;
    advance(&ahead);
    return is_word(&ahead, "of");
}

static bool is_quantifier(const struct parse *p)
{
    int64_t unused = 0;
    return (is_word(p, "all") || is_word(p, "any") || text_to_int64(p->token, &unused)) &&
           is_of_next(p);
}

static enum status read_name(struct parse *p, struct term *out)
{
    for (uint32_t i = 0; i < p->selection_count; i++) {
        if (!text_equal(p->selections[i].name, p->token))
            continue;
        *out = p->selections[i].term;
        advance(p);
        return reach(p, &p->selections[i]);
    }
    if (text_find_byte(p->token, '*') < p->token.len)
        return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                "'%.*s': a name with a star needs '1 of' or 'all of' before it",
                                TEXT_ARG(p->token));
    return unknown_selection(p, p->token);
}

static enum status read_primary(struct parse *p, struct term *out)
{
    if (!p->token.len)
        return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                "the condition ends where a selection was expected");
    if (is_quantifier(p))
        return read_quantified(p, out);
    if (text_equal(p->token, TEXT("("))) {
        advance(p);
        enum status status = read_or(p, out);
        if (status)
            return status;
        if (!text_equal(p->token, TEXT(")")))
            return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                    "a parenthesis is not closed");
        advance(p);
        return STATUS_OK;
    }
    if (text_equal(p->token, TEXT(")")) || text_equal(p->token, TEXT("|")) || is_word(p, "and") ||
        is_word(p, "or"))
        return diagnostic_error(p->c->diagnostics, p->at, "bad-condition",
                                "'%.*s' where a selection was expected", TEXT_ARG(p->token));
    return read_name(p, out);
}

static enum status read_not(struct parse *p, struct term *out)
{
    bool is_negated = false;
    while (is_word(p, "not")) {
        is_negated = !is_negated;
        advance(p);
    }
    enum status status = read_primary(p, out);
    if (!status && is_negated && !node_negate(p->c->arena, *out, out))
        return no_memory(p);
    return status;
}

static enum status read_joined(struct parse *p, const char *word, enum node_kind kind,
                               enum status (*read)(struct parse *, struct term *), struct term *out)
{
    struct terms list = {.count = 0};
    for (;;) {
        struct term term;
        enum status status = read(p, &term);
        if (status)
            return status;
        if (!add(p, &list, term))
            return no_memory(p);
        if (!is_word(p, word))
            break;
        advance(p);
    }
    return node_join(p->c->arena, kind, list.items, list.count, out) ? STATUS_OK : no_memory(p);
}

static enum status read_and(struct parse *p, struct term *out)
{
    return read_joined(p, "and", NODE_AND, read_not, out);
}

static enum status read_or(struct parse *p, struct term *out)
{
    if (++p->depth > CONDITION_DEPTH)
        return diagnostic_error(p->c->diagnostics, p->at, "limit",
                                "the condition is nested deeper than %d", CONDITION_DEPTH);
    enum status status = read_joined(p, "or", NODE_OR, read_and, out);
    p->depth--;
    return status;
}

static enum status read_one(struct compiler *c, struct named_term *selections, uint32_t count,
                            const struct yaml_node *condition, uint32_t *reached, struct term *out)
{
    if (condition->kind != YAML_SCALAR)
        return diagnostic_error(c->diagnostics, condition, "bad-condition",
                                "a condition is a string, or a list of strings");
    struct parse p = {
        .c = c,
        .selections = selections,
        .selection_count = count,
        .at = condition,
        .rest = condition->value,
        .reached = reached,
    };
    advance(&p);
    enum status status = read_or(&p, out);
    if (status)
        return status;
    if (text_equal(p.token, TEXT("|")))
        return diagnostic_error(c->diagnostics, condition, "aggregation",
                                "aggregation behind '|' is no longer part of Sigma: write a "
                                "correlation (event_count, value_count, ...)");
    if (p.token.len)
        return diagnostic_error(c->diagnostics, condition, "bad-condition",
                                "'%.*s' where 'and', 'or' or the end was expected",
                                TEXT_ARG(p.token));
    return STATUS_OK;
}

enum status condition_read(struct compiler *c, struct named_term *selections, uint32_t count,
                           const struct yaml_node *condition, struct term *out)
{
    uint32_t reached = 0;
    if (condition->kind != YAML_SEQUENCE)
        return read_one(c, selections, count, condition, &reached, out);
    struct term *terms = arena_alloc(c->scratch, ((size_t)condition->count + 1) * sizeof *terms);
    if (!terms)
        return STATUS_NOMEM;
    if (!condition->count)
        return diagnostic_error(c->diagnostics, condition, "bad-condition",
                                "an empty list of conditions");
    for (uint32_t i = 0; i < condition->count; i++) {
        enum status status =
            read_one(c, selections, count, condition->items[i], &reached, &terms[i]);
        if (status)
            return status;
    }
    return node_join(c->arena, NODE_OR, terms, condition->count, out) ? STATUS_OK : STATUS_NOMEM;
}
