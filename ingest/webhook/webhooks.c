/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/secret.h"
#include "base/wall_clock.h"
#include "ingest/door/allow_list.h"
#include "ingest/webhook/webhook.h"
#include "ingest/webhook/webhook_body.h"
#include "ingest/webhook/webhook_key.h"
#include "ingest/webhook/webhook_types.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH_BYTES = 4 << 20,
    REPLY_BYTES = 64 * 1024,
    TIMES_BODY = 8, /* what a group of records says of all is written for each: so much at most */
    INSIDE_BYTES = 512 << 10, /* where a key inside is looked for: PagerDuty takes no longer body */
};

struct webhooks {
    struct arena arena; /* option texts */
    uint32_t source_index;
    uint64_t max_body_bytes;
    struct option_texts allow_texts;
    struct allow_list *allow;
    struct text listen, certificate, key;
    struct text secret_file, time_header; /* Grafana's signature */
    struct text secret;                   /* the first of `secrets` */
    struct secret_list secrets;
    const struct yaml_node *fields_node;
    struct webhook_field fields[WEBHOOK_FIELDS];
    uint32_t field_count;
    struct keyring *keys; /* borrowed; NULL: nobody is asked */
    bool needs_key;
    struct drops *drops; /* borrowed; NULL: nobody asks */
    struct webhook_counts counts[WEBHOOK_TYPES];
};

static const struct option rows[] = {
    {"listen", OPTION_TEXT, offsetof(struct webhooks, listen), "", 0, 0, NULL,
     "address and port of a door for other machines' webhooks; empty: the console's port alone"},
    {"certificate", OPTION_TEXT, offsetof(struct webhooks, certificate), "", 0, 0, NULL,
     "PEM file for TLS at that door; empty: plain HTTP"},
    {"key", OPTION_TEXT, offsetof(struct webhooks, key), "", 0, 0, NULL,
     "PEM file with its private key"},
    {"allow", OPTION_TEXTS, offsetof(struct webhooks, allow_texts), "", 0, 0, NULL,
     "networks whose webhooks are taken, without a key; empty: at that door a key is needed"},
    {"max_body", OPTION_SIZE, offsetof(struct webhooks, max_body_bytes), "8MiB", 1024, 32 << 20,
     NULL, "longer request bodies are answered with 413"},
    {"grafana_secret_file", OPTION_TEXT, offsetof(struct webhooks, secret_file), "", 0, 0, NULL,
     "file with the secret that Grafana signs its webhooks with; empty: no signature is asked for"},
    {"grafana_time_header", OPTION_TEXT, offsetof(struct webhooks, time_header), "", 0, 0, NULL,
     "the timestamp header set in Grafana, where it signs one too"},
    {"fields", OPTION_NODE, offsetof(struct webhooks, fields_node), "", 0, 0, NULL,
     "of /api/v1/events: `our name: their.path`, added where our name is missing"},
};

static enum status read_fields(struct webhooks *w, struct error *err)
{
    const struct yaml_node *n = w->fields_node;
    if (!n || yaml_is_null(n))
        return STATUS_OK;
    if (n->kind != YAML_MAPPING || n->count > WEBHOOK_FIELDS)
        return error_set(err, STATUS_INVALID, n->line,
                         "fields: want `our name: their.path`, at most %d", WEBHOOK_FIELDS);
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->pairs[i].value->kind != YAML_SCALAR)
            return error_set(err, STATUS_INVALID, n->pairs[i].value->line,
                             "fields: want `our name: their.path`");
        w->fields[i] = (struct webhook_field){arena_copy(&w->arena, n->pairs[i].key->value),
                                              arena_copy(&w->arena, n->pairs[i].value->value)};
    }
    w->field_count = n->count;
    return STATUS_OK;
}

static enum status read_secret(struct webhooks *w, struct error *err)
{
    if (!w->secret_file.len)
        return STATUS_OK;
    if (secret_load(&w->secrets, w->secret_file.at, err))
        return error_prefix(err, "grafana_secret_file");
    w->secret = (struct text){w->secrets.items[0].at, w->secrets.items[0].len};
    return STATUS_OK;
}

