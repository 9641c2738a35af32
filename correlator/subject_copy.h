/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/correlation.h"
#include <stddef.h>

/* A subject as one block of bytes: what stays of a group when only its silence can come. */

enum { SUBJECT_COPY_MAX = 16 * 1024 };

/* Bytes that subject_copy_write needs. */
size_t subject_copy_size(const struct subject *subject);
/* Writes the event's position and its subject. */
void subject_copy_write(const struct subject *subject, uint64_t position, char *out);
/* The subject again, in `arena`, its texts viewing `at`; NULL where the bytes are none or there is
 * no room. */
const struct subject *subject_copy_read(const char *at, size_t len, struct arena *arena,
                                        uint64_t *out_position);
