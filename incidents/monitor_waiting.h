/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/monitor_alert.h"

/* A warning that has not fired for long enough. */
struct waiting {
    struct hash_link link;
    struct text key; /* integration, group, key */
    int64_t due_us;
    struct text document; /* the alert as ingest wrote it */
    struct hash128 id;    /* of its record */
    char bytes[];
};

/* True while the alert must still wait; `document` is kept for later. */
bool monitor_waiting_must(struct incidents *i, const struct monitor_alert *a, struct text document);
/* It was resolved before its time came. */
void monitor_waiting_forget(struct incidents *i, const struct monitor_alert *a);
void monitor_waiting_tick(struct incidents *i);
bool monitor_waiting_load(struct incidents *i, struct text key, struct text value);
void monitor_waiting_clear(struct incidents *i);
