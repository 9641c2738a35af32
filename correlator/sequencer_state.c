/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/sequencer_state.h"
#include <stdlib.h>

enum { MOST_STUBS = 65536 };

static struct stub *find(const struct sequencer *s, struct hash128 content)
{
    /* the newest first: those of the current ruleset */
    for (uint32_t i = s->stub_count; i > 0; i--)
        if (hash_equal(s->stubs[i - 1]->rule.content, content))
            return s->stubs[i - 1];
    return NULL;
}

const struct stub *sequencer_state_stub(struct sequencer *s, struct hash128 content, uint32_t index,
                                        int64_t lateness_us)
{
    struct stub **recent = &s->recent[index % SEQUENCER_RECENT];
    if (*recent && hash_equal((*recent)->rule.content, content))
        return *recent;
    struct stub *stub = find(s, content);
    if (stub) {
        *recent = stub;
        return stub;
    }
    if (s->stub_count == MOST_STUBS)
        return NULL;
    if (s->stub_count == s->stub_max) {
        uint32_t max = s->stub_max ? s->stub_max * 2 : 16;
        struct stub **stubs = realloc(s->stubs, max * sizeof(struct stub *));
        if (!stubs)
            return NULL;
        s->stubs = stubs;
        s->stub_max = max;
    }
    stub = calloc(1, sizeof *stub);
    if (!stub)
        return NULL;
    stub->rule.content = content;
    stub->correlation.rule = &stub->rule;
    stub->correlation.index = index;
    stub->correlation.lateness_us = lateness_us;
    s->stubs[s->stub_count++] = stub;
    *recent = stub;
    return stub;
}
