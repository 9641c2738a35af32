/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/partition.h"
#include "base/hash.h"
#include "rules/match/grow.h"
#include <assert.h>
#include <stdlib.h>

/* An atom with its rules while a partition is built. */
struct draft_atom {
    struct atom atom;
    uint32_t *rules;
    uint32_t count, max;
};
struct building {
    struct draft_atom *atoms;
    uint32_t count, max;
    uint32_t *buckets; /* atom + 1 */
    uint32_t bucket_count;
};

/* ---- tables of one partition ---- */

static void free_partition(struct partition *p)
{
    for (uint32_t i = 0; p->fields && i < p->field_count; i++) {
        free(p->fields[i].exact.items);
        free(p->fields[i].numbers.items);
        literals_free(p->fields[i].literals);
        gate_free(p->fields[i].gate);
    }
    free(p->fields);
    free(p->atoms);
    free(p->postings);
    free(p->always);
    free(p->rules);
    free(p->decided);
}

void partition_fini(struct partitions *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        free_partition(&p->items[i]);
    free(p->items);
    free(p->of_rule);
    free(p->buckets);
    *p = (struct partitions){.items = NULL};
}

static void free_building(struct building *b)
{
    for (uint32_t i = 0; i < b->count; i++)
        free(b->atoms[i].rules);
    free(b->atoms);
    free(b->buckets);
}

static uint64_t atom_hash(const struct atom *a)
{
    uint64_t h = hash_seeded(a->text.at, a->text.len, a->number);
    return hash_mix(h ^ ((uint64_t)a->field << 8 | (uint64_t)a->kind << 4 | a->place)) ^
           a->predicate;
}

static bool is_same_atom(const struct atom *a, const struct atom *b)
{
    return a->kind == b->kind && a->field == b->field && a->place == b->place &&
           a->number == b->number && a->predicate == b->predicate && text_equal(a->text, b->text);
}

static uint32_t *atom_bucket(const struct building *b, const struct atom *a)
{
    for (uint64_t at = atom_hash(a);; at++) {
        uint32_t *bucket = &b->buckets[at & (b->bucket_count - 1)];
        if (!*bucket || is_same_atom(&b->atoms[*bucket - 1].atom, a))
            return bucket;
    }
}

static bool rehash(struct building *b)
{
    uint32_t count = b->bucket_count ? b->bucket_count * 2 : 1024;
    uint32_t *bigger = calloc(count, sizeof *bigger);
    if (!bigger)
        return false;
    free(b->buckets);
    b->buckets = bigger;
    b->bucket_count = count;
    for (uint32_t i = 0; i < b->count; i++)
        *atom_bucket(b, &b->atoms[i].atom) = i + 1;
    return true;
}

static bool add_atom(struct building *b, const struct atom *a, uint32_t rule)
{
    if (b->count * 2 >= b->bucket_count && !rehash(b))
        return false;
    uint32_t *bucket = atom_bucket(b, a);
    if (!*bucket) {
        if (!GROW(b->atoms, b->count, b->max))
            return false;
        b->atoms[b->count++] = (struct draft_atom){.atom = *a};
        *bucket = b->count;
    }
    struct draft_atom *d = &b->atoms[*bucket - 1];
    if (d->count && d->rules[d->count - 1] == rule)
        return true;
    if (!GROW(d->rules, d->count, d->max))
        return false;
    d->rules[d->count++] = rule;
    return true;
}

/* Whoever is an atom itself, and was not found, is false: no need to look again. */
static bool freeze_decided(const struct building *b, uint32_t predicate_count, struct partition *p)
{
    p->decided = calloc((size_t)predicate_count / 64 + 1, sizeof *p->decided);
    for (uint32_t i = 0; p->decided && i < b->count; i++) {
        uint32_t predicate = b->atoms[i].atom.predicate;
        if (predicate != COVER_MAYBE)
            p->decided[predicate / 64] |= UINT64_C(1) << (predicate % 64);
    }
    return p->decided;
}

