/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/expect.h"
#include "app/load.h"
#include "app/reason.h"
#include "app/rerun.h"
#include "app/subcommands.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] =
    "Usage: tocsin test [--json] [--lists DIR] [--overrides FILE] PATH...\n\n"
    "Runs the timelines (*.test.yml) found in PATH, a folder or one file, against the rules that\n"
    "stand beside them (all rules below a folder PATH, those of the folder of a file PATH).\n"
    "A failure shows what was expected, what happened, and why. Exit status 1: one failed.";

enum { TESTS_MAX = 4096, EVENTS_MAX = 4 << 20 };
#define START_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

struct moment {
    int64_t at_us;
    uint32_t order;
    enum format format;
    struct text raw;
};

struct timeline {
    struct arena arena;
    struct moment *moments;
    size_t count, max, next;
    struct expect_result result;
    const struct yaml_node *rules;
    struct ruleset *ruleset;
};

struct session {
    const char *lists, *overrides;
    bool is_json;
    uint32_t passed, failed, errors; /* errors: rules and files that could not be read */
    struct arena arena;
    const char *files[TESTS_MAX];
    uint32_t file_count;
};

/* ---- reading a timeline ---- */

static enum status fail(struct error *err, const struct yaml_node *at, const char *what)
{
    (void)error_set(err, STATUS_INVALID, at->line, "%s", what);
    if (err)
        err->column = at->column;
    return STATUS_INVALID;
}

static void write_json(const struct yaml_node *node, struct buffer *out, const char *name)
{
    bool is_true = false;
    if (node->kind == YAML_MAPPING) {
        json_write_open(out, name, '{');
        for (uint32_t i = 0; i < node->count; i++) {
            json_write_name(out, node->pairs[i].key->value);
            write_json(node->pairs[i].value, out, NULL);
        }
        json_write_close(out, '}');
    } else if (node->kind == YAML_SEQUENCE) {
        json_write_open(out, name, '[');
        for (uint32_t i = 0; i < node->count; i++)
            write_json(node->items[i], out, NULL);
        json_write_close(out, ']');
    } else if (yaml_is_null(node)) {
        json_write_null(out, name);
    } else if (yaml_bool(node, &is_true)) {
        json_write_bool(out, name, is_true);
    } else if (yaml_is_number(node) && node->value.at[0] != '+' && node->value.at[0] != '.') {
        json_write_raw(out, name, node->value);
    } else {
        json_write_string(out, name, node->value);
    }
}

static enum status raw_of(struct timeline *t, const struct yaml_node *node, struct text *out,
                          enum format *out_format, struct error *err)
{
    const struct yaml_node *log = yaml_get(node, TEXT("log"));
    const struct yaml_node *event = yaml_get(node, TEXT("event"));
    *out_format = FORMAT_AUTO;
    if (log && log->kind == YAML_SCALAR) {
        *out = log->value;
        return STATUS_OK;
    }
    if (!event || event->kind != YAML_MAPPING)
        return fail(err, node, "an event wants `log:` (one line) or `event:` (a mapping)");
    struct buffer bytes;
    buffer_init(&bytes, 16 << 20);
    write_json(event, &bytes, NULL);
    *out = arena_copy(&t->arena, buffer_text(&bytes));
    *out_format = FORMAT_JSON;
    buffer_fini(&bytes);
    return out->at ? STATUS_OK : fail(err, node, "this event is too large");
}

static bool read_duration(const struct yaml_node *node, const char *key, int64_t *out)
{
    const struct yaml_node *value = yaml_get(node, text_of(key));
    return !value || (value->kind == YAML_SCALAR && text_to_duration_us(value->value, out));
}

static bool add_moment(struct timeline *t, struct moment m)
{
    if (t->count == t->max) {
        size_t want = t->max ? t->max * 2 : 256;
        struct moment *grown = want > EVENTS_MAX ? NULL : realloc(t->moments, want * sizeof *grown);
        if (!grown)
            return false;
        t->moments = grown;
        t->max = want;
    }
    m.order = (uint32_t)t->count;
    t->moments[t->count++] = m;
    return true;
}

