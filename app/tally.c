/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tally.h"
#include "base/arena.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct series {
    struct metric metric; /* texts in the arena */
    size_t order;
};

struct tally {
    struct arena arena;
    struct series *series;
    size_t count, max;
};

struct tally *tally_new(void)
{
    struct tally *t = calloc(1, sizeof *t);
    if (t)
        arena_init(&t->arena, 16 << 20);
    return t;
}

void tally_free(struct tally *t)
{
    if (!t)
        return;
    arena_fini(&t->arena);
    free(t->series);
    free(t);
}

static bool is_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const char *copy(struct tally *t, const char *text)
{
    return text ? arena_copy(&t->arena, text_of(text)).at : NULL;
}

void tally_add(void *tally, const struct metric *m)
{
    struct tally *t = tally;
    for (size_t i = 0; i < t->count; i++)
        if (is_same(t->series[i].metric.name, m->name) &&
            is_same(t->series[i].metric.labels, m->labels)) {
            t->series[i].metric.value += m->value;
            return;
        }
    if (t->count == t->max) {
        size_t want = t->max ? t->max * 2 : 256;
        struct series *grown = realloc(t->series, want * sizeof *grown);
        if (!grown)
            return;
        t->series = grown;
        t->max = want;
    }
    struct series *s = &t->series[t->count];
    *s = (struct series){.metric = *m, .order = t->count};
    s->metric.name = copy(t, m->name);
    s->metric.help = copy(t, m->help);
    s->metric.labels = copy(t, m->labels);
    t->count += s->metric.name != NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct series *x = a;
    const struct series *y = b;
    int order = strcmp(x->metric.name, y->metric.name);
    return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

void tally_tell(const struct tally *t, metric_fn tell, void *context)
{
    if (t->count)
        qsort(t->series, t->count, sizeof *t->series, by_name);
    for (size_t i = 0; i < t->count; i++)
        tell(context, &t->series[i].metric);
}
