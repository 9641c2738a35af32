/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "incidents/incidents.h"

/*
 * A few views for many connections: a view is one thread's at a time, and each has a connection of
 * its own to the record. Opened when first needed.
 */
struct view_pool;
struct view_loan;

NODISCARD enum status view_pool_new(const struct incidents_options *record, struct view_pool **out,
                                    struct error *err);
/* Every loan was given back. */
void view_pool_free(struct view_pool *p);
AUTO_DEFINE(view_pool);

/* Waits up to 5 s for a view. TIMEOUT: all are busy; else what view_open says. Any thread. */
NODISCARD enum status view_pool_take(struct view_pool *p, struct view_loan **out,
                                     struct error *err);
struct view *view_pool_view(const struct view_loan *loan);
/* A view that failed is closed and opened anew for the next. */
void view_pool_give(struct view_pool *p, struct view_loan *loan, bool has_failed);
