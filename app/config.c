/* SPDX-License-Identifier: Apache-2.0 */
#include "app/config.h"
#include "app/command.h"
#include "base/path.h"
#include "ingest/ingest.h"
#include "sinks/sinks.h"
#include <stdlib.h>
#include <string.h>

#define ROWS(table)          table, sizeof table / sizeof *table
#define MEMBER(part, member) offsetof(struct config_##part, member)
#define TOP(member)          offsetof(struct config, member)
#define DAY_US               86400e6

static const char *const full_names[] = {"stop", "drop", NULL};
static const char *const fire_names[] = {"edge", "level", "consume", NULL};
static const char *const level_names[] = {"debug", "info", "warning", "error", NULL};

struct parts {
    const struct yaml_node *http, *redis, *journal, *correlation, *score, *time, *log;
};

/* The top level: texts and lists of the configuration itself ... */
static const struct option top_rows[] = {
    {"data", OPTION_TEXT, TOP(data), "", 0, 0, NULL, "folder of journal, record and sockets"},
    {"rules", OPTION_TEXTS, TOP(rules), "share", 0, 0, NULL,
     "rule files or folders; share is what ships"},
    {"decoders", OPTION_TEXTS, TOP(decoders), "", 0, 0, NULL, "more decoders and mappings"},
    {"overrides", OPTION_TEXT, TOP(overrides), "", 0, 0, NULL,
     "file of local changes to rules, by id"},
    {"entities", OPTION_TEXT, TOP(entities), "", 0, 0, NULL,
     "file of criticality, owners and exclusions"},
    {"lists", OPTION_TEXT, TOP(lists), "", 0, 0, NULL, "folder of value lists for expand"},
    {"sources", OPTION_NODE, TOP(sources), "", 0, 0, NULL, "doors, a list; see below"},
    {"webhooks", OPTION_NODE, TOP(webhooks), "", 0, 0, NULL, "what monitoring systems post"},
    {"sinks", OPTION_NODE, TOP(sinks), "", 0, 0, NULL, "destinations, a list; see below"},
    {"routes", OPTION_NODE, TOP(routes), "", 0, 0, NULL, "who is told what; without: all, all"},
};

