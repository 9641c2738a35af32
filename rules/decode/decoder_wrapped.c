/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_scan.h"
#include "rules/decode/decoder_parts.h"

void decoder_wrapped_init(struct decoder_wrapped *w)
{
    /* in order of preference */
    static const char *const programs[DECODER_WRAPPED] = {
        "SYSLOG_IDENTIFIER", "program",  "programname",  "ident",
        "appname",           "app_name", "process.name", "log.syslog.appname",
        "syslog.appname",    "_COMM",    "ProcessName",
    };
    static const char *const messages[DECODER_WRAPPED] = {
        "MESSAGE", "message", "msg", "log", "short_message", "SyslogMessage"};
    *w = (struct decoder_wrapped){0};
    for (int i = 0; i < DECODER_WRAPPED && programs[i]; i++)
        w->programs[i] = event_name_hash(text_of(programs[i]));
    for (int i = 0; i < DECODER_WRAPPED && messages[i]; i++)
        w->messages[i] = event_name_hash(text_of(messages[i]));
}

static bool is_one_of(const uint64_t *hashes, uint64_t hash)
{
    for (int i = 0; i < DECODER_WRAPPED && hashes[i]; i++)
        if (hashes[i] == hash)
            return true;
    return false;
}

bool decoder_wrapped_reads(const struct decoder_wrapped *w, uint64_t hash)
{
    return is_one_of(w->programs, hash) || is_one_of(w->messages, hash);
}

static const struct field *first_of(const uint64_t *hashes, const struct event *event)
{
    const struct field *best = NULL;
    int rank = DECODER_WRAPPED;
    for (uint32_t i = 0; i < event->field_count; i++) {
        const struct field *f = &event->fields[i];
        for (int j = 0; j < rank && hashes[j]; j++)
            if (f->hash == hashes[j] && f->type == VALUE_STRING && f->value.len) {
                best = f;
                rank = j;
            }
    }
    return best;
}

void decoder_wrapped_open(const struct decoder_wrapped *w, struct event *event, struct arena *arena)
{
    const struct field *program = first_of(w->programs, event);
    const struct field *message = program ? first_of(w->messages, event) : NULL;
    if (!message)
        return;
    const struct text name = json_value(program, arena);
    const struct text line = json_value(message, arena);
    if (!name.at || !line.at)
        return;
    event->program = name;
    event->message = line;
}
