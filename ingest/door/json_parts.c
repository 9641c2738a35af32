/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/json_parts.h"
#include "ingest/door/json_list.h"
#include <string.h>

struct walk {
    uint32_t most, count;
    struct buffer *scratch;
    json_part_fn give;
    void *context;
};

static struct text trim_front(struct text t)
{
    size_t i = 0;
    while (i < t.len && (t.at[i] == ' ' || t.at[i] == '\n' || t.at[i] == '\r' || t.at[i] == '\t'))
        i++;
    return text_skip(t, i);
}

static bool give(struct walk *w, struct text part)
{
    w->count++;
    return (!w->give || w->give(w->context, part)) && w->count < w->most;
}

/* Behind the key at the front of an object, its colon and the bracket; at NULL: another one. */
static struct text behind_key(struct text t, const char *key, char bracket)
{
    t = trim_front(t);
    if (!text_starts(t, TEXT("{")))
        return TEXT_NONE;
    t = trim_front(text_skip(t, 1));
    const struct text name = text_of(key);
    if (!text_starts(t, TEXT("\"")) || !text_starts(text_skip(t, 1), name) ||
        !text_starts(text_skip(t, 1 + name.len), TEXT("\"")))
        return TEXT_NONE;
    t = trim_front(text_skip(t, name.len + 2));
    if (!text_starts(t, TEXT(":")))
        return TEXT_NONE;
    t = trim_front(text_skip(t, 1));
    return t.len && t.at[0] == bracket ? text_skip(t, 1) : TEXT_NONE;
}

/* What stands inside the array at the front; at NULL: none, or not of objects. */
static struct text inside_array(struct text t)
{
    t = trim_front(t);
    if (!text_starts(t, TEXT("[")))
        return TEXT_NONE;
    t = trim_front(text_skip(t, 1));
    return text_starts(t, TEXT("{")) ? t : TEXT_NONE;
}

bool json_parts_may_be(struct text message)
{
    const struct text t = trim_front(message);
    if (t.len < 2 || (t.at[0] != '{' && t.at[0] != '['))
        return false;
    return inside_array(t).at || behind_key(t, "records", '[').at ||
           behind_key(t, "Records", '[').at || behind_key(t, "messageType", '"').at ||
           behind_key(t, "resourceLogs", '[').at || text_find_byte(t, '\n') < t.len ||
           text_find(t, TEXT("}{")) < t.len;
}

/* The item at the front of a list's inside; *t moves behind it. False: the list is over. */
static bool take_item(struct text *t, struct text *out)
{
    struct json_list state = {0};
    size_t at = 0;
    *t = text_skip(*t, json_list_space(*t));
    if (!t->len || t->at[0] == ']')
        return false;
    (void)json_list_scan(&state, *t, &at);
    *out = text_trim(text_head(*t, at));
    *t = text_skip(*t, at);
    return out->len > 0;
}

static void walk_list(struct walk *w, struct text inside)
{
    struct text item;
    while (take_item(&inside, &item)) {
        if (w->most - w->count == 1 && w->most > 1) { /* the last one that there is room for */
            struct text rest = inside;
            struct text next;
            if (take_item(&rest, &next)) {
                (void)give(w, (struct text){item.at, (size_t)(inside.at + inside.len - item.at)});
                return;
            }
        }
        if (!give(w, item))
            return;
    }
}

static struct text records_of(struct text message)
{
    const struct text small = behind_key(message, "records", '[');
    return small.at ? small : behind_key(message, "Records", '[');
}

/* A list of objects that has its end, and nothing else stands beside it. */
static bool is_whole(struct text inside, const char *end)
{
    struct text item;
    if (!inside.at || !text_starts(trim_front(inside), TEXT("{")))
        return false;
    while (take_item(&inside, &item))
        ;
    for (; *end; end++) {
        inside = trim_front(inside);
        if (!inside.len || inside.at[0] != *end)
            return false;
        inside = text_skip(inside, 1);
    }
    return !trim_front(inside).len;
}

/* Length of the object at the front; 0: it has no end. */
static size_t object_len(struct text t)
{
    struct json_list state = {0};
    size_t at = 0;
    return json_list_scan_object(&state, t, &at) ? at : 0;
}

/* {..}{..}, with blanks and line ends between. */
static bool is_row(struct text t)
{
    uint32_t count = 0;
    for (t = trim_front(t); t.len; count++) {
        const size_t len = t.at[0] == '{' ? object_len(t) : 0;
        if (!len)
            return false;
        t = trim_front(text_skip(t, len));
    }
    return count > 1;
}

static void walk_row(struct walk *w, struct text t)
{
    for (t = trim_front(t); t.len; t = trim_front(t)) {
        const size_t len = w->most - w->count == 1 ? t.len : object_len(t);
        const struct text part = text_head(t, len);
        t = text_skip(t, len);
        if (!give(w, part))
            return;
    }
}

/* ---- parts that take along what stands around them ---- */

/* The members of an object, as a list's inside. */
static struct text members_of(struct text object)
{
    object = text_trim(object);
    if (object.len < 2 || object.at[0] != '{' || object.at[object.len - 1] != '}')
        return TEXT_NONE;
    return (struct text){object.at + 1, object.len - 2};
}

