/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/window.h"
#include <stdlib.h>
#include <string.h>

/* Insertions and prunings by the input's bytes, on a window and on a plain sorted array: both must
 * hold the same at every step. */

enum { MOST = 512, CEILING = 1 << 20 };

struct model {
    struct entry at[MOST + 1];
    uint32_t count;
};

static int before(const struct entry *a, const struct entry *b)
{
    if (a->event_us != b->event_us)
        return a->event_us < b->event_us;
    return a->tag < b->tag;
}

static void drop(struct model *m, uint32_t i)
{
    memmove(&m->at[i], &m->at[i + 1], (m->count - i - 1) * sizeof *m->at);
    m->count--;
}

static int same_member(enum window_kind kind, const struct entry *a, const struct entry *b)
{
    if (kind == WINDOW_VALUE)
        return hash_equal(a->value.distinct, b->value.distinct);
    return kind == WINDOW_INPUT && window_tag_input(a->tag) == window_tag_input(b->tag);
}

static void model_insert(struct model *m, const struct window_shape *shape, const struct entry *e)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (!same_member(shape->kind, &m->at[i], e))
            continue;
        if (!before(&m->at[i], e))
            return;
        drop(m, i--);
    }
    uint32_t place = 0;
    while (place < m->count && !before(e, &m->at[place]))
        place++;
    int is_set = shape->kind == WINDOW_INPUT || shape->kind == WINDOW_VALUE;
    if (!is_set && place && !before(&m->at[place - 1], e) && !(e->tag & 1))
        return;
    memmove(&m->at[place + 1], &m->at[place], (m->count - place) * sizeof *m->at);
    m->at[place] = *e;
    m->count++;
    if (m->count > shape->retain)
        drop(m, 0);
}

static int by_number(const void *a, const void *b)
{
    fixed128 x = *(const fixed128 *)a;
    fixed128 y = *(const fixed128 *)b;
    return x < y ? -1 : x > y;
}

static void check(const struct model *m, const struct window *w, const struct window_shape *shape)
{
    if (w->count != m->count)
        abort();
    fixed128 numbers[MOST + 1];
    struct int192 sum = {0};
    for (uint32_t i = 0; i < m->count; i++) {
        if (memcmp(window_at(w, shape, i), &m->at[i], shape->stride) != 0)
            abort();
        numbers[i] = m->at[i].value.number;
        sum = int192_add(sum, int192_of(numbers[i]));
    }
    if (shape->kind == WINDOW_SUM && m->count && int192_compare(*window_sum(w), sum) != 0)
        abort();
    qsort(numbers, m->count, sizeof *numbers, by_number);
    if (shape->kind == WINDOW_RANK && m->count &&
        memcmp(window_sorted(w, shape), numbers, m->count * sizeof *numbers) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct window_shape shape =
        window_shape_of((enum window_kind)(data[0] % WINDOW_SUBJECT), 1 + data[1] * 2U);
    struct slab slab;
    slab_init(&slab, CEILING);
    struct window w = {.size_class = UINT8_MAX};
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return 0;
    int64_t now = 0;
    for (size_t i = 2; i + 2 < size; i += 3) {
        if (data[i] == 255) {
            window_prune(&w, &shape, now - data[i + 1]);
            while (m->count && m->at[0].event_us < now - data[i + 1])
                drop(m, 0);
        } else if (data[i] == 254) {
            window_clear(&w, &slab);
            m->count = 0;
        } else {
            now += data[i] % 4;
            struct entry e = {.event_us = now - data[i + 1] % 32,
                              .tag = (uint64_t)(data[i + 2] % 8) << WINDOW_INPUT_SHIFT |
                                     (uint64_t)(i % 50) << 1 | (data[i + 2] >> 7)};
            if (shape.kind == WINDOW_VALUE)
                e.value.distinct = (struct hash128){data[i + 2], 3};
            else
                e.value.number =
                    ((fixed128)data[i + 2] - 128) * ((fixed128)1 << (data[i + 1] % 100));
            if (window_insert(&w, &shape, &slab, &e) == WINDOW_REFUSED)
                abort();
            model_insert(m, &shape, &e);
        }
        check(m, &w, &shape);
    }
    window_drop_block(&w, &slab);
    slab_fini(&slab);
    free(m);
    return 0;
}
