/* SPDX-License-Identifier: Apache-2.0 */
#include "app/stages.h"
#include "base/log.h"
#include <stdlib.h>

enum status worker_init(struct worker *w, struct pipeline *p, struct error *err)
{
    w->pipeline = p;
    if (pthread_mutex_init(&w->snapshot, NULL))
        return error_set(err, STATUS_NOMEM, 0, "no memory for a worker");
    enum status status = mailbox_init(&w->inbox, SIZE_MAX, NULL, NULL);
    if (!status)
        status = parser_new(&p->options.parser, &w->parser, err);
    if (!status && p->options.max_hosts) {
        w->hosts = hosts_new(p->options.max_hosts);
        if (!w->hosts)
            return error_set(err, STATUS_NOMEM, 0, "no memory for a table of hosts");
    }
    return status;
}

void worker_fini(struct worker *w)
{
    if (!w->pipeline)
        return;
    matcher_free(w->matcher);
    ruleset_unref(w->ruleset);
    parser_free(w->parser);
    hosts_free(w->hosts);
    event_fini(&w->event);
    mailbox_fini(&w->inbox);
    (void)pthread_mutex_destroy(&w->snapshot);
}

/* The matcher belongs to one ruleset; a batch that brings another one brings a new matcher. */
static bool follow_ruleset(struct worker *w, struct ruleset *ruleset)
{
    if (w->ruleset == ruleset)
        return w->matcher != NULL;
    struct error err;
    struct matcher *fresh = NULL;
    if (matcher_new(ruleset, &fresh, &err)) {
        log_line(LOG_ERROR, "a worker cannot use the new rules, their events go unmatched: %s",
                 err.text);
        return false;
    }
    if (w->matcher)
        matcher_take_costs(fresh, w->matcher);
    matcher_free(w->matcher);
    w->matcher = fresh;
    w->result = (struct match_result){0};
    ruleset_unref(w->ruleset);
    w->ruleset = ruleset_ref(ruleset);
    return true;
}

static void work_record(struct worker *w, struct batch *b, struct record *r)
{
    const struct pipeline_options *options = &w->pipeline->options;
    if (r->kind != RECORD_EVENT && r->kind != RECORD_ALERT)
        return;
    parser_read(w->parser, r, &b->arena, &w->event);
    matcher_decode(w->matcher, &w->event, &b->arena);
    if (options->is_receipt_time)
        w->event.event_us = r->receive_us;
    if (options->is_file_time)
        r->journal_us = w->event.event_us;
    if (w->hosts)
        hosts_see(w->hosts, &w->event);
    matcher_match(w->matcher, &w->event, &b->arena, &w->result);
}

/* Files: a header's line ("#Fields: ...") has no time of its own. Taken as read at the file's last
 * write it would move journal time behind every event; it goes with the one after it. */
static void settle_headers(struct batch *b)
{
    const struct record *next = NULL;
    for (uint32_t i = b->count; i > 0; i--) {
        struct record *r = &b->records[i - 1];
        bool is_header = r->raw.len && r->raw.at[0] == '#' && r->journal_us == r->receive_us;
        if (!is_header)
            next = r;
        else if (next)
            r->journal_us = next->journal_us;
    }
}

/* The matcher's arrays grow on the heap and serve the next batch; what travels is copied. */
static void keep_results(struct worker *w, struct batch *b)
{
    struct match_result *from = &w->result;
    b->feeds = arena_alloc(&b->arena, (from->feed_count + 1) * sizeof *b->feeds);
    b->detections =
        arena_alloc(&b->arena, (from->detection_count + 1) * sizeof(struct detection *));
    b->refused_count = from->refused;
    if (!b->feeds || !b->detections) {
        b->refused_count += from->feed_count + from->detection_count;
        return;
    }
    if (from->feed_count)
        memcpy(b->feeds, from->feeds, from->feed_count * sizeof *b->feeds);
    if (from->detection_count)
        memcpy(b->detections, from->detections, from->detection_count * sizeof(struct detection *));
    b->feed_count = from->feed_count;
    b->detection_count = from->detection_count;
}

static void work_batch(struct worker *w, struct batch *b)
{
    (void)pthread_mutex_lock(&w->snapshot);
    if (follow_ruleset(w, b->ruleset)) {
        parser_begin(w->parser, ruleset_reads, w->ruleset);
        matcher_reset(w->matcher, &w->result);
        if (w->hosts)
            hosts_begin(w->hosts);
        for (uint32_t i = 0; i < b->count; i++)
            work_record(w, b, &b->records[i]);
        if (w->pipeline->options.is_file_time)
            settle_headers(b);
        if (w->hosts)
            hosts_end(w->hosts);
        keep_results(w, b);
    }
    (void)pthread_mutex_unlock(&w->snapshot);
    atomic_fetch_add_explicit(&w->events, b->count, memory_order_relaxed);
    atomic_fetch_add_explicit(&w->refused, b->refused_count, memory_order_relaxed);
}

void *worker_main(void *argument)
{
    struct worker *w = argument;
    struct pipeline *p = w->pipeline;
    for (;;) {
        struct mail *mail = mailbox_wait(&w->inbox, UINT64_MAX);
        if (!mail)
            break;
        while (mail) {
            struct batch *b = CONTAINER_OF(mail, struct batch, mail);
            mail = mail->next;
            work_batch(w, b);
            /* the box is as large as the pool of batches and closes behind the last worker */
            (void)!mailbox_send(&p->ordered_inbox, &b->mail);
        }
    }
    /* pairs with the other workers' decrement: the last one sees all their mail sent */
    if (atomic_fetch_sub_explicit(&p->workers_left, 1, memory_order_acq_rel) == 1)
        mailbox_close(&p->ordered_inbox);
    return NULL;
}
