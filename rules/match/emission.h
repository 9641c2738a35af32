/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/matcher_state.h"

/* What a matched rule gives: feeds for its correlations, and a detection where it is reported. */

/* What the event's decoder or mapping declares as entities; NULL: nothing. */
const struct entity_refs *emission_declared(const struct matcher *m, const struct event *e);
void emission_run(struct matcher *m, const struct event *e, const struct compiled *c,
                  struct arena *arena, struct match_result *out);
