/* SPDX-License-Identifier: Apache-2.0 */
#include "app/reason.h"
#include "app/fed.h"
#include "app/rerun.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "ingest/ingest.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 10000, LINES = 4, WINDOWS = 4, DEPTH = 8, VALUE_BYTES = 120 };

/* ---- pieces of the objects that the matcher and the shard explain themselves with ---- */

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static void put_cut(struct buffer *out, struct text t)
{
    bool is_cut = t.len > VALUE_BYTES;
    buffer_append(out, text_head(t, VALUE_BYTES));
    buffer_append(out, is_cut ? TEXT("...") : TEXT(""));
}

/* A string in quotes, everything else as JSON has it. */
static void put_value(struct buffer *out, const json_t *value)
{
    if (json_is_string(value)) {
        buffer_byte(out, '\'');
        put_cut(out, text_of(json_string_value(value)));
        buffer_byte(out, '\'');
        return;
    }
    char *plain = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_PRESERVE_ORDER);
    put_cut(out, plain ? text_of(plain) : TEXT("?"));
    free(plain);
}

static void put_list(struct buffer *out, const json_t *list)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(list, i, one)
    {
        if (i == LINES) {
            buffer_append(out, TEXT(", ..."));
            return;
        }
        buffer_append(out, i ? TEXT(", ") : TEXT(""));
        put_value(out, one);
    }
}

/* A wildcard comes as its parts. */
static void put_operand(struct buffer *out, const json_t *predicate)
{
    const json_t *operand = json_object_get(predicate, "operand");
    const json_t *of = json_object_get(predicate, "of");
    size_t i = 0;
    json_t *part = NULL;
    buffer_byte(out, ' ');
    if (of)
        put_list(out, of);
    else if (operand && !json_is_array(operand))
        put_value(out, operand);
    if (!json_is_array(operand))
        return;
    buffer_byte(out, '\'');
    json_array_foreach(operand, i, part)
    {
        put_cut(out, text_of(json_string_value(part)));
    }
    buffer_byte(out, '\'');
}

static void put_false(struct buffer *out, const char *selection, const json_t *predicate)
{
    const json_t *field = json_object_get(predicate, "field");
    const json_t *values = json_object_get(predicate, "values");
    const char *operator= json_string_value(json_object_get(predicate, "operator"));
    const char *name = json_string_value(field);
    printable_format(out, "selection %s: %s %s", selection, name ? name : "?",
                  operator? operator: "?");
    put_operand(out, predicate);
    buffer_append(out, TEXT(" is false; "));
    if (!values) {
        buffer_append(out, TEXT("no value of the event fits"));
    } else if (!json_array_size(values)) {
        buffer_append(out, TEXT("the event has no such field"));
    } else {
        buffer_append(out, TEXT("the field is "));
        put_list(out, values);
    }
}

/* The first predicate that was false of the first selection that was; else what holds all the
 * same, for then a `not` of the condition is met. */
static void put_condition(struct buffer *out, const json_t *rule)
{
    size_t i = 0;
    size_t k = 0;
    json_t *selection = NULL;
    json_t *predicate = NULL;
    const json_t *selections = json_object_get(rule, "selections");
    json_array_foreach(selections, i, selection)
    {
        if (is_true(selection, "matched"))
            continue;
        const char *name = json_string_value(json_object_get(selection, "name"));
        json_array_foreach(json_object_get(selection, "predicates"), k, predicate)
        {
            if (is_true(predicate, "matched"))
                continue;
            put_false(out, name ? name : "?", predicate);
            return;
        }
    }
    buffer_append(out, TEXT("every selection holds, also what the condition excludes:"));
    json_array_foreach(selections, i, selection)
    {
        const char *name = json_string_value(json_object_get(selection, "name"));
        printable_format(out, " %s", name ? name : "?");
    }
}

static void put_event(struct buffer *out, const json_t *event, const json_t *rule)
{
    const json_t *sources = json_object_get(event, "logsources");
    if (is_true(rule, "routed")) {
        put_condition(out, rule);
        return;
    }
    buffer_append(out, TEXT("log source: the rule is for "));
    put_value(out, json_object_get(rule, "logsource"));
    if (json_array_size(sources)) {
        buffer_append(out, TEXT(", the event is "));
        put_list(out, sources);
    } else {
        buffer_append(out, TEXT(", the event has none: no decoder or mapping knows it"));
    }
    buffer_append(out, is_true(rule, "condition") ? TEXT("; the condition itself holds")
                                                  : TEXT("; the condition is false, too"));
}

