/* SPDX-License-Identifier: Apache-2.0 */
#include "base/printable.h"
#include "base/digit.h"
#include <stdint.h>
#include <string.h>

enum { MOST_BYTES = 64 << 20, SPEC_BYTES = 32 };

/* Beyond ASCII, in order: first and last. */
static const struct {
    unsigned first, last;
} hidden[] = {
    {0x80, 0x9F},       /* C1 controls */
    {0xAD, 0xAD},       /* soft hyphen */
    {0x34F, 0x34F},     /* grapheme joiner */
    {0x61C, 0x61C},     /* Arabic letter mark */
    {0x115F, 0x1160},   /* Hangul fillers */
    {0x17B4, 0x17B5},   /* Khmer inherent vowels */
    {0x180B, 0x180F},   /* Mongolian selectors */
    {0x200B, 0x200B},   /* zero width space; the joiners behind it belong to scripts and emoji */
    {0x200E, 0x200F},   /* marks of direction */
    {0x2028, 0x202E},   /* line and paragraph separators, embeddings, overrides */
    {0x2060, 0x206F},   /* invisible operators, isolates */
    {0x3164, 0x3164},   /* Hangul filler */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFA0, 0xFFA0},   /* half width filler */
    {0xFFF0, 0xFFFB},   /* interlinear annotation */
    {0xFFFE, 0xFFFF},   /* no characters */
    {0x1D173, 0x1D17A}, /* invisible marks of music */
    {0xE0000, 0xE0FFF}, /* tags, selectors */
};

static unsigned point_of(struct text t, size_t len)
{
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned point = (unsigned char)t.at[0] & masks[len];
    for (size_t i = 1; i < len; i++)
        point = point << 6 | ((unsigned char)t.at[i] & 0x3F);
    return point;
}

size_t printable_hidden(struct text t, unsigned *out_point)
{
    const unsigned char c = t.len ? (unsigned char)t.at[0] : 'x';
    *out_point = c;
    if (c < 0x80)
        return c < 0x20 || c == 0x7F;
    const size_t len = text_utf8_len(t);
    if (!len)
        return 1;
    const unsigned point = point_of(t, len);
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden && hidden[i].first <= point; i++) {
        if (point <= hidden[i].last) {
            *out_point = point;
            return len;
        }
    }
    return 0;
}

static void hex(struct buffer *out, const char *before, unsigned value, unsigned digits)
{
    buffer_append(out, text_of(before));
    while (digits--)
        buffer_byte(out, digit_hex(value >> (4 * digits)));
}

/* `len` as printable_hidden gives it. */
static void show(struct buffer *out, unsigned point, size_t len)
{
    if (len == 1 && point == '\n')
        buffer_append(out, TEXT("\\n"));
    else if (len == 1 && point == '\r')
        buffer_append(out, TEXT("\\r"));
    else if (len == 1 && point == '\t')
        buffer_append(out, TEXT("\\t"));
    else if (len == 1)
        hex(out, "\\x", point, 2);
    else if (point > 0xFFFF)
        hex(out, "\\U", point, 8);
    else
        hex(out, "\\u", point, 4);
}

static void show_json(struct buffer *out, unsigned point, size_t len)
{
    if (len == 1 && point >= 0x80) /* no JSON */
        hex(out, "\\u", 0xFFFD, 4);
    else if (point > 0xFFFF) {
        hex(out, "\\u", 0xD800 + ((point - 0x10000) >> 10), 4);
        hex(out, "\\u", 0xDC00 + ((point - 0x10000) & 0x3FF), 4);
    } else
        hex(out, "\\u", point, 4);
}

static size_t visible(struct text t)
{
    size_t at = 0;
    while (at < t.len && t.at[at] >= 0x20 && t.at[at] < 0x7F)
        at++;
    return at;
}

static void write_text(struct buffer *out, struct text t, const char *kept,
                       void (*as)(struct buffer *out, unsigned point, size_t len))
{
    while (t.len) {
        const size_t plain = visible(t);
        unsigned point = 0;
        buffer_append(out, text_head(t, plain));
        t = text_skip(t, plain);
        if (!t.len)
            return;
        const size_t len = printable_hidden(t, &point);
        const size_t step = len ? len : text_utf8_len(t);
        if (len && !(point < 0x80 && point && strchr(kept, (int)point)))
            as(out, point, len);
        else
            buffer_append(out, text_head(t, step));
        t = text_skip(t, step);
    }
}

void printable_write(struct buffer *out, struct text t)
{
    write_text(out, t, "", show);
}

void printable_lines(struct buffer *out, struct text t)
{
    write_text(out, t, "\n\t", show);
}

void printable_json(struct buffer *out, struct text json)
{
    write_text(out, json, "\n\t\r", show_json);
}

/* ---- printf ---- */

struct spec {
    char text[SPEC_BYTES]; /* "%-8lld" */
    int width, precision;  /* -1: none */
    bool is_left;
    char length[3]; /* "ll" */
    char type;
};

