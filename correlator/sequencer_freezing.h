/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "correlator/sequencer_state.h"

/* The sequencer's state into chunks and back. A message of more than 32 KiB that is held comes back
 * cut, and says so. */
NODISCARD enum status sequencer_freezing_write(struct sequencer *s, checkpoint_fn put,
                                               void *context);
NODISCARD enum status sequencer_freezing_read(struct sequencer *s, struct text chunk,
                                              const struct correlation *correlations,
                                              uint32_t count, struct error *err);
