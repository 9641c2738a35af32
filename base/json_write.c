/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/digit.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void comma(struct buffer *b)
{
    if (!b->len)
        return;
    char last = b->at[b->len - 1];
    if (last != '{' && last != '[' && last != ':' && last != '\n')
        buffer_byte(b, ',');
}

static void escape_one(struct buffer *b, unsigned char c)
{
    static const char shorts[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                  ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\'};
    if (c < sizeof shorts && shorts[c]) {
        char pair[2] = {'\\', shorts[c]};
        buffer_append(b, (struct text){pair, 2});
        return;
    }
    char code[6] = {'\\', 'u', '0', '0', digit_hex(c >> 4), digit_hex(c)};
    buffer_append(b, (struct text){code, 6});
}

void json_write_escape(struct buffer *b, struct text value)
{
    size_t done = 0;
    size_t i = 0;
    while (i < value.len) {
        unsigned char c = (unsigned char)value.at[i];
        if (c >= 0x20 && c < 0x7F && c != '"' && c != '\\') { /* most of all text */
            i++;
            continue;
        }
        unsigned point = 0;
        size_t len = c < 0x80 ? 1 : text_utf8_len(text_skip(value, i));
        if (len > 1 && !printable_hidden(text_skip(value, i), &point)) {
            i += len;
            continue;
        }
        buffer_append(b, (struct text){value.at + done, i - done});
        if (len > 1)
            printable_json(b, text_head(text_skip(value, i), len));
        else
            escape_one(b, c);
        i += len ? len : 1;
        done = i;
    }
    if (done < value.len) /* no pointer arithmetic on the empty text's NULL */
        buffer_append(b, (struct text){value.at + done, value.len - done});
}

void json_write_name(struct buffer *b, struct text name)
{
    comma(b);
    buffer_byte(b, '"');
    json_write_escape(b, name);
    buffer_append(b, TEXT("\":"));
}

static void begin(struct buffer *b, const char *name)
{
    if (name)
        json_write_name(b, text_of(name));
    else
        comma(b);
}

static void quoted(struct buffer *b, struct text value)
{
    buffer_byte(b, '"');
    json_write_escape(b, value);
    buffer_byte(b, '"');
}

void json_write_open(struct buffer *b, const char *name, char bracket)
{
    begin(b, name);
    buffer_byte(b, bracket);
}

void json_write_close(struct buffer *b, char bracket)
{
    buffer_byte(b, bracket);
}

void json_write_string(struct buffer *b, const char *name, struct text value)
{
    begin(b, name);
    quoted(b, value);
}

void json_write_named_string(struct buffer *b, struct text name, struct text value)
{
    json_write_name(b, name);
    quoted(b, value);
}

void json_write_named_open(struct buffer *b, struct text name, char bracket)
{
    json_write_name(b, name);
    buffer_byte(b, bracket);
}

void json_write_int(struct buffer *b, const char *name, int64_t value)
{
    begin(b, name);
    buffer_int64(b, value);
}

void json_write_uint(struct buffer *b, const char *name, uint64_t value)
{
    begin(b, name);
    buffer_uint64(b, value);
}

void json_write_double(struct buffer *b, const char *name, double value)
{
    begin(b, name);
    if (!isfinite(value)) {
        buffer_append(b, TEXT("null"));
        return;
    }
    char digits[32];
    double size = fabs(value);
    bool is_plain = size == 0 || (size >= 1e-5 && size < 1e15); /* "60", not "6e+01" */
    for (int precision = 1; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if ((!is_plain || !strchr(digits, 'e')) && strtod(digits, NULL) == value)
            break;
    }
    buffer_append(b, text_of(digits));
}

void json_write_bool(struct buffer *b, const char *name, bool value)
{
    begin(b, name);
    buffer_append(b, value ? TEXT("true") : TEXT("false"));
}

void json_write_null(struct buffer *b, const char *name)
{
    begin(b, name);
    buffer_append(b, TEXT("null"));
}

void json_write_time(struct buffer *b, const char *name, int64_t us)
{
    char when[TIMESTAMP_LEN + 1];
    timestamp_format(us, when);
    json_write_string(b, name, (struct text){when, TIMESTAMP_LEN});
}

void json_write_raw(struct buffer *b, const char *name, struct text value)
{
    begin(b, name);
    buffer_append(b, value);
}
