/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/detection.h"
#include "correlator/correlator.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * A correlator without rules before it: correlations made by hand, events as a list of what they
 * feed, and any number of shards driven as the program drives them.
 */

enum { FEEDS_RULES = 12, FEEDS_PER_EVENT = 16, FEEDS_TEXT = 24, FEEDS_SHARDS = 8, FEEDS_DEPTH = 4 };

/* Correlations i with rules i; keys "r00", "r01", ... so that index order is output order. */
struct feeds_rules {
    struct correlation correlations[FEEDS_RULES];
    struct rule rules[FEEDS_RULES];
    struct chain_link links[FEEDS_RULES][4];
    char names[FEEDS_RULES][8];
    uint32_t count;
};

__attribute__((unused)) static struct correlation *
feeds_add_rule(struct feeds_rules *rules, enum correlation_type type, int64_t timespan_us)
{
    uint32_t i = rules->count++;
    assert(i < FEEDS_RULES);
    (void)snprintf(rules->names[i], sizeof rules->names[i], "r%02u", i);
    rules->rules[i] = (struct rule){.index = i,
                                    .kind = RULE_CORRELATION,
                                    .key = text_of(rules->names[i]),
                                    .title = text_of(rules->names[i]),
                                    .content = {0x1000 + i, 0x77},
                                    .is_reported = true};
    rules->correlations[i] = (struct correlation){.rule = &rules->rules[i],
                                                  .index = i,
                                                  .type = type,
                                                  .input_count = 1,
                                                  .timespan_us = timespan_us,
                                                  .group_count = 1,
                                                  .depth = 1,
                                                  .links = rules->links[i],
                                                  .max_groups = 1000000};
    return &rules->correlations[i];
}

__attribute__((unused)) static void feeds_bound(struct correlation *c, enum bound_operator operator,
                                                const char * than)
{
    struct bound *b = &c->bounds[c->bound_count++];
    b->operator= operator;
    bool is_number = fixed_parse(text_of(than), &b->than);
    assert(is_number);
    (void)is_number;
}

struct feeds_one {
    uint32_t correlation, input;
    char group[FEEDS_TEXT];
    char value[FEEDS_TEXT]; /* "": the event has none */
};
struct feeds_event {
    int64_t event_us, journal_us;
    enum record_kind kind;
    uint32_t count;
    struct feeds_one feeds[FEEDS_PER_EVENT];
};

/* A whole correlator. What it decides is appended to `out` as text, one line each. */
struct feeds_run {
    const struct feeds_rules *rules;
    uint32_t shards;
    struct sequencer *sequencer;
    struct shard *shard[FEEDS_SHARDS];
    struct shard_reply *replies[FEEDS_SHARDS * FEEDS_DEPTH];
    struct batch *batch;
    uint64_t position, number;
    struct buffer out;
    bool has_ids; /* lines carry ids and evidence too */
};

static inline void feeds_open(struct feeds_run *run, const struct feeds_rules *rules,
                              uint32_t shards, size_t max_bytes)
{
    *run = (struct feeds_run){.rules = rules, .shards = shards, .has_ids = true};
    buffer_init(&run->out, 1 << 30);
    run->batch = batch_new();
    enum status status = sequencer_new(1 << 20, &run->sequencer, NULL);
    for (uint32_t i = 0; i < shards && !status; i++) {
        struct shard_options options = {.index = i,
                                        .count = shards,
                                        .correlations = rules->correlations,
                                        .correlation_count = rules->count,
                                        .max_bytes = max_bytes};
        status = shard_new(&options, &run->shard[i], NULL);
    }
    for (uint32_t i = 0; i < shards * FEEDS_DEPTH; i++)
        run->replies[i] = shard_reply_new();
    assert(!status && run->batch);
}

static inline void feeds_close(struct feeds_run *run)
{
    for (uint32_t i = 0; i < run->shards; i++)
        shard_free(run->shard[i]);
    for (uint32_t i = 0; i < run->shards * FEEDS_DEPTH; i++)
        shard_reply_free(run->replies[i]);
    sequencer_free(run->sequencer);
    batch_free(run->batch);
    buffer_fini(&run->out);
}

static inline struct feed *feeds_make(const struct feeds_rules *rules, const struct feeds_one *one,
                                      const struct record *r, int64_t event_us, struct arena *arena,
                                      struct feed *out)
{
    const struct correlation *c = &rules->correlations[one->correlation];
    struct text *group = arena_alloc(arena, sizeof *group);
    struct entity *entity = arena_zero(arena, sizeof *entity);
    struct subject *subject = arena_zero(arena, sizeof *subject);
    *group = arena_copy(arena, text_of(one->group));
    *entity = (struct entity){.value = *group, .kind = ENTITY_ADDRESS, .is_charged = true};
    *subject = (struct subject){group, c->group_count, entity, 1};
    struct text value = text_of(one->value);
    *out = (struct feed){.correlation = c,
                         .input = one->input,
                         .key = correlation_key(c, group, c->group_count),
                         .event_us = event_us,
                         .position = r->position,
                         .released = r->position,
                         .record = r,
                         .distinct = correlation_distinct(&value, 1),
                         .subject = subject};
    out->has_value = value.len > 0;
    if (c->type >= CORRELATION_VALUE_SUM)
        out->has_value = value.len > 0 && fixed_parse(value, &out->number);
    return out;
}

