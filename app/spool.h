/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"

/* Standard input, which can be read once, kept in a file without a name for who reads it again. */
struct spool {
    int fd;
    char again[32]; /* opens it from its beginning, as often as one likes */
};

/* Reads to the end. INVALID where it is a folder; IO where it cannot be read to its end, or there
 * is no room to keep it. */
NODISCARD enum status spool_open(struct spool *out, struct error *err);
void spool_close(struct spool *s);
