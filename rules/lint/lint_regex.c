/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/lint/lint_regex.h"
#include "base/buffer.h"
#include "rules/match/regex.h"
#include <string.h>

enum {
    OPEN_MOST = 64,    /* groups within groups that are looked at */
    GROUPS_MOST = 32,  /* of one expression */
    GROUP_BYTES = 512, /* a longer group is not tried */
    REPEATS = 30,      /* characters of a text that is tried: ways double with each */
    OFTEN = 10,        /* {n,m} with so large an m is as bad as a star */
    LETTERS = 16,
};

struct open {
    size_t at;       /* of its parenthesis */
    bool has_choice; /* a quantifier or a branch inside */
};

/* Behind the class that begins at `at`. */
static size_t class_end(struct text t, size_t at)
{
    at += at + 1 < t.len && t.at[at + 1] == '^' ? 2 : 1;
    at += at < t.len && t.at[at] == ']';
    while (at < t.len && t.at[at] != ']')
        at += t.at[at] == '\\' ? 2 : 1;
    return at < t.len ? at + 1 : t.len;
}

/* Length of the quantifier at `at` where it repeats often and may give back; else 0. */
static size_t often(struct text t, size_t at)
{
    size_t len = 0;
    if (at >= t.len)
        return 0;
    if (t.at[at] == '*' || t.at[at] == '+')
        len = 1;
    else if (t.at[at] == '{') {
        const size_t end = text_find_byte(text_skip(t, at), '}');
        const struct text inside = text_head(text_skip(t, at + 1), end ? end - 1 : 0);
        const struct text most = text_skip(inside, text_find_byte(inside, ',') + 1);
        int64_t count = OFTEN;
        bool is_open = text_find_byte(inside, ',') + 1 == inside.len;
        if (end == t.len - at || (!is_open && most.len && !text_to_int64(most, &count)) ||
            (!most.len && !is_open && !text_to_int64(inside, &count)) || count < OFTEN)
            return 0;
        len = end + 1;
    }
    return len && !(at + len < t.len && t.at[at + len] == '+') ? len : 0;
}

/* Characters that the group may be about. */
static size_t letters_of(struct text group, char out[LETTERS])
{
    static const char usual[] = "a0 _-./A";
    size_t count = 0;
    for (size_t i = 0; i < group.len && count < LETTERS - (sizeof usual - 1); i++) {
        const char c = group.at[i];
        if (!strchr("\\()[]{}|*+?^$", c) && !memchr(out, c, count))
            out[count++] = c;
    }
    for (size_t i = 0; i < sizeof usual - 1; i++)
        if (!memchr(out, usual[i], count))
            out[count++] = usual[i];
    return count;
}

/* Texts of one character and of two in turn, with an end that cannot belong to it: what that is
 * depends on what the group leaves out. */
static bool meets_limit(const struct regex *r, struct regex_scratch *s, struct text group)
{
    static const char *const ends[] = {"\x01\n\x01", ",", "\"", "/", "a"};
    char letters[LETTERS];
    char text[REPEATS + 4];
    const size_t count = letters_of(group, letters);
    for (size_t way = 0; way < count * count; way++) {
        for (size_t i = 0; i < REPEATS; i++)
            text[i] = letters[i % 2 ? way % count : way / count];
        for (size_t e = 0; e < sizeof ends / sizeof *ends; e++) {
            const size_t len = strlen(ends[e]);
            memcpy(text + REPEATS, ends[e], len);
            if (regex_search(r, s, (struct text){text, REPEATS + len}) == REGEX_LIMIT)
                return true;
        }
    }
    return false;
}

static bool explodes(struct text group, uint32_t flags, struct regex_scratch *s)
{
    char room[GROUP_BYTES + 16];
    struct buffer b;
    AUTO(regex) r = NULL;
    if (group.len > GROUP_BYTES)
        return false;
    buffer_init(&b, sizeof room);
    buffer_append(&b, TEXT("^(?:"));
    buffer_append(&b, group);
    buffer_append(&b, TEXT(")$"));
    /* what names groups outside of itself does not compile, and is not tried */
    bool is_bad = !b.has_failed && regex_new(buffer_text(&b), flags, &r, NULL) == STATUS_OK &&
                  meets_limit(r, s, group);
    buffer_fini(&b);
    return is_bad;
}

struct text lint_regex_find(struct text t, uint32_t flags)
{
    AUTO(regex_scratch) s = NULL;
    struct open stack[OPEN_MOST];
    size_t depth = 0;
    unsigned tried = 0;
    for (size_t i = 0; i < t.len && tried < GROUPS_MOST; i++) {
        const char c = t.at[i];
        if (c == '\\')
            i++;
        else if (c == '[')
            i = class_end(t, i) - 1;
        else if (c == '(') {
            if (depth == OPEN_MOST)
                return TEXT_NONE;
            stack[depth++] = (struct open){i, false};
        } else if (c == ')' && depth) {
            const struct open group = stack[--depth];
            const size_t len = often(t, i + 1);
            const struct text whole = {t.at + group.at, i + 1 + len - group.at};
            if (depth)
                stack[depth - 1].has_choice |= group.has_choice || len;
            if (!len || !group.has_choice)
                continue;
            tried++;
            if (!s && regex_scratch_new(&s, NULL) != STATUS_OK)
                return TEXT_NONE;
            if (explodes(whole, flags, s))
                return whole;
        } else if (depth && (strchr("*+|{", c) || (c == '?' && i && t.at[i - 1] != '(')))
            stack[depth - 1].has_choice = true;
    }
    return TEXT_NONE;
}
