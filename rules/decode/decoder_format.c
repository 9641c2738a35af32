/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_format.h"
#include <ctype.h>
#include <string.h>

enum { NAME_MOST = 32 }; /* longest name of a group */

static const struct variable {
    const char *name, *group;
} variables[] = {
    /* nginx */
    {"remote_addr", "c_ip"},
    {"remote_port", "src_port"},
    {"remote_user", "cs_username"},
    {"status", "sc_status"},
    {"body_bytes_sent", "sc_bytes"},
    {"request_length", "cs_bytes"},
    {"http_referer", "cs_referer"},
    {"http_user_agent", "cs_user_agent"},
    {"http_cookie", "cs_cookie"},
    {"host", "cs_host"},
    {"http_host", "cs_host"},
    {"server_addr", "s_ip"},
    {"server_port", "s_port"},
    {"server_protocol", "cs_version"},
    {"request_method", "cs_method"},
    {"uri", "cs_uri_stem"},
    {"args", "cs_uri_query"},
    {"query_string", "cs_uri_query"},
    /* Apache */
    {"h", "c_ip"},
    {"a", "c_ip"},
    {"l", "ident"},
    {"u", "cs_username"},
    {"s", "sc_status"},
    {"b", "sc_bytes"},
    {"B", "sc_bytes"},
    {"O", "bytes_sent"},
    {"I", "cs_bytes"},
    {"v", "cs_host"},
    {"V", "cs_host"},
    {"p", "s_port"},
    {"A", "s_ip"},
    {"m", "cs_method"},
    {"U", "cs_uri_stem"},
    {"q", "cs_uri_query"},
    {"H", "cs_version"},
    {"D", "duration_us"},
    {"T", "duration"},
    {"P", "pid"},
    {"L", "log_id"},
    {"k", "keepalive"},
    {"X", "connection"},
    {"R", "handler"},
    {"f", "file"},
};

static const struct renamed {
    const char *group, *field;
} fields[] = {
    {"c_ip", "c-ip"},
    {"cs_username", "cs-username"},
    {"sc_status", "sc-status"},
    {"sc_bytes", "sc-bytes"},
    {"cs_bytes", "cs-bytes"},
    {"cs_referer", "cs-referer"},
    {"cs_user_agent", "cs-user-agent"},
    {"cs_cookie", "cs-cookie"},
    {"cs_host", "cs-host"},
    {"s_ip", "s-ip"},
    {"s_port", "s-port"},
    {"cs_version", "cs-version"},
    {"cs_method", "cs-method"},
    {"cs_uri", "cs-uri"},
    {"cs_uri_stem", "cs-uri-stem"},
    {"cs_uri_query", "cs-uri-query"},
};

struct text decoder_format_field(struct text group)
{
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (text_equal(group, text_of(fields[i].group)))
            return text_of(fields[i].field);
    return group;
}

static struct text group_of(struct text name)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        if (text_equal(name, text_of(variables[i].name)))
            return text_of(variables[i].group);
    return name;
}

static void put_literal(struct buffer *out, char c)
{
    if (!isalnum((unsigned char)c) && (unsigned char)c < 0x80)
        buffer_byte(out, '\\');
    buffer_byte(out, c);
}

/* A set of all bytes but `end`; 0: the line's end, any will do. `also` is left out too. */
static void put_set(struct buffer *out, char end, const char *also)
{
    if (!end && !*also) {
        buffer_byte(out, '.');
        return;
    }
    buffer_append(out, TEXT("[^"));
    buffer_append(out, text_of(also));
    if (end)
        put_literal(out, end);
    buffer_byte(out, ']');
}

static void put_target(struct buffer *out, char end)
{
    buffer_append(out, TEXT("(?<cs_uri>(?<cs_uri_stem>"));
    put_set(out, end, " ?");
    buffer_append(out, TEXT("*)(?:\\?(?<cs_uri_query>"));
    put_set(out, end, " ");
    buffer_append(out, TEXT("*))?)"));
}

/* "GET /a?b=c HTTP/1.1", or what else a client sent in its place. */
static void put_request(struct buffer *out, char end)
{
    buffer_append(out, TEXT("(?:(?<cs_method>[A-Za-z_-]{1,24}) +"));
    put_target(out, end);
    buffer_append(out, TEXT("(?: (?<cs_version>HTTP/[\\d.]+))?|(?<request>"));
    put_set(out, end, "");
    buffer_append(out, TEXT("*))"));
}

