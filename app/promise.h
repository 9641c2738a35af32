/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/own.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One answer that one thread waits for and another gives, with a limit to the patience: whoever of
 * the two comes last frees it. Off the event path (HTTP requests, commands), hence its own lock.
 */
struct promise;

/* Two references: the waiter's and the giver's. NULL without memory. */
struct promise *promise_new(void);
/* Gives up one reference. */
void promise_free(struct promise *a);
AUTO_DEFINE(promise);
/* Gives `value` and drops the giver's reference. */
void promise_give(struct promise *a, int value);
/* False after `timeout_ms` without an answer. The waiter still drops its own reference. */
bool promise_wait(struct promise *a, uint64_t timeout_ms, int *out_value);
