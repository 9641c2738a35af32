/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/* Finding things in the live state. */

struct incident *incidents_key_find(const struct incidents *i, struct text id);
/* The latest incident of an alert's key. */
struct incident *incidents_key_find_alert(const struct incidents *i, struct text key);
/* Takes the incident into the live state on OK; frees it otherwise. */
NODISCARD enum status incidents_key_adopt(struct incidents *i, struct incident *n);
void incidents_key_drop(struct incidents *i, struct incident *n);
struct candidate *incidents_key_candidate(const struct incidents *i, enum entity_kind kind,
                                          struct text value);
/* Detection ids that were applied. */
bool incidents_key_is_applied(const struct applied *a, struct hash128 id);
/* False without memory. */
bool incidents_key_remember(struct applied *a, struct hash128 id);
