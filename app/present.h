/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/text.h"

/* What the API answers, a JSON object, as pages for a terminal: texts of strangers are made
 * visible, numbers are written as a person would. To standard output. */

/* A line of the list, and the heading over it. */
void present_incident_heading(void);
void present_incident_row(struct text json);
/* One incident whole: who, since when, why, what was told, and what may be done next. */
void present_incident(struct text json);
void present_report(struct text json);
void present_handover(struct text json);
void present_verify(struct text json);
