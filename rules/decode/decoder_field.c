/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/decoder_parts.h"

struct text decoder_field_address(struct text value)
{
    if (value.len < 14 || value.at[0] != ':' || value.at[1] != ':')
        return value;
    if (!text_equal_nocase(text_head(value, 7), TEXT("::ffff:")))
        return value;
    struct text v4 = text_skip(value, 7);
    for (size_t i = 0; i < v4.len; i++)
        if (v4.at[i] != '.' && (v4.at[i] < '0' || v4.at[i] > '9'))
            return value;
    return v4;
}

void decoder_field_add(struct event *event, const struct decoder_name *name, struct text value)
{
    if (!name->to.len)
        return;
    const struct field f = {
        .name = name->to, .hash = name->to_hash, .value = decoder_field_address(value)};
    (void)event_add_field(event, &f);
}

void decoder_field_spread(const struct decoder_names *names, struct text key, struct text value,
                          struct event *event)
{
    const uint64_t hash = event_name_hash(key);
    const struct decoder_name own = {key, key, hash, hash};
    const struct decoder_name *name = decoder_index_name(names, hash, key);
    decoder_field_add(event, name ? name : &own, value);
}
