/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sink_http.h"
#include "base/secret.h"
#include "sinks/document.h"
#include "sinks/judge.h"
#include "sinks/preset.h"
#include "sinks/rendering.h"
#include "sinks/template.h"
#include "sinks/transfer.h"
#include "sinks/wording.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 16 << 20, BODY_BYTES = 1 << 20, URL_BYTES = 4096, HEADER_BYTES = 8192 };

struct http_options {
    struct sink_common common;
    struct text preset, ca_file;
    const struct yaml_node *with;
    int64_t timeout_us, connect_timeout_us;
    bool allow_private;
};
#define MEMBER(member) offsetof(struct http_options, member)
static const struct option rows[] = {
    {"preset", OPTION_TEXT, MEMBER(preset), NULL, 0, 0, NULL,
     "slack, slack-bot, teams, pagerduty, opsgenie, thehive, jira, servicenow, alertmanager, or a "
     "path."},
    {"with", OPTION_NODE, MEMBER(with), "", 0, 0, NULL,
     "What the preset asks for; secrets as NAME_file."},
    {"ca_file", OPTION_TEXT, MEMBER(ca_file), "", 0, 0, NULL,
     "Certificates to trust in place of the system's."},
    {"timeout", OPTION_DURATION, MEMBER(timeout_us), "15s", 1000, 600e6, NULL, "For each request."},
    {"connect_timeout", OPTION_DURATION, MEMBER(connect_timeout_us), "3s", 1000, 60e6, NULL,
     "For the connection alone."},
    {"allow_private", OPTION_BOOL, MEMBER(allow_private), "false", 0, 0, NULL,
     "May reach loopback and private addresses."},
};

struct sink_http {
    const struct preset *preset;
    struct text options[PRESET_OPTIONS];
    struct secret_list secrets[PRESET_OPTIONS];
    struct transfer *transfer;
    struct arena scratch; /* of one try */
};

/* ---- one try ---- */

/* A template as text with a NUL behind it; `at` is NULL where it does not fit. */
static struct text rendered(const struct template *t, struct rendering *r, struct arena *arena,
                            size_t max_bytes)
{
    struct template_scope scope = {r, rendering_find, rendering_map};
    struct buffer out;
    buffer_init(&out, max_bytes);
    template_write(t, &scope, arena, &out);
    struct text text = out.has_failed ? TEXT_NONE : arena_copy(arena, buffer_text(&out));
    buffer_fini(&out);
    return text;
}

static bool fill_request(const struct preset_request *q, struct rendering *r, struct arena *arena,
                         struct transfer_http *out)
{
    struct text url = rendered(q->url, r, arena, URL_BYTES);
    *out = (struct transfer_http){.method = arena_copy(arena, q->method).at,
                                  .url = url.at,
                                  .body = rendered(q->body, r, arena, BODY_BYTES)};
    bool is_whole = out->method && out->url && out->body.at;
    for (uint32_t i = 0; i < q->header_count; i++) {
        out->headers[i] = rendered(q->headers[i], r, arena, HEADER_BYTES).at;
        is_whole &= out->headers[i] != NULL;
    }
    return is_whole;
}

static bool is_ok_status(const struct preset_request *q, int code)
{
    if (!q->status_count)
        return code >= 200 && code <= 299;
    for (uint32_t i = 0; i < q->status_count; i++) {
        if (q->statuses[i] == code)
            return true;
    }
    return false;
}

/* Some systems say no with 200: what stands in the answer decides. */
static bool is_ok_answer(const struct preset_request *q, struct text body,
                         const struct document *answer, struct arena *arena)
{
    if (q->ok_body.len && !text_equal(text_trim(body), q->ok_body))
        return false;
    if (!q->ok_json.key.len)
        return true;
    return answer && text_equal(document_text(answer, q->ok_json.key, arena), q->ok_json.value);
}

static void say_why(const struct preset_request *q, const struct document *answer,
                    struct arena *arena, struct attempt *out)
{
    struct text why =
        answer && q->error_path.len ? document_text(answer, q->error_path, arena) : TEXT_NONE;
    size_t len = strlen(out->detail);
    for (size_t i = 0; i < why.len && len + 3 < sizeof out->detail; i++) {
        if (!i) {
            out->detail[len++] = ':';
            out->detail[len++] = ' ';
        }
        out->detail[len++] = why.at[i] >= ' ' && why.at[i] <= '~' ? why.at[i] : '?';
    }
    out->detail[len] = '\0';
}

