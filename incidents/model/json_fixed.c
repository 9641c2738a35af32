/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/json_fixed.h"
#include "base/json_write.h"
#include <stdio.h>

void json_fixed_write(struct buffer *out, const char *name, double value, int decimals)
{
    char digits[400];
    int len = snprintf(digits, sizeof digits, "%.*f", decimals, value);
    while (len > 1 && digits[len - 1] == '0' && decimals > 0)
        len--;
    if (len > 1 && digits[len - 1] == '.')
        len--;
    json_write_raw(out, name, (struct text){digits, (size_t)len});
}

void json_fixed_exact(struct buffer *out, const char *name, double value)
{
    char digits[64];
    int len = snprintf(digits, sizeof digits, "%.17g", value);
    json_write_raw(out, name, (struct text){digits, (size_t)len});
}
