/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/hash.h"
#include "base/own.h"
#include "base/text.h"
#include "incidents/store/ledger.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What one decision (or some, coalesced) writes, as the words of one call of the Redis Function.
 * Owned by the record until it is submitted, then by the store.
 */
struct effect {
    struct effect *next;  /* in the store's queue */
    uint64_t number;      /* 1, 2, 3, ...: set when it is submitted */
    uint32_t id_count;    /* detections it stands for */
    uint32_t generation;  /* of applied ids that takes them */
    uint32_t word_count;  /* of commands */
    struct ledger ledger; /* its head once this is applied */
    struct buffer ids;    /* encoded words */
    struct buffer words;
    bool is_dry; /* nobody will read it (memory): commands are passed over */
};

enum { EFFECT_BYTES = 32 << 20 }; /* ceiling of one */

/* NULL without memory. */
struct effect *effect_new(bool is_dry);
void effect_free(struct effect *e);
AUTO_DEFINE(effect);
void effect_id(struct effect *e, struct hash128 id);
/* One command, its name first. */
void effect_command(struct effect *e, const struct text *words, uint32_t count);
bool effect_is_empty(const struct effect *e);
/* The whole call as bytes for the wire. */
void effect_encode(const struct effect *e, struct text writer, struct buffer *out);

#define EFFECT(e, ...)                                                                             \
    effect_command((e), (const struct text[]){__VA_ARGS__},                                        \
                   sizeof((const struct text[]){__VA_ARGS__}) / sizeof(struct text))
