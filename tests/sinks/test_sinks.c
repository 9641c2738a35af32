/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "sinks/signature.h"
#include "sinks/sinks.h"
#include "tests/support/outcomes.h"
#include "tests/support/receiver.h"
#include "tests/support/table.h"
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define OK_ANSWER      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define ANSWER(status) "HTTP/1.1 " status " x\r\nContent-Length: 0\r\n\r\n"

static const struct text incident = {"{\"id\":\"inc_1\",\"priority\":\"P2\"}",
                                     sizeof "{\"id\":\"inc_1\",\"priority\":\"P2\"}" - 1};

struct rig {
    char dir[64];
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks;
};

static void rig_init(struct rig *r)
{
    *r = (struct rig){.dir = "/tmp/tocsin-sinks-XXXXXX"};
    assert_non_null(mkdtemp(r->dir));
    arena_init(&r->arena, 1 << 20);
    assert_true(outcomes_init(&r->outcomes));
}

static enum status rig_open(struct rig *r, const char *yaml, struct error *err)
{
    struct yaml_file file = {0};
    enum status status = yaml_parse(text_of(yaml), &r->arena, &file, err);
    if (status)
        return status;
    const struct yaml_node *root = file.count ? file.documents[0] : NULL;
    return sinks_open(&(struct sinks_options){.sinks = yaml_get(root, TEXT("sinks")),
                                              .routes = yaml_get(root, TEXT("routes")),
                                              .data_dir = r->dir,
                                              .settle = outcomes_settle,
                                              .context = &r->outcomes},
                      &r->sinks, err);
}

static void rig_run(struct rig *r, const char *yaml)
{
    struct error err = {0};
    if (rig_open(r, yaml, &err))
        fail_msg("%s (line %u)", err.text, err.line);
    assert_int_equal(sinks_start(r->sinks, NULL), STATUS_OK);
}

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static void rig_fini(struct rig *r)
{
    sinks_close(r->sinks);
    outcomes_fini(&r->outcomes);
    arena_fini(&r->arena);
    (void)nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static enum status offer(struct rig *r, const char *to, const char *id, bool may_be_duplicate)
{
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = text_of(id),
                                                              .destination = text_of(to),
                                                              .incident = TEXT("inc_1"),
                                                              .document = incident,
                                                              .kind = NOTICE_OPENED,
                                                              .priority = 2,
                                                              .may_be_duplicate = may_be_duplicate,
                                                              .queued_us = wall_clock_us()});
    assert_non_null(d);
    enum status status = sinks_send(r->sinks, d);
    if (status)
        delivery_free(d);
    return status;
}

static struct outcome *sent(struct rig *r, const char *to, const char *id)
{
    assert_int_equal(offer(r, to, id, false), STATUS_OK);
    struct outcome *o = outcomes_take(&r->outcomes);
    assert_non_null(o);
    return o;
}

static const char *read_file(struct rig *r, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", r->dir, name);
    char *at = arena_bytes(&r->arena, 65536);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && at);
    ssize_t len = read(fd, at, 65535);
    (void)close(fd);
    assert_true(len >= 0);
    at[len] = '\0';
    return at;
}

static void write_file(struct rig *r, const char *name, const char *content)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", r->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
}

/* ---- configuration ---- */

static const struct row {
    const char *name, *yaml, *want; /* what the error says */
    uint32_t line;
} rows[] = {
    {"refused: no such kind", "sinks:\n  - pager: {}", "'pager'", 2},
    {"refused: not a list", "sinks: {file: {}}", "want a list", 1},
    {"refused: two kinds in one item", "sinks:\n  - {file: {}, webhook: {}}", "- kind:", 2},
    {"refused: unknown key", "sinks:\n  - file:\n      paht: x", "'path'?", 3},
    {"refused: missing url", "sinks:\n  - webhook: {}", "url", 2},
    {"refused: ftp", "sinks:\n  - webhook: {url: 'ftp://h/x'}", "http://", 2},
    {"refused: file url", "sinks:\n  - webhook: {url: 'file:///etc/passwd'}", "http", 2},
    {"refused: no url", "sinks:\n  - webhook: {url: hook}", "http", 2},
    {"refused: password in the url", "sinks:\n  - webhook: {url: 'https://u:pw@h/x'}",
     "without user", 2},
    {"refused: missing secret", "sinks:\n  - webhook: {url: 'https://h/', secret_file: /no/such}",
     "/no/such", 2},
    {"refused: two of one name", "sinks:\n  - file: {name: a}\n  - file: {name: a, path: b}", "'a'",
     3},
    {"refused: odd name", "sinks:\n  - file: {name: 'a\"b'}", "name", 2},
    {"refused: unwritable path", "sinks:\n  - file: {path: /no/such/folder/x}", "/no/such/folder",
     2},
    {"refused: no address", "sinks:\n  - smtp: {server: h, from: soc, to: [a@b.c]}", "'soc'", 2},
    {"refused: header in an address",
     "sinks:\n  - smtp: {server: h, from: a@b.c, to: [\"a@b.c\\nBcc: d@e.f\"]}", "no mail address",
     2},
    {"refused: url as server", "sinks:\n  - smtp: {server: 'h/x', from: a@b.c, to: [a@b.c]}",
     "server", 2},
    {"refused: tls", "sinks:\n  - smtp: {server: h, from: a@b.c, to: a@b.c, tls: maybe}",
     "starttls", 2},
    {"refused: route to nobody", "sinks:\n  - file: {}\nroutes:\n  - {to: [mail]}", "'mail'", 4},
};

