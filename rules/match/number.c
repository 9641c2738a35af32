/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/number.h"
#include "base/hash.h"
#include <math.h>

bool number_parse(struct text t, struct number *out)
{
    struct number n = {.is_whole = true};
    if (!t.len || t.len > 63)
        return false;
    char first = t.at[0];
    if (first != '-' && first != '+' && first != '.' && (first < '0' || first > '9'))
        return false;
    if (text_to_int64(t, &n.whole)) {
        n.real = (double)n.whole;
        *out = n;
        return true;
    }
    if (!text_to_double(t, &n.real))
        return false;
    /* 2^53: further whole doubles stand for more than one number */
    n.is_whole = fabs(n.real) <= 9007199254740992.0 && trunc(n.real) == n.real;
    n.whole = n.is_whole ? (int64_t)n.real : 0;
    *out = n;
    return true;
}

int number_compare(const struct number *a, const struct number *b)
{
    if (a->is_whole && b->is_whole)
        return a->whole < b->whole ? -1 : a->whole > b->whole;
    return a->real < b->real ? -1 : a->real > b->real;
}

uint64_t number_key(const struct number *n)
{
    uint64_t bits = 0;
    if (n->is_whole)
        bits = (uint64_t)n->whole;
    else
        memcpy(&bits, &n->real, sizeof bits);
    return hash_seeded(&bits, sizeof bits, n->is_whole);
}
