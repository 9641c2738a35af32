/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/followed_state.h"
#include "base/hash.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct text first_line = {"tocsin files 1\n", 15};

void followed_state_begin(struct buffer *out)
{
    buffer_append(out, first_line);
}

void followed_state_add(const struct followed *f, struct buffer *out)
{
    if (strchr(f->path, '\n'))
        return; /* a name that no line can hold: not remembered */
    /* of a file that is closed for now, everything read is durable, and its tail is that */
    struct followed_print tail = {0, 0};
    if (f->fd >= 0)
        tail = followed_print_of(f->fd, f->durable, FOLLOWED_TAIL_BYTES);
    else if (f->durable == f->offset && f->tail_len)
        tail = (struct followed_print){hash_bytes(f->tail, f->tail_len, 0), f->tail_len};
    buffer_printf(out, "%" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, f->slot, f->base,
                  f->durable, f->device, f->inode);
    buffer_printf(out, " %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRIu64 " %s\n", f->head.len,
                  f->head.hash, tail.len, tail.hash, f->path);
}

static bool take_number(char **at, uint64_t *out)
{
    char *end = NULL;
    if (**at < '0' || **at > '9')
        return false;
    *out = strtoull(*at, &end, 10);
    bool is_number = *end == ' ';
    *at = end + is_number;
    return is_number;
}

static bool read_line(char *line, struct followed_place *p)
{
    uint64_t n[9];
    for (int i = 0; i < 9; i++)
        if (!take_number(&line, &n[i]))
            return false;
    *p = (struct followed_place){
        .slot = (uint32_t)n[0],
        .base = n[1],
        .offset = n[2],
        .device = n[3],
        .inode = n[4],
        .head = {n[6], (uint32_t)n[5]},
        .tail = {n[8], (uint32_t)n[7]},
        .path = line,
    };
    return n[0] < UINT32_MAX && n[5] <= FOLLOWED_HEAD_BYTES && n[7] <= FOLLOWED_TAIL_BYTES && *line;
}

bool followed_state_read(char *content, void (*tell)(void *context, const struct followed_place *p),
                         void *context)
{
    if (!text_starts(text_of(content), first_line))
        return false;
    char *line = content + first_line.len;
    for (char *end = strchr(line, '\n'); end; line = end + 1, end = strchr(line, '\n')) {
        struct followed_place p;
        *end = 0;
        if (!read_line(line, &p))
            return false;
        tell(context, &p);
    }
    return !*line;
}