static bool freeze_postings(const struct building *b, struct partition *p)
{
    size_t total = 0;
    for (uint32_t i = 0; i < b->count; i++)
        total += b->atoms[i].count;
    p->atoms = calloc((size_t)b->count + 1, sizeof *p->atoms);
    p->postings = calloc(total + 1, sizeof *p->postings);
    if (!p->atoms || !p->postings)
        return false;
    uint32_t at = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct draft_atom *d = &b->atoms[i];
        p->atoms[p->atom_count++] = (struct posting){d->atom.predicate, at, d->count};
        memcpy(p->postings + at, d->rules, d->count * sizeof *d->rules);
        at += d->count;
    }
    return true;
}

static bool reserve_table(struct partition_table *t)
{
    if (!t->count)
        return true;
    uint32_t size = 8;
    while (size < 2 * t->count)
        size *= 2;
    t->items = calloc(size, sizeof *t->items);
    t->mask = size - 1;
    return t->items;
}

static void put(struct partition_table *t, uint64_t key, struct text text, uint32_t atom)
{
    uint64_t at = key & t->mask;
    while (t->items[at].atom)
        at = (at + 1) & t->mask;
    t->items[at] = (struct partition_key){key, text, atom + 1};
    t->longest = text.len > t->longest ? (uint32_t)text.len : t->longest;
}

static int compare_fields(const void *a, const void *b)
{
    uint32_t x = ((const struct partition_field *)a)->field;
    uint32_t y = ((const struct partition_field *)b)->field;
    return (x > y) - (x < y);
}

static struct partition_field *field_of(struct partition *p, uint32_t field)
{
    struct partition_field key = {.field = field};
    return p->field_count ? bsearch(&key, p->fields, p->field_count, sizeof key, compare_fields)
                          : NULL;
}

/* Which fields have atoms, each once and in order. */
static bool collect_fields(const struct building *b, struct partition *p)
{
    p->fields = calloc((size_t)b->count + 1, sizeof *p->fields);
    if (!p->fields)
        return false;
    uint32_t total = 0;
    for (uint32_t i = 0; i < b->count; i++)
        p->fields[total++].field = b->atoms[i].atom.field;
    qsort(p->fields, total, sizeof *p->fields, compare_fields);
    for (uint32_t i = 0; i < total; i++)
        if (!p->field_count || p->fields[p->field_count - 1].field != p->fields[i].field)
            p->fields[p->field_count++].field = p->fields[i].field;
    return true;
}

/* Literal atoms by field, so that each field meets its own only. */
struct placed {
    uint32_t field, atom;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a;
    const struct placed *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    return (x->atom > y->atom) - (x->atom < y->atom);
}

/* Of NAMES_WHOLE any gate is worth it; of a field one that is much faster than its literals, which
 * then may stand anywhere. Without a gate all is searched, so no memory is no error. */
static void build_gate(const struct literal *items, uint32_t count, struct partition_field *f)
{
    struct text *literals = calloc((size_t)count + 1, sizeof *literals);
    bool is_edged = false;
    for (uint32_t i = 0; literals && i < count; i++) {
        literals[i] = items[i].text;
        is_edged |= items[i].place != LITERAL_ANYWHERE;
    }
    if (literals && count && (f->field == NAMES_WHOLE || !is_edged))
        f->gate = gate_new(literals, count);
    if (f->gate && f->field != NAMES_WHOLE && !gate_has_sieve(f->gate)) {
        gate_free(f->gate);
        f->gate = NULL;
    }
    free(literals);
}

static bool build_literals(const struct building *b, struct placed *placed, struct literal *items,
                           struct partition *p)
{
    uint32_t total = 0;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->atoms[i].atom.kind == ATOM_LITERAL)
            placed[total++] = (struct placed){b->atoms[i].atom.field, i};
    if (total)
        qsort(placed, total, sizeof *placed, compare_placed);
    uint32_t at = 0;
    for (uint32_t i = 0; i < p->field_count; i++) { /* both are in order of fields */
        struct partition_field *f = &p->fields[i];
        uint32_t count = 0;
        for (; at < total && placed[at].field == f->field; at++) {
            const struct atom *a = &b->atoms[placed[at].atom].atom;
            items[count++] = (struct literal){a->text, a->place, placed[at].atom};
        }
        if (count && literals_new(items, count, &f->literals, NULL) != STATUS_OK)
            return false;
        build_gate(items, count, f);
    }
    return true;
}

