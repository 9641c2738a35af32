/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/hash_table.h"
#include "incidents/model/ident.h"
#include "incidents/model/string_pool.h"
#include "incidents/view/response_times.h"
#include "incidents/view/view.h"
#include <stdio.h>
#include <stdlib.h>

/*
 * Response times as pure functions of the ledger: the report reads nothing else, so that whoever
 * holds the ledger gets the same figures.
 */

enum mark {
    MARK_OCCURRED,
    MARK_FIRST_EVENT,
    MARK_ALERT,
    MARK_OPENED,
    MARK_NOTIFIED,
    MARK_ACKNOWLEDGED,
    MARK_TRIAGED,
    MARK_CONTAINED,
    MARK_RECOVERED,
    MARK_RESOLVED,
    MARK_CLOSED,
    MARK_COUNT,
};

/* One incident as the ledger tells it. */
struct story {
    struct hash_link link;
    struct story *next;
    char id[IDENT_LEN + 1];
    int64_t marks[MARK_COUNT];
    int64_t paused_us, pauses_us; /* since when, and how long in all */
    int64_t first_resolved_us, reopened_us;
    bool is_operations; /* it has no steps of containment */
    bool has_ended;     /* by itself: no alert of it fires */
    struct text priority, rule, team, disposition, category;
    struct text title; /* of the rule, or of what opened it instead of one */
};

struct reading {
    struct hash_table stories;
    struct story *first, **last;
    struct string_pool words;
    struct arena arena; /* of the stories */
    struct arena record;
    uint64_t deliveries, suppressed;
};

/* ---- reading the ledger ---- */

static struct story *story_of(struct reading *r, struct text id)
{
    uint64_t hash = hash_table_hash(id, 0);
    for (struct hash_link *at = hash_table_first(&r->stories, hash); at; at = hash_table_next(at)) {
        struct story *s = CONTAINER_OF(at, struct story, link);
        if (text_equal(text_of(s->id), id))
            return s;
    }
    struct story *s = id.len == IDENT_LEN ? arena_zero(&r->arena, sizeof *s) : NULL;
    if (!s || hash_table_put(&r->stories, &s->link, hash) != STATUS_OK)
        return NULL;
    memcpy(s->id, id.at, IDENT_LEN);
    for (int m = 0; m < MARK_COUNT; m++)
        s->marks[m] = TIMESTAMP_NONE;
    s->paused_us = s->first_resolved_us = s->reopened_us = TIMESTAMP_NONE;
    *r->last = s;
    r->last = &s->next;
    return s;
}

static void end_pause(struct story *s, int64_t us)
{
    if (s->paused_us != TIMESTAMP_NONE)
        s->pauses_us += us - s->paused_us;
    s->paused_us = TIMESTAMP_NONE;
}

static struct text first_of(const struct doc_tree *data, const char *one, const char *other)
{
    struct text t = doc_tree_text(data, one);
    return t.len ? t : doc_tree_text(data, other);
}

/* Alerts and people have no rule: the sender and what it calls the alert stand for it. */
static void see_cause(struct reading *r, struct story *s, const struct doc_tree *data)
{
    struct text rule = doc_tree_text(data, "rule");
    struct text origin = doc_tree_text(data, "origin");
    struct text sender = first_of(data, "integration", "origin");
    struct text name = first_of(data, "alert_name", "title");
    bool is_alert = !rule.len && text_equal(origin, TEXT("alert"));
    char key[256];
    if (is_alert) {
        (void)snprintf(key, sizeof key, "%.*s/%.*s", TEXT_ARG(text_head(sender, 40)),
                       TEXT_ARG(text_head(name, 200)));
        rule = text_of(key);
    } else if (!rule.len) {
        rule = origin;
        name = text_equal(origin, TEXT("person")) ? TEXT("Reported by a person") : TEXT_NONE;
    } else {
        name = first_of(data, "rule_title", "title");
    }
    s->rule = string_pool_keep(&r->words, rule);
    s->title = string_pool_keep(&r->words, name);
}

