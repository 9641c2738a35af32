/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/sequencer_freezing.h"
#include "correlator/sequencer_state.h"
#include "correlator/subject_copy.h"
#include <stdlib.h>

enum status sequencer_new(uint32_t max_held, struct sequencer **out, struct error *err)
{
    struct sequencer *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the sequencer");
    s->next_number = 1;
    s->journal_us = INT64_MIN;
    s->max_held = max_held;
    *out = s;
    return STATUS_OK;
}

void sequencer_free(struct sequencer *s)
{
    if (!s)
        return;
    held_heap_fini(&s->heap);
    for (uint32_t i = 0; i < s->retired_count; i++)
        free(s->retired[i]);
    free(s->retired);
    free(s->out);
    free(s);
}

static struct batch *batch_of(struct mail *mail)
{
    return CONTAINER_OF(mail, struct batch, mail);
}

void sequencer_put(struct sequencer *s, struct batch *b)
{
    struct mail **at = &s->waiting;
    while (*at && batch_of(*at)->number < b->number)
        at = &(*at)->next;
    b->mail.next = *at;
    *at = &b->mail;
}

/* ---- release ---- */

static bool reserve_out(struct sequencer *s)
{
    if (s->out_count < s->out_max)
        return true;
    uint32_t max = s->out_max ? s->out_max * 2 : 256;
    struct held **out = realloc(s->out, max * sizeof(struct held *));
    if (!out)
        return false;
    s->out = out;
    s->out_max = max;
    return true;
}

static void release_first(struct sequencer *s, uint64_t position, enum release_turn turn)
{
    struct held *h = held_heap_pop(&s->heap);
    if (!reserve_out(s)) {
        counter_add(&s->counters.refused, 1);
        free(h);
        return;
    }
    h->feed.released = position;
    h->feed.turn = (int8_t)turn;
    s->out[s->out_count++] = h;
    counter_add(&s->counters.released, 1);
}

static int by_release(const void *a, const void *b)
{
    const struct feed *x = &(*(struct held *const *)a)->feed;
    const struct feed *y = &(*(struct held *const *)b)->feed;
    if (x->released != y->released)
        return x->released < y->released ? -1 : 1;
    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    if (x->event_us != y->event_us)
        return x->event_us < y->event_us ? -1 : 1;
    if (x->position != y->position)
        return x->position < y->position ? -1 : 1;
    if (x->correlation->index != y->correlation->index)
        return x->correlation->index < y->correlation->index ? -1 : 1;
    return x->input < y->input ? -1 : x->input > y->input;
}

/* An array of feeds that begins with its mail, as held feeds do. */
struct released_array {
    struct mail mail;
    struct feed feeds[];
};

/* What is in s->out goes to the batch, behind what it has already. */
static void hand_over(struct sequencer *s, struct batch *b)
{
    if (!s->out_count)
        return;
    qsort(s->out, s->out_count, sizeof(struct held *), by_release);
    uint32_t count = b->released_count + s->out_count;
    struct released_array *array = malloc(sizeof *array + count * sizeof *array->feeds);
    if (!array) {
        counter_add(&s->counters.refused, s->out_count);
        b->refused_count += s->out_count;
        for (uint32_t i = 0; i < s->out_count; i++)
            free(s->out[i]);
        s->out_count = 0;
        return;
    }
    for (uint32_t i = 0; i < b->released_count; i++)
        array->feeds[i] = b->released[i];
    for (uint32_t i = 0; i < s->out_count; i++) {
        array->feeds[b->released_count + i] = s->out[i]->feed;
        s->out[i]->mail.next = b->released_blocks;
        b->released_blocks = &s->out[i]->mail;
    }
    array->mail.next = b->released_blocks;
    b->released_blocks = &array->mail;
    b->released = array->feeds;
    b->released_count = count;
    s->out_count = 0;
}

