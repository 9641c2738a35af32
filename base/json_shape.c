/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_shape.h"
#include "base/arena.h"
#include "base/event.h"
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 2 * JSON_SHAPE_NAMES, TEXT_BYTES = 1 << 20, READABLE = 16 };
enum { PROBES = 32 }; /* names that a sender chose to meet in one slot cost no more than this */

struct json_shape {
    struct json_name *names; /* JSON_SHAPE_NAMES + 1 */
    uint16_t *slots;         /* open addressing: number of a name, 0: free */
    uint32_t count;
    struct arena arena; /* keys and paths */
    json_wanted_fn wanted;
    const void *context;
    bool is_full; /* some name found no room */
    struct json_index index;
};

struct json_shape *json_shape_new(json_wanted_fn wanted, const void *context)
{
    AUTO(json_shape) s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    arena_init(&s->arena, TEXT_BYTES);
    s->wanted = wanted;
    s->context = context;
    s->names = calloc(JSON_SHAPE_NAMES + 1, sizeof *s->names);
    s->slots = calloc(SLOTS, sizeof *s->slots);
    if (!s->names || !s->slots)
        return NULL;
    s->names[0].key = "";
    s->names[0].path = TEXT("");
    return MOVE(s);
}

void json_shape_free(struct json_shape *s)
{
    if (!s)
        return;
    arena_fini(&s->arena);
    free(s->names);
    free(s->slots);
    free(s);
}

bool json_shape_is_full(const struct json_shape *s)
{
    return s->is_full;
}

void json_shape_forget(struct json_shape *s)
{
    s->is_full = false;
    s->count = 0;
    s->names[0].inside = (struct json_guess){0};
    memset(s->slots, 0, SLOTS * sizeof *s->slots);
    arena_reset(&s->arena);
}

bool json_shape_wants(const struct json_shape *s, struct text path, uint64_t hash)
{
    return !s->wanted || s->wanted(s->context, path, hash);
}

struct json_name *json_shape_names(struct json_shape *s)
{
    return s->names;
}

struct json_index *json_shape_index(struct json_shape *s)
{
    return &s->index;
}

/* The dotted path of a member, in the shape's memory. */
static struct text path_of(struct json_shape *s, uint32_t parent, struct text key)
{
    const struct text above = s->names[parent].path;
    if (!parent)
        return key;
    char *at = arena_bytes(&s->arena, above.len + 1 + key.len);
    if (!at)
        return TEXT_NONE;
    memcpy(at, above.at, above.len);
    at[above.len] = '.';
    memcpy(at + above.len + 1, key.at, key.len);
    return (struct text){at, above.len + 1 + key.len};
}

static uint32_t learn(struct json_shape *s, uint32_t parent, struct text key)
{
    char *copy = s->count < JSON_SHAPE_NAMES ? arena_bytes(&s->arena, key.len + READABLE) : NULL;
    if (copy) {
        memcpy(copy, key.at, key.len);
        memset(copy + key.len, 0, READABLE);
    }
    const struct text path = copy ? path_of(s, parent, (struct text){copy, key.len}) : TEXT_NONE;
    if (!path.at) {
        s->is_full = true;
        return 0;
    }
    const uint64_t hash = event_name_hash(path);
    s->names[++s->count] = (struct json_name){.key = copy,
                                              .key_len = (uint32_t)key.len,
                                              .parent = parent,
                                              .hash = hash,
                                              .path = path,
                                              .is_wanted = json_shape_wants(s, path, hash)};
    return s->count;
}

uint32_t json_shape_find(struct json_shape *s, uint32_t parent, struct text key)
{
    if (key.len > JSON_SHAPE_KEY)
        return 0;
    const uint64_t hash = hash_seeded(key.at, key.len, parent);
    for (uint64_t i = 0; i < PROBES; i++) {
        uint16_t *slot = &s->slots[(hash + i) % SLOTS];
        if (!*slot)
            return *slot = (uint16_t)learn(s, parent, key);
        const struct json_name *n = &s->names[*slot];
        if (n->parent == parent && n->key_len == key.len && memcmp(n->key, key.at, key.len) == 0)
            return *slot;
    }
    return 0;
}