static bool freeze_literals(const struct building *b, struct partition *p)
{
    struct placed *placed = calloc((size_t)b->count + 1, sizeof *placed);
    struct literal *items = calloc((size_t)b->count + 1, sizeof *items);
    bool is_ok = placed && items && build_literals(b, placed, items, p);
    free(placed);
    free(items);
    return is_ok;
}

static bool freeze_fields(const struct building *b, struct partition *p)
{
    if (!collect_fields(b, p))
        return false;
    for (uint32_t i = 0; i < b->count; i++) {
        struct partition_field *f = field_of(p, b->atoms[i].atom.field);
        assert(f); /* collected above */
        f->exact.count += b->atoms[i].atom.kind == ATOM_EQUAL;
        f->numbers.count += b->atoms[i].atom.kind == ATOM_NUMBER;
    }
    for (uint32_t i = 0; i < p->field_count; i++)
        if (!reserve_table(&p->fields[i].exact) || !reserve_table(&p->fields[i].numbers))
            return false;
    /* PRESENT atoms differ by predicate (exists, or maybe): the second goes with the first. */
    for (uint32_t i = 0; i < b->count; i++) {
        const struct atom *a = &b->atoms[i].atom;
        struct partition_field *f = field_of(p, a->field);
        assert(f);
        if (a->kind == ATOM_EQUAL)
            put(&f->exact, hash_seeded(a->text.at, a->text.len, 0), a->text, i);
        else if (a->kind == ATOM_NUMBER)
            put(&f->numbers, a->number, TEXT_NONE, i);
        else if (a->kind == ATOM_PRESENT)
            f->present = i + 1;
    }
    return freeze_literals(b, p);
}

/* ---- one partition ---- */

static bool add_always(struct partition *p, uint32_t rule, uint32_t *max)
{
    if (!GROW(p->always, p->always_count, *max))
        return false;
    p->always[p->always_count++] = rule;
    return true;
}

static bool build(const struct compiled *rules, struct cover_search *search, struct building *b,
                  struct partition *p)
{
    uint32_t always_max = 0;
    for (uint32_t i = 0; i < p->rule_count; i++) {
        struct cover cover;
        if (!cover_find(search, rules[p->rules[i]].root, &cover))
            return false;
        if (!cover.is_possible) {
            if (!add_always(p, p->rules[i], &always_max))
                return false;
            continue;
        }
        for (uint32_t k = 0; k < cover.count; k++) {
            struct atom a = cover.atoms[k];
            if (a.kind == ATOM_PRESENT)
                a.predicate = COVER_MAYBE; /* one per field */
            if (!add_atom(b, &a, p->rules[i]))
                return false;
        }
    }
    return freeze_decided(b, predicates_count(search->predicates), p) && freeze_postings(b, p) &&
           freeze_fields(b, p);
}

/* ---- all ---- */

static uint64_t source_hash(const struct logsource *s)
{
    uint64_t h = hash_seeded(s->category.at, s->category.len, 1);
    h = hash_seeded(s->product.at, s->product.len, h);
    return hash_seeded(s->service.at, s->service.len, h);
}

static uint32_t *bucket_of(const struct partitions *p, const struct logsource *s)
{
    for (uint64_t at = source_hash(s);; at++) {
        uint32_t *bucket = &p->buckets[at & p->mask];
        if (!*bucket)
            return bucket;
        const struct logsource *o = &p->items[*bucket - 1].source;
        if (text_equal(o->category, s->category) && text_equal(o->product, s->product) &&
            text_equal(o->service, s->service))
            return bucket;
    }
}

