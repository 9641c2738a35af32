/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "incidents/incidents.h"

/* {"type":"incident.opened","id":"dlv_..","time":..,"incident":{..}}: the same bytes at every try;
 * storms and digests are "incidents.storm" and "incidents.digest" with a "summary". */
void envelope_write(const struct delivery *d, struct buffer *out);
