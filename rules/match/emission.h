/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/matcher_state.h"

/* What a matched rule gives: feeds for its correlations, and a detection where it is reported. */
void emission_run(struct matcher *m, const struct event *e, const struct compiled *c,
                  struct arena *arena, struct match_result *out);
