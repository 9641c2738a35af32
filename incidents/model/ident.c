/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/ident.h"
#include <string.h>

enum { TIME_CHARS = 10, HASH_CHARS = 16 };

static void digits(uint64_t value, int count, char *out)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for (int i = count - 1; i >= 0; i--, value >>= 5)
        out[i] = alphabet[value & 31];
}

void ident_make(const char prefix[5], int64_t us, struct hash128 from, char out[IDENT_LEN + 1])
{
    memcpy(out, prefix, 4);
    digits(us > 0 ? (uint64_t)us / 1000 : 0, TIME_CHARS, out + 4);
    digits(from.lo, HASH_CHARS / 2, out + 4 + TIME_CHARS);
    digits(from.hi, HASH_CHARS / 2, out + 4 + TIME_CHARS + HASH_CHARS / 2);
    out[IDENT_LEN] = 0;
}
