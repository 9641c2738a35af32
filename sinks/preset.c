/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/preset.h"
#include "sinks/share.h"
#include <stdio.h>

struct file_rows {
    struct text preset, help;
    int repeat, means;
    const struct yaml_node *options, *maps, *requests;
};
static const char *const repeats[] = {"safe", "unknown", NULL};
static const char *const meanings[] = {"delivered", "accepted", NULL};
#define FILE_ROW(member) offsetof(struct file_rows, member)
static const struct option file_rows[] = {
    {"preset", OPTION_TEXT, FILE_ROW(preset), NULL, 0, 0, NULL, "Its name."},
    {"help", OPTION_TEXT, FILE_ROW(help), "", 0, 0, NULL, "One sentence."},
    {"repeat", OPTION_CHOICE, FILE_ROW(repeat), "unknown", 0, 0, repeats,
     "safe where the system knows a repeat by its key."},
    {"means", OPTION_CHOICE, FILE_ROW(means), "accepted", 0, 0, meanings, "What success is."},
    {"options", OPTION_NODE, FILE_ROW(options), "", 0, 0, NULL, "What `with` may say."},
    {"maps", OPTION_NODE, FILE_ROW(maps), "", 0, 0, NULL, "Tables for the filter map."},
    {"requests", OPTION_NODE, FILE_ROW(requests), NULL, 0, 0, NULL, "Made in this order."},
};

struct option_rows {
    struct text help, fallback;
    bool is_secret, is_required;
};
#define OPTION_ROW(member) offsetof(struct option_rows, member)
static const struct option option_rows[] = {
    {"help", OPTION_TEXT, OPTION_ROW(help), "", 0, 0, NULL, "One sentence."},
    {"default", OPTION_TEXT, OPTION_ROW(fallback), "", 0, 0, NULL, "Where nothing is said."},
    {"secret", OPTION_BOOL, OPTION_ROW(is_secret), "false", 0, 0, NULL, "Read from NAME_file."},
    {"required", OPTION_BOOL, OPTION_ROW(is_required), "false", 0, 0, NULL, "Must be said."},
};

struct request_rows {
    struct option_texts when;
    struct text only_if, unless, method, url, body, error;
    int medium;
    const struct yaml_node *headers, *ok, *take;
};
static const char *const media[] = {"json", "form", "plain", NULL};
#define REQUEST_ROW(member) offsetof(struct request_rows, member)
static const struct option request_rows[] = {
    {"when", OPTION_TEXTS, REQUEST_ROW(when), "", 0, 0, NULL, "Kinds of notices; none: all."},
    {"if", OPTION_TEXT, REQUEST_ROW(only_if), "", 0, 0, NULL, "Only with this taken value."},
    {"unless", OPTION_TEXT, REQUEST_ROW(unless), "", 0, 0, NULL, "Only without it."},
    {"method", OPTION_TEXT, REQUEST_ROW(method), "POST", 0, 0, NULL, "GET, POST, PUT, PATCH."},
    {"url", OPTION_TEXT, REQUEST_ROW(url), NULL, 0, 0, NULL, "A template."},
    {"headers", OPTION_NODE, REQUEST_ROW(headers), "", 0, 0, NULL, "Name: template."},
    {"medium", OPTION_CHOICE, REQUEST_ROW(medium), "json", 0, 0, media, "What the body is."},
    {"body", OPTION_TEXT, REQUEST_ROW(body), "", 0, 0, NULL, "A template."},
    {"ok", OPTION_NODE, REQUEST_ROW(ok), "", 0, 0, NULL, "What success looks like."},
    {"error", OPTION_TEXT, REQUEST_ROW(error), "", 0, 0, NULL, "Path of the answer's reason."},
    {"take", OPTION_NODE, REQUEST_ROW(take), "", 0, 0, NULL, "Name: path into the answer."},
};

