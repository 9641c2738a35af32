/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "incidents/model/doc_tree.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What is told as one: many openings at once (a storm), and openings that are no news (a digest).
 * Journal time.
 */
enum { STORM_INCIDENTS = 10, STORM_MINUTES = 10, STORM_DIGEST = 250 /* told in one digest */ };

struct storm {
    int64_t openings_us[STORM_INCIDENTS + 1]; /* a ring: the latest openings */
    uint32_t opening_count;
    bool is_on;
    bool is_dirty;
    struct buffer digest; /* ids of IDENT_LEN bytes, to be told together */
    uint32_t digest_count;
    int64_t digest_us; /* since; TIMESTAMP_NONE: empty */
};

void storm_init(struct storm *storm);
void storm_fini(struct storm *storm);
void storm_clear(struct storm *storm);
/* An incident opened. True where that makes it a storm. */
bool storm_begins(struct storm *storm, int64_t now_us);
/* Ends where it has been quiet for long enough. */
void storm_tick(struct storm *storm, int64_t now_us);
void storm_add_to_digest(struct storm *storm, const char *id, int64_t now_us);
bool storm_is_digest_due(const struct storm *storm, int64_t now_us);
void storm_empty_digest(struct storm *storm);
/* Members of the object under tocsin:meta, and back. */
void storm_write(const struct storm *storm, struct buffer *out);
void storm_read(struct storm *storm, const struct doc_tree *tree);
