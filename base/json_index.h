/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Where the strings of a JSON document end: a bit for each byte, found 64 bytes at a time, so that
 * a reader steps over a string whatever its length and escapes. (Langdale and Lemire, "Parsing
 * gigabytes of JSON per second", 2019, section 3.1, has the arithmetic of backslashes.)
 */
enum { JSON_INDEX_BYTES = 64 << 10, JSON_INDEX_WORDS = JSON_INDEX_BYTES / 64 };

struct json_index {
    uint64_t quotes[JSON_INDEX_WORDS + 1]; /* those that no backslash escapes, and one at the end */
    uint64_t backslashes[JSON_INDEX_WORDS + 1];
    bool is_ascii;
};

/* False where the document must be read byte by byte: it is longer, has control characters, \u,
 * wrong escapes or bytes that are not UTF-8, or this processor lacks AVX2. */
bool json_index_build(struct json_index *x, struct text document);