static void judge(const struct sink_http *h, const struct preset_request *q,
                  const struct transfer_reply *reply, const struct document *answer,
                  struct attempt *out, struct arena *arena)
{
    judge_http(reply, out);
    bool is_ambiguous = reply->end == TRANSFER_AMBIGUOUS || reply->end == TRANSFER_ABANDONED;
    if (is_ambiguous && !h->preset->is_repeat_safe)
        out->state = DELIVERY_UNKNOWN;
    if (reply->end != TRANSFER_ANSWERED)
        return;
    bool is_good = is_ok_status(q, reply->code) && is_ok_answer(q, reply->body, answer, arena);
    if (is_good)
        kind_tell(out, h->preset->is_delivered ? DELIVERY_DELIVERED : DELIVERY_ACCEPTED,
                  "answered %d", reply->code);
    else if (out->state == DELIVERY_DELIVERED)
        kind_tell(out, DELIVERY_FAILED_TEMP, "answered %d, but not as success looks", reply->code);
    out->is_down =
        !is_good && (out->is_down || out->state == DELIVERY_FAILED_TEMP) && reply->code != 429;
    if (!is_good)
        say_why(q, answer, arena, out);
}

static void take(const struct preset_request *q, const struct document *answer, struct rendering *r,
                 struct arena *arena)
{
    for (uint32_t i = 0; answer && i < q->take_count; i++)
        r->taken[r->taken_count++] =
            (struct preset_pair){q->takes[i].key, document_text(answer, q->takes[i].value, arena)};
}

/* True when the next request may follow. */
static bool make(struct sink_http *h, const struct preset_request *q, struct rendering *r,
                 struct attempt *out)
{
    struct transfer_http request;
    struct transfer_reply reply;
    if (!fill_request(q, r, &h->scratch, &request)) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the request is larger than it may be");
        return false;
    }
    transfer_http(h->transfer, &request, &reply);
    AUTO(document) answer = NULL;
    enum status status = document_new(reply.body, &answer, NULL);
    (void)status; /* an answer that is no JSON object has nothing to take from */
    int http_status = reply.code;
    judge(h, q, &reply, answer, out, &h->scratch);
    out->http_status = http_status;
    take(q, answer, r, &h->scratch);
    return out->state == DELIVERY_DELIVERED || out->state == DELIVERY_ACCEPTED;
}

static bool is_wanted(const struct preset_request *q, const struct rendering *r)
{
    if (!(q->kinds >> r->delivery->kind & 1))
        return false;
    if (q->only_if.len && !rendering_taken(r, q->only_if).len)
        return false;
    return !q->unless.len || !rendering_taken(r, q->unless).len;
}

static void make_all(struct sink_http *h, struct rendering *r, struct attempt *out)
{
    kind_tell(out, DELIVERY_SUPPRESSED, "the preset has no request for this kind of notice");
    for (uint32_t i = 0; i < h->preset->request_count; i++) {
        const struct preset_request *q = &h->preset->requests[i];
        if (is_wanted(q, r) && !make(h, q, r, out))
            return;
    }
}

static void sink_attempt(void *sink, const struct delivery *d, int64_t now_us, struct attempt *out)
{
    (void)now_us;
    struct sink_http *h = sink;
    AUTO(document) document = NULL;
    if (document_new(d->document.len ? d->document : TEXT("{}"), &document, NULL)) {
        kind_tell(out, DELIVERY_FAILED_PERM, "the document is not a JSON object");
        return;
    }
    arena_reset(&h->scratch);
    struct buffer subject, facts;
    buffer_init(&subject, 4096);
    buffer_init(&facts, 64 << 10);
    wording_subject(d, document, &subject);
    wording_body(d, document, &facts);
    struct rendering r = {.preset = h->preset,
                          .options = h->options,
                          .delivery = d,
                          .document = document,
                          .subject = buffer_text(&subject),
                          .facts = buffer_text(&facts)};
    make_all(h, &r, out);
    buffer_fini(&subject);
    buffer_fini(&facts);
}

static void sink_abandon(void *sink)
{
    struct sink_http *h = sink;
    transfer_abandon(h->transfer);
}

static void sink_close(void *sink)
{
    struct sink_http *h = sink;
    if (!h)
        return;
    transfer_free(h->transfer);
    for (size_t i = 0; i < PRESET_OPTIONS; i++)
        secret_fini(&h->secrets[i]);
    arena_fini(&h->scratch);
    free(h);
}

/* ---- opening ---- */

