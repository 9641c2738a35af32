/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/shard_state.h"

/* Windows into chunks and back. */
NODISCARD enum status freezing_write(struct shard *s, bool whole, checkpoint_fn put, void *context);
/* The whole chunk is looked through before anything is applied. */
NODISCARD enum status freezing_read(struct shard *s, struct text chunk, struct error *err);
/* The last chunk was read: windows stand in the order of their touch again, and those of rules
 * that came anew since are gone. NOMEM leaves the order as it is. */
NODISCARD enum status freezing_settle(struct shard *s);
