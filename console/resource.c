/* SPDX-License-Identifier: Apache-2.0 */
#include "console/resource.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "console/command_body.h"
#include "console/exposition.h"
#include "console/openapi.h"
#include "console/page.h"
#include "console/query.h"
#include "console/view_pool.h"
#include <stdio.h>

static int http_status(enum status status)
{
    switch (status) {
    case STATUS_OK:
        return 200;
    case STATUS_SYNTAX:
    case STATUS_INVALID:
        return 400;
    case STATUS_DENIED:
        return 403;
    case STATUS_NOTFOUND:
        return 404;
    case STATUS_CONFLICT:
    case STATUS_EXISTS:
        return 409;
    case STATUS_LIMIT:
        return 413;
    case STATUS_UNSUPPORTED:
        return 501;
    case STATUS_IO:
    case STATUS_FULL:
    case STATUS_CLOSED:
    case STATUS_TIMEOUT:
    case STATUS_AGAIN:
        return 503;
    case STATUS_NOMEM:
        break;
    }
    return 500;
}

static void fail(struct resource_call *call, enum status status, const struct error *err)
{
    server_refuse(call->reply, http_status(status), err->text[0] ? err->text : error_name(status));
    if (call->reply->base.status == 503)
        call->reply->base.retry_after_s = 1;
}

static struct buffer *body(struct resource_call *call)
{
    call->reply->base.status = 200;
    return &call->reply->base.body;
}

static struct text parameter(struct resource_call *call, const char *name)
{
    return query_get(call->request->query, text_of(name), call->arena);
}

static enum status time_of(struct resource_call *call, const char *name, int64_t *out,
                           struct error *err)
{
    return query_time(parameter(call, name), name, call->now_us, TIMESTAMP_NONE, out, err);
}

/* Reads the parameters before the record is asked, so that a wrong one is said either way. */
static enum status read_filter(struct resource_call *call, struct error *err)
{
    int64_t limit = 0;
    struct text limit_text = parameter(call, "limit");
    if (limit_text.len && (!text_to_int64(limit_text, &limit) || limit < 1 || limit > 1000))
        return error_set(err, STATUS_INVALID, 0, "limit: want 1 to 1000");
    int64_t before = 0;
    struct text before_text = parameter(call, "timeline_before");
    if (before_text.len && (!text_to_int64(before_text, &before) || before < 1))
        return error_set(err, STATUS_INVALID, 0,
                         "timeline_before: want the number of an entry, from 1");
    call->before = (uint64_t)before;
    call->filter = (struct incident_filter){
        .state = parameter(call, "state"),
        .kind = parameter(call, "kind"),
        .limit = (uint32_t)limit,
        .after = parameter(call, "after"),
    };
    enum status status = time_of(call, "since", &call->filter.since_us, err);
    return status ? status : time_of(call, "until", &call->filter.until_us, err);
}

/* ---- the record ---- */

typedef enum status (*read_fn)(struct resource_call *call, struct view *v, struct buffer *out,
                               struct error *err);

static void read_record(struct resource_call *call, read_fn read)
{
    struct error err = {0};
    struct view_loan *loan = NULL;
    enum status status = read_filter(call, &err);
    if (!status)
        status = view_pool_take(call->views, &loan, &err);
    if (!status) {
        status = read(call, view_pool_view(loan), body(call), &err);
        view_pool_give(call->views, loan, status == STATUS_IO || status == STATUS_CLOSED);
    }
    if (status)
        fail(call, status, &err);
}

static enum status read_incidents(struct resource_call *call, struct view *v, struct buffer *out,
                                  struct error *err)
{
    return view_incidents(v, &call->filter, out, err);
}

static enum status read_incident(struct resource_call *call, struct view *v, struct buffer *out,
                                 struct error *err)
{
    return view_incident(v, call->arguments[0], call->before, out, err);
}

static enum status read_report(struct resource_call *call, struct view *v, struct buffer *out,
                               struct error *err)
{
    struct text by = parameter(call, "by");
    return view_report(v, call->filter.since_us, call->filter.until_us,
                       by.len ? by : TEXT("priority"), call->now_us, out, err);
}

static enum status read_handover(struct resource_call *call, struct view *v, struct buffer *out,
                                 struct error *err)
{
    return view_handover(v, call->now_us, out, err);
}

static enum status read_exceptions(struct resource_call *call, struct view *v, struct buffer *out,
                                   struct error *err)
{
    return view_exceptions(v, call->now_us, out, err);
}

static enum status read_verify(struct resource_call *call, struct view *v, struct buffer *out,
                               struct error *err)
{
    struct incidents_head live = {0};
    if (call->app->head)
        call->app->head(call->app->context, &live);
    return view_verify(v, &live, out, err);
}

static void get_incidents(struct resource_call *call)
{
    read_record(call, read_incidents);
}

static void get_incident(struct resource_call *call)
{
    read_record(call, read_incident);
}

static void get_report(struct resource_call *call)
{
    read_record(call, read_report);
}

static void get_handover(struct resource_call *call)
{
    read_record(call, read_handover);
}

