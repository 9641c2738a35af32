/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "ingest/webhook/webhook_types.h"

/*
 * Elasticsearch as far as shippers of logs know it: _bulk, and what they ask before they send.
 * Templates, policies and pipelines are said to be there, so that nobody sets any up. All of it
 * also below /elastic, for the console's port has a page at its root.
 */

/* A _bulk request is lines: an action, and the document behind it. */
struct action {
    struct text name; /* "create", "index"; else it is answered as refused */
    struct text index, id;
    bool is_taken, has_source;
};

struct reading {
    struct text name;
    const struct json_node *meta;
    size_t members;
};

static void look_at_action(void *context, struct text name, const struct json_node *value)
{
    struct reading *r = context;
    r->name = name;
    r->meta = value;
    r->members++;
}

/* False: the line is no action. The texts live as long as the call. */
static bool read_action(struct webhook_call *call, struct text line, struct action *out)
{
    static const char *const known[] = {"create", "index", "update", "delete"};
    AUTO(json_tree) tree = NULL;
    uint64_t held = 0;
    struct reading r = {0};
    if (webhook_parse(call, line, &tree, &held, NULL) != STATUS_OK)
        return false;
    json_tree_each(json_tree_root(tree), look_at_action, &r);
    const char *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(r.name, text_of(known[i])))
            name = known[i];
    const bool is_action = r.members == 1 && name && json_tree_is_object(r.meta);
    if (is_action) {
        const struct text index = json_tree_member(r.meta, "_index");
        *out = (struct action){.name = text_of(name),
                               .index = index.len ? arena_copy(call->arena, index) : call->segment,
                               .id = arena_copy(call->arena, json_tree_member(r.meta, "_id"))};
        out->is_taken =
            text_equal(out->name, TEXT("create")) || text_equal(out->name, TEXT("index"));
        out->has_source = !text_equal(out->name, TEXT("delete"));
    }
    webhook_release(call, held);
    return is_action;
}

static bool next_line(struct text *rest, struct text *out)
{
    while (text_split(rest, '\n', out)) {
        *out = text_trim(*out);
        if (out->len)
            return true;
    }
    return false;
}

/* A request is refused whole where one action cannot be read, before anything of it is taken. */
static bool has_good_actions(struct webhook_call *call)
{
    struct text rest = call->request->body;
    struct text line;
    call->line = 0;
    while (next_line(&rest, &line)) {
        struct action a = {0};
        call->line++;
        if (!read_action(call, line, &a))
            return false;
        if (a.has_source && !next_line(&rest, &line))
            return false;
    }
    return call->line > 0;
}

static void write_item(struct buffer *b, const struct action *a, int status, const char *type,
                       const char *why)
{
    json_write_open(b, NULL, '{');
    json_write_named_open(b, a->name, '{');
    json_write_string(b, "_index", a->index);
    if (a->id.len)
        json_write_string(b, "_id", a->id);
    json_write_int(b, "status", status);
    if (type) {
        json_write_open(b, "error", '{');
        json_write_string(b, "type", text_of(type));
        json_write_string(b, "reason", text_of(why));
        json_write_close(b, '}');
    } else {
        json_write_string(b, "result", TEXT("created"));
        json_write_int(b, "_version", 1);
    }
    json_write_close(b, '}');
    json_write_close(b, '}');
}

static bool is_object(struct webhook_call *call, struct text source)
{
    AUTO(json_tree) tree = NULL;
    uint64_t held = 0;
    if (webhook_parse(call, source, &tree, &held, NULL) != STATUS_OK)
        return false;
    const bool is = json_tree_is_object(json_tree_root(tree));
    webhook_release(call, held);
    return is;
}

/* A document of an id that must be new is the same one when it comes again. */
static struct text origin_of(struct webhook_call *call, const struct action *a)
{
    if (!a->id.len || !text_equal(a->name, TEXT("create")))
        return TEXT_NONE;
    const struct text index = webhook_join(call, TEXT("elastic"), ":", a->index);
    return webhook_join(call, index, ":", a->id);
}

/* Adds a document, and says in the answer what became of it: true where it was taken. */
static bool take_item(struct webhook_call *call, const struct action *a, struct text source,
                      struct buffer *answer)
{
    if (!a->is_taken) {
        write_item(answer, a, 400, "illegal_argument_exception",
                   "logs are only added here: want create or index");
        return false;
    }
    if (!is_object(call, source)) {
        write_item(answer, a, 400, "document_parsing_exception",
                   "the document is not one whole JSON object");
        return false;
    }
    if (webhook_add_event(call, source, FORMAT_JSON, origin_of(call, a))) {
        write_item(answer, a, 201, NULL, NULL);
        return true;
    }
    call->refused = 0; /* its sender is told of it alone */
    if (call->out->count == BATCH_RECORDS)
        write_item(answer, a, 429, "es_rejected_execution_exception", "overloaded, come again");
    else
        write_item(answer, a, 413, "illegal_argument_exception", "the document is too long");
    return false;
}

