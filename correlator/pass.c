/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/pass.h"
#include "correlator/firing.h"
#include "correlator/subject_copy.h"
#include "correlator/window_condition.h"
#include "correlator/window_lru.h"

/* ---- silence ---- */

static int64_t due_of(const struct shard *s, const struct rule_state *r, bool is_silent)
{
    uint32_t number = is_silent ? r->silent.oldest : r->touched.oldest;
    int64_t span = is_silent ? r->correlation->renew_us : r->correlation->timespan_us;
    if (number == WINDOW_NONE || span <= 0)
        return INT64_MAX;
    return window_store_at(&s->store, number)->touched_us + span;
}

/* The group was last heard (or its silence last told) a whole span of listening ago. */
static void report_silence(struct pass *p, struct rule_state *r, bool is_renewal)
{
    struct shard *s = p->shard;
    uint32_t number = is_renewal ? r->silent.oldest : r->touched.oldest;
    struct window *w = window_store_at(&s->store, number);
    int64_t due = due_of(s, r, is_renewal);
    int64_t event_us = due + s->clock.gap_us - r->correlation->lateness_us;
    r->cost.matched += !is_renewal;
    firing_add_silence(s, r, w, event_us, is_renewal, p->reply);
    w->touched_us = due;
    window_lru_set_silent(s, r, number, true);
}

/* In the order of their time, so that the list of silent groups stays in that order too. */
static int64_t report_rule(struct pass *p, struct rule_state *r, int64_t at_us)
{
    for (;;) {
        int64_t due = due_of(p->shard, r, false);
        int64_t renewal = due_of(p->shard, r, true);
        bool is_renewal = renewal < due;
        due = is_renewal ? renewal : due;
        if (due >= at_us)
            return due;
        report_silence(p, r, is_renewal);
    }
}

static void report_silences(struct pass *p, int64_t at_us)
{
    struct shard *s = p->shard;
    int64_t next = INT64_MAX;
    if (at_us <= p->silence_due)
        return;
    for (uint32_t i = 0; i < s->rule_count; i++) {
        struct rule_state *r = &s->rules[i];
        if (r->shape.kind != WINDOW_SUBJECT || r->correlation->depth != p->depth)
            continue;
        int64_t due = report_rule(p, r, at_us);
        next = due < next ? due : next;
    }
    p->silence_due = next;
}

static void step(struct shard_clock *clock, const struct record *r)
{
    clock->before_us = clock->now_us - clock->gap_us;
    clock->position = r->position;
    if (r->journal_us <= clock->now_us)
        return;
    if (r->kind == RECORD_GAP && clock->now_us != SHARD_NO_TIME)
        clock->gap_us += r->journal_us - clock->now_us;
    clock->now_us = r->journal_us;
}

void pass_advance(struct pass *p, uint64_t position)
{
    const struct batch *b = p->batch;
    while (p->next_record < b->count && b->records[p->next_record].position <= position) {
        report_silences(p, window_lru_now(p->shard));
        step(&p->shard->clock, &b->records[p->next_record++]);
    }
}

void pass_finish(struct pass *p)
{
    pass_advance(p, UINT64_MAX);
    report_silences(p, window_lru_now(p->shard));
}

/*
 * When a feed was heard, in time listened: now, but for one that lateness held and that goes before
 * the record the moment its lateness was over. The records that moved the clock over that moment
 * may be far apart.
 */
static int64_t heard_at(const struct shard *s, const struct feed *f, const struct rule_state *r)
{
    int64_t now = window_lru_now(s);
    if (r->correlation->lateness_us <= 0 || f->turn != RELEASE_BEFORE)
        return now;
    int64_t due = f->event_us + r->correlation->lateness_us - s->clock.gap_us;
    due = due > s->clock.before_us ? due : s->clock.before_us;
    return due < now ? due : now;
}

/* A group is heard: its subject is kept for the day it falls silent. */
static void insert_subject(struct pass *p, const struct feed *f, struct rule_state *r,
                           uint32_t number)
{
    struct shard *s = p->shard;
    struct window *w = window_store_at(&s->store, number);
    size_t size = subject_copy_size(f->subject);
    char *block = NULL;
    if (size <= SUBJECT_COPY_MAX)
        block = window_renew_block(w, &s->store.slab, (uint32_t)size);
    if (!block) {
        counter_add(&s->counters.refused, 1);
        window_lru_forget(s, number);
        return;
    }
    subject_copy_write(f->subject, f->position, block);
    w->count = (uint32_t)size;
    w->newest_us = f->event_us > w->newest_us ? f->event_us : w->newest_us;
    if (w->flags & WINDOW_SILENT)
        window_lru_set_silent(s, r, number, false);
    window_lru_mark(s, r, number);
    int64_t due = w->touched_us + r->correlation->timespan_us;
    p->silence_due = due < p->silence_due ? due : p->silence_due;
}

/* ---- firing ---- */

