/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/json_scan.h"
#include "rules/match/matcher_state.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Rules and events made from bytes, and the one property that an index must have: what it finds is
 * what plain evaluation of every rule finds. Used by a test (random bytes) and by a fuzz target.
 */

struct maker {
    const uint8_t *data;
    size_t size, at;
    char text[16384];
    size_t len;
};

static inline unsigned maker_byte(struct maker *m)
{
    return m->at < m->size ? m->data[m->at++] : 0;
}

__attribute__((format(printf, 2, 3))) static inline void maker_put(struct maker *m,
                                                                   const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int len = vsnprintf(m->text + m->len, sizeof m->text - m->len, format, values);
    va_end(values);
    if (len > 0)
        m->len += (size_t)len;
    if (m->len >= sizeof m->text)
        m->len = sizeof m->text - 1;
}

/* Few letters, so that things are found; some that fold, are escaped, or are wild. */
static inline void maker_word(struct maker *m, bool is_pattern)
{
    static const char *const letters[] = {
        "a", "b", "A",        "B",        "ab",           "\\\\", "k",    "K",        "-",
        "/", ".", "\xC3\xA4", "\xC3\x84", "\xE2\x84\xAA", " ",    "abcd", "ABCDEFGH", "1"};
    static const char *const wild[] = {"*", "?", "\\\\*", "\\\\?"};
    unsigned count = maker_byte(m) % 7;
    if (!is_pattern && maker_byte(m) % 4 == 0) /* long enough to be looked at before a search */
        maker_put(m, "a long beginning that holds little of what is looked for, if at all; ");
    for (unsigned i = 0; i < count; i++) {
        unsigned pick = maker_byte(m);
        bool is_wild = is_pattern && pick % 8 == 7;
        maker_put(m, "%s", is_wild ? wild[pick / 8 % 4] : letters[pick % 18]);
    }
}

static inline void maker_value(struct maker *m, unsigned modifier)
{
    static const char *const regexes[] = {"a+b",   "^ab",    "b$",   "[ab]{2}",  "(?i)abcd",
                                          "ab|cd", "x?abcd", "a.*b", "abcdefgh", "K"};
    if (modifier == 7)
        maker_put(m, "'%s'", regexes[maker_byte(m) % 10]);
    else if (modifier == 8)
        maker_put(m, "%u", maker_byte(m) % 4);
    else if (modifier == 0 && maker_byte(m) % 8 == 0)
        maker_put(m, "%s", maker_byte(m) % 2 ? "null" : "1");
    else {
        maker_put(m, "\"");
        maker_word(m, true);
        maker_put(m, "\"");
    }
}

static inline void maker_selection(struct maker *m, unsigned number)
{
    static const char *const modifiers[] = {"",
                                            "|contains",
                                            "|startswith",
                                            "|endswith",
                                            "|contains|all",
                                            "|cased",
                                            "|contains|cased",
                                            "|re",
                                            "|gte",
                                            "|contains|windash",
                                            "|startswith|neq"};
    maker_put(m, "  s%u:\n", number);
    if (maker_byte(m) % 5 == 0) {
        maker_put(m, "    - ");
        maker_value(m, 1);
        maker_put(m, "\n");
        return;
    }
    unsigned fields = 1 + maker_byte(m) % 2;
    for (unsigned i = 0; i < fields; i++) {
        unsigned modifier = maker_byte(m) % 11;
        unsigned values = 1 + maker_byte(m) % 5;
        maker_put(m, "    %s%s: [", i ? "g" : "f", modifiers[modifier]);
        for (unsigned k = 0; k < values; k++) {
            maker_put(m, k ? ", " : "");
            maker_value(m, modifier);
        }
        maker_put(m, "]\n");
    }
}

static inline void maker_rule(struct maker *m, unsigned number)
{
    static const char *const conditions[] = {"s0",        "not s0",        "s0 and s1",
                                             "s0 or s1",  "s0 and not s1", "not (s0 or s1)",
                                             "1 of them", "2 of s*",       "(s0 or not s1) and s0"};
    maker_put(m, "---\ntitle: r%u\nlogsource: {category: c}\ndetection:\n", number);
    maker_selection(m, 0);
    maker_selection(m, 1);
    maker_put(m, "  condition: %s\n", conditions[maker_byte(m) % 9]);
}