enum status webhooks_open(const struct yaml_node *node, uint32_t source_index,
                          struct webhooks **out, struct error *err)
{
    AUTO(webhooks) w = calloc(1, sizeof *w);
    if (!w)
        return error_set(err, STATUS_NOMEM, 0, "no memory for webhooks");
    arena_init(&w->arena, 1 << 20);
    w->source_index = source_index;
    enum status status = option_read(rows, sizeof rows / sizeof *rows, node, &w->arena, w, err);
    if (!status)
        status = read_fields(w, err);
    if (!status)
        status = read_secret(w, err);
    if (!status && w->allow_texts.count)
        status = allow_list_new(&w->allow_texts, &w->allow, err);
    if (status)
        return error_prefix(err, "webhooks");
    *out = MOVE(w);
    return STATUS_OK;
}

const char *webhooks_integration(uint32_t index)
{
    return index < WEBHOOK_TYPES ? webhook_types[index]->name : NULL;
}

void webhooks_print_options(struct buffer *out)
{
    struct webhooks w = {0};
    arena_init(&w.arena, 1 << 16);
    if (option_read(rows, sizeof rows / sizeof *rows, NULL, &w.arena, &w, NULL) == STATUS_OK)
        option_print(rows, sizeof rows / sizeof *rows, &w, 2, out);
    arena_fini(&w.arena);
}

void webhooks_free(struct webhooks *w)
{
    if (!w)
        return;
    allow_list_free(w->allow);
    secret_fini(&w->secrets);
    arena_fini(&w->arena);
    free(w);
}

void webhooks_use_keys(struct webhooks *w, struct keyring *k, bool is_required)
{
    w->keys = k;
    w->needs_key = is_required;
}

void webhooks_use_drops(struct webhooks *w, struct drops *d)
{
    w->drops = d;
}

static bool path_matches(const char *pattern, struct text path, struct text *out_segment)
{
    const char *star = strchr(pattern, '*');
    *out_segment = TEXT_NONE;
    if (!star)
        return text_equal(path, text_of(pattern));
    struct text head = {pattern, (size_t)(star - pattern)};
    struct text tail = text_of(star + 1);
    if (path.len <= head.len + tail.len || !text_starts(path, head) || !text_ends(path, tail))
        return false;
    *out_segment = text_head(text_skip(path, head.len), path.len - head.len - tail.len);
    return true;
}

static bool method_matches(const char *methods, struct text method)
{
    struct text rest = text_of(methods);
    struct text word;
    while (text_split(&rest, ' ', &word))
        if (text_equal(word, method))
            return true;
    return false;
}

struct found {
    const struct webhook_route *route; /* NULL: no such path */
    size_t type;
    struct text segment;
    bool has_method;
};

static struct found find_route(struct text method, struct text path)
{
    struct found best = {0};
    for (size_t i = 0; i < WEBHOOK_TYPES; i++)
        for (uint32_t j = 0; j < webhook_types[i]->route_count; j++) {
            const struct webhook_route *r = &webhook_types[i]->routes[j];
            struct text segment;
            if (best.has_method || !path_matches(r->path, path, &segment))
                continue;
            best = (struct found){r, i, segment, method_matches(r->method, method)};
        }
    return best;
}

uint64_t webhooks_max_body(const struct webhooks *w)
{
    return w->max_body_bytes;
}

struct text webhooks_listen(const struct webhooks *w)
{
    return w->listen;
}

void webhooks_tls(const struct webhooks *w, struct text *out_certificate, struct text *out_key)
{
    *out_certificate = w->certificate;
    *out_key = w->key;
}

bool webhooks_owns(const struct webhooks *w, struct text path)
{
    (void)w;
    return find_route(TEXT_NONE, path).route != NULL;
}

