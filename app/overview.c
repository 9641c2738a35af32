/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon.h"
#include "app/pipeline_costs.h"
#include "app/tally.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "journal/journal.h"
#include <stdlib.h>

enum { JUDGEMENT_BYTES = 16 << 20 };

static void tell_one(struct tally *t, enum metric_kind kind, const char *name, const char *help,
                     double value)
{
    struct metric m = {.name = name, .help = help, .kind = kind, .value = value};
    tally_add(t, &m);
}

static void tell_own(const struct daemon *d, struct tally *t)
{
    tell_one(t, METRIC_COUNTER, "journal_dropped_total",
             "Records dropped because the disk was full and the policy is drop.",
             (double)atomic_load(&d->writer.dropped));
    tell_one(t, METRIC_GAUGE, "journal_disk_full", "1 while the journal takes nothing.",
             atomic_load(&d->writer.is_disk_full) ? 1 : 0);
    tell_one(t, METRIC_GAUGE, "backlog_records",
             "Records in the journal that the workers were not given yet.",
             (double)atomic_load(&d->backlog.records));
    tell_one(t, METRIC_GAUGE, "backlog_bytes", "Bytes of these records.",
             (double)atomic_load(&d->backlog.bytes));
    tell_one(t, METRIC_COUNTER, "backlog_records_total",
             "Records that waited in the journal because the workers were behind.",
             (double)atomic_load(&d->backlog.records_total));
    tell_one(t, METRIC_COUNTER, "reloads_total",
             "Rules swapped: asked for, or for changed value lists and overrides.",
             (double)atomic_load_explicit(&d->reload.done, memory_order_relaxed));
    tell_one(t, METRIC_COUNTER, "reloads_refused_total",
             "Reloads that had more errors than the rules that decide: those stayed.",
             (double)atomic_load_explicit(&d->reload.refused, memory_order_relaxed));
    tell_one(t, METRIC_COUNTER, "checkpoints_total", "Checkpoints committed.",
             (double)atomic_load(&d->checkpoint.count));
    tell_one(t, METRIC_COUNTER, "checkpoint_bytes_total", "Bytes of checkpoints written.",
             (double)atomic_load(&d->checkpoint.bytes));
    tell_one(t, METRIC_GAUGE, "checkpoint_seconds", "Length of the last checkpoint.",
             (double)atomic_load(&d->checkpoint.last_length_ms) / 1000);
    tell_one(t, METRIC_GAUGE, "checkpoint_position", "Journal position of the last checkpoint.",
             (double)atomic_load(&d->checkpoint.position));
}

void overview_metrics(void *daemon, metric_fn tell, void *context)
{
    struct daemon *d = daemon;
    AUTO(tally) t = tally_new();
    if (!t)
        return;
    tell_own(d, t);
    pipeline_metrics(d->pipeline, tally_add, t);
    journal_metrics(d->writer.journal, tally_add, t);
    repeats_metrics(d->writer.repeats, tally_add, t);
    for (uint32_t i = 0; i < d->inputs.source_count; i++)
        source_metrics(d->inputs.sources[i], tally_add, t);
    account_metrics(d, tally_add, t);
    webhooks_metrics(d->inputs.webhooks, tally_add, t);
    if (atomic_load(&d->is_ready) && d->inputs.remote)
        webhook_port_metrics(d->inputs.remote, tally_add, t);
    incidents_metrics(d->decider.incidents, tally_add, t);
    if (d->redis)
        redis_server_metrics(d->redis, tally_add, t);
    sinks_metrics(d->sinks, tally_add, t);
    if (atomic_load(&d->is_ready))
        console_metrics(d->console, tally_add, t);
    tally_tell(t, tell, context);
}

/* What people said of the rules' incidents, in order of the rules' keys. */
struct judged {
    struct text rule;
    int64_t right, wrong;
};
struct judgement {
    struct arena arena;
    struct judged *items;
    uint32_t count, max;
};

static void keep_verdict(void *context, struct text rule, int64_t right, int64_t wrong)
{
    struct judgement *j = context;
    if (j->count == j->max) {
        uint32_t max = j->max ? j->max * 2 : 256;
        struct judged *items = realloc(j->items, max * sizeof *items);
        if (!items)
            return;
        j->items = items;
        j->max = max;
    }
    struct text kept = arena_copy(&j->arena, rule);
    if (kept.at)
        j->items[j->count++] = (struct judged){kept, right, wrong};
}