static void tell_holding(struct sequencer *s)
{
    counter_set(&s->counters.holding, s->heap.count);
}

/* ---- the next batch ---- */

static bool hold(struct sequencer *s, const struct feed *f)
{
    const struct correlation *c = f->correlation;
    if (subject_copy_size(f->subject) > SUBJECT_COPY_MAX)
        return false; /* a checkpoint could not hold it */
    const struct retired *retired =
        sequencer_state_retired(s, c->rule->content, c->index, c->lateness_us);
    struct held *h = retired ? held_new(f, &retired->correlation) : NULL;
    if (h && held_heap_push(&s->heap, f->event_us + c->lateness_us, h)) {
        counter_add(&s->counters.held, 1);
        return true;
    }
    free(h);
    return false;
}

/* Takes the feeds of one record that wait out of the batch; the others move up to *kept. */
static void sift(struct sequencer *s, struct batch *b, uint32_t *next, uint32_t *kept,
                 uint64_t position)
{
    for (; *next < b->feed_count && b->feeds[*next].position <= position; ++*next) {
        struct feed *f = &b->feeds[*next];
        if (f->correlation->lateness_us <= 0) {
            f->released = f->position;
            if (*kept != *next)
                b->feeds[*kept] = *f;
            ++*kept;
            continue;
        }
        if (s->heap.count >= s->max_held && s->heap.count) {
            release_first(s, position, RELEASE_BEFORE);
            counter_add(&s->counters.released_early, 1);
        }
        if (!hold(s, f)) {
            counter_add(&s->counters.refused, 1);
            b->refused_count++;
        }
    }
}

static void release_due(struct sequencer *s, uint64_t position, enum release_turn turn)
{
    while (s->heap.count && s->heap.items[0].deadline_us < s->journal_us)
        release_first(s, position, turn);
}

/* Record by record, so that where batches are cut changes nothing: time moves, what is now due goes
 * before the record's own, and of these what came after its own lateness goes with it. */
static void pass_through(struct sequencer *s, struct batch *b)
{
    uint32_t next = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct record *r = &b->records[i];
        if (r->journal_us > s->journal_us)
            s->journal_us = r->journal_us;
        s->position = r->position;
        release_due(s, r->position, RELEASE_BEFORE);
        sift(s, b, &next, &kept, r->position);
        release_due(s, r->position, RELEASE_WITH);
    }
    sift(s, b, &next, &kept, UINT64_MAX);
    b->feed_count = kept;
    hand_over(s, b);
    tell_holding(s);
}

struct batch *sequencer_next(struct sequencer *s)
{
    if (!s->waiting || batch_of(s->waiting)->number != s->next_number)
        return NULL;
    struct batch *b = batch_of(s->waiting);
    s->waiting = b->mail.next;
    b->mail.next = NULL;
    s->next_number++;
    pass_through(s, b);
    return b;
}

void sequencer_flush(struct sequencer *s, struct batch *b)
{
    while (s->heap.count)
        release_first(s, s->position, RELEASE_AFTER);
    hand_over(s, b);
    tell_holding(s);
}

/* ---- state and numbers ---- */

uint64_t sequencer_next_number(const struct sequencer *s)
{
    return s->next_number;
}

enum status sequencer_freeze(struct sequencer *s, checkpoint_fn put, void *context)
{
    return sequencer_freezing_write(s, put, context);
}

enum status sequencer_restore(struct sequencer *s, struct text chunk,
                              const struct correlation *correlations, uint32_t count,
                              struct error *err)
{
    return sequencer_freezing_read(s, chunk, correlations, count, err);
}

void sequencer_metrics(const struct sequencer *s, metric_fn tell, void *context)
{
    const struct sequencer_counters *counters = &s->counters;
    const struct counter_line lines[] = {SEQUENCER_COUNTERS(COUNTER_LINE)};
    counter_tell(lines, sizeof lines / sizeof *lines, NULL, tell, context);
}