static void test_refused(void **state)
{
    const struct row *row = *state;
    struct rig r;
    rig_init(&r);
    struct error err = {0};
    assert_true(rig_open(&r, row->yaml, &err) != STATUS_OK);
    if (!strstr(err.text, row->want))
        fail_msg("the error says: %s", err.text);
    assert_null(strstr(err.text, "pw"));
    assert_int_equal(err.line, row->line);
    assert_null(r.sinks);
    rig_fini(&r);
}

static void test_names_and_routes(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r, "sinks:\n  - file\n  - file: {path: b}\n  - file: {path: c, name: third}\n");
    struct text to[DELIVERY_DESTINATIONS];
    assert_int_equal(sinks_route(r.sinks, &(struct notice){.priority = 3}, to), 3);
    assert_true(text_equal(to[0], TEXT("file")));
    assert_true(text_equal(to[1], TEXT("file2")));
    assert_true(text_equal(to[2], TEXT("third")));
    assert_int_equal(offer(&r, "fourth", "dlv_1", false), STATUS_NOTFOUND);
    rig_fini(&r);
}

static void test_nothing_said_is_one_file(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r, "");
    AUTO(outcome) o = sent(&r, "file", "dlv_1");
    assert_int_equal(o->state, DELIVERY_DELIVERED);
    assert_non_null(strstr(read_file(&r, "incidents.jsonl"), "\"dlv_1\""));
    rig_fini(&r);
}

static void test_options_are_printed_as_yaml(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct buffer out;
    buffer_init(&out, 1 << 16);
    sinks_print_options(&out);
    struct yaml_file file = {0};
    struct error err = {0};
    if (yaml_parse(buffer_text(&out), &r.arena, &file, &err))
        fail_msg("%s (line %u)", err.text, err.line);
    assert_int_equal(file.count, 1);
    assert_int_equal(file.documents[0]->kind, YAML_SEQUENCE);
    const struct yaml_node *kind = yaml_get(file.documents[0]->items[1], TEXT("webhook"));
    assert_non_null(yaml_get(kind, TEXT("secret_file")));
    const struct yaml_node *last = file.documents[0]->items[file.documents[0]->count - 1];
    const struct yaml_node *after = yaml_get(yaml_get(last, TEXT("KIND")), TEXT("breaker_after"));
    assert_true(after && text_equal(after->value, TEXT("5")));
    buffer_fini(&out);
    rig_fini(&r);
}

/* ---- file ---- */

static void test_file_holds_a_document_a_line(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r, "sinks: [file: {path: out.jsonl}]");
    outcome_free(sent(&r, "file", "dlv_1"));
    outcome_free(sent(&r, "file", "dlv_2"));
    const char *all = read_file(&r, "out.jsonl");
    const char *end = strchr(all, '\n');
    assert_non_null(end);
    json_t *one = json_loadb(all, (size_t)(end - all), JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(json_string_value(json_object_get(one, "type")), "incident.opened");
    assert_string_equal(json_string_value(json_object_get(one, "id")), "dlv_1");
    assert_int_equal(json_string_length(json_object_get(one, "time")), TIMESTAMP_LEN);
    json_t *inside = json_object_get(one, "incident");
    assert_string_equal(json_string_value(json_object_get(inside, "id")), "inc_1");
    json_decref(one);
    assert_non_null(strstr(end, "\"dlv_2\""));
    assert_int_equal(all[strlen(all) - 1], '\n');
    rig_fini(&r);
}

