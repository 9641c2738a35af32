/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/match/required.h"
#include "rules/match/fold.h"

/*
 * Which literals must a match of a regular expression contain? A small reader that only understands
 * what it is sure of: alternatives at the top (each must give one), runs of literal characters, and
 * groups without alternatives that are not optional. Everything else ends a run. It never says a
 * literal that a match could be without.
 */

enum { RUN_MOST = 64, DEPTH_MOST = 16 };

struct reader {
    struct text pattern;
    size_t at;
    bool is_sure; /* false: something that it does not understand */
};

struct run {
    char bytes[RUN_MOST];
    size_t len;
};

/* A longer run is better; the first of equals. */
static void keep(struct run *best, struct run *now)
{
    if (now->len > best->len)
        *best = *now;
    now->len = 0;
}

/* "[:alpha:]" inside a class; without its end it is a bracket like any other. */
static size_t posix_length(struct text t)
{
    size_t len = 2;
    if (!text_starts(t, TEXT("[:")))
        return 0;
    while (len < t.len && (t.at[len] == '^' || (t.at[len] >= 'a' && t.at[len] <= 'z')))
        len++;
    return text_starts(text_skip(t, len), TEXT(":]")) ? len + 2 : 0;
}

static void skip_class(struct reader *r)
{
    r->at++; /* [ */
    if (r->at < r->pattern.len && r->pattern.at[r->at] == '^')
        r->at++;
    if (r->at < r->pattern.len && r->pattern.at[r->at] == ']')
        r->at++;
    while (r->at < r->pattern.len && r->pattern.at[r->at] != ']') {
        size_t named = posix_length(text_skip(r->pattern, r->at));
        r->at += named ? named : r->pattern.at[r->at] == '\\' ? 2 : 1;
    }
    r->at++;
}

/* Behind the group that begins at `at`. */
static void skip_group(struct reader *r)
{
    unsigned depth = 0;
    while (r->at < r->pattern.len) {
        char c = r->pattern.at[r->at];
        if (c == '[') {
            skip_class(r);
            continue;
        }
        r->at += c == '\\' ? 2 : 1;
        depth += c == '(';
        if (c == ')' && --depth == 0)
            return;
    }
    r->is_sure = false;
}

/* A quantifier at `at`: its length, and whether it lets the thing before it be absent. */
static size_t quantifier(struct text rest, bool *out_is_optional)
{
    *out_is_optional = false;
    if (!rest.len)
        return 0;
    size_t len = 0;
    if (rest.at[0] == '*' || rest.at[0] == '?') {
        *out_is_optional = true;
        len = 1;
    } else if (rest.at[0] == '+') {
        len = 1;
    } else if (rest.at[0] == '{') {
        size_t end = text_find_byte(rest, '}');
        bool has_digit =
            rest.len > 1 && ((rest.at[1] >= '0' && rest.at[1] <= '9') || rest.at[1] == ',');
        if (end == rest.len || !has_digit)
            return 0; /* a literal brace */
        *out_is_optional = rest.at[1] == '0' || rest.at[1] == ',';
        len = end + 1;
    }
    if (len && len < rest.len && (rest.at[len] == '?' || rest.at[len] == '+'))
        len++;
    return len;
}

/* Has the group body [from, to) an alternative of its own? */
static bool has_alternative(struct text body)
{
    struct reader r = {.pattern = body, .is_sure = true};
    while (r.at < body.len) {
        char c = body.at[r.at];
        if (c == '|')
            return true;
        if (c == '[')
            skip_class(&r);
        else if (c == '(')
            skip_group(&r);
        else
            r.at += c == '\\' ? 2 : 1;
    }
    return false;
}

static bool is_literal_escape(char c)
{
    bool is_alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !is_alnum && (unsigned char)c < 0x80;
}

static void read_sequence(struct text pattern, unsigned depth, struct run *best, bool *is_sure);

/* A group at `at`: what it must contain, where it is plain and not optional. */
static void read_group(struct reader *r, unsigned depth, struct run *best)
{
    size_t start = r->at;
    skip_group(r);
    if (!r->is_sure)
        return;
    struct text body = {r->pattern.at + start + 1, r->at - start - 2};
    if (text_starts(body, TEXT("?:")))
        body = text_skip(body, 2);
    else if (body.len && (body.at[0] == '?' || body.at[0] == '*')) {
        /* Looking around, conditions, inline flags: (?x) would change what follows. */
        bool is_look = text_starts(body, TEXT("?=")) || text_starts(body, TEXT("?!")) ||
                       text_starts(body, TEXT("?<=")) || text_starts(body, TEXT("?<!"));
        bool is_case = text_equal(body, TEXT("?i")) || text_equal(body, TEXT("?s")) ||
                       text_equal(body, TEXT("?m")) || text_equal(body, TEXT("?-i")) ||
                       text_equal(body, TEXT("?im")) || text_equal(body, TEXT("?is"));
        r->is_sure = is_look || is_case;
        return;
    }
    bool is_optional = false;
    size_t len = quantifier(text_skip(r->pattern, r->at), &is_optional);
    r->at += len;
    if (is_optional || has_alternative(body) || depth == DEPTH_MOST)
        return;
    read_sequence(body, depth + 1, best, &r->is_sure);
}

