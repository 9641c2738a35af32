/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decoder's regular expression: PCRE2 with JIT over bytes, with its named groups. Immutable. */
struct decoder_regex;
/* SYNTAX with the library's reason and the offset in the pattern, LIMIT, NOMEM. */
NODISCARD enum status decoder_regex_new(struct text pattern, struct decoder_regex **out,
                                        struct error *err);
void decoder_regex_free(struct decoder_regex *r);
AUTO_DEFINE(decoder_regex);

enum { DECODER_GROUPS = 64 }; /* most groups of one pattern */

/* The i-th named group: its name (NUL-terminated, owned by the regex) and number; false behind the
 * last one. Two groups may have one name. */
bool decoder_regex_group(const struct decoder_regex *r, uint32_t i, struct text *out_name,
                         uint32_t *out_number);

/* The bytes that a match of an anchored pattern ("^...") can begin with, one bit each; all of them
 * where that is not known. False where it can also match the empty text, or is not known. */
struct decoder_firsts {
    uint64_t bits[4];
};
bool decoder_regex_firsts(struct text pattern, struct decoder_firsts *out);
static inline bool decoder_firsts_has(const struct decoder_firsts *f, unsigned char byte)
{
    return f->bits[byte / 64] >> (byte % 64) & 1;
}

/* Match data, limits and JIT stack of one thread. */
struct decoder_regex_scratch;
NODISCARD enum status decoder_regex_scratch_new(struct decoder_regex_scratch **out,
                                                struct error *err);
void decoder_regex_scratch_free(struct decoder_regex_scratch *s);
AUTO_DEFINE(decoder_regex_scratch);

enum decoder_regex_result { DECODER_REGEX_NO, DECODER_REGEX_YES, DECODER_REGEX_LIMIT };
enum decoder_regex_result decoder_regex_match(const struct decoder_regex *r,
                                              struct decoder_regex_scratch *s, struct text t);
/* After YES, on the same text: what a group took; at NULL where it took no part. */
struct text decoder_regex_taken(const struct decoder_regex_scratch *s, struct text t,
                                uint32_t group);
