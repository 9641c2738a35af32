/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/wording.h"
#include "base/arena.h"
#include "sinks/defang.h"
#include <stdio.h>

enum {
    SUBJECT_BYTES = 190,
    VALUE_BYTES = 120,
    LINE_BYTES = 600,
    MOST_RULES = 3,
    MOST_LINES = 10,
    MOST_CONTRIBUTIONS = 12,
    SCRATCH_BYTES = 1 << 20,
};

struct source {
    const struct document *doc;
    struct arena *arena;
};

static struct text pick(const struct source *s, const char *path)
{
    return document_text(s->doc, text_of(path), s->arena);
}

/* pick("<list>.<i>.<member>") */
static struct text pick_at(const struct source *s, const char *list, uint32_t i, const char *member)
{
    char place[96];
    (void)snprintf(place, sizeof place, "%s.%u%s", list, i, member);
    return pick(s, place);
}

/* What a rule is called by people: its title, else its id. */
static struct text rule_name(const struct source *s, uint32_t i)
{
    struct text title = pick_at(s, "contributions", i, ".title");
    return title.len ? title : pick_at(s, "contributions", i, ".rule");
}

/* The rules that make up the score, each once, the first ones by name. */
static void rules(const struct source *s, struct buffer *out)
{
    uint32_t count = document_count(s->doc, "contributions");
    struct text named[MOST_RULES];
    uint32_t n = 0;
    bool has_more = false;
    for (uint32_t i = 0; i < count; i++) {
        struct text rule = rule_name(s, i);
        bool is_known = !rule.len;
        for (uint32_t j = 0; j < n && !is_known; j++)
            is_known = text_equal(named[j], rule);
        if (is_known)
            continue;
        has_more = n == MOST_RULES;
        if (has_more)
            break;
        named[n++] = rule;
        if (n > 1)
            buffer_append(out, TEXT(", "));
        defang_append(out, rule, 60);
    }
    if (has_more)
        buffer_append(out, TEXT(", ..."));
}

static void entity(const struct source *s, uint32_t i, size_t max_bytes, struct buffer *out)
{
    defang_append(out, pick_at(s, "entities", i, ".kind"), 20);
    buffer_byte(out, ' ');
    defang_append(out, pick_at(s, "entities", i, ".value"), max_bytes);
}

/* Titles that the record makes name the first entity already. */
static bool has_entity(struct text title, struct text value)
{
    return value.len && text_find(title, value) < title.len;
}

static void headline(const struct source *s, struct buffer *out)
{
    size_t before = out->len;
    struct text title = pick(s, "title");
    if (title.len)
        defang_append(out, title, 100);
    else
        rules(s, out);
    uint32_t count = document_count(s->doc, "entities");
    if (count && !has_entity(title, pick_at(s, "entities", 0, ".value"))) {
        buffer_append(out, out->len > before ? TEXT(" on ") : TEXT("on "));
        entity(s, 0, 60, out);
    }
    if (count > 1)
        buffer_printf(out, " and %u more", count - 1);
}

void wording_subject(const struct delivery *d, const struct document *doc, struct buffer *out)
{
    struct arena arena;
    arena_init(&arena, SCRATCH_BYTES);
    struct source s = {doc, &arena};
    struct buffer words;
    buffer_init(&words, 4096);
    buffer_printf(&words, "[P%d] %s: ", d->priority, incidents_notice_name(d->kind));
    if (d->incident.len)
        headline(&s, &words);
    else
        defang_append(&words, pick(&s, "title"), 120);
    defang_line(out, buffer_text(&words), SUBJECT_BYTES);
    buffer_fini(&words);
    arena_fini(&arena);
}

static void fact(const struct source *s, const char *name, const char *path, struct buffer *out)
{
    struct text value = pick(s, path);
    if (!value.len)
        return;
    buffer_printf(out, "%-13s", name);
    defang_append(out, value, VALUE_BYTES);
    buffer_byte(out, '\n');
}

static void entities(const struct source *s, struct buffer *out)
{
    uint32_t count = document_count(s->doc, "entities");
    for (uint32_t i = 0; i < count && i < MOST_LINES; i++) {
        buffer_printf(out, "%-13s", i ? "" : "Who");
        entity(s, i, VALUE_BYTES, out);
        buffer_byte(out, '\n');
    }
    if (count > MOST_LINES)
        buffer_printf(out, "%-13s... and %u more\n", "", count - MOST_LINES);
}

