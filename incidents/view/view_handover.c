/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/view/view.h"

/* What the next shift must know. It can be signed only when every open incident has an owner and a
 * next action: those that lack one are named. */
struct handover {
    struct buffer *out;
    struct buffer missing, unacknowledged;
    uint32_t count;
};

static void write_incident(struct handover *h, const struct doc_tree *t)
{
    static const char *const members[] = {"id",          "title",        "priority",   "severity",
                                          "score",       "state",        "category",   "assignee",
                                          "next_action", "pause_reason", "recurrences"};
    const struct doc_tree *times = doc_tree_get(t, "times");
    json_write_open(h->out, NULL, '{');
    for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
        const struct doc_tree *at = doc_tree_get(t, members[m]);
        if (at->kind != TREE_NOTHING)
            doc_tree_write(at, members[m], h->out);
    }
    json_write_string(h->out, "opened", doc_tree_text(times, "opened"));
    json_write_string(h->out, "last", doc_tree_text(times, "last"));
    json_write_close(h->out, '}');
    if (!doc_tree_text(t, "assignee").len || !doc_tree_text(t, "next_action").len)
        json_write_string(&h->missing, NULL, doc_tree_text(t, "id"));
    /* reopened is not acknowledged, whenever it was before; what ended by itself needs nobody */
    if (text_equal(doc_tree_text(t, "state"), TEXT("open")))
        json_write_string(&h->unacknowledged, NULL, doc_tree_text(t, "id"));
    h->count++;
}

static enum status write_open(struct view *v, struct handover *h, struct error *err)
{
    struct reply ids = {0};
    enum status s =
        VIEW_ASK(v, &ids, err, TEXT("ZRANGE"), TEXT("tocsin:open"), TEXT("0"), TEXT("-1"));
    for (uint32_t i = 0; s == STATUS_OK && i < ids.count; i++) {
        struct reply document = {0};
        struct doc_tree t;
        char key[80] = "tocsin:incident:";
        struct text id = text_head(ids.items[i].text, 40);
        memcpy(key + 16, id.at, id.len);
        s = VIEW_ASK(v, &document, err, TEXT("GET"), {key, 16 + id.len});
        if (s == STATUS_OK && document.kind == REPLY_TEXT &&
            doc_tree_parse(document.text, &v->arena, &t, NULL) == STATUS_OK)
            write_incident(h, &t);
    }
    return s;
}

static enum status write_values(struct view *v, const char *name, struct text hash,
                                struct buffer *out, struct error *err)
{
    struct reply values = {0};
    enum status s = VIEW_ASK(v, &values, err, TEXT("HVALS"), hash);
    json_write_open(out, name, '[');
    for (uint32_t i = 0; s == STATUS_OK && i < values.count; i++)
        json_write_raw(out, NULL, values.items[i].text);
    json_write_close(out, ']');
    return s;
}

static void write_ids(struct buffer *out, const char *name, const struct buffer *ids)
{
    json_write_open(out, name, '[');
    if (ids->len)
        json_write_raw(out, NULL, buffer_text(ids));
    json_write_close(out, ']');
}

enum status view_handover(struct view *v, int64_t now_us, struct buffer *out, struct error *err)
{
    struct handover h = {.out = out};
    size_t before = out->len;
    buffer_init(&h.missing, 4 << 20);
    buffer_init(&h.unacknowledged, 4 << 20);
    arena_reset(&v->arena);
    json_write_open(out, NULL, '{');
    json_write_time(out, "time", now_us);
    json_write_open(out, "incidents", '[');
    enum status s = write_open(v, &h, err);
    json_write_close(out, ']');
    json_write_uint(out, "open", h.count);
    write_ids(out, "unacknowledged", &h.unacknowledged);
    write_ids(out, "lacks_owner_or_action", &h.missing);
    json_write_bool(out, "can_be_signed", !h.missing.len);
    if (s == STATUS_OK)
        s = write_values(v, "undelivered", TEXT("tocsin:outbox"), out, err);
    if (s == STATUS_OK)
        s = write_values(v, "dead_letters", TEXT("tocsin:dead"), out, err);
    if (s == STATUS_OK)
        s = write_values(v, "exceptions", TEXT("tocsin:exceptions"), out, err);
    json_write_close(out, '}');
    buffer_fini(&h.missing);
    buffer_fini(&h.unacknowledged);
    if (s != STATUS_OK)
        out->len = before;
    return s;
}

enum status view_exceptions(struct view *v, int64_t now_us, struct buffer *out, struct error *err)
{
    struct reply values = {0};
    size_t before = out->len;
    arena_reset(&v->arena);
    enum status s = VIEW_ASK(v, &values, err, TEXT("HVALS"), TEXT("tocsin:exceptions"));
    json_write_open(out, NULL, '{');
    json_write_open(out, "exceptions", '[');
    for (uint32_t i = 0; s == STATUS_OK && i < values.count; i++) {
        struct doc_tree t;
        if (doc_tree_parse(values.items[i].text, &v->arena, &t, NULL) == STATUS_OK &&
            doc_tree_time(&t, "until") > now_us)
            json_write_raw(out, NULL, values.items[i].text);
    }
    json_write_close(out, ']');
    json_write_close(out, '}');
    if (s != STATUS_OK)
        out->len = before;
    return s;
}
