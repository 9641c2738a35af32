/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/view/view.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/incident.h"
#include <stdio.h>
#include <stdlib.h>

enum { CALL_MS = 10000, TRAIL = 1000, DEFAULT_LIMIT = 100, MAX_LIMIT = 1000 };

enum status view_open(const struct incidents_options *options, struct view **out, struct error *err)
{
    if (!options->socket && !options->url)
        return error_set(err, STATUS_INVALID, 0, "a view reads Redis: it needs a socket or a URL");
    AUTO(view) v = calloc(1, sizeof *v);
    if (!v)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a view");
    arena_init(&v->arena, VIEW_BYTES);
    buffer_init(&v->wire, 16 << 20);
    v->socket = options->socket ? strdup(options->socket) : NULL;
    v->url = options->url ? strdup(options->url) : NULL;
    if (!v->socket && !v->url)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a view");
    *out = MOVE(v);
    return STATUS_OK;
}

void view_close(struct view *v)
{
    if (!v)
        return;
    redis_close(v->redis);
    arena_fini(&v->arena);
    buffer_fini(&v->wire);
    free(v->socket);
    free(v->url);
    free(v);
}

static void hang_up(struct view *v)
{
    redis_close(v->redis);
    v->redis = NULL;
}

enum status view_ask(struct view *v, const struct text *words, uint32_t count, struct reply *out,
                     struct error *err)
{
    enum status s = STATUS_OK;
    /* A connection that broke since the last call is no failure of this one. */
    for (int attempt = 0; attempt < 2; attempt++) {
        bool is_fresh = !v->redis;
        if (is_fresh)
            s = redis_open(v->socket, v->url, CALL_MS, &v->redis, err);
        if (s == STATUS_OK)
            s = redis_call(v->redis, words, count, &v->arena, out, err);
        if (s == STATUS_OK)
            break;
        hang_up(v);
        if (is_fresh)
            return s;
        s = STATUS_OK;
    }
    if (!v->redis)
        return error_set(err, STATUS_IO, 0, "Redis does not answer");
    if (out->kind == REPLY_ERROR)
        return error_set(err, STATUS_IO, 0, "Redis refused %.*s: %.*s", TEXT_ARG(words[0]),
                         TEXT_ARG(text_head(out->text, 120)));
    return STATUS_OK;
}

/* ---- the ledger ---- */

static enum status see_page(const struct reply *page, view_ledger_fn see, void *context,
                            uint64_t *last)
{
    enum status s = STATUS_OK;
    for (uint32_t e = 0; s == STATUS_OK && e < page->count; e++) {
        const struct reply *entry = &page->items[e];
        struct text record = TEXT_NONE, hash = TEXT_NONE;
        int64_t sequence = 0;
        if (entry->count < 2)
            return STATUS_INVALID;
        struct text id = entry->items[0].text;
        (void)text_to_int64(text_head(id, text_find_byte(id, '-')), &sequence);
        for (uint32_t f = 0; f + 1 < entry->items[1].count; f += 2) {
            if (text_equal(entry->items[1].items[f].text, TEXT("r")))
                record = entry->items[1].items[f + 1].text;
            if (text_equal(entry->items[1].items[f].text, TEXT("h")))
                hash = entry->items[1].items[f + 1].text;
        }
        *last = (uint64_t)sequence;
        s = see(context, (uint64_t)sequence, record, hash);
    }
    return s;
}

enum status view_ledger(struct view *v, view_ledger_fn see, void *context, struct error *err)
{
    uint64_t last = 0;
    for (;;) {
        char from[32];
        struct reply page = {0};
        arena_reset(&v->arena);
        (void)snprintf(from, sizeof from, "(%llu-0", (unsigned long long)last);
        enum status s =
            VIEW_ASK(v, &page, err, TEXT("XRANGE"), TEXT("tocsin:ledger"),
                     last ? text_of(from) : TEXT("-"), TEXT("+"), TEXT("COUNT"), TEXT("500"));
        if (s == STATUS_OK)
            s = see_page(&page, see, context, &last);
        if (s != STATUS_OK || page.count < VIEW_PAGE)
            return s;
    }
}

/* ---- lists ---- */

struct listing {
    const struct incident_filter *filter;
    int64_t until_us; /* of the filter, or where the page before ended */
    int64_t after_us; /* the cursor: a time, and who of those at that time was last */
    struct text after;
    struct buffer *out;
    uint32_t count, limit;
    bool has_more;
    struct buffer last; /* cursor of the last one written */
};

