/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/compiled.h"
#include "rules/match/fieldview.h"

/* Who a detection is charged to, and the values it is grouped by, out of one event. */

enum { ENTITIES_MOST = 16 };

/* Fields that are entities where nobody said any. Numbers are taken from `names`. */
struct entity_defaults {
    struct entity_refs usual;    /* well-known names: src_ip, user, host, ... */
    struct entity_refs *mapping; /* by event->mapping */
    uint32_t mapping_count;
    struct entity_refs *decoder; /* by decoder's index */
    uint32_t decoder_count;
    uint32_t host; /* number of the field `host` */
};

/* The first value of a field that is a text, a number or a boolean; at NULL: there is none. */
struct text entities_text(struct fieldview *v, uint32_t field);
/*
 * The values of the group-by fields, copied into `arena`. False where one is missing, *out_is_full
 * where the arena had no room. IPv4-mapped addresses come as IPv4.
 */
bool entities_group(struct fieldview *v, const uint32_t *fields, uint32_t count,
                    struct arena *arena, struct text *out, bool *out_is_full);
/* The entities of an event by these fields, with the host where none of them is charged. Values are
 * copied into `arena`. Number of entities. */
uint32_t entities_find(struct fieldview *v, const struct event *e, const struct entity_refs *refs,
                       uint32_t host_field, struct arena *arena, struct entity out[ENTITIES_MOST]);
/* True for values that nobody is charged for: empty, "-", loopback, machine accounts, ... */
bool entities_is_nobody(enum entity_kind kind, struct text value);
