/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* "Z", "UTC", "+01:00", "-0530": seconds east of UTC. */
bool zone_parse(const char *zone, int32_t *out_s);