/* Splits a member at its colon. False: it is none. */
static bool split_member(struct text member, struct text *out_key, struct text *out_value)
{
    size_t i = 1;
    if (!text_starts(member, TEXT("\"")))
        return false;
    for (; i < member.len && member.at[i] != '"'; i++)
        i += member.at[i] == '\\';
    *out_key = text_head(member, i + 1);
    const struct text rest = trim_front(text_skip(member, i + 1));
    *out_value = text_trim(text_skip(rest, 1));
    return text_starts(rest, TEXT(":")) && out_value->len;
}

/* The value as it stands; at NULL: there is none of that name. */
static struct text member(struct text object, const char *name)
{
    struct text inside = members_of(object);
    struct text item;
    struct text key;
    struct text value;
    while (inside.at && take_item(&inside, &item))
        if (split_member(item, &key, &value) && key.len > 2 &&
            text_equal((struct text){key.at + 1, key.len - 2}, text_of(name)))
            return value;
    return TEXT_NONE;
}

/* A member as it stood, key in its quotes; nothing for an empty value. */
static void write_member(struct buffer *out, struct text key, struct text value)
{
    if (!key.at || !value.at)
        return;
    if (out->len > 1)
        buffer_byte(out, ',');
    buffer_append(out, key);
    buffer_byte(out, ':');
    buffer_append(out, value);
}

static void write_named(struct buffer *out, const char *name, struct text value)
{
    char key[32] = "\"";
    const size_t len = strlen(name);
    memcpy(key + 1, name, len);
    key[len + 1] = '"';
    write_member(out, (struct text){key, len + 2}, value);
}

/* CloudWatch: each of logEvents, with whose log it is. */
static void walk_cloudwatch(struct walk *w, struct text message)
{
    static const char *const around[] = {"owner", "logGroup", "logStream"};
    struct text inside = inside_array(member(message, "logEvents"));
    struct text item;
    while (inside.at && take_item(&inside, &item)) {
        struct buffer *out = w->scratch;
        const struct text own = text_trim(members_of(item));
        buffer_clear(out);
        buffer_byte(out, '{');
        for (size_t i = 0; i < sizeof around / sizeof *around; i++)
            write_named(out, around[i], member(message, around[i]));
        if (own.len && out->len > 1)
            buffer_byte(out, ',');
        buffer_append(out, own);
        buffer_byte(out, '}');
        if (out->has_failed || !give(w, buffer_text(out)))
            return;
    }
}

/* OTLP's [{"key":"service.name","value":{"stringValue":"web"}}] as members. */
static void write_attributes(struct buffer *out, struct text attributes)
{
    struct text inside = inside_array(attributes);
    struct text item;
    struct text kind;
    struct text value;
    while (inside.at && take_item(&inside, &item)) {
        struct text values = members_of(member(item, "value"));
        struct text first;
        if (values.at && take_item(&values, &first) && split_member(first, &kind, &value))
            write_member(out, member(item, "key"), value);
    }
}

/* One log record as a flat object: attributes of its resource and its own by their names. */
static void write_otel(struct buffer *out, struct text resource, struct text record)
{
    static const char *const kept[] = {"timeUnixNano", "observedTimeUnixNano",
                                       "severityText", "severityNumber",
                                       "traceId",      "spanId"};
    const struct text body = member(record, "body");
    buffer_clear(out);
    buffer_byte(out, '{');
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        write_named(out, kept[i], member(record, kept[i]));
    write_attributes(out, member(resource, "attributes"));
    write_attributes(out, member(record, "attributes"));
    write_named(out, "body", member(body, "stringValue"));
    write_attributes(out, member(member(body, "kvlistValue"), "values"));
    buffer_byte(out, '}');
}

static bool walk_scope(struct walk *w, struct text resource, struct text scope)
{
    struct text inside = inside_array(member(scope, "logRecords"));
    struct text item;
    while (inside.at && take_item(&inside, &item)) {
        write_otel(w->scratch, resource, item);
        if (w->scratch->has_failed || !give(w, buffer_text(w->scratch)))
            return false;
    }
    return true;
}

static void walk_otel(struct walk *w, struct text inside)
{
    struct text item;
    struct text scope;
    while (take_item(&inside, &item)) {
        struct text scopes = inside_array(member(item, "scopeLogs"));
        while (scopes.at && take_item(&scopes, &scope))
            if (!walk_scope(w, member(item, "resource"), scope))
                return;
    }
}

uint32_t json_parts_walk(struct text message, uint32_t most, struct buffer *scratch,
                         json_part_fn fn, void *context)
{
    struct walk w = {.most = most, .scratch = scratch, .give = fn, .context = context};
    if (!json_parts_may_be(message))
        return 0;
    const struct text list = inside_array(message);
    const struct text records = list.at ? TEXT_NONE : records_of(message);
    if (is_whole(list, "]"))
        walk_list(&w, list);
    else if (is_whole(records, "]}"))
        walk_list(&w, records);
    else if (behind_key(message, "messageType", '"').at)
        walk_cloudwatch(&w, message);
    else if (behind_key(message, "resourceLogs", '[').at)
        walk_otel(&w, behind_key(message, "resourceLogs", '['));
    else if (is_row(message))
        walk_row(&w, message);
    return w.count;
}
