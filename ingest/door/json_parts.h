/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buffer.h"
#include "base/text.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * A message that holds several events: an array of objects, objects one behind the other,
 * {"records":[..]} (Azure's Event Hubs, S3), CloudWatch's subscription with its logEvents, and
 * OpenTelemetry's resourceLogs. Parts of the last two take what stands around them along.
 */

/* True where the message goes on; false ends the walk. */
typedef bool (*json_part_fn)(void *context, struct text part);

/* Cheap: may it be one? */
bool json_parts_may_be(struct text message);
/* Calls `give` for each of its events, in order, the `most`th being all that is left. Parts are
 * views into the message or into `scratch`, for the call. How many; 0 (and no call): it is one
 * event as it stands. `give` NULL only counts. */
uint32_t json_parts_walk(struct text message, uint32_t most, struct buffer *scratch,
                         json_part_fn give, void *context);
