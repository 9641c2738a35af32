/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/tag.h"
#include <stdint.h>

enum { HOST_BYTES = 255, NAME_BYTES = 96, PID_BYTES = 64 };

/* Which bytes a host's name (1) and a tag's name (2) are made of, by byte. */
enum { HOST_BYTE = 1, NAME_BYTE = 2 };
static const uint8_t classes[256] = {
    /* clang-format off */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 2, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 0, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 1, 2, 0, 0, 0, 2,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 2, 0, 2, 3,
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 0, 0, 2, 2, 0,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3,
    /* clang-format on */
};

/* How many bytes at the front of `t`, at most `most`, are of that class. */
static size_t span(struct text t, uint8_t class, size_t most)
{
    size_t end = t.len < most ? t.len : most;
    size_t i = 0;
    while (i < end && (classes[(unsigned char)t.at[i]] & class))
        i++;
    return i;
}

static bool is_at(struct text t, size_t i, char c)
{
    return i < t.len && t.at[i] == c;
}

static void skip_spaces(struct text *t)
{
    size_t i = 0;
    while (i < t->len && (t->at[i] == ' ' || t->at[i] == '\t'))
        i++;
    *t = (struct text){t->at + i, t->len - i};
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

bool tag_is_host(struct text word)
{
    if (!word.len || word.len > HOST_BYTES || word.at[word.len - 1] == ':')
        return false;
    if (!is_alnum(word.at[0]) && word.at[0] != ':')
        return false;
    return span(word, HOST_BYTE, HOST_BYTES) == word.len;
}

/* One tag: where its parts are, and where the text begins. */
struct tag {
    struct text name, pid;
    size_t len;
    bool has_colon;
};

static bool find_tag(struct text t, struct tag *out)
{
    size_t len = span(t, NAME_BYTE, NAME_BYTES + 1);
    if (!len || len > NAME_BYTES || t.at[0] == '%' || t.at[0] == '(')
        return false;
    *out = (struct tag){.name = {t.at, len}, .len = len};
    /* GDM: "gdm-password][900]:" */
    len += is_at(t, len, ']') && is_at(t, len + 1, '[') ? 1 : 0;
    if (is_at(t, len, '[')) {
        out->len = len;
        size_t most = t.len - len - 1 < PID_BYTES ? t.len - len - 1 : PID_BYTES;
        const char *pid = t.at + len + 1;
        size_t end = 0;
        while (end < most && pid[end] != ']')
            end++;
        if (end == most || !end)
            return false;
        out->pid = (struct text){pid, end};
        out->len = len + end + 2;
    }
    out->has_colon = is_at(t, out->len, ':');
    /* "a:b" is no tag; "tag:" and "tag[1]:" are, and so is "tag[1] " */
    size_t next = out->len + (out->has_colon ? 1 : 0);
    bool is_ended = next == t.len || t.at[next] == ' ' || t.at[next] == '\t';
    if (out->pid.len) /* "sshd[1]:text" */
        return out->has_colon || is_ended;
    return out->has_colon && is_ended;
}

/* "%FTD-6-430003: text" */
static bool is_text_of_router(struct text t)
{
    skip_spaces(&t);
    return t.len > 2 && t.at[0] == '%' && t.at[1] >= 'A' && t.at[1] <= 'Z';
}

bool tag_is_host_and_tag(struct text t)
{
    struct tag tag;
    size_t space = text_find_byte(t, ' ');
    if (space < t.len && tag_is_host(text_head(t, space)))
        return is_text_of_router(text_skip(t, space)) ||
               (find_tag(text_skip(t, space + 1), &tag) && tag.has_colon);
    return find_tag(t, &tag) && tag.has_colon && tag.pid.len;
}

/* F5: "slot1/host". Aruba and others: "host,mac,version tag:". */
static struct text host_of(struct text word)
{
    if (word.at[0] != 's' || !text_starts(word, TEXT("slot")))
        return word;
    size_t slash = text_find_byte(word, '/');
    return slash < word.len ? text_skip(word, slash + 1) : word;
}

/* NetApp ONTAP: "[host:event.name:severity]: text". */
static bool take_bracketed(struct text *t, struct event *e)
{
    if (!is_at(*t, 0, '['))
        return false;
    size_t end = text_find(text_head(*t, HOST_BYTES), TEXT("]: "));
    if (end + 2 >= HOST_BYTES || end + 2 >= t->len)
        return false;
    struct text rest = {t->at + 1, end - 1};
    struct text host;
    struct text name;
    bool is_three = text_split(&rest, ':', &host) && text_split(&rest, ':', &name) && rest.at &&
                    text_find_byte(rest, ':') == rest.len;
    if (!is_three || !tag_is_host(host) || !name.len)
        return false;
    e->host = host;
    e->program = name;
    *t = text_skip(*t, end + 3);
    return true;
}

/* A plain word of host bytes and a space: what nearly every line has. */
static bool take_plain_host(struct text *t, struct event *e)
{
    size_t len = span(*t, HOST_BYTE, HOST_BYTES);
    bool is_word = len && is_at(*t, len, ' ') && t->at[len - 1] != ':' &&
                   (is_alnum(t->at[0]) || t->at[0] == ':');
    if (!is_word)
        return false;
    e->host = host_of((struct text){t->at, len});
    *t = (struct text){t->at + len, t->len - len};
    return true;
}

static bool is_number(struct text word)
{
    size_t i = 0;
    while (i < word.len && word.at[i] >= '0' && word.at[i] <= '9')
        i++;
    return i == word.len;
}

static void take_odd_host(struct text *t, struct event *e)
{
    struct tag tag;
    size_t space = text_find_byte(text_head(*t, HOST_BYTES + 1), ' ');
    struct text word = text_head(*t, space);
    size_t comma = text_find_byte(word, ',');
    if (comma < word.len) { /* "host,mac,version tag:", "host,key=value,..." */
        bool is_data = text_find_byte(word, '=') < word.len;
        bool is_tag = !is_data && space < t->len && word.at[word.len - 1] == ':';
        if (is_tag || !tag_is_host(text_head(word, comma)) || is_number(text_head(word, comma)))
            return; /* "1,2014/02/05 ...": a CSV line begins */
        e->host = text_head(word, comma);
        *t = is_data ? *t : text_skip(*t, space);
    } else if (tag_is_host(word) && !(find_tag(*t, &tag) && tag.len <= word.len)) {
        e->host = host_of(word);
        *t = text_skip(*t, space);
    }
}

void tag_take_host(struct text *t, struct event *e)
{
    if (!take_plain_host(t, e)) {
        if (take_bracketed(t, e))
            return;
        take_odd_host(t, e);
    }
    skip_spaces(t);
    if (is_at(*t, 0, ':') && is_at(*t, 1, ' ')) { /* "host : %ASA-..." */
        *t = text_skip(*t, 1);
        skip_spaces(t);
    }
}

/* F5 puts the severity's name before the tag. */
static void skip_severity(struct text *t)
{
    static const char *const names[] = {"info", "notice", "warning", "err",   "error",
                                        "crit", "alert",  "emerg",   "debug", "warn"};
    struct tag tag;
    size_t space = text_find_byte(text_head(*t, 10), ' ');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!text_equal(text_head(*t, space), text_of(names[i])))
            continue;
        struct text rest = text_skip(*t, space + 1);
        if (find_tag(rest, &tag) && tag.pid.len)
            *t = rest;
        return;
    }
}

