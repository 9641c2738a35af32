/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_string.h"
#include "base/digit.h"
#include <string.h>

/* Four hex digits at `at`, or -1. */
static int32_t hex_unit(const char *at, const char *end)
{
    if (end - at < 4)
        return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = digit_of_hex(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_high(int32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static bool is_low(int32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* Behind the "\u": the length of what belongs to one character, or 0; gives the character. */
static size_t unicode_escape(const char *at, const char *end, uint32_t *out)
{
    int32_t unit = hex_unit(at, end);
    if (unit < 0 || is_low(unit))
        return 0;
    *out = (uint32_t)unit;
    if (!is_high(unit))
        return 4;
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u')
        return 0;
    int32_t low = hex_unit(at + 6, end);
    if (!is_low(low))
        return 0;
    *out = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return 10;
}

/* What the letter behind a backslash stands for, or 0. Windows paths are full of them. */
static char simple_escape(char c)
{
    static const char means[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    return (unsigned char)c < sizeof means ? means[(unsigned char)c] : '\0';
}

size_t json_string_escape_len(const char *at, const char *end)
{
    if (end - at < 2)
        return 0;
    if (simple_escape(at[1]))
        return 2;
    if (at[1] != 'u')
        return 0;
    uint32_t character = 0;
    size_t len = unicode_escape(at + 2, end, &character);
    return len ? len + 2 : 0;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(marks[len] | c);
    return len;
}

struct text json_unescape(struct text escaped, struct arena *arena)
{
    size_t first = text_find_byte(escaped, '\\');
    if (first == escaped.len)
        return escaped;
    char *out = arena_bytes(arena, escaped.len); /* no escape is shorter than what it stands for */
    if (!out)
        return TEXT_NONE;
    size_t len = 0;
    const char *end = escaped.at + escaped.len;
    for (const char *at = escaped.at; at < end;) {
        const char *slash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((slash ? slash : end) - at);
        memcpy(out + len, at, plain);
        len += plain;
        at += plain;
        if (end - at < 2)
            break;
        if (at[1] != 'u') {
            out[len++] = simple_escape(at[1]);
            at += 2;
            continue;
        }
        uint32_t character = 0;
        size_t used = unicode_escape(at + 2, end, &character);
        if (!used)
            break;
        len += put_utf8(character, out + len);
        at += 2 + used;
    }
    return (struct text){out, len};
}
