/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* `|re` values: PCRE2 with JIT, searched anywhere in the text, under limits. */

enum regex_flag {
    REGEX_CASELESS = 1U << 0,  /* |i */
    REGEX_MULTILINE = 1U << 1, /* |m */
    REGEX_DOTALL = 1U << 2,    /* |s */
};

/* Immutable, any thread. */
struct regex;
/* SYNTAX with the library's reason and the offset in the pattern. */
NODISCARD enum status regex_new(struct text pattern, uint32_t flags, struct regex **out,
                                struct error *err);
void regex_free(struct regex *r);
AUTO_DEFINE(regex);

/* Match data, context with the limits and the JIT stack of one thread. */
struct regex_scratch;
NODISCARD enum status regex_scratch_new(struct regex_scratch **out, struct error *err);
void regex_scratch_free(struct regex_scratch *s);
AUTO_DEFINE(regex_scratch);

enum regex_result { REGEX_NO, REGEX_YES, REGEX_LIMIT };
/* LIMIT: the match, depth or heap limit was met; whether it matches is not known. */
enum regex_result regex_search(const struct regex *r, struct regex_scratch *s, struct text t);
