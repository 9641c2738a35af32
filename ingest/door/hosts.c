/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "ingest/door/drops.h"
#include <pthread.h>
#include <stdlib.h>

/*
 * One table a worker: open addressing over entries that lie in an array of their own, so that the
 * table can stay full. The lock is taken once a batch by the worker and once a report by others;
 * none waits longer than a batch takes.
 */

enum { NAME_LEN = 128, PEER_LEN = 64, MINUTE_US = 60000000 };
#define NONE UINT32_MAX /* a free slot */

/* What had to be assumed of a record's time. */
static const struct guess {
    enum event_flag flag;
    const char *name;
} guesses[] = {
    {EVENT_TIME_ASSUMED, "time"},          {EVENT_YEAR_ASSUMED, "year"},
    {EVENT_ZONE_ASSUMED, "zone"},          {EVENT_ORDER_ASSUMED, "order"},
    {EVENT_TIME_UNREADABLE, "unreadable"},
};
enum { GUESSES = sizeof guesses / sizeof *guesses };

struct host {
    uint64_t hash;
    uint32_t source;
    uint8_t name_len, peer_len;
    char name[NAME_LEN], peer[PEER_LEN];
    uint64_t records, bytes, damaged, undecoded, truncated;
    uint64_t assumed[GUESSES];         /* records */
    uint64_t this_minute, last_minute; /* records */
    int64_t minute;                    /* of receipt, which this_minute counts */
    int64_t first_us, last_us;         /* receipt */
    int64_t event_us;                  /* the last record's own time */
    double offset_s;                   /* own time less receipt, smoothed; NaN before the first */
    bool has_offset;
    const struct drops_entry *drops; /* in a report: what its sender lost; NULL: nothing */
};

struct hosts {
    pthread_mutex_t lock;
    struct host *items;
    uint32_t count, max;
    uint32_t *slots; /* index of an item, or NONE */
    uint32_t mask;
    uint32_t hand; /* where the search for one to give up goes on */
};

struct hosts *hosts_new(uint32_t max_hosts)
{
    AUTO(hosts) h = calloc(1, sizeof *h);
    uint32_t slots = 16;
    if (!h || pthread_mutex_init(&h->lock, NULL))
        return NULL;
    while (slots < max_hosts * 2)
        slots *= 2;
    h->max = max_hosts;
    h->mask = slots - 1;
    h->items = calloc(max_hosts, sizeof *h->items);
    h->slots = malloc(slots * sizeof *h->slots);
    if (!h->items || !h->slots)
        return NULL;
    memset(h->slots, 0xFF, slots * sizeof *h->slots);
    return MOVE(h);
}

void hosts_free(struct hosts *h)
{
    if (!h)
        return;
    (void)pthread_mutex_destroy(&h->lock);
    free(h->items);
    free(h->slots);
    free(h);
}

void hosts_begin(struct hosts *h)
{
    (void)pthread_mutex_lock(&h->lock);
}

void hosts_end(struct hosts *h)
{
    (void)pthread_mutex_unlock(&h->lock);
}

static uint32_t slot_of(const struct hosts *h, uint64_t hash, uint32_t source, struct text name)
{
    uint32_t at = (uint32_t)hash & h->mask;
    for (; h->slots[at] != NONE; at = (at + 1) & h->mask) {
        const struct host *i = &h->items[h->slots[at]];
        if (i->hash == hash && i->source == source &&
            text_equal((struct text){i->name, i->name_len}, name))
            break;
    }
    return at;
}

/* Takes the entry out of the table: what stands behind it moves up. */
static void remove_slot(struct hosts *h, uint32_t at)
{
    uint32_t next = at;
    h->slots[at] = NONE;
    for (;;) {
        next = (next + 1) & h->mask;
        if (h->slots[next] == NONE)
            return;
        uint32_t home = (uint32_t)h->items[h->slots[next]].hash & h->mask;
        bool may_stay = at <= next ? at < home && home <= next : at < home || home <= next;
        if (may_stay)
            continue;
        h->slots[at] = h->slots[next];
        h->slots[next] = NONE;
        at = next;
    }
}

/* The longest unheard of a few: exact enough, and the same work for any size. */
static uint32_t give_up_one(struct hosts *h)
{
    enum { LOOKED_AT = 16 };
    uint32_t oldest = h->hand % h->max;
    for (uint32_t i = 0; i < LOOKED_AT; i++) {
        uint32_t at = (h->hand + i) % h->max;
        if (h->items[at].last_us < h->items[oldest].last_us)
            oldest = at;
    }
    h->hand = (h->hand + LOOKED_AT) % h->max;
    const struct host *i = &h->items[oldest];
    remove_slot(h, slot_of(h, i->hash, i->source, (struct text){i->name, i->name_len}));
    return oldest;
}