static int by_rule(const void *a, const void *b)
{
    return text_compare(((const struct judged *)a)->rule, ((const struct judged *)b)->rule);
}

/* Nothing where the record does not answer: null, not a zero that nobody counted. */
static void write_verdict(const struct judgement *j, bool is_known, struct text rule,
                          struct buffer *out)
{
    const struct judged key = {.rule = rule};
    const struct judged *v =
        j->count ? bsearch(&key, j->items, j->count, sizeof *j->items, by_rule) : NULL;
    double all = v ? (double)(v->right + v->wrong) : 0;
    if (is_known) {
        json_write_int(out, "true_positives", v ? v->right : 0);
        json_write_int(out, "false_positives", v ? v->wrong : 0);
    } else {
        json_write_null(out, "true_positives");
        json_write_null(out, "false_positives");
    }
    if (all > 0)
        json_write_double(out, "precision", (double)v->right / all);
    else
        json_write_null(out, "precision");
}

static void write_rule(struct daemon *d, const struct rule *rule, const struct rule_cost *cost,
                       struct buffer *out)
{
    char file[PATH_ROOM];
    json_write_string(out, "rule", rule->key);
    json_write_string(out, "title", rule->title);
    json_write_string(out, "level", text_of(rule_level_name(rule->level)));
    json_write_string(out, "status", text_of(rule_status_name(rule->status)));
    json_write_string(out, "kind",
                      rule->kind == RULE_DETECTION ? TEXT("rule") : TEXT("correlation"));
    json_write_string(out, "file", reload_file(d, rule->file, file, sizeof file));
    json_write_bool(out, "shadow", rule->is_shadow);
    json_write_uint(out, "evaluated", cost->evaluated);
    json_write_uint(out, "matched", cost->matched);
    json_write_uint(out, "limits", cost->limits);
    json_write_uint(out, "ns", cost->ns);
}

static void write_firing(const struct pipeline_firing *f, struct buffer *out)
{
    json_write_uint(out, "fired", f->fired);
    if (f->last_us == TIMESTAMP_NONE)
        json_write_null(out, "last_fired");
    else
        json_write_time(out, "last_fired", f->last_us);
}

static void write_rules(struct daemon *d, const struct ruleset *ruleset, const struct judgement *j,
                        bool is_judged, struct buffer *out)
{
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(ruleset, &count);
    struct rule_cost *costs = calloc((size_t)count + 1, sizeof *costs);
    struct pipeline_firing *firings = calloc((size_t)count + 1, sizeof *firings);
    bool is_room = costs && firings;
    if (is_room) {
        pipeline_costs(d->pipeline, ruleset, costs);
        pipeline_costs_firings(d->pipeline, ruleset, firings);
    }
    for (uint32_t i = 0; is_room && i < count; i++) {
        json_write_open(out, NULL, '{');
        write_rule(d, rules[i], &costs[i], out);
        write_firing(&firings[i], out);
        write_verdict(j, is_judged, rules[i]->key, out);
        json_write_close(out, '}');
    }
    free(firings);
    free(costs);
}

void overview_rules(void *daemon, struct view *view, struct buffer *out)
{
    struct daemon *d = daemon;
    struct judgement j = {.count = 0};
    char hex[33];
    arena_init(&j.arena, JUDGEMENT_BYTES);
    bool is_judged = view && view_verdicts(view, keep_verdict, &j, NULL) == STATUS_OK;
    if (j.count)
        qsort(j.items, j.count, sizeof *j.items, by_rule);
    (void)pthread_mutex_lock(&d->ruleset_lock);
    struct ruleset *ruleset = ruleset_ref(d->ruleset);
    (void)pthread_mutex_unlock(&d->ruleset_lock);
    hash_to_hex(ruleset_hash(ruleset), hex);
    json_write_open(out, NULL, '{');
    json_write_string(out, "ruleset", text_of(hex));
    json_write_open(out, "rules", '[');
    write_rules(d, ruleset, &j, is_judged, out);
    json_write_close(out, ']');
    json_write_close(out, '}');
    ruleset_unref(ruleset);
    free(j.items);
    arena_fini(&j.arena);
}