static bool is_option(const struct preset *p, struct text key)
{
    for (uint32_t i = 0; i < p->option_count; i++) {
        struct text name = p->options[i].name;
        bool is_file = key.len == name.len + 5 && text_ends(key, TEXT("_file"));
        if (p->options[i].is_secret ? is_file && text_starts(key, name) : text_equal(key, name))
            return true;
    }
    return false;
}

static enum status check_with(const struct preset *p, const struct yaml_node *with,
                              struct error *err)
{
    if (with && with->kind != YAML_MAPPING)
        return error_set(err, STATUS_INVALID, with->line, "with: want key: value pairs");
    for (uint32_t i = 0; with && i < with->count; i++) {
        struct text key = with->pairs[i].key->value;
        if (!is_option(p, key))
            return error_set(err, STATUS_INVALID, with->pairs[i].key->line,
                             "with: the preset %.*s asks for no '%.*s'; secrets are said as "
                             "NAME_file",
                             TEXT_ARG(p->name), TEXT_ARG(text_head(key, 40)));
    }
    return STATUS_OK;
}

static enum status read_option(struct sink_http *h, uint32_t i, const struct yaml_node *with,
                               struct arena *arena, struct error *err)
{
    const struct preset_option *o = &h->preset->options[i];
    char key[128];
    (void)snprintf(key, sizeof key, "%.*s%s", TEXT_ARG(text_head(o->name, 100)),
                   o->is_secret ? "_file" : "");
    const struct yaml_node *node = yaml_get(with, text_of(key));
    if (!node && o->is_required)
        return error_set(err, STATUS_INVALID, with ? with->line : 0, "with: %s is required: %.*s",
                         key, TEXT_ARG(text_head(o->help, 100)));
    h->options[i] = arena_copy(arena, node ? node->value : o->fallback);
    if (!node || !o->is_secret)
        return STATUS_OK;
    enum status status = secret_load(&h->secrets[i], h->options[i].at, err);
    if (!status)
        h->options[i] = (struct text){h->secrets[i].items[0].at, h->secrets[i].items[0].len};
    return status;
}

static bool knows(const void *context, struct text path)
{
    return rendering_knows(context, path);
}

/* A name that a template cannot have is said at the start, not by a hole in the first message. */
static enum status check_names(const struct preset *p, struct error *err)
{
    struct text unknown = TEXT_NONE;
    for (uint32_t i = 0; i < p->request_count && !unknown.len; i++) {
        const struct preset_request *q = &p->requests[i];
        unknown = template_unknown(q->url, knows, p);
        if (!unknown.len)
            unknown = template_unknown(q->body, knows, p);
        for (uint32_t h = 0; h < q->header_count && !unknown.len; h++)
            unknown = template_unknown(q->headers[h], knows, p);
    }
    if (!unknown.len)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, 0, "preset %.*s: nothing is called '%.*s'",
                     TEXT_ARG(p->name), TEXT_ARG(text_head(unknown, 60)));
}

static enum status set_up(struct sink_http *h, const struct kind_setting *setting,
                          struct error *err)
{
    const struct http_options *o = setting->options;
    enum status status = preset_load(o->preset, setting->arena, &h->preset, err);
    if (!status)
        status = check_names(h->preset, err);
    if (!status)
        status = check_with(h->preset, o->with, err);
    for (uint32_t i = 0; !status && i < h->preset->option_count; i++)
        status = read_option(h, i, o->with, setting->arena, err);
    if (!status)
        status = transfer_new(&(struct transfer_options){.allow_private = o->allow_private,
                                                         .connect_us = o->connect_timeout_us,
                                                         .total_us = o->timeout_us,
                                                         .ca_file = o->ca_file},
                              &h->transfer, err);
    return status;
}

static enum status sink_open(const struct kind_setting *setting, void **out, struct error *err)
{
    struct sink_http *h = calloc(1, sizeof *h);
    if (!h)
        return error_set(err, STATUS_NOMEM, 0, "no memory for an http sink");
    arena_init(&h->scratch, SCRATCH_BYTES);
    enum status status = set_up(h, setting, err);
    if (status)
        sink_close(h);
    else
        *out = h;
    return status;
}

const struct sink_kind sink_http_kind = {
    .name = "http",
    .help =
        "Slack, Teams, PagerDuty, Opsgenie, TheHive, Jira, ServiceNow, Alertmanager, or a file.",
    .options = rows,
    .option_count = sizeof rows / sizeof *rows,
    .options_size = sizeof(struct http_options),
    .open = sink_open,
    .attempt = sink_attempt,
    .abandon = sink_abandon,
    .close = sink_close,
};
