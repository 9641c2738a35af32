/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "rules/match/fold.h"
#include "rules/match/matcher_state.h"
#include <stdlib.h>

/* ---- which partitions ---- */

static struct text lower_into(char *room, struct text t)
{
    return (struct text){room, fold_text(t, room)};
}

/* A rule's log source fits when every part that it says is the event's: eight combinations. */
static uint32_t look_up(const struct partitions *p, const struct logsource *s,
                        const struct partition *out[MATCHER_PARTITIONS])
{
    char room[3][3 * MATCHER_ROUTE_BYTES];
    struct text parts[3] = {s->category, s->product, s->service};
    uint32_t count = 0;
    for (int i = 0; i < 3; i++)
        parts[i] = lower_into(room[i], text_head(parts[i], MATCHER_ROUTE_BYTES));
    for (unsigned mask = 0; mask < 8; mask++) {
        bool is_sayable = (parts[0].len || !(mask & 1)) && (parts[1].len || !(mask & 2)) &&
                          (parts[2].len || !(mask & 4));
        struct logsource key = {
            mask & 1 ? parts[0] : TEXT(""),
            mask & 2 ? parts[1] : TEXT(""),
            mask & 4 ? parts[2] : TEXT(""),
        };
        const struct partition *found = is_sayable ? partition_find(p, &key) : NULL;
        if (found)
            out[count++] = found;
    }
    return count;
}

static bool is_route(const struct route *r, const struct text parts[3])
{
    size_t at = 0;
    if (!r->is_known)
        return false;
    for (int i = 0; i < 3; i++) {
        if (r->lengths[i] != parts[i].len ||
            (parts[i].len && memcmp(r->bytes + at, parts[i].at, parts[i].len) != 0))
            return false;
        at += parts[i].len;
    }
    return true;
}

static void remember(struct route *r, const struct text parts[3],
                     const struct partition *const *found, uint32_t count)
{
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        if (parts[i].len)
            memcpy(r->bytes + at, parts[i].at, parts[i].len);
        r->lengths[i] = (uint8_t)parts[i].len;
        at += parts[i].len;
    }
    for (uint32_t i = 0; i < count; i++)
        r->partitions[i] = found[i];
    r->count = (uint8_t)count;
    r->is_known = true;
}

static uint32_t route(struct matcher *m, const struct logsource *s,
                      const struct partition *out[MATCHER_PARTITIONS])
{
    struct text parts[3] = {s->category, s->product, s->service};
    uint64_t hash = 0;
    size_t bytes = 0;
    for (int i = 0; i < 3; i++) {
        hash = hash_seeded(parts[i].at, parts[i].len, hash + 1);
        bytes += parts[i].len;
    }
    struct route *r = &m->routes[hash % MATCHER_ROUTES];
    if (bytes <= MATCHER_ROUTE_BYTES && is_route(r, parts)) {
        for (uint32_t i = 0; i < r->count; i++)
            out[i] = r->partitions[i];
        return r->count;
    }
    uint32_t count = look_up(&m->ruleset->partitions, s, out);
    if (bytes <= MATCHER_ROUTE_BYTES)
        remember(r, parts, out, count);
    return count;
}

uint32_t shortlist_route(struct matcher *m, const struct event *e,
                         const struct partition *out[MATCHER_REACHED])
{
    static const struct logsource nothing = {{"", 0}, {"", 0}, {"", 0}};
    uint32_t count = 0;
    bool is_free = !m->ruleset->has_routing || !e->logsource_count;
    uint32_t sources = is_free ? 1 : e->logsource_count;
    for (uint32_t i = 0; i < sources; i++) {
        const struct partition *found[MATCHER_PARTITIONS];
        uint32_t n = route(m, is_free ? &nothing : &e->logsources[i], found);
        for (uint32_t k = 0; k < n; k++) {
            uint32_t j = 0;
            while (j < count && out[j] != found[k])
                j++;
            if (j == count)
                out[count++] = found[k];
        }
    }
    return count;
}

/* ---- which rules ---- */

struct probe {
    struct matcher *m;
    const struct partition *partition;
    const struct event *event;
    struct memo_entry *noted; /* what is found is told here; or NULL */
};

static void take_rule(struct matcher *m, uint32_t rule)
{
    if (m->seen[rule] == m->evaluation.generation)
        return;
    m->seen[rule] = m->evaluation.generation;
    m->shortlist[m->shortlist_count++] = rule;
}

static void take_atom(void *context, uint32_t atom)
{
    const struct probe *p = context;
    struct matcher *m = p->m;
    if (p->noted)
        memo_add(p->noted, atom);
    if (m->atoms_seen[atom] == m->atom_generation)
        return;
    m->atoms_seen[atom] = m->atom_generation;
    const struct posting *posting = &p->partition->atoms[atom];
    if (posting->predicate != COVER_MAYBE)
        evaluation_set_true(&m->evaluation, posting->predicate);
    for (uint32_t i = 0; i < posting->count; i++)
        take_rule(m, p->partition->postings[posting->first + i]);
}

