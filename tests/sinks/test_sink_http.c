/* SPDX-License-Identifier: Apache-2.0 */
#include "base/timestamp.h"
#include "base/wall_clock.h"
#include "sinks/preset.h"
#include "sinks/sink_http.h"
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

#define JSON(status, length, body)                                                                 \
    "HTTP/1.1 " status " x\r\nContent-Type: application/json\r\nContent-Length: " length           \
    "\r\n\r\n" body

/* A title, a value and a log line that try to leave their place in every medium there is. */
static const char document[] =
    "{\"id\":\"inc_1\",\"title\":\"Guess \\\"ing\\\" <!channel>\\r\\nX: y {{option.key}}\","
    "\"category\":\"security\",\"score\":70.5,\"state\":\"open\","
    "\"entities\":[{\"kind\":\"address\",\"value\":\"192.0.2.7\\\"}\"}],"
    "\"contributions\":[{\"rule\":\"ssh-guessing\",\"tactic\":\"credential-access\",\"p\":0.27}],"
    "\"times\":{\"opened\":\"2026-11-22T06:00:00.000000Z\"},"
    "\"evidence\":[{\"position\":1,\"line\":\"GET http://evil.example/ {noformat} [x](y)\"}]}";

static const struct row {
    const char *name, *preset, *with; /* URL and DIR are put in, as in `pieces` */
    enum notice_kind kind;
    const char *answers[4];
    enum delivery_state want;
    const char *pieces[6]; /* what some request holds */
    size_t requests;
} rows[] = {
    {"slack: told",
     "slack",
     "url_file: DIR/url",
     NOTICE_OPENED,
     {JSON("200", "2", "ok")},
     DELIVERY_ACCEPTED,
     {"POST /hook ", "\"text\": \":warning: [P2] opened: Guess \\\"ing\\\" "
                     "&lt;!channel&gt;"},
     1},
    {"slack: 200 with other words",
     "slack",
     "url_file: DIR/url",
     NOTICE_OPENED,
     {JSON("200", "10", "no_service")},
     DELIVERY_FAILED_TEMP,
     {0},
     1},
    {"slack: silence is unknown",
     "slack",
     "url_file: DIR/url",
     NOTICE_OPENED,
     {RECEIVER_RESET},
     DELIVERY_UNKNOWN,
     {0},
     1},
    {"slack-bot: told",
     "slack-bot",
     "{token_file: DIR/secret, channel: C1, url: URL/post}",
     NOTICE_RESOLVED,
     {JSON("200", "11", "{\"ok\":true}")},
     DELIVERY_ACCEPTED,
     {"POST /post ", "Authorization: Bearer s3cret", "\"channel\": \"C1\""},
     1},
    {"slack-bot: 200 with ok false",
     "slack-bot",
     "{token_file: DIR/secret, channel: C1, url: URL/post}",
     NOTICE_OPENED,
     {JSON("200", "38", "{\"ok\":false,\"error\":\"channel_missing\"}")},
     DELIVERY_FAILED_TEMP,
     {0},
     1},
    {"teams: told",
     "teams",
     "url_file: DIR/url",
     NOTICE_OPENED,
     {JSON("202", "0", "")},
     DELIVERY_ACCEPTED,
     {"AdaptiveCard", "\"color\": \"warning\"", "\\\\<\\\\!channel\\\\>"},
     1},
    {"pagerduty: trigger",
     "pagerduty",
     "{routing_key_file: DIR/secret, url: URL/v2/enqueue}",
     NOTICE_OPENED,
     {JSON("202", "20", "{\"status\":\"success\"}")},
     DELIVERY_ACCEPTED,
     {"\"event_action\": \"trigger\"", "\"dedup_key\": \"tocsin/inc_1\"", "\"score\": 70.5",
      "\"severity\": \"error\"", "\"routing_key\": \"s3cret\""},
     1},
    {"pagerduty: resolve",
     "pagerduty",
     "{routing_key_file: DIR/secret, url: URL/v2/enqueue}",
     NOTICE_CLOSED,
     {JSON("202", "20", "{\"status\":\"success\"}")},
     DELIVERY_ACCEPTED,
     {"\"event_action\": \"resolve\"", "\"dedup_key\": \"tocsin/inc_1\""},
     1},
    {"pagerduty: silence may be repeated",
     "pagerduty",
     "{routing_key_file: DIR/secret, url: URL/v2/enqueue}",
     NOTICE_OPENED,
     {RECEIVER_RESET},
     DELIVERY_FAILED_TEMP,
     {0},
     1},
    {"pagerduty: a digest is an alert of its own",
     "pagerduty",
     "{routing_key_file: DIR/secret, url: URL/v2/enqueue}",
     NOTICE_DIGEST,
     {JSON("202", "20", "{\"status\":\"success\"}")},
     DELIVERY_ACCEPTED,
     {"\"event_action\": \"trigger\"", "\"dedup_key\": \"tocsin/dlv_1\"", "[P2] digest: "},
     1},
    {"thehive: nothing to say",
     "thehive",
     "{key_file: DIR/secret, url: URL}",
     NOTICE_DIGEST,
     {JSON("201", "0", "")},
     DELIVERY_SUPPRESSED,
     {0},
     0},
    {"opsgenie: create",
     "opsgenie",
     "{key_file: DIR/secret, url: URL}",
     NOTICE_OPENED,
     {JSON("202", "0", "")},
     DELIVERY_ACCEPTED,
     {"POST /v2/alerts ", "Authorization: GenieKey s3cret", "\"alias\": \"tocsin/inc_1\""},
     1},
    {"opsgenie: close",
     "opsgenie",
     "{key_file: DIR/secret, url: URL}",
     NOTICE_RESOLVED,
     {JSON("202", "0", "")},
     DELIVERY_ACCEPTED,
     {"POST /v2/alerts/tocsin%2Finc_1/close?identifierType=alias "},
     1},
    {"thehive: alert",
     "thehive",
     "{key_file: DIR/secret, url: URL}",
     NOTICE_OPENED,
     {JSON("201", "2", "{}")},
     DELIVERY_DELIVERED,
     {"POST /api/v1/alert ", "\"sourceRef\": \"inc_1-opened\"", "\"severity\": 3",
      "\"date\": MILLIS"},
     1},
    {"thehive: refused",
     "thehive",
     "{key_file: DIR/secret, url: URL}",
     NOTICE_OPENED,
     {JSON("400", "26", "{\"message\":\"duplicate one\"}")},
     DELIVERY_FAILED_PERM,
     {0},
     1},
    {"jira: searched for, then made",
     "jira",
     "{login_file: DIR/secret, url: URL, project: SOC}",
     NOTICE_OPENED,
     {JSON("200", "13", "{\"issues\":[]}"), JSON("201", "15", "{\"key\":\"SOC-1\"}")},
     DELIVERY_DELIVERED,
     {"POST /rest/api/2/search ", "POST /rest/api/2/issue ", "Authorization: Basic czNjcmV0",
      "labels=\\\"tocsin-inc_1\\\"", "\\\\{noformat\\\\}"},
     2},
    {"jira: found, so told and moved on",
     "jira",
     "{login_file: DIR/secret, url: URL, project: SOC}",
     NOTICE_RESOLVED,
     {JSON("200", "28", "{\"issues\":[{\"key\":\"SOC-7\"}]} "), JSON("201", "2", "{}"),
      JSON("204", "0", "")},
     DELIVERY_DELIVERED,
     {"POST /rest/api/2/issue/SOC-7/comment ", "POST /rest/api/2/issue/SOC-7/transitions ",
      "{\"transition\": {\"id\": \"31\"}}"},
     3},
    {"jira: the search fails",
     "jira",
     "{login_file: DIR/secret, url: URL, project: SOC}",
     NOTICE_OPENED,
     {JSON("503", "0", "")},
     DELIVERY_FAILED_TEMP,
     {0},
     1},
    {"servicenow: made",
     "servicenow",
     "{login_file: DIR/secret, url: URL}",
     NOTICE_OPENED,
     {JSON("200", "13", "{\"result\":[]}"), JSON("201", "2", "{}")},
     DELIVERY_DELIVERED,
     {"GET /api/now/table/incident?sysparm_query=correlation_id%3Dtocsin-inc_1&",
      "POST /api/now/table/incident ", "\"urgency\": \"1\""},
     2},
    {"servicenow: closed",
     "servicenow",
     "{login_file: DIR/secret, url: URL}",
     NOTICE_CLOSED,
     {JSON("200", "29", "{\"result\":[{\"sys_id\":\"abc\"}]}"), JSON("200", "2", "{}")},
     DELIVERY_DELIVERED,
     {"PATCH /api/now/table/incident/abc ", "\"state\": \"6\""},
     2},
    {"alertmanager: fires",
     "alertmanager",
     "url: URL",
     NOTICE_OPENED,
     {JSON("200", "0", "")},
     DELIVERY_ACCEPTED,
     {"POST /api/v2/alerts ", "\"incident\": \"inc_1\"", "\"startsAt\": \"2026-11-22T06:00:00"},
     1},
    {"alertmanager: resolves",
     "alertmanager",
     "url: URL",
     NOTICE_RESOLVED,
     {JSON("200", "0", "")},
     DELIVERY_ACCEPTED,
     {"\"endsAt\": \"QUEUED\""},
     1},
};

