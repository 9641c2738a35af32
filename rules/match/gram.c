/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/gram.h"

/* How often a byte stands in paths, command lines and log text, roughly: rarer is lower. */
static unsigned commonness(unsigned char c)
{
    static const uint8_t known[256] = {
        ['e'] = 40,  ['o'] = 39, ['i'] = 38, ['s'] = 37, ['t'] = 36, ['n'] = 35, ['a'] = 34,
        ['r'] = 33,  ['c'] = 32, ['l'] = 31, ['d'] = 30, ['m'] = 29, ['p'] = 28, ['u'] = 27,
        ['h'] = 26,  ['w'] = 25, ['f'] = 24, ['g'] = 23, ['v'] = 22, ['y'] = 21, ['b'] = 20,
        ['k'] = 19,  [' '] = 18, ['x'] = 17, ['q'] = 16, ['j'] = 15, ['z'] = 14, ['.'] = 13,
        ['\\'] = 12, ['/'] = 11, ['-'] = 10, [':'] = 9,  ['0'] = 8,  ['1'] = 7,  ['3'] = 6,
        ['2'] = 5,   ['4'] = 4,  ['5'] = 3,  ['_'] = 2};
    return known[c] ? known[c] : 4;
}

/* In order. */
static const char frequent[][GRAM_BYTES] = {
    {'.', 'd', 'l', 'l'},  {'.', 'e', 'x', 'e'},  {':', '\\', 'w', 'i'}, {'\\', 's', 'y', 's'},
    {'\\', 'w', 'i', 'n'}, {'c', ':', '\\', 'w'}, {'c', 'e', 's', 's'},  {'c', 'o', 'm', 'm'},
    {'c', 'r', 'o', 's'},  {'c', 'u', 'r', 'r'},  {'d', 'a', 't', 'a'},  {'d', 'o', 'w', 's'},
    {'e', 'm', '3', '2'},  {'e', 'r', 's', 'h'},  {'e', 'r', 's', 'i'},  {'e', 'r', 'v', 'i'},
    {'e', 'v', 'e', 'n'},  {'f', 'i', 'l', 'e'},  {'g', 'r', 'a', 'm'},  {'h', 'e', 'l', 'l'},
    {'h', 't', 't', 'p'},  {'i', 'c', 'r', 'o'},  {'i', 'l', 'e', 's'},  {'i', 'n', 'd', 'o'},
    {'m', '3', '2', '\\'}, {'m', 'a', 'n', 'd'},  {'m', 'e', 'n', 't'},  {'m', 'i', 'c', 'r'},
    {'n', 'a', 'm', 'e'},  {'n', 'd', 'o', 'w'},  {'n', 'u', 'l', 'l'},  {'o', 'g', 'r', 'a'},
    {'o', 'p', 'e', 'r'},  {'o', 's', 'o', 'f'},  {'o', 'w', 'e', 'r'},  {'o', 'w', 's', '\\'},
    {'p', 'a', 't', 'h'},  {'p', 'o', 'w', 'e'},  {'p', 'r', 'o', 'c'},  {'p', 'r', 'o', 'g'},
    {'r', 'e', 'n', 't'},  {'r', 'o', 'g', 'r'},  {'r', 'o', 's', 'o'},  {'s', 'e', 'r', 'v'},
    {'s', 'h', 'e', 'l'},  {'s', 'i', 'o', 'n'},  {'s', 'o', 'f', 't'},  {'s', 't', 'e', 'm'},
    {'s', 'y', 's', 't'},  {'t', 'e', 'm', '3'},  {'t', 'i', 'm', 'e'},  {'t', 'i', 'o', 'n'},
    {'t', 'r', 'u', 'e'},  {'u', 'r', 'r', 'e'},  {'u', 's', 'e', 'r'},  {'v', 'e', 'n', 't'},
    {'v', 'e', 'r', 's'},  {'v', 'i', 'c', 'e'},  {'w', 'i', 'n', 'd'},  {'y', 's', 't', 'e'},
};

/* One bit for each of them, by the hash below: nearly all grams are told apart by it. */
static const uint64_t seen_bits[16] = {
    UINT64_C(0x8800002080001000), UINT64_C(0x0001000020000000), UINT64_C(0x0081028000001000),
    UINT64_C(0x8000000200000008), UINT64_C(0x0400144400008000), UINT64_C(0x0000001000000000),
    UINT64_C(0x0000040000004000), UINT64_C(0x0000000000000000), UINT64_C(0x0008000000020000),
    UINT64_C(0x0010000000800800), UINT64_C(0x0012010042400000), UINT64_C(0x0408080000010500),
    UINT64_C(0x2000200000004000), UINT64_C(0x0000080100c0009c), UINT64_C(0x4000800010000000),
    UINT64_C(0x8080000004000400),
};

static bool may_be_frequent(const char *at)
{
    uint32_t word = (uint32_t)(unsigned char)at[0] | (uint32_t)(unsigned char)at[1] << 8 |
                    (uint32_t)(unsigned char)at[2] << 16 | (uint32_t)(unsigned char)at[3] << 24;
    uint32_t hash = (word * UINT32_C(0x9e3779b1)) >> 22;
    return seen_bits[hash / 64] >> (hash % 64) & 1;
}

static bool is_frequent(const char *at)
{
    if (!may_be_frequent(at))
        return false;
    size_t low = 0;
    size_t high = sizeof frequent / sizeof *frequent;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = memcmp(at, frequent[middle], GRAM_BYTES);
        if (!order)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

static unsigned gram_cost(const char *at)
{
    unsigned sum = 0;
    for (size_t k = 0; k < GRAM_BYTES; k++)
        sum += commonness((unsigned char)at[k]);
    return is_frequent(at) ? sum + 1000 : sum;
}

enum { LOOKED_AT = 256 }; /* of a longer text its beginning is as good as the rest */

uint32_t gram_rarest(struct text t, size_t width)
{
    unsigned costs[LOOKED_AT];
    size_t grams = t.len - GRAM_BYTES + 1 < LOOKED_AT ? t.len - GRAM_BYTES + 1 : LOOKED_AT;
    size_t inside = width - GRAM_BYTES + 1; /* grams of one window */
    uint32_t best = 0;
    unsigned least = UINT32_MAX;
    for (size_t i = 0; i < grams; i++)
        costs[i] = gram_cost(t.at + i);
    for (size_t i = 0; i + inside <= grams; i++) {
        unsigned worst = 0;
        for (size_t k = i; k < i + inside; k++)
            worst = costs[k] > worst ? costs[k] : worst;
        if (worst < least) {
            least = worst;
            best = (uint32_t)i;
        }
    }
    return best;
}