/* A list shows no raw lines and no notes: those are in the whole object. */
static void write_short(const struct doc_tree *t, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    for (uint32_t m = 0; m < t->count; m++) {
        const struct doc_tree *at = &t->items[m];
        if (text_equal(at->name, TEXT("evidence")) || text_equal(at->name, TEXT("notes")))
            continue;
        json_write_name(out, at->name);
        doc_tree_write(at, NULL, out);
    }
    json_write_close(out, '}');
}

static bool is_wanted(const struct incident_filter *f, const struct doc_tree *t)
{
    struct text state = doc_tree_text(t, "state");
    if (!f->state.len || text_equal(f->state, TEXT("any")))
        return true;
    if (text_equal(f->state, TEXT("open")))
        return !text_equal(state, TEXT("closed"));
    return text_equal(f->state, state);
}

static void list_one(struct listing *l, struct text name, struct text score, struct text document)
{
    struct arena arena;
    struct doc_tree t;
    arena_init(&arena, 8 << 20);
    if (document.at && doc_tree_parse(document, &arena, &t, NULL) == STATUS_OK &&
        is_wanted(l->filter, &t)) {
        l->has_more = l->count == l->limit;
        if (!l->has_more) {
            write_short(&t, l->out);
            l->count++;
            buffer_clear(&l->last);
            buffer_printf(&l->last, "%.*s-%.*s", TEXT_ARG(score), TEXT_ARG(name));
        }
    }
    arena_fini(&arena);
}

static struct text with_prefix(struct view *v, const char *prefix, struct text name)
{
    size_t len = strlen(prefix);
    char *at = arena_bytes(&v->arena, len + name.len + 1);
    if (!at)
        return TEXT_NONE;
    memcpy(at, prefix, len);
    if (name.len)
        memcpy(at + len, name.at, name.len);
    return (struct text){at, len + name.len};
}

static struct text score_text(int64_t us, const char *open, char out[32])
{
    int len = us == TIMESTAMP_NONE ? snprintf(out, 32, "%s", open)
                                   : snprintf(out, 32, "%lld", (long long)us);
    return (struct text){out, (size_t)len};
}

/* Those of one time stand in the order of their names, the last first. */
static bool is_on_page_before(const struct listing *l, struct text name, struct text score)
{
    int64_t us;
    return l->after.len && text_to_int64(score, &us) && us == l->after_us &&
           text_compare(name, l->after) >= 0;
}

static enum status list_page(struct view *v, struct listing *l, const struct reply *names,
                             const char *prefix, struct error *err)
{
    struct reply documents = {0};
    struct text words[VIEW_PAGE + 1] = {TEXT("MGET")};
    uint32_t at[VIEW_PAGE], count = 0;
    for (uint32_t n = 0; n + 1 < names->count && count < VIEW_PAGE; n += 2) {
        if (is_on_page_before(l, names->items[n].text, names->items[n + 1].text))
            continue;
        at[count] = n;
        words[++count] = with_prefix(v, prefix, names->items[n].text);
    }
    enum status s = count ? view_ask(v, words, count + 1, &documents, err) : STATUS_OK;
    for (uint32_t d = 0; s == STATUS_OK && d < documents.count && d < count && !l->has_more; d++)
        list_one(l, names->items[at[d]].text, names->items[at[d] + 1].text,
                 documents.items[d].text);
    return s;
}

/* Names in a sorted set, newest first, page by page, until the list is full. */
static enum status list_set(struct view *v, struct listing *l, struct text set, const char *prefix,
                            struct error *err)
{
    char since[32], until[32], offset[32];
    struct text least = score_text(l->filter->since_us, "-inf", since);
    struct text most = score_text(l->until_us, "+inf", until);
    for (uint32_t from = 0; !l->has_more; from += VIEW_PAGE) {
        struct reply names = {0};
        arena_reset(&v->arena);
        (void)snprintf(offset, sizeof offset, "%u", from);
        enum status s = VIEW_ASK(v, &names, err, TEXT("ZREVRANGEBYSCORE"), set, most, least,
                                 TEXT("WITHSCORES"), TEXT("LIMIT"), text_of(offset), TEXT("500"));
        if (s == STATUS_OK)
            s = list_page(v, l, &names, prefix, err);
        if (s != STATUS_OK || names.count < 2 * VIEW_PAGE)
            return s;
    }
    return STATUS_OK;
}

