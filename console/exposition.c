/* SPDX-License-Identifier: Apache-2.0 */
#include "console/exposition.h"
#include "base/hash.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum { BUCKETS = 1024 };

struct sample {
    struct sample *next;
    struct sample *chain; /* the next one of the same bucket */
    const struct family *family;
    struct text labels;
    double value;
};
struct family {
    struct family *next;
    struct text name, help;
    enum metric_kind kind;
    struct sample *samples, **last;
};
struct exposition {
    struct arena *arena;
    struct family *families, **last;
    struct sample *buckets[BUCKETS]; /* by name and labels, to know what was told twice */
};

struct exposition *exposition_new(struct arena *arena)
{
    struct exposition *e = arena_zero(arena, sizeof *e);
    if (!e)
        return NULL;
    e->arena = arena;
    e->last = &e->families;
    return e;
}

static bool is_name(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        char c = t.at[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return t.len > 0;
}

static struct family *family_of(struct exposition *e, const struct metric *m)
{
    struct text name = text_of(m->name);
    for (struct family *f = e->families; f; f = f->next) {
        if (text_equal(f->name, name))
            return f;
    }
    struct family *f = arena_zero(e->arena, sizeof *f);
    if (!f)
        return NULL;
    f->name = arena_copy(e->arena, name);
    f->help = arena_copy(e->arena, text_of(m->help));
    f->kind = m->kind;
    f->last = &f->samples;
    *e->last = f;
    e->last = &f->next;
    return f;
}

void exposition_tell(void *context, const struct metric *m)
{
    struct exposition *e = context;
    struct family *f = is_name(text_of(m->name)) ? family_of(e, m) : NULL;
    if (!f)
        return;
    struct text labels = text_of(m->labels);
    uint64_t hash = hash_seeded(labels.at, labels.len, (uint64_t)(uintptr_t)f);
    struct sample **bucket = &e->buckets[hash % BUCKETS];
    for (const struct sample *s = *bucket; s; s = s->chain) {
        if (s->family == f && text_equal(s->labels, labels))
            return;
    }
    struct sample *s = arena_zero(e->arena, sizeof *s);
    if (!s)
        return;
    s->labels = arena_copy(e->arena, labels);
    s->value = m->value;
    s->family = f;
    s->chain = *bucket;
    *bucket = s;
    *f->last = s;
    f->last = &s->next;
}

static void escape_help(struct buffer *out, struct text help)
{
    for (size_t i = 0; i < help.len; i++) {
        if (help.at[i] == '\\')
            buffer_append(out, TEXT("\\\\"));
        else if (help.at[i] == '\n')
            buffer_append(out, TEXT("\\n"));
        else
            buffer_byte(out, help.at[i]);
    }
}

static void number(struct buffer *out, double value)
{
    if (isnan(value))
        buffer_append(out, TEXT("NaN"));
    else if (isinf(value))
        buffer_append(out, value > 0 ? TEXT("+Inf") : TEXT("-Inf"));
    else
        buffer_printf(out, "%.17g", value);
}

void exposition_write(const struct exposition *e, struct buffer *out)
{
    for (const struct family *f = e->families; f; f = f->next) {
        buffer_printf(out, "# HELP tocsin_%.*s ", TEXT_ARG(f->name));
        escape_help(out, f->help);
        buffer_printf(out, "\n# TYPE tocsin_%.*s %s\n", TEXT_ARG(f->name),
                      f->kind == METRIC_COUNTER ? "counter" : "gauge");
        for (const struct sample *s = f->samples; s; s = s->next) {
            buffer_printf(out, "tocsin_%.*s", TEXT_ARG(f->name));
            if (s->labels.len)
                buffer_printf(out, "{%.*s}", TEXT_ARG(s->labels));
            buffer_byte(out, ' ');
            number(out, s->value);
            buffer_byte(out, '\n');
        }
    }
}
