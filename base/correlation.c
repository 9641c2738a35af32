/* SPDX-License-Identifier: Apache-2.0 */
#include "base/correlation.h"

const char *correlation_entity_name(enum entity_kind kind)
{
    static const char *const names[] = {"address", "host", "user", "service"};
    return names[kind];
}

struct hash128 correlation_key(const struct correlation *c, const struct text *group,
                               uint32_t group_count)
{
    struct hasher h;
    hash_start(&h);
    hash_part(&h, &c->rule->content, sizeof c->rule->content);
    for (uint32_t i = 0; i < group_count; i++)
        hash_part_text(&h, group[i]);
    return hash_end(&h);
}

struct hash128 correlation_distinct(const struct text *values, uint32_t count)
{
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < count; i++)
        hash_part_text(&h, values[i]);
    return hash_end(&h);
}
