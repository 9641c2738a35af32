/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/succession.h"
#include "base/correlation.h"
#include <string.h>

enum { RECENT = 256, SLACK = 256, MOST = RECENT + SLACK + CORRELATION_INPUTS * 33 };

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

uint32_t succession_retain(uint32_t input_count)
{
    return RECENT + SLACK + input_count * (input_count + 1) / 2;
}

/* chain[k]: the entries of the chain over inputs 0..k that starts latest. */
struct chain {
    uint32_t at[CORRELATION_INPUTS];
    bool is_there;
};

static void extend(struct chain *chains, uint32_t input, uint32_t at)
{
    struct chain *c = &chains[input];
    if (input == 0) {
        c->at[0] = at;
        c->is_there = true;
        return;
    }
    const struct chain *before = &chains[input - 1];
    if (!before->is_there || (c->is_there && c->at[0] >= before->at[0]))
        return;
    memcpy(c->at, before->at, input * sizeof c->at[0]);
    c->at[input] = at;
    c->is_there = true;
}

void succession_thin(struct window *w, const struct window_shape *shape, uint32_t input_count)
{
    struct chain chains[CORRELATION_INPUTS];
    for (uint32_t i = 0; i < input_count; i++)
        chains[i].is_there = false;
    uint64_t keep[MOST / 64 + 1] = {0};
    uint32_t old = w->count > RECENT ? w->count - RECENT : 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (i >= old)
            keep[i / 64] |= UINT64_C(1) << (i % 64);
        else if (window_tag_input(window_at(w, shape, i)->tag) < input_count)
            extend(chains, window_tag_input(window_at(w, shape, i)->tag), i);
    }
    for (uint32_t k = 0; k < input_count; k++)
        for (uint32_t j = 0; chains[k].is_there && j <= k; j++)
            keep[chains[k].at[j] / 64] |= UINT64_C(1) << (chains[k].at[j] % 64);
    window_thin(w, shape, keep);
}
