/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "base/own.h"
#include "rules/match/cidr.h"
#include "rules/match/fieldview.h"
#include "rules/match/glob.h"
#include "rules/match/names.h"
#include "rules/match/number.h"
#include "rules/match/regex.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * One question about one field: (field, operator, operand). Equal questions of different rules are
 * one predicate, so that it is answered at most once per event. A field with several values (an
 * array) answers yes where one of them does.
 */

enum predicate_op {
    PREDICATE_EQUAL,
    PREDICATE_IN, /* equal to one of many */
    PREDICATE_CONTAINS,
    PREDICATE_STARTS,
    PREDICATE_ENDS,
    PREDICATE_GLOB,
    PREDICATE_REGEX,
    PREDICATE_NUMBER, /* compared as `compare` says */
    PREDICATE_TIME,   /* a part of a time, compared as `compare` says */
    PREDICATE_CIDR,
    PREDICATE_EXISTS, /* also null and empty */
    PREDICATE_NULL,   /* null or not there */
    PREDICATE_FIELD,  /* against another field; `match` says how */
    PREDICATE_UNTIL,  /* no field: journal time is not behind `number` (microseconds) */
};
enum predicate_compare { COMPARE_EQ, COMPARE_LT, COMPARE_LTE, COMPARE_GT, COMPARE_GTE };
enum predicate_unit { UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_YEAR };

struct predicate {
    uint32_t field;
    enum predicate_op op;
    bool is_cased;
    enum predicate_compare compare;
    enum predicate_unit unit;
    enum predicate_op match; /* PREDICATE_FIELD: EQUAL, CONTAINS, STARTS or ENDS */
    uint32_t other;          /* PREDICATE_FIELD */
    uint32_t regex_flags;
    struct text text;       /* operand: folded unless is_cased; of a regex its source */
    struct pattern pattern; /* PREDICATE_GLOB */
    struct glob glob;
    struct regex *regex;
    struct number number;
    struct cidr cidr;
    const struct text *items; /* PREDICATE_IN: operands, hashed into `buckets` */
    uint32_t item_count;
    const uint32_t *buckets; /* item + 1 */
    uint32_t bucket_mask;
};

struct predicates;
NODISCARD enum status predicates_new(struct arena *arena, struct predicates **out,
                                     struct error *err);
void predicates_free(struct predicates *p);
AUTO_DEFINE(predicates);
/*
 * The number of the predicate that asks what `p` asks, which is compiled where it is new: texts are
 * copied. PREDICATE_REGEX: SYNTAX where it does not compile.
 */
NODISCARD enum status predicates_add(struct predicates *set, const struct predicate *p,
                                     uint32_t *out_number, struct error *err);
uint32_t predicates_count(const struct predicates *set);
const struct predicate *predicates_at(const struct predicates *set, uint32_t number);

/* What answering needs: one per matcher. */
struct answers {
    struct fieldview *view;
    struct regex_scratch *scratch;
    uint64_t regex_limits;
};
/* Plainly, without memory of earlier answers. */
bool predicate_answer(const struct predicate *p, struct answers *a);
/* Whether a text, folded unless p->is_cased, is what it asks for: EQUAL, IN, CONTAINS, STARTS, ENDS
 * and GLOB. */
bool predicate_matches_text(const struct predicate *p, struct text t);
bool predicate_matches_number(const struct predicate *p, const struct number *n);
/* The operator's name for people, as a modifier. */
const char *predicate_name(const struct predicate *p);
