/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/tag.h"

enum { HOST_BYTES = 255, NAME_BYTES = 96, PID_BYTES = 64 };

static bool is_at(struct text t, size_t i, char c)
{
    return i < t.len && t.at[i] == c;
}

static void skip_spaces(struct text *t)
{
    while (t->len && (t->at[0] == ' ' || t->at[0] == '\t'))
        *t = text_skip(*t, 1);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (unsigned char)c >= 0x80;
}

static bool is_host_byte(char c)
{
    return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == ':' || c == '/' || c == '@';
}

bool tag_is_host(struct text word)
{
    if (!word.len || word.len > HOST_BYTES || word.at[word.len - 1] == ':')
        return false;
    if (!is_alnum(word.at[0]) && word.at[0] != ':')
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!is_host_byte(word.at[i]))
            return false;
    return true;
}

/* One tag: where its parts are, and where the text begins. */
struct tag {
    struct text name, pid;
    size_t len;
    bool has_colon;
};

static bool is_name_byte(char c)
{
    return (unsigned char)c > ' ' && c != ':' && c != '[' && c != '=' && c != ',' && c != '{' &&
           c != '"' && c != '|' && c != ']' && c != '<' && c != '>' && c != 0x7F;
}

static bool find_tag(struct text t, struct tag *out)
{
    size_t len = 0;
    while (len < t.len && len <= NAME_BYTES && is_name_byte(t.at[len]))
        len++;
    *out = (struct tag){.name = text_head(t, len), .len = len};
    if (!len || len > NAME_BYTES || t.at[0] == '%' || t.at[0] == '(')
        return false;
    if (is_at(t, len, '[')) {
        struct text pid = text_head(text_skip(t, len + 1), PID_BYTES);
        size_t end = text_find_byte(pid, ']');
        if (end == pid.len || !end)
            return false;
        out->pid = text_head(pid, end);
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
    size_t slash = text_find_byte(word, '/');
    if (slash < word.len && text_starts(word, TEXT("slot")))
        return text_skip(word, slash + 1);
    return word;
}

/* NetApp ONTAP: "[host:event.name:severity]: text". */
static bool take_bracketed(struct text *t, struct event *e)
{
    size_t end = text_find(text_head(*t, HOST_BYTES), TEXT("]: "));
    if (!is_at(*t, 0, '[') || end + 2 >= HOST_BYTES || end + 2 >= t->len)
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

void tag_take_host(struct text *t, struct event *e)
{
    struct tag tag;
    if (take_bracketed(t, e))
        return;
    size_t space = text_find_byte(text_head(*t, HOST_BYTES + 1), ' ');
    struct text word = text_head(*t, space);
    size_t comma = text_find_byte(word, ',');
    if (comma < word.len) {
        bool is_tag = space < t->len && word.at[word.len - 1] == ':';
        if (is_tag || !tag_is_host(text_head(word, comma)))
            return;
        e->host = text_head(word, comma);
        bool is_data = text_find_byte(word, '=') < word.len;
        *t = is_data ? *t : text_skip(*t, space);
    } else {
        if (!tag_is_host(word) || (find_tag(*t, &tag) && tag.len <= word.len))
            return;
        e->host = host_of(word);
        *t = text_skip(*t, space);
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
    if (!text_starts(*t, TEXT("[ID ")))
        return;
    struct text id = text_skip(*t, 4);
    size_t space = text_find_byte(text_head(id, 12), ' ');
    size_t end = text_find(text_head(id, 64), TEXT("] "));
    if (space >= end || end + 2 > id.len)
        return;
    e->msgid = text_head(id, space);
    *t = text_skip(id, end + 2);
}

void tag_take(struct text *t, struct event *e)
{
    struct tag tag;
    if (e->program.len)
        return;
    skip_severity(t);
    if (!find_tag(*t, &tag) || text_equal(tag.name, TEXT("CEF")))
        return;
    e->program = tag.name;
    e->pid = tag.pid;
    *t = text_skip(*t, tag.len + (tag.has_colon ? 1 : 0));
    skip_spaces(t);
    take_message_id(t, e);
}
