/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rules/decode/decoder.h"
#include "rules/decode/mapping.h"

/*
 * Which decoders and mappings the events of a rule can come through: those that can say its log
 * source, decoders that read events of it, and decoders that say none. Without routing, all.
 */
struct provenance {
    const struct decoder_set *decoders;
    const struct mapping_set *mappings;
    bool has_routing;
    struct {
        struct logsource source;
        struct hash128 content;
        bool is_known;
    } recent[64]; /* answers, by the source's hash: rules share few log sources */
};
/* Of the contents of those decoders and mappings, in their order. `source` is in lower case and is
 * borrowed until the last call. */
struct hash128 provenance_content(struct provenance *p, const struct logsource *source);
