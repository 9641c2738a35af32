/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/sequencer_freezing.h"
#include "correlator/chunk.h"
#include "correlator/subject_copy.h"
#include <stdlib.h>

/* Payload: items, each a letter first: S the state, H one held feed. */
enum { ITEM_STATE = 'S', ITEM_HELD = 'H' };
enum { RAW_MAX = 32 * 1024, NAME_MAX_BYTES = 4096, FIXED_BYTES = 320 };

static void write_record(struct chunk_writer *w, const struct record *r)
{
    chunk_writer_byte(w, r != NULL);
    if (!r)
        return;
    char journal[RECORD_ORIGIN_LEN];
    struct text origin = r->origin;
    if (!origin.len && r->instance) /* its identity, which the number of its epoch alone is not */
        origin = record_journal_origin(r, journal);
    bool is_cut = r->raw.len > RAW_MAX;
    chunk_writer_text(w, text_head(r->raw, RAW_MAX));
    chunk_writer_text(w, text_head(r->peer, NAME_MAX_BYTES));
    chunk_writer_text(w, text_head(origin, NAME_MAX_BYTES));
    chunk_writer_signed(w, r->receive_us);
    chunk_writer_signed(w, r->journal_us);
    chunk_writer_varint(w, r->position);
    chunk_writer_varint(w, r->epoch);
    chunk_writer_varint(w, r->source);
    chunk_writer_byte(w, (uint8_t)r->kind);
    chunk_writer_byte(w, (uint8_t)r->format);
    chunk_writer_varint(w, r->flags | (is_cut ? RECORD_TRUNCATED : 0U));
}

static void write_held(struct chunk_writer *w, const struct feed *f, char *scratch)
{
    size_t subject = subject_copy_size(f->subject);
    if (chunk_writer_room(w) < FIXED_BYTES + RAW_MAX + 2 * NAME_MAX_BYTES + subject)
        chunk_writer_send(w);
    subject_copy_write(f->subject, f->position, scratch);
    chunk_writer_byte(w, ITEM_HELD);
    chunk_writer_bytes(w, &f->correlation->rule->content, sizeof(struct hash128));
    chunk_writer_varint(w, f->correlation->index);
    chunk_writer_signed(w, f->correlation->lateness_us);
    chunk_writer_varint(w, f->input);
    chunk_writer_bytes(w, &f->key, sizeof f->key);
    chunk_writer_signed(w, f->event_us);
    chunk_writer_varint(w, f->position);
    chunk_writer_byte(w, f->has_value);
    chunk_writer_bytes(w, &f->distinct, sizeof f->distinct);
    chunk_writer_bytes(w, &f->number, sizeof f->number);
    chunk_writer_text(w, (struct text){scratch, subject});
    write_record(w, f->record);
}

enum status sequencer_freezing_write(struct sequencer *s, checkpoint_fn put, void *context)
{
    char *scratch = malloc(SUBJECT_COPY_MAX);
    if (!scratch)
        return STATUS_NOMEM;
    struct chunk_writer w;
    chunk_writer_init(&w, CHUNK_SEQUENCER, s->next_number, put, context);
    chunk_writer_byte(&w, ITEM_STATE);
    chunk_writer_varint(&w, s->next_number);
    chunk_writer_signed(&w, s->journal_us == INT64_MIN ? INT64_MIN / 4 : s->journal_us);
    chunk_writer_varint(&w, s->position);
    for (uint32_t i = 0; i < s->heap.count && !w.status; i++)
        write_held(&w, &s->heap.items[i].held->feed, scratch);
    chunk_writer_send(&w);
    enum status status = w.status;
    chunk_writer_fini(&w);
    free(scratch);
    return status;
}

/* ---- reading ---- */

struct thaw {
    struct sequencer *sequencer;
    struct chunk_reader reader;
    const struct correlation *correlations;
    uint32_t count;
    struct arena arena;
    bool is_applied; /* false: only looked through */
    enum status status;
};

static void read_state(struct thaw *t)
{
    uint64_t next_number = chunk_reader_varint(&t->reader);
    int64_t journal_us = chunk_reader_time(&t->reader);
    uint64_t position = chunk_reader_varint(&t->reader);
    if (!t->is_applied || t->reader.is_bad)
        return;
    t->sequencer->next_number = next_number;
    t->sequencer->journal_us = journal_us;
    t->sequencer->position = position;
}

