/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "incidents/state/tables.h"

/* Entities and incidents on their way to Redis. Keys are in the folder's README. */

/* Everything dirty. */
void tables_save(struct tables *tables, struct changes *changes);
/* The score's own set: one member's mark; one member, gone; the whole set, gone. */
void tables_save_mark(struct changes *changes, const struct candidate *candidate,
                      const struct member *member);
void tables_save_unmark(struct changes *changes, const struct candidate *candidate,
                        const struct member *member);
void tables_save_reset(struct changes *changes, const struct candidate *candidate);
/* A candidate that is gone. */
void tables_save_forget(struct changes *changes, const struct candidate *candidate);
