/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A string of a rule: literal parts and wildcards, as Sigma writes them (specification 2.1.0,
 * "Escaping"). And its compiled form, which matches in time linear in the text: the segments
 * between stars are found one after the other, leftmost first, and never again.
 */

enum part_kind {
    PART_TEXT,
    PART_STAR, /* any characters, also none */
    PART_ONE,  /* exactly one character */
    PART_DASH, /* one of the five dashes of `windash` */
};
struct part {
    enum part_kind kind;
    struct text text; /* PART_TEXT: never empty */
};
struct pattern {
    const struct part *parts;
    uint32_t count;
};

/* Reads a rule's string: stars, question marks and backslashes. False without memory. */
bool glob_parse(struct text source, struct arena *arena, struct pattern *out);
/* The whole text as one literal part (or none where it is empty). */
bool glob_literal(struct text literal, struct arena *arena, struct pattern *out);
/* The same with stars put before and behind, where asked and not there already. */
bool glob_wrap(struct pattern in, bool star_before, bool star_behind, struct arena *arena,
               struct pattern *out);
/* With every literal part folded. */
bool glob_fold(struct pattern in, struct arena *arena, struct pattern *out);
/* Dashes that stand like an option's (`windash`: not behind a word character, before one) become
 * PART_DASH. *out_count is how many. */
bool glob_dashes(struct pattern in, struct arena *arena, struct pattern *out, uint32_t *out_count);

enum { GLOB_DASHES = 5 };
/* The five dashes: - / and three that Windows takes for them. */
struct text glob_dash(uint32_t index);

struct segment;
struct glob {
    const struct segment *segments; /* between stars */
    uint32_t count;
    bool is_open_before, is_open_behind; /* begins, ends with a star */
};
bool glob_compile(const struct pattern *p, struct arena *arena, struct glob *out);
/* The whole text against the whole pattern. A question mark is one UTF-8 character, or one byte
 * where the text is not UTF-8. */
bool glob_matches(const struct glob *g, struct text t);