static void get_exceptions(struct resource_call *call)
{
    read_record(call, read_exceptions);
}

static void get_verify(struct resource_call *call)
{
    read_record(call, read_verify);
}

/* ---- commands ---- */

/* A page of another site can make a browser POST a form or plain text, but not JSON. */
static bool is_json(struct text content_type)
{
    struct text type = text_trim(text_head(content_type, text_find_byte(content_type, ';')));
    return text_equal_nocase(type, TEXT("application/json"));
}

static bool is_verb(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!((t.at[i] >= 'a' && t.at[i] <= 'z') || t.at[i] == '_' || t.at[i] == '-'))
            return false;
    }
    return t.len > 0 && t.len <= 32;
}

static void command(struct resource_call *call, struct text verb, struct text incident)
{
    struct error err = {0};
    if (call->request->body.len && !is_json(call->request->content_type)) {
        server_refuse(call->reply, 415, "want Content-Type: application/json");
        return;
    }
    if (!is_verb(verb)) {
        server_refuse(call->reply, 404, "there is no such action");
        return;
    }
    struct buffer text;
    const struct console_request *request = call->request;
    struct text key =
        request->header ? request->header(request->header_context, "Idempotency-Key") : TEXT_NONE;
    buffer_init(&text, SERVER_BODY_BYTES + 4096);
    enum status status = command_body_write(verb, incident, request->body, key, &text, &err);
    if (status)
        fail(call, status, &err);
    else
        call->reply->base.status =
            call->app->command(call->app->context, buffer_text(&text), body(call));
    if (call->reply->base.status == 503)
        call->reply->base.retry_after_s = 1;
    buffer_fini(&text);
}

static void post_verb(struct resource_call *call)
{
    command(call, call->arguments[1], call->arguments[0]);
}

/* The answer begins with its id. */
static void post_incident(struct resource_call *call)
{
    static const struct text begin = {"{\"id\":\"", 7};
    command(call, TEXT("report"), TEXT_NONE);
    struct text said = buffer_text(&call->reply->base.body);
    if (call->reply->base.status != 201 || !text_starts(said, begin))
        return;
    struct text id = text_skip(said, begin.len);
    (void)snprintf(call->reply->location, sizeof call->reply->location, "/api/v1/incidents/%.*s",
                   TEXT_ARG(text_head(id, text_find_byte(id, '"'))));
}

static void post_withdraw(struct resource_call *call)
{
    command(call, TEXT("withdraw"), call->arguments[0]);
}

static void post_reload(struct resource_call *call)
{
    bool is_done = call->app->reload(call->app->context, body(call));
    call->reply->base.status = is_done ? 200 : 422;
    if (!call->reply->base.body.len)
        buffer_append(body(call), TEXT("{}"));
}

/* ---- the program ---- */

static void get_health(struct resource_call *call)
{
    buffer_append(body(call), TEXT("{\"status\":\"ok\"}\n"));
}

static void get_ready(struct resource_call *call)
{
    struct buffer why;
    buffer_init(&why, 1024);
    if (call->app->is_ready(call->app->context, &why)) {
        json_write_open(body(call), NULL, '{');
        json_write_bool(body(call), "ready", true);
        if (why.len)
            json_write_string(body(call), "details", buffer_text(&why));
        json_write_close(body(call), '}');
        buffer_byte(body(call), '\n');
    } else {
        struct text words = arena_copy(call->arena, buffer_text(&why));
        server_refuse(call->reply, 503, words.len ? words.at : "not ready");
    }
    buffer_fini(&why);
}

static void get_metrics(struct resource_call *call)
{
    struct exposition *e = exposition_new(call->arena);
    if (!e) {
        server_refuse(call->reply, 500, "no memory");
        return;
    }
    call->app->metrics(call->app->context, exposition_tell, e);
    server_metrics(call->server, exposition_tell, e);
    exposition_write(e, body(call));
}

static void get_rules(struct resource_call *call)
{
    struct view_loan *loan = NULL;
    bool has_view = view_pool_take(call->views, &loan, NULL) == STATUS_OK;
    call->app->rules(call->app->context, has_view ? view_pool_view(loan) : NULL, body(call));
    if (has_view)
        view_pool_give(call->views, loan, false);
}

static void get_sources(struct resource_call *call)
{
    call->app->sources(call->app->context, body(call));
}

static void get_openapi(struct resource_call *call)
{
    openapi_write(resource_all(), body(call));
}

/* A list for the page; left empty where the record does not answer. */
static void list_for_page(struct resource_call *call, struct text state, struct text kind,
                          struct buffer *out)
{
    struct view_loan *loan = NULL;
    struct incident_filter f = {.state = state,
                                .kind = kind,
                                .since_us = TIMESTAMP_NONE,
                                .until_us = TIMESTAMP_NONE,
                                .limit = 50};
    if (view_pool_take(call->views, &loan, NULL))
        return;
    enum status status = view_incidents(view_pool_view(loan), &f, out, NULL);
    view_pool_give(call->views, loan, status == STATUS_IO || status == STATUS_CLOSED);
    if (status)
        buffer_clear(out);
}