static void see_opened(struct reading *r, struct story *s, const struct doc_tree *data, int64_t us)
{
    s->marks[MARK_OPENED] = us;
    s->marks[MARK_OCCURRED] = doc_tree_time(data, "occurred");
    s->marks[MARK_FIRST_EVENT] = doc_tree_time(data, "first_event");
    s->marks[MARK_ALERT] = doc_tree_time(data, "alert");
    if (s->marks[MARK_ALERT] == TIMESTAMP_NONE &&
        text_equal(doc_tree_text(data, "origin"), TEXT("person")))
        s->marks[MARK_ALERT] = us; /* the report is the first that was heard of it */
    s->is_operations = text_equal(doc_tree_text(data, "profile"), TEXT("operations"));
    see_cause(r, s, data);
    s->category = string_pool_keep(&r->words, doc_tree_text(data, "category"));
}

static void see_settled(struct story *s, int64_t us)
{
    end_pause(s, us);
    if (s->marks[MARK_RESOLVED] == TIMESTAMP_NONE)
        s->marks[MARK_RESOLVED] = us;
    if (s->first_resolved_us == TIMESTAMP_NONE)
        s->first_resolved_us = us;
}

/* The first of each counts; what a reopening undid counts anew. */
static void first(struct story *s, enum mark m, int64_t us)
{
    if (s->marks[m] == TIMESTAMP_NONE)
        s->marks[m] = us;
}

static void see_incident(struct reading *r, struct story *s, struct text what,
                         const struct doc_tree *data, int64_t us)
{
    struct text disposition = doc_tree_text(data, "disposition");
    if (disposition.len)
        s->disposition = string_pool_keep(&r->words, disposition);
    if (text_equal(what, TEXT("opened"))) {
        see_opened(r, s, data, us);
    } else if (text_equal(what, TEXT("grew"))) {
        int64_t occurred = doc_tree_time(data, "occurred");
        if (occurred != TIMESTAMP_NONE)
            s->marks[MARK_OCCURRED] = occurred;
    } else if (text_equal(what, TEXT("acknowledged"))) {
        first(s, MARK_ACKNOWLEDGED, us);
    } else if (text_equal(what, TEXT("triaged"))) {
        first(s, MARK_TRIAGED, us);
    } else if (text_equal(what, TEXT("contained"))) {
        first(s, MARK_CONTAINED, us);
    } else if (text_equal(what, TEXT("recovered"))) {
        s->marks[MARK_RECOVERED] = us;
        see_settled(s, us);
    } else if (text_equal(what, TEXT("resolved"))) {
        s->has_ended = text_starts(doc_tree_text(data, "because"), TEXT("no alert"));
        s->marks[MARK_RECOVERED] = us; /* the same in the words of operations */
        see_settled(s, us);
    } else if (text_equal(what, TEXT("closed")) || text_equal(what, TEXT("merged"))) {
        if (text_equal(what, TEXT("merged")))
            s->disposition = TEXT("duplicate");
        s->marks[MARK_CLOSED] = us;
        see_settled(s, us);
        if (disposition.len)
            first(s, MARK_TRIAGED, us);
    } else if (text_equal(what, TEXT("reopened"))) {
        s->reopened_us = us;
        s->has_ended = false;
        s->disposition = TEXT_NONE; /* it is to be judged anew */
        s->marks[MARK_RESOLVED] = s->marks[MARK_RECOVERED] = s->marks[MARK_CLOSED] = TIMESTAMP_NONE;
    } else if (text_equal(what, TEXT("paused"))) {
        s->paused_us = us;
    } else if (text_equal(what, TEXT("resumed"))) {
        end_pause(s, us);
    } else if (text_equal(what, TEXT("assigned")) && doc_tree_text(data, "to").len) {
        s->team = string_pool_keep(&r->words, doc_tree_text(data, "to"));
    }
}

