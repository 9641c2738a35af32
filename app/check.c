/* SPDX-License-Identifier: Apache-2.0 */
#include "app/command.h"
#include "app/config.h"
#include "app/load.h"
#include "app/subcommands.h"
#include "app/verify.h"
#include "base/json_write.h"
#include "base/path.h"
#include "base/printable.h"
#include "rules/rules.h"
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: tocsin check [--json] [--severity LEAST] [--code CODE] [options] PATH...\n\n"
    "Reads rules, correlations, filters, decoders (with their samples), mappings and\n"
    "configuration files, and says what is wrong or unwise in them, with file, line and column,\n"
    "and at the end how often which, most pressing first.\n"
    "A PATH is a file, a folder, or `share` for what ships. Exit status 1: there is an error.";

/* Findings of one code. */
enum { CODES = 64, EXAMPLE = 300 };
struct tally_code {
    const char *code; /* of the ruleset's own, which are literals */
    enum diagnostic_severity severity;
    uint32_t count;
    char example[EXAMPLE]; /* the first: where, and what it says */
};

struct check {
    const char *lists, *overrides;
    const char *severity;     /* the least that is printed, NULL: hint */
    struct command_list only; /* codes that are printed; empty: all */
    enum diagnostic_severity least;
    bool is_json;
    uint32_t errors, warnings, hints;
    struct load_refusals refused;
    struct tally_code codes[CODES];
    uint32_t code_count;
    struct arena arena; /* paths found in folders */
    struct command_list configs, overrides_found, entities_found;
    uint32_t config_count, entities;
    struct ruleset_summary total;
    char share[PATH_ROOM];
    bool is_followed;    /* rules that a configuration names are being read */
    bool knows_no_rules; /* overrides alone */
};

