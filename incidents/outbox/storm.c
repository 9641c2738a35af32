/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/outbox/storm.h"
#include "base/json_write.h"
#include "base/timestamp.h"
#include "incidents/model/ident.h"
#include <string.h>

#define STORM_US   (STORM_MINUTES * INT64_C(60) * 1000000)
#define DIGEST_US  STORM_US /* openings of that long are told together */
#define DIGEST_MAX (1 << 20)

void storm_init(struct storm *storm)
{
    *storm = (struct storm){.digest_us = TIMESTAMP_NONE};
    buffer_init(&storm->digest, DIGEST_MAX);
}

void storm_fini(struct storm *storm)
{
    buffer_fini(&storm->digest);
}

void storm_clear(struct storm *storm)
{
    storm->opening_count = storm->digest_count = 0;
    storm->is_on = storm->is_dirty = false;
    storm->digest_us = TIMESTAMP_NONE;
    buffer_clear(&storm->digest);
}

/* More than STORM_INCIDENTS openings within that time: the ring holds exactly one more. */
bool storm_begins(struct storm *storm, int64_t now_us)
{
    int64_t *openings = storm->openings_us;
    if (storm->opening_count > STORM_INCIDENTS) {
        memmove(openings, openings + 1, STORM_INCIDENTS * sizeof *openings);
        storm->opening_count = STORM_INCIDENTS;
    }
    openings[storm->opening_count++] = now_us;
    bool was_on = storm->is_on;
    storm->is_on = storm->opening_count > STORM_INCIDENTS && now_us - openings[0] <= STORM_US;
    storm->is_dirty = true;
    return storm->is_on && !was_on;
}

void storm_tick(struct storm *storm, int64_t now_us)
{
    if (!storm->is_on || !storm->opening_count ||
        now_us - storm->openings_us[storm->opening_count - 1] <= STORM_US)
        return;
    storm->is_on = false;
    storm->is_dirty = true;
}

void storm_add_to_digest(struct storm *storm, const char *id, int64_t now_us)
{
    buffer_append(&storm->digest, (struct text){id, IDENT_LEN});
    storm->digest.has_failed = false;
    storm->digest_count = (uint32_t)(storm->digest.len / IDENT_LEN);
    if (storm->digest_us == TIMESTAMP_NONE)
        storm->digest_us = now_us;
    storm->is_dirty = true;
}

bool storm_is_digest_due(const struct storm *storm, int64_t now_us)
{
    return storm->digest_count >= STORM_DIGEST ||
           (storm->digest_count && now_us - storm->digest_us >= DIGEST_US);
}

void storm_empty_digest(struct storm *storm)
{
    buffer_clear(&storm->digest);
    storm->digest_count = 0;
    storm->digest_us = TIMESTAMP_NONE;
    storm->is_dirty = true;
}

void storm_write(const struct storm *storm, struct buffer *out)
{
    json_write_bool(out, "storm", storm->is_on);
    json_write_open(out, "openings", '[');
    for (uint32_t o = 0; o < storm->opening_count; o++)
        json_write_int(out, NULL, storm->openings_us[o]);
    json_write_close(out, ']');
    json_write_int(out, "digest_since", storm->digest_us);
}

void storm_read(struct storm *storm, const struct doc_tree *tree)
{
    const struct doc_tree *openings = doc_tree_get(tree, "openings");
    const struct doc_tree *digest = doc_tree_get(tree, "digest");
    storm->is_on = doc_tree_bool(tree, "storm");
    storm->digest_us = doc_tree_whole(tree, "digest_since", TIMESTAMP_NONE);
    for (uint32_t o = 0; o < openings->count && o <= STORM_INCIDENTS; o++)
        storm->openings_us[storm->opening_count++] = openings->items[o].whole;
    int64_t since_us = storm->digest_us; /* an older program kept the ids here */
    for (uint32_t d = 0; d < digest->count; d++)
        if (digest->items[d].text.len == IDENT_LEN)
            storm_add_to_digest(storm, digest->items[d].text.at, since_us);
}
