/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/defang.h"
#include <stdbool.h>
#include <stdint.h>

static uint32_t code_of(struct text t, size_t len)
{
    static const uint8_t lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (uint8_t)t.at[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((uint8_t)t.at[i] & 0x3FU);
    return code;
}

/* Characters that show nothing, or move what stands around them. */
static bool is_hidden(uint32_t code)
{
    static const struct {
        uint32_t from, to;
    } hidden[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},       {0x061C, 0x061C},
        {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},
        {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
        if (code >= hidden[i].from && code <= hidden[i].to)
            return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9');
}

/* Writes a piece that would make a link as one that does not; its length, or 0: there is none. */
static size_t broken_link(struct buffer *out, struct text all, size_t at)
{
    struct text t = text_skip(all, at);
    bool is_start = at == 0 || !is_word(all.at[at - 1]);
    if (is_start && t.len >= 4 && text_equal_nocase(text_head(t, 4), TEXT("http"))) {
        buffer_append(out, TEXT("hxxp"));
        return 4;
    }
    if (text_starts(t, TEXT("://"))) {
        buffer_append(out, TEXT("[://]"));
        return 3;
    }
    bool is_inside = at > 0 && t.len > 1 && is_word(all.at[at - 1]);
    if (is_inside && t.at[0] == '.' && is_letter(t.at[1])) {
        buffer_append(out, TEXT("[.]"));
        return 1;
    }
    if (is_inside && t.at[0] == '@' && is_word(t.at[1])) {
        buffer_append(out, TEXT("[@]"));
        return 1;
    }
    return 0;
}

static size_t append_one(struct buffer *out, struct text t)
{
    size_t len = text_utf8_len(t);
    if (len == 0) {
        buffer_printf(out, "\\x%02X", (unsigned)(uint8_t)t.at[0]);
        return 1;
    }
    uint32_t code = code_of(t, len);
    if (!is_hidden(code))
        buffer_append(out, text_head(t, len));
    else if (code < 0x100)
        buffer_printf(out, "\\x%02X", (unsigned)code);
    else
        buffer_printf(out, "\\u{%04X}", (unsigned)code);
    return len;
}

static void append(struct buffer *out, struct text t, size_t max_bytes, bool breaks_links)
{
    size_t end = out->len + max_bytes;
    size_t i = 0;
    while (i < t.len && out->len < end) {
        size_t done = breaks_links ? broken_link(out, t, i) : 0;
        i += done ? done : append_one(out, text_skip(t, i));
    }
    if (i < t.len)
        buffer_append(out, TEXT("..."));
}

void defang_append(struct buffer *out, struct text t, size_t max_bytes)
{
    append(out, t, max_bytes, true);
}

void defang_line(struct buffer *out, struct text t, size_t max_bytes)
{
    append(out, t, max_bytes, false);
}
