/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 bits that stand for some bytes: window keys, detection ids, content hashes. */
struct hash128 {
    uint64_t lo, hi;
};

static inline bool hash_equal(struct hash128 a, struct hash128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

/* Byte order of the 32 hex digits: <0, 0, >0. */
int hash_compare(struct hash128 a, struct hash128 b);

/* Fast 64-bit hash for tables inside one process. Not stable between versions, not for storage. */
uint64_t hash_bytes(const void *at, size_t len, uint64_t seed);

/* Mixes one word into well-spread bits (a bijection). */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xD6E8FEB86659FD93);
    x ^= x >> 32;
    x *= UINT64_C(0xD6E8FEB86659FD93);
    return x ^ (x >> 32);
}

/*
 * SipHash-1-3 with 128 bits out (Aumasson, Bernstein 2012) under a fixed key, over a sequence of
 * parts: each part is followed by its length, so ("ab","c") and ("a","bc") differ. Stable for
 * storage: checkpoints and ids depend on it. No allocation.
 */
struct hasher {
    uint64_t v0, v1, v2, v3;
    uint64_t tail;  /* bytes not yet mixed in, little endian */
    uint64_t total; /* bytes seen */
};

void hash_start(struct hasher *h);
void hash_part(struct hasher *h, const void *at, size_t len);
void hash_part_u64(struct hasher *h, uint64_t value);
static inline void hash_part_text(struct hasher *h, struct text t)
{
    hash_part(h, t.at, t.len);
}
struct hash128 hash_end(struct hasher *h);

/* 32 lower-case hex digits and a NUL. */
void hash_to_hex(struct hash128 h, char out[33]);
/* Exactly 32 hex digits, either case. */
bool hash_from_hex(struct text t, struct hash128 *out);
