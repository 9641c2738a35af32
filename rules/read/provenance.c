/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/read/provenance.h"
#include "base/hash.h"

static bool is_said(const struct logsource *rule, const struct logsource *said, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct logsource *s = &said[i];
        if ((!rule->category.len || text_equal_nocase(rule->category, s->category)) &&
            (!rule->product.len || text_equal_nocase(rule->product, s->product)) &&
            (!rule->service.len || text_equal_nocase(rule->service, s->service)))
            return true;
    }
    return false;
}

static struct hash128 content_of(const struct provenance *p, const struct logsource *source)
{
    struct hasher h;
    hash_start(&h);
    for (uint32_t i = 0; i < decoder_count(p->decoders); i++) {
        const struct decoder *d = decoder_at(p->decoders, i);
        uint32_t count = 0;
        const struct logsource *said = decoder_logsources(d, &count);
        struct hash128 content = decoder_content(d);
        if (!p->has_routing || !count || is_said(source, said, count) || decoder_reads(d, source))
            hash_part(&h, &content, sizeof content);
    }
    for (uint32_t i = 1; i <= mapping_count(p->mappings); i++) {
        uint32_t count = 0;
        const struct logsource *said = mapping_logsources(p->mappings, i, &count);
        struct hash128 content = mapping_content(p->mappings, i);
        if (!p->has_routing || is_said(source, said, count))
            hash_part(&h, &content, sizeof content);
    }
    return hash_end(&h);
}

static bool is_same(const struct logsource *a, const struct logsource *b)
{
    return text_equal(a->category, b->category) && text_equal(a->product, b->product) &&
           text_equal(a->service, b->service);
}

struct hash128 provenance_content(struct provenance *p, const struct logsource *source)
{
    uint64_t hash = hash_seeded(source->category.at, source->category.len, 0);
    hash = hash_seeded(source->product.at, source->product.len, hash);
    hash = hash_seeded(source->service.at, source->service.len, hash);
    size_t at = hash % (sizeof p->recent / sizeof *p->recent);
    if (!p->recent[at].is_known || !is_same(&p->recent[at].source, source)) {
        p->recent[at].source = *source;
        p->recent[at].content = content_of(p, source);
        p->recent[at].is_known = true;
    }
    return p->recent[at].content;
}