static void contributions(const struct source *s, struct buffer *out)
{
    uint32_t count = document_count(s->doc, "contributions");
    if (count)
        buffer_append(out, TEXT("\nWhat the score is made of:\n"));
    for (uint32_t i = 0; i < count && i < MOST_CONTRIBUTIONS; i++) {
        buffer_append(out, TEXT("  "));
        defang_append(out, rule_name(s, i), 80);
        buffer_append(out, TEXT(" ("));
        defang_append(out, pick_at(s, "contributions", i, ".tactic"), 40);
        buffer_append(out, TEXT("), p "));
        defang_append(out, pick_at(s, "contributions", i, ".p"), 12);
        buffer_byte(out, '\n');
    }
    if (count > MOST_CONTRIBUTIONS)
        buffer_printf(out, "  ... and %u more\n", count - MOST_CONTRIBUTIONS);
}

static struct text evidence_line(const struct source *s, uint32_t i)
{
    struct text line = pick_at(s, "evidence", i, ".line");
    if (!line.len)
        line = pick_at(s, "evidence", i, ".raw");
    return line.len ? line : pick_at(s, "evidence", i, "");
}

static void evidence(const struct source *s, struct buffer *out)
{
    uint32_t count = document_count(s->doc, "evidence");
    if (!count)
        return;
    buffer_append(out, TEXT("\nLog lines as received. UNTRUSTED: whoever is behind this may have "
                            "written them.\nLinks in them are broken on purpose.\n"));
    for (uint32_t i = 0; i < count && i < MOST_LINES; i++) {
        buffer_append(out, TEXT("  | "));
        defang_append(out, evidence_line(s, i), LINE_BYTES);
        buffer_byte(out, '\n');
    }
    if (count > MOST_LINES)
        buffer_printf(out, "  ... and %u more\n", count - MOST_LINES);
}

static void incident(const struct delivery *d, const struct source *s, struct buffer *out)
{
    buffer_printf(out, "Incident %s, priority P%d: ", incidents_notice_name(d->kind), d->priority);
    headline(s, out);
    buffer_append(out, TEXT("\n\n"));
    entities(s, out);
    fact(s, "State", "state", out);
    fact(s, "Score", "score", out);
    fact(s, "Severity", "severity", out);
    fact(s, "Urgency", "urgency", out);
    fact(s, "Occurred", "times.occurred", out);
    fact(s, "Opened", "times.opened", out);
    fact(s, "Acknowledged", "times.acknowledged", out);
    fact(s, "Resolved", "times.resolved", out);
    fact(s, "Disposition", "disposition", out);
    fact(s, "Flapped", "flapping.times", out);
    fact(s, "Incident", "id", out);
    contributions(s, out);
    evidence(s, out);
}

/* A storm, or a digest and everything in it. */
static void general(const struct delivery *d, const struct source *s, struct buffer *out)
{
    buffer_printf(out, "%s, priority P%d: ", d->kind == NOTICE_STORM ? "Storm" : "Digest",
                  d->priority);
    defang_append(out, pick(s, "title"), VALUE_BYTES);
    buffer_append(out, TEXT("\n\n"));
    uint32_t count = document_count(s->doc, "members");
    for (uint32_t i = 0; i < count; i++) {
        defang_append(out, pick_at(s, "members", i, ".priority"), 4);
        buffer_byte(out, ' ');
        defang_append(out, pick_at(s, "members", i, ".state"), 16);
        buffer_byte(out, ' ');
        defang_append(out, pick_at(s, "members", i, ".id"), 40);
        buffer_append(out, TEXT("  "));
        defang_append(out, pick_at(s, "members", i, ".title"), 100);
        buffer_byte(out, '\n');
    }
    fact(s, "Latest", "latest", out);
}

void wording_body(const struct delivery *d, const struct document *doc, struct buffer *out)
{
    struct arena arena;
    arena_init(&arena, SCRATCH_BYTES);
    struct source s = {doc, &arena};
    if (d->incident.len) {
        incident(d, &s, out);
    } else {
        general(d, &s, out);
    }
    buffer_printf(out, "\n-- \nTocsin, delivery %.*s\n", TEXT_ARG(text_head(d->id, 64)));
    arena_fini(&arena);
}
