/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/json_split.h"
#include "ingest/webhook/webhook_types.h"

/*
 * Splunk's HTTP Event Collector. Objects come one behind the other, without anything between; each
 * is kept as it was sent, for the event path opens it. The first bad one ends the request: those
 * before it are taken, and its number is told.
 */

/* The codes of Splunk's own answers. */
enum { NO_DATA = 5, BAD_FORMAT = 6, NO_EVENT = 12, BLANK_EVENT = 13, NO_ACK = 14, BAD_FIELDS = 15 };

static void answer(struct webhook_call *call, int status, const char *text, int code)
{
    struct buffer *b = &call->reply->body;
    webhook_answer(call, status, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_string(b, "text", text_of(text));
    json_write_int(b, "code", code);
    json_write_close(b, '}');
}

static void refuse_event(struct webhook_call *call, int status, const char *text, int code)
{
    struct buffer *b = &call->reply->body;
    answer(call, status, text, code);
    b->len--; /* the closing brace */
    json_write_uint(b, "invalid-event-number", call->index);
    json_write_close(b, '}');
}

/* 0, or the code that says what is wrong with an event. */
static int fault_of(const struct json_node *object)
{
    const struct json_node *event = json_tree_get(object, "event");
    const struct json_node *fields = json_tree_get(object, "fields");
    const struct text line = json_tree_text(event);
    if (!event)
        return NO_EVENT;
    if (json_tree_is_null(event) || (line.at && !line.len))
        return BLANK_EVENT;
    return fields && !json_tree_is_object(fields) ? BAD_FIELDS : 0;
}

/* What says no source type has Splunk's own one, by which the event path knows the envelope. */
static void write_event(struct webhook_call *call, const struct json_node *object,
                        struct text source)
{
    struct buffer *b = &call->scratch;
    const bool is_known =
        json_tree_get(object, "sourcetype") != NULL || json_tree_get(object, "index") != NULL;
    buffer_clear(b);
    buffer_append(b, is_known ? source : text_head(source, source.len - 1));
    if (is_known)
        return;
    json_write_string(b, "sourcetype", TEXT("httpevent"));
    json_write_close(b, '}');
}

/* 0, or the code of the answer. */
static int add_event(struct webhook_call *call, struct text source)
{
    AUTO(json_tree) tree = NULL;
    uint64_t held = 0;
    if (webhook_parse(call, source, &tree, &held, NULL) != STATUS_OK)
        return BAD_FORMAT;
    const struct json_node *object = json_tree_root(tree);
    int fault = fault_of(object);
    if (!fault) {
        write_event(call, object, source);
        if (call->scratch.has_failed ||
            !webhook_add_event(call, buffer_text(&call->scratch), FORMAT_JSON, TEXT_NONE))
            fault = BAD_FORMAT;
    }
    webhook_release(call, held);
    return fault;
}

static const char *words_of(int code)
{
    switch (code) {
    case NO_EVENT:
        return "Event field is required";
    case BLANK_EVENT:
        return "Event field cannot be blank";
    case BAD_FIELDS:
        return "Error in handling indexed fields";
    default:
        return "Invalid data format";
    }
}

/* An event that found no room is too long: a batch goes on its way when it is full. */
static bool is_too_long(struct webhook_call *call)
{
    const bool is_long = call->refused > 0;
    call->refused = 0;
    return is_long;
}

static void take_events(struct webhook_call *call)
{
    struct text rest = text_trim(call->request->body);
    struct text source;
    if (!rest.len) {
        answer(call, 400, "No data", NO_DATA);
        return;
    }
    while (json_split_next(&rest, &source)) {
        const int fault = add_event(call, source);
        if (call->is_overloaded)
            return;
        if (fault) {
            refuse_event(call, is_too_long(call) ? 413 : 400, words_of(fault), fault);
            return;
        }
    }
    if (rest.len)
        refuse_event(call, 400, "Invalid data format", BAD_FORMAT);
    else
        answer(call, 200, "Success", 0);
}

/* A line with what the query says of all of them. */
static void write_line(struct webhook_call *call, struct text line)
{
    static const char *const names[] = {"host", "source", "sourcetype", "index", "time"};
    struct buffer *b = &call->scratch;
    buffer_clear(b);
    json_write_open(b, NULL, '{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const struct text value = webhook_query(call, names[i]);
        if (value.len)
            json_write_string(b, names[i], value);
    }
    if (b->len == 1)
        json_write_string(b, "sourcetype", TEXT("httpevent"));
    json_write_string(b, "event", line);
    json_write_close(b, '}');
}

static void take_lines(struct webhook_call *call)
{
    struct text rest = call->request->body;
    struct text line;
    const bool is_said = webhook_query(call, "host").len || webhook_query(call, "sourcetype").len ||
                         webhook_query(call, "index").len;
    while (text_split(&rest, '\n', &line)) {
        line = text_trim(line);
        if (!line.len)
            continue;
        if (is_said)
            write_line(call, line);
        const struct text raw = is_said ? buffer_text(&call->scratch) : line;
        const bool is_written = !is_said || !call->scratch.has_failed;
        if (is_written &&
            webhook_add_event(call, raw, is_said ? FORMAT_JSON : FORMAT_AUTO, TEXT_NONE))
            continue;
        if (call->is_overloaded)
            return;
        (void)is_too_long(call);
        refuse_event(call, 413, "Invalid data format", BAD_FORMAT);
        return;
    }
    if (call->index)
        answer(call, 200, "Success", 0);
    else
        answer(call, 400, "No data", NO_DATA);
}

static void take_health(struct webhook_call *call)
{
    answer(call, 200, "HEC is healthy", 17);
}

/* What is answered is on disk: there is nothing to ask for later. */
static void take_ack(struct webhook_call *call)
{
    answer(call, 400, "ACK is disabled", NO_ACK);
}

static const struct webhook_route routes[] = {
    {"POST", "/services/collector", WEBHOOK_SPLUNK, false, take_events},
    {"POST", "/services/collector/event", WEBHOOK_SPLUNK, false, take_events},
    {"POST", "/services/collector/event/1.0", WEBHOOK_SPLUNK, false, take_events},
    {"POST", "/services/collector/raw", WEBHOOK_SPLUNK, false, take_lines},
    {"POST", "/services/collector/raw/1.0", WEBHOOK_SPLUNK, false, take_lines},
    {"POST", "/services/collector/ack", WEBHOOK_SPLUNK, false, take_ack},
    {"GET HEAD", "/services/collector/health", WEBHOOK_SPLUNK, false, take_health},
    {"GET HEAD", "/services/collector/health/1.0", WEBHOOK_SPLUNK, false, take_health},
    /* Docker's driver looks whether there is a collector */
    {"OPTIONS", "/services/collector/event/1.0", WEBHOOK_SPLUNK, false, take_health},
};

const struct webhook_type webhook_splunk_type = {"splunk", routes, sizeof routes / sizeof *routes};