struct rig {
    char dir[64];
    struct arena arena;
    struct outcomes outcomes;
    struct sinks *sinks;
    struct receiver to;
    int64_t queued_us; /* when its delivery was queued */
};

static int remove_one(const char *path, const struct stat *s, int flag, struct FTW *f)
{
    (void)s;
    (void)flag;
    (void)f;
    return remove(path);
}

static void write_file(const struct rig *r, const char *name, const char *content)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", r->dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    (void)close(fd);
}

static void rig_init(struct rig *r, const char *const *answers)
{
    *r = (struct rig){.dir = "/tmp/tocsin-http-XXXXXX", .queued_us = wall_clock_us()};
    assert_non_null(mkdtemp(r->dir));
    arena_init(&r->arena, 8 << 20);
    assert_true(outcomes_init(&r->outcomes));
    for (size_t i = 0; i < 4 && answers[i]; i++)
        r->to.answers[r->to.answer_count++] = answers[i];
    assert_true(receiver_start(&r->to));
    char url[64];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/hook\n", r->to.port);
    write_file(r, "url", url);
    write_file(r, "secret", "s3cret\n");
}

static void rig_fini(struct rig *r)
{
    receiver_fini(&r->to);
    outcomes_fini(&r->outcomes);
    arena_fini(&r->arena);
    (void)nftw(r->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "URL", "DIR", "QUEUED" and "MILLIS" become what they are in this run. */
static struct text put_in(struct rig *r, const char *with)
{
    char url[64], queued[TIMESTAMP_LEN + 1], millis[32];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", r->to.port);
    timestamp_format(r->queued_us, queued);
    (void)snprintf(millis, sizeof millis, "%lld", (long long)(r->queued_us / 1000));
    const struct {
        const char *name, *value;
    } words[] = {{"URL", url}, {"DIR", r->dir}, {"QUEUED", queued}, {"MILLIS", millis}};
    struct buffer out;
    buffer_init(&out, 4096);
    while (*with) {
        const char *value = NULL;
        for (size_t i = 0; !value && i < sizeof words / sizeof *words; i++) {
            if (strncmp(with, words[i].name, strlen(words[i].name)))
                continue;
            value = words[i].value;
            with += strlen(words[i].name);
        }
        if (value)
            buffer_printf(&out, "%s", value);
        else
            buffer_byte(&out, *with++);
    }
    struct text text = arena_copy(&r->arena, buffer_text(&out));
    buffer_fini(&out);
    return text;
}

static enum status rig_open(struct rig *r, const char *preset, const char *with, struct error *err)
{
    char yaml[2048];
    struct text values = put_in(r, with);
    bool is_braced = values.len && values.at[0] == '{';
    (void)snprintf(
        yaml, sizeof yaml,
        "sinks:\n  - http: {preset: %s, retry: 1h, allow_private: true, with: %s%.*s%s}\n", preset,
        is_braced ? "" : "{", TEXT_ARG(values), is_braced ? "" : "}");
    struct yaml_file file = {0};
    enum status status = yaml_parse(text_of(yaml), &r->arena, &file, err);
    if (status)
        return status;
    return sinks_open(&(struct sinks_options){.sinks = yaml_get(file.documents[0], TEXT("sinks")),
                                              .data_dir = r->dir,
                                              .settle = outcomes_settle,
                                              .context = &r->outcomes},
                      &r->sinks, err);
}

/* A body that says it is JSON is JSON, whatever was put in. */
static void check_body(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    assert_non_null(body);
    body += 4;
    if (!*body || !strcasestr(request, "content-type: application/json"))
        return;
    json_error_t why;
    json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, &why);
    if (!json)
        fail_msg("%s at %d: %s", why.text, why.position, body);
    json_decref(json);
    assert_null(strstr(body, "http://evil.example"));
}

static void check_pieces(const struct row *row, struct rig *r)
{
    const struct receiver *to = &r->to;
    for (size_t p = 0; p < 6 && row->pieces[p]; p++) {
        bool is_found = false;
        struct text piece = put_in(r, row->pieces[p]);
        for (size_t i = 0; i < to->count; i++)
            is_found |= strstr(to->requests[i], piece.at) != NULL;
        if (!is_found)
            fail_msg("no request holds %s; the last is %s", piece.at,
                     to->count ? to->requests[to->count - 1] : "none");
    }
}

static void test_preset(void **state)
{
    const struct row *row = *state;
    struct rig r;
    struct error err = {0};
    rig_init(&r, row->answers);
    if (rig_open(&r, row->preset, row->with, &err))
        fail_msg("%s", err.text);
    assert_int_equal(sinks_start(r.sinks, NULL), STATUS_OK);
    bool is_about_one = row->kind != NOTICE_DIGEST;
    struct delivery *d =
        outcomes_delivery(&(struct delivery){.id = TEXT("dlv_1"),
                                             .destination = TEXT("http"),
                                             .incident = is_about_one ? TEXT("inc_1") : TEXT_NONE,
                                             .document = text_of(document),
                                             .kind = row->kind,
                                             .priority = 2,
                                             .queued_us = r.queued_us});
    assert_non_null(d);
    assert_int_equal(sinks_send(r.sinks, d), STATUS_OK);
    AUTO(outcome) o = outcomes_take(&r.outcomes);
    assert_non_null(o);
    sinks_close(MOVE(r.sinks));
    receiver_stop(&r.to);
    if (o->state != row->want)
        fail_msg("%s: %.*s", delivery_state_name(o->state), TEXT_ARG(o->detail));
    assert_null(strstr(o->detail.at, "s3cret"));
    assert_int_equal(r.to.count, row->requests);
    for (size_t i = 0; i < r.to.count; i++)
        check_body(r.to.requests[i]);
    check_pieces(row, &r);
    rig_fini(&r);
}

static void test_answer_says_why(void **state)
{
    (void)state;
    static const char *const answers[] = {
        JSON("200", "38", "{\"ok\":false,\"error\":\"channel_missing\"}"), NULL};
    struct rig r;
    rig_init(&r, answers);
    struct error err = {0};
    if (rig_open(&r, "slack-bot", "{token_file: DIR/secret, channel: C1, url: URL/post}", &err))
        fail_msg("%s", err.text);
    assert_int_equal(sinks_start(r.sinks, NULL), STATUS_OK);
    struct delivery *d = outcomes_delivery(&(struct delivery){.id = TEXT("dlv_1"),
                                                              .destination = TEXT("http"),
                                                              .document = text_of(document),
                                                              .queued_us = r.queued_us});
    assert_int_equal(sinks_send(r.sinks, d), STATUS_OK);
    AUTO(outcome) o = outcomes_take(&r.outcomes);
    assert_non_null(strstr(o->detail.at, "channel_missing"));
    sinks_close(MOVE(r.sinks));
    receiver_stop(&r.to);
    rig_fini(&r);
}

static const struct bad {
    const char *name, *preset, *with, *want;
} bads[] = {
    {"refused: no such preset", "pager", "{}", "slack"},
    {"refused: missing value", "jira", "{url: URL, login_file: DIR/secret}", "project"},
    {"refused: missing secret", "slack", "{}", "url_file"},
    {"refused: a secret said openly", "slack", "{url: URL}", "NAME_file"},
    {"refused: unknown value", "alertmanager", "{url: URL, colour: red}", "'colour'"},
    {"refused: no such file", "DIR/none.yml", "{}", "none.yml"},
    {"refused: a name nothing has", "DIR/typo.yml", "{}", "'subjct'"},
    {"refused: a template left open", "DIR/open.yml", "{}", "{{"},
    {"refused: an unknown key", "DIR/key.yml", "{}", "'bdy'"},
};

static void test_refused(void **state)
{
    const struct bad *row = *state;
    static const char *const answers[] = {JSON("200", "0", ""), NULL};
    struct rig r;
    rig_init(&r, answers);
    write_file(&r, "typo.yml", "preset: t\nrequests: [{url: 'http://h/', body: '{{subjct}}'}]\n");
    write_file(&r, "open.yml", "preset: t\nrequests: [{url: 'http://h/{{subject'}]\n");
    write_file(&r, "key.yml", "preset: t\nrequests: [{url: 'http://h/', bdy: x}]\n");
    struct error err = {0};
    assert_true(rig_open(&r, put_in(&r, row->preset).at, row->with, &err) != STATUS_OK);
    if (!strstr(err.text, row->want))
        fail_msg("the error says: %s", err.text);
    receiver_stop(&r.to);
    rig_fini(&r);
}

int main(void)
{
    enum { ROWS = sizeof rows / sizeof *rows, BADS = sizeof bads / sizeof *bads };
    struct CMUnitTest tests[ROWS + BADS + 1];
    for (size_t i = 0; i < ROWS; i++)
        tests[i] = ROW(test_preset, &rows[i]);
    for (size_t i = 0; i < BADS; i++)
        tests[ROWS + i] = ROW(test_refused, &bads[i]);
    tests[ROWS + BADS] = (struct CMUnitTest)cmocka_unit_test(test_answer_says_why);
    return cmocka_run_group_tests_name("test_sink_http", tests, NULL, NULL);
}
