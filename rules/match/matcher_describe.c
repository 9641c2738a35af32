/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/emission.h"
#include "rules/match/matcher_state.h"

static uint32_t find_entities(struct matcher *m, const struct event *e, struct arena *arena,
                              struct entity out[ENTITIES_MOST])
{
    const struct entity_defaults *defaults = &m->ruleset->defaults;
    const struct entity_refs *declared = emission_declared(m, e);
    fieldview_open(m->view, e);
    return entities_find(m->view, e, declared ? declared : &defaults->usual, defaults->host, arena,
                         out);
}

void matcher_describe(struct matcher *m, struct event *e, struct arena *arena,
                      struct entity_report *out)
{
    struct entity *entities = arena_alloc(arena, ENTITIES_MOST * sizeof *entities);
    *out = (struct entity_report){.entities = entities};
    if (entities)
        out->entity_count = find_entities(m, e, arena, entities);
    if (m->decoder && m->decoded == e)
        out->decoder = decoder_name(m->decoder);
    out->mapping = mapping_name(m->ruleset->mappings, e->mapping);
    mapping_view_add_names(m->ruleset->mappings, e);
}
