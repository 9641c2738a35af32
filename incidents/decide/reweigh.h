/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state/tables.h"

/* Scores, contributions, severity and priority of an incident from its entities, as of the journal
 * time. True: priority rose. */
bool reweigh(const struct tables *tables, struct incident *incident, const struct changes *changes);
