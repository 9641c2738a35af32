/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/record.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * How far a source that can read again has come: with each batch travels the place where it ended,
 * and the place counts when the batch is durable. A batch that was refused is read again.
 *
 *   bookmark_seal(m, batch, place);             before a hand-over, the source's thread
 *   while (bookmark_take(m, landed, context))   now and then: landed() for each, in order
 *
 * Landings cross from the journal's thread in a mailbox that lives as long as a batch is under way,
 * also when the source is gone.
 */
struct bookmark;

NODISCARD enum status bookmark_new(struct bookmark **out);
/* What is under way lands in nothing. */
void bookmark_free(struct bookmark *m);
AUTO_DEFINE(bookmark);

/* Copies `place` and waits for the batch's barrier. False: no memory, the batch has no barrier and
 * the place comes with the next one. */
bool bookmark_seal(struct bookmark *m, struct batch *b, struct text place);
/* Batches whose barrier is to come, those not taken yet included. */
uint32_t bookmark_under_way(const struct bookmark *m);
/* Calls `landed` for each batch that landed since, oldest first. */
void bookmark_take(struct bookmark *m,
                   void (*landed)(void *context, struct text place, bool is_durable),
                   void *context);
/* bookmark_take until nothing is under way, for 5 s at most: what was handed over is durable soon,
 * and a stop remembers that place and not an earlier one. */
void bookmark_await(struct bookmark *m,
                    void (*landed)(void *context, struct text place, bool is_durable),
                    void *context);

/* Replaces the file at `path` whole, durably; false where that cannot be. */
bool bookmark_save(const char *path, struct text content);
