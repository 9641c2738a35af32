/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/door/framer.h"
#include "base/digit.h"
#include <assert.h>
#include <string.h>

enum {
    COUNT_DIGITS = 9, /* a count of 1 GB or more is not one: 4 GB would swallow the connection */
    END_BYTES = 2,    /* a line may be this much longer than the limit by its end (CR LF) */
};

void framer_init(struct framer *f, size_t max_bytes)
{
    assert(max_bytes > 0 && max_bytes <= (size_t)1 << 30);
    *f = (struct framer){.max_bytes = max_bytes, .mode = FRAMER_UNKNOWN};
    buffer_init(&f->partial, max_bytes + END_BYTES + COUNT_DIGITS);
}

void framer_fini(struct framer *f)
{
    buffer_fini(&f->partial);
}

static bool is_filler(char c)
{
    return c == '\n' || c == '\r' || c == '\0';
}

/* What a message after a count, or after a NUL, begins with. */
static bool is_opening(char c)
{
    return c == '<' || c == '{' || c == (char)0xEF;
}

static bool is_fresh(const struct framer *f)
{
    return f->partial.len == 0 && !f->is_skipping;
}

static void forget(struct framer *f)
{
    buffer_clear(&f->partial);
    f->digits = 0;
    f->count = 0;
    f->has_space = false;
}

/* Gives `message` cut to the limit. It may lie in `partial`, which stays until the next call. */
static bool give(struct framer *f, struct text message, uint32_t flags, struct text *out,
                 uint32_t *out_flags)
{
    if (message.len > f->max_bytes || f->partial.has_failed) {
        message = text_head(message, f->max_bytes);
        flags |= FRAMER_TRUNCATED;
    }
    f->is_given = true;
    f->frames++;
    f->truncated += (flags & FRAMER_TRUNCATED) != 0;
    f->damaged += (flags & FRAMER_DAMAGED) != 0;
    *out = message;
    *out_flags = flags;
    return true;
}

/* Takes from `piece` what still fits below `room` bytes of `partial`. */
static void keep(struct framer *f, struct text piece, size_t room)
{
    size_t space = room > f->partial.len ? room - f->partial.len : 0;
    if (space)
        buffer_append(&f->partial, text_head(piece, space));
    if (piece.len > space)
        f->skipped_bytes += piece.len - space;
}

/* A line as it is given: one byte of a longer end (CR LF, NUL LF) goes with it. */
static struct text line_without_end(const struct framer *f, struct text line)
{
    bool is_whole = line.len && line.len < f->max_bytes + END_BYTES;
    if (is_whole && is_filler(line.at[line.len - 1]))
        line.len--;
    return line;
}

/* LF or NUL: the first such byte ends the line. */
static bool next_line(struct framer *f, struct text *chunk, struct text *out, uint32_t *out_flags)
{
    size_t room = f->max_bytes + END_BYTES;
    size_t end = text_find_byte(*chunk, f->mode == FRAMER_NUL ? '\0' : '\n');
    bool is_whole = end < chunk->len;
    struct text piece = text_head(*chunk, end);
    *chunk = text_skip(*chunk, end + is_whole);
    if (f->is_skipping) {
        f->skipped_bytes += piece.len;
        f->is_skipping = !is_whole;
        return false;
    }
    if (is_whole && f->partial.len == 0) {
        f->skipped_bytes += piece.len > room ? piece.len - room : 0;
        return give(f, line_without_end(f, piece), 0, out, out_flags);
    }
    keep(f, piece, room);
    f->is_skipping = !is_whole && f->partial.len >= room;
    if (!is_whole && !f->is_skipping)
        return false;
    return give(f, line_without_end(f, buffer_text(&f->partial)), 0, out, out_flags);
}

/*
 * The first line of a stream of lines, byte by byte: LF ends it, or a NUL that a new message
 * follows; any other NUL belongs to the message. What ended it ends all lines that follow.
 */
