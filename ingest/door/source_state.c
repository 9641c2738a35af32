/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "ingest/door/source.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum status source_state(const struct source *s, struct text option, struct text identity,
                         char *out, size_t size, char out_hash[SOURCE_HASH_LEN + 1],
                         struct error *err)
{
    const char *dir = s->intake.state_dir;
    uint64_t hash =
        hash_bytes(identity.at, identity.len, hash_bytes(s->type->key, strlen(s->type->key), 0));
    int len = 0;
    (void)snprintf(out_hash, SOURCE_HASH_LEN + 1, "%016" PRIx64, hash);
    out[0] = 0;
    if (text_equal(option, TEXT("-")) || (!option.len && !dir))
        return STATUS_OK;
    if (option.len)
        len = snprintf(out, size, "%.*s", TEXT_ARG(option));
    else
        len = snprintf(out, size, "%s/%s-%s", dir, s->type->key, out_hash);
    if ((size_t)len >= size)
        return error_set(err, STATUS_INVALID, 0, "state: the path is too long");
    if (!option.len && mkdir(dir, 0700) != 0 && errno != EEXIST)
        return error_set(err, STATUS_IO, 0, "%s: %s", dir, strerrordesc_np(errno));
    return STATUS_OK;
}
