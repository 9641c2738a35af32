/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/fixed.h"
#include "base/hash.h"
#include "correlator/int192.h"
#include "correlator/slab.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * The state of one correlation for one group of values: 64 bytes, and one block of entries in order
 * of (event time, tag), a ring. What an entry is depends on the correlation:
 *
 *   COUNT    one per event; only the newest that can matter are kept
 *   INPUT    the newest event of each input (temporal)
 *   VALUE    the newest event of each distinct value (value_count)
 *   ORDERED  one per event (temporal_ordered)
 *   SUM      one per event, with its number; their sum stands before the ring
 *   RANK     one per event, with its number; all numbers stand sorted behind the ring
 *   SUBJECT  no entries: the last event's position and a copy of its subject (absence)
 */
enum window_kind {
    WINDOW_COUNT,
    WINDOW_INPUT,
    WINDOW_VALUE,
    WINDOW_ORDERED,
    WINDOW_SUM,
    WINDOW_RANK,
    WINDOW_SUBJECT,
};

enum window_flag {
    WINDOW_TRUE = 1U << 0,   /* the last evaluation was true */
    WINDOW_KNOWN = 1U << 1,  /* first_seen: the group was reported or learned */
    WINDOW_SILENT = 1U << 2, /* absence: the silence was reported */
    WINDOW_LIVE = 1U << 3,   /* in use; not in state that goes out */
};
enum { WINDOW_SAVED_FLAGS = WINDOW_TRUE | WINDOW_KNOWN | WINDOW_SILENT };

struct window {
    struct hash128 key;
    int64_t newest_us;     /* event time; INT64_MIN: no event yet */
    int64_t touched_us;    /* time listened, when the last event came */
    void *block;           /* NULL: none */
    uint32_t older, newer; /* least recently touched list of its correlation */
    uint32_t head, count;  /* of the ring; SUBJECT: count is bytes */
    uint32_t fired_s;      /* event time of the last detection or renewal, in seconds */
    uint16_t rule;         /* which of the shard's correlations */
    uint8_t flags;         /* enum window_flag */
    uint8_t size_class;    /* of the block */
};

/*
 * `tag` holds (input << 58 | position << 1 | is from a chain): where times are equal, entries stand
 * in the order of the inputs.
 */
struct entry {
    int64_t event_us;
    uint64_t tag;
    union {
        struct hash128 distinct; /* VALUE */
        fixed128 number;         /* SUM, RANK */
    } value;                     /* other kinds: not stored */
};
enum { WINDOW_INPUT_SHIFT = 58 };
static inline uint64_t window_tag_position(uint64_t tag)
{
    return (tag & ((UINT64_C(1) << WINDOW_INPUT_SHIFT) - 1)) >> 1;
}
static inline uint32_t window_tag_input(uint64_t tag)
{
    return (uint32_t)(tag >> WINDOW_INPUT_SHIFT);
}

/* How a correlation's windows are laid out. */
struct window_shape {
    enum window_kind kind;
    uint32_t retain;   /* most entries kept */
    uint8_t stride;    /* bytes per entry of the ring */
    uint8_t shift;     /* 2^shift bytes of the block per entry, the sorted number included */
    uint8_t prelude;   /* bytes before the ring */
    bool is_saturated; /* beyond `retain` no evaluation changes: dropping the oldest is exact */
};
struct window_shape window_shape_of(enum window_kind kind, uint32_t retain);

enum window_result {
    WINDOW_INSERTED, /* also where the same event, or a newer one of that member, stood already */
    WINDOW_CUT,      /* the window is shorter now than it should be */
    WINDOW_REFUSED   /* no memory */
};
/* Puts an entry where its time says. Also a result of INSERTED may have dropped the oldest where
 * that is exact. */
enum window_result window_insert(struct window *w, const struct window_shape *shape,
                                 struct slab *slab, const struct entry *e);
/* Takes entries older than `cutoff_us` out. */
void window_prune(struct window *w, const struct window_shape *shape, int64_t cutoff_us);
/* No entries, and no block where it is a large one. */
void window_clear(struct window *w, struct slab *slab);
/* Gives the block back. */
void window_drop_block(struct window *w, struct slab *slab);
/* Keeps only the entries whose bit in `keep` is set. */
void window_thin(struct window *w, const struct window_shape *shape, const uint64_t *keep);
/* Replaces the block by one of `bytes` bytes, uninitialised; NULL where there is no memory. */
void *window_renew_block(struct window *w, struct slab *slab, uint32_t bytes);

/* Entry `i` (0: oldest); only what the kind stores may be looked at. */
static inline const struct entry *window_at(const struct window *w,
                                            const struct window_shape *shape, uint32_t i)
{
    uint32_t capacity = (slab_size(w->size_class) - shape->prelude) >> shape->shift;
    uint32_t at = w->head + i;
    at = at >= capacity ? at - capacity : at;
    return (const struct entry *)(const void *)((const char *)w->block + shape->prelude +
                                                (size_t)at * shape->stride);
}
/* SUM: of all numbers. */
const struct int192 *window_sum(const struct window *w);
/* RANK: `count` numbers, ascending. */
const fixed128 *window_sorted(const struct window *w, const struct window_shape *shape);
