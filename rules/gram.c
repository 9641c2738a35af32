/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/gram.h"

/* How often a byte stands in paths, command lines and log text, roughly: rarer is lower. */
static unsigned commonness(unsigned char c)
{
    static const char order[] = "eoistnarcldmpuhwfgvybk xqjz.\\/-:013245_";
    const char *at = c ? memchr(order, c, sizeof order - 1) : NULL;
    return at ? (unsigned)(sizeof order - (size_t)(at - order)) : 4;
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

static bool is_frequent(const char *at)
{
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
