/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/decode/mapping_parts.h"

/* Conditions may ask for what stands around a message: program, host, pid, msgid, peer. */

static enum mapping_envelope envelope_of(struct text name)
{
    static const struct {
        const char *name;
        enum mapping_envelope which;
    } known[] = {
        {"program", MAPPING_PROGRAM}, {"host", MAPPING_HOST}, {"pid", MAPPING_PID},
        {"msgid", MAPPING_MSGID},     {"peer", MAPPING_PEER},
    };
    if (text_starts(name, TEXT("syslog.")))
        name = text_skip(name, 7);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(name, text_of(known[i].name)))
            return known[i].which;
    return MAPPING_NO_ENVELOPE;
}

void mapping_envelope_build(struct mapping_set *s)
{
    for (uint32_t i = 0; i < s->slot_count && s->header_count < MAPPING_HEADERS; i++) {
        const enum mapping_envelope which = envelope_of(s->slot_names[i]);
        if (which)
            s->headers[s->header_count++] =
                (struct mapping_header){(uint16_t)i, which, event_name_hash(s->slot_names[i])};
    }
}

struct text mapping_envelope_value(enum mapping_envelope which, const struct event *event)
{
    switch (which) {
    case MAPPING_NO_ENVELOPE:
        break;
    case MAPPING_PROGRAM:
        return event->program;
    case MAPPING_HOST:
        return event->host;
    case MAPPING_PID:
        return event->pid;
    case MAPPING_MSGID:
        return event->msgid;
    case MAPPING_PEER:
        return event->record ? event->record->peer : TEXT_NONE;
    }
    return TEXT_NONE;
}