static inline void maker_event(struct maker *m)
{
    static const char *const names[] = {"f", "g", "h"};
    m->len = 0;
    maker_put(m, "{\"z\":0");
    for (unsigned i = 0; i < 3; i++) {
        unsigned kind = maker_byte(m) % 10;
        if (kind == 0)
            continue;
        maker_put(m, ",\"%s\":", names[i]);
        if (kind == 1)
            maker_put(m, "%u", maker_byte(m) % 4);
        else if (kind == 2)
            maker_put(m, "null");
        else if (kind > 7) { /* an object, or two in an array */
            maker_put(m, kind == 8 ? "{\"k\":\"" : "[{\"k\":\"");
            maker_word(m, false);
            maker_put(m, kind == 8 ? "\"}" : "\"},{\"l\":[\"");
            if (kind == 9)
                maker_word(m, false);
            maker_put(m, kind == 8 ? "" : "\"]}]");
        } else {
            maker_put(m, kind == 3 ? "[\"" : "\"");
            maker_word(m, false);
            maker_put(m, kind == 3 ? "\",\"" : "%s", "");
            if (kind == 3)
                maker_word(m, false);
            maker_put(m, kind == 3 ? "\"]" : "\"");
        }
    }
    maker_put(m, "}");
}

static inline struct ruleset *maker_load(const struct maker *m)
{
    struct error err;
    struct ruleset *r = NULL;
    char path[64];
    int fd = memfd_create("rules", 0);
    if (fd < 0 || write(fd, m->text, m->len) != (ssize_t)m->len)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const char *paths[] = {path};
    const struct ruleset_options options = {.paths = paths, .path_count = 1};
    if (ruleset_load(&options, &r, &err) != STATUS_OK)
        r = NULL;
    (void)close(fd);
    return r;
}

static inline bool maker_agrees(struct matcher *matcher, struct match_result *result,
                                const struct event *e)
{
    struct ruleset *r = matcher->ruleset;
    for (uint32_t i = 0; i < r->rule_count; i++) {
        bool is_found = false;
        for (uint32_t k = 0; k < result->detection_count; k++)
            is_found = is_found || result->detections[k]->rule == &r->rules[i].rule;
        fieldview_open(matcher->view, e);
        evaluation_begin(&matcher->evaluation);
        if (evaluation_holds_plainly(&matcher->evaluation, r->rules[i].root) != is_found) {
            (void)fprintf(stderr, "%s: the index says %d\n", r->rules[i].rule.title.at, is_found);
            return false;
        }
    }
    return true;
}

/* As a worker does it: only what some rule reads is taken out of the document, and what was learned
 * of names and values serves the next event. Plain evaluation sees all of it. */
static inline bool maker_tries(struct matcher *matcher, struct match_result *result,
                               struct json_shape *shape, const struct record *record,
                               struct arena *arena)
{
    struct event some = {.fields = NULL};
    struct event all = {.fields = NULL};
    size_t at = 0;
    bool is_agreed = true;
    arena_reset(arena);
    matcher_reset(matcher, result);
    event_reset(&some, record);
    event_reset(&all, record);
    some.format = all.format = FORMAT_JSON;
    if (json_scan(record->raw, shape, arena, &some, &at) == STATUS_OK &&
        json_scan(record->raw, NULL, arena, &all, &at) == STATUS_OK) {
        matcher_match(matcher, &some, arena, result);
        is_agreed = maker_agrees(matcher, result, &all);
    }
    event_fini(&some);
    event_fini(&all);
    return is_agreed;
}

/* Some rules, some events; false where the index and plain evaluation differ (told on stderr). */
static inline bool random_rules_agree(const uint8_t *data, size_t size)
{
    struct error err;
    struct maker m = {.data = data, .size = size};
    struct matcher *matcher = NULL;
    struct match_result result = {.feeds = NULL};
    struct record record = {.position = 1};
    struct json_shape *shape = NULL;
    struct arena arena;
    bool is_agreed = true;
    unsigned rules = 1 + maker_byte(&m) % 12;
    for (unsigned i = 0; i < rules; i++)
        maker_rule(&m, i);
    char *yaml = strdup(m.text);
    struct ruleset *r = maker_load(&m);
    arena_init(&arena, 16 << 20);
    shape = json_shape_new(ruleset_reads, r);
    if (r && shape && matcher_new(r, &matcher, &err) == STATUS_OK)
        for (unsigned i = 0; i < 16 && is_agreed; i++) {
            if (i % 2 == 0) /* and once more, when its values are known */
                maker_event(&m);
            record.raw = (struct text){m.text, m.len};
            is_agreed = maker_tries(matcher, &result, shape, &record, &arena);
            if (!is_agreed)
                (void)fprintf(stderr, "%s\n%s\n", yaml, m.text);
        }
    free(yaml);
    arena_fini(&arena);
    json_shape_free(shape);
    matcher_free(matcher);
    ruleset_unref(r);
    return is_agreed;
}
