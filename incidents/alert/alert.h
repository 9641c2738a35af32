/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/event.h"
#include "base/hash.h"
#include "incidents/model/incident.h"
#include "incidents/state/changes.h"

/*
 * An alert of a monitoring system as read: the shape is that of ingest's webhooks, by field names.
 * Views into the event and the scratch arena.
 */
struct alert {
    struct text integration, key, group, status, title, host, name, description, source;
    struct text incident_key; /* "integration/group" */
    enum incident_severity severity;
    bool has_severity, is_heartbeat, is_firing;
    int64_t starts_us, ends_us, expires_us, now_us;
    struct hash128 id;
};

/* Of an incident's key "integration/whose|receiver|group": whose alert it is, and the receiver it
 * was sent to. All of the key, and nothing, where it has no such parts. */
struct text alert_scope(struct text incident_key);
struct text alert_receiver(struct text incident_key);

/* False where the record is no alert: it has no key. */
bool alert_read(struct changes *changes, const struct event *event, struct alert *out);