static void get_page(struct resource_call *call)
{
    struct buffer why, incidents, candidates;
    buffer_init(&why, 1024);
    buffer_init(&incidents, SERVER_REPLY_BYTES);
    buffer_init(&candidates, SERVER_REPLY_BYTES);
    (void)call->app->is_ready(call->app->context, &why);
    list_for_page(call, TEXT("open"), TEXT("incident"), &incidents);
    list_for_page(call, TEXT_NONE, TEXT("candidate"), &candidates);
    page_write(&(struct page){.not_ready = buffer_text(&why),
                              .incidents = buffer_text(&incidents),
                              .candidates = buffer_text(&candidates)},
               body(call));
    buffer_fini(&why);
    buffer_fini(&incidents);
    buffer_fini(&candidates);
}

/* ---- the table ---- */

#define JSON       "application/json"
#define EXPOSITION "text/plain; version=0.0.4; charset=utf-8"

const struct resource *resource_all(void)
{
    static const struct resource all[] = {
        {"GET", "/", "", get_page, "The overview, as a page.", "text/html; charset=utf-8"},
        {"GET", "/healthz", "", get_health, "The program runs.", JSON},
        {"GET", "/readyz", "", get_ready, "200 when events are taken and the record answers.",
         JSON},
        {"GET", "/metrics", "", get_metrics, "Every number, for Prometheus.", EXPOSITION},
        {"GET", "/api/v1/incidents", "state,kind,since,until,limit,after", get_incidents,
         "Incidents, newest first; candidates with kind=candidate, both with kind=any.", JSON},
        {"POST", "/api/v1/incidents", "", post_incident, "Opens one that a person reports.", JSON},
        {"GET", "/api/v1/incidents/{id}", "timeline_before", get_incident,
         "One incident whole: contributions, evidence, timeline, deliveries.", JSON},
        {"POST", "/api/v1/incidents/{id}/{verb}", "", post_verb,
         "ack, contain, resolve, close, reopen, note, ...: the body says by whom and why.", JSON},
        {"GET", "/api/v1/report", "since,until,by", get_report,
         "Response times by priority, rule or team.", JSON},
        {"GET", "/api/v1/handover", "", get_handover, "What the next shift takes over.", JSON},
        {"GET", "/api/v1/exceptions", "", get_exceptions,
         "Who is not charged for what after a false positive, and until when.", JSON},
        {"POST", "/api/v1/exceptions/{id}/withdraw", "", post_withdraw,
         "Ends one: from now on it is charged again.", JSON},
        {"GET", "/api/v1/verify", "", get_verify,
         "Walks the ledger's chain of hashes, and asks others for its end.", JSON},
        {"GET", "/api/v1/rules", "", get_rules, "Rules with their hits and cost.", JSON},
        {"GET", "/api/v1/sources", "", get_sources, "What was seen of whom.", JSON},
        {"POST", "/api/v1/reload", "", post_reload,
         "Reads rules and configuration anew; 422 with the findings where they have an error.",
         JSON},
        {"GET", "/api/v1/openapi.json", "", get_openapi, "This description.", JSON},
        {0},
    };
    return all;
}

/* Matches "/a/{x}/b" and decodes what stands for the braces. */
static bool matches(const char *pattern, struct text path, struct resource_call *call)
{
    struct text want = text_of(pattern);
    struct text part;
    struct text got;
    uint32_t count = 0;
    while (text_split(&want, '/', &part)) {
        if (!text_split(&path, '/', &got))
            return false;
        bool is_argument = part.len && part.at[0] == '{';
        if (!is_argument && !text_equal(part, got))
            return false;
        if (is_argument &&
            (!got.len || !query_decode(got, false, call->arena, &call->arguments[count++])))
            return false;
    }
    return !text_split(&path, '/', &got);
}

static bool has_method(const char *method, struct text asked)
{
    return text_equal(text_of(method), asked) ||
           (text_equal(asked, TEXT("HEAD")) && text_equal(text_of(method), TEXT("GET")));
}

static void answer(struct resource_call *call, const struct resource *r)
{
    struct error err = {0};
    enum status status = query_check(call->request->query, r->parameters, call->arena, &err);
    call->reply->base.content_type = r->produces;
    if (status)
        fail(call, status, &err);
    else
        r->answer(call);
}

bool resource_answer(struct resource_call *call)
{
    const char *allow = NULL;
    for (const struct resource *r = resource_all(); r->method; r++) {
        if (!matches(r->path, call->request->path, call))
            continue;
        if (has_method(r->method, call->request->method)) {
            answer(call, r);
            return true;
        }
        bool is_get = text_equal(text_of(r->method), TEXT("GET"));
        if (allow)
            allow = "GET, HEAD, POST";
        else
            allow = is_get ? "GET, HEAD" : "POST";
    }
    if (!allow)
        return false;
    server_refuse(call->reply, 405, "that method is not for this path");
    call->reply->allow = allow;
    return true;
}
