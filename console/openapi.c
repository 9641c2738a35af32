/* SPDX-License-Identifier: Apache-2.0 */
#include "console/openapi.h"
#include "base/json_write.h"
#include "base/text.h"
#include "console/resource.h"
#include <string.h>

static void parameter(struct buffer *out, struct text name, const char *where, bool is_required)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "name", name);
    json_write_string(out, "in", text_of(where));
    json_write_bool(out, "required", is_required);
    json_write_open(out, "schema", '{');
    json_write_string(out, "type", TEXT("string"));
    json_write_close(out, '}');
    json_write_close(out, '}');
}

static void parameters(struct buffer *out, const struct resource *r)
{
    json_write_open(out, "parameters", '[');
    struct text path = text_of(r->path);
    struct text part;
    while (text_split(&path, '/', &part)) {
        if (part.len > 2 && part.at[0] == '{')
            parameter(out, text_skip(text_head(part, part.len - 1), 1), "path", true);
    }
    struct text names = text_of(r->parameters);
    while (names.len && text_split(&names, ',', &part))
        parameter(out, part, "query", false);
    json_write_close(out, ']');
}

static void content(struct buffer *out, const char *type, const char *schema)
{
    json_write_open(out, "content", '{');
    json_write_named_open(out, text_head(text_of(type), text_find_byte(text_of(type), ';')), '{');
    json_write_raw(out, "schema", text_of(schema));
    json_write_close(out, '}');
    json_write_close(out, '}');
}

static void answers(struct buffer *out, const struct resource *r)
{
    bool is_json = strcmp(r->produces, "application/json") == 0;
    json_write_open(out, "responses", '{');
    json_write_open(out, "200", '{');
    json_write_string(out, "description", text_of(r->summary));
    content(out, r->produces, is_json ? "{\"type\":\"object\"}" : "{\"type\":\"string\"}");
    json_write_close(out, '}');
    json_write_open(out, "default", '{');
    json_write_string(out, "description", TEXT("What went wrong, in one sentence."));
    content(out, "application/json", "{\"$ref\":\"#/components/schemas/Error\"}");
    json_write_close(out, '}');
    json_write_close(out, '}');
}

static void operation(struct buffer *out, const struct resource *r)
{
    bool is_post = strcmp(r->method, "POST") == 0;
    json_write_open(out, is_post ? "post" : "get", '{');
    json_write_string(out, "summary", text_of(r->summary));
    parameters(out, r);
    if (is_post) {
        json_write_open(out, "requestBody", '{');
        json_write_bool(out, "required", false);
        content(out, "application/json",
                "{\"type\":\"object\",\"properties\":{\"by\":{\"type\":\"string\"},"
                "\"note\":{\"type\":\"string\"},\"disposition\":{\"type\":\"string\"}}}");
        json_write_close(out, '}');
    }
    answers(out, r);
    json_write_close(out, '}');
}

/* The resources of one path stand together in the table. */
static void paths(struct buffer *out, const struct resource *all)
{
    json_write_open(out, "paths", '{');
    const char *before = "";
    for (const struct resource *r = all; r->method; r++) {
        bool is_new = strcmp(before, r->path) != 0;
        if (is_new && before[0])
            json_write_close(out, '}');
        if (is_new)
            json_write_named_open(out, text_of(r->path), '{');
        operation(out, r);
        before = r->path;
    }
    if (before[0])
        json_write_close(out, '}');
    json_write_close(out, '}');
}

void openapi_write(const struct resource *all, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_string(out, "openapi", TEXT("3.1.0"));
    json_write_open(out, "info", '{');
    json_write_string(out, "title", TEXT("Tocsin"));
    json_write_string(out, "version", TEXT("1"));
    json_write_close(out, '}');
    paths(out, all);
    json_write_raw(out, "components",
                   TEXT("{\"schemas\":{\"Error\":{\"type\":\"object\",\"required\":[\"error\"],"
                        "\"properties\":{\"error\":{\"type\":\"string\"}}}}}"));
    json_write_close(out, '}');
}
