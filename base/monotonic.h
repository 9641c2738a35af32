/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Waiting with an end, by the clock that nobody sets. */

/* A condition whose timed waits go by that clock. NOMEM: there is nothing to destroy. */
NODISCARD enum status monotonic_cond_init(pthread_cond_t *condition);
/* `timeout_ms` from now, for pthread_cond_timedwait on such a condition. */
struct timespec monotonic_deadline(uint64_t timeout_ms);
