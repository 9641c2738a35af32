/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest/file/followed_state.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A state that was damaged gives only files that it could have held: each, written again, is read
 * as the same one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(void *context, const struct followed_place *p)
{
    const struct followed *want = context;
    assert(p->slot == want->slot && p->base == want->base && p->offset == want->durable);
    assert(p->device == want->device && p->inode == want->inode);
    assert(p->head.len == want->head.len && p->head.hash == want->head.hash);
    assert(strcmp(p->path, want->path) == 0);
}

static void write_again(void *context, const struct followed_place *p)
{
    const struct stat st = {.st_dev = p->device, .st_ino = p->inode};
    struct followed *f = followed_new(p->path, &st, 480, false);
    struct buffer out;
    (void)context;
    assert(p->head.len <= FOLLOWED_HEAD_BYTES && p->tail.len <= FOLLOWED_TAIL_BYTES);
    if (!f)
        return;
    f->slot = p->slot;
    f->base = p->base;
    f->durable = p->offset;
    f->head = p->head;
    buffer_init(&out, 1 << 20);
    followed_state_begin(&out);
    followed_state_add(f, &out);
    buffer_byte(&out, '\0');
    bool is_read = !out.has_failed && followed_state_read(out.at, compare, f);
    assert(is_read || out.has_failed);
    buffer_fini(&out);
    followed_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *content = malloc(size + 1);
    if (!content)
        return 0;
    memcpy(content, data, size);
    content[size] = 0;
    (void)followed_state_read(content, write_again, NULL);
    free(content);
    return 0;
}