static bool next_first_line(struct framer *f, struct text *chunk, struct text *out,
                            uint32_t *out_flags)
{
    while (chunk->len) {
        char c = chunk->at[0];
        struct text line = buffer_text(&f->partial);
        bool is_after_nul = line.len && line.at[line.len - 1] == '\0';
        if (is_after_nul && is_opening(c)) {
            f->mode = FRAMER_NUL;
            line.len--;
            return give(f, line_without_end(f, line), 0, out, out_flags);
        }
        *chunk = text_skip(*chunk, 1);
        if (c == '\n') {
            f->mode = FRAMER_LF;
            return give(f, line_without_end(f, line), 0, out, out_flags);
        }
        buffer_byte(&f->partial, c);
        if (f->partial.len >= f->max_bytes + END_BYTES || f->partial.has_failed) {
            f->mode = FRAMER_LF;
            f->is_skipping = true;
            return give(f, buffer_text(&f->partial), 0, out, out_flags);
        }
    }
    return false;
}

static void count_digit(struct framer *f, char c)
{
    f->digits++;
    if (f->digits <= COUNT_DIGITS)
        f->count = f->count * 10 + (uint64_t)(c - '0');
}

static bool is_count(const struct framer *f)
{
    return f->digits > 0 && f->digits <= COUNT_DIGITS;
}

/* "<count> <" opens a stream of counted frames; anything else is lines. */
static void next_unknown(struct framer *f, struct text *chunk)
{
    while (chunk->len) {
        char c = chunk->at[0];
        bool is_space = f->partial.len > f->digits;
        if (is_space && is_opening(c) && is_count(f) && f->count > 0) {
            uint64_t count = f->count;
            forget(f);
            f->count = count;
            f->mode = FRAMER_BODY;
            return;
        }
        bool is_next =
            !is_space && ((digit_is(c) && f->digits < COUNT_DIGITS) || (c == ' ' && f->digits > 0));
        if (!is_next) {
            f->mode = FRAMER_LINES;
            return;
        }
        if (digit_is(c))
            count_digit(f, c);
        buffer_byte(&f->partial, c);
        *chunk = text_skip(*chunk, 1);
    }
}

/* The count before a frame. */
static void next_count(struct framer *f, struct text *chunk)
{
    while (chunk->len) {
        char c = chunk->at[0];
        bool is_end = c == ' ' && is_count(f);
        if (!is_end && (!digit_is(c) || f->digits == COUNT_DIGITS)) {
            f->mode = FRAMER_RESYNC; /* too many digits stay counted: their tail is no count */
            return;
        }
        *chunk = text_skip(*chunk, 1);
        if (is_end) {
            uint64_t count = f->count;
            forget(f);
            f->count = count;
            f->mode = count ? FRAMER_BODY : FRAMER_COUNT;
            return;
        }
        count_digit(f, c);
        buffer_byte(&f->partial, c);
    }
}

static bool next_body(struct framer *f, struct text *chunk, struct text *out, uint32_t *out_flags)
{
    bool is_whole = f->count <= chunk->len;
    struct text piece = text_head(*chunk, is_whole ? (size_t)f->count : chunk->len);
    bool is_direct = is_whole && is_fresh(f);
    *chunk = text_skip(*chunk, piece.len);
    f->count -= piece.len;
    if (is_whole)
        f->mode = FRAMER_COUNT;
    if (f->is_skipping) {
        f->skipped_bytes += piece.len;
        f->is_skipping = !is_whole;
        return false;
    }
    if (is_direct) {
        if (piece.len > f->max_bytes)
            f->skipped_bytes += piece.len - f->max_bytes;
        return give(f, piece, 0, out, out_flags);
    }
    keep(f, piece, f->max_bytes + 1); /* one more than the limit shows that it was met */
    f->is_skipping = !is_whole && f->partial.len > f->max_bytes;
    if (!is_whole && !f->is_skipping)
        return false;
    return give(f, buffer_text(&f->partial), 0, out, out_flags);
}