static enum status see(void *context, uint64_t sequence, struct text record, struct text hash)
{
    struct reading *r = context;
    struct doc_tree t;
    (void)sequence;
    (void)hash;
    arena_reset(&r->record);
    if (doc_tree_parse(record, &r->record, &t, NULL) != STATUS_OK)
        return STATUS_OK; /* verify names it; the figures of the others stand */
    struct text kind = doc_tree_text(&t, "kind");
    const struct doc_tree *data = doc_tree_get(&t, "data");
    int64_t us = doc_tree_time(&t, "time");
    struct text id = doc_tree_text(&t, "incident");
    r->suppressed += text_equal(kind, TEXT("notice.suppressed"));
    struct story *s = id.len ? story_of(r, id) : NULL;
    if (id.len == IDENT_LEN && !s)
        return STATUS_NOMEM;
    if (!s)
        return STATUS_OK;
    if (doc_tree_text(data, "priority").len)
        s->priority = string_pool_keep(&r->words, doc_tree_text(data, "priority"));
    if (text_starts(kind, TEXT("incident.")))
        see_incident(r, s, text_skip(kind, 9), data, us);
    if (text_equal(kind, TEXT("delivery.accepted")) ||
        text_equal(kind, TEXT("delivery.delivered"))) {
        r->deliveries++;
        first(s, MARK_NOTIFIED, us);
    }
    return STATUS_OK;
}

/* ---- the figures ---- */

static const struct figure {
    const char *name, *formula;
    enum mark from, to;
    bool is_of_true; /* false positives, benign ones and drills are left out */
    bool is_net;     /* without pauses */
} figures[] = {
    {"detect", "alert - occurred", MARK_OCCURRED, MARK_ALERT, false, false},
    {"ingest", "first_event - occurred", MARK_OCCURRED, MARK_FIRST_EVENT, false, false},
    {"notify", "notified - alert", MARK_ALERT, MARK_NOTIFIED, false, false},
    {"acknowledge", "acknowledged - opened", MARK_OPENED, MARK_ACKNOWLEDGED, false, false},
    {"acknowledge_notified", "acknowledged - notified", MARK_NOTIFIED, MARK_ACKNOWLEDGED, false,
     false},
    {"triage", "triaged - opened", MARK_OPENED, MARK_TRIAGED, false, false},
    {"contain", "contained - alert", MARK_ALERT, MARK_CONTAINED, true, false},
    {"recover", "recovered - opened", MARK_OPENED, MARK_RECOVERED, true, false},
    {"resolve", "resolved - opened", MARK_OPENED, MARK_RESOLVED, false, false},
    {"resolve_unpaused", "resolved - opened - pauses", MARK_OPENED, MARK_RESOLVED, false, true},
    {"dwell", "contained - occurred", MARK_OCCURRED, MARK_CONTAINED, true, false},
};

static bool is_false(const struct story *s)
{
    return text_equal(s->disposition, TEXT("false_positive")) ||
           text_equal(s->disposition, TEXT("benign")) || text_equal(s->disposition, TEXT("test"));
}

/* Nobody answers a drill for the figures, and a duplicate is answered with the other. */
static bool is_left_out(const struct story *s, const struct figure *f)
{
    if (text_equal(s->disposition, TEXT("test")) || text_equal(s->disposition, TEXT("duplicate")))
        return true;
    if (f->is_of_true && is_false(s))
        return true;
    if (f->to == MARK_CONTAINED && s->is_operations)
        return true;
    return f->to == MARK_ACKNOWLEDGED && s->has_ended &&
           s->marks[MARK_ACKNOWLEDGED] == TIMESTAMP_NONE;
}

