/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook_types.h"

/* The plain endpoint: JSON objects (one, an array, one a line), or lines of text. All of a request
 * is taken, or nothing of it. */

static const struct json_node *at_path(const struct json_node *n, struct text path)
{
    struct text rest = path;
    struct text key;
    while (n && text_split(&rest, '.', &key)) {
        char name[128];
        if (key.len >= sizeof name)
            return NULL;
        memcpy(name, key.at, key.len);
        name[key.len] = 0;
        n = json_tree_get(n, name);
    }
    return n;
}

/* The object behind what was written so far, with our names added where they are missing. */
static void write_mapped(struct webhook_call *call, const struct json_node *object)
{
    struct buffer *b = &call->scratch;
    uint32_t count = 0;
    const struct webhook_field *fields = webhook_fields(call->webhooks, &count);
    buffer_clear(b);
    json_tree_write(object, b);
    for (uint32_t i = 0; i < count && !b->has_failed; i++) {
        const struct json_node *value = at_path(object, fields[i].theirs);
        if (!value || at_path(object, fields[i].ours))
            continue;
        b->len--; /* the closing brace */
        json_write_name(b, fields[i].ours);
        json_tree_write(value, b);
        buffer_byte(b, '}');
    }
}

/* False: neither an object nor a text, or no room for it. */
static bool add_item(struct webhook_call *call, const struct json_node *item)
{
    if (json_tree_is_object(item)) {
        write_mapped(call, item);
        return !call->scratch.has_failed &&
               webhook_add_event(call, buffer_text(&call->scratch), FORMAT_JSON, TEXT_NONE);
    }
    struct text line = text_trim(json_tree_text(item));
    return line.len && webhook_add_event(call, line, FORMAT_AUTO, TEXT_NONE);
}

static bool add_items(struct webhook_call *call, const struct json_node *n)
{
    if (!json_tree_is_array(n))
        return add_item(call, n);
    for (size_t i = 0; i < json_tree_count(n); i++)
        if (!add_item(call, json_tree_item(n, i)))
            return false;
    return true;
}

static bool add_json_line(struct webhook_call *call, struct text line)
{
    AUTO(json_tree) tree = NULL;
    if (json_tree_parse(line, &tree, NULL) != STATUS_OK)
        return false;
    return add_items(call, json_tree_root(tree));
}

/* Lines: each an event. The number of the first bad one, or 0. */
static uint32_t add_lines(struct webhook_call *call, bool is_json)
{
    struct text rest = call->request->body;
    struct text line;
    uint32_t number = 0;
    while (text_split(&rest, '\n', &line)) {
        number++;
        line = text_trim(line);
        if (!line.len)
            continue;
        if (is_json ? !add_json_line(call, line)
                    : !webhook_add_event(call, line, FORMAT_AUTO, TEXT_NONE))
            return number;
    }
    return 0;
}

static void fail(struct webhook_call *call, uint32_t line, const char *why)
{
    bool is_too_many = call->refused > 0;
    uint32_t source = call->out->source;
    batch_reset(call->out);
    call->out->source = source;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_PLAIN, is_too_many ? 413 : 400,
                   is_too_many ? "more than 1024 events in one request: nothing was taken" : why);
    if (line && !is_too_many) {
        call->reply->body.len--;
        json_write_uint(&call->reply->body, "line", line);
        buffer_byte(&call->reply->body, '}');
    }
}

static void take(struct webhook_call *call)
{
    struct text type = call->request->content_type;
    AUTO(json_tree) tree = NULL;
    struct error err = {0};
    uint32_t bad = 0;
    struct text body = text_trim(call->request->body);
    /* some (AWS SNS) call their JSON plain text */
    bool may_be_json = body.len && (body.at[0] == '{' || body.at[0] == '[');
    if (text_starts(type, TEXT("text/plain")) && !may_be_json) {
        bad = add_lines(call, false);
    } else if (json_tree_parse(call->request->body, &tree, &err) == STATUS_OK) {
        if (!add_items(call, json_tree_root(tree))) {
            fail(call, 0, "want an object, an array of objects, or an object a line");
            return;
        }
    } else if (text_starts(type, TEXT("text/plain"))) {
        bad = add_lines(call, false);
    } else if (text_find_byte(body, '\n') < body.len) {
        bad = add_lines(call, true);
    } else {
        fail(call, 0, err.text);
        return;
    }
    if (bad) {
        fail(call, bad, "this line is no JSON object");
        return;
    }
    webhook_answer(call, 200, TEXT_NONE);
    json_write_open(&call->reply->body, NULL, '{');
    json_write_uint(&call->reply->body, "accepted", call->out->count);
    json_write_close(&call->reply->body, '}');
}

static const struct webhook_route routes[] = {
    {"POST", "/api/v1/events", WEBHOOK_PLAIN, false, take},
};

const struct webhook_type webhook_events_type = {"events", routes, 1};
