/* SPDX-License-Identifier: Apache-2.0 */
#include "app/verify.h"
#include "app/daemon.h"
#include "base/zone.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct verifier {
    const struct config *config;
    diagnostic_fn tell;
    void *context;
    uint32_t errors;
};

/* At the error's own place, else at `node`, else at the top. */
static void say(struct verifier *v, const struct yaml_node *node, const struct error *err)
{
    const struct yaml_node *at = node ? node : v->config->root;
    bool has_place = err->line > 0 && (err->column > 0 || !at || err->line != at->line);
    struct diagnostic f = {
        .file = v->config->path.len ? v->config->path : TEXT("(no configuration file)"),
        .line = has_place ? err->line
                : at      ? at->line
                          : 0,
        .column = has_place ? err->column
                  : at      ? at->column
                            : 0,
        .severity = DIAGNOSTIC_ERROR,
        .code = "configuration",
        .message = text_of(err->text),
    };
    v->errors++;
    v->tell(v->context, &f);
}

/* Where `part.key` was said, or NULL. */
static const struct yaml_node *find(const struct verifier *v, const char *part, const char *key)
{
    const struct yaml_node *node = yaml_get(v->config->root, text_of(part));
    return key ? yaml_get(node, text_of(key)) : node;
}

/* ---- doors ---- */

static void verify_sources(struct verifier *v)
{
    struct error err = {0};
    const struct yaml_node *list = v->config->sources;
    if (!list)
        return;
    if (list->kind != YAML_SEQUENCE) {
        (void)error_set(&err, STATUS_INVALID, 0, "sources: want a list");
        say(v, list, &err);
        return;
    }
    if (list->count > DOORS_SOURCES) {
        (void)error_set(&err, STATUS_LIMIT, 0, "sources: at most %d", DOORS_SOURCES);
        say(v, list, &err);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        err = (struct error){0};
        if (source_check(list->items[i], &err))
            say(v, list->items[i], &err);
    }
}

static void verify_http(struct verifier *v)
{
    struct error err = {0};
    if (console_check_listen(v->config->http.listen, false, &err))
        say(v, find(v, "http", "listen"), &err);
}

static void verify_redis(struct verifier *v)
{
    struct error err = {0};
    if (v->config->redis.url.len && incidents_check_url(v->config->redis.url.at, &err))
        say(v, find(v, "redis", "url"), &err);
}

static void verify_readable(struct verifier *v, const struct yaml_node *node, const char *what,
                            struct text path)
{
    struct error err = {0};
    if (!path.len || access(path.at, R_OK) == 0)
        return;
    (void)error_set(&err, STATUS_IO, 0, "%s: %.*s: %s", what, TEXT_ARG(text_head(path, 120)),
                    strerrordesc_np(errno));
    say(v, node, &err);
}

static void verify_webhooks(struct verifier *v)
{
    struct error err = {0};
    AUTO(webhooks) w = NULL;
    struct text certificate = TEXT_NONE;
    struct text key = TEXT_NONE;
    if (webhooks_open(v->config->webhooks, UINT32_MAX, &w, &err)) {
        say(v, v->config->webhooks, &err);
        return;
    }
    struct text listen = webhooks_listen(w);
    if (listen.len && console_check_listen(listen, true, &err))
        say(v, find(v, "webhooks", "listen"), &err);
    webhooks_tls(w, &certificate, &key);
    verify_readable(v, find(v, "webhooks", "certificate"), "webhooks.certificate", certificate);
    verify_readable(v, find(v, "webhooks", "key"), "webhooks.key", key);
}

static void verify_sinks(struct verifier *v)
{
    struct error err = {0};
    if (sinks_check(v->config->sinks, v->config->routes, &err))
        say(v, v->config->sinks, &err);
}

static void verify_zone(struct verifier *v)
{
    struct error err = {0};
    int32_t zone_s = 0;
    struct text zone = v->config->time.zone;
    if (!zone.len || zone_parse(zone.at, &zone_s))
        return;
    (void)error_set(&err, STATUS_INVALID, 0, "time.zone: want Z or +hh:mm, not '%.*s'",
                    TEXT_ARG(text_head(zone, 40)));
    say(v, find(v, "time", "zone"), &err);
}

/* ---- files ---- */

static void verify_list(struct verifier *v, const char *key, const struct option_texts *paths)
{
    const struct yaml_node *list = find(v, key, NULL);
    for (uint32_t i = 0; i < paths->count; i++) {
        bool is_item = list && list->kind == YAML_SEQUENCE && i < list->count;
        if (!text_equal(paths->items[i], TEXT("share")))
            verify_readable(v, is_item ? list->items[i] : list, key, paths->items[i]);
    }
}

static void verify_lists(struct verifier *v)
{
    struct stat about;
    struct error err = {0};
    struct text path = v->config->lists;
    const struct yaml_node *node = find(v, "lists", NULL);
    verify_readable(v, node, "lists", path);
    if (!path.len || stat(path.at, &about) != 0 || S_ISDIR(about.st_mode))
        return;
    (void)error_set(&err, STATUS_IO, 0, "lists: %.*s: Not a directory",
                    TEXT_ARG(text_head(path, 120)));
    say(v, node, &err);
}

bool verify_entities(const char *path, uint32_t *out_count, diagnostic_fn tell, void *context)
{
    struct error err = {0};
    if (!incidents_check_entities(path, out_count, &err))
        return true;
    struct text message = text_of(err.text);
    size_t len = strlen(path);
    if (text_starts(message, text_of(path)) && message.len > len + 2)
        message = text_skip(message, len + 2); /* "path: " */
    struct diagnostic f = {
        .file = text_of(path),
        .line = err.line,
        .column = err.column,
        .severity = DIAGNOSTIC_ERROR,
        .code = "entities",
        .message = message,
    };
    tell(context, &f);
    return false;
}

uint32_t verify_files(const struct config *c, diagnostic_fn tell, void *context)
{
    struct verifier v = {.config = c, .tell = tell, .context = context};
    uint32_t ignored = 0;
    verify_list(&v, "rules", &c->rules);
    verify_list(&v, "decoders", &c->decoders);
    verify_readable(&v, find(&v, "overrides", NULL), "overrides", c->overrides);
    verify_lists(&v);
    uint32_t before = v.errors;
    verify_readable(&v, find(&v, "entities", NULL), "entities", c->entities);
    if (c->entities.len && v.errors == before)
        v.errors += !verify_entities(c->entities.at, &ignored, tell, context);
    return v.errors;
}

uint32_t verify_config(const struct config *c, diagnostic_fn tell, void *context)
{
    struct verifier v = {.config = c, .tell = tell, .context = context};
    verify_http(&v);
    verify_redis(&v);
    verify_zone(&v);
    verify_sources(&v);
    verify_webhooks(&v);
    verify_sinks(&v);
    return v.errors + verify_files(c, tell, context);
}
