/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdint.h>

/* What the world says to the process, taken by the main thread alone. */
enum signals_word { SIGNALS_NONE, SIGNALS_STOP, SIGNALS_RELOAD };

void signals_ignore_pipe(void);
/* Blocks TERM, INT and HUP for this thread and those it starts; before the first thread. */
void signals_block(void);
/* Waits for one of them, at most `timeout_ms`. */
enum signals_word signals_wait(uint64_t timeout_ms);
