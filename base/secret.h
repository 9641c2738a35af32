/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A secret from a file. Its own type, so that no log line takes it by mistake; wiped when it goes.
 */
struct secret {
    char *at; /* owned; a NUL stands behind it */
    size_t len;
};
enum { SECRET_BYTES = 4096, SECRET_COUNT = 8 };
struct secret_list {
    struct secret items[SECRET_COUNT];
    uint32_t count;
};

/* Adds each line of the file that is not empty, trimmed. IO names the path; INVALID: no line,
 * LIMIT: too many or too long. What was added before a failure stays. `path` ends with NUL. */
NODISCARD enum status secret_load(struct secret_list *list, const char *path, struct error *err);
void secret_fini(struct secret_list *list);