static enum status read_event(struct timeline *t, const struct yaml_node *node, struct error *err)
{
    static const char *const known[] = {"at", "every", "repeat", "log", "event", NULL};
    int64_t at_us = 0;
    int64_t every_us = 0;
    int64_t repeat = 1;
    for (uint32_t i = 0; node->kind == YAML_MAPPING && i < node->count; i++)
        if (!expect_is_known(node->pairs[i].key->value, known))
            return fail(err, node->pairs[i].key,
                        "an event knows at, every, repeat, log and event only");
    if (!read_duration(node, "at", &at_us) || !read_duration(node, "every", &every_us))
        return fail(err, node, "at and every want durations such as 0s, 2s, 5m");
    const struct yaml_node *times = yaml_get(node, TEXT("repeat"));
    if (times && (!yaml_int64(times, &repeat) || repeat < 1 || repeat > EVENTS_MAX))
        return fail(err, times, "repeat wants a number from 1");
    struct moment m = {.at_us = at_us};
    enum status status = raw_of(t, node, &m.raw, &m.format, err);
    for (int64_t i = 0; i < repeat && !status; i++, m.at_us += every_us)
        if (!add_moment(t, m))
            status = fail(err, node, "more than 4,194,304 events in one timeline");
    return status;
}

static int by_time(const void *a, const void *b)
{
    const struct moment *x = a;
    const struct moment *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static enum status read_timeline(struct timeline *t, const struct yaml_node *root,
                                 struct error *err)
{
    static const char *const known[] = {"test", "rules", "events", "expect", "description", NULL};
    for (uint32_t i = 0; root->kind == YAML_MAPPING && i < root->count; i++)
        if (!expect_is_known(root->pairs[i].key->value, known))
            return fail(err, root->pairs[i].key,
                        "a timeline knows test, rules, events, expect and description only");
    const struct yaml_node *events = yaml_get(root, TEXT("events"));
    const struct yaml_node *expect = yaml_get(root, TEXT("expect"));
    t->rules = yaml_get(root, TEXT("rules"));
    if (!yaml_get(root, TEXT("test")) || !events || events->kind != YAML_SEQUENCE || !expect ||
        expect->kind != YAML_SEQUENCE || !expect->count)
        return fail(err, root, "a timeline wants test:, a list events: and a list expect:");
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < events->count && !status; i++)
        status = read_event(t, events->items[i], err);
    if (!status && t->count)
        qsort(t->moments, t->count, sizeof *t->moments, by_time);
    return status;
}

/* ---- running it ---- */

static bool next(void *context, struct batch *b)
{
    struct timeline *t = context;
    while (t->next < t->count && !batch_is_full(b)) {
        const struct moment *m = &t->moments[t->next];
        struct record *r = batch_add(b, m->raw);
        if (!r)
            break;
        t->next++;
        r->receive_us = r->journal_us = START_US + m->at_us;
        r->position = t->next;
        r->format = m->format;
    }
    return b->count > 0;
}

static bool is_listed(const struct yaml_node *rules, const struct rule *rule)
{
    if (!rules)
        return true;
    for (uint32_t i = 0; rules->kind == YAML_SEQUENCE && i < rules->count; i++)
        if (expect_names_rule(rules->items[i]->value, rule))
            return true;
    return rules->kind == YAML_SCALAR && expect_names_rule(rules->value, rule);
}

static void detected(void *context, const struct detection *d, struct text input)
{
    (void)input;
    struct timeline *t = context;
    expect_add_detection(&t->result, d, START_US);
}

static bool is_wanted(void *context, const struct rule *rule)
{
    const struct timeline *t = context;
    return is_listed(t->rules, rule);
}

/* ---- why it went otherwise ---- */

static void rewind_events(void *context)
{
    struct timeline *t = context;
    t->next = 0;
}

static void tell_rule(struct timeline *t, const struct rule *rule, struct buffer *why)
{
    const struct reason_options options = {t->ruleset, next, rewind_events, t, START_US};
    if (!rule->is_reported)
        buffer_append(why, TEXT("        that rule only feeds correlations, none of which says "
                                "`generate: true`\n"));
    if (is_listed(t->rules, rule))
        reason_write(&options, rule, why);
    else
        buffer_append(why, TEXT("        `rules:` of this test leaves that rule out\n"));
}

/* An incident that did not come where nothing was detected at all. */
static void tell_all(struct timeline *t, struct buffer *why)
{
    enum { MOST = 4 };
    uint32_t count = 0;
    uint32_t told = 0;
    const struct rule *const *rules = ruleset_rules(t->ruleset, &count);
    for (uint32_t i = 0; i < count && told < MOST; i++) {
        if (!rules[i]->is_reported || !is_listed(t->rules, rules[i]))
            continue;
        tell_rule(t, rules[i], why);
        told++;
    }
}

