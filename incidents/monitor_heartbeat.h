/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/monitor_alert.h"

/* An alert that always fires. */
struct heartbeat {
    struct hash_link link;
    struct text key;
    int64_t last_us;
    bool is_absent;
    char bytes[];
};

void monitor_heartbeat_beat(struct incidents *i, const struct monitor_alert *a);
/* Those that stopped open an incident of their own. */
void monitor_heartbeat_tick(struct incidents *i);
bool monitor_heartbeat_load(struct incidents *i, struct text key, struct text value);
void monitor_heartbeat_clear(struct incidents *i);
