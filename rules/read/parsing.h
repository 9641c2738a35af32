/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/yaml.h"
#include <stdint.h>

/* Many YAML files at once: half of a load is libyaml, and a second core is idle then. */
struct parsed {
    struct yaml_file yaml;
    enum status status;
    struct error why; /* where status is not OK */
};
/* Parses paths[0..count) into out[0..count). Nodes live in `arena` or, of what a second thread
 * parsed, in `other`; nothing of it depends on which. Returns when both are done. */
void parsing_run(char *const *paths, uint32_t count, struct arena *arena, struct arena *other,
                 struct parsed *out);
