/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "incidents/model/candidate.h"
#include "incidents/model/doc_tree.h"
#include "incidents/model/incident.h"
#include "incidents/model/string_pool.h"

/*
 * Incidents and candidates as JSON: what the API shows and what Redis keeps are one document, so
 * that a person can recompute a score from it and a start can go on from it.
 */

/* The object without newline. Scores of a candidate as of its latest detection. */
void incident_document_write(const struct incident *incident, struct buffer *out);
void incident_document_write_candidate(const struct candidate *candidate, int64_t half_life_us,
                                       struct buffer *out);
/* The members of `c` as parts of an incident, by weight, heaviest first. False without memory. */
bool incident_document_take_parts(struct incident *incident, const struct candidate *candidate,
                                  int64_t t_us, int64_t half_life_us);
/* One member, as it stands among the contributions, and back again. */
void incident_document_write_member(const struct member *member, struct buffer *out);
void incident_document_read_member(const struct doc_tree *t, struct string_pool *words,
                                   struct member *out);

/* Back again. INVALID where it is no such document, NOMEM. */
NODISCARD enum status incident_document_read(const struct doc_tree *t, struct string_pool *words,
                                             struct incident **out);
/* `out_incident` (IDENT_LEN + 1 bytes) is the id of the incident it belongs to, or "". */
NODISCARD enum status incident_document_read_candidate(const struct doc_tree *t,
                                                       struct string_pool *words,
                                                       struct candidate **out, char *out_incident);
