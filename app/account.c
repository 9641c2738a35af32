/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account.h"
#include "app/daemon.h"
#include <stdio.h>

static bool is_message(const struct record *r)
{
    return r->kind == RECORD_EVENT || r->kind == RECORD_ALERT;
}

static uint32_t row_of(uint32_t source)
{
    return source < ACCOUNT_SOURCES - 1 ? source : ACCOUNT_SOURCES - 1;
}

void account_add(struct account *a, uint32_t source, enum account_step step, uint64_t n)
{
    /* sums for reports: no order */
    (void)atomic_fetch_add_explicit(&a->counts[row_of(source)][step], n, memory_order_relaxed);
}

uint32_t account_messages(const struct batch *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->count; i++)
        n += is_message(&b->records[i]);
    return n;
}

void account_decided(struct account *a, const struct batch *b)
{
    uint32_t epoch = atomic_load_explicit(&a->epoch, memory_order_relaxed);
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->count; i++)
        n += is_message(&b->records[i]) && b->records[i].epoch == epoch;
    if (n)
        account_add(a, b->records[0].source, ACCOUNT_PROCESSED, n);
}

struct total {
    double value;
};

static void sum_put(void *context, const struct metric *m)
{
    struct total *t = context;
    if (text_equal(text_of(m->name), TEXT("source_put_total")))
        t->value += m->value;
}

static double read_count(const struct account *a, uint32_t row, enum account_step step)
{
    return (double)atomic_load_explicit(&a->counts[row][step], memory_order_relaxed);
}

static void tell_row(const struct account *a, uint32_t row, double put, const char *labels,
                     metric_fn tell, void *context)
{
    double processed = read_count(a, row, ACCOUNT_PROCESSED);
    double repeated = read_count(a, row, ACCOUNT_REPEATED);
    double refused = read_count(a, row, ACCOUNT_REFUSED);
    double waiting = put - processed - repeated - refused;
    const struct metric metrics[] = {
        {"source_processed_total", "Messages that the rules have decided.", labels, METRIC_COUNTER,
         processed},
        {"source_repeated_total", "Messages whose sender's identity was stored already.", labels,
         METRIC_COUNTER, repeated},
        {"source_journal_refused_total", "Messages that the journal did not take.", labels,
         METRIC_COUNTER, refused},
        {"source_waiting", "Messages put and not decided yet.", labels, METRIC_GAUGE,
         waiting > 0 ? waiting : 0}, /* the counts are not read at one moment */
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        tell(context, &metrics[i]);
}

void account_metrics(struct daemon *d, metric_fn tell, void *context)
{
    for (uint32_t i = 0; i < d->doors.source_count; i++) {
        const struct source *s = d->doors.sources[i];
        struct total put = {0};
        char labels[320];
        (void)snprintf(labels, sizeof labels, "source=\"%u\",kind=\"%s\",address=\"%s\"", i,
                       source_kind(s), source_address(s));
        source_metrics(s, sum_put, &put);
        tell_row(&d->account, i, put.value, labels, tell, context);
    }
    uint32_t last = ACCOUNT_SOURCES - 1;
    double put = read_count(&d->account, last, ACCOUNT_PUT);
    const char *labels = "source=\"webhooks\",kind=\"webhooks\",address=\"\"";
    tell(context, &(struct metric){"source_put_total", "Messages handed to the journal.", labels,
                                   METRIC_COUNTER, put});
    tell_row(&d->account, last, put, labels, tell, context);
}