static bool read_record(struct chunk_reader *r, struct record *out)
{
    *out = (struct record){0};
    if (!chunk_reader_byte(r))
        return false;
    out->raw = chunk_reader_text(r, RAW_MAX);
    out->peer = chunk_reader_text(r, NAME_MAX_BYTES);
    out->origin = chunk_reader_text(r, NAME_MAX_BYTES);
    out->receive_us = chunk_reader_time(r);
    out->journal_us = chunk_reader_time(r);
    out->position = chunk_reader_varint(r);
    out->epoch = (uint32_t)chunk_reader_varint(r);
    out->source = (uint32_t)chunk_reader_varint(r);
    uint8_t kind = chunk_reader_byte(r);
    uint8_t format = chunk_reader_byte(r);
    out->flags = (uint32_t)chunk_reader_varint(r);
    if (kind > RECORD_CONFIDENCE || format > FORMAT_RAW)
        r->is_bad = true;
    out->kind = (enum record_kind)kind;
    out->format = (enum format)format;
    return true;
}

static bool is_known(const struct thaw *t, struct hash128 content)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (hash_equal(t->correlations[i].rule->content, content))
            return true;
    return false;
}

static void hold(struct thaw *t, const struct feed *f, struct hash128 content, uint32_t index,
                 int64_t lateness_us)
{
    struct sequencer *s = t->sequencer;
    const struct retired *retired = sequencer_state_retired(s, content, index, lateness_us);
    struct held *h = retired ? held_new(f, &retired->correlation) : NULL;
    if (h && held_heap_push(&s->heap, f->event_us + lateness_us, h))
        return;
    free(h);
    t->status = STATUS_NOMEM;
}

static void read_held(struct thaw *t)
{
    struct chunk_reader *r = &t->reader;
    struct feed f = {0};
    struct hash128 content;
    chunk_reader_bytes(r, &content, sizeof content);
    uint32_t index = (uint32_t)chunk_reader_varint(r);
    int64_t lateness_us = chunk_reader_time(r);
    f.input = (uint32_t)(chunk_reader_varint(r) % CORRELATION_INPUTS);
    chunk_reader_bytes(r, &f.key, sizeof f.key);
    f.event_us = chunk_reader_time(r);
    f.position = chunk_reader_varint(r);
    f.has_value = chunk_reader_byte(r) != 0;
    chunk_reader_bytes(r, &f.distinct, sizeof f.distinct);
    chunk_reader_bytes(r, &f.number, sizeof f.number);
    struct text subject = chunk_reader_text(r, SUBJECT_COPY_MAX);
    struct record record;
    bool has_record = read_record(r, &record);
    uint64_t position = 0;
    arena_reset(&t->arena);
    f.subject = subject_copy_read(subject.at, subject.len, &t->arena, &position);
    f.record = has_record ? &record : NULL;
    if (!f.subject)
        r->is_bad = true;
    if (t->is_applied && !r->is_bad && is_known(t, content))
        hold(t, &f, content, index, lateness_us);
}

static void read_items(struct thaw *t)
{
    while (!chunk_reader_is_done(&t->reader) && !t->status) {
        uint8_t item = chunk_reader_byte(&t->reader);
        if (item == ITEM_STATE)
            read_state(t);
        else if (item == ITEM_HELD)
            read_held(t);
        else
            t->reader.is_bad = true;
    }
}

enum status sequencer_freezing_read(struct sequencer *s, struct text chunk,
                                    const struct correlation *correlations, uint32_t count,
                                    struct error *err)
{
    struct thaw t = {.sequencer = s, .correlations = correlations, .count = count};
    enum status status = chunk_reader_open(&t.reader, chunk, CHUNK_SEQUENCER, err);
    if (status)
        return status;
    arena_init(&t.arena, 1 << 20);
    struct chunk_reader again = t.reader;
    read_items(&t);
    if (t.reader.is_bad) {
        arena_fini(&t.arena);
        return error_set(err, STATUS_SYNTAX, 0, "saved state: the sequencer's makes no sense");
    }
    t.reader = again;
    t.is_applied = true;
    read_items(&t);
    arena_fini(&t.arena);
    if (t.status)
        return error_set(err, t.status, 0, "no memory for saved events");
    return STATUS_OK;
}