/* ---- a rule over all events ---- */

struct tally {
    uint64_t events, matched;
    struct told {
        struct text text;
        uint64_t count;
        int64_t first_us;
    } told[LINES];
    uint32_t count;
    uint64_t others; /* events with yet other reasons */
    struct arena arena;
};

static void tally_add(struct tally *t, struct text line, int64_t at_us)
{
    uint32_t i = 0;
    while (i < t->count && !text_equal(t->told[i].text, line))
        i++;
    if (i == LINES) {
        t->others++;
        return;
    }
    if (i == t->count)
        t->told[t->count++] = (struct told){arena_copy(&t->arena, line), 0, at_us};
    t->told[i].count++;
}

static void tally_event(struct tally *t, struct text object, int64_t at_us)
{
    json_t *event = json_loadb(object.at, object.len, 0, NULL);
    const json_t *rule = json_array_get(json_object_get(event, "rules"), 0);
    t->events++;
    if (rule && is_true(rule, "matched")) {
        t->matched++;
    } else if (rule) {
        struct buffer line;
        buffer_init(&line, 1 << 16);
        put_event(&line, event, rule);
        tally_add(t, buffer_text(&line), at_us);
        buffer_fini(&line);
    }
    json_decref(event);
}

static void tally_batch(struct tally *t, struct parser *parser, struct matcher *matcher,
                        struct event *event, const struct rule *rule, struct batch *b)
{
    struct buffer body;
    buffer_init(&body, 64 << 20);
    for (uint32_t i = 0; i < b->count && t->events < EVENTS_MAX; i++) {
        int64_t at_us = b->records[i].receive_us;
        parser_read(parser, &b->records[i], &b->arena, event);
        matcher_decode(matcher, event, &b->arena);
        event->event_us = at_us;
        buffer_clear(&body);
        matcher_explain(matcher, event, rule, &body);
        tally_event(t, buffer_text(&body), at_us);
    }
    buffer_fini(&body);
}

static bool tally_rule(const struct reason_options *o, const struct rule *rule, struct tally *t)
{
    AUTO(parser) parser = NULL;
    AUTO(matcher) matcher = NULL;
    AUTO(batch) batch = batch_new();
    AUTO(columns) columns = columns_new();
    const struct parser_options options = {0};
    struct event event = {0};
    struct error err;
    if (!batch || !columns || parser_new(&options, &parser, &err) ||
        matcher_new(o->ruleset, &matcher, &err))
        return false;
    o->rewind(o->context);
    while (t->events < EVENTS_MAX && o->next(o->context, batch)) {
        columns_follow(columns, batch);
        tally_batch(t, parser, matcher, &event, rule, batch);
        batch_reset(batch);
    }
    event_fini(&event);
    return true;
}

static struct text called(const struct rule *rule)
{
    return rule->name.len ? rule->name : rule->title;
}

static void write_rule(const struct reason_options *o, const struct rule *rule, struct buffer *out)
{
    struct tally t = {0};
    arena_init(&t.arena, 16 << 20);
    if (tally_rule(o, rule, &t)) {
        printable_format(out, "        %.*s: %llu of %llu events matched\n", TEXT_ARG(called(rule)),
                         (unsigned long long)t.matched, (unsigned long long)t.events);
        for (uint32_t i = 0; i < t.count; i++)
            printable_format(
                out, "          %llu from %.3fs on: %.*s\n", (unsigned long long)t.told[i].count,
                (double)(t.told[i].first_us - o->start_us) / 1e6, TEXT_ARG(t.told[i].text));
        if (t.others)
            printable_format(out, "          %llu for other reasons\n",
                             (unsigned long long)t.others);
        if (t.events == EVENTS_MAX)
            buffer_append(out, TEXT("          no further events were looked at\n"));
    }
    arena_fini(&t.arena);
}

/* ---- a correlation ---- */

struct windows {
    struct fed fed;
    const struct reason_options *options;
    const struct correlation *correlation;
    struct buffer *out;
};

static void put_inputs(struct windows *w, const json_t *missing)
{
    size_t i = 0;
    json_t *number = NULL;
    if (!json_array_size(missing))
        return;
    buffer_append(w->out, TEXT("; missing:"));
    json_array_foreach(missing, i, number)
    {
        uint32_t input = (uint32_t)json_integer_value(number);
        const struct rule *rule = ruleset_input(w->options->ruleset, w->correlation, input);
        struct text name = rule ? called(rule) : TEXT("(refused)");
        printable_format(w->out, " %.*s", TEXT_ARG(name));
    }
}