const struct partition *partition_find(const struct partitions *p, const struct logsource *s)
{
    uint32_t bucket = *bucket_of(p, s);
    return bucket ? &p->items[bucket - 1] : NULL;
}

bool partition_is_always(const struct partition *p, uint32_t rule)
{
    for (uint32_t i = 0; i < p->always_count; i++)
        if (p->always[i] == rule)
            return true;
    return false;
}

uint32_t partition_present_field(const struct partition *p, uint32_t rule)
{
    for (uint32_t i = 0; i < p->field_count; i++) {
        if (!p->fields[i].present)
            continue;
        const struct posting *at = &p->atoms[p->fields[i].present - 1];
        for (uint32_t k = 0; k < at->count; k++)
            if (p->postings[at->first + k] == rule)
                return p->fields[i].field;
    }
    return NAMES_NONE;
}

static enum status assign(const struct compiled *rules, uint32_t rule_count, bool has_routing,
                          struct partitions *p, uint32_t *maxima)
{
    for (uint32_t i = 0; i < rule_count; i++) {
        static const struct logsource everything = {{"", 0}, {"", 0}, {"", 0}};
        const struct logsource *source = has_routing ? &rules[i].source : &everything;
        uint32_t *bucket = bucket_of(p, source);
        if (!*bucket) {
            p->items[p->count] = (struct partition){.source = *source};
            *bucket = ++p->count;
        }
        struct partition *one = &p->items[*bucket - 1];
        if (!GROW(one->rules, one->rule_count, maxima[*bucket - 1]))
            return STATUS_NOMEM;
        one->rules[one->rule_count++] = i;
        p->of_rule[i] = *bucket - 1;
    }
    return STATUS_OK;
}

/* Uses are counted per partition: what is common among its rules is common among its events. */
static enum status build_all(const struct compiled *rules, const struct predicates *predicates,
                             struct arena *keep, struct partitions *p)
{
    enum status status = STATUS_OK;
    struct arena scratch;
    size_t count = predicates_count(predicates);
    uint32_t *uses = calloc(count + 1, sizeof *uses);
    struct cover_search search = {predicates, uses, &scratch, keep};
    if (!uses)
        return STATUS_NOMEM;
    arena_init(&scratch, (size_t)1 << 30);
    for (uint32_t i = 0; i < p->count && !status; i++) {
        struct building b = {.atoms = NULL};
        arena_reset(&scratch);
        memset(uses, 0, count * sizeof *uses);
        for (uint32_t k = 0; k < p->items[i].rule_count; k++)
            cover_count(rules[p->items[i].rules[k]].root, uses);
        if (!build(rules, &search, &b, &p->items[i]))
            status = STATUS_NOMEM;
        for (uint32_t k = 0; k < p->items[i].field_count; k++)
            p->items[i].fields[k].number = p->field_total++;
        free_building(&b);
    }
    arena_fini(&scratch);
    free(uses);
    return status;
}

enum status partition_build(const struct compiled *rules, uint32_t rule_count,
                            const struct predicates *predicates, bool has_routing,
                            struct arena *arena, struct partitions *out, struct error *err)
{
    struct partitions p = {.items = calloc((size_t)rule_count + 1, sizeof *p.items),
                           .of_rule = calloc((size_t)rule_count + 1, sizeof *p.of_rule)};
    uint32_t *maxima = calloc((size_t)rule_count + 1, sizeof *maxima);
    uint32_t size = 64;
    while (size < 2 * rule_count)
        size *= 2;
    p.buckets = calloc(size, sizeof *p.buckets);
    p.mask = size - 1;
    enum status status = p.items && p.of_rule && maxima && p.buckets ? STATUS_OK : STATUS_NOMEM;
    if (!status)
        status = assign(rules, rule_count, has_routing, &p, maxima);
    if (!status)
        status = build_all(rules, predicates, arena, &p);
    free(maxima);
    if (status) {
        partition_fini(&p);
        return error_set(err, status, 0, "no memory for the index of rules");
    }
    *out = p;
    return STATUS_OK;
}
