/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/freezing.h"
#include "correlator/chunk.h"
#include "correlator/ruleset_map.h"
#include "correlator/window_lru.h"
#include <stdlib.h>

/*
 * Payload: items, each a letter first.
 *   C  journal time, gaps in it, position
 *   R  content hash, kind of window, date of coming into force: from here on this chunk's next rule
 *   W  rule of this chunk, key, flags, newest, touched, fired, entries; a window of many entries
 *      comes in several, each with the same head
 */
enum { ITEM_CLOCK = 'C', ITEM_RULE = 'R', ITEM_WINDOW = 'W' };
enum { RULE_BYTES = 32, HEAD_BYTES = 96, ENTRY_BYTES = 40, SMALL_ROOM = 4096 };
enum { FETCHED = 32 }; /* windows whose memory is asked for together */

/* ---- writing ---- */

struct freezer {
    struct shard *shard;
    struct chunk_writer writer;
    uint16_t *ids; /* of each rule in the chunk begun, plus 1 */
    uint16_t next_id;
};

static void write_clock(struct freezer *z)
{
    const struct shard_clock *clock = &z->shard->clock;
    chunk_writer_byte(&z->writer, ITEM_CLOCK);
    chunk_writer_signed(&z->writer, clock->now_us);
    chunk_writer_signed(&z->writer, clock->gap_us);
    chunk_writer_varint(&z->writer, clock->position);
}

static void next_chunk(struct freezer *z)
{
    chunk_writer_send(&z->writer);
    memset(z->ids, 0, z->shard->rule_count * sizeof *z->ids);
    z->next_id = 0;
}

static void make_room(struct freezer *z, size_t bytes)
{
    if (chunk_writer_room(&z->writer) < bytes)
        next_chunk(z);
}

static void write_rule(struct freezer *z, uint32_t rule)
{
    const struct rule_state *r = &z->shard->rules[rule];
    chunk_writer_byte(&z->writer, ITEM_RULE);
    chunk_writer_bytes(&z->writer, &r->content, sizeof r->content);
    chunk_writer_byte(&z->writer, (uint8_t)r->shape.kind);
    chunk_writer_signed(&z->writer, r->since_us == INT64_MIN ? SHARD_NO_TIME : r->since_us);
    z->ids[rule] = ++z->next_id;
}

static void write_head(struct freezer *z, const struct window *w)
{
    if (!z->ids[w->rule])
        write_rule(z, w->rule);
    chunk_writer_byte(&z->writer, ITEM_WINDOW);
    chunk_writer_varint(&z->writer, z->ids[w->rule] - 1U);
    chunk_writer_bytes(&z->writer, &w->key, sizeof w->key);
    chunk_writer_byte(&z->writer, w->flags & WINDOW_SAVED_FLAGS);
    chunk_writer_signed(&z->writer, w->newest_us == INT64_MIN ? SHARD_NO_TIME : w->newest_us);
    chunk_writer_signed(&z->writer, w->touched_us);
    chunk_writer_varint(&z->writer, w->fired_s);
}

static void write_entries(struct freezer *z, const struct window *w, uint32_t from, uint32_t to)
{
    const struct window_shape *shape = &z->shard->rules[w->rule].shape;
    int64_t time = w->newest_us;
    uint64_t tag = 0;
    chunk_writer_varint(&z->writer, to - from);
    for (uint32_t i = from; i < to; i++) {
        const struct entry *e = window_at(w, shape, i);
        chunk_writer_signed(&z->writer, e->event_us - time);
        chunk_writer_signed(&z->writer, (int64_t)(e->tag - tag));
        if (shape->stride > 16)
            chunk_writer_bytes(&z->writer, &e->value, sizeof e->value);
        time = e->event_us;
        tag = e->tag;
    }
}

static void write_subject(struct freezer *z, const struct window *w)
{
    make_room(z, RULE_BYTES + HEAD_BYTES + w->count);
    write_head(z, w);
    chunk_writer_text(&z->writer, (struct text){w->block, w->count});
}

static void write_window(struct freezer *z, const struct window *w)
{
    if (z->shard->rules[w->rule].shape.kind == WINDOW_SUBJECT) {
        write_subject(z, w);
        return;
    }
    uint32_t from = 0;
    do {
        uint32_t left = w->count - from;
        size_t want = RULE_BYTES + HEAD_BYTES + (size_t)left * ENTRY_BYTES;
        make_room(z, want < SMALL_ROOM ? want : SMALL_ROOM);
        size_t fits = (chunk_writer_room(&z->writer) - RULE_BYTES - HEAD_BYTES) / ENTRY_BYTES;
        uint32_t to = from + (left < fits ? left : (uint32_t)fits);
        write_head(z, w);
        write_entries(z, w, from, to);
        from = to;
    } while (from < w->count);
}

