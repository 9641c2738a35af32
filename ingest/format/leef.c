/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/leef.h"
#include "base/digit.h"
#include "ingest/format/cef.h"

enum { HEADERS = 5, SEARCHED = 256 };
#define ESCAPED_TAB TEXT("#011")

size_t leef_find(struct text t)
{
    /* A version of LEEF is "1.0": one digit alone is CEF's. */
    if (t.len > 1 && t.at[1] == '.' && !cef_headless(t, TEXT("12"), HEADERS))
        return 0;
    struct text head = text_head(t, SEARCHED);
    size_t pipe = text_find_byte(head, '|');
    if (pipe == head.len)
        return t.len;
    size_t at = text_find(text_head(head, pipe), TEXT("LEEF:"));
    size_t digit = at + 5;
    return digit < pipe && head.at[digit] >= '0' && head.at[digit] <= '9' ? at : t.len;
}

/* "^", "x5E", "0x5E"; an empty one means tab. False: that header is none. */
static bool read_delimiter(struct text t, char *out)
{
    if (t.len <= 1) {
        *out = t.len ? t.at[0] : '\t';
        return true;
    }
    if (text_equal(t, TEXT("\\t")) || text_equal_nocase(t, TEXT("tab"))) { /* spelled out */
        *out = '\t';
        return true;
    }
    if (text_starts(t, TEXT("0x")) || text_starts(t, TEXT("0X")))
        t = text_skip(t, 1);
    if (t.len < 2 || t.len > 3 || (t.at[0] | 0x20) != 'x')
        return false;
    int value = 0;
    for (size_t i = 1; i < t.len; i++) {
        int digit = digit_of_hex(t.at[i]);
        if (digit < 0)
            return false;
        value = value * 16 + digit;
    }
    *out = (char)value;
    return true;
}

/* The sixth header of 2.0, which many senders leave out. */
static char take_delimiter(struct text version, struct text *t)
{
    char delimiter = '\t';
    size_t pipe = text_find_byte(*t, '|');
    if (!text_starts(version, TEXT("1")) && pipe < t->len &&
        read_delimiter(text_head(*t, pipe), &delimiter))
        *t = text_skip(*t, pipe + 1);
    return delimiter;
}

/* rsyslog writes a tab as "#011" where it escapes control characters. */
static bool split_escaped_tab(struct text *t, struct text *out)
{
    if (!t->len)
        return false;
    *out = text_head(*t, text_find(*t, ESCAPED_TAB));
    *t = text_skip(*t, out->len + ESCAPED_TAB.len);
    return true;
}

static void read_attributes(struct text t, char delimiter, struct event *e)
{
    const bool is_escaped = delimiter == '\t' && text_find_byte(t, '\t') == t.len;
    struct text pair;
    while (is_escaped ? split_escaped_tab(&t, &pair) : text_split(&t, delimiter, &pair)) {
        size_t equals = text_find_byte(pair, '=');
        struct text key = text_trim(text_head(pair, equals));
        if (key.len && equals < pair.len)
            (void)event_add(e, key, text_trim(text_skip(pair, equals + 1)));
    }
}

/* PAN-OS goes on with '|' between the attributes of 1.0: a key stands behind the first one, too. */
static bool is_piped(struct text t, char delimiter)
{
    const size_t pipe = text_find_byte(t, '|');
    if (delimiter != '\t' || pipe == t.len || text_find_byte(t, '\t') < t.len ||
        text_find_byte(text_head(t, pipe), '=') == pipe)
        return false;
    const struct text next = text_skip(t, pipe + 1);
    const size_t equals = text_find_byte(next, '=');
    return equals < next.len && equals && text_find_byte(next, ' ') > equals;
}

bool leef_read(struct text t, struct arena *arena, struct event *e)
{
    static const char *const names[HEADERS] = {"leefVersion", "deviceVendor", "deviceProduct",
                                               "deviceVersion", "deviceEventId"};
    struct text headers[HEADERS];
    if (text_starts(t, TEXT("LEEF:")))
        t = text_skip(t, 5);
    else if (t.len < 2 || t.at[1] != '.' || cef_headless(t, TEXT("12"), HEADERS))
        return false;
    for (int i = 0; i < HEADERS; i++) {
        size_t pipe = text_find_byte(t, '|');
        if (pipe == t.len)
            return false;
        headers[i] = text_head(t, pipe);
        t = text_skip(t, pipe + 1);
    }
    for (int i = 0; i < HEADERS; i++)
        (void)event_add(e, text_of(names[i]), headers[i]);
    char delimiter = take_delimiter(headers[0], &t);
    if (is_piped(t, delimiter))
        delimiter = '|';
    if (text_find_byte(t, delimiter) < t.len ||
        (delimiter == '\t' && text_find(t, ESCAPED_TAB) < t.len))
        read_attributes(t, delimiter, e);
    else
        cef_read_pairs(t, arena, e); /* relays make spaces of tabs */
    return true;
}
