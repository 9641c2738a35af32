/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/match/compiled.h"
#include "rules/match/cover.h"
#include "rules/match/gate.h"

/*
 * The rules of one log source with the index over their covers: per field a table of exact values,
 * a table of numbers and one set of literals. Immutable once built, any thread.
 */

/* The rules behind one atom are postings[first .. first + count). */
struct posting {
    uint32_t predicate; /* true where the atom is, or COVER_MAYBE */
    uint32_t first, count;
};

/* Open addressing: hash of the folded value, or key of the number; equal keys follow each other. */
struct partition_key {
    uint64_t key;
    struct text text;
    uint32_t atom; /* + 1; 0: free */
};
struct partition_table {
    struct partition_key *items;
    uint32_t mask, count;
    uint32_t longest; /* text, in bytes */
};

struct partition_field {
    uint32_t field;
    uint32_t number; /* among all partitions' fields */
    struct partition_table exact, numbers;
    struct literals *literals; /* or NULL */
    uint32_t present;          /* atom + 1; 0: none */
    struct gate *gate;         /* closed for most values of all `literals`; or NULL */
};

struct partition {
    struct logsource source;
    struct posting *atoms;
    uint32_t atom_count;
    uint32_t *postings; /* rules */
    uint32_t *always;   /* rules that no atom covers */
    uint32_t always_count;
    uint32_t *rules; /* all of them, ascending */
    uint32_t rule_count;
    uint64_t *decided;              /* bit by predicate: false unless the probe said true */
    struct partition_field *fields; /* by field number, ascending */
    uint32_t field_count;
};

struct partitions {
    struct partition *items;
    uint32_t *of_rule; /* each rule is in one */
    uint32_t count;
    uint32_t field_total; /* of all */
    uint32_t *buckets;    /* by log source: index + 1 */
    uint32_t mask;
};

/* One partition for each log source of `rules` that is said (one for all without has_routing).
 * Texts live in `arena`, which must outlive it. */
NODISCARD enum status partition_build(const struct compiled *rules, uint32_t rule_count,
                                      const struct predicates *predicates, bool has_routing,
                                      struct arena *arena, struct partitions *out,
                                      struct error *err);
void partition_fini(struct partitions *p);
/* The partition of exactly this log source (lower case), or NULL. */
const struct partition *partition_find(const struct partitions *p, const struct logsource *s);
/* True where no atom covers the rule: it is evaluated on every event of its log source. */
bool partition_is_always(const struct partition *p, uint32_t rule);
/* The field whose mere presence leads to the rule, or NAMES_NONE. */
uint32_t partition_present_field(const struct partition *p, uint32_t rule);
