/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/webhook/json_split.h"

/* How long the string is whose opening quote stands at `at`. */
static size_t string_len(struct text t, size_t at)
{
    size_t end = at + 1;
    while (end < t.len && t.at[end] != '"')
        end += t.at[end] == '\\' ? 2 : 1;
    return end < t.len ? end + 1 - at : t.len - at;
}

bool json_split_next(struct text *rest, struct text *out_object)
{
    struct text t = text_trim(*rest);
    size_t depth = 0;
    *rest = t;
    if (!t.len || t.at[0] != '{')
        return false;
    for (size_t at = 0; at < t.len;) {
        const char c = t.at[at];
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at += c == '"' ? string_len(t, at) : 1;
        if (depth)
            continue;
        *out_object = text_head(t, at);
        *rest = text_trim(text_skip(t, at));
        return true;
    }
    return false;
}
