/* SPDX-License-Identifier: Apache-2.0 */
#include "journal/journal_marks.h"
#include <inttypes.h>
#include <stdlib.h>

enum { FEW = 64, NAMES_BYTES = 24 << 20, NO_NUMBER = -1 };

struct mark {
    struct text stream;
    int64_t number;    /* NO_NUMBER: none yet */
    int64_t resume_at; /* NO_NUMBER: nothing was refused */
};

struct journal_marks {
    struct mark *marks; /* `size` of them */
    uint32_t *slots;    /* 2 * size: 1 + index in marks, 0: free; open addressing */
    uint32_t count, size;
    struct arena names;
};

bool journal_marks_own(struct text origin)
{
    return text_starts(origin, TEXT("kafka:")) || text_starts(origin, TEXT("journald:")) ||
           text_starts(origin, TEXT("file:"));
}

/* The slot of the stream, or the free one where it belongs. */
static uint32_t *slot_of(const struct journal_marks *m, struct text stream)
{
    size_t i = hash_seeded(stream.at, stream.len, 0) % (2 * (size_t)m->size);
    while (m->slots[i] && !text_equal(m->marks[m->slots[i] - 1].stream, stream))
        i = (i + 1) % (2 * (size_t)m->size);
    return &m->slots[i];
}

static bool grow(struct journal_marks *m)
{
    uint32_t size = m->size ? m->size * 2 : FEW;
    struct mark *marks = realloc(m->marks, size * sizeof *marks);
    if (!marks)
        return false;
    m->marks = marks;
    uint32_t *slots = calloc(2 * (size_t)size, sizeof *slots);
    if (!slots)
        return false;
    free(m->slots);
    m->slots = slots;
    m->size = size;
    for (uint32_t i = 0; i < m->count; i++)
        *slot_of(m, m->marks[i].stream) = i + 1;
    return true;
}

enum status journal_marks_new(struct journal_marks **out)
{
    AUTO(journal_marks) m = calloc(1, sizeof *m);
    if (!m)
        return STATUS_NOMEM;
    arena_init(&m->names, NAMES_BYTES);
    if (!grow(m))
        return STATUS_NOMEM;
    *out = MOVE(m);
    return STATUS_OK;
}

void journal_marks_free(struct journal_marks *m)
{
    if (!m)
        return;
    free(m->marks);
    free(m->slots);
    arena_fini(&m->names);
    free(m);
}

static struct mark *find(const struct journal_marks *m, struct text stream)
{
    uint32_t index = *slot_of(m, stream);
    return index ? &m->marks[index - 1] : NULL;
}

static struct mark *find_or_add(struct journal_marks *m, struct text stream)
{
    uint32_t *slot = slot_of(m, stream);
    if (*slot)
        return &m->marks[*slot - 1];
    if (m->count == m->size) {
        if (m->size >= JOURNAL_MARKS_MAX || !grow(m))
            return NULL;
        slot = slot_of(m, stream);
    }
    struct text name = arena_copy(&m->names, stream);
    if (!name.at)
        return NULL;
    m->marks[m->count] = (struct mark){.stream = name, .number = NO_NUMBER, .resume_at = NO_NUMBER};
    *slot = ++m->count;
    return &m->marks[m->count - 1];
}

static bool parse(struct text origin, struct text *out_stream, int64_t *out_number)
{
    if (!journal_marks_own(origin))
        return false;
    size_t colon = origin.len - 1;
    while (origin.at[colon] != ':')
        colon--;
    *out_stream = text_head(origin, colon);
    return text_to_int64(text_skip(origin, colon + 1), out_number) && *out_number >= 0;
}

static bool is_known(const struct journal_marks *m, const struct record *r)
{
    struct text stream;
    int64_t number;
    if (!parse(r->origin, &stream, &number))
        return false;
    const struct mark *mark = find(m, stream);
    return mark && number <= mark->number;
}

uint32_t journal_marks_drop(const struct journal_marks *m, struct batch *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        if (is_known(m, &b->records[i]))
            b->raw_bytes -= b->records[i].raw.len;
        else
            b->records[kept++] = b->records[i];
    }
    uint32_t dropped = b->count - kept;
    b->count = kept;
    return dropped;
}

enum status journal_marks_check(const struct journal_marks *m, const struct batch *b)
{
    /* Only a stream's first record in the batch is asked: the others follow it in order. */
    struct text last = TEXT_NONE;
    for (uint32_t i = 0; i < b->count; i++) {
        const struct record *r = &b->records[i];
        struct text stream;
        int64_t number;
        if (!parse(r->origin, &stream, &number) || text_equal(stream, last))
            continue;
        last = stream;
        const struct mark *mark = find(m, stream);
        bool is_behind = mark && mark->resume_at != NO_NUMBER && number > mark->resume_at;
        if (!is_behind || (r->flags & RECORD_RESUMED))
            continue;
        /* a batch of several streams in turns: an earlier record of this one may have resumed it */
        bool has_resumed = false;
        for (uint32_t k = 0; k < i && !has_resumed; k++) {
            struct text other;
            int64_t before;
            has_resumed = parse(b->records[k].origin, &other, &before) &&
                          text_equal(other, stream) &&
                          (before <= mark->resume_at || (b->records[k].flags & RECORD_RESUMED));
        }
        if (!has_resumed)
            return STATUS_CONFLICT;
    }
    return STATUS_OK;
}

void journal_marks_refuse(struct journal_marks *m, const struct batch *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct text stream;
        int64_t number;
        if (!parse(b->records[i].origin, &stream, &number))
            continue;
        struct mark *mark = find_or_add(m, stream);
        bool is_lowest = mark && (mark->resume_at == NO_NUMBER || number < mark->resume_at);
        if (is_lowest || (mark && (b->records[i].flags & RECORD_RESUMED)))
            mark->resume_at = number;
    }
}

void journal_marks_take(struct journal_marks *m, const struct record *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct text stream;
        int64_t number;
        if (!parse(records[i].origin, &stream, &number))
            continue;
        struct mark *mark = find_or_add(m, stream);
        if (!mark)
            continue;
        mark->resume_at = NO_NUMBER;
        if (number > mark->number)
            mark->number = number;
    }
}

int64_t journal_marks_number(const struct journal_marks *m, struct text stream)
{
    const struct mark *mark = find(m, stream);
    return mark ? mark->number : NO_NUMBER;
}

enum status journal_marks_write(const struct journal_marks *m, struct buffer *out)
{
    for (uint32_t i = 0; i < m->count; i++) {
        const struct mark *mark = &m->marks[i];
        if (mark->number == NO_NUMBER)
            continue;
        buffer_int64(out, mark->number);
        buffer_byte(out, ' ');
        buffer_append(out, mark->stream);
        buffer_byte(out, '\n');
    }
    return out->has_failed ? STATUS_NOMEM : STATUS_OK;
}

enum status journal_marks_read(struct journal_marks *m, struct text lines)
{
    struct text line;
    while (text_split(&lines, '\n', &line)) {
        if (line.len == 0)
            continue;
        int64_t number;
        size_t space = text_find_byte(line, ' ');
        if (!text_to_int64(text_head(line, space), &number) || number < 0 || space >= line.len)
            return STATUS_SYNTAX;
        struct mark *mark = find_or_add(m, text_skip(line, space + 1));
        if (!mark)
            return STATUS_NOMEM;
        if (number > mark->number)
            mark->number = number;
    }
    return STATUS_OK;
}
