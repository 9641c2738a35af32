/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/hash.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* What every stage may know of a rule: plain, immutable, owned by its ruleset. */

enum rule_kind { RULE_DETECTION, RULE_CORRELATION };
enum rule_level { LEVEL_INFORMATIONAL, LEVEL_LOW, LEVEL_MEDIUM, LEVEL_HIGH, LEVEL_CRITICAL };
enum rule_status { RULE_STABLE, RULE_TEST, RULE_EXPERIMENTAL, RULE_DEPRECATED, RULE_UNSUPPORTED };
enum rule_open { OPEN_SCORE, OPEN_ALWAYS, OPEN_NEVER };

struct rule {
    uint32_t index; /* in ruleset_rules() */
    enum rule_kind kind;
    struct text id;    /* the UUID as written, or "" */
    struct text name;  /* Sigma `name`, or "" */
    struct text title; /* never empty */
    struct text key;   /* what stands for the rule in lists: id, else name, else title */
    struct text file;  /* where it came from */
    uint32_t line;     /* first line of its document */
    enum rule_level level;
    enum rule_status status;
    struct hash128 content; /* of the rule, its references, filters, decoders and mappings */
    const struct text *tags;
    uint32_t tag_count;
    const struct text *group; /* names of the group-by fields (correlations) */
    uint32_t group_count;

    /* From the `tocsin:` key, defaults filled in. */
    struct text tactic;   /* "credential-access", or "other" */
    struct text family;   /* the rule's key where not said */
    struct text playbook; /* name, or "" */
    double confidence;    /* 0.01..1 */
    enum rule_open open;
    int64_t suppress_us;     /* 0: off */
    uint32_t max_entities;   /* noise breaker: more than this many ... */
    int64_t max_entities_us; /* ... in this long */
    bool is_shadow;          /* evaluated, counted and recorded, never charged */
    bool is_reported;        /* its detections leave the correlator: not only food for another */
    bool is_shipped;         /* came with Tocsin */
};

const char *rule_level_name(enum rule_level level);
const char *rule_status_name(enum rule_status status);
