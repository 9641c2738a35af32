/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/ruleset_state.h"
#include <stdlib.h>

static void clear(struct ruleset *r)
{
    partition_fini(&r->partitions);
    free(r->rules);
    free(r->relations);
    predicates_free(r->predicates);
    names_free(r->names);
    decoder_set_free(r->decoders);
    mapping_set_free(r->mappings);
    arena_fini(&r->arena);
    free(r);
}
struct ruleset *ruleset_ref(struct ruleset *r)
{
    atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
    return r;
}

void ruleset_unref(struct ruleset *r)
{
    /* acq_rel: pairs with itself in the other owners, so that the last one frees what they wrote */
    if (r && atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) == 1)
        clear(r);
}
