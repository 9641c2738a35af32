/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/sieve.h"
#include <stdlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { GROUPS = 8 };

static int compare_grams(const void *a, const void *b)
{
    uint32_t x = 0;
    uint32_t y = 0;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    x = __builtin_bswap32(x); /* by the first byte: grams of a group should be alike */
    y = __builtin_bswap32(y);
    return (x > y) - (x < y);
}

static void put(struct sieve *s, uint32_t gram, unsigned group)
{
    for (unsigned k = 0; k < GRAM_BYTES; k++) {
        const unsigned char c = (unsigned char)(gram >> (8 * k));
        s->low[k][c & 15] |= (unsigned char)(1U << group);
        s->high[k][c >> 4] |= (unsigned char)(1U << group);
        s->high[k][(c & ~0x20U) >> 4] |= (unsigned char)(1U << group);
    }
}

bool sieve_build(struct sieve *s, const uint32_t *grams, uint32_t count)
{
    uint32_t sorted[SIEVE_GRAMS];
    *s = (struct sieve){0};
#if defined(__x86_64__)
    if (!count || count > SIEVE_GRAMS || !__builtin_cpu_supports("avx2"))
        return false;
    memcpy(sorted, grams, count * sizeof *grams);
    qsort(sorted, count, sizeof *sorted, compare_grams);
    for (uint32_t i = 0; i < count; i++)
        put(s, sorted[i], i * GROUPS / count);
    return true;
#else
    (void)grams;
    (void)sorted;
    (void)put;
    (void)compare_grams;
    return false;
#endif
}

#if defined(__x86_64__)
#define WITH_AVX2 __attribute__((target("avx2")))

WITH_AVX2 static inline __m256i half_table(const unsigned char *at)
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)at));
}

struct tables {
    __m256i low0, low1, low2, low3, high0, high1, high2, high3;
};

WITH_AVX2 static inline struct tables tables_of(const struct sieve *s)
{
    return (struct tables){
        half_table(s->low[0]),  half_table(s->low[1]),  half_table(s->low[2]),
        half_table(s->low[3]),  half_table(s->high[0]), half_table(s->high[1]),
        half_table(s->high[2]), half_table(s->high[3]),
    };
}

/* Groups that each of 32 bytes may belong to as their k-th byte. */
WITH_AVX2 static inline __m256i groups_at(__m256i low, __m256i high, const char *at)
{
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);
    return _mm256_and_si256(
        _mm256_shuffle_epi8(low, _mm256_and_si256(bytes, half)),
        _mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
}

/* The places where a gram may begin: all four of its bytes may be there. Written out, for the
 * tables have to stay in registers. */
WITH_AVX2 static inline uint32_t places_at(const struct tables *t, const char *at)
{
    const __m256i first =
        _mm256_and_si256(groups_at(t->low0, t->high0, at), groups_at(t->low1, t->high1, at + 1));
    const __m256i last = _mm256_and_si256(groups_at(t->low2, t->high2, at + 2),
                                          groups_at(t->low3, t->high3, at + 3));
    const __m256i none = _mm256_cmpeq_epi8(_mm256_and_si256(first, last), _mm256_setzero_si256());
    return ~(uint32_t)_mm256_movemask_epi8(none);
}

WITH_AVX2 static size_t next_wide(const struct sieve *s, struct text t, size_t from,
                                  uint32_t *out_places)
{
    enum { READ = SIEVE_BLOCK + GRAM_BYTES - 1 };
    const struct tables tables = tables_of(s);
    for (; from + READ <= t.len; from += SIEVE_BLOCK) {
        *out_places = places_at(&tables, t.at + from);
        if (*out_places)
            return from;
    }
    for (; from + GRAM_BYTES <= t.len; from += SIEVE_BLOCK) {
        char tail[READ + 1] = {0}; /* no gram has a NUL */
        memcpy(tail, t.at + from, t.len - from < READ ? t.len - from : READ);
        *out_places = places_at(&tables, tail);
        if (*out_places)
            return from;
    }
    return t.len;
}
#endif

size_t sieve_next(const struct sieve *s, struct text t, size_t from, uint32_t *out_places)
{
    *out_places = 0;
#if defined(__x86_64__)
    return next_wide(s, t, from, out_places);
#else
    (void)s;
    (void)from;
    return t.len;
#endif
}
