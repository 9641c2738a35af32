/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/succession.h"
#include "base/correlation.h"
#include <string.h>

/* Chains of one way of 64 inputs take 64 * 65 / 2 entries; those of many small ways less. */
enum {
    RECENT = 256,
    SLACK = 256,
    CHAINED = 4096,
    MOST = RECENT + SLACK + CORRELATION_INPUTS + CHAINED
};

bool succession_holds(const struct window *w, const struct window_shape *shape,
                      struct succession want)
{
    uint64_t missing = want.needed;
    uint64_t present = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint64_t bit = UINT64_C(1) << window_tag_input(window_at(w, shape, i)->tag);
        present |= bit;
        if (bit == (missing & -missing))
            missing &= ~bit;
    }
    return !missing && !(present & want.forbidden);
}

uint32_t succession_longest(const struct window *w, const struct window_shape *shape)
{
    uint32_t longest[CORRELATION_INPUTS] = {0}; /* ending with that input */
    uint32_t most = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t input = window_tag_input(window_at(w, shape, i)->tag);
        uint32_t before = 0;
        for (uint32_t j = 0; j < input; j++)
            before = longest[j] > before ? longest[j] : before;
        if (before + 1 > longest[input])
            longest[input] = before + 1;
        most = longest[input] > most ? longest[input] : most;
    }
    return most;
}

static uint32_t inputs_of(struct succession way)
{
    return (uint32_t)__builtin_popcountll(way.needed);
}

uint32_t succession_retain(const struct succession *ways, uint32_t count)
{
    uint32_t chained = 0;
    for (uint32_t i = 0; i < count; i++)
        chained += inputs_of(ways[i]) * (inputs_of(ways[i]) + 1) / 2;
    return RECENT + SLACK + CORRELATION_INPUTS + (chained < CHAINED ? chained : CHAINED);
}

struct keep {
    uint64_t bits[MOST / 64 + 1];
};

static void keep_one(struct keep *keep, uint32_t at)
{
    keep->bits[at / 64] |= UINT64_C(1) << (at % 64);
}

/* chains[k]: the entries of the chain over the way's inputs 0..k that starts latest; among equal
 * ones that which ends first. */
struct chain {
    uint32_t at[CORRELATION_INPUTS];
    bool is_there;
};

static void extend(struct chain *chains, uint32_t k, uint32_t at)
{
    struct chain *c = &chains[k];
    if (k == 0) {
        c->at[0] = at;
        c->is_there = true;
        return;
    }
    const struct chain *before = &chains[k - 1];
    if (!before->is_there || (c->is_there && c->at[0] >= before->at[0]))
        return;
    memcpy(c->at, before->at, k * sizeof c->at[0]);
    c->at[k] = at;
    c->is_there = true;
}

static void keep_chains(const struct window *w, const struct window_shape *shape, uint64_t needed,
                        uint32_t old, struct keep *keep)
{
    struct chain chains[CORRELATION_INPUTS];
    uint32_t count = inputs_of((struct succession){needed, 0});
    for (uint32_t k = 0; k < count; k++)
        chains[k].is_there = false;
    for (uint32_t i = 0; i < old; i++) {
        uint64_t bit = UINT64_C(1) << window_tag_input(window_at(w, shape, i)->tag);
        if (needed & bit) /* the k-th input of the way */
            extend(chains, inputs_of((struct succession){needed & (bit - 1), 0}), i);
    }
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t j = 0; chains[k].is_there && j <= k; j++)
            keep_one(keep, chains[k].at[j]);
}

/* So that what is forbidden is still seen. */
static void keep_newest(const struct window *w, const struct window_shape *shape, uint32_t old,
                        struct keep *keep)
{
    uint64_t seen = 0;
    for (uint32_t i = old; i > 0; i--) {
        uint64_t bit = UINT64_C(1) << window_tag_input(window_at(w, shape, i - 1)->tag);
        if (!(seen & bit))
            keep_one(keep, i - 1);
        seen |= bit;
    }
}

void succession_thin(struct window *w, const struct window_shape *shape,
                     const struct succession *ways, uint32_t count)
{
    struct keep keep = {{0}};
    uint32_t old = w->count > RECENT ? w->count - RECENT : 0;
    if (!count)
        return;
    for (uint32_t i = 0; i < count; i++)
        keep_chains(w, shape, ways[i].needed, old, &keep);
    keep_newest(w, shape, old, &keep);
    for (uint32_t i = old; i < w->count; i++)
        keep_one(&keep, i);
    window_thin(w, shape, keep.bits);
}
