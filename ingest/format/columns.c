/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/format/columns.h"
#include "base/hash.h"
#include "ingest/ingest.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/*
 * What a stream's column names are kept as:
 *
 *   w <tab> date time c-ip cs-method ...     W3C: names between blanks
 *   z conn <tab> ts <tab> uid <tab> ...      Zeek: the log's name, then names between tabs
 */
enum { STREAMS = 256, COLUMNS_BYTES = 16 * 1024, NAMES_MOST = 512 };

struct stream {
    struct hash128 key; /* of its source and peer */
    char *columns;      /* owned */
    size_t len;
    struct text path;     /* of Zeek's "#path": inside `head` until "#fields" came */
    char head[64];        /* "#path"'s value */
    uint64_t round;       /* of the batch that has a copy */
    struct text in_batch; /* that copy */
};

struct columns {
    struct stream streams[STREAMS];
    uint32_t count;
    uint32_t next_out; /* the one that makes room when all are taken */
    uint64_t round;
    _Atomic uint64_t evicted;
};

struct columns *columns_new(void)
{
    return calloc(1, sizeof(struct columns));
}

void columns_forget(struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->streams[i].columns);
    c->count = 0;
    c->next_out = 0;
}

void columns_free(struct columns *c)
{
    if (!c)
        return;
    columns_forget(c);
    free(c);
}

uint64_t columns_evicted(const struct columns *c)
{
    return atomic_load_explicit(&c->evicted, memory_order_relaxed); /* a number to look at */
}

/* ---- streams ---- */

static struct hash128 key_of(const struct record *r)
{
    struct hasher h;
    hash_start(&h);
    hash_part_u64(&h, r->source);
    hash_part_text(&h, r->peer);
    return hash_end(&h);
}

static struct stream *find(struct columns *c, struct hash128 key)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (hash_equal(c->streams[i].key, key))
            return &c->streams[i];
    return NULL;
}

static struct stream *find_or_add(struct columns *c, struct hash128 key)
{
    struct stream *s = find(c, key);
    if (s)
        return s;
    if (c->count < STREAMS)
        s = &c->streams[c->count++];
    else {
        s = &c->streams[c->next_out++ % STREAMS];
        free(s->columns);
        atomic_fetch_add_explicit(&c->evicted, 1, memory_order_relaxed);
    }
    *s = (struct stream){.key = key};
    return s;
}

/* Without memory the stream has no columns: its lines are read as any other. */
static void set_columns(struct stream *s, char kind, struct text path, struct text names)
{
    free(s->columns);
    s->columns = NULL;
    s->len = 0;
    s->round = 0;
    size_t len = 2 + path.len + names.len;
    if (!names.len || len > COLUMNS_BYTES || !(s->columns = malloc(len)))
        return;
    s->columns[0] = kind;
    if (path.len)
        memcpy(s->columns + 1, path.at, path.len);
    s->columns[1 + path.len] = '\t';
    memcpy(s->columns + 2 + path.len, names.at, names.len);
    s->len = len;
}

/* ---- header lines ---- */

/* What stands behind "#word" and the one byte after it. */
static bool is_header(struct text line, struct text word, struct text *out_rest)
{
    if (!text_starts(line, word) || line.len <= word.len)
        return false;
    *out_rest = text_trim(text_skip(line, word.len));
    return true;
}

static void take_header(struct columns *c, const struct record *r)
{
    struct text line = text_trim(r->raw);
    struct text rest;
    if (is_header(line, TEXT("#Fields:"), &rest))
        set_columns(find_or_add(c, key_of(r)), 'w', TEXT_NONE, rest);
    else if (is_header(line, TEXT("#path\t"), &rest)) {
        struct stream *s = find_or_add(c, key_of(r));
        s->path.len = rest.len < sizeof s->head ? rest.len : 0;
        if (s->path.len)
            memcpy(s->head, rest.at, s->path.len);
    } else if (is_header(line, TEXT("#fields\t"), &rest)) {
        struct stream *s = find_or_add(c, key_of(r));
        set_columns(s, 'z', (struct text){s->head, s->path.len}, rest);
    } else if (is_header(line, TEXT("#close"), &rest)) {
        struct stream *s = find(c, key_of(r));
        if (s)
            set_columns(s, 'z', TEXT_NONE, TEXT_NONE);
    }
}

static struct text copy_for(struct columns *c, struct stream *s, struct batch *b)
{
    if (!s || !s->columns)
        return TEXT_NONE;
    if (s->round != c->round) {
        s->in_batch = arena_copy(&b->arena, (struct text){s->columns, s->len});
        s->round = c->round;
    }
    return s->in_batch;
}

