/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/text.h"
#include "incidents/incidents.h"
#include "sinks/document.h"
#include "sinks/preset.h"

/*
 * What a preset's templates may name, for one delivery:
 *   option.*  taken.*  incident.* (the document's paths)  subject  facts (the incident in words)
 *   notice.kind  notice.priority (P1..)  delivery.id  delivery.subject (the incident's id, or the
 *   delivery's own)  delivery.time  delivery.in_7d  delivery.milliseconds  delivery.repeat
 */
struct rendering {
    const struct preset *preset;
    const struct text *options; /* values in the order of the preset's */
    const struct delivery *delivery;
    const struct document *document;
    struct text subject, facts;
    struct preset_pair taken[PRESET_REQUESTS * PRESET_TAKES];
    uint32_t taken_count;
};

/* True where a template may name it. */
bool rendering_knows(const struct preset *p, struct text path);
/* The functions of a template_scope; `context` is the rendering. */
struct text rendering_find(void *context, struct text path, bool as_json, struct arena *arena);
struct text rendering_map(void *context, struct text table, struct text key);
/* What an earlier answer gave under that name, or an empty text. */
struct text rendering_taken(const struct rendering *r, struct text name);