/* ... and its parts, each with a table of its own. */
static const struct option part_rows[] = {
    {"http", OPTION_NODE, offsetof(struct parts, http), "", 0, 0, NULL, "console and API"},
    {"redis", OPTION_NODE, offsetof(struct parts, redis), "", 0, 0, NULL, "the record"},
    {"journal", OPTION_NODE, offsetof(struct parts, journal), "", 0, 0, NULL, "the journal"},
    {"correlation", OPTION_NODE, offsetof(struct parts, correlation), "", 0, 0, NULL, "windows"},
    {"score", OPTION_NODE, offsetof(struct parts, score), "", 0, 0, NULL, "severity scores"},
    {"time", OPTION_NODE, offsetof(struct parts, time), "", 0, 0, NULL, "clocks"},
    {"log", OPTION_NODE, offsetof(struct parts, log), "", 0, 0, NULL, "this program's log lines"},
};
static const struct option http_rows[] = {
    {"listen", OPTION_TEXT, MEMBER(http, listen), "127.0.0.1:8514", 0, 0, NULL, "address and port"},
};
static const struct option redis_rows[] = {
    {"url", OPTION_TEXT, MEMBER(redis, url), "", 0, 0, NULL,
     "redis://host:port/db; empty: a private redis-server in the data folder"},
};
static const struct option journal_rows[] = {
    {"size", OPTION_SIZE, MEMBER(journal, size_bytes), "20GiB", 1 << 20, 1e18, NULL,
     "oldest segments go beyond this"},
    {"age", OPTION_DURATION, MEMBER(journal, age_us), "14d", 0, 3650 * DAY_US, NULL,
     "segments older than this go"},
    {"batch", OPTION_DURATION, MEMBER(journal, batch_us), "5ms", 0, 10e6, NULL,
     "longest wait of the group fsync"},
    {"segment", OPTION_SIZE, MEMBER(journal, segment_bytes), "64MiB", 1 << 16, 1e12, NULL,
     "size of one file"},
    {"reserve", OPTION_SIZE, MEMBER(journal, reserve_bytes), "512MiB", 0, 1e15, NULL,
     "free disk space that stays for the record"},
    {"backlog", OPTION_SIZE, MEMBER(journal, backlog_bytes), "4GiB", 0, 1e15, NULL,
     "most bytes that wait here for the workers; then no door is read"},
    {"full", OPTION_CHOICE, MEMBER(journal, full), "stop", 0, 0, full_names,
     "at the reserve: stop reading, or drop and count"},
    {"compress", OPTION_BOOL, MEMBER(journal, is_compressed), "true", 0, 0, NULL, "zstd blocks"},
};
static const struct option correlation_rows[] = {
    {"fire", OPTION_CHOICE, MEMBER(correlation, fire), "edge", 0, 0, fire_names,
     "for correlations that do not say"},
    {"lateness", OPTION_DURATION, MEMBER(correlation, lateness_us), "0s", 0, DAY_US, NULL,
     "for correlations that do not say"},
    {"workers", OPTION_INT, MEMBER(correlation, workers), "0", 0, 64, NULL,
     "threads that match; 0: by cores"},
    {"shards", OPTION_INT, MEMBER(correlation, shards), "0", 0, 64, NULL,
     "threads that own windows; 0: by cores"},
    {"memory", OPTION_SIZE, MEMBER(correlation, memory_bytes), "1GiB", 1 << 20, 1e13, NULL,
     "ceiling of all windows and their tables; a checkpoint's copies and batches come beside it"},
    {"held", OPTION_INT, MEMBER(correlation, held), "1000000", 1000, 1e9, NULL,
     "most events that lateness holds"},
    {"checkpoint", OPTION_DURATION, MEMBER(correlation, checkpoint_us), "1s", 1e5, 3600e6, NULL,
     "least time between checkpoints"},
};
static const struct option score_rows[] = {
    {"threshold", OPTION_DOUBLE, MEMBER(score, threshold), "65", 1, 100, NULL,
     "an incident from this score on"},
    {"half_life", OPTION_DURATION, MEMBER(score, half_life_us), "24h", 60e6, 365 * DAY_US, NULL,
     "of scores"},
};
static const struct option time_rows[] = {
    {"zone", OPTION_TEXT, MEMBER(time, zone), "Z", 0, 0, NULL, "of times that name none"},
    {"ahead", OPTION_DURATION, MEMBER(time, ahead_us), "1m", 0, DAY_US, NULL,
     "a clock further ahead of receipt is clamped"},
};
static const struct option log_rows[] = {
    {"level", OPTION_CHOICE, MEMBER(log, level), "info", 0, 0, level_names, "least level"},
    {"json", OPTION_BOOL, MEMBER(log, is_json), "false", 0, 0, NULL, "one JSON object a line"},
};

void config_free(struct config *c)
{
    if (!c)
        return;
    arena_fini(&c->arena);
    free(c);
}

/* Two tables make the top level: an unknown key is one that neither knows. */
static enum status read_top(struct config *c, struct parts *parts, const struct yaml_node *root,
                            struct error *err)
{
    enum { ALL = sizeof top_rows / sizeof *top_rows + sizeof part_rows / sizeof *part_rows };
    struct option all[ALL];
    struct both {
        struct config config;
        struct parts parts;
    } *both = calloc(1, sizeof *both);
    if (!both)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the configuration");
    memcpy(all, top_rows, sizeof top_rows);
    memcpy(all + sizeof top_rows / sizeof *top_rows, part_rows, sizeof part_rows);
    for (size_t i = sizeof top_rows / sizeof *top_rows; i < ALL; i++)
        all[i].offset += offsetof(struct both, parts);
    enum status status = option_read(all, ALL, root, &c->arena, both, err);
    if (!status) {
        struct arena arena = c->arena;
        struct text path = c->path;
        *c = both->config;
        c->arena = arena;
        c->path = path;
        *parts = both->parts;
    }
    free(both);
    return status;
}