static void take_bulk(struct webhook_call *call)
{
    struct buffer items;
    struct text rest = call->request->body;
    struct text line;
    bool has_errors = false;
    if (!has_good_actions(call)) {
        if (!call->is_overloaded)
            webhook_reject(call, WEBHOOK_ELASTIC, 400,
                           "a line that should be an action is none, or its document is missing: "
                           "want {\"create\":{}} or {\"index\":{}} and an object behind it");
        return;
    }
    buffer_init(&items, call->reply->body.max_bytes);
    while (!call->is_overloaded && next_line(&rest, &line)) {
        struct action a = {0};
        struct text source = TEXT_NONE;
        if (!read_action(call, line, &a) || (a.has_source && !next_line(&rest, &source)))
            break; /* no memory for it: the call is overloaded */
        has_errors |= !take_item(call, &a, source, &items);
    }
    struct buffer *b = &call->reply->body;
    webhook_answer(call, 200, TEXT_NONE);
    json_write_open(b, NULL, '{');
    json_write_int(b, "took", 1);
    json_write_bool(b, "errors", has_errors);
    json_write_open(b, "items", '[');
    buffer_append(b, buffer_text(&items));
    json_write_close(b, ']');
    json_write_close(b, '}');
    call->is_overloaded |= items.has_failed || b->has_failed;
    buffer_fini(&items);
}

static void take_root(struct webhook_call *call)
{
    webhook_answer(call, 200,
                   TEXT("{\"name\":\"tocsin\",\"cluster_name\":\"tocsin\",\"cluster_uuid\":"
                        "\"dG9jc2luLXRvY3Npbi1iZWxsIQ\",\"version\":{\"number\":\"8.19.0\","
                        "\"build_flavor\":\"default\",\"build_type\":\"deb\",\"build_hash\":"
                        "\"unknown\",\"build_date\":\"2025-01-01T00:00:00.000Z\","
                        "\"build_snapshot\":false,\"lucene_version\":\"9.12.0\","
                        "\"minimum_wire_compatibility_version\":\"7.17.0\","
                        "\"minimum_index_compatibility_version\":\"7.0.0\"},"
                        "\"tagline\":\"You Know, for Search\"}"));
}

#define LICENSE "\"license\":{\"status\":\"active\",\"type\":\"basic\",\"mode\":\"basic\"}"

static void take_license(struct webhook_call *call)
{
    webhook_answer(call, 200, TEXT("{" LICENSE "}"));
}

static void take_xpack(struct webhook_call *call)
{
    webhook_answer(call, 200,
                   TEXT("{" LICENSE ",\"features\":{\"ilm\":{\"available\":true,\"enabled\":true},"
                        "\"security\":{\"available\":true,\"enabled\":true}}}"));
}

/* It is there, and what is put there is not needed: events are kept as the journal keeps them. */
static void take_setup(struct webhook_call *call)
{
    const bool is_asked = text_equal(call->request->method, TEXT("GET")) ||
                          text_equal(call->request->method, TEXT("HEAD"));
    webhook_answer(call, 200, is_asked ? TEXT("{}") : TEXT("{\"acknowledged\":true}"));
}

static void take_health(struct webhook_call *call)
{
    webhook_answer(call, 200,
                   TEXT("{\"cluster_name\":\"tocsin\",\"status\":\"green\",\"timed_out\":false,"
                        "\"number_of_nodes\":1,\"number_of_data_nodes\":1}"));
}

#define ASK    "GET HEAD"
#define SET_UP "GET HEAD PUT POST"
#define BELOW(prefix)                                                                              \
    {ASK, prefix "/", WEBHOOK_ELASTIC, false, take_root},                                          \
        {ASK, prefix "/_license", WEBHOOK_ELASTIC, false, take_license},                           \
        {ASK, prefix "/_xpack", WEBHOOK_ELASTIC, false, take_xpack},                               \
        {ASK, prefix "/_cluster/health", WEBHOOK_ELASTIC, false, take_health},                     \
        {SET_UP, prefix "/_index_template/*", WEBHOOK_ELASTIC, false, take_setup},                 \
        {SET_UP, prefix "/_component_template/*", WEBHOOK_ELASTIC, false, take_setup},             \
        {SET_UP, prefix "/_template/*", WEBHOOK_ELASTIC, false, take_setup},                       \
        {SET_UP, prefix "/_data_stream/*", WEBHOOK_ELASTIC, false, take_setup},                    \
        {SET_UP, prefix "/_ilm/policy/*", WEBHOOK_ELASTIC, false, take_setup},                     \
        {SET_UP, prefix "/_ingest/pipeline/*", WEBHOOK_ELASTIC, false, take_setup},                \
        {"POST PUT", prefix "/_bulk", WEBHOOK_ELASTIC, false, take_bulk},                          \
    {                                                                                              \
        "POST PUT", prefix "/*/_bulk", WEBHOOK_ELASTIC, false, take_bulk                           \
    }

static const struct webhook_route routes[] = {
    {ASK, "/elastic", WEBHOOK_ELASTIC, false, take_root},
    BELOW("/elastic"),
    BELOW(""),
};

const struct webhook_type webhook_elastic_type = {"elastic", routes,
                                                  sizeof routes / sizeof *routes};
