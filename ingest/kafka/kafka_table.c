/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/kafka/kafka_table.h"
#include "base/hash.h"
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 2 * KAFKA_TABLE_MAX };

void kafka_table_init(struct kafka_table *t)
{
    *t = (struct kafka_table){0};
}

void kafka_table_fini(struct kafka_table *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        free(t->items[i]);
    kafka_table_init(t);
}

static size_t slot_of(const struct kafka_table *t, struct text topic, int32_t number)
{
    size_t i = hash_seeded(topic.at, topic.len, (uint64_t)number) % SLOTS;
    while (t->slots[i]) {
        const struct kafka_partition *p = t->items[t->slots[i] - 1];
        if (p->number == number && text_equal(text_of(p->topic), topic))
            break;
        i = (i + 1) % SLOTS;
    }
    return i;
}

struct kafka_partition *kafka_table_find(const struct kafka_table *t, struct text topic,
                                         int32_t number)
{
    uint16_t index = t->slots[slot_of(t, topic, number)];
    return index ? t->items[index - 1] : NULL;
}

struct kafka_partition *kafka_table_add(struct kafka_table *t, struct text topic, int32_t number)
{
    size_t slot = slot_of(t, topic, number);
    if (t->slots[slot])
        return t->items[t->slots[slot] - 1];
    uint32_t count = atomic_load_explicit(&t->count, memory_order_relaxed);
    if (count == KAFKA_TABLE_MAX || topic.len >= KAFKA_TOPIC_LEN)
        return NULL;
    struct kafka_partition *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    (void)snprintf(p->topic, sizeof p->topic, "%.*s", TEXT_ARG(topic));
    p->number = number;
    p->failed_at = -1;
    p->next_offset = -1;
    p->end_offset = -1;
    kafka_table_set_generation(p, 0);
    t->items[count] = p;
    t->slots[slot] = (uint16_t)(count + 1);
    atomic_store_explicit(&t->count, count + 1, memory_order_release); /* partner: metrics */
    return p;
}

void kafka_table_set_generation(struct kafka_partition *p, uint32_t generation)
{
    p->generation = generation;
    if (generation)
        (void)snprintf(p->stream, sizeof p->stream, "kafka:%s@%u:%d", p->topic, generation,
                       p->number);
    else
        (void)snprintf(p->stream, sizeof p->stream, "kafka:%s:%d", p->topic, p->number);
}
