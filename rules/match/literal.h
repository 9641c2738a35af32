/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdint.h>

/*
 * Finds which of many literals stand in a text, in one pass. Texts and literals are folded by the
 * caller. Immutable once built, any thread.
 */

enum literal_place { LITERAL_ANYWHERE, LITERAL_AT_START, LITERAL_AT_END };
enum { LITERAL_LEAST = 4 }; /* shorter ones cannot be found here */

struct literal {
    struct text text; /* at least LITERAL_LEAST bytes; borrowed for the life of the set */
    enum literal_place place;
    uint32_t id;
};

struct literals;
NODISCARD enum status literals_new(const struct literal *items, uint32_t count,
                                   struct literals **out, struct error *err);
void literals_free(struct literals *l);
AUTO_DEFINE(literals);

/* Called for every place where a literal stands, so more than once where it stands more than once.
 */
typedef void (*literal_fn)(void *context, uint32_t id);
void literals_find(const struct literals *l, struct text t, literal_fn hit, void *context);
