/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/drops.h"
#include "base/hash.h"
#include "base/wall_clock.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Sets of a few entries: a sender's address decides the set, the one silent longest in it makes
 * room. Whoever forges addresses costs himself his own names, and the sums stay right. */
enum { SETS = 256, WAYS = 8 };

struct drops {
    pthread_mutex_t lock;
    struct drops_entry sets[SETS][WAYS];
    struct drops_entry others[DROPS_SOURCES + 1]; /* of those who made room, by source */
};

struct drops *drops_new(void)
{
    struct drops *d = calloc(1, sizeof *d);
    if (!d || pthread_mutex_init(&d->lock, NULL)) {
        free(d);
        return NULL;
    }
    return d;
}

void drops_free(struct drops *d)
{
    if (!d)
        return;
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

static bool is_used(const struct drops_entry *e)
{
    return e->last_us != 0;
}

static void add_counts(struct drops_entry *into, const struct drops_entry *from)
{
    for (int why = 0; why < DROPS_REASONS; why++)
        into->counts[why] += from->counts[why];
    if (!is_used(into) || from->first_us < into->first_us)
        into->first_us = from->first_us;
    if (from->last_us > into->last_us)
        into->last_us = from->last_us;
}

static void give_up(struct drops *d, const struct drops_entry *e)
{
    bool is_door = e->source < DROPS_SOURCES;
    struct drops_entry *others = &d->others[is_door ? e->source : DROPS_SOURCES];
    others->source = e->source;
    add_counts(others, e);
}

/* The entry of that sender, or the one that makes room for it. */
static struct drops_entry *find(struct drops *d, uint32_t source, struct text peer)
{
    struct drops_entry *set = d->sets[hash_seeded(peer.at, peer.len, source) % SETS];
    struct drops_entry *oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        struct drops_entry *e = &set[i];
        if (is_used(e) && e->source == source &&
            text_equal((struct text){e->peer, e->peer_len}, peer))
            return e;
        if (e->last_us < oldest->last_us)
            oldest = e;
    }
    if (is_used(oldest))
        give_up(d, oldest);
    *oldest = (struct drops_entry){.source = source, .peer_len = (uint8_t)peer.len};
    if (peer.len)
        memcpy(oldest->peer, peer.at, peer.len);
    return oldest;
}

void drops_count(struct drops *d, uint32_t source, struct text peer, enum drops_reason why,
                 uint64_t n)
{
    if (!d || !n)
        return;
    int64_t now_us = wall_clock_us();
    (void)pthread_mutex_lock(&d->lock);
    struct drops_entry *e = find(d, source, text_head(peer, DROPS_PEER_LEN));
    e->first_us = is_used(e) ? e->first_us : now_us;
    e->last_us = now_us;
    e->counts[why] += n;
    (void)pthread_mutex_unlock(&d->lock);
}

void drops_count_batch(struct drops *d, const struct batch *b, enum drops_reason why)
{
    uint32_t from = 0;
    for (uint32_t i = 1; d && i <= b->count; i++) {
        if (i < b->count && text_equal(b->records[i].peer, b->records[from].peer))
            continue;
        drops_count(d, b->source, b->records[from].peer, why, i - from);
        from = i;
    }
}

const char *drops_name(enum drops_reason why)
{
    static const char *const names[DROPS_REASONS] = {
        [DROPS_DENIED] = "denied",     [DROPS_STOPPED] = "stopped",
        [DROPS_MEMORY] = "memory",     [DROPS_QUARANTINED] = "quarantined",
        [DROPS_JOURNAL] = "journal",   [DROPS_EXCESS] = "excess",
        [DROPS_BARRED] = "barred",     [DROPS_CROWDED] = "crowded",
        [DROPS_BROKEN] = "broken",     [DROPS_REJECTED] = "rejected",
        [DROPS_OVERLOAD] = "overload", [DROPS_EMPTY] = "empty",
    };
    return names[why];
}

static int by_peer(const void *a, const void *b)
{
    return drops_compare(a, b);
}

int drops_compare(const struct drops_entry *x, const struct drops_entry *y)
{
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return text_compare((struct text){x->peer, x->peer_len}, (struct text){y->peer, y->peer_len});
}

struct drops_entry *drops_copy(struct drops *d, uint32_t *out_count)
{
    enum { MOST = SETS * WAYS + DROPS_SOURCES + 1 };
    struct drops_entry *all = calloc(MOST, sizeof *all);
    uint32_t count = 0;
    if (!all)
        return NULL;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < SETS; i++)
        for (size_t j = 0; j < WAYS; j++)
            if (is_used(&d->sets[i][j]))
                all[count++] = d->sets[i][j];
    for (size_t i = 0; i <= DROPS_SOURCES; i++)
        if (is_used(&d->others[i]))
            all[count++] = d->others[i];
    (void)pthread_mutex_unlock(&d->lock);
    qsort(all, count, sizeof *all, by_peer);
    *out_count = count;
    return all;
}
