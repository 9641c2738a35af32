/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"
#include "base/buffer.h"
#include "base/metric.h"

/*
 * Numbers as Prometheus' text format 0.0.4: each family's HELP and TYPE once, its lines together,
 * in the order in which families were first told. The same name and labels told twice count once.
 */
struct exposition;

/* All memory is `arena`'s. NULL without memory. */
struct exposition *exposition_new(struct arena *arena);
/* A metric_fn; `context` is the exposition. Names that Prometheus would refuse are left out. */
void exposition_tell(void *context, const struct metric *m);
void exposition_write(const struct exposition *e, struct buffer *out);
