/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/state/weakest.h"
#include "base/timestamp.h"
#include "incidents/model/score.h"
#include <stdlib.h>

enum { FIRST_ROOM = 64 };
/* What is still known of an entity whose incident was closed weighs as much as a weak detection. */
static const double closed_chance = 0.05;

static bool is_before(const struct candidate *a, const struct candidate *b)
{
    if (a->strength != b->strength)
        return a->strength < b->strength;
    return a->kind != b->kind ? a->kind < b->kind : text_compare(a->value, b->value) < 0;
}

static void set(struct weakest *weakest, uint32_t place, struct candidate *candidate)
{
    weakest->heap[place] = candidate;
    candidate->place = place + 1;
}

static void rise(struct weakest *weakest, struct candidate *candidate)
{
    uint32_t at = candidate->place - 1;
    while (at && is_before(candidate, weakest->heap[(at - 1) / 2])) {
        set(weakest, at, weakest->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    set(weakest, at, candidate);
}

static void sink(struct weakest *weakest, struct candidate *candidate)
{
    uint32_t at = candidate->place - 1;
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= weakest->count)
            break;
        if (child + 1 < weakest->count && is_before(weakest->heap[child + 1], weakest->heap[child]))
            child++;
        if (!is_before(weakest->heap[child], candidate))
            break;
        set(weakest, at, weakest->heap[child]);
        at = child;
    }
    set(weakest, at, candidate);
}

static double strength_of(const struct candidate *candidate, int64_t half_life_us)
{
    double strength = candidate_strength(candidate);
    double closed = candidate->last_closed_us == TIMESTAMP_NONE
                        ? -1e300
                        : score_mark(closed_chance, candidate->last_closed_us, half_life_us);
    return closed > strength ? closed : strength;
}

void weakest_put(struct weakest *weakest, struct candidate *candidate, int64_t half_life_us)
{
    candidate->strength = strength_of(candidate, half_life_us);
    if (!candidate->place && weakest->count == weakest->room) {
        uint32_t room = weakest->room ? weakest->room * 2 : FIRST_ROOM;
        struct candidate **heap = realloc(weakest->heap, room * sizeof(*heap));
        if (!heap)
            return;
        weakest->heap = heap;
        weakest->room = room;
    }
    if (!candidate->place)
        candidate->place = ++weakest->count;
    rise(weakest, candidate);
    sink(weakest, candidate);
}

void weakest_remove(struct weakest *weakest, struct candidate *candidate)
{
    if (!candidate->place)
        return;
    uint32_t place = candidate->place;
    struct candidate *last = weakest->heap[--weakest->count];
    candidate->place = 0;
    if (last == candidate)
        return;
    last->place = place;
    rise(weakest, last);
    sink(weakest, last);
}

struct candidate *weakest_first(const struct weakest *weakest)
{
    return weakest->count ? weakest->heap[0] : NULL;
}

void weakest_fini(struct weakest *weakest)
{
    free(weakest->heap);
    *weakest = (struct weakest){0};
}
