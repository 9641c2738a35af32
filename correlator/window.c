/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Blocks above this are given back when a window empties; smaller ones wait for its next event. */
enum { KEPT_BLOCK = 128 };

static const uint8_t none = UINT8_MAX;

struct window_shape window_shape_of(enum window_kind kind, uint32_t retain)
{
    static const struct window_shape shapes[] = {
        [WINDOW_COUNT] = {.stride = 16, .shift = 4, .is_saturated = true},
        [WINDOW_INPUT] = {.stride = 16, .shift = 4, .is_saturated = true},
        [WINDOW_VALUE] = {.stride = 32, .shift = 5, .is_saturated = true},
        [WINDOW_ORDERED] = {.stride = 16, .shift = 4},
        [WINDOW_SUM] = {.stride = 32, .shift = 5, .prelude = 32},
        [WINDOW_RANK] = {.stride = 32, .shift = 6}, /* a power of two: no division on the way */
        [WINDOW_SUBJECT] = {.stride = 1},
    };
    struct window_shape shape = shapes[kind];
    shape.kind = kind;
    shape.retain = retain;
    return shape;
}

static uint32_t capacity_of(const struct window *w, const struct window_shape *shape)
{
    return w->block ? (slab_size(w->size_class) - shape->prelude) >> shape->shift : 0;
}

static uint32_t place_in_ring(const struct window *w, uint32_t capacity, uint32_t i)
{
    uint32_t at = w->head + i;
    return at >= capacity ? at - capacity : at;
}

static char *slot(const struct window *w, const struct window_shape *shape, uint32_t i)
{
    uint32_t at = place_in_ring(w, capacity_of(w, shape), i);
    return (char *)w->block + shape->prelude + (size_t)at * shape->stride;
}

const struct int192 *window_sum(const struct window *w)
{
    return w->block;
}

static struct int192 *sum_of(const struct window *w)
{
    return w->block;
}

static fixed128 *sorted_of(const struct window *w, const struct window_shape *shape)
{
    return (fixed128 *)(void *)((char *)w->block + (size_t)capacity_of(w, shape) * shape->stride);
}

const fixed128 *window_sorted(const struct window *w, const struct window_shape *shape)
{
    return sorted_of(w, shape);
}

/* ---- blocks ---- */

void window_drop_block(struct window *w, struct slab *slab)
{
    if (w->block)
        slab_give(slab, w->size_class, w->block);
    w->block = NULL;
    w->size_class = none;
    w->head = 0;
    w->count = 0;
}

void window_clear(struct window *w, struct slab *slab)
{
    w->head = 0;
    w->count = 0;
    if (w->block && slab_size(w->size_class) > KEPT_BLOCK)
        window_drop_block(w, slab);
}

void *window_renew_block(struct window *w, struct slab *slab, uint32_t bytes)
{
    uint32_t size_class = slab_class(bytes);
    void *block = size_class < SLAB_CLASSES ? slab_take(slab, size_class) : NULL;
    if (!block)
        return NULL;
    window_drop_block(w, slab);
    w->block = block;
    w->size_class = (uint8_t)size_class;
    return block;
}

/* A larger block with the same entries, their head at its beginning. */
static bool grow(struct window *w, const struct window_shape *shape, struct slab *slab)
{
    uint32_t size_class = slab_class(shape->prelude + (((size_t)w->count + 1) << shape->shift));
    char *block = size_class < SLAB_CLASSES ? slab_take(slab, size_class) : NULL;
    if (!block)
        return false;
    uint32_t capacity = capacity_of(w, shape);
    uint32_t room = (slab_size(size_class) - shape->prelude) >> shape->shift;
    char *ring = block + shape->prelude;
    if (w->block) {
        uint32_t first = w->count < capacity - w->head ? w->count : capacity - w->head;
        memcpy(block, w->block, shape->prelude);
        memcpy(ring, slot(w, shape, 0), (size_t)first * shape->stride);
        memcpy(ring + (size_t)first * shape->stride, (char *)w->block + shape->prelude,
               (size_t)(w->count - first) * shape->stride);
        if (shape->kind == WINDOW_RANK)
            memcpy(ring + (size_t)room * shape->stride, sorted_of(w, shape),
                   w->count * sizeof(fixed128));
        slab_give(slab, w->size_class, w->block);
    }
    w->block = block;
    w->size_class = (uint8_t)size_class;
    w->head = 0;
    return true;
}

