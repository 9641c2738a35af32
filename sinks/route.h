/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/yaml.h"
#include "incidents/incidents.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Who is told of what. The first route that matches decides, unless it says `continue: true`;
 * then the next ones are asked too. Immutable once read: any thread.
 *
 *      routes:
 *        - {match: {priority: [P1, P2], kind: [opened, raised], category: security}, to: [mail]}
 *        - {to: [file]}
 */
struct route;
struct route_table {
    const struct route *routes;
    uint32_t count;
    struct text names[DELIVERY_DESTINATIONS]; /* every destination: the answer without routes */
    uint32_t name_count;
};

/* `names` are the destinations that exist; a route to another is an error with its line. All
 * memory is `arena`'s. `node` NULL: everything to all. */
NODISCARD enum status route_read(const struct yaml_node *node, const struct text *names,
                                 uint32_t name_count, struct arena *arena, struct route_table *out,
                                 struct error *err);
/* Whether a route leads notices of that kind there; without routes all do. */
bool route_wants(const struct route_table *t, struct text name, enum notice_kind kind);
/* Writes up to DELIVERY_DESTINATIONS names, each once. */
uint32_t route_find(const struct route_table *t, const struct notice *n, struct text *out);
