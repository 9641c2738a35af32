/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_index.h"
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { BLOCK = 64 };

/* What 64 bytes are, a bit each. */
struct masks {
    uint64_t quotes, backslashes;
    uint64_t controls, high; /* below ' ', and from 0x80 on */
    uint64_t letters;        /* that may follow a backslash, but for u; only asked where one is */
};

#if defined(__x86_64__)
/* ---- 32 bytes at once ---- */

#define WITH_AVX2 __attribute__((target("avx2")))

WITH_AVX2 static inline uint64_t bits_of(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)_mm256_movemask_epi8(high) << 32;
}

/* A byte is a letter where its two halves have a row in common: 2x {"/}, 5x {\}, 6x {bfn}, 7x {rt}.
 */
WITH_AVX2 static inline __m256i letters_of(__m256i bytes)
{
    const __m256i by_low = _mm256_setr_epi8(0, 0, 13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1, 0, 0,
                                            13, 0, 8, 0, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1);
    const __m256i by_high = _mm256_setr_epi8(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                             1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i rows = _mm256_and_si256(
        _mm256_shuffle_epi8(by_low, _mm256_and_si256(bytes, half)),
        _mm256_shuffle_epi8(by_high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), half)));
    return _mm256_cmpgt_epi8(rows, _mm256_setzero_si256());
}

/* `is_escaped`: the first byte is, by the block before. */
WITH_AVX2 static inline struct masks look_wide(const char *at, bool is_escaped)
{
    const __m256i a = _mm256_loadu_si256((const __m256i *)(const void *)at);
    const __m256i b = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
    const __m256i quote = _mm256_set1_epi8('"');
    const __m256i backslash = _mm256_set1_epi8('\\');
    const __m256i space = _mm256_set1_epi8(' ');
    struct masks m = {
        .quotes = bits_of(_mm256_cmpeq_epi8(a, quote), _mm256_cmpeq_epi8(b, quote)),
        .backslashes = bits_of(_mm256_cmpeq_epi8(a, backslash), _mm256_cmpeq_epi8(b, backslash)),
        .high = bits_of(a, b),
        /* signed: bytes from 0x80 on are below, too */
        .controls = bits_of(_mm256_cmpgt_epi8(space, a), _mm256_cmpgt_epi8(space, b)),
    };
    m.controls &= ~m.high;
    if (m.backslashes || is_escaped)
        m.letters = bits_of(letters_of(a), letters_of(b));
    return m;
}

/* ---- documents ---- */

/* The bytes that a backslash escapes. *carry: the last byte of the block before escapes the first
 * one of this block. */
static inline uint64_t escaped_of(uint64_t backslashes, uint64_t *carry)
{
    const uint64_t odd = UINT64_C(0xAAAAAAAAAAAAAAAA);
    const uint64_t starts = backslashes & ~*carry; /* an escaped backslash escapes nothing */
    const uint64_t follows = starts << 1 | *carry;
    /* runs that begin at an odd place end, by the carry of the addition, where they end */
    const uint64_t odd_starts = starts & odd & ~follows;
    uint64_t even_ends = 0;
    *carry = __builtin_add_overflow(odd_starts, starts, &even_ends);
    const uint64_t inverted = even_ends << 1;
    return (UINT64_C(0x5555555555555555) ^ inverted) & follows;
}

struct progress {
    uint64_t carry;
    uint64_t high; /* of all blocks */
    bool is_good;
};

static inline void note(struct json_index *x, size_t word, const struct masks *m,
                        struct progress *p)
{
    uint64_t escaped = 0;
    if (m->backslashes | p->carry) {
        escaped = escaped_of(m->backslashes, &p->carry);
        p->is_good &= !(escaped & ~m->letters);
    }
    p->is_good &= !m->controls;
    p->high |= m->high;
    x->quotes[word] = m->quotes & ~escaped;
    x->backslashes[word] = m->backslashes;
}

/* The last bytes, with blanks behind them. */
static void copy_tail(struct text document, char out[BLOCK])
{
    const size_t from = document.len / BLOCK * BLOCK;
    memset(out, ' ', BLOCK);
    if (document.len > from)
        memcpy(out, document.at + from, document.len - from);
}

WITH_AVX2 static void build(struct json_index *x, struct text document, struct progress *p)
{
    const size_t words = document.len / BLOCK;
    char tail[BLOCK];
    for (size_t i = 0; i < words; i++) {
        const struct masks m = look_wide(document.at + i * BLOCK, p->carry);
        note(x, i, &m, p);
    }
    copy_tail(document, tail);
    const struct masks last = look_wide(tail, p->carry);
    note(x, words, &last, p);
}
#endif

bool json_index_build(struct json_index *x, struct text document)
{
#if defined(__x86_64__)
    struct progress p = {.is_good = true};
    if (document.len >= JSON_INDEX_BYTES || !__builtin_cpu_supports("avx2"))
        return false;
    build(x, document, &p);
    if (!p.is_good || p.carry || (p.high && !text_is_utf8(document)))
        return false;
    x->quotes[document.len / BLOCK] |= UINT64_C(1) << (document.len % BLOCK);
    x->is_ascii = !p.high;
    return true;
#else
    (void)x;
    (void)document;
    return false;
#endif
}
