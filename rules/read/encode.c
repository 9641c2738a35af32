/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/encode.h"
#include <stdint.h>

static uint32_t next_point(struct text *rest)
{
    const unsigned char *at = (const unsigned char *)rest->at;
    size_t len = text_utf8_len(*rest);
    uint32_t point = at[0];
    if (len == 2)
        point = (at[0] & 0x1FU) << 6 | (at[1] & 0x3FU);
    else if (len == 3)
        point = (at[0] & 0x0FU) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
    else if (len == 4)
        point =
            (at[0] & 0x07U) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
    *rest = text_skip(*rest, len ? len : 1);
    return point;
}

static size_t put_unit(char *out, uint32_t unit, enum encode_utf16 how)
{
    char high = (char)(unit >> 8);
    char low = (char)(unit & 0xFF);
    out[0] = how == ENCODE_BE ? high : low;
    out[1] = how == ENCODE_BE ? low : high;
    return 2;
}

struct text encode_utf16(struct text in, enum encode_utf16 how, struct arena *arena)
{
    char *out = arena_bytes(arena, 2 * in.len + 2);
    if (!out)
        return TEXT_NONE;
    size_t n = how == ENCODE_BOM ? put_unit(out, 0xFEFF, how) : 0;
    for (struct text rest = in; rest.len;) {
        uint32_t point = next_point(&rest);
        if (point >= 0x10000) {
            n += put_unit(out + n, 0xD800 + ((point - 0x10000) >> 10), how);
            n += put_unit(out + n, 0xDC00 + ((point - 0x10000) & 0x3FF), how);
        } else {
            n += put_unit(out + n, point, how);
        }
    }
    return (struct text){out, n};
}

struct text encode_base64(struct text in, struct arena *arena)
{
    char *out = arena_bytes(arena, 4 * ((in.len + 2) / 3) + 1);
    return out ? (struct text){out, text_to_base64(in, out)} : TEXT_NONE;
}

struct text encode_base64_offset(struct text in, unsigned offset, struct arena *arena)
{
    /* Characters that still hold bits of what stands before: 0, 2, 3. What stands behind touches
     * the last character unless the bytes end on a group: then nothing is cut, else 3 or 2. */
    static const size_t before[3] = {0, 2, 3};
    static const size_t behind[3] = {0, 3, 2};
    char *padded = arena_bytes(arena, in.len + 2);
    if (!padded)
        return TEXT_NONE;
    memset(padded, ' ', offset);
    if (in.len)
        memcpy(padded + offset, in.at, in.len);
    struct text whole = encode_base64((struct text){padded, in.len + offset}, arena);
    size_t cut = behind[(in.len + offset) % 3];
    if (!whole.at || whole.len < before[offset] + cut)
        return (struct text){whole.at, 0};
    return (struct text){whole.at + before[offset], whole.len - before[offset] - cut};
}
