/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/model/telling.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include <stdlib.h>
#include <string.h>

/* Replaces an owned text; NULL where it is empty. False without memory: unchanged. */
static bool keep(char **at, struct text t)
{
    char *copy = t.len ? strndup(t.at, t.len) : NULL;
    if (t.len && !copy)
        return false;
    free(*at);
    *at = copy;
    return true;
}

void telling_init(struct telling *telling)
{
    *telling = (struct telling){.resolved_us = TIMESTAMP_NONE};
    telling_calm(telling);
}

static void clear(struct told *told)
{
    free(told->destination);
    free(told->recipient);
}

void telling_fini(struct telling *telling)
{
    for (uint32_t t = 0; t < telling->count; t++)
        clear(&telling->told[t]);
    free(telling->told);
    telling_init(telling);
}

void telling_calm(struct telling *telling)
{
    telling->flapping_us = telling->until_us = TIMESTAMP_NONE;
    telling->flaps = telling->held = 0;
}

static bool is_at(const struct told *told, struct text destination)
{
    return text_equal(text_of(told->destination), destination);
}

static bool has(const struct telling *telling, struct text destination)
{
    for (uint32_t t = 0; t < telling->count; t++)
        if (is_at(&telling->told[t], destination))
            return true;
    return false;
}

/* NULL at the ceiling or without memory: that destination is then not told of the end. */
static struct told *add(struct telling *telling, struct text destination)
{
    if (telling->count == TELLING_MAX)
        return NULL;
    if (telling->count == telling->size) {
        uint32_t size = telling->size ? telling->size * 2 : 2;
        struct told *more = realloc(telling->told, size * sizeof *more);
        if (!more)
            return NULL;
        telling->told = more;
        telling->size = size;
    }
    struct told *told = &telling->told[telling->count];
    *told = (struct told){.first_us = TIMESTAMP_NONE, .last_us = TIMESTAMP_NONE};
    if (!keep(&told->destination, destination) || !told->destination)
        return NULL;
    telling->count++;
    return told;
}

static void set_delivery(struct told *told, struct text delivery)
{
    if (delivery.len == IDENT_LEN)
        memcpy(told->delivery, delivery.at, IDENT_LEN);
}

void telling_queue(struct telling *telling, struct text destination, struct text delivery)
{
    if (has(telling, destination))
        return;
    struct told *told = add(telling, destination);
    if (told)
        set_delivery(told, delivery);
}

static struct text recipient_of(const struct told *told)
{
    return told->recipient ? text_of(told->recipient) : TEXT_NONE;
}

/* That recipient's; else the one that only says that it is on its way. */
static struct told *find(struct telling *telling, struct text destination, struct text recipient)
{
    struct told *open = NULL;
    for (uint32_t t = 0; t < telling->count; t++) {
        struct told *told = &telling->told[t];
        if (!is_at(told, destination))
            continue;
        if (text_equal(recipient_of(told), recipient))
            return told;
        if (told->first_us == TIMESTAMP_NONE)
            open = told;
    }
    return open;
}

void telling_arrive(struct telling *telling, struct text destination, struct text recipient,
                    struct text delivery, int64_t at_us)
{
    struct told *told = find(telling, destination, recipient);
    if (!told)
        told = add(telling, destination);
    if (!told)
        return;
    if (recipient.len)
        (void)keep(&told->recipient, recipient);
    if (told->first_us == TIMESTAMP_NONE)
        told->first_us = at_us;
    told->last_us = at_us;
    set_delivery(told, delivery);
}

void telling_fail(struct telling *telling, struct text destination, struct text delivery)
{
    for (uint32_t t = 0; t < telling->count; t++) {
        struct told *told = &telling->told[t];
        if (!is_at(told, destination) || told->first_us != TIMESTAMP_NONE ||
            !text_equal(text_of(told->delivery), delivery))
            continue;
        clear(told);
        telling->count--;
        memmove(told, told + 1, (telling->count - t) * sizeof *told);
        return;
    }
}

static void write_time(struct buffer *out, const char *name, int64_t us)
{
    if (us != TIMESTAMP_NONE)
        json_write_time(out, name, us);
}

void telling_write(const struct telling *telling, struct buffer *out)
{
    if (telling->count)
        json_write_open(out, "told", '[');
    for (uint32_t t = 0; t < telling->count; t++) {
        const struct told *told = &telling->told[t];
        json_write_open(out, NULL, '{');
        json_write_string(out, "destination", text_of(told->destination));
        if (told->recipient)
            json_write_string(out, "recipient", text_of(told->recipient));
        write_time(out, "first", told->first_us);
        write_time(out, "last", told->last_us);
        json_write_string(out, "delivery", text_of(told->delivery));
        json_write_close(out, '}');
    }
    if (telling->count)
        json_write_close(out, ']');
    if (telling->flapping_us == TIMESTAMP_NONE)
        return;
    json_write_open(out, "flapping", '{');
    write_time(out, "since", telling->flapping_us);
    write_time(out, "until", telling->until_us);
    json_write_uint(out, "times", telling->flaps);
    json_write_uint(out, "held", telling->held);
    json_write_close(out, '}');
}

void telling_read(struct telling *telling, const struct doc_tree *tree)
{
    const struct doc_tree *list = doc_tree_get(tree, "told");
    const struct doc_tree *flapping = doc_tree_get(tree, "flapping");
    for (uint32_t t = 0; t < list->count; t++) {
        const struct doc_tree *at = &list->items[t];
        struct told *told = add(telling, doc_tree_text(at, "destination"));
        if (!told)
            continue;
        (void)keep(&told->recipient, doc_tree_text(at, "recipient"));
        told->first_us = doc_tree_time(at, "first");
        told->last_us = doc_tree_time(at, "last");
        set_delivery(told, doc_tree_text(at, "delivery"));
    }
    telling->flapping_us = doc_tree_time(flapping, "since");
    telling->until_us = doc_tree_time(flapping, "until");
    telling->flaps = (uint32_t)doc_tree_whole(flapping, "times", 0);
    telling->held = (uint32_t)doc_tree_whole(flapping, "held", 0);
}
