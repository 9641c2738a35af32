/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/incident_detect.h"
#include "incidents/state.h"

/* Who is charged by a detection, and what it made of their scores. */
enum { INCIDENT_CHARGED = 16 };

struct charged {
    struct candidate *candidate;
    struct member *member; /* valid until the candidate's next new member */
    bool is_new_member;
    bool crosses; /* over the threshold and in no incident */
    double score;
};
struct charging {
    int64_t t_us; /* event time, not beyond receipt */
    struct charged all[INCIDENT_CHARGED];
    uint32_t count;
};
void incident_charge_all(struct incidents *i, const struct detection *d, struct charging *out);
