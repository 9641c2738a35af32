/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/charge.h"
#include "incidents/decide/lifecycle.h"

/* What a detection does to entities and incidents: the one decision, at journal time. */
struct detector {
    const struct charger *charger;
    const struct lifecycle *lifecycle;
    /* The raw line at a position; NULL: none are kept. */
    bool (*fetch)(void *context, uint64_t position, struct arena *arena, struct text *out);
    void *context;
};

void detect_apply(const struct detector *detector, const struct detection *detection);