/* One literal character at `at`, or 0 bytes where it is none. */
static size_t literal_at(struct reader *r, char out[4])
{
    struct text rest = text_skip(r->pattern, r->at);
    char c = rest.at[0];
    if (c == '\\') {
        if (rest.len < 2) {
            r->is_sure = false;
            r->at++;
            return 0;
        }
        r->at += 2;
        if (is_literal_escape(rest.at[1])) {
            out[0] = rest.at[1];
            return 1;
        }
        /* Classes and assertions take no argument; the others (\x41, \Q, \p{..}, \1) are not
         * understood. */
        static const char simple[] = "dDsSwWbBAzZntrfveRhHNG";
        r->is_sure = r->is_sure && memchr(simple, rest.at[1], sizeof simple - 1);
        return 0;
    }
    if (memchr("^$.", c, 3)) {
        r->at++;
        return 0;
    }
    size_t len = text_utf8_len(rest);
    if (!len)
        len = 1;
    memcpy(out, rest.at, len);
    r->at += len;
    return len;
}

static void read_sequence(struct text pattern, unsigned depth, struct run *best, bool *is_sure)
{
    struct reader r = {.pattern = pattern, .is_sure = true};
    struct run now = {.len = 0};
    while (r.at < pattern.len && r.is_sure) {
        char c = pattern.at[r.at];
        if (c == '[' || c == '(') {
            keep(best, &now);
            if (c == '[')
                skip_class(&r);
            else
                read_group(&r, depth, best);
            bool is_optional = false;
            r.at += r.at < pattern.len ? quantifier(text_skip(pattern, r.at), &is_optional) : 0;
            continue;
        }
        char bytes[4];
        size_t len = literal_at(&r, bytes);
        bool is_optional = false;
        size_t quantified =
            r.at < pattern.len ? quantifier(text_skip(pattern, r.at), &is_optional) : 0;
        r.at += quantified;
        bool fits = now.len + len <= sizeof now.bytes;
        if (len && !is_optional && fits) {
            memcpy(now.bytes + now.len, bytes, len);
            now.len += len;
        }
        if (!len || quantified || !fits)
            keep(best, &now);
    }
    keep(best, &now);
    *is_sure = *is_sure && r.is_sure;
}

/* Splits at the bars outside groups and classes. */
static bool next_alternative(struct text pattern, size_t *at, struct text *out)
{
    if (*at > pattern.len)
        return false;
    struct reader r = {.pattern = pattern, .at = *at, .is_sure = true};
    while (r.at < pattern.len && pattern.at[r.at] != '|') {
        if (pattern.at[r.at] == '[')
            skip_class(&r);
        else if (pattern.at[r.at] == '(')
            skip_group(&r);
        else
            r.at += pattern.at[r.at] == '\\' ? 2 : 1;
    }
    size_t end = r.at < pattern.len ? r.at : pattern.len;
    *out = (struct text){pattern.at + *at, end - *at};
    *at = end + 1;
    return true;
}

/* The one group around everything, if that is all there is: (a|b) is a|b. */
static struct text unwrapped(struct text pattern)
{
    for (unsigned i = 0; i < DEPTH_MOST; i++) {
        struct reader r = {.pattern = pattern, .is_sure = true};
        if (!pattern.len || pattern.at[0] != '(' || text_starts(pattern, TEXT("(*")))
            return pattern;
        skip_group(&r);
        bool is_special = text_starts(pattern, TEXT("(?")) && !text_starts(pattern, TEXT("(?:"));
        if (r.at != pattern.len || !r.is_sure || is_special)
            return pattern;
        size_t skip = text_starts(pattern, TEXT("(?:")) ? 3 : 1;
        pattern = (struct text){pattern.at + skip, pattern.len - skip - 1};
    }
    return pattern;
}

/* What changes how the rest is to be read: quoting, control characters, comments, verbs, and flags
 * that let spaces and comments in. */
static bool is_plain_syntax(struct text pattern)
{
    for (size_t i = 0; i + 1 < pattern.len; i += pattern.at[i] == '\\' ? 2 : 1) {
        char next = pattern.at[i + 1];
        if (pattern.at[i] == '\\' && (next == 'Q' || next == 'E' || next == 'c'))
            return false;
    }
    if (text_find(pattern, TEXT("(?#")) < pattern.len ||
        text_find(pattern, TEXT("(*")) < pattern.len)
        return false;
    for (size_t i = 0; i + 2 < pattern.len; i++) {
        if (pattern.at[i] != '(' || pattern.at[i + 1] != '?')
            continue;
        for (size_t k = i + 2; k < pattern.len && strchr("imsxnJU^-", pattern.at[k]); k++)
            if (pattern.at[k] == 'x' || pattern.at[k] == 0)
                return false;
    }
    return true;
}

uint32_t required_literals(struct text pattern, struct arena *arena,
                           struct text out[REQUIRED_LITERALS])
{
    uint32_t count = 0;
    size_t at = 0;
    struct text one;
    if (!is_plain_syntax(pattern))
        return 0;
    pattern = unwrapped(pattern);
    while (pattern.len && next_alternative(pattern, &at, &one)) {
        struct run best = {.len = 0};
        bool is_sure = true;
        read_sequence(one, 0, &best, &is_sure);
        if (!is_sure || best.len < 2 || count == REQUIRED_LITERALS)
            return 0;
        char *bytes = arena_bytes(arena, fold_room(best.len));
        if (!bytes)
            return 0;
        out[count++] = (struct text){bytes, fold_text((struct text){best.bytes, best.len}, bytes)};
    }
    return count;
}

bool required_is_wildcard(struct text pattern)
{
    if (text_starts(pattern, TEXT("^")))
        pattern = text_skip(pattern, 1);
    if (text_ends(pattern, TEXT("$")) && !text_ends(pattern, TEXT("\\$")))
        pattern.len--;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.at[i];
        char next = i + 1 < pattern.len ? pattern.at[i + 1] : 0;
        if (c == '.' && next == '*')
            i++;
        else if (c == '\\' && next && is_literal_escape(next))
            i++;
        else if (memchr("\\^$.[]|()?*+{}", c, 14))
            return false;
    }
    return true;
}
