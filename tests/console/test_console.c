/* SPDX-License-Identifier: Apache-2.0 */
#include "console/console.h"
#include "tests/support/http_client.h"
#include "tests/support/table.h"
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define HOST "Host: 127.0.0.1\r\n"

/* What app would do, written down. */
struct app {
    char command[4096], webhook[4096];
    bool is_ready, is_reloaded_well;
    bool has_gate; /* a webhook's answer waits for the gate */
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int waiting;
    bool is_open;
};

static int app_command(void *context, struct text command, struct buffer *reply)
{
    struct app *a = context;
    (void)snprintf(a->command, sizeof a->command, "%.*s", TEXT_ARG(command));
    buffer_append(reply, TEXT("{\"state\":\"acknowledged\"}"));
    return text_find(command, TEXT("inc_none")) < command.len ? 404 : 200;
}

/* By the path: refused, or ten bytes at most, or anything. */
static bool app_admit(void *context, const struct console_request *head, uint64_t *out_max_body,
                      struct console_reply *reply)
{
    (void)context;
    assert_int_equal(head->body.len, 0);
    if (text_equal(head->path, TEXT("/v2/short")))
        *out_max_body = 10;
    if (!text_equal(head->path, TEXT("/v2/denied")))
        return true;
    reply->status = 401;
    buffer_append(&reply->body, TEXT("no key"));
    return false;
}

static bool app_is_heavy(const struct console_request *r, struct console_reply *reply)
{
    enum { MIB = 1 << 20 };
    if (!text_equal(r->path, TEXT("/v2/heavy")))
        return false;
    bool is_held = r->hold(r->hold_context, 64 * MIB) && !r->hold(r->hold_context, MIB);
    is_held = is_held && r->hold(r->hold_context, -MIB) && r->hold(r->hold_context, MIB);
    reply->status = is_held ? 202 : 500;
    buffer_append(&reply->body, TEXT("held 64 MiB, not 65"));
    return true;
}

static bool app_webhook(void *context, const struct console_request *r, struct console_reply *reply)
{
    struct app *a = context;
    if (app_is_heavy(r, reply))
        return true;
    if (!text_equal(r->path, TEXT("/v2/enqueue")))
        return false;
    (void)pthread_mutex_lock(&a->lock);
    a->waiting++;
    (void)pthread_cond_broadcast(&a->moved);
    while (a->has_gate && !a->is_open)
        (void)pthread_cond_wait(&a->moved, &a->lock);
    struct text event = r->header(r->header_context, "x-EVENT");
    (void)snprintf(a->webhook, sizeof a->webhook,
                   "%.*s %.*s?%.*s type=%.*s auth=%.*s event=%.*s "
                   "peer=%.*s body=%zu",
                   TEXT_ARG(r->method), TEXT_ARG(r->path), TEXT_ARG(r->query),
                   TEXT_ARG(r->content_type), TEXT_ARG(r->authorization), TEXT_ARG(event),
                   TEXT_ARG(r->peer), r->body.len);
    (void)pthread_mutex_unlock(&a->lock);
    reply->status = 202;
    reply->content_type = "application/json";
    reply->retry_after_s = 3;
    buffer_append(&reply->body, TEXT("{\"status\":\"success\"}"));
    return true;
}

static void app_metrics(void *context, metric_fn tell, void *tell_context)
{
    (void)context;
    tell(tell_context,
         &(struct metric){"events_total", "Events.", "source=\"udp\"", METRIC_COUNTER, 42});
}

static bool app_is_ready(void *context, struct buffer *why)
{
    const struct app *a = context;
    if (!a->is_ready)
        buffer_append(why, TEXT("the record is away"));
    return a->is_ready;
}

static void app_list(void *context, struct buffer *out)
{
    (void)context;
    buffer_append(out, TEXT("{\"list\":[]}"));
}

static void app_rules(void *context, struct view *view, struct buffer *out)
{
    (void)view;
    app_list(context, out);
}

static bool app_reload(void *context, struct buffer *out)
{
    const struct app *a = context;
    if (!a->is_reloaded_well)
        buffer_append(out, TEXT("{\"findings\":[]}"));
    return a->is_reloaded_well;
}