static void tell_why(void *context, const struct yaml_node *entry, struct buffer *why)
{
    struct timeline *t = context;
    const struct yaml_node *name = yaml_get(entry, TEXT("detection"));
    const struct yaml_node *times = yaml_get(entry, TEXT("times"));
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(t->ruleset, &count);
    if (yaml_get(entry, TEXT("not")) || (times && text_equal(times->value, TEXT("0"))))
        return;
    buffer_append(why, TEXT("      why:\n"));
    if (!name && !t->result.count)
        tell_all(t, why);
    if (!name) {
        if (t->result.count)
            buffer_append(why, TEXT("        no incident or candidate of the run is like that\n"));
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        if (expect_names_rule(name->value, rules[i])) {
            tell_rule(t, rules[i], why);
            return;
        }
    buffer_append(why, TEXT("        no rule beside this test has that name, id or title; one with "
                            "errors is left out\n"));
}

static enum status check_names(const struct timeline *t, struct ruleset *ruleset, struct error *err)
{
    uint32_t count = 0;
    const struct rule *const *rules = ruleset_rules(ruleset, &count);
    for (uint32_t i = 0; t->rules && t->rules->kind == YAML_SEQUENCE && i < t->rules->count; i++) {
        bool is_there = false;
        for (uint32_t j = 0; j < count && !is_there; j++)
            is_there = expect_names_rule(t->rules->items[i]->value, rules[j]);
        if (!is_there)
            return fail(err, t->rules->items[i], "no rule beside this test has that name or id");
    }
    return STATUS_OK;
}

static enum status run_timeline(struct timeline *t, struct ruleset *ruleset,
                                const struct yaml_node *root, struct buffer *why, struct error *err)
{
    enum status status = check_names(t, ruleset, err);
    if (status)
        return status;
    struct rerun_options options = {
        .next = next,
        .is_receipt_time = true,
        .since_us = TIMESTAMP_NONE,
        .until_us = TIMESTAMP_NONE,
        .workers = 1,
        .shards = 1,
        .has_incidents = true,
        .threshold = 65,
        .half_life_us = INT64_C(86400000000),
        .is_wanted = is_wanted,
        .detected = detected,
        .context = t,
    };
    struct rerun_result result;
    t->ruleset = ruleset;
    t->result.explain = tell_why;
    t->result.context = t;
    status = rerun_once(&options, ruleset, &result, err);
    if (!status)
        status = expect_check(&t->result, buffer_text(&result.incidents),
                              yaml_get(root, TEXT("expect")), why, err);
    rerun_fini(&result);
    return status;
}

static void print_why(const char *file, uint32_t line, struct text why)
{
    struct buffer shown;
    buffer_init(&shown, 16 << 20);
    printable_lines(&shown, why);
    printable_print(stdout, "      %s:%u\n", file, line);
    (void)fwrite(shown.at ? shown.at : "", 1, shown.len, stdout);
    buffer_fini(&shown);
}

static void report(struct session *s, const char *file, const struct yaml_node *root,
                   enum status status, struct text why, const struct error *err)
{
    const struct yaml_node *name = yaml_get(root, TEXT("test"));
    struct text title = name ? name->value : TEXT("(unnamed)");
    bool is_ok = status == STATUS_OK && !why.len;
    s->passed += is_ok;
    s->failed += !is_ok;
    if (s->is_json) {
        struct buffer line;
        buffer_init(&line, 1 << 20);
        json_write_open(&line, NULL, '{');
        json_write_string(&line, "file", text_of(file));
        json_write_uint(&line, "line", root->line);
        json_write_string(&line, "test", title);
        json_write_bool(&line, "passed", is_ok);
        if (!is_ok)
            json_write_string(&line, "why", status ? text_of(err->text) : why);
        json_write_close(&line, '}');
        (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
        buffer_fini(&line);
        return;
    }
    printable_print(stdout, "%s  %.*s\n", is_ok ? "pass" : "FAIL", TEXT_ARG(title));
    if (status)
        printable_print(stdout, "      %s:%u:%u: %s\n", file, err->line, err->column, err->text);
    else if (!is_ok)
        print_why(file, root->line, why);
}

static void run_document(struct session *s, const char *file, const struct yaml_node *root,
                         struct ruleset *ruleset)
{
    struct timeline t = {0};
    arena_init(&t.arena, 256 << 20);
    expect_init(&t.result);
    struct error err = {0};
    struct buffer why;
    buffer_init(&why, 1 << 20);
    enum status status = read_timeline(&t, root, &err);
    if (!status)
        status = run_timeline(&t, ruleset, root, &why, &err);
    report(s, file, root, status, buffer_text(&why), &err);
    buffer_fini(&why);
    expect_fini(&t.result);
    free(t.moments);
    arena_fini(&t.arena);
}

static void run_file(struct session *s, const char *file, struct ruleset *ruleset)
{
    struct arena arena;
    arena_init(&arena, 256 << 20);
    struct yaml_file yaml = {0};
    struct error err = {0};
    if (yaml_load(file, &arena, &yaml, &err)) {
        command_say("test: %s:%u:%u: %s", file, err.line, err.column, err.text);
        s->errors++;
    }
    for (uint32_t i = 0; i < yaml.count; i++)
        run_document(s, file, yaml.documents[i], ruleset);
    arena_fini(&arena);
}

/* ---- finding them ---- */

static bool is_test(const char *path)
{
    return text_ends(text_of(path), TEXT(".test.yml")) ||
           text_ends(text_of(path), TEXT(".test.yaml"));
}

static int by_path(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;
    return strcmp(*x, *y);
}

/* Adds every test below `path` in the order of their names. Depth is bounded by PATH_MAX. */
static enum status find_tests(struct session *s, const char *path, struct error *err)
{
    struct stat about;
    if (stat(path, &about))
        return error_set(err, STATUS_IO, 0, "%s cannot be read: %s", path, strerrordesc_np(errno));
    if (!S_ISDIR(about.st_mode)) {
        if (is_test(path) && s->file_count < TESTS_MAX)
            s->files[s->file_count++] = arena_copy(&s->arena, text_of(path)).at;
        return STATUS_OK;
    }
    DIR *folder = opendir(path);
    if (!folder)
        return error_set(err, STATUS_IO, 0, "%s cannot be read: %s", path, strerrordesc_np(errno));
    enum status status = STATUS_OK;
    for (struct dirent *entry = readdir(folder); entry && !status; entry = readdir(folder)) {
        char below[PATH_ROOM];
        if (entry->d_name[0] == '.')
            continue;
        (void)command_path(below, sizeof below, path, entry->d_name);
        if (entry->d_type == DT_DIR || is_test(below))
            status = find_tests(s, below, err);
    }
    (void)closedir(folder);
    return status;
}

/* The rules that stand beside: below a folder, or in the folder of one file. */
static enum status run_path(struct session *s, const char *path, struct error *err)
{
    char shared[PATH_ROOM];
    char folder[PATH_ROOM];
    bool is_shipped = strcmp(path, "share") == 0;
    (void)snprintf(folder, sizeof folder, "%s%s",
                   is_shipped ? command_share(shared, sizeof shared) : path,
                   is_shipped ? "/rules" : "");
    s->file_count = 0;
    enum status status = find_tests(s, folder, err);
    if (status)
        return status;
    if (!s->file_count)
        return error_set(err, STATUS_NOTFOUND, 0, "%s holds no timeline (*.test.yml)", path);
    qsort(s->files, s->file_count, sizeof *s->files, by_path);
    char *slash = strrchr(folder, '/');
    if (is_test(folder))
        (void)snprintf(slash ? slash : folder, 2, slash ? "" : ".");
    struct load_request request = {
        .rules = {.items = {folder}, .count = 1}, .lists = s->lists, .overrides = s->overrides};
    struct ruleset *ruleset = NULL;
    status = load_rules(&request, &ruleset, err);
    for (uint32_t i = 0; !status && i < s->file_count; i++)
        run_file(s, s->files[i], ruleset);
    if (!status)
        s->errors += ruleset_get_summary(ruleset)->errors;
    ruleset_unref(ruleset);
    return status;
}

static int run_paths(struct session *s, const char **paths, uint32_t count)
{
    struct error err = {0};
    for (uint32_t i = 0; i < count; i++) {
        enum status status = run_path(s, paths[i], &err);
        if (status) {
            command_say("test: %s", err.text);
            return status == STATUS_NOTFOUND ? COMMAND_NO : COMMAND_USAGE;
        }
    }
    if (s->is_json)
        printable_print(stdout, "{\"passed\":%u,\"failed\":%u,\"errors\":%u}\n", s->passed,
                        s->failed, s->errors);
    else if (s->errors)
        printable_print(stdout, "%u passed, %u failed, %u errors in rules and tests\n", s->passed,
                        s->failed, s->errors);
    else
        printable_print(stdout, "%u passed, %u failed\n", s->passed, s->failed);
    return s->failed || s->errors ? COMMAND_NO : COMMAND_DONE;
}

int timeline_main(int argc, char **argv)
{
    struct session *s = calloc(1, sizeof *s);
    const char **paths = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!s || !paths)
        return COMMAND_UNFINISHED;
    arena_init(&s->arena, 64 << 20);
    const struct command_flag flags[] = {
        {"json", FLAG_SWITCH, &s->is_json, NULL, "one JSON object a test, and a last one"},
        {"lists", FLAG_TEXT, &s->lists, "DIR", "value lists for expand"},
        {"overrides", FLAG_TEXT, &s->overrides, "FILE", "overrides.yml"},
    };
    int code = COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, paths, &count);
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (!status && !count)
        command_say("test: name folders or files, or `share`");
    else if (!status)
        code = run_paths(s, paths, count);
    arena_fini(&s->arena);
    free(paths);
    free(s);
    return code;
}