/* Behind the conversion that begins at `at`, a percent sign; stars are taken from `args`. */
static const char *read_spec(const char *at, struct spec *s, va_list *args)
{
    const char *from = at++;
    *s = (struct spec){.width = -1, .precision = -1};
    for (; *at && strchr("-+ #0", *at); at++)
        s->is_left |= *at == '-';
    const char *flags_end = at;
    if (*at == '*') {
        s->width = va_arg(*args, int);
        s->is_left |= s->width < 0;
        s->width = s->width < 0 ? -s->width : s->width;
        at++;
    }
    for (; digit_is(*at); at++)
        s->width = (s->width < 0 ? 0 : s->width * 10) + (*at - '0');
    if (*at == '.') {
        s->precision = 0;
        if (*++at == '*') {
            s->precision = va_arg(*args, int);
            at++;
        }
        for (; digit_is(*at); at++)
            s->precision = s->precision * 10 + (*at - '0');
    }
    size_t length = 0;
    for (; *at && strchr("hlz", *at); at++)
        if (length < 2)
            s->length[length++] = *at;
    s->type = *at;
    (void)snprintf(s->text, sizeof s->text, "%.*s*.*%s%c",
                   (int)(flags_end - from > 8 ? 8 : flags_end - from), from, s->length, s->type);
    return *at ? at + 1 : at;
}

static void put_text(struct buffer *out, const struct spec *s, const char *value)
{
    const char *from = value ? value : "-";
    size_t len = s->precision < 0 ? strlen(from) : strnlen(from, (size_t)s->precision);
    struct text t = {from, len};
    if (s->precision >= 0 && len == (size_t)s->precision)
        for (size_t back = 1; back < 4 && back <= len; back++) /* no half a character */
            if (((unsigned char)t.at[len - back] & 0xC0) == 0xC0) {
                t.len = text_utf8_len(text_skip(t, len - back)) ? len : len - back;
                break;
            }
    struct buffer shown;
    buffer_init(&shown, MOST_BYTES);
    printable_write(&shown, t);
    size_t pad = s->width > 0 && shown.len < (size_t)s->width ? (size_t)s->width - shown.len : 0;
    for (size_t i = 0; !s->is_left && i < pad; i++)
        buffer_byte(out, ' ');
    buffer_append(out, buffer_text(&shown));
    for (size_t i = 0; s->is_left && i < pad; i++)
        buffer_byte(out, ' ');
    out->has_failed |= shown.has_failed;
    buffer_fini(&shown);
}

/* The one place where a format is put together: each holds one conversion, of the type it says. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void put_number(struct buffer *out, const struct spec *s, va_list *args)
{
    char room[512];
    const int w = s->width < 0 ? 0 : s->width > 300 ? 300 : s->width;
    const int p = s->precision > 100 ? 100 : s->precision;
    const bool is_long = s->length[0] == 'l' && !s->length[1];
    if (strchr("fgeFGE", s->type))
        (void)snprintf(room, sizeof room, s->text, w, p, va_arg(*args, double));
    else if (s->length[1] == 'l')
        (void)snprintf(room, sizeof room, s->text, w, p, va_arg(*args, long long));
    else if (is_long)
        (void)snprintf(room, sizeof room, s->text, w, p, va_arg(*args, long));
    else if (s->length[0] == 'z')
        (void)snprintf(room, sizeof room, s->text, w, p, va_arg(*args, size_t));
    else
        (void)snprintf(room, sizeof room, s->text, w, p, va_arg(*args, int));
    buffer_append(out, text_of(room));
}
#pragma GCC diagnostic pop

static void put(struct buffer *out, const struct spec *s, va_list *args)
{
    char one = 0;
    switch (s->type) {
    case 's':
        put_text(out, s, va_arg(*args, const char *));
        return;
    case 'c':
        one = (char)va_arg(*args, int);
        printable_write(out, (struct text){&one, 1});
        return;
    case '%':
        buffer_byte(out, '%');
        return;
    default:
        put_number(out, s, args);
        return;
    }
}

void printable_vformat(struct buffer *out, const char *format, va_list args)
{
    va_list rest;
    va_copy(rest, args);
    while (*format) {
        const size_t plain = strcspn(format, "%");
        buffer_append(out, (struct text){format, plain});
        format += plain;
        if (*format) {
            struct spec s;
            format = read_spec(format, &s, &rest);
            put(out, &s, &rest);
        }
    }
    va_end(rest);
}

void printable_format(struct buffer *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printable_vformat(out, format, args);
    va_end(args);
}

void printable_print(FILE *to, const char *format, ...)
{
    struct buffer out;
    va_list args;
    buffer_init(&out, MOST_BYTES);
    va_start(args, format);
    printable_vformat(&out, format, args);
    va_end(args);
    (void)fwrite(out.at ? out.at : "", 1, out.len, to);
    buffer_fini(&out);
}
