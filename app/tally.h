/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/metric.h"
#include "base/own.h"

/* Adds up what several threads' counters tell under one name and labels. */
struct tally;
struct tally *tally_new(void);
void tally_free(struct tally *t);
AUTO_DEFINE(tally);
/* A metric_fn; the context is the tally. Copies. */
void tally_add(void *tally, const struct metric *m);
/* Tells each series once, those of one name together. */
void tally_tell(const struct tally *t, metric_fn tell, void *context);