static void count(_Atomic uint64_t *c, uint64_t n)
{
    (void)atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static bool needs_a_key(const struct webhooks *w, const struct webhook_request *q)
{
    return w->needs_key || (q->is_remote && !w->allow);
}

static enum status key_status(struct webhook_call *call, const struct found *found,
                              struct text inside, bool is_only_looked)
{
    const struct webhooks *w = call->webhooks;
    struct text scope = text_of(webhook_types[found->type]->name);
    return w->keys ? webhook_key_check(call, w->keys, scope, inside, is_only_looked)
                   : STATUS_DENIED;
}

/* True where the request may go on, with a key or because none is asked for. */
static bool has_key(struct webhook_call *call, const struct found *found, struct text inside)
{
    const struct webhooks *w = call->webhooks;
    bool needs_key = needs_a_key(w, call->request);
    if (!w->keys && !needs_key)
        return true;
    enum status status = key_status(call, found, inside, false);
    call->is_overloaded = status == STATUS_LIMIT;
    if (status && needs_key)
        webhook_reject(call, found->route->style, 401, "a key is needed: see `tocsin key add`");
    return status == STATUS_OK || (status == STATUS_DENIED && !needs_key);
}

/* A compressed body as the routes read it, in `plain`; false: the reply says why not. */
static bool unpack(struct webhook_call *call, enum webhook_style style,
                   struct webhook_request *plain, struct buffer *room, uint64_t *held)
{
    struct text said = TEXT_NONE;
    if (plain->header)
        said = plain->header(plain->header_context, "Content-Encoding");
    enum webhook_encoding encoding = webhook_body_encoding(said);
    enum status status = STATUS_OK;
    if (encoding == WEBHOOK_ENCODING_KNOWN) {
        status = webhook_body_inflate(call, plain->body, room, held);
        plain->body = buffer_text(room);
    }
    call->is_overloaded |= status == STATUS_NOMEM;
    if (call->is_overloaded)
        return false;
    if (encoding == WEBHOOK_ENCODING_UNKNOWN)
        webhook_reject(call, style, 415, "want gzip, zstd or no Content-Encoding");
    else if (status == STATUS_LIMIT)
        webhook_reject(call, style, 413, "the body is longer than `max_body` when unpacked");
    else if (status)
        webhook_reject(call, style, 400, "the body is not what its Content-Encoding says");
    return encoding != WEBHOOK_ENCODING_UNKNOWN && !status;
}

/* PagerDuty's senders have their key in the body. */
static bool has_key_inside(const struct found *found)
{
    return found->route->style == WEBHOOK_PAGERDUTY_V2 ||
           found->route->style == WEBHOOK_PAGERDUTY_V1;
}

/* A key may be in the first bytes of the body; nothing of them is kept. */
static bool has_key_in_body(struct webhook_call *call, const struct found *found)
{
    const struct webhook_request *q = call->request;
    struct text said = q->header ? q->header(q->header_context, "Content-Encoding") : TEXT_NONE;
    struct text inside = text_head(q->body, INSIDE_BYTES);
    struct buffer begins;
    uint64_t held = 0;
    if (!needs_a_key(call->webhooks, q) && !call->webhooks->keys)
        return true;
    buffer_init(&begins, INSIDE_BYTES);
    if (webhook_body_encoding(said) == WEBHOOK_ENCODING_KNOWN) {
        enum status status = webhook_body_look(call, q->body, &begins, &held);
        call->is_overloaded |= status == STATUS_NOMEM;
        inside = buffer_text(&begins);
    }
    bool is_good = !call->is_overloaded && has_key(call, found, inside);
    buffer_fini(&begins);
    webhook_release(call, held);
    return is_good;
}

/* What the head alone must say. */
static bool admit_head(struct webhook_call *call, const struct found *found)
{
    enum webhook_style style = found->route->style;
    if (!found->has_method) {
        webhook_reject(call, style, 405, "this method is not taken here");
    } else if (!allow_list_has_text(call->webhooks->allow, call->request->peer)) {
        webhook_reject(call, style, 403, "this address is not in `allow`");
        call->is_barred = true;
    } else {
        return true;
    }
    return false;
}

/* What must hold before the body is looked at: whoever may not send costs nothing more. */
static bool admit_sender(struct webhook_call *call, const struct found *found)
{
    if (!admit_head(call, found))
        return false;
    return has_key_inside(found) ? has_key_in_body(call, found) : has_key(call, found, TEXT_NONE);
}

/* What must hold before a route may read the body; false: the reply says why it does not. */
static bool admit_body(struct webhook_call *call, const struct found *found)
{
    const struct webhooks *w = call->webhooks;
    enum webhook_style style = found->route->style;
    struct error err = {0};
    if (call->request->body.len > w->max_body_bytes) {
        webhook_reject(call, style, 413, "the body is longer than `max_body`");
        return false;
    }
    if (w->secret.len && text_ends(call->request->path, TEXT("/grafana")) &&
        !webhook_key_is_signed(call, w->secret, w->time_header)) {
        webhook_reject(call, style, 401, "the signature is missing or wrong");
        return false;
    }
    enum status status = STATUS_OK;
    if (found->route->is_json)
        status = webhook_parse(call, call->request->body, &call->tree, &call->tree_bytes, &err);
    if (status && !call->is_overloaded)
        webhook_reject(call, style,
                       webhook_parse_status(status, style == WEBHOOK_OPSGENIE ? 422 : 400),
                       err.text);
    call->body = json_tree_root(call->tree);
    return !status;
}

/* What was turned away, for its sender. */
static void note(const struct webhooks *w, const struct webhook_request *q, enum drops_reason why,
                 uint64_t n)
{
    drops_count(w->drops, w->source_index, q->peer, why, n);
}

static void count_request(struct webhooks *w, struct webhook_call *call)
{
    struct webhook_counts *c = call->counts;
    int status = call->reply->status;
    webhook_count(call);
    count(&c->requests, 1);
    count(&c->dropped, call->refused);
    for (int why = 0; why < WEBHOOK_UNREAD; why++)
        count(&c->unread[why], call->unread[why]);
    count(&c->rejected, status >= 400);
    note(w, call->request, DROPS_EXCESS, call->refused);
    note(w, call->request, call->is_barred ? DROPS_BARRED : DROPS_REJECTED, status >= 400);
}

/* Elastic's clients talk to nobody else. */
static void say_product(struct webhook_reply *reply, const struct found *found)
{
    const bool is_elastic = found->route && found->route->style == WEBHOOK_ELASTIC;
    reply->product = is_elastic ? "Elasticsearch" : NULL;
}

bool webhooks_admit(struct webhooks *w, const struct webhook_request *head, uint64_t *out_max_body,
                    struct webhook_reply *reply)
{
    struct found found = find_route(head->method, head->path);
    struct arena arena;
    struct webhook_call call = {
        .webhooks = w, .request = head, .arena = &arena, .reply = reply, .now_us = wall_clock_us()};
    *out_max_body = w->max_body_bytes;
    if (!found.route)
        return true; /* it is told so in full */
    say_product(reply, &found);
    if (reply->body.max_bytes == 0)
        buffer_init(&reply->body, REPLY_BYTES);
    arena_init(&arena, REPLY_BYTES);
    bool is_admitted = admit_head(&call, &found);
    bool has_good_key =
        !needs_a_key(w, head) || key_status(&call, &found, TEXT_NONE, true) == STATUS_OK;
    if (is_admitted && !has_good_key && has_key_inside(&found)) {
        if (*out_max_body > INSIDE_BYTES)
            *out_max_body = INSIDE_BYTES;
    } else if (is_admitted && !has_good_key) {
        webhook_reject(&call, found.route->style, 401, "a key is needed: see `tocsin key add`");
        is_admitted = false;
    }
    arena_fini(&arena);
    if (!is_admitted) {
        count(&w->counts[found.type].requests, 1);
        count(&w->counts[found.type].rejected, 1);
        note(w, head, call.is_barred ? DROPS_BARRED : DROPS_REJECTED, 1);
    }
    return is_admitted;
}

bool webhooks_take(struct webhooks *w, const struct webhook_request *request, struct batch *out,
                   struct webhook_reply *reply)
{
    struct arena arena;
    struct buffer room;
    uint64_t held = 0;
    struct webhook_request plain = *request;
    struct webhook_call call = {.webhooks = w,
                                .request = &plain,
                                .out = out,
                                .arena = &arena,
                                .reply = reply,
                                .most_written_bytes = TIMES_BODY * w->max_body_bytes,
                                .now_us = wall_clock_us()};
    if (reply->body.max_bytes == 0)
        buffer_init(&reply->body, REPLY_BYTES);
    reply->retry_after_s = 0;
    out->source = w->source_index;
    struct found found = find_route(request->method, request->path);
    say_product(reply, &found);
    call.counts = found.route ? &w->counts[found.type] : NULL;
    call.fields = w->fields;
    call.field_count = w->field_count;
    if (!found.route) {
        webhook_reject(&call, WEBHOOK_PLAIN, 404, "there is no webhook here");
        return false;
    }
    arena_init(&arena, SCRATCH_BYTES);
    buffer_init(&call.scratch, SCRATCH_BYTES);
    call.segment = webhook_decode(call.arena, found.segment);
    buffer_init(&room, w->max_body_bytes);
    if (admit_sender(&call, &found) && unpack(&call, found.route->style, &plain, &room, &held) &&
        admit_body(&call, &found))
        found.route->take(&call);
    if (call.is_overloaded) { /* nothing of the rest: all of it comes again */
        batch_reset(out);
        webhooks_refuse(w, request, reply);
    } else {
        count_request(w, &call);
    }
    json_tree_free(call.tree);
    buffer_fini(&call.scratch);
    buffer_fini(&room);
    arena_fini(&arena);
    webhook_release(&call, held + call.tree_bytes);
    return out->count > 0;
}

/* Under load nobody is told that he made a mistake: each sender hears what makes it come again. */
void webhooks_refuse(const struct webhooks *w, const struct webhook_request *request,
                     struct webhook_reply *reply)
{
    static const struct {
        int status;
        const char *body;
    } answers[] = {
        [WEBHOOK_PLAIN] = {503, "{\"error\":\"overloaded, come again\"}"},
        [WEBHOOK_PAGERDUTY_V2] = {429,
                                  "{\"status\":\"throttle exceeded\",\"message\":\"Requests for "
                                  "this service are arriving too quickly.  Please retry "
                                  "later.\",\"errors\":[\"overloaded\"]}"},
        [WEBHOOK_PAGERDUTY_V1] = {403,
                                  "{\"status\":\"throttle exceeded\",\"message\":\"Requests for "
                                  "this service are arriving too quickly.  Please retry "
                                  "later.\"}"},
        [WEBHOOK_OPSGENIE] = {429, "{\"message\":\"You are making too many requests! To avoid "
                                   "problems, please slow down.\",\"took\":0.001}"},
        [WEBHOOK_SPLUNK] = {503, "{\"text\":\"Server is busy\",\"code\":9}"},
        [WEBHOOK_OTLP] = {503, "{\"code\":14,\"message\":\"overloaded, come again\"}"},
        [WEBHOOK_ELASTIC] = {429, "{\"error\":{\"root_cause\":[],\"type\":"
                                  "\"es_rejected_execution_exception\",\"reason\":\"overloaded, "
                                  "come again\"},\"status\":429}"},
    };
    struct found found = find_route(request->method, request->path);
    enum webhook_style style = found.route ? found.route->style : WEBHOOK_PLAIN;
    if (reply->body.max_bytes == 0)
        buffer_init(&reply->body, REPLY_BYTES);
    buffer_clear(&reply->body);
    buffer_append(&reply->body, text_of(answers[style].body));
    say_product(reply, &found);
    reply->status = answers[style].status;
    reply->content_type = "application/json";
    reply->retry_after_s = 5;
    /* the count is the one thing here that changes: an atomic */
    struct webhook_counts *c = (struct webhook_counts *)(uintptr_t)&w->counts[found.type];
    count(&c->requests, 1);
    count(&c->refused, 1);
    note(w, request, DROPS_OVERLOAD, 1);
}

static void tell_unread(const struct webhook_counts *c, const char *integration, metric_fn tell,
                        void *context)
{
    static const char *const reasons[WEBHOOK_UNREAD] = {
        [WEBHOOK_NO_OBJECT] = "no_object",
        [WEBHOOK_NO_LABELS] = "no_labels",
        [WEBHOOK_NO_KEY] = "no_key",
        [WEBHOOK_BAD_TIMES] = "bad_times",
    };
    for (int why = 0; why < WEBHOOK_UNREAD; why++) {
        char labels[96];
        (void)snprintf(labels, sizeof labels, "integration=\"%s\",reason=\"%s\"", integration,
                       reasons[why]);
        tell(context,
             &(struct metric){"webhook_unread_total",
                              "Parts of a request that are no alert: kept whole, as events.",
                              labels, METRIC_COUNTER,
                              (double)atomic_load_explicit(&c->unread[why], memory_order_relaxed)});
    }
}

void webhooks_metrics(const struct webhooks *w, metric_fn tell, void *context)
{
    for (size_t i = 0; i < WEBHOOK_TYPES; i++) {
        const struct webhook_counts *c = &w->counts[i];
        char labels[64];
        (void)snprintf(labels, sizeof labels, "integration=\"%s\"", webhook_types[i]->name);
        const struct {
            const char *name, *help;
            const _Atomic uint64_t *value;
        } all[] = {
            {"webhook_requests_total", "Requests to a webhook.", &c->requests},
            {"webhook_alerts_total", "Alerts taken from webhooks.", &c->alerts},
            {"webhook_events_total", "Events taken from webhooks.", &c->events},
            {"webhook_rejected_total", "Requests answered as faulty.", &c->rejected},
            {"webhook_refused_total", "Requests told to come again: overload.", &c->refused},
            {"webhook_dropped_total", "Alerts of a request that found no room.", &c->dropped},
        };
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            tell(context, &(struct metric){
                              all[j].name, all[j].help, labels, METRIC_COUNTER,
                              (double)atomic_load_explicit(all[j].value, memory_order_relaxed)});
        tell_unread(c, webhook_types[i]->name, tell, context);
    }
}
