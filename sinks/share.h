/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/* The files of share/, put into the program when it is built. */
struct share_file {
    const char *name; /* without ".yml" */
    const char *at;
    size_t len;
};
/* Ended by one without a name. */
const struct share_file *share_all(void);
