/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include "ingest/file/followed.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * What a door remembers of a followed file over restarts, a line each behind a first one that names
 * the format:
 *
 *   slot base offset device inode head_len head_hash tail_len tail_hash path
 */
struct followed_place {
    uint32_t slot;
    uint64_t base, offset, device, inode;
    struct followed_print head, tail;
    const char *path; /* NUL-terminated */
};

/* The first line. */
void followed_state_begin(struct buffer *out);
/* The file as it is, its durable place and what stands before it. */
void followed_state_add(const struct followed *f, struct buffer *out);
/*
 * Reads `content` (changed: lines become texts) and calls `tell` for each file. False: this is no
 * such state, or one that was damaged; those before were told.
 */
bool followed_state_read(char *content, void (*tell)(void *context, const struct followed_place *p),
                         void *context);