struct rig {
    struct app app;
    struct console *console;
    int port;
};

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r)
        return -1;
    *state = r;
    (void)pthread_mutex_init(&r->app.lock, NULL);
    (void)pthread_cond_init(&r->app.moved, NULL);
    struct console_options o = {
        .listen = TEXT("127.0.0.1:0"),
        .calls = {.context = &r->app,
                  .command = app_command,
                  .webhook = app_webhook,
                  .admit = app_admit,
                  .metrics = app_metrics,
                  .is_ready = app_is_ready,
                  .rules = app_rules,
                  .sources = app_list,
                  .reload = app_reload},
    };
    struct error err = {0};
    if (console_open(&o, &r->console, &err)) {
        print_message("%s\n", err.text);
        return -1;
    }
    r->port = (int)strtol(strrchr(console_address(r->console), ':') + 1, NULL, 10);
    return 0;
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    console_close(r->console);
    (void)pthread_cond_destroy(&r->app.moved);
    (void)pthread_mutex_destroy(&r->app.lock);
    free(r);
    return 0;
}

static struct http_answer ask(struct rig *r, const char *request)
{
    return http_client_ask(r->port, request);
}

static void expect(struct rig *r, const char *request, int status, const char *piece)
{
    struct http_answer a = ask(r, request);
    if (a.status != status || (piece && !strstr(a.bytes, piece) && !strstr(a.body, piece)))
        fail_msg("%d, want %d and %s: %s", a.status, status, piece ? piece : "",
                 a.body ? a.body : "");
    http_answer_fini(&a);
}

static void test_health_and_readiness(void **state)
{
    struct rig *r = *state;
    expect(r, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, "\"status\":\"ok\"");
    expect(r, "GET /readyz HTTP/1.1\r\n" HOST "\r\n", 503, "the record is away");
    r->app.is_ready = true;
    expect(r, "GET /readyz HTTP/1.1\r\n" HOST "\r\n", 200, "true");
}