static void test_file_mends_half_a_line(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    write_file(&r, "out.jsonl", "{\"type\":\"incid");
    rig_run(&r, "sinks: [file: {path: out.jsonl}]");
    outcome_free(sent(&r, "file", "dlv_1"));
    const char *all = read_file(&r, "out.jsonl");
    assert_memory_equal(all, "{\"type\":\"incid\n{\"type\":", 23);
    rig_fini(&r);
}

static void test_file_knows_what_it_has(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r, "sinks: [file: {path: out.jsonl}]");
    outcome_free(sent(&r, "file", "dlv_1"));
    assert_int_equal(offer(&r, "file", "dlv_1", true), STATUS_OK);
    AUTO(outcome) again = outcomes_take(&r.outcomes);
    assert_int_equal(again->state, DELIVERY_DELIVERED);
    assert_int_equal(offer(&r, "file", "dlv_2", true), STATUS_OK);
    outcome_free(outcomes_take(&r.outcomes));
    const char *all = read_file(&r, "out.jsonl");
    assert_non_null(strstr(all, "dlv_1"));
    assert_null(strstr(strstr(all, "dlv_1") + 1, "dlv_1"));
    assert_non_null(strstr(all, "dlv_2"));
    rig_fini(&r);
}

static void test_file_follows_a_rotation(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r, "sinks: [file: {path: out.jsonl}]");
    outcome_free(sent(&r, "file", "dlv_1"));
    char from[128], to[128];
    (void)snprintf(from, sizeof from, "%s/out.jsonl", r.dir);
    (void)snprintf(to, sizeof to, "%s/out.jsonl.1", r.dir);
    assert_int_equal(rename(from, to), 0);
    outcome_free(sent(&r, "file", "dlv_2"));
    assert_null(strstr(read_file(&r, "out.jsonl"), "dlv_1"));
    assert_non_null(strstr(read_file(&r, "out.jsonl"), "dlv_2"));
    rig_fini(&r);
}

/* A full disk: /dev/full refuses every byte. */
static void test_file_that_cannot_grow_is_tried_again(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_run(&r,
            "sinks: [file: {path: /dev/full, retry: 1us, retry_ceiling: 1us, breaker_after: 0}]");
    AUTO(outcome) o = sent(&r, "file", "dlv_1");
    assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
    assert_non_null(strstr(o->detail.at, "space"));
    AUTO(outcome) again = outcomes_take(&r.outcomes);
    assert_int_equal(again->attempt, 2);
    rig_fini(&r);
}

/* ---- webhook ---- */

/* With waits of a microsecond, so that what is waited for is only an answer. */
#define FAST "retry: 1us, retry_ceiling: 1us, breaker_after: 0, allow_private: true"

static void webhook_run(struct rig *r, struct receiver *to, const char *options)
{
    char yaml[1024];
    assert_true(receiver_start(to));
    (void)snprintf(yaml, sizeof yaml,
                   "sinks:\n  - webhook: {url: 'http://127.0.0.1:%d/hook?token=t0p', %s}\n",
                   to->port, options);
    rig_run(r, yaml);
}

static void expect(struct rig *r, enum delivery_state state, uint32_t attempt, int http_status)
{
    AUTO(outcome) o = outcomes_take(&r->outcomes);
    assert_non_null(o);
    if (o->state != state)
        fail_msg("%s: %.*s", delivery_state_name(o->state), TEXT_ARG(o->detail));
    assert_int_equal(o->attempt, attempt);
    assert_int_equal(o->http_status, http_status);
    assert_null(strstr(o->detail.at, "t0p")); /* what stands in a URL may be a secret */
    assert_true(o->latency_us >= 0 && o->started_us > 0);
}

static void test_webhook_goes_through_every_answer(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {
        .answers = {ANSWER("500"), "HTTP/1.1 429 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
                    RECEIVER_RESET,
                    "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
                    "not HTTP at all\r\n\r\n", ANSWER("503"), OK_ANSWER},
        .answer_count = 7};
    webhook_run(&r, &to, FAST);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    expect(&r, DELIVERY_FAILED_TEMP, 1, 500);
    expect(&r, DELIVERY_FAILED_TEMP, 2, 429);
    expect(&r, DELIVERY_FAILED_TEMP, 3, 0);
    expect(&r, DELIVERY_FAILED_TEMP, 4, 302);
    expect(&r, DELIVERY_FAILED_TEMP, 5, 0);
    expect(&r, DELIVERY_FAILED_TEMP, 6, 503);
    expect(&r, DELIVERY_DELIVERED, 7, 200);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    assert_int_equal(to.count, 7); /* the redirect was not followed */
    const char *first = strstr(to.requests[0], "\r\n\r\n");
    const char *last = strstr(to.requests[6], "\r\n\r\n");
    assert_string_equal(first, last); /* the same body at every try */
    receiver_fini(&to);
    rig_fini(&r);
}