struct ok_rows {
    struct option_texts status;
    struct text body;
    const struct yaml_node *json;
};
#define OK_ROW(member) offsetof(struct ok_rows, member)
static const struct option ok_rows[] = {
    {"status", OPTION_TEXTS, OK_ROW(status), "", 0, 0, NULL, "HTTP statuses; none: 2xx."},
    {"body", OPTION_TEXT, OK_ROW(body), "", 0, 0, NULL, "The whole answer."},
    {"json", OPTION_NODE, OK_ROW(json), "", 0, 0, NULL, "One path: what stands there."},
};
#define READ(rows, node, arena, out, err)                                                          \
    option_read((rows), sizeof(rows) / sizeof *(rows), (node), (arena), (out), (err))

static enum status want_mapping(const struct yaml_node *node, uint32_t most, const char *what,
                                struct error *err)
{
    if (!node || (node->kind == YAML_MAPPING && node->count <= most))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, node->line, "%s: want up to %u pairs", what, most);
}

static enum status read_options(const struct yaml_node *node, struct arena *arena, struct preset *p,
                                struct error *err)
{
    enum status status = want_mapping(node, PRESET_OPTIONS, "options", err);
    for (uint32_t i = 0; node && i < node->count && !status; i++) {
        struct option_rows o = {0};
        status = READ(option_rows, node->pairs[i].value, arena, &o, err);
        p->options[i] = (struct preset_option){.name = node->pairs[i].key->value,
                                               .help = o.help,
                                               .fallback = o.fallback,
                                               .is_secret = o.is_secret,
                                               .is_required = o.is_required};
    }
    p->option_count = node ? node->count : 0;
    return status;
}

static enum status read_kinds(const struct option_texts *texts, uint32_t line, uint32_t *out,
                              struct error *err)
{
    *out = texts->count ? 0 : UINT32_MAX;
    for (uint32_t i = 0; i < texts->count; i++) {
        int kind = NOTICE_OPENED;
        while (kind <= NOTICE_DIGEST &&
               !text_equal(texts->items[i], text_of(incidents_notice_name((enum notice_kind)kind))))
            kind++;
        if (kind > NOTICE_DIGEST)
            return error_set(err, STATUS_INVALID, line, "'%.*s' is no kind of a notice",
                             TEXT_ARG(text_head(texts->items[i], 40)));
        *out |= 1U << kind;
    }
    return STATUS_OK;
}

static enum status read_headers(const struct yaml_node *node, struct arena *arena,
                                struct preset_request *r, struct error *err)
{
    enum status status = want_mapping(node, PRESET_HEADERS, "headers", err);
    for (uint32_t i = 0; node && i < node->count && !status; i++) {
        struct buffer line;
        buffer_init(&line, 4096);
        buffer_printf(&line, "%.*s: %.*s", TEXT_ARG(node->pairs[i].key->value),
                      TEXT_ARG(node->pairs[i].value->value));
        status = template_new(buffer_text(&line), TEMPLATE_HEADER, arena, &r->headers[i], err);
        buffer_fini(&line);
    }
    r->header_count = node ? node->count : 0;
    return status;
}

static enum status read_ok(const struct yaml_node *node, struct arena *arena,
                           struct preset_request *r, struct error *err)
{
    struct ok_rows o = {0};
    enum status status = READ(ok_rows, node, arena, &o, err);
    if (!status)
        status = want_mapping(o.json, 1, "ok.json", err);
    if (status)
        return status;
    for (uint32_t i = 0; i < o.status.count; i++) {
        if (i == sizeof r->statuses / sizeof *r->statuses ||
            !text_to_int64(o.status.items[i], &r->statuses[i]))
            return error_set(err, STATUS_INVALID, node->line, "ok.status: want up to 8 numbers");
    }
    r->status_count = o.status.count;
    r->ok_body = o.body;
    if (o.json && o.json->count)
        r->ok_json =
            (struct preset_pair){o.json->pairs[0].key->value, o.json->pairs[0].value->value};
    return STATUS_OK;
}

static enum status read_takes(const struct yaml_node *node, struct preset_request *r,
                              struct error *err)
{
    enum status status = want_mapping(node, PRESET_TAKES, "take", err);
    for (uint32_t i = 0; node && i < node->count && !status; i++)
        r->takes[i] = (struct preset_pair){node->pairs[i].key->value, node->pairs[i].value->value};
    r->take_count = node ? node->count : 0;
    return status;
}

