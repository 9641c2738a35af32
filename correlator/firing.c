/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/firing.h"
#include "correlator/subject_copy.h"
#include <stdlib.h>

/* A detection without a record is known by its time and place. */
static struct hash128 identity(const struct record *record, int64_t event_us, uint64_t position)
{
    if (record)
        return record_identity(record);
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, (uint64_t)event_us);
    hash_part_u64(&h, position);
    return hash_end(&h);
}

static bool has_room(struct shard_reply *reply)
{
    if (reply->count < reply->max)
        return true;
    uint32_t max = reply->max ? reply->max * 2 : 64;
    struct detection **grown = realloc(reply->detections, max * sizeof(struct detection *));
    if (!grown)
        return false;
    reply->detections = grown;
    reply->max = max;
    return true;
}

static int by_position(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Positions of the window's entries, ascending, each once: the first and the last of many. */
static bool collect_evidence(const struct rule_state *r, const struct window *w,
                             struct detection *d, struct arena *arena)
{
    enum { HALF = DETECTION_EVIDENCE / 2 };
    uint32_t count = w->count < DETECTION_EVIDENCE ? w->count : DETECTION_EVIDENCE;
    uint64_t *positions = arena_alloc(arena, (count + 1) * sizeof *positions);
    if (!positions)
        return false;
    bool is_sorted = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = i < HALF || w->count <= DETECTION_EVIDENCE ? i : w->count - count + i;
        positions[i] = window_tag_position(window_at(w, &r->shape, at)->tag);
        is_sorted = is_sorted && (i == 0 || positions[i - 1] < positions[i]);
    }
    uint32_t kept = count;
    if (!is_sorted) {
        qsort(positions, count, sizeof *positions, by_position);
        kept = count ? 1 : 0;
        for (uint32_t i = 1; i < count; i++)
            if (positions[i] != positions[kept - 1])
                positions[kept++] = positions[i];
    }
    d->evidence = positions;
    d->evidence_count = kept;
    d->evidence_total = w->count - (count - kept);
    return true;
}

static void put(struct shard *s, struct shard_reply *reply, struct detection *d, bool is_whole)
{
    if (!is_whole || !has_room(reply)) {
        reply->refused++;
        counter_add(&s->counters.refused, 1);
        return;
    }
    reply->detections[reply->count++] = d;
    counter_add(d->is_renewal ? &s->counters.renewals : &s->counters.detections, 1);
}

static struct detection *begin(struct shard *s, const struct rule_state *r,
                               struct shard_reply *reply)
{
    struct detection *d = arena_zero(&reply->arena, sizeof *d);
    if (d) {
        d->rule = r->correlation->rule;
        d->depth = r->correlation->depth;
        d->journal_us = s->clock.now_us;
    }
    return d;
}

/* Entries stand in order of their time: the first is the earliest evidence, also where the list of
 * positions leaves out the middle. */
static int64_t lead_of(const struct rule_state *r, const struct window *w, int64_t event_us)
{
    int64_t first_us = w->count ? window_at(w, &r->shape, 0)->event_us : event_us;
    return first_us < event_us ? event_us - first_us : 0;
}

void firing_add(struct shard *s, const struct rule_state *r, const struct window *w,
                const struct feed *f, bool is_renewal, struct shard_reply *reply)
{
    struct detection *d = begin(s, r, reply);
    if (!d || !collect_evidence(r, w, d, &reply->arena)) {
        put(s, reply, d, false);
        return;
    }
    d->event_us = f->event_us;
    d->position = f->position;
    d->released = f->released;
    d->turn = f->turn;
    d->record = f->record;
    d->subject = f->subject;
    d->is_renewal = is_renewal;
    d->lead_us = lead_of(r, w, f->event_us);
    d->id = detection_make_id(d->rule, d->subject, identity(f->record, f->event_us, f->position),
                              is_renewal);
    put(s, reply, d, true);
}

void firing_add_silence(struct shard *s, const struct rule_state *r, const struct window *w,
                        int64_t event_us, bool is_renewal, struct shard_reply *reply)
{
    struct detection *d = begin(s, r, reply);
    uint64_t last = 0;
    struct text bytes = arena_copy(&reply->arena, (struct text){w->block, w->count});
    if (d && bytes.at)
        d->subject = subject_copy_read(bytes.at, bytes.len, &reply->arena, &last);
    uint64_t *position = d ? arena_alloc(&reply->arena, sizeof *position) : NULL;
    if (!position || !d->subject) {
        put(s, reply, d, false);
        return;
    }
    *position = last;
    d->evidence = position;
    d->evidence_count = 1;
    d->evidence_total = 1;
    d->event_us = event_us;
    d->position = s->clock.position;
    d->released = s->clock.position;
    d->is_renewal = is_renewal;
    d->lead_us = w->newest_us < event_us ? event_us - w->newest_us : 0; /* the last heard */
    d->id = detection_make_id(d->rule, d->subject, identity(NULL, event_us, last), is_renewal);
    put(s, reply, d, true);
}
