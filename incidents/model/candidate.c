/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/candidate.h"
#include "base/timestamp.h"
#include <math.h>
#include <stdlib.h>

struct candidate *candidate_new(enum entity_kind kind, struct text value)
{
    struct candidate *c = calloc(1, sizeof *c + value.len + 1);
    if (!c)
        return NULL;
    if (value.len)
        memcpy(c->bytes, value.at, value.len);
    c->kind = kind;
    c->value = (struct text){c->bytes, value.len};
    c->episode = 1;
    c->episode_us = TIMESTAMP_NONE;
    c->last_closed_us = TIMESTAMP_NONE;
    c->criticality = 1;
    c->is_new = true;
    candidate_reset(c);
    return c;
}

void candidate_free(struct candidate *c)
{
    if (!c)
        return;
    free(c->members);
    free(c);
}

uint64_t candidate_hash(enum entity_kind kind, struct text value)
{
    return hash_table_hash(value, (uint64_t)kind + 1);
}

void candidate_reset(struct candidate *c)
{
    c->member_count = 0;
    c->detections = 0;
    c->id[0] = 0;
    c->is_backfill = false;
    c->first_us = c->last_us = c->received_us = c->alert_us = TIMESTAMP_NONE;
}

static int order(const struct member *m, struct text tactic, struct text family)
{
    int by_tactic = text_compare(m->tactic, tactic);
    return by_tactic ? by_tactic : text_compare(m->family, family);
}

static bool grow(struct candidate *c)
{
    if (c->member_count < c->member_max)
        return true;
    if (c->member_count == CANDIDATE_MEMBERS)
        return false;
    uint32_t max = c->member_max ? c->member_max * 2 : 2;
    struct member *members = realloc(c->members, max * sizeof *members);
    if (!members)
        return false;
    c->members = members;
    c->member_max = max;
    return true;
}

struct member *candidate_member(struct candidate *c, struct text tactic, struct text family,
                                bool *out_is_new)
{
    uint32_t at = 0;
    *out_is_new = false;
    for (; at < c->member_count; at++) {
        int by = order(&c->members[at], tactic, family);
        if (by == 0)
            return &c->members[at];
        if (by > 0)
            break;
    }
    if (!grow(c))
        return NULL;
    memmove(&c->members[at + 1], &c->members[at], (c->member_count - at) * sizeof *c->members);
    c->member_count++;
    c->members[at] = (struct member){.tactic = tactic, .family = family, .mark = -1e300};
    *out_is_new = true;
    return &c->members[at];
}

void candidate_drop(struct candidate *c, const struct member *member)
{
    uint32_t at = (uint32_t)(member - c->members);
    c->member_count--;
    memmove(&c->members[at], &c->members[at + 1], (c->member_count - at) * sizeof *c->members);
}

const struct member *candidate_weakest(const struct candidate *c)
{
    const struct member *weakest = &c->members[0];
    for (uint32_t m = 1; m < c->member_count; m++)
        if (c->members[m].mark < weakest->mark)
            weakest = &c->members[m];
    return weakest;
}

double candidate_strength(const struct candidate *c)
{
    double most = -1e300, sum = 0;
    for (uint32_t m = 0; m < c->member_count; m++)
        most = c->members[m].mark > most ? c->members[m].mark : most;
    for (uint32_t m = 0; m < c->member_count; m++)
        sum += exp2(c->members[m].mark - most);
    return c->member_count ? most + log2(sum) : most;
}

struct score_reading candidate_read(const struct candidate *c, int64_t t_us, int64_t half_life_us)
{
    struct score_part parts[CANDIDATE_MEMBERS];
    for (uint32_t i = 0; i < c->member_count; i++)
        parts[i] = (struct score_part){c->members[i].tactic, c->members[i].mark};
    return score_read(parts, c->member_count, t_us, half_life_us, c->criticality);
}