/* ---- numbers ---- */

/* Where `number` stands, or would stand, among the sorted ones. */
static uint32_t rank_of(const fixed128 *sorted, uint32_t count, fixed128 number)
{
    uint32_t low = 0;
    while (low < count) {
        uint32_t middle = low + (count - low) / 2;
        if (sorted[middle] < number)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static void number_in(struct window *w, const struct window_shape *shape, fixed128 number)
{
    if (shape->kind == WINDOW_SUM) {
        struct int192 *sum = sum_of(w);
        *sum = int192_add(w->count ? *sum : (struct int192){0}, int192_of(number));
    } else if (shape->kind == WINDOW_RANK) {
        fixed128 *sorted = sorted_of(w, shape);
        uint32_t at = rank_of(sorted, w->count, number);
        memmove(sorted + at + 1, sorted + at, (w->count - at) * sizeof *sorted);
        sorted[at] = number;
    }
}

static void number_out(struct window *w, const struct window_shape *shape, fixed128 number)
{
    if (shape->kind == WINDOW_SUM) {
        struct int192 *sum = sum_of(w);
        *sum = int192_subtract(*sum, int192_of(number));
    } else if (shape->kind == WINDOW_RANK) {
        fixed128 *sorted = sorted_of(w, shape);
        uint32_t at = rank_of(sorted, w->count, number);
        memmove(sorted + at, sorted + at + 1, (w->count - at - 1) * sizeof *sorted);
    }
}

/* ---- the ring ---- */

static void pop_oldest(struct window *w, const struct window_shape *shape)
{
    if (shape->kind == WINDOW_SUM || shape->kind == WINDOW_RANK)
        number_out(w, shape, window_at(w, shape, 0)->value.number);
    w->head = w->head + 1 == capacity_of(w, shape) ? 0 : w->head + 1;
    w->count--;
}

void window_prune(struct window *w, const struct window_shape *shape, int64_t cutoff_us)
{
    while (w->count && window_at(w, shape, 0)->event_us < cutoff_us)
        pop_oldest(w, shape);
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    return a->event_us < b->event_us || (a->event_us == b->event_us && a->tag < b->tag);
}

/* How many entries stand before `e`; nearly always all, so the search starts at the newest. */
static uint32_t place_of(const struct window *w, const struct window_shape *shape,
                         const struct entry *e)
{
    uint32_t high = w->count;
    for (uint32_t step = 0; step < 8 && high; step++, high--)
        if (!is_before(e, window_at(w, shape, high - 1)))
            return high;
    uint32_t low = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(e, window_at(w, shape, middle)))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* Entry i becomes what entry i - 1 was, for i from `last` down to `first` + 1. */
static void move_up(struct window *w, const struct window_shape *shape, uint32_t first,
                    uint32_t last)
{
    char *ring = (char *)w->block + shape->prelude;
    const uint32_t capacity = capacity_of(w, shape);
    for (uint32_t i = last; i > first;) {
        uint32_t to = place_in_ring(w, capacity, i);
        uint32_t from = place_in_ring(w, capacity, i - 1);
        uint32_t run = i - first < from + 1 ? i - first : from + 1;
        run = run < to + 1 ? run : to + 1;
        memmove(ring + (size_t)(to + 1 - run) * shape->stride,
                ring + (size_t)(from + 1 - run) * shape->stride, (size_t)run * shape->stride);
        i -= run;
    }
}

/* Entry i becomes what entry i + 1 was, for i from `first` to `last` - 1. */
static void move_down(struct window *w, const struct window_shape *shape, uint32_t first,
                      uint32_t last)
{
    char *ring = (char *)w->block + shape->prelude;
    const uint32_t capacity = capacity_of(w, shape);
    for (uint32_t i = first; i < last;) {
        uint32_t to = place_in_ring(w, capacity, i);
        uint32_t from = place_in_ring(w, capacity, i + 1);
        uint32_t run = last - i < capacity - from ? last - i : capacity - from;
        run = run < capacity - to ? run : capacity - to;
        memmove(ring + (size_t)to * shape->stride, ring + (size_t)from * shape->stride,
                (size_t)run * shape->stride);
        i += run;
    }
}

/* The shorter side moves. */
static void put_at(struct window *w, const struct window_shape *shape, uint32_t place,
                   const struct entry *e)
{
    if (place * 2 >= w->count) {
        move_up(w, shape, place, w->count);
    } else {
        w->head = (w->head ? w->head : capacity_of(w, shape)) - 1;
        move_down(w, shape, 0, place);
    }
    memcpy(slot(w, shape, place), e, shape->stride);
    w->count++;
}

static void take_at(struct window *w, const struct window_shape *shape, uint32_t place)
{
    if (place * 2 >= w->count) {
        move_down(w, shape, place, w->count - 1);
    } else {
        move_up(w, shape, 0, place);
        w->head = w->head + 1 == capacity_of(w, shape) ? 0 : w->head + 1;
    }
    w->count--;
}

static bool is_same_member(const struct window_shape *shape, const struct entry *a,
                           const struct entry *b)
{
    if (shape->kind == WINDOW_VALUE)
        return hash_equal(a->value.distinct, b->value.distinct);
    return window_tag_input(a->tag) == window_tag_input(b->tag);
}

/* A set keeps each member's newest event. False: the one that is there is newer. */
static bool forget_member(struct window *w, const struct window_shape *shape, const struct entry *e)
{
    for (uint32_t i = w->count; i > 0; i--) {
        const struct entry *old = window_at(w, shape, i - 1);
        if (!is_same_member(shape, old, e))
            continue;
        if (!is_before(old, e))
            return false;
        take_at(w, shape, i - 1);
        return true;
    }
    return true;
}

/* One event that two rules of a correlation match is one event; two chained detections are two. */
static bool is_double(const struct window *w, const struct window_shape *shape, uint32_t place,
                      const struct entry *e)
{
    const uint64_t chain = 1;
    if (!place)
        return false;
    const struct entry *before = window_at(w, shape, place - 1);
    return before->event_us == e->event_us && before->tag == e->tag && !(e->tag & chain);
}

enum window_result window_insert(struct window *w, const struct window_shape *shape,
                                 struct slab *slab, const struct entry *e)
{
    bool is_set = shape->kind == WINDOW_INPUT || shape->kind == WINDOW_VALUE;
    if (is_set && !forget_member(w, shape, e))
        return WINDOW_INSERTED;
    uint32_t place = place_of(w, shape, e);
    if (!is_set && is_double(w, shape, place, e))
        return WINDOW_INSERTED;
    enum window_result result = WINDOW_INSERTED;
    if (w->count >= shape->retain) {
        result = shape->is_saturated ? WINDOW_INSERTED : WINDOW_CUT;
        if (place == 0)
            return result;
        pop_oldest(w, shape);
        place--;
    }
    if (w->count == capacity_of(w, shape) && !grow(w, shape, slab)) {
        if (!w->count)
            return WINDOW_REFUSED;
        result = WINDOW_CUT;
        if (place == 0)
            return result;
        pop_oldest(w, shape);
        place--;
    }
    number_in(w, shape, e->value.number);
    put_at(w, shape, place, e);
    return result;
}

void window_thin(struct window *w, const struct window_shape *shape, const uint64_t *keep)
{
    assert(shape->kind == WINDOW_ORDERED);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (!(keep[i / 64] >> (i % 64) & 1))
            continue;
        if (kept != i)
            memcpy(slot(w, shape, kept), slot(w, shape, i), shape->stride);
        kept++;
    }
    w->count = kept;
}