static bool is_incident_name(struct text name)
{
    return text_starts(name, TEXT("inc_"));
}

/* "TIME-NAME": a page goes on where the one before ended, whatever became of who stood there. */
static enum status read_cursor(struct listing *l, struct error *err)
{
    struct text after = l->filter->after;
    size_t dash = text_find_byte(after, '-');
    l->until_us = l->filter->until_us;
    if (!after.len)
        return STATUS_OK;
    if (dash + 1 >= after.len || !text_to_int64(text_head(after, dash), &l->after_us))
        return error_set(err, STATUS_INVALID, 0,
                         "after: want what \"next\" of the page before said, not '%.*s'",
                         TEXT_ARG(text_head(after, 60)));
    l->after = text_skip(after, dash + 1);
    if (l->until_us == TIMESTAMP_NONE || l->after_us < l->until_us)
        l->until_us = l->after_us;
    return STATUS_OK;
}

static enum status check_filter(const struct incident_filter *f, struct error *err)
{
    enum incident_state state;
    const bool is_state = !f->state.len || text_equal(f->state, TEXT("any")) ||
                          text_equal(f->state, TEXT("candidate")) ||
                          text_equal(f->state, TEXT("confirmed")) ||
                          incident_parse_state(f->state, &state);
    const bool is_kind = !f->kind.len || text_equal(f->kind, TEXT("incident")) ||
                         text_equal(f->kind, TEXT("candidate")) || text_equal(f->kind, TEXT("any"));
    if (!is_state)
        return error_set(err, STATUS_INVALID, 0,
                         "no state '%.*s': want any, open, acknowledged, contained, eradicated, "
                         "recovered, resolved, reviewed, closed; of candidates candidate or "
                         "confirmed",
                         TEXT_ARG(f->state));
    if (!is_kind)
        return error_set(err, STATUS_INVALID, 0, "no kind '%.*s': want incident, candidate or any",
                         TEXT_ARG(f->kind));
    return STATUS_OK;
}

static enum status list_all(struct view *v, struct listing *l, struct error *err)
{
    const struct incident_filter *f = l->filter;
    bool is_any = text_equal(f->kind, TEXT("any"));
    bool is_open = text_equal(f->state, TEXT("open"));
    bool is_candidate = text_equal(f->kind, TEXT("candidate"));
    bool is_behind = is_any && l->after.len && !is_incident_name(l->after);
    enum status s = STATUS_OK;
    if (!is_candidate && !is_behind)
        s = list_set(v, l, is_open ? TEXT("tocsin:open") : TEXT("tocsin:index"),
                     "tocsin:incident:", err);
    if (s != STATUS_OK || (!is_any && !is_candidate))
        return s;
    if (is_any && !is_behind) {
        l->until_us = f->until_us;
        l->after = TEXT_NONE;
    }
    return list_set(v, l, TEXT("tocsin:candidates"), "tocsin:entity:", err);
}

enum status view_incidents(struct view *v, const struct incident_filter *f, struct buffer *out,
                           struct error *err)
{
    struct listing l = {.filter = f, .out = out};
    enum status s = check_filter(f, err);
    if (s == STATUS_OK)
        s = read_cursor(&l, err);
    if (s != STATUS_OK)
        return s;
    l.limit = f->limit ? f->limit : DEFAULT_LIMIT;
    if (l.limit > MAX_LIMIT)
        l.limit = MAX_LIMIT;
    buffer_init(&l.last, 1 << 16);
    size_t before = out->len;
    json_write_open(out, NULL, '{');
    json_write_open(out, "incidents", '[');
    s = list_all(v, &l, err);
    json_write_close(out, ']');
    if (l.has_more)
        json_write_string(out, "next", buffer_text(&l.last));
    json_write_close(out, '}');
    if (s != STATUS_OK)
        out->len = before;
    buffer_fini(&l.last);
    return s;
}

/* ---- one ---- */

static enum status find_candidate(struct view *v, struct text id, struct text *out,
                                  struct error *err)
{
    struct reply names = {0};
    enum status s =
        VIEW_ASK(v, &names, err, TEXT("ZRANGE"), TEXT("tocsin:entities"), TEXT("0"), TEXT("-1"));
    char want[64];
    (void)snprintf(want, sizeof want, "{\"id\":\"%.*s\"", TEXT_ARG(text_head(id, 40)));
    for (uint32_t n = 0; s == STATUS_OK && n < names.count; n++) {
        struct reply document = {0};
        s = VIEW_ASK(v, &document, err, TEXT("GET"),
                     with_prefix(v, "tocsin:entity:", names.items[n].text));
        if (s == STATUS_OK && text_starts(document.text, text_of(want))) {
            *out = document.text;
            return STATUS_OK;
        }
    }
    return s == STATUS_OK ? error_set(err, STATUS_NOTFOUND, 0, "no such candidate") : s;
}