static void test_webhook_waits_as_it_was_told(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 429 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\nContent-Length: "
        "0\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct rig r;
        rig_init(&r);
        struct receiver to = {.answers = {answers[i]}, .answer_count = 1};
        webhook_run(&r, &to, "retry: 1us, retry_ceiling: 200s, allow_private: true");
        AUTO(outcome) o = sent(&r, "webhook", "dlv_1");
        assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
        int64_t wait_s = (o->next_us - o->started_us) / 1000000;
        assert_in_range(wait_s, i ? 199 : 119, i ? 215 : 135); /* the date is beyond the ceiling */
        sinks_close(MOVE(r.sinks));
        receiver_stop(&to);
        receiver_fini(&to);
        rig_fini(&r);
    }
}

static void test_webhook_refused_for_good(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {ANSWER("422"), OK_ANSWER}, .answer_count = 2};
    webhook_run(&r, &to, FAST);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    expect(&r, DELIVERY_FAILED_PERM, 1, 422);
    assert_int_equal(offer(&r, "webhook", "dlv_2", false), STATUS_OK);
    expect(&r, DELIVERY_DELIVERED, 1, 200);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    receiver_fini(&to);
    rig_fini(&r);
}

static void test_webhook_gone_is_called_no_more(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {ANSWER("410")}, .answer_count = 1};
    webhook_run(&r, &to, FAST);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    expect(&r, DELIVERY_FAILED_PERM, 1, 410);
    assert_int_equal(offer(&r, "webhook", "dlv_2", false), STATUS_OK);
    expect(&r, DELIVERY_FAILED_PERM, 0, 0);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    assert_int_equal(to.count, 1);
    receiver_fini(&to);
    rig_fini(&r);
}

static void test_webhook_that_says_nothing_times_out(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {RECEIVER_SILENT, OK_ANSWER}, .answer_count = 2};
    webhook_run(&r, &to, FAST ", timeout: 50ms");
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    expect(&r, DELIVERY_FAILED_TEMP, 1, 0);
    sinks_stop(r.sinks, 0);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    receiver_fini(&to);
    rig_fini(&r);
}

static void test_stop_abandons_a_request(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {RECEIVER_SILENT}, .answer_count = 1};
    webhook_run(&r, &to, FAST);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    sinks_stop(r.sinks, 100);
    /* tried and abandoned, or stopped before it was tried: then it stays in the outbox */
    struct mail *m = mailbox_take(&r.outcomes.mailbox, 0);
    if (m) {
        AUTO(outcome) o = CONTAINER_OF(m, struct outcome, mail);
        assert_int_equal(o->state, DELIVERY_FAILED_TEMP);
        assert_non_null(strstr(o->detail.at, "stopped"));
    }
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    receiver_fini(&to);
    rig_fini(&r);
}

static void test_webhook_answer_that_never_ends_is_cut(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    enum { LONG = 300000 };
    char *answer = malloc(LONG);
    assert_non_null(answer);
    int head = snprintf(answer, LONG, "HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
    memset(answer + head, 'x', (size_t)(LONG - head));
    answer[LONG - 1] = '\0';
    struct receiver to = {.answers = {answer}, .answer_count = 1};
    webhook_run(&r, &to, FAST);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    expect(&r, DELIVERY_DELIVERED, 1, 200);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    receiver_fini(&to);
    free(answer);
    rig_fini(&r);
}

static void test_webhook_reaches_no_private_address(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {OK_ANSWER}, .answer_count = 1};
    webhook_run(&r, &to, "retry: 1us");
    AUTO(outcome) o = sent(&r, "webhook", "dlv_1");
    assert_int_equal(o->state, DELIVERY_FAILED_PERM);
    assert_non_null(strstr(o->detail.at, "allow_private"));
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    assert_int_equal(to.count, 0);
    receiver_fini(&to);
    rig_fini(&r);
}

static struct text header_of(const char *request, const char *name)
{
    const char *at = strcasestr(request, name);
    assert_non_null(at);
    at += strlen(name);
    return text_trim((struct text){at, strcspn(at, "\r\n")});
}

