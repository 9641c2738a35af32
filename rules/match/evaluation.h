/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/node.h"
#include "rules/match/predicate.h"

/* Conditions over one event: each predicate is answered once, then remembered until the next. */
struct evaluation {
    struct answers answers;
    const struct predicates *predicates;
    uint32_t *memory;        /* by predicate: generation * 2 + answer */
    uint32_t generation;     /* of the event, 31 bits */
    const uint64_t *decided; /* bit by predicate: what was not set true is false; never NULL */
};

NODISCARD enum status evaluation_init(struct evaluation *e, const struct predicates *predicates,
                                      struct fieldview *view, struct error *err);
void evaluation_fini(struct evaluation *e);
/* Begins an event: what was remembered is forgotten, without clearing anything. */
void evaluation_begin(struct evaluation *e);
static inline void evaluation_set_true(struct evaluation *e, uint32_t predicate)
{
    e->memory[predicate] = e->generation * 2 + 1;
}
bool evaluation_holds(struct evaluation *e, const struct node *node);
/* The same without any memory, for explain and for tests. */
bool evaluation_holds_plainly(struct evaluation *e, const struct node *node);