static void measure(const struct story *s, const struct figure *f, int64_t now_us,
                    struct response_times *times)
{
    if (is_left_out(s, f))
        return;
    int64_t from = s->marks[f->from], to = s->marks[f->to];
    int64_t pauses = f->is_net ? s->pauses_us : 0;
    if (from == TIMESTAMP_NONE)
        response_times_add_unknown(times);
    else if (to != TIMESTAMP_NONE)
        response_times_add(times, to - from - pauses);
    else if (s->marks[MARK_CLOSED] != TIMESTAMP_NONE || s->marks[MARK_RESOLVED] != TIMESTAMP_NONE)
        response_times_add_unknown(times); /* it ended without that step */
    else
        response_times_add_open(times, now_us - from - pauses);
}

struct group {
    struct text key, title; /* title: of rules */
    bool is_total;
};

static struct text key_of(const struct story *s, struct text by)
{
    struct text key = text_equal(by, TEXT("rule"))   ? s->rule
                      : text_equal(by, TEXT("team")) ? s->team
                                                     : s->priority;
    return key.len ? key : TEXT("none");
}

static bool is_in(const struct story *s, int64_t since_us, int64_t until_us)
{
    int64_t us = s->marks[MARK_OPENED];
    return us != TIMESTAMP_NONE && (since_us == TIMESTAMP_NONE || us >= since_us) &&
           (until_us == TIMESTAMP_NONE || us < until_us);
}

struct request {
    const struct reading *reading;
    int64_t since_us, until_us, now_us;
    struct text by;
};

static bool is_of(const struct request *q, const struct group *g, const struct story *s)
{
    return is_in(s, q->since_us, q->until_us) &&
           (g->is_total || text_equal(key_of(s, q->by), g->key));
}

static uint64_t count_marks(const struct request *q, const struct group *g, enum mark m)
{
    uint64_t count = 0;
    for (const struct story *s = q->reading->first; s; s = s->next)
        count += is_of(q, g, s) && s->marks[m] != TIMESTAMP_NONE;
    return count;
}

static void write_dispositions(const struct request *q, const struct group *g, struct buffer *out)
{
    uint64_t right = 0, benign = 0, wrong = 0, none = 0, reopened = 0;
    for (const struct story *s = q->reading->first; s; s = s->next) {
        if (!is_of(q, g, s))
            continue;
        right += text_equal(s->disposition, TEXT("true_positive"));
        benign += text_equal(s->disposition, TEXT("benign"));
        wrong += text_equal(s->disposition, TEXT("false_positive"));
        none += !s->disposition.len;
        reopened += s->reopened_us != TIMESTAMP_NONE &&
                    s->reopened_us - s->first_resolved_us <= INT64_C(14) * 86400 * 1000000;
    }
    json_write_open(out, "dispositions", '{');
    json_write_uint(out, "true_positive", right);
    json_write_uint(out, "benign", benign);
    json_write_uint(out, "false_positive", wrong);
    json_write_uint(out, "none", none);
    json_write_close(out, '}');
    json_write_uint(out, "reopened", reopened);
}

static enum status write_group(const struct request *q, const struct group *g, struct buffer *out)
{
    uint64_t opened = count_marks(q, g, MARK_OPENED);
    uint64_t resolved = count_marks(q, g, MARK_RESOLVED);
    json_write_open(out, NULL, '{');
    json_write_string(out, "key", g->is_total ? TEXT("total") : g->key);
    if (g->title.len)
        json_write_string(out, "title", g->title);
    json_write_uint(out, "opened", opened);
    json_write_uint(out, "acknowledged", count_marks(q, g, MARK_ACKNOWLEDGED));
    json_write_uint(out, "resolved", resolved);
    json_write_uint(out, "closed", count_marks(q, g, MARK_CLOSED));
    json_write_uint(out, "open", opened - resolved);
    write_dispositions(q, g, out);
    json_write_open(out, "metrics", '{');
    for (size_t f = 0; f < sizeof figures / sizeof figures[0]; f++) {
        struct response_times times = {0};
        for (const struct story *s = q->reading->first; s; s = s->next)
            if (is_of(q, g, s))
                measure(s, &figures[f], q->now_us, &times);
        json_write_open(out, figures[f].name, '{');
        json_write_string(out, "formula", text_of(figures[f].formula));
        response_times_write(&times, out);
        json_write_close(out, '}');
        bool has_failed = times.has_failed;
        response_times_fini(&times);
        if (has_failed)
            return STATUS_NOMEM;
    }
    json_write_close(out, '}');
    json_write_close(out, '}');
    return STATUS_OK;
}