static void print_json(const struct diagnostic *f)
{
    static const char *const names[] = {"error", "warning", "hint"};
    struct buffer line;
    buffer_init(&line, 1 << 20);
    json_write_open(&line, NULL, '{');
    json_write_string(&line, "file", f->file);
    json_write_uint(&line, "line", f->line);
    json_write_uint(&line, "column", f->column);
    json_write_string(&line, "severity", text_of(names[f->severity]));
    json_write_string(&line, "code", text_of(f->code));
    json_write_string(&line, "message", f->message);
    if (f->rule.len)
        json_write_string(&line, "rule", f->rule);
    json_write_close(&line, '}');
    (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

static void count_code(struct check *c, const struct diagnostic *f)
{
    uint32_t i = 0;
    while (i < c->code_count &&
           (strcmp(c->codes[i].code, f->code) != 0 || c->codes[i].severity != f->severity))
        i++;
    if (i == CODES)
        return;
    if (i == c->code_count) {
        struct tally_code *one = &c->codes[c->code_count++];
        *one = (struct tally_code){.code = f->code, .severity = f->severity};
        (void)snprintf(one->example, sizeof one->example, "%.*s:%u: %.*s", TEXT_ARG(f->file),
                       f->line, TEXT_ARG(f->message));
    }
    c->codes[i].count++;
}

static void keep_copy(struct check *c, struct command_list *list, struct text path);

static bool has_path(const struct command_list *list, struct text path)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (text_equal(text_of(list->items[i]), path))
            return true;
    return false;
}

/* What a ruleset finds that is not wrong here. */
static bool is_beside_the_point(struct check *c, const struct diagnostic *f)
{
    if (c->is_followed && f->severity != DIAGNOSTIC_ERROR &&
        text_starts(f->file, text_of(c->share)))
        return true; /* what ships is not his to mend */
    if (c->knows_no_rules && strcmp(f->code, "unknown-rule") == 0)
        return true;
    if (strcmp(f->code, "unknown-document") != 0)
        return false;
    if (has_path(&c->configs, f->file))
        return true;
    char path[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%.*s", TEXT_ARG(f->file));
    if (!config_is_one(path))
        return false;
    keep_copy(c, &c->configs, f->file); /* checked as such, later */
    return true;
}

static void ignore(void *context, const struct diagnostic *f)
{
    (void)context;
    (void)f;
}

/* Whether it is printed; counted it is in any case. */
static bool is_wanted(const struct check *c, const struct diagnostic *f)
{
    bool is_named = c->only.count == 0;
    for (uint32_t i = 0; i < c->only.count; i++)
        is_named |= strcmp(c->only.items[i], f->code) == 0;
    return is_named && f->severity <= c->least;
}

static bool read_severity(struct check *c)
{
    static const char *const names[] = {"error", "warning", "hint"};
    c->least = DIAGNOSTIC_HINT;
    for (int i = 0; c->severity && i < 3; i++)
        if (strcmp(c->severity, names[i]) == 0) {
            c->least = (enum diagnostic_severity)i;
            return true;
        }
    if (c->severity)
        command_say("check: --severity is error, warning or hint, not '%s'", c->severity);
    return !c->severity;
}

static void tell(void *context, const struct diagnostic *f)
{
    struct check *c = context;
    if (is_beside_the_point(c, f))
        return;
    count_code(c, f);
    bool is_rule = strcmp(f->code, "configuration") != 0 && strcmp(f->code, "entities") != 0 &&
                   strcmp(f->code, "override") != 0;
    if (f->severity == DIAGNOSTIC_ERROR && is_rule)
        load_count_refusal(&c->refused, f);
    c->errors += f->severity == DIAGNOSTIC_ERROR;
    c->warnings += f->severity == DIAGNOSTIC_WARNING;
    c->hints += f->severity == DIAGNOSTIC_HINT;
    if (!is_wanted(c, f))
        return;
    if (c->is_json)
        print_json(f);
    else
        load_print_finding(NULL, f);
}

static int compare_codes(const void *a, const void *b)
{
    const struct tally_code *x = a;
    const struct tally_code *y = b;
    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return strcmp(x->code, y->code);
}

static void print_json_summary(const struct check *c, const struct ruleset_summary *s)
{
    struct buffer line;
    buffer_init(&line, 1 << 16);
    json_write_open(&line, NULL, '{');
    json_write_uint(&line, "rules", s->rules);
    json_write_uint(&line, "correlations", s->correlations);
    json_write_uint(&line, "filters", s->filters);
    json_write_uint(&line, "decoders", s->decoders);
    json_write_uint(&line, "mappings", s->mappings);
    if (c->config_count)
        json_write_uint(&line, "configurations", c->config_count);
    if (c->entities)
        json_write_uint(&line, "entities", c->entities);
    json_write_uint(&line, "errors", c->errors);
    json_write_uint(&line, "warnings", c->warnings);
    json_write_uint(&line, "hints", c->hints);
    json_write_uint(&line, "refused", c->refused.count);
    json_write_open(&line, "codes", '{');
    for (uint32_t i = 0; i < c->code_count; i++)
        json_write_uint(&line, c->codes[i].code, c->codes[i].count);
    json_write_close(&line, '}');
    json_write_close(&line, '}');
    (void)printf("%.*s\n", TEXT_ARG(buffer_text(&line)));
    buffer_fini(&line);
}

static void print_summary(struct check *c, const struct ruleset_summary *s)
{
    static const char *const names[] = {"error", "warning", "hint"};
    qsort(c->codes, c->code_count, sizeof *c->codes, compare_codes);
    if (c->is_json) {
        print_json_summary(c, s);
        return;
    }
    if (c->code_count)
        printable_print(stdout, "\n");
    for (uint32_t i = 0; i < c->code_count; i++)
        printable_print(stdout, "%6u %-7s %s\n               first: %s\n", c->codes[i].count,
                        names[c->codes[i].severity], c->codes[i].code, c->codes[i].example);
    printable_print(stdout,
                    "%u rules, %u correlations, %u filters, %u decoders, %u mappings: "
                    "%u errors, %u warnings, %u hints",
                    s->rules, s->correlations, s->filters, s->decoders, s->mappings, c->errors,
                    c->warnings, c->hints);
    if (c->refused.count)
        printable_print(stdout, "; %u of %u rules and correlations are refused", c->refused.count,
                        c->refused.count + s->rules + s->correlations);
    printable_print(stdout, "\n");
}

/* ---- what is read ---- */

/* overrides.yml and entities.yml belong to whoever runs the program, and lie beside his rules. */
static bool is_called(const char *path, const char *name)
{
    const char *slash = strrchr(path, '/');
    return strcmp(slash ? slash + 1 : path, name) == 0;
}

static void keep_path(struct command_list *list, const char *path)
{
    if (list->count == COMMAND_LIST)
        command_say("check: more than %d: '%s' is left out", COMMAND_LIST, path);
    else
        list->items[list->count++] = path;
}

static void keep_copy(struct check *c, struct command_list *list, struct text path)
{
    struct text copy = arena_copy(&c->arena, path);
    if (copy.at)
        keep_path(list, copy.at);
}

/* Rules, and what lies beside them. */
static void look_below(struct check *c, const char *folder, struct command_list *out_rules)
{
    keep_path(out_rules, folder);
    if (strcmp(folder, "share") == 0)
        return;
    char *const roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *e = walk ? fts_read(walk) : NULL; e; e = fts_read(walk)) {
        if (e->fts_info == FTS_F && is_called(e->fts_path, "overrides.yml"))
            keep_copy(c, &c->overrides_found, text_of(e->fts_path));
        else if (e->fts_info == FTS_F && is_called(e->fts_path, "entities.yml"))
            keep_copy(c, &c->entities_found, text_of(e->fts_path));
    }
    if (walk)
        (void)fts_close(walk);
}

/* Configuration files are told from rule files by their keys. */
static void split_paths(struct check *c, const char **paths, uint32_t count,
                        struct command_list *out_rules)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_called(paths[i], "overrides.yml"))
            keep_path(&c->overrides_found, paths[i]);
        else if (is_called(paths[i], "entities.yml"))
            keep_path(&c->entities_found, paths[i]);
        else if (config_is_one(paths[i]))
            keep_path(&c->configs, paths[i]);
        else
            look_below(c, paths[i], out_rules);
    }
}

