/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ingest/webhook/webhook.h"

/* Every system whose webhooks are understood. The first route that fits is taken. */
enum { WEBHOOK_TYPES = 10 };
extern const struct webhook_type *const webhook_types[WEBHOOK_TYPES];

extern const struct webhook_type webhook_events_type;
extern const struct webhook_type webhook_splunk_type;
extern const struct webhook_type webhook_gelf_type;
extern const struct webhook_type webhook_otlp_type;
extern const struct webhook_type webhook_loki_type;
extern const struct webhook_type webhook_elastic_type;
extern const struct webhook_type webhook_pagerduty_type;
extern const struct webhook_type webhook_opsgenie_type;
extern const struct webhook_type webhook_cloudevents_type;
extern const struct webhook_type webhook_alertmanager_type; /* Grafana and API v2 too */
