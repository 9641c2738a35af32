/* SPDX-License-Identifier: Apache-2.0 */
#include "incidents/alert/alert.h"
#include "base/json_scan.h"
#include "base/timestamp.h"

static struct text field(struct changes *changes, const struct event *event, const char *name)
{
    const struct field *f = event_field(event, text_of(name));
    return f && f->type != VALUE_NULL ? json_value(f, &changes->scratch) : TEXT_NONE;
}

static int64_t time_field(struct changes *changes, const struct event *event, const char *name)
{
    int64_t us;
    return timestamp_parse(field(changes, event, name), 0, &us, NULL) ? us : TIMESTAMP_NONE;
}

static bool read_severity(struct text t, enum incident_severity *out)
{
    *out = SEVERITY_MEDIUM;
    if (text_equal(t, TEXT("critical")))
        *out = SEVERITY_CRITICAL;
    else if (text_equal(t, TEXT("error")))
        *out = SEVERITY_HIGH;
    else if (text_equal(t, TEXT("info")))
        *out = SEVERITY_INFO;
    return t.len > 0;
}

struct text alert_scope(struct text incident_key)
{
    return text_head(incident_key, text_find_byte(incident_key, '|'));
}

struct text alert_receiver(struct text incident_key)
{
    struct text rest = text_skip(incident_key, alert_scope(incident_key).len + 1);
    return text_head(rest, text_find_byte(rest, '|'));
}

bool alert_read(struct changes *changes, const struct event *event, struct alert *out)
{
    const struct field *heartbeat = event_field(event, TEXT("is_heartbeat"));
    *out = (struct alert){.integration = field(changes, event, "integration"),
                          .key = field(changes, event, "key"),
                          .group = field(changes, event, "group"),
                          .status = field(changes, event, "status"),
                          .title = field(changes, event, "title"),
                          .host = field(changes, event, "host"),
                          .name = field(changes, event, "name"),
                          .source = field(changes, event, "source"),
                          .description = field(changes, event, "description"),
                          .is_heartbeat = heartbeat && heartbeat->type == VALUE_TRUE,
                          .starts_us = time_field(changes, event, "starts_at"),
                          .ends_us = time_field(changes, event, "ends_at"),
                          .expires_us = time_field(changes, event, "expires_at"),
                          .now_us = changes->journal_us,
                          .id = record_identity(event->record)};
    out->has_severity = read_severity(field(changes, event, "severity"), &out->severity);
    out->is_firing = text_equal(out->status, TEXT("firing"));
    if (!out->group.len)
        out->group = out->key;
    out->incident_key = CHANGES_JOIN(changes, out->integration, TEXT("/"), out->group);
    return out->key.len && out->incident_key.at;
}
