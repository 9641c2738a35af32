/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/relp.h"
#include "base/digit.h"

void relp_init(struct relp *r, size_t max_bytes)
{
    *r = (struct relp){.max_bytes = max_bytes};
    buffer_init(&r->partial, max_bytes);
}

void relp_fini(struct relp *r)
{
    buffer_fini(&r->partial);
}

static void start(struct relp *r)
{
    buffer_clear(&r->partial);
    r->is_given = false;
    r->mode = RELP_NUMBER;
    r->digits = 0;
    r->number = 0;
    r->length = 0;
    r->command_len = 0;
}

static bool add_digit(struct relp *r, uint32_t *value, char c)
{
    *value = *value * 10 + (uint32_t)(c - '0');
    return ++r->digits <= 9;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || digit_is(c);
}

/* One byte of the header; false where it cannot be one. */
static bool step(struct relp *r, char c)
{
    switch (r->mode) {
    case RELP_NUMBER:
        if (c != ' ')
            return digit_is(c) && add_digit(r, &r->number, c);
        r->mode = RELP_COMMAND;
        return r->digits > 0;
    case RELP_COMMAND:
        if (c != ' ') {
            bool has_room = r->command_len < RELP_COMMAND_LEN;
            if (has_room)
                r->command[r->command_len++] = c;
            return has_room && is_letter(c);
        }
        r->mode = RELP_LENGTH;
        r->digits = 0;
        return r->command_len > 0;
    case RELP_LENGTH:
        if (digit_is(c))
            return add_digit(r, &r->length, c);
        r->left = r->length;
        if (c == '\n' && r->length == 0)
            r->is_given = true;
        else
            r->mode = r->length ? RELP_DATA : RELP_TRAILER; /* "0 " is forgiven */
        return r->digits > 0 && (c == ' ' || r->is_given);
    case RELP_TRAILER:
        r->is_given = true;
        return c == '\n';
    case RELP_DATA:
        break;
    }
    return false;
}

/* Takes data from the chunk: a view of it where it is all there, else into `partial`. */
static bool take_data(struct relp *r, struct text *chunk, struct text *out)
{
    struct text piece = text_head(*chunk, r->left);
    size_t kept = r->length - r->left;
    bool is_whole = kept == 0 && piece.len == r->length;
    *chunk = text_skip(*chunk, piece.len);
    r->left -= (uint32_t)piece.len;
    if (is_whole) {
        *out = text_head(piece, r->max_bytes);
    } else {
        size_t room = r->max_bytes > r->partial.len ? r->max_bytes - r->partial.len : 0;
        buffer_append(&r->partial, text_head(piece, room));
        *out = buffer_text(&r->partial);
    }
    if (r->left == 0)
        r->mode = RELP_TRAILER;
    return !r->partial.has_failed;
}

enum relp_result relp_next(struct relp *r, struct text *chunk, struct relp_frame *out)
{
    if (r->is_given)
        start(r);
    struct text data = buffer_text(&r->partial);
    while (chunk->len) {
        if (r->mode == RELP_DATA) {
            if (!take_data(r, chunk, &data))
                return RELP_BROKEN;
            /* the line end must come before the frame counts: keep a view no longer than the chunk
             */
            if (r->mode == RELP_TRAILER && chunk->len == 0 && r->partial.len == 0)
                buffer_append(&r->partial, data);
            continue;
        }
        char c = chunk->at[0];
        *chunk = text_skip(*chunk, 1);
        if (!step(r, c))
            return RELP_BROKEN;
        if (!r->is_given)
            continue;
        *out = (struct relp_frame){.number = r->number,
                                   .command = {r->command, r->command_len},
                                   .data = data,
                                   .is_truncated = r->length > r->max_bytes};
        return RELP_FRAME;
    }
    return RELP_MORE;
}

void relp_respond(struct buffer *out, uint32_t number, struct text data)
{
    buffer_printf(out, "%u rsp %zu", number, data.len);
    if (data.len)
        buffer_byte(out, ' ');
    buffer_append(out, data);
    buffer_byte(out, '\n');
}
