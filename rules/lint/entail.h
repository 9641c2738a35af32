/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/predicate.h"

/* What one predicate says of another, for lints: where it knows nothing it says so. */
enum entail {
    ENTAIL_NOTHING,
    ENTAIL_TRUE,  /* where the first holds of a value, the second holds of it too */
    ENTAIL_FALSE, /* ... the second does not */
};
/* Of two different predicates on one field. */
enum entail entail_find(const struct predicate *first, const struct predicate *second);
/* True where no value can make it hold: the 13th month. */
bool entail_is_impossible(const struct predicate *p);
