/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/sequencer_state.h"
#include <stdlib.h>

enum { RETIRED_MAX = 65536 };

static struct retired *find(const struct sequencer *s, struct hash128 content)
{
    /* the newest first: those of the current ruleset */
    for (uint32_t i = s->retired_count; i > 0; i--)
        if (hash_equal(s->retired[i - 1]->rule.content, content))
            return s->retired[i - 1];
    return NULL;
}

const struct retired *sequencer_state_retired(struct sequencer *s, struct hash128 content,
                                              uint32_t index, int64_t lateness_us)
{
    struct retired **recent = &s->recent[index % SEQUENCER_RECENT];
    if (*recent && hash_equal((*recent)->rule.content, content))
        return *recent;
    struct retired *retired = find(s, content);
    if (retired) {
        *recent = retired;
        return retired;
    }
    if (s->retired_count == RETIRED_MAX)
        return NULL;
    if (s->retired_count == s->retired_max) {
        uint32_t max = s->retired_max ? s->retired_max * 2 : 16;
        struct retired **grown = realloc(s->retired, max * sizeof(struct retired *));
        if (!grown)
            return NULL;
        s->retired = grown;
        s->retired_max = max;
    }
    retired = calloc(1, sizeof *retired);
    if (!retired)
        return NULL;
    retired->rule.content = content;
    retired->correlation.rule = &retired->rule;
    retired->correlation.index = index;
    retired->correlation.lateness_us = lateness_us;
    s->retired[s->retired_count++] = retired;
    *recent = retired;
    return retired;
}