static inline void feeds_fill(struct feeds_run *run, const struct feeds_event *events,
                              uint32_t count)
{
    struct batch *b = run->batch;
    b->number = ++run->number;
    b->feeds = arena_alloc(&b->arena, (count * FEEDS_PER_EVENT + 1) * sizeof *b->feeds);
    for (uint32_t i = 0; i < count; i++) {
        struct record *r = batch_add(b, TEXT("a line"));
        r->position = ++run->position;
        r->epoch = 1;
        r->kind = events[i].kind;
        r->receive_us = events[i].journal_us;
        r->journal_us = events[i].journal_us;
        for (uint32_t j = 0; j < events[i].count; j++)
            feeds_make(run->rules, &events[i].feeds[j], r, events[i].event_us, &b->arena,
                       &b->feeds[b->feed_count++]);
    }
}

static inline int feeds_by_order(const void *a, const void *b)
{
    return detection_compare(*(const struct detection *const *)a,
                             *(const struct detection *const *)b);
}

static inline void feeds_write(struct feeds_run *run, const struct detection *d)
{
    char id[33];
    hash_to_hex(d->id, id);
    buffer_printf(&run->out, "%s %.*s @%lld%s", run->rules->names[d->rule->index],
                  TEXT_ARG(d->subject->group_count ? d->subject->group[0] : TEXT("-")),
                  (long long)d->event_us, d->is_renewal ? " again" : "");
    if (run->has_ids) {
        uint64_t evidence = 0;
        for (uint32_t i = 0; i < d->evidence_count; i++)
            evidence = hash_mix(evidence + d->evidence[i]);
        buffer_printf(&run->out, " p%llu r%llu j%lld %s e%llu/%u %016llx l%lld",
                      (unsigned long long)d->position, (unsigned long long)d->released,
                      (long long)d->journal_us, id, (unsigned long long)d->evidence_total,
                      d->evidence_count, (unsigned long long)evidence, (long long)d->lead_us);
    }
    buffer_byte(&run->out, '\n');
}

static inline void feeds_decide(struct feeds_run *run, struct batch *b)
{
    uint32_t depths = 1;
    for (uint32_t i = 0; i < run->rules->count; i++)
        if (run->rules->correlations[i].depth > depths)
            depths = run->rules->correlations[i].depth;
    uint32_t count = 0;
    for (uint32_t depth = 1; depth <= depths; depth++)
        for (uint32_t i = 0; i < run->shards; i++) {
            struct shard_reply *reply = run->replies[(depth - 1) * run->shards + i];
            shard_run(run->shard[i], b, depth, run->replies, (depth - 1) * run->shards, reply);
            count += reply->count;
        }
    struct detection **all = calloc(count + 1, sizeof *all);
    uint32_t n = 0;
    for (uint32_t i = 0; i < run->shards * depths; i++)
        for (uint32_t j = 0; j < run->replies[i]->count; j++)
            all[n++] = run->replies[i]->detections[j];
    qsort(all, n, sizeof *all, feeds_by_order);
    for (uint32_t i = 0; i < n; i++)
        feeds_write(run, all[i]);
    free(all);
    for (uint32_t i = 0; i < run->shards * depths; i++)
        shard_reply_reset(run->replies[i]);
}

static inline void feeds_release(struct batch *b)
{
    for (struct mail *block = b->released_blocks; block;) {
        struct mail *next = block->next;
        free(block);
        block = next;
    }
    batch_reset(b);
}

/* One batch of up to BATCH_RECORDS events through everything. `is_end`: what is held comes out. */
static inline void feeds_push(struct feeds_run *run, const struct feeds_event *events,
                              uint32_t count, bool is_end)
{
    feeds_fill(run, events, count);
    sequencer_put(run->sequencer, run->batch);
    struct batch *b = sequencer_next(run->sequencer);
    assert(b == run->batch);
    if (is_end)
        sequencer_flush(run->sequencer, b);
    feeds_decide(run, b);
    feeds_release(b);
}

/* A small generator of its own: tests print and accept its seed. */
static inline uint64_t feeds_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    return hash_mix(*state);
}
static inline uint32_t feeds_below(uint64_t *state, uint32_t most)
{
    return (uint32_t)(feeds_random(state) % most);
}
static inline uint64_t feeds_seed(void)
{
    const char *given = getenv("TOCSIN_SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : UINT64_C(20140205);
    printf("seed %llu (TOCSIN_SEED)\n", (unsigned long long)seed);
    return seed;
}
