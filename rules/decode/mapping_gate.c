/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_parts.h"

/* Which mapping an event belongs to, without asking every mapping about every event. */

/* Whether `a` tells events apart better: what must only be there is mostly a product's own name,
 * what is compared mostly a common one (type, category, action); then the one with fewer fields. */
static bool is_better(const struct mapping_condition *a, const struct mapping_condition *b)
{
    if (a->is_existence != b->is_existence)
        return a->is_existence;
    return a->slot_count < b->slot_count;
}

/* The positive condition that opens a clause's gate, or NULL. */
static const struct mapping_condition *guard_of(const struct mapping_clause *clause)
{
    const struct mapping_condition *best = NULL;
    for (uint32_t i = 0; i < clause->count; i++) {
        const struct mapping_condition *c = &clause->conditions[i];
        if (!c->is_negated && (!best || is_better(c, best)))
            best = c;
    }
    return best;
}

static bool list_gates(struct mapping_set *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->count; i++)
        count += s->mappings[i]->when.count;
    s->gates = arena_alloc(&s->arena, (count + 1) * sizeof *s->gates);
    if (!s->gates || count > MAPPING_CLAUSES)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        for (uint32_t j = 0; j < s->mappings[i]->when.count; j++)
            s->gates[s->gate_count++] = (struct mapping_gate){&s->mappings[i]->when.clauses[j], i};
    return true;
}

static bool opens(const struct mapping_gate *gate, uint32_t slot)
{
    const struct mapping_condition *guard = guard_of(gate->clause);
    for (uint32_t i = 0; guard && i < guard->slot_count; i++)
        if (guard->slots[i] == slot)
            return true;
    return false;
}

static bool build_guard(struct mapping_set *s, uint32_t slot)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->gate_count; i++)
        count += opens(&s->gates[i], slot);
    uint16_t *gates = arena_alloc(&s->arena, (count + 1) * sizeof *gates);
    if (!gates)
        return false;
    s->guards[slot] = (struct mapping_guard){gates, count};
    for (uint32_t i = 0, at = 0; i < s->gate_count; i++)
        if (opens(&s->gates[i], slot))
            gates[at++] = (uint16_t)i;
    return true;
}

bool mapping_gate_build(struct mapping_set *s)
{
    s->guards = arena_zero(&s->arena, (s->slot_count + 1) * sizeof *s->guards);
    if (!s->guards || !list_gates(s))
        return false;
    for (uint32_t i = 0; i < s->slot_count; i++)
        if (!build_guard(s, i))
            return false;
    for (uint32_t i = 0; i < s->gate_count; i++)
        if (!guard_of(s->gates[i].clause))
            s->always[i / 64] |= UINT64_C(1) << (i % 64);
    return true;
}

uint32_t mapping_gate_find(const struct mapping_set *s, const uint64_t *open,
                           const struct mapping_seen *seen)
{
    for (uint32_t word = 0; word * 64 < s->gate_count; word++)
        for (uint64_t bits = open[word]; bits; bits &= bits - 1) {
            const struct mapping_gate *gate =
                &s->gates[word * 64 + (uint32_t)__builtin_ctzll(bits)];
            if (mapping_match_clause(gate->clause, seen))
                return gate->mapping + 1;
        }
    return 0;
}