void columns_follow(struct columns *c, struct batch *b)
{
    struct stream *last = NULL;
    const struct record *last_of = NULL;
    c->round++;
    for (uint32_t i = 0; i < b->count; i++) {
        struct record *r = &b->records[i];
        if (r->kind != RECORD_EVENT)
            continue;
        if (r->raw.len && r->raw.at[0] == '#') {
            take_header(c, r);
            last_of = NULL;
            continue;
        }
        if (!c->count)
            continue;
        bool is_same =
            last_of && last_of->source == r->source && text_equal(last_of->peer, r->peer);
        if (!is_same)
            last = find(c, key_of(r));
        last_of = r;
        r->columns = copy_for(c, last, b);
    }
}

/* ---- state ---- */

void columns_save(const struct columns *c, struct buffer *out)
{
    for (uint32_t i = 0; i < c->count; i++) {
        char hex[33];
        if (!c->streams[i].columns)
            continue;
        hash_to_hex(c->streams[i].key, hex);
        buffer_printf(out, "%s ", hex);
        buffer_append(out, (struct text){c->streams[i].columns, c->streams[i].len});
        buffer_byte(out, '\n');
    }
}

bool columns_load(struct columns *c, struct text saved)
{
    struct text line;
    while (text_split(&saved, '\n', &line)) {
        struct hash128 key;
        if (!line.len)
            continue;
        if (line.len < 36 || !hash_from_hex(text_head(line, 32), &key))
            return false;
        struct text columns = text_skip(line, 33);
        struct text path = text_skip(text_head(columns, text_find_byte(columns, '\t')), 1);
        set_columns(find_or_add(c, key), columns.at[0], path, text_skip(columns, path.len + 2));
    }
    return true;
}

/* ---- lines ---- */

/* One cell; W3C's may stand in quotes and then hold blanks. */
static struct text take_cell(struct text *rest, char separator, bool has_quotes)
{
    struct text cell;
    if (has_quotes && rest->len && rest->at[0] == '"') {
        struct text inside = text_skip(*rest, 1);
        size_t end = text_find_byte(inside, '"');
        cell = text_head(inside, end);
        *rest = text_skip(inside, end + 1);
        if (rest->len && rest->at[0] == separator)
            *rest = text_skip(*rest, 1);
        else if (!rest->len)
            *rest = TEXT_NONE;
        return cell;
    }
    size_t end = text_find_byte(*rest, separator);
    cell = text_head(*rest, end);
    *rest = end < rest->len ? text_skip(*rest, end + 1) : TEXT_NONE;
    return cell;
}

/* The cells of a line; false where there are not `count`. An empty last cell is one. */
static bool split(struct text line, char separator, bool has_quotes, struct text *out,
                  uint32_t count)
{
    struct text rest = line;
    for (uint32_t i = 0; i < count; i++) {
        if (!rest.at)
            return false;
        out[i] = take_cell(&rest, separator, has_quotes);
    }
    return !rest.at || !rest.len;
}

static void add_time(struct text date, struct text time, struct arena *arena, struct event *e)
{
    char *at = date.len && time.len ? arena_bytes(arena, date.len + time.len + 2) : NULL;
    if (!at)
        return;
    memcpy(at, date.at, date.len);
    at[date.len] = 'T';
    memcpy(at + date.len + 1, time.at, time.len);
    at[date.len + 1 + time.len] = 'Z'; /* W3C: always UTC */
    (void)event_add(e, TEXT("@timestamp"), (struct text){at, date.len + time.len + 2});
}

bool columns_read(struct text columns, struct text line, struct arena *arena, struct event *e)
{
    struct text names[NAMES_MOST], cells[NAMES_MOST];
    size_t tab = text_find_byte(columns, '\t');
    if (!columns.len || tab == columns.len || !line.len || line.at[0] == '<' || line.at[0] == '{')
        return false;
    bool is_zeek = columns.at[0] == 'z';
    struct text path = text_skip(text_head(columns, tab), 1);
    struct text rest = text_skip(columns, tab + 1);
    uint32_t count = 0;
    while (rest.at && rest.len && count < NAMES_MOST)
        names[count++] = take_cell(&rest, is_zeek ? '\t' : ' ', false);
    bool has_tabs = is_zeek || text_find_byte(line, '\t') < line.len; /* CloudFront's W3C */
    if (!split(line, has_tabs ? '\t' : ' ', !is_zeek, cells, count))
        return false;
    struct text date = TEXT_NONE;
    struct text time = TEXT_NONE;
    if (path.len)
        (void)event_add(e, TEXT("_path"), path);
    for (uint32_t i = 0; i < count; i++) {
        if (!names[i].len || text_equal(cells[i], TEXT("-")))
            continue;
        bool is_empty = is_zeek && text_equal(cells[i], TEXT("(empty)"));
        (void)event_add(e, names[i], is_empty ? TEXT("") : cells[i]);
        if (text_equal(names[i], TEXT("date")))
            date = cells[i];
        else if (text_equal(names[i], TEXT("time")))
            time = cells[i];
    }
    if (!is_zeek)
        add_time(date, time, arena, e);
    return true;
}
