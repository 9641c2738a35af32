/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/predicate.h"
#include "rules/read/diagnostic.h"
#include "rules/read/encode.h"
#include <stdbool.h>

/* "field|contains|all" as a key of a selection: the field and what its modifiers ask for. */

enum modifier_step_kind {
    STEP_UTF16LE,
    STEP_UTF16BE,
    STEP_UTF16_BOM,
    STEP_BASE64,
    STEP_BASE64_OFFSET,
    STEP_WINDASH
};
enum modifier_place { PLACE_WHOLE, PLACE_CONTAINS, PLACE_STARTS, PLACE_ENDS };

struct modifiers {
    struct text field; /* empty: keywords */
    enum modifier_place place;
    enum modifier_step_kind steps[8]; /* what is done to the string, in the order written */
    uint32_t step_count;
    bool has_all, is_cased, is_negated, is_exists, is_cidr, is_expand, is_field;
    bool is_regex, has_compare, has_unit;
    uint32_t regex_flags;
    enum predicate_compare compare;
    enum predicate_unit unit;
};

/* INVALID (told, with the nearest known modifier) where one is unknown or two exclude each other.
 */
NODISCARD enum status modifier_read(const struct yaml_node *key, struct diagnostics *diagnostics,
                                    struct modifiers *out);