static enum status read_request(const struct yaml_node *node, struct arena *arena,
                                struct preset_request *r, struct error *err)
{
    static const enum template_medium of_body[] = {TEMPLATE_JSON, TEMPLATE_URL, TEMPLATE_PLAIN};
    struct request_rows o = {0};
    enum status status = READ(request_rows, node, arena, &o, err);
    if (!status)
        status = read_kinds(&o.when, node->line, &r->kinds, err);
    if (!status)
        status = template_new(o.url, TEMPLATE_URL, arena, &r->url, err);
    if (!status)
        status = template_new(o.body, of_body[o.medium], arena, &r->body, err);
    if (!status)
        status = read_headers(o.headers, arena, r, err);
    if (!status)
        status = read_ok(o.ok, arena, r, err);
    if (!status)
        status = read_takes(o.take, r, err);
    r->only_if = o.only_if;
    r->unless = o.unless;
    r->method = o.method;
    r->error_path = o.error;
    if (status && err && !err->line)
        err->line = node->line;
    return status;
}

static enum status read_preset(const struct yaml_node *node, struct arena *arena, struct preset *p,
                               struct error *err)
{
    struct file_rows o = {0};
    enum status status = READ(file_rows, node, arena, &o, err);
    if (!status)
        status = read_options(o.options, arena, p, err);
    if (status)
        return status;
    if (o.requests->kind != YAML_SEQUENCE || o.requests->count > PRESET_REQUESTS)
        return error_set(err, STATUS_INVALID, o.requests->line, "requests: want a list of up to %d",
                         PRESET_REQUESTS);
    for (uint32_t i = 0; i < o.requests->count && !status; i++)
        status = read_request(o.requests->items[i], arena, &p->requests[i], err);
    p->name = o.preset;
    p->help = o.help;
    p->is_repeat_safe = o.repeat == 0;
    p->is_delivered = o.means == 0;
    p->maps = o.maps;
    p->request_count = o.requests->count;
    return status;
}

static struct text shipped(struct text name)
{
    for (const struct share_file *f = share_all(); f->name; f++) {
        if (text_equal(text_of(f->name), name))
            return (struct text){f->at, f->len};
    }
    return TEXT_NONE;
}

static const char *shipped_name(uint32_t index)
{
    const struct share_file *f = share_all();
    while (f->name && index--)
        f++;
    return f->name;
}

static enum status unknown(struct text name, struct error *err)
{
    char all[200] = "";
    size_t len = 0;
    for (uint32_t i = 0; shipped_name(i) && len < sizeof all; i++)
        len +=
            (size_t)snprintf(all + len, sizeof all - len, "%s%s", i ? ", " : "", shipped_name(i));
    return error_set(err, STATUS_NOTFOUND, 0, "no preset '%.*s'; there are %s, or write a path",
                     TEXT_ARG(text_head(name, 40)), all);
}

static enum status parse(struct text name, struct arena *arena, struct yaml_file *out,
                         struct error *err)
{
    if (text_find_byte(name, '/') < name.len)
        return yaml_load(arena_copy(arena, name).at, arena, out, err);
    struct text source = shipped(name);
    return source.len ? yaml_parse(source, arena, out, err) : unknown(name, err);
}

enum status preset_load(struct text name, struct arena *arena, const struct preset **out,
                        struct error *err)
{
    struct yaml_file file = {0};
    struct preset *p = arena_zero(arena, sizeof *p);
    if (!p)
        return error_set(err, STATUS_NOMEM, 0, "no memory for a preset");
    enum status status = parse(name, arena, &file, err);
    if (!status && file.count != 1)
        status = error_set(err, STATUS_INVALID, 0, "a preset is one YAML document");
    if (!status)
        status = read_preset(file.documents[0], arena, p, err);
    if (status)
        return error_prefix(err, "preset %.*s", TEXT_ARG(text_head(name, 60)));
    *out = p;
    return STATUS_OK;
}

struct text preset_map(const struct preset *p, struct text table, struct text key)
{
    const struct yaml_node *map = yaml_get(p->maps, table);
    const struct yaml_node *entry = yaml_get(map, key);
    if (!entry)
        entry = yaml_get(map, TEXT("*"));
    return entry ? entry->value : key;
}
