/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/digit.h"
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

static uint64_t load64(const unsigned char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load_short(const unsigned char *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static uint64_t load32(const unsigned char *at)
{
    uint32_t word = 0;
    memcpy(&word, at, sizeof word);
    return word;
}

/* 1 to 7 bytes, some of them twice. */
static uint64_t load_tail(const unsigned char *at, size_t len)
{
    if (len >= 4)
        return load32(at) << 32 | load32(at + len - 4);
    return (uint64_t)at[0] << 16 | (uint64_t)at[len / 2] << 8 | at[len - 1];
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t hash_bytes(const void *at, size_t len, uint64_t seed)
{
    const unsigned char *p = at;
    uint64_t h = seed ^ (len * UINT64_C(0x9E3779B97F4A7C15));
    size_t left = len;
    for (; left >= 16; left -= 16, p += 16)
        h = fold(load64(p) ^ h, load64(p + 8) ^ UINT64_C(0xA0761D6478BD642F));
    if (left && len >= 16) /* the last sixteen, some of them again */
        h = fold(load64(p + left - 16) ^ h, load64(p + left - 8) ^ UINT64_C(0xE7037ED1A0B428DB));
    else if (left >= 8)
        h = fold(load64(p) ^ h, load64(p + left - 8) ^ UINT64_C(0xE7037ED1A0B428DB));
    else if (left)
        h = fold(load_tail(p, left) ^ h, UINT64_C(0x8EBC6AF09C88C6E3));
    return hash_mix(h);
}

/* ---- places in tables ---- */

/* Written once, before main: the one thing here that is not the same in every process. */
static uint64_t seed[3];

/* The kernel gives sixteen random bytes with every program it starts; they serve where the call has
 * none yet (early boot), and are mixed in for free where it has. */
__attribute__((constructor)) static void draw_seed(void)
{
    uint64_t drawn[3] = {0};
    const void *given = (const void *)getauxval(AT_RANDOM);
    if (getrandom(drawn, sizeof drawn, GRND_NONBLOCK) < 0)
        memset(drawn, 0, sizeof drawn);
    struct hasher h;
    hash_start(&h);
    if (given)
        hash_part(&h, given, 16);
    for (uint64_t i = 0; i < 3; i++) {
        hash_part_u64(&h, drawn[i]);
        struct hasher copy = h;
        drawn[i] ^= hash_end(&copy).lo;
    }
    hash_reseed(drawn);
}

void hash_reseed(const uint64_t secret[3])
{
    memcpy(seed, secret, sizeof seed);
    seed[2] |= 1; /* a factor */
}

/* As hash_bytes, but both sides of each product hold a part of the secret: no bytes make one side
 * zero and wipe out what went before. */
uint64_t hash_seeded(const void *at, size_t len, uint64_t salt)
{
    const unsigned char *p = at;
    uint64_t h = hash_mix(salt ^ len * UINT64_C(0x9E3779B97F4A7C15)) ^ seed[0];
    size_t left = len;
    for (; left >= 16; left -= 16, p += 16)
        h = fold(load64(p) ^ h, load64(p + 8) ^ seed[1]) ^ seed[0];
    if (left && len >= 16) /* the last sixteen, some of them again */
        h = fold(load64(p + left - 16) ^ h, load64(p + left - 8) ^ seed[1]);
    else if (left >= 8)
        h = fold(load64(p) ^ h, load64(p + left - 8) ^ seed[1]);
    else if (left)
        h = fold(load_tail(p, left) ^ h, seed[2]);
    return hash_mix(h ^ seed[0]);
}

uint64_t hash_home(struct hash128 key)
{
    return hash_mix(fold(key.lo ^ seed[0], key.hi ^ seed[1]) ^ seed[2]);
}

/* ---- keys and ids ---- */

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

static void round_once(struct hasher *h)
{
    h->v0 += h->v1;
    h->v1 = rotate(h->v1, 13) ^ h->v0;
    h->v0 = rotate(h->v0, 32);
    h->v2 += h->v3;
    h->v3 = rotate(h->v3, 16) ^ h->v2;
    h->v0 += h->v3;
    h->v3 = rotate(h->v3, 21) ^ h->v0;
    h->v2 += h->v1;
    h->v1 = rotate(h->v1, 17) ^ h->v2;
    h->v2 = rotate(h->v2, 32);
}

static void word_in(struct hasher *h, uint64_t word)
{
    h->v3 ^= word;
    round_once(h);
    h->v0 ^= word;
}

/* "tocsin window key" and digits of pi: a key that is fixed for good, for ids must not change. */
void hash_start(struct hasher *h)
{
    const uint64_t k0 = UINT64_C(0x243F6A8885A308D3);
    const uint64_t k1 = UINT64_C(0x13198A2E03707344);
    *h = (struct hasher){
        .v0 = k0 ^ UINT64_C(0x736f6d6570736575),
        .v1 = k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xEE,
        .v2 = k0 ^ UINT64_C(0x6c7967656e657261),
        .v3 = k1 ^ UINT64_C(0x7465646279746573),
    };
}

static void bytes_in(struct hasher *h, const unsigned char *at, size_t len)
{
    size_t held = h->total & 7;
    h->total += len;
    if (held) {
        size_t take = len < 8 - held ? len : 8 - held;
        h->tail |= load_short(at, take) << (8 * held);
        if (held + take < 8)
            return;
        word_in(h, h->tail);
        at += take;
        len -= take;
    }
    for (; len >= 8; len -= 8, at += 8)
        word_in(h, load64(at));
    h->tail = load_short(at, len);
}

void hash_part_u64(struct hasher *h, uint64_t value)
{
    unsigned char bytes[8];
    memcpy(bytes, &value, sizeof bytes);
    bytes_in(h, bytes, sizeof bytes);
}

void hash_part(struct hasher *h, const void *at, size_t len)
{
    if (len)
        bytes_in(h, at, len);
    hash_part_u64(h, len);
}

static uint64_t finish(struct hasher *h)
{
    for (int i = 0; i < 3; i++)
        round_once(h);
    return h->v0 ^ h->v1 ^ h->v2 ^ h->v3;
}

struct hash128 hash_end(struct hasher *h)
{
    word_in(h, h->tail | h->total << 56);
    struct hash128 out;
    h->v2 ^= 0xEE;
    out.lo = finish(h);
    h->v1 ^= 0xDD;
    out.hi = finish(h);
    return out;
}

int hash_compare(struct hash128 a, struct hash128 b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return a.lo < b.lo ? -1 : a.lo > b.lo;
}

void hash_to_hex(struct hash128 h, char out[33])
{
    for (unsigned i = 0; i < 16; i++) {
        out[i] = digit_hex((unsigned)(h.hi >> (60 - 4 * i)));
        out[16 + i] = digit_hex((unsigned)(h.lo >> (60 - 4 * i)));
    }
    out[32] = 0;
}

static bool hex_word(const char *at, uint64_t *out)
{
    uint64_t word = 0;
    for (size_t i = 0; i < 16; i++) {
        int digit = digit_of_hex(at[i]);
        if (digit < 0)
            return false;
        word = word << 4 | (unsigned)digit;
    }
    *out = word;
    return true;
}

bool hash_from_hex(struct text t, struct hash128 *out)
{
    struct hash128 h;
    if (t.len != 32 || !hex_word(t.at, &h.hi) || !hex_word(t.at + 16, &h.lo))
        return false;
    *out = h;
    return true;
}
