/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/webhook_types.h"

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
    const struct webhook_field *fields = call->fields;
    buffer_clear(b);
    json_tree_write(object, b);
    for (uint32_t i = 0; i < call->field_count && !b->has_failed; i++) {
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

/*
 * What cloud services wrap their events in: {"Records":[..]} (CloudTrail), {"records":[..]}
 * (Azure),
 * {"value":[..]} (Graph), with nothing beside it but what the protocol says of itself
 * ("@odata..."). Each is an event of its own. NULL: no such thing.
 */
struct wrapping {
    const struct json_node *list;
    size_t others;
};

static void look_at_member(void *context, struct text name, const struct json_node *value)
{
    struct wrapping *w = context;
    bool is_list = text_equal_nocase(name, TEXT("records")) || text_equal(name, TEXT("value"));
    if (is_list && json_tree_is_array(value) && json_tree_is_object(json_tree_item(value, 0)))
        w->list = value;
    else
        w->others += !text_starts(name, TEXT("@"));
}

static const struct json_node *unwrap(const struct json_node *n)
{
    struct wrapping w = {0};
    json_tree_each(n, look_at_member, &w);
    for (size_t i = 0; w.list && i < json_tree_count(w.list); i++)
        if (!json_tree_is_object(json_tree_item(w.list, i)))
            return NULL;
    return w.others ? NULL : w.list;
}

static bool add_items(struct webhook_call *call, const struct json_node *n)
{
    const struct json_node *wrapped = json_tree_is_object(n) ? unwrap(n) : NULL;
    const struct json_node *list = wrapped ? wrapped : n;
    if (!json_tree_is_array(list))
        return add_item(call, list);
    for (size_t i = 0; i < json_tree_count(list); i++)
        if (!add_item(call, json_tree_item(list, i)))
            return false;
    return true;
}

static bool add_json_line(struct webhook_call *call, struct text line)
{
    AUTO(json_tree) tree = NULL;
    uint64_t held = 0;
    if (webhook_parse(call, line, &tree, &held, NULL) != STATUS_OK)
        return false;
    bool is_added = add_items(call, json_tree_root(tree));
    webhook_release(call, held);
    return is_added;
}

/* Lines: each an event. False with call->line being the first bad one. */
static bool add_lines(struct webhook_call *call, bool is_json)
{
    struct text rest = call->request->body;
    struct text line;
    call->line = 0;
    while (text_split(&rest, '\n', &line)) {
        call->line++;
        line = text_trim(line);
        if (!line.len)
            continue;
        if (is_json ? !add_json_line(call, line)
                    : !webhook_add_event(call, line, FORMAT_AUTO, TEXT_NONE))
            return false;
    }
    return true;
}

static bool add_text_lines(struct webhook_call *call)
{
    return add_lines(call, false);
}

static bool add_json_lines(struct webhook_call *call)
{
    return add_lines(call, true);
}

static bool add_document(struct webhook_call *call)
{
    return add_items(call, json_tree_root(call->tree));
}

static void fail(struct webhook_call *call, bool is_line, int status, const char *why)
{
    bool is_too_many = call->refused > 0;
    call->refused = 0;
    webhook_reject(call, WEBHOOK_PLAIN, is_too_many ? 413 : status,
                   is_too_many ? webhook_too_many(call) : why);
    if (is_line && !is_too_many) {
        call->reply->body.len--;
        json_write_uint(&call->reply->body, "line", call->line);
        buffer_byte(&call->reply->body, '}');
    }
}

static void take(struct webhook_call *call)
{
    struct text type = call->request->content_type;
    struct error err = {0};
    struct text body = text_trim(call->request->body);
    bool is_text = text_starts(type, TEXT("text/plain"));
    /* some (AWS SNS) call their JSON plain text */
    bool may_be_json = body.len && (body.at[0] == '{' || body.at[0] == '[');
    enum status status = STATUS_SYNTAX;
    if (!is_text || may_be_json)
        status = webhook_parse(call, call->request->body, &call->tree, &call->tree_bytes, &err);
    if (call->is_overloaded)
        return;
    bool is_document = status == STATUS_OK;
    bool is_line = text_find_byte(body, '\n') == body.len;
    bool (*add)(struct webhook_call *) = add_json_lines;
    if (is_document)
        add = add_document;
    else if (is_text)
        add = add_text_lines;
    else if (is_line || (status == STATUS_LIMIT && body.at[0] == '[')) {
        fail(call, false, webhook_parse_status(status, 400), err.text);
        return;
    }
    if (!webhook_add_whole(call, add)) {
        fail(call, !is_document, 400,
             is_document ? "want an object, an array of objects, or an object a line"
                         : "this line is no JSON object");
        return;
    }
    webhook_answer(call, 200, TEXT_NONE);
    json_write_open(&call->reply->body, NULL, '{');
    json_write_uint(&call->reply->body, "accepted", call->index);
    json_write_close(&call->reply->body, '}');
}

static const struct webhook_route routes[] = {
    {"POST", "/api/v1/events", WEBHOOK_PLAIN, false, take},
};

const struct webhook_type webhook_events_type = {"events", routes, 1};