static void write_windows(struct freezer *z, bool whole)
{
    struct window_store *store = &z->shard->store;
    if (whole) {
        for (uint32_t i = 0; i < store->used; i++)
            if (window_store_at(store, i)->flags & WINDOW_LIVE)
                window_store_mark(store, i);
    }
    uint32_t group[FETCHED];
    uint32_t next = 0;
    for (uint32_t count = FETCHED; count == FETCHED && !z->writer.status;) {
        count = 0;
        while (count < FETCHED && next != WINDOW_NONE) {
            next = window_store_next_marked(store, next);
            if (next == WINDOW_NONE)
                break;
            __builtin_prefetch(window_store_at(store, next), 0, 3);
            group[count++] = next++;
        }
        for (uint32_t i = 0; i < count; i++)
            __builtin_prefetch(window_store_at(store, group[i])->block, 0, 3);
        for (uint32_t i = 0; i < count; i++)
            write_window(z, window_store_at(store, group[i]));
    }
}

enum status freezing_write(struct shard *s, bool whole, checkpoint_fn put, void *context)
{
    struct freezer z = {.shard = s};
    z.ids = calloc(s->rule_count + 1, sizeof *z.ids);
    if (!z.ids)
        return STATUS_NOMEM;
    chunk_writer_init(&z.writer, CHUNK_WINDOWS, s->generation, put, context);
    write_clock(&z);
    for (uint32_t i = 0; i < s->rule_count; i++) {
        make_room(&z, RULE_BYTES);
        write_rule(&z, i);
    }
    write_windows(&z, whole || s->must_be_whole);
    chunk_writer_send(&z.writer);
    enum status status = z.writer.status;
    chunk_writer_fini(&z.writer);
    free(z.ids);
    s->must_be_whole = status != STATUS_OK; /* what was unmarked on the way is lost otherwise */
    s->generation++;
    return status;
}

/* ---- reading ---- */

struct thawer {
    struct shard *shard;
    struct chunk_reader reader;
    bool is_applied; /* false: only looked through */
    uint32_t *rules; /* of this chunk: the shard's, or WINDOW_NONE */
    uint8_t *kinds;
    uint32_t rule_count;
    struct entry *entries; /* CHUNK_ENTRIES: of the part in hand */
    enum status status;
};

/* An entry takes two bytes at least, a rule more than ten. */
enum { CHUNK_ENTRIES = CHUNK_BYTES / 2, CHUNK_RULES = CHUNK_BYTES / 16 };

static void read_clock(struct thawer *t)
{
    struct shard_clock clock = {0};
    clock.now_us = chunk_reader_time(&t->reader);
    clock.gap_us = chunk_reader_time(&t->reader);
    clock.position = chunk_reader_varint(&t->reader);
    clock.before_us = clock.now_us - clock.gap_us;
    clock.heard_us = clock.before_us;
    if (!t->is_applied || t->reader.generation < t->shard->clock_generation)
        return;
    t->shard->clock = clock;
    t->shard->clock_generation = t->reader.generation;
}

static void read_rule(struct thawer *t)
{
    struct hash128 content;
    chunk_reader_bytes(&t->reader, &content, sizeof content);
    uint8_t kind = chunk_reader_byte(&t->reader);
    int64_t since = chunk_reader_time(&t->reader);
    if (kind > WINDOW_SUBJECT || t->rule_count == CHUNK_RULES) {
        t->reader.is_bad = true;
        return;
    }
    uint32_t rule = ruleset_map_find_content(t->shard, content);
    if (rule != WINDOW_NONE && t->shard->rules[rule].shape.kind != kind)
        rule = WINDOW_NONE;
    t->kinds[t->rule_count] = kind;
    t->rules[t->rule_count++] = rule;
    if (!t->is_applied || rule == WINDOW_NONE || since == SHARD_NO_TIME)
        return;
    struct rule_state *r = &t->shard->rules[rule];
    if (r->since_us != INT64_MIN && t->reader.generation < r->since_generation)
        return;
    r->since_us = since;
    r->since_generation = t->reader.generation;
}

