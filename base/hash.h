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

/*
 * Fast 64-bit hash of bytes that nobody chooses against us: checks of files, spread of retries. It
 * is the same everywhere, so that whoever picks the bytes picks the answer: never for tables.
 */
uint64_t hash_bytes(const void *at, size_t len, uint64_t seed);

/*
 * Where a table begins its search, under a secret that each process draws at its start: a sender
 * cannot find keys that fall together. Every table in memory takes its place from one of these two;
 * neither is ever stored, sent or sorted by. Bytes with a salt (kind, parent, partition), and a
 * key.
 */
uint64_t hash_seeded(const void *at, size_t len, uint64_t salt);
uint64_t hash_home(struct hash128 key);
/* For tests, before the first table is made: whatever the secret, outputs must be the same. */
void hash_reseed(const uint64_t secret[3]);

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
