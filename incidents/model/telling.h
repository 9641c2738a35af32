/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/ident.h"

/*
 * Who was told of an incident: what moves on is told to exactly those, whatever its priority has
 * become. And what is held while it opens and resolves again and again.
 */
enum { TELLING_MAX = 256 };

struct told {
    char *destination;
    char *recipient;              /* where a destination has several; or NULL */
    int64_t first_us, last_us;    /* TIMESTAMP_NONE: it is on its way still */
    char delivery[IDENT_LEN + 1]; /* the latest */
};

struct telling {
    struct told *told;
    uint32_t count, size;
    int64_t resolved_us;           /* the latest time, told or held */
    int64_t flapping_us, until_us; /* flapping since, and until; TIMESTAMP_NONE: it is not */
    uint32_t flaps, held;          /* openings again since; notices that were held */
};

void telling_init(struct telling *telling);
void telling_fini(struct telling *telling);
/* A notice of it is on its way there. */
void telling_queue(struct telling *telling, struct text destination, struct text delivery);
/* It arrived; `recipient` may be empty. */
void telling_arrive(struct telling *telling, struct text destination, struct text recipient,
                    struct text delivery, int64_t at_us);
/* It never will: who was told nothing else is told of no end either. */
void telling_fail(struct telling *telling, struct text destination, struct text delivery);
/* It flaps no more. */
void telling_calm(struct telling *telling);
/* Members of the incident's document, left out where there is nothing to say; and back. */
void telling_write(const struct telling *telling, struct buffer *out);
void telling_read(struct telling *telling, const struct doc_tree *tree);
