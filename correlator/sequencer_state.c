/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/sequencer_state.h"
#include <stdlib.h>

enum { MOST_STUBS = 65536 };

static struct remnant *find(const struct sequencer *s, struct hash128 content)
{
    /* the newest first: those of the current ruleset */
    for (uint32_t i = s->remnant_count; i > 0; i--)
        if (hash_equal(s->remnants[i - 1]->rule.content, content))
            return s->remnants[i - 1];
    return NULL;
}

const struct remnant *sequencer_state_remnant(struct sequencer *s, struct hash128 content,
                                              uint32_t index, int64_t lateness_us)
{
    struct remnant **recent = &s->recent[index % SEQUENCER_RECENT];
    if (*recent && hash_equal((*recent)->rule.content, content))
        return *recent;
    struct remnant *remnant = find(s, content);
    if (remnant) {
        *recent = remnant;
        return remnant;
    }
    if (s->remnant_count == MOST_STUBS)
        return NULL;
    if (s->remnant_count == s->remnant_max) {
        uint32_t max = s->remnant_max ? s->remnant_max * 2 : 16;
        struct remnant **remnants = realloc(s->remnants, max * sizeof(struct remnant *));
        if (!remnants)
            return NULL;
        s->remnants = remnants;
        s->remnant_max = max;
    }
    remnant = calloc(1, sizeof *remnant);
    if (!remnant)
        return NULL;
    remnant->rule.content = content;
    remnant->correlation.rule = &remnant->rule;
    remnant->correlation.index = index;
    remnant->correlation.lateness_us = lateness_us;
    s->remnants[s->remnant_count++] = remnant;
    *recent = remnant;
    return remnant;
}