static struct host *add_host(struct hosts *h, uint64_t hash, uint32_t source, struct text name)
{
    uint32_t item = h->count < h->max ? h->count++ : give_up_one(h);
    struct host *i = &h->items[item];
    *i = (struct host){.hash = hash, .source = source, .name_len = (uint8_t)name.len};
    if (name.len)
        memcpy(i->name, name.at, name.len);
    h->slots[slot_of(h, hash, source, name)] = item;
    return i;
}

static void count_time(struct host *i, const struct event *e)
{
    int64_t at_us = e->record->receive_us;
    int64_t minute = at_us / MINUTE_US;
    if (minute != i->minute) {
        i->last_minute = minute == i->minute + 1 ? i->this_minute : 0;
        i->this_minute = 0;
        i->minute = minute;
    }
    i->this_minute++;
    i->first_us = i->records == 1 ? at_us : i->first_us;
    i->last_us = at_us;
    i->event_us = e->event_us;
    /* a time that was assumed or corrected says nothing of the sender's clock */
    if (e->flags & (EVENT_TIME_ASSUMED | EVENT_TIME_CLAMPED))
        return;
    double offset_s = (double)(e->event_us - at_us) / 1e6;
    i->offset_s = i->has_offset ? i->offset_s + (offset_s - i->offset_s) / 16 : offset_s;
    i->has_offset = true;
}

void hosts_see(struct hosts *h, const struct event *e)
{
    const struct record *r = e->record;
    if (!h->max || r->kind > RECORD_ALERT)
        return;
    struct text name = text_head(e->host.len ? e->host : r->peer, NAME_LEN);
    uint64_t hash = hash_seeded(name.at, name.len, r->source);
    uint32_t slot = slot_of(h, hash, r->source, name);
    struct host *i =
        h->slots[slot] == NONE ? add_host(h, hash, r->source, name) : &h->items[h->slots[slot]];
    struct text peer = text_head(r->peer, PEER_LEN);
    if (peer.len && !text_equal(peer, (struct text){i->peer, i->peer_len})) {
        memcpy(i->peer, peer.at, peer.len);
        i->peer_len = (uint8_t)peer.len;
    }
    i->records++;
    i->bytes += r->raw.len;
    i->damaged += (e->flags & EVENT_HEADER_DAMAGED) != 0;
    i->undecoded += (e->flags & EVENT_UNDECODED) != 0;
    i->truncated += (e->flags & EVENT_TRUNCATED) != 0;
    for (int g = 0; g < GUESSES; g++)
        i->assumed[g] += (e->flags & (uint32_t)guesses[g].flag) != 0;
    count_time(i, e);
}

/* ---- the report ---- */

static double rate_of(const struct host *i, int64_t now_us)
{
    int64_t minute = now_us / MINUTE_US;
    double into = (double)(now_us % MINUTE_US) / MINUTE_US;
    double before = minute == i->minute       ? (double)i->last_minute
                    : minute == i->minute + 1 ? (double)i->this_minute
                                              : 0;
    double now = minute == i->minute ? (double)i->this_minute : 0;
    return (now + before * (1 - into)) / 60;
}

static void merge(struct host *into, const struct host *from)
{
    into->records += from->records;
    into->bytes += from->bytes;
    into->damaged += from->damaged;
    into->undecoded += from->undecoded;
    into->truncated += from->truncated;
    for (int g = 0; g < GUESSES; g++)
        into->assumed[g] += from->assumed[g];
    if (from->first_us < into->first_us)
        into->first_us = from->first_us;
    if (from->minute == into->minute) {
        into->this_minute += from->this_minute;
        into->last_minute += from->last_minute;
    }
    if (from->last_us <= into->last_us)
        return;
    into->last_us = from->last_us;
    into->event_us = from->event_us;
    into->offset_s = from->has_offset ? from->offset_s : into->offset_s;
    into->has_offset |= from->has_offset;
}

static int by_name(const void *a, const void *b)
{
    const struct host *x = a;
    const struct host *y = b;
    if (x->source != y->source)
        return x->source < y->source ? -1 : 1;
    return text_compare((struct text){x->name, x->name_len}, (struct text){y->name, y->name_len});
}

static int by_last(const void *a, const void *b)
{
    const struct host *x = a;
    const struct host *y = b;
    if (x->last_us != y->last_us)
        return x->last_us > y->last_us ? -1 : 1;
    return by_name(a, b);
}

static void write_drops(const struct drops_entry *e, struct buffer *out)
{
    uint64_t sums[2] = {0};
    for (int why = 0; e && why < DROPS_REASONS; why++)
        sums[why >= DROPS_MESSAGES] += e->counts[why];
    json_write_uint(out, "dropped", sums[0]);
    json_write_uint(out, "refused", sums[1]);
    if (!e)
        return;
    json_write_open(out, "reasons", '{');
    for (int why = 0; why < DROPS_REASONS; why++)
        if (e->counts[why])
            json_write_uint(out, drops_name((enum drops_reason)why), e->counts[why]);
    json_write_close(out, '}');
}