static void test_metrics_are_told(void **state)
{
    struct rig *r = *state;
    struct http_answer a = ask(r, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert_non_null(strstr(a.body, "# TYPE tocsin_events_total counter\n"
                                   "tocsin_events_total{source=\"udp\"} 42\n"));
    assert_non_null(strstr(a.body, "tocsin_console_requests_total{code=\"2xx\"}"));
    http_answer_fini(&a);
}

static void test_every_answer_is_guarded(void **state)
{
    struct rig *r = *state;
    static const char *const paths[] = {"/healthz", "/nothing", "/api/v1/rules"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char request[128];
        (void)snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", paths[i]);
        struct http_answer a = ask(r, request);
        assert_non_null(strstr(a.head, "X-Content-Type-Options: nosniff"));
        assert_non_null(strstr(a.head, "Content-Security-Policy: default-src 'none'"));
        assert_non_null(strstr(a.head, "X-Frame-Options: DENY"));
        assert_non_null(strstr(a.head, "Cache-Control: no-store"));
        http_answer_fini(&a);
    }
}

static void test_methods(void **state)
{
    struct rig *r = *state;
    struct http_answer head = ask(r, "HEAD /healthz HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(head.status, 200);
    http_answer_fini(&head);
    expect(r, "DELETE /healthz HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, HEAD");
    expect(r, "GET /api/v1/reload HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: POST");
    expect(r, "PUT /api/v1/incidents HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405,
           "Allow: GET, HEAD, POST");
    expect(r, "GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, "\"error\"");
    expect(r, "GET /healthz/ HTTP/1.1\r\n" HOST "\r\n", 404, "\"error\"");
    expect(r, "GET /healthz?x=1 HTTP/1.1\r\n" HOST "\r\n", 400, "'x'");
    expect(r, "GET /api/v1/incidents?limit=0 HTTP/1.1\r\n" HOST "\r\n", 400, "limit");
}

static void test_command_reaches_the_record(void **state)
{
    struct rig *r = *state;
    expect(r,
           "POST /api/v1/incidents/inc_1/ack HTTP/1.1\r\n" HOST
           "Content-Type: application/json; charset=utf-8\r\nContent-Length: 12\r\n\r\n"
           "{\"by\":\"ann\"}",
           200, "acknowledged");
    assert_string_equal(r->app.command, "{\"by\":\"ann\",\"do\":\"ack\",\"incident\":\"inc_1\"}");
    expect(r, "POST /api/v1/incidents/inc_none/close HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
           404, NULL);
    expect(r,
           "POST /api/v1/incidents HTTP/1.1\r\n" HOST
           "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"title\":\"t\"}",
           200, NULL);
    assert_string_equal(r->app.command, "{\"title\":\"t\",\"do\":\"report\"}");
}

static void test_command_is_json_and_well_formed(void **state)
{
    struct rig *r = *state;
    expect(r,
           "POST /api/v1/incidents/inc_1/ack HTTP/1.1\r\n" HOST
           "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
           415, "application/json");
    expect(r,
           "POST /api/v1/incidents/inc_1/ack HTTP/1.1\r\n" HOST
           "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{",
           400, "JSON");
    expect(r, "POST /api/v1/incidents/inc_1/ACK%22 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
           404, "action");
    expect(r, "POST /api/v1/incidents//ack HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404,
           NULL);
    expect(r, "POST /api/v1/incidents/%zz/ack HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 404,
           NULL);
    assert_string_equal(r->app.command, "");
}

static void test_reload_says_what_is_wrong(void **state)
{
    struct rig *r = *state;
    expect(r, "POST /api/v1/reload HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 422, "findings");
    r->app.is_reloaded_well = true;
    expect(r, "POST /api/v1/reload HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "{}");
}

static void test_webhook_is_handed_on(void **state)
{
    struct rig *r = *state;
    struct http_answer a =
        ask(r, "POST /v2/enqueue?k=%41 HTTP/1.1\r\n" HOST
               "Content-Type: text/x\r\nAuthorization: Token token=abc\r\nX-Event: e\r\n"
               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    assert_int_equal(a.status, 202);
    assert_non_null(strstr(a.head, "Retry-After: 3"));
    assert_string_equal(a.body, "{\"status\":\"success\"}");
    assert_string_equal(r->app.webhook, "POST /v2/enqueue?k=%41 type=text/x auth=Token token=abc "
                                        "event=e peer=127.0.0.1 body=7");
    http_answer_fini(&a);
}

/* ---- what is refused ---- */

static const struct row {
    const char *name, *request;
    int status; /* 0: the library itself ends it, with 400 or without a word */
} rows[] = {
    {"refused: two lengths",
     "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
    {"refused: length and chunks",
     "POST /v2/enqueue HTTP/1.1\r\n" HOST
     "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"refused: two hosts", "GET /healthz HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"refused: no host", "GET /healthz HTTP/1.1\r\n\r\n", 400},
    {"refused: a line without CR", "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\nX: y\r\n\r\n", 400},
    {"refused: the first line without CR", "GET /healthz HTTP/1.1\nHost: 127.0.0.1\r\n\r\n", 400},
    {"refused: no CR at all", "GET /healthz HTTP/1.1\nHost: 127.0.0.1\n\n", 400},
    {"refused: other encoding",
     "POST /v2/enqueue HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 400},
    {"refused: foreign host", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
    {"refused: foreign page",
     "POST /v2/enqueue HTTP/1.1\r\n" HOST
     "Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}",
     403},
    {"refused: body of 1 MiB and a byte",
     "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n", 413},
    {"refused: no HTTP", "hello\r\n\r\n", 0},
    {"refused: TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 0},
};

static void test_refused(void **state)
{
    const struct row *row = *state;
    void *rig = NULL;
    assert_int_equal(set_up(&rig), 0);
    struct rig *r = rig;
    int fd = http_client_connect(r->port);
    assert_true(fd >= 0);
    assert_true(http_client_send(fd, row->request, strlen(row->request)));
    (void)shutdown(fd, SHUT_WR);
    struct http_answer a = http_client_read(fd, false);
    if (row->status)
        assert_int_equal(a.status, row->status);
    else
        assert_true(a.status == 0 || a.status == 400);
    assert_string_equal(r->app.webhook, "");
    http_answer_fini(&a);
    (void)close(fd);
    assert_int_equal(tear_down(&rig), 0);
}

/* One refusal, one answer, and the end: nothing behind the head is read as another request. */
static void test_a_refusal_is_one_answer(void **state)
{
    struct rig *r = *state;
    static const char *const heads[] = {
        "Content-Length: +2",
        "Content-Length: 2 ",
        "Content-Length: 0x2",
        "Content-Length: 2, 2",
        "Content-Length: -2",
        "Content-Length: 99999999999999999999999",
        "Content-Length:",
        "content-length: 2;a",
        "X: y\r\nCONTENT-LENGTH: 1e1",
        "Transfer-Encoding: chunked\r\nContent-Length: +0",
    };
    for (size_t i = 0; i <= sizeof heads / sizeof *heads; i++) {
        bool has_host = i < sizeof heads / sizeof *heads;
        char request[512];
        (void)snprintf(request, sizeof request,
                       "POST /v2/enqueue HTTP/1.1\r\n%s%s\r\n\r\n{}GET /healthz HTTP/1.1\r\n" HOST
                       "\r\n",
                       has_host ? HOST : "", has_host ? heads[i] : "Content-Length: 2");
        int fd = http_client_connect(r->port);
        assert_true(fd >= 0);
        assert_true(http_client_send(fd, request, strlen(request)));
        char all[8192];
        size_t len = 0;
        for (ssize_t n = 1; n > 0 && len<sizeof all - 1; len += n> 0 ? (size_t)n : 0)
            n = recv(fd, all + len, sizeof all - 1 - len, 0);
        all[len] = '\0';
        (void)close(fd);
        assert_int_equal(strncmp(all, "HTTP/1.1 400 ", 13), 0);
        assert_null(strstr(all + 1, "HTTP/1.1"));
        assert_string_equal(r->app.webhook, "");
    }
}

/* Whoever may not send hears it before he has sent anything; the others are told how much. */
static void test_the_head_alone_is_asked_first(void **state)
{
    struct rig *r = *state;
    struct http_answer a =
        ask(r, "POST /v2/denied HTTP/1.1\r\n" HOST "Content-Length: 900000\r\n\r\n");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(a.head, "Connection: close"));
    assert_string_equal(a.body, "no key");
    http_answer_fini(&a);
    a = ask(r, "POST /v2/short HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n");
    assert_int_equal(a.status, 413);
    http_answer_fini(&a);
    a = ask(r, "POST /v2/short HTTP/1.1\r\n" HOST
               "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n");
    assert_int_equal(a.status, 413);
    http_answer_fini(&a);
    a = ask(r,
            "POST /v2/short HTTP/1.1\r\n" HOST "Content-Length: \t010\r\nX: y\r\n\r\n1234567890");
    assert_int_equal(a.status, 404); /* read to its end, and there is nothing */
    http_answer_fini(&a);
}

/* What answers may take from the budget of all bodies, and all of it comes back. */
static void test_the_budget_is_one(void **state)
{
    struct rig *r = *state;
    static const char request[] = "POST /v2/heavy HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}";
    expect(r, request, 202, "held 64 MiB, not 65");
    /* it comes back a moment after the answer was sent */
    int status = 0;
    for (int tries = 0; status != 202 && tries < 10000; tries++) {
        struct http_answer a = ask(r, request);
        status = a.status;
        http_answer_fini(&a);
    }
    assert_int_equal(status, 202);
}

static void test_largest_body_is_taken(void **state)
{
    struct rig *r = *state;
    enum { LARGEST = 1 << 20 };
    char *request = malloc(LARGEST + 256);
    assert_non_null(request);
    int head = snprintf(request, 256,
                        "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGEST);
    memset(request + head, 'x', LARGEST);
    request[head + LARGEST] = '\0';
    struct http_answer a = ask(r, request);
    assert_int_equal(a.status, 202);
    assert_non_null(strstr(r->app.webhook, "body=1048576"));
    http_answer_fini(&a);
    free(request);
}

/* No length is said; the end is met on the way. */
static void test_chunked_body_that_is_too_long(void **state)
{
    struct rig *r = *state;
    int fd = http_client_connect(r->port);
    assert_true(fd >= 0);
    static const char head[] =
        "POST /v2/enqueue HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    assert_true(http_client_send(fd, head, sizeof head - 1));
    char chunk[65536 + 16];
    int at = snprintf(chunk, sizeof chunk, "10000\r\n");
    memset(chunk + at, 'x', 65536);
    memcpy(chunk + at + 65536, "\r\n", 2);
    for (int i = 0; i < 20; i++)
        assert_true(http_client_send(fd, chunk, (size_t)at + 65538));
    assert_true(http_client_send(fd, "0\r\n\r\n", 5));
    struct http_answer a = http_client_read(fd, false);
    assert_int_equal(a.status, 413);
    http_answer_fini(&a);
    (void)close(fd);
    assert_string_equal(r->app.webhook, "");
}

static void test_connection_is_kept(void **state)
{
    struct rig *r = *state;
    int fd = http_client_connect(r->port);
    assert_true(fd >= 0);
    static const char request[] = "GET /healthz HTTP/1.1\r\n" HOST "\r\n";
    for (int i = 0; i < 50; i++) {
        assert_true(http_client_send(fd, request, sizeof request - 1));
        struct http_answer a = http_client_read(fd, false);
        assert_int_equal(a.status, 200);
        http_answer_fini(&a);
    }
    (void)close(fd);
}

static void test_split_anywhere(void **state)
{
    struct rig *r = *state;
    static const char request[] =
        "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc";
    int fd = http_client_connect(r->port);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_true(http_client_send(fd, request + i, 1));
    struct http_answer a = http_client_read(fd, false);
    assert_int_equal(a.status, 202);
    http_answer_fini(&a);
    (void)close(fd);
}

/* ---- many at once, and the end ---- */

struct asker {
    struct rig *rig;
    pthread_t thread;
    int status;
};

static void *ask_webhook(void *argument)
{
    struct asker *a = argument;
    struct http_answer answer =
        ask(a->rig, "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    a->status = answer.status;
    http_answer_fini(&answer);
    return NULL;
}

static void wait_for_waiting(struct app *a, int count)
{
    (void)pthread_mutex_lock(&a->lock);
    while (a->waiting < count)
        (void)pthread_cond_wait(&a->moved, &a->lock);
    (void)pthread_mutex_unlock(&a->lock);
}

static void open_gate(struct app *a)
{
    (void)pthread_mutex_lock(&a->lock);
    a->is_open = true;
    (void)pthread_cond_broadcast(&a->moved);
    (void)pthread_mutex_unlock(&a->lock);
}

/* Calls that wait for the record hold up nobody else. */
static void test_waiting_calls_delay_no_other(void **state)
{
    struct rig *r = *state;
    enum { ASKERS = 40 };
    struct asker askers[ASKERS];
    r->app.has_gate = true;
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct asker){.rig = r};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_webhook, &askers[i]), 0);
    }
    wait_for_waiting(&r->app, ASKERS);
    expect(r, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    open_gate(&r->app);
    for (int i = 0; i < ASKERS; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].status, 202);
    }
}

/* A crowd that asks nothing, and one that asks half a head, keeps nobody out. */
static void test_idle_crowd_keeps_nobody_out(void **state)
{
    struct rig *r = *state;
    enum { CROWD = 350 };
    int fds[CROWD];
    for (int i = 0; i < CROWD; i++) {
        fds[i] = http_client_connect(r->port);
        assert_true(fds[i] >= 0);
        if (i % 2)
            (void)http_client_send(fds[i], "GET /he", 7);
        if (i % 10 == 9)
            expect(r, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    }
    struct http_answer a = ask(r, "GET /metrics HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 200);
    const char *away = strstr(a.body, "\ntocsin_console_sent_away_total ");
    if (!away)
        fail_msg("%s", a.body);
    assert_true(strtol(strchr(away + 1, ' '), NULL, 10) >= CROWD - 256);
    http_answer_fini(&a);
    for (int i = 0; i < CROWD; i++)
        (void)close(fds[i]);
}

/* Half a body for ever is no better than none; who is being answered stays. */
static void test_slow_bodies_keep_nobody_out(void **state)
{
    struct rig *r = *state;
    enum { CROWD = 300 };
    int fds[CROWD];
    r->app.has_gate = true;
    struct asker asker = {.rig = r};
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_webhook, &asker), 0);
    wait_for_waiting(&r->app, 1);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = http_client_connect(r->port);
        assert_true(fds[i] >= 0);
        static const char half[] =
            "POST /v2/enqueue HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc";
        (void)http_client_send(fds[i], half, sizeof half - 1);
    }
    expect(r, "GET /healthz HTTP/1.1\r\n" HOST "\r\n", 200, NULL);
    open_gate(&r->app);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.status, 202);
    for (int i = 0; i < CROWD; i++)
        (void)close(fds[i]);
}

static void *close_console(void *argument)
{
    struct rig *r = argument;
    console_close(MOVE(r->console));
    return NULL;
}

static void test_closing_lets_requests_end(void **state)
{
    struct rig *r = *state;
    r->app.has_gate = true;
    struct asker asker = {.rig = r};
    pthread_t closer;
    assert_int_equal(pthread_create(&asker.thread, NULL, ask_webhook, &asker), 0);
    wait_for_waiting(&r->app, 1);
    assert_int_equal(pthread_create(&closer, NULL, close_console, r), 0);
    open_gate(&r->app);
    assert_int_equal(pthread_join(closer, NULL), 0);
    assert_int_equal(pthread_join(asker.thread, NULL), 0);
    assert_int_equal(asker.status, 202);
}

static void test_busy_port(void **state)
{
    struct rig *r = *state;
    struct console_options o = {.listen = text_of(console_address(r->console))};
    struct console *second = NULL;
    struct error err = {0};
    assert_int_equal(console_open(&o, &second, &err), STATUS_EXISTS);
    assert_non_null(strstr(err.text, "in use"));
    assert_null(second);
}

static void test_openapi_names_every_path(void **state)
{
    struct rig *r = *state;
    struct http_answer a = ask(r, "GET /api/v1/openapi.json HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(a.status, 200);
    json_t *doc = json_loadb(a.body, a.body_len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(doc);
    const json_t *paths = json_object_get(doc, "paths");
    assert_true(json_object_size(paths) >= 12);
    const json_t *verb =
        json_object_get(json_object_get(paths, "/api/v1/incidents/{id}/{verb}"), "post");
    assert_int_equal(json_array_size(json_object_get(verb, "parameters")), 2);
    const json_t *list = json_object_get(json_object_get(paths, "/api/v1/incidents"), "get");
    assert_int_equal(json_array_size(json_object_get(list, "parameters")), 6);
    assert_non_null(json_object_get(json_object_get(paths, "/api/v1/incidents"), "post"));
    json_decref(doc);
    http_answer_fini(&a);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    static const struct CMUnitTest plain[] = {
        EACH(test_health_and_readiness),
        EACH(test_metrics_are_told),
        EACH(test_every_answer_is_guarded),
        EACH(test_methods),
        EACH(test_command_reaches_the_record),
        EACH(test_command_is_json_and_well_formed),
        EACH(test_reload_says_what_is_wrong),
        EACH(test_webhook_is_handed_on),
        EACH(test_a_refusal_is_one_answer),
        EACH(test_the_head_alone_is_asked_first),
        EACH(test_the_budget_is_one),
        EACH(test_largest_body_is_taken),
        EACH(test_chunked_body_that_is_too_long),
        EACH(test_connection_is_kept),
        EACH(test_split_anywhere),
        EACH(test_waiting_calls_delay_no_other),
        EACH(test_idle_crowd_keeps_nobody_out),
        EACH(test_slow_bodies_keep_nobody_out),
        EACH(test_closing_lets_requests_end),
        EACH(test_busy_port),
        EACH(test_openapi_names_every_path),
    };
    enum { PLAIN = sizeof plain / sizeof *plain };
    struct CMUnitTest tests[PLAIN + ROWS];
    memcpy(tests, plain, sizeof plain);
    for (size_t i = 0; i < ROWS; i++)
        tests[PLAIN + i] = ROW(test_refused, &rows[i]);
    return cmocka_run_group_tests_name("test_console", tests, NULL, NULL);
}
