/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "base/text.h"
#include <stdbool.h>
#include <stddef.h>

/* Undoes the compression of a file, told by its first bytes: gzip, zstd, or none. */
struct inflate;

/* Looks at the first (at least 4, where there are so many) bytes of the file. NOMEM. */
NODISCARD enum status inflate_new(struct text head, struct inflate **out, struct error *err);
void inflate_free(struct inflate *z);
AUTO_DEFINE(inflate);

/*
 * Takes bytes from the front of *in and writes up to `room` bytes to `to`, *out_len of them.
 * Members and frames one behind the other are one file. SYNTAX: the data is damaged.
 */
NODISCARD enum status inflate_run(struct inflate *z, struct text *in, char *to, size_t room,
                                  size_t *out_len, struct error *err);
/* False inside a member or frame: a file that ends here was cut. */
bool inflate_is_whole(const struct inflate *z);
