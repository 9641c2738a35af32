/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/key_index.h"
#include <stdlib.h>

enum { LEAST_CELLS = 64 };

enum status key_index_init(struct key_index *x)
{
    struct key_cell *cells = calloc(LEAST_CELLS, sizeof *cells);
    if (!cells)
        return STATUS_NOMEM;
    *x = (struct key_index){.cells = cells, .mask = LEAST_CELLS - 1};
    return STATUS_OK;
}

void key_index_fini(struct key_index *x)
{
    free(x->cells);
    *x = (struct key_index){0};
}

size_t key_index_bytes(const struct key_index *x)
{
    return ((size_t)x->mask + 1) * sizeof *x->cells;
}

static void put(struct key_cell *cells, uint32_t mask, struct key_cell cell)
{
    uint32_t at = cell.home & mask;
    while (cells[at].number)
        at = (at + 1) & mask;
    cells[at] = cell;
}

enum status key_index_reserve(struct key_index *x)
{
    if ((uint64_t)x->count * 10 < ((uint64_t)x->mask + 1) * 7)
        return STATUS_OK;
    uint32_t mask = x->mask * 2 + 1;
    struct key_cell *cells = mask > x->mask ? calloc((size_t)mask + 1, sizeof *cells) : NULL;
    if (!cells)
        return STATUS_NOMEM;
    for (size_t i = 0; i <= x->mask; i++)
        if (x->cells[i].number)
            put(cells, mask, x->cells[i]);
    free(x->cells);
    x->cells = cells;
    x->mask = mask;
    return STATUS_OK;
}

void key_index_add(struct key_index *x, struct hash128 key, uint32_t number)
{
    put(x->cells, x->mask, (struct key_cell){key_index_home(key), number + 1});
    x->count++;
}

void key_index_remove(struct key_index *x, struct hash128 key, uint32_t number)
{
    uint32_t at = key_index_home(key) & x->mask;
    while (x->cells[at].number != number + 1)
        at = (at + 1) & x->mask;
    /* What follows moves up as far as its own home allows, so that no search meets a hole. */
    for (uint32_t next = (at + 1) & x->mask; x->cells[next].number; next = (next + 1) & x->mask) {
        uint32_t home = x->cells[next].home & x->mask;
        if (((next - home) & x->mask) < ((next - at) & x->mask))
            continue;
        x->cells[at] = x->cells[next];
        at = next;
    }
    x->cells[at] = (struct key_cell){0};
    x->count--;
}
