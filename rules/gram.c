/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/gram.h"

/* How often a byte stands in paths, command lines and log text, roughly: rarer is lower. */
static unsigned commonness(unsigned char c)
{
    static const char order[] = "eoistnarcldmpuhwfgvybk xqjz.\\/-:013245_";
    const char *at = c ? memchr(order, c, sizeof order - 1) : NULL;
    return at ? (unsigned)(sizeof order - (size_t)(at - order)) : 4;
}

static unsigned gram_cost(const char *at)
{
    static const char frequent[][GRAM_BYTES] = {
        {'.', 'e', 'x', 'e'},  {'\\', 'w', 'i', 'n'}, {'w', 'i', 'n', 'd'},  {'i', 'n', 'd', 'o'},
        {'n', 'd', 'o', 'w'},  {'d', 'o', 'w', 's'},  {'o', 'w', 's', '\\'}, {'s', 'y', 's', 't'},
        {'y', 's', 't', 'e'},  {'s', 't', 'e', 'm'},  {'t', 'e', 'm', '3'},  {'e', 'm', '3', '2'},
        {'m', '3', '2', '\\'}, {'p', 'r', 'o', 'g'},  {'r', 'o', 'g', 'r'},  {'o', 'g', 'r', 'a'},
        {'g', 'r', 'a', 'm'},  {'f', 'i', 'l', 'e'},  {'i', 'l', 'e', 's'},  {'m', 'i', 'c', 'r'},
        {'i', 'c', 'r', 'o'},  {'c', 'r', 'o', 's'},  {'r', 'o', 's', 'o'},  {'o', 's', 'o', 'f'},
        {'s', 'o', 'f', 't'},  {'c', ':', '\\', 'w'}, {':', '\\', 'w', 'i'}, {'\\', 's', 'y', 's'},
        {'u', 's', 'e', 'r'},  {'h', 't', 't', 'p'},  {'e', 'v', 'e', 'n'},  {'v', 'e', 'n', 't'},
        {'o', 'p', 'e', 'r'},  {'t', 'i', 'o', 'n'},  {'m', 'e', 'n', 't'},  {'p', 'r', 'o', 'c'},
        {'c', 'e', 's', 's'},  {'p', 'o', 'w', 'e'},  {'o', 'w', 'e', 'r'},  {'e', 'r', 's', 'h'},
        {'s', 'h', 'e', 'l'},  {'h', 'e', 'l', 'l'},  {'.', 'd', 'l', 'l'},  {'c', 'u', 'r', 'r'},
        {'u', 'r', 'r', 'e'},  {'r', 'e', 'n', 't'},  {'v', 'e', 'r', 's'},  {'e', 'r', 's', 'i'},
        {'s', 'i', 'o', 'n'},  {'s', 'e', 'r', 'v'},  {'e', 'r', 'v', 'i'},  {'v', 'i', 'c', 'e'},
        {'n', 'a', 'm', 'e'},  {'d', 'a', 't', 'a'},  {'t', 'i', 'm', 'e'},  {'c', 'o', 'm', 'm'},
        {'m', 'a', 'n', 'd'},  {'p', 'a', 't', 'h'},  {'n', 'u', 'l', 'l'},  {'t', 'r', 'u', 'e'},
    };
    unsigned sum = 0;
    for (size_t k = 0; k < GRAM_BYTES; k++)
        sum += commonness((unsigned char)at[k]);
    for (size_t f = 0; f < sizeof frequent / sizeof *frequent; f++)
        if (memcmp(at, frequent[f], GRAM_BYTES) == 0)
            sum += 1000;
    return sum;
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
