/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/own.h"

/* zstd for the journal's blocks: contexts that are kept between calls. One thread. */
struct journal_zip;

NODISCARD enum status journal_zip_new(struct journal_zip **out);
void journal_zip_free(struct journal_zip *z);
AUTO_DEFINE(journal_zip);
/* Appends `plain` compressed. LIMIT when that would not be shorter, NOMEM; `out` is unchanged. */
NODISCARD enum status journal_zip_pack(struct journal_zip *z, struct text plain,
                                       struct buffer *out);
/* Exactly `plain_bytes` bytes into `out`. SYNTAX when `packed` holds anything else. */
NODISCARD enum status journal_zip_unpack(struct journal_zip *z, struct text packed, char *out,
                                         size_t plain_bytes);