/* False where the name can be no group's. */
static bool put_variable(struct buffer *out, struct text name, char end)
{
    if (text_equal(name, TEXT("request")) || text_equal(name, TEXT("r"))) {
        put_request(out, end);
        return true;
    }
    if (text_equal(name, TEXT("request_uri"))) {
        put_target(out, end);
        return true;
    }
    const struct text group = group_of(name);
    if (!group.len || group.len > NAME_MOST || isdigit((unsigned char)group.at[0]))
        return false;
    buffer_printf(out, "(?:-|(?<%.*s>", TEXT_ARG(group));
    put_set(out, end, "");
    buffer_append(out, TEXT("*?))"));
    return true;
}

static size_t word_end(struct text format, size_t at)
{
    while (at < format.len && (isalnum((unsigned char)format.at[at]) || format.at[at] == '_'))
        at++;
    return at;
}

/* What stands in the format behind a variable: the byte that ends its value. A variable there ends
 * it at a blank. */
static char byte_behind(struct text format, size_t at)
{
    if (at == format.len)
        return 0;
    return format.at[at] == '$' || format.at[at] == '%' ? ' ' : format.at[at];
}

/* $name or ${name}. */
static bool put_dollar(struct text format, size_t *at, struct buffer *out)
{
    const bool is_braced = *at + 1 < format.len && format.at[*at + 1] == '{';
    const size_t begin = *at + 1 + is_braced;
    const size_t end = word_end(format, begin);
    if (is_braced && (end == format.len || format.at[end] != '}'))
        return false;
    *at = end + is_braced;
    const struct text name = {format.at + begin, end - begin};
    return put_variable(out, name, byte_behind(format, *at));
}

/* User-Agent is user_agent. */
static struct text header_name(struct text header, char kind, char *name)
{
    size_t len = 0;
    const struct text prefix = kind == 'i'   ? TEXT("http_")
                               : kind == 'o' ? TEXT("sent_http_")
                                             : TEXT("");
    memcpy(name, prefix.at, prefix.len);
    len = prefix.len;
    for (size_t i = 0; i < header.len && len < NAME_MOST; i++) {
        const unsigned char c = (unsigned char)header.at[i];
        name[len++] = isalnum(c) ? (char)tolower(c) : '_';
    }
    return (struct text){name, len};
}

/* %h, %>s, %{User-Agent}i, %t (which brings its brackets). */
static bool put_percent(struct text format, size_t *at, struct buffer *out)
{
    size_t i = *at + 1;
    char name[NAME_MOST];
    struct text header = TEXT_NONE;
    while (i < format.len && (strchr("<>!,", format.at[i]) || isdigit((unsigned char)format.at[i])))
        i++;
    if (i < format.len && format.at[i] == '{') {
        const size_t end = i + text_find_byte(text_skip(format, i), '}');
        if (end == format.len)
            return false;
        header = (struct text){format.at + i + 1, end - i - 1};
        i = end + 1;
    }
    if (i == format.len)
        return false;
    const char kind = format.at[i];
    *at = i + 1;
    if (kind == '%') {
        put_literal(out, '%');
        return true;
    }
    if (kind == 't' && !header.len) {
        buffer_append(out, TEXT("\\[(?<time_local>[^\\]]*)\\]"));
        return true;
    }
    if (!isalpha((unsigned char)kind))
        return false;
    const bool is_named = header.len && strchr("ioenCt", kind);
    const struct text variable =
        is_named ? header_name(header, kind, name) : (struct text){format.at + i, 1};
    return put_variable(out, variable, byte_behind(format, *at));
}

bool decoder_format_pattern(struct text format, struct buffer *out, struct text *out_wrong)
{
    buffer_byte(out, '^');
    for (size_t at = 0; at < format.len;) {
        const size_t begin = at;
        const char c = format.at[at];
        if (c != '$' && c != '%') {
            put_literal(out, c);
            at++;
            continue;
        }
        if (!(c == '$' ? put_dollar(format, &at, out) : put_percent(format, &at, out))) {
            *out_wrong = text_skip(format, begin);
            return false;
        }
    }
    buffer_byte(out, '$');
    return true;
}