/* Up to LF or to what looks like the next frame, "<count> <". */
static bool next_resync(struct framer *f, struct text *chunk, struct text *out, uint32_t *out_flags)
{
    while (chunk->len) {
        char c = chunk->at[0];
        bool is_frame = f->has_space && c == '<' && is_count(f) && f->count > 0;
        if (!is_frame)
            *chunk = text_skip(*chunk, 1);
        if (is_frame || c == '\n') {
            bool was_skipping = f->is_skipping;
            struct text line = buffer_text(&f->partial);
            uint32_t head = f->digits + 1;
            if (is_frame)
                line.len -= line.len > head ? head : line.len;
            f->mode = is_frame ? FRAMER_BODY : FRAMER_COUNT;
            f->is_skipping = false;
            if (!is_frame)
                f->count = 0;
            if (!was_skipping && line.len)
                return give(f, line, FRAMER_DAMAGED, out, out_flags);
            f->is_given = true;
            return false;
        }
        if (digit_is(c) && f->has_space) {
            f->digits = 0;
            f->count = 0;
        }
        f->has_space = c == ' ';
        if (digit_is(c)) {
            count_digit(f, c);
        } else if (c != ' ' || f->digits == 0) {
            f->digits = 0;
            f->count = 0;
        }
        if (f->is_skipping) {
            f->skipped_bytes++;
            continue;
        }
        buffer_byte(&f->partial, c);
        if (f->partial.len > f->max_bytes + COUNT_DIGITS + 1 || f->partial.has_failed) {
            f->is_skipping = true;
            return give(f, buffer_text(&f->partial), FRAMER_DAMAGED, out, out_flags);
        }
    }
    return false;
}

/* What the last call handed out is over: BODY keeps the count that its frame still has. */
static void start_next(struct framer *f)
{
    uint64_t count = f->count;
    uint32_t digits = f->digits;
    bool has_space = f->has_space;
    forget(f);
    f->is_given = false;
    if (f->mode == FRAMER_BODY || f->mode == FRAMER_RESYNC)
        f->count = count;
    if (f->mode == FRAMER_RESYNC) {
        f->digits = digits;
        f->has_space = has_space;
    }
}

static bool is_between(const struct framer *f)
{
    return f->partial.len == 0 && !f->is_skipping && f->mode != FRAMER_BODY &&
           f->mode != FRAMER_RESYNC;
}

bool framer_next(struct framer *f, struct text *chunk, struct text *out, uint32_t *out_flags)
{
    bool is_found = false;
    while (!is_found) {
        if (f->is_given)
            start_next(f);
        while (chunk->len && is_between(f) && is_filler(chunk->at[0]))
            *chunk = text_skip(*chunk, 1);
        if (!chunk->len)
            return false;
        switch (f->mode) {
        case FRAMER_UNKNOWN:
            next_unknown(f, chunk);
            break;
        case FRAMER_LINES:
            is_found = next_first_line(f, chunk, out, out_flags);
            break;
        case FRAMER_LF:
        case FRAMER_NUL:
            is_found = next_line(f, chunk, out, out_flags);
            break;
        case FRAMER_COUNT:
            next_count(f, chunk);
            break;
        case FRAMER_BODY:
            is_found = next_body(f, chunk, out, out_flags);
            break;
        case FRAMER_RESYNC:
            is_found = next_resync(f, chunk, out, out_flags);
            break;
        }
    }
    return true;
}

bool framer_idle(struct framer *f, struct text *out, uint32_t *out_flags)
{
    struct text line = buffer_text(&f->partial);
    if (f->mode != FRAMER_LINES || f->is_given || !line.len || line.at[line.len - 1] != '\0')
        return false;
    f->mode = FRAMER_NUL;
    line.len--;
    return give(f, line_without_end(f, line), 0, out, out_flags);
}

bool framer_end(struct framer *f, struct text *out, uint32_t *out_flags)
{
    static const uint32_t flags_of[] = {
        [FRAMER_BODY] = FRAMER_TRUNCATED,
        [FRAMER_COUNT] = FRAMER_DAMAGED,
        [FRAMER_RESYNC] = FRAMER_DAMAGED,
    };
    if (f->is_given)
        start_next(f);
    uint32_t flags = f->mode <= FRAMER_NUL ? 0 : flags_of[f->mode];
    bool is_left = !is_fresh(f) && !f->is_skipping;
    f->mode = FRAMER_UNKNOWN;
    f->is_skipping = false;
    if (!is_left) {
        forget(f);
        return false;
    }
    struct text line = buffer_text(&f->partial);
    return give(f, flags ? line : line_without_end(f, line), flags, out, out_flags);
}
