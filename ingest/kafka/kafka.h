/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/door/source.h"

/* The door to Kafka: a member of a consumer group. */
extern const struct source_type kafka_type;