/* Nothing where all times were said whole. */
static void write_assumed(const struct host *i, struct buffer *out)
{
    bool is_open = false;
    for (int g = 0; g < GUESSES; g++) {
        if (!i->assumed[g])
            continue;
        if (!is_open)
            json_write_open(out, "assumed", '{');
        is_open = true;
        json_write_uint(out, guesses[g].name, i->assumed[g]);
    }
    if (is_open)
        json_write_close(out, '}');
}

static void write_host(const struct host *i, int64_t now_us, struct buffer *out)
{
    json_write_open(out, NULL, '{');
    json_write_uint(out, "source", i->source);
    json_write_string(out, "host", (struct text){i->name, i->name_len});
    json_write_string(out, "peer", (struct text){i->peer, i->peer_len});
    json_write_uint(out, "records", i->records);
    json_write_uint(out, "bytes", i->bytes);
    json_write_double(out, "rate", rate_of(i, now_us));
    json_write_time(out, "first_seen", i->first_us);
    json_write_time(out, "last_seen", i->last_us);
    if (i->records)
        json_write_time(out, "last_event", i->event_us);
    if (i->has_offset)
        json_write_double(out, "clock_offset_s", i->offset_s);
    json_write_uint(out, "damaged", i->damaged);
    json_write_uint(out, "undecoded", i->undecoded);
    json_write_uint(out, "truncated", i->truncated);
    write_assumed(i, out);
    write_drops(i->drops, out);
    json_write_close(out, '}');
}

/* Copies what all tables hold; *out_count entries, sorted by name, one for each host. There is room
 * for `spare` more. */
static struct host *collect(struct hosts *const *tables, uint32_t count, uint32_t spare,
                            uint32_t *out_count)
{
    size_t most = (size_t)spare + 1;
    uint32_t n = 0;
    for (uint32_t t = 0; t < count; t++)
        most += tables[t]->max;
    struct host *all = calloc(most, sizeof *all);
    for (uint32_t t = 0; all && t < count; t++) {
        hosts_begin(tables[t]);
        memcpy(all + n, tables[t]->items, tables[t]->count * sizeof *all);
        n += tables[t]->count;
        hosts_end(tables[t]);
    }
    if (!all)
        return NULL;
    qsort(all, n, sizeof *all, by_name);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (kept && by_name(&all[kept - 1], &all[i]) == 0)
            merge(&all[kept - 1], &all[i]);
        else
            all[kept++] = all[i];
    }
    *out_count = kept;
    return all;
}

static int by_sender(const void *a, const void *b)
{
    return drops_compare(a, b);
}

static struct drops_entry *find_drops(struct drops_entry *drops, uint32_t count,
                                      const struct host *i)
{
    struct drops_entry want = {.source = i->source, .peer_len = i->peer_len};
    if (!i->peer_len) /* Kafka: no sender is known */
        return NULL;
    memcpy(want.peer, i->peer, sizeof want.peer);
    return bsearch(&want, drops, count, sizeof *drops, by_sender);
}

static struct host host_of_drops(const struct drops_entry *e)
{
    struct host i = {.source = e->source,
                     .name_len = e->peer_len,
                     .peer_len = e->peer_len,
                     .first_us = e->first_us,
                     .last_us = e->last_us,
                     .drops = e};
    memcpy(i.name, e->peer, sizeof e->peer);
    memcpy(i.peer, e->peer, sizeof e->peer);
    return i;
}

/* Behind one address may stand many hosts (a relay): what it lost is then nobody's alone. */
static uint32_t join_drops(struct host *all, uint32_t n, struct drops_entry *drops, uint32_t count)
{
    uint32_t *users = calloc((size_t)count + 1, sizeof *users);
    for (uint32_t i = 0; users && i < n; i++) {
        const struct drops_entry *e = find_drops(drops, count, &all[i]);
        if (e)
            users[e - drops]++;
    }
    for (uint32_t i = 0; users && i < n; i++) {
        const struct drops_entry *e = find_drops(drops, count, &all[i]);
        if (e && users[e - drops] == 1)
            all[i].drops = e;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!users || users[i] != 1)
            all[n++] = host_of_drops(&drops[i]);
    free(users);
    return n;
}

void hosts_write(struct hosts *const *tables, uint32_t count, struct drops *drops, int64_t now_us,
                 uint32_t most, struct buffer *out)
{
    uint32_t n = 0;
    uint32_t lost_count = 0;
    struct drops_entry *lost = drops ? drops_copy(drops, &lost_count) : NULL;
    struct host *all = collect(tables, count, lost_count, &n);
    if (all && lost)
        n = join_drops(all, n, lost, lost_count);
    if (all)
        qsort(all, n, sizeof *all, by_last);
    json_write_open(out, NULL, '[');
    for (uint32_t i = 0; all && i < n && i < most; i++)
        write_host(&all[i], now_us, out);
    json_write_close(out, ']');
    free(all);
    free(lost);
}
