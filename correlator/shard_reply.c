/* SPDX-License-Identifier: Apache-2.0 */
#include "correlator/correlator.h"
#include <stdlib.h>

struct shard_reply *shard_reply_new(void)
{
    struct shard_reply *r = calloc(1, sizeof *r);
    if (r)
        arena_init(&r->arena, BATCH_ARENA_BYTES);
    return r;
}

void shard_reply_free(struct shard_reply *r)
{
    if (!r)
        return;
    arena_fini(&r->arena);
    free(r->detections);
    free(r);
}

void shard_reply_reset(struct shard_reply *r)
{
    arena_reset(&r->arena);
    r->batch = NULL;
    r->count = 0;
    r->refused = 0;
}