static void test_webhook_is_signed_by_every_secret(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    write_file(&r, "new", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    write_file(&r, "old", "an old one\n");
    write_file(&r, "token", "t0ken\n");
    char options[512];
    (void)snprintf(options, sizeof options,
                   FAST ", secret_file: [%s/new, %s/old], bearer_file: %s/token", r.dir, r.dir,
                   r.dir);
    struct receiver to = {.answers = {OK_ANSWER}, .answer_count = 1};
    webhook_run(&r, &to, options);
    outcome_free(sent(&r, "webhook", "dlv_1"));
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    const char *request = to.requests[0];
    const char *body = strstr(request, "\r\n\r\n") + 4;
    int64_t timestamp_s = 0;
    assert_true(text_to_int64(header_of(request, "\r\nwebhook-timestamp:"), &timestamp_s));
    assert_true(text_equal(header_of(request, "\r\nwebhook-id:"), TEXT("dlv_1")));
    assert_true(text_equal(header_of(request, "\r\nauthorization:"), TEXT("Bearer t0ken")));
    assert_true(text_equal(header_of(request, "\r\ncontent-type:"), TEXT("application/json")));
    char one[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    char two[] = "an old one";
    struct secret_list secrets = {{{one, sizeof one - 1}, {two, sizeof two - 1}}, 2};
    struct buffer want;
    buffer_init(&want, 1024);
    assert_true(signature_write(&secrets, TEXT("dlv_1"), timestamp_s, text_of(body), &want));
    assert_true(text_equal(header_of(request, "\r\nwebhook-signature:"), buffer_text(&want)));
    buffer_fini(&want);
    receiver_fini(&to);
    rig_fini(&r);
}

/* One that is down or slow delays no other. */
static void test_destinations_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct receiver to = {.answers = {RECEIVER_SILENT}, .answer_count = 1};
    char yaml[256];
    assert_true(receiver_start(&to));
    (void)snprintf(yaml, sizeof yaml,
                   "sinks:\n  - webhook: {url: 'http://127.0.0.1:%d/', allow_private: true}\n"
                   "  - file: {path: out}\n",
                   to.port);
    rig_run(&r, yaml);
    assert_int_equal(offer(&r, "webhook", "dlv_1", false), STATUS_OK);
    for (int i = 0; i < 20; i++) {
        AUTO(outcome) o = sent(&r, "file", "dlv_2");
        assert_true(text_equal(o->destination, TEXT("file")));
        assert_int_equal(o->state, DELIVERY_DELIVERED);
    }
    sinks_stop(r.sinks, 0);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&to);
    receiver_fini(&to);
    rig_fini(&r);
}

int main(void)
{
    enum { COUNT = sizeof rows / sizeof *rows };
    static const struct CMUnitTest plain[] = {
        cmocka_unit_test(test_names_and_routes),
        cmocka_unit_test(test_nothing_said_is_one_file),
        cmocka_unit_test(test_options_are_printed_as_yaml),
        cmocka_unit_test(test_file_holds_a_document_a_line),
        cmocka_unit_test(test_file_mends_half_a_line),
        cmocka_unit_test(test_file_knows_what_it_has),
        cmocka_unit_test(test_file_follows_a_rotation),
        cmocka_unit_test(test_file_that_cannot_grow_is_tried_again),
        cmocka_unit_test(test_webhook_goes_through_every_answer),
        cmocka_unit_test(test_webhook_waits_as_it_was_told),
        cmocka_unit_test(test_webhook_refused_for_good),
        cmocka_unit_test(test_webhook_gone_is_called_no_more),
        cmocka_unit_test(test_webhook_that_says_nothing_times_out),
        cmocka_unit_test(test_stop_abandons_a_request),
        cmocka_unit_test(test_webhook_answer_that_never_ends_is_cut),
        cmocka_unit_test(test_webhook_reaches_no_private_address),
        cmocka_unit_test(test_webhook_is_signed_by_every_secret),
        cmocka_unit_test(test_destinations_do_not_wait_for_each_other),
    };
    enum { PLAIN = sizeof plain / sizeof *plain };
    struct CMUnitTest tests[PLAIN + COUNT];
    memcpy(tests, plain, sizeof plain);
    for (size_t i = 0; i < COUNT; i++)
        tests[PLAIN + i] = ROW(test_refused, &rows[i]);
    return cmocka_run_group_tests_name("test_sinks", tests, NULL, NULL);
}