static enum status write_timeline(struct view *v, struct text id, uint64_t before,
                                  struct buffer *out, struct error *err)
{
    struct reply trail = {0}, length = {0};
    char from[24], to[24];
    const struct text key = with_prefix(v, "tocsin:trail:", id);
    enum status s = VIEW_ASK(v, &length, err, TEXT("LLEN"), key);
    uint64_t total = s == STATUS_OK && length.integer > 0 ? (uint64_t)length.integer : 0;
    uint64_t end = before && before - 1 < total ? before - 1 : total; /* entries before it */
    uint64_t start = end > TRAIL ? end - TRAIL : 0;
    (void)snprintf(from, sizeof from, "%llu", (unsigned long long)start);
    (void)snprintf(to, sizeof to, "%llu", (unsigned long long)end - 1);
    if (s == STATUS_OK && end)
        s = VIEW_ASK(v, &trail, err, TEXT("LRANGE"), key, text_of(from), text_of(to));
    json_write_uint(out, "timeline_total", total);
    json_write_uint(out, "timeline_from", trail.count ? start + 1 : 0);
    json_write_open(out, "timeline", '[');
    for (uint32_t t = 0; s == STATUS_OK && t < trail.count; t++) {
        struct reply entry = {0};
        struct text at = trail.items[t].text;
        s = VIEW_ASK(v, &entry, err, TEXT("XRANGE"), TEXT("tocsin:ledger"), at, at);
        if (s == STATUS_OK && entry.count == 1 && entry.items[0].count == 2 &&
            entry.items[0].items[1].count >= 2)
            json_write_raw(out, NULL, entry.items[0].items[1].items[1].text);
    }
    json_write_close(out, ']');
    return s;
}

static enum status write_deliveries(struct view *v, struct text id, struct buffer *out,
                                    struct error *err)
{
    struct reply attempts = {0}, queued = {0};
    enum status s = VIEW_ASK(v, &attempts, err, TEXT("LRANGE"),
                             with_prefix(v, "tocsin:attempts:", id), TEXT("-1000"), TEXT("-1"));
    if (s == STATUS_OK)
        s = VIEW_ASK(v, &queued, err, TEXT("HVALS"), TEXT("tocsin:outbox"));
    char want[64];
    (void)snprintf(want, sizeof want, "\"incident\":\"%.*s\"", TEXT_ARG(text_head(id, 40)));
    json_write_open(out, "deliveries", '[');
    for (uint32_t a = 0; s == STATUS_OK && a < attempts.count; a++)
        json_write_raw(out, NULL, attempts.items[a].text);
    for (uint32_t q = 0; s == STATUS_OK && q < queued.count; q++)
        if (text_find(queued.items[q].text, text_of(want)) < queued.items[q].text.len)
            json_write_raw(out, NULL, queued.items[q].text);
    json_write_close(out, ']');
    return s;
}

enum status view_incident(struct view *v, struct text id, uint64_t before, struct buffer *out,
                          struct error *err)
{
    struct reply document = {0};
    struct text whole;
    size_t start = out->len;
    arena_reset(&v->arena);
    enum status s =
        VIEW_ASK(v, &document, err, TEXT("GET"), with_prefix(v, "tocsin:incident:", id));
    whole = document.text;
    if (s == STATUS_OK && document.kind != REPLY_TEXT)
        s = text_starts(id, TEXT("cnd_"))
                ? find_candidate(v, id, &whole, err)
                : error_set(err, STATUS_NOTFOUND, 0, "no such incident: %.*s",
                            TEXT_ARG(text_head(id, 60)));
    if (s != STATUS_OK || !whole.len)
        return s;
    buffer_append(out, text_head(whole, whole.len - 1));
    s = write_timeline(v, id, before, out, err);
    if (s == STATUS_OK)
        s = write_deliveries(v, id, out, err);
    json_write_close(out, '}');
    if (s != STATUS_OK)
        out->len = start;
    return s;
}
