/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/detection.h"
#include "base/error.h"
#include "base/yaml.h"
#include <stdbool.h>
#include <stdint.h>

/* What a timeline expects, held against what happened. */

struct expect_detection {
    const struct rule *rule;
    int64_t at_us; /* after the timeline's start */
    const struct text *group;
    uint32_t group_count;
};

struct expect_result {
    struct arena arena;
    struct expect_detection *detections;
    size_t count, max;
    bool has_failed;
    /* What is known of why this entry does not hold, in lines behind it. NULL: nothing. */
    void (*explain)(void *context, const struct yaml_node *entry, struct buffer *why);
    void *context;
};

void expect_init(struct expect_result *r);
void expect_fini(struct expect_result *r);
/* Copies. */
void expect_add_detection(struct expect_result *r, const struct detection *d, int64_t start_us);

/* True where `name` is the rule's name, id or title. */
bool expect_names_rule(struct text name, const struct rule *rule);
/* True where `key` is in the list of names (NULL at its end). */
bool expect_is_known(struct text key, const char *const *names);

/*
 * Holds every entry of `expect` against the detections and the incidents (JSON lines of
 * incidents_write_all). What was missed is written to `why`, one line each, and behind it what
 * happened; nothing is written where all holds. INVALID: an entry that cannot be read.
 */
NODISCARD enum status expect_check(const struct expect_result *r, struct text incidents,
                                   const struct yaml_node *expect, struct buffer *why,
                                   struct error *err);