static bool remember_generation(struct shard *s, uint32_t number, uint64_t generation)
{
    if (number >= s->generation_max) {
        uint32_t max = s->generation_max ? s->generation_max : 1024;
        while (max <= number)
            max *= 2;
        uint64_t *grown = realloc(s->generations, max * sizeof *grown);
        if (!grown)
            return false;
        memset(grown + s->generation_max, 0, (max - s->generation_max) * sizeof *grown);
        s->generations = grown;
        s->generation_max = max;
    }
    s->generations[number] = generation;
    return true;
}

/* The window that an item belongs to, emptied where its first part begins; NULL: not ours, or a
 * newer one is there. */
static struct window *claim(struct thawer *t, uint32_t rule, const struct window *head)
{
    struct shard *s = t->shard;
    if (rule == WINDOW_NONE || correlation_bucket(head->key) % s->count != s->index)
        return NULL;
    uint32_t number = window_store_find(&s->store, head->key);
    bool is_new = number == WINDOW_NONE;
    /* stored plus one: 0 means that the window was not restored */
    uint64_t generation = t->reader.generation + 1;
    if (!is_new && number < s->generation_max && s->generations[number] >= generation) {
        bool is_same = s->generations[number] == generation;
        return is_same ? window_store_at(&s->store, number) : NULL;
    }
    while (is_new && window_store_add(&s->store, head->key, &number))
        if (!window_lru_evict(s, WINDOW_NONE)) {
            t->status = STATUS_NOMEM;
            return NULL;
        }
    if (!remember_generation(s, number, generation)) {
        t->status = STATUS_NOMEM;
        return NULL;
    }
    struct window *w = window_store_at(&s->store, number);
    if (!is_new)
        window_lru_leave(s, number);
    window_drop_block(w, &s->store.slab);
    w->rule = (uint16_t)rule;
    w->flags = (uint8_t)(WINDOW_LIVE | head->flags);
    w->newest_us = head->newest_us;
    w->touched_us = head->touched_us;
    w->fired_s = head->fired_s;
    window_lru_enlist(s, number);
    return w;
}

static void read_subject(struct thawer *t, struct window *w)
{
    struct text bytes = chunk_reader_text(&t->reader, CHUNK_BYTES);
    if (!w || !bytes.len)
        return;
    char *block = window_renew_block(w, &t->shard->store.slab, (uint32_t)bytes.len);
    if (!block) {
        t->status = STATUS_NOMEM;
        return;
    }
    memcpy(block, bytes.at, bytes.len);
    w->count = (uint32_t)bytes.len;
}

/* Numbers beyond this could not come from a fixed128 that was parsed; twice it still fits. */
static bool is_number(fixed128 number)
{
    const fixed128 most = (fixed128)1 << 125;
    return number < most && number > -most;
}

/* One part's entries, decoded into the thawer's scratch; how many. */
static uint32_t decode_entries(struct thawer *t, const struct window *head, uint8_t kind)
{
    const struct window_shape shape = window_shape_of((enum window_kind)kind, 0);
    bool has_number = kind == WINDOW_SUM || kind == WINDOW_RANK;
    uint64_t count = chunk_reader_varint(&t->reader);
    struct entry e = {.event_us = head->newest_us};
    if (count > CHUNK_ENTRIES)
        t->reader.is_bad = true;
    for (uint32_t i = 0; i < count && !t->reader.is_bad; i++) {
        e.event_us += chunk_reader_time(&t->reader);
        e.tag += (uint64_t)chunk_reader_signed(&t->reader);
        if (shape.stride > 16)
            chunk_reader_bytes(&t->reader, &e.value, sizeof e.value);
        if (e.event_us > head->newest_us || e.event_us < SHARD_NO_TIME ||
            (has_number && !is_number(e.value.number)))
            t->reader.is_bad = true;
        t->entries[i] = e;
    }
    return t->reader.is_bad ? 0 : (uint32_t)count;
}

/* Parts may come in any order. A part goes in from its end when it is older than what is there, so
 * that each entry finds its place at one of the window's ends. */