static void put_window(struct windows *w, const json_t *object)
{
    const json_t *window = json_object_get(object, "window");
    struct buffer *out = w->out;
    buffer_append(out, TEXT("          window "));
    put_value(out, json_object_get(object, "group"));
    buffer_append(out, TEXT(" within "));
    put_value(out, json_object_get(object, "timespan_seconds"));
    buffer_append(out, TEXT("s: needed "));
    put_value(out, json_object_get(object, "needed"));
    if (json_is_object(window)) {
        buffer_append(out, TEXT(", saw "));
        put_value(out, json_object_get(window, "seen"));
        buffer_append(out, TEXT(" at its end"));
        put_inputs(w, json_object_get(window, "missing_inputs"));
        buffer_append(out, is_true(window, "has_fired") ? TEXT("; it fired") : TEXT(""));
    } else {
        buffer_append(out, TEXT(", nothing is left in it at the end"));
    }
    size_t late = json_array_size(json_object_get(object, "late"));
    if (late)
        printable_format(out, "; %zu events came too late for it", late);
    buffer_byte(out, '\n');
}

static bool next_batch(void *context, struct batch *b)
{
    const struct windows *w = context;
    return w->options->next(w->options->context, b);
}

static void note_windows(void *context, const struct batch *b)
{
    struct windows *w = context;
    fed_note(&w->fed, b, w->correlation->rule);
}

static void write_windows(void *context, const struct pipeline *p)
{
    struct windows *w = context;
    struct buffer line;
    buffer_init(&line, 32 << 20);
    for (uint32_t i = 0; i < w->fed.count && i < WINDOWS; i++) {
        fed_write(&w->fed.windows[i], p, &line);
        json_t *object = json_loadb(line.at, line.len, 0, NULL);
        if (object)
            put_window(w, object);
        json_decref(object);
    }
    if (w->fed.count > WINDOWS)
        printable_format(w->out, "          and %u windows more\n", w->fed.count - WINDOWS);
    if (!w->fed.count && w->correlation->depth > 1)
        buffer_append(w->out, TEXT("          it reads other correlations, see above\n"));
    else if (!w->fed.count)
        buffer_append(w->out, TEXT("          no window: no event matched one of its rules and had "
                                   "every group-by field\n"));
    buffer_fini(&line);
}

static const struct correlation *correlation_of(const struct ruleset *r, const struct rule *rule)
{
    uint32_t count = 0;
    const struct correlation *all = ruleset_correlations(r, &count);
    for (uint32_t i = 0; i < count; i++)
        if (all[i].rule == rule)
            return &all[i];
    return NULL;
}

static void write_content(const struct reason_options *o, const struct correlation *c,
                          struct buffer *out)
{
    struct windows *w = calloc(1, sizeof *w);
    struct rerun_result result;
    struct error err;
    if (!w)
        return;
    *w = (struct windows){.options = o, .correlation = c, .out = out};
    fed_init(&w->fed);
    const struct rerun_options options = {
        .next = next_batch,
        .is_receipt_time = true,
        .since_us = TIMESTAMP_NONE,
        .until_us = TIMESTAMP_NONE,
        .workers = 1,
        .shards = 1,
        .batch = note_windows,
        .finished = write_windows,
        .context = w,
    };
    o->rewind(o->context);
    if (rerun_once(&options, o->ruleset, &result, &err))
        printable_format(out, "          %s\n", err.text);
    rerun_fini(&result);
    fed_fini(&w->fed);
    free(w);
}

static void write_depth(const struct reason_options *o, const struct rule *rule, uint32_t depth,
                        struct buffer *out)
{
    const struct correlation *c = correlation_of(o->ruleset, rule);
    if (!c) {
        write_rule(o, rule, out);
        return;
    }
    for (uint32_t i = 0; i < c->input_count && depth < DEPTH; i++) {
        const struct rule *input = ruleset_input(o->ruleset, c, i);
        if (input)
            write_depth(o, input, depth + 1, out);
        else
            printable_format(out, "        rule %u of it was refused\n", i + 1);
    }
    printable_format(out, "        %.*s:\n", TEXT_ARG(called(rule)));
    write_content(o, c, out);
}

void reason_write(const struct reason_options *o, const struct rule *rule, struct buffer *out)
{
    write_depth(o, rule, 0, out);
}