static void probe_exact(struct probe *p, const struct partition_table *t, struct text folded)
{
    uint64_t key = hash_seeded(folded.at, folded.len, 0);
    for (uint64_t at = key & t->mask; t->items[at].atom; at = (at + 1) & t->mask)
        if (t->items[at].key == key && text_equal(t->items[at].text, folded))
            take_atom(p, t->items[at].atom - 1);
}

static void probe_number(struct probe *p, const struct partition_table *t, const struct number *n)
{
    uint64_t key = number_key(n);
    for (uint64_t at = key & t->mask; t->items[at].atom; at = (at + 1) & t->mask)
        if (t->items[at].key == key)
            take_atom(p, t->items[at].atom - 1);
}

static bool is_worth_searching(const struct event *e, const struct partition_field *f,
                               const struct fieldview_value *value)
{
    enum { SHORT = 48 }; /* searched as fast as looked at */
    if (!f->gate || value->raw.len < SHORT)
        return true;
    const bool is_inside = value->raw.at >= e->document.at &&
                           value->raw.at + value->raw.len <= e->document.at + e->document.len;
    return gate_admits(f->gate, value->raw, e->is_plain && is_inside);
}

/* A byte is at most six of an escape (\u0041), and folding makes three bytes one at most. */
enum { SHRINKS = 18 };

static void search_value(struct probe *p, const struct partition_field *f,
                         struct fieldview_value *value)
{
    struct fieldview *view = p->m->view;
    bool is_scalar = value->type != VALUE_OBJECT;
    if (!is_scalar && !fieldview_plain(view, value).at)
        return;
    if (f->exact.count && is_scalar && value->raw.len / SHRINKS <= f->exact.longest)
        probe_exact(p, &f->exact, fieldview_folded(view, value));
    if (f->numbers.count && is_scalar) {
        const struct number *n = fieldview_number(view, value);
        if (n)
            probe_number(p, &f->numbers, n);
    }
    if (f->literals && !value->is_prefix && is_worth_searching(p->event, f, value))
        literals_find(f->literals, fieldview_folded(view, value), take_atom, p);
}

static void probe_value(struct probe *p, const struct partition_field *f,
                        struct fieldview_value *value)
{
    if (value->type == VALUE_NULL)
        return;
    bool is_known = false;
    struct memo_entry *e =
        f->field == NAMES_WHOLE ? NULL : memo_find(p->m->memo, f->number, value, &is_known);
    if (is_known) {
        for (uint32_t i = 0; i < e->count; i++)
            take_atom(p, e->atoms[i]);
        return;
    }
    const uint64_t cut = fieldview_cut_values(p->m->view);
    p->noted = e;
    search_value(p, f, value);
    p->noted = NULL;
    if (e && fieldview_cut_values(p->m->view) != cut)
        memo_forget(e);
}

static void probe_partition(struct matcher *m, const struct partition *partition,
                            const struct event *e)
{
    struct probe p = {.m = m, .partition = partition, .event = e};
    if (++m->atom_generation == 0) {
        memset(m->atoms_seen, 0, m->atom_max * sizeof *m->atoms_seen);
        m->atom_generation = 1;
    }
    for (uint32_t i = 0; i < partition->field_count; i++) {
        const struct partition_field *f = &partition->fields[i];
        if (f->field == NAMES_WHOLE && f->gate && !gate_is_open(f->gate, e))
            continue;
        struct fieldview_value *value = fieldview_first(m->view, f->field);
        if (value && f->present)
            take_atom(&p, f->present - 1);
        for (; value; value = fieldview_next(m->view, value))
            probe_value(&p, f, value);
    }
    for (uint32_t i = 0; i < partition->always_count; i++)
        take_rule(m, partition->always[i]);
}

static int compare_rules(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* A handful as a rule, thousands at worst. */
static void sort(uint32_t *items, uint32_t count)
{
    if (count > 32) {
        qsort(items, count, sizeof *items, compare_rules);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        uint32_t item = items[i];
        uint32_t k = i;
        for (; k && items[k - 1] > item; k--)
            items[k] = items[k - 1];
        items[k] = item;
    }
}

void shortlist_find(struct matcher *m, const struct event *e)
{
    const struct partition *reached[MATCHER_REACHED];
    uint32_t count = shortlist_route(m, e, reached);
    m->shortlist_count = 0;
    for (uint32_t i = 0; i < count; i++)
        probe_partition(m, reached[i], e);
    sort(m->shortlist, m->shortlist_count);
}
