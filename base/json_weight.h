/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdint.h>

/*
 * What a JSON text would cost as a tree, before one is built: two bytes of text can stand for three
 * hundred of memory. One pass, no memory; any bytes may come.
 */
struct json_weight {
    uint64_t bytes; /* at least what a tree of it takes */
    uint32_t depth; /* of nested objects and arrays */
};
struct json_weight json_weight_of(struct text source);

/*
 * The value of the first member of that name in the outermost object: the bytes between the quotes
 * of a string without escapes; empty for anything else. The text may be cut anywhere.
 */
struct text json_weight_member(struct text source, struct text name);
/* The same for a value that is no string: a number, true, false, null as they are written. */
struct text json_weight_bare(struct text source, struct text name);