static void write_metric(void *context, const struct metric *m)
{
    struct buffer *out = context;
    json_write_open(out, NULL, '{');
    json_write_string(out, "name", text_of(m->name));
    if (m->labels)
        json_write_string(out, "labels", text_of(m->labels));
    json_write_double(out, "value", m->value);
    json_write_close(out, '}');
}

struct lost {
    double received, all, kernel;
};

static void sum_lost(void *context, const struct metric *m)
{
    struct lost *l = context;
    if (text_equal(text_of(m->name), TEXT("source_received_total")))
        l->received += m->value;
    if (!text_equal(text_of(m->name), TEXT("source_dropped_total")))
        return;
    l->all += m->value;
    if (m->labels && text_ends(text_of(m->labels), TEXT("reason=\"kernel\"")))
        l->kernel += m->value;
}

/* The kernel tells how many it dropped, but not of whom: those are in no host's count. */
static void write_lost(const struct source *s, struct buffer *out)
{
    struct lost l = {0};
    source_metrics(s, sum_lost, &l);
    json_write_uint(out, "received", (uint64_t)l.received);
    json_write_uint(out, "dropped", (uint64_t)l.all);
    json_write_uint(out, "dropped_by_kernel", (uint64_t)l.kernel);
}

struct taken {
    double messages, dropped;
};

static void sum_taken(void *context, const struct metric *m)
{
    struct taken *t = context;
    struct text name = text_of(m->name);
    bool is_message = text_equal(name, TEXT("webhook_alerts_total")) ||
                      text_equal(name, TEXT("webhook_events_total"));
    bool is_dropped = text_equal(name, TEXT("webhook_dropped_total"));
    t->messages += is_message || is_dropped ? m->value : 0;
    t->dropped += is_dropped ? m->value : 0;
}

/* All webhooks together, as the last of the sources. */
static void write_webhooks(const struct daemon *d, struct buffer *out)
{
    struct taken t = {0};
    webhooks_metrics(d->inputs.webhooks, sum_taken, &t);
    json_write_open(out, NULL, '{');
    json_write_string(out, "source", TEXT("webhooks"));
    json_write_string(out, "address", webhooks_listen(d->inputs.webhooks));
    json_write_uint(out, "received", (uint64_t)t.messages);
    json_write_uint(out, "dropped", (uint64_t)t.dropped);
    json_write_uint(out, "dropped_by_kernel", 0);
    json_write_open(out, "counters", '[');
    webhooks_metrics(d->inputs.webhooks, write_metric, out);
    json_write_close(out, ']');
    json_write_close(out, '}');
}

void overview_sources(void *daemon, struct buffer *out)
{
    struct daemon *d = daemon;
    json_write_open(out, NULL, '{');
    json_write_open(out, "sources", '[');
    for (uint32_t i = 0; i < d->inputs.source_count; i++) {
        const struct source *s = d->inputs.sources[i];
        json_write_open(out, NULL, '{');
        json_write_string(out, "source", text_of(source_kind(s)));
        json_write_string(out, "address", text_of(source_address(s)));
        write_lost(s, out);
        json_write_open(out, "counters", '[');
        source_metrics(s, write_metric, out);
        json_write_close(out, ']');
        json_write_close(out, '}');
    }
    write_webhooks(d, out);
    json_write_close(out, ']');
    json_write_name(out, TEXT("hosts"));
    pipeline_write_hosts(d->pipeline, d->inputs.drops, wall_clock_us(), 1000, out);
    json_write_close(out, '}');
}

static bool is_record_ready(const struct daemon *d, struct buffer *why)
{
    uint64_t for_ms;
    enum incidents_health health = incidents_health(d->decider.incidents, &for_ms);
    if (health == INCIDENTS_WELL)
        return true;
    buffer_printf(why, "%s (for %llu s)", incidents_health_words(health),
                  (unsigned long long)for_ms / 1000);
    return false;
}

bool overview_is_ready(void *daemon, struct buffer *why)
{
    struct daemon *d = daemon;
    if (atomic_load(&d->is_stopping))
        buffer_append(why, TEXT("the program is stopping"));
    else if (!atomic_load(&d->is_ready))
        buffer_append(why, TEXT("the program is starting"));
    else if (atomic_load(&d->writer.is_disk_full))
        buffer_append(why, TEXT("the journal's disk is full"));
    else if (is_record_ready(d, why)) {
        (void)pressure_tell(&d->pressure, timestamp_monotonic_ms(), why);
        return true;
    }
    return false;
}
