/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/held.h"
#include <stdlib.h>
#include <string.h>

static size_t size_of(const struct feed *f)
{
    const struct subject *s = f->subject;
    size_t size = sizeof(struct held) + s->group_count * sizeof *s->group +
                  s->entity_count * sizeof *s->entities;
    for (uint32_t i = 0; i < s->group_count; i++)
        size += s->group[i].len;
    for (uint32_t i = 0; i < s->entity_count; i++)
        size += s->entities[i].value.len;
    if (f->record)
        size += f->record->raw.len + f->record->peer.len + f->record->origin.len;
    return size;
}

static struct text moved(char **bytes, struct text t)
{
    char *at = *bytes;
    if (t.len)
        memcpy(at, t.at, t.len);
    *bytes += t.len;
    return (struct text){at, t.len};
}

struct held *held_new(const struct feed *f, const struct correlation *correlation)
{
    struct held *h = malloc(size_of(f));
    if (!h)
        return NULL;
    const struct subject *from = f->subject;
    struct text *group = (struct text *)(void *)(h + 1);
    struct entity *entities = (struct entity *)(void *)(group + from->group_count);
    char *bytes = (char *)(entities + from->entity_count);
    h->mail.next = NULL;
    h->feed = *f;
    h->feed.correlation = correlation;
    h->feed.subject = &h->subject;
    h->subject = (struct subject){group, from->group_count, entities, from->entity_count};
    for (uint32_t i = 0; i < from->group_count; i++)
        group[i] = moved(&bytes, from->group[i]);
    for (uint32_t i = 0; i < from->entity_count; i++) {
        entities[i] = from->entities[i];
        entities[i].value = moved(&bytes, from->entities[i].value);
    }
    if (!f->record)
        return h;
    h->record = *f->record;
    h->record.raw = moved(&bytes, f->record->raw);
    h->record.peer = moved(&bytes, f->record->peer);
    h->record.origin = moved(&bytes, f->record->origin);
    h->feed.record = &h->record;
    return h;
}

static bool is_before(const struct held_item *a, const struct held_item *b)
{
    if (a->deadline_us != b->deadline_us)
        return a->deadline_us < b->deadline_us;
    if (a->held->feed.event_us != b->held->feed.event_us)
        return a->held->feed.event_us < b->held->feed.event_us;
    return a->held->feed.position < b->held->feed.position;
}

void held_heap_fini(struct held_heap *h)
{
    for (uint32_t i = 0; i < h->count; i++)
        free(h->items[i].held);
    free(h->items);
    *h = (struct held_heap){0};
}

bool held_heap_push(struct held_heap *h, int64_t deadline_us, struct held *held)
{
    if (h->count == h->max) {
        uint32_t max = h->max ? h->max * 2 : 256;
        struct held_item *items = realloc(h->items, max * sizeof *items);
        if (!items)
            return false;
        h->items = items;
        h->max = max;
    }
    struct held_item item = {deadline_us, held};
    uint32_t at = h->count++;
    while (at && is_before(&item, &h->items[(at - 1) / 2])) {
        h->items[at] = h->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->items[at] = item;
    return true;
}

struct held *held_heap_pop(struct held_heap *h)
{
    struct held *first = h->items[0].held;
    struct held_item last = h->items[--h->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = at * 2 + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && is_before(&h->items[child + 1], &h->items[child]))
            child++;
        if (!is_before(&h->items[child], &last))
            break;
        h->items[at] = h->items[child];
        at = child;
    }
    h->items[at] = last;
    return first;
}
