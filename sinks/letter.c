/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/letter.h"
#include "base/timestamp.h"
#include <string.h>

enum { ENCODED_PIECE = 45, ENCODED_TEXT = 60, QP_LINE = 75 };

static bool is_safe(struct text t, const char *refused)
{
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c < 0x20 || c == 0x7F || strchr(refused, (char)c))
            return false;
    }
    return true;
}

static bool is_ascii(struct text t)
{
    for (size_t i = 0; i < t.len; i++) {
        if ((unsigned char)t.at[i] < 0x20 || (unsigned char)t.at[i] > 0x7E)
            return false;
    }
    return true;
}

bool letter_read_address(struct text t, struct letter_address *out)
{
    t = text_trim(t);
    struct text display = TEXT_NONE;
    struct text bare = t;
    if (t.len && t.at[t.len - 1] == '>') {
        size_t open = text_find_byte(t, '<');
        display = text_trim(text_head(t, open));
        bare = text_skip(text_head(t, t.len - 1), open + 1);
    }
    size_t at = text_find_byte(bare, '@');
    bool has_both = at > 0 && at + 1 < bare.len && bare.len <= 320;
    if (!has_both || !is_ascii(bare) || !is_safe(bare, " <>()[]\\,;:\"") ||
        !is_safe(display, "<>\"\\"))
        return false;
    *out = (struct letter_address){display, bare};
    return true;
}

/* The longest head of up to ENCODED_PIECE bytes that ends between characters. */
static struct text piece_of(struct text t)
{
    if (t.len <= ENCODED_PIECE)
        return t;
    size_t len = ENCODED_PIECE;
    while (len > ENCODED_PIECE - 4 && ((unsigned char)t.at[len] & 0xC0) == 0x80)
        len--;
    return text_head(t, len);
}

/* A header's value as RFC 2047 words where it is not plain ASCII, folded between them. */
static void value(struct buffer *out, struct text t)
{
    if (is_ascii(t) && t.len <= 900 && text_find(t, TEXT("=?")) == t.len) {
        buffer_append(out, t);
        return;
    }
    const char *before = "";
    while (t.len) {
        struct text piece = piece_of(t);
        char encoded[ENCODED_TEXT];
        size_t len = text_to_base64(piece, encoded);
        buffer_printf(out, "%s=?UTF-8?B?%.*s?=", before, (int)len, encoded);
        before = "\r\n ";
        t = text_skip(t, piece.len);
    }
}

static void address(struct buffer *out, const struct letter_address *a)
{
    if (a->display.len && is_ascii(a->display))
        buffer_printf(out, "\"%.*s\" ", TEXT_ARG(a->display));
    else if (a->display.len) {
        value(out, a->display);
        buffer_byte(out, ' ');
    }
    buffer_printf(out, "<%.*s>", TEXT_ARG(a->bare));
}

static void date(struct buffer *out, int64_t us)
{
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil c;
    timestamp_to_civil(us < 0 ? 0 : us, &c);
    int64_t day = (us < 0 ? 0 : us) / INT64_C(86400000000); /* day 0 was a Thursday */
    buffer_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[day % 7], c.day,
                  months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

/* Ids are ours, but they reach a header line: letters, digits, '_', '-', '.' pass. */
static void id(struct buffer *out, struct text t)
{
    for (size_t i = 0; i < t.len && i < 128; i++) {
        char c = t.at[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
        buffer_byte(out, is_plain ? c : '-');
    }
}

static void message_id(struct buffer *out, const char *name, struct text local, struct text domain)
{
    buffer_printf(out, "%s: <", name);
    id(out, local);
    buffer_printf(out, "@%.*s>\r\n", TEXT_ARG(domain));
}

static void threading(struct buffer *out, const struct letter *l)
{
    const struct delivery *d = l->delivery;
    struct text domain = text_skip(l->from.bare, text_find_byte(l->from.bare, '@') + 1);
    bool is_root = d->kind == NOTICE_OPENED && d->incident.len;
    message_id(out, "Message-ID", is_root ? d->incident : d->id, domain);
    if (d->incident.len && !is_root) {
        message_id(out, "In-Reply-To", d->incident, domain);
        message_id(out, "References", d->incident, domain);
    }
}

static void headers(struct buffer *out, const struct letter *l)
{
    const struct delivery *d = l->delivery;
    buffer_append(out, TEXT("From: "));
    address(out, &l->from);
    for (uint32_t i = 0; i < l->to_count; i++) {
        buffer_append(out, i ? TEXT(",\r\n ") : TEXT("\r\nTo: "));
        address(out, &l->to[i]);
    }
    buffer_append(out, TEXT("\r\nSubject: "));
    value(out, l->subject);
    buffer_append(out, TEXT("\r\n"));
    date(out, d->queued_us);
    threading(out, l);
    buffer_append(out, TEXT("Auto-Submitted: auto-generated\r\nX-Tocsin-Delivery: "));
    id(out, d->id);
    buffer_append(out, TEXT("\r\nX-Tocsin-Incident: "));
    id(out, d->incident);
    buffer_printf(out, "\r\nX-Tocsin-Notice: %s\r\n", incidents_notice_name(d->kind));
    if (d->priority == 1)
        buffer_append(out, TEXT("Importance: high\r\nX-Priority: 1\r\n"));
    buffer_append(out, TEXT("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                            "Content-Transfer-Encoding: quoted-printable\r\n\r\n"));
}

/* Quoted-printable (RFC 2045): no byte of the text can end a line or the mail by itself. */
static void body(struct buffer *out, struct text t)
{
    size_t column = 0;
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c == '\n') {
            buffer_append(out, TEXT("\r\n"));
            column = 0;
            continue;
        }
        bool is_last = i + 1 == t.len || t.at[i + 1] == '\n';
        bool is_plain = (c > ' ' && c <= '~' && c != '=') || (c == ' ' && !is_last);
        if (column + (is_plain ? 1 : 3) > QP_LINE) {
            buffer_append(out, TEXT("=\r\n"));
            column = 0;
        }
        if (is_plain)
            buffer_byte(out, (char)c);
        else
            buffer_printf(out, "=%02X", c);
        column += is_plain ? 1 : 3;
    }
    buffer_append(out, TEXT("\r\n"));
}

void letter_write(const struct letter *l, struct buffer *out)
{
    headers(out, l);
    body(out, l->body);
}
