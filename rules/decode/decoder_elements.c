/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_parts.h"
#include <string.h>

/* <Data Name="CommandLine">...</Data>, as Windows and Sysmon for Linux render their events. */

/* One entity at the ampersand: its byte, and how long it is; length 0 where it is none of XML's. */
static size_t entity_at(struct text t, char *out)
{
    static const struct {
        struct text name;
        char byte;
    } known[] = {
        {{"&lt;", 4}, '<'},    {{"&gt;", 4}, '>'},   {{"&amp;", 5}, '&'},  {{"&quot;", 6}, '"'},
        {{"&apos;", 6}, '\''}, {{"&#10;", 5}, '\n'}, {{"&#13;", 5}, '\r'}, {{"&#9;", 4}, '\t'},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_starts(t, known[i].name)) {
            *out = known[i].byte;
            return known[i].name.len;
        }
    return 0;
}

static struct text plain(struct text value, struct arena *arena)
{
    size_t at = text_find_byte(value, '&');
    char *out = at < value.len ? arena_bytes(arena, value.len) : NULL;
    if (!out)
        return value;
    size_t len = 0;
    for (size_t i = 0; i < value.len;) {
        char byte = value.at[i];
        const size_t used = byte == '&' ? entity_at(text_skip(value, i), &byte) : 0;
        out[len++] = byte;
        i += used ? used : 1;
    }
    return (struct text){out, len};
}

/* The quoted name behind `Name=`, moving *rest behind the bracket. */
static bool take_name(struct text *rest, struct text *out)
{
    const char quote = rest->len ? rest->at[0] : '\0';
    if (quote != '"' && quote != '\'')
        return false;
    const struct text inside = text_skip(*rest, 1);
    const size_t end = text_find_byte(inside, quote);
    *out = text_head(inside, end);
    *rest = text_skip(inside, end + 1);
    return rest->len && rest->at[0] == '>';
}

void decoder_elements_add(const struct decoder_spread *spread, const struct decoder_names *names,
                          struct text rest, struct event *event, struct arena *arena)
{
    const struct text opening = TEXT("<Data Name=");
    const struct text closing = TEXT("</Data>");
    for (;;) {
        rest = text_skip(rest, text_find(rest, opening) + opening.len);
        if (!rest.len)
            return;
        struct text name = TEXT_NONE;
        if (!take_name(&rest, &name))
            continue;
        rest = text_skip(rest, 1);
        const size_t end = text_find(rest, closing);
        const struct text value = plain(text_head(rest, end), arena);
        rest = text_skip(rest, end + closing.len);
        if (name.len && !(spread->unset.len && text_equal(value, spread->unset)))
            decoder_field_spread(names, name, value, event);
    }
}
