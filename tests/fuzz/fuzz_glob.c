/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/fold.h"
#include "rules/match/glob.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The linear glob answers as the plain table of "does this much of the pattern match this much of
 * the text". The input is a pattern, a NUL, a text. */

enum { PARTS = 400, TEXT_MOST = 400 };

static size_t one_length(struct text t)
{
    size_t len = text_utf8_len(t);
    return len ? len : 1;
}

/* reach[i]: the parts so far can end at text offset i */
static void step(const struct part *part, struct text t, const bool *from, bool *to)
{
    memset(to, 0, TEXT_MOST + 1);
    for (size_t i = 0; i <= t.len; i++) {
        if (!from[i])
            continue;
        struct text rest = text_skip(t, i);
        if (part->kind == PART_STAR)
            for (size_t k = i; k <= t.len; k++)
                to[k] = true;
        else if (part->kind == PART_TEXT && text_starts(rest, part->text))
            to[i + part->text.len] = true;
        else if (part->kind == PART_ONE && rest.len)
            to[i + one_length(rest)] = true;
    }
}

static bool plain(const struct pattern *p, struct text t)
{
    bool rows[2][TEXT_MOST + 1] = {{true}};
    for (uint32_t i = 0; i < p->count; i++)
        step(&p->parts[i], t, rows[i % 2], rows[(i + 1) % 2]);
    return rows[p->count % 2][t.len];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct pattern pattern;
    struct glob glob;
    struct text whole = {(const char *)data, size};
    size_t cut = text_find_byte(whole, 0);
    struct text source = text_head(whole, cut);
    struct text t = text_skip(whole, cut + 1);
    if (source.len > PARTS || t.len > TEXT_MOST || !text_is_utf8(source) || !text_is_utf8(t))
        return 0;
    arena_init(&arena, 1 << 20);
    if (!glob_parse(source, &arena, &pattern) || !glob_compile(&pattern, &arena, &glob))
        abort();
    if (glob_matches(&glob, t) != plain(&pattern, t))
        abort();
    char *folded = malloc(fold_room(t.len));
    if (!folded || fold_text(t, folded) > fold_room(t.len))
        abort();
    free(folded);
    arena_fini(&arena);
    return 0;
}
