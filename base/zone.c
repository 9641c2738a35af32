/* SPDX-License-Identifier: Apache-2.0 */
#include "base/zone.h"
#include "base/timestamp.h"
#include <stdio.h>
#include <string.h>

bool zone_parse(const char *zone, int32_t *out_s)
{
    char stamp[64];
    int64_t us = 0;
    if (strcmp(zone, "UTC") == 0)
        zone = "Z";
    (void)snprintf(stamp, sizeof stamp, "1970-01-02T00:00:00%s", zone);
    if (!*zone || !timestamp_parse(text_of(stamp), 0, &us, NULL))
        return false;
    *out_s = (int32_t)(INT64_C(86400) - us / 1000000);
    return true;
}