/* ---- the document ---- */

enum { GROUPS = 1000 };

static int by_key(const void *a, const void *b)
{
    return text_compare(((const struct group *)a)->key, ((const struct group *)b)->key);
}

static uint32_t find_groups(const struct request *q, struct group *groups)
{
    uint32_t count = 0;
    for (const struct story *s = q->reading->first; s && count < GROUPS; s = s->next) {
        struct text key = key_of(s, q->by);
        uint32_t g = 0;
        if (!is_in(s, q->since_us, q->until_us))
            continue;
        while (g < count && !text_equal(groups[g].key, key))
            g++;
        if (g == count)
            groups[count++] = (struct group){.key = key};
        if (text_equal(q->by, TEXT("rule"))) /* the latest: it may have been written anew */
            groups[g].title = s->title;
    }
    qsort(groups, count, sizeof *groups, by_key);
    return count;
}

static enum status write_report(const struct request *q, struct buffer *out)
{
    static const struct group total = {.is_total = true};
    struct group *groups = calloc(GROUPS, sizeof *groups);
    if (!groups)
        return STATUS_NOMEM;
    uint32_t count = find_groups(q, groups);
    json_write_open(out, NULL, '{');
    json_write_uint(out, "version", 1);
    if (q->since_us != TIMESTAMP_NONE)
        json_write_time(out, "since", q->since_us);
    if (q->until_us != TIMESTAMP_NONE)
        json_write_time(out, "until", q->until_us);
    json_write_time(out, "now", q->now_us);
    json_write_string(out, "by", q->by);
    json_write_uint(out, "deliveries", q->reading->deliveries);
    json_write_uint(out, "notices_suppressed", q->reading->suppressed);
    json_write_open(out, "groups", '[');
    enum status s = STATUS_OK;
    for (uint32_t g = 0; s == STATUS_OK && g < count; g++)
        s = write_group(q, &groups[g], out);
    json_write_close(out, ']');
    json_write_name(out, TEXT("total"));
    if (s == STATUS_OK)
        s = write_group(q, &total, out);
    json_write_close(out, '}');
    free(groups);
    return s;
}

enum status view_report(struct view *v, int64_t since_us, int64_t until_us, struct text by,
                        int64_t now_us, struct buffer *out, struct error *err)
{
    struct reading r = {0};
    size_t before = out->len;
    if (!by.len)
        by = TEXT("priority");
    if (!text_equal(by, TEXT("priority")) && !text_equal(by, TEXT("rule")) &&
        !text_equal(by, TEXT("team")))
        return error_set(err, STATUS_INVALID, 0, "a report is by priority, rule or team");
    r.last = &r.first;
    string_pool_init(&r.words);
    arena_init(&r.arena, VIEW_BYTES);
    arena_init(&r.record, 8 << 20);
    enum status s = view_ledger(v, see, &r, err);
    const struct request q = {&r, since_us, until_us, now_us, by};
    if (s == STATUS_OK)
        s = write_report(&q, out);
    if (s == STATUS_NOMEM)
        s = error_set(err, s, 0, "no memory for the report");
    if (s != STATUS_OK)
        out->len = before;
    hash_table_fini(&r.stories);
    string_pool_fini(&r.words);
    arena_fini(&r.arena);
    arena_fini(&r.record);
    return s;
}
