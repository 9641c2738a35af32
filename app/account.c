/* SPDX-License-Identifier: Apache-2.0 */
#include "app/account.h"
#include "app/daemon.h"
#include <stdio.h>
#include <string.h>

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

/* ---- the report ---- */

enum { REASONS = 16, REASON_LEN = 24 };

struct reason {
    char name[REASON_LEN];
    double value;
};

/* Of the program: what the doors and the webhooks said, summed up. */
struct sums {
    double received, quarantined, processed, repeated;
    struct reason reasons[REASONS];
    uint32_t reason_count;
    double put; /* of the door that is read */
};

static void add_reason(struct sums *s, struct text name, double value)
{
    uint32_t i = 0;
    while (i < s->reason_count && !text_equal(text_of(s->reasons[i].name), name))
        i++;
    if (i == REASONS)
        return;
    if (i == s->reason_count)
        (void)snprintf(s->reasons[s->reason_count++].name, REASON_LEN, "%.*s", TEXT_ARG(name));
    s->reasons[i].value += value;
}

static void add_dropped(struct sums *s, const struct metric *m)
{
    static const char before[] = "reason=\"";
    struct text labels = text_of(m->labels);
    struct text name = text_skip(labels, text_find(labels, text_of(before)) + strlen(before));
    name = text_head(name, text_find_byte(name, '"'));
    if (text_equal(name, TEXT("quarantined")))
        s->quarantined += m->value;
    else
        add_reason(s, name, m->value);
}

static void sum_door(void *context, const struct metric *m)
{
    struct sums *s = context;
    struct text name = text_of(m->name);
    if (text_equal(name, TEXT("source_put_total")))
        s->put += m->value;
    else if (text_equal(name, TEXT("source_received_total")))
        s->received += m->value;
    else if (text_equal(name, TEXT("source_dropped_total")))
        add_dropped(s, m);
}

static double read_count(const struct account *a, uint32_t row, enum account_step step)
{
    return (double)atomic_load_explicit(&a->counts[row][step], memory_order_relaxed);
}

/* The counts are not read at one moment. */
static double at_least_none(double value)
{
    return value > 0 ? value : 0;
}

static void tell_row(const struct account *a, uint32_t row, const char *labels, struct sums *s,
                     metric_fn tell, void *context)
{
    double processed = read_count(a, row, ACCOUNT_PROCESSED);
    double repeated = read_count(a, row, ACCOUNT_REPEATED);
    double refused = read_count(a, row, ACCOUNT_REFUSED);
    const struct metric metrics[] = {
        {"source_processed_total", "Messages that the rules have decided.", labels, METRIC_COUNTER,
         processed},
        {"source_repeated_total", "Messages whose sender's identity was stored already.", labels,
         METRIC_COUNTER, repeated},
        {"source_journal_refused_total", "Messages that the journal did not take.", labels,
         METRIC_COUNTER, refused},
        {"source_waiting", "Messages put and not decided yet.", labels, METRIC_GAUGE,
         at_least_none(s->put - processed - repeated - refused)},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        tell(context, &metrics[i]);
    s->processed += processed;
    s->repeated += repeated;
    add_reason(s, TEXT("journal"), refused);
}

struct taken {
    double messages, excess;
};

static void sum_taken(void *context, const struct metric *m)
{
    struct taken *t = context;
    struct text name = text_of(m->name);
    bool is_excess = text_equal(name, TEXT("webhook_dropped_total"));
    t->excess += is_excess ? m->value : 0;
    t->messages += is_excess || text_equal(name, TEXT("webhook_alerts_total")) ||
                           text_equal(name, TEXT("webhook_events_total"))
                       ? m->value
                       : 0;
}

/* All webhooks together, as one source in the words of the others. */
static void tell_webhooks(struct daemon *d, struct sums *s, metric_fn tell, void *context)
{
#define LABELS "source=\"webhooks\",kind=\"webhooks\",address=\"\""
    uint32_t row = ACCOUNT_SOURCES - 1;
    struct taken t = {0};
    double turned = read_count(&d->account, row, ACCOUNT_TURNED);
    s->put = read_count(&d->account, row, ACCOUNT_PUT);
    webhooks_metrics(d->inputs.webhooks, sum_taken, &t);
    const char *dropped = "Messages received that did not reach the journal.";
    const struct metric metrics[] = {
        {"source_received_total", "Messages that came, those that the kernel dropped included.",
         LABELS, METRIC_COUNTER, t.messages},
        {"source_put_total", "Messages handed to the journal.", LABELS, METRIC_COUNTER, s->put},
        {"source_dropped_total", dropped, LABELS ",reason=\"excess\"", METRIC_COUNTER, t.excess},
        {"source_dropped_total", dropped, LABELS ",reason=\"overload\"", METRIC_COUNTER, turned},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        tell(context, &metrics[i]);
    s->received += t.messages;
    add_reason(s, TEXT("excess"), t.excess);
    add_reason(s, TEXT("overload"), turned);
    tell_row(&d->account, row, LABELS, s, tell, context);
#undef LABELS
}

static void tell_sums(const struct sums *s, metric_fn tell, void *context)
{
    double known = s->processed + s->quarantined + s->repeated;
    for (uint32_t i = 0; i < s->reason_count; i++) {
        char labels[REASON_LEN + 16];
        (void)snprintf(labels, sizeof labels, "reason=\"%s\"", s->reasons[i].name);
        tell(context, &(struct metric){"messages_dropped_total",
                                       "Messages of all sources that were lost, by reason.", labels,
                                       METRIC_COUNTER, s->reasons[i].value});
        known += s->reasons[i].value;
    }
    const struct metric metrics[] = {
        {"messages_received_total",
         "Messages of all sources: processed, quarantined, dropped, repeated or waiting.", NULL,
         METRIC_COUNTER, s->received},
        {"messages_processed_total", "Messages of all sources that the rules have decided.", NULL,
         METRIC_COUNTER, s->processed},
        {"messages_quarantined_total", "Messages sent to a dead letter topic.", NULL,
         METRIC_COUNTER, s->quarantined},
        {"messages_repeated_total", "Messages whose sender's identity was stored already.", NULL,
         METRIC_COUNTER, s->repeated},
        {"messages_waiting", "Messages received and not decided yet.", NULL, METRIC_GAUGE,
         at_least_none(s->received - known)},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        tell(context, &metrics[i]);
}

void account_metrics(struct daemon *d, metric_fn tell, void *context)
{
    struct sums sums = {0};
    for (uint32_t i = 0; i < d->inputs.source_count; i++) {
        const struct source *s = d->inputs.sources[i];
        char labels[320];
        (void)snprintf(labels, sizeof labels, "source=\"%u\",kind=\"%s\",address=\"%s\"", i,
                       source_kind(s), source_address(s));
        sums.put = 0;
        source_metrics(s, sum_door, &sums);
        tell_row(&d->account, i, labels, &sums, tell, context);
    }
    tell_webhooks(d, &sums, tell, context);
    tell_sums(&sums, tell, context);
}