static uint32_t seconds_of(int64_t us)
{
    int64_t s = us / 1000000;
    return s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

static void fire(struct pass *p, const struct feed *f, const struct rule_state *r, struct window *w,
                 bool is_renewal)
{
    firing_add(p->shard, r, w, f, is_renewal, p->reply);
    w->fired_s = seconds_of(f->event_us);
}

/* The group is reported once, and only after the time of learning. */
static bool is_news(const struct shard *s, const struct rule_state *r, const struct window *w)
{
    if (w->flags & WINDOW_KNOWN)
        return false;
    int64_t heard_us = s->clock.heard_us + s->clock.gap_us;
    return heard_us - r->since_us >= r->correlation->first_seen_learn_us;
}

static void decide(struct pass *p, const struct feed *f, struct rule_state *r, struct window *w)
{
    const struct correlation *c = r->correlation;
    bool is_true = window_condition_holds(r, w);
    bool was_true = w->flags & WINDOW_TRUE;
    w->flags = (uint8_t)(is_true ? w->flags | WINDOW_TRUE : w->flags & ~WINDOW_TRUE);
    r->cost.matched += is_true;
    if (!is_true)
        return;
    if (c->first_seen_remember_us > 0) {
        if (is_news(p->shard, r, w))
            fire(p, f, r, w, false);
        w->flags |= WINDOW_KNOWN;
        return;
    }
    switch (c->fire) {
    case FIRE_EDGE:
        if (!was_true)
            fire(p, f, r, w, false);
        else if (c->renew_us > 0 &&
                 (int64_t)seconds_of(f->event_us) - w->fired_s >= c->renew_us / 1000000)
            fire(p, f, r, w, true);
        return;
    case FIRE_LEVEL:
        fire(p, f, r, w, false);
        return;
    case FIRE_CONSUME:
        fire(p, f, r, w, false);
        window_clear(w, &p->shard->store.slab);
        return;
    }
}

/* ---- inserting ---- */

bool pass_is_complete(const struct rule_state *r, const struct feed *f)
{
    enum window_kind kind = r->shape.kind;
    bool takes_value = kind == WINDOW_VALUE || kind == WINDOW_SUM || kind == WINDOW_RANK;
    return f->has_value || !takes_value;
}

static struct entry entry_of(const struct feed *f, const struct rule_state *r, bool is_chain)
{
    uint64_t input = 0;
    if (r->shape.kind == WINDOW_INPUT || r->shape.kind == WINDOW_ORDERED)
        input = f->input % CORRELATION_INPUTS;
    struct entry e = {.event_us = f->event_us,
                      .tag = input << WINDOW_INPUT_SHIFT | f->position << 1 | is_chain};
    if (r->shape.kind == WINDOW_VALUE)
        e.value.distinct = f->distinct;
    else
        e.value.number = f->number;
    return e;
}

static void note_late(struct shard *s, const struct feed *f, int64_t late_us)
{
    counter_add(&s->counters.late, 1);
    s->late[s->late_count++ % SHARD_LATE] =
        (struct late_event){f->key, f->position, f->event_us, late_us};
}

/* The event that moves the window's end; what it leaves behind is no longer true of it. */
static void move_on(struct pass *p, const struct rule_state *r, struct window *w, int64_t event_us)
{
    if (event_us <= w->newest_us)
        return;
    w->newest_us = event_us;
    window_prune(w, &r->shape, event_us - r->correlation->timespan_us);
    if (w->count)
        return;
    w->flags &= (uint8_t)~WINDOW_TRUE;
    window_clear(w, &p->shard->store.slab);
}

static enum window_result put(struct pass *p, struct rule_state *r, uint32_t number,
                              const struct entry *e)
{
    struct shard *s = p->shard;
    struct window *w = window_store_at(&s->store, number);
    enum window_result result = window_insert(w, &r->shape, &s->store.slab, e);
    for (int tries = 0; result == WINDOW_REFUSED && tries < 64; tries++) {
        if (!window_lru_evict(s, number))
            break;
        result = window_insert(w, &r->shape, &s->store.slab, e);
    }
    return result;
}

void pass_insert(struct pass *p, const struct work *work, bool is_last)
{
    struct shard *s = p->shard;
    const struct feed *f = work->feed;
    struct rule_state *r = &s->rules[work->rule];
    counter_add(&s->counters.feeds, 1);
    r->cost.evaluated++;
    if (!pass_is_complete(r, f)) {
        counter_add(&s->counters.without_value, 1);
        return;
    }
    s->clock.heard_us = heard_at(s, f, r);
    if (r->shape.kind == WINDOW_SUBJECT) /* of this rule alone: others hear at other times */
        (void)report_rule(p, r, s->clock.heard_us);
    uint32_t number = window_lru_find(s, r, f->key);
    if (number == WINDOW_NONE)
        return;
    if (r->shape.kind == WINDOW_SUBJECT) {
        insert_subject(p, f, r, number);
        return;
    }
    struct window *w = window_store_at(&s->store, number);
    if (w->newest_us != INT64_MIN && f->event_us < w->newest_us - r->correlation->timespan_us) {
        note_late(s, f, w->newest_us - r->correlation->timespan_us - f->event_us);
        return;
    }
    window_lru_mark(s, r, number);
    move_on(p, r, w, f->event_us);
    struct entry e = entry_of(f, r, work->from != NULL);
    if (r->shape.kind == WINDOW_ORDERED && w->count >= r->shape.retain)
        succession_thin(w, &r->shape, r->ways, r->way_count);
    enum window_result result = put(p, r, number, &e);
    r->cost.limits += result == WINDOW_CUT || result == WINDOW_REFUSED;
    if (result == WINDOW_CUT)
        counter_add(&s->counters.windows_cut, 1);
    if (result == WINDOW_REFUSED)
        counter_add(&s->counters.refused, 1);
    if (is_last && result != WINDOW_REFUSED)
        decide(p, f, r, w);
}
