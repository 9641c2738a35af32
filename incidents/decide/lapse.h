/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/lifecycle.h"
#include "incidents/state/due.h"

/* What ends by itself at a time of the wall clock: a severity that a person set until then, and an
 * incident's flapping. */

/* It is due. Takes it. */
void lapse(const struct lifecycle *lifecycle, struct due *due, int64_t now_us);
/* Those of all incidents, after they were loaded. */
NODISCARD enum status lapse_load(struct due_index *index, const struct tables *tables,
                                 struct error *err);