static enum status read_parts(struct config *c, const struct parts *parts, struct error *err)
{
    struct {
        const struct option *rows;
        size_t count;
        const struct yaml_node *node;
        void *out;
    } all[] = {
        {ROWS(http_rows), parts->http, &c->http},
        {ROWS(redis_rows), parts->redis, &c->redis},
        {ROWS(journal_rows), parts->journal, &c->journal},
        {ROWS(correlation_rows), parts->correlation, &c->correlation},
        {ROWS(score_rows), parts->score, &c->score},
        {ROWS(time_rows), parts->time, &c->time},
        {ROWS(log_rows), parts->log, &c->log},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        enum status status =
            option_read(all[i].rows, all[i].count, all[i].node, &c->arena, all[i].out, err);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status fill(struct config *c, const struct yaml_node *root, const char *data,
                        struct error *err)
{
    struct parts parts = {0};
    enum status status = read_top(c, &parts, root, err);
    if (!status)
        status = read_parts(c, &parts, err);
    char folder[PATH_ROOM];
    if (!status && (data || !c->data.len))
        c->data = arena_copy(&c->arena, text_of(data ? data : command_data(folder, sizeof folder)));
    if (!status && !c->data.at)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the configuration");
    return status;
}

enum status config_load(const char *path, const char *data, struct config **out, struct error *err)
{
    AUTO(config) c = calloc(1, sizeof *c);
    if (!c)
        return error_set(err, STATUS_NOMEM, 0, "no memory for the configuration");
    arena_init(&c->arena, 64 << 20);
    struct yaml_file file = {0};
    enum status status = path ? yaml_load(path, &c->arena, &file, err) : STATUS_OK;
    if (!status && file.count > 1)
        status = error_set(err, STATUS_INVALID, file.documents[1]->line,
                           "a configuration is one document, this file has %u", file.count);
    if (path)
        c->path = arena_copy(&c->arena, text_of(path));
    if (!status)
        status = fill(c, file.count ? file.documents[0] : NULL, data, err);
    if (!status)
        c->root = file.count ? file.documents[0] : NULL;
    if (status)
        return status;
    *out = MOVE(c);
    return STATUS_OK;
}

static void print_part(const char *name, const struct option *rows, size_t count,
                       const void *values, struct buffer *out)
{
    buffer_printf(out, "%s:\n", name);
    option_print(rows, count, values, 2, out);
}

/* ---- nodes: as they were said, in flow style ---- */

static bool is_bare(const struct yaml_node *node)
{
    bool ignored = false;
    return yaml_is_null(node) || yaml_bool(node, &ignored) || yaml_is_number(node);
}

static void print_scalar(const struct yaml_node *node, struct buffer *out)
{
    if (yaml_is_null(node)) {
        buffer_append(out, TEXT("null"));
        return;
    }
    if (is_bare(node)) {
        buffer_append(out, node->value);
        return;
    }
    buffer_byte(out, '"');
    for (size_t i = 0; i < node->value.len; i++) {
        unsigned char c = (unsigned char)node->value.at[i];
        if (c < 0x20 || c == 0x7f)
            buffer_printf(out, "\\x%02x", c);
        else if (c == '"' || c == '\\')
            buffer_printf(out, "\\%c", c);
        else
            buffer_byte(out, node->value.at[i]);
    }
    buffer_byte(out, '"');
}

static void print_node(const struct yaml_node *node, struct buffer *out)
{
    if (node->kind == YAML_SCALAR) {
        print_scalar(node, out);
        return;
    }
    buffer_byte(out, node->kind == YAML_MAPPING ? '{' : '[');
    for (uint32_t i = 0; i < node->count; i++) {
        if (i)
            buffer_append(out, TEXT(", "));
        if (node->kind == YAML_MAPPING) {
            print_scalar(node->pairs[i].key, out);
            buffer_append(out, TEXT(": "));
        }
        print_node(node->kind == YAML_MAPPING ? node->pairs[i].value : node->items[i], out);
    }
    buffer_byte(out, node->kind == YAML_MAPPING ? '}' : ']');
}

/* A list has a line per entry. */
static void print_said(const char *name, const struct yaml_node *node, struct buffer *out)
{
    if (!node)
        return;
    buffer_printf(out, "%s:", name);
    if (node->kind != YAML_SEQUENCE || !node->count) {
        buffer_byte(out, ' ');
        print_node(node, out);
    }
    for (uint32_t i = 0; node->kind == YAML_SEQUENCE && i < node->count; i++) {
        buffer_append(out, TEXT("\n  - "));
        print_node(node->items[i], out);
    }
    buffer_byte(out, '\n');
}

/* What may stand in the lists that somebody else reads: shown as the options of each kind, in
 * comments. */
static void print_kinds(const char *name, void (*print)(struct buffer *), struct buffer *out)
{
    struct buffer text;
    buffer_init(&text, 1 << 20);
    print(&text);
    buffer_printf(out, "# Each of these may be one entry of the list `%s`:\n", name);
    struct text rest = buffer_text(&text);
    struct text line = TEXT_NONE;
    while (text_split(&rest, '\n', &line)) {
        if (text_starts(line, TEXT("# ")))
            line = text_skip(line, 2);
        if (line.len)
            buffer_printf(out, "# %.*s\n", TEXT_ARG(line));
    }
    buffer_fini(&text);
}

void config_print(const struct config *c, struct buffer *out)
{
    size_t plain = 0;
    while (plain < sizeof top_rows / sizeof *top_rows && top_rows[plain].type != OPTION_NODE)
        plain++;
    option_print(top_rows, plain, c, 0, out);
    print_part("http", ROWS(http_rows), &c->http, out);
    print_part("redis", ROWS(redis_rows), &c->redis, out);
    print_part("journal", ROWS(journal_rows), &c->journal, out);
    print_part("correlation", ROWS(correlation_rows), &c->correlation, out);
    print_part("score", ROWS(score_rows), &c->score, out);
    print_part("time", ROWS(time_rows), &c->time, out);
    print_part("log", ROWS(log_rows), &c->log, out);
    print_said("sources", c->sources, out);
    print_said("webhooks", c->webhooks, out);
    print_said("sinks", c->sinks, out);
    print_said("routes", c->routes, out);
    print_kinds("sources", source_print_options, out);
    print_kinds("webhooks", webhooks_print_options, out);
    print_kinds("sinks", sinks_print_options, out);
}

bool config_is_one(const char *path)
{
    struct arena arena;
    arena_init(&arena, 64 << 20);
    struct yaml_file file = {0};
    bool is_one = false;
    if (!yaml_load(path, &arena, &file, NULL) && file.count == 1 &&
        file.documents[0]->kind == YAML_MAPPING && file.documents[0]->count) {
        const struct yaml_node *root = file.documents[0];
        bool is_rule = yaml_get(root, TEXT("title")) || yaml_get(root, TEXT("decoder")) ||
                       yaml_get(root, TEXT("mapping")) || yaml_get(root, TEXT("detection"));
        for (size_t i = 0; i < sizeof top_rows / sizeof *top_rows && !is_rule; i++)
            is_one |= yaml_get(root, text_of(top_rows[i].name)) != NULL;
        for (size_t i = 0; i < sizeof part_rows / sizeof *part_rows && !is_rule; i++)
            is_one |= yaml_get(root, text_of(part_rows[i].name)) != NULL;
    }
    arena_fini(&arena);
    return is_one;
}