static void read_entries(struct thawer *t, const struct window *head, uint8_t kind,
                         struct window *w)
{
    uint32_t count = decode_entries(t, head, kind);
    if (!w || !count)
        return;
    const struct window_shape *shape = &t->shard->rules[w->rule].shape;
    bool is_older = w->count && t->entries[count - 1].event_us <= window_at(w, shape, 0)->event_us;
    for (uint32_t i = 0; i < count; i++) {
        const struct entry *e = &t->entries[is_older ? count - 1 - i : i];
        if (window_insert(w, shape, &t->shard->store.slab, e) == WINDOW_REFUSED)
            t->status = STATUS_NOMEM;
    }
}

static void read_window(struct thawer *t)
{
    struct chunk_reader *r = &t->reader;
    struct window head = {0};
    uint64_t id = chunk_reader_varint(r);
    chunk_reader_bytes(r, &head.key, sizeof head.key);
    head.flags = chunk_reader_byte(r);
    head.newest_us = chunk_reader_time(r);
    head.touched_us = chunk_reader_time(r);
    uint64_t fired_s = chunk_reader_varint(r);
    head.fired_s = (uint32_t)fired_s;
    if (id >= t->rule_count || head.flags & ~(unsigned)WINDOW_SAVED_FLAGS || fired_s > UINT32_MAX)
        r->is_bad = true;
    if (r->is_bad)
        return;
    struct window *w = t->is_applied ? claim(t, t->rules[id], &head) : NULL;
    if (t->kinds[id] == WINDOW_SUBJECT)
        read_subject(t, w);
    else
        read_entries(t, &head, t->kinds[id], w);
}

static void read_items(struct thawer *t)
{
    while (!chunk_reader_is_done(&t->reader) && !t->status) {
        uint8_t item = chunk_reader_byte(&t->reader);
        if (item == ITEM_CLOCK)
            read_clock(t);
        else if (item == ITEM_RULE)
            read_rule(t);
        else if (item == ITEM_WINDOW)
            read_window(t);
        else
            t->reader.is_bad = true;
    }
}

enum status freezing_read(struct shard *s, struct text chunk, struct error *err)
{
    struct thawer t = {.shard = s};
    enum status status = chunk_reader_open(&t.reader, chunk, CHUNK_WINDOWS, err);
    if (status)
        return status;
    struct chunk_reader again = t.reader;
    t.rules = malloc(CHUNK_RULES * sizeof *t.rules);
    t.kinds = malloc(CHUNK_RULES * sizeof *t.kinds);
    t.entries = malloc(CHUNK_ENTRIES * sizeof *t.entries);
    if (t.rules && t.kinds && t.entries)
        read_items(&t);
    else
        t.status = STATUS_NOMEM;
    bool is_bad = t.reader.is_bad;
    if (!is_bad && !t.status) {
        t.reader = again;
        t.rule_count = 0;
        t.is_applied = true;
        read_items(&t);
        if (again.generation >= s->generation)
            s->generation = again.generation + 1;
    }
    free(t.rules);
    free(t.kinds);
    free(t.entries);
    if (is_bad)
        return error_set(err, STATUS_SYNTAX, 0, "saved state: a chunk of windows makes no sense");
    if (t.status)
        return error_set(err, t.status, 0, "no memory for saved windows");
    return STATUS_OK;
}

/* ---- settling ---- */

struct standing {
    int64_t touched_us;
    uint32_t number;
};

static int by_touch(const void *a, const void *b)
{
    const struct standing *x = a;
    const struct standing *y = b;
    if (x->touched_us != y->touched_us)
        return x->touched_us < y->touched_us ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Last touched before its rule came into force (again): of an older life of the rule. */
static bool is_stale(const struct shard *s, const struct window *w)
{
    const struct rule_state *r = &s->rules[w->rule];
    return r->since_us != INT64_MIN && w->touched_us + s->clock.gap_us < r->since_us;
}

enum status freezing_settle(struct shard *s)
{
    struct window_store *store = &s->store;
    struct standing *all = calloc((size_t)store->used + 1, sizeof *all);
    if (!all)
        return STATUS_NOMEM;
    uint32_t count = 0;
    for (uint32_t i = 0; i < store->used; i++) {
        const struct window *w = window_store_at(store, i);
        if (!(w->flags & WINDOW_LIVE))
            continue;
        if (is_stale(s, w)) {
            window_lru_forget(s, i);
            continue;
        }
        all[count++] = (struct standing){w->touched_us, i};
    }
    qsort(all, count, sizeof *all, by_touch);
    for (uint32_t i = 0; i < count; i++) {
        window_lru_leave(s, all[i].number);
        window_lru_enlist(s, all[i].number);
    }
    free(all);
    return STATUS_OK;
}
