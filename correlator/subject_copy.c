/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/subject_copy.h"
#include <string.h>

/*
 *   position u64 | groups u32 | entities u32 | length u32 of each group value
 *   | (length u32, kind u8, is charged u8, 0 u16) of each entity | all bytes
 */
struct head {
    uint64_t position;
    uint32_t groups, entities;
};
struct part {
    uint32_t len;
    uint8_t kind, is_charged;
    uint16_t zero;
};

size_t subject_copy_size(const struct subject *subject)
{
    size_t size = sizeof(struct head) +
                  ((size_t)subject->group_count + subject->entity_count) * sizeof(struct part);
    for (uint32_t i = 0; i < subject->group_count; i++)
        size += subject->group[i].len;
    for (uint32_t i = 0; i < subject->entity_count; i++)
        size += subject->entities[i].value.len;
    return size;
}

static char *put(char *out, const void *at, size_t len)
{
    if (len)
        memcpy(out, at, len);
    return out + len;
}

void subject_copy_write(const struct subject *subject, uint64_t position, char *out)
{
    struct head head = {position, subject->group_count, subject->entity_count};
    out = put(out, &head, sizeof head);
    for (uint32_t i = 0; i < subject->group_count; i++) {
        struct part part = {.len = (uint32_t)subject->group[i].len};
        out = put(out, &part, sizeof part);
    }
    for (uint32_t i = 0; i < subject->entity_count; i++) {
        const struct entity *e = &subject->entities[i];
        struct part part = {(uint32_t)e->value.len, (uint8_t)e->kind, e->is_charged, 0};
        out = put(out, &part, sizeof part);
    }
    for (uint32_t i = 0; i < subject->group_count; i++)
        out = put(out, subject->group[i].at, subject->group[i].len);
    for (uint32_t i = 0; i < subject->entity_count; i++)
        out = put(out, subject->entities[i].value.at, subject->entities[i].value.len);
}

struct reader {
    const char *part; /* the next length */
    const char *byte; /* the next value */
    const char *end;
};

static bool next(struct reader *r, struct part *out, struct text *out_value)
{
    memcpy(out, r->part, sizeof *out);
    r->part += sizeof *out;
    if (out->len > (size_t)(r->end - r->byte) || out->kind > ENTITY_SERVICE)
        return false;
    *out_value = (struct text){r->byte, out->len};
    r->byte += out->len;
    return true;
}

const struct subject *subject_copy_read(const char *at, size_t len, struct arena *arena,
                                        uint64_t *out_position)
{
    struct head head;
    if (!at || len < sizeof head)
        return NULL;
    memcpy(&head, at, sizeof head);
    uint64_t parts = (uint64_t)head.groups + head.entities;
    if (parts > (len - sizeof head) / sizeof(struct part))
        return NULL;
    struct subject *subject = arena_zero(arena, sizeof *subject);
    struct text *group = arena_alloc(arena, (head.groups + 1) * sizeof *group);
    struct entity *entities = arena_alloc(arena, (head.entities + 1) * sizeof *entities);
    if (!subject || !group || !entities)
        return NULL;
    struct reader r = {at + sizeof head, at + sizeof head + parts * sizeof(struct part), at + len};
    struct part part;
    for (uint32_t i = 0; i < head.groups; i++)
        if (!next(&r, &part, &group[i]))
            return NULL;
    for (uint32_t i = 0; i < head.entities; i++) {
        if (!next(&r, &part, &entities[i].value))
            return NULL;
        entities[i].kind = (enum entity_kind)part.kind;
        entities[i].is_charged = part.is_charged;
    }
    *subject = (struct subject){group, head.groups, entities, head.entities};
    *out_position = head.position;
    return subject;
}
