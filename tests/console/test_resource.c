/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wall_clock.h"
#include "console/resource.h"
#include "tests/support/http_client.h"
#include "tests/support/table.h"
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HOST "Host: 127.0.0.1\r\n"

/* The API over a real record in a real redis-server. */
struct rig {
    char dir[64];
    struct redis_server *redis;
    struct incidents *record;
    struct console *console;
    int port;
};

static int run_command(void *context, struct text command, struct buffer *reply)
{
    struct rig *r = context;
    int status = incidents_command(r->record, command, wall_clock_us(), reply);
    (void)!incidents_poll(r->record, 5000);
    return status;
}

static bool no_webhook(void *context, const struct console_request *q, struct console_reply *reply)
{
    (void)context;
    (void)q;
    (void)reply;
    return false;
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    console_close(r->console);
    incidents_close(r->record);
    redis_server_stop(r->redis);
    (void)nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

static void open_all(struct rig *r)
{
    struct error err = {0};
    enum status status = redis_server_start(r->dir, &r->redis, &err);
    if (status == STATUS_NOTFOUND) {
        print_message("%s\n", err.text);
        skip();
    }
    assert_int_equal(status, STATUS_OK);
    struct incidents_options record = {.socket = redis_server_socket(r->redis),
                                       .threshold = 65,
                                       .half_life_us = INT64_C(86400000000),
                                       .max_pending = 1000};
    if (incidents_open(&record, &r->record, &err))
        fail_msg("%s", err.text);
    struct console_options o = {
        .listen = TEXT("127.0.0.1:0"),
        .calls = {.context = r, .command = run_command, .webhook = no_webhook},
        .record = record,
    };
    if (console_open(&o, &r->console, &err))
        fail_msg("%s", err.text);
    r->port = (int)strtol(strrchr(console_address(r->console), ':') + 1, NULL, 10);
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    if (!r)
        return -1;
    (void)snprintf(r->dir, sizeof r->dir, "/tmp/tocsin-api-XXXXXX");
    *state = r;
    return mkdtemp(r->dir) ? 0 : -1;
}

static json_t *ask(struct rig *r, const char *method, const char *path, const char *body,
                   int status)
{
    char request[1024];
    (void)snprintf(request, sizeof request,
                   "%s %s HTTP/1.1\r\n" HOST
                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   method, path, strlen(body), body);
    struct http_answer a = http_client_ask(r->port, request);
    if (a.status != status)
        fail_msg("%s %s: %d, want %d: %s", method, path, a.status, status, a.body ? a.body : "");
    json_t *json = json_loadb(a.body, a.body_len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        fail_msg("%s %s: not JSON: %s", method, path, a.body);
    http_answer_fini(&a);
    return json;
}

static const char *text_at(const json_t *from, const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    return text ? text : "";
}

static void test_incident_from_report_to_close(void **state)
{
    struct rig *r = *state;
    open_all(r);
    json_t *opened = ask(r, "POST", "/api/v1/incidents",
                         "{\"by\":\"ann\",\"title\":\"Odd mail\",\"severity\":\"high\"}", 201);
    char id[64], path[256];
    (void)snprintf(id, sizeof id, "%s", text_at(opened, "id"));
    assert_memory_equal(id, "inc_", 4);
    json_decref(opened);

    json_t *list = ask(r, "GET", "/api/v1/incidents?state=open&since=1h", "", 200);
    const json_t *first = json_array_get(json_object_get(list, "incidents"), 0);
    assert_string_equal(text_at(first, "id"), id);
    json_decref(list);

    (void)snprintf(path, sizeof path, "/api/v1/incidents/%s/ack", id);
    json_decref(ask(r, "POST", path, "{\"by\":\"bob\",\"note\":\"mine\"}", 200));
    (void)snprintf(path, sizeof path, "/api/v1/incidents/%s", id);
    json_t *one = ask(r, "GET", path, "", 200);
    const json_t *incident =
        json_object_get(one, "incident") ? json_object_get(one, "incident") : one;
    assert_string_equal(text_at(incident, "state"), "acknowledged");
    json_decref(one);

    json_decref(ask(r, "GET", "/api/v1/incidents/inc_nothing", "", 404));
    json_decref(ask(r, "POST", "/api/v1/incidents/inc_nothing/ack", "{\"by\":\"bob\"}", 404));
    (void)snprintf(path, sizeof path, "/api/v1/incidents/%s/dance", id);
    json_decref(ask(r, "POST", path, "{\"by\":\"bob\"}", 400));
}

static void test_reports(void **state)
{
    struct rig *r = *state;
    open_all(r);
    json_decref(ask(r, "GET", "/api/v1/report?since=7d&by=priority", "", 200));
    json_decref(ask(r, "GET", "/api/v1/handover", "", 200));
    json_t *verified = ask(r, "GET", "/api/v1/verify", "", 200);
    assert_true(json_is_true(json_object_get(verified, "ok")));
    json_decref(verified);
    json_decref(ask(r, "GET", "/api/v1/report?by=moon", "", 400));
    json_decref(ask(r, "GET", "/api/v1/report?since=yesterday", "", 400));
}

/* Many readers at once share the few views, and none is lost on the way. */
static void test_views_are_given_back(void **state)
{
    struct rig *r = *state;
    open_all(r);
    for (int i = 0; i < 50; i++) {
        json_decref(ask(r, "GET", "/api/v1/incidents", "", 200));
        json_decref(ask(r, "GET", "/api/v1/incidents/inc_nothing", "", 404));
    }
}

static void test_record_that_is_away(void **state)
{
    struct rig *r = *state;
    open_all(r);
    json_decref(ask(r, "GET", "/api/v1/incidents", "", 200));
    incidents_close(MOVE(r->record));
    redis_server_stop(MOVE(r->redis));
    json_t *said = ask(r, "GET", "/api/v1/incidents", "", 503);
    assert_true(text_at(said, "error")[0] != '\0');
    json_decref(said);
    json_decref(ask(r, "GET", "/healthz", "", 200));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_incident_from_report_to_close),
        EACH(test_reports),
        EACH(test_views_are_given_back),
        EACH(test_record_that_is_away),
    };
    return cmocka_run_group_tests_name("test_resource", tests, NULL, NULL);
}
