/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/* Zone names as devices print them ("CEST"): seconds east of UTC. Names that mean several zones
 * (IST, CST) are read as the one that network gear means by default. False: not known. */
bool zone_names_find(struct text name, int32_t *out_s);
