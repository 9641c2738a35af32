/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state.h"

/* The live state to and from Redis. Keys are in the folder's README. */

/* "prefix" + "kind:value" in the scratch arena. */
struct text persist_entity_key(struct incidents *i, const char *prefix, const struct candidate *c);
/* The candidate's sorted set of this episode. */
struct text persist_score_key(struct incidents *i, const struct candidate *c);
void persist_mark(struct incidents *i, const struct candidate *c, const struct member *m);
/* Everything dirty, into the effect. */
void persist_dirty(struct incidents *i);
/* One ledger record, into the effect; also on the incident's own trail. */
void persist_ledger(struct incidents *i, const struct ledger_entry *e);
/* A candidate that is gone. */
void persist_forget(struct incidents *i, const struct candidate *c);
/* The whole live state, into an empty record. */
NODISCARD enum status persist_load(struct incidents *i, struct error *err);
/* An incident that is not in memory any more; NULL: there is none, or Redis is away (*out_is_away).
 */
struct incident *persist_fetch(struct incidents *i, struct text id, bool *out_is_away);