static void add_summary(struct check *c, const struct ruleset_summary *s)
{
    c->total.rules += s->rules;
    c->total.correlations += s->correlations;
    c->total.filters += s->filters;
    c->total.decoders = s->decoders > c->total.decoders ? s->decoders : c->total.decoders;
    c->total.mappings = s->mappings > c->total.mappings ? s->mappings : c->total.mappings;
}

/* False: there is no memory. */
static bool check_rules(struct check *c, struct load_request *request)
{
    struct ruleset *ruleset = NULL;
    struct error err = {0};
    uint32_t before = c->errors;
    request->tell = tell;
    request->context = c;
    request->has_lints = true;
    request->goes_on = true;
    enum status status = load_rules(request, &ruleset, &err);
    if (!status)
        add_summary(c, ruleset_get_summary(ruleset));
    else
        command_say("check: %s", err.text);
    if (status == STATUS_IO && c->errors == before)
        c->errors++;
    ruleset_unref(ruleset);
    return !status || status == STATUS_IO;
}

/* An overrides.yml whose rules are elsewhere. */
static bool check_overrides(struct check *c, const char *path)
{
    struct load_request request = {.overrides = path, .lists = c->lists};
    struct ruleset_summary kept = c->total;
    c->knows_no_rules = true;
    bool is_ok = check_rules(c, &request);
    c->knows_no_rules = false;
    c->total = kept;
    return is_ok;
}

/* A configuration, and the rules that it names. */
static bool check_config(struct check *c, const char *path)
{
    struct error err = {0};
    AUTO(config) config = NULL;
    if (config_load(path, NULL, &config, &err)) {
        struct diagnostic f = {.file = text_of(path),
                               .line = err.line,
                               .column = err.column,
                               .severity = DIAGNOSTIC_ERROR,
                               .code = "configuration",
                               .message = text_of(err.text)};
        tell(c, &f);
        return true;
    }
    c->config_count++;
    (void)verify_config(config, tell, c);
    struct load_request request = load_request_of(config);
    if (!request.overrides)
        request.overrides = c->overrides;
    if (!request.lists)
        request.lists = c->lists;
    /* what cannot be read was told with its line in the configuration */
    if (verify_files(config, ignore, NULL))
        return true;
    c->is_followed = true;
    bool is_ok = check_rules(c, &request);
    c->is_followed = false;
    return is_ok;
}

static bool check_all(struct check *c, const char **paths, uint32_t count)
{
    struct load_request request = {.overrides = c->overrides, .lists = c->lists};
    split_paths(c, paths, count, &request.rules);
    uint32_t first = 0; /* the overrides that lie with the rules are theirs */
    if (request.rules.count && !request.overrides && c->overrides_found.count)
        request.overrides = c->overrides_found.items[first++];
    bool is_ok = !request.rules.count || check_rules(c, &request);
    for (uint32_t i = first; i < c->overrides_found.count; i++)
        is_ok = check_overrides(c, c->overrides_found.items[i]) && is_ok;
    for (uint32_t i = 0; i < c->entities_found.count; i++) {
        uint32_t entities = 0;
        (void)verify_entities(c->entities_found.items[i], &entities, tell, c);
        c->entities += entities;
    }
    for (uint32_t i = 0; i < c->configs.count; i++) /* grows where a folder had one */
        is_ok = check_config(c, c->configs.items[i]) && is_ok;
    return is_ok;
}

static int check_paths(struct check *c, const char **paths, uint32_t count)
{
    arena_init(&c->arena, 16 << 20);
    (void)command_share(c->share, sizeof c->share);
    bool is_ok = check_all(c, paths, count);
    print_summary(c, &c->total);
    arena_fini(&c->arena);
    if (!is_ok)
        return COMMAND_UNFINISHED;
    return c->errors ? COMMAND_NO : COMMAND_DONE;
}

int check_main(int argc, char **argv)
{
    struct check c = {0};
    const struct command_flag flags[] = {
        {"json", FLAG_SWITCH, &c.is_json, NULL, "one JSON object a finding, and a last one"},
        {"lists", FLAG_TEXT, &c.lists, "DIR", "value lists for expand"},
        {"overrides", FLAG_TEXT, &c.overrides, "FILE", "overrides.yml"},
        {"severity", FLAG_TEXT, &c.severity, "LEAST", "print error, warning, or hint (all)"},
        {"code", FLAG_TEXTS, &c.only, "CODE", "print what has this code; repeatable"},
    };
    const char **paths = calloc((size_t)argc + 1, sizeof(char *));
    uint32_t count = 0;
    if (!paths)
        return COMMAND_UNFINISHED;
    int code = COMMAND_USAGE;
    enum status status =
        command_flags(argc, argv, usage, flags, sizeof flags / sizeof *flags, paths, &count);
    if (status == STATUS_AGAIN)
        code = COMMAND_DONE;
    else if (!status && !count)
        command_say("check: name files or folders, or `share`");
    else if (!status && !read_severity(&c))
        code = COMMAND_USAGE;
    else if (!status)
        code = check_paths(&c, paths, count);
    free(paths);
    return code;
}
