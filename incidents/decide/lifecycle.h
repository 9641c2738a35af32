/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/decide/restraints.h"
#include "incidents/decide/verdicts.h"
#include "incidents/outbox/outbox.h"
#include "incidents/state/tables.h"

/*
 * The life of an incident: the only place where one opens, moves on, closes and opens again, with
 * the ledger record and the notice that go with it. Detections, alerts and people all come here.
 */
struct lifecycle {
    struct changes *changes;
    struct tables *tables;
    struct restraints *restraints;
    struct verdicts *verdicts;
    struct outbox *outbox;
};

/* Writes a ledger record about an incident: "incident.<what>", with its state and priority. `more`
 * are members of a JSON object, or empty. */
void lifecycle_record(const struct lifecycle *lifecycle, struct incident *incident,
                      const char *kind, struct text by, struct text more, int64_t now_us);
/* Tells those who want to know. */
void lifecycle_notice(const struct lifecycle *lifecycle, struct incident *incident,
                      enum notice_kind kind, int64_t now_us);
/* Where it is new and what it is about: opened, ledger, storm, notice. `by` is the person who
 * reported it; empty where nobody did. */
void lifecycle_open(const struct lifecycle *lifecycle, struct incident *incident, struct text by,
                    int64_t now_us);
/* Moves it on: state, time, ledger "incident.<state>", notice. Its entities are released when it
 * closes. */
void lifecycle_move(const struct lifecycle *lifecycle, struct incident *incident,
                    enum incident_state to, struct text by, struct text more, int64_t now_us);
/* Open again: state, times, ledger, notice. */
void lifecycle_reopen(const struct lifecycle *lifecycle, struct incident *incident, struct text by,
                      const char *why, int64_t now_us);
/* Ends the entity's part in its incident: the next detection starts a new episode. */
void lifecycle_release(const struct lifecycle *lifecycle, struct candidate *candidate,
                       int64_t now_us, bool was_confirmed);
/* It began no later than this: the earliest evidence of what belongs to it. */
void lifecycle_date(struct incident *incident, int64_t first_us);
/* Its clocks run again. */
void lifecycle_end_pause(struct incident *incident, int64_t now_us);
