/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/parsing.h"
#include <pthread.h>
#include <stdatomic.h>

enum { WORTH_A_THREAD = 64, TAKEN_AT_ONCE = 8 };

struct parsing {
    char *const *paths;
    struct parsed *out;
    uint32_t count;
    _Atomic uint32_t next; /* relaxed: it only deals out numbers; the join orders the rest */
};
struct share {
    struct parsing *parsing;
    struct arena *arena;
};

static void *parse(void *argument)
{
    const struct share *s = argument;
    struct parsing *p = s->parsing;
    for (;;) {
        uint32_t from = atomic_fetch_add_explicit(&p->next, TAKEN_AT_ONCE, memory_order_relaxed);
        for (uint32_t i = from; i < p->count && i < from + TAKEN_AT_ONCE; i++)
            p->out[i].status = yaml_load(p->paths[i], s->arena, &p->out[i].yaml, &p->out[i].why);
        if (from + TAKEN_AT_ONCE >= p->count)
            return NULL;
    }
}

void parsing_run(char *const *paths, uint32_t count, struct arena *arena, struct arena *other,
                 struct parsed *out)
{
    struct parsing p = {.paths = paths, .out = out, .count = count};
    struct share mine = {&p, arena};
    struct share helpers = {&p, other};
    pthread_t helper = {0};
    atomic_init(&p.next, 0);
    bool has_helper = count >= WORTH_A_THREAD && !pthread_create(&helper, NULL, parse, &helpers);
    (void)parse(&mine);
    if (has_helper)
        (void)pthread_join(helper, NULL);
}