/* Solaris: "[ID 702911 auth.info] text". */
static void take_message_id(struct text *t, struct event *e)
{
    if (!is_at(*t, 0, '[') || !text_starts(*t, TEXT("[ID ")))
        return;
    struct text id = text_skip(*t, 4);
    size_t space = text_find_byte(text_head(id, 12), ' ');
    size_t end = text_find(text_head(id, 64), TEXT("] "));
    if (space >= end || end + 2 > id.len)
        return;
    e->msgid = text_head(id, space);
    *t = text_skip(id, end + 2);
}

/* "sshd(pam_unix)[1]:": the program is sshd, as everywhere else; the module that spoke stays as the
 * message's id. */
static void split_module(struct event *e)
{
    size_t open = text_find_byte(e->program, '(');
    bool is_split = open && open + 2 < e->program.len && text_ends(e->program, TEXT(")"));
    if (!is_split)
        return;
    e->msgid = text_head(text_skip(e->program, open + 1), e->program.len - open - 2);
    e->program = text_head(e->program, open);
}

void tag_take(struct text *t, struct event *e)
{
    struct tag tag;
    if (e->program.len)
        return;
    bool is_found = find_tag(*t, &tag);
    if (!is_found) {
        skip_severity(t);
        is_found = find_tag(*t, &tag);
    }
    if (!is_found || (tag.name.len == 3 && text_equal(tag.name, TEXT("CEF"))))
        return;
    e->program = tag.name;
    e->pid = tag.pid;
    split_module(e);
    size_t behind = tag.len + (tag.has_colon ? 1 : 0);
    *t = (struct text){t->at + behind, t->len - behind};
    skip_spaces(t);
    take_message_id(t, e);
}
