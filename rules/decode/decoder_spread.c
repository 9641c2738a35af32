/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_parts.h"
#include <string.h>

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Audit writes what is not safe in a quoted string as upper-case hex. Anything else stays. */
static struct text unhex(struct text value, struct arena *arena)
{
    if (value.len < 2 || value.len % 2)
        return value;
    for (size_t i = 0; i < value.len; i++)
        if (digit(value.at[i]) < 0)
            return value;
    char *out = arena_bytes(arena, value.len / 2);
    if (!out)
        return value;
    for (size_t i = 0; i < value.len / 2; i++) {
        char c = (char)(digit(value.at[2 * i]) << 4 | digit(value.at[2 * i + 1]));
        out[i] = c ? c : ' '; /* arguments are divided by NUL */
    }
    return (struct text){out, value.len / 2};
}

static void add_pair(const struct decoder_spread *spread, const struct decoder_names *names,
                     struct text key, struct text value, bool is_quoted, struct event *event,
                     struct arena *arena)
{
    if (!key.len || (spread->unset.len && text_equal(value, spread->unset)))
        return;
    for (uint32_t i = 0; i < spread->hex_count && !is_quoted; i++)
        if (text_equal(spread->hex[i].from, key))
            value = unhex(value, arena);
    decoder_field_spread(names, key, value, event);
}

/* Behind an opening quote: up to the closing one (a backslash keeps the next byte), over it. */
static struct text take_quoted(struct text *rest, char quote)
{
    size_t i = 0;
    while (i < rest->len && rest->at[i] != quote)
        i += rest->at[i] == '\\' && i + 1 < rest->len ? 2 : 1;
    struct text value = text_head(*rest, i);
    *rest = text_skip(*rest, i + 1);
    return value;
}

/* Up to the separator, or the quote that ends an outer value. A backslash keeps a separator that is
 * not a space. */
static struct text take_bare(struct text *rest, char separator, bool is_nested)
{
    size_t i = 0;
    while (i < rest->len && rest->at[i] != separator && !(is_nested && rest->at[i] == '\''))
        i += separator != ' ' && rest->at[i] == '\\' && i + 1 < rest->len &&
                     rest->at[i + 1] == separator
                 ? 2
                 : 1;
    struct text value = text_head(*rest, i);
    *rest = text_skip(*rest, i);
    return separator == ' ' ? value : text_trim(value);
}

/* A key up to the joiner; false where a word without value ends first, which is skipped. Where
 * something else than a space stands between pairs, a key may be of several words. */
static bool take_key(struct text *rest, const struct decoder_spread *spread, struct text *out)
{
    const bool ends_at_space = spread->separator == ' ';
    size_t i = 0;
    while (i < rest->len && rest->at[i] != spread->joiner && rest->at[i] != spread->separator &&
           !(ends_at_space && rest->at[i] == ' '))
        i++;
    *out = text_trim(text_head(*rest, i));
    const bool has_value = i < rest->len && rest->at[i] == spread->joiner;
    *rest = text_skip(*rest, i + 1);
    return has_value;
}

/* Audit puts a group separator (0x1d) before the fields that it translated. */
static void skip_between(struct text *rest, char separator, bool *is_nested)
{
    size_t i = 0;
    for (; i < rest->len; i++) {
        const char c = rest->at[i];
        if (c == '\'' && *is_nested)
            *is_nested = false;
        else if (c != separator && c != ' ' && c != '\x1d')
            break;
    }
    *rest = text_skip(*rest, i);
}

/* key=value, key="a value", and key='inner=1 pairs=2' as audit nests them. */
static void add_pairs(const struct decoder_spread *spread, const struct decoder_names *names,
                      struct text rest, struct event *event, struct arena *arena)
{
    bool is_nested = false;
    const char separator = spread->separator;
    for (skip_between(&rest, separator, &is_nested); rest.len;
         skip_between(&rest, separator, &is_nested)) {
        struct text key = TEXT_NONE;
        if (!take_key(&rest, spread, &key))
            continue;
        while (separator != ' ' && rest.len && rest.at[0] == ' ')
            rest = text_skip(rest, 1);
        if (rest.len && rest.at[0] == '\'') {
            rest = text_skip(rest, 1);
            is_nested = true; /* the pairs inside are read as if they stood here */
            continue;
        }
        const bool is_quoted = rest.len && rest.at[0] == '"';
        if (is_quoted)
            rest = text_skip(rest, 1);
        struct text value =
            is_quoted ? take_quoted(&rest, '"') : take_bare(&rest, separator, is_nested);
        add_pair(spread, names, key, value, is_quoted, event, arena);
    }
}

/* Where the quote stands that closes a cell: not one of two, and not behind a backslash, but where
 * the cell must end there ("C:\"). */
static size_t find_closing_quote(struct text t, char separator)
{
    for (size_t i = 0; i < t.len; i++) {
        if (t.at[i] != '"')
            continue;
        const bool is_last = i + 1 == t.len || t.at[i + 1] == separator;
        if (is_last || (t.at[i + 1] != '"' && !(i && t.at[i - 1] == '\\')))
            return i;
        i += t.at[i + 1] == '"';
    }
    return t.len;
}

/* Up to the separator; a cell in quotes may hold it. */
static struct text take_cell(struct text *rest, char separator)
{
    struct text value = TEXT_NONE;
    if (rest->len && rest->at[0] == '"') {
        *rest = text_skip(*rest, 1);
        const size_t quote = find_closing_quote(*rest, separator);
        value = text_head(*rest, quote);
        *rest = text_skip(*rest, quote + 1);
        *rest = text_skip(*rest, text_find_byte(*rest, separator) + 1);
        return value;
    }
    const size_t end = text_find_byte(*rest, separator);
    value = text_head(*rest, end);
    *rest = text_skip(*rest, end + 1);
    return value;
}

static void add_columns(const struct decoder_spread *spread, struct text rest, struct event *event)
{
    for (uint32_t i = 0; i < spread->column_count && rest.len; i++) {
        struct text value = take_cell(&rest, spread->separator);
        if (value.len && !text_equal(value, spread->unset))
            decoder_field_add(event, &spread->columns[i], value);
    }
}

void decoder_spread_add(const struct decoder_spread *spread, const struct decoder_names *names,
                        struct text bytes, struct event *event, struct arena *arena)
{
    if (spread->kind == DECODER_SPREAD_PAIRS)
        add_pairs(spread, names, bytes, event, arena);
    else if (spread->kind == DECODER_SPREAD_COLUMNS)
        add_columns(spread, bytes, event);
    else if (spread->kind == DECODER_SPREAD_ELEMENTS)
        decoder_elements_add(spread, names, bytes, event, arena);
}
