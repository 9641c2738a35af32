/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include "rules/match/gram.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Finds the places of a text where one of some grams may begin, 32 at a time: each of the gram's
 * four bytes allows some lower and some upper half of a byte, for eight groups of grams at once
 * (the algorithm that Hyperscan calls Teddy). ASCII letters match in either case.
 */
enum { SIEVE_GRAMS = 96, SIEVE_BLOCK = 32 };

struct sieve {
    unsigned char low[GRAM_BYTES][16], high[GRAM_BYTES][16]; /* a bit for each group */
};

/* The grams' bytes have bit 0x20 set (letters are lower case) and are ASCII. False: too many to
 * tell apart, or this processor cannot. */
bool sieve_build(struct sieve *s, const uint32_t *grams, uint32_t count);
/* The first block at or behind `from` (a multiple of SIEVE_BLOCK) with such a place: its offset,
 * and a bit for each place in *out_places. t.len where there is none. */
size_t sieve_next(const struct sieve *s, struct text t, size_t from, uint32_t *out_places);
